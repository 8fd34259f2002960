//! The supervisor with real processes. Nothing waits for time: what is awaited is seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trading_core::model::{
    Autoscaling, Hold, Latch, Level, Phase, Scope, ServiceName, Task, TaskState, Written,
};

use super::{TestClock, blueprint, environment};
use crate::platform::local::linux::{self, Process};
use crate::platform::local::supervisor::{Supervisor, Watch, watch};
use crate::platform::local::{Blueprint, open, paths_of, setup, supervisor_of};
use crate::platform::{Clock, Platform};
use crate::settings::Environment;

/// How often something is looked at before a test gives up: half a minute.
const PATIENCE: u32 = 1_500;

struct World {
    _home: tempfile::TempDir,
    environment: Environment,
    clock: Arc<TestClock>,
    platform: Platform,
}

impl World {
    async fn new(argv: &[&str], desired: u32) -> Self {
        Self::of(&blueprint(0, "engine", argv, desired)).await
    }
    async fn of(blueprint: &Blueprint) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let environment = environment(home.path(), &clock);
        setup(&environment, clock.clone(), blueprint).await.unwrap();
        let platform = open(&environment, clock.clone()).unwrap();
        // The minimum of the scaling target is a matter of its own test.
        let before = blueprint.services[0].autoscaling.unwrap();
        let suspended = Autoscaling { suspended: true, ..before };
        platform.compute.set_autoscaling(&"engine".into(), before, suspended).await;
        Self { _home: home, environment, clock, platform }
    }
    fn supervisor(&self) -> Supervisor {
        supervisor_of(&self.environment, self.clock.clone()).unwrap()
    }
    async fn tasks(&self) -> Vec<Task> {
        self.platform.compute.tasks().await.into_result().unwrap()
    }
    async fn live(&self) -> Vec<Task> {
        self.tasks().await.into_iter().filter(|it| it.state != TaskState::Stopped).collect()
    }
    async fn events(&self) -> Vec<String> {
        let services = self.platform.compute.services().await.into_result().unwrap();
        services[0].events.iter().map(|event| event.message.clone()).collect()
    }
    async fn desired(&self, from: u32, to: u32) {
        let written = self.platform.compute.set_desired(&engine(), from, to).await;
        assert!(written.stands(), "{written:?}");
    }
    async fn hold(&self, scope: Scope, level: Level, phase: Phase) {
        let latch = self.platform.state.latch().await.into_result().unwrap();
        let hold = Hold {
            stop_id: "stop-1".into(),
            level,
            scope,
            reason: String::new(),
            actor: String::new(),
            at: self.clock.now(),
            phase,
            unknown: serde_json::Map::new(),
        };
        let next: Latch = latch.next(vec![hold]);
        assert!(self.platform.state.write_latch(latch.epoch, &next).await.stands());
    }
}

/// Whatever a test leaves behind ends with it.
impl Drop for World {
    fn drop(&mut self) {
        let paths = paths_of(&self.environment).unwrap();
        let Ok(locks) = std::fs::read_dir(paths.locks()) else { return };
        for lock in locks.flatten() {
            let name = lock.file_name().to_string_lossy().into_owned();
            for process in linux::processes_of_task(name.trim_end_matches(".lock")) {
                let _gone = process.kill();
            }
        }
    }
}

fn engine() -> ServiceName {
    "engine".into()
}

/// Lets rounds pass until something is so.
async fn until<T>(
    supervisor: &mut Supervisor,
    world: &World,
    so: impl Fn(&[Task]) -> Option<T>,
) -> T {
    for _ in 0..PATIENCE {
        supervisor.tick().await.unwrap();
        if let Some(value) = so(&world.tasks().await) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came: {:#?}", world.tasks().await);
}

/// Looks without a supervisor until something is so.
async fn seen<T>(world: &World, so: impl Fn(&[Task]) -> Option<T>) -> T {
    for _ in 0..PATIENCE {
        if let Some(value) = so(&world.tasks().await) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came: {:#?}", world.tasks().await);
}

fn running(count: usize) -> impl Fn(&[Task]) -> Option<Vec<Task>> {
    move |tasks| {
        let running: Vec<Task> =
            tasks.iter().filter(|it| it.state == TaskState::Running).cloned().collect();
        (running.len() == count).then_some(running)
    }
}

fn all_stopped(tasks: &[Task]) -> Option<()> {
    tasks.iter().all(|it| it.state == TaskState::Stopped).then_some(())
}

fn process_of(task: &Task) -> Process {
    linux::processes_of_task(task.id.as_str())[0]
}

#[tokio::test]
async fn what_is_desired_runs_and_is_adopted_by_the_next_supervisor() {
    let world = World::new(&["sleep", "1000"], 2).await;
    let mut first = world.supervisor();
    let tasks = until(&mut first, &world, running(2)).await;
    let before: Vec<_> = tasks.iter().map(|it| (it.id.clone(), process_of(it))).collect();
    // A supervisor that is killed does nothing more: it is as if it were forgotten.
    std::mem::forget(first);
    let mut second = world.supervisor();
    for _ in 0..3 {
        second.tick().await.unwrap();
    }
    let after: Vec<_> =
        world.live().await.iter().map(|it| (it.id.clone(), process_of(it))).collect();
    assert_eq!(after, before, "adopted, not doubled");
    // An adopted one that ends is noticed and replaced.
    before[0].1.kill().unwrap();
    world.clock.advance(Duration::from_secs(60));
    let gone = before[0].0.clone();
    let replaced = until(&mut second, &world, |tasks: &[Task]| {
        running(2)(tasks).filter(|tasks| tasks.iter().all(|it| it.id != gone))
    });
    assert_eq!(replaced.await.len(), 2);
    let events = world.events().await;
    assert!(events.iter().any(|it| it.contains("steady state")), "{events:?}");
}

#[tokio::test]
async fn a_supervisor_killed_between_start_and_record_loses_nothing() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut first = world.supervisor();
    let tasks = until(&mut first, &world, running(1)).await;
    let process = process_of(&tasks[0]);
    std::mem::forget(first);
    // The row as it stood before the process was recorded.
    let raw =
        rusqlite::Connection::open(paths_of(&world.environment).unwrap().compute_db()).unwrap();
    raw.execute(
        "UPDATE tasks SET document = json_set(document, '$.state', 'PENDING', '$.process', NULL,
         '$.started_at', NULL)",
        [],
    )
    .unwrap();
    let mut second = world.supervisor();
    second.tick().await.unwrap();
    let live = world.live().await;
    assert_eq!(live.len(), 1);
    assert_eq!((live[0].state, process_of(&live[0])), (TaskState::Running, process));
    // And one killed before its process was born: nobody holds the lock.
    raw.execute(
        "INSERT INTO tasks SELECT 'task-0', 0, json_set(document, '$.id', 'task-0', '$.state',
         'PENDING', '$.process', NULL) FROM tasks LIMIT 1",
        [],
    )
    .unwrap();
    second.tick().await.unwrap();
    let all = world.tasks().await;
    let never = all.iter().find(|it| it.id.as_str() == "task-0").unwrap();
    assert_eq!(never.state, TaskState::Stopped);
    assert_eq!(never.stopped_reason.as_deref(), Some("Task failed to start"));
}

#[tokio::test]
async fn scaling_to_zero_needs_no_supervisor() {
    let world = World::new(&["sleep", "1000"], 3).await;
    let mut supervisor = world.supervisor();
    until(&mut supervisor, &world, running(3)).await;
    std::mem::forget(supervisor);
    world.desired(3, 0).await;
    seen(&world, all_stopped).await;
    let tasks = world.tasks().await;
    assert!(
        tasks.iter().all(|it| it.stopped_reason.as_ref().is_some_and(|it| it.contains("set to 0")))
    );
    // The next supervisor keeps to it.
    let mut next = world.supervisor();
    next.tick().await.unwrap();
    assert!(world.live().await.is_empty());
}

#[tokio::test]
async fn a_frozen_task_is_killed_once_its_grace_is_over() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    let process = process_of(&tasks[0]);
    let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let written = world.platform.compute.stop_task(&tasks[0].id, "stop-1").await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    assert_eq!(world.tasks().await[0].state, TaskState::Stopping);
    assert!(process.is_alive(), "it has its grace");
    assert_eq!(world.platform.compute.stop_task(&tasks[0].id, "again").await, Written::Already);
    world.clock.advance(Duration::from_millis(5_000));
    world.desired(1, 0).await;
    seen(&world, all_stopped).await;
    assert!(!process.is_alive());
    assert_eq!(world.tasks().await[0].stopped_reason.as_deref(), Some("stop-1"));
    until(&mut supervisor, &world, |tasks| tasks[0].exit_code.filter(|code| *code == 128 + 9))
        .await;
}

#[tokio::test]
async fn a_stop_is_signalled_though_it_cannot_be_recorded() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    let paths = paths_of(&world.environment).unwrap();
    let raw = rusqlite::Connection::open(paths.compute_db()).unwrap();
    raw.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON tasks BEGIN SELECT RAISE(FAIL, 'disk full'); END;",
    )
    .unwrap();
    let process = process_of(&tasks[0]);
    let written = world.platform.compute.stop_task(&tasks[0].id, "stop-1").await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    seen(&world, all_stopped).await;
    assert!(!process.is_alive());
}

#[tokio::test]
async fn a_task_that_does_not_stay_up_is_started_ever_later() {
    let world = World::new(&["sh", "-c", "exit 3"], 1).await;
    let mut supervisor = world.supervisor();
    let ended = |count: usize| {
        move |tasks: &[Task]| {
            let ended = tasks.iter().filter(|it| it.exit_code == Some(3)).count();
            (ended == count && all_stopped(tasks).is_some()).then_some(())
        }
    };
    until(&mut supervisor, &world, ended(1)).await;
    for failures in 1..4_u32 {
        let pause = Duration::from_secs(1 << (failures - 1));
        world.clock.advance(pause - Duration::from_millis(1));
        for _ in 0..3 {
            supervisor.tick().await.unwrap();
        }
        assert_eq!(world.tasks().await.len(), failures as usize, "not before {pause:?}");
        world.clock.advance(Duration::from_millis(1));
        until(&mut supervisor, &world, ended(failures as usize + 1)).await;
    }
    let events = world.events().await;
    assert!(events.iter().any(|it| it.contains("unable to consistently start")), "{events:?}");
    let services = world.platform.compute.services().await.into_result().unwrap();
    assert_eq!(services[0].deployments[0].failed_tasks, 4);
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let world = World::new(&["/nowhere/program"], 1).await;
    let mut supervisor = world.supervisor();
    supervisor.tick().await.unwrap();
    let tasks = world.tasks().await;
    assert_eq!(tasks[0].state, TaskState::Stopped);
    let reason = tasks[0].stopped_reason.clone().unwrap();
    assert!(reason.starts_with("CannotStartContainerError"), "{reason}");
}

#[tokio::test]
async fn a_new_deployment_drains_before_it_starts() {
    let world = World::new(&["sleep", "1000"], 2).await;
    let mut supervisor = world.supervisor();
    until(&mut supervisor, &world, running(2)).await;
    setup(&world.environment, world.clock.clone(), &blueprint(0, "engine", &["sleep", "2000"], 2))
        .await
        .unwrap();
    let rolled = until(&mut supervisor, &world, |tasks: &[Task]| {
        let new = |it: &&Task| it.task_definition.ends_with(":2");
        let old_live = tasks.iter().any(|it| !new(&it) && it.state != TaskState::Stopped);
        let started = tasks.iter().any(|it| new(&it));
        assert!(!(old_live && started), "both at once: {tasks:#?}");
        running(2)(tasks).filter(|tasks| tasks.iter().all(|it| new(&it)))
    })
    .await;
    assert_eq!(rolled.len(), 2);
    until(&mut supervisor, &world, |_| Some(())).await;
    let services = world.platform.compute.services().await.into_result().unwrap();
    assert_eq!(services[0].deployments.len(), 1);
    assert_eq!(services[0].deployments[0].rollout_state, "COMPLETED");
}

#[tokio::test]
async fn nothing_that_trades_is_started_under_a_hold() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    for (scope, level, phase, starts) in [
        (Scope::All, Level::Halt, Phase::Stopping, false),
        (Scope::All, Level::Unrecognized("freeze".into()), Phase::Held, false),
        (Scope::Service(engine()), Level::Halt, Phase::Held, false),
        (Scope::Unrecognized("moon".into()), Level::Halt, Phase::Held, false),
        (Scope::Service("other".into()), Level::Halt, Phase::Held, true),
        (Scope::Strategy("s".into()), Level::Halt, Phase::Held, true),
        (Scope::All, Level::ReduceOnly, Phase::Held, true),
        (Scope::All, Level::Halt, Phase::Resuming, true),
    ] {
        world.hold(scope.clone(), level.clone(), phase.clone()).await;
        for _ in 0..2 {
            supervisor.tick().await.unwrap();
        }
        let live = world.live().await.len();
        assert_eq!(live == 1, starts, "{scope} {level} {phase:?}");
        if !starts {
            let events = world.events().await;
            assert!(events[0].contains("stop-1"), "{events:?}");
        }
        world.desired(1, 0).await;
        seen(&world, all_stopped).await;
        supervisor.tick().await.unwrap();
        world.desired(0, 1).await;
    }
    // Nor while nobody can read the latch.
    let paths = paths_of(&world.environment).unwrap();
    let raw = rusqlite::Connection::open(paths.control_db()).unwrap();
    raw.execute("UPDATE latch SET document = '{torn'", []).unwrap();
    std::fs::write(paths.latch_fallback(), [0; 8_192]).unwrap();
    supervisor.tick().await.unwrap();
    assert!(world.live().await.is_empty());
    assert!(world.events().await[0].contains("latch cannot be read"));
}

#[tokio::test]
async fn the_scaling_target_lifts_a_count_unless_it_is_suspended() {
    let world = World::new(&["sleep", "1000"], 0).await;
    let suspended = Autoscaling { min_capacity: 1, max_capacity: 4, suspended: true };
    let active = Autoscaling { suspended: false, ..suspended };
    let mut supervisor = world.supervisor();
    supervisor.tick().await.unwrap();
    assert!(world.tasks().await.is_empty());
    world.platform.compute.set_autoscaling(&engine(), suspended, active).await;
    until(&mut supervisor, &world, running(1)).await;
    let services = world.platform.compute.services().await.into_result().unwrap();
    assert_eq!(services[0].desired_count, 1);
}

#[tokio::test]
async fn schedules_start_tasks_of_their_own_once_and_not_after_they_are_disabled() {
    use crate::platform::local::TaskDefinition;
    use trading_core::model::ScheduleTarget;
    let mut blueprint = blueprint(0, "engine", &["x"], 0);
    blueprint.families.push(TaskDefinition {
        family: "batch".to_owned(),
        revision: 0,
        argv: vec!["sleep".to_owned(), "1000".to_owned()],
        env: BTreeMap::new(),
        stop_timeout_ms: 5_000,
    });
    let schedule = &mut blueprint.schedules[0];
    schedule.expression = "rate(5 minutes)".to_owned();
    schedule.target = ScheduleTarget::Task { cluster: "local".into(), family: "batch".into() };
    let id = schedule.id.clone();
    let world = World::of(&blueprint).await;
    let mut supervisor = world.supervisor();
    world.clock.advance(Duration::from_secs(299));
    supervisor.tick().await.unwrap();
    assert!(world.tasks().await.is_empty(), "not yet");
    world.clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        supervisor.tick().await.unwrap();
    }
    let tasks = world.tasks().await;
    assert_eq!(tasks.len(), 1, "once");
    assert_eq!((tasks[0].service.clone(), tasks[0].started_by.as_str()), (None, id.as_str()));
    world.platform.schedules.set_enabled(&id, false).await;
    world.clock.advance(Duration::from_secs(3_600));
    supervisor.tick().await.unwrap();
    assert_eq!(world.tasks().await.len(), 1, "disabled is disabled");
    world.platform.schedules.set_enabled(&id, true).await;
    supervisor.tick().await.unwrap();
    assert_eq!(world.tasks().await.len(), 1, "counted from when it was enabled");
    world.clock.advance(Duration::from_secs(300));
    supervisor.tick().await.unwrap();
    assert_eq!(world.tasks().await.len(), 2);
}

#[tokio::test]
async fn a_task_holds_its_lock_from_birth_to_death_whatever_it_is() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    let path = paths_of(&world.environment).unwrap().task_lock(tasks[0].id.as_str());
    let file = std::fs::File::open(path).unwrap();
    assert!(matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)));
    process_of(&tasks[0]).kill().unwrap();
    file.lock_shared().unwrap();
}

#[tokio::test]
async fn one_supervisor_per_environment() {
    let world = World::new(&["x"], 0).await;
    let paths = paths_of(&world.environment).unwrap();
    assert_eq!(watch(&paths).unwrap(), Watch::Nobody);
    let lock = super::super::supervisor::claim(&paths, world.clock.as_ref()).unwrap();
    let Watch::Alive(Some(identity)) = watch(&paths).unwrap() else { panic!("not seen") };
    assert_eq!(Some(identity.process), Process::own());
    let second = super::super::supervisor::claim(&paths, world.clock.as_ref()).unwrap_err();
    assert_eq!(second.exit, trading_core::report::Exit::Refused);
    drop(lock);
    assert_eq!(watch(&paths).unwrap(), Watch::Nobody);
}

/// A second opener of the compute port, as another process would be.
#[tokio::test]
async fn two_who_look_do_not_take_each_other_for_the_task() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    let other = open(&world.environment, world.clock.clone()).unwrap();
    process_of(&tasks[0]).kill().unwrap();
    for _ in 0..PATIENCE {
        let (one, two) = tokio::join!(world.tasks(), other.compute.tasks());
        let two = two.into_result().unwrap();
        if all_stopped(&one).is_some() && all_stopped(&two).is_some() {
            return;
        }
        // Reaping the zombie is the supervisor's part; looking is enough to see it stopped.
    }
    panic!("a probe was taken for the holder");
}
