//! JSON schemas of what scripts read, from the types that write it.

use std::collections::BTreeMap;

use serde_json::Value;
use trading_core::ops::{emergency_stop, heartbeat, resume, status, undo};
use trading_core::report::{Progress, schema_of};

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
    let data = [
        ("emergency-stop", emergency_stop::data_schema()),
        ("heartbeat.check", heartbeat::data_schema()),
        ("heartbeat.recover", heartbeat::recover_schema()),
        ("journal.undo", undo::data_schema()),
        ("resume", resume::data_schema()),
        ("status", status::data_schema()),
    ];
    Schemas {
        document: schema_of::<Document<'_>>().to_value(),
        event: schema_of::<Progress>().to_value(),
        data: data.into_iter().map(|(name, schema)| (name, schema.to_value())).collect(),
    }
}
