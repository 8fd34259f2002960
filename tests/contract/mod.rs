//! The contract with scripts: each JSON document is of the shape that its schema in
//! `docs/schema` promises, and says nothing that stands in no schema.

#![expect(clippy::expect_used, clippy::panic, reason = "a document that breaks it fails loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The schemas, by their files' names.
pub(crate) static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let files = std::fs::read_dir(root().join("docs/schema")).expect("the schemas");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a schema");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    };
    files.map(|file| read(file.expect("a file").path())).collect()
});

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails unless the document is as its schema says. One that ended before its command was
/// known (a command line that nobody understands) has the common shape and no more.
pub(crate) fn assert_keeps(document: &Value) {
    let name = document["schema"].as_str().unwrap_or_default();
    let command = name.strip_prefix("tradectl.").and_then(|it| it.strip_suffix("/1"));
    let file = format!("{}.json", command.unwrap_or_else(|| panic!("{name:?} names no schema")));
    let file = if SCHEMAS.contains_key(&file) { file } else { "document.json".to_owned() };
    assert_fits(&file, document);
}

pub(crate) fn assert_fits(file: &str, value: &Value) {
    if let Err(why) = fits(file, value) {
        panic!("docs/schema/{file}: {why}\n{value:#}");
    }
}

/// Whether a value is what a schema promises, all of it.
pub(crate) fn fits(file: &str, value: &Value) -> Result<(), String> {
    fits_part(file, "", value)
}

/// The same of a part of a schema.
pub(crate) fn fits_part(file: &str, pointer: &str, value: &Value) -> Result<(), String> {
    let schema = SCHEMAS[file].pointer(pointer).expect("a part");
    let mut told = BTreeSet::new();
    Place { file, at: String::new() }.check(schema, value, &mut told)?;
    let mut untold = Vec::new();
    fields(value, "", &mut |field| {
        if !told.contains(field) {
            untold.push(field.to_owned());
        }
    });
    if untold.is_empty() { Ok(()) } else { Err(format!("stands in no schema: {untold:?}")) }
}

/// Every field of a value, by its JSON pointer.
fn fields(value: &Value, at: &str, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                let below = format!("{at}/{name}");
                see(&below);
                fields(part, &below, see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                fields(item, &format!("{at}/{index}"), see);
            }
        }
        _ => {}
    }
}

/// Where in a document something stands, and in which file its schema does.
struct Place<'a> {
    file: &'a str,
    at: String,
}

impl Place<'_> {
    /// Checks a value and notes which of its fields the schema tells of. A word of the
    /// language of schemas that is not known here fails: it would promise something that
    /// nobody checks.
    fn check(
        &self,
        schema: &Value,
        value: &Value,
        told: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let words = match schema {
            Value::Bool(true) => {
                fields(value, &self.at, &mut |field| {
                    told.insert(field.to_owned());
                });
                return Ok(());
            }
            Value::Object(words) => words,
            _ => return Err(self.no("is not to be there")),
        };
        for (word, meant) in words {
            let holds = match word.as_str() {
                // For people.
                "$schema" | "title" | "description" | "$defs" | "default" => true,
                "format" => self.format(meant, value)?,
                "type" => list(meant).any(|it| is_a(value, it)),
                "const" => value == meant,
                "enum" => list(meant).any(|it| it == value),
                "minimum" => value.as_f64().is_none_or(|it| Some(it) >= meant.as_f64()),
                "maximum" => value.as_f64().is_none_or(|it| Some(it) <= meant.as_f64()),
                "maxProperties" => {
                    value.as_object().is_none_or(|it| Some(it.len() as u64) <= meant.as_u64())
                }
                "uniqueItems" => value.as_array().is_none_or(|it| {
                    it.iter().map(Value::to_string).collect::<BTreeSet<_>>().len() == it.len()
                }),
                "required" => value.as_object().is_none_or(|it| {
                    list(meant).all(|name| it.contains_key(name.as_str().expect("a name")))
                }),
                "properties" | "additionalProperties" => {
                    if let Some(parts) = value.as_object() {
                        self.parts(words, word, parts, told)?;
                    }
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.below(index).check(meant, item, told)?;
                    }
                    true
                }
                "$ref" => self.follow(meant, value, told)?,
                "allOf" => {
                    list(meant).try_for_each(|it| self.check(it, value, told))?;
                    true
                }
                "anyOf" | "oneOf" => {
                    let found = self.fitting(meant, value, told)?;
                    word == "anyOf" || found == 1
                }
                other => return Err(self.no(&format!("`{other}` is not understood by this test"))),
            };
            if !holds {
                return Err(self.no(&format!("is {value}, and is to be {word} {meant}")));
            }
        }
        Ok(())
    }

    /// How many of several schemas a value fits; at least one.
    fn fitting(
        &self,
        schemas: &Value,
        value: &Value,
        told: &mut BTreeSet<String>,
    ) -> Result<usize, String> {
        let (mut found, mut why) = (0, Vec::new());
        for schema in list(schemas) {
            let mut here = BTreeSet::new();
            match self.check(schema, value, &mut here) {
                Ok(()) => {
                    found += 1;
                    told.append(&mut here);
                }
                Err(not) => why.push(not),
            }
        }
        if found == 0 { Err(format!("none of: ({})", why.join("; "))) } else { Ok(found) }
    }

    fn parts(
        &self,
        words: &Map<String, Value>,
        word: &str,
        parts: &Map<String, Value>,
        told: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let named = words.get("properties").and_then(Value::as_object);
        for (name, part) in parts {
            let of_name = named.and_then(|it| it.get(name));
            let schema = match (word, of_name) {
                ("properties", Some(schema)) => schema,
                ("additionalProperties", None) => &words["additionalProperties"],
                _ => continue,
            };
            let below = self.below(name);
            told.insert(below.at.clone());
            below.check(schema, part, told)?;
        }
        Ok(())
    }

    /// `#/$defs/NAME` of this file, or another file.
    fn follow(
        &self,
        to: &Value,
        value: &Value,
        told: &mut BTreeSet<String>,
    ) -> Result<bool, String> {
        let to = to.as_str().expect("a reference");
        let (file, schema) = match to.strip_prefix('#') {
            Some(pointer) => (self.file, SCHEMAS[self.file].pointer(pointer)),
            None => (to, SCHEMAS.get(to)),
        };
        let schema = schema.ok_or_else(|| self.no(&format!("refers to {to}, which is nowhere")))?;
        Place { file, at: self.at.clone() }.check(schema, value, told).map(|()| true)
    }

    fn format(&self, format: &Value, value: &Value) -> Result<bool, String> {
        match format.as_str() {
            Some("date-time") => Ok(value.as_str().is_none_or(|it| {
                it.ends_with('Z') && it.parse::<trading_core::model::Utc>().is_ok()
            })),
            // Bounds stand beside them.
            Some("uint" | "uint8" | "uint16" | "uint32" | "uint64" | "int32" | "int64") => Ok(true),
            _ => Err(self.no(&format!("format {format} is not understood by this test"))),
        }
    }

    fn below(&self, name: impl std::fmt::Display) -> Self {
        Self { file: self.file, at: format!("{}/{name}", self.at) }
    }
    fn no(&self, why: &str) -> String {
        format!("{} {why}", if self.at.is_empty() { "the document" } else { &self.at })
    }
}

/// The items of a list, or the one that stands alone.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}
