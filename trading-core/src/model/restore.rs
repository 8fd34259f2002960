//! The restore record: what stood before a stop changed it, kept in the state store so
//! that a resume works from any machine.

use super::{Attr, Autoscaling, RunId, ScheduleId, ServiceName, StopId, StrategyId, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A batch of items, written before any of them is changed. A chunk is written once and
/// never changed. Where several chunks name one subject, the earliest (`at`, then `run_id`,
/// then `chunk`) holds the value from before the stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreChunk {
    /// The format number.
    pub format: u32,
    /// The stop.
    pub stop_id: StopId,
    /// The run that writes; several may work on one stop.
    pub run_id: RunId,
    /// Counts the chunks of the run, from 0.
    pub chunk: u32,
    /// When it was written.
    pub at: Utc,
    /// What is about to be changed.
    pub items: Vec<RestoreItem>,
}

impl RestoreChunk {
    /// The format that this binary writes.
    pub const FORMAT: u32 = 1;
}

/// One thing that is about to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreItem {
    /// What.
    pub subject: RestoreSubject,
    /// What stood there.
    pub before: RestoreValue,
    /// What we are about to write.
    pub written: RestoreValue,
}

/// What a restore item is about. Its display form is the ITEM of `--leave` and `--take`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum RestoreSubject {
    /// A strategy's status.
    Strategy(StrategyId),
    /// A schedule's or rule's state.
    Schedule(ScheduleId),
    /// A service's desired count.
    Service(ServiceName),
    /// A service's scaling target.
    Autoscaling(ServiceName),
}

impl fmt::Display for RestoreSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strategy(id) => write!(f, "strategy={id}"),
            Self::Schedule(id) => write!(f, "schedule={id}"),
            Self::Service(name) => write!(f, "service={name}"),
            Self::Autoscaling(name) => write!(f, "autoscaling={name}"),
        }
    }
}

/// A value of a restore item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum RestoreValue {
    /// The status attribute, of whatever type; `None`: the row had none.
    Status(Option<Attr>),
    /// Whether a schedule is enabled.
    Enabled(bool),
    /// A desired count.
    Desired(u32),
    /// A scaling target.
    Autoscaling(Autoscaling),
}

impl fmt::Display for RestoreValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(Some(attr)) => write!(f, "status {attr}"),
            Self::Status(None) => f.write_str("no status"),
            Self::Enabled(true) => f.write_str("enabled"),
            Self::Enabled(false) => f.write_str("disabled"),
            Self::Desired(count) => write!(f, "desired {count}"),
            Self::Autoscaling(it) => {
                write!(f, "scaling {} to {}{}", it.min_capacity, it.max_capacity, it.suspended)
            }
        }
    }
}
