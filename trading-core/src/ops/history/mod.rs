//! History: what journals tell of the runs of this machine. Nothing here writes.

mod list;
mod replay;
mod show;
mod stops;
mod verify;

/// The shapes of `data` in the JSON documents, by command.
#[cfg(feature = "schema")]
pub fn data_schemas() -> [(&'static str, schemars::Schema); 4] {
    [
        ("journal.list", list::data_schema()),
        ("journal.replay", replay::data_schema()),
        ("journal.show", show::data_schema()),
        ("journal.verify", verify::data_schema()),
    ]
}

#[cfg(test)]
mod tests;

pub use list::list;
pub use replay::{Replay, replay};
pub use show::show;
pub(crate) use stops::{Stop, worked_on};
pub use stops::{Stops, stops};
pub use verify::verify;

use crate::journal::{Damage, Entry, Journal};
use crate::model::{StopId, Utc};
use serde::Serialize;

/// What they are called as the source of an answer.
pub const JOURNALS: &str = "journals of this machine";

/// A journal file that was found, whether or not it could be read.
#[derive(Clone, Debug)]
pub struct Found {
    /// The run that the file is named after.
    pub run: String,
    /// What stands in it, or why it could not be read.
    pub journal: Result<Journal, String>,
    /// Whoever writes it lives, as far as that can be told here.
    pub at_work: bool,
}

impl Found {
    /// Whether anything may have been done in the run. An empty file was made by one that
    /// never came to write that it began.
    pub fn may_have_begun(&self) -> bool {
        !matches!(&self.journal, Ok(journal) if journal.lines.is_empty() && journal.damage.is_none())
    }
}

/// Puts runs in the order in which they began. A name tells the second and no more; of a
/// journal that does not tell, the name is all there is, and it counts as the latest of its
/// second: whoever asks for the last run is to hear of it, and not to be given another one.
pub fn in_order(found: &mut [Found]) {
    found.sort_by_cached_key(|it| {
        let told = it.journal.as_ref().ok().and_then(|journal| journal.lines.first());
        (told.map_or_else(|| end_of_second(&it.run), |line| line.at), it.run.clone())
    });
}

/// The end of the second that a run's name tells.
fn end_of_second(run: &str) -> Utc {
    let second = run.split('-').nth(1).and_then(|text| text.parse::<Utc>().ok());
    let end =
        second.and_then(|at| at.checked_add(std::time::Duration::from_nanos(999_999_999)).ok());
    end.unwrap_or(Utc::MAX)
}

/// What a journal says of its run as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Story {
    pub(crate) run_id: String,
    #[serde(flatten)]
    pub(crate) opened: Option<Opening>,
    pub(crate) ended: Ended,
    /// The stop that the run worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_id: Option<StopId>,
    pub(crate) entries: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) damage: Option<String>,
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Opening {
    pub(crate) command: String,
    pub(crate) environment: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) version: String,
    pub(crate) opened_at: Utc,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Ended {
    /// By itself, with an outcome.
    Closed { outcome: String, exit_code: u8, closed_at: Utc },
    /// The journal has no end: the run is still at work, or was killed.
    DidNotEnd,
    /// The journal is damaged before its end.
    Damaged,
}

impl Ended {
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Closed { outcome, .. } => outcome.clone(),
            Self::DidNotEnd => "did not end".to_owned(),
            Self::Damaged => "damaged".to_owned(),
        }
    }
}

pub(crate) fn story(run: &str, journal: &Journal) -> Story {
    let mut story = Story {
        run_id: run.to_owned(),
        opened: None,
        ended: if journal.damage.is_some() { Ended::Damaged } else { Ended::DidNotEnd },
        stop_id: None,
        entries: journal.lines.len(),
        damage: journal.damage.as_ref().map(Damage::to_string),
    };
    for line in &journal.lines {
        match &line.entry {
            Entry::Opened { command, environment, actor, reason, version, .. } => {
                story.opened = Some(Opening {
                    command: command.clone(),
                    environment: environment.clone(),
                    actor: actor.clone(),
                    reason: reason.clone(),
                    version: version.clone(),
                    opened_at: line.at,
                });
            }
            Entry::Stop { stop_id, .. } => story.stop_id = Some(stop_id.clone()),
            Entry::Closed { outcome, exit_code } => {
                story.ended = Ended::Closed {
                    outcome: outcome.clone(),
                    exit_code: *exit_code,
                    closed_at: line.at,
                };
            }
            _ => {}
        }
    }
    story
}

/// The first fault of a journal: its damage, or that it is not the journal of this run.
pub(crate) fn fault(run: &str, journal: &Journal) -> Option<String> {
    let first = journal.entries().next();
    match first {
        Some(Entry::Opened { run_id, .. }) if run_id.as_str() != run => {
            Some(format!("entry 0 was written by {run_id}: the file was renamed"))
        }
        None | Some(Entry::Opened { .. }) => journal.damage.as_ref().map(Damage::to_string),
        Some(_) => Some("entry 0 does not open a run".to_owned()),
    }
}
