//! What of the outcome deserves attention, worst first.

use super::Request;
use super::exposed::Positions;
use super::ladder::{EmergencyStop, Word};
use super::verdict::{Ends, Standing};
use crate::model::{Gap, GapKind, Level, Reading, Role, Scope, StrategyId, TaskId, Written, a_few};
use crate::ops::run::describe;
use crate::ops::scope::Nothing;
use crate::plan::{Act, Recorded, Settled};
use crate::report::{Finding, Severity, counted};
use std::collections::{BTreeMap, BTreeSet};

impl EmergencyStop {
    /// Why what still trades could not be changed, if the last answered attempt at it failed; a
    /// denial before anything else.
    fn last_failure(&self, standing: &Standing) -> Option<&Written> {
        let mut last: BTreeMap<&str, (u32, &Written)> = BTreeMap::new();
        for (step, settled) in self.run.executor.steps() {
            // A strategy may be called as a service is.
            let on_it = step.rung.as_str() == standing.rung && step.act.is_on(&standing.subject);
            if let (true, Some(Settled::Answered(written))) = (on_it, settled) {
                let (base, attempt) = step.id.attempt();
                let known = last.entry(base).or_insert((attempt, written));
                if attempt > known.0 {
                    *known = (attempt, written);
                }
            }
        }
        let failures = last.into_values().map(|(_, it)| it).filter(|it| !it.stands());
        failures.max_by_key(|it| matches!(it, Written::Denied { .. }))
    }

    pub(super) fn findings(&self, word: Word, positions: &Positions) -> Vec<Finding> {
        let mut findings = Vec::new();
        let again = self.request.command(&self.site.environment);
        // A plan lists what it would stop; there is nothing else to say of that.
        if word == Word::Planned {
            findings.extend(self.not_in_plan());
        } else {
            findings.extend(self.not_stopped(&again));
        }
        findings.extend(self.not_known(&again));
        findings.extend(self.not_there(word));
        findings.extend(self.earlier_findings());
        findings.extend(self.exposed(word, positions));
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
        findings.extend(self.unplaced());
        findings.extend(self.orphan_findings(word));
        findings.extend(self.not_whole());
        self.own_faults(&mut findings);
        findings.extend(self.hold_finding());
        let replaced = self.written_over.as_ref().filter(|_| self.newest_written().is_some());
        findings.extend(replaced.map(|why| {
            let message = format!(
                "it could not be read ({why}) and was written over: which other stops it held is \
                 not known"
            );
            finding("stop.latch_replaced", Severity::Error, "latch", &message)
        }));
        findings.extend(self.ended_for_good());
        self.not_used(&mut findings);
        for name in self.unclassified() {
            let message = "is not classified by the profile and was left alone";
            let mut item = finding("stop.unclassified", Severity::Warning, &name, message);
            let mut wider = self.request.clone();
            wider.include.push(name);
            item.next = Some(wider.command(&self.site.environment));
            findings.push(item);
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// Tables that this system should have. Without the latch's nothing keeps others from starting.
    fn not_there(&self, word: Word) -> Vec<Finding> {
        fn absent<T>(reading: Option<&Reading<T>>) -> Option<&Gap> {
            reading.and_then(Reading::as_gap).filter(|gap| gap.kind == GapKind::Absent)
        }
        if !self.site.capabilities.strategies || word == Word::Nowhere {
            return Vec::new();
        }
        let strategies = absent(self.world.strategies.as_ref());
        let latch = absent(self.world.latch.as_ref());
        let told = |(gap, what): (Option<&Gap>, &str)| {
            let message = format!("{what}: {}", gap?.why);
            let next = format!("tradectl doctor --env {}", self.site.environment);
            Some(finding("stop.not_there", Severity::Error, &gap?.source, &message).next(next))
        };
        let latch = (latch, "nothing holds, and nothing keeps others from starting");
        let strategies = (strategies, "no strategy was stopped or seen");
        [latch, strategies].into_iter().filter_map(told).collect()
    }

    /// What still trades. What waiting does not end is told once for one and the same reason; what
    /// this stop tried to end, each with what became of that.
    fn not_stopped(&self, again: &str) -> Vec<Finding> {
        let (last, yet): (Vec<&Standing>, Vec<&Standing>) =
            self.verdict.trading.iter().partition(|it| it.ends.is_some());
        let mut findings: Vec<Finding> = Vec::new();
        for standing in yet {
            let (subject, text) = (&standing.subject, &standing.message);
            let mut item = finding("stop.not_stopped", Severity::Critical, subject, text);
            let failure = self.last_failure(standing);
            item.evidence.extend(failure.iter().map(|it| describe(it)));
            item.next = Some(match failure {
                // The same again would be denied again.
                Some(Written::Denied { .. }) if self.site.over_network => self.permission(),
                _ => again.to_owned(),
            });
            findings.push(item);
        }
        findings.extend(by_cause(last).into_iter().map(|(standing, subjects)| {
            let mut item = of_several("stop.not_stopped", standing, &subjects);
            item.next = standing.ends.as_ref().map(|ends| self.ended_by(ends));
            item
        }));
        findings
    }

    /// What no stop as it was asked for would end.
    fn not_in_plan(&self) -> Vec<Finding> {
        let never = |it: &&Standing| matches!(it.ends, Some(Ends::Role | Ends::Include(_)));
        let never = self.verdict.trading.iter().filter(never);
        let finding = |(standing, subjects): (&Standing, Vec<&str>)| {
            let mut item = of_several("stop.not_in_plan", standing, &subjects);
            item.next = standing.ends.as_ref().map(|ends| self.ended_by(ends));
            item
        };
        by_cause(never).into_iter().map(finding).collect()
    }

    /// What is not known; what is not for one and the same reason is told once.
    fn not_known(&self, again: &str) -> Vec<Finding> {
        let finding = |(standing, subjects): (&Standing, Vec<&str>)| {
            let mut item = of_several("stop.unknown", standing, &subjects);
            item.next = Some(match standing.gap {
                Some(GapKind::Denied) if self.site.over_network => self.permission(),
                Some(GapKind::Absent) => format!("tradectl doctor --env {}", self.site.environment),
                _ => again.to_owned(),
            });
            item
        };
        by_cause(self.verdict.unknown.iter()).into_iter().map(finding).collect()
    }

    /// What tells which permission is missing.
    pub(super) fn permission(&self) -> String {
        format!("tradectl iam-policy --env {} --emergency-stop", self.site.environment)
    }

    /// What to type where the same again would end nothing more.
    fn ended_by(&self, ends: &Ends) -> String {
        let env = &self.site.environment;
        let request = self.request.clone();
        let level = request.level.clone().max(Level::Halt);
        match ends {
            Ends::Scope => self.instead(),
            Ends::Harder => Request { level, keep_compute: false, ..request }.command(env),
            // What it closes and takes back is not to grow with it.
            Ends::Service(name) => {
                let (scope, flatten) = (Scope::Service(name.clone()), false);
                let (cancel_protective, keep_compute) = (false, false);
                Request { level, scope, flatten, cancel_protective, keep_compute, ..request }
                    .command(env)
            }
            Ends::All => self.of_all(),
            Ends::Include(name) => {
                let mut include = request.include.clone();
                include.push(name.clone());
                Request { include, ..request }.command(env)
            }
            Ends::Role => format!("tradectl doctor --env {env}"),
        }
    }

    /// What may have been meant by a scope that names nothing, or the way back.
    fn instead(&self) -> String {
        let env = &self.site.environment;
        match self.desk(self.request.started_at).unknown_scope() {
            Some(Nothing { near: Some(scope), .. }) => {
                Request { scope, ..self.request.clone() }.command(env)
            }
            // Without a latch nothing holds that could be resumed.
            _ if !self.site.capabilities.strategies => self.of_all(),
            _ => format!("tradectl resume {} --env {env} --reason …", self.stop_id),
        }
    }

    /// The stop of everything, as far as this one goes: what it closes and takes back is not to
    /// grow with it.
    fn of_all(&self) -> String {
        let (scope, flatten, cancel_protective) = (Scope::All, false, false);
        let (keep_compute, request) = (false, self.request.clone());
        let level = request.level.clone().max(Level::Halt);
        let wider = Request { level, scope, flatten, cancel_protective, keep_compute, ..request };
        wider.command(&self.site.environment)
    }

    /// Strategies that this stop of one service takes in only because nothing says which is theirs.
    fn unplaced(&self) -> Vec<Finding> {
        let desk = self.desk(self.request.deadline_at);
        let rows = self.world.rows().iter().filter(|row| desk.is_unplaced(row.id.as_str()));
        // One that was at rest before is as it was.
        let ours = |id: &StrategyId| self.world.touched.contains(id);
        let active = rows.filter(|row| ours(&row.id) || !row.status().is_at_rest());
        active
            .map(|row| {
                let message = "its row names no service, and no task that is seen: it counts as \
                               one of this service, whose stop may not end what runs it";
                let mut item =
                    finding("stop.unplaced", Severity::Warning, row.id.as_str(), message);
                item.next = Some(self.of_all());
                item
            })
            .collect()
    }

    /// Tasks that this run ended and that no service starts again: a resume cannot either.
    fn ended_for_good(&self) -> Vec<Finding> {
        let tasks = self.world.tasks.as_ref().and_then(Reading::value);
        let of = |id: &TaskId| tasks.into_iter().flatten().find(|it| it.id == *id);
        let ended = self.run.executor.steps().filter_map(|(step, settled)| match &step.act {
            Act::StopTask { task, .. } if settled.is_none_or(Settled::stands) => {
                of(task).filter(|it| it.service.is_none())
            }
            _ => None,
        });
        ended
            .map(|task| {
                let message = format!(
                    "a task of {}; no service runs it, so a resume does not start it again: start it \
                     as it was started before",
                    task.family
                );
                finding("stop.task_ended", Severity::Warning, task.id.as_str(), &message)
            })
            .collect()
    }

    /// What a resume will not bring back whole, said while somebody can still decide.
    fn not_whole(&self) -> impl Iterator<Item = Finding> {
        let items = self.run.executor.steps().filter_map(|(step, _)| step.restore.as_ref());
        items.filter_map(|item| {
            let message =
                format!("a resume puts it back, and not all of it: {}", item.loses.as_ref()?);
            let subject = item.subject.to_string();
            Some(finding("stop.not_whole", Severity::Warning, &subject, &message))
        })
    }

    /// What was asked for and made no difference: whoever asked has to know.
    fn not_used(&self, findings: &mut Vec<Finding>) {
        let hold = self.world.latch.as_ref().and_then(Reading::value);
        let hold = hold.and_then(|latch| latch.hold(&self.stop_id));
        if let Some(hold) = hold.filter(|hold| hold.level > self.request.level) {
            let message = format!(
                "{} was asked for, and the hold of {} stays at {}: a stop tightens, a resume \
                 loosens",
                self.request.level, hold.actor, hold.level
            );
            let mut item = finding("stop.level_kept", Severity::Warning, "latch", &message);
            let (id, env) = (&hold.stop_id, &self.site.environment);
            item.next = Some(format!("tradectl resume {id} --env {env} --reason …"));
            findings.push(item);
        }
        if self.continued && self.request.keep_compute && self.is_at_zero() {
            let message = "--keep-compute kept nothing: services were at 0 before this run";
            findings.push(finding("stop.nothing_kept", Severity::Warning, "compute", message));
        }
        let Some(names) = self.names() else { return };
        for name in &self.request.include {
            match names.get(name) {
                None => {
                    let message = "was to be taken in, and nothing here has that name";
                    findings.push(finding("stop.nothing_included", Severity::Error, name, message));
                }
                Some(Some(role)) if !role.trades() => {
                    let message = "was to be taken in, and goes on: its role in the settings is \
                                   support, which no stop ends";
                    let mut item = finding("stop.not_included", Severity::Error, name, message);
                    let env = &self.site.environment;
                    item.next = Some(format!("tradectl doctor --env {env}"));
                    findings.push(item);
                }
                Some(_) => {}
            }
        }
    }

    /// There are services to be stopped, and each has a desired count of 0.
    fn is_at_zero(&self) -> bool {
        let services = self.world.services.as_ref().and_then(Reading::value);
        let desk = self.desk(self.request.started_at);
        let mut trading =
            services.into_iter().flatten().filter(|it| desk.stops_service(it)).peekable();
        trading.peek().is_some() && trading.all(|it| it.desired_count == 0)
    }

    /// What `--include` can name, with its role; `None` where not all of it was read.
    fn names(&self) -> Option<BTreeMap<String, Option<Role>>> {
        let services = self.world.services.as_ref()?.value()?;
        let tasks = self.world.tasks.as_ref()?.value()?;
        let schedules = self.world.schedules.as_ref()?.value()?;
        if self.world.unlisted().next().is_some() {
            return None;
        }
        // The task of a service is taken in by its service's name.
        let alone = tasks.into_iter().filter(|it| it.service.is_none());
        let tasks = alone.map(|it| (it.family.clone(), self.site.task_role(it)));
        let started = schedules
            .into_iter()
            .map(|it| (it.id.to_string(), self.site.schedule_role(it, Some(services))));
        let services =
            services.into_iter().map(|it| (it.name.to_string(), self.site.service_role(it)));
        Some(started.chain(tasks).chain(services).collect())
    }

    /// Where values are recorded that the state store did not take: how many, and why.
    fn misplaced_by_place(&self) -> Vec<(&'static str, usize, String)> {
        let mut places: BTreeMap<&'static str, (BTreeSet<String>, String)> = BTreeMap::new();
        for (chunk, kept) in self.run.kept_elsewhere() {
            let (place, why) = match kept {
                Recorded::StateStore => continue,
                Recorded::Journal { why } => (IN_THE_JOURNAL, why),
                Recorded::Printed { why } => {
                    ("this output, as lines that begin with `restore record:`", why)
                }
            };
            // One that was tried more than once is one value.
            let entry = places.entry(place).or_insert_with(|| (BTreeSet::new(), why.clone()));
            entry.0.extend(chunk.items.iter().map(|it| it.subject.to_string()));
        }
        // Notes that something does not count are no values.
        let places = places.into_iter().filter(|(_, (values, _))| !values.is_empty());
        places.map(|(place, (values, why))| (place, values.len(), why)).collect()
    }

    /// What went wrong with our own means.
    fn own_faults(&self, findings: &mut Vec<Finding>) {
        if let Some(why) = &self.run.journal_fault {
            let message = format!("the stop went on without a journal: {why}");
            findings.push(finding("stop.no_journal", Severity::Critical, "journal", &message));
        }
        for (place, count, why) in self.misplaced_by_place() {
            let count = counted(count as u64, "value is", "values are");
            let message = format!("{count} recorded only in {place}: {why}");
            let id = "stop.record_misplaced";
            if place == IN_THE_JOURNAL && !self.site.capabilities.strategies {
                // As it must be there: no table could hold them.
                let run = &self.request.run_id;
                let message = format!(
                    "{count} recorded only in {place} ({run}), since this system has no \
                     table for them: resume on this machine, or elsewhere with a copy of it \
                     (--record FILE)"
                );
                findings.push(finding(id, Severity::Info, "restore record", &message));
                continue;
            }
            let (severity, noted) = if self.run.needed(&self.stop_id).is_empty() {
                let unchanged = "none of them is known to have been changed, and no resume asks for \
                                 them; where one is missed all the same: --record FILE";
                (Severity::Warning, unchanged)
            } else if self.is_noted() {
                let noted =
                    "the latch notes it, and a resume elsewhere asks for it (--record FILE)";
                (Severity::Critical, noted)
            } else {
                let lost =
                    "the latch could NOT note it: resume on this machine, or with --record FILE";
                (Severity::Critical, lost)
            };
            let message = format!("{message}; {noted}");
            findings.push(finding(id, severity, "restore record", &message));
        }
        findings.extend(self.run.unsent_notices("stop.not_notified", &self.site.environment));
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
}

/// What stands for one and the same reason, together.
fn by_cause<'a>(
    standings: impl IntoIterator<Item = &'a Standing>,
) -> Vec<(&'a Standing, Vec<&'a str>)> {
    let mut causes: Vec<(&Standing, Vec<&str>)> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for it in standings {
        let place = *places.entry((it.rung, &it.message)).or_insert(causes.len());
        match causes.get_mut(place) {
            Some((_, subjects)) => subjects.push(&it.subject),
            None => causes.push((it, vec![&it.subject])),
        }
    }
    causes
}

fn of_several(id: &str, standing: &Standing, subjects: &[&str]) -> Finding {
    let subject = a_few(subjects);
    let mut item = finding(id, Severity::Critical, &subject, &standing.message);
    let all = subjects.join(", ");
    if subject != all {
        item.evidence.push(all);
    }
    item
}

const IN_THE_JOURNAL: &str = "the journal of this run";

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
