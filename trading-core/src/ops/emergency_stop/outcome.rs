//! The outcome: what a person reads at 3 a.m. and what a script reads.

use super::exposed::{Closed, Positions, closed_blocks};
use super::held::HELD;
use super::ladder::{EmergencyStop, Word};
use crate::model::{Hold, Phase, Reading, Receipt, Scope, Utc, Written};
use crate::ops::positions::{Holding, holdings_table};
use crate::ops::resume::{comes_first, in_order};
use crate::ops::rungs::{Pending, RungData, of_rung_seen, rungs_table};
use crate::ops::seen::nowhere;
use crate::ops::{Query, classes};
use crate::plan::{Act, Recorded, Rung, Settled, Step, StepId};
use crate::report::{Block, Cell, Exit, Measured, Problem, Report, Tone};
use serde::Serialize;
use std::collections::BTreeSet;

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
    /// What is open in the stop's scope.
    positions: Vec<Holding>,
    /// What this run closed in it.
    closed: Vec<Closed>,
    not_stopped: Vec<super::verdict::Standing>,
    unknown: Vec<super::verdict::Standing>,
    not_covered: Vec<NotCovered>,
    unclassified: Vec<String>,
    reactivated: Vec<String>,
    /// Strategies that were not there when the stop began.
    appeared: Vec<String>,
    orders_after_latch: Measured<u64>,
    restore_record: Vec<RecordData>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
    chunk: crate::model::RestoreChunk,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Timing {
    started_at: Utc,
    /// Where this run wrote the latch: when that was committed. Where it continues a stop:
    /// the time in the hold, which was taken right before.
    latched_at: Measured<Utc>,
    time_to_latch_ms: Measured<i64>,
    /// Absent: no order that increases risk reached a venue after the latch.
    time_to_last_order_ms: Measured<i64>,
    time_to_lower_compute_ms: Measured<i64>,
    time_to_proof_ms: Measured<i64>,
    /// Until all was told too, notices among it.
    time_to_end_ms: Measured<i64>,
    /// Time in which nothing was under way, and that of reads which saw nothing but that
    /// others are not done yet.
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
                    "{}: {}",
                    nowhere(&self.site.environment, &self.world),
                    self.of_nothing()
                ),
                hint: Some(format!("tradectl doctor --env {}", self.site.environment)),
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
        let super::Request { level, reason, .. } = &self.request;
        let mut lines =
            vec![format!("{word}: {}, {level}, stop {} ({reason})", self.what(), self.stop_id)];
        let standing = self.verdict.trading.iter().chain(&self.verdict.unknown);
        lines.extend(standing.map(|it| format!("{} {}: {}", it.rung, it.subject, it.message)));
        lines.join("\n")
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
    pub(super) fn after_latch(&self) -> Result<(Option<i64>, u64), String> {
        let latched_at = self.times.latched_at.ok_or("the latch was not written")?;
        let receipts = self.receipts()?;
        let ours = receipts.iter().filter(|it| it.increases_risk && it.accepted);
        let late: Vec<i64> =
            ours.map(|it| millis(latched_at, it.received_at)).filter(|ms| *ms >= 0).collect();
        let bound = i64::try_from(self.site.timings.latch_max_age_ms).unwrap_or(i64::MAX);
        let beyond = late.iter().filter(|ms| **ms > bound).count();
        Ok((late.into_iter().max(), u64::try_from(beyond).unwrap_or(u64::MAX)))
    }

    fn data(&self, positions: Positions) -> Data {
        let after = self.after_latch();
        let started = self.request.started_at;
        let since_start = |at: Option<Utc>, why_not: &str| {
            Measured::or_absent(at.map(|at| millis(started, at)), why_not)
        };
        let not_ours =
            if self.continued { "another run wrote the latch" } else { "it was not written" };
        Data {
            stop_id: self.stop_id.to_string(),
            level: self.request.level.to_string(),
            scope: self.request.scope.to_string(),
            continued: self.continued,
            dry_run: self.run.executor.is_dry(),
            rungs: self.rungs(),
            positions: positions.held.open,
            closed: positions.closed,
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
                Ok((_, count)) => Measured::Is(*count),
                Err(why) => Measured::unread(why),
            },
            restore_record: self
                .run
                .kept_elsewhere()
                .into_iter()
                .map(|(chunk, kept)| RecordData { kept: kept.clone(), chunk: chunk.clone() })
                .collect(),
            plan: self
                .run
                .executor
                .is_dry()
                .then(|| self.run.executor.steps().map(|(step, _)| step.clone()).collect()),
            timing: Timing {
                started_at: started,
                latched_at: Measured::or_absent(self.times.latched_at, "it was not written"),
                time_to_latch_ms: since_start(
                    self.times.latched_at.filter(|_| !self.continued),
                    not_ours,
                ),
                time_to_last_order_ms: match &after {
                    Ok((last, _)) => Measured::or_absent(*last, "no order came after the latch"),
                    Err(why) => Measured::unread(why),
                },
                time_to_lower_compute_ms: since_start(self.times.lowered_at, "it was not lowered"),
                time_to_proof_ms: since_start(self.times.proved_at, "it has not ended"),
                time_to_end_ms: since_start(self.times.ended_at, "it has not ended"),
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
            .map(|rung| {
                of_rung_seen(rung, self.run.executor.steps(), pending, |it| self.seen_done(it))
            })
            .collect()
    }

    /// What a step was to bring about was seen by a read that was asked for after its answer.
    fn seen_done(&self, step: &Step) -> bool {
        match &step.act {
            Act::SetStatus(write) => {
                self.run.asked_after(&Query::Strategies, &step.id)
                    && self.world.row(&write.strategy).is_some_and(|row| row.status().is_at_rest())
            }
            Act::SetDesired { service, desired, .. } => {
                let services = self.world.services.as_ref().and_then(Reading::value);
                let found = services.into_iter().flatten().find(|it| it.name == *service);
                self.run.asked_after(&Query::Services, &step.id)
                    && found.is_some_and(|it| it.desired_count == *desired)
            }
            Act::SetSchedule { schedule, enabled } => {
                let schedules = self.world.schedules.as_ref().and_then(Reading::value);
                let found = schedules.into_iter().flatten().find(|it| it.id == *schedule);
                self.run.asked_after(&Query::Schedules, &step.id)
                    && found.is_some_and(|it| it.enabled == *enabled)
            }
            _ => false,
        }
    }

    /// Steps whose answers were lost, and what they were to bring about was seen.
    pub(super) fn lost_and_seen(&self) -> BTreeSet<StepId> {
        let lost = |settled: Option<&Settled>| {
            matches!(settled, Some(Settled::Answered(Written::Unknown { .. })))
        };
        let steps = self.run.executor.steps().filter(|(_, settled)| lost(*settled));
        let seen = steps.filter(|(step, _)| self.seen_done(step));
        seen.map(|(step, _)| step.id.clone()).collect()
    }

    /// Services, families and schedules that no rule names and nobody took in.
    pub(super) fn unclassified(&self) -> Vec<String> {
        if !self.request.level.halts() {
            return Vec::new();
        }
        let mut names = classes::unclassified(&self.site, &self.world.things());
        names.retain(|name| !self.request.include.contains(name));
        names.into_iter().collect()
    }

    fn body(&self, word: Word, positions: &Positions) -> Vec<Block> {
        let tone = match word {
            Word::Halted => Tone::Good,
            Word::Planned => Tone::Plain,
            _ => Tone::Bad,
        };
        let mut body = vec![Block::Line(Cell::toned(self.headline(word), tone))];
        if !positions.held.open.is_empty() {
            body.push(Block::Heading("Open positions".to_owned()));
            body.push(holdings_table(&positions.held.open));
        }
        body.extend(closed_blocks(&positions.closed));
        if self.run.executor.is_dry() {
            if self.run.executor.steps().any(|(step, _)| step.rung == Rung::Compute) {
                let text = "services go to 0: this also ends whatever manages exits";
                body.push(Block::Line(Cell::toned(text, Tone::Warn)));
            }
            let limits = self.request.limits(&self.site).into_iter();
            body.extend(limits.map(|text| Block::Line(Cell::toned(text, Tone::Warn))));
            body.push(Block::Heading("Plan".to_owned()));
            // As it would be done, rung by rung, whatever was read first.
            let mut steps: Vec<&Step> = self.run.executor.steps().map(|(step, _)| step).collect();
            steps.sort_by_key(|step| step.rung);
            let rows = steps.into_iter().map(|step| {
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
        let printed = self.run.kept_elsewhere().into_iter();
        for (chunk, _) in printed.filter(|(_, kept)| matches!(kept, Recorded::Printed { .. })) {
            let line = chunk.printed().unwrap_or_else(|_| format!("{chunk:?}"));
            body.push(Block::Verbatim(line));
        }
        if word == Word::Halted {
            body.push(Block::line(self.proof_line()));
            body.push(Block::Line(Cell::toned(self.resume_line(), Tone::Dim)));
        }
        body
    }

    fn headline(&self, word: Word) -> String {
        let did_something = self.run.executor.steps().any(|(step, settled)| {
            step.rung != Rung::Notify
                && step.id.attempt().0 != HELD
                && matches!(settled, Some(Settled::Answered(Written::Applied { .. })))
        });
        let (id, env) = (&self.stop_id, &self.what());
        match word {
            Word::Halted if self.found_phase == Some(Phase::Held) && !did_something => {
                format!("HALTED: {env} was already halted by stop {id}; proved again")
            }
            Word::Halted if !self.request.level.halts() => {
                let level = &self.request.level;
                let hold = self.newest_latch().and_then(|it| it.hold(id));
                match hold.filter(|it| it.level > *level) {
                    None => format!("HALTED: {env} takes no new entries ({level}), stop {id}"),
                    Some(hold) => format!(
                        "HALTED: {env} takes no new entries ({level} was asked for, and stop {id} \
                         holds it at {})",
                        hold.level
                    ),
                }
            }
            Word::Halted => format!("HALTED: {env}, stop {id}"),
            Word::Partial => {
                let of = if self.request.scope == Scope::All { "in" } else { "of" };
                format!("PARTIAL: something {of} {env} was seen still trading, stop {id}")
            }
            Word::Unknown => {
                format!("UNKNOWN: not all of {env} was seen to have stopped, stop {id}")
            }
            Word::Planned => format!("a dry run: nothing in {env} was changed"),
            Word::Nowhere => {
                let env = &self.site.environment;
                format!("nothing of {env} is deployed: {}", self.of_nothing())
            }
        }
    }

    /// What this stop is of: a part is not to be taken for the whole.
    pub(super) fn what(&self) -> String {
        match &self.request.scope {
            Scope::All => self.site.environment.clone(),
            part => format!("{part} in {}", self.site.environment),
        }
    }

    /// What was done where nothing is deployed: some of it before that was seen.
    fn of_nothing(&self) -> String {
        match self.run.executor.begun().any(|step| step.rung != Rung::Notify) {
            false => "nothing was stopped".to_owned(),
            true => format!(
                "what was changed before this was seen tells `tradectl journal show {} --env {}`",
                self.request.run_id, self.site.environment
            ),
        }
    }

    /// How trading goes on: this stop alone is resumed, and after those that hold it too.
    fn resume_line(&self) -> String {
        let (env, id) = (&self.site.environment, &self.stop_id);
        if self.world.latch.as_ref().is_some_and(Reading::is_absent) {
            return format!(
                "to resume: once the latch's table is there (tradectl doctor --env {env}), the same \
                 stop again, and what it says then"
            );
        }
        let holds = self.newest_latch().map(|it| it.holds.as_slice()).unwrap_or_default();
        let ours = holds.iter().find(|it| it.stop_id == *id);
        let first = |it: &&Hold| ours.is_some_and(|ours| comes_first(it, ours));
        let before: Vec<&str> =
            in_order(holds).into_iter().filter(first).map(|it| it.stop_id.as_str()).collect();
        match before.join(", ") {
            none if none.is_empty() => {
                format!("to resume: tradectl resume {id} --env {env} --reason …")
            }
            others => {
                format!("to resume, after {others}: tradectl resume {id} --env {env} --reason …")
            }
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
        let proof = self.times.proved_at.map_or(0, |at| millis(self.request.started_at, at));
        format!("two complete reads agree; {orders}; proof after {proof} ms")
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
