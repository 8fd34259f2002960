//! Recovering a strategy that does not beat: evidence first, then stopped, drained and seen
//! to be so, started, seen beating, and watched for a while if asked.
//!
//! Nothing is waited for by the clock alone. The strategy is set `stopped`; its owner lets
//! go of the lease, or else the task that runs it is stopped and seen STOPPED; only then is
//! the strategy set back to what it was. There is never a second trader.

mod outcome;
mod plan;
mod procedure;

#[cfg(test)]
mod tests;

pub use procedure::Recover;

use crate::journal::{Entry, Journal};
use crate::model::{Attr, RunId, StatusWrite, StrategyId, StrategyStatus, Utc};
use crate::ops::history::Found;
use crate::ops::resume::left_before;
use crate::plan::{Act, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverRequest {
    /// This run.
    pub run_id: RunId,
    /// Which strategy.
    pub strategy: StrategyId,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// How long to watch it after the first fresh beat; 0: not at all.
    pub soak_ms: u64,
    /// Also if it beats.
    pub anyway: bool,
    /// What an earlier run on this machine left stopped, and the status from before.
    pub left_stopped: Option<LeftStopped>,
    /// When it began.
    pub started_at: Utc,
    /// When it must end, done or not.
    pub deadline_at: Utc,
}

/// A recovery that stopped a strategy and did not come to start it, or a resume that left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftStopped {
    /// The run.
    pub run: String,
    /// The status from before it.
    pub before: Attr,
    /// The operator left it so, when a stop was over.
    pub by_order: bool,
}

/// How long a strategy may take from RUNNING to its first beat.
pub const BEAT_WITHIN_MS: u64 = 60_000;

/// Whether the newest run of this machine that changed a strategy's status, or decided about it,
/// is a recovery that did not come to start it again or a resume that left it. `journals` are in the order of their runs.
pub fn left_stopped(journals: &[Found], strategy: &StrategyId) -> Option<LeftStopped> {
    let readable = journals.iter().rev().filter_map(|it| Some((it, it.journal.as_ref().ok()?)));
    for (Found { run, at_work, .. }, journal) in readable {
        let steps = Touched::of(journal, strategy);
        let command = command(journal);
        let mut entries = journal.entries().filter(|_| command == "resume");
        if let Some(before) = entries.find_map(|it| left_before(it, strategy)) {
            return Some(LeftStopped { run: run.clone(), before, by_order: true });
        }
        if *at_work && !journal.is_closed() && steps.intended {
            return None;
        }
        if !steps.stop_failed && steps.intended {
            let before = steps.start.filter(|_| command == COMMAND && !steps.started)?;
            return Some(LeftStopped { run: run.clone(), before, by_order: false });
        }
    }
    None
}

/// Every strategy that a recovery left stopped against what was meant. Runs before the oldest
/// that did not come to its end tell nothing of it.
pub fn all_left_stopped(journals: &[Found]) -> BTreeMap<StrategyId, LeftStopped> {
    let readable = journals.iter().filter_map(|it| it.journal.as_ref().ok());
    let recoveries = readable.filter(|it| command(it) == COMMAND);
    let steps = recoveries.flat_map(Journal::entries).filter_map(|entry| match entry {
        Entry::Page { steps } => Some(steps),
        _ => None,
    });
    let recovered = steps.flatten().filter_map(|step| match &step.act {
        Act::SetStatus(write) => Some(&write.strategy),
        _ => None,
    });
    let recovered: BTreeSet<&StrategyId> = recovered.collect();
    let left =
        recovered.into_iter().filter_map(|id| Some((id.clone(), left_stopped(journals, id)?)));
    left.filter(|(_, left)| !left.by_order).collect()
}

/// What a journal's run was.
fn command(journal: &Journal) -> &str {
    match journal.entries().next() {
        Some(Entry::Opened { command, .. }) => command,
        _ => "",
    }
}

/// What a run did to a strategy's status. What it was about to do and has no answer for may
/// have been done.
#[derive(Default)]
struct Touched {
    intended: bool,
    stop_failed: bool,
    /// What it was to be set back to.
    start: Option<Attr>,
    started: bool,
}

impl Touched {
    fn of(journal: &Journal, strategy: &StrategyId) -> Self {
        let mut touched = Self::default();
        let mut planned: BTreeMap<&StepId, &StatusWrite> = BTreeMap::new();
        for entry in journal.entries() {
            match entry {
                Entry::Page { steps } => planned.extend(steps.iter().filter_map(|step| {
                    let Act::SetStatus(write) = &step.act else { return None };
                    (write.strategy == *strategy).then_some((&step.id, write))
                })),
                Entry::Intent { steps } => {
                    touched.intended |= steps.iter().any(|id| planned.contains_key(id));
                }
                Entry::Settled { step, answer } => {
                    let Some(write) = planned.get(step) else { continue };
                    match (stops(write), answer.stands()) {
                        (true, false) => touched.stop_failed = true,
                        (false, true) => touched.started = true,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let starts = planned.into_values().find(|write| !stops(write));
        touched.start = starts.and_then(|write| write.value.clone());
        touched
    }
}

fn stops(write: &StatusWrite) -> bool {
    let text = write.value.as_ref().and_then(Attr::as_text);
    text.and_then(StrategyStatus::parse) == Some(StrategyStatus::Stopped)
}

/// The command's name in journals.
pub const COMMAND: &str = "heartbeat.recover";
/// What a recovery that came to its end says.
pub const RECOVERED: &str = "recovered";

/// The schema of the command's part of the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    outcome::data_schema()
}
