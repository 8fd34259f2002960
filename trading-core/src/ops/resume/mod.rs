//! Resuming: everything that a stop changed is put back under the latch, value by value;
//! engines reconcile and beat; only then is the latch released, if nobody stopped again
//! meanwhile. Release is harder than engage.

mod damaged;
mod gate;
mod given;
mod holds;
mod meanwhile;
mod orphans;
mod outcome;
mod positions;
mod procedure;
mod record;
mod restore;
mod unlatched;

#[cfg(test)]
mod tests;

pub use holds::first_for;
pub(crate) use holds::{comes_first, in_order};
pub use procedure::Resume;
pub(crate) use record::items;
pub(crate) use restore::{Now, acts, engine_moved_on, found, left_before, now};
pub(crate) use unlatched::{may_be_open, open_items};

use crate::model::{RestoreChunk, RunId, StopId, Utc};

/// The longest that an act of a resume may take, in milliseconds; whoever does it gives it up
/// then, its outcome unknown. A stop that meets a resume counts on it.
pub const ACT_LIMIT_MS: u64 = 25_000;
/// The longest that an answer about the latch may have taken for acts to follow from it, in
/// milliseconds: what it tells may have changed since.
pub(crate) const LOOK_LIMIT_MS: u64 = 10_000;
/// How long after a resume was overtaken something of it may still take effect: acts that
/// follow from its last look at the latch, each for as long as it may take.
pub(crate) const IN_FLIGHT_MS: u64 = LOOK_LIMIT_MS + ACT_LIMIT_MS;

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// This run.
    pub run_id: RunId,
    /// The stop to resume from; `None`: the one in the latch.
    pub stop_id: Option<StopId>,
    /// Why it is safe to trade again.
    pub reason: String,
    /// Chunks of the restore record that a run could keep nowhere but in its output.
    pub record: Vec<RestoreChunk>,
    /// The files that they were given in, as words that a shell takes, for what is typed next.
    pub record_files: Vec<String>,
    /// Items to leave as they are.
    pub leave: Vec<String>,
    /// Items to set to the value from before although somebody changed them since.
    pub take: Vec<String>,
    /// Who.
    pub actor: String,
    /// When the operator asked, before anything was read or approved: a stop that began
    /// later wins where no latch tells.
    pub asked_at: Utc,
    /// When it began.
    pub started_at: Utc,
    /// When it must end, done or not.
    pub deadline_at: Utc,
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub fn data_schema() -> schemars::Schema {
    outcome::data_schema()
}
