//! What deserves attention in what was read.

use super::{About, View};
use crate::model::{
    Barrier, Effective, EndedBy, GapKind, Hold, LATCH_FORMAT, Latch, Phase, PositionStatus,
    Reading, ScheduleTarget, Scope, Service, ServiceName, Start, StatusReading, StrategyId,
    StrategyRow, StrategyStatus, Task, TaskState, Utc,
};
use crate::ops::classes::{self, Things};
use crate::ops::heartbeat::{LeftStopped, findings as heartbeat_findings};
use crate::ops::history::JOURNALS;
use crate::ops::managed::Managed;
use crate::ops::positions::Protection;
use crate::ops::resume::first_for;
use crate::ops::schedule::misread;
use crate::ops::scope::{Nothing, nothing};
use crate::ops::supervision::{self, Desired};
use crate::report::{Finding, Severity, ago, millis, nearest, stamp};
use std::collections::BTreeSet;

/// A stop that has not come to its end after this is not at work any more.
pub(super) const STOPPING_FOR_MS: i64 = 120_000;
/// What is next where a newer tradectl wrote the latch, which this one does not release.
const NEWER: &str = "use the tradectl that wrote the latch, or a later one";
/// Tasks that ended so lately, and so many of them, are a crash loop.
const CRASHES: (i64, usize) = (600_000, 3);

impl View<'_> {
    /// All findings, in no order.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.unread_findings(&mut findings);
        self.latch_findings(&mut findings);
        findings.extend(self.left_behind_findings());
        self.stop_findings(&mut findings);
        findings.extend(self.supervision_finding());
        self.strategy_findings(&mut findings);
        findings.extend(self.left_stopped_findings());
        findings.extend(self.nowhere_findings());
        findings.extend(self.idle_findings());
        findings.extend(self.halted_findings());
        self.service_findings(&mut findings);
        self.schedule_findings(&mut findings);
        self.position_findings(&mut findings);
        self.order_findings(&mut findings);
        self.unclassified(&mut findings);
        findings
    }

    pub(super) fn command(&self, words: &str) -> String {
        format!("tradectl {words} --env {}", self.request.site.environment)
    }

    fn unread_findings(&self, findings: &mut Vec<Finding>) {
        let mut told = BTreeSet::new();
        for gap in &self.unread {
            // Several questions to one source fail in the same words: told once.
            if !told.insert((&gap.source, &gap.why)) {
                continue;
            }
            let id = match gap.kind {
                GapKind::Denied => "read.denied",
                GapKind::Unparsed => "read.unparsed",
                GapKind::Unreachable | GapKind::Absent => "read.unreachable",
            };
            let message = format!("could not be read: {}", gap.why);
            // A damaged journal is no matter of the environment.
            let next = if gap.source == JOURNALS { "journal verify" } else { "doctor" };
            findings.push(
                Finding::new(id, Severity::Warning, &gap.source, message).next(self.command(next)),
            );
        }
        // A system without strategies has no such table; this one should.
        let table = self.world.strategies.as_ref().filter(|it| it.is_absent());
        let expected = self.request.site.capabilities.strategies && !self.is_nowhere();
        if let Some(gap) = table.and_then(Reading::as_gap).filter(|_| expected) {
            let message = format!("is not there: no strategy is judged: {}", gap.why);
            findings.push(
                Finding::new("strategies.absent", Severity::Error, &gap.source, message)
                    .next(self.command("doctor")),
            );
        }
        // Some systems have a cluster's name and run on a host of their own.
        let services = self.world.services.as_ref().filter(|it| it.is_absent());
        let expected = self.request.cluster.is_some() && !self.is_nowhere();
        if let Some(gap) = services.and_then(Reading::as_gap).filter(|_| expected) {
            let message = format!("are not there: no service is judged: {}", gap.why);
            findings.push(
                Finding::new("services.absent", Severity::Warning, &gap.source, message)
                    .next(self.command("doctor")),
            );
        }
    }

    fn latch_findings(&self, findings: &mut Vec<Finding>) {
        let Some(latch) = self.world.latch.as_ref().and_then(Reading::value) else { return };
        if latch.format > LATCH_FORMAT {
            let message =
                format!("has format {}, newer than this binary: read as a halt", latch.format);
            let finding = Finding::new("latch.newer", Severity::Error, "latch", message);
            findings.push(finding.next(NEWER));
        }
        let holds = latch.holds.iter().filter(|hold| self.is_covered_by(&hold.scope));
        findings.extend(holds.map(|hold| self.hold_finding(hold)));
    }

    /// The resume that ends what is in the way.
    fn resume_of(&self, latch: &Latch, barrier: Barrier<'_>) -> String {
        match barrier {
            Barrier::Newer(_) => NEWER.to_owned(),
            Barrier::Hold(hold) => {
                let first = first_for(&latch.holds, hold);
                self.command(&format!("resume {} --reason …", first.stop_id))
            }
        }
    }

    fn hold_finding(&self, hold: &Hold) -> Finding {
        let age = self.age(hold.at);
        let again = hold.command(&self.request.site.environment);
        // One that holds this one's things too is resumed before it.
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let first = latch.map_or(hold, |latch| first_for(&latch.holds, hold));
        let newer = latch.is_some_and(|latch| latch.format > LATCH_FORMAT);
        let resume = || match newer {
            true => NEWER.to_owned(),
            false => self.command(&format!("resume {} --reason …", first.stop_id)),
        };
        if let Some(nothing) = self.names_nothing(&hold.scope) {
            let message = format!(
                "{} holds {}, which is nothing: {} ({}, by {}): {}",
                hold.stop_id,
                hold.scope,
                nothing.message,
                ago(age),
                hold.actor,
                hold.reason
            );
            let meant = nothing.near.map(|scope| Hold { scope, ..hold.clone() });
            let env = &self.request.site.environment;
            let meant = meant.map(|it| format!("what may have been meant: {}", it.command(env)));
            let finding = Finding::new("latch.nothing", Severity::Error, "latch", message);
            return finding.seen(meant).next(resume());
        }
        let (severity, state, next) = match &hold.phase {
            Phase::Held => (Severity::Warning, "holds", resume()),
            Phase::Stopping if age > STOPPING_FOR_MS => {
                (Severity::Error, "was never seen complete; it holds", again)
            }
            // The same stop again joins the one at work, or goes on with one that ended.
            Phase::Stopping => (Severity::Warning, "is at work on", again),
            Phase::Resuming => (Severity::Warning, "is being resumed; it holds", resume()),
            Phase::Unrecognized(_) => (
                Severity::Error,
                "is in a phase that this binary does not know; it holds",
                self.command("doctor"),
            ),
        };
        let message = format!(
            "{} {state} {} at level {} ({}, by {}): {}",
            hold.stop_id,
            hold.scope,
            hold.level,
            ago(age),
            hold.actor,
            hold.reason
        );
        Finding::new("latch.held", severity, "latch", message).next(next)
    }

    /// That a scope names nothing. Whoever looks at a part has not read what it could name.
    fn names_nothing(&self, scope: &Scope) -> Option<Nothing> {
        let whole = self.request.about == About::Everything;
        whole.then(|| nothing(scope, self.world, &self.request.site)).flatten()
    }

    pub(super) fn age(&self, at: Utc) -> i64 {
        i64::try_from(self.now.duration_since(at).as_millis()).unwrap_or(i64::MAX)
    }

    fn strategy_findings(&self, findings: &mut Vec<Finding>) {
        let mut ours = heartbeat_findings(&self.beats, &self.request.site.environment);
        for finding in &mut ours {
            if finding.id == "heartbeat.stale" {
                let owner = self.owner_evidence(&finding.subject.as_str().into());
                finding.evidence.extend(owner);
                self.not_recovered_under_a_hold(finding);
            }
        }
        findings.extend(ours);
        let Some(latch) = self.world.latch.as_ref().and_then(Reading::value) else { return };
        for row in self.world.rows() {
            let Effective::Held { level, stop_id } = latch.effective(&self.world.target(row))
            else {
                continue;
            };
            let hold = stop_id.as_ref().and_then(|id| latch.hold(id));
            let settled = hold.is_none_or(|hold| hold.phase == Phase::Held);
            if level.halts() && settled && !row.status().is_at_rest() {
                let status = match row.status() {
                    StatusReading::Known(status) => status.to_string(),
                    StatusReading::Unparsed(error) => error.to_string(),
                };
                let stop = stop_id.map_or_else(|| "the latch".to_owned(), |id| id.to_string());
                let message = format!("{status}, although {stop} halts it: something set it so");
                let again = hold.map(|hold| hold.command(&self.request.site.environment));
                let alone = || self.command(&format!("emergency-stop --scope strategy={}", row.id));
                findings.push(
                    Finding::new("strategy.active_under_hold", Severity::Error, &row.id, message)
                        .next(again.unwrap_or_else(alone)),
                );
            }
        }
    }

    /// A recovery of what a hold covers is refused: what to type then is the hold's own next.
    fn not_recovered_under_a_hold(&self, finding: &mut Finding) {
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let row = self.world.row(&finding.subject.as_str().into());
        let (Some(latch), Some(row)) = (latch, row) else { return };
        if let Effective::Held { stop_id, .. } = latch.effective(&self.world.target(row)) {
            let stop = stop_id.map_or_else(|| "the latch".to_owned(), |id| id.to_string());
            finding.evidence.push(format!("{stop} holds it: no recovery before it is resumed"));
            finding.next = None;
        }
    }

    /// What a recovery stopped and did not set back: at rest it looks as if somebody wanted it so.
    fn left_stopped_findings(&self) -> impl Iterator<Item = Finding> {
        let left = self.world.left_stopped.as_ref().and_then(Reading::value);
        let left = left.into_iter().flatten();
        let stopped = |id: &StrategyId| {
            let status = self.world.row(id).map(StrategyRow::status);
            status == Some(StatusReading::Known(StrategyStatus::Stopped))
        };
        left.filter(move |(id, _)| stopped(id)).map(|(id, LeftStopped { run, before, .. })| {
            let message = format!("{run} stopped it and has not set it back to {before}");
            Finding::new("strategy.left_stopped", Severity::Error, id, message)
                .next(self.command(&format!("heartbeat recover {id} --reason …")))
        })
    }

    /// Rows of what is to trade that name a service which does not exist. Whoever looks at a part,
    /// or misses some of the services, has not read what would tell.
    fn nowhere_findings(&self) -> Vec<Finding> {
        let services = self.world.services.as_ref().and_then(Reading::value);
        let whole = self.request.about == About::Everything;
        let Some(services) = services.filter(|it| whole && it.is_whole()) else {
            return Vec::new();
        };
        let names: BTreeSet<&str> = services.into_iter().map(|it| it.name.as_str()).collect();
        let active = self.world.rows().iter().filter(|row| !row.status().is_at_rest());
        let named = active.filter_map(|row| Some((&row.id, row.service()?)));
        let missing = named.filter(|(_, service)| !names.contains(service.as_str()));
        let finding = |(id, service): (&StrategyId, ServiceName)| {
            let near = nearest(service.as_str(), names.iter().copied());
            let meant = near.map_or(String::new(), |it| format!("; did you mean {it}?"));
            let message = format!("its row names service {service}, which does not exist{meant}");
            let named = near.map_or_else(|| "the one that runs it".to_owned(), str::to_owned);
            Finding::new("strategy.service_absent", Severity::Error, id, message)
                .next(format!("create {service}, or name {named} as `service` in its row"))
        };
        missing.map(finding).collect()
    }

    /// What is known of whoever runs a strategy: its lease and its task.
    fn owner_evidence(&self, strategy: &StrategyId) -> Vec<String> {
        let mut evidence = Vec::new();
        if self.world.leases.as_ref().and_then(Reading::value).is_some() {
            let held = self.world.live_lease(strategy, self.now);
            evidence.push(held.map_or_else(
                || "nobody holds its lease".to_owned(),
                |lease| format!("{} holds its lease", lease.owner),
            ));
        }
        let Some(row) = self.world.row(strategy) else { return evidence };
        let Some(tasks) = self.world.tasks.as_ref().and_then(Reading::value) else {
            return evidence;
        };
        let (id, service) = (row.task(), row.service());
        let task = tasks.into_iter().find(|task| Some(&task.id) == id.as_ref());
        match task {
            Some(task) => evidence.push(describe(task)),
            None if !tasks.is_whole() => evidence.push("not all tasks were read".to_owned()),
            // That its row names none is said of the beat.
            None => evidence.extend(service.map(|service| {
                let live = tasks.into_iter().find(|task| {
                    task.service.as_ref() == Some(&service) && task.state == TaskState::Running
                });
                let runs = live.map_or("no task".to_owned(), |task| format!("task {}", task.id));
                format!("its service {service} runs {runs}")
            })),
        }
        evidence
    }

    /// Whoever should act on desired counts and does not.
    fn supervision_finding(&self) -> Option<Finding> {
        let supervision = self.world.supervision.as_ref().and_then(Reading::value)?;
        let desired =
            Desired::of(self.world.services.as_ref().and_then(Reading::value), self.known_tasks());
        // A supervisor is not brought up under a hold on what it starts: what is to be done then
        // is the hold's own next command.
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let held = latch.and_then(|latch| Some((latch, latch.refuses(Start::Everything)?)));
        let typed = |words: &str| match (words, held) {
            ("local up --detach", Some((latch, barrier))) => self.resume_of(latch, barrier),
            (words, _) => self.command(words),
        };
        supervision::finding(supervision, &desired, self.now, typed)
    }

    fn service_findings(&self, findings: &mut Vec<Finding>) {
        for service in self.world.services.as_ref().and_then(Reading::value).into_iter().flatten() {
            self.count_finding(service, findings);
            for deployment in service.deployments.iter().filter(|it| it.rollout_state == "FAILED") {
                let message = format!("its deployment {} FAILED", deployment.id);
                let finding = Finding::new(
                    "service.deployment_failed",
                    Severity::Error,
                    &service.name,
                    message,
                );
                findings.push(finding.seen([deployment.task_definition.clone()]));
            }
        }
    }

    fn count_finding(&self, service: &Service, findings: &mut Vec<Finding>) {
        let (desired, running) = (service.desired_count, service.running_count);
        let crashes = self.crashes(service);
        let mut evidence: Vec<String> = crashes.iter().take(1).map(|task| describe(task)).collect();
        evidence.extend(
            service.events.first().map(|event| format!("{}: {}", stamp(event.at), event.message)),
        );
        if desired > 0 && crashes.len() >= CRASHES.1 {
            let message = format!(
                "{} of its tasks have ended unasked in {}",
                crashes.len(),
                millis(CRASHES.0)
            );
            findings.push(
                Finding::new("service.crash_loop", Severity::Error, &service.name, message)
                    .seen(evidence),
            );
        } else if running < desired {
            let starting = running + service.pending_count >= desired;
            let severity = if starting { Severity::Warning } else { Severity::Error };
            let message = format!(
                "runs {running} of {desired} tasks{}",
                if starting { ", the rest is starting" } else { "" }
            );
            findings.push(
                Finding::new("service.below_desired", severity, &service.name, message)
                    .seen(evidence),
            );
        } else if running > desired {
            let message = format!("runs {running} tasks and should run {desired}: it is draining");
            findings.push(Finding::new(
                "service.above_desired",
                Severity::Warning,
                &service.name,
                message,
            ));
        }
    }

    /// Tasks of a service that ended lately and unasked, the newest first.
    fn crashes(&self, service: &Service) -> Vec<&Task> {
        let tasks = self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        let mut crashes: Vec<&Task> = tasks
            .filter(|task| {
                let lately = task.stopped_at.is_some_and(|at| self.age(at) <= CRASHES.0);
                let badly = match task.ended_by {
                    // A service's task is to go on: one that leaves with 0 is gone as well.
                    Some(EndedBy::Itself) => true,
                    Some(EndedBy::Request) => false,
                    None => task.exit_code != Some(0),
                };
                task.service.as_ref() == Some(&service.name)
                    && task.state == TaskState::Stopped
                    && lately
                    && badly
            })
            .collect();
        crashes.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
        crashes
    }

    /// Enabled, and due at no time that anybody could tell.
    fn misread_schedules(&self, findings: &mut Vec<Finding>) {
        let schedules = self.world.schedules.as_ref().and_then(Reading::value);
        let enabled = schedules.into_iter().flatten().filter(|it| it.enabled);
        findings.extend(enabled.filter_map(|it| {
            let message = format!("enabled, and when it is due is not known: {}", misread(it)?);
            Some(Finding::new("schedule.not_understood", Severity::Error, &it.id, message))
        }));
    }

    /// Enabled schedules whose tasks can start nowhere. One that names no other cluster than one
    /// that is not ours is shown to us only if that is confirmed not to exist
    /// ([`Membership`](crate::ops::schedule::Membership)).
    fn schedule_findings(&self, findings: &mut Vec<Finding>) {
        self.misread_schedules(findings);
        let Some(ours) = &self.request.cluster else { return };
        let schedules = self.world.schedules.as_ref().and_then(Reading::value);
        for schedule in schedules.into_iter().flatten().filter(|it| it.enabled) {
            let started = schedule.targets.iter().filter(|it| it.cluster().is_some());
            let clusters: BTreeSet<&str> =
                started.clone().filter_map(ScheduleTarget::cluster).collect();
            let mut clusters = clusters.into_iter();
            let (Some(cluster), None) = (clusters.next(), clusters.next()) else { continue };
            if cluster == ours {
                continue;
            }
            let message = format!(
                "enabled, and starts nothing: cluster {cluster}, in which it starts tasks, does \
                 not exist; ours is {ours}"
            );
            let families = started.map(|it| format!("it would start {it}"));
            findings.push(
                Finding::new("schedule.cluster_absent", Severity::Error, &schedule.id, message)
                    .seen(families),
            );
        }
    }

    /// A position that nothing at the venue protects is managed by its engine or by nobody.
    fn position_findings(&self, findings: &mut Vec<Finding>) {
        for holding in &self.holdings.open {
            let what = format!("{} {}", holding.quantity, holding.symbol);
            let finding = match holding.protection {
                Protection::Nothing => self.unprotected(&holding.strategy, &what),
                Protection::Partly => Finding::new(
                    "position.partly_protected",
                    Severity::Error,
                    &holding.strategy,
                    format!("{what}: stop orders cover only a part of it"),
                ),
                Protection::Settling => Finding::new(
                    "position.settling",
                    Severity::Info,
                    &holding.strategy,
                    format!("{what}: {}", holding.source),
                ),
                Protection::Unknown => Finding::new(
                    "position.unconfirmed",
                    Severity::Warning,
                    &holding.strategy,
                    format!("{what}: what protects it is not known ({})", holding.source),
                ),
                Protection::VenueOrder => continue,
            };
            findings.push(finding);
        }
        findings.extend(self.holdings.behind.iter().map(|it| it.finding("position.table_behind")));
        let rows = self.world.positions.as_ref().and_then(Reading::value).into_iter().flatten();
        for row in rows {
            if let PositionStatus::Unparsed(error) = row.status() {
                let message = format!("taken for open: {error}");
                findings.push(Finding::new("position.unparsed", Severity::Error, &row.id, message));
            }
        }
    }

    /// Nothing at the venue protects it: what its engine does is all that there is.
    fn unprotected(&self, strategy: &str, what: &str) -> Finding {
        match self.managers().managed(strategy) {
            Managed::Yes => Finding::new(
                "position.engine_only",
                Severity::Warning,
                strategy,
                format!("{what}: NOTHING at the venue protects it; only its engine does"),
            ),
            Managed::No(why) => {
                let message = format!("{what}: NOTHING protects it: {why}");
                let finding =
                    Finding::new("position.unprotected", Severity::Critical, strategy, message);
                let close = format!("emergency-stop --scope strategy={strategy} --flatten");
                finding.next(self.command(&close))
            }
            Managed::Unknown(why) => Finding::new(
                "position.engine_unknown",
                Severity::Error,
                strategy,
                format!("{what}: NOTHING at the venue protects it; whether its engine does is not known: {why}"),
            )
            .next(self.command("doctor")),
        }
    }

    fn order_findings(&self, findings: &mut Vec<Finding>) {
        let rows = self.world.stored_orders.as_ref().and_then(Reading::value).into_iter().flatten();
        for row in rows.filter(|row| row.outcome_unknown()) {
            let status = row.status_text();
            let pending = row.is_pending();
            let severity = if pending { Severity::Info } else { Severity::Error };
            let whose = row.whose();
            let mut message = format!("{whose}: its outcome is not known (status {status})");
            if !pending {
                message.push_str(": look it up where it was sent, and correct its row");
            }
            findings.push(Finding::new("order.outcome_unknown", severity, &row.id, message));
        }
    }

    fn unclassified(&self, findings: &mut Vec<Finding>) {
        let tasks = self.known_tasks().collect();
        let things = Things { tasks: Some(tasks), ..self.world.things() };
        let names = classes::unclassified(&self.request.site, &things);
        findings.extend(names.into_iter().map(|name| {
            let message = "the profile does not classify it: an emergency stop leaves it alone";
            Finding::new("profile.unclassified", Severity::Warning, name, message)
        }));
    }
}

/// A task in a line.
fn describe(task: &Task) -> String {
    let mut text = format!("task {} is {}", task.id, state_word(task.state));
    if let Some(code) = task.exit_code {
        text.push_str(&format!(", exit code {code}"));
    }
    for reason in reasons(task) {
        text.push_str(&format!(": {reason}"));
    }
    text
}

pub(super) fn state_word(state: TaskState) -> &'static str {
    match state {
        TaskState::Pending => "PENDING",
        TaskState::Running => "RUNNING",
        TaskState::Stopping => "STOPPING",
        TaskState::Stopped => "STOPPED",
    }
}

/// Why a task ended, as far as the platform says.
pub(super) fn reasons(task: &Task) -> impl Iterator<Item = &str> {
    [&task.stopped_reason, &task.container_reason].into_iter().flatten().map(String::as_str)
}
