//! What an act does to the world: refused where it expects something else, and done once.

use super::SimWorld;
use crate::model::*;
use crate::plan::Act;

impl SimWorld {
    pub(super) fn act(&mut self, act: &Act) -> Written {
        assert!(!self.read_only, "a dry run acted: {act}");
        let at = self.now;
        let answer = self.apply(act);
        if let Written::Applied { .. } = answer {
            self.applied.push(act.to_string());
            let lost = match act {
                Act::WriteLatch { .. } if self.latched_at.is_none() => {
                    self.latched_at = Some(at);
                    std::mem::take(&mut self.loses_latch_answer)
                }
                Act::SetStatus(write) => {
                    self.loses_answer_of.take_if(|id| *id == write.strategy).is_some()
                }
                _ => false,
            };
            if lost {
                return Written::Unknown { why: "the answer was lost".into() };
            }
        }
        answer
    }

    pub(crate) fn apply(&mut self, act: &Act) -> Written {
        let applied = Written::Applied { at: self.now };
        let compare = |expected: String, found: String| Written::Refused { expected, found };
        match act {
            _ if self.acts_broken => return Written::Unreachable { why: "broken".into() },
            Act::WriteLatch { expected_epoch, latch } => {
                if self.latch_broken {
                    return Written::Unreachable { why: "broken".into() };
                }
                if self.latch.epoch != *expected_epoch {
                    return compare(expected_epoch.to_string(), self.latch.epoch.to_string());
                }
                self.latch = latch.clone();
                self.latch_unparsed = false;
            }
            Act::Notify { .. } if self.mute => return Written::Unreachable { why: "mute".into() },
            Act::Notify { message_id, .. } => self.notices.push(message_id.clone()),
            Act::SetSchedule { schedule, enabled } => {
                let it = self.schedules.iter_mut().find(|it| it.id == *schedule).unwrap();
                if it.enabled == *enabled {
                    return Written::Already;
                }
                it.enabled = *enabled;
            }
            Act::SetStatus(write) => {
                let row = self.rows.iter_mut().find(|row| row.id == write.strategy).unwrap();
                if row.status_attr() == write.value.as_ref() {
                    return Written::Already;
                }
                if row.status_attr() != write.expected.as_ref() {
                    return compare(
                        format!("{:?}", write.expected),
                        format!("{:?}", row.status_attr()),
                    );
                }
                match &write.value {
                    Some(value) => row.row.set("status", value.clone()),
                    None => _ = row.row.remove("status"),
                }
            }
            Act::CancelOrder { order, .. } => {
                let it = self.orders.iter_mut().find(|it| it.order.client_order_id == *order);
                let it = it.unwrap();
                if it.state.is_terminal() {
                    return Written::Already;
                }
                it.state = OrderState::Cancelled;
            }
            Act::ClosePosition { order, .. } => {
                let it = self.positions.iter().position(|it| it.strategy == order.strategy);
                let Some(it) = it else { return Written::Already };
                self.positions.remove(it);
            }
            Act::SetAutoscaling { service, expected, value } => {
                let it = self.services.iter_mut().find(|it| it.name == *service).unwrap();
                if it.autoscaling.value() == Some(value) {
                    return Written::Already;
                }
                if it.autoscaling.value() != Some(expected) {
                    return compare(format!("{expected:?}"), format!("{:?}", it.autoscaling));
                }
                it.autoscaling = it.autoscaling.clone().map(|_| *value);
                if value.suspended != Suspended::ALL {
                    // What is below its least is lifted at once.
                    it.desired_count = it.desired_count.max(value.min_capacity);
                }
            }
            Act::SetDesired { service, expected, desired } => {
                let it = self.services.iter_mut().find(|it| it.name == *service).unwrap();
                if it.desired_count == *desired {
                    return Written::Already;
                }
                if it.desired_count != *expected {
                    return compare(expected.to_string(), it.desired_count.to_string());
                }
                it.desired_count = *desired;
            }
            Act::StopTask { task, .. } => {
                let it = self.tasks.iter_mut().find(|it| it.id == *task).unwrap();
                if it.state == TaskState::Stopped {
                    return Written::Already;
                }
                it.state = TaskState::Stopping;
            }
            Act::EnsureSupervised if self.supervision != Supervision::Absent => {
                return Written::Already;
            }
            Act::EnsureSupervised => self.supervision = Supervision::Platform,
            Act::HandOver { .. } if self.store_broken => {
                return Written::Unreachable { why: "broken".into() };
            }
            Act::HandOver { chunk } if self.chunks.contains(chunk) => return Written::Already,
            Act::HandOver { chunk } if self.chunks.iter().any(|it| it.key() == chunk.key()) => {
                return compare("no chunk there".into(), "another chunk".into());
            }
            Act::HandOver { chunk } => self.chunks.push(chunk.clone()),
        }
        applied
    }
}
