//! Schedules and rules: what starts tasks by the clock.

use super::{ScheduleId, ServiceName};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// What does not come back when it is disabled and enabled again; `None`: all does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses: Option<String>,
}

impl Schedule {
    /// The name without its group or kind.
    pub fn name(&self) -> &str {
        let id = self.id.as_str();
        id.rsplit_once(['/', ':']).map_or(id, |(_, name)| name)
    }
    /// Whether it starts what this service runs, or scales it.
    pub fn starts(&self, service: &super::Service) -> bool {
        let family = |target: &ScheduleTarget| matches!(target, ScheduleTarget::Task { family, .. } if *family == service.family);
        self.scales(&service.name) || self.targets.iter().any(family)
    }
    /// Whether it scales the service of this name.
    pub fn scales(&self, name: &ServiceName) -> bool {
        let its = |target: &ScheduleTarget| matches!(target, ScheduleTarget::Service { service, .. } if service == name);
        self.targets.iter().any(its)
    }
}

impl ScheduleTarget {
    /// The cluster in which it starts something; `None`: it starts nothing in any.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Task { cluster, .. } | Self::Service { cluster, .. } => Some(cluster),
            Self::Function { .. } | Self::Other { .. } => None,
        }
    }
}

/// What it starts, without where.
impl std::fmt::Display for ScheduleTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Task { family, .. } => f.write_str(family),
            Self::Service { service, .. } => write!(f, "service {service}"),
            Self::Function { name } => write!(f, "function {name}"),
            Self::Other { address } => f.write_str(address),
        }
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
    /// Another count, or another way of running, for a service that is there.
    Service {
        /// The cluster, as of a task.
        cluster: String,
        /// The service's name.
        service: ServiceName,
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
