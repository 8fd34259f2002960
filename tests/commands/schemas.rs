//! Every document that a snapshot pins is of the shape that its schema promises.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::contract::{SCHEMAS, assert_fits, assert_keeps, fits, fits_part, root};
use crate::harness::World;

/// The documents and events that a snapshot holds: over several lines, or one on each.
fn documents(snapshot: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut lines = snapshot.lines();
    while let Some(line) = lines.next() {
        let text = if line == "{" {
            let rest: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            format!("{{{}}}", rest.join("\n"))
        } else {
            line.to_owned()
        };
        if text.starts_with('{') {
            found.push(serde_json::from_str(&text).expect(&text));
        }
    }
    found
}

/// Every snapshot of the product.
fn snapshots(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            snapshots(&path, found);
        } else if path.extension().is_some_and(|it| it == "snap") {
            found.push(path);
        }
    }
}

#[test]
fn every_document_in_a_snapshot_keeps_its_schema() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "trading-core/src"] {
        snapshots(&root().join(folder), &mut files);
    }
    let mut seen = BTreeSet::new();
    for file in files {
        for document in documents(&std::fs::read_to_string(&file).expect("a snapshot")) {
            match document["schema"].as_str() {
                Some(schema) => {
                    seen.insert(schema.to_owned());
                    assert_keeps(&document);
                }
                None => assert_fits("event.json", &document),
            }
        }
    }
    let without: Vec<&String> = SCHEMAS
        .iter()
        .filter(|(_, schema)| {
            let name = schema.pointer("/properties/schema/const").and_then(Value::as_str);
            name.is_some_and(|name| !seen.contains(name))
        })
        .map(|(file, _)| file)
        .collect();
    // A script that is generated anyway, and processes that say nothing until they are told
    // to end.
    let expected = ["completions.json", "engine.paper-venue.json", "engine.run.json"];
    assert_eq!(without, expected, "commands without a snapshot of a document");
}

#[test]
fn what_breaks_a_schema_is_found() {
    let good = World::new().run("doctor --output json").json();
    let broken = |change: fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        fits("doctor.json", &document).expect_err("it is broken")
    };
    for (change, where_) in [
        ((|it| it["exit_code"] = json!(99)) as fn(&mut Value), "/exit_code"),
        (|it| it["observed_at"] = json!("yesterday"), "/observed_at"),
        (|it| it["complete"] = json!(null), "/complete"),
        (|it| it["schema"] = json!("tradectl.status/1"), "/schema"),
        (|it| drop(it.as_object_mut().expect("an object").remove("data")), "the document"),
    ] {
        let why = broken(change);
        assert!(why.contains(where_), "{where_}: {why}");
    }
    let check = |part: Value| fits_part("doctor.json", "/$defs/Check", &part);
    let whole = json!({"id": "a.b", "state": "ok", "subject": "s", "detail": "d"});
    assert_eq!(check(whole.clone()), Ok(()));
    for (name, value) in [("state", json!("fine")), ("id", json!(1)), ("extra", json!("x"))] {
        let mut part = whole.clone();
        part[name] = value;
        let why = check(part).expect_err("it is broken");
        assert!(why.contains(&format!("/{name}")), "{why}");
    }
}
