//! A round of reads: everything is asked for at once, and each answer is planned from when it
//! comes. The round ends when all of it was answered.

use super::EmergencyStop;
use super::ladder::later;
use crate::model::Utc;
use crate::ops::Query;
use crate::plan::Rung;
use std::collections::BTreeSet;

/// How long the other rungs wait for the latch before they start without it.
const LATCH_PATIENCE_MS: u64 = 2_000;
/// How long reads wait for acts that have not been answered: one that hangs must not keep the
/// others' outcome from being seen.
const ACT_PATIENCE_MS: u64 = 500;
/// After which time what was answered is asked for once more while something else hangs: what is
/// to be tried again must not wait for it. Then after twice as long, so that what is slow and
/// not dead gets no more than a few questions on top.
const AGAIN_MS: u64 = 5_000;

/// A round of reads.
#[derive(Debug)]
pub(super) struct Round {
    started_at: Utc,
    /// When something of it was asked for last.
    asked_at: Utc,
    /// What has not been answered in this round.
    waiting: BTreeSet<Query>,
    /// What has been.
    answered: BTreeSet<Query>,
    /// What was asked for once more, and not answered yet.
    again: BTreeSet<Query>,
    again_at: Utc,
    again_ms: u64,
    /// What was answered before the latch was.
    deferred: Vec<Query>,
    /// How many steps were planned before it.
    planned: usize,
}

impl Round {
    pub(super) fn started_at(&self) -> Utc {
        self.started_at
    }

    /// All that was asked for, once all of it was answered.
    pub(super) fn queries(&self) -> impl Iterator<Item = &Query> {
        self.answered.iter()
    }

    fn latch_due_at(&self) -> Utc {
        later(self.asked_at, LATCH_PATIENCE_MS)
    }

    fn awaits_latch(&self) -> bool {
        self.waiting.contains(&Query::Latch) || self.again.contains(&Query::Latch)
    }

    /// What is due to be asked for once more: only what acts are planned from.
    fn due_again(&mut self, now: Utc) -> Vec<Query> {
        if now < self.again_at || self.waiting.is_empty() {
            return Vec::new();
        }
        self.asked_at = now;
        self.again_ms = self.again_ms.saturating_mul(2);
        self.again_at = later(now, self.again_ms);
        let plans = |query: &&Query| {
            matches!(
                query,
                Query::Latch
                    | Query::Strategies
                    | Query::Schedules
                    | Query::Services
                    | Query::Tasks
                    | Query::VenueOrders(_)
                    | Query::VenuePositions(_)
            )
        };
        let due: Vec<Query> = self.answered.iter().filter(plans).cloned().collect();
        self.again.extend(due.iter().cloned());
        due
    }

    /// Takes note of an answer; whether it was the last one.
    fn is_answered(&mut self, query: &Query) -> bool {
        self.again.remove(query);
        if self.waiting.remove(query) {
            self.answered.insert(query.clone());
        }
        self.waiting.is_empty() && self.again.is_empty()
    }

    fn wake_at(&self) -> Utc {
        let latch = (!self.deferred.is_empty()).then(|| self.latch_due_at());
        let again = (!self.waiting.is_empty()).then_some(self.again_at);
        latch.into_iter().chain(again).min().unwrap_or(Utc::MAX)
    }
}

impl EmergencyStop {
    /// Until when the other rungs wait for the latch.
    pub(super) fn latch_deadline(&self) -> Utc {
        later(self.begun_at.unwrap_or(self.request.started_at), LATCH_PATIENCE_MS)
    }

    /// Starts the next round when it is due, and sees to one that something holds up.
    pub(super) fn go_round(&mut self, now: Utc) {
        let again = self.round.as_mut().map(|round| round.due_again(now)).unwrap_or_default();
        again.into_iter().for_each(|query| self.run.read(query));
        if self.round.is_none() && now >= self.round_due_at() {
            self.start_round(now);
        }
    }

    /// Takes note of an answer of the round; when it was the last one, the round ends.
    pub(super) fn count_answer(&mut self, query: &Query, now: Utc) {
        let Some(round) = self.round.take_if(|round| round.is_answered(query)) else { return };
        self.end_round(&round, now);
        self.count_waiting(round.started_at, round.planned, now);
    }

    /// When a round is to be started or seen to.
    pub(super) fn round_wake_at(&self) -> Utc {
        self.round.as_ref().map_or_else(|| self.round_due_at(), Round::wake_at)
    }

    fn round_due_at(&self) -> Utc {
        // Whether people could be told holds no look up.
        if self.run.executor.is_idle_beside(Rung::Notify) {
            self.next_round_at
        } else {
            later(self.next_round_at, ACT_PATIENCE_MS)
        }
    }

    pub(super) fn start_round(&mut self, now: Utc) {
        self.seen_done = self.lost_and_seen();
        let mut queries = vec![Query::Services, Query::Tasks, Query::Schedules];
        if self.site.capabilities.strategies {
            queries.extend([Query::Latch, Query::Strategies, Query::Leases]);
        }
        if self.continued {
            // Who has to acknowledge stands there: what other runs of this stop changed.
            queries.push(Query::RestoreChunks(self.stop_id.clone()));
        }
        if self.site.capabilities.positions {
            queries.push(Query::Positions);
        }
        for venue in &self.site.capabilities.venues {
            queries.push(Query::VenueOrders(venue.clone()));
            queries.push(Query::VenuePositions(venue.clone()));
        }
        queries.extend(self.orphans_query());
        queries.extend(self.earlier_query());
        for query in &queries {
            self.run.read(query.clone());
        }
        // A dry run tries nothing again.
        let again_at = match self.run.executor.is_dry() {
            true => Utc::MAX,
            false => later(now, AGAIN_MS),
        };
        self.round = Some(Round {
            started_at: now,
            asked_at: now,
            waiting: queries.into_iter().collect(),
            answered: BTreeSet::new(),
            again: BTreeSet::new(),
            again_at,
            again_ms: AGAIN_MS,
            deferred: Vec::new(),
            planned: self.run.executor.planned(),
        });
    }

    /// What is planned for now. Whose stop this is the latch tells: once it was named, what a later
    /// round shows waits for it, or it could be recorded under a stop that was released meanwhile,
    /// where nobody seeks it. Where the latch is late, nothing waits for it longer.
    pub(super) fn due(&mut self, query: Query, now: Utc) -> Vec<Query> {
        let named = (self.continued || self.done_when_named.is_some()) && self.latch_is_known();
        let Some(round) = &mut self.round else { return vec![query] };
        if query == Query::Latch {
            return [query].into_iter().chain(std::mem::take(&mut round.deferred)).collect();
        }
        let late = now >= round.latch_due_at();
        if !named || late || !round.awaits_latch() {
            return vec![query];
        }
        round.deferred.push(query);
        Vec::new()
    }

    /// What has waited long enough for the latch.
    pub(super) fn plan_deferred(&mut self, now: Utc) {
        let late = self.round.as_mut().filter(|round| now >= round.latch_due_at());
        let deferred = late.map(|round| std::mem::take(&mut round.deferred)).unwrap_or_default();
        for query in deferred {
            self.plan_for(&query, now);
        }
    }

    /// A round that led to nothing, and was asked when all had been done, was spent on
    /// waiting for others.
    fn count_waiting(&mut self, started_at: Utc, planned: usize, now: Utc) {
        let led_to_nothing = self.run.executor.planned() == planned && self.first_word.is_none();
        if led_to_nothing && self.word.is_none() && self.run.executor.is_idle() {
            self.times.waited += now.duration_since(started_at);
        }
    }
}
