//! Tasks as real processes: adopted, stopped, killed, looked at by several.

use std::time::Duration;

use trading_core::model::{Task, TaskState, Written};

use super::world::{PATIENCE, World, all_stopped, freeze, process_of, running, seen, until};
use crate::platform::Clock;
use crate::platform::local::linux::{Process, processes_of_task, processes_reading};
use crate::platform::local::supervisor::Identity;
use crate::platform::local::{open, paths_of};

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
    freeze(process).await;
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
async fn two_who_look_do_not_take_each_other_for_the_task() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    let other = open(&world.environment, world.clock.clone()).unwrap();
    process_of(&tasks[0]).kill().unwrap();
    for _ in 0..PATIENCE {
        let (one, two) = tokio::join!(world.tasks(), other.compute.tasks());
        let two = two.into_result().unwrap().found;
        if all_stopped(&one).is_some() && all_stopped(&two).is_some() {
            return;
        }
        // Reaping the zombie is the supervisor's part; looking is enough to see it stopped.
    }
    panic!("a probe was taken for the holder");
}

#[tokio::test]
async fn what_sheds_its_name_and_outlives_its_task_is_found_by_the_lock_that_it_holds() {
    let world = World::new(&["sh", "-c", "exec 3<&0; env -i sleep 1000 <&3 & wait"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    let lock = paths_of(&world.environment).unwrap().task_lock(tasks[0].id.as_str());
    // The shell, and what it started, which no longer names the task.
    let both = (0..PATIENCE).find_map(|_| {
        let (holders, named) = (processes_reading(&lock), processes_of_task(tasks[0].id.as_str()));
        (holders.len() == 2 && named.len() == 1).then_some(holders)
    });
    let both = both.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(both[0].pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    seen(&world, all_stopped).await;
    assert!(both.iter().all(|process| !process.is_alive()), "stopped means all of it");
}

#[tokio::test]
async fn a_supervisor_frozen_before_the_birth_of_a_task_gives_way_to_a_stop() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    let paths = paths_of(&world.environment).unwrap();
    let raw = rusqlite::Connection::open(paths.compute_db()).unwrap();
    raw.execute(
        "INSERT INTO tasks SELECT 'task-0', 0, json_set(document, '$.id', 'task-0', '$.state',
         'PENDING', '$.process', NULL) FROM tasks LIMIT 1",
        [],
    )
    .unwrap();
    let unborn = std::fs::File::create(paths.task_lock("task-0")).unwrap();
    unborn.lock().unwrap();
    // Somebody else in the place of the supervisor, holding its lock, stopped by a signal.
    let lock = std::fs::File::create(paths.supervisor_lock()).unwrap();
    lock.lock().unwrap();
    let mut other = std::process::Command::new("sleep").arg("1000").stdin(lock).spawn().unwrap();
    let process = Process::of_pid(other.id()).unwrap();
    let identity = Identity { process, since: world.clock.now() };
    std::fs::write(paths.supervisor_lock(), serde_json::to_string(&identity).unwrap()).unwrap();
    freeze(process).await;
    world.platform.compute.stop_task(&"task-0".into(), "stop-1").await;
    let state = |tasks: &[Task]| tasks.iter().find(|it| it.id.as_str() == "task-0").unwrap().state;
    assert_eq!(state(&world.tasks().await), TaskState::Stopping);
    assert!(process.is_alive(), "it has the task's grace");
    world.clock.advance(Duration::from_millis(5_000));
    world.tasks().await;
    assert!(!other.wait().unwrap().success());
    drop(unborn);
    seen(&world, |tasks| (state(tasks) == TaskState::Stopped).then_some(())).await;
}

#[tokio::test]
async fn who_only_looks_kills_nobody_and_writes_nothing() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    let process = process_of(&tasks[0]);
    freeze(process).await;
    world.platform.compute.stop_task(&tasks[0].id, "stop-1").await;
    world.clock.advance(Duration::from_millis(5_000));
    let paths = paths_of(&world.environment).unwrap();
    let raw = rusqlite::Connection::open(paths.compute_db()).unwrap();
    let document =
        || -> String { raw.query_row("SELECT document FROM tasks", [], |row| row.get(0)).unwrap() };
    let before = document();
    let looker = open(&world.environment, world.clock.clone()).unwrap();
    let seen_by_looker = looker.compute.tasks().await.into_result().unwrap().found;
    assert_eq!(seen_by_looker[0].state, TaskState::Stopping);
    looker.compute.services().await.into_result().unwrap();
    assert!(process.is_alive(), "its grace is over, and that is for others to act upon");
    process.kill().unwrap();
    for _ in 0..PATIENCE {
        if all_stopped(&looker.compute.tasks().await.into_result().unwrap().found).is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(all_stopped(&looker.compute.tasks().await.into_result().unwrap().found).is_some());
    assert_eq!(document(), before, "seen stopped, and not written down");
}

#[tokio::test]
async fn being_asked_again_after_the_grace_ends_it() {
    let world = World::new(&["sleep", "1000"], 1).await;
    let mut supervisor = world.supervisor();
    let tasks = until(&mut supervisor, &world, running(1)).await;
    drop(supervisor);
    freeze(process_of(&tasks[0])).await;
    world.platform.compute.stop_task(&tasks[0].id, "stop-1").await;
    world.clock.advance(Duration::from_millis(5_000));
    let second = open(&world.environment, world.clock.clone()).unwrap();
    assert_eq!(second.compute.stop_task(&tasks[0].id, "stop-1").await, Written::Already);
    seen(&world, all_stopped).await;
}
