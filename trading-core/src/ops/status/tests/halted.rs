//! What goes on under a hold, and what is to trade at 0.

use super::*;
use crate::model::Acknowledges;
use crate::ops::emergency_stop::Site;

fn look(world: &mut SimWorld, acknowledges: Acknowledges) -> Report {
    let site = Site { acknowledges, ..site() };
    status_of(world, StatusRequest { site, ..request() })
}

fn stopped_rows(scope: Scope, phase: Phase) -> SimWorld {
    let mut world = well();
    world.latch = world.latch.next(vec![Hold { scope, ..hold(phase, Level::Halt) }]);
    world.rows.iter_mut().for_each(|row| row.row.set("status", Attr::text("stopped")));
    world
}

#[test]
fn where_nobody_acknowledges_what_runs_under_a_hold_is_named() {
    let mut world = stopped_rows(Scope::All, Phase::Held);
    assert_eq!(ids(&look(&mut world, Acknowledges::StopAck)), ["latch.held"], "they heed it");
    let report = look(&mut world, Acknowledges::None);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No));
    let of = |id: &str| -> Vec<&str> {
        let found = report.findings.iter().filter(|it| it.id == id);
        found.map(|it| it.subject.as_str()).collect()
    };
    assert_eq!(of("service.runs_under_hold"), ["engine-1", "engine-2"]);
    assert_eq!(of("schedule.enabled_under_hold"), ["jobs"]);
    assert_eq!(of("task.runs_under_hold"), ["t5"]);
    // A resume brings them up, and so may a stop that is at work still lower them.
    for phase in [Phase::Resuming, Phase::Stopping] {
        let report = look(&mut stopped_rows(Scope::All, phase), Acknowledges::None);
        let found = ids(&report).into_iter().find(|it| it.ends_with("_under_hold"));
        assert_eq!(found, None, "{report:#?}");
    }
}

#[test]
fn a_strategy_that_is_held_alone_and_runs_leads_to_what_runs_it() {
    let mut world = stopped_rows(Scope::Strategy("a".into()), Phase::Held);
    let report = look(&mut world, Acknowledges::None);
    let found = report.findings.iter().find(|it| it.id == "strategy.runs_under_hold").unwrap();
    assert_eq!(found.subject, "a");
    let next = "tradectl emergency-stop --scope service=engine-1 --env sim";
    assert_eq!(found.next.as_deref(), Some(next), "{found:?}");
}

#[test]
fn what_is_to_trade_and_whose_service_is_at_0_is_no_health() {
    let mut world = well();
    for service in &mut world.services {
        (service.desired_count, service.running_count) = (0, 0);
    }
    world.tasks.clear();
    let report = look(&mut world, Acknowledges::None);
    let told = report.findings.iter().filter(|it| it.id == "strategy.service_at_zero");
    assert!(told.count() > 1 && report.exit == Exit::No, "{report:#?}");
    world.latch = world.latch.next(vec![hold(Phase::Resuming, Level::Halt)]);
    assert!(!ids(&look(&mut world, Acknowledges::None)).contains(&"strategy.service_at_zero"));
}

#[test]
fn what_starts_or_lifts_a_service_under_a_hold_is_named() {
    let mut world = stopped_rows(Scope::Service("engine-1".into()), Phase::Held);
    let service = &mut world.services[0];
    (service.desired_count, service.running_count) = (0, 0);
    let scaling = Autoscaling { min_capacity: 0, max_capacity: 2, suspended: Suspended::NONE };
    service.autoscaling = Reading::known(scaling, "sim", world.now);
    let target = ScheduleTarget::Service { cluster: "sim".into(), service: "engine-1".into() };
    let schedule =
        Schedule { id: "morning".into(), targets: vec![target], ..world.schedules[0].clone() };
    world.schedules.push(schedule);
    let report = look(&mut world, Acknowledges::None);
    let of = |id: &str| {
        let found = report.findings.iter().find(|it| it.id == id);
        found.map(|it| (it.subject.as_str(), it.message.as_str())).unwrap_or_default()
    };
    let (name, what) = of("service.runs_under_hold");
    assert_eq!(name, "engine-1");
    assert!(what.starts_with("at 0, and its scaling target can lift it"), "{what}");
    assert_eq!(of("schedule.enabled_under_hold").0, "morning");
}

/// What a schedule or its scaling brings up again is not told every night.
#[test]
fn a_service_that_something_brings_up_again_may_stand_at_0() {
    let mut world = well();
    world.tasks.clear();
    for service in &mut world.services {
        (service.desired_count, service.running_count) = (0, 0);
        service.autoscaling = Reading::absent("scaling targets", "it has none");
    }
    let told = |world: &mut SimWorld| {
        let report = look(world, Acknowledges::None);
        let found = report.findings.iter().filter(|it| it.id == "strategy.service_at_zero");
        found.filter(|it| it.message.contains("engine-1")).count()
    };
    assert!(told(&mut world) > 0);
    let target = ScheduleTarget::Service { cluster: "sim".into(), service: "engine-1".into() };
    let schedule =
        Schedule { id: "morning".into(), targets: vec![target], ..world.schedules[0].clone() };
    world.schedules.push(schedule);
    assert_eq!(told(&mut world), 0);
}
