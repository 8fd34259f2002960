use super::*;
use crate::journal::{self, Chain};
use crate::model::{
    Hold, LATCH_FORMAT, Latch, Level, Phase, Scope, StatusReading, Task, TaskState,
};
use crate::ops::status::{About, Status, StatusRequest};
use crate::ops::world::{Kill, SimWorld, drive, row, site, start};
use crate::ops::{News, Procedure, Query, history};
use crate::plan::{Approval, Binding, Consent, Rung, Step};
use crate::report::{Exit, Report};
use jiff::SignedDuration;

const SECOND: i64 = 1_000;

fn ms(ms: i64) -> SignedDuration {
    SignedDuration::from_millis(ms)
}

/// One engine with two strategies that beat, and leases.
fn world() -> SimWorld {
    let mut world = SimWorld::busy();
    world.rows = vec![row("a", "running", "engine-1"), row("b", "running", "engine-1")];
    world.leases = Some(Vec::new());
    world.engines_beat = true;
    world
}

/// Both beat, then the engine freezes, and its leases run out.
fn frozen() -> SimWorld {
    let mut world = world();
    for row in &mut world.rows {
        row.row.set("last_heartbeat", Attr::text(start().to_string()));
    }
    world.frozen.insert("t1".into());
    world.now += ms(500 * SECOND);
    world
}

fn request(world: &SimWorld, run: &str) -> RecoverRequest {
    RecoverRequest {
        run_id: run.into(),
        strategy: "a".into(),
        reason: "test".into(),
        actor: "tester".into(),
        soak_ms: 0,
        anyway: false,
        left_stopped: None,
        started_at: world.now,
        deadline_at: world.now + ms(180 * SECOND),
    }
}

fn survey(
    world: &mut SimWorld,
    request: &RecoverRequest,
) -> (Report, Option<crate::plan::PlanDigest>) {
    let read_only = std::mem::replace(&mut world.read_only, true);
    let mut survey = Recover::new(site(), request.clone(), None);
    let report = drive(world, &mut survey, None, |_| 0).unwrap();
    world.read_only = read_only;
    (report, survey.digest.clone())
}

fn approved(digest: crate::plan::PlanDigest) -> Approval {
    let binding = Binding::Plan { environment: "sim".into(), digest };
    Approval::grant(binding, &Consent::Typed("sim".into())).unwrap()
}

/// Surveys, approves, and recovers; `None`: killed.
fn recover_or_die(
    world: &mut SimWorld,
    request: RecoverRequest,
    kill: Option<Kill>,
) -> Option<Report> {
    told(world, request, kill).0
}

/// The same, and what was told while it was at work.
fn told(
    world: &mut SimWorld,
    request: RecoverRequest,
    kill: Option<Kill>,
) -> (Option<Report>, Vec<News>) {
    let (report, digest) = survey(world, &request);
    let Some(digest) = digest else { return (Some(report), Vec::new()) };
    let mut recover = Recover::new(site(), request, Some((approved(digest), "typed")));
    let report = drive(world, &mut recover, kill, |_| 0);
    (report, recover.news())
}

fn recover(world: &mut SimWorld, request: RecoverRequest) -> Report {
    recover_or_die(world, request, None).unwrap()
}

fn status_of(world: &SimWorld, id: &str) -> StatusReading {
    world.rows.iter().find(|row| row.id.as_str() == id).unwrap().status()
}

fn task<'a>(world: &'a SimWorld, id: &str) -> &'a Task {
    world.tasks.iter().find(|task| task.id.as_str() == id).unwrap()
}

fn hold(level: Level, scope: Scope) -> Latch {
    let hold = Hold {
        stop_id: "stop-1".into(),
        level,
        scope,
        reason: "flash crash".into(),
        actor: "tester".into(),
        at: start(),
        phase: Phase::Held,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    Latch::released().next(vec![hold])
}

#[test]
fn a_frozen_engine_is_ended_and_its_strategy_started_only_then() {
    let mut world = frozen();
    let request = request(&world, "run-1");
    let report = recover(&mut world, request);
    assert_eq!((report.outcome.as_str(), report.exit), ("recovered", Exit::Ok), "{report:?}");
    assert_eq!(task(&world, "t1").state, TaskState::Stopped);
    assert_eq!(status_of(&world, "a"), StatusReading::Known(StrategyStatus::Running));
    assert_eq!(report.data["acknowledged"], false);
    assert_eq!(report.data["beside"][0], "b");
    let order: Vec<&str> = world.applied.iter().map(String::as_str).collect();
    assert_eq!(
        order,
        [
            "set status of a from \"running\" to \"stopped\"",
            "stop task t1",
            "set status of a from \"stopped\" to \"running\"",
        ]
    );
}

#[test]
fn an_owner_that_lets_go_keeps_its_task() {
    let mut world = world();
    let request = RecoverRequest { anyway: true, ..request(&world, "run-1") };
    let (report, news) = told(&mut world, request, None);
    let report = report.unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("recovered", Exit::Ok), "{report:?}");
    assert_eq!(report.data["acknowledged"], true);
    assert_eq!(task(&world, "t1").state, TaskState::Running);
    // That its task was left alone is no failure: not while it is told, and not afterwards.
    let compute = |news: &[News]| {
        let last = news.iter().rfind(|it| it.rung == "compute" && it.done.is_some()).unwrap();
        (last.message.clone(), last.bad)
    };
    assert_eq!(compute(&news), ("1 of 1".to_owned(), false));
    let sealed = Chain::default().seal(start(), &world.journal).unwrap();
    let again = history::replay("run-1", &journal::read(&sealed), "sim");
    assert_eq!(again.report.findings, []);
    let again: Vec<News> = again.news.into_iter().map(|(_, it)| it).collect();
    assert_eq!(compute(&again), ("1 of 1".to_owned(), false));
    assert_eq!(report.data["failures"].as_array().unwrap().len(), 0);
    let drained = report.data["timing"]["time_to_drained_ms"].as_i64().unwrap();
    assert!((1..=5_000).contains(&drained), "{drained}");
}

#[test]
fn an_owner_that_clings_to_its_lease_is_ended_after_its_time() {
    let mut world = world();
    world.clinging.insert("t1".into());
    let request = RecoverRequest { anyway: true, ..request(&world, "run-1") };
    let report = recover(&mut world, request);
    assert_eq!((report.exit, report.data["acknowledged"].as_bool()), (Exit::Ok, Some(false)));
    assert_eq!(task(&world, "t1").state, TaskState::Stopped);
    let drained = report.data["timing"]["time_to_drained_ms"].as_i64().unwrap();
    assert!(drained >= 5_000, "its time was not waited for: {drained}");
}

#[test]
fn an_engine_that_froze_a_moment_ago_is_not_taken_for_one_that_lets_go() {
    let mut world = world();
    // It takes its leases, and freezes at once.
    let first = request(&world, "run-0");
    survey(&mut world, &first);
    world.frozen.insert("t1".into());
    assert!(world.leases.iter().flatten().any(|lease| lease.expires_at > world.now));
    let request = RecoverRequest { anyway: true, ..request(&world, "run-1") };
    let report = recover(&mut world, request);
    assert_eq!((report.outcome.as_str(), report.exit), ("recovered", Exit::Ok), "{report:?}");
    assert_eq!(report.data["acknowledged"], false);
    assert_eq!(task(&world, "t1").state, TaskState::Stopped);
}

#[test]
fn a_strategy_that_beats_is_left_alone() {
    let mut world = world();
    for row in &mut world.rows {
        row.row.set("last_heartbeat", Attr::text(world.now.to_string()));
    }
    world.read_only = true;
    let request = request(&world, "run-1");
    let report = recover(&mut world, request);
    assert_eq!((report.outcome.as_str(), report.exit), ("nothing to do", Exit::Ok));
}

#[test]
fn a_hold_that_covers_it_refuses_and_names_the_stop() {
    let scopes = [Scope::All, Scope::Strategy("a".into()), Scope::Service("engine-1".into())];
    for (scope, level) in scopes.into_iter().zip([Level::Halt, Level::ReduceOnly, Level::Halt]) {
        let mut world = frozen();
        world.read_only = true;
        world.latch = hold(level, scope);
        let request = request(&world, "run-1");
        let report = recover(&mut world, request);
        assert_eq!(report.exit, Exit::Refused);
        let message = &report.errors[0].message;
        assert!(message.contains("stop-1") && message.contains("flash crash"), "{message}");
    }
    let mut world = frozen();
    world.latch = hold(Level::Halt, Scope::Strategy("other".into()));
    let request = request(&world, "run-1");
    assert_eq!(recover(&mut world, request).exit, Exit::Ok);
    let mut world = frozen();
    world.latch.format = LATCH_FORMAT + 1;
    let request = self::request(&world, "run-1");
    assert_eq!(recover(&mut world, request).exit, Exit::Refused);
}

#[test]
fn what_cannot_be_recovered_is_refused_and_said() {
    let refuses = |change: fn(&mut SimWorld)| {
        let mut world = frozen();
        change(&mut world);
        world.read_only = true;
        let request = RecoverRequest { anyway: true, ..request(&world, "run-1") };
        let report = recover(&mut world, request);
        assert_eq!(report.exit, Exit::Refused, "{report:?}");
        report.errors[0].message.clone()
    };
    let set =
        |world: &mut SimWorld, status: &str| world.rows[0].row.set("status", Attr::text(status));
    assert!(refuses(|world| world.rows.clear()).contains("no strategy a"));
    for status in ["paused", "stopped", "failed", "runing"] {
        let mut world = frozen();
        set(&mut world, status);
        world.read_only = true;
        let request = request(&world, "run-1");
        assert_eq!(recover(&mut world, request).exit, Exit::Refused, "{status}");
    }
    assert!(refuses(|world| world.services[0].desired_count = 0).contains("0 tasks"));
    assert!(refuses(|world| world.services.clear()).contains("no service engine-1"));
    assert!(refuses(|world| drop(world.rows[0].row.remove("service"))).contains("does not say"));
}

#[test]
fn what_must_be_known_and_is_not_ends_it_before_anything_is_changed() {
    for query in [Query::Latch, Query::Strategies, Query::Services, Query::Tasks, Query::Leases] {
        let mut world = frozen();
        world.read_only = true;
        world.dark.insert(query.clone());
        let request = request(&world, "run-1");
        let report = recover(&mut world, request);
        assert_eq!((report.exit, report.complete), (Exit::Failed, false), "{query:?}");
    }
    // Evidence that cannot be read is saved as such, and holds up nothing.
    let mut world = frozen();
    world.dark.insert(Query::Positions);
    let request = request(&world, "run-1");
    assert_eq!(recover(&mut world, request).exit, Exit::Ok);
    let positions = world.journal.iter().find_map(|entry| match entry {
        Entry::Evidence { subject, value } if subject == "positions" => Some(value),
        _ => None,
    });
    assert_eq!(positions.unwrap()["state"], "unreachable");
}

#[test]
fn the_evidence_stands_in_the_journal_before_the_first_intent() {
    let mut world = frozen();
    let request = request(&world, "run-1");
    recover(&mut world, request);
    let first_intent =
        world.journal.iter().position(|entry| matches!(entry, Entry::Intent { .. })).unwrap();
    let saved: Vec<&str> = world.journal[..first_intent]
        .iter()
        .filter_map(|entry| match entry {
            Entry::Evidence { subject, .. } => Some(subject.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(saved[..4], ["row", "service", "tasks", "leases"]);
    assert!(saved.contains(&"log") && saved.contains(&"orders at paper"), "{saved:?}");
}

#[test]
fn without_a_journal_nothing_is_done() {
    let mut world = frozen();
    world.journal_broken = true;
    let request = request(&world, "run-1");
    let report = recover(&mut world, request);
    assert_eq!((report.exit, world.applied.len()), (Exit::Refused, 0));
}

#[test]
fn a_world_that_moved_since_the_approval_is_refused() {
    let mut world = frozen();
    let request = request(&world, "run-1");
    let (_, digest) = survey(&mut world, &request);
    world.rows[0].row.set("status", Attr::text("warmup"));
    world.rows[0].row.remove("started_at");
    world.read_only = true;
    let approval = approved(digest.unwrap());
    let mut recover = Recover::new(site(), request, Some((approval, "typed")));
    let report = drive(&mut world, &mut recover, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Refused);
    assert!(report.errors[0].message.contains("approved was the plan"), "{report:?}");
}

#[test]
fn a_strategy_that_does_not_beat_after_all_is_partial_and_says_what_stands() {
    let mut world = frozen();
    world.hung.insert("a".into());
    let request = request(&world, "run-1");
    let report = recover(&mut world, request.clone());
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial));
    let message = &report.errors[0].message;
    assert!(message.contains("1 min of RUNNING") && message.contains("set to"), "{message}");
    assert!(world.now < request.deadline_at, "it waited for the deadline");
}

#[test]
fn a_soak_watches_and_a_strategy_that_falls_silent_again_fails_it() {
    let mut world = frozen();
    let minutes = |request: RecoverRequest| RecoverRequest {
        soak_ms: 600_000,
        deadline_at: request.deadline_at + ms(600 * SECOND),
        ..request
    };
    let request = minutes(request(&world, "run-1"));
    let (_, digest) = survey(&mut world, &request);
    let mut recover = Recover::new(site(), request, Some((approved(digest.unwrap()), "typed")));
    let report = drive(&mut world, &mut recover, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Ok);
    assert!(report.data["timing"]["duration_ms"].as_i64().unwrap() >= 600_000);
    let last = recover.news().into_iter().rfind(|news| news.rung == "soak").unwrap();
    assert_eq!(last.done, Some((600, 600)));

    let mut world = frozen();
    world.beats_until = Some(world.now + ms(60 * SECOND));
    let request = minutes(self::request(&world, "run-2"));
    let report = recover_or_die(&mut world, request, None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial));
    let message = &report.errors[0].message;
    assert!(message.contains("while it was watched: stale"), "{message}");
}

#[test]
fn killed_anywhere_and_run_again_it_comes_to_the_same_end() {
    for place in 0..60 {
        for kill in [Kill::Before(place), Kill::After(place)] {
            let mut world = frozen();
            let request = request(&world, "run-1");
            if recover_or_die(&mut world, request, Some(kill)).is_some() {
                continue;
            }
            let left = status_of(&world, "a") == StatusReading::Known(StrategyStatus::Stopped);
            assert_eq!(left_behind(&mut world), left, "killed at {kill:?}");
            let bytes = Chain::default().seal(start(), &world.journal).unwrap();
            let found =
                Found { run: "run-1".into(), journal: Ok(journal::read(&bytes)), at_work: false };
            world.now += ms(SECOND);
            let again = RecoverRequest {
                left_stopped: left_stopped(&[found], &"a".into()),
                ..self::request(&world, "run-2")
            };
            let report = recover(&mut world, again);
            assert_eq!(report.exit, Exit::Ok, "killed at {kill:?}: {report:?}");
            assert_eq!(status_of(&world, "a"), StatusReading::Known(StrategyStatus::Running));
        }
    }
}

/// Whether `status` names what a recovery left stopped, and what brings it back.
fn left_behind(world: &mut SimWorld) -> bool {
    let mut status = Status::new(StatusRequest {
        site: site(),
        about: About::Everything,
        lacks: Vec::new(),
        cluster: None,
        all: false,
    });
    let report = drive(world, &mut status, None, |_| 0).unwrap();
    let found = report.findings.iter().find(|it| it.id == "strategy.left_stopped");
    let next = "tradectl heartbeat recover a --reason … --env sim";
    assert!(found.is_none_or(|it| it.next.as_deref() == Some(next)), "{found:?}");
    found.is_some()
}

#[test]
fn only_the_newest_run_that_touched_a_strategy_tells_what_left_it_stopped() {
    let mut world = frozen();
    let request = request(&world, "run-1");
    recover(&mut world, request);
    let whole = Chain::default().seal(start(), &world.journal).unwrap();
    let found = |run: &str, bytes: &[u8]| Found {
        run: run.into(),
        journal: Ok(journal::read(bytes)),
        at_work: false,
    };
    assert_eq!(left_stopped(&[found("run-1", &whole)], &"a".into()), None, "it was started again");
    assert_eq!(left_stopped(&[], &"a".into()), None);
    let unread = Found { run: "run-2".into(), journal: Err("denied".into()), at_work: false };
    assert_eq!(left_stopped(&[unread], &"a".into()), None);

    // Somebody else's run that set it since is the newest that touched it.
    let set = |from: &str, to: &str| {
        let write = |from: &str, to: &str| {
            Act::SetStatus(StatusWrite {
                strategy: "a".into(),
                expected: Some(Attr::text(from)),
                value: Some(Attr::text(to)),
            })
        };
        Step::new(StepId::new(format!("{from}-{to}")), Rung::Strategies, "test", write(from, to))
    };
    let run = |command: &str, steps: Vec<Step>| {
        let opened = Entry::Opened {
            run_id: "run".into(),
            command: command.to_owned(),
            environment: "sim".into(),
            actor: "tester".into(),
            reason: "test".into(),
            version: "0".into(),
        };
        let first = vec![steps[0].id.clone()];
        let entries = [opened, Entry::Page { steps }, Entry::Intent { steps: first }];
        Chain::default().seal(start(), &entries).unwrap()
    };
    let left = run(COMMAND, vec![set("running", "stopped"), set("stopped", "running")]);
    let other = run("emergency-stop", vec![set("running", "stopped")]);
    let recovery = || found("run-1", &left);
    let before = left_stopped(&[recovery()], &"a".into()).unwrap().before;
    assert_eq!(before, Attr::text("running"));
    assert_eq!(left_stopped(&[recovery(), found("run-2", &other)], &"a".into()), None);
    assert!(left_stopped(&[found("run-0", &other), recovery()], &"a".into()).is_some());
    assert_eq!(left_stopped(&[recovery()], &"b".into()), None);
    let all = all_left_stopped(&[recovery()]);
    assert_eq!(all.into_keys().collect::<Vec<_>>(), ["a".into()]);
    assert!(all_left_stopped(&[recovery(), found("run-2", &other)]).is_empty());
    // One that is at work leaves nothing yet.
    assert!(all_left_stopped(&[Found { at_work: true, ..recovery() }]).is_empty());
}
