//! What follows from what was seen: the next page of the plan, and when compute may go to 0.

use super::ladder::{EmergencyStop, POLL_MS, SCHEDULER_GRACE_MS, Stage, later};
use super::orphans::Orphans;
use super::pages;
use crate::model::{
    Acknowledges, GapKind, Hold, Latch, Phase, Reading, Scope, Service, StatusReading, Utc,
};
use crate::ops::Query;
use crate::ops::resume::IN_FLIGHT_MS;
use crate::ops::seen::Owner;
use crate::plan::{Act, Rung, Step, StepId};
use std::collections::BTreeSet;

/// What keeps a stop from its proof that met a resume.
pub(super) const RESUME_UNDER_WAY: &str =
    "a resume was under way: what it had sent may still take effect";

impl EmergencyStop {
    /// Plans for what an answer showed.
    pub(super) fn plan_for(&mut self, query: &Query, now: Utc) {
        if self.word.is_some() {
            return;
        }
        let page = match query {
            Query::Latch => self.plan_latch(now),
            Query::Strategies => {
                self.note_unparsed(now);
                self.note_new(now);
                self.note_reactivated(now);
                let mut page = self.desk(now).strategies();
                // Which compute is this one strategy's stands in the rows.
                if self.times.lowered_at.is_some()
                    && matches!(self.request.scope, Scope::Strategy(_))
                {
                    page.extend(self.compute_page(now));
                }
                page
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
    pub(super) fn flatten_beside(&self, page: &[Step], now: Utc) -> Vec<Step> {
        let mut steps = self.desk(now).flatten();
        steps.retain(|step| !page.iter().any(|other| other.id == step.id));
        steps
    }

    pub(super) fn append(&mut self, page: Vec<Step>) {
        if page.is_empty() {
            return;
        }
        for step in &page {
            if let Act::SetStatus(write) = &step.act {
                self.world.touched.insert(write.strategy.clone());
            }
        }
        self.first_word = None;
        self.run.append(page);
    }

    pub(super) fn plan_latch(&mut self, now: Utc) -> Vec<Step> {
        let latch = match self.world.latch.as_ref() {
            None => return Vec::new(),
            Some(Reading::Known { value, .. }) => value.clone(),
            // What cannot be read is written over by a stop of everything; the platform
            // refuses if it stands at another epoch after all.
            Some(Reading::Gap(gap))
                if self.request.scope == Scope::All
                    && matches!(gap.kind, GapKind::Unreachable | GapKind::Unparsed) =>
            {
                Latch::released()
            }
            Some(Reading::Gap(_)) => return Vec::new(),
        };
        self.note_resume(&latch, now);
        self.part_from_released(now);
        self.adopt(&latch, now);
        if self.latch_is_known() {
            let hold = latch.hold(&self.stop_id);
            // Whoever resumes it may have read the record before: what he saw to is what was done
            // when it was named as a stop the last time.
            if hold.is_none_or(|it| it.phase != Phase::Resuming) {
                self.done_when_named = hold.and_then(|_| self.known_when_named());
            }
        }
        self.times.latch_epoch = self.times.latch_epoch.max(self.newest_latch().map(|it| it.epoch));
        let Some(id) = self.run.attempt("latch", &Query::Latch) else { return Vec::new() };
        let at = self.run.platform_time(now);
        let noted = |hold: &mut Hold| self.note_misplaced(hold);
        let step = pages::latch_step(id, &latch, &self.request, &self.stop_id, at, &noted);
        if step.is_none() {
            self.times.latch_settled_at.get_or_insert(now);
        }
        // What stands at another epoch is not written over.
        let gap = self.world.latch.as_ref().and_then(Reading::as_gap);
        if let Some(gap) = gap.filter(|it| it.kind == GapKind::Unparsed && step.is_some()) {
            self.written_over = Some(gap.to_string());
        }
        step.into_iter().collect()
    }

    /// A resume that is under way sends nothing new once it sees the latch changed, but what
    /// it had sent before may come late: the proof is taken when it no longer can. Under our
    /// own hold a resume of another one, dead or alive, keeps off what ours covers; that there
    /// was one stands in the hold, for whoever proves this stop if not we.
    fn note_resume(&mut self, latch: &Latch, now: Utc) {
        let ours = latch.hold(&self.stop_id);
        let told = ours.map_or(latch.holds.as_slice(), std::slice::from_ref);
        if !told.iter().any(Hold::may_be_resumed_yet) {
            return;
        }
        if self.times.resumed_until.is_none() {
            let message = format!("{RESUME_UNDER_WAY}, which is waited for");
            self.run.tell("latch", "latch", message, false);
        }
        let goes_on = told.iter().any(|hold| hold.phase == Phase::Resuming);
        self.times.overtakes |= goes_on;
        // Whoever wrote it since we knew it may have overtaken another one.
        let moved = self.times.latch_epoch.is_some_and(|known| {
            let ours = self.newest_written().map(|it| it.epoch);
            latch.epoch > known.max(ours.unwrap_or(known))
        });
        let until = later(now, IN_FLIGHT_MS);
        match &mut self.times.resumed_until {
            Some(known) if goes_on || moved => *known = until,
            known => _ = known.get_or_insert(until),
        }
    }

    /// What was known to be done when this answer was asked for, which names this stop.
    fn known_when_named(&self) -> Option<BTreeSet<StepId>> {
        let mut done = self.run.done_before(self.run.shown_at(&Query::Latch)?);
        done.extend(self.seen_done.iter().cloned());
        Some(done)
    }

    pub(super) fn latch_is_known(&self) -> bool {
        self.world.latch.as_ref().is_some_and(|it| it.value().is_some())
    }

    /// The stop that was worked on was resumed meanwhile and is over: what is stopped from here on
    /// is another stop's, or a resume of this one would put back what that one had. What cannot
    /// be read has not been released.
    fn part_from_released(&mut self, now: Utc) {
        let held = self.continued || self.times.latched_at.is_some();
        let known = self.latch_is_known();
        let holds = self.newest_latch().is_none_or(|it| it.hold(&self.stop_id).is_some());
        if !held || !known || holds {
            return;
        }
        self.partings += 1;
        let climbs = self.stage != Stage::Latching;
        let new = match climbs {
            false => self.request.stop_id.clone(),
            // Something may stand in the record of the first already.
            true => format!("{}-{}", self.request.stop_id, self.partings).as_str().into(),
        };
        let told = format!("{} was released; this is stop {new}", self.stop_id);
        self.run.tell("latch", "latch", told, true);
        self.stop_id = new;
        (self.continued, self.found_phase) = (false, None);
        (self.times.latched_at, self.world.restore) = (None, None);
        // What was taken over is in the record of the one that was resumed.
        (self.orphans, self.world.loose) = (Orphans::default(), None);
        if climbs {
            // Whoever was let go on has to be told, and to have the time for it, anew.
            self.times.latch_settled_at = Some(now);
            self.times.lowered_at = None;
            self.work_on_it(now, true);
            self.tell_stopping();
        }
    }

    /// A hold of the same scope is the same stop: whoever comes second continues it, also
    /// where the latch could not be read before the other rungs had begun.
    fn adopt(&mut self, latch: &Latch, now: Utc) {
        if self.found_phase.is_some() {
            return;
        }
        let wrote = self.run.executor.steps().any(|(step, _)| step.rung == Rung::Latch);
        if let Some(ours) = latch.hold(&self.stop_id).filter(|_| wrote) {
            // The answer to our own write may have been lost.
            self.times.latched_at.get_or_insert(ours.at);
            self.note_unlatched(now);
            return;
        }
        let same = latch.holds.iter().find(|hold| hold.scope == self.request.scope);
        let Some(hold) = same else { return };
        self.stop_id = hold.stop_id.clone();
        self.continued = true;
        self.found_phase = Some(hold.phase.clone());
        self.times.latched_at = Some(hold.at);
        let message = format!("continues stop {} of {}", hold.stop_id, hold.actor);
        self.run.tell("latch", "latch", message, false);
        if self.stage != Stage::Latching {
            self.work_on_it(now, false);
        }
    }

    /// What is not understood is stopped like the rest, and named.
    pub(super) fn note_unparsed(&mut self, now: Utc) {
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

    /// Strategies that were not there when the stop began are stopped like the rest, and named.
    pub(super) fn note_new(&mut self, now: Utc) {
        let Some(Reading::Known { value, .. }) = &self.world.strategies else { return };
        let desk = self.desk(now);
        let covered = value.iter().filter(|row| desk.covers(row)).map(|row| &row.id);
        let Some(first) = &self.first_rows else {
            self.first_rows = Some(covered.cloned().collect());
            return;
        };
        let new = covered.filter(|id| !first.contains(*id)).map(ToString::to_string);
        for id in new.collect::<Vec<_>>() {
            if self.appeared.insert(id.clone()) {
                self.run.tell("strategies", id, "was not there when the stop began", true);
            }
        }
    }

    pub(super) fn note_reactivated(&mut self, now: Utc) {
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

    pub(super) fn note_zeroes(&mut self, now: Utc) {
        let services = self.world.services.as_ref().and_then(Reading::value);
        for service in services.into_iter().flatten() {
            if service.desired_count == 0 {
                self.zero_since.entry(service.name.clone()).or_insert(now);
            } else {
                self.zero_since.remove(&service.name);
            }
        }
    }

    pub(super) fn compute_page(&self, now: Utc) -> Vec<Step> {
        let zero_for_long = |service: &Service| {
            let since = self.zero_since.get(&service.name);
            since.is_some_and(|since| now >= later(*since, SCHEDULER_GRACE_MS))
        };
        self.desk(now).compute(&zero_for_long)
    }

    /// Compute may go to 0 although not everybody is known to be quiet: nobody acknowledges
    /// here, or all have had the time.
    pub(super) fn is_ack_over(&self, now: Utc) -> bool {
        let no_acks =
            self.site.acknowledges == Acknowledges::None || !self.site.capabilities.strategies;
        no_acks || now >= self.ack_deadline()
    }

    /// Everybody has acknowledged or is gone. Looks at every row, so it is asked at the end
    /// of a round and of the acts, and not at every answer.
    pub(super) fn all_quiet(&self, now: Utc) -> bool {
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

    pub(super) fn lower_if_quiet(&mut self, now: Utc) {
        if self.may_still_lower(now) && self.all_quiet(now) {
            self.lower(now);
        }
    }

    /// Until when acknowledgements are waited for; early enough for compute to be attempted
    /// before the deadline.
    pub(super) fn ack_deadline(&self) -> Utc {
        let from = self.times.latch_settled_at.unwrap_or(self.request.started_at);
        let whole = self.request.deadline_at.duration_since(self.request.started_at);
        let reserve = self.request.started_at.saturating_add(whole * 3 / 4);
        let reserve = reserve.unwrap_or(self.request.deadline_at);
        later(from, self.site.timings.ack_wait_ms).min(reserve)
    }

    pub(super) fn lower(&mut self, now: Utc) {
        self.times.lowered_at = Some(now);
        // What was awaited has come; what is awaited now is short.
        self.poll_ms = POLL_MS.0;
        self.note_zeroes(now);
        let page = self.compute_page(now);
        self.append(page);
    }
}
