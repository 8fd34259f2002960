//! What a task really is: its record against its process and its lock. Everybody who reads
//! tasks settles them (the supervisor, a stop, `status`), so none of it needs a supervisor.

use std::fs::File;
use std::time::Duration;

use trading_core::model::{TaskState, Utc};

use super::linux::{self, Process};
use super::paths::LocalPaths;
use super::record::TaskRecord;

/// Who holds a task's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// Somebody.
    Held,
    /// Nobody.
    Free,
}

/// What the machine says of tasks.
pub(super) trait Probe {
    /// The state of a task's lock.
    fn lock(&self, task: &str) -> std::io::Result<Lock>;
    /// The process lives.
    fn alive(&self, process: Process) -> bool;
    /// The process is this task's: its environment says so.
    fn is_task(&self, process: Process, task: &str) -> bool;
    /// All processes of a task, by their environment or by the lock that they hold.
    fn find(&self, task: &str) -> Vec<Process>;
}

/// The machine itself.
pub(super) struct Machine<'a>(pub(super) &'a LocalPaths);

impl Machine<'_> {
    /// Whether somebody holds a task's lock, as far as can be seen.
    pub(super) fn may_hold(&self, task: &str) -> bool {
        !matches!(self.lock(task), Ok(Lock::Free))
    }
}

impl Probe for Machine<'_> {
    fn lock(&self, task: &str) -> std::io::Result<Lock> {
        let file = match File::open(self.0.task_lock(task)) {
            Ok(file) => file,
            // Nobody can hold what is not there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Lock::Free),
            Err(error) => return Err(error),
        };
        // Shared, so that two who look do not take each other for the holder.
        match file.try_lock_shared() {
            Ok(()) => Ok(Lock::Free),
            Err(std::fs::TryLockError::WouldBlock) => Ok(Lock::Held),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
    fn alive(&self, process: Process) -> bool {
        process.is_alive()
    }
    fn is_task(&self, process: Process, task: &str) -> bool {
        process.is_task(task)
    }
    fn find(&self, task: &str) -> Vec<Process> {
        let named = linux::processes_of_task(task);
        if named.is_empty() { linux::processes_reading(&self.0.task_lock(task)) } else { named }
    }
}

/// What was found out about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// The record as it should read now.
    pub(super) record: TaskRecord,
    /// Processes that must be killed: their grace is over, or they outlived their task.
    pub(super) kill: Vec<Process>,
}

/// Compares a live record with the machine. Fails where a lock cannot be looked at: then
/// the task's state is not known.
pub(super) fn settle(
    record: &TaskRecord,
    probe: &impl Probe,
    now: Utc,
    since_boot: Duration,
) -> std::io::Result<Settled> {
    let mut settled = Settled { record: record.clone(), kill: Vec::new() };
    if !record.is_live() {
        return Ok(settled);
    }
    let task = record.id.as_str();
    let lock = probe.lock(task)?;
    let alive = record.process.filter(|process| probe.alive(*process));
    // A process that let go of its lock is still ours if it says so itself; after a boot
    // another may have its pid and start time.
    let ours = alive.filter(|process| lock == Lock::Held || probe.is_task(*process, task));
    let found = match ours {
        Some(process) => vec![process],
        // Not recorded (its supervisor died in between), or a child that outlived it.
        None => probe.find(task),
    };
    let it = &mut settled.record;
    match found.first() {
        Some(first) => {
            if record.process.is_none() {
                it.process = Some(*first);
                it.started_at = it.started_at.or(Some(now));
            }
            let lost = record.process.is_some() && ours.is_none();
            it.state =
                if it.stop.is_some() || lost { TaskState::Stopping } else { TaskState::Running };
            let overdue =
                it.stop.as_ref().is_some_and(|stop| stop.overdue(since_boot, it.stop_timeout_ms));
            if overdue || lost {
                settled.kill = found;
            }
        }
        // Held, but by nobody that we can see yet: between the start and the program.
        None if lock == Lock::Held => {
            if it.stop.is_some() || record.process.is_some() {
                it.state = TaskState::Stopping;
            }
        }
        None => {
            it.state = TaskState::Stopped;
            it.stopped_at = Some(now);
            it.stopped_reason = Some(stopped_reason(it));
        }
    }
    Ok(settled)
}

/// Why a task that is gone is gone.
fn stopped_reason(record: &TaskRecord) -> String {
    match (&record.stop, record.process) {
        (Some(stop), _) => stop.reason.clone(),
        (None, Some(_)) => "Essential container in task exited".to_owned(),
        (None, None) => "Task failed to start".to_owned(),
    }
}
