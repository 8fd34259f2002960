//! The outcome of a recovery, and the evidence that it saves.

use super::plan::Ids;
use super::procedure::{End, Recover};
use crate::journal::Entry;
use crate::model::{Attr, Reading, StrategyId, Utc, Written};
use crate::ops::Planned;
use crate::ops::rungs::{Pending, of_rung, rungs_table};
use crate::ops::seen::World;
use crate::plan::{Rung, Settled, Step};
use crate::report::{Block, Cell, Exit, Finding, Problem, Report, Severity, Tone, millis, stamp};
use serde::Serialize;

/// The command's part of the JSON document.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    strategy: String,
    run_id: String,
    dry_run: bool,
    /// What an approval of the plan binds.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The status that is brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// The recovery on this machine that left it stopped, and that this one continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    continues: Option<String>,
    /// Its owner let go of it; else its task was stopped.
    acknowledged: bool,
    /// Other strategies that the same service runs.
    beside: Vec<String>,
    plan: Vec<Step>,
    failures: Vec<String>,
    soak_ms: u64,
    timing: Timing,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Timing {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_drained_ms: Option<i64>,
    /// From when it was set back.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_beat_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
}

impl Planned for Recover {
    fn plan_steps(&self) -> Vec<Step> {
        self.steps.clone()
    }

    fn summary(&self) -> Vec<String> {
        let Some(case) = &self.case else { return Vec::new() };
        let id = &self.request.strategy;
        let mut lines: Vec<String> = Vec::new();
        if let Some(left) = &self.request.left_stopped
            && case.now != case.before
        {
            lines.push(format!("continues {}, which left {id} stopped", left.run));
        }
        lines.extend(self.steps.iter().map(|step| match &step.awaits {
            Some(what) => format!("{} (once {what})", step.act),
            None => step.act.to_string(),
        }));
        if !case.tasks.is_empty() && !case.beside.is_empty() {
            let names: Vec<&str> = case.beside.iter().map(StrategyId::as_str).collect();
            lines.push(format!(
                "if a task of {} has to be stopped, these are restarted with it: {}",
                case.service,
                names.join(", ")
            ));
        }
        lines
    }
}

impl Recover {
    pub(super) fn report(&self) -> Report {
        let (outcome, exit) = self.word();
        let mut report = Report::new(super::COMMAND, outcome, exit);
        report.complete = !matches!(self.end, Some(End::Unread(_)));
        report.errors.extend(self.problem());
        report.findings = self.findings();
        report.body = self.body();
        report.data = serde_json::to_value(self.data()).unwrap_or_default();
        report
    }

    fn word(&self) -> (&'static str, Exit) {
        let unknown = self.run.executor.steps().any(|(_, settled)| {
            matches!(settled, Some(Settled::Answered(Written::Unknown { .. })))
        });
        match &self.end {
            Some(End::Recovered) => (super::RECOVERED, Exit::Ok),
            Some(End::Well(_)) => ("nothing to do", Exit::Ok),
            Some(End::Planned) if !self.run.complaints.is_empty() => ("refused", Exit::Bug),
            Some(End::Planned) => ("planned", Exit::Ok),
            Some(End::Refused(_)) => ("refused", Exit::Refused),
            Some(End::Unread(_)) => ("failed", Exit::Failed),
            Some(End::Left(_) | End::Late(_)) if self.run.changed_anything() => {
                ("PARTIAL", Exit::Partial)
            }
            Some(End::Left(_) | End::Late(_)) if unknown => ("UNKNOWN", Exit::Unknown),
            Some(End::Late(_)) => ("late", Exit::Deadline),
            Some(End::Left(_)) | None => ("failed", Exit::Failed),
        }
    }

    fn problem(&self) -> Option<Problem> {
        let env = &self.site.environment;
        let nothing = "nothing was changed";
        let (code, message, hint) = match self.end.as_ref()? {
            End::Recovered | End::Well(_) | End::Planned => return None,
            End::Refused(why) => {
                let hint = format!("tradectl status --env {env}");
                ("recover.refused", format!("not recovered, {nothing}: {why}"), hint)
            }
            End::Unread(why) => {
                let hint = format!("tradectl doctor --env {env}");
                ("recover.unread", format!("not recovered, {nothing}: {why}"), hint)
            }
            End::Left(why) | End::Late(why) if self.run.changed_anything() => {
                let run = &self.request.run_id;
                let message = format!("{why}; {}", self.state());
                let hint = match self.is_started() {
                    true => format!("tradectl status --env {env}"),
                    false => format!(
                        "tradectl heartbeat recover {} --env {env} --reason … (goes on where \
                         this ended), or tradectl journal undo {run} --env {env}",
                        self.request.strategy
                    ),
                };
                ("recover.partial", message, hint)
            }
            End::Left(why) | End::Late(why) => {
                let hint = format!("tradectl status --env {env}");
                ("recover.failed", format!("not recovered: {why}"), hint)
            }
        };
        Some(Problem { code: code.to_owned(), message, hint: Some(hint) })
    }

    fn is_started(&self) -> bool {
        let started = Ids::of(&self.request.strategy).started;
        self.run.executor.settled(&started).is_some_and(Settled::stands)
    }

    /// What stands now.
    fn state(&self) -> String {
        let id = &self.request.strategy;
        let before = self.case.as_ref().map(|case| &case.before);
        match (self.is_started(), before) {
            (true, Some(before)) => format!("{id} is set to {before}"),
            (false, Some(before)) => format!("{id} is left stopped (it was {before})"),
            (_, None) => format!("the status of {id} was not changed"),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .run
            .complaints
            .iter()
            .map(|it| Finding::new("plan.refused", Severity::Error, &it.step, it.message.clone()))
            .collect();
        if let Some(why) = &self.run.journal_fault {
            let message = format!("cannot be written: {why}");
            findings.push(Finding::new("journal.fault", Severity::Error, "journal", message));
        }
        findings
    }

    fn failures(&self) -> Vec<String> {
        let steps = || self.run.executor.steps();
        let pending = Pending::NotYet;
        Rung::ALL.into_iter().flat_map(|rung| of_rung(rung, steps(), pending).failures).collect()
    }

    fn body(&self) -> Vec<Block> {
        let mut body = Vec::new();
        let id = &self.request.strategy;
        let line = |text: String, tone| Block::Line(Cell::toned(text, tone));
        match &self.end {
            Some(End::Recovered) => {
                let since = self.times.beat_at.map(stamp).unwrap_or_default();
                body.push(line(format!("{id} beats again since {since}"), Tone::Good));
                if self.request.soak_ms > 0 {
                    let soak = i64::try_from(self.request.soak_ms).unwrap_or(i64::MAX);
                    let text = format!("watched for {}: never stale", millis(soak));
                    body.push(line(text, Tone::Good));
                }
            }
            Some(End::Well(why)) => {
                body.push(line(format!("{why}: nothing was changed"), Tone::Good));
                let text = "--anyway recovers a strategy that beats";
                body.push(line(text.to_owned(), Tone::Dim));
            }
            Some(End::Planned) => {
                let text = format!("a dry run: nothing in {} was changed", self.site.environment);
                body.push(Block::line(text));
                body.push(Block::Heading("Plan".to_owned()));
                body.extend(self.summary().into_iter().map(Block::line));
                if let Some(digest) = &self.digest {
                    let text = format!("digest {}", digest.short());
                    body.push(Block::line(text));
                }
            }
            _ => {}
        }
        if !self.run.executor.is_dry() && self.run.executor.steps().next().is_some() {
            let steps = || self.run.executor.steps();
            let used = |rung: &Rung| steps().any(|(step, _)| step.rung == *rung);
            let rungs: Vec<_> = Rung::ALL
                .into_iter()
                .filter(used)
                .map(|rung| of_rung(rung, steps(), Pending::NotYet))
                .collect();
            body.push(rungs_table(&rungs));
            let env = &self.site.environment;
            let text =
                format!("evidence: tradectl journal show {} --env {env}", self.request.run_id);
            body.push(line(text, Tone::Dim));
        }
        body
    }

    fn data(&self) -> Data {
        let case = self.case.as_ref();
        let between = |from: Option<Utc>, to: Option<Utc>| {
            let ms = to?.duration_since(from?).as_millis();
            Some(i64::try_from(ms).unwrap_or(i64::MAX))
        };
        let times = &self.times;
        let continued = case.is_some_and(|case| case.now != case.before);
        Data {
            strategy: self.request.strategy.to_string(),
            run_id: self.request.run_id.to_string(),
            dry_run: self.run.executor.is_dry(),
            digest: self.digest.as_ref().map(|digest| digest.as_str().to_owned()),
            before: case.map(|case| match &case.before {
                Attr::S(text) => text.clone(),
                other => other.to_string(),
            }),
            continues: self
                .request
                .left_stopped
                .as_ref()
                .filter(|_| continued)
                .map(|it| it.run.clone()),
            acknowledged: self.acknowledged,
            beside: case
                .map(|case| case.beside.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            plan: self.plan_steps(),
            failures: self.failures(),
            soak_ms: self.request.soak_ms,
            timing: Timing {
                time_to_drained_ms: between(times.stopped_at, times.drained_at),
                time_to_beat_ms: between(times.started_at, times.beat_at),
                duration_ms: between(Some(self.request.started_at), times.ended_at),
            },
        }
    }
}

/// Everything that the recovery may change or that may disappear by it.
pub(super) fn evidence(strategy: &StrategyId, world: &World) -> Vec<Entry> {
    let row = world.row(strategy).cloned();
    let service = row.as_ref().and_then(|row| row.service());
    let ours = |it: &crate::model::Task| service.is_some() && it.service == service;
    let mut evidence = vec![
        entry("row", world.strategies.as_ref().map(|read| read.clone().map(|_| row.clone()))),
        entry(
            "service",
            world.services.as_ref().map(|read| {
                read.clone().map(|all| {
                    all.found
                        .into_iter()
                        .filter(|it| Some(&it.name) == service.as_ref())
                        .collect::<Vec<_>>()
                })
            }),
        ),
        entry(
            "tasks",
            world.tasks.as_ref().map(|read| {
                read.clone().map(|all| all.found.into_iter().filter(ours).collect::<Vec<_>>())
            }),
        ),
        entry(
            "leases",
            world.leases.as_ref().map(|read| {
                let ours = |all: Vec<crate::model::Lease>| {
                    all.into_iter().filter(|it| it.strategy == *strategy)
                };
                read.clone().map(|all| ours(all).collect::<Vec<_>>())
            }),
        ),
        entry("log", world.logs.clone()),
        entry(
            "positions",
            world.positions.as_ref().map(|read| {
                read.clone().map(|all| {
                    all.into_iter()
                        .filter(|it| it.strategy().as_ref() == Some(strategy))
                        .collect::<Vec<_>>()
                })
            }),
        ),
    ];
    for (venue, read) in &world.orders {
        let ours = read.clone().map(|all| {
            all.into_iter().filter(|it| it.order.strategy == *strategy).collect::<Vec<_>>()
        });
        evidence.push(entry(&format!("orders at {venue}"), Some(ours)));
    }
    for (venue, read) in &world.venue_positions {
        let ours = read
            .clone()
            .map(|all| all.into_iter().filter(|it| it.strategy == *strategy).collect::<Vec<_>>());
        evidence.push(entry(&format!("positions at {venue}"), Some(ours)));
    }
    evidence
}

fn entry<T: Serialize>(subject: &str, reading: Option<Reading<T>>) -> Entry {
    let reading = reading
        .unwrap_or_else(|| Reading::absent(subject, "the profile says that this system has none"));
    Entry::Evidence {
        subject: subject.to_owned(),
        value: serde_json::to_value(&reading).unwrap_or_default(),
    }
}

/// The schema of the command's part of the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data>()
}
