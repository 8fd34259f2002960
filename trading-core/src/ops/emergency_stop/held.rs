//! What the latch says of a stop once its word is known.

use super::ladder::{EmergencyStop, Word};
use crate::model::{Hold, Phase, Utc, Written};
use crate::ops::Query;
use crate::ops::run::describe;
use crate::plan::{Act, Rung, Settled, Step, StepId};
use crate::report::{Finding, Severity};

/// The step that says it.
pub(super) const HELD: &str = "latch/held";
/// How often it is tried while others write the latch too.
const ATTEMPTS: u32 = 5;
/// How often it is tried where the write did not arrive, or its answer did not.
const ATTEMPTS_UNANSWERED: u32 = 2;

impl EmergencyStop {
    /// The hold's phase becomes `held` once the stop was seen complete, and it notes no more
    /// than a resume needs.
    pub(super) fn held_step(&self, id: StepId, word: Word, now: Utc) -> Option<Step> {
        let latch = self.newest_latch()?;
        let mut holds = latch.holds.clone();
        let hold = holds.iter_mut().find(|it| it.stop_id == self.stop_id)?;
        if hold.phase == Phase::Resuming || !self.is_as_proved(hold) {
            // Whoever resumes it since then would be overtaken by this; whoever took it up again
            // has not proved it yet.
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

    /// Somebody else wrote the latch between our last look and this write, or it did not arrive: it
    /// is read again, and said then, or the hold of a stop that is over would stay at `stopping`.
    pub(super) fn hold_again(&mut self, now: Utc) {
        let attempts = match self.last_held() {
            Some(Written::Refused { .. }) => ATTEMPTS,
            Some(Written::Unreachable { .. } | Written::Unknown { .. }) => ATTEMPTS_UNANSWERED,
            _ => return,
        };
        let Some(word) = self.word else { return };
        match self.run.attempt(HELD, &Query::Latch) {
            None => self.run.read(Query::Latch),
            Some(id) if id.attempt().1 <= attempts => {
                let step = self.held_step(id, word, now);
                self.run.append(step.into_iter().collect());
            }
            Some(_) => {}
        }
    }

    /// What the latch says of a proved stop, if that is something else.
    pub(super) fn hold_finding(&self) -> Option<Finding> {
        let failure = self.last_held().filter(|it| !it.stands())?;
        let hold = self.newest_latch()?.hold(&self.stop_id);
        if self.word != Some(Word::Halted) || hold.is_some_and(|it| it.phase == Phase::Held) {
            return None;
        }
        let env = &self.site.environment;
        if !hold.is_some_and(|it| it.phase == Phase::Stopping && self.is_as_proved(it)) {
            let message = "somebody resumed it, or took it up again, while this run ended: what it \
                           proved may not stand any more";
            return Some(
                Finding::new("stop.taken_up_since", Severity::Error, "latch", message)
                    .next(format!("tradectl status --env {env}")),
            );
        }
        let why = describe(failure);
        let message = format!(
            "it still says that the stop is at work ({why}); the same stop again says that it is \
             over"
        );
        let next = match failure {
            Written::Denied { .. } if self.site.over_network => self.permission(),
            _ => self.request.command(env),
        };
        Some(Finding::new("stop.hold_not_noted", Severity::Warning, "latch", message).next(next))
    }

    /// Nobody resumed this stop or took it up again since it was proved.
    fn is_as_proved(&self, hold: &Hold) -> bool {
        let proved = self.proved_hold.as_ref();
        proved.is_none_or(|it| it.phase == hold.phase && it.overtook_resume == hold.overtook_resume)
    }

    /// What became of the last attempt.
    fn last_held(&self) -> Option<&Written> {
        let steps = self.run.executor.steps();
        let attempts = steps.filter(|(step, _)| step.id.attempt().0 == HELD);
        match attempts.max_by_key(|(step, _)| step.id.attempt().1)? {
            (_, Some(Settled::Answered(written))) => Some(written),
            _ => None,
        }
    }
}
