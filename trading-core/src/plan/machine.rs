//! The executor: turns pages of a plan into asks, in an order that nobody can get wrong.
//! No act is asked for before its intent is durable and, where a resume will need it, the
//! value from before is recorded. The intents of a batch share one sync. It waits for
//! nothing and knows no clock: answers come in any order.

use super::record::Record;
use super::{Act, Approval, Binding, Complaint, Purpose, Rung, Step, StepId, check, digest};
use crate::journal::Entry;
use crate::model::{Hold, RestoreChunk, RestoreItem, RunId, StopId, Utc, Written};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many items one chunk of a restore record holds at most: its JSON stays far below the
/// 400 KB that an item of DynamoDB may have.
const CHUNK_ITEMS: usize = 250;

/// How many rows one ask changes at most: as many as the local platform commits at once. A
/// row whose answer is late keeps those of its own batch waiting and no others.
const BATCH_ROWS: usize = 64;

/// Whether acts may go on without a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalRule {
    /// No journal, no action.
    Required,
    /// The emergency stop: goes on, and the outcome says so.
    GoOnWithout,
}

/// What the executor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineAsk {
    /// Append these entries; durably, if `steps` is not empty: they wait for it.
    Journal {
        /// Whose intents are among the entries.
        steps: Vec<StepId>,
        /// What to append.
        entries: Vec<Entry>,
    },
    /// Keep this chunk; `steps` wait for it.
    Record {
        /// Whose values are in the chunk.
        steps: Vec<StepId>,
        /// The chunk.
        chunk: RestoreChunk,
    },
    /// Do these, which are answered together: a batch of rows, or anything else alone, so
    /// that what hangs keeps nobody waiting.
    Act(Vec<(StepId, Act)>),
}

/// Where a restore record was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kept_in", rename_all = "snake_case")]
pub enum Recorded {
    /// Where it belongs.
    StateStore,
    /// In the local journal, since the state store could not take it.
    Journal {
        /// Why the state store could not take it.
        why: String,
    },
    /// Printed, since neither could take it.
    Printed {
        /// Why the others could not take it.
        why: String,
    },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "settled", rename_all = "snake_case")]
pub enum Settled {
    /// It was asked for, and this was the answer.
    Answered(Written),
    /// It was never asked for.
    NotStarted {
        /// Why not.
        why: String,
        /// It turned out not to be needed, which is no failure.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        needless: bool,
    },
}

impl Settled {
    /// The wanted value stands.
    pub fn stands(&self) -> bool {
        matches!(self, Self::Answered(written) if written.stands())
    }
    /// It was never asked for, because it turned out not to be needed.
    pub fn is_needless(&self) -> bool {
        matches!(self, Self::NotStarted { needless: true, .. })
    }
    /// It was done, or may have been: the value from before is to be kept.
    pub(crate) fn may_have_acted(&self) -> bool {
        matches!(self, Self::Answered(Written::Applied { .. } | Written::Unknown { .. }))
    }
    fn not_started(why: impl Into<String>) -> Self {
        Self::NotStarted { why: why.into(), needless: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Intending,
    Recording,
    Acting,
    Settled(Settled),
}

#[derive(Clone, Debug)]
struct Slot {
    step: Step,
    state: State,
    /// Counts the planned steps.
    order: u64,
}

/// Executes the pages of one run.
#[derive(Debug)]
pub struct Executor {
    purpose: Purpose,
    rule: JournalRule,
    run_id: RunId,
    stop_id: Option<StopId>,
    /// What the latch will say of that stop, while it does not name it.
    unlatched: Option<Hold>,
    approval: Option<Approval>,
    slots: BTreeMap<StepId, Slot>,
    /// Steps that have not settled, by the order in which they were planned.
    open: BTreeMap<u64, StepId>,
    /// Those of them that have not been asked for: looked through after every answer, while
    /// hundreds of others are under way.
    waiting: BTreeMap<u64, StepId>,
    /// Entries that go along with the next journal ask.
    pending_entries: Vec<Entry>,
    next_chunk: u32,
    /// Chunks that the state store has not.
    elsewhere: Vec<RestoreChunk>,
    /// What the record says of what was asked for.
    record: Record,
    closed: Option<String>,
    /// What the procedure has observed of what steps await.
    observed: BTreeSet<String>,
    meter: Option<Meter>,
}

/// How many acts may be under way before the procedure has looked again.
#[derive(Debug)]
struct Meter {
    at_once: usize,
    left: usize,
    /// More could be asked for.
    holds_back: bool,
}

impl Executor {
    /// An executor that acts under an approval.
    pub fn live(purpose: Purpose, rule: JournalRule, run_id: RunId, approval: Approval) -> Self {
        Self::new(purpose, rule, run_id, Some(approval))
    }
    /// An executor that only collects and checks: a dry run.
    pub fn dry(purpose: Purpose, run_id: RunId) -> Self {
        Self::new(purpose, JournalRule::Required, run_id, None)
    }
    fn new(purpose: Purpose, rule: JournalRule, run_id: RunId, approval: Option<Approval>) -> Self {
        Self {
            purpose,
            rule,
            run_id,
            stop_id: None,
            unlatched: None,
            approval,
            slots: BTreeMap::new(),
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            pending_entries: Vec::new(),
            next_chunk: 0,
            elsewhere: Vec::new(),
            record: Record::default(),
            closed: None,
            observed: BTreeSet::new(),
            meter: None,
        }
    }
    /// From now on one act is asked for, and then at most so many whenever
    /// [`allow`](Self::allow) is called; a batch of rows is one.
    pub fn meter(&mut self, at_once: usize) {
        self.meter = Some(Meter { at_once, left: 1, holds_back: false });
    }
    /// As many again may be asked for.
    pub fn allow(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.left = meter.at_once;
            meter.holds_back = false;
        }
    }
    /// Every act that was asked for has its answer, and more could be asked for if
    /// [`allow`](Self::allow) were called.
    pub fn is_held_back(&self) -> bool {
        self.meter.as_ref().is_some_and(|meter| meter.holds_back)
            && self.waiting.len() == self.open.len()
    }
    /// Steps that were done, or may have been.
    pub fn may_stand(&self) -> impl Iterator<Item = &Step> {
        let done = |slot: &&Slot| matches!(&slot.state, State::Settled(it) if it.may_have_acted());
        self.slots.values().filter(done).map(|slot| &slot.step)
    }
    /// The same, with those that may yet be.
    pub fn begun(&self) -> impl Iterator<Item = &Step> {
        let begun = self.slots.values().filter(|slot| match &slot.state {
            State::Recording | State::Acting => true,
            State::Settled(settled) => settled.may_have_acted(),
            State::Waiting | State::Intending => false,
        });
        begun.map(|slot| &slot.step)
    }
    /// Restore records go under this stop from now on. What was recorded under another one
    /// is recorded again: a resume reads the record of one stop. Where that one was `resumed`
    /// meanwhile, which saw to these steps, theirs is over, and what others recorded may have been
    /// put back too: of each subject the last one counts, and only until it is read again.
    pub fn works_on(
        &mut self,
        stop_id: StopId,
        resumed: Option<&BTreeSet<StepId>>,
        now: Utc,
    ) -> Vec<MachineAsk> {
        let before = self.stop_id.replace(stop_id);
        let Some(before) = before.filter(|before| Some(before) != self.stop_id.as_ref()) else {
            return Vec::new();
        };
        let begun = self.recorded_steps(resumed);
        let doubted = self.record.doubted();
        self.record.forget();
        let chunks = begun.chunks(CHUNK_ITEMS).filter_map(|steps| {
            let chunk = self.chunk_for(steps, now)?;
            self.recorded_in(&chunk, steps);
            Some(RestoreChunk { taken_from: Some(before.clone()), ..chunk })
        });
        let asks = chunks.map(|chunk| MachineAsk::Record { steps: Vec::new(), chunk }).collect();
        self.record.doubt(|subject| resumed.is_some() || doubted.contains(subject));
        asks
    }
    /// Steps that were begun and have a value in the record, in the order in which they were
    /// planned; where the stop was resumed, without those that its resume saw to, and of several
    /// about one subject only the last.
    fn recorded_steps(&self, resumed: Option<&BTreeSet<StepId>>) -> Vec<StepId> {
        let counts = |step: &&Step| {
            self.record.has(&step.id) && !resumed.is_some_and(|over| over.contains(&step.id))
        };
        let begun = self.begun().filter(counts).filter_map(|step| {
            let order = self.slots.get(&step.id)?.order;
            Some((order, &step.restore.as_ref()?.subject, &step.id))
        });
        let mut begun: Vec<_> = begun.collect();
        begun.sort_unstable_by_key(|(order, ..)| *order);
        if resumed.is_some() {
            let last = begun.iter().map(|(order, subject, _)| (*subject, *order));
            let last: BTreeMap<_, _> = last.collect();
            begun.retain(|(order, subject, _)| last.get(subject) == Some(order));
        }
        begun.into_iter().map(|(.., id)| id.clone()).collect()
    }
    /// Somebody else's part of the record is from this time: what is recorded from now on is
    /// later, whatever the clocks say.
    pub fn follows(&mut self, at: Utc) {
        self.record.follows(at);
    }
    /// What was recorded, and did not come to be done, does not count: chunks that say so, where
    /// none that hold anything else did.
    pub fn void_notes(&mut self, now: Utc) -> Vec<MachineAsk> {
        let mut asks = Vec::new();
        while self.record.has_void() && self.stop_id.is_some() {
            let Some(chunk) = self.chunk_for(&[], now) else { break };
            asks.push(MachineAsk::Record { steps: Vec::new(), chunk });
        }
        asks
    }
    /// What the latch will say of the stop, while it does not name it: what is recorded then
    /// tells of it, whatever becomes of this run. `None`: it does.
    pub fn unlatched(&mut self, hold: Option<Hold>) {
        self.unlatched = hold;
    }
    /// What another stop recorded at a time, and no latch names: from now on it is in the
    /// record of this one, with that time, or of the one that is given.
    pub fn take_over(
        &mut self,
        from: &StopId,
        into: Option<&StopId>,
        items: &[RestoreItem],
        at: Utc,
    ) -> Vec<MachineAsk> {
        let pieces = items.chunks(CHUNK_ITEMS).map(<[_]>::to_vec);
        if !items.is_empty() {
            self.record.follows(at);
        }
        let chunks = pieces.filter_map(|items| {
            let chunk = self.chunk_of(items, at)?;
            let chunk = RestoreChunk { taken_from: Some(from.clone()), ..chunk };
            Some(match into {
                None => chunk,
                Some(other) => RestoreChunk { stop_id: other.clone(), unlatched: None, ..chunk },
            })
        });
        chunks.map(|chunk| MachineAsk::Record { steps: Vec::new(), chunk }).collect()
    }
    /// A step that came to stand is done once more: what it made sure of is so no longer. Only
    /// for what is the same however often it is done; whether it was to be, gives `true`.
    pub fn repeat(&mut self, id: &StepId) -> bool {
        let Some(slot) = self.slots.get_mut(id) else { return false };
        let stands = matches!(&slot.state, State::Settled(it) if it.stands());
        let idle = matches!(slot.step.act, Act::EnsureSupervised) && self.closed.is_none();
        if stands && idle {
            slot.state = State::Waiting;
            self.open.insert(slot.order, id.clone());
            self.waiting.insert(slot.order, id.clone());
        }
        stands && idle
    }
    /// Steps that await this may start.
    pub fn observed(&mut self, what: &str) {
        self.observed.insert(what.to_owned());
    }
    /// A step that turned out not to be needed will never be asked for; one that has been
    /// asked for already is not touched.
    pub fn skip(&mut self, id: &StepId, why: &str) {
        if self.slots.get(id).is_some_and(|slot| slot.state == State::Waiting) {
            self.settle(id, Settled::NotStarted { why: why.to_owned(), needless: true });
        }
    }
    /// It only collects.
    pub fn is_dry(&self) -> bool {
        self.approval.is_none()
    }
    /// Entries to append with the next journal ask, in front of what is due then.
    pub fn note(&mut self, entry: Entry) {
        self.pending_entries.push(entry);
    }

    /// Adds a page. Steps that the check complains about are settled as not started; under
    /// a plan's approval the page must be exactly what was approved, or nothing of it is.
    pub fn append(&mut self, page: Vec<Step>) -> Vec<Complaint> {
        let known: BTreeSet<StepId> = self.slots.keys().cloned().collect();
        let mut complaints = check(self.purpose, &known, &page);
        complaints.extend(self.beyond_approval(&page));
        if page.is_empty() {
            return complaints;
        }
        self.pending_entries.push(Entry::Page { steps: page.clone() });
        for step in page {
            let bad = complaints.iter().find(|complaint| complaint.step == step.id);
            if self.slots.contains_key(&step.id) {
                continue;
            }
            let state = match (bad, &self.closed) {
                (Some(complaint), _) => not_started(complaint.message.clone()),
                (None, Some(why)) => not_started(why.clone()),
                (None, None) => State::Waiting,
            };
            let order = self.slots.len() as u64;
            if state == State::Waiting {
                self.open.insert(order, step.id.clone());
                self.waiting.insert(order, step.id.clone());
            }
            self.slots.insert(step.id.clone(), Slot { step, state, order });
        }
        complaints
    }

    /// What an approval does not cover.
    fn beyond_approval(&self, page: &[Step]) -> Vec<Complaint> {
        match self.approval.as_ref().map(Approval::binding) {
            None | Some(Binding::Stop { .. }) => Vec::new(),
            Some(Binding::Plan { digest: approved, .. }) => {
                let found = digest(page);
                if found == *approved && self.slots.is_empty() {
                    return Vec::new();
                }
                let message = format!(
                    "approved was the plan {}, this is {}",
                    approved.short(),
                    found.short()
                );
                page.iter()
                    .map(|step| Complaint { step: step.id.clone(), message: message.clone() })
                    .collect()
            }
        }
    }

    /// No step will be asked for any more, now or later: neither those that wait, nor those
    /// whose intent or value is just being written down.
    pub fn close(&mut self, why: &str) {
        self.closed = Some(why.to_owned());
        self.cancel_waiting(why);
    }

    /// Steps that have not been asked for yet never will be; later pages still are.
    pub fn cancel_waiting(&mut self, why: &str) {
        for id in std::mem::take(&mut self.waiting).into_values() {
            self.settle(&id, Settled::not_started(why));
        }
    }

    /// Everything that may be asked for now.
    pub fn asks(&mut self) -> Vec<MachineAsk> {
        if self.is_dry() {
            return Vec::new();
        }
        let mut ready = self.ready();
        self.hold_back(&mut ready);
        let mut asks = Vec::new();
        if !ready.is_empty() {
            let mut entries = std::mem::take(&mut self.pending_entries);
            entries.push(Entry::Intent { steps: ready.clone() });
            self.set_all(&ready, &State::Intending);
            asks.push(MachineAsk::Journal { steps: ready, entries });
        }
        asks
    }

    /// Leaves in `ready` what the meter lets through. Rows go in batches that count as one.
    fn hold_back(&mut self, ready: &mut Vec<StepId>) {
        let Some(meter) = &mut self.meter else { return };
        let mut rows = 0_usize;
        let before = ready.len();
        ready.retain(|id| {
            let is_row =
                self.slots.get(id).is_some_and(|slot| matches!(slot.step.act, Act::SetStatus(_)));
            let begins = !is_row || rows.is_multiple_of(BATCH_ROWS);
            let passes = !begins || meter.left > 0;
            if passes {
                meter.left -= usize::from(begins);
                rows += usize::from(is_row);
            }
            passes
        });
        meter.holds_back = ready.len() < before;
    }

    /// Entries that wait for a journal ask that may never come; taken at the end of a run.
    pub fn drain_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.pending_entries)
    }

    /// Steps whose dependencies have settled. A step whose need does not stand is refused.
    fn ready(&mut self) -> Vec<StepId> {
        let mut ready = Vec::new();
        let waiting: Vec<StepId> = self.waiting.values().cloned().collect();
        for id in waiting {
            let Some(slot) = self.slots.get(&id) else { continue };
            let settled = |id: &StepId| match self.slots.get(id).map(|slot| &slot.state) {
                Some(State::Settled(settled)) => Some(settled.clone()),
                _ => None,
            };
            let after_done = slot.step.after.iter().all(|id| settled(id).is_some());
            let needs: Vec<_> = slot.step.needs.iter().map(|id| (id, settled(id))).collect();
            let failed = needs.iter().find(|(_, it)| it.as_ref().is_some_and(|it| !it.stands()));
            if let Some((need, _)) = failed {
                let why = format!("{need} did not succeed");
                self.settle(&id, Settled::not_started(why));
            } else if slot.step.awaits.as_ref().is_none_or(|what| self.observed.contains(what))
                && after_done
                && needs.iter().all(|(_, it)| it.is_some())
            {
                ready.push(id);
            }
        }
        ready
    }

    /// The answer to a journal ask. Gives what may be asked for next.
    pub fn journaled(
        &mut self,
        steps: &[StepId],
        result: Result<(), String>,
        now: Utc,
    ) -> Vec<MachineAsk> {
        if let (Err(why), JournalRule::Required) = (&result, self.rule) {
            let why = format!("no journal, no action: {why}");
            self.give_up(steps, &why);
            self.close(&why);
            return Vec::new();
        }
        if let Some(why) = self.closed.clone() {
            self.give_up(steps, &why);
            return Vec::new();
        }
        let (to_record, to_act): (Vec<StepId>, Vec<StepId>) =
            steps.iter().cloned().partition(|id| self.is_recorded(id));
        self.set_all(&to_record, &State::Recording);
        let mut asks: Vec<MachineAsk> =
            to_record.chunks(CHUNK_ITEMS).filter_map(|steps| self.chunk(steps, now)).collect();
        asks.extend(self.act(&to_act));
        asks
    }

    fn is_recorded(&self, id: &StepId) -> bool {
        self.stop_id.is_some() && self.slots.get(id).is_some_and(|slot| slot.step.restore.is_some())
    }

    fn chunk(&mut self, steps: &[StepId], now: Utc) -> Option<MachineAsk> {
        let items = self.items(steps);
        let stop_id = self.stop_id.as_ref()?;
        // Whoever tries again asks for the same chunk again: the values are no others.
        let holds = |it: &&RestoreChunk| {
            it.stop_id == *stop_id
                && items.iter().all(|item| it.items.contains(item) && self.record.counts(it, item))
        };
        let again = self.elsewhere.iter().find(holds).cloned();
        let chunk = again.or_else(|| self.chunk_for(steps, now))?;
        self.recorded_in(&chunk, steps);
        Some(MachineAsk::Record { steps: steps.to_vec(), chunk })
    }

    fn items(&self, steps: &[StepId]) -> Vec<RestoreItem> {
        steps.iter().filter_map(|id| self.slots.get(id)?.step.restore.clone()).collect()
    }

    /// A new chunk with the values of these steps, and with what does not count of earlier ones.
    fn chunk_for(&mut self, steps: &[StepId], now: Utc) -> Option<RestoreChunk> {
        let at = self.record.stamp(now);
        let items = self.items(steps);
        items.iter().for_each(|item| self.record.read_again(&item.subject));
        let chunk = self.chunk_of(items, at)?;
        Some(RestoreChunk { void: self.record.take_void(CHUNK_ITEMS), ..chunk })
    }

    fn recorded_in(&mut self, chunk: &RestoreChunk, steps: &[StepId]) {
        for id in steps {
            let item = self.slots.get(id).and_then(|slot| slot.step.restore.as_ref());
            if let Some(item) = item {
                self.record.holds(chunk.chunk, &item.subject, id);
            }
        }
    }

    fn chunk_of(&mut self, items: Vec<RestoreItem>, at: Utc) -> Option<RestoreChunk> {
        let chunk = RestoreChunk {
            format: RestoreChunk::FORMAT,
            stop_id: self.stop_id.clone()?,
            run_id: self.run_id.clone(),
            chunk: self.next_chunk,
            at,
            items,
            void: Vec::new(),
            unlatched: self.unlatched.clone().map(Box::new),
            taken_from: None,
        };
        self.next_chunk += 1;
        Some(chunk)
    }

    /// Whether the state store has a chunk; one that it has not is asked for again, and no
    /// other, when what it holds is to be changed again.
    pub fn kept(&mut self, chunk: &RestoreChunk, in_store: bool) {
        self.elsewhere.retain(|it| it != chunk);
        if !in_store {
            self.elsewhere.push(chunk.clone());
        }
    }

    /// The answer to a record ask: it is kept somewhere in any case.
    pub fn recorded(&mut self, steps: &[StepId]) -> Vec<MachineAsk> {
        match self.closed.clone() {
            None => self.act(steps),
            Some(why) => {
                self.give_up(steps, &why);
                Vec::new()
            }
        }
    }

    /// Steps that were about to be asked for never will be.
    pub fn give_up(&mut self, steps: &[StepId], why: &str) {
        for id in steps {
            self.settle(id, Settled::not_started(why));
        }
    }

    fn act(&mut self, steps: &[StepId]) -> Vec<MachineAsk> {
        self.set_all(steps, &State::Acting);
        let acts =
            steps.iter().filter_map(|id| Some((id.clone(), self.slots.get(id)?.step.act.clone())));
        let (rows, others): (Vec<_>, Vec<_>) =
            acts.partition(|(_, act)| matches!(act, Act::SetStatus(_)));
        let rows = rows.chunks(BATCH_ROWS).map(<[_]>::to_vec);
        rows.chain(others.into_iter().map(|act| vec![act])).map(MachineAsk::Act).collect()
    }

    /// The answers to an act ask.
    pub fn acted(&mut self, answers: Vec<(StepId, Written)>) {
        for (id, written) in answers {
            self.settle(&id, Settled::Answered(written));
        }
    }

    fn settle(&mut self, id: &StepId, answer: Settled) {
        if let Some(slot) = self.slots.get_mut(id) {
            if let Some(item) = slot.step.restore.as_ref().filter(|_| !answer.may_have_acted()) {
                self.record.not_done(id, &item.subject);
            }
            slot.state = State::Settled(answer.clone());
            self.open.remove(&slot.order);
            self.waiting.remove(&slot.order);
            self.pending_entries.push(Entry::Settled { step: id.clone(), answer });
        }
    }
    fn set_all(&mut self, ids: &[StepId], state: &State) {
        for id in ids {
            if let Some(slot) = self.slots.get_mut(id) {
                slot.state = state.clone();
                self.waiting.remove(&slot.order);
            }
        }
    }

    /// Every step has an answer.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }
    /// A step is still to be asked for.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
    /// Every step of a rung has an answer.
    pub fn is_rung_idle(&self, rung: Rung) -> bool {
        !self.open.values().any(|id| self.slots.get(id).is_some_and(|slot| slot.step.rung == rung))
    }
    /// Every step of all other rungs has an answer.
    pub fn is_idle_beside(&self, rung: Rung) -> bool {
        self.open.values().all(|id| self.slots.get(id).is_some_and(|slot| slot.step.rung == rung))
    }
    /// For each rung that has one of these steps: how many of its steps stand, how many have
    /// ended otherwise, and how many there are.
    pub fn progress(&self, touched: &BTreeSet<StepId>) -> Vec<(Rung, u64, u64, u64)> {
        let mut counts: BTreeMap<Rung, (u64, u64, u64)> = BTreeMap::new();
        let rung_of = |id| self.slots.get(id).map(|slot| slot.step.rung);
        for rung in touched.iter().filter_map(rung_of) {
            counts.entry(rung).or_default();
        }
        for slot in self.slots.values() {
            if let Some((stand, failed, total)) = counts.get_mut(&slot.step.rung) {
                if matches!(&slot.state, State::Settled(it) if it.is_needless()) {
                    continue;
                }
                *total += 1;
                if let State::Settled(settled) = &slot.state {
                    let count = if settled.stands() { stand } else { failed };
                    *count += 1;
                }
            }
        }
        let counted = counts.into_iter();
        counted.map(|(rung, (stand, failed, total))| (rung, stand, failed, total)).collect()
    }
    /// How many steps are planned, whatever became of them.
    pub fn planned(&self) -> usize {
        self.slots.len()
    }
    /// Whether a step is planned.
    pub fn has(&self, id: &StepId) -> bool {
        self.slots.contains_key(id)
    }
    /// Whether a step is of a rung.
    pub fn is_of(&self, id: &StepId, rung: Rung) -> bool {
        self.slots.get(id).is_some_and(|slot| slot.step.rung == rung)
    }
    /// How a step ended, if it has.
    pub fn settled(&self, id: &StepId) -> Option<&Settled> {
        match self.slots.get(id).map(|slot| &slot.state) {
            Some(State::Settled(settled)) => Some(settled),
            _ => None,
        }
    }
    /// All steps with their answers so far, in order of their ids.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, Option<&Settled>)> {
        self.slots.values().map(|slot| match &slot.state {
            State::Settled(settled) => (&slot.step, Some(settled)),
            _ => (&slot.step, None),
        })
    }
}

fn not_started(why: String) -> State {
    State::Settled(Settled::not_started(why))
}
