//! Services, task definitions, tasks and schedules as `compute.db` holds them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trading_core::model::{
    Autoscaling, EndedBy, Reading, Schedule, Service, ServiceEvent, ServiceName, Task, TaskId,
    TaskState, Utc,
};

use super::linux::Process;

const SCALING: &str = "scaling targets";

/// What a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// The family that revisions belong to.
    pub family: String,
    /// Counts from 1; 0 before it is registered.
    pub revision: u32,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables added to the supervisor's own.
    pub env: BTreeMap<String, String>,
    /// How long SIGTERM is given before SIGKILL.
    pub stop_timeout_ms: u64,
}

impl TaskDefinition {
    /// `family:revision`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.family, self.revision)
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServiceRecord {
    pub(super) name: ServiceName,
    pub(super) family: String,
    pub(super) desired: u32,
    pub(super) autoscaling: Option<Autoscaling>,
    /// The PRIMARY first.
    pub(super) deployments: Vec<DeploymentRecord>,
}

/// A deployment: one task definition being, or having been, rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeploymentRecord {
    pub(super) id: String,
    pub(super) task_definition: String,
    pub(super) created_at: Utc,
    pub(super) completed: bool,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskRecord {
    pub(super) id: TaskId,
    pub(super) family: String,
    pub(super) task_definition: String,
    pub(super) service: Option<ServiceName>,
    pub(super) started_by: String,
    pub(super) state: TaskState,
    pub(super) process: Option<Process>,
    pub(super) created_at: Utc,
    pub(super) started_at: Option<Utc>,
    pub(super) stopped_at: Option<Utc>,
    pub(super) exit_code: Option<i32>,
    pub(super) stopped_reason: Option<String>,
    pub(super) stop: Option<StopRequest>,
    pub(super) stop_timeout_ms: u64,
}

/// Somebody wants a task stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StopRequest {
    pub(super) at: Utc,
    /// The same moment on the clock that nobody sets.
    pub(super) since_boot_ms: u64,
    pub(super) reason: String,
}

impl StopRequest {
    /// Whether the grace is over.
    pub(super) fn overdue(&self, since_boot: Duration, grace_ms: u64) -> bool {
        let now = u64::try_from(since_boot.as_millis()).unwrap_or(u64::MAX);
        // A boot between the two makes the difference meaningless; and the task gone.
        now.saturating_sub(self.since_boot_ms) >= grace_ms || now < self.since_boot_ms
    }
}

impl TaskRecord {
    /// As operators see it.
    pub(super) fn to_task(&self) -> Task {
        Task {
            id: self.id.clone(),
            family: self.family.clone(),
            service: self.service.clone(),
            started_by: self.started_by.clone(),
            state: self.state,
            started_at: self.started_at,
            stopped_at: self.stopped_at,
            exit_code: self.exit_code,
            ended_by: self.ended_by(),
            stopped_reason: self.stopped_reason.clone(),
            container_reason: None,
            task_definition: self.task_definition.clone(),
        }
    }
    fn ended_by(&self) -> Option<EndedBy> {
        let by = if self.stop.is_some() { EndedBy::Request } else { EndedBy::Itself };
        (!self.is_live()).then_some(by)
    }
    /// Not seen stopped.
    pub(super) fn is_live(&self) -> bool {
        self.state != TaskState::Stopped
    }
}

impl ServiceRecord {
    /// As operators see it, with its tasks counted and its events.
    pub(super) fn to_service(
        &self,
        tasks: &[TaskRecord],
        events: Vec<ServiceEvent>,
        at: Utc,
    ) -> Service {
        let own = |task: &&TaskRecord| task.service.as_ref() == Some(&self.name);
        let count = |definition: Option<&str>, states: &[TaskState]| {
            let tasks = tasks.iter().filter(own).filter(|task| states.contains(&task.state));
            let tasks = tasks.filter(|task| definition.is_none_or(|it| it == task.task_definition));
            u32::try_from(tasks.count()).unwrap_or(u32::MAX)
        };
        // A task that was told to stop still runs until it is seen stopped.
        let running = [TaskState::Running, TaskState::Stopping];
        let deployments = self.deployments.iter().enumerate().map(|(position, it)| {
            trading_core::model::Deployment {
                id: it.id.clone(),
                status: if position == 0 { "PRIMARY" } else { "ACTIVE" }.to_owned(),
                task_definition: it.task_definition.clone(),
                created_at: it.created_at,
                running_count: count(Some(&it.task_definition), &running),
                failed_tasks: failed(tasks, &self.name, &it.task_definition),
                rollout_state: if it.completed { "COMPLETED" } else { "IN_PROGRESS" }.to_owned(),
            }
        });
        Service {
            name: self.name.clone(),
            family: self.family.clone(),
            desired_count: self.desired,
            running_count: count(None, &running),
            pending_count: count(None, &[TaskState::Pending]),
            deployments: deployments.collect(),
            events,
            autoscaling: match self.autoscaling {
                Some(target) => Reading::known(target, SCALING, at),
                None => Reading::absent(SCALING, "it has none"),
            },
        }
    }
}

/// How long a task must have run to count as one that stayed up.
const STEADY: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

impl TaskRecord {
    /// Ended unasked before it had run for long.
    pub(super) fn failed_to_stay_up(&self) -> bool {
        let ran = match (self.started_at, self.stopped_at) {
            (Some(started), Some(stopped)) => stopped.duration_since(started),
            _ => jiff::SignedDuration::ZERO,
        };
        !self.is_live() && self.stop.is_none() && ran < STEADY
    }
}

fn failed(tasks: &[TaskRecord], service: &ServiceName, definition: &str) -> u32 {
    let failed = tasks.iter().filter(|task| {
        task.service.as_ref() == Some(service)
            && task.task_definition == definition
            && task.failed_to_stay_up()
    });
    u32::try_from(failed.count()).unwrap_or(u32::MAX)
}

/// A schedule with what the supervisor knows of its past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScheduleRecord {
    pub(super) schedule: Schedule,
    /// When it was made or enabled last: what rates count from.
    pub(super) anchor: Utc,
    /// The last time that it was due and acted upon.
    pub(super) fired: Option<Utc>,
}
