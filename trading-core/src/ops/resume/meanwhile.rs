//! What tells a resume that somebody stops or resumes beside it.

use super::holds::gone;
use super::procedure::{End, Resume};
use crate::model::{Phase, Reading, RestoreChunk};
use crate::ops::Query;
use crate::plan::Act;

impl Resume {
    /// What tells of stops meanwhile: the latch, and until something was put back the record too. A
    /// run of this stop may have recorded more since it was read, and sees at its next look that
    /// it is resumed. Before the release it is read once more.
    pub(super) fn fresh_queries(&self) -> Vec<Query> {
        match self.has_latch() {
            true if !self.put_something_back() => {
                [Query::Latch].into_iter().chain(self.record_query()).collect()
            }
            true => vec![Query::Latch],
            false => vec![Query::Stops],
        }
    }

    pub(super) fn record_query(&self) -> Option<Query> {
        let hold = self.hold.as_ref().filter(|_| self.has_latch())?;
        Some(self.record_of(&hold.stop_id))
    }

    /// The record holds more than what was planned from.
    pub(super) fn record_grew(&self) -> Option<End> {
        let (record, ours) = (self.world.restore.as_ref()?.value()?, self.hold.as_ref()?);
        let copied: Vec<&RestoreChunk> = self
            .run
            .executor
            .steps()
            .filter_map(|(step, _)| match &step.act {
                Act::HandOver { chunk } => Some(chunk),
                _ => None,
            })
            .collect();
        let new = record.iter().find(|it| !self.planned.contains(it) && !copied.contains(it))?;
        let (id, run) = (&ours.stop_id, &new.run_id);
        Some(End::Grew(format!("{run} recorded more of {id} meanwhile: resume it again")))
    }

    /// Somebody wrote the latch between our read and our write. What stands there now tells
    /// whether trading goes on or was stopped again.
    pub(super) fn who_changed_the_latch(&mut self) -> Option<End> {
        if !self.rereading {
            self.rereading = true;
            self.run.executor.cancel_waiting("the latch was changed meanwhile");
            self.ask_all(vec![Query::Latch]);
            return None;
        }
        if !self.waiting.is_empty() {
            return None;
        }
        let (Some(latch), Some(ours)) =
            (self.world.latch.as_ref().and_then(Reading::value), self.hold.as_ref())
        else {
            let why = "the latch was changed meanwhile, and cannot be read again";
            return Some(End::Held(why.to_owned()));
        };
        let id = &ours.stop_id;
        Some(match latch.hold(id) {
            None => gone(latch, ours),
            Some(hold) if hold.phase == Phase::Resuming => {
                End::StoppedAgain(format!("another resume of {id} goes on"))
            }
            Some(_) => End::StoppedAgain("the latch was changed meanwhile".to_owned()),
        })
    }

    /// What tells of stops meanwhile was read.
    pub(super) fn is_seen(&self) -> bool {
        match self.has_latch() {
            true => {
                let record = self.world.restore.as_ref();
                self.world.latch.as_ref().is_some_and(|it| it.value().is_some())
                    && (self.put_something_back() || record.is_some_and(|it| it.value().is_some()))
            }
            false => self.world.stops.as_ref().is_some_and(|it| it.value().is_some()),
        }
    }

    pub(super) fn stopped_again(&self) -> Option<End> {
        if !self.has_latch() {
            return self.stopped_again_here();
        }
        let latch = self.world.latch.as_ref()?.value()?;
        let ours = self.hold.as_ref()?;
        match latch.hold(&ours.stop_id) {
            Some(hold) if self.expected_epoch().is_some_and(|expected| latch.epoch > expected) => {
                if hold.phase != Phase::Resuming {
                    let why = format!("stop {} was taken up again meanwhile", hold.stop_id);
                    return Some(End::StoppedAgain(why));
                }
                let others = latch.holds.iter().filter(|it| it.stop_id != ours.stop_id);
                let others: Vec<&str> = others.map(|it| it.stop_id.as_str()).collect();
                Some(End::StoppedAgain(match others.join(", ") {
                    none if none.is_empty() => {
                        format!(
                            "another resume of {} goes on, or a hold came and went",
                            ours.stop_id
                        )
                    }
                    others => format!("the latch was changed meanwhile; {others} holds too"),
                }))
            }
            Some(hold) if hold.phase == Phase::Resuming => None,
            Some(hold) => Some(End::StoppedAgain(format!(
                "stop {} went back to {}",
                hold.stop_id,
                hold.phase.as_str()
            ))),
            None => Some(gone(latch, ours)),
        }
    }
}
