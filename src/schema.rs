//! JSON schemas of what scripts read, from the types that write it.

use std::collections::BTreeMap;

use serde_json::Value;
use trading_core::model::LogLine;
use trading_core::ops::{emergency_stop, heartbeat, history, resume, status, undo};
use trading_core::report::{Progress, schema_of};

use crate::{cmd, render};

/// The schemas.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// The one document of every command; `data` is open in it.
    pub document: Value,
    /// One line of a stream (`--output jsonl`), before the document that ends it.
    pub event: Value,
    /// `data`, by the command's name (`heartbeat.check`); a command that is not here has none.
    pub data: BTreeMap<&'static str, Value>,
}

/// One line of a stream, before the document that ends it.
#[derive(schemars::JsonSchema)]
#[schemars(tag = "event", rename_all = "snake_case")]
#[expect(dead_code, reason = "the interface writes it in parts; here its shape is told")]
enum Event {
    /// How far the work has come.
    Progress(Progress),
    /// A line of a log that is followed.
    Log(LogLine),
}

/// All schemas.
pub fn all() -> Schemas {
    let procedures = [
        ("emergency-stop", emergency_stop::data_schema()),
        ("journal.undo", undo::data_schema()),
        ("resume", resume::data_schema()),
        ("status", status::data_schema()),
    ];
    let data = procedures
        .into_iter()
        .chain(heartbeat::data_schemas())
        .chain(history::data_schemas())
        .chain(cmd::data_schemas());
    Schemas {
        document: render::document_schema().to_value(),
        event: schema_of::<Event>().to_value(),
        data: data.map(|(name, schema)| (name, schema.to_value())).collect(),
    }
}
