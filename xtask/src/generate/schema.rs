//! JSON schemas of what scripts read, from the types that write it.

use serde_json::{Value, json};

use super::{Files, walk};
use crate::sh::Outcome;

/// Adds the schema of the document, of the events of a stream, and one file per command.
pub(super) fn add(cli: &clap::Command, files: &mut Files) -> Outcome {
    let schemas = tradectl::schema::all();
    let mut put = |name: &str, schema: &Value| -> Outcome {
        let text =
            serde_json::to_string_pretty(schema).map_err(|error| format!("{name}: {error}"))?;
        files.insert(format!("docs/schema/{name}.json"), text + "\n");
        Ok(())
    };
    put("document", &schemas.document)?;
    put("event", &schemas.event)?;
    let mut names = Vec::new();
    walk(cli, "", &mut |way, command| {
        if command.get_subcommands().next().is_none() {
            names.push(way.split(' ').skip(1).collect::<Vec<_>>().join("."));
        }
    });
    for name in names {
        put(&name, &bound(&name, schemas.data.get(name.as_str())))?;
    }
    Ok(())
}

/// The document, bound to one command.
fn bound(name: &str, data: Option<&Value>) -> Value {
    let schema = format!("tradectl.{name}/1");
    let mut bound = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema,
        "allOf": [{"$ref": "document.json"}],
        "properties": {"schema": {"const": schema}},
    });
    let Some(mut data) = data.cloned() else {
        bound["properties"]["data"] = json!({
            "description": "This command has nothing to add.",
            "type": "object",
            "maxProperties": 0,
        });
        return bound;
    };
    if let Some(parts) = data.as_object_mut() {
        parts.remove("$schema");
        parts.remove("title");
        // References count from the root of the file.
        if let Some(defs) = parts.remove("$defs") {
            bound["$defs"] = defs;
        }
    }
    let none = json!({
        "description": "The command ended before it had an answer; `errors` says why.",
        "type": "object",
        "maxProperties": 0,
    });
    bound["properties"]["data"] = json!({"anyOf": [data, none]});
    bound
}

#[cfg(test)]
mod tests {
    use super::bound;
    use serde_json::json;

    #[test]
    fn references_of_the_data_count_from_the_root_of_the_file() {
        let data = json!({
            "$schema": "x", "title": "Data", "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}},
        });
        let bound = bound("a.b", Some(&data));
        assert_eq!(bound["$defs"]["A"]["type"], "string");
        assert_eq!(bound["properties"]["schema"]["const"], "tradectl.a.b/1");
        assert_eq!(bound.pointer("/properties/data/anyOf/0/$defs"), None);
        assert_eq!(bound.pointer("/properties/data/anyOf/0/type"), Some(&json!("object")));
    }
}
