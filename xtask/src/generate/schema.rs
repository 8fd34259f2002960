//! JSON schemas of what scripts read, from the types that write it.

use serde_json::{Value, json};

use super::{Files, walk};
use crate::sh::Outcome;

/// Adds the schema of the document, of the events of a stream, and one file per command.
pub(super) fn add(cli: &clap::Command, files: &mut Files) -> Outcome {
    let schemas = tradectl::render::schema::all();
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
        // The document, bound to the command.
        let mut bound = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("tradectl.{name}/1"),
            "allOf": [{"$ref": "document.json"}],
            "properties": {"schema": {"const": format!("tradectl.{name}/1")}},
        });
        if let Some(data) = schemas.data.get(name.as_str()) {
            bound["properties"]["data"] = data.clone();
        }
        put(&name, &bound)?;
    }
    Ok(())
}
