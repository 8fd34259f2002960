//! What the supervisor starts and what it leaves alone.

use std::collections::BTreeMap;
use std::time::Duration;

use trading_core::model::{
    self, Autoscaling, Level, Phase, Scope, Supervision, Suspended, Task, TaskState,
};

use super::blueprint;
use super::world::{PATIENCE, World, all_stopped, engine, running, seen, until};
use crate::platform::Clock;
use crate::platform::local::linux::Process;
use crate::platform::local::supervisor::{Watch, claim, watch};
use crate::platform::local::{TaskDefinition, paths_of, setup};

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
    let services = world.platform.compute.services().await.into_result().unwrap().found;
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
    let services = world.platform.compute.services().await.into_result().unwrap().found;
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
    let suspended = Autoscaling { min_capacity: 1, max_capacity: 4, suspended: Suspended::ALL };
    let active = Autoscaling { suspended: Suspended::NONE, ..suspended };
    let mut supervisor = world.supervisor();
    supervisor.tick().await.unwrap();
    assert!(world.tasks().await.is_empty());
    world.platform.compute.set_autoscaling(&engine(), suspended, active).await;
    // That is more of what trades: no hold lets it.
    for phase in [Phase::Held, Phase::Resuming] {
        world.hold(Scope::All, Level::ReduceOnly, phase).await;
        supervisor.tick().await.unwrap();
        let services = world.platform.compute.services().await.into_result().unwrap().found;
        assert_eq!((services[0].desired_count, world.tasks().await.len()), (0, 0));
    }
    world.hold(Scope::Service("other".into()), Level::ReduceOnly, Phase::Held).await;
    until(&mut supervisor, &world, running(1)).await;
    let services = world.platform.compute.services().await.into_result().unwrap().found;
    assert_eq!(services[0].desired_count, 1);
}

#[tokio::test]
async fn schedules_start_tasks_of_their_own_once_and_not_after_they_are_disabled() {
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
    let family = "batch".into();
    schedule.targets = vec![ScheduleTarget::Task { cluster: "local".into(), family }];
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
async fn who_supervises_is_read_with_the_end_of_its_last_round() {
    let world = World::new(&["x"], 0).await;
    let paths = paths_of(&world.environment).unwrap();
    let seen = || async { world.platform.compute.supervision().await.into_result().unwrap() };
    assert_eq!(seen().await, Supervision::Absent);
    let since = world.clock.now();
    let lock = claim(&paths, world.clock.as_ref()).unwrap();
    let own = |last_round| model::Supervisor {
        pid: Some(std::process::id()),
        since: Some(since),
        last_round,
    };
    assert_eq!(seen().await, Supervision::Alive(own(since)), "no round yet");
    world.clock.advance(Duration::from_secs(60));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let works = world.supervisor().run(lock, async move {
        let _ = stopped.await;
    });
    let looks = async {
        let later = world.clock.now();
        looked("the end of a round", async || seen().await == Supervision::Alive(own(later))).await;
        // Rounds that come to no end are no sign of life.
        let raw = rusqlite::Connection::open(paths.compute_db()).unwrap();
        raw.execute("ALTER TABLE services RENAME TO gone", []).unwrap();
        let failed = || rounds_failed(&paths.logs().join("supervisor"));
        looked("a round that fails", async || failed() > 0).await;
        world.clock.advance(Duration::from_secs(60));
        let before = failed();
        looked("another one", async || failed() > before + 1).await;
        assert_eq!(seen().await, Supervision::Alive(own(later)), "silent since then");
        drop(stop);
    };
    tokio::join!(works, looks);
    assert_eq!(seen().await, Supervision::Absent);
}

async fn looked(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..PATIENCE {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never seen: {what}");
}

fn rounds_failed(log: &std::path::Path) -> usize {
    let files = std::fs::read_dir(log).into_iter().flatten().flatten();
    let texts = files.filter_map(|it| std::fs::read_to_string(it.path()).ok());
    texts.map(|it| it.matches("a round was not finished").count()).sum()
}

#[tokio::test]
async fn one_supervisor_per_environment() {
    let world = World::new(&["x"], 0).await;
    let paths = paths_of(&world.environment).unwrap();
    assert_eq!(watch(&paths).unwrap(), Watch::Nobody);
    let lock = claim(&paths, world.clock.as_ref()).unwrap();
    let Watch::Alive(Some(identity)) = watch(&paths).unwrap() else { panic!("not seen") };
    assert_eq!(Some(identity.process), Process::own());
    let second = claim(&paths, world.clock.as_ref()).unwrap_err();
    assert_eq!(second.exit, trading_core::report::Exit::Refused);
    drop(lock);
    assert_eq!(watch(&paths).unwrap(), Watch::Nobody);
}

#[tokio::test]
async fn who_looks_for_a_supervisor_keeps_none_from_starting() {
    let world = World::new(&["x"], 0).await;
    let paths = paths_of(&world.environment).unwrap();
    drop(claim(&paths, world.clock.as_ref()).unwrap());
    let looks = std::fs::File::open(paths.supervisor_lock()).unwrap();
    looks.lock_shared().unwrap();
    assert!(claim(&paths, world.clock.as_ref()).is_err(), "for that instant");
    let claimed = async { crate::platform::local::claim(&paths, world.clock.as_ref()).await };
    let gone = async {
        tokio::task::yield_now().await;
        drop(looks);
    };
    let (claimed, ()) = tokio::join!(claimed, gone);
    assert!(claimed.is_ok());
}

#[tokio::test]
async fn logs_of_tasks_that_ended_as_asked_go_before_those_of_crashed_ones() {
    let print = "head -c 400000 /dev/zero | tr '\\0' x; exit";
    let mut world = World::new(&["sh", "-c", &format!("{print} 3")], 1).await;
    // Room for all of them: what would go while one still writes depends on when one looks.
    let mut supervisor = world.supervisor();
    let ended = |count: usize| {
        move |tasks: &[Task]| {
            let ended = tasks.iter().filter(|it| it.exit_code.is_some()).count();
            (ended == count).then(|| tasks.to_vec())
        }
    };
    // Crashes twice, then ends well twice: 1.6 MB.
    for count in 1..=4 {
        if count == 3 {
            let well = format!("{print} 0");
            let well = blueprint(0, "engine", &["sh", "-c", &well], 1);
            setup(&world.environment, world.clock.clone(), &well).await.unwrap();
        }
        world.clock.advance(Duration::from_secs(120));
        until(&mut supervisor, &world, ended(count)).await;
    }
    world.desired(1, 0).await;
    drop(supervisor);
    world.environment.retention.logs_max_mb = 1;
    let mut supervisor = world.supervisor();
    world.clock.advance(Duration::from_secs(120));
    let tasks = until(&mut supervisor, &world, ended(4)).await;
    let kept = |task: &Task| {
        let paths = paths_of(&world.environment).unwrap();
        paths.logs().join(format!("engine/{}.out", task.id)).exists()
    };
    let crashed: Vec<bool> = tasks.iter().filter(|it| it.exit_code == Some(3)).map(kept).collect();
    assert_eq!(crashed, [false, true], "two of three go, the oldest evidence last: {tasks:#?}");
    let well: Vec<bool> = tasks.iter().filter(|it| it.exit_code == Some(0)).map(kept).collect();
    assert_eq!(well, [false, true], "the newest of the service stays");
}
