//! The procedure: survey, evidence, plan, stop, drain, start, beat, soak.

use super::plan::{self, Case, DRAINED, Ids, NoPlan, UNACKNOWLEDGED};
use super::{BEAT_WITHIN_MS, COMMAND, RecoverRequest};
use crate::model::{
    Acknowledges, LogQuery, LogSource, Reading, StatusReading, StrategyRow, TaskId, TaskState, Utc,
    Written,
};
use crate::ops::emergency_stop::{Site, later};
use crate::ops::heartbeat::{FUTURE_MS, Pulse, judge};
use crate::ops::run::{FINISH_GRACE_MS, Opening, Run};
use crate::ops::seen::World;
use crate::ops::{Answer, News, Procedure, Query, Ticket, Want};
use crate::plan::{Approval, JournalRule, PlanDigest, Purpose, Settled, Step, digest};
use crate::report::{Report, millis, stamp};
use std::collections::BTreeSet;

/// The pause between two looks while something is awaited, and during a soak.
const POLL_MS: u64 = 250;
const SOAK_POLL_MS: u64 = 2_000;
/// How many of the last lines of the log are saved.
const LOG_LINES: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Everything that decides is read.
    Surveying,
    /// What may disappear is read and saved.
    Saving,
    /// Whoever holds its lease is seen to renew it, or not to.
    Proving,
    /// It is stopped, and its owner is awaited.
    Draining,
    /// It is set back, and its first beat is awaited.
    Beating,
    /// It beats, and is watched.
    Soaking,
    /// The last answers and the journal.
    Closing,
    Done,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It beats again, and did so all the time that it was watched.
    Recovered,
    /// It beat before anything was done.
    Well(String),
    /// A dry run.
    Planned,
    /// Something forbids it; nothing was changed.
    Refused(String),
    /// What must be known to plan could not be read; nothing was changed.
    Unread(String),
    /// It did not come to its end.
    Left(String),
    /// The deadline came first.
    Late(String),
}

/// When what was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) stopped_at: Option<Utc>,
    pub(super) drained_at: Option<Utc>,
    /// When the status was set back, by the platform's clock.
    pub(super) started_at: Option<Utc>,
    /// When a task that can run it was seen RUNNING after that.
    pub(super) running_at: Option<Utc>,
    pub(super) beat_at: Option<Utc>,
    pub(super) ended_at: Option<Utc>,
}

/// A recovery at work.
#[derive(Debug)]
pub struct Recover {
    pub(super) site: Site,
    pub(super) request: RecoverRequest,
    pub(super) run: Run,
    pub(super) world: World,
    pub(super) case: Option<Case>,
    /// The plan, in the order in which it is done.
    pub(super) steps: Vec<Step>,
    pub(super) digest: Option<PlanDigest>,
    pub(super) end: Option<End>,
    pub(super) times: Times,
    pub(super) acknowledged: bool,
    stage: Stage,
    waiting: BTreeSet<Query>,
    proving_since: Option<Utc>,
    next_look_at: Utc,
}

impl Recover {
    /// Starts a recovery. Without an approval it is a survey: it reads, plans and checks.
    pub fn new(site: Site, request: RecoverRequest, approval: Option<(Approval, &str)>) -> Self {
        let opening = Opening {
            run_id: &request.run_id,
            command: COMMAND,
            environment: &site.environment,
            actor: &request.actor,
            reason: &request.reason,
        };
        let run = Run::begin(Purpose::Recover, JournalRule::Required, &opening, approval);
        let world = World::of(&site);
        let mut recover = Self {
            next_look_at: request.started_at,
            site,
            request,
            run,
            world,
            case: None,
            steps: Vec::new(),
            digest: None,
            end: None,
            times: Times::default(),
            acknowledged: false,
            stage: Stage::Surveying,
            waiting: BTreeSet::new(),
            proving_since: None,
        };
        let queries = recover.survey();
        recover.ask(queries);
        recover
    }

    fn survey(&self) -> Vec<Query> {
        let has = &self.site.capabilities;
        let mut queries =
            vec![Query::Latch, Query::Strategies, Query::Leases, Query::Services, Query::Tasks];
        if has.positions {
            queries.extend([Query::Positions, Query::StoredOrders]);
        }
        for venue in &has.venues {
            queries.push(Query::VenueOrders(venue.clone()));
            queries.push(Query::VenuePositions(venue.clone()));
        }
        queries
    }

    fn ask(&mut self, queries: Vec<Query>) {
        for query in &queries {
            self.run.read(query.clone());
        }
        self.waiting = queries.into_iter().collect();
    }

    /// Everything that was asked for has been answered.
    fn answered(&mut self, now: Utc) {
        match self.stage {
            Stage::Surveying => self.plan(now),
            Stage::Saving => self.save(now),
            Stage::Proving => self.look_at_lease(now),
            Stage::Draining => self.look_at_owner(now),
            Stage::Beating => self.look_at_beat(now),
            Stage::Soaking => self.look_at_soak(now),
            Stage::Closing | Stage::Done => {}
        }
    }

    fn plan(&mut self, now: Utc) {
        let case = match plan::case(&self.site, &self.request, &self.world, now) {
            Ok(case) => case,
            Err(NoPlan::Well(why)) => return self.close(now, End::Well(why)),
            Err(NoPlan::Refused(why)) => return self.close(now, End::Refused(why)),
            Err(NoPlan::Unread(why)) => return self.close(now, End::Unread(why)),
        };
        let steps = plan::steps(&self.request, &case);
        self.digest = Some(digest(&steps));
        self.steps.clone_from(&steps);
        let service = LogSource::Service(case.service.clone());
        self.case = Some(case);
        if self.run.executor.is_dry() {
            self.run.append(steps);
            return self.close(now, End::Planned);
        }
        self.stage = Stage::Saving;
        let last = LogQuery { from: vec![service], limit: Some(LOG_LINES), ..LogQuery::default() };
        self.ask(vec![Query::Logs(last)]);
    }

    /// Evidence goes to the journal in front of the first intent.
    fn save(&mut self, now: Utc) {
        let Some(case) = &self.case else { return };
        let evidence = super::outcome::evidence(&self.request.strategy, &self.world);
        let saved = evidence.len() as u64;
        self.run.journal(evidence, true);
        self.run.tell("evidence", "", format!("{saved} readings saved"), false);
        if case.leased_until.is_some() {
            self.stage = Stage::Proving;
            self.proving_since = Some(now);
            return self.ask(vec![Query::Leases]);
        }
        self.begin(now);
    }

    /// An engine that froze a moment ago lets its lease run out just as one that lets go.
    /// They are told apart by whether it was renewed before the strategy is stopped.
    fn look_at_lease(&mut self, now: Utc) {
        let Some(case) = &mut self.case else { return };
        let until = case.leased_until;
        if let Some(Reading::Known { value, observed_at, .. }) = &self.world.leases {
            let lease = value.iter().find(|lease| lease.strategy == self.request.strategy);
            case.renewed = lease.map(|lease| lease.expires_at) > until;
            let over = lease.is_none_or(|lease| lease.expires_at <= *observed_at);
            if case.renewed || over {
                return self.begin(now);
            }
        }
        let since = self.proving_since.unwrap_or(now);
        if now >= later(since, self.site.timings.ack_wait_ms) {
            self.begin(now);
        }
    }

    /// The plan is begun.
    fn begin(&mut self, now: Utc) {
        let Some(case) = &self.case else { return };
        let steps = plan::steps(&self.request, case);
        self.run.append(steps);
        if let Some(complaint) = self.run.complaints.first() {
            let why = complaint.message.clone();
            self.run.executor.close("the plan was refused");
            return self.close(now, End::Refused(why));
        }
        self.stage = Stage::Draining;
        self.next_look_at = now;
    }

    fn settled(&self, id: &crate::plan::StepId) -> Option<&Settled> {
        self.run.executor.settled(id)
    }

    /// The end, if the answer of a step says that there is one.
    fn failed(&self) -> Option<End> {
        let ids = Ids::of(&self.request.strategy);
        let nothing_done = self.run.executor.is_idle() && !self.run.may_have_changed();
        if self.run.journal_fault.is_some() && nothing_done {
            let why = "the journal cannot be written, and without it nothing is changed";
            return Some(End::Refused(why.to_owned()));
        }
        for (id, what) in [(ids.stopped, "stopped"), (ids.started, "started")] {
            let Some(settled) = self.settled(&id).filter(|settled| !settled.stands()) else {
                continue;
            };
            let why = match settled {
                Settled::NotStarted { why, .. } => why.clone(),
                Settled::Answered(written) => crate::ops::run::describe(written),
            };
            let why = format!("{} was not {what}: {why}", self.request.strategy);
            let moved = matches!(settled, Settled::Answered(Written::Refused { .. }));
            let refused = moved && !self.run.changed_anything();
            return Some(if refused { End::Refused(why) } else { End::Left(why) });
        }
        self.undrained()
    }

    /// A task that could not be asked to stop. One whose answer is unknown is looked at.
    fn undrained(&self) -> Option<End> {
        let case = self.case.as_ref()?;
        let refused = |task: &&TaskId| match self.settled(&Ids::task(task)) {
            Some(Settled::Answered(written)) => {
                !written.stands() && !matches!(written, Written::Unknown { .. })
            }
            _ => false,
        };
        let task = case.tasks.iter().find(refused)?;
        Some(End::Left(format!("task {task}, which may trade it, could not be stopped")))
    }

    fn advance(&mut self, now: Utc) {
        if now >= self.request.deadline_at && self.end.is_none() {
            self.run.executor.cancel_waiting("the deadline passed");
            let why = format!("the deadline passed while {}", self.doing());
            self.close(now, End::Late(why));
        }
        match self.stage {
            Stage::Draining | Stage::Beating => {
                if let Some(end) = self.failed() {
                    self.run.executor.cancel_waiting("the recovery has ended");
                    return self.close(now, end);
                }
                self.note_progress(now);
                self.look_again(now, POLL_MS);
            }
            Stage::Proving if self.waiting.is_empty() && now >= self.next_look_at => {
                self.next_look_at = later(now, POLL_MS);
                self.ask(vec![Query::Leases]);
            }
            Stage::Soaking => self.look_again(now, SOAK_POLL_MS),
            Stage::Closing => {
                let grace = later(self.times.ended_at.unwrap_or(now), FINISH_GRACE_MS);
                if self.run.executor.is_dry() || now >= grace || self.run.all_told() {
                    self.stage = Stage::Done;
                }
            }
            Stage::Surveying | Stage::Saving | Stage::Proving | Stage::Done => {}
        }
    }

    fn doing(&self) -> &'static str {
        match self.stage {
            Stage::Surveying | Stage::Saving | Stage::Proving => "everything was read",
            Stage::Draining => "its owner was awaited",
            Stage::Beating => "its first beat was awaited",
            Stage::Soaking => "it was watched",
            Stage::Closing | Stage::Done => "it was ended",
        }
    }

    /// Moves on where steps have settled.
    fn note_progress(&mut self, now: Utc) {
        let ids = Ids::of(&self.request.strategy);
        let stops = self.run.executor.has(&ids.stopped);
        if !stops || self.settled(&ids.stopped).is_some_and(Settled::stands) {
            self.times.stopped_at.get_or_insert(now);
        }
        if self.stage == Stage::Draining && self.settled(&ids.started).is_some_and(Settled::stands)
        {
            let at = self.run.applied_at.get(&ids.started).copied();
            self.times.started_at = Some(at.unwrap_or(now));
            self.stage = Stage::Beating;
            self.run.tell("start", "", "set back; its first beat is awaited", false);
        }
    }

    fn look_again(&mut self, now: Utc, pause_ms: u64) {
        if self.waiting.is_empty() && now >= self.next_look_at && self.times.stopped_at.is_some() {
            self.next_look_at = later(now, pause_ms);
            self.ask(vec![Query::Latch, Query::Strategies, Query::Leases, Query::Tasks]);
        }
    }

    /// A stop that was engaged meanwhile takes precedence: what it covers stays as it is.
    fn held_meanwhile(&mut self, now: Utc) -> bool {
        let Some(row) = self.world.row(&self.request.strategy) else { return false };
        let Err(NoPlan::Refused(why)) = plan::held(&self.world, row) else { return false };
        self.run.executor.close("a stop holds it");
        self.close(now, End::Left(why));
        true
    }

    fn look_at_owner(&mut self, now: Utc) {
        if self.held_meanwhile(now) {
            return;
        }
        let Some(case) = self.case.clone() else { return };
        let stopped = Ids::of(&self.request.strategy).stopped;
        let fresh = !self.run.executor.has(&stopped)
            || [Query::Leases, Query::Tasks].iter().all(|it| self.run.asked_after(it, &stopped));
        if !fresh || self.times.drained_at.is_some() {
            return;
        }
        let (leased, alive) = (self.is_leased(), self.is_alive(&case));
        let let_go = case.renewed && leased == Some(false);
        let gone = leased == Some(false) && alive == Some(false);
        if let_go || gone {
            self.acknowledged = let_go && alive != Some(false);
            for task in &case.tasks {
                self.run.executor.skip(&Ids::task(task), "its owner let go of the strategy");
            }
            self.drained(now);
        } else if self.has_waited(&case, now) {
            self.run.executor.observed(UNACKNOWLEDGED);
        }
    }

    /// Nobody is waited for who cannot acknowledge.
    fn has_waited(&mut self, case: &Case, now: Utc) -> bool {
        let Some(since) = self.times.stopped_at else { return false };
        let able = case.renewed && self.site.acknowledges == Acknowledges::StopAck;
        let over = !able || now >= later(since, self.site.timings.ack_wait_ms);
        let asked = case.tasks.iter().any(|task| self.settled(&Ids::task(task)).is_some());
        if over && !asked {
            let message = "its owner did not let go: its task is stopped";
            self.run.tell("drain", "", message, false);
        }
        over
    }

    fn drained(&mut self, now: Utc) {
        self.times.drained_at = Some(now);
        let how = if self.acknowledged { "its owner let go of it" } else { "its task is STOPPED" };
        self.run.tell("drain", "", how, false);
        self.run.executor.observed(DRAINED);
    }

    /// Whether somebody holds its lease; unknown: nothing.
    fn is_leased(&self) -> Option<bool> {
        match self.world.leases.as_ref()? {
            Reading::Known { value, observed_at, .. } => Some(value.iter().any(|lease| {
                lease.strategy == self.request.strategy && lease.expires_at > *observed_at
            })),
            gap => gap.is_absent().then_some(false),
        }
    }

    /// Whether a task that may have run it is not seen STOPPED; unknown: nothing.
    fn is_alive(&self, case: &Case) -> Option<bool> {
        let tasks = self.world.tasks.as_ref()?.value()?;
        let alive = |id: &TaskId| {
            tasks.into_iter().any(|it| it.id == *id && it.state != TaskState::Stopped)
        };
        let any = case.tasks.iter().any(alive);
        (any || tasks.is_whole()).then_some(any)
    }

    fn look_at_beat(&mut self, now: Utc) {
        if self.held_meanwhile(now) {
            return;
        }
        let Some(case) = self.case.clone() else { return };
        let tasks = self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        let mut running = tasks.filter(|it| it.state == TaskState::Running);
        if running.any(|it| it.service.as_ref() == Some(&case.service)) {
            self.times.running_at.get_or_insert(now);
        } else {
            // It has ended again: the time to beat counts from when it next runs.
            self.times.running_at = None;
        }
        if let Some(beat) = self.fresh_beat() {
            self.times.beat_at = Some(beat);
            self.stage = Stage::Soaking;
            self.next_look_at = later(now, SOAK_POLL_MS);
            self.run.tell("beat", "", format!("beats again since {}", stamp(beat)), false);
            return self.end_soak_if_over(now);
        }
        let late = self.times.running_at.is_some_and(|at| now >= later(at, BEAT_WITHIN_MS));
        if late {
            let within = millis(i64::try_from(BEAT_WITHIN_MS).unwrap_or(i64::MAX));
            let why = format!("it was set back and has not beaten within {within} of RUNNING");
            self.close(now, End::Left(why));
        }
    }

    fn row(&self) -> Option<(&StrategyRow, Utc)> {
        let Some(Reading::Known { observed_at, .. }) = &self.world.strategies else { return None };
        Some((self.world.row(&self.request.strategy)?, *observed_at))
    }

    /// A beat that came after the strategy was set back, and not from the future.
    fn fresh_beat(&self) -> Option<Utc> {
        let (row, observed_at) = self.row()?;
        let beat = judge(row, observed_at, &self.site.timings);
        let at = *beat.last_heartbeat.value()?;
        let age = *beat.age_ms.value()?;
        let stale = i64::try_from(self.site.timings.heartbeat_stale_ms).unwrap_or(i64::MAX);
        (at > self.times.started_at? && (-FUTURE_MS..=stale).contains(&age)).then_some(at)
    }

    fn look_at_soak(&mut self, now: Utc) {
        if self.held_meanwhile(now) {
            return;
        }
        let trouble = self.row().and_then(|(row, observed_at)| {
            let beat = judge(row, observed_at, &self.site.timings);
            let active = matches!(row.status(), StatusReading::Known(it) if it.is_watched());
            let fine = active && matches!(beat.pulse, Pulse::Fresh | Pulse::Warming);
            (!fine).then(|| {
                let status = beat.status.value().map_or("?", String::as_str).to_owned();
                let why = beat.why.map(|why| format!(", {why}")).unwrap_or_default();
                format!("while it was watched: {}{why}, status {status}", beat.pulse.as_str())
            })
        });
        match trouble {
            Some(why) => self.close(now, End::Left(why)),
            None => self.end_soak_if_over(now),
        }
    }

    fn end_soak_if_over(&mut self, now: Utc) {
        let Some(beat_at) = self.times.beat_at else { return };
        let over_at = later(beat_at, self.request.soak_ms);
        let total_s = self.request.soak_ms / 1_000;
        let since = u64::try_from(now.duration_since(beat_at).as_millis()).unwrap_or(0);
        if now < over_at {
            self.run.count("soak", "beats", (since / 1_000).min(total_s), total_s);
            return;
        }
        // What could not be read at the end is not known to beat.
        if self.row().is_none() {
            let why = "at the end of the watch its row could not be read".to_owned();
            return self.close(now, End::Left(why));
        }
        if total_s > 0 {
            self.run.count("soak", "beats", total_s, total_s);
        }
        self.close(now, End::Recovered);
    }

    fn close(&mut self, now: Utc, end: End) {
        self.end = Some(end);
        self.times.ended_at = Some(now);
        self.stage = Stage::Closing;
    }
}

impl Procedure for Recover {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        self.advance(now);
        self.run.wants()
    }

    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        let Some(seen) = self.run.give(now, ticket, answer) else { return };
        let query = self.run.last_read().cloned();
        self.world.take(seen);
        if let Some(query) = query
            && self.waiting.remove(&query)
            && self.waiting.is_empty()
            && self.end.is_none()
        {
            self.answered(now);
        }
    }

    fn wake_at(&self) -> Option<Utc> {
        match self.stage {
            Stage::Done => None,
            Stage::Closing => Some(later(self.times.ended_at?, FINISH_GRACE_MS)),
            Stage::Surveying | Stage::Saving => Some(self.request.deadline_at),
            // The answer to the first write is awaited, and nothing is looked at.
            Stage::Draining if self.times.stopped_at.is_none() => Some(self.request.deadline_at),
            _ if self.waiting.is_empty() => Some(self.next_look_at.min(self.request.deadline_at)),
            _ => Some(self.request.deadline_at),
        }
    }

    fn interrupt(&mut self, now: Utc, why: &str) {
        if self.end.is_none() {
            self.run.executor.close(why);
            self.close(now, End::Left(why.to_owned()));
        }
    }

    fn news(&mut self) -> Vec<News> {
        self.run.take_news()
    }

    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        (self.stage == Stage::Done).then(|| self.report())
    }
}
