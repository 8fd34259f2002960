use super::*;
use crate::model::*;
use crate::ops::Query;
use crate::ops::world::{self, Kill, SimWorld, drive, order, paper};
use crate::report::{Exit, Finding, Report, Severity};
use proptest::prelude::*;
use std::collections::BTreeMap;

mod alone;
mod asked;
mod exposed;
mod gone;
mod held;
mod partly;
mod record;
mod told;
mod unacknowledged;

fn stop_with(world: &mut SimWorld, request: Request, kill: Option<Kill>) -> Option<Report> {
    let site = world::site();
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    drive(world, &mut stop, kill, |_| 0)
}

fn stop(world: &mut SimWorld) -> Report {
    let request = world::request(world, "r1");
    stop_with(world, request, None).unwrap()
}

fn statuses(world: &SimWorld) -> BTreeMap<String, String> {
    let rows = world.rows.iter();
    rows.map(|row| (row.id.to_string(), row.row.text_opt("status").unwrap_or("?").to_owned()))
        .collect()
}

/// The value from before the stop of everything that it changed.
fn recorded(world: &SimWorld) -> BTreeMap<String, String> {
    let mut chunks = world.chunks.clone();
    chunks.sort_by_key(|chunk| (chunk.at, chunk.run_id.clone(), chunk.chunk));
    let mut values = BTreeMap::new();
    for item in chunks.into_iter().flat_map(|chunk| chunk.items) {
        values.entry(item.subject.to_string()).or_insert(item.before.to_string());
    }
    values
}

#[test]
fn a_busy_system_is_halted_and_everything_is_recorded() {
    let mut world = SimWorld::busy();
    let report = stop(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("HALTED", Exit::Ok), "{report:#?}");
    assert!(statuses(&world).values().all(|status| status == "stopped"), "{world:#?}");
    assert_eq!(world.latch.holds[0].phase, Phase::Held);
    let desired: Vec<u32> = world.services.iter().map(|it| it.desired_count).collect();
    assert_eq!(desired, [0, 0, 1], "trading services at 0, the data service untouched");
    let enabled: Vec<bool> = world.schedules.iter().map(|it| it.enabled).collect();
    assert_eq!(enabled, [false, true]);
    let states: Vec<OrderState> = world.orders.iter().map(|it| it.state).collect();
    assert_eq!(states, [OrderState::Cancelled, OrderState::Live, OrderState::Cancelled]);
    assert_eq!(world.tasks[5].state, TaskState::Running, "backtests go on");
    assert_eq!(world.notices, ["stop-r1/stopping", "stop-r1/outcome"]);
    let before = recorded(&world);
    assert_eq!(before["strategy=b"], "status \"RUNNING\"");
    assert_eq!(before["strategy=f"], "status \"runing\"");
    assert_eq!(before["service=engine-2"], "desired 2");
    assert_eq!(before["autoscaling=engine-1"], "scaling 1 to 3");
    assert_eq!(before["schedule=jobs"], "enabled");
    assert!(!before.contains_key("strategy=e"), "what was at rest is not recorded");
}

#[test]
fn positions_are_listed_with_what_protects_them_the_unprotected_first() {
    let mut world = SimWorld::busy();
    let report = stop(&mut world);
    let positions = report.data["positions"].as_array().unwrap();
    assert_eq!(positions[0]["strategy"], "d");
    assert_eq!(positions[0]["protection"], "NOTHING");
    assert_eq!(positions[1]["protected_by"], serde_json::json!(["o2"]));
    assert_eq!(report.findings[0].id, "stop.unprotected");
}

#[test]
fn killed_at_any_point_the_next_run_ends_the_same_and_repeats_nothing() {
    let mut whole = SimWorld::busy();
    stop(&mut whole);
    let mut points = 0;
    for index in 0.. {
        let mut survived = false;
        for kill in [Kill::Before(index), Kill::After(index)] {
            let mut world = SimWorld::busy();
            let first = world::request(&world, "r1");
            survived = stop_with(&mut world, first, Some(kill)).is_some();
            let second = world::request(&world, "r2");
            let report = stop_with(&mut world, second, None).unwrap();
            assert_eq!(report.outcome, "HALTED", "{kill:?}: {report:#?}");
            assert_eq!(statuses(&world), statuses(&whole), "{kill:?}");
            assert_eq!(recorded(&world), recorded(&whole), "{kill:?}");
            assert_eq!(world.latch.holds.len(), 1, "{kill:?}");
            let mut once = world.applied.clone();
            once.retain(|act| !act.starts_with("notify") && !act.starts_with("write the latch"));
            let count = once.len();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), count, "{kill:?}: something was done twice");
            points += 1;
        }
        if survived {
            break;
        }
    }
    assert!(points > 40, "only {points} points were tried");
}

#[test]
fn a_second_stop_says_that_it_was_halted_already() {
    let mut world = SimWorld::busy();
    stop(&mut world);
    let before = world.applied.len();
    let again = world::request(&world, "r2");
    let report = stop_with(&mut world, again, None).unwrap();
    assert_eq!(report.outcome, "HALTED");
    assert_eq!(report.data["stop_id"], "stop-r1");
    let text = format!("{:?}", report.body);
    assert!(text.contains("already halted by stop stop-r1"), "{text}");
    let new = &world.applied[before..];
    assert_eq!(new, ["notify: [sim] emergency stop: HALTED"]);
}

#[test]
fn a_hung_engine_is_stopped_by_its_task_after_the_wait() {
    let mut world = SimWorld::busy();
    world.hung.insert("a".into());
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let waited = report.data["timing"]["time_to_lower_compute_ms"].as_i64().unwrap();
    assert!(waited >= 5_000, "compute went down after {waited} ms");
}

#[test]
fn a_hung_engine_that_keeps_its_compute_leaves_the_stop_partial() {
    let mut world = SimWorld::busy();
    world.hung.insert("a".into());
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial));
    assert_eq!(report.data["not_stopped"][0]["subject"], "a");
    assert!(world.services.iter().all(|it| it.desired_count > 0));
}

#[test]
fn a_rung_that_is_dark_holds_up_no_other_and_ends_unknown() {
    let queries = [
        Query::Latch,
        Query::Strategies,
        Query::Services,
        Query::Tasks,
        Query::Schedules,
        Query::VenueOrders(paper()),
    ];
    for query in queries {
        let mut world = SimWorld::busy();
        world.dark.insert(query.clone());
        let report = stop(&mut world);
        // Services that cannot be seen cannot be set to 0, so their tasks come back and are
        // seen: that is PARTIAL, which wins.
        let exit = if query == Query::Services { Exit::Partial } else { Exit::Unknown };
        assert_eq!(report.exit, exit, "{query:?}: {:#?}", report.findings);
        assert!(!report.complete);
        let all = statuses(&world).values().all(|status| status == "stopped");
        assert_eq!(all, query != Query::Strategies, "{query:?}");
        let zero = world.services[0].desired_count == 0 && world.services[1].desired_count == 0;
        assert_eq!(zero, query != Query::Services, "{query:?}");
        assert_eq!(world.schedules[0].enabled, query == Query::Schedules, "{query:?}");
        let cancelled = world.orders[0].state == OrderState::Cancelled;
        assert_eq!(cancelled, query != Query::VenueOrders(paper()), "{query:?}");
    }
}

#[test]
fn a_schedule_that_cannot_be_read_counts_where_the_scope_can_reach_it_and_nowhere_else() {
    let of = |scope: &str| {
        let mut world = SimWorld::busy();
        world.dark_single.insert("nightly".to_owned());
        let scope = Scope::from(scope.to_owned());
        let request = Request { scope, ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        (report.outcome, world.schedules[0].enabled)
    };
    // No schedule is stopped for a strategy or a venue: not even one that was read.
    assert_eq!(of("strategy=a"), ("HALTED".to_owned(), true));
    // One that is not read may start what a service runs.
    assert_eq!(of("service=engine-1").0, "UNKNOWN");
    assert_eq!(of("all"), ("UNKNOWN".to_owned(), false));
}

#[test]
fn whatever_trades_decides_what_a_rule_with_several_targets_is() {
    let site = world::site();
    let role = |id: &str, families: &[&str]| {
        let target = |family: &&str| crate::model::ScheduleTarget::Task {
            cluster: "sim".into(),
            family: (*family).into(),
        };
        let mut schedule = SimWorld::busy().schedules[0].clone();
        schedule.id = id.into();
        schedule.targets = families.iter().map(target).collect();
        site.schedule_role(&schedule, None)
    };
    let support = role("x", &["backtest"]);
    assert_eq!(support, Some(Role::Support));
    assert_eq!(role("x", &["backtest", "unheard"]), None, "half of it is not known");
    let trading = role("x", &["job"]);
    assert!(trading.is_some_and(Role::trades), "{trading:?}");
    assert_eq!(role("x", &["unheard", "job", "backtest"]), trading);
    assert_eq!(role("x", &[]), None);
}

#[test]
fn an_act_that_hangs_keeps_no_other_from_being_seen_done() {
    let mut world = SimWorld::busy();
    let hangs = |ask: &crate::ops::Ask| {
        let cancels = |act: &crate::plan::Act| act.to_string().contains("cancel order o1");
        matches!(ask, crate::ops::Ask::Act(acts) if acts.iter().any(|(_, act)| cancels(act)))
    };
    world.slow = Some((hangs, world.now + jiff::SignedDuration::from_secs(10)));
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let lowered = report.data["timing"]["time_to_lower_compute_ms"].as_i64().unwrap();
    assert!(lowered < 2_000, "acknowledgements were seen only after {lowered} ms");
    let proof = report.data["timing"]["time_to_proof_ms"].as_i64().unwrap();
    assert!((10_000..14_000).contains(&proof), "the hung act was waited for: {proof} ms");
}

#[test]
fn a_latch_that_is_read_late_is_still_the_same_stop() {
    let mut world = SimWorld::busy();
    world.latch = Latch {
        epoch: 7,
        holds: vec![Hold {
            stop_id: "stop-first".into(),
            level: Level::Halt,
            scope: Scope::All,
            reason: "earlier".into(),
            actor: "somebody".into(),
            at: world.now,
            phase: Phase::Stopping,
            misplaced: Vec::new(),
            overtook_resume: false,
            unknown: serde_json::Map::new(),
        }],
        ..Latch::released()
    };
    world.latched_at = Some(world.now);
    let latch = |ask: &crate::ops::Ask| matches!(ask, crate::ops::Ask::Read(Query::Latch));
    world.slow = Some((latch, world.now + jiff::SignedDuration::from_secs(4)));
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(report.data["stop_id"], "stop-first");
    assert_eq!(world.latch.holds.len(), 1, "{:?}", world.latch);
    assert_eq!(world.latch.holds[0].phase, Phase::Held);
    // Whatever was done before the latch was read can be brought back by that stop's resume.
    let ours: Vec<_> =
        world.chunks.iter().filter(|it| it.stop_id.as_str() == "stop-first").cloned().collect();
    let mut all = world.clone();
    all.chunks = ours;
    assert_eq!(recorded(&all), recorded(&world));
    assert!(recorded(&all).contains_key("strategy=b"));
}

#[test]
fn an_unreadable_latch_is_written_over_only_where_nothing_can_be_lost() {
    // Nobody has ever written it: what a stop of everything writes is taken.
    let mut fresh = SimWorld::busy();
    fresh.dark.insert(Query::Latch);
    let report = stop(&mut fresh);
    assert_eq!(report.exit, Exit::Unknown, "it was never read back: {report:#?}");
    assert_eq!((fresh.latch.epoch, fresh.latch.holds.len()), (1, 1));

    // Somebody else's hold stands there unseen: it is not written over, and the rest goes on.
    let mut held = SimWorld::busy();
    let hold = |level| Hold {
        stop_id: "stop-first".into(),
        level,
        scope: Scope::Service("engine-1".into()),
        reason: "earlier".into(),
        actor: "somebody".into(),
        at: held.now,
        phase: Phase::Held,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    held.latch = Latch { epoch: 7, holds: vec![hold(Level::Halt)], ..Latch::released() };
    let before = held.latch.clone();
    held.dark.insert(Query::Latch);
    let report = stop(&mut held);
    assert_eq!(report.exit, Exit::Unknown, "{report:#?}");
    assert_eq!(held.latch, before);
    assert!(statuses(&held).values().all(|status| status == "stopped"));

    // A narrower stop might take somebody else's away: it does not try.
    let mut narrow = SimWorld::busy();
    narrow.dark.insert(Query::Latch);
    let scope = Scope::Service("engine-1".into());
    let request = Request { scope, ..world::request(&narrow, "r1") };
    let report = stop_with(&mut narrow, request, None).unwrap();
    assert_eq!(report.exit, Exit::Unknown, "{report:#?}");
    assert_eq!((narrow.latch.epoch, narrow.latch.holds.len()), (0, 0));
}

#[test]
fn a_lost_answer_to_the_latch_is_found_by_reading_it() {
    let mut world = SimWorld::busy();
    world.loses_latch_answer = true;
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(report.data["continued"], false);
    assert!(report.data["timing"]["latched_at"].is_string(), "{}", report.data["timing"]);
}

#[test]
fn what_was_asked_for_and_made_no_difference_is_said() {
    let mut world = SimWorld::busy();
    stop(&mut world);
    let request = Request {
        level: Level::ReduceOnly,
        keep_compute: true,
        include: vec!["engine-9".into()],
        ..world::request(&world, "r2")
    };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(world.latch.holds[0].level, Level::Halt, "a stop never loosens");
    let ids: Vec<&str> = report.findings.iter().map(|it| it.id.as_str()).collect();
    for id in ["stop.level_kept", "stop.nothing_kept", "stop.nothing_included"] {
        assert!(ids.contains(&id), "{id} is missing in {ids:?}");
    }
}

#[test]
fn only_what_include_can_take_in_counts_as_a_name() {
    let mut world = SimWorld::busy();
    world.services[2].family = "feed".into();
    let include = ["data", "job", "jobs", "feed", "engine-9"].map(str::to_owned).into();
    let request = Request { include, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    let told = |id| -> Vec<&str> {
        let findings = report.findings.iter().filter(|it| it.id == id);
        findings.map(|it| it.subject.as_str()).collect()
    };
    let nothing = told("stop.nothing_included");
    assert_eq!(nothing, ["feed", "engine-9"], "a service is taken in by its own name");
    assert_eq!(told("stop.not_included"), ["data"], "it is support, and goes on");
}

#[test]
fn nothing_is_called_kept_where_a_stop_has_no_services_of_its_own() {
    let mut world = SimWorld::busy();
    let of_one = |world: &SimWorld, run| Request {
        scope: Scope::Strategy("a".into()),
        keep_compute: true,
        ..world::request(world, run)
    };
    for run in ["r1", "r2"] {
        let request = of_one(&world, run);
        let report = stop_with(&mut world, request, None).unwrap();
        assert!(report.findings.iter().all(|it| it.id != "stop.nothing_kept"), "{report:#?}");
    }
}

#[test]
fn time_in_which_something_is_under_way_is_not_waiting() {
    let mut world = SimWorld::busy();
    world.answer_ms = 50;
    let report = stop(&mut world);
    let timing = &report.data["timing"];
    let (whole, waited) = (&timing["time_to_proof_ms"], &timing["waited_ms"]);
    let worked = whole.as_i64().unwrap() - waited.as_i64().unwrap();
    // Each answer takes 50 ms, one after the other; each round asks nine questions.
    assert!(worked >= 3 * 9 * 50, "{timing}");
}

#[test]
fn what_is_seen_trading_wins_over_what_cannot_be_read() {
    let mut world = SimWorld::busy();
    world.dark.insert(Query::Schedules);
    world.hung.insert("a".into());
    let request = Request { keep_compute: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL");
}

#[test]
fn a_status_that_is_not_understood_is_stopped_and_named() {
    let mut world = SimWorld::busy();
    world.rows[0].row.remove("status");
    world.rows[1].row.set("status", Attr::N("7".into()));
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(statuses(&world).values().all(|status| status == "stopped"));
    let named: Vec<&str> = report
        .findings
        .iter()
        .filter(|it| it.id == "stop.unparsed")
        .map(|it| it.subject.as_str())
        .collect();
    assert_eq!(named, ["a", "b", "f"]);
    assert_eq!(recorded(&world)["strategy=a"], "no status");
    assert_eq!(recorded(&world)["strategy=b"], "status 7");
}

#[test]
fn a_strategy_that_appears_while_stopping_is_stopped_and_named() {
    let mut world = SimWorld::busy();
    world.late = Some((3, world::row("z", "running", "engine-1")));
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(statuses(&world)["z"], "stopped");
    assert!(report.findings.iter().any(|it| it.id == "stop.appeared" && it.subject == "z"));
}

#[test]
fn a_row_that_turns_active_again_is_stopped_again_and_named() {
    let mut world = SimWorld::busy();
    world.haunted.insert("b".into(), 4);
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(report.data["reactivated"], serde_json::json!(["b"]));
    assert!(report.findings.iter().any(|it| it.id == "stop.reactivated" && it.subject == "b"));
    assert_eq!(recorded(&world)["strategy=b"], "status \"RUNNING\"", "the first value counts");
}

#[test]
fn reduce_only_holds_the_latch_and_cancels_entries_and_nothing_else() {
    let mut world = SimWorld::busy();
    // What its engine does sooner or later by itself.
    world.rows[3].row.set("status", Attr::text("running"));
    let before = statuses(&world);
    let request = Request { level: Level::ReduceOnly, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(statuses(&world), before);
    assert!(world.services.iter().all(|it| it.desired_count > 0));
    assert!(world.schedules.iter().all(|it| it.enabled));
    assert_eq!(world.orders[0].state, OrderState::Cancelled);
    assert_eq!(world.orders[1].state, OrderState::Live);
    // A later halt makes the same stop stricter.
    let halt = world::request(&world, "r2");
    let report = stop_with(&mut world, halt, None).unwrap();
    assert_eq!(report.outcome, "HALTED");
    assert_eq!(world.latch.holds.len(), 1);
    assert_eq!(world.latch.holds[0].level, Level::Halt);
    assert_eq!(world.latch.holds[0].reason, "test; halt by tester: test");
}

#[test]
fn flatten_closes_each_position_after_its_protection() {
    let mut world = SimWorld::busy();
    let request = Request { flatten: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(world.positions.is_empty());
    let find = |text: &str| world.applied.iter().position(|act| act.contains(text)).unwrap();
    assert!(find("cancel order o2") < find("close 2 BTC of a"));
    assert!(find("close 2 BTC of a") < find("desired count of engine-1"));
}

#[test]
fn one_strategy_is_stopped_alone() {
    let mut world = SimWorld::busy();
    let scope = Scope::Strategy("a".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert_eq!(statuses(&world)["a"], "stopped");
    assert_eq!(statuses(&world)["b"], "RUNNING");
    assert_eq!(world.orders[2].state, OrderState::Live);
    assert!(world.services.iter().all(|it| it.desired_count > 0));
}

#[test]
fn a_service_is_stopped_without_what_is_known_to_run_beside_it() {
    // Third-party bots acknowledge nothing; one runs as a task of no service, one says only
    // by its task that it is the service's, and of one nobody knows where it runs.
    let mut world = SimWorld::busy();
    let scope = Scope::Service("engine-1".into());
    let mut request = world::request(&world, "r1");
    request.scope = scope;
    let unplaced = |id: &str, task: &str| {
        let row = Row::default().with_text("strategy_id", id).with_text("status", "running");
        StrategyRow { id: id.into(), row: row.with_text("task_id", task) }
    };
    let ours = world.tasks.iter().find(|it| it.service == Some("engine-1".into())).unwrap();
    let (ours, mut beside) = (ours.id.to_string(), ours.clone());
    (beside.id, beside.service, beside.family) = ("beside".into(), None, "engine-2".into());
    world.tasks.push(beside);
    world.rows.push(unplaced("x-beside", "beside"));
    world.rows.push(unplaced("y-ours", &ours));
    world.rows.push(unplaced("z-nowhere", "long-gone"));
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let now = statuses(&world);
    assert_eq!(now["x-beside"], "running", "it is not the service's");
    assert_eq!((now["y-ours"].as_str(), now["z-nowhere"].as_str()), ("stopped", "stopped"));
    let beside = world.tasks.iter().find(|it| it.id.as_str() == "beside").unwrap();
    assert_eq!(beside.state, TaskState::Running);
}

#[test]
fn a_dry_run_plans_all_of_it_and_changes_nothing() {
    let mut world = SimWorld::busy();
    world.read_only = true;
    let request = world::request(&world, "r1");
    let mut stop = EmergencyStop::new(world::site(), request, None);
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Ok, "{report:#?}");
    // The world panics at an act; nor was anything recorded or journaled.
    assert!(world.applied.is_empty() && world.chunks.is_empty() && world.journal.is_empty());
    let plan = serde_json::to_string(&report.data["plan"]).unwrap();
    for act in ["write_latch", "set_status", "set_schedule", "cancel_order", "set_desired"] {
        assert!(plan.contains(act), "{act} is not planned: {plan}");
    }
}

#[test]
fn no_act_comes_before_its_intent_and_its_record() {
    let mut world = SimWorld::busy();
    stop(&mut world);
    let mut intended = std::collections::BTreeSet::new();
    let settled = world.journal.iter().filter_map(|entry| match entry {
        crate::journal::Entry::Intent { steps } => {
            intended.extend(steps.clone());
            None
        }
        crate::journal::Entry::Settled { step, .. } => Some(intended.contains(step)),
        _ => None,
    });
    let settled: Vec<bool> = settled.collect();
    assert!(settled.len() > 10 && settled.iter().all(|it| *it));
}

#[test]
fn autoscaling_is_suspended_before_a_count_goes_to_0() {
    for seed in 0..16_usize {
        let mut world = SimWorld::busy();
        let (site, request) = (world::site(), world::request(&world, "r1"));
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let mut turn = seed;
        let report = drive(&mut world, &mut stop, None, |_| {
            turn = turn.wrapping_mul(31).wrapping_add(7);
            turn
        });
        assert_eq!(report.unwrap().outcome, "HALTED", "{seed}");
        let at = |what: &str| world.applied.iter().position(|it| it == what).unwrap();
        let suspended = at("suspend autoscaling of engine-1");
        let zero = at("set desired count of engine-1 from 1 to 0");
        assert!(suspended < zero, "{seed}: {:?}", world.applied);
    }
}

#[test]
fn an_unclassified_name_is_left_alone_and_listed_until_it_is_taken_in() {
    let mut world = SimWorld::busy();
    let mut odd = world.services[2].clone();
    odd.name = "mystery".into();
    odd.family = "mystery".into();
    odd.running_count = 0;
    world.services.push(odd);
    let report = stop(&mut world);
    assert_eq!(report.data["unclassified"], serde_json::json!(["mystery"]));
    assert_eq!(world.services[3].desired_count, 1);
    let request = Request { include: vec!["mystery".into()], ..world::request(&world, "r2") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED");
    assert_eq!(world.services[3].desired_count, 0);
}

#[test]
fn two_operators_who_stop_at_once_share_one_stop() {
    // The first is killed at every point while the second runs from its start to its end in
    // between: their asks interleave at each possible place.
    for index in 0..60 {
        let mut world = SimWorld::busy();
        let site = world::site();
        let mut stops: Vec<EmergencyStop> = ["r1", "r2"]
            .map(|run| {
                let request = world::request(&world, run);
                let approval = world::approval(&site, &request);
                EmergencyStop::new(site.clone(), request, Some((approval, "typed")))
            })
            .into();
        let mut both: Vec<&mut dyn crate::ops::Procedure> =
            stops.iter_mut().map(|stop| stop as _).collect();
        let mut reports = world::drive_many(&mut world, &mut both, index);
        let second = reports.pop().unwrap();
        let first = reports.pop().unwrap();
        assert_eq!((first.outcome.as_str(), second.outcome.as_str()), ("HALTED", "HALTED"));
        assert_eq!(world.latch.holds.len(), 1, "offset {index}");
        assert_eq!(first.data["stop_id"], second.data["stop_id"], "offset {index}");
    }
}

/// What a resume brings back, of a world.
fn state(world: &SimWorld) -> String {
    let scaling: Vec<_> =
        world.services.iter().map(|it| (it.desired_count, it.autoscaling.value())).collect();
    let enabled: Vec<bool> = world.schedules.iter().map(|it| it.enabled).collect();
    format!("{:?} {scaling:?} {enabled:?}", statuses(world))
}

#[test]
fn every_inverse_that_was_recorded_restores_what_was_before() {
    let mut world = SimWorld::busy();
    let before = state(&world);
    stop(&mut world);
    assert_ne!(state(&world), before);
    let pages = world.journal.clone().into_iter().filter_map(|entry| match entry {
        crate::journal::Entry::Page { steps } => Some(steps),
        _ => None,
    });
    let mut undo: Vec<_> = pages.flatten().filter_map(|step| step.undo).collect();
    undo.reverse();
    for act in undo {
        assert!(world.apply(&act).stands(), "{act} did not take");
    }
    assert_eq!(state(&world), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn in_whatever_order_answers_come_the_end_is_the_same(seed in any::<u64>()) {
        let mut world = SimWorld::busy();
        world.orders.push(order("o9", "b", OrderPurpose::Entry, world.now));
        let request = world::request(&world, "r1");
        let site = world::site();
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let mut state = seed;
        let report = drive(&mut world, &mut stop, None, |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap()
        });
        let report = report.unwrap();
        prop_assert_eq!(report.outcome.as_str(), "HALTED");
        prop_assert!(world.orders.iter().all(|it| it.order.purpose != OrderPurpose::Entry || it.state.is_terminal()));
        prop_assert!(statuses(&world).values().all(|status| status == "stopped"));
        let steps = world.journal.iter().filter_map(|entry| match entry {
            crate::journal::Entry::Page { steps } => Some(steps),
            _ => None,
        });
        let again: Vec<_> = steps.flatten().filter(|it| it.id.as_str().contains('#')).collect();
        prop_assert!(again.is_empty(), "tried again though nothing had failed: {again:?}");
    }
}

#[test]
fn a_system_without_tables_is_stopped_and_names_its_own_way_back() {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    let mut site = world::site();
    site.capabilities =
        Capabilities { strategies: false, positions: false, venues: Vec::new(), notices: false };
    let request = world::request(&world, "r1");
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("HALTED", Exit::Ok), "{report:#?}");
    assert!(world.services[..2].iter().all(|it| it.desired_count == 0));
    assert!(world.notices.is_empty(), "there is nobody to tell");
    let not_covered = report.data["not_covered"].to_string();
    assert!(not_covered.contains("notices"), "{not_covered}");
    let grave = report.findings.iter().filter(|it| it.severity < Severity::Info);
    assert_eq!(grave.map(|it| it.id.as_str()).collect::<Vec<_>>(), ["stop.task_ended"]);
    let record = report.findings.iter().find(|it| it.id == "stop.record_misplaced").unwrap();
    assert!(record.message.contains("resume on this machine"), "{record:?}");
    assert!(format!("{:?}", report.body).contains("tradectl resume stop-r1 --env sim"));
}
