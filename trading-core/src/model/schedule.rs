//! Schedules and rules: what starts tasks by the clock.

use super::ScheduleId;
use serde::{Deserialize, Serialize};

/// A schedule or a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name, with its group where it has one.
    pub id: ScheduleId,
    /// Which of the two generations.
    pub kind: ScheduleKind,
    /// It fires.
    pub enabled: bool,
    /// `rate(…)`, `cron(…)` or `at(…)`, as stored.
    pub expression: String,
    /// The time zone of the expression.
    pub timezone: String,
    /// What it starts.
    pub target: ScheduleTarget,
}

/// Which of the two generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// A schedule of EventBridge Scheduler or of the local platform.
    Schedule,
    /// A rule of EventBridge.
    Rule,
}

/// What a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleTarget {
    /// Tasks of a family, in a cluster.
    Task {
        /// The cluster, as the schedule names it (perhaps misspelt).
        cluster: String,
        /// The task family, without revision.
        family: String,
    },
    /// A function.
    Function {
        /// Its name.
        name: String,
    },
    /// Something else.
    Other {
        /// The target's address as stored.
        address: String,
    },
}
