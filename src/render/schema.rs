//! JSON schemas of what scripts read, from the types that write it.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use trading_core::report::Progress;

use super::json::Document;

/// The schemas.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// The one document of every command; `data` is open in it.
    pub document: Value,
    /// One event of a stream (`--output jsonl`), before the document that ends it.
    pub event: Value,
    /// `data`, by the command's name (`heartbeat.check`), where it has a type.
    pub data: BTreeMap<&'static str, Value>,
}

/// All schemas.
pub fn all() -> Schemas {
    Schemas { document: of::<Document<'_>>(), event: of::<Progress>(), data: BTreeMap::new() }
}

/// What is written, not what is read: a field that is always written is required.
fn of<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value()
}
