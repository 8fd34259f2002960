//! What the restore record says of the steps of one run: which chunk holds whose value from
//! before, and which of these do not count, because nothing was changed after all.

use super::StepId;
use crate::model::{RestoreChunk, RestoreItem, RestoreSubject, Utc, Void};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// The bookkeeping of one run.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Which steps wait for, or have acted on, what a chunk holds of a subject.
    of: BTreeMap<Void, BTreeSet<StepId>>,
    /// In which chunk the value of a step is.
    by: BTreeMap<StepId, u32>,
    /// What does not count, and has not been recorded as such.
    void: BTreeSet<Void>,
    /// What was.
    noted: BTreeSet<Void>,
    /// In which chunk a value is that counts only if it is never read again.
    in_doubt: BTreeMap<RestoreSubject, u32>,
    /// Chunks are not before this.
    after: Option<Utc>,
}

impl Record {
    /// A chunk holds what a step is about.
    pub(super) fn holds(&mut self, chunk: u32, subject: &RestoreSubject, step: &StepId) {
        self.by.insert(step.clone(), chunk);
        let of = Void { chunk, subject: subject.clone() };
        self.void.remove(&of);
        self.of.entry(of).or_default().insert(step.clone());
    }
    /// Whether the value of a step is in it.
    pub(super) fn has(&self, step: &StepId) -> bool {
        self.by.contains_key(step)
    }
    /// What of it may have been put back since.
    pub(super) fn doubted(&self) -> BTreeSet<RestoreSubject> {
        self.in_doubt.keys().cloned().collect()
    }
    /// What is recorded of these may have been put back since: where the same is changed again,
    /// the value that is read then counts.
    pub(super) fn doubt(&mut self, is_doubted: impl Fn(&RestoreSubject) -> bool) {
        let doubted = self.of.keys().filter(|it| is_doubted(&it.subject));
        self.in_doubt = doubted.map(|it| (it.subject.clone(), it.chunk)).collect();
    }
    /// A value is read again.
    pub(super) fn read_again(&mut self, subject: &RestoreSubject) {
        if let Some(chunk) = self.in_doubt.remove(subject) {
            let of = Void { chunk, subject: subject.clone() };
            let steps = self.of.remove(&of).unwrap_or_default();
            self.by.retain(|step, _| !steps.contains(step));
            self.void.insert(of);
        }
    }
    /// A step is known not to have changed anything.
    pub(super) fn not_done(&mut self, step: &StepId, subject: &RestoreSubject) {
        let Some(chunk) = self.by.remove(step) else { return };
        let of = Void { chunk, subject: subject.clone() };
        let Some(steps) = self.of.get_mut(&of) else { return };
        steps.remove(step);
        if steps.is_empty() {
            self.of.remove(&of);
            self.void.insert(of);
        }
    }
    /// Whether an item of a chunk was not recorded as void.
    pub(super) fn counts(&self, chunk: &RestoreChunk, item: &RestoreItem) -> bool {
        let of = Void { chunk: chunk.chunk, subject: item.subject.clone() };
        !self.noted.contains(&of)
    }
    pub(super) fn has_void(&self) -> bool {
        !self.void.is_empty()
    }
    /// Some of what does not count: it is recorded as such.
    pub(super) fn take_void(&mut self, most: usize) -> Vec<Void> {
        let void: Vec<Void> = self.void.iter().take(most).cloned().collect();
        for it in &void {
            self.void.remove(it);
            self.noted.insert(it.clone());
        }
        void
    }
    /// The values are recorded anew, in other chunks.
    pub(super) fn forget(&mut self) {
        let (after, noted) = (self.after, std::mem::take(&mut self.noted));
        *self = Self { after, noted, ..Self::default() };
    }
    /// Chunks come later than this.
    pub(super) fn follows(&mut self, at: Utc) {
        let next = at.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(at);
        self.after = self.after.max(Some(next));
    }
    /// The time of a chunk that is written now, by a clock that may go back.
    pub(super) fn stamp(&mut self, now: Utc) -> Utc {
        let at = self.after.map_or(now, |after| after.max(now));
        self.after = Some(at);
        at
    }
}
