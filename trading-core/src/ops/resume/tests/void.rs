//! What a stop recorded and then did not change: somebody else was there first, and what they
//! left is theirs.

use super::*;
use crate::ops::world::drive_beside;
use crate::ops::{Ask, Query};
use crate::plan::Act;

/// A stop, beside which somebody does something just before one of its acts.
fn stop_beside(
    world: &mut SimWorld,
    run: &str,
    mut beside: impl FnMut(&mut SimWorld, &Act),
) -> Report {
    let (site, request) = (world::site(), world::request(world, run));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive_beside(world, &mut stop, |world, ask| {
        if let Ask::Act(acts) = ask {
            acts.iter().for_each(|(_, act)| beside(world, act));
        }
    });
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    report
}

fn set(world: &mut SimWorld, id: &str, status: &str) {
    let row = world.rows.iter_mut().find(|row| row.id.as_str() == id).unwrap();
    row.row.set("status", Attr::text(status));
}

fn status_of<'a>(world: &'a SimWorld, id: &str) -> &'a str {
    let row = world.rows.iter().find(|row| row.id.as_str() == id).unwrap();
    row.status_attr().and_then(Attr::as_text).unwrap()
}

/// Somebody else sets a row to this just before the stop writes it for the first time.
fn first(id: &'static str, status: &'static str) -> impl FnMut(&mut SimWorld, &Act) {
    let mut done = false;
    move |world, act| {
        if matches!(act, Act::SetStatus(write) if write.strategy.as_str() == id) && !done {
            done = true;
            set(world, id, status);
        }
    }
}

#[test]
fn what_was_there_when_the_write_was_refused_counts_and_not_what_was_read_before() {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    stop_beside(&mut world, "r1", first("a", "paused"));
    assert_eq!(status_of(&world, "a"), "stopped", "paused is not at rest");
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(status_of(&world, "a"), "paused");
    assert_eq!(status_of(&world, "b"), "RUNNING");
}

#[test]
fn what_somebody_else_had_stopped_already_stays_as_they_left_it() {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    let mut row = first("a", "stopped");
    stop_beside(&mut world, "r1", |world, act| {
        row(world, act);
        if matches!(act, Act::SetSchedule { .. }) {
            world.schedules[0].enabled = false;
        }
    });
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(status_of(&world, "a"), "stopped");
    assert!(!world.schedules[0].enabled);
    let items = report.data["items"].to_string();
    assert!(!items.contains("strategy=a\"") && !items.contains("schedule=jobs"), "{items}");
}

/// What one run of a stop changed is its own, whatever another one found.
#[test]
fn a_later_run_that_comes_too_late_voids_nothing_of_the_first() {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    stop_beside(&mut world, "r1", |_, _| ());
    set(&mut world, "a", "running");
    stop_beside(&mut world, "r2", first("a", "stopped"));
    assert!(world.chunks.iter().any(|it| it.run_id.as_str() == "r2" && !it.void.is_empty()));
    assert_eq!(resume(&mut world).outcome, "RELEASED");
    assert_eq!(status_of(&world, "a"), "running");
}

/// Of two operators who stop one after the other, the one whose clock is behind records later
/// values all the same.
#[test]
fn which_value_is_the_earliest_is_not_told_by_the_operators_clocks() {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    stop_beside(&mut world, "r1", |_, _| ());
    world.services[1].desired_count = 1;
    world.clock_ahead = -SignedDuration::from_mins(30);
    let (site, asked) = (world::site(), world::request(&world, "r2"));
    let approval = world::approval(&site, &asked);
    let started_at = asked.started_at + world.clock_ahead;
    let asked = asked.starting_at(started_at);
    let mut stop = EmergencyStop::new(site, asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    world.clock_ahead = SignedDuration::ZERO;
    let written: Vec<_> = world.chunks.iter().map(|it| (it.at, it.run_id.as_str())).collect();
    assert!(written.is_sorted(), "{written:?}");
    assert!(written.iter().any(|it| it.1 == "r2"), "{written:?}");
    assert_eq!(resume(&mut world).outcome, "RELEASED");
    assert_eq!(world.services[1].desired_count, 2);
}

#[test]
fn what_is_handed_over_or_answered_for_is_what_counts() {
    let mut world = SimWorld::busy();
    stop_beside(&mut world, "r1", first("a", "paused"));
    let items = crate::ops::resume::items(&world.chunks);
    let valid = RestoreChunk::valid(&world.chunks);
    assert!(valid.iter().all(|it| it.void.is_empty() && !it.is_note()));
    assert_eq!(crate::ops::resume::items(&valid), items);
    // A copy is the same whoever makes it, also before it was known what does not count.
    let copies: Vec<_> = world.chunks.iter().map(|it| it.taken_over_by(&it.stop_id)).collect();
    let both: Vec<_> = world.chunks.iter().chain(&copies).collect();
    assert_eq!(crate::ops::resume::items(both), items);
}

/// What was recorded before it was known whose stop this is, and was not changed, is nobody's.
#[test]
fn what_does_not_count_does_not_count_under_the_id_of_another_stop_either() {
    let mut world = stopped();
    world.engines_beat = true;
    set(&mut world, "a", "running");
    let latch = |ask: &Ask| matches!(ask, Ask::Read(Query::Latch));
    world.slow = Some((latch, world.now + SignedDuration::from_secs(4)));
    let report = stop_beside(&mut world, "r9", first("a", "stopped"));
    assert_eq!(report.data["stop_id"], "stop-r1", "{report:#?}");
    assert!(!report.findings.iter().any(|it| it.id == "stop.took_over"), "{report:#?}");
    assert!(world.chunks.iter().any(|it| it.stop_id.as_str() == "stop-r9" && !it.void.is_empty()));
}

/// Binaries before ours copied only what counts: such a copy stands where ours would, and what it
/// lacks is nobody's all the same.
#[test]
fn a_copy_that_an_older_binary_made_stays_and_the_rest_goes_beside_it() {
    let mut world = SimWorld::busy();
    world.engines_beat = true;
    let latch = |ask: &Ask| matches!(ask, Ask::Read(Query::Latch));
    world.slow = Some((latch, world.now + SignedDuration::from_secs(4)));
    stop_beside(&mut world, "r1", first("a", "stopped"));
    let loose = |it: &&RestoreChunk| it.unlatched.is_some() && !it.is_note();
    let valid = RestoreChunk::valid(&world.chunks);
    let copies = |chunks: &[RestoreChunk]| -> Vec<RestoreChunk> {
        chunks.iter().filter(loose).map(|it| it.taken_over_by(&it.stop_id)).collect()
    };
    let (ours, old) = (copies(&world.chunks), copies(&valid));
    assert!(!old.is_empty() && ours != old, "{old:#?}");
    world.chunks.extend(old);
    // One that ends before its release leaves its copies to the next.
    world.hung.insert("b".into());
    assert_eq!(resume(&mut world).outcome, "PARTIAL");
    world.hung.clear();
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!((status_of(&world, "a"), status_of(&world, "b")), ("stopped", "RUNNING"));
    assert_eq!(resume(&mut world).outcome, "nothing held");
}

#[test]
fn a_record_of_a_newer_format_is_left_to_a_newer_binary() {
    let mut world = stopped();
    world.chunks[0].format = RestoreChunk::FORMAT + 1;
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("newer tradectl"), "{report:#?}");
    assert!(world.applied.is_empty());
}
