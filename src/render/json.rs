//! The JSON document: the contract with scripts.

use serde::Serialize;
use trading_core::model::Utc;
use trading_core::report::{Exit, Finding, Problem, Report};

use super::{EnvironmentView, Header};

/// The one document of a command. Adding fields keeps the schema's version.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    schema: String,
    environment: &'a EnvironmentView,
    observed_at: Utc,
    complete: bool,
    outcome: &'a str,
    exit_code: Exit,
    findings: Vec<&'a Finding>,
    errors: &'a [Problem],
    data: &'a serde_json::Value,
}

/// The document as text: over several lines for a person's eye, or on one line as the end
/// of a stream.
pub fn document(report: &Report, header: &Header, one_line: bool) -> String {
    let report = header.masked(report);
    let nothing = serde_json::Value::Object(serde_json::Map::new());
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| finding.severity);
    let document = Document {
        schema: format!("tradectl.{}/1", report.command),
        environment: &header.environment,
        observed_at: header.observed_at,
        complete: report.complete,
        outcome: &report.outcome,
        exit_code: report.exit,
        findings,
        errors: &report.errors,
        data: if report.data.is_null() { &nothing } else { &report.data },
    };
    let text = if one_line {
        serde_json::to_string(&document)
    } else {
        serde_json::to_string_pretty(&document)
    };
    text.unwrap_or_else(|error| {
        // All parts are plain data; should one ever not be, the document still says so.
        serde_json::json!({
            "schema": "tradectl.fault/1",
            "outcome": "failed",
            "exit_code": Exit::Bug.code(),
            "errors": [{"code": "render.json", "message": error.to_string()}],
        })
        .to_string()
    }) + "\n"
}

/// The shape of the document; `data` is open in it.
#[cfg(feature = "schema")]
pub(crate) fn document_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Document<'_>>()
}
