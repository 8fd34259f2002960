//! Dying at every step, as `kill -9` would have it: whoever goes on, from another folder,
//! ends the same, and nothing is done twice.

use std::collections::BTreeMap;

use crate::field::{Field, Standing};
use crate::ran::{Ran, latched_at};
use tradectl::ctx::SystemClock;
use tradectl::platform::Clock;
use trading_core::journal::Entry;
use trading_core::model::{Hold, RestoreSubject, RestoreValue, Utc, Written};
use trading_core::plan::{Act, Settled};

/// Every place is tried, not only some: `TRADECTL_EVERY_STEP=1`.
const EVERY_STEP: &str = "TRADECTL_EVERY_STEP";
/// So many environments are worked on side by side.
const LANES: u32 = 3;
/// Of which so many places follow each other where not all are tried.
const STRIDE: u32 = 5;

#[test]
fn stop_and_resume_survive_a_kill_at_every_step() {
    let all = std::env::var_os(EVERY_STEP).is_some();
    let places = move |lane: u32| {
        // The first places are the densest: latch, records, intents, acts.
        let near = (1..=24).filter(move |place| all || place % 2 == 1);
        let far = (25..=400).step_by(if all { 1 } else { STRIDE as usize });
        near.chain(far)
            .enumerate()
            .filter(move |(number, _)| number % LANES as usize == lane as usize)
    };
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            scope.spawn(move || work_through(places(lane).map(|(_, place)| place)));
        }
    });
}

/// Kills a stop and a resume at each place, until both outlive it.
fn work_through(places: impl Iterator<Item = u32>) {
    let field = Field::new(2, 4).started().trading();
    let before = field.standing();
    let mut tried = 0;
    for place in places {
        let halted = killed_stop(&field, place, &before);
        let released = killed_resume(&field, place, &before);
        tried += 1;
        if halted && released {
            assert!(tried > 3, "only {tried} places were tried");
            return;
        }
    }
    panic!("stop or resume never outlived the last place");
}

/// A stop that dies at a place, and another that ends it. Whether the first outlived it.
fn killed_stop(field: &Field, place: u32, before: &Standing) -> bool {
    let (first, second) = (format!("stops-{place}"), format!("ends-{place}"));
    let dead = field.stop(&first, &["--kill-at", &place.to_string()]);
    if !dead.was_killed() {
        dead.ended("HALTED", 0);
    }
    // Whoever continues knows only when the latch was asked for: it was committed by now.
    let sealed = field.hold().map(|_| SystemClock.now());
    let stop = field.stop(&second, &[]);
    let document = stop.ended("HALTED", 0);
    let sealed = sealed.unwrap_or_else(|| latched_at(&document));
    let hold = field.hold().expect("held");
    assert_eq!(document["data"]["stop_id"], hold.stop_id.as_str(), "place {place}: {stop}");
    assert_eq!(recorded(field, &hold), wanted(before), "place {place}: first values");
    at_rest(field, before, place);
    once(field, &[&first, &second], place);
    assert_eq!(field.late_orders(sealed, Utc::MAX), [], "place {place}");
    !dead.was_killed()
}

/// A resume that dies at a place, and another that ends it. Whether the first outlived it.
fn killed_resume(field: &Field, place: u32, before: &Standing) -> bool {
    let (first, second) = (format!("resumes-{place}"), format!("releases-{place}"));
    let began = SystemClock.now();
    let dead = field.resume(&first, &["--kill-at", &place.to_string()]);
    let freed = field.hold().is_none();
    if !dead.was_killed() {
        dead.ended("RELEASED", 0);
    }
    if !freed {
        assert_eq!(field.late_orders(began, Utc::MAX), [], "place {place}: under the latch");
    }
    let resume = field.resume(&second, &[]);
    resume.ended(if freed { "nothing held" } else { "RELEASED" }, 0);
    assert_eq!(field.hold(), None, "place {place}: {resume}");
    assert_eq!(field.standing(), *before, "place {place}: {resume}");
    once(field, &[&first, &second], place);
    field.beating();
    !dead.was_killed()
}

/// Everything that trades is at rest.
fn at_rest(field: &Field, before: &Standing, place: u32) {
    let now = field.standing();
    assert!(field.rows().iter().all(|row| row.status().is_at_rest()), "place {place}: {now:?}");
    let trading = now.desired.iter().filter(|(name, _)| *name != "paper-venue");
    assert!(trading.into_iter().all(|(_, desired)| *desired == 0), "place {place}: {now:?}");
    assert_eq!(now.desired["paper-venue"], before.desired["paper-venue"], "place {place}");
    assert!(now.schedules.values().all(|enabled| !enabled), "place {place}: {now:?}");
}

/// What the record of a stop says stood before it.
fn recorded(field: &Field, hold: &Hold) -> BTreeMap<String, RestoreValue> {
    let chunks = field.wait(field.platform.state.restore_chunks(&hold.stop_id));
    let mut values = BTreeMap::new();
    for item in chunks.into_result().expect("readable").into_iter().flat_map(|it| it.items) {
        values.entry(item.subject.to_string()).or_insert(item.before);
    }
    values
}

/// What a record must say: all that trades, as it stood.
fn wanted(before: &Standing) -> BTreeMap<String, RestoreValue> {
    let statuses = before.statuses.iter().map(|(id, status)| {
        (RestoreSubject::Strategy(id.as_str().into()), RestoreValue::Status(status.clone()))
    });
    let desired = before.desired.iter().filter(|(name, _)| *name != "paper-venue");
    let desired = desired.map(|(name, count)| {
        (RestoreSubject::Service(name.as_str().into()), RestoreValue::Desired(*count))
    });
    let schedules = before.schedules.iter().map(|(id, enabled)| {
        (RestoreSubject::Schedule(id.as_str().into()), RestoreValue::Enabled(*enabled))
    });
    let all = statuses.chain(desired).chain(schedules);
    all.map(|(subject, value)| (subject.to_string(), value)).collect()
}

/// No act of one stop or one resume was applied by two runs, nor twice by one.
fn once(field: &Field, homes: &[&str], place: u32) {
    let mut applied: BTreeMap<String, u32> = BTreeMap::new();
    for journal in homes.iter().flat_map(|home| field.journals(home)) {
        let mut acts = BTreeMap::new();
        for entry in journal {
            match entry {
                Entry::Page { steps } => {
                    acts.extend(steps.into_iter().map(|step| (step.id, step.act)));
                }
                Entry::Settled { step, answer: Settled::Answered(Written::Applied { .. }) } => {
                    let act = &acts[&step];
                    // Notices are sent at least once; the latch counts its changes itself.
                    if !matches!(act, Act::Notify { .. } | Act::WriteLatch { .. }) {
                        *applied.entry(act.to_string()).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
    }
    assert!(applied.values().all(|count| *count == 1), "place {place}: {applied:#?}");
}

#[test]
fn stopped_in_one_folder_finished_in_a_second_resumed_in_a_third() {
    let field = Field::new(2, 4).started().trading();
    // What an operator wrote by hand comes back as it was, to the letter.
    let odd = trading_core::model::Attr::text(" Running ");
    field.set("demo-002", &[("status", Some(odd.clone()))]);
    let before = field.standing();
    assert_eq!(before.statuses["demo-002"], Some(odd));

    let killed = field.stop("alice", &["--kill-at", "9"]);
    assert!(killed.was_killed(), "{killed}");
    let hold = field.hold().expect("held");
    let stop = field.stop("bob", &[]);
    let document = stop.ended("HALTED", 0);
    assert_eq!(document["data"]["stop_id"], hold.stop_id.as_str(), "{stop}");
    assert_eq!(document["data"]["continued"], true, "{stop}");
    assert_eq!(field.hold().map(|it| it.actor), Some(hold.actor.clone()), "alice's it stays");
    at_rest(&field, &before, 9);
    let again = field.stop("bob", &[]);
    again.ended("HALTED", 0);

    let resume = field.resume("carol", &[hold.stop_id.as_str()]);
    resume.ended("RELEASED", 0);
    assert_eq!(field.standing(), before, "{resume}");
    assert_eq!(field.hold(), None);
    let nothing = field.resume("carol", &[]);
    nothing.ended("nothing held", 0);
    assert_still_trades(&field, &resume);
}

/// New orders come after a resume.
fn assert_still_trades(field: &Field, resume: &Ran) {
    let now = SystemClock.now();
    let newer = |it: &trading_core::model::Receipt| it.accepted && it.received_at > now;
    field.until(&format!("orders after {resume}"), || {
        field.receipts().iter().any(newer).then_some(())
    });
}
