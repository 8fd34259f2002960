//! Rows that are odd, hostile, new, or written by somebody else meanwhile.

use crate::field::{Field, STOP};
use crate::ran::Ran;
use std::collections::{BTreeMap, BTreeSet};
use tradectl::render::escape;
use trading_core::model::{Attr, Row, StrategyRow};

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}a\u{202e}b\u{200b}\r\nHALTED\u{9b}31m";

fn row(id: &str, status: Option<Attr>) -> StrategyRow {
    let mut row = Row::default()
        .with_text("strategy_id", id)
        .with_text(StrategyRow::SERVICE, "engine")
        .with_text(StrategyRow::VENUE, "paper")
        .with_text(StrategyRow::SYMBOL, "BTC/USDT");
    if let Some(status) = status {
        row.set(StrategyRow::STATUS, status);
    }
    StrategyRow { id: id.into(), row }
}

#[test]
fn rows_that_are_not_understood_are_stopped_named_and_put_back_to_the_letter() {
    let map = BTreeMap::from([("state".to_owned(), Attr::text("running"))]);
    let odd = [
        ("odd-word", Some(Attr::text("runing"))),
        ("odd-missing", None),
        ("odd-number", Some(Attr::N("1".to_owned()))),
        ("odd-map", Some(Attr::M(map))),
    ];
    let names: BTreeSet<&str> = odd.iter().map(|(name, _)| *name).collect();
    let field = Field::with(1, 1, "", |blueprint| {
        blueprint.strategies.extend(odd.iter().map(|(id, status)| row(id, status.clone())));
    })
    .started();
    let before = field.standing();
    let stop = field.stop("alice", &[]);
    let document = stop.ended("HALTED", 0);
    let findings = document["findings"].as_array().expect("findings").iter();
    let named = findings.filter(|it| it["id"] == "stop.unparsed");
    let named: BTreeSet<&str> = named.filter_map(|it| it["subject"].as_str()).collect();
    assert_eq!(named, names, "{stop}");
    assert!(field.rows().iter().all(|row| row.status().is_at_rest()), "{:#?}", field.rows());
    // They never beat, so nobody waits for it.
    let resume = field.resume("alice", &[]);
    resume.ended("RELEASED", 0);
    assert_eq!(field.standing(), before, "{resume}");
}

#[test]
fn hostile_words_in_rows_and_reasons_stay_words() {
    let name = format!("evil{HOSTILE}");
    let field = Field::with(1, 1, "", |blueprint| {
        blueprint.strategies.push(row(&name, Some(Attr::text(HOSTILE))));
    })
    .started();
    let reason = ["--reason", HOSTILE];
    let human = ["emergency-stop", "--yes"];
    let safe = |ran: &Ran| {
        for text in [&ran.out, &ran.err] {
            assert!(text.chars().all(|c| escape::is_safe(c) || c == '\n'), "{ran}");
        }
        // Words of theirs never begin a line as if they were ours.
        assert!(!ran.out.contains("\nHALTED\\u{9b}"), "{ran}");
    };
    let dry = field.run("alice", &[&["emergency-stop", "--dry-run"][..], &reason].concat());
    safe(&dry);
    assert!(dry.out.contains("evil"), "{dry}");
    let stop = field.run("alice", &[&human[..], &reason].concat());
    assert_eq!(stop.code, Some(0), "{stop}");
    safe(&stop);
    assert!(stop.out.contains("evil"), "{stop}");
    safe(&field.run("alice", &["status"]));
    let resume = field.run("alice", &["resume", "--yes", "--reason", HOSTILE]);
    assert_eq!(resume.code, Some(0), "{resume}");
    safe(&resume);
}

#[test]
fn a_row_that_turns_active_again_and_one_that_appears_are_stopped_and_named() {
    let field = Field::new(1, 2).started();
    let stop = field.spawn("alice", STOP);
    let at_rest = || field.row("demo-001").status().is_at_rest().then_some(());
    field.until("it is stopped", at_rest);
    field.set("demo-001", &[("status", Some(Attr::text("RUNNING")))]);
    field.add(row("new-one", Some(Attr::text("running"))));
    let stop = Ran::of(stop.wait_with_output().expect("ends"));
    let document = stop.ended("HALTED", 0);
    assert_eq!(document["data"]["reactivated"], serde_json::json!(["demo-001"]), "{stop}");
    assert_eq!(document["data"]["appeared"], serde_json::json!(["new-one"]), "{stop}");
    for finding in ["stop.reactivated", "stop.appeared"] {
        assert!(stop.findings().iter().any(|it| it == finding), "{finding}: {stop}");
    }
    assert!(field.rows().iter().all(|row| row.status().is_at_rest()), "{:#?}", field.rows());
}
