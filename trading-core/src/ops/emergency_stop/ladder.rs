//! The procedure itself: what is wanted now, and what follows from each answer.

use super::judge::Verdict;
use super::pages::{self, Desk};
use super::{Request, Site};
use crate::journal::Entry;
use crate::model::{
    Acknowledges, Latch, Phase as HoldPhase, Reading, Service, ServiceName, StatusReading, StopId,
    Utc, Written,
};
use crate::ops::run::Run;
use crate::ops::seen::{Owner, World};
use crate::ops::{Answer, News, Procedure, Query, Ticket, Want};
use crate::plan::{Act, Approval, Executor, JournalRule, Purpose, Rung, Settled, Step, StepId};
use crate::report::Report;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// How long the other rungs wait for the latch before they start without it.
const LATCH_PATIENCE_MS: u64 = 2_000;
/// The first and the longest pause between two rounds of reads that found something.
const POLL_MS: (u64, u64) = (100, 2_000);
/// How long a service may stand at 0 before we stop its tasks ourselves.
const SCHEDULER_GRACE_MS: u64 = 3_000;
/// How long notifying and closing may take beyond the deadline.
const FINISH_GRACE_MS: u64 = 3_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The latch is being read and written.
    Latching,
    /// Everything is read and brought to rest, round after round.
    Climbing,
    /// The outcome is known and is being made known.
    Finishing,
    /// There is nothing left to do.
    Done,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Halted,
    Partial,
    Unknown,
    /// A dry run.
    Planned,
    /// Nothing of the system exists.
    Nowhere,
}

/// A round of reads.
#[derive(Debug)]
struct Round {
    started_at: Utc,
    waiting: BTreeSet<Query>,
}

/// Times that the outcome tells, by the clock of the machine that runs this, but for
/// `latched_at`, which is the platform's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) latch_settled_at: Option<Utc>,
    pub(super) latched_at: Option<Utc>,
    pub(super) lowered_at: Option<Utc>,
    pub(super) ended_at: Option<Utc>,
    pub(super) waited: SignedDuration,
    idle_since: Option<Utc>,
}

/// An emergency stop at work.
#[derive(Debug)]
pub struct EmergencyStop {
    pub(super) site: Site,
    pub(super) request: Request,
    pub(super) stop_id: StopId,
    pub(super) continued: bool,
    pub(super) run: Run,
    pub(super) world: World,
    pub(super) verdict: Verdict,
    pub(super) word: Option<Word>,
    pub(super) times: Times,
    pub(super) reactivated: BTreeSet<String>,
    /// Rows in scope whose status was not understood, and why.
    pub(super) unparsed: BTreeMap<String, String>,
    pub(super) interrupted: bool,
    stage: Stage,
    /// The phase of the hold when it was first seen.
    found_phase: Option<HoldPhase>,
    round: Option<Round>,
    rounds: u32,
    next_round_at: Utc,
    poll_ms: u64,
    first_clean_at: Option<Utc>,
    zero_since: BTreeMap<ServiceName, Utc>,
}

impl EmergencyStop {
    /// Starts a stop. Without an approval it is a dry run: it reads, plans and checks.
    pub fn new(site: Site, request: Request, approval: Option<(Approval, &str)>) -> Self {
        let mut entries = vec![Entry::Opened {
            run_id: request.run_id.clone(),
            command: "emergency-stop".to_owned(),
            environment: site.environment.clone(),
            actor: request.actor.clone(),
            reason: request.reason.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }];
        let run_id = request.run_id.clone();
        let executor = match approval {
            Some((approval, how)) => {
                let binding = approval.binding().clone();
                entries.push(Entry::Approved { binding, how: how.to_owned() });
                Executor::live(Purpose::Stop, JournalRule::GoOnWithout, run_id, approval)
            }
            None => Executor::dry(Purpose::Stop, run_id),
        };
        let mut run = Run::new(executor);
        if !run.executor.is_dry() {
            run.journal(entries, false);
        }
        if site.capabilities.strategies {
            run.read(Query::Latch);
        }
        Self {
            stop_id: request.stop_id.clone(),
            next_round_at: request.started_at,
            site,
            request,
            continued: false,
            run,
            world: World::default(),
            verdict: Verdict::default(),
            word: None,
            times: Times::default(),
            reactivated: BTreeSet::new(),
            unparsed: BTreeMap::new(),
            interrupted: false,
            stage: Stage::Latching,
            found_phase: None,
            round: None,
            rounds: 0,
            poll_ms: POLL_MS.0,
            first_clean_at: None,
            zero_since: BTreeMap::new(),
        }
    }

    pub(super) fn desk(&self, now: Utc) -> Desk<'_> {
        Desk {
            site: &self.site,
            request: &self.request,
            stop_id: &self.stop_id,
            world: &self.world,
            run: &self.run,
            now,
        }
    }

    fn advance(&mut self, now: Utc) {
        if now >= self.request.deadline_at && self.word.is_none() {
            self.run.executor.cancel_waiting("the deadline passed");
            self.finish(now, None);
        }
        match self.stage {
            Stage::Latching if self.latch_has_settled(now) => self.climb(now),
            Stage::Latching if self.lost_the_race() => self.run.read(Query::Latch),
            Stage::Climbing => self.climbing(now),
            Stage::Finishing => {
                let grace = later(self.request.deadline_at, FINISH_GRACE_MS);
                if self.run.executor.is_dry() || now >= grace || self.all_told() {
                    self.stage = Stage::Done;
                    self.times.ended_at.get_or_insert(now);
                }
            }
            Stage::Latching | Stage::Done => {}
        }
    }

    /// Every act has its answer, and every answer stands in the journal.
    fn all_told(&mut self) -> bool {
        if !self.run.is_idle() {
            return false;
        }
        let rest = self.run.executor.drain_entries();
        let told = rest.is_empty();
        if !told {
            self.run.journal(rest, false);
        }
        told
    }

    /// Somebody else wrote the latch between our read and our write: what they wrote decides
    /// whose stop this is, so it is read again before anything is recorded under our id.
    fn lost_the_race(&self) -> bool {
        let attempts = self.run.executor.steps().filter(|(step, _)| step.rung == Rung::Latch);
        let refused = |(_, settled): &(&Step, Option<&Settled>)| {
            matches!(settled, Some(Settled::Answered(Written::Refused { .. })))
        };
        let attempts: Vec<_> = attempts.collect();
        !attempts.is_empty() && attempts.iter().all(refused)
    }

    fn latch_has_settled(&self, now: Utc) -> bool {
        let no_latch = !self.site.capabilities.strategies;
        let read = self.world.latch.is_some()
            && self.run.executor.is_rung_idle(Rung::Latch)
            && (self.continued || !self.lost_the_race());
        let planned = self.run.executor.is_dry() && self.world.latch.is_some();
        no_latch || read || planned || now >= later(self.request.started_at, LATCH_PATIENCE_MS)
    }

    /// From here on the stop's id is fixed, and the other rungs run.
    fn climb(&mut self, now: Utc) {
        self.stage = Stage::Climbing;
        self.times.latch_settled_at = Some(now);
        self.run.executor.works_on(self.stop_id.clone());
        let entry = Entry::Stop { stop_id: self.stop_id.clone(), continued: self.continued };
        self.run.executor.note(entry);
        if self.found_phase != Some(HoldPhase::Held) {
            let subject = format!("[{}] emergency stop: stopping", self.site.environment);
            let page = vec![self.notice("stopping", subject, self.request.reason.clone())];
            self.run.append(page);
        }
        if self.continued {
            self.run.read(Query::RestoreChunks(self.stop_id.clone()));
        }
        self.start_round(now);
    }

    pub(super) fn notice(&self, what: &str, subject: String, body: String) -> Step {
        let message_id = format!("{}/{what}", self.stop_id);
        Step::new(
            StepId::new(format!("notify/{what}")),
            Rung::Notify,
            "people have to know",
            Act::Notify { message_id, subject, body },
        )
    }

    fn climbing(&mut self, now: Utc) {
        if self.times.lowered_at.is_none() && self.may_lower(now) {
            self.lower(now);
        }
        if self.round.is_none() && now >= self.next_round_at && self.run.executor.is_idle() {
            self.start_round(now);
        }
        match (self.run.executor.is_idle() && self.rounds > 0, self.times.idle_since) {
            (true, None) => self.times.idle_since = Some(now),
            (false, Some(since)) => {
                self.times.waited += now.duration_since(since);
                self.times.idle_since = None;
            }
            _ => {}
        }
    }

    fn start_round(&mut self, now: Utc) {
        let mut queries = vec![Query::Services, Query::Tasks, Query::Schedules];
        if self.site.capabilities.strategies {
            queries.extend([Query::Latch, Query::Strategies, Query::Leases]);
        }
        if self.site.capabilities.positions {
            queries.push(Query::Positions);
        }
        for venue in &self.site.capabilities.venues {
            queries.push(Query::VenueOrders(venue.clone()));
            queries.push(Query::VenuePositions(venue.clone()));
        }
        for query in &queries {
            self.run.read(query.clone());
        }
        self.round = Some(Round { started_at: now, waiting: queries.into_iter().collect() });
    }

    /// Plans for what an answer showed.
    fn plan_for(&mut self, query: &Query, now: Utc) {
        if self.word.is_some() {
            return;
        }
        let page = match query {
            Query::Latch => self.plan_latch(now),
            Query::Strategies => {
                self.note_unparsed(now);
                self.note_reactivated(now);
                self.desk(now).strategies()
            }
            Query::Schedules => self.desk(now).schedules(),
            Query::VenueOrders(venue) => {
                let mut page = self.desk(now).orders(venue);
                page.extend(self.flatten_beside(&page, now));
                page
            }
            Query::VenuePositions(_) => self.flatten_beside(&[], now),
            Query::Services | Query::Tasks => {
                self.note_zeroes(now);
                let lowered = self.times.lowered_at.is_some();
                if lowered { self.compute_page(now) } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        self.append(page);
    }

    /// The steps that flatten, without those that a page has already.
    fn flatten_beside(&self, page: &[Step], now: Utc) -> Vec<Step> {
        let mut steps = self.desk(now).flatten();
        steps.retain(|step| !page.iter().any(|other| other.id == step.id));
        steps
    }

    fn append(&mut self, page: Vec<Step>) {
        if page.is_empty() {
            return;
        }
        for step in &page {
            if let Act::SetStatus(write) = &step.act {
                self.world.touched.insert(write.strategy.clone());
            }
        }
        self.first_clean_at = None;
        self.run.append(page);
    }

    fn plan_latch(&mut self, now: Utc) -> Vec<Step> {
        let Some(latch) = self.world.latch.as_ref().and_then(Reading::value).cloned() else {
            return Vec::new();
        };
        if self.stage == Stage::Latching && self.found_phase.is_none() {
            self.adopt(&latch);
        }
        let Some(id) = self.run.attempt("latch", &Query::Latch) else { return Vec::new() };
        let step = pages::latch_step(id, &latch, &self.request, &self.stop_id);
        if step.is_none() {
            self.times.latch_settled_at.get_or_insert(now);
        }
        step.into_iter().collect()
    }

    /// A hold of the same scope is the same stop: whoever comes second continues it.
    fn adopt(&mut self, latch: &Latch) {
        let same = latch.holds.iter().find(|hold| hold.scope == self.request.scope);
        if let Some(hold) = same {
            self.stop_id = hold.stop_id.clone();
            self.continued = true;
            self.found_phase = Some(hold.phase.clone());
            self.times.latched_at = Some(hold.at);
            let message = format!("continues stop {} of {}", hold.stop_id, hold.actor);
            self.run.tell("latch", "latch", message, false);
        }
    }

    /// What is not understood is stopped like the rest, and named.
    fn note_unparsed(&mut self, now: Utc) {
        let desk = self.desk(now);
        let odd: Vec<(String, String)> = self
            .world
            .rows()
            .iter()
            .filter(|row| desk.covers(row))
            .filter_map(|row| match row.status() {
                StatusReading::Unparsed(error) => Some((row.id.to_string(), error.to_string())),
                StatusReading::Known(_) => None,
            })
            .collect();
        for (id, why) in odd {
            self.unparsed.entry(id).or_insert(why);
        }
    }

    fn note_reactivated(&mut self, now: Utc) {
        let desk = self.desk(now);
        let active = self.world.rows().iter().filter(|row| !row.status().is_at_rest());
        let again: Vec<String> = active
            .filter(|row| {
                let base = pages::strategy_step(row);
                let fresh = self.run.asked_after(&Query::Strategies, &StepId::new(base.clone()));
                desk.covers(row) && self.run.stood_before(&base) && fresh
            })
            .map(|row| row.id.to_string())
            .collect();
        for id in again {
            if self.reactivated.insert(id.clone()) {
                self.run.tell("strategies", id, "turned active again", true);
            }
        }
    }

    fn note_zeroes(&mut self, now: Utc) {
        let services = self.world.services.as_ref().and_then(Reading::value);
        for service in services.into_iter().flatten() {
            if service.desired_count == 0 {
                self.zero_since.entry(service.name.clone()).or_insert(now);
            } else {
                self.zero_since.remove(&service.name);
            }
        }
    }

    fn compute_page(&self, now: Utc) -> Vec<Step> {
        let zero_for_long = |service: &Service| {
            let since = self.zero_since.get(&service.name);
            since.is_some_and(|since| now >= later(*since, SCHEDULER_GRACE_MS))
        };
        self.desk(now).compute(&zero_for_long)
    }

    /// Compute may go to 0: nobody acknowledges here, or everybody has, or has had the time.
    fn may_lower(&self, now: Utc) -> bool {
        if !self.desk(now).lowers_compute() {
            return false;
        }
        let no_acks = self.site.acknowledges == Acknowledges::None
            || !self.site.capabilities.strategies
            || self.run.executor.is_dry();
        no_acks || now >= self.ack_deadline() || self.all_quiet(now)
    }

    fn all_quiet(&self, now: Utc) -> bool {
        let known = self.world.strategies.as_ref().is_some_and(|it| it.value().is_some());
        let idle = [Rung::Strategies, Rung::Positions]
            .into_iter()
            .all(|rung| self.run.executor.is_rung_idle(rung));
        let desk = self.desk(now);
        let mut ours = self.world.rows().iter().filter(|row| desk.covers(row));
        known
            && idle
            && self.rounds > 0
            && ours.all(|row| {
                let touched = self.world.touched.contains(&row.id);
                let owner = self.world.owner(&self.site, row, &self.stop_id, now);
                !touched || matches!(owner, Owner::Acknowledged | Owner::Gone)
            })
            && (!self.request.flatten || desk.flatten().is_empty())
    }

    /// Until when acknowledgements are waited for; early enough for compute to be attempted
    /// before the deadline.
    fn ack_deadline(&self) -> Utc {
        let from = self.times.latch_settled_at.unwrap_or(self.request.started_at);
        let whole = self.request.deadline_at.duration_since(self.request.started_at);
        let reserve = self.request.started_at.saturating_add(whole * 3 / 4);
        let reserve = reserve.unwrap_or(self.request.deadline_at);
        later(from, self.site.timings.ack_wait_ms).min(reserve)
    }

    fn lower(&mut self, now: Utc) {
        self.times.lowered_at = Some(now);
        // What was awaited has come; what is awaited now is short.
        self.poll_ms = POLL_MS.0;
        self.note_zeroes(now);
        let page = self.compute_page(now);
        self.append(page);
    }

    fn end_round(&mut self, started_at: Utc, now: Utc) {
        self.rounds += 1;
        if self.run.executor.is_dry() {
            // Planned from one complete read, in the order in which it would be done.
            if self.may_lower(now) {
                self.lower(now);
            }
            self.verdict = self.desk(now).judge();
            self.finish(now, Some(Word::Planned));
            return;
        }
        let fresh = self.run.asked_after_all(&Query::Services) && self.run.executor.is_idle();
        let pending_lower = self.times.lowered_at.is_none() && self.desk(now).lowers_compute();
        self.verdict = self.desk(now).judge();
        if self.is_nowhere() {
            self.finish(now, Some(Word::Nowhere));
            return;
        }
        if !fresh || pending_lower || !self.verdict.is_clean() {
            self.first_clean_at = None;
            self.next_round_at = later(now, self.poll_ms);
            self.poll_ms = (self.poll_ms * 3 / 2).min(POLL_MS.1);
            return;
        }
        let gap = self.site.timings.reread_gap_ms;
        match self.first_clean_at {
            Some(first) if started_at >= later(first, gap) => self.finish(now, Some(Word::Halted)),
            Some(first) => self.next_round_at = later(first, gap),
            None => {
                self.first_clean_at = Some(now);
                self.next_round_at = later(now, gap);
            }
        }
    }

    /// Neither a cluster nor a strategies' table: this is not the system that was meant.
    fn is_nowhere(&self) -> bool {
        let no_cluster = self.world.services.as_ref().is_some_and(Reading::is_absent);
        let no_table = !self.site.capabilities.strategies
            || self.world.strategies.as_ref().is_some_and(Reading::is_absent);
        no_cluster && no_table
    }

    /// The outcome is decided; people and the latch are told.
    fn finish(&mut self, now: Utc, word: Option<Word>) {
        self.stage = Stage::Finishing;
        self.round = None;
        if let Some(since) = self.times.idle_since.take() {
            self.times.waited += now.duration_since(since);
        }
        let word = word.unwrap_or_else(|| self.unfinished_word(now));
        self.word = Some(word);
        if matches!(word, Word::Planned | Word::Nowhere) {
            return;
        }
        let since = self.times.latched_at.unwrap_or(self.request.started_at);
        for venue in self.site.capabilities.venues.clone() {
            self.run.read(Query::Receipts(venue, since));
        }
        let mut page: Vec<Step> = self.held_step(word).into_iter().collect();
        let subject = format!("[{}] emergency stop: {}", self.site.environment, word.as_str());
        page.push(self.notice("outcome", subject, self.outcome_body()));
        self.run.append(page);
    }

    /// PARTIAL wins over UNKNOWN; what never got to a whole round is judged as it stands.
    fn unfinished_word(&mut self, now: Utc) -> Word {
        self.verdict = self.desk(now).judge();
        if self.verdict.trading.is_empty() { Word::Unknown } else { Word::Partial }
    }

    /// The hold's phase becomes `held` once the stop was seen complete.
    fn held_step(&self, word: Word) -> Option<Step> {
        let latch = self.world.latch.as_ref()?.value()?;
        let hold = latch.hold(&self.stop_id)?;
        if word != Word::Halted || hold.phase == HoldPhase::Held {
            return None;
        }
        let mut holds = latch.holds.clone();
        holds.iter_mut().filter(|it| it.stop_id == self.stop_id).for_each(|it| {
            it.phase = HoldPhase::Held;
        });
        Some(Step::new(
            StepId::new("latch/held"),
            Rung::Latch,
            "the stop was seen complete",
            Act::WriteLatch { expected_epoch: latch.epoch, latch: latch.next(holds) },
        ))
    }
}

impl Procedure for EmergencyStop {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        self.advance(now);
        self.run.wants()
    }

    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        let seen = self.run.give(now, ticket, answer);
        if self.times.latched_at.is_none() {
            let mut latched = self.run.applied_at.iter();
            let latched = latched.find(|(id, _)| id.as_str().starts_with("latch"));
            self.times.latched_at = latched.map(|(_, at)| *at);
        }
        let Some(seen) = seen else { return };
        let Some(query) = self.run.last_read().cloned() else { return };
        self.world.take(seen);
        self.plan_for(&query, now);
        let Some(round) = &mut self.round else { return };
        round.waiting.remove(&query);
        if round.waiting.is_empty() {
            let started_at = round.started_at;
            self.round = None;
            self.end_round(started_at, now);
        }
    }

    fn wake_at(&self) -> Option<Utc> {
        match self.stage {
            Stage::Latching => Some(later(self.request.started_at, LATCH_PATIENCE_MS)),
            Stage::Climbing => {
                let mut at = self.request.deadline_at;
                if self.round.is_none() {
                    at = at.min(self.next_round_at);
                }
                if self.times.lowered_at.is_none() && self.desk(self.next_round_at).lowers_compute()
                {
                    at = at.min(self.ack_deadline());
                }
                Some(at)
            }
            Stage::Finishing => Some(later(self.request.deadline_at, FINISH_GRACE_MS)),
            Stage::Done => None,
        }
    }

    fn interrupt(&mut self, now: Utc) {
        if self.word.is_none() {
            self.interrupted = true;
            self.finish(now, None);
            self.run.executor.close("interrupted by the operator");
        }
    }

    fn news(&mut self) -> Vec<News> {
        self.run.take_news()
    }

    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        (self.stage == Stage::Done).then(|| self.report())
    }
}

impl Word {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Halted => "HALTED",
            Self::Partial => "PARTIAL",
            Self::Unknown => "UNKNOWN",
            Self::Planned => "planned",
            Self::Nowhere => "not deployed",
        }
    }
}

/// A time so many milliseconds later; the end of time if there is none.
pub(crate) fn later(at: Utc, ms: u64) -> Utc {
    let span = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    at.saturating_add(span).unwrap_or(Utc::MAX)
}
