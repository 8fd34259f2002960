use super::*;
use crate::model::*;
use crate::ops::world::{SimWorld, drive, order, row, site, start};
use crate::ops::{Query, Seen};
use crate::report::{Exit, Told};
use jiff::SignedDuration;

fn request() -> StatusRequest {
    StatusRequest {
        site: site(),
        about: About::Everything,
        lacks: vec!["metrics".to_owned()],
        cluster: None,
        all: false,
    }
}

fn status(world: &mut SimWorld) -> Report {
    status_of(world, request())
}

fn status_of(world: &mut SimWorld, request: StatusRequest) -> Report {
    world.read_only = true;
    drive(world, &mut Status::new(request), None, |_| 0).unwrap()
}

/// Everything runs and beats.
fn well() -> SimWorld {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    world.rows = vec![beating("a"), beating("d")];
    world.services.iter_mut().for_each(|service| service.running_count = service.desired_count);
    world.orders.push(order("o4", "d", OrderPurpose::Protective, start()));
    world
}

fn beating(id: &str) -> StrategyRow {
    let mut row = row(id, "running", "engine-1");
    row.row.set(StrategyRow::LAST_HEARTBEAT, Attr::text(start().to_string()));
    row
}

fn ids(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.id.as_str()).collect()
}

fn hold(phase: Phase, level: Level) -> Hold {
    Hold {
        stop_id: "stop-1".into(),
        level,
        scope: Scope::All,
        reason: "test".into(),
        actor: "tester".into(),
        at: start(),
        phase,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    }
}

#[test]
fn all_is_well() {
    let report = status(&mut well());
    assert_eq!(
        (report.outcome.as_str(), report.exit, report.complete),
        ("healthy", Exit::Ok, true)
    );
    assert_eq!(ids(&report), [""; 0]);
    assert_eq!(report.data["positions"][0]["protection"], "venue order");
    assert_eq!(report.data["not_covered"][0], "metrics");
    assert_eq!(report.data["strategies"][0]["pulse"], "fresh");
    let page = format!("{:?}", report.body);
    assert!(page.contains("Tasks of no service") && page.contains("\"t5\""), "{page}");
}

#[test]
fn every_read_that_fails_is_shown_and_is_no_health() {
    let venue = || VenueName::from("paper");
    let reads = [
        (Query::Latch, "/latch"),
        (Query::LooseChunks, "/left_behind"),
        (Query::Strategies, "/strategies"),
        (Query::Services, "/services"),
        (Query::Tasks, "/tasks"),
        (Query::Supervision, "/supervision"),
        (Query::Schedules, "/schedules"),
        (Query::Leases, "/unread/0"),
        (Query::Positions, "/unread/0"),
        (Query::StoredOrders, "/orders_outcome_unknown"),
        (Query::VenueOrders(venue()), "/orders/paper"),
        (Query::VenuePositions(venue()), "/unread/0"),
    ];
    for (query, place) in reads {
        let mut world = well();
        world.positions.clear();
        world.dark.insert(query.clone());
        if query == Query::Leases {
            continue; // The test world has no leases to lose.
        }
        let report = status(&mut world);
        assert_eq!((report.exit, report.complete), (Exit::Incomplete, false), "{query:?}");
        assert!(ids(&report).contains(&"read.unreachable"), "{query:?}: {:?}", ids(&report));
        let shown = report.data.pointer(place).unwrap();
        assert_eq!(shown["state"], "unreachable", "{query:?}: {shown}");
        assert_eq!(report.data["unread"].as_array().unwrap().len(), 1, "{query:?}");
    }
}

#[test]
fn a_single_thing_that_is_not_known_is_no_health_and_hides_no_other() {
    for (list, name) in [("schedules", "jobs"), ("services", "engine-1"), ("tasks", "t5")] {
        let mut world = well();
        world.dark_single.insert(name.to_owned());
        let report = status(&mut world);
        assert_eq!((report.exit, report.complete), (Exit::Incomplete, false), "{name}");
        assert_eq!(ids(&report), ["read.unreachable"], "{name}");
        assert!(report.data[list].as_array().is_some_and(|it| !it.is_empty()), "{name}");
        let line = format!("not known: {name}: unreachable: dark");
        assert!(format!("{:?}", report.body).contains(&line), "{name}");
        assert_eq!(report.data["unread"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[test]
fn an_engine_whose_task_is_not_known_is_neither_well_nor_gone() {
    let mut world = well();
    world.orders.retain(|order| order.order.purpose != OrderPurpose::Protective);
    world.dark_single.insert("t1".to_owned());
    let report = status(&mut world);
    let found = report.findings.iter().find(|it| it.id == "position.engine_unknown");
    assert!(found.is_some_and(|it| it.message.contains("t1: unreachable")), "{report:#?}");
}

#[test]
fn known_trouble_wins_over_what_is_not_known() {
    let mut world = well();
    world.rows.push(row("f", "runing", "engine-2"));
    world.dark.insert(Query::Schedules);
    let report = status(&mut world);
    assert_eq!(
        (report.outcome.as_str(), report.exit, report.complete),
        ("attention", Exit::No, false)
    );
    assert_eq!(ids(&report), ["heartbeat.unparsed", "read.unreachable"]);
}

#[test]
fn a_position_without_a_protective_order_is_worst_when_its_engine_is_silent() {
    let mut world = well();
    world.orders.retain(|order| order.order.purpose != OrderPurpose::Protective);
    let report = status(&mut world);
    assert_eq!(ids(&report), ["position.engine_only"; 2]);
    assert_eq!(report.exit, Exit::Ok);

    world.engines_beat = false;
    world.now += SignedDuration::from_secs(500);
    let report = status(&mut world);
    assert_eq!(ids(&report)[..2], ["position.unprotected"; 2]);
    assert_eq!((report.findings[0].severity, report.exit), (Severity::Critical, Exit::No));
    assert_eq!(report.data["positions"][0]["protection"], "NOTHING");
}

#[test]
fn a_table_that_is_behind_its_venue_is_told_and_is_no_alarm() {
    for (written_s, id) in [(60, "position.table_behind"), (1, "position.settling")] {
        let mut world = well();
        world.positions.clear();
        world.stored_positions.truncate(1);
        let at = start() - SignedDuration::from_secs(written_s);
        let row = &mut world.stored_positions[0].row;
        row.set(PositionRow::UPDATED_AT, Attr::text(at.to_string()));
        let report = status(&mut world);
        assert_eq!(ids(&report), [id]);
        assert_eq!((report.findings[0].severity, report.exit), (Severity::Info, Exit::Ok));
        let open = report.data["positions"].as_array().unwrap().len();
        assert_eq!(open, usize::from(id == "position.settling"), "what may be open is listed");
    }
}

#[test]
fn a_hold_that_covers_nothing_is_told_with_the_way_back() {
    for phase in [Phase::Stopping, Phase::Held] {
        let mut world = well();
        let scope = Scope::Service("engine-11".into());
        let mistyped = Hold { scope, ..hold(phase, Level::Halt) };
        world.latch = world.latch.next(vec![mistyped]);
        let report = status(&mut world);
        let found = report.findings.iter().find(|it| it.id == "latch.nothing").unwrap();
        assert_eq!(found.severity, Severity::Error);
        assert!(found.message.contains("no service `engine-11` here (`engine-1` is)"), "{found:?}");
        assert_eq!(found.next.as_deref(), Some("tradectl resume stop-1 --reason … --env sim"));
        let meant = "tradectl emergency-stop --env sim --scope service=engine-1";
        assert!(found.evidence[0].ends_with(meant), "{found:?}");

        // What was not read may be there.
        world.dark.insert(Query::Tasks);
        assert!(!ids(&status(&mut world)).contains(&"latch.nothing"));
    }
}

#[test]
fn the_next_line_of_a_stop_at_work_joins_it() {
    let mut world = well();
    world.latch = world.latch.next(vec![hold(Phase::Stopping, Level::Halt)]);
    let report = status(&mut world);
    let found = report.findings.iter().find(|it| it.id == "latch.held").unwrap();
    assert_eq!(found.next.as_deref(), Some("tradectl emergency-stop --env sim"));
}

#[test]
fn under_a_hold_no_recovery_is_told_that_would_be_refused() {
    let mut world = well();
    world.engines_beat = false;
    world.rows[0].row.set(
        StrategyRow::LAST_HEARTBEAT,
        Attr::text((start() - SignedDuration::from_hours(1)).to_string()),
    );
    let stale = |world: &mut SimWorld| {
        let report = status(world);
        report.findings.into_iter().find(|it| it.id == "heartbeat.stale").unwrap()
    };
    let next = stale(&mut world.clone()).next;
    assert_eq!(next.as_deref(), Some("tradectl heartbeat recover a --env sim --reason …"));
    world.latch = world.latch.next(vec![hold(Phase::Resuming, Level::Halt)]);
    let found = stale(&mut world);
    assert_eq!(found.next, None);
    assert!(found.evidence.iter().any(|it| it.starts_with("stop-1 holds it")), "{found:?}");
}

#[test]
fn an_engine_that_does_not_run_protects_nothing_however_fresh_its_beat() {
    let bare = || {
        let mut world = well();
        world.orders.retain(|order| order.order.purpose != OrderPurpose::Protective);
        world.positions.retain(|position| position.strategy.as_str() == "a");
        world.stored_positions.retain(|row| row.strategy() == Some("a".into()));
        world
    };
    let found = |mut world: SimWorld| {
        let report = status(&mut world);
        let position = report.findings.iter().find(|it| it.id.starts_with("position."));
        position.map(|it| (it.id.clone(), it.severity, it.message.clone())).unwrap()
    };
    assert_eq!(found(bare()).0, "position.engine_only");

    let mut idle = bare();
    idle.services[0].desired_count = 0;
    idle.tasks.retain(|task| task.service != Some("engine-1".into()));
    let (id, severity, message) = found(idle);
    assert_eq!((id.as_str(), severity), ("position.unprotected", Severity::Critical));
    assert!(message.contains("engine-1 runs no task"), "{message}");

    // It has halted itself: it runs and beats, and sends no exit.
    for (word, id) in [
        ("halted", "position.unprotected"),
        ("cancel-only", "position.unprotected"),
        ("reduce-only", "position.engine_only"),
        ("of-tomorrow", "position.engine_unknown"),
    ] {
        let mut halted = bare();
        let a = halted.rows.iter_mut().find(|row| row.id.as_str() == "a").unwrap();
        a.row = a.row.clone().with_text(StrategyRow::TRADING_STATE, word);
        let (found, _, message) = found(halted);
        assert_eq!(found, id, "{word}");
        assert!(id == "position.engine_only" || message.contains(word), "{message}");
    }

    // Frozen: its task is RUNNING, its lease has run out.
    let lease = |owner: &str, seconds| Lease {
        strategy: "a".into(),
        owner: owner.into(),
        generation: 1,
        expires_at: start() + SignedDuration::from_secs(seconds),
    };
    let mut frozen = bare();
    frozen.frozen.insert("t1".into());
    frozen.leases = Some(vec![lease("t1", -1)]);
    let (id, _, message) = found(frozen);
    assert_eq!(id, "position.unprotected");
    assert!(message.contains("lease"), "{message}");

    // Started by hand: no task, but somebody who holds the lease.
    let mut by_hand = bare();
    by_hand.services[0].desired_count = 0;
    by_hand.tasks.retain(|task| task.service != Some("engine-1".into()));
    by_hand.leases = Some(vec![lease("hand", 60)]);
    assert_eq!(found(by_hand).0, "position.engine_only");

    let mut halted = bare();
    halted.latch = halted.latch.next(vec![hold(Phase::Held, Level::Halt)]);
    assert_eq!(found(halted).0, "position.unprotected");
    let mut reduced = bare();
    reduced.latch = reduced.latch.next(vec![hold(Phase::Held, Level::ReduceOnly)]);
    assert_eq!(found(reduced).0, "position.engine_only");

    for dark in [Query::Tasks, Query::Latch] {
        let mut world = bare();
        world.dark.insert(dark.clone());
        let (id, severity, _) = found(world);
        assert_eq!(
            (id.as_str(), severity),
            ("position.engine_unknown", Severity::Error),
            "{dark:?}"
        );
    }
}

#[test]
fn a_hold_is_told_and_who_trades_under_it_is_named() {
    let mut world = well();
    world.latch = world.latch.next(vec![hold(Phase::Held, Level::Halt)]);
    world.rows.iter_mut().for_each(|row| row.row.set("status", Attr::text("stopped")));
    let report = status(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("held", Exit::Ok));
    assert_eq!(ids(&report), ["latch.held"]);

    world.rows[0].row.set("status", Attr::text("Running"));
    let report = status(&mut world);
    assert_eq!(report.exit, Exit::No);
    assert!(ids(&report).contains(&"strategy.active_under_hold"), "{:?}", ids(&report));

    // A reduce-only hold leaves the rows as they are.
    world.latch = world.latch.next(vec![hold(Phase::Held, Level::ReduceOnly)]);
    assert!(!ids(&status(&mut world)).contains(&"strategy.active_under_hold"));
}

#[test]
fn what_is_typed_next_stops_no_more_than_the_hold_does() {
    let one = |phase, level| Hold { scope: Scope::Strategy("a".into()), ..hold(phase, level) };
    let next = |world: &mut SimWorld, id: &str| {
        let report = status(world);
        report.findings.into_iter().find(|it| it.id == id).and_then(|it| it.next).unwrap()
    };
    let mut world = well();
    world.latch = world.latch.next(vec![one(Phase::Stopping, Level::ReduceOnly)]);
    world.now += SignedDuration::from_secs(121);
    let weaker = "tradectl emergency-stop --env sim --level reduce-only --scope strategy=a";
    assert_eq!(next(&mut world, "latch.held"), weaker);

    world.latch = world.latch.next(vec![one(Phase::Held, Level::Halt)]);
    let again = "tradectl emergency-stop --env sim --scope strategy=a";
    assert_eq!(next(&mut world, "strategy.active_under_hold"), again);
    let resume = "tradectl resume stop-1 --reason … --env sim";
    assert_eq!(next(&mut world, "latch.held"), resume);

    let mut bare = well();
    bare.orders.clear();
    bare.engines_beat = false;
    bare.now += SignedDuration::from_secs(500);
    let close = "tradectl emergency-stop --scope strategy=a --flatten --env sim";
    assert_eq!(next(&mut bare, "position.unprotected"), close);
}

#[test]
fn desired_counts_that_nobody_acts_on_are_no_health() {
    let mut world = well();
    world.supervision = Supervision::Absent;
    let report = status(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No));
    assert_eq!(ids(&report), ["supervisor.absent"]);
    assert_eq!(report.findings[0].severity, Severity::Critical);
    assert_eq!(report.data["supervision"]["state"], "absent");
    let next = |report: &Report| report.findings[0].next.clone().unwrap();
    assert_eq!(next(&report), "tradectl local up --detach --env sim");
    assert!(format!("{:?}", report.body).contains("supervision: NONE"), "{:?}", report.body);

    let last_round = world.now - SignedDuration::from_secs(3);
    let supervisor = Supervisor { pid: Some(42), since: Some(start()), last_round };
    world.supervision = Supervision::Stopped(supervisor.clone());
    let report = status(&mut world);
    assert_eq!((ids(&report), report.exit), (vec!["supervisor.stopped"], Exit::No));
    assert_eq!(next(&report), "kill -CONT 42");
    world.supervision = Supervision::Alive(supervisor);
    assert_eq!(status(&mut world).outcome, "healthy");
    world.now += SignedDuration::from_secs(60);
    world.rows.clear();
    assert_eq!(ids(&status(&mut world)), ["supervisor.silent"; 1]);

    // Under a hold nobody brings a supervisor up but the resume.
    let mut world = well();
    world.supervision = Supervision::Absent;
    world.latch = world.latch.next(vec![hold(Phase::Held, Level::ReduceOnly)]);
    let resume = "tradectl resume stop-1 --reason … --env sim";
    assert_eq!(next(&status(&mut world)), resume);
    // Of several the one that is resumed first, wherever it stands in the latch.
    let mut several = world.clone();
    let narrow = Hold {
        stop_id: "stop-0".into(),
        scope: Scope::Service("engine-1".into()),
        ..several.latch.holds[0].clone()
    };
    several.latch.holds.insert(0, narrow);
    let report = status(&mut several);
    let absent = report.findings.iter().find(|it| it.id == "supervisor.absent").unwrap();
    assert_eq!(absent.next.as_deref(), Some(resume));
    // No resume of this binary releases a newer latch.
    several.latch.format = LATCH_FORMAT + 1;
    for it in status(&mut several).findings {
        assert!(!it.next.as_deref().unwrap_or_default().contains("resume"), "{it:?}");
    }
    world.latch.holds[0].scope = Scope::Strategy("a".into());
    assert_eq!(next(&status(&mut world)), "tradectl local up --detach --env sim");
}

#[test]
fn a_stop_that_died_on_its_way_is_an_error_after_a_while() {
    let mut world = well();
    world.latch = world.latch.next(vec![hold(Phase::Stopping, Level::ReduceOnly)]);
    assert_eq!(status(&mut world).findings[0].severity, Severity::Warning);
    world.now += SignedDuration::from_secs(121);
    let report = status(&mut world);
    assert_eq!((report.findings[0].id.as_str(), report.exit), ("latch.held", Exit::No));
}

#[test]
fn services_that_fall_short_and_crash_loops_are_told_apart() {
    let report = status_of_tasks(crashes(3));
    let service = report.findings.iter().find(|it| it.id == "service.crash_loop").unwrap();
    assert_eq!(service.subject, "engine-2");
    assert!(service.evidence[0].contains("OutOfMemory"), "{:?}", service.evidence);
}

#[test]
fn a_crash_loop_is_told_by_who_ended_the_tasks_and_only_then_by_their_exit_codes() {
    let loops = |ended_by: Option<EndedBy>, exit_code: i32| {
        let mut tasks = crashes(3);
        for task in &mut tasks {
            (task.ended_by, task.exit_code) = (ended_by, Some(exit_code));
        }
        let report = status_of_tasks(tasks);
        report.findings.iter().any(|it| it.id == "service.crash_loop")
    };
    assert!(loops(Some(EndedBy::Itself), 0), "it leaves by itself, again and again");
    assert!(loops(Some(EndedBy::Itself), 1));
    assert!(!loops(Some(EndedBy::Request), 0) && !loops(Some(EndedBy::Request), 143));
    assert!(!loops(None, 0) && loops(None, 1), "only the exit code is known");
}

fn status_of_tasks(tasks: Vec<Task>) -> Report {
    let mut world = well();
    world.services[1].desired_count = 3;
    // The test world would start it: the read must come first.
    let mut status_now = Status::new(request());
    let wants = status_now.wants(world.now);
    for want in wants {
        let crate::ops::Ask::Read(query) = want.ask else { panic!("{want:?}") };
        let seen = match query {
            Query::Services => {
                let services = Listing::whole(world.services.clone());
                Seen::Services(Reading::known(services, "sim", start()))
            }
            Query::Tasks => {
                let tasks = Listing::whole(tasks.clone());
                Seen::Tasks(Reading::known(tasks, "sim", start()))
            }
            Query::Latch => Seen::Latch(Reading::known(Latch::released(), "sim", start())),
            other => other.unreachable("nobody asked"),
        };
        status_now.give(start(), want.ticket, Answer::Read(Box::new(seen)));
    }
    status_now.outcome(start()).unwrap()
}

fn crashes(count: i64) -> Vec<Task> {
    let ended = |number: i64| Task {
        id: format!("t{number}").as_str().into(),
        family: "engine-2".into(),
        service: Some("engine-2".into()),
        started_by: "test".into(),
        state: TaskState::Stopped,
        started_at: Some(start()),
        stopped_at: Some(start() - SignedDuration::from_secs(60 * number)),
        exit_code: Some(137),
        ended_by: None,
        stopped_reason: Some("Essential container in task exited".into()),
        container_reason: Some("OutOfMemoryError: killed".into()),
        task_definition: "engine-2:1".into(),
    };
    (0..count).map(ended).collect()
}

#[test]
fn nothing_of_the_system_is_not_a_system_that_is_well() {
    let mut status = Status::new(request());
    for want in status.wants(start()) {
        let seen = match want.ask {
            crate::ops::Ask::Read(Query::Services) => {
                Seen::Services(Reading::absent("services", "no cluster"))
            }
            crate::ops::Ask::Read(Query::Strategies) => {
                Seen::Strategies(Reading::absent("strategies table", "no table"))
            }
            crate::ops::Ask::Read(query) => query.unreachable("nobody asked"),
            other => panic!("{other:?}"),
        };
        status.give(start(), want.ticket, Answer::Read(Box::new(seen)));
    }
    let report = status.outcome(start()).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("not deployed", Exit::Settings));
    let problem = &report.errors[0];
    for why in ["no cluster", "no table"] {
        assert!(problem.message.contains(why), "{}", problem.message);
    }
    assert!(problem.hint.as_deref().unwrap().starts_with("tradectl doctor --env "));
}

#[test]
fn an_interrupted_status_tells_what_it_has_and_what_it_has_not() {
    let mut status = Status::new(request());
    let wants = status.wants(start());
    let first = Seen::Services(Reading::known(Listing::default(), "sim", start()));
    status.give(start(), wants[0].ticket, Answer::Read(Box::new(first)));
    status.interrupt(start(), "the deadline passed");
    let report = status.outcome(start()).unwrap();
    assert_eq!((report.exit, report.complete), (Exit::Incomplete, false));
    assert_eq!(report.data["unread"].as_array().unwrap().len(), wants.len() - 1);
}

#[test]
fn a_thousand_of_a_kind_are_told_in_a_few_lines() {
    let mut world = well();
    world.rows.extend((0..1_000).map(|n| row(&format!("s{n:04}"), "odd", "engine-2")));
    let report = status(&mut world);
    let unparsed = ids(&report).iter().filter(|id| **id == "heartbeat.unparsed").count();
    assert_eq!(unparsed, 1_000, "a script gets each of them, by its own name");
    let told = report.told();
    assert_eq!(told.len(), 6);
    let Told::More { subjects, all, .. } = &told[5] else { panic!("{:?}", told[5]) };
    assert_eq!((subjects.len(), *all), (995, "tradectl status --all --env sim"));
    assert_eq!(report.data["strategies"].as_array().unwrap().len(), 1_002);
    let all = status_of(&mut world, StatusRequest { all: true, ..request() });
    assert_eq!(all.told().len(), 1_000);
}

mod about;
mod absent;
mod halted;
mod orphans;
mod schedules;
mod stopped;
