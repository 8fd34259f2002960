use std::time::Duration;

use trading_core::model::{TaskState, Utc};

use crate::platform::local::linux::Process;
use crate::platform::local::record::{StopRequest, TaskRecord};
use crate::platform::local::settle::{Lock, Probe, settle};

const OWN: Process = Process { pid: 100, start_ticks: 7 };
const CHILD: Process = Process { pid: 101, start_ticks: 9 };

/// A machine with these processes.
struct Fake {
    lock: Lock,
    alive: Vec<Process>,
    named: Vec<Process>,
}

impl Probe for Fake {
    fn lock(&self, _: &str) -> std::io::Result<Lock> {
        Ok(self.lock)
    }
    fn alive(&self, process: Process) -> bool {
        self.alive.contains(&process)
    }
    fn is_task(&self, process: Process, _: &str) -> bool {
        self.named.contains(&process)
    }
    fn find(&self, _: &str) -> Vec<Process> {
        self.named.clone()
    }
}

fn now() -> Utc {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn task(state: TaskState, process: Option<Process>, stop: bool) -> TaskRecord {
    let stop =
        stop.then(|| StopRequest { at: now(), since_boot_ms: 1_000, reason: "stop-1".to_owned() });
    TaskRecord {
        id: "t".into(),
        family: "f".to_owned(),
        task_definition: "f:1".to_owned(),
        service: None,
        started_by: "tests".to_owned(),
        state,
        process,
        created_at: now(),
        started_at: process.map(|_| now()),
        stopped_at: None,
        exit_code: None,
        stopped_reason: None,
        stop,
        stop_timeout_ms: 5_000,
    }
}

fn after(record: &TaskRecord, machine: &Fake, since_boot_ms: u64) -> (TaskState, Vec<Process>) {
    let settled = settle(record, machine, now(), Duration::from_millis(since_boot_ms)).unwrap();
    (settled.record.state, settled.kill)
}

#[test]
fn running_is_a_living_process_with_the_lock() {
    let running = task(TaskState::Running, Some(OWN), false);
    let well = Fake { lock: Lock::Held, alive: vec![OWN], named: vec![OWN] };
    assert_eq!(after(&running, &well, 0), (TaskState::Running, vec![]));
    let gone = Fake { lock: Lock::Free, alive: vec![], named: vec![] };
    let settled = settle(&running, &gone, now(), Duration::ZERO).unwrap();
    assert_eq!(settled.record.state, TaskState::Stopped);
    assert_eq!(
        settled.record.stopped_reason.as_deref(),
        Some("Essential container in task exited")
    );
    // Its pid and start time belong to somebody else after a boot.
    let other = Fake { lock: Lock::Free, alive: vec![OWN], named: vec![] };
    assert_eq!(after(&running, &other, 0), (TaskState::Stopped, vec![]), "and is never killed");
    // It let go of its lock and still says that it is the task.
    let loose = Fake { lock: Lock::Free, alive: vec![OWN], named: vec![OWN] };
    assert_eq!(after(&running, &loose, 0), (TaskState::Running, vec![]));
}

#[test]
fn a_pending_task_is_adopted_kept_or_fenced() {
    let pending = task(TaskState::Pending, None, false);
    let unseen = Fake { lock: Lock::Held, alive: vec![], named: vec![] };
    assert_eq!(after(&pending, &unseen, 0), (TaskState::Pending, vec![]));
    let born = Fake { lock: Lock::Held, alive: vec![OWN], named: vec![OWN] };
    let settled = settle(&pending, &born, now(), Duration::ZERO).unwrap();
    assert_eq!((settled.record.state, settled.record.process), (TaskState::Running, Some(OWN)));
    assert_eq!(settled.record.started_at, Some(now()));
    let never = Fake { lock: Lock::Free, alive: vec![], named: vec![] };
    let settled = settle(&pending, &never, now(), Duration::ZERO).unwrap();
    assert_eq!(settled.record.state, TaskState::Stopped);
    assert_eq!(settled.record.stopped_reason.as_deref(), Some("Task failed to start"));
}

#[test]
fn a_stop_is_grace_then_the_kill_then_seen_stopped() {
    let stopping = task(TaskState::Stopping, Some(OWN), true);
    let alive = Fake { lock: Lock::Held, alive: vec![OWN], named: vec![OWN] };
    assert_eq!(after(&stopping, &alive, 1_000), (TaskState::Stopping, vec![]));
    assert_eq!(after(&stopping, &alive, 5_999), (TaskState::Stopping, vec![]));
    assert_eq!(after(&stopping, &alive, 6_000), (TaskState::Stopping, vec![OWN]));
    let gone = Fake { lock: Lock::Free, alive: vec![], named: vec![] };
    let settled = settle(&stopping, &gone, now(), Duration::from_millis(6_000)).unwrap();
    assert_eq!(settled.record.state, TaskState::Stopped);
    assert_eq!(settled.record.stopped_reason.as_deref(), Some("stop-1"));
    // A boot in between makes the clock start again: the grace is over.
    assert_eq!(after(&stopping, &alive, 10), (TaskState::Stopping, vec![OWN]));
}

#[test]
fn what_outlives_its_task_is_killed_before_the_task_counts_as_stopped() {
    let running = task(TaskState::Running, Some(OWN), false);
    let orphan = Fake { lock: Lock::Held, alive: vec![CHILD], named: vec![CHILD] };
    assert_eq!(after(&running, &orphan, 0), (TaskState::Stopping, vec![CHILD]));
    let unseen = Fake { lock: Lock::Held, alive: vec![], named: vec![] };
    assert_eq!(after(&running, &unseen, 0), (TaskState::Stopping, vec![]), "held is not stopped");
}

#[test]
fn a_stopped_task_stays_stopped() {
    let stopped =
        TaskRecord { stopped_at: Some(now()), ..task(TaskState::Stopped, Some(OWN), false) };
    let again = Fake { lock: Lock::Held, alive: vec![OWN], named: vec![OWN] };
    let settled = settle(&stopped, &again, now(), Duration::ZERO).unwrap();
    assert_eq!(settled.record, stopped);
}
