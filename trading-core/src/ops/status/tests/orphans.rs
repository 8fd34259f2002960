//! What a stop changed that ended before the latch named it.

use super::*;
use crate::ops::history::JOURNALS;
use crate::ops::{Answer, Ask};

/// A stop recorded this value of strategy `a` at the start, and the latch does not name it.
fn recorded(world: &mut SimWorld, before: &str, written: &str) {
    let status = |word: &str| RestoreValue::Status(Some(Attr::text(word)));
    world.chunks.push(RestoreChunk {
        format: RestoreChunk::FORMAT,
        stop_id: "stop-1".into(),
        run_id: "run-1".into(),
        chunk: 0,
        at: start(),
        items: vec![RestoreItem {
            subject: RestoreSubject::Strategy("a".into()),
            before: status(before),
            written: status(written),
            loses: None,
        }],
        unlatched: Some(Box::new(hold(Phase::Stopping, Level::Halt))),
        taken_from: None,
        void: Vec::new(),
    });
}

/// Strategy `a` stands as such a stop left it.
fn left_behind() -> SimWorld {
    let mut world = well();
    world.rows[0].row.set("status", Attr::text("stopped"));
    recorded(&mut world, "running", "stopped");
    world
}

#[test]
fn it_is_no_health_and_the_same_stop_is_typed_next() {
    let mut world = left_behind();
    let report = status(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No), "{report:#?}");
    let found = &report.findings[0];
    assert_eq!(
        (found.id.as_str(), found.evidence.join(" ")),
        ("stop.left_behind", "strategy=a".into())
    );
    assert!(found.message.contains("has not reached the latch: it is at work"), "{found:?}");
    assert_eq!(found.next.as_deref(), Some("tradectl emergency-stop --env sim"));
    let left = &report.data["left_behind"][0];
    assert_eq!((&left["stop_id"], &left["items"][0]), (&"stop-1".into(), &"strategy=a".into()));
    let page = format!("{:?}", report.body);
    assert!(
        page.contains("LEFT BEHIND, and held by nothing: 1 value of halt all by stop-1"),
        "{page}"
    );
    world.now += SignedDuration::from_secs(600);
    let later = status(&mut world);
    let found = later.findings.iter().find(|it| it.id == "stop.left_behind").unwrap();
    assert!(found.message.contains("ended before the latch named it"), "{found:?}");
}

#[test]
fn what_stands_otherwise_or_is_held_by_the_latch_is_not_left_behind() {
    let untouched = |world: &mut SimWorld| world.rows[0].row.set("status", Attr::text("running"));
    let named = |world: &mut SimWorld| world.latch.holds.push(hold(Phase::Held, Level::Halt));
    let changes: [fn(&mut SimWorld); 2] = [untouched, named];
    for change in changes {
        let mut world = left_behind();
        change(&mut world);
        let report = status(&mut world);
        assert!(!ids(&report).contains(&"stop.left_behind"), "{report:#?}");
        assert_eq!(report.data["left_behind"], serde_json::json!([]));
    }
}

#[test]
fn of_one_service_alone_it_is_not_asked() {
    let about = About::Service("engine-1".into());
    let report = status_of(&mut left_behind(), StatusRequest { about, ..request() });
    assert_eq!(report.data["left_behind"]["state"], "outside_scope");
}

#[test]
fn a_journal_that_may_hide_it_is_no_health_and_is_to_be_verified() {
    let gap = |source: &str| Seen::LooseChunks(Reading::unreachable(source, "entry 3 was changed"));
    for (source, next) in [(JOURNALS, "journal verify"), ("restore records", "doctor")] {
        let mut world = well();
        let mut status = Status::new(request());
        for want in status.wants(world.now) {
            let Ask::Read(query) = want.ask else { panic!("it only looks: {want:?}") };
            let loose = query == Query::LooseChunks;
            let seen = if loose { gap(source) } else { world.read(&query) };
            status.give(world.now, want.ticket, Answer::Read(Box::new(seen)));
        }
        let report = status.outcome(world.now).unwrap();
        assert_eq!(report.exit, Exit::Incomplete, "{source}");
        let next = format!("tradectl {next} --env sim");
        assert_eq!(report.findings[0].next.as_deref(), Some(next.as_str()), "{source}");
    }
}

#[test]
fn what_could_not_be_read_is_neither_said_to_stand_nor_to_be_none() {
    let mut world = left_behind();
    world.dark.insert(Query::Strategies);
    let report = status(&mut world);
    let found = report.findings.iter().find(|it| it.id == "stop.left_behind").unwrap();
    assert!(found.message.contains("could not be read"), "{found:?}");
    let mut world = left_behind();
    world.dark.insert(Query::Latch);
    let report = status(&mut world);
    assert_eq!(report.data["left_behind"]["state"], "unreachable");
    assert_eq!(report.exit, Exit::Incomplete);
}
