//! A full disk, and a journal that cannot be made.

use crate::field::{EXE, Field, RESUME, STOP};
use crate::ran::{Ran, latched_at};
use std::fs;
use tradectl::ctx::SystemClock;
use tradectl::platform::Clock;
use trading_core::model::{Phase, Utc};

/// A command on a disk where a file may hold so many blocks of 512 bytes and no more.
pub(crate) fn on_a_full_disk(field: &Field, blocks: u32, home: &str, words: &[&str]) -> Ran {
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
pub(crate) fn on_a_full_disk_the_latch_holds_all_the_same_and_nothing_is_lost() {
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

#[test]
fn without_room_for_the_whole_journal_nothing_that_changes_something_begins() {
    let field = Field::new(1, 2).started();
    field.stop("alice", &[]).ended("HALTED", 0);
    let halted = (field.latch(), field.standing());
    // Room for the first lines, but not for all that the run may say.
    for blocks in [0, 1, 8, 64, 256] {
        let resume = on_a_full_disk(&field, blocks, "bob", RESUME);
        assert_eq!(resume.code, Some(11), "{blocks}: {resume}");
        assert_eq!((field.latch(), field.standing()), halted, "{blocks}: nothing was changed");
    }
    field.resume("carol", &[]).ended("RELEASED", 0);

    let id = field.rows()[0].id.to_string();
    let words = ["heartbeat", "recover", &id, "--anyway", "--yes", "--reason", "a test"];
    let before = field.standing();
    for blocks in [0, 8, 256] {
        let recover = on_a_full_disk(&field, blocks, "bob", &words);
        assert_eq!(recover.code, Some(11), "{blocks}: {recover}");
        assert_eq!(field.standing(), before, "{blocks}: nothing was changed");
    }
    let recover = field.run("bob", &words);
    assert_eq!(recover.code, Some(0), "{recover}");
    for blocks in [0, 8, 256] {
        let undo = ["journal", "undo", "last", "--yes"];
        let undo = on_a_full_disk(&field, blocks, "bob", &undo);
        assert!(undo.code == Some(11) || undo.out.contains("nothing"), "{blocks}: {undo}");
        assert_eq!(field.standing(), before, "{blocks}: nothing was changed");
    }
}

#[test]
fn without_room_for_the_platform_nothing_that_changes_something_begins_and_doctor_says_so() {
    let field = Field::new(1, 2).started();
    let id = field.rows()[0].id.to_string();
    // Room for a journal, and not for what the platform may write.
    let blocks = 1024;
    let recover = [
        "heartbeat",
        "recover",
        &id,
        "--anyway",
        "--yes",
        "--reason",
        "a test",
        "--output",
        "json",
    ];
    let before = field.standing();
    let ran = on_a_full_disk(&field, blocks, "bob", &recover);
    assert_eq!(ran.code, Some(11), "{ran}");
    assert_eq!(ran.json()["errors"][0]["code"], "local.no_room", "{ran}");
    assert_eq!(field.standing(), before, "nothing was changed");
    field.stop("alice", &[]).ended("HALTED", 0);
    let halted = (field.latch(), field.standing());
    let ran = on_a_full_disk(&field, blocks, "bob", RESUME);
    assert_eq!(ran.code, Some(11), "{ran}");
    assert_eq!((field.latch(), field.standing()), halted, "nothing was changed");

    let doctor = ["doctor", "--output", "json"];
    for (blocks, subject) in [(blocks, "platform folder"), (16, "state folder")] {
        let ran = on_a_full_disk(&field, blocks, "alice", &doctor);
        let document = ran.json();
        assert_eq!((ran.code, document["outcome"].as_str()), (Some(1), Some("unfit")), "{ran}");
        let findings = document["findings"].as_array().expect("findings");
        let told = findings.iter().find(|it| it["subject"] == subject).expect(subject);
        let next = told["next"].as_str().unwrap_or_default();
        assert!(next.starts_with("df -h "), "{told:#}");
    }
    let ran = field.run("alice", &doctor);
    assert!(!ran.out.contains("doctor.directory") && !ran.out.contains("doctor.state"), "{ran}");
    field.resume("carol", &[]).ended("RELEASED", 0);
}

#[test]
fn doctor_tells_what_verify_says_of_the_journals_here() {
    let field = Field::new(1, 2).started();
    field.stop("alice", &[]).ended("HALTED", 0);
    let folder = field.home("alice").join("state").join(crate::field::NAME).join("journal");
    let journal = fs::read_dir(folder).expect("journals").flatten().next().expect("one").path();
    let text = fs::read_to_string(&journal).expect("read");
    fs::write(&journal, text.replacen("a test", "a jest", 1)).expect("written");
    let doctor = ["doctor", "--output", "json"];
    let document = field.run("alice", &doctor).json();
    let findings = document["findings"].as_array().expect("findings");
    let told = findings.iter().find(|it| it["id"] == "doctor.journals").expect("told");
    assert_eq!(told["severity"], "error", "{told:#}");
    assert!(told["next"].as_str().is_some_and(|it| it.ends_with("journal verify")), "{told:#}");
    // Who has none has nothing damaged.
    let none = field.run("bob", &doctor);
    assert!(!none.out.contains("doctor.journals"), "{none}");
}

#[test]
fn an_environment_without_room_is_not_brought_up() {
    let field = Field::new(1, 2);
    let before = (field.standing(), field.dump());
    let up = ["local", "up", "--detach", "--output", "json"];
    for blocks in [0, 1, 64, 1024] {
        let ran = on_a_full_disk(&field, blocks, "alice", &up);
        assert_eq!(ran.code, Some(11), "{blocks}: {ran}");
        assert_eq!(ran.json()["errors"][0]["code"], "local.no_room", "{blocks}: {ran}");
        assert_eq!((field.standing(), field.dump()), before, "{blocks}: nothing was changed");
        assert!(field.tasks().is_empty(), "{blocks}: nothing runs");
    }
    let left = fs::read_dir(field.paths().directory()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|it| it.file_name()).collect();
    assert!(left.iter().all(|it| !it.to_string_lossy().starts_with("room.")), "{left:?}");
}

/// The state store takes everything but restore records, until `healed`.
fn without_a_place_for_records(field: &Field) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(field.paths().control_db()).expect("opens");
    let refuse = "CREATE TRIGGER refused BEFORE INSERT ON restore \
                  BEGIN SELECT RAISE(ABORT, 'no place for records'); END";
    database.execute_batch(refuse).expect("made");
    database
}

fn healed(database: &rusqlite::Connection) {
    database.execute_batch("DROP TRIGGER refused").expect("dropped");
}

#[test]
fn a_record_in_another_machines_journal_is_missed_and_can_be_brought() {
    let field = Field::new(1, 2).started();
    let before = field.standing();
    let database = without_a_place_for_records(&field);
    let stop = field.stop("alice", &[]);
    let document = stop.ended("HALTED", 0);
    assert!(stop.findings().contains(&"stop.record_misplaced".to_owned()), "{stop}");
    let printed = field.root().join("stop.json");
    fs::write(&printed, &stop.out).expect("written");
    healed(&database);

    // A second operator ends the same stop in another folder, and has nothing to add.
    field.stop("bob", &[]).ended("HALTED", 0);

    // A third one's folder has none of it: nothing is done, and what is missing has a name.
    let (held, halted) = (field.latch(), field.standing());
    let resume = field.resume("carol", &[]);
    resume.ended("refused", 11);
    assert_eq!((field.latch(), field.standing()), (held, halted), "nothing was changed");
    let records = document["data"]["restore_record"].as_array().expect("records");
    let subjects: Vec<String> = records
        .iter()
        .map(|it| {
            let run = it["chunk"]["run_id"].as_str().expect("a run");
            format!("record={run}/{}", it["chunk"]["chunk"])
        })
        .collect();
    assert!(!subjects.is_empty());
    for subject in &subjects {
        assert!(resume.out.contains(subject), "{subject}: {resume}");
    }
    assert!(resume.out.contains("alice@"), "whose machine has it: {resume}");

    // On the machine whose journal holds it nothing has to be given.
    let dry = ["resume", "--dry-run", "--output", "json", "--reason", "a test"];
    field.run("alice", &dry).ended("planned", 0);
    // Elsewhere a copy of that journal will do, and so will what was printed.
    let journal =
        fs::read_dir(field.home("alice").join("state").join(crate::field::NAME).join("journal"));
    let mut journals = journal.expect("a folder").map(|it| it.expect("an entry").path());
    let journal = journals.next().expect("a journal").display().to_string();
    field.run("carol", &[&dry[..], &["--record", &journal]].concat()).ended("planned", 0);
    let printed = printed.display().to_string();
    field.resume("carol", &["--record", &printed]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
}

#[test]
fn a_record_that_nothing_keeps_is_on_the_screen_before_anything_is_changed() {
    let field = Field::new(1, 2).started();
    let before = field.standing();
    without_a_journal(&field, "alice");
    let database = without_a_place_for_records(&field);
    let stop = field.stop("alice", &[]);
    stop.ended("HALTED", 0);
    healed(&database);
    let screen = field.root().join("screen.txt");
    fs::write(&screen, &stop.err).expect("written");
    field.resume("bob", &[]).ended("refused", 11);
    let screen = screen.display().to_string();
    field.resume("bob", &["--record", &screen]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
}
