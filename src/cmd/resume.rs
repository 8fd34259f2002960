//! `tradectl resume`: puts back what a stop changed, under the latch, and releases it once
//! engines reconcile and beat.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use trading_core::journal::{Damage, Entry, Journal};
use trading_core::model::{RestoreChunk, RunId, Utc};
use trading_core::ops::resume::{ACT_LIMIT_MS, Request, Resume};
use trading_core::report::{Exit, Report};

use super::Session;
use super::approve::{PlanArgs, actor};
use super::emergency_stop::site;
use super::kill::KillArgs;
use super::planned::{Errand, quoted};
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The stop to resume from: its id or the beginning of it [default: the one in the latch;
    /// without a latch, the one in this machine's journals or in FILE].
    #[arg(value_parser = stop_id)]
    stop_id: Option<String>,
    /// Why it is safe to trade again.
    #[arg(long, value_parser = reason)]
    reason: String,
    /// Leaves an item of the restore record as it is (`strategy=ID`, `service=NAME`,
    /// `schedule=NAME`, `autoscaling=NAME`), does without a lost part of it (`record=RUN/N`),
    /// or answers for an order whose outcome no venue can settle (`order=ID`); may be given
    /// again.
    #[arg(long, value_name = "ITEM", value_parser = item)]
    leave: Vec<String>,
    /// Puts an item back although somebody changed it since; may be given again.
    #[arg(long, value_name = "ITEM", value_parser = item)]
    take: Vec<String>,
    /// Adds restore records that the state store did not take: a stop's JSON document, the
    /// lines of its output that begin with `restore record:`, or a copy of its journal; may be
    /// given again.
    #[arg(long, value_name = "FILE")]
    record: Vec<PathBuf>,
    #[command(flatten)]
    approve: PlanArgs,
    #[command(flatten)]
    kill: KillArgs,
}

/// How long a resume may take, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("say why it is safe to trade again".to_owned());
    }
    Ok(text.to_owned())
}

/// Where nothing is held there is nothing to compare it with: a word that can be no stop's id
/// would be answered as if all were well.
fn stop_id(text: &str) -> Result<String, String> {
    const BEGINS: &str = "stop-";
    if text.starts_with(BEGINS) || (!text.is_empty() && BEGINS.starts_with(text)) {
        return Ok(text.to_owned());
    }
    Err(format!("a stop's id begins with `{BEGINS}`; `tradectl status` names the stops that hold"))
}

fn item(text: &str) -> Result<String, String> {
    let kinds = ["strategy", "service", "schedule", "autoscaling", "record", "order"];
    let named = text.split_once('=').filter(|(_, name)| !name.is_empty());
    match named {
        Some((kind, _)) if kinds.contains(&kind) => Ok(text.to_owned()),
        _ => Err(format!("an item is KIND=NAME, with KIND one of {}", kinds.join(", "))),
    }
}

/// Runs the command.
pub(super) async fn run(args: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Mutate)?;
    let site = site(&environment);
    let asked_at = session.ctx.clock.now();
    let errand = Errand {
        act_limit: Duration::from_millis(ACT_LIMIT_MS),
        command: "resume",
        environment: &environment,
        approve: &args.approve,
        takes: session.deadline(DEADLINE)?,
        kill: args.kill.point(&environment)?,
    };
    let make = |run_id, approval| {
        Ok(Resume::new(site.clone(), request(args, session, run_id, asked_at)?, approval))
    };
    errand.run(session, make).await
}

fn request(
    args: &Arguments,
    session: &Session<'_>,
    run_id: RunId,
    asked_at: Utc,
) -> Result<Request, Fault> {
    let started_at = session.ctx.clock.now();
    let deadline = session.deadline(DEADLINE)?;
    let deadline = SignedDuration::try_from(deadline).unwrap_or(SignedDuration::MAX);
    let Arguments { stop_id, reason, leave, take, record, approve: _, kill: _ } = args;
    let mut chunks: Vec<RestoreChunk> = Vec::new();
    for path in record {
        chunks.extend(read_records(&session.ctx.cwd.join(path))?);
    }
    Ok(Request {
        run_id,
        stop_id: stop_id.as_deref().map(Into::into),
        reason: reason.clone(),
        record: chunks,
        record_files: record.iter().map(|it| quoted(&it.to_string_lossy())).collect(),
        leave: leave.clone(),
        take: take.clone(),
        actor: actor(session),
        asked_at,
        started_at,
        deadline_at: started_at.saturating_add(deadline).unwrap_or(started_at),
    })
}

/// Restore records from a stop's output (its JSON document, or the lines of its page), or
/// from its journal.
fn read_records(path: &Path) -> Result<Vec<RestoreChunk>, Fault> {
    let fault = |why: String| {
        let message = format!("{} holds no restore records: {why}", path.display());
        Fault::new(Exit::Usage, "resume.record", message).hint(
            "save what the stop printed (its JSON document, or its `restore record:` lines), \
                 or copy its journal",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    if let Ok(document) = serde_json::from_str::<serde_json::Value>(&text)
        && let Some(records) = document["data"]["restore_record"].as_array()
    {
        let chunks = records.iter().map(|it| serde_json::from_value(it["chunk"].clone()));
        let chunks: Result<Vec<RestoreChunk>, _> = chunks.collect();
        return match chunks {
            Ok(chunks) if chunks.is_empty() => Err(fault("it names none".to_owned())),
            other => other.map_err(|error| fault(error.to_string())),
        };
    }
    let journal = trading_core::journal::read(text.as_bytes());
    if !journal.lines.is_empty() {
        return records_of(journal).map_err(fault);
    }
    let lines = text.lines().filter_map(RestoreChunk::from_printed);
    let chunks: Result<Vec<RestoreChunk>, _> = lines.collect();
    match chunks {
        Ok(chunks) if chunks.is_empty() => Err(fault("there are none in it".to_owned())),
        other => other.map_err(|error| fault(error.to_string())),
    }
}

/// What a journal holds of restore records. Damage other than a torn tail may hide some.
fn records_of(journal: Journal) -> Result<Vec<RestoreChunk>, String> {
    if let Some(damage) = journal.damage.filter(|it| !matches!(it, Damage::Torn { .. })) {
        return Err(format!("as a journal it is damaged: {damage}"));
    }
    let chunks = journal.lines.into_iter().filter_map(|line| match line.entry {
        Entry::Record { chunk, .. } => Some(chunk),
        _ => None,
    });
    let chunks: Vec<RestoreChunk> = chunks.collect();
    if chunks.is_empty() { Err("that journal kept none".to_owned()) } else { Ok(chunks) }
}
