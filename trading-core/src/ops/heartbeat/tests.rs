use super::*;
use crate::model::{Attr, StrategyId, Task, TaskState};
use crate::ops::world::{SimWorld, drive, row, start};
use crate::ops::{Answer, Procedure, Query, Seen};
use crate::report::{Exit, Report};
use jiff::SignedDuration;
use proptest::prelude::*;

fn ago_ms(ms: i64) -> Utc {
    start() - SignedDuration::from_millis(ms)
}

fn beating(id: &str, status: &str, age_ms: i64) -> StrategyRow {
    let mut row = row(id, status, "engine-1");
    row.row.set(StrategyRow::LAST_HEARTBEAT, Attr::text(ago_ms(age_ms).to_string()));
    row
}

fn task(state: TaskState, started_at: Utc) -> Task {
    Task {
        id: "task-1".into(),
        family: "engine-1".to_owned(),
        service: Some("engine-1".into()),
        started_by: String::new(),
        state,
        started_at: Some(started_at),
        stopped_at: None,
        exit_code: None,
        ended_by: None,
        stopped_reason: None,
        container_reason: None,
        task_definition: String::new(),
    }
}

#[test]
fn only_what_runs_now_beats() {
    let count = |tasks: &[Task]| {
        let rows = [beating("a", "running", 55_000)];
        super::beating(&rows, tasks, start(), &Timings::default())
    };
    assert_eq!(count(&[]), (1, 0), "no engine runs");
    assert_eq!(count(&[task(TaskState::Running, ago_ms(60_000))]), (1, 1));
    assert_eq!(count(&[task(TaskState::Running, ago_ms(54_999))]), (1, 0), "beat of one before");
    for state in [TaskState::Pending, TaskState::Stopping, TaskState::Stopped] {
        assert_eq!(count(&[task(state, ago_ms(60_000))]), (1, 0), "{state:?}");
    }
    let other = Task { service: Some("other".into()), ..task(TaskState::Running, ago_ms(60_000)) };
    assert_eq!(count(&[other]), (1, 0));
}

fn pulse(row: &StrategyRow) -> (Pulse, bool) {
    let beat = judge(row, start(), &Timings::default());
    (beat.pulse, beat.stale_to_alert)
}

#[test]
fn a_beat_is_fresh_up_to_the_threshold_and_up_to_five_seconds_ahead() {
    let at = |age| pulse(&beating("a", "running", age));
    assert_eq!(at(0), (Pulse::Fresh, false));
    assert_eq!(at(120_000), (Pulse::Fresh, false));
    assert_eq!(at(120_001), (Pulse::Stale, true));
    assert_eq!(at(-5_000), (Pulse::Fresh, false));
    // Never fresh, and yet the platform's own check is content with it.
    assert_eq!(at(-5_001), (Pulse::Stale, false));
}

#[test]
fn a_beat_that_is_missing_or_not_a_time_is_no_beat() {
    let missing = row("a", "running", "engine-1");
    assert_eq!(pulse(&missing), (Pulse::Stale, true));
    let mut odd = row("a", "running", "engine-1");
    odd.row.set(StrategyRow::LAST_HEARTBEAT, Attr::text("yesterday"));
    assert_eq!(pulse(&odd), (Pulse::Stale, true));
    let mut number = row("a", "running", "engine-1");
    number.row.set(StrategyRow::LAST_HEARTBEAT, Attr::N("1700000000".to_owned()));
    assert_eq!(pulse(&number), (Pulse::Stale, true));
    let json = serde_json::to_value(judge(&odd, start(), &Timings::default())).unwrap();
    assert_eq!(json["age_ms"]["state"], "unparsed", "{json}");
}

#[test]
fn who_is_to_beat_and_does_is_counted_as_it_is_judged() {
    let starting = |age_ms: Option<i64>| {
        let mut row = age_ms
            .map_or_else(|| row("w", "warmup", "engine-1"), |age| beating("w", "warmup", age));
        row.row.set(StrategyRow::STARTED_AT, Attr::text(start().to_string()));
        row
    };
    let old = vec![task(TaskState::Running, ago_ms(900_000))];
    let count = |row: StrategyRow| super::beating(&[row], &old, start(), &Timings::default());
    assert_eq!(count(beating("a", "running", 120_000)), (1, 1));
    assert_eq!(count(beating("a", "running", 120_001)), (1, 0));
    assert_eq!(count(beating("a", "running", -5_001)), (1, 0), "a beat of the future is none");
    assert_eq!((count(starting(None)), count(starting(Some(0)))), ((1, 0), (1, 1)));
    for status in ["paused", "stopped", "runing"] {
        assert_eq!(count(beating("a", status, 0)), (0, 0), "{status}");
    }
}

#[test]
fn the_status_decides_who_should_beat() {
    assert_eq!(pulse(&beating("a", "paused", 999_000)), (Pulse::Unwatched, false));
    for status in ["stopped", "failed", "terminated"] {
        assert_eq!(pulse(&beating("a", status, 999_000)), (Pulse::AtRest, false));
    }
    assert_eq!(pulse(&beating("a", "runing", 0)), (Pulse::Unparsed, false));
    let mut odd = beating("a", "running", 0);
    odd.row.set(StrategyRow::STATUS, Attr::Bool(true));
    assert_eq!(pulse(&odd), (Pulse::Unparsed, false));
    // Another spelling is stale to us, and the platform's alert never sees it.
    assert_eq!(pulse(&beating("a", " RUNNING", 999_000)), (Pulse::Stale, false));
}

#[test]
fn a_start_is_warming_for_its_period_and_no_longer() {
    let started = |ms| {
        let mut row = row("a", "warmup", "engine-1");
        row.row.set(StrategyRow::STARTED_AT, Attr::text(ago_ms(ms).to_string()));
        pulse(&row)
    };
    assert_eq!(started(0), (Pulse::Warming, true));
    assert_eq!(started(120_000), (Pulse::Warming, true));
    assert_eq!(started(120_001), (Pulse::Stale, true));
    // When it started is not known: nothing excuses a missing beat.
    assert_eq!(pulse(&row("a", "warmup", "engine-1")), (Pulse::Stale, true));
    assert_eq!(pulse(&beating("a", "warmup", 1_000)), (Pulse::Fresh, false));
}

#[test]
fn lists_begin_with_the_worst_and_the_longest_silence() {
    let rows = [
        beating("rest", "stopped", 1),
        beating("fresh", "running", 1),
        beating("late", "running", 130_000),
        row("never", "running", "engine-1"),
        beating("later", "running", 500_000),
        beating("odd", "runing", 1),
        beating("paused", "paused", 1),
    ];
    let order: Vec<String> = beats(&rows, start(), &Timings::default())
        .iter()
        .map(|beat| beat.strategy.to_string())
        .collect();
    assert_eq!(order, ["never", "later", "late", "odd", "paused", "fresh", "rest"]);
}

#[test]
fn the_clocks_may_be_five_seconds_apart() {
    let seen = |at| Reading::known((), "strategies table", at);
    let found = |at| skew(&seen(at), start(), start(), "sim").map(|finding| finding.message);
    assert_eq!(found(ago_ms(5_000)), None);
    assert_eq!(found(ago_ms(-5_000)), None);
    let behind = found(ago_ms(6_000)).unwrap();
    assert!(behind.contains("6 s behind"), "{behind}");
    let ahead = found(ago_ms(-90_000)).unwrap();
    assert!(ahead.contains("1 min 30 s ahead of"), "{ahead}");
    let slow_answer = skew(&seen(start()), ago_ms(9_000), start(), "sim");
    assert_eq!(slow_answer, None, "an answer that took nine seconds is no skew");
}

fn world(rows: Vec<StrategyRow>) -> SimWorld {
    SimWorld { rows, ..SimWorld::busy() }
}

fn check(world: &mut SimWorld, strategies: &[&str], consecutive: u32) -> Report {
    let request = CheckRequest {
        environment: "sim".to_owned(),
        strategies: strategies.iter().map(|id| StrategyId::from(*id)).collect(),
        consecutive,
        interval_ms: 60_000,
        timings: Timings::default(),
    };
    world.read_only = true;
    drive(world, &mut Check::new(request), None, |_| 0).unwrap()
}

#[test]
fn one_read_judges_and_leaves_the_alert_open() {
    let rows = || vec![beating("a", "running", 1), beating("b", "running", 130_000)];
    let report = check(&mut world(rows()), &[], 1);
    assert_eq!((report.outcome.as_str(), report.exit), ("stale", Exit::No));
    assert_eq!(report.data["alert"], "unknown");
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].id, "heartbeat.stale");
    assert_eq!(report.findings[0].subject, "b");

    let report = check(&mut world(rows()), &["a"], 1);
    assert_eq!((report.outcome.as_str(), report.exit), ("healthy", Exit::Ok));
    assert_eq!(report.data["alert"], "no");
}

#[test]
fn what_no_service_runs_is_not_to_be_recovered() {
    let mut nowhere = beating("b", "running", 130_000);
    nowhere.row.remove(StrategyRow::SERVICE);
    let report = check(&mut world(vec![nowhere]), &[], 1);
    let found = &report.findings[0];
    assert_eq!(found.next.as_deref(), Some("tradectl status --env sim --scope strategy=b"));
    assert!(found.evidence.iter().any(|it| it.contains("does not say which service")), "{found:?}");
}

#[test]
fn two_stale_reads_in_a_row_would_fire_the_alert() {
    let mut world = world(vec![beating("b", "running", 130_000)]);
    let report = check(&mut world, &[], 2);
    assert_eq!((report.exit, report.data["alert"].as_str()), (Exit::No, Some("yes")));
    assert_eq!(report.data["reads"], 2);
    assert!(world.now >= start() + SignedDuration::from_secs(60), "the interval was waited for");
}

#[test]
fn a_beat_between_two_reads_is_health() {
    // Fresh in the first read: nothing can be stale twice in a row any more.
    let report = check(&mut world(vec![beating("a", "running", 90_000)]), &[], 3);
    assert_eq!((report.exit, report.data["reads"].as_u64()), (Exit::Ok, Some(1)));

    let request = CheckRequest {
        environment: "sim".to_owned(),
        strategies: vec![],
        consecutive: 2,
        interval_ms: 1_000,
        timings: Timings::default(),
    };
    let mut check = Check::new(request);
    let mut answer = |now: Utc, age_ms| {
        let ticket = check.wants(now)[0].ticket;
        let rows = vec![beating("a", "running", age_ms)];
        let seen = Seen::Strategies(Reading::known(rows, "sim", start()));
        check.give(now, ticket, Answer::Read(Box::new(seen)));
        (check.wake_at(), check.outcome(now))
    };
    let next = start() + SignedDuration::from_secs(1);
    assert_eq!(answer(start(), 200_000).0, Some(next));
    let report = answer(next, 0).1.unwrap();
    assert_eq!((report.exit, report.data["alert"].as_str()), (Exit::Ok, Some("no")));
}

#[test]
fn what_cannot_be_read_is_not_healthy() {
    let mut dark = world(vec![beating("a", "running", 1)]);
    dark.dark.insert(Query::Strategies);
    let report = check(&mut dark, &[], 1);
    assert_eq!((report.exit, report.complete), (Exit::Incomplete, false));
    assert_eq!(report.data["beats"]["state"], "unreachable");

    let report = check(&mut world(vec![beating("a", "running", 1)]), &["a", "nobody"], 1);
    assert_eq!((report.outcome.as_str(), report.exit), ("not found", Exit::No));
    assert_eq!(report.findings[0].subject, "nobody");

    let report = check(&mut world(vec![beating("a", "stopped", 1)]), &[], 1);
    assert_eq!((report.outcome.as_str(), report.exit), ("nothing watched", Exit::Ok));
}

#[test]
fn one_strategy_is_asked_for_alone() {
    let mut others = world(vec![beating("a", "running", 1)]);
    others.dark.insert(Query::Strategies);
    assert_eq!(check(&mut others, &["a"], 1).outcome, "healthy");
    let report = check(&mut others, &["nobody"], 1);
    assert_eq!((report.outcome.as_str(), report.exit), ("not found", Exit::No));
}

#[test]
fn the_list_shows_everything_and_judges_nothing() {
    let mut world = world(vec![beating("a", "running", 1), beating("b", "running", 130_000)]);
    world.read_only = true;
    let mut list = List::new("sim".to_owned(), Timings::default());
    let report = drive(&mut world, &mut list, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Ok);
    let pulses: Vec<_> =
        report.data["beats"].as_array().unwrap().iter().map(|beat| &beat["pulse"]).collect();
    assert_eq!(pulses, ["stale", "fresh"]);
}

proptest! {
    #[test]
    fn whoever_runs_and_has_no_beat_between_the_bounds_is_stale(age in -400_000_i64..400_000) {
        let (pulse, _) = pulse(&beating("a", "running", age));
        let fresh = (-FUTURE_MS..=120_000).contains(&age);
        prop_assert_eq!(pulse, if fresh { Pulse::Fresh } else { Pulse::Stale });
    }
    #[test]
    fn no_row_is_skipped_whatever_stands_in_it(status in ".{0,12}", beat in ".{0,24}") {
        let mut row = row("a", &status, "engine-1");
        row.row.set(StrategyRow::LAST_HEARTBEAT, Attr::text(beat));
        let beats = beats(std::slice::from_ref(&row), start(), &Timings::default());
        prop_assert_eq!(beats.len(), 1);
        prop_assert!(!matches!(beats[0].pulse, Pulse::Fresh) || beats[0].age_ms.value().is_some());
    }
}
