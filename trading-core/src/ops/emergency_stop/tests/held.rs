//! What the latch says of a stop whose word is known, while others write it too.

use super::*;
use crate::ops::Ask;
use crate::ops::driving::drive_beside;

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

/// Whoever resumes it meanwhile is not overtaken by a stop that is over.
#[test]
fn a_resume_that_began_since_is_let_be() {
    let mut world = SimWorld::busy();
    let report = stop_beside(&mut world, 1, |world| {
        let mut holds = world.latch.holds.clone();
        holds[0].phase = Phase::Resuming;
        world.latch = world.latch.next(holds);
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(world.latch.holds[0].phase, Phase::Resuming);
}
