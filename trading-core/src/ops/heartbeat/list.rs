//! All heartbeats, the worst first.

use super::{Beat, Pulse, beats, skew};
use crate::model::{Gap, Reading, StrategyRow, Timings, Utc};
use crate::ops::look::Look;
use crate::ops::{Answer, News, Procedure, Query, Seen, Ticket, Want};
use crate::report::{Block, Cell, Exit, Finding, Problem, Report, Severity, Tone, ago, stamp};
use serde::Serialize;

/// What a command says of beats, or why none could be judged.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Judged_of_{T}"))]
#[serde(untagged)]
pub(super) enum Judged<T> {
    /// What it says.
    Read(T),
    /// The strategies' table was not read.
    Unread {
        /// Why not.
        beats: Gap,
    },
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    threshold_ms: u64,
    read_at: Utc,
    /// The worst first.
    beats: &'a [Beat],
}

/// Reads the strategies' table once and lists every beat.
#[derive(Debug)]
pub struct List {
    environment: String,
    timings: Timings,
    look: Look,
    asked_at: Option<Utc>,
    report: Option<Report>,
}

impl List {
    /// A list of an environment's heartbeats.
    pub fn new(environment: String, timings: Timings) -> Self {
        Self { environment, timings, look: Look::default(), asked_at: None, report: None }
    }

    fn answer(&self, reading: &Reading<Vec<StrategyRow>>, asked_at: Utc, now: Utc) -> Report {
        let (rows, observed_at) = match reading {
            Reading::Known { value, observed_at, .. } => (value, *observed_at),
            Reading::Gap(_) => return unread("heartbeat.list", reading, &self.environment),
        };
        let beats = beats(rows, observed_at, &self.timings);
        let mut report = Report::new("heartbeat.list", "listed", Exit::Ok);
        report.findings.extend(skew(reading, asked_at, now, &self.environment));
        report.body = vec![table(beats.iter().map(beat_cells).collect())];
        let threshold_ms = self.timings.heartbeat_stale_ms;
        let data = Judged::Read(Data { threshold_ms, read_at: observed_at, beats: &beats });
        report.data = serde_json::to_value(data).unwrap_or_default();
        report
    }
}

impl Procedure for List {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        if self.asked_at.is_none() {
            self.asked_at = Some(now);
            self.look.ask([Query::Strategies]);
        }
        self.look.wants()
    }
    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        if let Some(Seen::Strategies(reading)) = self.look.give(ticket, answer) {
            self.report = Some(self.answer(&reading, self.asked_at.unwrap_or(now), now));
        }
    }
    fn wake_at(&self) -> Option<Utc> {
        None
    }
    fn interrupt(&mut self, _now: Utc, why: &str) {
        let gap = Reading::unreachable("strategies table", why);
        self.report = Some(unread("heartbeat.list", &gap, &self.environment));
    }
    fn news(&mut self) -> Vec<News> {
        Vec::new()
    }
    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        self.report.take()
    }
}

/// The answer where the strategies' table could not be read.
pub(super) fn unread(
    command: &str,
    reading: &Reading<Vec<StrategyRow>>,
    environment: &str,
) -> Report {
    let mut report = Report::new(command, "incomplete", Exit::Incomplete);
    report.complete = false;
    let Some(gap) = reading.as_gap() else { return report };
    let (code, message) = if reading.is_absent() {
        (report.outcome, report.exit) = ("not deployed".to_owned(), Exit::Settings);
        ("environment.not_deployed", format!("`{environment}` has no strategies: {}", gap.why))
    } else {
        ("read.incomplete", format!("{gap}: no heartbeat was judged"))
    };
    let hint = Some(format!("tradectl doctor --env {environment}"));
    report.errors.push(Problem { code: code.to_owned(), message, hint });
    let data = Judged::<()>::Unread { beats: gap.clone() };
    report.data = serde_json::to_value(data).unwrap_or_default();
    report
}

/// A table of beats.
pub(super) fn table(rows: Vec<Vec<Cell>>) -> Block {
    Block::Table { columns: vec!["strategy", "heartbeat", "age", "status", "service", "why"], rows }
}

/// A beat as a row of a table.
pub(crate) fn beat_cells(beat: &Beat) -> Vec<Cell> {
    let tone = match beat.pulse {
        Pulse::Stale | Pulse::Unparsed => Tone::Bad,
        Pulse::Warming => Tone::Warn,
        Pulse::Fresh => Tone::Good,
        Pulse::Unwatched | Pulse::AtRest => Tone::Dim,
    };
    let age = beat.age_ms.value().map_or_else(|| "none".to_owned(), |age| ago(*age));
    vec![
        Cell::plain(beat.strategy.as_str()),
        Cell::toned(beat.pulse.as_str(), tone),
        Cell::plain(age),
        Cell::plain(beat.status.value().map_or("?", String::as_str)),
        Cell::plain(beat.service.as_ref().map_or("?", |it| it.as_str())),
        Cell::plain(beat.why.clone().unwrap_or_default()),
    ]
}

/// What deserves attention in beats, and what to type.
pub(crate) fn findings(beats: &[Beat], environment: &str) -> Vec<Finding> {
    beats.iter().filter_map(|beat| finding(beat, environment)).collect()
}

fn finding(beat: &Beat, environment: &str) -> Option<Finding> {
    let strategy = &beat.strategy;
    let why = beat.why.clone().unwrap_or_default();
    let recover = format!("tradectl heartbeat recover {strategy} --env {environment} --reason …");
    let look = format!("tradectl status --env {environment} --scope strategy={strategy}");
    let list = format!("tradectl heartbeat list --env {environment}");
    let (id, severity, message, next) = match beat.pulse {
        Pulse::Stale if beat.is_ahead() => {
            ("heartbeat.future", Severity::Error, format!("never fresh: {why}"), list)
        }
        Pulse::Stale => {
            // What no service runs cannot be recovered.
            let next = if beat.service.is_some() { recover } else { look };
            ("heartbeat.stale", Severity::Error, format!("stale: {why}"), next)
        }
        Pulse::Unparsed => {
            let message = format!("whether it should beat cannot be told: {why}");
            ("heartbeat.unparsed", Severity::Error, message, list)
        }
        Pulse::Unwatched => ("heartbeat.unwatched", Severity::Info, why, list),
        Pulse::Warming | Pulse::Fresh | Pulse::AtRest => return None,
    };
    let mut evidence = Vec::new();
    if let Some(at) = beat.last_heartbeat.value() {
        evidence.push(format!("last_heartbeat {}", stamp(*at)));
    }
    if beat.pulse == Pulse::Stale && !beat.is_ahead() && !beat.stale_to_alert {
        let status = beat.status.value().map_or("?", String::as_str);
        evidence.push(format!(
            "its status is spelled {status:?}: the platform's own alert does not look at it"
        ));
    }
    if id == "heartbeat.stale" && beat.service.is_none() {
        evidence.push("its row does not say which service runs it".to_owned());
    }
    Some(Finding {
        id: id.to_owned(),
        severity,
        subject: strategy.to_string(),
        message,
        evidence,
        next: Some(next),
    })
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Judged<Data<'_>>>()
}
