//! One service or one strategy alone.

use super::*;
use std::collections::BTreeSet;

fn service(name: &str) -> About {
    About::Service(name.into())
}

fn strategy(id: &str) -> About {
    About::Strategy(id.into())
}

fn of(about: About) -> StatusRequest {
    StatusRequest { about, ..request() }
}

/// The report, and everything that was asked for it.
fn asked(world: &mut SimWorld, request: StatusRequest) -> (Report, Vec<Query>) {
    let (mut status, mut queries) = (Status::new(request), Vec::new());
    loop {
        let wants = status.wants(world.now);
        assert!(!wants.is_empty(), "no report, and nothing is asked");
        for want in wants {
            let crate::ops::Ask::Read(query) = want.ask else { panic!("{want:?}") };
            let seen = world.read(&query);
            queries.push(query);
            status.give(world.now, want.ticket, Answer::Read(Box::new(seen)));
        }
        if let Some(report) = status.outcome(world.now) {
            return (report, queries);
        }
    }
}

fn body(report: &Report) -> String {
    format!("{:?}", report.body)
}

#[test]
fn a_service_alone_takes_four_questions_and_says_what_it_has_not_asked() {
    let mut world = well();
    let (report, queries) = asked(&mut world, of(service("engine-1")));
    let name = || "engine-1".into();
    let wanted =
        [Query::Service(name()), Query::ServiceTasks(name()), Query::Supervision, Query::Latch];
    assert_eq!(queries, wanted);
    assert_eq!((report.outcome.as_str(), report.exit), ("healthy", Exit::Ok), "{report:#?}");
    assert_eq!((report.complete, report.only.as_deref()), (true, Some("service=engine-1")));
    let data = &report.data;
    assert_eq!(data["scope"], "service=engine-1");
    assert_eq!(data["services"].as_array().map(Vec::len), Some(1));
    assert_eq!(data["services"][0]["autoscaling"]["max_capacity"], 3);
    let tasks = data["tasks"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap());
    assert_eq!(tasks.collect::<Vec<_>>(), ["t1"]);
    for part in
        ["/strategies", "/schedules", "/positions", "/orders/paper", "/orders_outcome_unknown"]
    {
        let state = &data.pointer(part).unwrap()["state"];
        assert_eq!(state, "outside_scope", "{part}: neither empty nor healthy");
    }
    let said = body(&report);
    let line = "outside service=engine-1, and not asked: schedules, strategies table, leases, \
                restore records, journals of this machine, positions table, orders table, \
                venue paper";
    assert!(said.contains(line), "{said}");
    assert!(said.contains("scaling 1 to 3") && said.contains("RUNNING"), "{said}");
}

#[test]
fn everything_else_may_be_dark_or_wrong_without_a_word_about_it() {
    let mut world = well();
    world.rows.push(row("f", "runing", "engine-2"));
    world.services[1].running_count = 0;
    world.dark.extend([Query::Schedules, Query::Strategies, Query::Positions]);
    let (report, _) = asked(&mut world, of(service("engine-1")));
    assert_eq!((report.exit, ids(&report)), (Exit::Ok, vec![""; 0]), "{report:#?}");
    let (report, _) = asked(&mut world, of(service("engine-2")));
    assert_eq!((report.exit, ids(&report)), (Exit::No, vec!["service.below_desired"]));
    for query in [Query::Service("engine-1".into()), Query::ServiceTasks("engine-1".into())] {
        let mut world = well();
        world.dark.insert(query.clone());
        let (report, _) = asked(&mut world, of(service("engine-1")));
        assert_eq!((report.exit, report.complete), (Exit::Incomplete, false), "{query:?}");
    }
}

#[test]
fn a_strategy_alone_is_read_with_what_its_row_says_runs_it() {
    let mut world = well();
    world.stored_orders = vec![
        OrderRow { id: "x1".into(), row: Row::default().with_text("strategy_id", "a") },
        OrderRow { id: "x2".into(), row: Row::default().with_text("strategy_id", "d") },
        OrderRow { id: "x3".into(), row: Row::default() },
    ];
    let (report, queries) = asked(&mut world, of(strategy("a")));
    assert!(queries.contains(&Query::Service("engine-1".into())), "{queries:?}");
    let whole = [Query::Strategies, Query::Services, Query::Leases, Query::Schedules];
    assert!(!queries.iter().any(|it| whole.contains(it)), "{queries:?}");
    let data = &report.data;
    assert_eq!(data["scope"], "strategy=a");
    let list = |part: &str, key: &str| -> Vec<String> {
        let list =
            data.pointer(part).and_then(|it| it.as_array()).unwrap_or_else(|| panic!("{part}"));
        list.iter().map(|it| it.pointer(key).unwrap().as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("/strategies", "/strategy"), ["a"]);
    assert_eq!(list("/services", "/name"), ["engine-1"]);
    assert_eq!(list("/tasks", "/id"), ["t1"]);
    assert_eq!(list("/positions", "/strategy"), ["a"]);
    let resting: BTreeSet<String> =
        list("/orders/paper", "/order/client_order_id").into_iter().collect();
    assert_eq!(resting, ["o1", "o2"].map(str::to_owned).into());
    // Whose the third one is, nobody can tell: it is not left out.
    assert_eq!(list("/orders_outcome_unknown", ""), ["x1", "x3"]);
    assert_eq!(data["schedules"]["state"], "outside_scope");
    let subjects: Vec<&str> = report.findings.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(subjects, ["x1", "x3"], "{report:#?}");
}

#[test]
fn what_is_found_of_one_is_what_is_found_of_it_among_all() {
    let mut world = well();
    world.orders.retain(|order| order.order.purpose != OrderPurpose::Protective);
    world.engines_beat = false;
    world.now += SignedDuration::from_secs(500);
    world.services[0].desired_count = 0;
    world.tasks.retain(|task| task.service != Some("engine-1".into()));
    let whole = status(&mut world);
    let among: Vec<&Finding> = whole.findings.iter().filter(|it| it.subject == "a").collect();
    assert!(among.iter().any(|it| it.id == "position.unprotected"), "{among:?}");
    let (alone, _) = asked(&mut world, of(strategy("a")));
    let its: Vec<&Finding> = alone.findings.iter().filter(|it| it.subject == "a").collect();
    assert_eq!(its, among);
    assert!(alone.findings.iter().all(|it| it.subject != "d"), "{alone:#?}");
}

#[test]
fn a_name_that_is_not_there_is_refused_with_the_one_that_may_be_meant() {
    for (about, hint) in [
        (service("engnie-1"), "--scope service=engine-1, or --scope all"),
        (service("xyzzy"), "--scope all shows everything"),
        (strategy("aa"), "--scope strategy=a, or --scope all"),
    ] {
        let (report, _) = asked(&mut well(), of(about.clone()));
        assert_eq!((report.outcome.as_str(), report.exit), ("refused", Exit::Refused), "{about}");
        let problem = &report.errors[0];
        assert_eq!((problem.code.as_str(), problem.hint.as_deref()), ("scope.unknown", Some(hint)));
    }
    // What could not be read is not known to be missing.
    let mut dark = well();
    dark.dark_single.insert("engine-1".to_owned());
    let (report, _) = asked(&mut dark, of(service("engine-1")));
    assert_eq!((report.exit, report.errors.len()), (Exit::Incomplete, 0), "{report:#?}");
}

#[test]
fn names_that_cannot_be_listed_leave_a_refusal_a_refusal() {
    let mut world = well();
    world.dark.insert(Query::Services);
    let (report, _) = asked(&mut world, of(service("engnie-1")));
    assert_eq!((report.exit, report.errors[0].code.as_str()), (Exit::Refused, "scope.unknown"));
    let mut status = Status::new(of(service("engnie-1")));
    for want in status.wants(start()) {
        let crate::ops::Ask::Read(query) = want.ask else { panic!("{want:?}") };
        status.give(start(), want.ticket, Answer::Read(Box::new(world.read(&query))));
    }
    assert!(status.outcome(start()).is_none(), "it asks for names");
    status.interrupt(start(), "the deadline passed");
    assert_eq!(status.outcome(start()).unwrap().exit, Exit::Refused);
}

#[test]
fn only_a_hold_that_may_cover_it_is_told() {
    let told = |about: About, scope: Scope| {
        let mut world = well();
        let one = Hold { scope, ..hold(Phase::Held, Level::ReduceOnly) };
        world.latch = world.latch.next(vec![one]);
        let (report, _) = asked(&mut world, of(about));
        let held = ids(&report).contains(&"latch.held");
        assert_eq!(report.outcome == "held", held, "{report:#?}");
        let line = if held { "latch: HELD" } else { "latch: free here (1 others" };
        assert!(body(&report).contains(line), "{}", body(&report));
        held
    };
    let in_service = |name: &str| Scope::Service(name.into());
    assert!(told(service("engine-1"), Scope::All) && told(strategy("a"), Scope::All));
    assert!(told(service("engine-1"), in_service("engine-1")));
    assert!(!told(service("engine-1"), in_service("engine-2")));
    // It may run that strategy: nobody has looked.
    assert!(told(service("engine-2"), Scope::Strategy("a".into())));
    assert!(told(strategy("a"), in_service("engine-1")));
    assert!(!told(strategy("a"), in_service("engine-2")));
    assert!(!told(strategy("a"), Scope::Strategy("d".into())));
}

#[test]
fn of_holds_over_each_other_the_one_to_resume_first_is_typed() {
    let mut world = well();
    let whole = hold(Phase::Held, Level::ReduceOnly);
    let one = Hold {
        stop_id: "stop-2".into(),
        scope: Scope::Service("engine-1".into()),
        ..whole.clone()
    };
    world.latch = world.latch.next(vec![one, whole]);
    let report = status(&mut world);
    let next = report.findings.iter().filter(|it| it.id == "latch.held").map(|it| it.next.clone());
    let first = || Some("tradectl resume stop-1 --reason … --env sim".to_owned());
    assert_eq!(next.collect::<Vec<_>>(), [first(), first()]);
}

#[test]
fn a_row_that_names_nobody_is_run_by_nobody_known() {
    let mut world = well();
    world.rows[0].row.remove(StrategyRow::SERVICE);
    let (report, queries) = asked(&mut world, of(strategy("a")));
    assert!(!queries.iter().any(|it| matches!(it, Query::Service(_))), "{queries:?}");
    for part in ["services", "tasks", "supervision"] {
        assert_eq!(report.data[part]["state"], "not_known", "{part}: {}", report.data[part]);
    }
    assert!(body(&report).contains("not known: its row names neither"), "{}", body(&report));
    // One that names a task is run by that task's service.
    world.rows[0].row.set(StrategyRow::TASK_ID, Attr::text("t1"));
    let (report, _) = asked(&mut world, of(strategy("a")));
    assert_eq!(report.data["services"][0]["name"], "engine-1");
    // A row that was not read names nothing either.
    world.dark.insert(Query::Strategy("a".into()));
    let (report, _) = asked(&mut world, of(strategy("a")));
    assert_eq!((report.exit, report.complete), (Exit::Incomplete, false));
    assert_eq!(report.data["tasks"]["why"], "its row was not read");
}

#[test]
fn nothing_of_the_system_is_nothing_of_its_parts() {
    let at = |about: About| {
        let mut status = Status::new(of(about));
        for want in status.wants(start()) {
            let seen = match want.ask {
                crate::ops::Ask::Read(Query::Service(_)) => {
                    Seen::Services(Reading::absent("services", "no cluster"))
                }
                crate::ops::Ask::Read(Query::Strategy(_)) => {
                    Seen::Strategies(Reading::absent("strategies table", "no table"))
                }
                crate::ops::Ask::Read(query) => query.unreachable("nobody asked"),
                other => panic!("{other:?}"),
            };
            status.give(start(), want.ticket, Answer::Read(Box::new(seen)));
        }
        status.outcome(start()).unwrap()
    };
    for about in [service("engine-1"), strategy("a")] {
        let report = at(about);
        assert_eq!((report.outcome.as_str(), report.exit), ("not deployed", Exit::Settings));
    }
}

#[test]
fn the_rest_of_a_page_is_asked_for_in_the_same_scope() {
    let mut world = well();
    let more = (0..20).map(|number| {
        let mut task = world.tasks[0].clone();
        task.id = format!("u{number}").as_str().into();
        task
    });
    let more: Vec<Task> = more.collect();
    world.tasks.extend(more);
    let (report, _) = asked(&mut world, of(service("engine-1")));
    let again = "tradectl status --all --scope service=engine-1 --env sim";
    assert!(body(&report).contains(&format!("… and 9 more: {again}")), "{}", body(&report));
    assert_eq!(report.fold.map(|it| it.all).as_deref(), Some(again));
}
