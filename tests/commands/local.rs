//! The embedded platform's commands, with nothing running.

use tradectl::platform::local::{LogWriter, open, paths_of};
use trading_core::model::{Hold, Level, Phase, Scope};

use crate::harness::{Fixed, World};

/// Runs to the end what a test does besides commands.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn status_of_what_was_never_set_up() {
    insta::assert_snapshot!(World::new().run("local status"));
}

#[test]
fn status_of_what_does_not_run() {
    let world = World::new();
    world.set_up(Vec::new());
    insta::assert_snapshot!("status_human", world.run("local status"));
    insta::assert_snapshot!("status_json", world.run("local status --output json"));
}

#[test]
fn down_where_nothing_runs() {
    let world = World::new();
    world.set_up(Vec::new());
    insta::assert_snapshot!("down_human", world.run("local down"));
    insta::assert_snapshot!("down_json", world.run("local down --output json"));
}

#[test]
fn up_under_a_hold() {
    let world = World::new();
    let environment = world.set_up(Vec::new());
    let clock = std::sync::Arc::new(Fixed(world.now));
    let platform = open(&environment, clock).expect("open");
    let hold = Hold {
        stop_id: "stop-0001".into(),
        level: Level::ReduceOnly,
        scope: Scope::All,
        reason: "test".to_owned(),
        actor: "someone".to_owned(),
        at: world.now,
        phase: Phase::Held,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    block_on(async {
        let latch = platform.state.latch().await.into_result().expect("a latch");
        assert!(platform.state.write_latch(latch.epoch, &latch.next(vec![hold])).await.stands());
    });
    insta::assert_snapshot!(world.run("local up --detach"));
    insta::assert_snapshot!("up_json", world.run("local up --detach --output json"));
}

#[test]
fn logs_by_group_and_text() {
    let world = World::new();
    let environment = world.set_up(Vec::new());
    let paths = paths_of(&environment).expect("local");
    for (group, stream, message) in [
        ("engine-1", "task-a", "bought \u{1b}[31m1\u{202e} BTC"),
        ("engine-1", "task-a", "sold"),
        ("engine-2", "task-b", "bought 2 BTC"),
    ] {
        let log = LogWriter::open(&paths, group, stream).expect("a log");
        log.write(world.now, message).expect("written");
    }
    insta::assert_snapshot!("logs_human", world.run("local logs --contains bought"));
    insta::assert_snapshot!("logs_json", world.run("local logs --group engine-2 --output json"));
    let older = world.run("local logs --since 1s --group engine-1 --limit 1");
    assert!(older.out.contains("sold") && !older.out.contains("bought"), "{older}");
}

#[test]
fn logs_that_are_no_longer_kept_are_said_to_be_missing() {
    let world = World::new();
    let environment = world.set_up(Vec::new());
    let paths = paths_of(&environment).expect("local");
    LogWriter::open(&paths, "engine-1", "task-b")
        .expect("a log")
        .write(world.now, "sold")
        .expect("written");
    let mark = std::fs::File::create(paths.logs().join("engine-1/.pruned.cut")).expect("a mark");
    let minute_ago = world.now.checked_sub(std::time::Duration::from_secs(60)).expect("a time");
    mark.set_modified(minute_ago.into()).expect("set");
    insta::assert_snapshot!("logs_pruned_human", world.run("local logs"));
    insta::assert_snapshot!(
        "logs_pruned_json",
        world.run("local logs --stream task-a --output json")
    );
    for enough in ["--since 59s", "--limit 1", "--group engine-2"] {
        let ran = world.run(&format!("local logs {enough}"));
        assert!(!ran.to_string().contains("no longer kept"), "{enough}: {ran}");
    }
}
