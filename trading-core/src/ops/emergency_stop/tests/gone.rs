//! Where nobody acknowledges: no task at this moment proves nothing while something starts the next.

use super::unacknowledged::{bots, busy, of, stop_bots};
use super::*;

/// The busy system in which service `name` is between two tasks, which never come; it scales by
/// itself in no way.
fn between(name: &str) -> SimWorld {
    let mut world = busy();
    world.tasks.retain(|it| it.service.as_ref().is_none_or(|it| it.as_str() != name));
    let service = world.services.iter_mut().find(|it| it.name.as_str() == name).unwrap();
    (service.running_count, service.pending_count) = (0, 0);
    service.autoscaling = Reading::absent("scaling targets", "it has none");
    world.starts_nothing = true;
    world
}

fn why<'a>(report: &'a Report, strategy: &str) -> &'a str {
    let of_it = |it: &&Finding| it.id == "stop.not_stopped" && it.subject == strategy;
    let found = report.findings.iter().find(of_it);
    &found.unwrap_or_else(|| panic!("{strategy}: {report:#?}")).message
}

#[test]
fn a_service_between_two_tasks_that_this_stop_leaves_is_no_halt() {
    let kept = |world: &SimWorld| Request { keep_compute: true, ..of(world, "solo") };
    let weaker = |world: &SimWorld| Request { level: Level::ReduceOnly, ..of(world, "solo") };
    let venue =
        |world: &SimWorld| Request { scope: Scope::Venue(paper()), ..world::request(world, "r1") };
    type Asked<'a> = &'a dyn Fn(&SimWorld) -> Request;
    let asked: [(Asked<'_>, &str, &str); 4] = [
        (&kept, "engine-3", "solo"),
        (&weaker, "engine-3", "solo"),
        (&venue, "engine-3", "solo"),
        // Another strategy has the same service, which stays for it.
        (&|world: &SimWorld| of(world, "a"), "engine-1", "a"),
    ];
    for (request, service, strategy) in asked {
        let mut world = between(service);
        let request = request(&world);
        let report = stop_bots(&mut world, request);
        assert_eq!(report.outcome, "PARTIAL", "{strategy}: {report:#?}");
        let told = why(&report, strategy);
        assert!(told.starts_with(&format!("its service {service} has desired 1")), "{told}");
    }
    // One that this stop brings to 0 starts nothing more.
    let mut world = between("engine-3");
    let request = of(&world, "solo");
    assert_eq!(stop_bots(&mut world, request).outcome, "HALTED");
}

#[test]
fn a_service_at_0_that_can_be_lifted_is_no_halt_and_one_of_which_that_is_not_known_is_unknown() {
    let at_0 = || {
        let mut world = between("engine-3");
        world.services.last_mut().unwrap().desired_count = 0;
        world
    };
    let stop = |world: &mut SimWorld| {
        let request = Request { keep_compute: true, ..of(world, "solo") };
        stop_bots(world, request).outcome
    };
    assert_eq!(stop(&mut at_0()), "HALTED");
    let scaling = Autoscaling { min_capacity: 0, max_capacity: 2, suspended: Suspended::NONE };
    let mut world = at_0();
    world.services.last_mut().unwrap().autoscaling = Reading::known(scaling, "sim", world.now);
    assert_eq!(stop(&mut world), "PARTIAL");
    for denied in [Reading::denied("sim", "you may not"), Reading::unreachable("sim", "dark")] {
        let mut world = at_0();
        world.services.last_mut().unwrap().autoscaling = denied;
        assert_eq!(stop(&mut world), "UNKNOWN");
    }
    let mut world = at_0();
    world.dark.insert(Query::Services);
    assert_eq!(stop(&mut world), "UNKNOWN");
}

/// The same of a service that no row names.
#[test]
fn a_kept_service_of_which_nobody_knows_what_lifts_it_is_unknown() {
    let mut world = busy();
    world.rows.clear();
    world.tasks.clear();
    world.schedules.clear();
    for service in &mut world.services {
        (service.desired_count, service.running_count) = (0, 0);
        service.autoscaling = Reading::absent("scaling targets", "it has none");
    }
    let stop = |mut world: SimWorld| {
        let request = Request { keep_compute: true, ..world::request(&world, "r1") };
        stop_bots(&mut world, request)
    };
    assert_eq!(stop(world.clone()).outcome, "HALTED");
    world.services[0].autoscaling = Reading::denied("sim", "you may not");
    assert_eq!(stop(world.clone()).outcome, "UNKNOWN");
    // Its last tasks end by themselves: that is waited for.
    world.services[0].autoscaling = Reading::absent("scaling targets", "it has none");
    world.services[0].running_count = 1;
    let task = Task { state: TaskState::Stopping, ..busy().tasks[0].clone() };
    world.tasks.push(task);
    assert_eq!(stop(world).outcome, "HALTED");
}

#[test]
fn a_row_that_names_what_is_not_there_is_no_halt_while_anything_trades() {
    for (attribute, name) in [("service", "engine-9"), ("task_id", "t-old")] {
        let mut world = busy();
        let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
        row.remove("service");
        row.set(attribute, Attr::text(name));
        let request = of(&world, "solo");
        let report = stop_bots(&mut world, request);
        assert_eq!(report.outcome, "PARTIAL", "{attribute}: {report:#?}");
        assert!(why(&report, "solo").contains(name), "{report:#?}");
        // A stop of everything ends whatever runs it.
        let request = world::request(&world, "r2");
        assert_eq!(stop_bots(&mut world, request).outcome, "HALTED", "{attribute}");
    }
}

/// Whoever names a strategy means it, whatever its row says.
#[test]
fn one_that_is_meant_and_at_rest_is_no_halt_while_anything_may_run_it() {
    let mut world = busy();
    let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
    row.remove("service");
    row.set("status", Attr::text("stopped"));
    let request = of(&world, "solo");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    // It stands in the way of no other one's stop.
    let request = Request { scope: Scope::Service("engine-1".into()), ..of(&world, "solo") };
    assert_eq!(stop_bots(&mut world, request).outcome, "HALTED");
}

/// Which schedules start what trades may stand in what was not read of services.
#[test]
fn schedules_beside_services_that_were_not_read_are_unknown_where_compute_is_kept() {
    assert_eq!(bots().roles, world::site().roles);
    let mut world = SimWorld::busy();
    world.services[0].family = "job-1".into();
    world.schedules[0].targets =
        vec![ScheduleTarget::Task { cluster: "sim".into(), family: "job-1".into() }];
    world.dark.insert(Query::Services);
    let scope = Scope::Service("engine-1".into());
    let request = Request { keep_compute: true, scope, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
}
