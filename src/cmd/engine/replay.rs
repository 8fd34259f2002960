//! `tradectl engine replay`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use trading_core::engine::{Damage, Replayed, replay};
use trading_core::report::{Block, Exit, Finding, Report, Severity};

use super::super::Session;
use crate::drive::engine::segments;
use crate::error::Fault;

/// Replays an engine's event log and says whether it leads to the recorded states.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a service's event log, or one segment of it.
    #[arg(value_name = "EVENT_LOG")]
    path: PathBuf,
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    segments: usize,
    inputs: u64,
    states_compared: u64,
    /// The inputs after which the state differs from the recorded one.
    differs_at: &'a [u64],
    /// The inputs before which some are missing.
    missing_inputs_at: &'a [u64],
    last_input: u64,
    state_hash: &'a str,
}

/// Runs the command.
pub(super) fn run(args: &Args, session: &Session<'_>) -> Result<Report, Fault> {
    let path = session.ctx.cwd.join(&args.path);
    let fault = |error: std::io::Error| {
        let message = format!("the event log {} cannot be read: {error}", path.display());
        Fault::new(Exit::Settings, "event_log.unreadable", message)
    };
    let files = if path.is_dir() { segments(&path).map_err(fault)? } else { vec![path.clone()] };
    if files.is_empty() {
        let message = format!("{} holds no segments of an event log", path.display());
        return Err(Fault::new(Exit::Settings, "event_log.empty", message));
    }
    let bytes = files.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let mut damaged = Vec::new();
    let replayed = replay(bytes.iter().map(Vec::as_slice), &mut damaged);
    Ok(report(&files, &replayed, &damaged))
}

fn report(files: &[PathBuf], replayed: &Replayed, damaged: &[(usize, Damage)]) -> Report {
    let findings = findings(files, replayed, damaged);
    let equal = findings.iter().all(|finding| finding.severity == Severity::Info);
    let (outcome, exit) = match (equal, replayed.compared) {
        (true, 0) => ("nothing to compare", Exit::No),
        (true, _) => ("equal", Exit::Ok),
        (false, _) => ("different", Exit::No),
    };
    let mut report = Report::new("engine.replay", outcome, exit);
    report.findings = findings;
    let Replayed { inputs, compared, hash, seq, .. } = replayed;
    report.body.push(Block::line(format!(
        "{outcome}: {inputs} inputs in {} segments, {compared} recorded states compared",
        files.len()
    )));
    report.body.push(Block::line(format!("state {hash} after input {seq}")));
    let data = Data {
        segments: files.len(),
        inputs: *inputs,
        states_compared: *compared,
        differs_at: &replayed.differs_at,
        missing_inputs_at: &replayed.holes,
        last_input: *seq,
        state_hash: hash,
    };
    report.data = serde_json::to_value(data).unwrap_or_default();
    report
}

fn findings(files: &[PathBuf], replayed: &Replayed, damaged: &[(usize, Damage)]) -> Vec<Finding> {
    let name = |index: usize| files.get(index).map_or_else(String::new, |it| shown(it));
    let finding = |id: &str, severity, subject: String, message: String| Finding {
        id: id.to_owned(),
        severity,
        subject,
        message,
        evidence: Vec::new(),
        next: None,
    };
    let mut found = Vec::new();
    for seq in &replayed.differs_at {
        let message = "the replayed state differs from the recorded one".to_owned();
        found.push(finding("replay.differs", Severity::Error, format!("input {seq}"), message));
    }
    for (index, damage) in damaged {
        // A crash cuts the last write; anything else is damage.
        let severity = match damage {
            Damage::Torn { .. } => Severity::Info,
            Damage::Checksum { .. } | Damage::Body { .. } => Severity::Error,
        };
        found.push(finding("replay.damage", severity, name(*index), damage.to_string()));
    }
    for seq in &replayed.holes {
        let message = "inputs before it are missing: a crash lost what was not synced".to_owned();
        found.push(finding("replay.hole", Severity::Info, format!("input {seq}"), message));
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

fn shown(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}
