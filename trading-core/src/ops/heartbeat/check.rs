//! Is every strategy alive? One read, or several in a row.

use super::list::{beat_cells, findings, table, unread};
use super::{Beat, Pulse, beats, skew};
use crate::model::{Reading, StrategyId, StrategyRow, Timings, Utc};
use crate::ops::emergency_stop::later;
use crate::ops::look::Look;
use crate::ops::{Answer, News, Procedure, Query, Seen, Ticket, Want};
use crate::report::{Block, Cell, Exit, Finding, Report, Severity, Tone, millis};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many checks in a row the platform's own alert wants to see stale before it fires.
const ALERT_AFTER: u32 = 2;

/// What to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    /// The environment's full name.
    pub environment: String,
    /// Which strategies; empty: all.
    pub strategies: Vec<StrategyId>,
    /// How many reads in a row have to show a strategy stale; at least 1.
    pub consecutive: u32,
    /// The time between two reads.
    pub interval_ms: u64,
    /// When a beat is stale.
    pub timings: Timings,
}

/// Whether the platform's own alert would fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Alert {
    /// Two reads in a row are stale to it.
    Yes,
    /// One is, and nobody has seen the one before.
    Unknown,
    /// The newest read is not stale to it.
    No,
}

impl Alert {
    fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::No => "no",
        }
    }
}

/// A beat as it was judged over all reads.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Judged {
    #[serde(flatten)]
    beat: Beat,
    /// In how many reads in a row, up to the newest, it was bad.
    bad_reads: u32,
    /// Whether the platform's own alert would fire for it.
    alert: Alert,
}

/// The command's part of the document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    alert: Alert,
    reads: u32,
    consecutive: u32,
    interval_ms: u64,
    threshold_ms: u64,
    read_at: Utc,
    beats: &'a [Judged],
    not_found: &'a [StrategyId],
}

/// Judges heartbeats.
#[derive(Debug)]
pub struct Check {
    request: CheckRequest,
    look: Look,
    asked_at: Option<Utc>,
    next_at: Option<Utc>,
    reads: u32,
    /// Per strategy: reads in a row, up to the newest, that were bad, and stale to the alert.
    runs: BTreeMap<StrategyId, (u32, u32)>,
    news: Vec<News>,
    report: Option<Report>,
}

impl Check {
    /// A check that has not read anything yet.
    pub fn new(request: CheckRequest) -> Self {
        Self {
            request,
            look: Look::default(),
            asked_at: None,
            next_at: None,
            reads: 0,
            runs: BTreeMap::new(),
            news: Vec::new(),
            report: None,
        }
    }

    fn take(&mut self, reading: &Reading<Vec<StrategyRow>>, now: Utc) {
        let Reading::Known { value: rows, observed_at, .. } = reading else {
            self.report = Some(unread("heartbeat.check", reading, &self.request.environment));
            return;
        };
        self.reads += 1;
        let wanted = &self.request.strategies;
        let mut seen = beats(rows, *observed_at, &self.request.timings);
        seen.retain(|beat| wanted.is_empty() || wanted.contains(&beat.strategy));
        let mut runs = BTreeMap::new();
        for beat in &seen {
            let (bad, alert) = self.runs.get(&beat.strategy).copied().unwrap_or_default();
            let bad = if beat.pulse.is_bad() { bad + 1 } else { 0 };
            let alert = if beat.stale_to_alert { alert + 1 } else { 0 };
            runs.insert(beat.strategy.clone(), (bad, alert));
        }
        self.runs = runs;
        let not_found: Vec<StrategyId> =
            wanted.iter().filter(|id| !rows.iter().any(|row| row.id == **id)).cloned().collect();
        let undecided = self.reads < self.request.consecutive
            && self.runs.values().any(|(bad, _)| *bad == self.reads);
        if undecided {
            self.wait(now);
            return;
        }
        let asked_at = self.asked_at.unwrap_or(now);
        let skew = skew(reading, asked_at, now, &self.request.environment);
        self.report = Some(self.answer(seen, not_found, *observed_at, skew));
    }

    /// Something was bad in every read so far, and there are more to come.
    fn wait(&mut self, now: Utc) {
        let bad = self.runs.values().filter(|(bad, _)| *bad == self.reads).count();
        self.next_at = Some(later(now, self.request.interval_ms));
        self.news.push(News {
            rung: "heartbeats",
            subject: String::new(),
            message: format!("{bad} stale so far"),
            done: Some((u64::from(self.reads), u64::from(self.request.consecutive))),
            bad: false,
        });
    }

    fn answer(
        &self,
        beats: Vec<Beat>,
        not_found: Vec<StrategyId>,
        read_at: Utc,
        skew: Option<Finding>,
    ) -> Report {
        let judged: Vec<Judged> = beats.iter().map(|beat| self.judged(beat)).collect();
        let bad = |it: &&Judged| it.bad_reads >= self.request.consecutive.max(1);
        let bad: Vec<Beat> = judged.iter().filter(bad).map(|it| it.beat.clone()).collect();
        let watched = judged
            .iter()
            .any(|it| it.beat.pulse < Pulse::Unwatched || it.beat.pulse == Pulse::Fresh);
        let alert = judged.iter().map(|it| it.alert).min().unwrap_or(Alert::No);
        let (outcome, exit) = match (bad.is_empty() && not_found.is_empty(), watched) {
            (false, _) => ("stale", Exit::No),
            (true, true) => ("healthy", Exit::Ok),
            (true, false) => ("nothing watched", Exit::Ok),
        };
        let outcome = if bad.is_empty() && !not_found.is_empty() { "not found" } else { outcome };
        let mut report = Report::new("heartbeat.check", outcome, exit);
        let env = &self.request.environment;
        report.findings = findings(&bad, env);
        report.findings.extend(not_found.iter().map(|id| no_such(id, env)));
        report.findings.extend(skew);
        report.body = self.body(&judged, alert);
        let data = Data {
            alert,
            reads: self.reads,
            consecutive: self.request.consecutive,
            interval_ms: self.request.interval_ms,
            threshold_ms: self.request.timings.heartbeat_stale_ms,
            read_at,
            beats: &judged,
            not_found: &not_found,
        };
        report.data = serde_json::to_value(data).unwrap_or_default();
        report
    }

    fn judged(&self, beat: &Beat) -> Judged {
        let (bad_reads, alert_reads) = self.runs.get(&beat.strategy).copied().unwrap_or_default();
        let alert = match alert_reads {
            0 => Alert::No,
            reads if reads >= ALERT_AFTER => Alert::Yes,
            _ => Alert::Unknown,
        };
        Judged { beat: beat.clone(), bad_reads, alert }
    }

    fn body(&self, judged: &[Judged], alert: Alert) -> Vec<Block> {
        let threshold = i64::try_from(self.request.timings.heartbeat_stale_ms).unwrap_or(i64::MAX);
        let reads =
            if self.reads == 1 { "one read".to_owned() } else { format!("{} reads", self.reads) };
        let (why, tone) = match alert {
            Alert::No => ("nothing that it looks at is stale", Tone::Plain),
            Alert::Unknown => (
                "it fires after two stale checks in a row, and this was one read: --consecutive 2 tells",
                Tone::Warn,
            ),
            Alert::Yes => ("two stale checks in a row", Tone::Bad),
        };
        vec![
            Block::line(format!("stale after {}; judged from {reads}", millis(threshold))),
            Block::Line(Cell::toned(format!("alert: {} ({why})", alert.as_str()), tone)),
            table(judged.iter().map(|it| beat_cells(&it.beat)).collect()),
        ]
    }
}

fn no_such(id: &StrategyId, environment: &str) -> Finding {
    Finding {
        id: "heartbeat.not_found".to_owned(),
        severity: Severity::Error,
        subject: id.to_string(),
        message: "the strategies' table has no such strategy".to_owned(),
        evidence: Vec::new(),
        next: Some(format!("tradectl heartbeat list --env {environment}")),
    }
}

impl Procedure for Check {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        let due = self.next_at.is_none_or(|at| now >= at);
        if due && self.look.is_idle() && self.report.is_none() {
            (self.asked_at, self.next_at) = (Some(now), None);
            // One row is one request, however many rows a table has.
            self.look.ask([match self.request.strategies.as_slice() {
                [one] => Query::Strategy(one.clone()),
                _ => Query::Strategies,
            }]);
        }
        self.look.wants()
    }
    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        if let Some(Seen::Strategies(reading)) = self.look.give(ticket, answer) {
            self.take(&reading, now);
        }
    }
    fn wake_at(&self) -> Option<Utc> {
        self.next_at
    }
    fn interrupt(&mut self, _now: Utc, why: &str) {
        let gap = Reading::unreachable("strategies table", why);
        self.report = Some(unread("heartbeat.check", &gap, &self.request.environment));
    }
    fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        self.report.clone()
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<super::list::Judged<Data<'_>>>()
}
