//! A system without a latch, stopped.

use super::*;
use crate::ops::emergency_stop::{self, EmergencyStop, Site};
use crate::ops::resume::{self, Resume};
use crate::ops::world;
use crate::plan::{Approval, Binding, Consent};
use jiff::SignedDuration;

fn unlatched() -> Site {
    let mut site = site();
    site.capabilities =
        Capabilities { strategies: false, positions: false, venues: vec![], notices: false };
    site
}

fn stop(world: &mut SimWorld) {
    stop_as(world, "r1");
}

fn stop_as(world: &mut SimWorld, run: &str) {
    let request = world::request(world, run);
    stop_with(world, request);
}

fn stop_with(world: &mut SimWorld, request: emergency_stop::Request) {
    world.store_broken = true;
    let approval = world::approval(&unlatched(), &request);
    let mut stop = EmergencyStop::new(unlatched(), request, Some((approval, "typed")));
    let report = drive(world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    world.close_run(&report);
}

fn look(world: &mut SimWorld) -> Report {
    let report = status_of(world, StatusRequest { site: unlatched(), ..request() });
    world.read_only = false;
    report
}

#[test]
fn it_says_by_which_run_and_is_not_healthy() {
    let mut world = well();
    assert_eq!(look(&mut world).outcome, "healthy");
    stop(&mut world);
    let report = look(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("stopped", Exit::Ok), "{report:#?}");
    let found = report.findings.iter().find(|it| it.id == "stop.open").unwrap();
    assert!(found.message.contains("stop-r1 is not over"), "{found:?}");
    assert!(found.message.contains("that r1 changed"), "{found:?}");
    assert_eq!(found.next.as_deref(), Some("tradectl resume stop-r1 --reason … --env sim"));
    assert_eq!(report.data["stops"][0]["run"], "r1");
    assert!(format!("{:?}", report.body).contains("STOPPED: halt all by stop-r1"));
}

#[test]
fn of_several_the_later_one_is_resumed_first() {
    let mut world = well();
    stop(&mut world);
    world.services[1].desired_count = 3;
    stop_as(&mut world, "r2");
    let report = look(&mut world);
    let open = report.findings.iter().filter(|it| it.id == "stop.open");
    let next: Vec<_> = open.map(|it| it.next.as_deref().unwrap()).collect();
    assert_eq!(next, ["tradectl resume stop-r2 --reason … --env sim"; 2]);
}

#[test]
fn of_one_service_alone_only_what_stands_of_that_is_told() {
    let mut world = well();
    stop(&mut world);
    let mut alone = |name: &str| {
        let about = About::Service(name.into());
        let report = status_of(&mut world, StatusRequest { site: unlatched(), about, ..request() });
        let stop = report.findings.iter().find(|it| it.id == "stop.open").cloned();
        (report.outcome.clone(), stop.map(|it| it.message))
    };
    let (outcome, said) = alone("engine-1");
    assert_eq!(outcome, "stopped");
    assert!(said.is_some_and(|it| it.contains("2 items that")), "its count and its scaling");
    let (outcome, said) = alone("engine-2");
    assert_eq!(outcome, "stopped");
    assert!(said.is_some_and(|it| it.contains("1 items that")), "it scales nothing");
    assert_eq!(alone("data"), ("healthy".to_owned(), None), "nobody stopped it");
}

#[test]
fn one_that_was_never_seen_complete_is_typed_again_and_no_wider_one() {
    let mut world = well();
    world.store_broken = true;
    let scope = Scope::Service("engine-1".into());
    let request = emergency_stop::Request { scope, ..world::request(&world, "r1") };
    let approval = world::approval(&unlatched(), &request);
    let mut stop = EmergencyStop::new(unlatched(), request, Some((approval, "typed")));
    drive(&mut world, &mut stop, None, |_| 0).unwrap();
    // Its journal has no end: it died.
    world.now += SignedDuration::from_hours(1);
    let report = look(&mut world);
    let found = report.findings.iter().find(|it| it.id == "stop.open").unwrap();
    let next = "tradectl emergency-stop --env sim --scope service=engine-1";
    assert_eq!(found.next.as_deref(), Some(next), "{found:?}");
}

#[test]
fn what_stands_still_is_not_healthy_whoever_stopped_it() {
    let mut world = well();
    stop(&mut world);
    world.journal.clear();
    world.journaled_at.clear();
    let report = look(&mut world);
    assert_eq!(report.outcome, "stopped", "{report:#?}");
    assert!(ids(&report).contains(&"stop.elsewhere"), "{report:#?}");
    // One schedule that starts what trades, and it does not stand still any more.
    world.schedules[0].enabled = true;
    assert_ne!(look(&mut world).outcome, "stopped");
}

#[test]
fn put_back_by_somebody_else_it_is_not_stopped() {
    let mut world = well();
    let before = (world.services.clone(), world.schedules.clone(), world.tasks.clone());
    stop(&mut world);
    (world.services, world.schedules, world.tasks) = before;
    let report = look(&mut world);
    assert_eq!(report.outcome, "healthy", "{report:#?}");
    assert_eq!(report.data["stops"], serde_json::json!([]));
}

#[test]
fn one_that_was_killed_is_no_finished_stop() {
    let mut world = well();
    stop(&mut world);
    world.journal.pop();
    world.journaled_at.pop();
    world.now += SignedDuration::from_secs(600);
    let report = look(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No), "{report:#?}");
    assert!(ids(&report).contains(&"stop.open"), "{report:#?}");
}

#[test]
fn journals_that_cannot_be_read_are_no_health() {
    let mut world = well();
    world.dark.insert(Query::Stops);
    let report = look(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("incomplete", Exit::Incomplete));
}

/// What a later stop left may lie outside of what alone was looked at: that one is resumed first.
#[test]
fn of_one_service_alone_nothing_is_resumed_before_a_later_stop_of_everything() {
    let mut world = well();
    let scope = Scope::Service("engine-1".into());
    let asked = emergency_stop::Request { scope, ..world::request(&world, "r1") };
    stop_with(&mut world, asked);
    world.now += SignedDuration::from_secs(1);
    stop_as(&mut world, "r2");
    let next = |world: &mut SimWorld, about: About| -> Vec<String> {
        let report = status_of(world, StatusRequest { site: unlatched(), about, ..request() });
        world.read_only = false;
        let open = report.findings.into_iter().filter(|it| it.id == "stop.open");
        open.map(|it| it.next.unwrap()).collect()
    };
    let alone = || About::Service("engine-1".into());
    assert_eq!(next(&mut world, alone()), ["tradectl status --env sim"]);
    let all = next(&mut world, About::Everything);
    assert_eq!(all, ["tradectl resume stop-r2 --reason … --env sim"; 2]);
    // Once that one is over.
    let asked = world::resume_request(&world, "r3");
    let asked = resume::Request { stop_id: Some("stop-r2".into()), ..asked };
    let mut survey = Resume::new(unlatched(), asked.clone(), None);
    drive(&mut world, &mut survey, None, |_| 0).unwrap();
    let digest = survey.plan_digest().unwrap().clone();
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    let mut resume = Resume::new(unlatched(), asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    world.close_run(&report);
    let first = next(&mut world, alone());
    assert_eq!(first, ["tradectl resume stop-r1 --reason … --env sim"]);
}
