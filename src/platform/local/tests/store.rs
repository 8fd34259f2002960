use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::Connection;
use trading_core::model::{
    Attr, Level, OrderRow, Phase, Row, Scope, StatusReading, StrategyRow, Written,
};

use super::{TestClock, blueprint, environment};
use crate::platform::local::{open, paths_of, setup};
use crate::platform::{Clock, RowUpdate, SecretKeys};

fn stop(id: &str, expected: Option<Attr>) -> RowUpdate {
    RowUpdate {
        strategy: id.into(),
        require: BTreeMap::from([("status".to_owned(), expected)]),
        set: BTreeMap::from([("status".to_owned(), Some(Attr::text("stopped")))]),
    }
}

#[tokio::test]
async fn rows_that_are_not_understood_are_shown_stopped_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(1, "engine", &["x"], 0)).await.unwrap();
    let raw = Connection::open(paths_of(&environment).unwrap().state_db()).unwrap();
    let odd = [
        ("a-number", r#"{"strategy_id":{"S":"a-number"},"status":5,"x":{"N":"1.10"}}"#),
        ("b-text", "not json at all"),
        ("c-list", "[1,2]"),
        ("d-types", r#"{"status":{"S":"running"},"keep":{"Z":[1, 2.50]}}"#),
    ];
    for (id, text) in odd {
        raw.execute("INSERT INTO strategies VALUES (?1, ?2)", [id, text]).unwrap();
    }
    raw.execute("INSERT INTO strategies VALUES ('e-blob', x'ff00')", []).unwrap();
    let platform = open(&environment, clock).unwrap();
    let rows = platform.state.strategies().await.into_result().unwrap();
    assert_eq!(rows.len(), 6, "none is left out");
    for row in &rows[..3] {
        assert!(
            matches!(row.status(), StatusReading::Unparsed(_)),
            "{}: {:?}",
            row.id,
            row.status()
        );
        assert_eq!(row.row.text("strategy_id").unwrap(), row.id.as_str());
    }
    // Each can be stopped on the condition of what was read.
    let updates: Vec<RowUpdate> =
        rows.iter().map(|row| stop(row.id.as_str(), row.status_attr().cloned())).collect();
    for (row, answer) in rows.iter().zip(platform.state.update_strategies(&updates).await) {
        assert!(matches!(answer, Written::Applied { .. }), "{}: {answer:?}", row.id);
    }
    let text = |id: &str| -> String {
        raw.query_row("SELECT document FROM strategies WHERE id = ?1", [id], |row| row.get(0))
            .unwrap()
    };
    assert!(text("a-number").contains(r#""x":{"N":"1.10"}"#));
    assert!(text("b-text").contains("not json at all"));
    assert!(text("d-types").contains(r#""keep":{"Z":[1, 2.50]}"#), "byte for byte");
    // And put back exactly as it was.
    let back = |row: &StrategyRow| RowUpdate {
        strategy: row.id.clone(),
        require: BTreeMap::new(),
        set: BTreeMap::from([("status".to_owned(), row.status_attr().cloned())]),
    };
    let back: Vec<RowUpdate> = rows[..3].iter().map(back).collect();
    platform.state.update_strategies(&back).await;
    assert!(text("a-number").contains(r#""status":5"#), "{}", text("a-number"));
    // What was no row at all is not left wrapped.
    assert_eq!((text("b-text").as_str(), text("c-list").as_str()), ("not json at all", "[1,2]"));
}

#[tokio::test]
async fn a_newer_format_is_read_but_only_the_latch_may_be_tightened() {
    use trading_core::model::{Hold, Level, Phase, Scope};
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(2, "engine", &["x"], 0)).await.unwrap();
    let paths = paths_of(&environment).unwrap();
    for file in [paths.state_db(), paths.control_db(), paths.compute_db()] {
        Connection::open(file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    }
    let platform = open(&environment, clock.clone()).unwrap();
    assert_eq!(platform.state.strategies().await.into_result().unwrap().len(), 2);
    let update = stop("s-0000", Some(Attr::text("running")));
    let answers = platform.state.update_strategies(&[update]).await;
    assert!(matches!(&answers[0], Written::Denied { why } if why.contains("99")), "{answers:?}");
    let released = platform.state.latch().await.into_result().unwrap();
    let hold = Hold {
        stop_id: "stop-1".into(),
        level: Level::Halt,
        scope: Scope::All,
        reason: String::new(),
        actor: String::new(),
        at: crate::platform::Clock::now(clock.as_ref()),
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    let held = released.next(vec![hold]);
    let written = platform.state.write_latch(released.epoch, &held).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    let written = platform.state.write_latch(held.epoch, &held.next(Vec::new())).await;
    assert!(matches!(written, Written::Denied { .. }), "released by an older binary: {written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap(), held);
}

#[tokio::test]
async fn setting_up_again_overwrites_nothing() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    let first = blueprint(2, "engine", &["/bin/old"], 1);
    setup(&environment, clock.clone(), &first).await.unwrap();
    let platform = open(&environment, clock.clone()).unwrap();
    platform.state.update_strategies(&[stop("s-0000", Some(Attr::text("running")))]).await;
    platform.compute.set_desired(&"engine".into(), 1, 3).await;
    platform.schedules.set_enabled(&"group/nightly".into(), false).await;
    setup(&environment, clock.clone(), &blueprint(3, "engine", &["/bin/new"], 1)).await.unwrap();
    let rows = platform.state.strategies().await.into_result().unwrap();
    assert_eq!(rows.len(), 3, "the new one was created");
    assert_eq!(rows[0].row.text("status").unwrap(), "stopped");
    let services = platform.compute.services().await.into_result().unwrap().found;
    assert_eq!(services[0].desired_count, 3);
    let deployments: Vec<_> = services[0]
        .deployments
        .iter()
        .map(|it| (it.status.as_str(), it.task_definition.as_str()))
        .collect();
    assert_eq!(
        deployments,
        [("PRIMARY", "engine-family:2"), ("ACTIVE", "engine-family:1")],
        "another command is another revision, rolled out by the supervisor"
    );
    let schedules = platform.schedules.schedules().await.into_result().unwrap().found;
    assert!(!schedules[0].enabled);
}

#[tokio::test]
async fn two_openers_share_one_state() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(200, "engine", &["x"], 0)).await.unwrap();
    let (one, two) =
        (open(&environment, clock.clone()).unwrap(), open(&environment, clock.clone()).unwrap());
    let updates: Vec<RowUpdate> =
        (0..200).map(|at| stop(&format!("s-{at:04}"), Some(Attr::text("running")))).collect();
    let (left, right) =
        tokio::join!(one.state.update_strategies(&updates), two.state.update_strategies(&updates));
    let applied = left.iter().chain(&right).filter(|it| matches!(it, Written::Applied { .. }));
    assert_eq!(applied.count(), 200, "each row was changed by exactly one");
    assert!(left.iter().chain(&right).all(Written::stands));
}

#[tokio::test]
async fn secrets_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    use trading_core::model::GapKind;
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(0, "engine", &["x"], 0)).await.unwrap();
    let platform = open(&environment, clock).unwrap();
    let file = paths_of(&environment).unwrap().secrets();
    assert!(platform.secrets.list().await.is_absent());
    let write = |text: &str, mode: u32| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let planted = "planted-7f3a";
    write(&format!("[venue]\nkey = \"{planted}\"\n"), 0o640);
    let denied = platform.secrets.value("venue", "key").await;
    assert_eq!(denied.as_gap().unwrap().kind, GapKind::Denied);
    write(&format!("[venue]\nkey = \"{planted}\"\n"), 0o600);
    let value = platform.secrets.value("venue", "key").await.into_result().unwrap();
    assert_eq!(value.reveal(), planted);
    let list = platform.secrets.list().await.into_result().unwrap();
    assert_eq!(list[0].name, "venue");
    assert_eq!(list[0].keys, SecretKeys::Known(vec!["key".to_owned()]));
    assert!(!format!("{list:?} {value:?}").contains(planted));
    write(&format!("[venue]\nkey = \"{planted}\nother = {planted}\n"), 0o600);
    let unparsed = format!("{:?}", platform.secrets.list().await);
    assert!(unparsed.contains("Unparsed") && !unparsed.contains(planted), "{unparsed}");
}

#[tokio::test]
async fn a_file_that_stays_locked_is_said_once_and_not_waited_for_row_by_row() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(300, "engine", &["x"], 0)).await.unwrap();
    let platform = open(&environment, clock.clone()).unwrap();
    // As an engine frozen inside its own write would.
    let frozen = Connection::open(paths_of(&environment).unwrap().state_db()).unwrap();
    frozen.execute_batch("BEGIN IMMEDIATE").unwrap();
    let updates: Vec<RowUpdate> =
        (0..300).map(|at| stop(&format!("s-{at:04}"), Some(Attr::text("running")))).collect();
    let answers = platform.state.update_strategies(&updates).await;
    assert_eq!(answers.len(), 300);
    assert!(answers.iter().all(|it| matches!(it, Written::Unreachable { .. })), "{:?}", answers[0]);
    assert_eq!(platform.state.strategies().await.into_result().unwrap().len(), 300, "still read");
    let latch = platform.state.latch().await.into_result().unwrap();
    let written = platform.state.write_latch(latch.epoch, &latch.next(Vec::new())).await;
    assert!(matches!(written, Written::Applied { .. }), "the latch has a file of its own");
    frozen.execute_batch("ROLLBACK").unwrap();
    let answers = platform.state.update_strategies(&updates).await;
    assert!(answers.iter().all(|it| matches!(it, Written::Applied { .. })));
}

/// The files of format 1, as they were first written.
const FORMAT_1: &str = "
    CREATE TABLE strategies (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE positions (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE orders (id TEXT PRIMARY KEY, document TEXT NOT NULL,
                         terminal INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX orders_open ON orders (id) WHERE terminal = 0;
    CREATE TABLE leases (strategy TEXT PRIMARY KEY, owner TEXT NOT NULL,
                         generation INTEGER NOT NULL, expires_at TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO strategies VALUES ('s-1', '{\"strategy_id\":{\"S\":\"s-1\"},\"status\":{\"S\":\"running\"}}');
    INSERT INTO leases VALUES ('s-1', 'engine-1', 3, '2026-11-23T00:00:10Z');
    PRAGMA user_version = 1;
    PRAGMA journal_mode = WAL;
";

#[tokio::test]
async fn format_1_is_read() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(0, "engine", &["x"], 0)).await.unwrap();
    let file = paths_of(&environment).unwrap().state_db();
    std::fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch(FORMAT_1).unwrap();
    let platform = open(&environment, clock).unwrap();
    let rows = platform.state.strategies().await.into_result().unwrap();
    assert_eq!(rows[0].row.text("status").unwrap(), "running");
    let leases = platform.state.leases().await.into_result().unwrap();
    assert_eq!((leases[0].owner.as_str(), leases[0].generation), ("engine-1", 3));
}

#[tokio::test]
async fn rows_of_orders_go_once_they_are_old_and_at_rest_and_nothing_waits_for_them() {
    let mut world = super::world::World::new(&["x"], 0).await;
    world.environment.retention.records_kept_ms = 7 * 86_400_000;
    let mut supervisor = world.supervisor();
    let now = world.clock.now();
    let days_ago = |days: u64| now.checked_sub(Duration::from_secs(days * 86_400)).unwrap();
    let order = |id: &str, status: &str, created: u64, updated: Option<u64>| {
        let mut row = Row::default()
            .with_text(OrderRow::STATUS, status)
            .with_text("created_at", days_ago(created).to_string());
        if let Some(updated) = updated {
            row = row.with_text("updated_at", days_ago(updated).to_string());
        }
        OrderRow { id: id.into(), row }
    };
    let state = &world.platform.state;
    let rows = [
        order("s.1.1", "filled", 40, Some(40)),
        order("s.1.2", "live", 30, Some(30)),
        order("s.1.3", "cancelled", 20, Some(20)),
        order("s.1.4", "filled", 20, Some(6)),
        order("s.1.5", "filled", 20, None),
    ];
    assert!(state.merge_orders(&rows).await.iter().all(Written::stands));
    let raw = Connection::open(paths_of(&world.environment).unwrap().state_db()).unwrap();
    let left = || -> Vec<String> {
        let mut query = raw.prepare("SELECT id FROM orders ORDER BY id").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    supervisor.tick().await.unwrap();
    assert_eq!(left(), ["s.1.2", "s.1.3", "s.1.4", "s.1.5"], "what is open keeps what came after");
    world.hold(Scope::All, Level::Halt, Phase::Held).await;
    assert!(state.merge_orders(&[order("s.1.2", "filled", 30, Some(0))]).await[0].stands());
    world.clock.advance(Duration::from_secs(60));
    supervisor.tick().await.unwrap();
    assert_eq!(left(), ["s.1.2", "s.1.4", "s.1.5"], "young, or nobody knows how old");
    // A stop that still holds keeps what came after it, however long ago that is.
    world.clock.advance(Duration::from_secs(60 * 86_400));
    supervisor.tick().await.unwrap();
    assert_eq!(left(), ["s.1.2", "s.1.5"]);
}
