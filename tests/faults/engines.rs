//! Engines that hang, are frozen, or come back.

use std::time::Duration;

use crate::field::{Field, STOP};
use crate::ran::{Ran, latched_at};
use tradectl::ctx::SystemClock;
use tradectl::platform::Clock;
use tradectl::platform::local::linux::Process;
use trading_core::model::{Phase, TaskState, Utc};

#[test]
fn an_engine_frozen_past_its_leases_acknowledges_once_it_goes_on() {
    let field = Field::new(2, 4).started().trading();
    let frozen = field.processes("engine-2");
    for process in &frozen {
        process.freeze().expect("frozen");
    }
    // With its compute kept, nothing but the acknowledgement can end this stop.
    let stop = field.spawn("alice", &[STOP, &["--keep-compute"]].concat());
    let hold = field.until("the latch", || field.hold());
    field.until("its leases run out", || {
        let leases = field.wait(field.platform.state.leases()).into_result().expect("readable");
        let owner = |lease: &trading_core::model::Lease| {
            field.row(lease.strategy.as_str()).service().is_some_and(|it| it.as_str() == "engine-2")
        };
        let now = SystemClock.now();
        leases.iter().filter(|it| owner(it)).all(|it| it.expires_at < now).then_some(())
    });
    for process in &frozen {
        process.thaw().expect("goes on");
    }
    let stop = Ran::of(stop.wait_with_output().expect("ends"));
    let document = stop.ended("HALTED", 0);
    assert!(field.rows().iter().all(|row| row.stop_ack() == Some(hold.stop_id.clone())));
    assert!(field.tasks().iter().all(|task| task.state == TaskState::Running), "kept");
    assert_eq!(field.late_orders(latched_at(&document), Utc::MAX), []);
    assert_eq!(field.hold().map(|it| it.phase), Some(Phase::Held));
}

#[test]
fn an_engine_frozen_across_the_latch_sends_nothing_when_it_goes_on() {
    let field = Field::new(2, 4).started().trading();
    let frozen = field.processes("engine-1");
    assert!(!frozen.is_empty());
    for process in &frozen {
        process.freeze().expect("frozen");
    }
    let stop = field.spawn("alice", STOP);
    let hold = field.until("the latch", || field.hold());
    let bound = Duration::from_millis(field.environment.timings.latch_max_age_ms);
    let bound = hold.at.checked_add(bound).expect("a time");
    field.until("the bound", || (SystemClock.now() > bound).then_some(()));
    for process in &frozen {
        process.thaw().expect("goes on");
    }
    let stop = Ran::of(stop.wait_with_output().expect("ends"));
    let document = stop.ended("HALTED", 0);
    assert_eq!(field.late_orders(latched_at(&document), Utc::MAX), []);
}

#[test]
fn an_engine_that_stays_frozen_is_listed_until_it_is_seen_stopped() {
    let field = Field::new(2, 2).started();
    let frozen = field.processes("engine-2");
    for process in &frozen {
        process.freeze().expect("frozen");
    }
    let stop = field.stop("alice", &["--deadline", "4s"]);
    let document = stop.ended("PARTIAL", 21);
    let listed = document["data"]["not_stopped"].to_string();
    assert!(listed.contains("engine-2") && !listed.contains("engine-1"), "{stop}");
    assert!(frozen.iter().all(|process| process.is_alive()), "SIGTERM does not end it");
    // With time enough its grace runs out, and it is killed.
    let stop = field.stop("alice", &[]);
    stop.ended("HALTED", 0);
    assert!(!frozen.iter().any(|process| process.is_alive()), "{stop}");
    assert!(
        field
            .tasks()
            .iter()
            .all(|task| { task.state == TaskState::Stopped || task.family == "paper-venue" })
    );
}

#[test]
fn a_stop_needs_no_supervisor_and_a_resume_brings_one() {
    let field = Field::new(1, 2).started();
    let before = field.standing();
    let supervisor = field.supervisor();
    supervisor.freeze().expect("frozen");
    let stop = field.stop("alice", &[]);
    let document = stop.ended("HALTED", 0);
    assert_eq!(field.late_orders(latched_at(&document), Utc::MAX), []);
    supervisor.kill().expect("killed");
    field.resume("alice", &[]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);

    let supervisor = field.supervisor();
    supervisor.kill().expect("killed");
    let stop = field.stop("alice", &[]);
    stop.ended("HALTED", 0);
    field.resume("alice", &[]).ended("RELEASED", 0);
    assert_eq!(field.standing(), before);
    assert_ne!(field.supervisor(), supervisor);
}

/// Each of its threads is stopped.
fn stands_still(process: &Process) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", process.pid));
    let stat = |it: std::fs::DirEntry| std::fs::read_to_string(it.path().join("stat"));
    let is_stopped = |text: String| text.rsplit_once(") ").is_some_and(|it| it.1.starts_with('T'));
    threads.is_ok_and(|mut all| all.all(|it| it.and_then(stat).is_ok_and(is_stopped)))
}

/// The kernel hangs up what stands still while its parent dies, and lets it go on.
#[test]
fn an_engine_that_stands_still_outlives_its_supervisor_and_is_adopted() {
    let field = Field::new(2, 4).started().trading();
    let running = field.processes("engine-1");
    assert!(!running.is_empty());
    for process in &running {
        process.freeze().expect("frozen");
    }
    // A signal works soon, not at once; only what stands still whole is hung up.
    let stand_still = || running.iter().all(stands_still).then_some(());
    field.until("they stand still", stand_still);
    field.supervisor().kill().expect("killed");
    let goes_on = || running.iter().all(|process| !process.is_frozen()).then_some(());
    field.until("the kernel lets it go on", goes_on);
    assert!(running.iter().all(|process| process.is_alive()), "it does not end with it");
    field.stop("alice", &["--keep-compute"]).ended("HALTED", 0);
    field.resume("alice", &[]).ended("RELEASED", 0);
    assert_eq!(field.processes("engine-1"), running, "it is adopted, and no second one started");
}
