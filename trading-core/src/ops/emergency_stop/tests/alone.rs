//! What one strategy has for itself, where nobody acknowledges: its stop keeps that down too,
//! whoever else stops and resumes.

use super::unacknowledged::{bots, busy, of, stop_bots};
use super::*;
use crate::ops::driving::Kill;
use crate::ops::resume::Resume;
use crate::plan::{Approval, Binding, Consent};

fn resume_bots(world: &mut SimWorld, stop: &str, run: &str) -> Report {
    world.hung.clear();
    world.engines_beat = true;
    let asked = crate::ops::resume::Request {
        stop_id: Some(stop.into()),
        ..world::resume_request(world, run)
    };
    let mut survey = Resume::new(bots(), asked.clone(), None);
    let planned = drive(world, &mut survey, None, |_| 0).unwrap();
    let Some(digest) = survey.plan_digest().cloned() else { return planned };
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    let mut resume = Resume::new(bots(), asked, Some((approval, "typed")));
    drive(world, &mut resume, None, |_| 0).unwrap()
}

/// What stands where engine-3 has it: its count, and whether it can be lifted.
fn engine_3(world: &SimWorld) -> (u32, bool) {
    let service = world.services.iter().find(|it| it.name.as_str() == "engine-3").unwrap();
    (service.desired_count, service.autoscaling.value().is_some_and(Autoscaling::can_lift))
}

#[test]
fn the_resume_of_a_broader_stop_leaves_it_down_and_hands_its_value_over() {
    let mut world = busy();
    let before = engine_3(&world);
    let all = world::request(&world, "all");
    assert_eq!(stop_bots(&mut world, all).outcome, "HALTED");
    let one = Request { stop_id: "stop-solo".into(), run_id: "solo".into(), ..of(&world, "solo") };
    let report = stop_bots(&mut world, one);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");

    let report = resume_bots(&mut world, "stop-all", "r2");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(engine_3(&world), (0, false), "what runs solo heeds neither row nor latch");
    assert!(world.services.iter().any(|it| it.desired_count > 0), "the others trade");

    let report = resume_bots(&mut world, "stop-solo", "r3");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(engine_3(&world), before);
    assert_eq!(statuses(&world)["solo"], "running");
}

/// A stop of one strategy dies before the latch names it: the same stop again takes over all of it.
#[test]
fn what_a_dead_stop_of_it_left_is_taken_over_by_the_same_stop_again() {
    let mut at = 0;
    let (mut world, before) = loop {
        let mut world = busy();
        let before = engine_3(&world);
        let latch = |ask: &crate::ops::Ask| *ask == crate::ops::Ask::Read(Query::Latch);
        world.slow = Some((latch, world.now + jiff::SignedDuration::from_secs(60)));
        let request = Request { run_id: "dead".into(), ..of(&world, "solo") };
        let approval = world::approval(&bots(), &request);
        let mut stop = EmergencyStop::new(bots(), request, Some((approval, "typed")));
        let ended = drive(&mut world, &mut stop, Some(Kill::After(at)), |_| 0);
        assert!(ended.is_none(), "it never brought engine-3 down");
        if engine_3(&world) == (0, false) {
            world.slow = None;
            break (world, before);
        }
        at += 1;
    };
    assert!(world.latch.holds.is_empty());
    world.now += jiff::SignedDuration::from_mins(5);
    let again = Request { stop_id: "stop-2".into(), run_id: "r2".into(), ..of(&world, "solo") };
    let report = stop_bots(&mut world, again);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let left = report.findings.iter().find(|it| it.id == "stop.left_behind");
    assert_eq!(left, None, "{report:#?}");
    let report = resume_bots(&mut world, "stop-2", "r3");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(engine_3(&world), before);
}

/// What was not read may tell that its own stop keeps it down.
#[test]
fn a_schedule_of_it_stays_disabled_although_not_all_services_were_read() {
    let mut world = busy();
    let target = ScheduleTarget::Service { cluster: "sim".into(), service: "engine-3".into() };
    let schedule = world.schedules[0].clone();
    world.schedules.push(Schedule { id: "morning".into(), targets: vec![target], ..schedule });
    let all = world::request(&world, "all");
    assert_eq!(stop_bots(&mut world, all).outcome, "HALTED");
    let one = Request { stop_id: "stop-solo".into(), run_id: "solo".into(), ..of(&world, "solo") };
    assert_eq!(stop_bots(&mut world, one).outcome, "HALTED");
    world.dark_single.insert("data".to_owned());
    let report = resume_bots(&mut world, "stop-all", "r2");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let morning = world.schedules.iter().find(|it| it.id.as_str() == "morning").unwrap();
    assert!(!morning.enabled, "it would lift what the other stop holds");
    assert_eq!(engine_3(&world), (0, false));
}
