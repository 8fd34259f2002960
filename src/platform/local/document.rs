//! Rows as stored: JSON objects in DynamoDB's own shape. What is not understood keeps its
//! bytes: an attribute that no update names is written back as it was read.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use trading_core::model::{Attr, Row, Utc, Written};

use crate::platform::RowUpdate;

/// How an attribute that is no DynamoDB attribute stands in a [`Row`]: a map with this one
/// key, holding the stored text. Such an attribute is never mistaken for a status or a
/// time, and it can be put back exactly.
const UNPARSED: &str = "__unparsed__";

/// A stored row.
#[derive(Clone, Debug, Default)]
pub(super) struct Document(BTreeMap<String, Box<RawValue>>);

impl Document {
    /// From a column, whatever stands in it. `key` names the row's key attribute.
    pub(super) fn from_column(column: ValueRef<'_>, key: (&str, &str)) -> Self {
        let text = match column {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            ValueRef::Null => "null".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
        };
        let mut document: Self = match serde_json::from_str(&text) {
            Ok(attributes) => Self(attributes),
            Err(_) => {
                let mut document = Self::default();
                document.set(Row::WHOLE, &Attr::S(text));
                document
            }
        };
        if !document.0.contains_key(key.0) {
            document.set(key.0, &Attr::text(key.1));
        }
        document
    }
    /// A column as a row. Most are read in one go; only what is odd takes the way over a
    /// document, with the same result.
    pub(super) fn row_from_column(column: ValueRef<'_>, key: (&str, &str)) -> Row {
        let text = column.as_str().ok();
        let row = text.and_then(|text| serde_json::from_str::<Row>(text).ok());
        let complete = row.filter(|row| row.attributes().contains_key(key.0));
        complete.unwrap_or_else(|| Self::from_column(column, key).to_row())
    }
    /// From a row.
    pub(super) fn from_row(row: &Row) -> Self {
        let mut document = Self::default();
        for (name, attr) in row.attributes() {
            document.set(name, attr);
        }
        document
    }
    /// As a row.
    pub(super) fn to_row(&self) -> Row {
        self.0.iter().map(|(name, raw)| (name.clone(), to_attr(raw))).collect()
    }
    /// As stored. What was no row at all, and has nothing of its own besides its key, is put
    /// back as it was: it was wrapped only to be read.
    pub(super) fn to_text(&self, key: (&str, &str)) -> rusqlite::Result<String> {
        let is_key = |name: &str| name == key.0 && self.get(name) == Some(Attr::text(key.1));
        let bare = self.0.keys().all(|name| name == Row::WHOLE || is_key(name));
        match self.get(Row::WHOLE) {
            // Bytes that were no text were not kept.
            Some(Attr::S(text)) if bare && !text.contains(char::REPLACEMENT_CHARACTER) => Ok(text),
            _ => serde_json::to_string(&self.0).map_err(to_sql_error),
        }
    }
    /// Sets an attribute.
    pub(super) fn set(&mut self, name: &str, attr: &Attr) {
        if let Some(raw) = to_raw(attr) {
            self.0.insert(name.to_owned(), raw);
        }
    }
    fn get(&self, name: &str) -> Option<Attr> {
        self.0.get(name).map(|raw| to_attr(raw))
    }
    /// Merges the attributes of a row over this; says whether anything changed.
    pub(super) fn merge(&mut self, row: &Row) -> bool {
        let mut changed = false;
        for (name, attr) in row.attributes() {
            if self.get(name).as_ref() != Some(attr) {
                self.set(name, attr);
                changed = true;
            }
        }
        changed
    }
    /// Applies an update on its condition; `Applied` says that `self` has changed.
    pub(super) fn update(&mut self, update: &RowUpdate, at: Utc) -> Written {
        if update.set.iter().all(|(name, value)| self.get(name) == *value) {
            return Written::Already;
        }
        for (name, value) in &update.require {
            let found = self.get(name);
            if found != *value {
                return Written::Refused {
                    expected: describe(name, value.as_ref()),
                    found: describe(name, found.as_ref()),
                };
            }
        }
        for (name, value) in &update.set {
            match value {
                Some(attr) => self.set(name, attr),
                None => {
                    self.0.remove(name);
                }
            }
        }
        Written::Applied { at }
    }
}

/// `status "running"`, `no status`.
fn describe(name: &str, value: Option<&Attr>) -> String {
    value.map_or_else(|| format!("no {name}"), |attr| format!("{name} {attr}"))
}

fn to_attr(raw: &RawValue) -> Attr {
    serde_json::from_str(raw.get())
        .unwrap_or_else(|_| Attr::M(BTreeMap::from([(UNPARSED.to_owned(), Attr::text(raw.get()))])))
}

fn to_raw(attr: &Attr) -> Option<Box<RawValue>> {
    if let Attr::M(map) = attr
        && let (1, Some(Attr::S(text))) = (map.len(), map.get(UNPARSED))
        && let Ok(raw) = RawValue::from_string(text.clone())
    {
        return Some(raw);
    }
    // An attribute is made of texts, lists and maps with text keys: always JSON.
    serde_json::value::to_raw_value(attr).ok()
}

/// A failure of ours to write or understand JSON, as the store's error.
pub(super) fn to_sql_error(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::{Document, ValueRef};
    use proptest::prelude::*;

    /// Texts as a table may hold them: sound, odd, torn, and no JSON at all.
    fn text() -> impl Strategy<Value = String> {
        let attr = prop_oneof![
            Just(r#"{"S":"running"}"#),
            Just(r#"{"N":"1.50"}"#),
            Just(r#"{"M":{"deep":{"L":[{"NULL":true}]}}}"#),
            Just(r#"{"S":"a","N":"1"}"#),
            Just(r#"{"Z":1}"#),
            Just("7"),
            Just("null"),
        ];
        let name = prop_oneof![Just("id"), Just("status"), Just("status"), Just("odd\\u00e9")];
        let fields = prop::collection::vec((name, attr), 0..5);
        let object = fields.prop_map(|fields| {
            let fields: Vec<String> =
                fields.iter().map(|(name, attr)| format!("\"{name}\": {attr}")).collect();
            format!("{{{}}}", fields.join(", "))
        });
        prop_oneof![8 => object, 1 => ".{0,12}", 1 => Just("{\"id\":".to_owned())]
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(text in text()) {
            let column = ValueRef::Text(text.as_bytes());
            let long = Document::from_column(column, ("id", "a")).to_row();
            prop_assert_eq!(Document::row_from_column(column, ("id", "a")), long);
        }
    }
}
