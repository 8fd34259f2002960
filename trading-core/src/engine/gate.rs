//! The last check before an order leaves. Pure: the shell calls it with its cached latch
//! and its lease immediately before each send.

use crate::model::Effective;

/// What is known at the moment of sending.
#[derive(Clone, Debug)]
pub struct Gate<'a> {
    /// What the cached latch says to the strategy; `None`: it was never read.
    pub latch: Option<&'a Effective>,
    /// How long ago the read of the cached latch began, on the clock since boot.
    pub latch_age_ms: u64,
    /// An older latch refuses orders that increase risk.
    pub latch_max_age_ms: u64,
    /// The strategy's lease is ours and has not run out, on the clock since boot.
    pub leased: bool,
}

/// Why an order must not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The lease is not ours any more.
    #[error("the strategy's lease is lost or has run out")]
    NoLease,
    /// A hold covers the strategy.
    #[error("held by {0}")]
    Held(String),
    /// The latch was never read: no orders that increase risk.
    #[error("the latch has not been read yet")]
    LatchUnread,
    /// The latch is too old: no orders that increase risk.
    #[error("the latch was read {age_ms} ms ago, more than {max_ms} ms")]
    LatchStale {
        /// Its age.
        age_ms: u64,
        /// The bound.
        max_ms: u64,
    },
}

/// Whether an order may leave now.
pub fn may_send(gate: &Gate<'_>, increases_risk: bool) -> Result<(), Refusal> {
    if !gate.leased {
        return Err(Refusal::NoLease);
    }
    let Some(latch) = gate.latch else {
        return if increases_risk { Err(Refusal::LatchUnread) } else { Ok(()) };
    };
    let allowed = if increases_risk { latch.allows_entries() } else { latch.allows_exits() };
    if !allowed && let Effective::Held { level, stop_id } = latch {
        let stop = stop_id.as_ref().map_or("a latch of a newer format", |id| id.as_str());
        return Err(Refusal::Held(format!("{stop} ({level})")));
    }
    if increases_risk && gate.latch_age_ms > gate.latch_max_age_ms {
        let (age_ms, max_ms) = (gate.latch_age_ms, gate.latch_max_age_ms);
        return Err(Refusal::LatchStale { age_ms, max_ms });
    }
    Ok(())
}
