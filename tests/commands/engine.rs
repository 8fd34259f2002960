//! `engine replay`, whose answer depends on files alone.

use crate::harness::World;
use trading_core::report::Exit;

/// A log as an engine wrote it: its opening and 133 inputs.
const SAMPLE: &[u8] = include_bytes!("../../trading-core/src/engine/samples/eventlog-1.evl");

fn with_log(bytes: &[u8]) -> World {
    let world = World::new();
    let folder = world.work().join("log");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("0000000001.evl"), bytes).expect("written");
    world
}

#[test]
fn a_whole_log_is_equal_and_a_cut_one_says_where_it_ends() {
    let whole = with_log(SAMPLE).run("engine replay log --output json");
    insta::assert_snapshot!("replay_json", whole);
    let document = whole.json();
    assert_eq!(document["outcome"], "equal");
    assert_eq!(document["data"]["inputs"], 133);
    assert_eq!(document["data"]["differs_at"], serde_json::json!([]));

    let cut = with_log(&SAMPLE[..SAMPLE.len() - 3]).run("engine replay log --output json");
    assert_eq!(cut.exit, Exit::Ok, "{cut}");
    let document = cut.json();
    assert_eq!(document["findings"][0]["id"], "replay.damage");
    assert_eq!(document["findings"][0]["severity"], "info");
    assert_eq!(document["data"]["inputs"], 132);
}

#[test]
fn a_changed_log_is_different() {
    let mut bytes = SAMPLE.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let ran = with_log(&bytes).run("engine replay log --output json");
    assert_eq!(ran.exit, Exit::No, "{ran}");
    assert_eq!(ran.json()["findings"][0]["severity"], "error");
}

#[test]
fn a_path_without_a_log_is_10() {
    let world = World::new();
    for line in ["engine replay nowhere", "engine replay ."] {
        let ran = world.run(line);
        assert_eq!(ran.exit, Exit::Settings, "{ran}");
    }
}
