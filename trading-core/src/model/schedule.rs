//! Schedules and rules: what starts tasks by the clock.

use super::{Gap, ScheduleId};
use serde::{Deserialize, Deserializer, Serialize};

/// What could be read of an environment's schedules and rules. Two generations and many
/// single ones are asked for: one that does not answer hides none of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleList {
    /// What was read, in order of their ids.
    pub schedules: Vec<Schedule>,
    /// What was not read: a whole generation, or a single one by its id.
    pub gaps: Vec<Gap>,
}

impl ScheduleList {
    /// All that there is.
    pub fn whole(schedules: Vec<Schedule>) -> Self {
        Self { schedules, gaps: Vec::new() }
    }
}

/// A schedule or a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// `name`; `group/name` in a group of its own; `rule:name` for a rule.
    pub id: ScheduleId,
    /// Which of the two generations.
    pub kind: ScheduleKind,
    /// It fires.
    pub enabled: bool,
    /// `rate(…)`, `cron(…)` or `at(…)`, as stored; the pattern of a rule that waits for events.
    pub expression: String,
    /// The time zone of the expression.
    pub timezone: String,
    /// What it starts: one thing; up to five for a rule, perhaps none.
    #[serde(alias = "target", deserialize_with = "one_or_more")]
    pub targets: Vec<ScheduleTarget>,
}

impl Schedule {
    /// The name without its group or kind.
    pub fn name(&self) -> &str {
        let id = self.id.as_str();
        id.rsplit_once(['/', ':']).map_or(id, |(_, name)| name)
    }
    /// Whether it starts what this service runs.
    pub fn starts(&self, service: &super::Service) -> bool {
        self.targets.iter().any(|target| match target {
            ScheduleTarget::Task { family, .. } => *family == service.family,
            ScheduleTarget::Function { .. } | ScheduleTarget::Other { .. } => false,
        })
    }
}

/// Stored documents of the first format hold a single target.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ScheduleTarget>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        One(ScheduleTarget),
        More(Vec<ScheduleTarget>),
    }
    Ok(match Stored::deserialize(from)? {
        Stored::One(target) => vec![target],
        Stored::More(targets) => targets,
    })
}

/// Which of the two generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// A schedule of EventBridge Scheduler or of the local platform.
    Schedule,
    /// A rule of EventBridge.
    Rule,
}

/// What a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleTarget {
    /// Tasks of a family, in a cluster.
    Task {
        /// The cluster's name (perhaps misspelt); its whole address if that lies in another
        /// region or account.
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
