//! The procedure: survey, gate, plan, restore, wait for engines, gate again, release.

use super::gate::{self, Obstacle};
use super::given;
use super::holds::gone;
use super::positions;
use super::record::{self, MissingChunk};
use super::restore::{self, Fate, Item};
use super::unlatched;
use super::{IN_FLIGHT_MS, LOOK_LIMIT_MS, Request};
use crate::journal::Entry;
use crate::model::{Gap, Hold, Reading, RestoreChunk, Scope, StopId, Supervision, Utc};
use crate::ops::emergency_stop::{Site, later};
use crate::ops::run::{FINISH_GRACE_MS, Opening, Run};
use crate::ops::seen::World;
use crate::ops::{Answer, News, Procedure, Query, Ticket, Want};
use crate::plan::{Act, Approval, JournalRule, PlanDigest, Purpose, Rung, Settled, StepId, digest};
use crate::report::Report;
use std::collections::BTreeSet;

/// The pause between two looks at engines that are to come up.
const POLL_MS: u64 = 250;
/// The same where each look is many requests over a network, beside other operators.
const POLL_FAR_MS: u64 = 1_000;
/// How many acts are under way at once: a stop that comes between finds no more than these
/// on their way, since the latch is read again before the next ones.
const ACTS_PER_LOOK: usize = 8;
/// How often a supervisor that is gone before the release is started again.
const SUPERVISED_AGAIN: u32 = 5;
/// What a resume that waits for another one takes beside that wait, which begins only once the
/// latch is raised and read again, and after which everything is looked at and the latch released.
/// Engines come up meanwhile.
const BESIDE_MS: u64 = 15_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The latch is read.
    Finding,
    /// Nothing holds: what stops left that the latch never named is read.
    LookingBack,
    /// Everything that the record names is read.
    Surveying,
    /// Doubtful orders are asked for at their venues, and who runs what no service will.
    Asking,
    /// Steps are done, and engines are waited for.
    Restoring,
    /// The last answers and the journal.
    Closing,
    Done,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Trading goes on.
    Released,
    /// Nothing is held: there is nothing to resume.
    NothingHeld,
    /// Nothing is held, and something stands as a stop left it that the latch never named.
    Orphaned(String),
    /// Another operator's resume of the same stop released it.
    ReleasedByOther,
    /// A dry run.
    Planned,
    /// Something forbids it; nothing was changed.
    Refused(String),
    /// Only a newer tradectl may resume; nothing was changed.
    Newer(String),
    /// The command contradicts itself.
    Usage(String),
    /// What must be known to plan could not be read; nothing was changed.
    Unread(String),
    /// Restored as far as it goes; the latch holds on.
    Held(String),
    /// The same, since the deadline passed.
    Late(String),
    /// Somebody stopped again meanwhile.
    StoppedAgain(String),
    /// The stop's record holds more than what was planned from; nobody is known to have stopped.
    Grew(String),
}

/// A resume at work.
#[derive(Debug)]
pub struct Resume {
    pub(super) site: Site,
    pub(super) request: Request,
    pub(super) run: Run,
    pub(super) world: World,
    pub(super) hold: Option<Hold>,
    pub(super) fates: Vec<Item>,
    /// Chunks of the restore record that cannot be had here.
    pub(super) missing: Vec<MissingChunk>,
    /// Orders that no venue can settle and that the operator answers for, as items.
    pub(super) left_orders: Vec<String>,
    /// Orders whose venue is asked once it runs again.
    pub(super) later_orders: Vec<String>,
    pub(super) obstacles: Vec<Obstacle>,
    pub(super) digest: Option<PlanDigest>,
    pub(super) end: Option<End>,
    pub(super) ended_at: Option<Utc>,
    stage: Stage,
    pub(super) waiting: BTreeSet<Query>,
    /// The platform's time of the survey: who beat after it has come up again.
    resuming_since: Option<Utc>,
    next_look_at: Utc,
    /// When the look that is under way, or the last one, was asked for.
    look_asked_at: Utc,
    /// What was told last of what is waited for.
    awaited: String,
    /// Until when something of another resume of this stop may still take effect.
    in_flight_until: Option<Utc>,
    /// The latch is being read again, since somebody else wrote it.
    pub(super) rereading: bool,
    /// The record of the stop as it was planned from.
    pub(super) planned: Vec<RestoreChunk>,
    /// Why the journals of this machine are no part of the record, if they cannot be read.
    pub(super) unread_journals: Option<Gap>,
    /// How often whoever acts on desired counts was brought back since the plan's step was done.
    supervised_again: u32,
    /// Everything is as it must be: the release is under way, and what is read from now on
    /// shows it.
    ready: bool,
}

impl Resume {
    /// Starts a resume. Without an approval it is a survey: it reads, plans and checks.
    pub fn new(site: Site, request: Request, approval: Option<(Approval, &str)>) -> Self {
        let opening = Opening {
            run_id: &request.run_id,
            command: "resume",
            environment: &site.environment,
            actor: &request.actor,
            reason: &request.reason,
        };
        let mut run = Run::begin(Purpose::Resume, JournalRule::Required, &opening, approval);
        // Where nothing can hold trading, what stands tells which stop is meant.
        let first = match site.capabilities.strategies {
            true => vec![Query::Latch],
            false => unlatched::QUERIES.to_vec(),
        };
        first.iter().for_each(|query| run.read(query.clone()));
        let world = World::of(&site);
        Self {
            next_look_at: request.started_at,
            look_asked_at: request.started_at,
            site,
            request,
            run,
            world,
            hold: None,
            fates: Vec::new(),
            missing: Vec::new(),
            left_orders: Vec::new(),
            later_orders: Vec::new(),
            obstacles: Vec::new(),
            digest: None,
            end: None,
            ended_at: None,
            stage: Stage::Finding,
            waiting: first.into_iter().collect(),
            resuming_since: None,
            awaited: String::new(),
            planned: Vec::new(),
            unread_journals: None,
            supervised_again: 0,
            ready: false,
            in_flight_until: None,
            rereading: false,
        }
    }

    /// The digest of the plan: what an approval has to bind. Known after a survey that
    /// found something to do.
    pub fn plan_digest(&self) -> Option<&PlanDigest> {
        self.digest.as_ref()
    }

    pub(super) fn ask_all(&mut self, queries: Vec<Query>) {
        for query in &queries {
            self.run.read(query.clone());
        }
        self.waiting = queries.into_iter().collect();
    }

    fn survey_queries(&self, with_record: Option<StopId>) -> Vec<Query> {
        if !self.has_latch() {
            return unlatched::QUERIES.to_vec();
        }
        let mut queries = vec![Query::Latch, Query::Strategies, Query::Services, Query::Tasks];
        // Whoever acted on counts when they were put back may be gone before the release.
        queries.push(Query::Supervision);
        // Who comes up does not depend on schedules, and each of them may be a request.
        if let Some(stop_id) = with_record {
            // What is known here of stops of which something was given.
            let others = given::has_others(&self.request, &stop_id);
            queries.extend(others.then_some(Query::Stops));
            let recorded = [Query::Schedules, self.record_of(&stop_id), Query::LooseChunks];
            queries.extend(recorded);
        }
        if self.site.capabilities.positions {
            queries.extend([Query::Positions, Query::StoredOrders]);
            let venues = self.site.capabilities.venues.iter().cloned();
            queries.extend(venues.map(Query::VenuePositions));
        }
        queries
    }

    /// Everything that was asked for has been answered: on to the next stage.
    fn answered(&mut self, now: Utc) {
        match self.stage {
            Stage::Finding => self.find(now),
            Stage::LookingBack => {
                let end = self.nothing_held();
                self.close(now, end);
            }
            Stage::Surveying => {
                if self.without_journals() {
                    return;
                }
                // Whose orders are asked for: whoever is in the record.
                if let Some(hold) = &self.hold {
                    self.fates = restore::fates(&self.world, &self.request, &hold.stop_id);
                }
                let mut queries = gate::doubtful_orders(&self.site, &self.world, &self.reach());
                queries.extend(gate::who_runs(&self.site, &self.world, &self.fates));
                self.stage = Stage::Asking;
                if queries.is_empty() {
                    self.plan(now);
                } else {
                    self.ask_all(queries);
                }
            }
            Stage::Asking => self.plan(now),
            Stage::Restoring => self.look(now),
            Stage::Closing | Stage::Done => {}
        }
    }

    fn find(&mut self, now: Utc) {
        if !self.has_latch() {
            return match self.find_stop() {
                Ok(hold) => {
                    self.hold = Some(hold);
                    self.plan(now);
                }
                Err(end) => self.close(now, end),
            };
        }
        match &self.world.latch {
            Some(Reading::Known { value, .. }) if value.format > crate::model::LATCH_FORMAT => {
                let message = "the latch was written by a newer tradectl, which must release it";
                self.close(now, End::Newer(message.to_owned()));
            }
            Some(Reading::Known { value, .. }) => match self.choose(&value.holds.clone()) {
                Ok(hold) => {
                    let queries = self.survey_queries(Some(hold.stop_id.clone()));
                    self.hold = Some(hold);
                    self.stage = Stage::Surveying;
                    self.ask_all(queries);
                }
                Err(End::NothingHeld) => {
                    self.stage = Stage::LookingBack;
                    let queries = self.looking_back();
                    self.ask_all(queries);
                }
                Err(end) => self.close(now, end),
            },
            Some(Reading::Gap(gap)) => {
                let why = gap.to_string();
                self.close(now, End::Unread(why));
            }
            None => self.close(now, End::Unread("the latch was not read".to_owned())),
        }
    }

    /// The hold as it stands now.
    fn hold_now(&self) -> Result<Hold, End> {
        let Some(hold) = self.hold.clone() else {
            return Err(End::Unread("no stop was found".to_owned()));
        };
        if !self.has_latch() {
            return self.stopped_again_here().map_or(Ok(hold), Err);
        }
        let Some(latch) = self.world.latch.as_ref().and_then(Reading::value) else {
            return Err(End::Unread("the latch could not be read again".to_owned()));
        };
        let hold = latch.hold(&hold.stop_id).cloned().ok_or_else(|| gone(latch, &hold))?;
        match self.world.restore.as_ref().and_then(Reading::as_gap) {
            Some(gap) => Err(End::Unread(gap.to_string())),
            None => Ok(hold),
        }
    }

    fn plan(&mut self, now: Utc) {
        let hold = match self.hold_now().and_then(|hold| self.consider(&hold).map(|()| hold)) {
            Ok(hold) => hold,
            Err(end) => return self.close(now, end),
        };
        let orders = gate::unsettled(&self.site, &self.world, &self.reach());
        self.left_orders =
            orders.into_iter().filter(|it| self.request.leave.contains(it)).collect();
        let told = restore::Told {
            environment: &self.site.environment,
            actor: &self.request.actor,
            left_orders: &self.left_orders,
        };
        let mut steps = match self.world.latch.as_ref().and_then(Reading::value) {
            Some(latch) => {
                let chunks = record::chunks(&self.world, &self.request, &hold.stop_id);
                let copies = record::copies(&self.world, &self.request, &hold.stop_id);
                restore::plan(latch, &hold, &self.fates, (&chunks, &copies), &told)
            }
            None => restore::plan_unlatched(&hold, &self.fates, &told),
        };
        steps.retain(|it| it.rung != Rung::Notify || self.site.capabilities.notices);
        if steps.is_empty() && self.fates.iter().all(|it| it.fate == Fate::Stands) {
            return self.close(now, End::NothingHeld);
        }
        if let Some(why) = self.too_short_for(&hold, now) {
            return self.close(now, End::Refused(why));
        }
        let record = self.world.restore.as_ref().and_then(Reading::value);
        self.planned = record.cloned().unwrap_or_default();
        let working = Entry::Stop { stop_id: hold.stop_id.clone(), continued: true };
        self.hold = Some(hold);
        self.digest = Some(digest(&steps));
        self.run.executor.meter(ACTS_PER_LOOK);
        self.run.append(steps);
        if self.run.executor.is_dry() {
            return self.close(now, End::Planned);
        }
        self.run.executor.note(working);
        let left: Vec<Entry> = restore::left(&self.fates).map(restore::evidence).collect();
        if !left.is_empty() {
            self.run.journal(left, false);
        }
        if let Some(complaint) = self.run.complaints.first() {
            let why = complaint.message.clone();
            return self.close(now, End::Refused(why));
        }
        self.stage = Stage::Restoring;
        self.resuming_since = match &self.world.strategies {
            Some(Reading::Known { observed_at, .. }) => Some(*observed_at),
            _ => Some(now),
        };
        self.next_look_at = now;
    }

    /// Where another resume may have acts on their way, the release waits for them: that it cannot
    /// within the deadline is said before anything is done, and before anybody consents to it.
    fn too_short_for(&self, hold: &Hold, now: Utc) -> Option<String> {
        if !self.site.over_network || !hold.may_be_resumed_yet() {
            return None;
        }
        let takes = now.duration_since(self.request.started_at).as_secs();
        let least = takes + 1 + i64::try_from((IN_FLIGHT_MS + BESIDE_MS) / 1_000).unwrap_or(0);
        let ends = later(now, IN_FLIGHT_MS + BESIDE_MS);
        (self.request.deadline_at <= ends).then(|| {
            format!(
                "a resume of {} was under way before, and what that had sent is waited for {} s: \
                 --deadline has to be longer than {least} s",
                hold.stop_id,
                IN_FLIGHT_MS / 1_000
            )
        })
    }

    /// What the stop covers or recorded.
    pub(super) fn reach(&self) -> gate::Reach {
        let recorded = self.fates.iter().map(|it| it.item.subject.clone()).collect();
        let scope = self.hold.as_ref().map_or(Scope::All, |hold| hold.scope.clone());
        gate::Reach { scope, recorded }
    }

    fn unknown_orders(&self) -> Vec<Obstacle> {
        gate::unknown_orders(&self.site, &self.world, &self.reach(), &self.request.leave)
    }

    /// What becomes of each item, and what forbids to go on.
    fn consider(&mut self, hold: &Hold) -> Result<(), End> {
        self.fates = restore::fates(&self.world, &self.request, &hold.stop_id);
        let chunks = record::chunks(&self.world, &self.request, &hold.stop_id);
        if self.has_latch() {
            self.missing = record::missing(hold, &chunks);
            self.missing.extend(given::missing(&self.world, &self.request, &hold.stop_id));
        }
        if let Some(why) = record::newer(&chunks) {
            return Err(End::Newer(why));
        }
        if let Some(why) = given::foreign(&self.world, &self.request, &hold.stop_id) {
            return Err(End::Refused(why));
        }
        if let Some(end) = self.unknown_item().or_else(|| self.missing_record()) {
            return Err(end);
        }
        if let Some(why) = self.fates.iter().find_map(|it| match &it.fate {
            Fate::Unread(why) => Some(format!("{}: {why}", it.item.subject)),
            _ => None,
        }) {
            return Err(End::Unread(why));
        }
        let orders = self.unknown_orders();
        let later = |it: &Obstacle| gate::asked_later(&self.world, it);
        let (later, orders): (Vec<_>, Vec<_>) = orders.into_iter().partition(later);
        self.later_orders = later.into_iter().map(|it| it.subject).collect();
        self.obstacles = orders;
        let trading = gate::trading_again(&self.world, &self.fates);
        self.obstacles.extend(positions::odd_positions(&self.site, &self.world, &trading));
        self.obstacles.extend(gate::idle(&self.site, &self.world, &self.fates));
        self.obstacles.extend(gate::does_nothing(&self.world));
        match self.obstacles.first() {
            Some(first) => Err(End::Refused(format!("{}: {}", first.subject, first.message))),
            None => Ok(()),
        }
    }

    /// Without a part of the record nothing is put back, unless the operator does without it.
    fn missing_record(&mut self) -> Option<End> {
        let missing = self.missing.iter().filter(|it| !self.request.leave.contains(&it.item));
        self.obstacles = missing.map(MissingChunk::obstacle).collect();
        let first = self.obstacles.first()?;
        Some(End::Refused(format!("{}: {}", first.subject, first.message)))
    }

    /// `--leave` and `--take` name items of the record, each in one way.
    fn unknown_item(&self) -> Option<End> {
        let Request { leave, take, .. } = &self.request;
        if let Some(both) = leave.iter().find(|it| take.contains(it)) {
            return Some(End::Usage(format!("`{both}` is to be left and taken: decide")));
        }
        let names = self.fates.iter().map(|it| it.item.subject.to_string());
        let names = names.chain(self.missing.iter().map(|it| it.item.clone()));
        let names: Vec<String> = names.collect();
        // An order can only be left: nothing of it can be put back.
        let mut leavable = names.clone();
        leavable.extend(gate::unsettled(&self.site, &self.world, &self.reach()));
        let unknown = record::unknown(leave.iter(), &leavable);
        unknown.or_else(|| record::unknown(take.iter(), &names)).map(End::Refused)
    }

    fn advance(&mut self, now: Utc) {
        if now >= self.request.deadline_at && self.end.is_none() {
            self.run.executor.cancel_waiting("the deadline passed");
            let why = self.obstacles.first().map_or_else(
                || "the deadline passed".to_owned(),
                |it| format!("the deadline passed; {}: {}", it.subject, it.message),
            );
            self.close(now, End::Late(why));
        }
        if self.stage == Stage::Restoring {
            self.restoring(now);
        }
        if self.stage == Stage::Closing {
            let grace = later(self.request.deadline_at, FINISH_GRACE_MS);
            if self.run.executor.is_dry() || now >= grace || self.run.all_told() {
                self.stage = Stage::Done;
            }
        }
    }

    fn restoring(&mut self, now: Utc) {
        if let Some(end) = self.ended() {
            return self.close(now, end);
        }
        if !self.waiting.is_empty() || now < self.next_look_at || self.ready {
            return;
        }
        self.look_asked_at = now;
        if self.run.executor.is_held_back() {
            let fresh = self.fresh_queries();
            self.ask_all(fresh);
        } else if self.only_release_waits() {
            let mut queries = self.survey_queries(None);
            queries.extend(self.record_query());
            queries.extend(gate::unanswered(&self.site, &self.world, &self.reach()));
            self.ask_all(queries);
        }
    }

    fn released(&self) -> Option<&Settled> {
        self.run.executor.settled(&StepId::new("latch/released"))
    }

    /// The end, if the steps' answers say that there is one.
    fn ended(&mut self) -> Option<End> {
        let settled = |id: &str| self.run.executor.settled(&StepId::new(id));
        let lost = |settled: &Settled| {
            matches!(settled, Settled::Answered(crate::model::Written::Refused { .. }))
        };
        let nothing_done = self.run.executor.is_idle() && !self.run.may_have_changed();
        if self.run.journal_fault.is_some() && nothing_done {
            let why = "the journal cannot be written, and without it nothing is changed";
            return Some(End::Refused(why.to_owned()));
        }
        if !self.has_latch() {
            return self.ended_unlatched();
        }
        if ["latch/resuming", "latch/released"].iter().any(|id| settled(id).is_some_and(lost)) {
            return self.who_changed_the_latch();
        }
        match self.released() {
            Some(settled) if settled.stands() => {
                return self.run.executor.is_idle().then_some(End::Released);
            }
            _ => {}
        }
        if !self.run.executor.is_idle() {
            return None;
        }
        let undecided = self.fates.iter().find(|it| matches!(it.fate, Fate::Conflict { .. }));
        Some(End::Held(undecided.map_or_else(
            || "not every item could be put back".to_owned(),
            |it| format!("{} was changed since the stop and nobody decided", it.item.subject),
        )))
    }

    /// Whether an item, and not only the latch, was changed, or may have been.
    pub(super) fn put_something_back(&self) -> bool {
        self.run.executor.may_stand().any(|step| step.rung != Rung::Latch)
    }

    /// Everything but the release has its answer.
    fn only_release_waits(&self) -> bool {
        self.run.executor.steps().all(|(step, settled)| {
            let last = ["latch/released", "notify/released"].contains(&step.id.as_str());
            settled.is_some() || last
        })
    }

    /// The epoch that the release expects, which nobody else may have raised.
    pub(super) fn expected_epoch(&self) -> Option<u64> {
        let mut steps = self.run.executor.steps();
        steps.find_map(|(step, _)| match &step.act {
            Act::WriteLatch { expected_epoch, .. } if step.id.as_str() == "latch/released" => {
                Some(*expected_epoch)
            }
            _ => None,
        })
    }

    /// A complete look at engines that are to come up.
    fn look(&mut self, now: Utc) {
        let pause = if self.site.over_network { POLL_FAR_MS } else { POLL_MS };
        self.next_look_at = later(now, pause);
        if self.ready || self.rereading {
            return;
        }
        let latch = self.stopped_again().map(|end| (end, "the latch was changed meanwhile"));
        let record = || self.record_grew().map(|end| (end, "more was recorded meanwhile"));
        if let Some((end, why)) = latch.or_else(record) {
            self.run.executor.close(why);
            return self.close(now, end);
        }
        if self.site.over_network && self.hold.as_ref().is_some_and(Hold::may_be_resumed_yet) {
            // Its last look came before what we wrote, which has its answer by now.
            self.in_flight_until.get_or_insert(later(now, IN_FLIGHT_MS));
        }
        if !self.only_release_waits() {
            if self.is_seen() && now <= later(self.look_asked_at, LOOK_LIMIT_MS) {
                self.next_look_at = now;
                self.run.executor.allow();
            }
            return;
        }
        let doubtful = gate::doubtful_orders(&self.site, &self.world, &self.reach());
        let unasked = doubtful.into_iter().find(|query| match query {
            Query::VenueOrder(_, id) => !self.world.venue_order.contains_key(id),
            _ => false,
        });
        if let Some(query) = unasked {
            return self.ask_all(vec![query]);
        }
        if self.supervises_again(now) {
            return;
        }
        let since = self.resuming_since.unwrap_or(now);
        let stopped_at = self.hold.as_ref().map_or(since, |hold| hold.at);
        let trading = gate::trading_again(&self.world, &self.fates);
        let since = (stopped_at, since);
        self.obstacles = gate::not_ready(&self.site, &self.world, &self.fates, since);
        self.obstacles.extend(self.unknown_orders());
        self.obstacles.extend(positions::unreconciled(&self.site, &self.world, &trading));
        if !self.has_latch() {
            self.obstacles.extend(unlatched::not_put_back(&self.world, &self.fates));
        }
        if self.obstacles.is_empty()
            && let Some(until) = self.in_flight_until.filter(|until| now < *until)
        {
            let hold = self.hold.as_ref();
            self.obstacles = hold.map(|hold| gate::in_flight(hold, until)).into_iter().collect();
            self.next_look_at = until;
        }
        let awaited = gate::awaited(&self.obstacles, &self.fates);
        if awaited != self.awaited {
            self.run.tell("engines", "engines", awaited.clone(), false);
            self.awaited = awaited;
        }
        if self.obstacles.is_empty() {
            self.ready = true;
            self.run.executor.allow();
            self.run.executor.observed(restore::ENGINES_READY);
        }
    }

    /// Whoever acted on desired counts is gone: the plan's step is done once more, and looked at
    /// again, so often that one that always ends at once is told of.
    fn supervises_again(&mut self, now: Utc) -> bool {
        let supervision = self.world.supervision.as_ref().and_then(Reading::value);
        let fresh = now <= later(self.look_asked_at, LOOK_LIMIT_MS);
        let gone = supervision == Some(&Supervision::Absent) && self.is_seen() && fresh;
        let again = gone
            && self.supervised_again < SUPERVISED_AGAIN
            && self.run.executor.repeat(&StepId::new(restore::SUPERVISED));
        if again {
            self.supervised_again += 1;
            self.run.executor.allow();
            let told = "the supervisor is gone: another one is started";
            self.run.tell("engines", "supervisor", told.to_owned(), true);
        }
        again
    }

    /// Everything was seen as it must be.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    fn close(&mut self, now: Utc, end: End) {
        self.end = Some(end);
        self.ended_at = Some(now);
        self.stage = Stage::Closing;
    }
}

impl Procedure for Resume {
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
            Stage::Closing => Some(later(self.request.deadline_at, FINISH_GRACE_MS)),
            Stage::Restoring
                if self.waiting.is_empty()
                    && !self.ready
                    && (self.only_release_waits() || self.run.executor.is_held_back()) =>
            {
                Some(self.next_look_at.min(self.request.deadline_at))
            }
            _ => Some(self.request.deadline_at),
        }
    }

    fn interrupt(&mut self, now: Utc, why: &str) {
        if self.end.is_none() {
            self.run.executor.close(why);
            self.close(now, End::Held(why.to_owned()));
        }
    }

    fn news(&mut self) -> Vec<News> {
        self.run.take_news()
    }

    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        (self.stage == Stage::Done).then(|| self.report())
    }
}
