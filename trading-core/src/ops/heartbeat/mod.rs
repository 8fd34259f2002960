//! Heartbeats: who beats, who is late, and what to do about one that is.
//!
//! An owner that lives writes `last_heartbeat` into its strategy's row. A beat that is
//! missing, not a time, too old, or from the future is not a beat.

mod check;
mod judge;
mod list;
mod recover;

#[cfg(test)]
mod tests;

pub use check::{Check, CheckRequest};
pub use judge::{Beat, FUTURE_MS, Pulse, beating, judge};
pub use list::List;
pub(crate) use list::{beat_cells, findings};
pub use recover::{
    BEAT_WITHIN_MS, COMMAND, LeftStopped, RECOVERED, Recover, RecoverRequest, all_left_stopped,
    left_stopped,
};

use crate::model::{Reading, StrategyRow, Timings, Utc};
use crate::report::{Finding, Severity, millis, stamp};

/// Two clocks further apart than this, in milliseconds, are a finding: it is what a beat from the
/// future is allowed for the same reason.
pub const SKEW_MS: i64 = FUTURE_MS;

/// All beats of one read of the strategies' table, the worst first.
pub(crate) fn beats(rows: &[StrategyRow], observed_at: Utc, timings: &Timings) -> Vec<Beat> {
    let mut beats: Vec<Beat> = rows.iter().map(|row| judge(row, observed_at, timings)).collect();
    beats.sort_by(Beat::worse_first);
    beats
}

/// A difference of more than five seconds between the platform's clock, which ages are
/// measured with, and the clock of the machine that asks. The platform answered at some
/// time between `asked_at` and `answered_at`, both by our clock.
pub(crate) fn skew<T>(
    reading: &Reading<T>,
    asked_at: Utc,
    answered_at: Utc,
    environment: &str,
) -> Option<Finding> {
    let Reading::Known { observed_at, source, .. } = reading else { return None };
    let ahead = observed_at.duration_since(answered_at).as_millis();
    let behind = asked_at.duration_since(*observed_at).as_millis();
    let (apart, word) = if ahead > 0 { (ahead, "ahead of") } else { (behind, "behind") };
    (apart > i128::from(SKEW_MS)).then(|| Finding {
        id: "clock.skew".to_owned(),
        severity: Severity::Warning,
        subject: source.clone(),
        message: format!(
            "the platform's clock is {} {word} the clock of this machine; ages use the platform's",
            millis(i64::try_from(apart).unwrap_or(i64::MAX))
        ),
        evidence: vec![format!(
            "it answered at {}, and was asked at {}",
            stamp(*observed_at),
            stamp(asked_at)
        )],
        next: Some(format!("tradectl doctor --env {environment}")),
    })
}

/// The shapes of `data` in the JSON documents, by command.
#[cfg(feature = "schema")]
pub fn data_schemas() -> [(&'static str, schemars::Schema); 3] {
    [
        ("heartbeat.check", check::data_schema()),
        ("heartbeat.list", list::data_schema()),
        ("heartbeat.recover", recover::data_schema()),
    ]
}
