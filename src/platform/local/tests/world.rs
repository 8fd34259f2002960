//! An environment whose supervisor a test lets work, round by round. Nothing waits for
//! time: what is awaited is seen.

use std::sync::Arc;
use std::time::Duration;

use trading_core::model::{
    Autoscaling, Hold, Latch, Level, Phase, Scope, ServiceName, Suspended, Task, TaskState,
};

use super::{TestClock, blueprint, environment};
use crate::platform::local::linux::{self, Process};
use crate::platform::local::supervisor::Supervisor;
use crate::platform::local::{Blueprint, open, paths_of, setup, supervisor_of};
use crate::platform::{Clock, Platform};
use crate::settings::Environment;

/// How often something is looked at before a test gives up: half a minute.
pub(super) const PATIENCE: u32 = 1_500;

pub(super) struct World {
    _home: tempfile::TempDir,
    pub(super) environment: Environment,
    pub(super) clock: Arc<TestClock>,
    pub(super) platform: Platform,
}

impl World {
    pub(super) async fn new(argv: &[&str], desired: u32) -> Self {
        Self::of(&blueprint(0, "engine", argv, desired)).await
    }
    pub(super) async fn of(blueprint: &Blueprint) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let environment = environment(home.path(), &clock);
        setup(&environment, clock.clone(), blueprint).await.unwrap();
        let platform = open(&environment, clock.clone()).unwrap();
        // The minimum of the scaling target is a matter of its own test.
        let before = blueprint.services[0].autoscaling.unwrap();
        let suspended = Autoscaling { suspended: Suspended::ALL, ..before };
        platform.compute.set_autoscaling(&"engine".into(), before, suspended).await;
        Self { _home: home, environment, clock, platform }
    }
    pub(super) fn supervisor(&self) -> Supervisor {
        supervisor_of(&self.environment, self.clock.clone()).unwrap()
    }
    pub(super) async fn tasks(&self) -> Vec<Task> {
        self.platform.compute.tasks().await.into_result().unwrap().found
    }
    pub(super) async fn live(&self) -> Vec<Task> {
        self.tasks().await.into_iter().filter(|it| it.state != TaskState::Stopped).collect()
    }
    pub(super) async fn events(&self) -> Vec<String> {
        let services = self.platform.compute.services().await.into_result().unwrap().found;
        services[0].events.iter().map(|event| event.message.clone()).collect()
    }
    pub(super) async fn desired(&self, from: u32, to: u32) {
        let written = self.platform.compute.set_desired(&engine(), from, to).await;
        assert!(written.stands(), "{written:?}");
    }
    pub(super) async fn hold(&self, scope: Scope, level: Level, phase: Phase) {
        let latch = self.platform.state.latch().await.into_result().unwrap();
        let hold = Hold {
            stop_id: "stop-1".into(),
            level,
            scope,
            reason: String::new(),
            actor: String::new(),
            at: self.clock.now(),
            phase,
            misplaced: Vec::new(),
            overtook_resume: false,
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

pub(super) fn engine() -> ServiceName {
    "engine".into()
}

/// Lets rounds pass until something is so.
pub(super) async fn until<T>(
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
pub(super) async fn seen<T>(world: &World, so: impl Fn(&[Task]) -> Option<T>) -> T {
    for _ in 0..PATIENCE {
        if let Some(value) = so(&world.tasks().await) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came: {:#?}", world.tasks().await);
}

/// Stops a process by a signal and sees it stopped: a signal works soon, not at once.
pub(super) async fn freeze(process: Process) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    for _ in 0..PATIENCE {
        if process.is_frozen() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{process:?} does not stop");
}

pub(super) fn running(count: usize) -> impl Fn(&[Task]) -> Option<Vec<Task>> {
    move |tasks| {
        let running: Vec<Task> =
            tasks.iter().filter(|it| it.state == TaskState::Running).cloned().collect();
        (running.len() == count).then_some(running)
    }
}

pub(super) fn all_stopped(tasks: &[Task]) -> Option<()> {
    tasks.iter().all(|it| it.state == TaskState::Stopped).then_some(())
}

pub(super) fn process_of(task: &Task) -> Process {
    linux::processes_of_task(task.id.as_str())[0]
}
