//! Records that were given of a stop that no latch ever named.

use super::*;

/// A stop without a latch and a record died; what it printed, and the world that it left.
pub(super) fn unnamed() -> (SimWorld, Vec<RestoreChunk>) {
    unnamed_of(Scope::All)
}

fn unnamed_of(scope: Scope) -> (SimWorld, Vec<RestoreChunk>) {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    world.engines_beat = true;
    (world.latch_broken, world.store_broken) = (true, true);
    let deadline_at = world.now + SignedDuration::from_secs(10);
    let asked = emergency_stop::Request { scope, deadline_at, ..world::request(&world, "dead") };
    let approval = world::approval(&world::site(), &asked);
    let mut stop = EmergencyStop::new(world::site(), asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_ne!(report.outcome, "HALTED", "{report:#?}");
    (world.latch_broken, world.store_broken) = (false, false);
    world.now += SignedDuration::from_mins(5);
    // It ran on another machine.
    (world.journal, world.journaled_at) = (vec![], vec![]);
    let record = std::mem::take(&mut world.elsewhere);
    assert!(record.iter().any(|it| !it.items.is_empty()), "{record:#?}");
    (world, record)
}

fn given(world: &SimWorld, record: &[RestoreChunk], run: &str) -> Request {
    let record_files = vec!["dead.txt".to_owned()];
    Request { record: record.to_vec(), record_files, ..request(world, run) }
}

fn desired(world: &SimWorld) -> Vec<u32> {
    world.services.iter().map(|it| it.desired_count).collect()
}

fn service<'a>(world: &'a mut SimWorld, name: &str) -> &'a mut Service {
    world.services.iter_mut().find(|it| it.name.as_str() == name).unwrap()
}

/// What was typed once more without the record would release over what it holds.
#[test]
fn what_is_typed_next_gives_the_record_again() {
    let (mut world, record) = unnamed();
    // The stop that is resumed has something of its own, which somebody changes.
    service(&mut world, "engine-2").desired_count = 3;
    stop_scope(&mut world, "r1", Scope::All);
    service(&mut world, "engine-2").desired_count = 7;
    let asked = given(&world, &record, "r2");
    let (report, _) = survey(&mut world, asked.clone());
    assert_eq!(report.outcome, "undecided", "{report:#?}");
    let line = "tradectl resume stop-r1 --env sim --reason … --record dead.txt";
    let next = report.findings.iter().find(|it| it.id == "resume.changed_since").unwrap();
    let leave = format!("{line} --leave service=engine-2");
    assert_eq!(next.next.as_deref(), Some(leave.as_str()));
    assert_eq!(report.fold.unwrap().all, format!("{line} --dry-run --output json"));
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert_eq!(report.errors[0].hint.as_deref(), Some(leave.as_str()));
    // A part that is missing all the same is given beside it.
    world.latch.holds[0].note_misplaced(&"r9".into(), "bob", [0].into());
    let asked = given(&world, &record, "r3");
    let report = resume_with(&mut world, asked, None).unwrap();
    let both = format!("{line} --record FILE");
    assert_eq!(report.errors[0].hint.as_deref(), Some(both.as_str()), "{report:#?}");
    // Of several stops the first is to be typed, and its record with it.
    world.latch.holds[0].misplaced.clear();
    stop_scope(&mut world, "x", Scope::Service("engine-1".into()));
    let asked = given(&world, &record, "r4");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.errors[0].hint.as_deref(), Some(line), "{report:#?}");
}

fn has(record: &[RestoreChunk], subject: &RestoreSubject) -> bool {
    record.iter().flat_map(|it| &it.items).any(|it| it.subject == *subject)
}

/// Two stopped at once: the write of the one landed, and the other noted that its own did not.
#[test]
fn what_the_stop_itself_only_recorded_does_not_hide_the_value_that_was_given() {
    let (mut world, record) = unnamed();
    let before = desired(&SimWorld::busy());
    assert_ne!(desired(&world), before);
    stop_scope(&mut world, "r1", Scope::All);
    let engine = RestoreSubject::Service("engine-2".into());
    assert!(has(&record, &engine) && !has(&world.chunks, &engine));
    let with = record.iter().find(|it| has(std::slice::from_ref(it), &engine)).unwrap();
    let mut own = RestoreChunk {
        stop_id: "stop-r1".into(),
        run_id: "r9".into(),
        chunk: 0,
        unlatched: None,
        ..with.clone()
    };
    own.items.retain(|it| it.subject == engine);
    let void = vec![Void { chunk: 0, subject: engine }];
    let note = RestoreChunk { chunk: 1, items: vec![], void, ..own.clone() };
    world.chunks.extend([own, note]);
    let asked = given(&world, &record, "r2");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(desired(&world), before);
}

/// What the first try put back is waited for by the second one too.
#[test]
fn a_second_try_does_not_release_over_what_the_first_one_put_back() {
    let (mut world, record) = unnamed();
    let of_a = RestoreSubject::Strategy("a".into());
    assert!(has(&record, &of_a), "{record:#?}");
    stop_scope(&mut world, "r1", Scope::All);
    world.hung.insert("a".into());
    for run in ["r2", "r3"] {
        let asked = given(&world, &record, run);
        let report = resume_with(&mut world, asked, None).unwrap();
        assert_eq!(report.outcome, "PARTIAL", "{run}: {report:#?}");
        let silent = report.findings.iter().any(|it| it.id == "resume.not_beating");
        assert!(silent && !world.latch.holds.is_empty(), "{run}: {report:#?}");
    }
    assert_eq!(statuses(&world)[0], "running");
    let leave = vec![of_a.to_string()];
    let asked = Request { leave, ..given(&world, &record, "r4") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    // What is left does not trade.
    assert_eq!(statuses(&world)[0], "stopped");
}

fn resume_given(world: &mut SimWorld, stop: &str, record: &[RestoreChunk], run: &str) -> Report {
    let asked = Request { record: record.to_vec(), ..later_of(world, stop, run) };
    let report = resume_with(world, asked, None).unwrap();
    world.now += SignedDuration::from_mins(1);
    report
}

/// Whoever sets something to the same value later does so for reasons of his own.
#[test]
fn a_given_record_is_put_back_once() {
    for brought_up in [None, Some(5)] {
        let (mut world, record) = unnamed();
        let before = desired(&SimWorld::busy());
        stop_scope(&mut world, "r1", Scope::All);
        // It does not stand as it was left, and is nobody's any more.
        brought_up.into_iter().for_each(|it| service(&mut world, "engine-2").desired_count = it);
        let report = resume_given(&mut world, "stop-r1", &record, "r2");
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        let now = service(&mut world, "engine-2").desired_count;
        assert_eq!(now, brought_up.unwrap_or(before[1]));
        // It is retired.
        service(&mut world, "engine-2").desired_count = 0;
        world.rows[3].row.set("status", Attr::text("stopped"));
        stop_scope(&mut world, "r3", Scope::All);
        let report = resume_given(&mut world, "stop-r3", &record, "r4");
        assert_eq!(report.exit, Exit::Refused, "{report:#?}");
        let message = &report.errors[0].message;
        assert!(message.contains("stop stop-r1 answered for it already"), "{message}");
        let report = resume_given(&mut world, "stop-r3", &[], "r5");
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        assert_eq!(service(&mut world, "engine-2").desired_count, 0);
    }
}

/// What a killed try put back is in the record of the stop: the next one needs no other.
#[test]
fn nothing_of_a_given_record_is_put_back_before_its_copy_stands() {
    let before = desired(&SimWorld::busy());
    let (mut put_back, mut whole) = (0, false);
    for index in 0.. {
        let (mut world, record) = unnamed();
        stop_scope(&mut world, "r1", Scope::All);
        let left = (desired(&world), statuses(&world));
        let asked = given(&world, &record, "r2");
        whole = resume_with(&mut world, asked, Some(Kill::After(index))).is_some();
        let held = !whole && !world.latch.holds.is_empty();
        if held && (desired(&world), statuses(&world)) != left {
            put_back += 1;
            let report = resume_given(&mut world, "stop-r1", &[], "r3");
            assert_eq!(report.outcome, "RELEASED", "{index}: {report:#?}");
            assert_eq!(desired(&world), before, "{index}");
            assert_eq!(statuses(&world)[0], "running", "{index}");
        }
        if whole {
            break;
        }
    }
    assert!(whole && put_back > 3, "{put_back}");
}

/// The stop recorded one thing twice: the first time somebody else had been there before it.
fn recorded_twice() -> (SimWorld, Vec<RestoreChunk>) {
    let (world, mut record) = unnamed();
    let engine = RestoreSubject::Service("engine-2".into());
    let with = |it: &&mut RestoreChunk| it.items.iter().any(|it| it.subject == engine);
    let first = record.iter_mut().find(with).unwrap();
    let item = first.items.iter_mut().find(|it| it.subject == engine).unwrap();
    let again = item.clone();
    item.before = RestoreValue::Desired(3);
    let void = vec![Void { chunk: first.chunk, subject: engine }];
    let mut last = RestoreChunk { items: vec![again], void, ..first.clone() };
    last.chunk = record.iter().map(|it| it.chunk).max().unwrap() + 1;
    record.push(last);
    (world, record)
}

/// Of a try that ended between two copies the next one makes the second.
#[test]
fn what_was_recorded_twice_comes_back_also_where_a_try_ended_between_its_copies() {
    let before = desired(&SimWorld::busy());
    let mut between = 0;
    for index in 0.. {
        let (mut world, record) = recorded_twice();
        stop_scope(&mut world, "r1", Scope::All);
        let asked = given(&world, &record, "r2");
        let whole = resume_with(&mut world, asked, Some(Kill::After(index))).is_some();
        let taken = world.chunks.iter().filter(|it| it.taken_from == Some("stop-dead".into()));
        let taken = taken.count();
        between += usize::from(taken > 0 && taken < record.len());
        if !whole && !world.latch.holds.is_empty() {
            let report = resume_given(&mut world, "stop-r1", &record, "r3");
            assert_eq!(report.outcome, "RELEASED", "{index}: {report:#?}");
        }
        assert_eq!(desired(&world), before, "{index}: {taken}");
        if whole {
            break;
        }
    }
    assert!(between > 0);
}

/// What a first try found otherwise stays nobody's, however the second one finds it.
#[test]
fn what_a_try_did_not_take_over_is_not_taken_over_by_the_next_one() {
    let engine = RestoreSubject::Service("engine-2".into());
    let mut between = 0;
    for index in 0.. {
        let (mut world, mut record) = unnamed();
        let with = record.iter().find(|it| has(std::slice::from_ref(it), &engine)).unwrap();
        let mut again = with.clone();
        again.items.retain(|it| it.subject == engine);
        again.chunk = record.iter().map(|it| it.chunk).max().unwrap() + 1;
        record.push(again);
        stop_scope(&mut world, "r1", Scope::All);
        service(&mut world, "engine-2").desired_count = 5;
        let asked = given(&world, &record, "r2");
        let whole = resume_with(&mut world, asked, Some(Kill::After(index))).is_some();
        let found =
            |it: &&RestoreChunk| it.taken_from.is_some() && has(std::slice::from_ref(it), &engine);
        if whole || world.latch.holds.is_empty() {
            assert_eq!(service(&mut world, "engine-2").desired_count, 5);
        } else if world.chunks.iter().any(|it| found(&it)) {
            between += 1;
            // It is retired.
            service(&mut world, "engine-2").desired_count = 0;
            let report = resume_given(&mut world, "stop-r1", &record, "r3");
            assert_eq!(report.exit, Exit::Refused, "{index}: {report:#?}");
            assert_eq!(service(&mut world, "engine-2").desired_count, 0, "{index}");
        }
        if whole {
            break;
        }
    }
    assert!(between > 0);
}

#[test]
fn where_the_copy_cannot_be_written_nothing_is_put_back() {
    let (mut world, record) = unnamed();
    stop_scope(&mut world, "r1", Scope::All);
    world.store_broken = true;
    let left = desired(&world);
    let report = resume_given(&mut world, "stop-r1", &record, "r2");
    assert_ne!(report.exit, Exit::Ok, "{report:#?}");
    assert_eq!(desired(&world), left);
    assert!(!world.latch.holds.is_empty());
    world.store_broken = false;
    let report = resume_given(&mut world, "stop-r1", &record, "r3");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(desired(&world), desired(&SimWorld::busy()));
}

/// What a stop recorded before the latch named it, and nowhere but in its output.
fn named_late(world: &mut SimWorld) -> Vec<RestoreChunk> {
    let latch = |ask: &crate::ops::Ask| matches!(ask, crate::ops::Ask::Read(Query::Latch));
    world.slow = Some((latch, world.now + SignedDuration::from_secs(4)));
    world.store_broken = true;
    stop_scope(world, "r0", Scope::All);
    (world.slow, world.store_broken) = (None, false);
    let record = world.elsewhere.clone();
    assert!(record.iter().any(|it| it.unlatched.is_none()), "{record:#?}");
    record
}

/// Its latch named it after all, and it is over.
#[test]
fn a_record_of_a_stop_that_was_resumed_is_no_record_of_one_that_nobody_named() {
    let cases = [
        (false, false, false, "stop stop-r0 answered for it"),
        (true, true, false, "run r1 resumed it"),
        (true, false, true, "the latch named that one"),
    ];
    for (leave, here, whole, why) in cases {
        let mut world = SimWorld::busy();
        world.engines_beat = true;
        let record = named_late(&mut world);
        let mut early = record.clone();
        early.retain(|it| whole || it.unlatched.is_some());
        assert!(has(&early, &RestoreSubject::Strategy("a".into())), "{early:#?}");
        let report = match leave {
            false => resume_given(&mut world, "stop-r0", &record, "r1"),
            true => {
                let leave = record.iter().map(|it| format!("record=r0/{}", it.chunk)).collect();
                let asked = Request { leave, ..later_of(&world, "stop-r0", "r1") };
                resume_with(&mut world, asked, None).unwrap()
            }
        };
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        world.close_run(&report);
        if !here {
            (world.journal, world.journaled_at) = (vec![], vec![]);
        }
        world.rows[0].row.set("status", Attr::text("stopped"));
        stop_scope(&mut world, "r3", Scope::All);
        let report = resume_given(&mut world, "stop-r3", &early, "r4");
        assert_eq!(report.exit, Exit::Refused, "{report:#?}");
        let message = &report.errors[0].message;
        assert!(message.contains(why), "{message}");
        assert_eq!(statuses(&world)[0], "stopped");
        world.now += SignedDuration::from_mins(1);
    }
}

/// Two of three printed lines are no record: what the third holds would stay stopped unsaid.
#[test]
fn a_part_of_a_given_record_that_was_not_given_is_missed_and_named() {
    let (mut world, record) = unnamed();
    stop_scope(&mut world, "r1", Scope::All);
    let (first, rest) = record.split_first().unwrap();
    assert!(first.chunk == 0 && !rest.is_empty(), "{record:#?}");
    let left = desired(&world);
    let asked = given(&world, rest, "r2");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let found = &report.findings[0];
    assert_eq!(
        (found.id.as_str(), found.subject.as_str()),
        ("resume.record_missing", "record=dead/0")
    );
    assert!(found.message.contains("machine of tester"), "{found:?}");
    assert_eq!(desired(&world), left);
    // By name it is done without, and the record says so again as long as it is typed.
    let leave = || vec!["record=dead/0".to_owned()];
    let mut lost = world.clone();
    for (run, outcome) in [("r3", "PARTIAL"), ("r4", "RELEASED")] {
        match outcome {
            "PARTIAL" => _ = lost.hung.insert("b".into()),
            _ => lost.hung.clear(),
        }
        let asked = Request { leave: leave(), ..given(&lost, rest, run) };
        let report = resume_with(&mut lost, asked, None).unwrap();
        assert_eq!(report.outcome, outcome, "{report:#?}");
    }
    // Where the state store has it, it is not missed.
    world.chunks.push(first.clone());
    let asked = given(&world, rest, "r5");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
}

/// Of several files one is of a stop that its latch named: the other one's stands all the same.
#[test]
fn what_a_stop_left_is_told_behind_a_record_of_another_one() {
    let (mut world, record) = unnamed();
    let other = RestoreChunk { stop_id: "stop-a".into(), unlatched: None, ..record[0].clone() };
    let record: Vec<RestoreChunk> = std::iter::once(other).chain(record).collect();
    let asked = given(&world, &record, "r2");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("what stop-dead left stands"), "{report:#?}");
}

/// The state store had a part of it, which an earlier stop took over; the rest nobody saw.
#[test]
fn what_is_open_of_a_record_comes_back_also_where_others_saw_to_a_part_of_it() {
    let (mut world, record) = unnamed();
    let parts = || record.iter().filter(|it| !it.is_note());
    let first = parts().next().unwrap();
    world.chunks.push(first.taken_over_by(&"stop-r0".into()));
    stop_scope(&mut world, "r1", Scope::All);
    let before = (statuses(&world), desired(&world));
    let report = resume_given(&mut world, "stop-r1", &record, "r2");
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_ne!((statuses(&world), desired(&world)), before);
    let told = report.data["items"].to_string();
    let told = |it: &RestoreItem| told.contains(&format!("{}\"", it.subject));
    assert!(!first.items.iter().any(told) && parts().skip(1).any(|it| it.items.iter().any(told)));
    // Once more it is answered for, all of it.
    stop_scope(&mut world, "r3", Scope::All);
    let report = resume_given(&mut world, "stop-r3", &record, "r4");
    let message = &report.errors[0].message;
    assert!(message.contains("stop stop-r0, stop-r1 answered for it already"), "{message}");
}
