//! What is read in part, what names nothing, and what lifts or loses something afterwards.

use super::*;
use crate::ops::{Answer, Ask, Procedure, Seen};
use crate::plan::{Act, Rung};

#[test]
fn a_single_thing_that_cannot_be_read_hides_no_other_and_is_no_halt() {
    // A trading service that is not read stays up, and its tasks are seen: that is PARTIAL.
    for (name, exit) in
        [("nightly", Exit::Unknown), ("t6", Exit::Unknown), ("engine-1", Exit::Partial)]
    {
        let mut world = SimWorld::busy();
        world.dark_single.insert(name.to_owned());
        let report = stop(&mut world);
        assert_eq!(report.exit, exit, "{name}: {:#?}", report.findings);
        assert!(!report.complete, "{name}");
        assert!(!world.schedules[0].enabled, "{name}: the one that was read is disabled");
        assert_eq!(world.services[1].desired_count, 0, "{name}: the one that was read is at 0");
        let named = report.findings.iter().any(|it| it.id == "stop.unknown" && it.subject == name);
        assert!(named, "{name}: {:#?}", report.findings);
    }
}

#[test]
fn a_service_that_does_not_trade_or_is_not_in_scope_need_not_be_read() {
    let mut world = SimWorld::busy();
    world.dark_single.insert("data".to_owned());
    assert_eq!(stop(&mut world).outcome, "HALTED", "its name tells that it is support");
    let mut world = SimWorld::busy();
    world.dark_single.insert("engine-1".to_owned());
    let scope = Scope::Service("engine-2".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{:#?}", report.findings);
    assert_eq!(world.services[0].desired_count, 1);
}

#[test]
fn a_scope_that_names_nothing_is_no_halt_and_is_not_waited_for() {
    for (scope, near) in [
        (Scope::Strategy("aa".into()), "there is no strategy `aa` here"),
        (Scope::Service("engine-3".into()), "there is no service `engine-3` here (`engine-"),
        (Scope::Venue("papr".into()), "there is no venue `papr` here (`paper` is)"),
    ] {
        let mut world = SimWorld::busy();
        let request = Request { scope: scope.clone(), ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.exit, Exit::Partial, "{scope}: {:#?}", report.findings);
        let found = report.findings.iter().find(|it| it.id == "stop.not_stopped").unwrap();
        assert_eq!(found.subject, scope.to_string());
        assert!(found.message.starts_with(near), "{found:?}");
        // The same again would do as little.
        let next = found.next.clone().unwrap();
        match &scope {
            Scope::Venue(_) => {
                assert_eq!(next, "tradectl emergency-stop --env sim --scope venue=paper");
            }
            Scope::Service(_) => {
                assert!(next.contains(" --scope service=engine-"), "{next}");
                assert!(!next.contains("engine-3"), "{next}");
            }
            _ => assert_eq!(next, "tradectl emergency-stop --env sim --scope strategy=a"),
        }
        let proof = report.data["timing"]["time_to_proof_ms"].as_i64().unwrap();
        assert!(proof < 5_000, "in the simulated time of one round: {proof} ms");
        // What cannot be read may be there.
        let mut world = SimWorld::busy();
        world.dark.extend([Query::Strategies, Query::Tasks]);
        let request = Request { scope: scope.clone(), ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.exit, Exit::Unknown, "{scope}: {:#?}", report.findings);
    }
}

#[test]
fn rows_that_say_nothing_hide_no_scope_that_names_nothing() {
    // Whatever they do: at rest, stopped with it, or not the whole list read.
    for (status, stopped) in
        [("stopped", "nothing was stopped"), ("running", "1 thing that may be")]
    {
        for acknowledges in [Acknowledges::StopAck, Acknowledges::None] {
            let site = Site { acknowledges, ..world::site() };
            let mut world = SimWorld::busy();
            let mut row = world::row("lost", status, "-");
            row.row.remove("service");
            world.rows.push(row);
            for run in ["r1", "r2"] {
                let scope = Scope::Service("engine-l".into());
                let request = Request { scope, ..world::request(&world, run) };
                let approval = world::approval(&site, &request);
                let mut stop = EmergencyStop::new(site.clone(), request, Some((approval, "typed")));
                let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
                assert_eq!(report.exit, Exit::Partial, "{report:#?}");
                let of = |it: &&Finding| it.subject == "service=engine-l";
                let found = report.findings.iter().find(of).unwrap();
                let told = "there is no service `engine-l` here (`engine-1` is): ";
                assert!(found.message.starts_with(&format!("{told}{stopped}")), "{found:?}");
            }
        }
    }
}

#[test]
fn a_scope_of_what_could_not_all_be_read_is_unknown_at_every_level() {
    for (level, keep_compute) in
        [(Level::Halt, false), (Level::Halt, true), (Level::ReduceOnly, false)]
    {
        let mut world = SimWorld::busy();
        // It tells by its name that it does not trade, and still may be what was meant.
        world.dark_single.insert("data".to_owned());
        let scope = Scope::Service("date".into());
        let asked = Request { scope, level, keep_compute, ..world::request(&world, "r1") };
        let report = stop_with(&mut world, asked, None).unwrap();
        assert_eq!(report.exit, Exit::Unknown, "{report:#?}");
    }
}

#[test]
fn where_there_is_no_table_or_no_cluster_a_scope_of_it_names_nothing() {
    for (gone, scope) in [
        (Query::Strategies, Scope::Strategy("a".into())),
        (Query::Services, Scope::Service("engine-1".into())),
    ] {
        let mut world = SimWorld::busy();
        world.orders.clear();
        world.positions.clear();
        world.tasks.clear();
        world.rows.retain(|row| row.id.as_str() == "d");
        world.rows[0].row.remove("service");
        world.absent.insert(gone);
        let request = Request { scope, ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.exit, Exit::Partial, "{report:#?}");
    }
}

#[test]
fn a_venue_that_nobody_knows_is_told_with_what_was_stopped() {
    let mut world = SimWorld::busy();
    world.rows.iter_mut().for_each(|row| _ = row.row.remove("venue"));
    let active = world.rows.iter().filter(|row| !row.status().is_at_rest()).count();
    let mut site = world::site();
    site.capabilities.venues.clear();
    let scope = Scope::Venue("binance".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    let of = |it: &&Finding| it.subject == "venue=binance";
    let found = report.findings.iter().find(of).unwrap();
    let told = format!("there is no venue `binance` here: {active} things that may be of it were");
    assert!(found.message.starts_with(&told), "{found:?}");
}

/// A table that is named and not there is no reason to say less, nor to lead to a resume.
#[test]
fn a_latch_that_has_no_table_is_told_with_what_tells_more() {
    let mut world = SimWorld::busy();
    world.absent.insert(Query::Latch);
    let request = world::request(&world, "r1");
    let report = stop_with(&mut world, request, None).unwrap();
    let found = report.findings.iter().find(|it| it.id == "stop.not_there");
    let found = found.unwrap_or_else(|| panic!("{report:#?}"));
    assert!(found.message.contains("nothing keeps others from starting"), "{found:?}");
    assert_eq!(found.next.as_deref(), Some("tradectl doctor --env sim"));
    let page = format!("{:?}", report.body);
    assert!(!page.contains("resume stop-"), "{page}");
    // Whoever runs was ended.
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}

/// Where nobody is ended the latch alone would hold whoever runs, and he may read another one.
#[test]
fn a_latch_that_has_no_table_holds_nobody_who_runs_on() {
    type Change = fn(&mut Request);
    let weaker: [Change; 3] = [
        |it| it.level = Level::ReduceOnly,
        |it| it.keep_compute = true,
        |it| it.scope = Scope::Venue(paper()),
    ];
    for change in weaker {
        let mut world = SimWorld::busy();
        world.absent.extend([Query::Latch, Query::Strategies]);
        let mut request = world::request(&world, "r1");
        change(&mut request);
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.exit, Exit::Unknown, "{report:#?}");
        let found =
            report.findings.iter().find(|it| it.id == "stop.unknown" && it.subject == "latch");
        assert_eq!(found.unwrap().next.as_deref(), Some("tradectl doctor --env sim"));
    }
}

/// Who runs a strategy stays unknown; that it acknowledges tells enough, and may come yet.
#[test]
fn tasks_that_may_not_be_listed_end_no_waiting_for_who_may_acknowledge() {
    let mut world = SimWorld::busy();
    world.denied.insert(Query::Tasks);
    world.hung.insert("a".into());
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let (site, since) = (world::site(), world.now);
    let approval = world::approval(&site, &request);
    let late = since + jiff::SignedDuration::from_secs(60);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = world::drive_beside(&mut world, &mut stop, |world, _| {
        if world.now > late {
            world.hung.clear();
        }
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}

/// Who cannot be told keeps nobody from the proof.
#[test]
fn a_notice_that_hangs_does_not_put_the_proof_off() {
    let proof = |slow: bool| {
        let mut world = SimWorld::busy();
        let notice = |ask: &crate::ops::Ask| {
            let is_notice = |(_, act): &(_, Act)| matches!(act, Act::Notify { .. });
            matches!(ask, crate::ops::Ask::Act(acts) if acts.iter().any(is_notice))
        };
        world.slow = slow.then(|| (notice as _, world.now + jiff::SignedDuration::from_secs(60)));
        let report = stop(&mut world);
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        report.data["timing"]["time_to_proof_ms"].as_i64().unwrap()
    };
    let (prompt, hanging) = (proof(false), proof(true));
    assert!(hanging < prompt + 5_000, "{prompt} {hanging}");
}

#[test]
fn a_venue_that_only_rows_name_is_there() {
    let mut world = SimWorld::busy();
    let mut site = world::site();
    site.capabilities.venues.clear();
    let request = Request { scope: Scope::Venue(paper()), ..world::request(&world, "r1") };
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(statuses(&world).values().all(|status| status == "stopped"), "{world:#?}");
}

#[test]
fn where_no_name_is_near_the_way_back_is_told() {
    let mut world = SimWorld::busy();
    let scope = Scope::Service("xyzzy-plugh".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    let found = report.findings.iter().find(|it| it.id == "stop.not_stopped").unwrap();
    assert_eq!(found.next.as_deref(), Some("tradectl resume stop-r1 --env sim --reason …"));
}

#[test]
fn time_before_the_first_question_counts_and_takes_no_patience_from_the_latch() {
    let mut world = SimWorld::busy();
    let request = world::request(&world, "r1");
    world.now += jiff::SignedDuration::from_secs(3);
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{:#?}", report.findings);
    let latch = report.data["timing"]["time_to_latch_ms"].as_i64().unwrap();
    assert!(latch >= 3_000, "{latch} ms");
    let first = world.applied.first().unwrap();
    assert!(first.starts_with("write the latch"), "nothing came before it: {first}");
}

#[test]
fn an_owner_whose_task_was_not_read_is_not_gone() {
    let mut world = SimWorld::busy();
    world.hung.extend(["a", "b", "c"].map(StrategyId::from));
    world.dark_single.insert("t1".to_owned());
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.exit, Exit::Unknown, "{:#?}", report.findings);
    let unknown = || report.findings.iter().filter(|it| it.id == "stop.unknown");
    let found = unknown().find(|it| it.message.contains("not acknowledged"));
    let found = found.unwrap_or_else(|| panic!("{report:#?}"));
    assert!(found.message.contains("not acknowledged, and t1: unreachable"), "{found:?}");
    assert_eq!(found.subject, "a, b, c", "the cause is told once, with the names");
    let subjects: Vec<_> = report.data["unknown"].as_array().unwrap().iter().collect();
    assert!(subjects.iter().any(|it| it["subject"] == "a"), "{subjects:?}");
}

#[test]
fn of_many_that_are_not_known_for_one_cause_each_is_named() {
    let mut world = SimWorld::busy();
    let ids = ["a", "b", "c", "g", "h", "i", "j"];
    world.rows.extend(ids[3..].iter().map(|id| world::row(id, "running", "engine-1")));
    world.hung.extend(ids.map(StrategyId::from));
    world.dark_single.insert("t1".to_owned());
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    let found = report.findings.iter().find(|it| it.message.contains("not acknowledged")).unwrap();
    assert_eq!(found.subject, "a, b, c, g, h and 2 more");
    assert_eq!(found.evidence, ["a, b, c, g, h, i, j"]);
}

#[test]
fn a_schedule_that_scales_a_trading_service_is_disabled_and_comes_back() {
    let scales = |service: &str| crate::model::ScheduleTarget::Service {
        cluster: "sim".into(),
        service: service.into(),
    };
    let of = |world: &SimWorld, service: &str| Schedule {
        id: format!("lifts-{service}").as_str().into(),
        targets: vec![scales(service)],
        ..world.schedules[0].clone()
    };
    let mut world = SimWorld::busy();
    let lifts = ["engine-1", "data", "by-family"].map(|it| of(&world, it));
    world.schedules.extend(lifts);
    // Classified only by what it runs.
    let mut by_family = world.services[1].clone();
    (by_family.name, by_family.desired_count) = ("by-family".into(), 0);
    (by_family.running_count, by_family.family) = (0, "job".into());
    world.services.push(by_family);
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{:#?}", report.findings);
    let enabled: Vec<bool> = world.schedules.iter().map(|it| it.enabled).collect();
    assert_eq!(enabled, [false, true, false, true, false], "only what does not trade goes on");
    assert_eq!(recorded(&world)["schedule=lifts-engine-1"], "enabled");
    // One service's stop disables what scales it and nothing else.
    let mut world = SimWorld::busy();
    let lifts = ["engine-1", "engine-2"].map(|it| of(&world, it));
    world.schedules.extend(lifts);
    let scope = Scope::Service("engine-2".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    stop_with(&mut world, request, None).unwrap();
    assert!(world.schedules[2].enabled && !world.schedules[3].enabled);
}

#[test]
fn what_a_resume_does_not_bring_back_whole_is_said_before_and_recorded() {
    let mut world = SimWorld::busy();
    world.schedules[0].loses = Some("half of it".into());
    let request = world::request(&world, "r0");
    let mut dry = EmergencyStop::new(world::site(), request, None);
    let shown = drive(&mut world.clone(), &mut dry, None, |_| 0).unwrap();
    let report = stop(&mut world);
    for report in [&shown, &report] {
        let found = report.findings.iter().find(|it| it.id == "stop.not_whole");
        assert!(found.is_some_and(|it| it.message.ends_with("half of it")), "{report:#?}");
    }
    assert_eq!(report.outcome, "HALTED", "{:#?}", report.findings);
    let items = world.chunks.iter().flat_map(|chunk| &chunk.items);
    let losing: Vec<String> =
        items.filter(|it| it.loses.is_some()).map(|it| it.subject.to_string()).collect();
    assert_eq!(losing, ["schedule=jobs"]);
}

#[test]
fn what_nothing_places_is_named_and_what_is_typed_next_would_end_it() {
    let mut world = SimWorld::busy();
    let mut row = world::row("lost", "running", "x");
    row.row.remove("service");
    world.rows.push(row);
    let scope = Scope::Service("engine-1".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let mut site = world::site();
    site.acknowledges = Acknowledges::None;
    // Before anybody agrees to it.
    let mut planned = EmergencyStop::new(site.clone(), request.clone(), None);
    let plan = drive(&mut world.clone(), &mut planned, None, |_| 0).unwrap();
    let named: Vec<&str> = plan
        .findings
        .iter()
        .filter(|it| it.id == "stop.unplaced")
        .map(|it| it.subject.as_str())
        .collect();
    assert_eq!(named, ["lost"], "{:#?}", plan.findings);
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let of = |id: &str| report.findings.iter().find(|it| it.id == id && it.subject == "lost");
    for id in ["stop.unplaced", "stop.not_stopped"] {
        let next =
            of(id).and_then(|it| it.next.as_deref()).unwrap_or_else(|| panic!("{report:#?}"));
        assert!(!next.contains("service="), "{next}");
    }
}

#[test]
fn a_plan_is_told_in_the_order_of_its_rungs_whatever_was_read_first() {
    let mut world = SimWorld::busy();
    let request = world::request(&world, "r1");
    let mut stop = EmergencyStop::new(world::site(), request, None);
    let (mut late, mut report) = (Vec::new(), None);
    for _ in 0..1000 {
        let wants = stop.wants(world.now);
        if wants.is_empty() {
            // What was kept back comes last: the rows are seen after the services.
            for (ticket, ask) in std::mem::take(&mut late) {
                let answer = world.answer(ask);
                stop.give(world.now, ticket, answer);
            }
        }
        for want in wants {
            if matches!(want.ask, Ask::Read(Query::Strategies | Query::Schedules)) {
                late.push((want.ticket, want.ask));
                continue;
            }
            let answer = world.answer(want.ask);
            stop.give(world.now, want.ticket, answer);
        }
        report = stop.outcome(world.now);
        if report.is_some() {
            break;
        }
    }
    let report = report.expect("a plan");
    let rungs: Vec<String> = report
        .body
        .iter()
        .find_map(|block| match block {
            crate::report::Block::Table { columns, rows } if columns[0] == "rung" => {
                Some(rows.iter().map(|row| row[0].text.clone()).collect())
            }
            _ => None,
        })
        .expect("a table");
    let place = |name: &String| Rung::ALL.iter().position(|it| it.as_str() == name).unwrap();
    let mut sorted = rungs.clone();
    sorted.sort_by_key(place);
    assert_eq!(rungs, sorted);
    let steps = |name: &str| rungs.iter().filter(|it| *it == name).count();
    assert!(steps("strategies") > 1 && steps("compute") > 1, "{rungs:?}");
}

#[test]
fn a_dry_run_where_nothing_is_deployed_is_refused_as_the_stop_is() {
    let mut world = SimWorld::busy();
    let request = world::request(&world, "r1");
    let mut stop = EmergencyStop::new(world::site(), request, None);
    let now = world.now;
    let report = (0..1000).find_map(|_| {
        for want in stop.wants(now) {
            let none = "ResourceNotFoundException";
            let answer = match &want.ask {
                Ask::Read(Query::Services) => {
                    let seen = Seen::Services(Reading::absent("cluster c", none));
                    Answer::Read(Box::new(seen))
                }
                Ask::Read(Query::Strategies) => {
                    let seen = Seen::Strategies(Reading::absent("table t", none));
                    Answer::Read(Box::new(seen))
                }
                _ => world.answer(want.ask),
            };
            stop.give(now, want.ticket, answer);
        }
        stop.outcome(now)
    });
    let report = report.expect("an outcome");
    assert_eq!((report.outcome.as_str(), report.exit), ("not deployed", Exit::Settings));
    assert_eq!(report.errors[0].hint.as_deref(), Some("tradectl doctor --env sim"));
    for what in ["cluster c", "table t"] {
        assert!(report.errors[0].message.contains(what), "{:?}", report.errors[0]);
    }
}

#[test]
fn a_dry_run_plans_the_same_in_whatever_order_the_answers_come() {
    let planned = |pick: &dyn Fn(usize) -> usize| {
        let mut world = SimWorld::busy();
        world.read_only = true;
        let request = world::request(&world, "r1");
        let mut dry = EmergencyStop::new(world::site(), request, None);
        let report = drive(&mut world, &mut dry, None, pick).unwrap();
        let body = format!("{:?}", report.body);
        assert!(body.contains("set desired count of engine-1"), "{body}");
        body.matches("stop task").count()
    };
    assert_eq!(planned(&|_| 0), planned(&|open| open - 1));
    for shift in 1..12 {
        assert_eq!(planned(&|_| 0), planned(&|_| shift), "{shift}");
    }
}

/// What is seen too late not to exist does not undo what was done before.
#[test]
fn where_nothing_is_deployed_nobody_says_that_nothing_was_done() {
    for (schedules, told) in [(true, "journal show r1"), (false, "nothing was stopped")] {
        let mut world = SimWorld::busy();
        world.latch_broken = true;
        if !schedules {
            world.schedules.clear();
            world.orders.clear();
        }
        let request = world::request(&world, "r1");
        let approval = world::approval(&world::site(), &request);
        let mut stop = EmergencyStop::new(world::site(), request, Some((approval, "typed")));
        let report = loop {
            for want in stop.wants(world.now) {
                let none = "there is none";
                let answer = match want.ask {
                    Ask::Read(Query::Strategies) => {
                        Answer::Read(Box::new(Seen::Strategies(Reading::absent("table", none))))
                    }
                    Ask::Read(Query::Services) => {
                        Answer::Read(Box::new(Seen::Services(Reading::absent("cluster", none))))
                    }
                    ask => world.answer(ask),
                };
                stop.give(world.now, want.ticket, answer);
            }
            if let Some(report) = stop.outcome(world.now) {
                break report;
            }
            world.now += jiff::SignedDuration::from_millis(20);
        };
        assert_eq!(report.exit, Exit::Settings, "{report:#?}");
        assert!(report.errors[0].message.contains(told), "{report:#?}");
    }
}

/// A stop of which some acts are answered by somebody else than the world.
fn stop_failing(world: &mut SimWorld, mut fails: impl FnMut(&Act) -> Option<Written>) -> Report {
    let request = world::request(world, "r1");
    let approval = world::approval(&world::site(), &request);
    let mut stop = EmergencyStop::new(world::site(), request, Some((approval, "typed")));
    loop {
        for want in stop.wants(world.now) {
            let answer = match want.ask {
                Ask::Act(acts) => {
                    let mut answers = Vec::new();
                    for (id, act) in acts {
                        match fails(&act) {
                            Some(failed) => answers.push((id, failed)),
                            None => match world.answer(Ask::Act(vec![(id, act)])) {
                                Answer::Acted(answer) => answers.extend(answer),
                                other => panic!("{other:?}"),
                            },
                        }
                    }
                    Answer::Acted(answers)
                }
                ask => world.answer(ask),
            };
            stop.give(world.now, want.ticket, answer);
        }
        if let Some(report) = stop.outcome(world.now) {
            return report;
        }
        world.now += jiff::SignedDuration::from_millis(20);
        world.live();
    }
}

/// What still trades, by where it belongs, with why it could not be changed.
fn not_stopped<'a>(report: &'a Report, subject: &str) -> Vec<&'a Finding> {
    let on_it = |it: &&Finding| it.id == "stop.not_stopped" && it.subject == subject;
    report.findings.iter().filter(on_it).collect()
}

/// A stop that may not do something says so where it tells what still trades, and sends to the
/// permission and not to the same denial.
#[test]
fn what_was_denied_is_told_with_what_it_left_trading() {
    let why = "needs the permission to update services";
    let mut world = SimWorld::busy();
    let report = stop_failing(&mut world, |act| {
        let denied = Written::Denied { why: why.to_owned() };
        matches!(act, Act::SetDesired { .. }).then_some(denied)
    });
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let found = not_stopped(&report, "engine-2")[0];
    assert_eq!(found.evidence, [format!("denied: {why}")]);
    assert_eq!(found.next.as_deref(), Some("tradectl iam-policy --env sim --emergency-stop"));
}

/// A strategy that is called as a service is has not failed because that did.
#[test]
fn what_failed_for_a_service_is_not_told_of_a_strategy_of_its_name() {
    let mut world = SimWorld::busy();
    world.rows.push(world::row("engine-2", "running", "engine-2"));
    world.hung.insert("engine-2".into());
    let report = stop_failing(&mut world, |act| {
        let denied = Written::Denied { why: "no".to_owned() };
        matches!(act, Act::SetDesired { .. }).then_some(denied)
    });
    let found = not_stopped(&report, "engine-2");
    let told = |strategy: bool| {
        let mut found = found.iter().filter(|it| it.message.contains("acknowledged") == strategy);
        found.next().unwrap_or_else(|| panic!("{report:#?}")).evidence.clone()
    };
    assert_eq!(told(false), ["denied: no"]);
    assert_eq!(told(true), Vec::<String>::new());
}

/// Of many attempts the last one tells why, and none that another one mended.
#[test]
fn why_something_still_trades_is_told_by_the_last_attempt() {
    let mut world = SimWorld::busy();
    world.hung.insert("a".into());
    let (mut attempts, mut refused) = (0, false);
    let report = stop_failing(&mut world, |act| {
        let why = match act {
            Act::SetSchedule { .. } => {
                attempts += 1;
                format!("attempt {attempts}")
            }
            Act::SetStatus(_) if act.is_on("a") && !refused => {
                refused = true;
                "for once".to_owned()
            }
            // What runs it stays.
            Act::SetDesired { .. } => "whatever".to_owned(),
            _ => return None,
        };
        Some(Written::Unreachable { why })
    });
    assert!(attempts > 10, "{attempts}");
    let evidence = &not_stopped(&report, "jobs")[0].evidence;
    assert_eq!(*evidence, [format!("unreachable: attempt {attempts}")]);
    assert!(refused && not_stopped(&report, "a")[0].evidence.is_empty(), "{report:#?}");
}

/// What was seen before it was disabled says nothing of it.
#[test]
fn a_schedule_that_was_disabled_and_not_seen_since_is_not_said_to_be_enabled() {
    let mut world = SimWorld::busy();
    let (site, request) = (world::site(), world::request(&world, "r1"));
    let approval = world::approval(&site, &request);
    let after = request.deadline_at + jiff::SignedDuration::from_mins(1);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let late = |ask: &Ask| *ask == Ask::Read(Query::Schedules);
    let report = world::drive_beside(&mut world, &mut stop, |world, ask| {
        if matches!(ask, Ask::Act(acts) if acts.iter().any(|(_, it)| matches!(it, Act::SetSchedule { .. })))
        {
            world.slow = Some((late, after));
        }
    });
    assert_ne!(report.outcome, "HALTED", "{report:#?}");
    let jobs = report.findings.iter().find(|it| it.subject == "jobs").unwrap();
    assert_eq!(
        (jobs.id.as_str(), jobs.message.as_str()),
        ("stop.unknown", "was disabled, and not seen since")
    );
}

#[test]
fn what_is_to_be_tried_again_does_not_wait_for_a_latch_that_hangs() {
    let mut world = SimWorld::busy();
    let (site, request) = (world::site(), world::request(&world, "r1"));
    let approval = world::approval(&site, &request);
    let begun = world.now;
    let since = |world: &SimWorld| world.now.duration_since(begun).as_millis();
    let latch = |ask: &Ask| *ask == Ask::Read(Query::Latch);
    world.slow = Some((latch, begun + jiff::SignedDuration::from_secs(31)));
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let (mut undone, mut disabled_at, mut asked) = (false, Vec::new(), 0);
    let report = world::drive_beside(&mut world, &mut stop, |world, ask| {
        match ask {
            Ask::Act(acts) => {
                let disables = |(_, act): &(_, Act)| matches!(act, Act::SetSchedule { .. });
                disabled_at.extend(acts.iter().filter(|it| disables(it)).map(|_| since(world)));
            }
            Ask::Read(Query::Schedules) if since(world) < 31_000 => asked += 1,
            _ => {}
        }
        // Somebody enables it again while the latch hangs.
        if !undone && !world.schedules[0].enabled && since(world) > 3_000 {
            world.schedules[0].enabled = true;
            undone = true;
        }
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(
        matches!(disabled_at[..], [first, again] if first < 3_000 && again < 9_000),
        "{disabled_at:?}"
    );
    assert!(asked <= 4, "what hangs is not made worse: {asked} times");
}
