//! What is written down, and what happens where neither the state store nor the journal takes it.

use super::*;
use crate::journal::Entry;
use crate::plan::{Settled, StepId};

#[test]
fn without_a_journal_or_a_store_for_records_it_goes_on_and_says_so() {
    let mut world = SimWorld::busy();
    world.journal_broken = true;
    world.store_broken = true;
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED");
    let ids: Vec<&str> = report.findings.iter().map(|it| it.id.as_str()).collect();
    assert!(ids.contains(&"stop.no_journal") && ids.contains(&"stop.record_misplaced"), "{ids:?}");
    let record = report.data["restore_record"].to_string();
    assert!(record.contains("engine-2"), "the values are in the output: {record}");
}

#[test]
fn values_that_only_the_output_holds_stand_in_it_once_however_often_they_are_changed() {
    let mut world = SimWorld::busy();
    world.journal_broken = true;
    world.store_broken = true;
    world.haunted.insert("a".into(), 2);
    let report = stop(&mut world);
    let writes = world.applied.iter().filter(|act| act.contains("status of a"));
    assert!(writes.count() > 1, "it is changed again: {:?}", world.applied);
    let chunks = report.data["restore_record"].as_array().unwrap();
    let items = chunks.iter().flat_map(|it| it["chunk"]["items"].as_array().unwrap());
    let mut items: Vec<String> = items.map(ToString::to_string).collect();
    items.sort();
    let all = items.len();
    items.dedup();
    assert_eq!(items.len(), all, "{chunks:#?}");
    let mut numbers = chunks.iter().map(|it| it["chunk"]["chunk"].as_u64().unwrap());
    assert!((0..).zip(&mut numbers).all(|(n, number)| n == number), "none seems to be missing");
}

#[test]
fn a_latch_that_cannot_note_where_the_record_lies_keeps_nobody_waiting() {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    world.latch_broken = true;
    let report = stop(&mut world);
    assert!(world.rows.iter().all(|row| row.status().is_at_rest()), "{report:#?}");
    let found = report.findings.iter().find(|it| it.id == "stop.record_misplaced").unwrap();
    assert!(found.message.contains("could NOT note it"), "{found:?}");

    let mut world = SimWorld::busy();
    world.store_broken = true;
    let report = stop(&mut world);
    let found = report.findings.iter().find(|it| it.id == "stop.record_misplaced").unwrap();
    assert!(found.message.contains("the latch notes it"), "{found:?}");
    assert!(!world.latch.holds[0].misplaced.is_empty());
}

#[test]
fn what_was_done_stands_in_the_journal_while_others_are_waited_for() {
    let mut world = SimWorld::busy();
    world.hung.insert("a".into());
    stop(&mut world);
    let compute = |id: &StepId| id.as_str().starts_with("task/");
    let lowers = |it: &Entry| matches!(it, Entry::Intent { steps } if steps.iter().any(compute));
    let at = world.journal.iter().position(lowers).unwrap();
    let lowered = world.journaled_at[at];
    let long_before = |applied: &Utc| lowered.duration_since(*applied).as_secs() >= 1;
    let late = world.journal.iter().zip(&world.journaled_at).take(at).find(|(entry, at)| {
        matches!(entry, Entry::Settled { answer: Settled::Answered(Written::Applied { at }), .. }
            if long_before(at))
            && **at == lowered
    });
    assert_eq!(late, None, "answered long before, and written down only now");
}
