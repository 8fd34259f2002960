//! The acts: everything that a procedure can do to the world. Each write carries the value
//! that must stand there; the platform compares and writes in one go, so the precheck
//! cannot be outrun by somebody else's change.

use crate::model::{
    Autoscaling, ClientOrderId, Latch, NewOrder, RestoreChunk, RestoreItem, RestoreSubject,
    RestoreValue, ScheduleId, ServiceName, StatusWrite, Suspended, TaskId, VenueName,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Writes the latch if its epoch is still the expected one.
    WriteLatch {
        /// The epoch that must stand there.
        expected_epoch: u64,
        /// The whole new latch.
        latch: Latch,
    },
    /// Tells people.
    Notify {
        /// The same id is the same message.
        message_id: String,
        /// Under 100 characters.
        subject: String,
        /// The text.
        body: String,
    },
    /// Enables or disables a schedule or rule, changing nothing else of it.
    SetSchedule {
        /// Which.
        schedule: ScheduleId,
        /// The wanted state.
        enabled: bool,
    },
    /// Writes a strategy's status if the expected one stands there.
    SetStatus(StatusWrite),
    /// Takes an order back.
    CancelOrder {
        /// Where.
        venue: VenueName,
        /// Which.
        order: ClientOrderId,
    },
    /// Sends an order that can only reduce a position.
    ClosePosition {
        /// Where.
        venue: VenueName,
        /// The order; its id is made from the stop's, so that it is never sent twice.
        order: NewOrder,
    },
    /// Changes a scaling target if the expected one stands there.
    SetAutoscaling {
        /// Whose.
        service: ServiceName,
        /// What must stand there.
        expected: Autoscaling,
        /// What to write.
        value: Autoscaling,
    },
    /// Changes a desired count if the expected one stands there.
    SetDesired {
        /// Whose.
        service: ServiceName,
        /// What must stand there.
        expected: u32,
        /// What to write.
        desired: u32,
    },
    /// Asks a task to stop.
    StopTask {
        /// Which.
        task: TaskId,
        /// Recorded as its stopped reason.
        reason: String,
    },
    /// Makes sure that somebody acts on desired counts.
    EnsureSupervised,
    /// Keeps values from before one stop in the record of another, which goes on holding what
    /// they are about and will be the one that puts them back.
    HandOver {
        /// The values, under the stop that takes them over.
        chunk: RestoreChunk,
    },
}

impl Act {
    /// Whether it changes what is called so.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        match self {
            Self::SetSchedule { schedule, .. } => schedule.as_str() == name,
            Self::SetStatus(write) => write.strategy.as_str() == name,
            Self::CancelOrder { order, .. } => order.as_str() == name,
            Self::ClosePosition { order, .. } => order.strategy.as_str() == name,
            Self::SetAutoscaling { service, .. } | Self::SetDesired { service, .. } => {
                service.as_str() == name
            }
            Self::StopTask { task, .. } => task.as_str() == name,
            Self::WriteLatch { .. }
            | Self::Notify { .. }
            | Self::EnsureSupervised
            | Self::HandOver { .. } => false,
        }
    }
    /// The value that it changes, from what and to what; none: it changes no value that
    /// could be set back.
    pub fn changes(&self) -> Option<RestoreItem> {
        let (subject, before, written) = match self {
            Self::SetStatus(write) => (
                RestoreSubject::Strategy(write.strategy.clone()),
                RestoreValue::Status(write.expected.clone()),
                RestoreValue::Status(write.value.clone()),
            ),
            Self::SetSchedule { schedule, enabled } => (
                RestoreSubject::Schedule(schedule.clone()),
                RestoreValue::Enabled(!enabled),
                RestoreValue::Enabled(*enabled),
            ),
            Self::SetDesired { service, expected, desired } => (
                RestoreSubject::Service(service.clone()),
                RestoreValue::Desired(*expected),
                RestoreValue::Desired(*desired),
            ),
            Self::SetAutoscaling { service, expected, value } => (
                RestoreSubject::Autoscaling(service.clone()),
                RestoreValue::Autoscaling(*expected),
                RestoreValue::Autoscaling(*value),
            ),
            _ => return None,
        };
        Some(RestoreItem { subject, before, written, loses: None })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteLatch { expected_epoch, latch } => {
                write!(f, "write the latch: epoch {expected_epoch} to {}", latch.epoch)
            }
            Self::Notify { subject, .. } => write!(f, "notify: {subject}"),
            Self::SetSchedule { schedule, enabled } => {
                write!(f, "{} schedule {schedule}", if *enabled { "enable" } else { "disable" })
            }
            Self::SetStatus(write) => {
                write!(f, "set status of {} from ", write.strategy)?;
                match &write.expected {
                    Some(attr) => write!(f, "{attr}")?,
                    None => f.write_str("nothing")?,
                }
                match &write.value {
                    Some(attr) => write!(f, " to {attr}"),
                    None => f.write_str(" to nothing"),
                }
            }
            Self::CancelOrder { venue, order } => write!(f, "cancel order {order} at {venue}"),
            Self::ClosePosition { venue, order } => write!(
                f,
                "close {} {} of {} at {venue}, reduce-only",
                order.quantity, order.symbol, order.strategy
            ),
            Self::SetAutoscaling { service, value, .. } => write!(
                f,
                "{} autoscaling of {service}",
                if value.suspended == Suspended::ALL { "suspend" } else { "restore" }
            ),
            Self::SetDesired { service, expected, desired } => {
                write!(f, "set desired count of {service} from {expected} to {desired}")
            }
            Self::StopTask { task, .. } => write!(f, "stop task {task}"),
            Self::EnsureSupervised => f.write_str("make sure that somebody acts on desired counts"),
            Self::HandOver { chunk } => {
                let (count, stop) = (chunk.items.len(), &chunk.stop_id);
                write!(f, "hand {count} values from before over to stop {stop}")
            }
        }
    }
}
