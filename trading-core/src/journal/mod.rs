//! The journal: what an operator's command intended, did and saw. JSON lines, each with
//! the hash of the one before: the chain finds damage; it does not stop a forger.

mod chain;
mod read;

#[cfg(test)]
mod tests;

pub use chain::{Chain, FIRST_HASH, JOURNAL_FORMAT, Line, SealError};
pub use read::{Damage, Journal, read, records};

use crate::model::{RestoreChunk, RunId, StopId};
use crate::plan::{Binding, Settled, Step, StepId};
use serde::{Deserialize, Serialize};

/// One entry. Readers tolerate fields and kinds of entry that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A run began. Always the first entry of a file.
    Opened {
        /// The run; names the file.
        run_id: RunId,
        /// The command (`emergency-stop`).
        command: String,
        /// The environment's full name.
        environment: String,
        /// Who ran it.
        actor: String,
        /// Why, in the operator's words.
        reason: String,
        /// The tool's version.
        version: String,
    },
    /// Somebody consented.
    Approved {
        /// To what.
        binding: Binding,
        /// How (`typed`, `--yes`, `--approve`).
        how: String,
    },
    /// The run works on this stop: a new one, or one that was found in the latch.
    Stop {
        /// The stop.
        stop_id: StopId,
        /// It was there before this run.
        continued: bool,
    },
    /// A page of the plan.
    Page {
        /// Its steps.
        steps: Vec<Step>,
    },
    /// These steps are about to be done. Synced before any of them is.
    Intent {
        /// The steps.
        steps: Vec<StepId>,
    },
    /// A restore record that the state store could not take.
    Record {
        /// The record.
        chunk: RestoreChunk,
        /// Why the state store could not take it.
        why: String,
    },
    /// A step has an answer.
    Settled {
        /// The step.
        step: StepId,
        /// Its answer.
        answer: Settled,
    },
    /// Something was saved before it could change or disappear.
    Evidence {
        /// What it is.
        subject: String,
        /// What was seen.
        value: serde_json::Value,
    },
    /// The run ended.
    Closed {
        /// Its outcome in one word.
        outcome: String,
        /// Its exit code.
        exit_code: u8,
    },
    /// A kind of entry that a newer binary wrote.
    #[serde(other)]
    Unrecognized,
}
