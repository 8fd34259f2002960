//! What the latch says of a stop once its word is known.

use super::ladder::{EmergencyStop, Word};
use crate::model::{Phase, Utc, Written};
use crate::ops::Query;
use crate::plan::{Act, Rung, Settled, Step, StepId};
use crate::report::{Finding, Severity};

/// The step that says it.
pub(super) const HELD: &str = "latch/held";
/// How often it is tried while others write the latch too.
const ATTEMPTS: u32 = 5;

impl EmergencyStop {
    /// The hold's phase becomes `held` once the stop was seen complete, and it notes no more
    /// than a resume needs.
    pub(super) fn held_step(&self, id: StepId, word: Word, now: Utc) -> Option<Step> {
        let latch = self.newest_latch()?;
        let mut holds = latch.holds.clone();
        let hold = holds.iter_mut().find(|it| it.stop_id == self.stop_id)?;
        if hold.phase == Phase::Resuming {
            // Whoever resumes it since then would be overtaken by this.
            return None;
        }
        let before = hold.clone();
        self.note_misplaced(hold);
        // A stricter hold than was asked for is not proved by what a weaker stop looks at.
        if word == Word::Halted && hold.level <= self.request.level {
            hold.phase = Phase::Held;
        }
        // Whoever takes this stop up again need not wait once more.
        if self.times.resumed_until.is_some_and(|until| until <= now) {
            hold.overtook_resume = false;
        }
        if *hold == before {
            return None;
        }
        Some(Step::new(
            id,
            Rung::Latch,
            "the stop was seen complete, or what it noted is not needed",
            Act::WriteLatch { expected_epoch: latch.epoch, latch: latch.next(holds) },
        ))
    }

    /// Somebody else wrote the latch between our last look and this write: it is read again, and
    /// said then, or the hold of a stop that is over would stay at `stopping`.
    pub(super) fn hold_again(&mut self, now: Utc) {
        let Some(word) = self.word.filter(|_| self.is_hold_refused()) else { return };
        match self.run.attempt(HELD, &Query::Latch) {
            None => self.run.read(Query::Latch),
            Some(id) if id.attempt().1 <= ATTEMPTS => {
                let step = self.held_step(id, word, now);
                self.run.append(step.into_iter().collect());
            }
            Some(_) => {}
        }
    }

    /// That a proved stop looks as if it were at work.
    pub(super) fn hold_finding(&self) -> Option<Finding> {
        let latch = self.newest_latch().filter(|_| self.is_hold_refused())?;
        let hold = latch.hold(&self.stop_id)?;
        let at_work = self.word == Some(Word::Halted) && hold.phase == Phase::Stopping;
        at_work.then(|| {
            let message = "others wrote it while this stop ended, so that it still says that the \
                           stop is at work; the same stop again says that it is over";
            let env = &self.site.environment;
            Finding::new("stop.hold_not_noted", Severity::Warning, "latch", message)
                .next(self.request.command(env))
        })
    }

    /// The last attempt met another epoch than it expected.
    fn is_hold_refused(&self) -> bool {
        let steps = self.run.executor.steps();
        let attempts = steps.filter(|(step, _)| step.id.attempt().0 == HELD);
        let last = attempts.max_by_key(|(step, _)| step.id.attempt().1);
        let refused = |settled: Option<&Settled>| {
            matches!(settled, Some(Settled::Answered(Written::Refused { .. })))
        };
        last.is_some_and(|(_, settled)| refused(settled))
    }
}
