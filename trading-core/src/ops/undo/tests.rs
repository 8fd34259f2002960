use super::*;
use crate::journal::{self, Chain};
use crate::model::*;
use crate::ops::Planned;
use crate::ops::history::Found;
use crate::ops::world::{Kill, SimWorld, drive, site, start};
use crate::plan::{Approval, Binding, Consent, Rung};
use crate::report::{Exit, Report};
use jiff::SignedDuration;

fn request(world: &SimWorld) -> UndoRequest {
    UndoRequest {
        run_id: "run-9".into(),
        of: "run-1".into(),
        reason: "test".into(),
        actor: "tester".into(),
        started_at: world.now,
        deadline_at: world.now + SignedDuration::from_secs(60),
    }
}

fn opened(command: &str) -> Entry {
    Entry::Opened {
        run_id: "run-1".into(),
        command: command.into(),
        environment: "sim".into(),
        actor: "tester".into(),
        reason: "test".into(),
        version: "0".into(),
    }
}

fn set(id: &str, from: &str, to: &str) -> Step {
    let write = StatusWrite {
        strategy: id.into(),
        expected: Some(Attr::text(from)),
        value: Some(Attr::text(to)),
    };
    let id = StepId::new(format!("{id}:{to}"));
    Step::new(id, Rung::Strategies, "test", Act::SetStatus(write))
}

fn scale(name: &str, expected: u32, desired: u32) -> Step {
    let act = Act::SetDesired { service: name.into(), expected, desired };
    Step::new(StepId::new(format!("{name}:{desired}")), Rung::Compute, "test", act)
}

/// A run that began all of these steps and had the answers that are given.
fn journal_of(steps: &[Step], answers: &[Option<Written>]) -> Journal {
    let ids = steps.iter().map(|step| step.id.clone()).collect();
    let page = Entry::Page { steps: steps.to_vec() };
    let mut entries = vec![opened("heartbeat.recover"), page, Entry::Intent { steps: ids }];
    for (step, answer) in steps.iter().zip(answers) {
        entries.extend(answer.clone().map(|written| Entry::Settled {
            step: step.id.clone(),
            answer: Settled::Answered(written),
        }));
    }
    journal::read(&Chain::default().seal(start(), &entries).unwrap())
}

fn applied() -> Option<Written> {
    Some(Written::Applied { at: start() })
}

fn undo(world: &mut SimWorld, journal: &Journal, kill: Option<Kill>) -> Option<Report> {
    let changes = changes("run-1", journal).unwrap();
    let request = request(world);
    let read_only = std::mem::replace(&mut world.read_only, true);
    let mut survey = Undo::new(site(), request.clone(), changes.clone(), None);
    let report = drive(world, &mut survey, None, |_| 0).unwrap();
    world.read_only = read_only;
    let Some(digest) = survey.digest.clone() else { return Some(report) };
    assert_eq!(survey.plan_steps().len(), survey.steps.len());
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    let mut undo = Undo::new(site(), request, changes, Some((approval, "typed")));
    drive(world, &mut undo, kill, |_| 0)
}

fn status(world: &SimWorld, id: &str) -> String {
    let row = world.rows.iter().find(|row| row.id.as_str() == id).unwrap();
    row.row.text("status").unwrap().to_owned()
}

#[test]
fn what_a_run_changed_is_set_back_the_last_first() {
    let mut world = SimWorld::busy();
    let steps = [set("a", "paused", "running"), scale("engine-2", 1, 2)];
    let report = undo(&mut world, &journal_of(&steps, &[applied(), applied()]), None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("undone", Exit::Ok), "{report:?}");
    assert_eq!(
        world.applied,
        [
            "set desired count of engine-2 from 2 to 1",
            "set status of a from \"running\" to \"paused\""
        ]
    );
}

#[test]
fn a_value_that_went_forth_and_back_is_left_alone() {
    let mut world = SimWorld::busy();
    world.read_only = true;
    let steps = [set("a", "running", "stopped"), set("a", "stopped", "running")];
    let report = undo(&mut world, &journal_of(&steps, &[applied(), applied()]), None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("nothing to do", Exit::Ok));
}

#[test]
fn what_was_begun_and_has_no_answer_is_looked_at() {
    let steps = [set("a", "running", "stopped"), set("a", "stopped", "running")];
    let journal = journal_of(&steps, &[applied(), None]);
    // It was not done: the strategy stands stopped.
    let mut world = SimWorld::busy();
    world.rows[0].row.set("status", Attr::text("stopped"));
    assert_eq!(undo(&mut world, &journal, None).unwrap().outcome, "undone");
    assert_eq!(status(&world, "a"), "running");
    // It was.
    let mut world = SimWorld::busy();
    assert_eq!(undo(&mut world, &journal, None).unwrap().outcome, "nothing to do");
}

#[test]
fn what_somebody_changed_since_is_refused_with_expected_and_found() {
    let mut world = SimWorld::busy();
    world.read_only = true;
    let steps = [set("a", "running", "stopped"), set("b", "running", "stopped")];
    world.rows[0].row.set("status", Attr::text("stopped"));
    world.rows[1].row.set("status", Attr::text("paused"));
    let report = undo(&mut world, &journal_of(&steps, &[applied(), applied()]), None).unwrap();
    assert_eq!(report.exit, Exit::Refused);
    let message = &report.errors[0].message;
    assert!(message.contains("strategy=b") && message.contains("\"paused\""), "{message}");
}

#[test]
fn under_a_hold_that_covers_it_nothing_is_set_back() {
    let hold = Hold {
        stop_id: "stop-1".into(),
        level: Level::Halt,
        scope: Scope::Service("engine-1".into()),
        reason: "test".into(),
        actor: "tester".into(),
        at: start(),
        phase: Phase::Held,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    let mut world = SimWorld::busy();
    world.latch = world.latch.next(vec![hold]);
    world.rows[0].row.set("status", Attr::text("stopped"));
    world.read_only = true;
    let journal = journal_of(&[set("a", "running", "stopped")], &[applied()]);
    let report = undo(&mut world, &journal, None).unwrap();
    assert_eq!(report.exit, Exit::Refused);
    assert!(report.errors[0].message.contains("stop-1"), "{report:?}");
    // Another service is free.
    world.read_only = false;
    let journal = journal_of(&[scale("engine-2", 1, 2)], &[applied()]);
    assert_eq!(undo(&mut world, &journal, None).unwrap().exit, Exit::Ok);
}

#[test]
fn stops_and_resumes_have_their_own_way_back_and_damage_has_none() {
    let with = |command: &str, rest: &[Entry]| {
        let entries = [&[opened(command)], rest].concat();
        let bytes = Chain::default().seal(start(), &entries).unwrap();
        changes("run-1", &journal::read(&bytes))
    };
    let of = |command: &str| with(command, &[]);
    let stop = |stop_id: Option<StopId>| Err(NotUndone::Stop { run: "run-1".into(), stop_id });
    assert_eq!(of("emergency-stop"), stop(None));
    // It went on as another one after the first was resumed.
    let worked_on = |id: &str| Entry::Stop { stop_id: id.into(), continued: false };
    let both = with("emergency-stop", &[worked_on("stop-1"), worked_on("stop-1-1")]);
    assert_eq!(both, stop(Some("stop-1-1".into())));
    assert_eq!(of("resume"), Err(NotUndone::Resume { run: "run-1".into() }));
    assert_eq!(of("heartbeat.recover"), Ok(Changes::default()));
    assert!(matches!(changes("run-1", &journal::read(b"torn")), Err(NotUndone::Damaged { .. })));
}

#[test]
fn what_was_refused_was_not_changed_and_what_has_no_way_back_is_named() {
    let refused = Written::Refused { expected: "x".into(), found: "y".into() };
    let stop = Act::StopTask { task: "t1".into(), reason: "test".into() };
    let steps = [
        set("a", "paused", "running"),
        set("b", "paused", "running"),
        Step::new(StepId::new("t1"), Rung::Compute, "test", stop),
    ];
    let journal = journal_of(&steps, &[Some(refused), Some(Written::Already), applied()]);
    let changes = changes("run-1", &journal).unwrap();
    assert_eq!((changes.items.len(), changes.for_good), (0, vec!["stop task t1".to_owned()]));
}

#[test]
fn what_cannot_be_read_ends_it_before_anything_is_changed() {
    let journal = journal_of(&[set("a", "paused", "running")], &[applied()]);
    for query in [crate::ops::Query::Strategies, crate::ops::Query::Latch] {
        let mut world = SimWorld::busy();
        world.dark.insert(query.clone());
        world.read_only = true;
        let report = undo(&mut world, &journal, None).unwrap();
        assert_eq!((report.exit, report.complete), (Exit::Failed, false), "{query:?}");
    }
    let mut world = SimWorld::busy();
    world.journal_broken = true;
    world.read_only = true;
    assert_eq!(undo(&mut world, &journal, None).unwrap().exit, Exit::Refused);
}

#[test]
fn killed_anywhere_and_run_again_it_comes_to_the_same_end() {
    let steps = [set("a", "paused", "running"), set("d", "paused", "warmup"), scale("data", 0, 1)];
    let journal = journal_of(&steps, &[applied(), applied(), applied()]);
    for place in 0..30 {
        for kill in [Kill::Before(place), Kill::After(place)] {
            let mut world = SimWorld::busy();
            if undo(&mut world, &journal, Some(kill)).is_some() {
                continue;
            }
            let report = undo(&mut world, &journal, None).unwrap();
            assert_eq!(report.exit, Exit::Ok, "killed at {kill:?}: {report:?}");
            assert_eq!(
                (status(&world, "a"), status(&world, "d")),
                ("paused".into(), "paused".into())
            );
            assert_eq!(world.applied.len(), 3, "killed at {kill:?}: something was done twice");
        }
    }
}

#[test]
fn an_undone_recovery_is_not_gone_on_with() {
    let steps = [set("a", "running", "stopped"), set("a", "stopped", "running")];
    let recovery = journal_of(&steps[..1], &[applied()]);
    let mut world = SimWorld::busy();
    world.rows[0].row.set("status", Attr::text("stopped"));
    undo(&mut world, &recovery, None).unwrap();
    let bytes = Chain::default().seal(start(), &world.journal).unwrap();
    let journals = [
        Found {
            run: "run-1".into(),
            journal: Ok(journal_of(&steps, &[applied(), None])),
            at_work: false,
        },
        Found { run: "run-9".into(), journal: Ok(journal::read(&bytes)), at_work: false },
    ];
    assert_eq!(crate::ops::heartbeat::left_stopped(&journals, &"a".into()), None);
    assert!(crate::ops::heartbeat::left_stopped(&journals[..1], &"a".into()).is_some());
}
