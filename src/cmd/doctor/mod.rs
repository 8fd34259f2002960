//! `tradectl doctor`: whether this machine, these settings and this environment are fit to
//! be worked with. Changes nothing.

mod aws;
mod host;
mod local;
mod patterns;
mod roles;

use serde::Serialize;
use trading_core::model::{Gap, GapKind, Listing, Reading};
use trading_core::report::{Block, Cell, Exit, Finding, Report, Severity, Tone};

use super::Session;
use crate::error::Fault;
use crate::settings::{Access, PlatformKind};

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    checks: &'a [Check],
}

/// What was looked at, and what was seen.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Check {
    /// Stable, for scripts: `state.mode`.
    id: &'static str,
    state: State,
    /// What was looked at.
    subject: String,
    /// What was seen.
    detail: String,
    /// What to type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum State {
    /// Fit.
    Ok,
    /// Worth knowing.
    Info,
    /// May be wrong.
    Warning,
    /// Wrong.
    Bad,
    /// Could not be seen. Never taken for fit.
    Unknown,
}

impl State {
    fn word(self) -> (&'static str, Tone) {
        match self {
            Self::Ok => ("ok", Tone::Good),
            Self::Info => ("info", Tone::Dim),
            Self::Warning => ("warning", Tone::Warn),
            Self::Bad => ("BAD", Tone::Bad),
            Self::Unknown => ("unknown", Tone::Warn),
        }
    }
}

impl Check {
    fn new(
        id: &'static str,
        state: State,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { id, state, subject: subject.into(), detail: detail.into(), next: None }
    }
    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
    /// What a read says: known is fit, absent is told, everything else could not be seen.
    fn of_reading<T>(
        id: &'static str,
        subject: &str,
        reading: &Reading<T>,
        known: impl FnOnce(&T) -> String,
    ) -> Self {
        match reading {
            Reading::Known { value, .. } => Self::new(id, State::Ok, subject, known(value)),
            Reading::Gap(gap) => {
                let state = match gap.kind {
                    GapKind::Absent => State::Info,
                    GapKind::Denied | GapKind::Unparsed => State::Bad,
                    GapKind::Unreachable => State::Unknown,
                };
                Self::new(id, state, subject, gap.to_string())
            }
        }
    }
}

/// What was found, by its number.
fn counted<T>(what: &'static str, subject: &str, reading: &Reading<Vec<T>>) -> Check {
    Check::of_reading(what, subject, reading, |found| format!("{} {what}", found.len()))
}

/// What was not read of a list of which the rest was.
fn unlisted<T>(id: &'static str, list: &Reading<Listing<T>>) -> Vec<Check> {
    let gaps = list.value().into_iter().flat_map(|it| &it.gaps);
    let check = |gap: &Gap| {
        Check::of_reading(id, &gap.source, &Reading::<()>::Gap(gap.clone()), |()| String::new())
    };
    gaps.map(check).collect()
}

/// Runs the command.
pub(super) async fn run(session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let mut checks = host::checks(session, &environment)?;
    match &environment.platform {
        PlatformKind::Local { directory } => {
            checks.extend(local::checks(session, &environment, directory).await?);
        }
        PlatformKind::Aws { .. } => checks.extend(aws::checks(session, &environment).await?),
    }
    Ok(report(&checks))
}

fn report(checks: &[Check]) -> Report {
    let any = |state| checks.iter().any(|check| check.state == state);
    let (outcome, exit) = match (any(State::Bad), any(State::Unknown), any(State::Warning)) {
        (true, _, _) => ("unfit", Exit::No),
        (false, true, _) => ("unknown", Exit::Incomplete),
        (false, false, true) => ("doubtful", Exit::No),
        (false, false, false) => ("fit", Exit::Ok),
    };
    let mut report = Report::new("doctor", outcome, exit);
    report.complete = !any(State::Unknown);
    report.findings = checks.iter().filter_map(finding).collect();
    let row = |check: &Check| {
        let (word, tone) = check.state.word();
        vec![Cell::toned(word, tone), Cell::plain(&check.subject), Cell::plain(&check.detail)]
    };
    // What deserves attention stands above, with its evidence.
    let rest = checks.iter().filter(|check| matches!(check.state, State::Ok | State::Info));
    report.body.push(Block::Table {
        columns: vec!["state", "what", "seen"],
        rows: rest.map(row).collect(),
    });
    report.data = serde_json::to_value(Data { checks }).unwrap_or_default();
    report
}

fn finding(check: &Check) -> Option<Finding> {
    let severity = match check.state {
        State::Ok | State::Info => return None,
        State::Warning | State::Unknown => Severity::Warning,
        State::Bad => Severity::Error,
    };
    let unknown = if check.state == State::Unknown { "not known: " } else { "" };
    Some(Finding {
        id: format!("doctor.{}", check.id),
        severity,
        subject: check.subject.clone(),
        message: format!("{unknown}{}", check.detail),
        evidence: Vec::new(),
        next: check.next.clone(),
    })
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}
