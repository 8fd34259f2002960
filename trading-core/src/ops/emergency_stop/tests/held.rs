//! What the latch says of a stop whose word is known, while others write it too.

use super::*;
use crate::ops::Ask;
use crate::ops::driving::drive_beside;
use crate::plan::{Act, StepId};

/// A stop of everything; before each of its attempts to write that it is over somebody else does
/// something, so many times at most.
fn stop_beside(world: &mut SimWorld, times: usize, mut other: impl FnMut(&mut SimWorld)) -> Report {
    let (site, request) = (world::site(), world::request(world, "r1"));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut done = 0;
    drive_beside(world, &mut stop, |world, ask| {
        let Ask::Act(acts) = ask else { return };
        if done < times && acts.iter().any(|(id, _)| id.as_str().starts_with("latch/held")) {
            done += 1;
            other(world);
        }
    })
}

/// Another operator's stop of one service.
fn raise(world: &mut SimWorld) {
    let mut holds = world.latch.holds.clone();
    let scope = Scope::Service("engine-1".into());
    let actor = "another".into();
    holds.retain(|it| it.scope != scope);
    holds.push(Hold { stop_id: "stop-r2".into(), scope, actor, ..holds[0].clone() });
    world.latch = world.latch.next(holds);
}

#[test]
fn one_that_others_write_over_is_written_again() {
    for times in [1, 3] {
        let mut world = SimWorld::busy();
        let report = stop_beside(&mut world, times, raise);
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        let phase = |id: &str| world.latch.hold(&id.into()).unwrap().phase.clone();
        assert_eq!(phase("stop-r1"), Phase::Held, "{times}");
        assert_eq!(phase("stop-r2"), Phase::Stopping, "it is another one's");
        assert!(report.findings.iter().all(|it| it.id != "stop.hold_not_noted"), "{report:#?}");
    }
}

#[test]
fn one_that_others_write_over_each_time_is_told() {
    let mut world = SimWorld::busy();
    let report = stop_beside(&mut world, usize::MAX, raise);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let told = report.findings.iter().find(|it| it.id == "stop.hold_not_noted");
    let told = told.unwrap_or_else(|| panic!("{report:#?}"));
    assert_eq!(told.next.as_deref(), Some("tradectl emergency-stop --env sim"));
}

/// Whoever resumes it meanwhile, or takes it up again after that, is not overtaken by a stop that
/// is over; and what that one proved is not said without a word.
#[test]
fn one_that_was_resumed_or_taken_up_since_is_let_be_and_told() {
    let resumed = |world: &mut SimWorld| {
        let mut holds = world.latch.holds.clone();
        holds[0].phase = Phase::Resuming;
        world.latch = world.latch.next(holds);
    };
    let taken_up = |world: &mut SimWorld| {
        let mut holds = world.latch.holds.clone();
        holds[0].overtook_resume = true;
        world.latch = world.latch.next(holds);
        world.latch.epoch += 1;
    };
    let released = |world: &mut SimWorld| world.latch = world.latch.next(Vec::new());
    type Other = fn(&mut SimWorld);
    let others: [(Other, Option<Phase>); 3] =
        [(resumed, Some(Phase::Resuming)), (taken_up, Some(Phase::Stopping)), (released, None)];
    for (other, phase) in others {
        let mut world = SimWorld::busy();
        let report = stop_beside(&mut world, 1, other);
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        assert_eq!(world.latch.holds.first().map(|it| it.phase.clone()), phase);
        let told = report.findings.iter().find(|it| it.id == "stop.taken_up_since");
        let told = told.unwrap_or_else(|| panic!("{report:#?}"));
        assert_eq!(told.next.as_deref(), Some("tradectl status --env sim"));
    }
}

/// The answer is lost, or the write is.
#[test]
fn one_whose_write_had_no_answer_is_read_again() {
    let mut world = SimWorld::busy();
    let report = stop_beside(&mut world, 1, |world| world.loses_latch_answer = true);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(world.latch.holds[0].phase, Phase::Held);
    assert!(report.findings.iter().all(|it| it.subject != "latch"), "{report:#?}");
    let mut world = SimWorld::busy();
    let report = stop_beside(&mut world, 1, |world| world.latch_broken = true);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let told = report.findings.iter().find(|it| it.id == "stop.hold_not_noted");
    assert!(told.is_some(), "{report:#?}");
}

/// A stop that continues one whose resume is under way is refused the latch, for that resume
/// has just released it: what it sees next is another stop's.
#[test]
fn nothing_is_recorded_under_a_stop_that_its_resume_has_just_released() {
    let mut world = SimWorld::busy();
    let hold = crate::ops::emergency_stop::pages::new_hold(
        &world::request(&world, "r0"),
        &"stop-r0".into(),
        world.now,
    );
    world.latch = world.latch.next(vec![Hold { phase: Phase::Resuming, ..hold }]);
    let (site, request) = (world::site(), world::request(&world, "r1"));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut released = false;
    let report = drive_beside(&mut world, &mut stop, |world, ask| {
        let Ask::Act(acts) = ask else { return };
        if !released && acts.iter().any(|(id, _)| id.as_str() == "latch") {
            released = true;
            world.latch = world.latch.next(Vec::new());
            let latch = |ask: &Ask| *ask == Ask::Read(Query::Latch);
            world.slow = Some((latch, world.now + jiff::SignedDuration::from_millis(500)));
        }
    });
    assert!(released && report.outcome == "HALTED", "{report:#?}");
    let of_released = world.chunks.iter().filter(|it| it.stop_id.as_str() == "stop-r0");
    assert_eq!(of_released.count(), 0, "{:#?}", world.chunks);
}

/// Both of the reads that prove it were asked for after the last write, each of their answers.
#[test]
fn an_answer_that_was_asked_for_before_a_write_proves_nothing() {
    let mut world = SimWorld::busy();
    let positions = |ask: &Ask| *ask == Ask::Read(Query::Positions);
    world.slow = Some((positions, world.now + jiff::SignedDuration::from_secs(9)));
    // Nobody is waited for: all is written long before what answers is asked for again.
    let (site, request) = (super::unacknowledged::bots(), world::request(&world, "r1"));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut answers = 0;
    let is_ending = |id: &str| id.starts_with("notify/") || id.starts_with("latch/held");
    let report = drive_beside(&mut world, &mut stop, |_, ask| match ask {
        Ask::Act(acts) if acts.iter().any(|(id, _)| !is_ending(id.as_str())) => answers = 0,
        Ask::Read(Query::Positions) => answers += 1,
        _ => {}
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(answers >= 3, "the first one was asked for before the writes: {answers}");
}

/// What is asked for again waits for the latch as the first look does.
#[test]
fn a_look_that_is_repeated_records_nothing_under_a_stop_that_was_released() {
    let mut world = SimWorld::busy();
    let positions = |ask: &Ask| *ask == Ask::Read(Query::Positions);
    world.slow = Some((positions, world.now + jiff::SignedDuration::from_secs(20)));
    let (site, request) = (world::site(), world::request(&world, "r1"));
    let (approval, began) = (world::approval(&site, &request), world.now);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let late = |ask: &Ask| matches!(ask, Ask::Read(Query::Positions | Query::Latch));
    let (mut released, mut of_released) = (false, 0);
    let report = drive_beside(&mut world, &mut stop, |world, ask| {
        let is_last = |(id, _): &(StepId, Act)| id.as_str() == "schedule/jobs:disabled";
        if !released && matches!(ask, Ask::Act(acts) if acts.iter().any(is_last)) {
            // Somebody resumes it: all trades again, and the latch answers late from now on.
            released = true;
            world.latch = world.latch.next(Vec::new());
            world.rows[0].row.set("status", Attr::text("running"));
            world.slow = Some((late, began + jiff::SignedDuration::from_millis(6_500)));
        }
        if let Ask::Record(chunk) = ask {
            // What was due by the clock is not planned from an answer.
            let rows = chunk.items.iter().filter(|it| it.subject.to_string() == "strategy=a");
            let is_released = released && chunk.stop_id.as_str() == "stop-r1";
            of_released += rows.filter(|_| is_released).count();
        }
    });
    assert!(released, "{report:#?}");
    assert_eq!(of_released, 0, "{report:#?}");
}
