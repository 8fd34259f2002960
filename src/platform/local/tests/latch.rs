use std::os::unix::fs::FileExt;

use rusqlite::Connection;
use trading_core::model::{GapKind, Hold, Latch, Level, Phase, Scope, Target, Written};

use super::{TestClock, blueprint, environment};
use crate::platform::local::fallback::Fallback;
use crate::platform::local::{LocalPaths, holding_whole, open, paths_of, setup};
use crate::platform::{Clock, Platform};

async fn ready(home: &std::path::Path) -> (Platform, LocalPaths, Latch) {
    let clock = TestClock::new();
    let environment = environment(home, &clock);
    setup(&environment, clock.clone(), &blueprint(0, "engine", &["x"], 0)).await.unwrap();
    let platform = open(&environment, clock.clone()).unwrap();
    let latch = platform.state.latch().await.into_result().unwrap();
    let hold = Hold {
        stop_id: "stop-1".into(),
        level: Level::Halt,
        scope: Scope::All,
        reason: "r".repeat(9_000),
        actor: "someone".to_owned(),
        at: clock.now(),
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    (platform, paths_of(&environment).unwrap(), latch.next(vec![hold]))
}

/// Makes every write to a database fail, whatever its file's mode is.
fn refuse_writes(file: &std::path::Path) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER full_1 BEFORE INSERT ON latch BEGIN SELECT RAISE(FAIL, 'disk full'); END;",
        )
        .unwrap();
}

#[tokio::test]
async fn a_latch_that_the_database_cannot_take_is_held_by_the_file() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    refuse_writes(&paths.control_db());
    let written = platform.state.write_latch(0, &held).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    let read = platform.state.latch().await.into_result().unwrap();
    assert_eq!((read.epoch, read.holds.len()), (1, 1));
    assert_eq!(read.holds[0].level, Level::Halt);
    // A second operator is held to the epoch that the file has.
    let refused = platform.state.write_latch(0, &held).await;
    assert!(matches!(refused, Written::Refused { .. }), "{refused:?}");
    // What loosens is never taken by the file alone.
    let released = read.next(Vec::new());
    let written = platform.state.write_latch(1, &released).await;
    assert!(matches!(written, Written::Unreachable { .. }), "{written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap(), read);
    // Lost, the file leaves a database that never heard of the stop: not known, not free.
    let bytes = std::fs::read(paths.latch_fallback()).unwrap();
    std::fs::remove_file(paths.latch_fallback()).unwrap();
    assert_eq!(platform.state.latch().await.into_result().unwrap_err().kind, GapKind::Unreachable);
    // The same where only the slot with the stop is damaged, and the released one is whole.
    let mut torn = bytes.clone();
    torn[4_096 + 30] ^= 0xFF;
    std::fs::write(paths.latch_fallback(), &torn).unwrap();
    assert_eq!(platform.state.latch().await.into_result().unwrap_err().kind, GapKind::Unreachable);
    // Once the database takes writes again, the two agree again.
    std::fs::write(paths.latch_fallback(), &bytes).unwrap();
    Connection::open(paths.control_db()).unwrap().execute_batch("DROP TRIGGER full_1").unwrap();
    let written = platform.state.write_latch(1, &released).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap(), released);
    assert_eq!(Fallback::new(paths.latch_fallback()).read().unwrap().latch, released);
}

/// So many holds that their words do not fit into a page of the file.
fn crowded(held: &Latch) -> Latch {
    let hold = |number: usize| Hold {
        stop_id: format!("stop-{number}").as_str().into(),
        actor: "a".repeat(100),
        ..held.holds[0].clone()
    };
    Latch { holds: (1..60).map(hold).collect(), ..held.clone() }
}

#[tokio::test]
async fn a_stop_that_only_the_database_took_is_not_called_applied_nor_ever_released() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    let written = platform.state.write_latch(0, &crowded(&held)).await;
    assert!(matches!(written, Written::Unknown { .. }), "{written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap().holds.len(), 59, "it holds");
    assert!(Fallback::new(paths.latch_fallback()).read().unwrap().latch.holds.is_empty());
    let raw = Connection::open(paths.control_db()).unwrap();
    raw.execute("UPDATE latch SET document = '{torn'", []).unwrap();
    let gap = platform.state.latch().await.into_result().unwrap_err();
    assert_eq!(gap.kind, GapKind::Unreachable, "the file's released latch is not believed");
}

#[tokio::test]
async fn over_what_cannot_be_read_only_a_stop_of_everything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    platform.state.write_latch(0, &held).await;
    platform.state.write_latch(1, &held.next(Vec::new())).await;
    std::fs::remove_file(paths.latch_fallback()).unwrap();
    let mut narrow = held.clone();
    narrow.holds[0].scope = Scope::Service("engine".into());
    for too_little in [Latch::released().next(Vec::new()), narrow] {
        let written = platform.state.write_latch(0, &too_little).await;
        assert!(matches!(written, Written::Unreachable { .. }), "{written:?}");
    }
    let written = platform.state.write_latch(0, &held).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    let read = platform.state.latch().await.into_result().unwrap();
    assert_eq!((read.epoch, read.holds.len()), (3, 1), "later than what stood there");
    assert_eq!(Fallback::new(paths.latch_fallback()).read().unwrap().latch.epoch, 3);
}

#[tokio::test]
async fn a_latch_of_a_newer_format_halts_and_is_not_loosened() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    platform.state.write_latch(0, &held).await;
    let raw = Connection::open(paths.control_db()).unwrap();
    let newer = r#"{"format":2,"epoch":7,"holds":{"everything":"from here on"}}"#;
    raw.execute("UPDATE latch SET epoch = 7, document = ?1", [newer]).unwrap();
    let read = platform.state.latch().await.into_result().unwrap();
    let all = Target::default();
    assert_eq!((read.format, read.effective(&all).allows_exits()), (2, false));
    let written = platform.state.write_latch(7, &read.next(Vec::new())).await;
    assert!(matches!(written, Written::Applied { .. }), "nothing of it was loosened: {written:?}");
    let back = Latch { epoch: 9, ..Latch::released() };
    let written = platform.state.write_latch(8, &back).await;
    assert!(matches!(&written, Written::Denied { why } if why.contains("update")), "{written:?}");
    let read = platform.state.latch().await.into_result().unwrap();
    let stopped = read.next(held.holds.clone());
    assert!(platform.state.write_latch(8, &stopped).await.stands());
    assert!(!platform.state.latch().await.into_result().unwrap().effective(&all).allows_exits());
}

#[tokio::test]
async fn whichever_place_can_be_read_is_obeyed_and_neither_is_unreachable() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    platform.state.write_latch(0, &held).await;
    let raw = Connection::open(paths.control_db()).unwrap();
    raw.execute("UPDATE latch SET document = '{torn'", []).unwrap();
    let read = platform.state.latch().await.into_result().unwrap();
    assert_eq!((read.epoch, read.holds.len()), (1, 1), "the file was never behind");
    let file = std::fs::OpenOptions::new().write(true).open(paths.latch_fallback()).unwrap();
    file.write_all_at(&[0xFF; 8_192], 0).unwrap();
    let gap = platform.state.latch().await.into_result().unwrap_err();
    assert_eq!(gap.kind, GapKind::Unreachable);
    // A stop can still be engaged over the damage.
    let written = platform.state.write_latch(7, &Latch { epoch: 8, ..held }).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap().epoch, 8);
}

#[tokio::test]
async fn a_writer_frozen_inside_its_transaction_does_not_keep_a_stop_waiting_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let (platform, paths, held) = ready(home.path()).await;
    let other = Connection::open(paths.control_db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let written = platform.state.write_latch(0, &held).await;
    assert!(matches!(written, Written::Applied { .. }), "by the file alone: {written:?}");
    assert_eq!(platform.state.latch().await.into_result().unwrap().epoch, 1);
    // Whoever continues finds an epoch that he does not expect.
    other.execute_batch("ROLLBACK").unwrap();
    let late = platform.state.write_latch(0, &Latch::released().next(Vec::new())).await;
    assert!(matches!(late, Written::Refused { .. }), "{late:?}");
}

#[tokio::test]
async fn a_hold_on_a_whole_service_or_venue_keeps_everything_from_coming_up() {
    let home = tempfile::tempdir().unwrap();
    let (_, _, held) = ready(home.path()).await;
    let of = |scope: Scope, phase: Phase| {
        let hold = Hold { scope, phase, ..held.holds[0].clone() };
        holding_whole(&Latch { holds: vec![hold], ..held.clone() }).is_some()
    };
    assert!(of(Scope::All, Phase::Held));
    let engine = || Scope::Service("engine".into());
    assert!(of(engine(), Phase::Stopping));
    assert!(of(Scope::Venue("paper".into()), Phase::Held));
    assert!(of(engine(), Phase::Resuming), "to its end");
    assert!(!of(Scope::Strategy("s".into()), Phase::Held), "its engine obeys it");
}
