//! Services and tasks, with the meanings that operators know from ECS.

use super::{ServiceName, TaskId, Utc};
use serde::{Deserialize, Serialize};

/// A service: keeps a number of tasks of one family running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Its scaling target, if it has one.
    pub autoscaling: Option<Autoscaling>,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// All three kinds of scaling are suspended.
    pub suspended: bool,
}

/// Where a task is in its life. Only these four are told apart: ECS's steps before RUNNING
/// are `Pending`, its steps between RUNNING and STOPPED are `Stopping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Why it stopped.
    pub stopped_reason: Option<String>,
    /// The task definition (family:revision).
    pub task_definition: String,
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
