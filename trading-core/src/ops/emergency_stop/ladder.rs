//! The procedure itself: what is wanted now, and what follows from each answer.

use super::climb::RESUME_UNDER_WAY;
use super::held::HELD;
use super::orphans::Orphans;
use super::pages::Desk;
use super::rounds::Round;
use super::times::Times;
use super::verdict::Verdict;
use super::{Request, Site};
use crate::journal::Entry;
use crate::model::{
    Hold, Phase as HoldPhase, Reading, ServiceName, StopId, StrategyId, Utc, Written,
};
use crate::ops::resume::IN_FLIGHT_MS;
use crate::ops::run::{FINISH_GRACE_MS, Opening, Run};
use crate::ops::seen::World;
use crate::ops::{Answer, News, Procedure, Query, Seen, Ticket, Want};
use crate::plan::{Act, Approval, JournalRule, Purpose, Rung, Settled, Step, StepId};
use crate::report::{Report, stamp};
use std::collections::{BTreeMap, BTreeSet};

/// The first and the longest pause between two rounds of reads that found something.
pub(super) const POLL_MS: (u64, u64) = (100, 2_000);
/// How long a service may stand at 0 before we stop its tasks ourselves.
pub(super) const SCHEDULER_GRACE_MS: u64 = 3_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
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

/// An emergency stop at work.
#[derive(Debug)]
pub struct EmergencyStop {
    pub(super) site: Site,
    pub(super) request: Request,
    pub(super) stop_id: StopId,
    pub(super) continued: bool,
    /// How often the stop that was worked on was resumed meanwhile.
    pub(super) partings: u32,
    /// What was known to be done when the last answer was asked for in which the latch named
    /// this stop.
    pub(super) done_when_named: Option<BTreeSet<StepId>>,
    /// Steps whose answers were lost and whose effect was seen before this round.
    pub(super) seen_done: BTreeSet<StepId>,
    pub(super) run: Run,
    pub(super) world: World,
    pub(super) verdict: Verdict,
    pub(super) word: Option<Word>,
    /// Why the latch could not be read that was written over.
    pub(super) written_over: Option<String>,
    /// The hold as it was seen when the word was said.
    pub(super) proved_hold: Option<Hold>,
    pub(super) times: Times,
    pub(super) reactivated: BTreeSet<String>,
    /// Rows in scope whose status was not understood, and why.
    pub(super) unparsed: BTreeMap<String, String>,
    /// The strategies of the first read.
    pub(super) first_rows: Option<BTreeSet<StrategyId>>,
    /// Strategies that were not among them.
    pub(super) appeared: BTreeSet<String>,
    pub(super) orphans: Orphans,
    pub(super) interrupted: bool,
    pub(super) stage: Stage,
    /// When it was first at work: later than its start where others were asked before.
    pub(super) begun_at: Option<Utc>,
    /// The phase of the hold when it was first seen.
    pub(super) found_phase: Option<HoldPhase>,
    pub(super) round: Option<Round>,
    pub(super) rounds: u32,
    pub(super) next_round_at: Utc,
    pub(super) poll_ms: u64,
    /// What the first of two complete reads said, and when.
    pub(super) first_word: Option<(Word, Utc)>,
    pub(super) zero_since: BTreeMap<ServiceName, Utc>,
}

impl EmergencyStop {
    /// Starts a stop. Without an approval it is a dry run: it reads, plans and checks.
    pub fn new(site: Site, request: Request, approval: Option<(Approval, &str)>) -> Self {
        let opening = Opening {
            run_id: &request.run_id,
            command: "emergency-stop",
            environment: &site.environment,
            actor: &request.actor,
            reason: &request.reason,
        };
        let mut run = Run::begin(Purpose::Stop, JournalRule::GoOnWithout, &opening, approval);
        if site.capabilities.strategies {
            run.read(Query::Latch);
        }
        let world = World::of(&site);
        Self {
            stop_id: request.stop_id.clone(),
            next_round_at: request.started_at,
            site,
            request,
            continued: false,
            partings: 0,
            done_when_named: None,
            seen_done: BTreeSet::new(),
            run,
            world,
            verdict: Verdict::default(),
            word: None,
            written_over: None,
            proved_hold: None,
            times: Times::default(),
            reactivated: BTreeSet::new(),
            unparsed: BTreeMap::new(),
            first_rows: None,
            appeared: BTreeSet::new(),
            orphans: Orphans::default(),
            interrupted: false,
            stage: Stage::Latching,
            begun_at: None,
            found_phase: None,
            round: None,
            rounds: 0,
            poll_ms: POLL_MS.0,
            first_word: None,
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
            had_its_time: now >= self.ack_deadline(),
            elsewhere: std::cell::OnceCell::new(),
        }
    }

    fn advance(&mut self, now: Utc) {
        self.begun_at.get_or_insert(now);
        if now >= self.request.deadline_at && self.word.is_none() {
            self.run.executor.cancel_waiting("the deadline passed");
            self.finish(now, None);
        }
        self.note(now);
        match self.stage {
            Stage::Latching if self.latch_has_settled(now) => self.climb(now),
            Stage::Latching if self.lost_the_race() => self.run.read(Query::Latch),
            Stage::Climbing => self.climbing(now),
            Stage::Finishing => {
                let grace = later(self.request.deadline_at, FINISH_GRACE_MS);
                self.run.note_void(now);
                self.hold_again(now);
                if self.run.executor.is_dry() || now >= grace || self.run.all_told() {
                    self.stage = Stage::Done;
                    self.times.ended_at.get_or_insert(now);
                }
            }
            Stage::Latching | Stage::Done => {}
        }
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
        no_latch || read || planned || now >= self.latch_deadline()
    }

    /// From here on the stop's id is fixed, and the other rungs run.
    fn climb(&mut self, now: Utc) {
        self.stage = Stage::Climbing;
        self.times.latch_settled_at = Some(now);
        self.work_on_it(now, false);
        if self.found_phase != Some(HoldPhase::Held) {
            self.tell_stopping();
        }
        self.start_round(now);
    }

    pub(super) fn tell_stopping(&mut self) {
        if self.site.capabilities.notices {
            let Request { level, reason, .. } = &self.request;
            let body = format!("stopping {}, {level}: {reason}", self.what());
            let page = vec![self.notice("stopping", self.subject("stopping"), body)];
            self.run.append(page);
        }
    }

    /// When a write of ours was committed by which the latch names this stop.
    fn latched_by_us(&self) -> Option<Utc> {
        let names_it = |step: &Step| matches!(&step.act, Act::WriteLatch { latch, .. } if latch.hold(&self.stop_id).is_some());
        let mut steps = self.run.executor.steps().filter(|(step, _)| names_it(step));
        steps.find_map(|(step, _)| self.run.applied_at.get(&step.id).copied())
    }

    /// What is recorded, journaled and acknowledged from here on is of this stop; another one that
    /// was worked on before was `resumed`, or is the same.
    pub(super) fn work_on_it(&mut self, now: Utc, resumed: bool) {
        // What does not count of what was recorded so far is told where that stands.
        self.run.note_void(now);
        self.note_unlatched(now);
        // What was done before the latch named it for the last time its resume has seen.
        let over = self.done_when_named.take().unwrap_or_default();
        self.run.works_on(self.stop_id.clone(), resumed.then_some(&over), now);
        let entry = Entry::Stop { stop_id: self.stop_id.clone(), continued: self.continued };
        self.run.executor.note(entry);
    }

    /// The line by which people see what came, and of what.
    fn subject(&self, what: &str) -> String {
        let of = match &self.request.scope {
            crate::model::Scope::All => String::new(),
            part => format!(" of {part}"),
        };
        format!("[{}] emergency stop{of}: {what}", self.site.environment)
    }

    pub(super) fn notice(&self, what: &str, subject: String, body: String) -> Step {
        let message_id = format!("{}/{what}", self.stop_id);
        // Of a stop that goes on as another one people are told once more.
        let id = match self.partings {
            0 => format!("notify/{what}"),
            partings => format!("notify/{what}#{}", partings + 1),
        };
        Step::new(
            StepId::new(id),
            Rung::Notify,
            "people have to know",
            Act::Notify { message_id, subject, body },
        )
    }

    fn climbing(&mut self, now: Utc) {
        self.plan_deferred(now);
        // A dry run plans from one complete read, at its end.
        if !self.run.executor.is_dry() && self.may_still_lower(now) && self.is_ack_over(now) {
            self.lower(now);
        }
        self.go_round(now);
        let idle = self.round.is_none() && self.run.executor.is_idle();
        self.times.set_idle(idle, now);
        if idle && !self.run.executor.is_dry() {
            // Whoever waits for others writes down meanwhile what he has done: should this die
            // now, the journal tells of it.
            self.run.note_void(now);
            self.run.tell_answers();
        }
    }

    pub(super) fn may_still_lower(&self, now: Utc) -> bool {
        self.times.lowered_at.is_none() && self.desk(now).lowers_compute()
    }

    pub(super) fn end_round(&mut self, round: &Round, now: Utc) {
        self.rounds += 1;
        self.adopt_orphans(now);
        if self.run.executor.is_dry() {
            // Planned from one complete read, in the order in which it would be done: what one
            // answer tells may depend on another one.
            self.plan_for(&Query::Strategies, now);
            self.plan_for(&Query::Schedules, now);
            if self.may_still_lower(now) {
                self.lower(now);
            }
            self.verdict = self.desk(now).judge();
            // Where the stop itself would be refused, there is no plan either.
            let word = if self.is_nowhere() { Word::Nowhere } else { Word::Planned };
            self.finish(now, Some(word));
            return;
        }
        self.lower_if_quiet(now);
        // Whether people could be told proves nothing.
        let idle = self.run.executor.is_idle_beside(Rung::Notify);
        let fresh = idle && round.queries().all(|it| self.run.asked_after_all(it));
        let pending_lower = self.may_still_lower(now);
        self.verdict = self.desk(now).judge();
        if self.is_nowhere() {
            self.finish(now, Some(Word::Nowhere));
            return;
        }
        let Some(word) = self.verdict.word().filter(|_| fresh && !pending_lower) else {
            self.first_word = None;
            self.next_round_at = later(now, self.poll_ms);
            self.poll_ms = (self.poll_ms * 3 / 2).min(POLL_MS.1);
            return;
        };
        let gap = self.site.timings.reread_gap_ms;
        match self.first_word.filter(|(first, _)| *first == word) {
            Some(_) if self.times.resumed_until.is_some_and(|until| round.started_at() < until) => {
                self.next_round_at = later(now, gap);
            }
            Some((_, at)) if round.started_at() >= later(at, gap) => self.finish(now, Some(word)),
            Some((_, at)) => self.next_round_at = later(at, gap),
            None => {
                self.first_word = Some((word, now));
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
        self.times.set_idle(false, now);
        let word = word.unwrap_or_else(|| self.unfinished_word(now));
        self.word = Some(word);
        self.times.proved_at = Some(now);
        let latch = self.newest_latch();
        self.proved_hold = latch.and_then(|it| it.hold(&self.stop_id)).cloned();
        if matches!(word, Word::Planned | Word::Nowhere) {
            return;
        }
        let since = self.times.latched_at.unwrap_or(self.request.started_at);
        for venue in self.site.capabilities.venues.clone() {
            self.run.read(Query::Receipts(venue, since));
        }
        let mut page: Vec<Step> =
            self.held_step(StepId::new(HELD), word, now).into_iter().collect();
        let subject = self.subject(word.as_str());
        if self.site.capabilities.notices {
            page.push(self.notice("outcome", subject, self.outcome_body()));
        }
        self.run.append(page);
    }

    /// PARTIAL wins over UNKNOWN; what never got to a whole round is judged as it stands.
    fn unfinished_word(&mut self, now: Utc) -> Word {
        self.verdict = self.desk(now).judge();
        if self.interrupted {
            self.verdict.unknown("latch", "the stop", "it was interrupted before its proof");
        }
        if let Some(until) = self.times.resumed_until.filter(|until| now < *until) {
            let message = format!("{RESUME_UNDER_WAY} until {}", stamp(until));
            self.verdict.unknown("latch", "a resume", message);
        }
        if self.verdict.trading.is_empty() && self.verdict.unknown.is_empty() {
            let why = "its deadline passed before two complete reads that agree";
            self.verdict.unknown("latch", "the stop", why);
        }
        if self.verdict.trading.is_empty() { Word::Unknown } else { Word::Partial }
    }
}

impl Procedure for EmergencyStop {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        self.advance(now);
        self.run.wants()
    }

    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        let acted = matches!(answer, Answer::Acted(_));
        let is_latch = |(id, _): &(StepId, _)| id.as_str().starts_with("latch");
        let writes_latch = matches!(&answer, Answer::Acted(it) if it.iter().any(is_latch));
        if writes_latch && std::mem::take(&mut self.times.overtakes) {
            // A resume goes on until it sees what was written just now.
            self.times.resumed_until =
                self.times.resumed_until.map(|until| until.max(later(now, IN_FLIGHT_MS)));
        }
        let seen = self.run.give(now, ticket, answer);
        let idle = self.run.executor.is_idle_beside(Rung::Notify);
        if acted && self.stage == Stage::Climbing && idle {
            self.lower_if_quiet(now);
        }
        if self.times.latched_at.is_none() {
            self.times.latched_at = self.latched_by_us();
            if self.times.latched_at.is_some() {
                self.note_unlatched(now);
            }
        }
        let Some(seen) = seen else { return };
        let Some(query) = self.run.last_read().cloned() else { return };
        if let Seen::RestoreChunks(Reading::Known { value, .. }) = &seen {
            value.iter().for_each(|chunk| self.run.executor.follows(chunk.at));
        }
        self.world.take(seen);
        for query in self.due(query.clone(), now) {
            self.plan_for(&query, now);
        }
        self.count_answer(&query, now);
    }

    fn wake_at(&self) -> Option<Utc> {
        match self.stage {
            Stage::Latching => Some(self.latch_deadline()),
            Stage::Climbing => {
                let mut at = self.request.deadline_at;
                at = self.note_deadline().map_or(at, |note| note.min(at));
                at = at.min(self.round_wake_at());
                if !self.run.executor.is_dry() && self.may_still_lower(self.next_round_at) {
                    at = at.min(self.ack_deadline());
                }
                Some(at)
            }
            Stage::Finishing => Some(later(self.request.deadline_at, FINISH_GRACE_MS)),
            Stage::Done => None,
        }
    }

    fn interrupt(&mut self, now: Utc, why: &str) {
        if self.word.is_none() {
            self.interrupted = true;
            self.finish(now, None);
            self.run.executor.close(why);
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
    let span = jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    at.saturating_add(span).unwrap_or(Utc::MAX)
}
