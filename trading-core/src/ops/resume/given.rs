//! What an operator gives of stops that no latch named: they recorded it while the latch could
//! not be written, and nobody else puts it back. What of it still stands is copied into the
//! record of the stop that is resumed: it is put back once, whoever resumes and with whatever
//! record, and nobody takes it for open again.

use super::Request;
use super::record::{self, MissingChunk};
use super::restore::{Now, now};
use crate::model::{
    Hold, Latch, Phase, Reading, RestoreChunk, RestoreItem, RestoreSubject, RunId, StopId, Void,
};
use crate::ops::orphans::{Orphan, orphans};
use crate::ops::seen::World;
use crate::plan::{Act, Rung, Step, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// The parts that were given of other stops. What the run of a file noted of a stop that it saw
/// to is no part of that one's record.
fn of_others<'a>(
    request: &'a Request,
    stop_id: &'a StopId,
) -> impl Iterator<Item = &'a RestoreChunk> {
    let notes = |it: &RestoreChunk| it.taken_from.as_ref() == Some(&it.stop_id);
    request.record.iter().filter(move |it| it.stop_id != *stop_id && !notes(it))
}

/// Whether records of other stops than this one were given.
pub(super) fn has_others(request: &Request, stop_id: &StopId) -> bool {
    of_others(request, stop_id).next().is_some()
}

fn latch(world: &World) -> Option<&Latch> {
    world.latch.as_ref().and_then(Reading::value)
}

/// Who sees to what a stop recorded, as the loose part of all records tells.
type Marks<'a> = BTreeMap<&'a RestoreSubject, BTreeSet<&'a StopId>>;

fn marks<'a>(world: &'a World, of: &StopId) -> Marks<'a> {
    let loose = world.loose.as_ref().and_then(Reading::value).into_iter().flatten();
    let mut marks = Marks::new();
    for chunk in loose.filter(|it| it.taken_from.as_ref() == Some(of)) {
        for item in &chunk.items {
            marks.entry(&item.subject).or_default().insert(&chunk.stop_id);
        }
    }
    marks
}

/// Of each other stop of which something was given: who sees to it already, or why nothing of it
/// is put back with this one.
fn judged<'a>(
    world: &'a World,
    request: &'a Request,
    stop_id: &'a StopId,
) -> BTreeMap<&'a StopId, Result<Marks<'a>, String>> {
    let mut parts: BTreeMap<&StopId, Vec<&RestoreChunk>> = BTreeMap::new();
    for chunk in of_others(request, stop_id) {
        parts.entry(&chunk.stop_id).or_default().push(chunk);
    }
    let judge = |(of, parts): (&'a StopId, Vec<&RestoreChunk>)| {
        let marks = marks(world, of);
        let why = why_not(world, request, stop_id, of, &parts);
        (
            of,
            match why.or_else(|| answered(stop_id, &parts, &marks)) {
                Some(why) => Err(why),
                None => Ok(marks),
            },
        )
    };
    parts.into_iter().map(judge).collect()
}

/// Given records of other stops that are not put back with this one, and why: they would be
/// passed over in silence.
pub(super) fn foreign(world: &World, request: &Request, stop_id: &StopId) -> Option<String> {
    let judged = judged(world, request, stop_id).into_iter();
    let (of, why) = judged.filter_map(|(of, it)| Some((of, it.err()?))).next()?;
    Some(format!("--record: a restore record of stop {of} is among them, this is {stop_id}: {why}"))
}

/// Why what was given of another stop is not put back with this one.
fn why_not(
    world: &World,
    request: &Request,
    stop_id: &StopId,
    of: &StopId,
    parts: &[&RestoreChunk],
) -> Option<String> {
    let Some((latch, ours)) = latch(world).and_then(|it| Some((it, it.hold(stop_id)?))) else {
        return Some("each is resumed by itself".to_owned());
    };
    if latch.hold(of).is_some() {
        return Some("that one holds, and is resumed by itself".to_owned());
    }
    if let Some(why) = was_named(world, request, of) {
        return Some(why);
    }
    let outside = |it: &&RestoreItem| !world.covers(&ours.scope, &it.subject);
    if let Some(item) = parts.iter().flat_map(|it| &it.items).find(outside) {
        return Some(format!("it changed {}, which this one does not cover", item.subject));
    }
    let gaps = [
        world.loose.as_ref().filter(|it| !it.is_absent()).and_then(Reading::as_gap),
        world.stops.as_ref().and_then(Reading::as_gap),
    ];
    let gap = gaps.into_iter().flatten().next()?;
    Some(format!("whether it was put back already is not known: {gap}"))
}

/// Why nothing is left of what was given: others see to all of it. Where they see to a part, what
/// is open of the rest comes back.
fn answered(stop_id: &StopId, parts: &[&RestoreChunk], marks: &Marks<'_>) -> Option<String> {
    let items = parts.iter().flat_map(|it| &it.items);
    let by: Option<Vec<_>> = items.map(|it| marks.get(&it.subject)).collect();
    let by: BTreeSet<&StopId> = by?.into_iter().flatten().copied().collect();
    (!by.is_empty() && !by.contains(stop_id)).then(|| {
        let by: Vec<&str> = by.iter().map(|it| it.as_str()).collect();
        format!("stop {} answered for it already", by.join(", "))
    })
}

/// What tells that the latch came to name a stop: its own resume saw to what it had recorded.
fn was_named(world: &World, request: &Request, of: &StopId) -> Option<String> {
    let stops = world.stops.as_ref().and_then(Reading::value);
    let here = stops.and_then(|it| it.stops.iter().find(|it| it.hold.stop_id == *of));
    if let Some(here) = here {
        if here.at_work {
            return Some(format!("run {} of it is at work on this machine", here.run));
        }
        if let Some(by) = &here.over {
            return Some(format!("run {by} resumed it"));
        }
    }
    // What was recorded while the latch did not name it says so.
    let mut chunks = request.record.iter().chain(here.into_iter().flat_map(|it| &it.chunks));
    let named =
        chunks.any(|it| it.stop_id == *of && it.unlatched.is_none() && it.taken_from.is_none());
    (named || here.is_some_and(|it| it.hold.phase == Phase::Held))
        .then(|| "the latch named that one, and its own resume put back what it changed".to_owned())
}

/// Parts of what was given that were not given with it, nor are in the state store: nothing but
/// the numbers of the others tells of them.
pub(super) fn missing(world: &World, request: &Request, stop_id: &StopId) -> Vec<MissingChunk> {
    let judged = judged(world, request, stop_id);
    let mut runs: BTreeMap<&RunId, &str> = BTreeMap::new();
    let fits = |it: &&RestoreChunk| judged.get(&it.stop_id).is_some_and(Result::is_ok);
    for chunk in of_others(request, stop_id).filter(fits) {
        let actor = chunk.unlatched.as_ref().map_or("whoever ran it", |it| it.actor.as_str());
        runs.entry(&chunk.run_id).or_insert(actor);
    }
    let stored = [&world.restore, &world.loose].into_iter().filter_map(|it| it.as_ref()?.value());
    let all: Vec<&RestoreChunk> = stored.flatten().chain(&request.record).collect();
    let missing = runs.into_iter().flat_map(|(run_id, actor)| {
        let of_run = all.iter().filter(|it| it.written_by() == run_id.as_str());
        record::holes(run_id, &of_run.map(|it| it.chunk).collect(), actor)
    });
    missing.collect()
}

/// What stops left of which these were given, and that nobody sees to but the stop that is resumed:
/// a try of it may have ended between two copies.
fn left<'a>(
    world: &'a World,
    given: impl IntoIterator<Item = &'a RestoreChunk>,
    resumed: Option<&StopId>,
) -> Vec<Orphan> {
    let Some(latch) = latch(world) else { return Vec::new() };
    let loose = world.loose.as_ref().and_then(Reading::value).into_iter().flatten();
    let marks = loose.filter(|it| it.taken_from.is_some() && Some(&it.stop_id) != resumed);
    let chunks: Vec<RestoreChunk> = given.into_iter().chain(marks).cloned().collect();
    orphans(&chunks, latch, world)
}

/// What was given of a stop that the latch could not name, and still stands as that one left it;
/// `None`: nothing does.
pub(super) fn left_by(world: &World, request: &Request) -> Option<Hold> {
    let given = request.record.iter().filter(|it| was_named(world, request, &it.stop_id).is_none());
    let left = left(world, given, None);
    left.into_iter().find(|it| !it.items.is_empty()).map(|it| it.hold)
}

/// Values in a record: the run that wrote them, the chunk, and what they are about.
type Places<'a> = BTreeSet<(&'a str, u32, &'a RestoreSubject)>;

/// What a chunk says does not count.
fn voided(chunk: &RestoreChunk) -> impl Iterator<Item = (&str, u32, &RestoreSubject)> {
    chunk.void.iter().map(|it| (chunk.written_by(), it.chunk, &it.subject))
}

/// The copies that come into the record of this stop, of which these are its `own` values. What
/// does not stand as it was left does not count in them, and nobody puts it back later: whoever
/// set it to the same value since did so for reasons of his own.
pub(super) fn copies(
    world: &World,
    request: &Request,
    stop_id: &StopId,
    own: &BTreeSet<RestoreSubject>,
) -> Vec<RestoreChunk> {
    let judged = judged(world, request, stop_id);
    let fits = |it: &&RestoreChunk| judged.get(&it.stop_id).is_some_and(Result::is_ok);
    let given: Vec<&RestoreChunk> = of_others(request, stop_id).filter(fits).collect();
    if given.is_empty() {
        return Vec::new();
    }
    let stored = world.restore.as_ref().and_then(Reading::value).into_iter().flatten();
    let valid = RestoreChunk::valid(given.iter().copied());
    let valid: Places<'_> = valid
        .iter()
        .flat_map(|it| it.items.iter().map(|item| (it.written_by(), it.chunk, &item.subject)))
        .collect();
    // What a first try found otherwise than it was left stays nobody's.
    let idle = stored.clone().filter(|it| it.taken_from.is_some()).flat_map(voided);
    let idle: Places<'_> = idle.filter(|it| valid.contains(it)).collect();
    let mut open: BTreeSet<(StopId, RestoreSubject)> = BTreeSet::new();
    for orphan in left(world, given.iter().copied(), Some(stop_id)) {
        // What a first try put back is waited for by the second one too.
        let back = orphan.moot.into_iter().filter(|it| now(world, it) == Now::AsBefore);
        let items = orphan.items.into_iter().chain(orphan.unread).chain(back);
        // What this stop found otherwise is in its own record.
        let items = items.filter(|it| !own.contains(&it.subject));
        open.extend(items.map(|it| (orphan.hold.stop_id.clone(), it.subject)));
    }
    let copy = |chunk: &&RestoreChunk| {
        let counts = |subject: &RestoreSubject| {
            open.contains(&(chunk.stop_id.clone(), subject.clone()))
                && valid.contains(&(chunk.written_by(), chunk.chunk, subject))
                && !idle.iter().any(|it| (it.0, it.2) == (chunk.written_by(), subject))
        };
        let subjects = || chunk.items.iter().map(|it| &it.subject);
        let marks = judged.get(&chunk.stop_id).and_then(|it| it.as_ref().ok());
        let is_new = |it| counts(it) || !marks.is_some_and(|marks| marks.contains_key(it));
        // A note of what does not count holds nothing.
        if !subjects().any(is_new) {
            return None;
        }
        let mut copy = chunk.taken_over_by(stop_id);
        let idle = subjects().filter(|it| !counts(it)).cloned();
        copy.void = idle.map(|subject| Void { chunk: chunk.chunk, subject }).collect();
        Some(copy)
    };
    let is_fresh = |copy: &RestoreChunk| !stored.clone().any(|it| it.key() == copy.key());
    given.iter().filter_map(copy).filter(is_fresh).collect()
}

/// The steps that write them, before anything of them is put back: a second try finds it.
pub(super) fn steps(stop_id: &StopId, copies: &[RestoreChunk], under: &[StepId]) -> Vec<Step> {
    let steps = copies.iter().zip(1_u32..).map(|(chunk, number)| {
        let id = StepId::new(format!("record/{stop_id}:taken-over#{number}"));
        let why = "no latch named the stop that recorded it: this one answers for it";
        let step = Step::new(id, Rung::Latch, why, Act::HandOver { chunk: chunk.clone() });
        step.needing(under.iter().cloned())
    });
    steps.collect()
}
