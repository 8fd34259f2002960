//! Operators who meet, and operators whose terminal goes away.

use std::io::Read;
use std::process::{Child, Stdio};

use crate::field::{Field, RESUME, STOP};
use crate::ran::Ran;
use rustix::process::{Pid, Signal, kill_process};
use trading_core::model::Phase;

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, signal).expect("signalled");
}

fn at_rest(field: &Field) -> bool {
    field.rows().iter().all(|row| row.status().is_at_rest())
}

#[test]
fn two_who_stop_at_once_share_one_stop() {
    let field = Field::new(1, 2).started();
    let both = ["alice", "bob"].map(|home| field.spawn(home, STOP));
    let both = both.map(|it| Ran::of(it.wait_with_output().expect("ends")));
    let hold = field.hold().expect("one hold");
    assert_eq!(hold.phase, Phase::Held);
    for stop in &both {
        let document = stop.ended("HALTED", 0);
        assert_eq!(document["data"]["stop_id"], hold.stop_id.as_str(), "{stop}");
    }
    assert!(at_rest(&field));
}

#[test]
fn who_stops_while_another_resumes_wins_and_both_are_told() {
    let field = Field::new(1, 2).started();
    let before = field.standing();
    field.stop("alice", &[]).ended("HALTED", 0);
    let resume = field.spawn("alice", RESUME);
    field.until("it resumes", || {
        field.hold().filter(|hold| hold.phase == Phase::Resuming).map(drop)
    });
    let stop = field.stop("bob", &[]);
    stop.ended("HALTED", 0);
    let resume = Ran::of(resume.wait_with_output().expect("ends"));
    // Something had been put back by then, or it had not come that far.
    assert!(matches!(resume.code, Some(11 | 21)), "{resume}");
    assert_eq!(resume.json()["errors"][0]["code"], "resume.stopped_again", "{resume}");
    assert_eq!(field.hold().map(|it| it.phase), Some(Phase::Held), "{stop}");
    assert!(at_rest(&field), "{stop}\n{resume}");
    // And what stood before the first stop is not lost.
    field.resume("carol", &[]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
}

#[test]
fn a_reader_that_goes_away_changes_nothing_of_a_stop() {
    let field = Field::new(1, 2).started();
    let mut command = field.command("alice", &["emergency-stop", "--yes"]);
    let mut stop = command.spawn().expect("runs");
    // `| head -1`, of both streams.
    let mut first = [0];
    let mut err = stop.stderr.take().expect("piped");
    err.read_exact(&mut first).expect("progress");
    drop((err, stop.stdout.take()));
    let status = stop.wait().expect("ends");
    assert_eq!(status.code(), Some(0), "its code is its outcome");
    assert_eq!(field.hold().map(|it| it.phase), Some(Phase::Held));
    assert!(at_rest(&field));
}

#[test]
fn a_hang_up_and_one_interrupt_without_a_terminal_change_nothing() {
    let field = Field::new(1, 2).started();
    let stop = field.spawn("alice", STOP);
    field.until("the latch", || field.hold());
    signal(&stop, Signal::HUP);
    signal(&stop, Signal::INT);
    signal(&stop, Signal::HUP);
    let stop = Ran::of(stop.wait_with_output().expect("ends"));
    stop.ended("HALTED", 0);
    assert_eq!(field.hold().map(|it| it.phase), Some(Phase::Held));
}

#[test]
fn a_second_interrupt_ends_acts_and_never_says_halted() {
    let field = Field::new(1, 2).started();
    let mut stop = field.command("alice", STOP).spawn().expect("runs");
    field.until("the latch", || field.hold());
    let mut err = stop.stderr.take().expect("piped");
    let mut told = String::new();
    signal(&stop, Signal::INT);
    // Each is answered before the next: two at once would be one to the kernel.
    while !told.contains("a second SIGINT ends acts") {
        let mut byte = [0];
        err.read_exact(&mut byte).expect("it is answered");
        told.push(char::from(byte[0]));
    }
    signal(&stop, Signal::INT);
    let stop = Ran::of(stop.wait_with_output().expect("ends"));
    assert!(matches!(stop.code, Some(21 | 22)), "{stop}");
    assert_ne!(stop.json()["outcome"], "HALTED", "{stop}");
    assert!(field.hold().is_some(), "what is done stays done");
    field.stop("bob", &[]).ended("HALTED", 0);
}

#[test]
fn without_a_terminal_and_without_consent_nothing_is_touched() {
    let field = Field::new(1, 2);
    let before = field.dump();
    for words in [&["emergency-stop"][..], &["emergency-stop", "--output", "json"]] {
        let mut command = field.command("alice", words);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("runs");
        // Piped input is no answer, not even the right one.
        let mut input = child.stdin.take().expect("piped");
        let name = format!("{}\n", crate::field::NAME);
        // It may have gone by the time it is told.
        let _gone = std::io::Write::write_all(&mut input, name.as_bytes());
        drop(input);
        let ran = Ran::of(child.wait_with_output().expect("ends"));
        assert_eq!(ran.code, Some(12), "{ran}");
    }
    assert_eq!(field.dump(), before);
    assert_eq!(field.journals("alice").len(), 0);
}
