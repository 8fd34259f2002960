//! How long a stop took, and how much of that it waited for others.

use crate::model::Utc;
use jiff::SignedDuration;

/// Times that the outcome tells, by the clock of the machine that runs this, but for
/// `latched_at`, which is the platform's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) latch_settled_at: Option<Utc>,
    pub(super) latched_at: Option<Utc>,
    pub(super) lowered_at: Option<Utc>,
    /// When the word was known; what ends the run, notices among it, comes after.
    pub(super) proved_at: Option<Utc>,
    pub(super) ended_at: Option<Utc>,
    /// Until when something that a resume had sent before this stop may still take effect.
    pub(super) resumed_until: Option<Utc>,
    /// The epoch of the latch as it was known last.
    pub(super) latch_epoch: Option<u64>,
    /// The next write of the latch is what such a resume sees first of this stop.
    pub(super) overtakes: bool,
    /// Time in which nothing was under way, and that of rounds which saw nothing but that
    /// others are not done yet.
    pub(super) waited: SignedDuration,
    idle_since: Option<Utc>,
}

impl Times {
    /// Tells whether anything is under way from now on.
    pub(super) fn set_idle(&mut self, idle: bool, now: Utc) {
        if idle {
            self.idle_since.get_or_insert(now);
        } else if let Some(since) = self.idle_since.take() {
            self.waited += now.duration_since(since);
        }
    }
}
