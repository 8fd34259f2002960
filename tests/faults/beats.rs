//! Heartbeats that are judged and recovered by the real binary.

use std::io::{BufRead, BufReader};
use std::process::Child;

use serde_json::Value;

use crate::disk::on_a_full_disk;
use crate::field::Field;
use trading_core::model::{StatusReading, StrategyStatus};

const RECOVER: &[&str] = &["heartbeat", "recover", "demo-001", "--yes", "--reason", "a test"];

#[test]
fn two_stale_reads_in_a_row_are_told_as_they_come_and_would_fire_the_alert() {
    // Nothing runs, so nothing beats.
    let field = Field::new(1, 2);
    let check = ["heartbeat", "check", "--interval", "20ms", "--output", "jsonl"];
    let once = field.run("alice", &check);
    let (events, document) = stream(&once.out);
    assert_eq!((once.code, events.len()), (Some(1), 0), "{once}");
    assert_eq!(document["data"]["alert"], "unknown", "one read does not tell: {once}");

    let thrice = field.run("alice", &[&check[..], &["--consecutive", "3"]].concat());
    let (events, document) = stream(&thrice.out);
    assert_eq!(thrice.code, Some(1), "{thrice}");
    let counts: Vec<_> =
        events.iter().map(|it| (it["done"].as_u64(), it["total"].as_u64())).collect();
    assert_eq!(counts, [(Some(1), Some(3)), (Some(2), Some(3))], "{thrice}");
    let data = &document["data"];
    assert_eq!((data["reads"].as_u64(), data["alert"].as_str()), (Some(3), Some("yes")));
    let beats = data["beats"].as_array().expect("beats");
    assert!(beats.iter().all(|beat| beat["bad_reads"] == 3), "{thrice}");
}

#[test]
fn a_soak_is_watched_to_its_end_and_failed_by_an_engine_that_freezes_again() {
    let settings =
        format!("[environments.{}.timings]\nheartbeat_stale = \"15s\"\n", crate::field::NAME);
    let field = Field::with(1, 1, &settings, |_| {}).started();
    let soak = |length| [RECOVER, &["--anyway", "--output", "jsonl", "--soak", length]].concat();

    let good = field.run("alice", &soak("1s"));
    let (events, document) = stream(&good.out);
    assert_eq!((good.code, document["outcome"].as_str()), (Some(0), Some("recovered")), "{good}");
    assert_eq!(document["data"]["soak_ms"], 1_000);
    let watched = events.iter().rfind(|it| is_soak(it)).unwrap_or_else(|| panic!("{good}"));
    assert_eq!((&watched["done"], &watched["total"]), (&1.into(), &1.into()), "{good}");

    let mut running = field.spawn("alice", &soak("1h"));
    let seen = until_soak(&mut running);
    for process in field.processes("engine") {
        process.freeze().expect("frozen");
    }
    // What it says from here on ends the soak long before its hour.
    let rest: Vec<String> = seen.map(|line| line.expect("UTF-8")).collect();
    let ended = running.wait().expect("ends");
    let (_, document) = stream(&rest.join("\n"));
    assert_eq!((ended.code(), document["outcome"].as_str()), (Some(21), Some("PARTIAL")));
    let why = document["errors"][0]["message"].as_str().expect("an error");
    assert!(why.contains("while it was watched: stale"), "{why}");
    assert_eq!(status(&field), StatusReading::Known(StrategyStatus::Running), "it is left so");
}

#[test]
fn a_recovery_and_an_undo_change_nothing_without_room_for_their_journal() {
    let field = Field::new(1, 2);
    let before = field.dump();
    let refused = on_a_full_disk(&field, 0, "alice", &[RECOVER, &["--output", "json"]].concat());
    refused.ended("refused", 11);
    assert_eq!(field.dump(), before, "{refused}");

    // A recovery that dies once it has stopped the strategy leaves something to undo.
    for place in 1.. {
        let place = format!("{place}");
        let died = field.run("alice", &[RECOVER, &["--kill-at", &place]].concat());
        assert_eq!(died.code, None, "the recovery ended, and the strategy never stopped: {died}");
        if status(&field) == StatusReading::Known(StrategyStatus::Stopped) {
            break;
        }
    }
    let undo = ["journal", "undo", "last", "--yes", "--output", "json"];
    let (stopped, journals) = (field.dump(), field.journals("alice"));
    let refused = on_a_full_disk(&field, 0, "alice", &undo);
    refused.ended("refused", 11);
    assert_eq!(field.dump(), stopped, "{refused}");

    // With room it is undone; what was refused left no run that could be taken for the last.
    assert_eq!(field.journals("alice"), journals);
    field.run("alice", &undo).ended("undone", 0);
    assert_eq!(status(&field), StatusReading::Known(StrategyStatus::Running));
}

fn status(field: &Field) -> StatusReading {
    field.row("demo-001").status()
}

fn is_soak(event: &Value) -> bool {
    event["subject"] == "soak"
}

/// A stream's events and the document that ends it, each as its schema says.
fn stream(out: &str) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let document = lines.pop().expect("a document");
    crate::contract::assert_keeps(&document);
    for event in &lines {
        crate::contract::assert_fits("event.json", event);
    }
    (lines, document)
}

/// Reads what a command tells until it soaks; what it goes on to tell.
fn until_soak(running: &mut Child) -> impl Iterator<Item = std::io::Result<String>> + use<> {
    let mut lines = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let soaks = lines
        .by_ref()
        .any(|line| is_soak(&serde_json::from_str(&line.expect("UTF-8")).expect("JSON")));
    assert!(soaks, "it never watched");
    lines
}
