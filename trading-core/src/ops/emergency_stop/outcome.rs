//! The outcome: what a person reads at 3 a.m. and what a script reads.

use super::ladder::{EmergencyStop, Word};
use crate::model::{Reading, Receipt, Utc, Written};
use crate::ops::positions::{Holding, Protection, holdings, holdings_table};
use crate::ops::rungs::{Pending, RungData, of_rung, rungs_table};
use crate::plan::{Recorded, Rung, Settled, Step};
use crate::report::{Block, Cell, Exit, Finding, Problem, Report, Severity, Tone};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The command's part of the JSON document.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    stop_id: String,
    level: String,
    scope: String,
    continued: bool,
    dry_run: bool,
    rungs: Vec<RungData>,
    positions: Vec<Holding>,
    not_stopped: Vec<super::judge::Standing>,
    unknown: Vec<super::judge::Standing>,
    not_covered: Vec<NotCovered>,
    unclassified: Vec<String>,
    reactivated: Vec<String>,
    /// Strategies that were not there when the stop began.
    appeared: Vec<String>,
    orders_after_latch: serde_json::Value,
    restore_record: Vec<RecordData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<serde_json::Value>>"))]
    plan: Option<Vec<Step>>,
    timing: Timing,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NotCovered {
    what: String,
    why: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RecordData {
    kept: Recorded,
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    chunk: crate::model::RestoreChunk,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Timing {
    started_at: Utc,
    latched_at: Option<Utc>,
    time_to_latch_ms: Option<i64>,
    /// Null: no order that increases risk reached a venue after the latch.
    time_to_last_order_ms: serde_json::Value,
    time_to_lower_compute_ms: Option<i64>,
    time_to_proof_ms: Option<i64>,
    waited_ms: i64,
    journal_syncs: u64,
}

impl EmergencyStop {
    pub(super) fn report(&self) -> Report {
        let word = self.word.unwrap_or(Word::Unknown);
        let mut report = Report::new("emergency-stop", word.as_str(), self.exit(word));
        report.complete = self.verdict.unknown.is_empty();
        let positions = self.positions();
        report.findings = self.findings(word, &positions);
        if word == Word::Nowhere {
            report.errors.push(Problem {
                code: "environment.not_deployed".to_owned(),
                message: format!(
                    "neither a cluster nor a strategies' table of `{}` exists: nothing was stopped",
                    self.site.environment
                ),
                hint: Some("tradectl doctor".to_owned()),
            });
        }
        report.body = self.body(word, &positions);
        report.data = serde_json::to_value(self.data(positions)).unwrap_or_default();
        report
    }

    fn exit(&self, word: Word) -> Exit {
        match word {
            Word::Halted => Exit::Ok,
            Word::Partial => Exit::Partial,
            Word::Unknown => Exit::Unknown,
            Word::Nowhere => Exit::Settings,
            Word::Planned if !self.run.complaints.is_empty() => Exit::Bug,
            Word::Planned if self.verdict.unknown.is_empty() => Exit::Ok,
            Word::Planned => Exit::Incomplete,
        }
    }

    /// What the second notification says.
    pub(super) fn outcome_body(&self) -> String {
        let word = self.word.map_or("UNKNOWN", Word::as_str);
        let mut lines = vec![format!("{word}: stop {} ({})", self.stop_id, self.request.reason)];
        let standing = self.verdict.trading.iter().chain(&self.verdict.unknown);
        lines.extend(standing.map(|it| format!("{} {}: {}", it.rung, it.subject, it.message)));
        lines.join("\n")
    }

    /// Every open position and what protects it, the unprotected first.
    fn positions(&self) -> Vec<Holding> {
        let stored = self.world.positions.as_ref();
        holdings(&self.world.venue_positions, &self.world.orders, stored)
    }

    fn receipts(&self) -> Result<Vec<&Receipt>, String> {
        let mut receipts = Vec::new();
        let desk = self.desk(self.times.ended_at.unwrap_or(self.request.deadline_at));
        if self.site.capabilities.venues.is_empty() {
            return Err("no venue is configured".to_owned());
        }
        for venue in &self.site.capabilities.venues {
            match self.world.receipts.get(venue) {
                Some(Reading::Known { value, .. }) => {
                    // What the stop does not cover trades on.
                    receipts.extend(value.iter().filter(|it| desk.covers_at(venue, &it.strategy)));
                }
                Some(Reading::Gap(gap)) => return Err(gap.to_string()),
                None => return Err(format!("{venue} was not asked")),
            }
        }
        Ok(receipts)
    }

    /// Orders that increase risk and that a venue received and took on after the latch: how
    /// late the last came (ms), and how many came later than the bound. One that was sent
    /// in time and received late is refused by its own window and has no effect.
    fn after_latch(&self) -> Result<(Option<i64>, u64), String> {
        let latched_at = self.times.latched_at.ok_or("the latch was not written")?;
        let receipts = self.receipts()?;
        let ours = receipts.iter().filter(|it| it.increases_risk && it.accepted);
        let late: Vec<i64> =
            ours.map(|it| millis(latched_at, it.received_at)).filter(|ms| *ms >= 0).collect();
        let bound = i64::try_from(self.site.timings.latch_max_age_ms).unwrap_or(i64::MAX);
        let beyond = late.iter().filter(|ms| **ms > bound).count();
        Ok((late.into_iter().max(), u64::try_from(beyond).unwrap_or(u64::MAX)))
    }

    fn data(&self, positions: Vec<Holding>) -> Data {
        let after = self.after_latch();
        let unread = |why: &String| serde_json::json!({"state": "unreachable", "why": why});
        let started = self.request.started_at;
        let since_start = |at: Option<Utc>| at.map(|at| millis(started, at));
        Data {
            stop_id: self.stop_id.to_string(),
            level: self.request.level.to_string(),
            scope: self.request.scope.to_string(),
            continued: self.continued,
            dry_run: self.run.executor.is_dry(),
            rungs: self.rungs(),
            positions,
            not_stopped: self.verdict.trading.clone(),
            unknown: self.verdict.unknown.clone(),
            not_covered: self
                .verdict
                .not_covered
                .iter()
                .map(|(what, why)| NotCovered { what: what.clone(), why: why.clone() })
                .collect(),
            unclassified: self.unclassified(),
            reactivated: self.reactivated.iter().cloned().collect(),
            appeared: self.appeared.iter().cloned().collect(),
            orders_after_latch: match &after {
                Ok((_, count)) => (*count).into(),
                Err(why) => unread(why),
            },
            restore_record: self
                .run
                .misplaced
                .iter()
                .map(|(chunk, kept)| RecordData { kept: kept.clone(), chunk: chunk.clone() })
                .collect(),
            plan: self
                .run
                .executor
                .is_dry()
                .then(|| self.run.executor.steps().map(|(step, _)| step.clone()).collect()),
            timing: Timing {
                started_at: started,
                latched_at: self.times.latched_at,
                time_to_latch_ms: since_start(self.times.latched_at.filter(|_| !self.continued)),
                time_to_last_order_ms: match &after {
                    Ok((last, _)) => (*last).into(),
                    Err(why) => unread(why),
                },
                time_to_lower_compute_ms: since_start(self.times.lowered_at),
                time_to_proof_ms: since_start(self.times.ended_at),
                waited_ms: i64::try_from(self.times.waited.as_millis()).unwrap_or(i64::MAX),
                journal_syncs: self.run.durable_asks,
            },
        }
    }

    /// What became of the steps of each rung, all rungs of the ladder.
    fn rungs(&self) -> Vec<RungData> {
        let pending = if self.run.executor.is_dry() { Pending::NotYet } else { Pending::Failed };
        Rung::ALL
            .into_iter()
            .map(|rung| of_rung(rung, self.run.executor.steps(), pending))
            .collect()
    }

    /// Services, families and schedules that no rule names and nobody took in.
    fn unclassified(&self) -> Vec<String> {
        if !self.request.level.halts() {
            return Vec::new();
        }
        let mut names = BTreeSet::new();
        for service in self.world.services.as_ref().and_then(Reading::value).into_iter().flatten() {
            if self.site.service_role(service).is_none() {
                names.insert(service.name.to_string());
            }
        }
        for task in self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten() {
            if task.service.is_none() && self.site.task_role(task).is_none() {
                names.insert(task.family.clone());
            }
        }
        let schedules = self.world.schedules.as_ref().and_then(Reading::value);
        for schedule in schedules.into_iter().flatten() {
            if schedule.enabled && self.site.schedule_role(schedule).is_none() {
                names.insert(schedule.id.to_string());
            }
        }
        names.retain(|name| !self.request.include.contains(name));
        names.into_iter().collect()
    }

    fn findings(&self, word: Word, positions: &[Holding]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let again = format!("tradectl emergency-stop --env {}", self.site.environment);
        // A plan lists what it would stop; there is nothing else to say of that.
        for standing in self.verdict.trading.iter().filter(|_| word != Word::Planned) {
            let (subject, text) = (&standing.subject, &standing.message);
            let mut item = finding("stop.not_stopped", Severity::Critical, subject, text);
            item.next = Some(again.clone());
            findings.push(item);
        }
        for standing in &self.verdict.unknown {
            let text = &standing.message;
            let mut item = finding("stop.unknown", Severity::Critical, &standing.subject, text);
            item.next = Some(again.clone());
            findings.push(item);
        }
        let partly = positions.iter().filter(|it| it.protection == Protection::Partly);
        for position in partly {
            let message = format!(
                "{} {} are open and only partly protected",
                position.quantity, position.symbol
            );
            let id = "stop.partly_protected";
            findings.push(finding(id, Severity::Critical, &position.strategy, &message));
        }
        for position in positions.iter().filter(|it| it.protection == Protection::Nothing) {
            let message = format!(
                "{} {} are open and NOTHING protects them",
                position.quantity, position.symbol
            );
            findings.push(finding(
                "stop.unprotected",
                Severity::Critical,
                &position.strategy,
                &message,
            ));
        }
        for id in &self.reactivated {
            let message =
                "turned active again after it was stopped: something else writes its status";
            findings.push(finding("stop.reactivated", Severity::Error, id, message));
        }
        if let Ok((_, count @ 1..)) = self.after_latch() {
            let message =
                format!("{count} orders that increase risk were taken on after the latch's bound");
            findings.push(finding(
                "stop.orders_after_latch",
                Severity::Critical,
                "latch",
                &message,
            ));
        }
        for id in &self.appeared {
            let message = "was not there when the stop began: something else adds strategies";
            findings.push(finding("stop.appeared", Severity::Error, id, message));
        }
        for (id, why) in &self.unparsed {
            let message = format!("its status was not understood: {why}");
            findings.push(finding("stop.unparsed", Severity::Warning, id, &message));
        }
        self.own_faults(&mut findings);
        for name in self.unclassified() {
            let message = "is not classified by the profile and was left alone";
            let mut item = finding("stop.unclassified", Severity::Warning, &name, message);
            item.next = Some(format!("{again} --include {name}"));
            findings.push(item);
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// Where values are recorded that the state store did not take: how many, and why.
    fn misplaced_by_place(&self) -> Vec<(&'static str, usize, String)> {
        let mut places: BTreeMap<&'static str, (usize, String)> = BTreeMap::new();
        for (chunk, kept) in &self.run.misplaced {
            let (place, why) = match kept {
                Recorded::StateStore => continue,
                Recorded::Journal { why } => ("the journal of this run", why),
                Recorded::Printed { why } => {
                    ("this output, as lines that begin with `restore record:`", why)
                }
            };
            let entry = places.entry(place).or_insert_with(|| (0, why.clone()));
            entry.0 += chunk.items.len();
        }
        places.into_iter().map(|(place, (count, why))| (place, count, why)).collect()
    }

    /// What went wrong with our own means.
    fn own_faults(&self, findings: &mut Vec<Finding>) {
        if let Some(why) = &self.run.journal_fault {
            let message = format!("the stop went on without a journal: {why}");
            findings.push(finding("stop.no_journal", Severity::Critical, "journal", &message));
        }
        for (place, count, why) in self.misplaced_by_place() {
            let message = format!("{count} values are recorded only in {place}: {why}");
            let id = "stop.record_misplaced";
            findings.push(finding(id, Severity::Critical, "restore record", &message));
        }
        let failed_notices = self.run.executor.steps().filter(|(step, settled)| {
            step.rung == Rung::Notify && settled.is_some_and(|it| !it.stands())
        });
        for (step, _) in failed_notices {
            let message = "the notification could not be sent";
            findings.push(finding(
                "stop.not_notified",
                Severity::Warning,
                step.id.as_str(),
                message,
            ));
        }
        for complaint in &self.run.complaints {
            let subject = complaint.step.to_string();
            findings.push(finding(
                "plan.refused",
                Severity::Critical,
                &subject,
                &complaint.message,
            ));
        }
    }

    fn body(&self, word: Word, positions: &[Holding]) -> Vec<Block> {
        let tone = match word {
            Word::Halted => Tone::Good,
            Word::Planned => Tone::Plain,
            _ => Tone::Bad,
        };
        let mut body = vec![Block::Line(Cell::toned(self.headline(word), tone))];
        if !positions.is_empty() {
            body.push(Block::Heading("Open positions".to_owned()));
            body.push(holdings_table(positions));
        }
        if self.run.executor.is_dry() {
            if self.run.executor.steps().any(|(step, _)| step.rung == Rung::Compute) {
                let text = "services go to 0: this also ends whatever manages exits";
                body.push(Block::Line(Cell::toned(text, Tone::Warn)));
            }
            body.push(Block::Heading("Plan".to_owned()));
            let rows = self.run.executor.steps().map(|(step, _)| {
                vec![
                    Cell::plain(step.rung.as_str()),
                    Cell::plain(step.act.to_string()),
                    Cell::plain(step.why.clone()),
                ]
            });
            body.push(Block::Table { columns: vec!["rung", "act", "why"], rows: rows.collect() });
        } else {
            body.push(Block::Heading("Rungs".to_owned()));
            body.push(rungs_table(&self.rungs()));
        }
        for (what, why) in &self.verdict.not_covered {
            body.push(Block::Line(Cell::toned(format!("not covered: {what}: {why}"), Tone::Warn)));
        }
        // The only copy there is: whoever resumes needs it.
        let printed = self.run.misplaced.iter();
        for (chunk, _) in printed.filter(|(_, kept)| matches!(kept, Recorded::Printed { .. })) {
            let text = serde_json::to_string(chunk).unwrap_or_else(|_| format!("{chunk:?}"));
            body.push(Block::Verbatim(format!("restore record: {text}")));
        }
        if word == Word::Halted {
            body.push(Block::line(self.proof_line()));
            let env = &self.site.environment;
            let next = format!("to resume: tradectl resume --env {env} --reason …");
            body.push(Block::Line(Cell::toned(next, Tone::Dim)));
        }
        body
    }

    fn headline(&self, word: Word) -> String {
        let did_something = self.run.executor.steps().any(|(step, settled)| {
            step.rung != Rung::Notify
                && step.id.as_str() != "latch/held"
                && matches!(settled, Some(Settled::Answered(Written::Applied { .. })))
        });
        let (id, env) = (&self.stop_id, &self.site.environment);
        match word {
            Word::Halted if self.continued && !did_something => {
                format!("HALTED: {env} was already halted by stop {id}; proved again")
            }
            Word::Halted if !self.request.level.halts() => {
                format!("HALTED: {env} takes no new entries ({}), stop {id}", self.request.level)
            }
            Word::Halted => format!("HALTED: {env}, stop {id}"),
            Word::Partial => {
                format!("PARTIAL: something in {env} was seen still trading, stop {id}")
            }
            Word::Unknown => format!("UNKNOWN: not all of {env} could be read, stop {id}"),
            Word::Planned => format!("a dry run: nothing in {env} was changed"),
            Word::Nowhere => format!("nothing of {env} is deployed: nothing was stopped"),
        }
    }

    fn proof_line(&self) -> String {
        let orders = match self.after_latch() {
            Ok((None, _)) => "no order came after the latch".to_owned(),
            Ok((Some(last), count)) => format!(
                "the last order came {last} ms after the latch, {count} came later than its bound"
            ),
            Err(why) => format!("orders after the latch: unknown ({why})"),
        };
        let proof = self.times.ended_at.map_or(0, |at| millis(self.request.started_at, at));
        format!("two complete reads agree; {orders}; proof after {proof} ms")
    }
}

fn finding(id: &str, severity: Severity, subject: &str, message: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        severity,
        subject: subject.to_owned(),
        message: message.to_owned(),
        evidence: Vec::new(),
        next: None,
    }
}

fn millis(from: Utc, to: Utc) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or(i64::MAX)
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data>()
}
