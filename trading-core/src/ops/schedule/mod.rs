//! Whose schedules are, and when they are due: `rate(…)`, `cron(…)` and `at(…)` as EventBridge understands them.

mod belongs;
mod cron;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use belongs::{Belongs, Membership, Presence};
pub use cron::Cron;

use crate::model::{Schedule, ScheduleKind, Utc};

/// When a schedule is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Every so often, counted from when the schedule was made or enabled.
    Rate(SignedDuration),
    /// At matching minutes of the schedule's time zone.
    Cron(Cron),
    /// Once, at this time of the schedule's time zone.
    At(DateTime),
}

/// An expression or a time zone that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The expression.
    #[error("`{expression}` is not understood: {why}")]
    Expression {
        /// As stored.
        expression: String,
        /// What is wrong with it.
        why: String,
    },
    /// The time zone.
    #[error("there is no time zone `{0}`")]
    TimeZone(String),
}

impl FromStr for Expression {
    type Err = ExpressionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: String| ExpressionError::Expression { expression: text.to_owned(), why };
        let inner = |prefix: &str| {
            text.trim().strip_prefix(prefix)?.strip_prefix('(')?.strip_suffix(')').map(str::trim)
        };
        if let Some(body) = inner("rate") {
            rate(body).map(Self::Rate).map_err(wrong)
        } else if let Some(body) = inner("cron") {
            Cron::parse(body).map(Self::Cron).map_err(wrong)
        } else if let Some(body) = inner("at") {
            body.parse()
                .map(Self::At)
                .map_err(|_| wrong("expected a local time such as 2026-11-23T09:30:00".to_owned()))
        } else {
            Err(wrong("expected rate(…), cron(…) or at(…)".to_owned()))
        }
    }
}

/// `5 minutes`, `1 hour`, `7 days`.
fn rate(body: &str) -> Result<SignedDuration, String> {
    let expected = || "expected a number and minutes, hours or days, such as 5 minutes".to_owned();
    let (number, unit) = body.split_once(char::is_whitespace).ok_or_else(expected)?;
    let number: i64 = number.parse().ok().filter(|it| *it > 0).ok_or_else(expected)?;
    let seconds = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return Err(expected()),
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs).ok_or_else(expected)
}

/// The first time after `after` at which a schedule is due; `None`: never again.
///
/// `anchor` is when the schedule was made or enabled last. A local time that a clock change
/// leaves out is skipped; one that comes twice is due at its first coming only.
pub fn next_after(
    expression: &Expression,
    timezone: &str,
    anchor: Utc,
    after: Utc,
) -> Result<Option<Utc>, ExpressionError> {
    let zone =
        || TimeZone::get(timezone).map_err(|_| ExpressionError::TimeZone(timezone.to_owned()));
    Ok(match expression {
        Expression::Rate(period) => next_of_rate(*period, anchor, after),
        Expression::Cron(cron) => cron.next_after(&zone()?, after),
        Expression::At(time) => first_coming(&zone()?, *time).filter(|at| *at > after),
    })
}

/// Why nobody can tell when a schedule is due: its expression or its time zone is not understood.
/// A rule may wait for events, by a pattern that is no expression.
pub fn misread(schedule: &Schedule) -> Option<ExpressionError> {
    if schedule.kind == ScheduleKind::Rule {
        return None;
    }
    let looked = schedule
        .expression
        .parse()
        .and_then(|it| next_after(&it, &schedule.timezone, Utc::UNIX_EPOCH, Utc::UNIX_EPOCH));
    looked.err()
}

fn next_of_rate(period: SignedDuration, anchor: Utc, after: Utc) -> Option<Utc> {
    let period = period.as_nanos();
    let passed = after.as_nanosecond() - anchor.as_nanosecond();
    let count = if passed < 0 { 1 } else { passed / period + 1 };
    let next = anchor.as_nanosecond().checked_add(count.checked_mul(period)?)?;
    Timestamp::from_nanosecond(next).ok()
}

/// When the clocks of a zone show a time for the first time; never, if a change leaves it out.
fn first_coming(zone: &TimeZone, time: DateTime) -> Option<Utc> {
    use jiff::tz::AmbiguousOffset;
    let offset = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    offset.to_timestamp(time).ok()
}
