//! Services and tasks, with the meanings that operators know from ECS.

use super::{Reading, ServiceName, TaskId, Utc};
use serde::{Deserialize, Serialize};

/// A service: keeps a number of tasks of one family running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// The task family that it runs.
    pub family: String,
    /// How many tasks are wanted.
    pub desired_count: u32,
    /// How many are RUNNING.
    pub running_count: u32,
    /// How many are PROVISIONING to PENDING.
    pub pending_count: u32,
    /// Deployments, the PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// The last events, newest first, at most 100.
    pub events: Vec<ServiceEvent>,
    /// Its scaling target; `Absent` where it has none. Kept by another part of the platform
    /// than the service itself, so it may be a gap beside a service that is known.
    pub autoscaling: Reading<Autoscaling>,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// PRIMARY, ACTIVE or DRAINING.
    pub status: String,
    /// The task definition (family:revision).
    pub task_definition: String,
    /// When it was created.
    pub created_at: Utc,
    /// Tasks of it that are RUNNING.
    pub running_count: u32,
    /// Tasks of it that failed to start or stay up.
    pub failed_tasks: u32,
    /// IN_PROGRESS, COMPLETED or FAILED.
    pub rollout_state: String,
}

/// Something that happened to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceEvent {
    /// When.
    pub at: Utc,
    /// What, in the scheduler's words.
    pub message: String,
}

/// A service's scaling target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Autoscaling {
    /// The least number of tasks.
    pub min_capacity: u32,
    /// The greatest number of tasks.
    pub max_capacity: u32,
    /// Which kinds of scaling are suspended.
    #[cfg_attr(feature = "schema", schemars(with = "SuspendedForm"))]
    pub suspended: Suspended,
}

impl Autoscaling {
    /// Whether it can lift a count that somebody lowers.
    pub fn can_lift(&self) -> bool {
        !self.suspended.scale_out || !self.suspended.scheduled
    }
}

/// Which kinds of scaling are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SuspendedForm", into = "SuspendedForm")]
pub struct Suspended {
    /// Removing tasks by a policy.
    pub scale_in: bool,
    /// Adding tasks by a policy.
    pub scale_out: bool,
    /// Scheduled changes, in both directions.
    pub scheduled: bool,
}

impl Suspended {
    /// None of them.
    pub const NONE: Self = Self { scale_in: false, scale_out: false, scheduled: false };
    /// All three.
    pub const ALL: Self = Self { scale_in: true, scale_out: true, scheduled: true };
}

/// `true` or `false` where the three agree, which is what nearly every target has.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum SuspendedForm {
    All(bool),
    Each { scale_in: bool, scale_out: bool, scheduled: bool },
}

impl From<SuspendedForm> for Suspended {
    fn from(form: SuspendedForm) -> Self {
        match form {
            SuspendedForm::All(true) => Self::ALL,
            SuspendedForm::All(false) => Self::NONE,
            SuspendedForm::Each { scale_in, scale_out, scheduled } => {
                Self { scale_in, scale_out, scheduled }
            }
        }
    }
}

impl From<Suspended> for SuspendedForm {
    fn from(it: Suspended) -> Self {
        match it {
            Suspended::ALL => Self::All(true),
            Suspended::NONE => Self::All(false),
            Suspended { scale_in, scale_out, scheduled } => {
                Self::Each { scale_in, scale_out, scheduled }
            }
        }
    }
}

/// What a message adds after the limits: nothing where nothing is suspended.
impl std::fmt::Display for Suspended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            (self.scale_in, "scale-in"),
            (self.scale_out, "scale-out"),
            (self.scheduled, "scheduled scaling"),
        ];
        let named: Vec<&str> = parts.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        match named.as_slice() {
            [] => Ok(()),
            [_, _, _] => f.write_str(", suspended"),
            some => write!(f, ", {} suspended", some.join(" and ")),
        }
    }
}

/// Where a task is in its life. Only these four are told apart: ECS's steps before RUNNING
/// are `Pending`, its steps between RUNNING and STOPPED are `Stopping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskState {
    /// Asked for, not yet running.
    Pending,
    /// Its process lives.
    Running,
    /// Told to stop, not yet seen stopped.
    Stopping,
    /// Seen stopped.
    Stopped,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The family that it was started from.
    pub family: String,
    /// The service that started it; `None`: standalone.
    pub service: Option<ServiceName>,
    /// Who asked for it (`ecs-svc/…`, a schedule's name, an operator).
    pub started_by: String,
    /// Where it is in its life.
    pub state: TaskState,
    /// When it began to run.
    pub started_at: Option<Utc>,
    /// When it was seen stopped.
    pub stopped_at: Option<Utc>,
    /// The exit code of its essential process; 128 + n for a signal n.
    pub exit_code: Option<i32>,
    /// Who ended it; `None`: it is not at its end, or the platform does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Why it stopped.
    pub stopped_reason: Option<String>,
    /// Why the container whose exit code this is stopped, if the platform says more of it
    /// than of the task: memory that ran out, an image that could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_reason: Option<String>,
    /// The task definition (family:revision).
    pub task_definition: String,
}

/// Who ended a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// Its process left, with whatever exit code, or never came up.
    Itself,
    /// Somebody asked for it: a person, a deployment, a lower desired count.
    Request,
}

/// Who acts on desired counts and schedules: starts what should run and ends what should
/// not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Supervision {
    /// The platform itself does, as a part of what it is.
    Platform,
    /// A supervisor whose process lives. Whether it works, its last round says.
    Alive(Supervisor),
    /// A supervisor whose process is stopped by a signal or a tracer: it keeps its place
    /// and does nothing.
    Stopped(Supervisor),
    /// Nobody.
    Absent,
}

/// The evidence of a supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Supervisor {
    /// Its process; `None` while it holds its place and has not yet said who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Since when it supervises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub since: Option<Utc>,
    /// When it last came to the end of a round, or took its place if it never did.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub last_round: Utc,
}

#[cfg(test)]
mod tests {
    use super::{Autoscaling, Suspended};

    #[test]
    fn a_target_is_written_as_short_as_it_was_and_loses_nothing() {
        let target = |suspended| Autoscaling { min_capacity: 1, max_capacity: 4, suspended };
        let part = Suspended { scheduled: true, ..Suspended::NONE };
        for (suspended, written, shown) in [
            (Suspended::NONE, "false", ""),
            (Suspended::ALL, "true", ", suspended"),
            (
                part,
                r#"{"scale_in":false,"scale_out":false,"scheduled":true}"#,
                ", scheduled scaling suspended",
            ),
        ] {
            let text = serde_json::to_string(&target(suspended)).unwrap();
            let wanted = format!(r#"{{"min_capacity":1,"max_capacity":4,"suspended":{written}}}"#);
            assert_eq!(text, wanted);
            assert_eq!(serde_json::from_str::<Autoscaling>(&text).unwrap(), target(suspended));
            assert_eq!(suspended.to_string(), shown);
        }
        assert!(target(part).can_lift());
        assert!(target(Suspended { scheduled: false, ..Suspended::ALL }).can_lift());
        assert!(!target(Suspended { scale_in: false, ..Suspended::ALL }).can_lift());
    }
}
