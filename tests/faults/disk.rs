//! A full disk, and a journal that cannot be made.

use crate::field::{EXE, Field, RESUME, Ran, STOP, latched_at};
use std::fs;
use tradectl::ctx::SystemClock;
use tradectl::platform::Clock;
use trading_core::model::{Phase, Utc};

/// A command on a disk where a file may hold so many blocks of 512 bytes and no more.
fn on_a_full_disk(field: &Field, blocks: u32, home: &str, words: &[&str]) -> Ran {
    let full = format!("ulimit -f {blocks} && exec \"$0\" \"$@\"");
    let mut command = field.wrapped("/bin/sh", &["-c", &full, EXE], home, words);
    Ran::of(command.output().expect("runs"))
}

/// Where the journals should lie stands a file.
fn without_a_journal(field: &Field, home: &str) {
    let state = field.home(home).join("state").join(crate::field::NAME);
    fs::create_dir_all(&state).expect("a folder");
    fs::write(state.join("journal"), "in the way").expect("written");
}

#[test]
fn a_stop_goes_on_without_a_journal_and_says_so_and_a_resume_does_not() {
    let field = Field::new(1, 2).started();
    let before = field.standing();
    without_a_journal(&field, "alice");
    let stop = field.stop("alice", &[]);
    let document = stop.ended("HALTED", 0);
    assert!(stop.findings().contains(&"stop.no_journal".to_owned()), "{stop}");
    let critical = document["findings"].as_array().expect("findings").iter();
    let critical: Vec<_> =
        critical.filter(|it| it["id"] == "stop.no_journal").map(|it| &it["severity"]).collect();
    assert_eq!(critical, ["critical"], "loudly: {stop}");
    assert!(stop.err.contains("journal"), "while it goes on, too: {stop}");

    let (held, halted) = (field.latch(), field.standing());
    let resume = on_a_full_disk(&field, 0, "bob", RESUME);
    assert_eq!(resume.code, Some(11), "{resume}");
    assert_eq!((field.latch(), field.standing()), (held, halted), "nothing was changed");

    field.resume("bob", &[]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
}

#[test]
fn on_a_full_disk_the_latch_holds_all_the_same_and_nothing_is_lost() {
    let field = Field::new(2, 4).started().trading();
    let before = field.standing();
    // Room for the latch's preallocated second home, and for nothing else of the platform's.
    let stop = on_a_full_disk(&field, 16, "alice", &[STOP, &["--deadline", "8s"]].concat());
    let document = stop.json();
    // Rows cannot be written, so this is no HALTED; and it is not called one.
    assert_eq!((document["outcome"].as_str(), stop.code), (Some("PARTIAL"), Some(21)), "{stop}");
    let found = stop.findings();
    for finding in ["stop.no_journal", "stop.record_misplaced", "stop.not_stopped"] {
        assert!(found.iter().any(|it| it == finding), "{finding}: {stop}");
    }
    let record = document["data"]["restore_record"].to_string();
    for subject in ["demo-001", "demo-004", "nightly"] {
        assert!(record.contains(subject), "the values before are in the output: {stop}");
    }
    let hold = field.hold().expect("the latch stands in its second home");
    assert_eq!(hold.stop_id.as_str(), document["data"]["stop_id"].as_str().expect("an id"));
    let latched = latched_at(&document);
    assert_eq!(field.late_orders(latched, Utc::MAX), [], "engines obey it");

    // There is room again: the same stop is ended, from elsewhere, and resumed exactly.
    let stop = field.stop("bob", &[]);
    let document = stop.ended("HALTED", 0);
    assert_eq!(document["data"]["stop_id"], hold.stop_id.as_str(), "{stop}");
    assert_eq!(field.hold().map(|it| it.phase), Some(Phase::Held));
    assert_eq!(field.late_orders(latched, SystemClock.now()), []);
    field.resume("carol", &[]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
}
