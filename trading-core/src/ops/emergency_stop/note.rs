//! What the state store does not take of the restore record is noted in the latch, before
//! anything is changed that it holds: a resume on another machine then misses it.

use super::ladder::{EmergencyStop, later};
use crate::model::{Hold, Latch, Reading, Utc, Written};
use crate::ops::Query;
use crate::plan::{Act, Rung, Settled, Step};

/// How long steps wait at most until the latch notes where their values lie.
const NOTE_PATIENCE_MS: u64 = 2_000;

impl EmergencyStop {
    /// Has a hold of ours note what a resume needs and the state store has not. Whether it
    /// did not before; what it notes too much is taken back at the end.
    pub(super) fn note_misplaced(&self, hold: &mut Hold) -> bool {
        let needed = self.run.needed(&self.stop_id);
        let new = !needed.iter().all(|chunk| hold.notes(&self.request.run_id, *chunk));
        if new || self.word.is_some() {
            hold.note_misplaced(&self.request.run_id, &self.request.actor, needed);
        }
        new
    }

    /// Steps whose values lie elsewhere go on once that is noted, or cannot be. The latch is
    /// read for it: what is planned for a reading includes the note.
    pub(super) fn note(&mut self, now: Utc) {
        let Some(since) = self.run.unnoted_since() else { return };
        if self.word.is_some() {
            return self.run.give_up_unnoted("the stop ended before the latch noted its record");
        }
        let in_vain = !self.site.capabilities.strategies;
        if in_vain || self.is_noted() || self.cannot_note() || now >= later(since, NOTE_PATIENCE_MS)
        {
            self.run.noted();
        } else if self.run.executor.is_rung_idle(Rung::Latch) {
            self.run.read(Query::Latch);
        }
    }

    /// Until when it is waited for.
    pub(super) fn note_deadline(&self) -> Option<Utc> {
        self.run.unnoted_since().map(|since| later(since, NOTE_PATIENCE_MS))
    }

    /// Whether the latch notes everything that a resume needs and the state store has not.
    pub(super) fn is_noted(&self) -> bool {
        let latch = self.newest_latch();
        let hold = latch.and_then(|it| it.hold(&self.stop_id));
        let noted = |chunk| hold.is_some_and(|hold| hold.notes(&self.request.run_id, chunk));
        self.run.needed(&self.stop_id).into_iter().all(noted)
    }

    /// The latch as it was read or written by us last.
    pub(super) fn newest_latch(&self) -> Option<&Latch> {
        let read = self.world.latch.as_ref().and_then(Reading::value);
        read.into_iter().chain(self.newest_written()).max_by_key(|latch| latch.epoch)
    }

    /// The latch as this run wrote it last.
    pub(super) fn newest_written(&self) -> Option<&Latch> {
        let written = self.latch_writes().filter_map(|(step, settled)| match &step.act {
            Act::WriteLatch { latch, .. } if settled.is_some_and(Settled::stands) => Some(latch),
            _ => None,
        });
        written.max_by_key(|latch| latch.epoch)
    }

    /// The latch cannot be read, or a write of it failed in a way that no other reading
    /// mends.
    fn cannot_note(&self) -> bool {
        let failed = |settled: &Settled| {
            !settled.stands() && !matches!(settled, Settled::Answered(Written::Refused { .. }))
        };
        let newest = self.latch_writes().max_by_key(|(step, _)| {
            let id = step.id.as_str();
            (id.len(), id)
        });
        self.world.latch.as_ref().is_some_and(|it| it.value().is_none())
            || newest.is_some_and(|(_, settled)| settled.is_some_and(failed))
    }

    fn latch_writes(&self) -> impl Iterator<Item = (&Step, Option<&Settled>)> {
        self.run.executor.steps().filter(|(step, _)| step.rung == Rung::Latch)
    }
}
