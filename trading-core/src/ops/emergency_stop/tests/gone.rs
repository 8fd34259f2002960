//! Where nobody acknowledges: no task at this moment proves nothing while something starts the next.

use super::unacknowledged::{busy, of, stop_bots};
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

/// The finding of what goes on, and the command that it leads to.
fn next_of<'a>(report: &'a Report, strategy: &str) -> &'a str {
    let of_it = |it: &&Finding| it.id == "stop.not_stopped" && it.subject == strategy;
    report.findings.iter().find(of_it).and_then(|it| it.next.as_deref()).unwrap_or_default()
}

/// `solo` is lost: its row names nothing, and no task runs.
fn lost() -> SimWorld {
    let mut world = busy();
    let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
    row.remove("service");
    world.tasks.clear();
    world.schedules.clear();
    world.starts_nothing = true;
    for service in &mut world.services {
        (service.desired_count, service.running_count, service.pending_count) = (0, 0, 0);
        service.autoscaling = Reading::absent("scaling targets", "it has none");
    }
    world
}

type Asked<'a> = &'a dyn Fn(&SimWorld) -> Request;
const OF_SOLO: Asked<'_> = &|world| of(world, "solo");
const OF_VENUE: Asked<'_> =
    &|world| Request { scope: Scope::Venue(paper()), ..world::request(world, "r1") };
const KEPT: Asked<'_> = &|world| Request { keep_compute: true, ..of(world, "solo") };

#[test]
fn a_lost_row_is_gone_only_where_all_that_may_run_it_was_read_and_cannot_be_lifted() {
    for asked in [OF_SOLO, OF_VENUE, KEPT] {
        let stop = |mut world: SimWorld| {
            let request = asked(&world);
            stop_bots(&mut world, request)
        };
        assert_eq!(stop(lost()).outcome, "HALTED");
        let mut world = lost();
        world.dark.insert(Query::Services);
        assert_eq!(stop(world).outcome, "UNKNOWN", "no service was read");
        let mut world = lost();
        world.dark_single.insert("engine-2".to_owned());
        assert_eq!(stop(world).outcome, "UNKNOWN", "one service was not read");
        let mut world = lost();
        world.services[1].autoscaling = Reading::denied("sim", "you may not");
        assert_eq!(stop(world).outcome, "UNKNOWN", "what lifts one was not read");
        let mut world = lost();
        let scaling = Autoscaling { min_capacity: 0, max_capacity: 2, suspended: Suspended::NONE };
        world.services[1].autoscaling = Reading::known(scaling, "sim", world.now);
        let report = stop(world);
        assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
        assert!(why(&report, "solo").contains("service engine-2 may run it"), "{report:#?}");
        // One service's stop could be that of another strategy.
        assert_eq!(next_of(&report, "solo"), "tradectl emergency-stop --env sim");
        let mut world = lost();
        world.schedules = busy().schedules;
        let report = stop(world);
        assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
        assert!(why(&report, "solo").contains("schedule jobs may run it"), "{report:#?}");
    }
}

/// What ran the task of the past runs the next one.
#[test]
fn a_task_that_ended_is_judged_by_its_service() {
    let mut world = between("engine-3");
    let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
    row.remove("service");
    row.set("task_id", Attr::text("t7"));
    let task = busy().tasks.into_iter().find(|it| it.id.as_str() == "t7").unwrap();
    world.tasks.push(Task { state: TaskState::Stopped, ..task });
    let request = of(&world, "solo");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert!(why(&report, "solo").starts_with("its service engine-3 has desired 1"), "{report:#?}");
    let next = "tradectl emergency-stop --env sim --scope service=engine-3";
    assert_eq!(next_of(&report, "solo"), next);
    let scope = Scope::Service("engine-3".into());
    let request = Request { scope, ..world::request(&world, "r2") };
    assert_eq!(stop_bots(&mut world, request).outcome, "HALTED");
}

/// A schedule of engine-3, by which `solo` would trade again in the morning.
fn scheduled(targets: Vec<ScheduleTarget>) -> SimWorld {
    let mut world = busy();
    let schedule = Schedule { id: "morning".into(), targets, ..world.schedules[0].clone() };
    world.schedules.push(schedule);
    world
}

fn service(name: &str) -> ScheduleTarget {
    ScheduleTarget::Service { cluster: "sim".into(), service: name.into() }
}

#[test]
fn a_schedule_of_this_strategy_alone_is_disabled_with_it_and_put_back() {
    let family = ScheduleTarget::Task { cluster: "sim".into(), family: "engine-3".into() };
    let mut world = scheduled(vec![service("engine-3"), family]);
    let request = of(&world, "solo");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let disabled = world.schedules.iter().filter(|it| !it.enabled).map(|it| it.id.as_str());
    assert_eq!(disabled.collect::<Vec<_>>(), ["morning"]);
    assert!(recorded(&world).contains_key("schedule=morning"), "{:?}", recorded(&world));
}

#[test]
fn a_schedule_that_starts_others_too_is_left_and_is_no_halt() {
    let mut world = scheduled(vec![service("engine-3"), service("engine-1")]);
    for request in [of(&world, "solo"), Request { run_id: "r2".into(), ..of(&world, "solo") }] {
        let report = stop_bots(&mut world, request);
        assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
        assert!(world.schedules.iter().all(|it| it.enabled));
        assert!(why(&report, "solo").starts_with("schedule morning may start it"), "{report:#?}");
        let next = "tradectl emergency-stop --env sim --scope service=engine-3";
        assert_eq!(next_of(&report, "solo"), next);
    }
    let scope = Scope::Service("engine-3".into());
    let request = Request { scope, ..world::request(&world, "r3") };
    assert_eq!(stop_bots(&mut world, request).outcome, "HALTED");
    // What cannot be read may be one.
    let mut world = busy();
    world.dark.insert(Query::Schedules);
    let request = of(&world, "solo");
    assert_eq!(stop_bots(&mut world, request).outcome, "UNKNOWN");
}

/// A thousand strategies of one service are one cause.
#[test]
fn what_one_service_leaves_is_told_once() {
    let mut world = between("engine-1");
    for n in 0..1_000 {
        world.rows.push(world::row(&format!("many-{n}"), "running", "engine-1"));
    }
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL");
    let of_it = |it: &&Finding| it.id == "stop.not_stopped" && it.message.contains("desired 1");
    let told: Vec<_> = report.findings.iter().filter(of_it).map(|it| &it.subject).collect();
    assert_eq!(told, ["engine-1"]);
}

/// By its role or for want of one no stop as it was asked for ends it: the same again would not.
#[test]
fn what_a_stop_of_everything_leaves_leads_to_what_takes_it_in() {
    for (family, next) in [
        ("unheard", "tradectl emergency-stop --env sim --include unheard"),
        ("backtest", "tradectl doctor --env sim"),
    ] {
        let mut world = busy();
        let task =
            Task { id: "x".into(), family: family.into(), service: None, ..world.tasks[0].clone() };
        world.tasks.push(task);
        let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
        row.remove("service");
        row.set("task_id", Attr::text("x"));
        let request = world::request(&world, "r1");
        let report = stop_bots(&mut world, request);
        assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
        assert_eq!(next_of(&report, "solo"), next);
    }
}

/// One that nobody classified may start it as well as one that is known to.
#[test]
fn a_schedule_without_a_role_may_start_what_is_lost() {
    let mut world = lost();
    let family = ScheduleTarget::Task { cluster: "sim".into(), family: "unheard".into() };
    let schedule = busy().schedules[0].clone();
    world.schedules.push(Schedule { id: "odd".into(), targets: vec![family], ..schedule.clone() });
    let request = of(&world, "solo");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert!(why(&report, "solo").contains("schedule odd may run it"), "{report:#?}");
    // What starts no task starts no strategy.
    let mut world = lost();
    let function = ScheduleTarget::Function { name: "f".into() };
    world.schedules.push(Schedule { id: "odd".into(), targets: vec![function], ..schedule });
    let request = of(&world, "solo");
    assert_eq!(stop_bots(&mut world, request).outcome, "HALTED");
}

/// What a plan shows is what is done, in whatever order the answers come.
#[test]
fn the_plan_of_one_strategy_shows_the_schedule_that_is_disabled_with_it() {
    for pick in [(|_| 0) as fn(usize) -> usize, |open| open - 1, |open| open / 2] {
        let mut world = scheduled(vec![service("engine-3")]);
        world.read_only = true;
        let request = of(&world, "solo");
        let mut dry = EmergencyStop::new(super::unacknowledged::bots(), request, None);
        let report = drive(&mut world, &mut dry, None, pick).unwrap();
        let body = format!("{:?}", report.body);
        assert_eq!(body.matches("schedule morning").count(), 1, "{body}");
    }
}

/// A row at rest whose task ended long ago is no part of another service's stop.
#[test]
fn a_row_at_rest_with_a_task_of_the_past_hinders_no_other_service() {
    let mut world = busy();
    let row = &mut world.rows.iter_mut().find(|it| it.id.as_str() == "solo").unwrap().row;
    row.remove("service");
    row.set("task_id", Attr::text("t-old"));
    row.set("status", Attr::text("stopped"));
    let task = world.tasks.iter().find(|it| it.id.as_str() == "t7").unwrap().clone();
    world.tasks.push(Task { id: "t-old".into(), state: TaskState::Stopped, ..task });
    let scope = Scope::Service("engine-1".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}
