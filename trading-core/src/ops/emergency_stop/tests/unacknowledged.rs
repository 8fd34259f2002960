//! Where nobody acknowledges, only an ended process proves that a strategy has stopped.

use super::*;
use crate::ops::resume::Resume;
use crate::plan::{Approval, Binding, Consent};
use std::collections::BTreeSet;

pub(super) fn bots() -> Site {
    Site { acknowledges: Acknowledges::None, ..world::site() }
}

/// The busy system, run by bots that read neither rows nor the latch. Strategy `solo` has
/// service `engine-3` for itself.
pub(super) fn busy() -> SimWorld {
    let mut world = SimWorld::busy();
    let named = |service: &Service| Service { name: "engine-3".into(), ..service.clone() };
    world.services.push(Service { family: "engine-3".into(), ..named(&world.services[0]) });
    world.tasks.push(Task {
        id: "t7".into(),
        family: "engine-3".into(),
        service: Some("engine-3".into()),
        ..world.tasks[0].clone()
    });
    world.rows.push(world::row("solo", "running", "engine-3"));
    world.hung = world.rows.iter().map(|row| row.id.clone()).collect();
    world
}

pub(super) fn of(world: &SimWorld, strategy: &str) -> Request {
    Request { scope: Scope::Strategy(strategy.into()), ..world::request(world, "r1") }
}

pub(super) fn stop_bots(world: &mut SimWorld, request: Request) -> Report {
    let approval = world::approval(&bots(), &request);
    let mut stop = EmergencyStop::new(bots(), request, Some((approval, "typed")));
    drive(world, &mut stop, None, |_| 0).unwrap()
}

fn desired(world: &SimWorld) -> BTreeMap<&str, u32> {
    world.services.iter().map(|it| (it.name.as_str(), it.desired_count)).collect()
}

fn proof_ms(report: &Report) -> i64 {
    report.data["timing"]["time_to_proof_ms"].as_i64().unwrap()
}

fn next_of<'a>(report: &'a Report, subject: &str) -> &'a str {
    let of_it = |it: &&Finding| it.id == "stop.not_stopped" && names(it, subject);
    report.findings.iter().find(of_it).unwrap().next.as_deref().unwrap()
}

/// Whether a finding is of one thing, alone or with others.
pub(super) fn names(finding: &Finding, subject: &str) -> bool {
    finding.subject.split(", ").any(|it| it == subject)
}

#[test]
fn a_service_that_runs_nothing_else_is_stopped_with_its_strategy_and_put_back() {
    let mut world = busy();
    let before = desired(&world).into_iter().map(|(name, n)| (name.to_owned(), n));
    let before: BTreeMap<String, u32> = before.collect();
    let request = of(&world, "solo");
    let report = stop_bots(&mut world, request);
    assert_eq!((report.outcome.as_str(), report.exit), ("HALTED", Exit::Ok), "{report:#?}");
    let counts: Vec<u32> = desired(&world).into_values().collect();
    assert_eq!(counts, [1, 1, 2, 0], "data, engine-1, engine-2, engine-3");
    assert_eq!(statuses(&world)["a"], "running");
    assert!(world.schedules.iter().all(|it| it.enabled));
    let recorded = recorded(&world);
    let names: Vec<&str> = recorded.keys().map(String::as_str).collect();
    assert_eq!(names, ["autoscaling=engine-3", "service=engine-3", "strategy=solo"]);

    world.hung.clear();
    world.engines_beat = true;
    let asked = world::resume_request(&world, "r2");
    let mut survey = Resume::new(bots(), asked.clone(), None);
    drive(&mut world, &mut survey, None, |_| 0).unwrap();
    let digest = survey.plan_digest().unwrap().clone();
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    let mut resume = Resume::new(bots(), asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let after = desired(&world).into_iter().map(|(name, n)| (name.to_owned(), n));
    assert_eq!(after.collect::<BTreeMap<_, _>>(), before);
    assert_eq!(world.services[3].autoscaling, world.services[0].autoscaling);
    assert_eq!(statuses(&world)["solo"], "running");
}

#[test]
fn a_task_that_runs_nothing_else_is_stopped_with_its_strategy() {
    let mut world = busy();
    let task = Task { id: "alone".into(), service: None, ..world.tasks[4].clone() };
    world.tasks.push(task);
    let mut row = world::row("by-hand", "running", "-");
    row.row.remove("service");
    row.row.set("task_id", Attr::text("alone"));
    world.rows.push(row);
    let request = of(&world, "by-hand");
    // What starts others of its family may start it again, and is not this stop's to disable.
    let report = stop_bots(&mut world.clone(), request.clone());
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let told = report.findings.iter().find(|it| it.subject == "by-hand").unwrap();
    assert!(told.message.starts_with("schedule jobs may start it again"), "{told:?}");
    assert_eq!(told.next.as_deref(), Some("tradectl emergency-stop --env sim"));
    world.schedules[0].enabled = false;
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let ended: Vec<&str> = world
        .tasks
        .iter()
        .filter(|it| it.state != TaskState::Running)
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(ended, ["alone"]);
}

#[test]
fn what_may_run_another_strategy_too_is_left_and_said_to_run_on() {
    let unplaced = |status: &str| {
        let mut row = world::row("x", status, "-");
        row.row.remove("service");
        row
    };
    let by_task = |task: &str| {
        let mut row = world::row("x", "running", "engine-1");
        row.row.set("task_id", Attr::text(task));
        row
    };
    type Change = Box<dyn Fn(&mut SimWorld)>;
    let cases: [(&str, bool, Change); 8] = [
        ("nothing", true, Box::new(|_| {})),
        (
            "one more row of it",
            false,
            Box::new(|world| world.rows.push(world::row("x", "running", "engine-3"))),
        ),
        (
            "one more row of it, at rest",
            false,
            Box::new(|world| world.rows.push(world::row("x", "stopped", "engine-3"))),
        ),
        (
            "an active row of nobody knows where",
            false,
            Box::new(move |world| world.rows.push(unplaced("running"))),
        ),
        (
            "one at rest of nobody knows where",
            true,
            Box::new(move |world| world.rows.push(unplaced("stopped"))),
        ),
        (
            "a row elsewhere that names its task",
            false,
            Box::new(move |world| world.rows.push(by_task("t7"))),
        ),
        (
            "a role that does not trade",
            false,
            Box::new(|world| {
                for it in &mut world.services {
                    it.name = if it.name.as_str() == "engine-3" {
                        "data-3".into()
                    } else {
                        it.name.clone()
                    };
                }
                world.tasks.last_mut().unwrap().service = Some("data-3".into());
                world.rows.last_mut().unwrap().row.set("service", Attr::text("data-3"));
            }),
        ),
        (
            "its own row does not say",
            false,
            Box::new(|world| _ = world.rows.last_mut().unwrap().row.remove("service")),
        ),
    ];
    for (what, ends, change) in cases {
        let mut world = busy();
        change(&mut world);
        world.hung = world.rows.iter().map(|row| row.id.clone()).collect();
        let request = of(&world, "solo");
        let report = stop_bots(&mut world, request);
        let word = if ends { "HALTED" } else { "PARTIAL" };
        assert_eq!(report.outcome, word, "{what}: {report:#?}");
        let running = world.tasks.iter().filter(|it| it.state == TaskState::Running).count();
        assert_eq!(running, if ends { 6 } else { 7 }, "{what}");
        assert!(proof_ms(&report) < 20_000, "{what}: nothing comes that is worth waiting for");
    }
}

#[test]
fn what_goes_on_whatever_is_waited_for_is_told_early_with_what_would_end_it() {
    let mut world = busy();
    let mut request = of(&world, "a");
    (request.flatten, request.include) = (true, vec!["engine-9".into()]);
    let report = stop_bots(&mut world, request);
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial));
    assert_eq!(statuses(&world)["a"], "stopped", "its row is stopped all the same");
    let wider = "tradectl emergency-stop --env sim --scope service=engine-1 --include engine-9";
    assert_eq!(next_of(&report, "a"), wider);
    let wait = i64::try_from(bots().timings.ack_wait_ms).unwrap();
    assert!((wait..20_000).contains(&proof_ms(&report)), "{}", report.data["timing"]);

    let mut world = busy();
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL");
    assert_eq!(next_of(&report, "solo"), "tradectl emergency-stop --env sim");
    assert!(proof_ms(&report) < 20_000, "{}", report.data["timing"]);
    assert!(desired(&world).values().all(|count| *count > 0));

    // Said of them, and asked for wider, it comes to its end.
    let request = world::request(&world, "r2");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}

/// A cluster that is not there and a permission that is missing stay so, long as one waits.
#[test]
fn what_no_waiting_makes_known_is_told_early_with_what_would() {
    for (query, of) in [
        (Query::Tasks, "tasks"),
        (Query::Schedules, "schedules"),
        (Query::LooseChunks, "records of others"),
        (Query::Positions, "positions"),
    ] {
        let mut world = busy();
        world.denied = BTreeSet::from([query.clone()]);
        let request = world::request(&world, "r1");
        let report = stop_bots(&mut world, request);
        // Of these no proof hangs.
        let beside = matches!(query, Query::Positions | Query::LooseChunks);
        let word = if beside { "HALTED" } else { "UNKNOWN" };
        assert_eq!(report.outcome, word, "{of}: {report:#?}");
        assert!(proof_ms(&report) < 60_000, "{of}: {} ms", proof_ms(&report));
        let unknown = report.findings.iter().filter(|it| it.id == "stop.unknown");
        let nexts: BTreeSet<_> = unknown.map(|it| it.next.as_deref().unwrap()).collect();
        let permission = BTreeSet::from(["tradectl iam-policy --env sim --emergency-stop"]);
        assert_eq!(nexts, if beside { BTreeSet::new() } else { permission }, "{of}");
    }
    let mut world = busy();
    world.absent = BTreeSet::from([Query::Tasks, Query::Services]);
    let request = world::request(&world, "r1");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
    assert!(proof_ms(&report) < 60_000, "{} ms", proof_ms(&report));
    let unknown = report.findings.iter().find(|it| it.id == "stop.unknown").unwrap();
    assert_eq!(unknown.next.as_deref(), Some("tradectl doctor --env sim"));
}

/// What does not answer now may answer yet.
#[test]
fn what_does_not_answer_is_asked_until_the_deadline() {
    let mut world = busy();
    world.dark = BTreeSet::from([Query::Tasks]);
    let request = world::request(&world, "r1");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
    assert!(proof_ms(&report) >= 120_000, "{} ms", proof_ms(&report));
}

#[test]
fn what_may_yet_end_is_waited_for() {
    // A task that was asked to end by somebody else.
    let mut world = busy();
    world.tasks[0].state = TaskState::Stopping;
    world.services[0].desired_count = 0;
    world.services[0].autoscaling = Reading::absent("scaling targets", "it has none");
    let request = of(&world, "a");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    // Whoever acknowledges may do so until the deadline.
    let mut world = busy();
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL");
    assert!(proof_ms(&report) >= 120_000, "{}", report.data["timing"]);
    // What cannot be read may be readable in a moment.
    let mut world = busy();
    world.dark.insert(Query::Services);
    let request = of(&world, "a");
    let report = stop_bots(&mut world, request);
    assert_eq!(report.outcome, "PARTIAL");
    assert!(proof_ms(&report) >= 120_000, "{}", report.data["timing"]);
}

#[test]
fn what_cannot_be_proved_is_said_before_consent() {
    let world = busy();
    let told = |site: &Site, request: &Request| request.summary(site).join("\n");
    let all = world::request(&world, "r1");
    let kept = Request { keep_compute: true, ..all.clone() };
    let venue = Request { scope: Scope::Venue(paper()), ..all.clone() };
    let weaker = Request { level: Level::ReduceOnly, ..all.clone() };
    let mut site = bots();
    site.capabilities.strategies = false;
    for request in [&of(&world, "solo"), &kept, &venue, &weaker] {
        let text = told(&bots(), request);
        assert!(text.contains("do not acknowledge") && text.contains("PARTIAL"), "{text}");
        assert!(!told(&world::site(), request).contains("do not acknowledge"));
        // Whoever looks first what would be done, too.
        let mut plan = EmergencyStop::new(bots(), request.clone(), None);
        let page = format!("{:?}", drive(&mut world.clone(), &mut plan, None, |_| 0).unwrap().body);
        assert!(page.contains("do not acknowledge") && page.contains("PARTIAL"), "{page}");
    }
    for request in [&kept, &weaker] {
        let text = told(&site, request);
        assert!(text.contains("do not acknowledge") && text.contains("PARTIAL"), "{text}");
    }
    assert!(!told(&bots(), &all).contains("do not acknowledge"));
}

/// A service's tasks are its scheduler's to stop, in whatever order services and tasks are told:
/// it would start another one in place of each that was stopped before the service is at 0.
#[test]
fn tasks_that_are_listed_before_their_services_are_left_to_the_scheduler() {
    for seed in 0..24_usize {
        let mut world = busy();
        let request = world::request(&world, "r1");
        let approval = world::approval(&bots(), &request);
        let mut stop = EmergencyStop::new(bots(), request, Some((approval, "typed")));
        let mut turn = seed;
        let report = drive(&mut world, &mut stop, None, |_| {
            turn = turn.wrapping_mul(31).wrapping_add(7);
            turn
        });
        assert_eq!(report.unwrap().outcome, "HALTED", "{seed}");
        let stopped = world.applied.iter().filter(|it| it.starts_with("stop task"));
        let stopped: Vec<&String> = stopped.collect();
        assert!(matches!(stopped.as_slice(), [one] if one.contains("t5")), "{seed}: {stopped:?}");
    }
}

/// A row that says stopped proves nothing of a bot that reads no rows, whoever wrote it.
#[test]
fn a_row_that_somebody_else_had_stopped_is_no_proof_while_its_bot_lives() {
    let mut world = busy();
    let keep_compute = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_bots(&mut world.clone(), keep_compute.clone());
    let named = |report: &Report, id: &str| report.findings.iter().any(|it| names(it, id));
    assert!(named(&report, "e") && report.outcome == "PARTIAL", "{report:#?}");
    // Whose service runs nothing has nobody who could send.
    world.services[1].desired_count = 0;
    world.live();
    world.live();
    let report = stop_bots(&mut world, keep_compute);
    assert!(!named(&report, "e") && named(&report, "a"), "{report:#?}");
}

/// What a bot that reads no latch does under a level that ends nothing is what it did before.
#[test]
fn a_weaker_stop_of_those_who_need_not_heed_it_is_no_halt_while_they_run() {
    let weaker =
        |world: &SimWorld| Request { level: Level::ReduceOnly, ..world::request(world, "r1") };
    let mut world = busy();
    let (before, asked) = (statuses(&world), weaker(&world));
    let report = stop_bots(&mut world, asked);
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial), "{report:#?}");
    assert_eq!(statuses(&world), before, "rows stay");
    assert!(desired(&world).values().all(|count| *count > 0));
    assert!(world.schedules.iter().all(|it| it.enabled));
    for subject in ["a", "solo", "jobs"] {
        assert_eq!(next_of(&report, subject), "tradectl emergency-stop --env sim");
    }
    assert!(proof_ms(&report) < 20_000, "{}", report.data["timing"]);
    let mut one = busy();
    let asked = Request { level: Level::ReduceOnly, ..of(&one, "solo") };
    let report = stop_bots(&mut one, asked);
    let halt = "tradectl emergency-stop --env sim --scope strategy=solo";
    assert_eq!((report.exit, next_of(&report, "solo")), (Exit::Partial, halt));
    // Where nobody runs and nobody is started, nobody enters.
    world.services.iter_mut().for_each(|it| (it.desired_count, it.running_count) = (0, 0));
    world.services.iter_mut().for_each(|it| it.autoscaling = Reading::absent("sim", "none"));
    world.tasks.clear();
    world.schedules.iter_mut().for_each(|it| it.enabled = false);
    let asked = weaker(&world);
    let report = stop_bots(&mut world, asked);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}

/// What runs on tells of itself where no row does.
#[test]
fn compute_that_is_kept_and_stands_in_no_row_is_no_halt() {
    for level in [Level::Halt, Level::ReduceOnly] {
        for tables in [true, false] {
            let mut site = bots();
            site.capabilities.strategies = tables;
            // Nobody is left to write rows or to acknowledge without a table.
            site.acknowledges = if tables { Acknowledges::None } else { Acknowledges::StopAck };
            let mut world = busy();
            world.rows.clear();
            let keep_compute = level.halts();
            let asked = world::request(&world, "r1");
            let asked = Request { level: level.clone(), keep_compute, ..asked };
            let approval = world::approval(&site, &asked);
            let mut stop = EmergencyStop::new(site, asked, Some((approval, "typed")));
            let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
            assert_eq!(report.exit, Exit::Partial, "{level} {tables}: {report:#?}");
            for subject in ["engine-1", "engine-2", "engine-3"] {
                assert_eq!(next_of(&report, subject), "tradectl emergency-stop --env sim");
            }
            assert!(!report.findings.iter().any(|it| it.subject == "data"), "it does not trade");
            assert!(proof_ms(&report) < 20_000, "{}", report.data["timing"]);
        }
    }
    // A count of 0 is no proof while something can lift it, and tasks of no service run as well.
    let mut world = busy();
    world.rows.clear();
    world.services.iter_mut().for_each(|it| (it.desired_count, it.running_count) = (0, 0));
    world.tasks.retain(|it| it.family == "job");
    let task = world.tasks[0].id.to_string();
    let asked = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_bots(&mut world, asked);
    for subject in ["engine-1", task.as_str()] {
        let named = report.findings.iter().any(|it| names(it, subject));
        assert!(named && report.exit == Exit::Partial, "{subject}: {report:#?}");
    }
}

#[test]
fn a_scope_that_needs_rows_is_no_halt_where_there_are_none() {
    let mut site = bots();
    site.capabilities.strategies = false;
    for scope in
        [Scope::Strategy("solo".into()), Scope::Strategy("a".into()), Scope::Venue(paper())]
    {
        let mut world = busy();
        let request = Request { scope, ..world::request(&world, "r1") };
        let subject = request.scope.to_string();
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site.clone(), request, Some((approval, "typed")));
        let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
        assert_eq!(report.exit, Exit::Partial, "{report:#?}");
        let next = next_of(&report, &subject);
        assert!(next.starts_with("tradectl emergency-stop --env sim"), "{next}");
    }
}
