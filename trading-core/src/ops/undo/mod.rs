//! Undo: what one run changed is set back to what it was before that run, where nobody has
//! changed it since.

mod outcome;
mod procedure;

#[cfg(test)]
mod tests;

pub use procedure::Undo;

use crate::journal::{Entry, Journal};
use crate::model::{RestoreSubject, RestoreValue, RunId, StopId, Utc};
use crate::ops::history;
use crate::plan::{Act, Settled, Step, StepId};
use std::collections::BTreeMap;

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRequest {
    /// This run.
    pub run_id: RunId,
    /// The run that is taken back.
    pub of: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When it began.
    pub started_at: Utc,
    /// When it must end, done or not.
    pub deadline_at: Utc,
}

/// The command's name in journals.
pub const COMMAND: &str = "journal.undo";

/// What a run changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the order in which the run came to them first.
    pub(crate) items: Vec<Change>,
    /// What it did that nothing takes back.
    pub(crate) for_good: Vec<String>,
}

/// A value that a run changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) subject: RestoreSubject,
    /// What stood there before the run.
    pub(crate) before: RestoreValue,
    /// Everything that the run wrote there, or may have written when it was killed.
    pub(crate) written: Vec<RestoreValue>,
}

/// Why a run cannot be taken back so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUndone {
    /// It has a way back of its own.
    #[error("{run} is an emergency stop: `tradectl resume` takes it back, and nothing else")]
    Stop {
        /// The run.
        run: String,
        /// The stop that it worked on last, by which it is resumed; `None`: it came to none.
        stop_id: Option<StopId>,
    },
    /// Taking it back is stopping.
    #[error("{run} is a resume: `tradectl emergency-stop` stops again")]
    Resume {
        /// The run.
        run: String,
    },
    /// What it did is not known for sure.
    #[error("the journal of {run} is damaged: {why}")]
    Damaged {
        /// The run.
        run: String,
        /// How.
        why: String,
    },
}

/// What a journal says that its run changed. A stop has one way back, on every system: two
/// would end in two truths of whether it is over.
pub fn changes(run: &str, journal: &Journal) -> Result<Changes, NotUndone> {
    if let Some(why) = history::fault(run, journal) {
        return Err(NotUndone::Damaged { run: run.to_owned(), why });
    }
    let mut planned: BTreeMap<&StepId, &Step> = BTreeMap::new();
    let mut begun: Vec<(&Step, Option<&Settled>)> = Vec::new();
    for entry in journal.entries() {
        match entry {
            Entry::Opened { command, .. } if command == "emergency-stop" => {
                let stop_id = history::worked_on(journal);
                return Err(NotUndone::Stop { run: run.to_owned(), stop_id });
            }
            Entry::Opened { command, .. } if command == "resume" => {
                return Err(NotUndone::Resume { run: run.to_owned() });
            }
            Entry::Page { steps } => planned.extend(steps.iter().map(|step| (&step.id, step))),
            Entry::Intent { steps } => {
                begun.extend(steps.iter().filter_map(|id| Some((*planned.get(id)?, None))));
            }
            Entry::Settled { step, answer } => {
                if let Some(begun) = begun.iter_mut().find(|(it, _)| it.id == *step) {
                    begun.1 = Some(answer);
                }
            }
            _ => {}
        }
    }
    let mut changes = Changes::default();
    for (step, settled) in begun {
        changes.add(&step.act, settled);
    }
    Ok(changes)
}

impl Changes {
    fn add(&mut self, act: &Act, settled: Option<&Settled>) {
        use crate::model::Written;
        let maybe = match settled {
            None | Some(Settled::Answered(Written::Unknown { .. })) => true,
            Some(Settled::Answered(Written::Applied { .. })) => false,
            Some(Settled::Answered(_) | Settled::NotStarted { .. }) => return,
        };
        let Some(item) = act.changes() else {
            let maybe = if maybe { " (perhaps)" } else { "" };
            self.for_good.push(format!("{act}{maybe}"));
            return;
        };
        match self.items.iter_mut().find(|it| it.subject == item.subject) {
            Some(known) => known.written.push(item.written),
            None => self.items.push(Change {
                subject: item.subject,
                before: item.before,
                written: vec![item.written],
            }),
        }
    }
}

/// The schema of the command's part of the JSON document.
#[cfg(feature = "schema")]
pub fn data_schema() -> schemars::Schema {
    outcome::data_schema()
}
