//! A stop that is resumed while it works: what of it is over with that resume, and what is not.

use super::*;
use crate::ops::world::drive_beside;
use crate::ops::{Ask, Procedure};

/// A stop of everything at work, beside which somebody else does something once so many answers
/// came; how it ended.
fn stop_beside(
    world: &mut SimWorld,
    run: &str,
    point: usize,
    mut other: impl FnMut(&mut SimWorld),
) -> Report {
    let (site, request) = (world::site(), world::request(world, run));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut answered = 0;
    drive_beside(world, &mut stop, |world, _| {
        if answered == point {
            other(world);
        }
        answered += 1;
    })
}

fn busy() -> SimWorld {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    world
}

fn set(world: &mut SimWorld, status: &str) {
    world.rows[0].row.set("status", Attr::text(status));
}

/// Whether it went on under another id, with an operator's doing at each of many points.
fn went_on(
    other: impl FnMut(&mut SimWorld) -> bool,
    then: impl FnMut(&mut SimWorld, usize),
) -> usize {
    went_on_in(30..70, busy, other, then)
}

fn went_on_in(
    points: std::ops::Range<usize>,
    begins: impl Fn() -> SimWorld,
    mut other: impl FnMut(&mut SimWorld) -> bool,
    mut then: impl FnMut(&mut SimWorld, usize),
) -> usize {
    let mut count = 0;
    for point in points {
        let mut world = begins();
        let mut done = false;
        let report = stop_beside(&mut world, "r1", point, |world| done = other(world));
        let other_id = report.data["stop_id"] != "stop-r1";
        if done && other_id && report.outcome == "HALTED" {
            count += 1;
            then(&mut world, point);
        }
    }
    count
}

#[test]
fn what_a_resume_left_stays_left() {
    let leave = |world: &mut SimWorld| {
        let asked = Request { leave: vec!["strategy=a".into()], ..request(world, "r2") };
        resume_with(world, asked, None).unwrap().outcome == "RELEASED"
    };
    // Where the answer was lost, a look has to tell first that it was done.
    for (loses_answer_of, points) in [(None, 30..70), (Some("a".into()), 40..70)] {
        let begins = || SimWorld { loses_answer_of: loses_answer_of.clone(), ..busy() };
        let count = went_on_in(points, begins, leave, |world, point| {
            assert_eq!(resume(world).outcome, "RELEASED", "{point}");
            let status = statuses(world)[0].clone();
            assert_eq!(status, "stopped", "{point}, {loses_answer_of:?}: --leave said so");
        });
        assert!(count > 3, "{loses_answer_of:?}: {count}");
    }
}

#[test]
fn what_was_stopped_by_hand_after_the_release_stays_so() {
    let by_hand = |world: &mut SimWorld| {
        let released = resume(world).outcome == "RELEASED";
        set(world, "stopped");
        released
    };
    let count = went_on(by_hand, |world, point| {
        assert_eq!(resume(world).outcome, "RELEASED", "{point}");
        assert_eq!(statuses(world)[0], "stopped", "{point}");
    });
    assert!(count > 3, "{count}");
}

/// It takes up the stop that somebody else began after that release.
#[test]
fn what_was_paused_between_two_stops_stays_so_where_the_first_goes_on_with_the_second() {
    for status in ["stopped", "paused"] {
        let mut count = 0;
        for point in 30..70 {
            let mut world = busy();
            let mut done = false;
            let report = stop_beside(&mut world, "r1", point, |world| {
                done = resume(world).outcome == "RELEASED";
                set(world, status);
                let scope = Scope::All;
                let asked = emergency_stop::Request { scope, ..world::request(world, "two") };
                let approval = world::approval(&world::site(), &asked);
                let mut two = EmergencyStop::new(world::site(), asked, Some((approval, "typed")));
                done &= drive(world, &mut two, None, |_| 0).unwrap().outcome == "HALTED";
            });
            if !done || report.data["stop_id"] != "stop-two" {
                continue;
            }
            count += 1;
            assert_eq!(report.outcome, "HALTED", "{point}: {report:#?}");
            assert_eq!(resume(&mut world).outcome, "RELEASED", "{point}");
            assert_eq!(statuses(&world)[0], status, "{point}");
        }
        assert!(count > 3, "{status}: {count}");
    }
}

/// A resume of everything, whose record grows just before so many acts were asked for.
fn resume_with_more_recorded(world: &mut SimWorld, acts: usize) -> Report {
    let asked = request(world, "r2");
    let (_, approval) = survey(world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let mut asked = 0;
    let report = drive_beside(world, &mut resume, |world, ask| {
        asked += usize::from(matches!(ask, Ask::Act(_)));
        if asked == acts && matches!(ask, Ask::Act(_)) {
            let chunk = RestoreChunk { run_id: "r9".into(), ..world.chunks[0].clone() };
            world.chunks.push(chunk);
        }
    });
    assert!(asked >= acts, "{asked}");
    report
}

#[test]
fn nothing_is_released_over_a_record_that_grew_after_the_first_act() {
    let mut world = stopped();
    let report = resume_with_more_recorded(&mut world, 3);
    assert_eq!(report.exit, Exit::Partial, "{report:#?}");
    assert!(report.errors[0].message.contains("r9 recorded more of stop-r1"), "{report:#?}");
    assert_eq!(world.latch.holds[0].phase, Phase::Resuming);
    // What it told to type ends the stop.
    let next = "tradectl resume stop-r1 --env sim --reason …";
    assert_eq!(report.errors[0].hint.as_deref(), Some(next));
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

/// A run of the stop recorded something after the resume had read the record.
#[test]
fn a_resume_whose_record_grows_before_its_first_act_puts_nothing_back() {
    let mut world = stopped();
    let before = statuses(&world);
    let report = resume_with_more_recorded(&mut world, 1);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("r9 recorded more of stop-r1"), "{report:#?}");
    let next = "tradectl resume stop-r1 --env sim --reason …";
    assert_eq!(report.errors[0].hint.as_deref(), Some(next));
    assert_eq!(statuses(&world), before);
    assert!(!world.latch.holds.is_empty());
}

/// A colleague takes the stop up again beside the resume: one look shows the latch and its record.
#[test]
fn a_stop_that_was_taken_up_again_is_looked_at_and_not_resumed_at_once() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let mut begun = false;
    let report = drive_beside(&mut world, &mut resume, |world, _| {
        if begun || world.latch.holds[0].phase != Phase::Resuming {
            return;
        }
        begun = true;
        world.latch.epoch += 1;
        world.latch.holds[0].phase = Phase::Stopping;
        let chunk = RestoreChunk { run_id: "r9".into(), ..world.chunks[0].clone() };
        world.chunks.push(chunk);
    });
    assert!(begun && report.exit != Exit::Ok, "{report:#?}");
    let problem = &report.errors[0];
    assert!(problem.message.contains("stop-r1 was taken up again meanwhile"), "{problem:?}");
    assert_eq!(problem.hint.as_deref(), Some("tradectl status --env sim"));
}

/// Its own resume is overtaken by another run, between two looks of this one at the latch.
#[test]
fn a_second_overtaken_resume_that_was_never_seen_is_waited_for_too() {
    let mut world = stopped();
    world.latch.holds[0].phase = Phase::Resuming;
    let request = world::request(&world, "r3");
    let (site, began) = (world::site(), world.now);
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut again = None;
    let report = drive_beside(&mut world, &mut stop, |world, _| {
        let late = world.now.duration_since(began) > SignedDuration::from_secs(20);
        if late && again.is_none() {
            // A resume wrote the latch, and another run of the stop wrote it back.
            world.latch.epoch += 2;
            again = Some(world.now);
        }
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let waited = world.now.duration_since(again.unwrap());
    assert!(waited >= SignedDuration::from_secs(35), "{waited:?}");
}

/// The hold tells the platform's time, whatever the clock of whoever stops says; so does the
/// record, also where the latch cannot be read.
#[test]
fn a_hold_and_its_record_are_of_the_time_of_the_platform() {
    for (ahead, dark) in [(-300, false), (300, false), (-300, true), (300, true)] {
        let mut world = busy();
        if dark {
            world.dark.insert(Query::Latch);
        }
        world.clock_ahead = SignedDuration::from_secs(ahead);
        let mut request = world::request(&world, "r1");
        request.started_at += world.clock_ahead;
        request.deadline_at += world.clock_ahead;
        let (site, began) = (world::site(), world.now);
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
        assert_eq!(report.outcome == "HALTED", !dark, "{report:#?}");
        let holds = world.latch.holds.iter().map(|it| it.at);
        let all = holds.filter(|_| !dark).chain(world.chunks.iter().map(|it| it.at));
        for at in all {
            assert!(at >= began && at <= world.now, "{ahead}: {began} {at} {}", world.now);
        }
    }
}

/// What stands again is seen before the latch is: it is recorded under the stop that goes on.
#[test]
fn nothing_is_recorded_under_a_stop_that_was_released() {
    let mut count = 0;
    for point in 0..12 {
        let mut world = busy();
        let (site, asked) = (world::site(), world::request(&world, "r1"));
        let approval = world::approval(&site, &asked);
        let mut stop = EmergencyStop::new(site, asked, Some((approval, "typed")));
        let (mut looks, mut released) = (0, None);
        let mut late = Vec::new();
        let report = loop {
            let mut wants = stop.wants(world.now);
            // What the latch says comes long after all else.
            let is_latch = |want: &crate::ops::Want| want.ask == Ask::Read(Query::Latch);
            looks += usize::from(wants.iter().any(is_latch));
            late.extend(wants.extract_if(.., |it| is_latch(it)).map(|it| (world.now, it)));
            let later = world.now - SignedDuration::from_millis(200);
            wants.extend(late.extract_if(.., |(at, _)| *at <= later).map(|(_, it)| it));
            if looks == point + 3 && released.is_none() && !world.latch.holds.is_empty() {
                let over = resume(&mut world).outcome == "RELEASED";
                released = over.then_some(world.chunks.len());
            }
            for want in wants {
                let answer = world.answer(want.ask);
                stop.give(world.now, want.ticket, answer);
            }
            if let Some(report) = stop.outcome(world.now) {
                break report;
            }
            world.now += SignedDuration::from_millis(20);
            world.live();
        };
        let Some(before) = released else { continue };
        assert_eq!(report.outcome, "HALTED", "{point}: {report:#?}");
        count += 1;
        let late = world.chunks.iter().skip(before).find(|it| it.stop_id.as_str() == "stop-r1");
        assert!(late.is_none(), "{point}: {late:?}");
    }
    assert!(count > 2, "{count}");
}

/// A latch that hangs keeps what a later round shows waiting for 2 s, and no longer.
#[test]
fn what_turns_active_while_the_latch_hangs_is_stopped_soon() {
    let mut world = busy();
    world.hung.insert("b".into());
    let (site, asked) = (world::site(), world::request(&world, "r1"));
    let approval = world::approval(&site, &asked);
    let mut stop = EmergencyStop::new(site, asked, Some((approval, "typed")));
    let (mut looks, mut active_at, mut stopped_at) = (0, None, None);
    while stopped_at.is_none() {
        let wants = stop.wants(world.now);
        for want in wants {
            if want.ask == Ask::Read(Query::Latch) {
                looks += 1;
                if looks > 3 {
                    active_at.get_or_insert_with(|| {
                        set(&mut world, "running");
                        world.now
                    });
                    continue;
                }
            }
            let writes =
                matches!(&want.ask, Ask::Act(acts) if acts.iter().any(|(_, it)| it.is_on("a")));
            if active_at.is_some() && writes {
                stopped_at = Some(world.now);
            }
            let answer = world.answer(want.ask);
            stop.give(world.now, want.ticket, answer);
        }
        world.now += SignedDuration::from_millis(20);
        world.live();
        let waited = active_at.map(|at| world.now.duration_since(at));
        assert!(waited.is_none_or(|it| it < SignedDuration::from_secs(5)), "{waited:?}");
    }
}
