//! The restore record of a stop, put together: what the state store has, what this machine's
//! journals have, what the operator gives. A chunk that is in none of them is named.

use super::gate::{NOT_BEATING, Obstacle};
use super::{Request, given};
use crate::model::{
    Hold, Misplaced, Reading, RestoreChunk, RestoreItem, RestoreSubject, RunId, StopId,
};
use crate::ops::history::Stop;
use crate::ops::seen::World;
use crate::plan::hex;
use crate::report::nearest;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The id of the finding that a chunk is missing.
pub(super) const MISSING: &str = "resume.record_missing";
/// The id of the finding that there is no record at all.
pub(super) const NONE: &str = "resume.no_record";

/// All chunks of a stop that can be had here, and what it takes over of what was given.
pub(super) fn chunks(world: &World, request: &Request, stop_id: &StopId) -> Vec<RestoreChunk> {
    let mut chunks = own(world, request, stop_id);
    chunks.extend(given::copies(world, request, stop_id, &subjects(chunks.clone())));
    chunks
}

fn own(world: &World, request: &Request, stop_id: &StopId) -> Vec<RestoreChunk> {
    let stored = world.restore.as_ref().and_then(Reading::value).into_iter().flatten();
    let stops = world.stops.as_ref().and_then(Reading::value).into_iter();
    let journaled = stops.flat_map(|it| &it.stops).filter(|it| it.hold.stop_id == *stop_id);
    let stored = stored.chain(journaled.flat_map(|it| &it.chunks));
    let given = request.record.iter().filter(|chunk| chunk.stop_id == *stop_id);
    let mut chunks: Vec<RestoreChunk> = Vec::new();
    for chunk in stored.chain(given) {
        if !chunks.contains(chunk) {
            chunks.push(chunk.clone());
        }
    }
    chunks
}

/// What of what was given of other stops comes into this one's record and is not there yet.
pub(super) fn copies(world: &World, request: &Request, stop_id: &StopId) -> Vec<RestoreChunk> {
    given::copies(world, request, stop_id, &subjects(own(world, request, stop_id)))
}

/// What a record has a value of by its stop's own hand: what was recorded and then not changed is
/// none of it, nor what was taken over.
fn subjects(mut chunks: Vec<RestoreChunk>) -> BTreeSet<RestoreSubject> {
    chunks.retain(|it| it.taken_from.is_none());
    let items = RestoreChunk::valid(&chunks).into_iter().flat_map(|it| it.items);
    items.map(|it| it.subject).collect()
}

/// The items of a record: per subject the value from before the stop, of the earliest chunk
/// that names it, and the value written last.
pub(crate) fn items<'a>(
    chunks: impl IntoIterator<Item = &'a RestoreChunk> + Clone,
) -> Vec<RestoreItem> {
    let mut chunks = RestoreChunk::valid(chunks);
    chunks.sort_by(|a, b| (a.at, &a.run_id, a.chunk).cmp(&(b.at, &b.run_id, b.chunk)));
    let mut items: BTreeMap<RestoreSubject, RestoreItem> = BTreeMap::new();
    for item in chunks.iter().flat_map(|chunk| &chunk.items) {
        items
            .entry(item.subject.clone())
            .and_modify(|known| known.written = item.written.clone())
            .or_insert_with(|| item.clone());
    }
    items.into_values().collect()
}

/// The part of a chunk that another stop takes over; none: nothing of it. Its run is named
/// after what it holds: the same is kept once, whoever resumes and however often, and nothing
/// is written over another.
pub(super) fn handed_over(
    chunk: &RestoreChunk,
    other: &StopId,
    subjects: &BTreeSet<&RestoreSubject>,
) -> Option<RestoreChunk> {
    let items = chunk.items.iter().filter(|item| subjects.contains(&item.subject));
    let items: Vec<RestoreItem> = items.cloned().collect();
    if items.is_empty() {
        return None;
    }
    // Plain data with text keys always has a JSON form.
    let text = serde_json::to_string(&items).unwrap_or_else(|_| format!("{items:?}"));
    let mut name = hex(&Sha256::digest(text));
    name.truncate(12);
    let run_id = format!("{}-{name}", chunk.run_id).into();
    Some(RestoreChunk {
        stop_id: other.clone(),
        run_id,
        items,
        void: Vec::new(),
        unlatched: None,
        taken_from: None,
        ..chunk.clone()
    })
}

/// The ITEM of `--leave` for a chunk that nobody has any more.
pub(super) fn item_of(run_id: &RunId, chunk: u32) -> String {
    format!("record={run_id}/{chunk}")
}

/// A chunk that the latch says was recorded, and that cannot be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MissingChunk {
    /// Its ITEM.
    pub(super) item: String,
    /// Who has it.
    pub(super) actor: String,
    /// The run that wrote it.
    pub(super) run_id: RunId,
    /// It may stand behind this damage of the run's journal.
    pub(super) damage: Option<String>,
}

/// What the hold notes as recorded elsewhere and is not among the chunks.
pub(super) fn missing(hold: &Hold, chunks: &[RestoreChunk]) -> Vec<MissingChunk> {
    let missing = hold.missing(chunks);
    let one_by_one = missing.iter().flat_map(|Misplaced { run_id, actor, chunks }| {
        chunks.iter().map(|chunk| MissingChunk {
            item: item_of(run_id, *chunk),
            actor: actor.clone(),
            run_id: run_id.clone(),
            damage: None,
        })
    });
    one_by_one.collect()
}

/// What of a stop's record may be missing where only journals and what was printed tell: the
/// chunks of a run count from 0, and a damaged journal may have held more.
pub(super) fn unread_rest(stop: &Stop) -> Vec<MissingChunk> {
    let mut missing = Vec::new();
    let runs: BTreeSet<&RunId> = stop.chunks.iter().map(|it| &it.run_id).collect();
    for run_id in runs {
        let had = stop.chunks.iter().filter(|it| it.run_id == *run_id).map(|it| it.chunk);
        missing.extend(holes(run_id, &had.collect(), &stop.hold.actor));
    }
    missing.extend(stop.damage.iter().map(|why| MissingChunk::after(stop, why)));
    missing
}

/// What is missing before the last of the chunks of a run that are had.
pub(super) fn holes(run_id: &RunId, had: &BTreeSet<u32>, actor: &str) -> Vec<MissingChunk> {
    let last = had.last().copied().unwrap_or_default();
    let missing = (0..last).filter(|number| !had.contains(number)).map(|number| MissingChunk {
        item: item_of(run_id, number),
        actor: actor.to_owned(),
        run_id: run_id.clone(),
        damage: None,
    });
    missing.collect()
}

impl MissingChunk {
    pub(super) fn obstacle(&self) -> Obstacle {
        let (run, actor) = (&self.run_id, &self.actor);
        let message = match &self.damage {
            Some(why) => format!("a part of the restore record may be lost: {why}"),
            None => format!(
                "a part of the restore record is not here: it lies in the journal of run {run} on the \
             machine of {actor}, or in what that run printed"
            ),
        };
        Obstacle { id: MISSING, subject: self.item.clone(), message }
    }
}

/// How a missing chunk is given.
pub(super) fn ways(obstacle: &Obstacle) -> Vec<String> {
    if obstacle.id == NONE {
        return vec![
            "FILE holds what the stop printed, or its journal (journal/RUN.jsonl of the machine \
             it ran on)"
                .to_owned(),
            "or resume on that machine, which has it".to_owned(),
        ];
    }
    if obstacle.id == NOT_BEATING {
        let subject = RestoreSubject::Strategy(obstacle.subject.as_str().into());
        return vec![format!("to let the others trade without it: --leave {subject}")];
    }
    if obstacle.id != MISSING {
        return Vec::new();
    }
    vec![
        "FILE holds what that run printed, or its journal (journal/RUN.jsonl of its machine)"
            .to_owned(),
        "or resume on that machine, which has it".to_owned(),
        format!("if it is lost: look what it may have changed, then --leave {}", obstacle.subject),
    ]
}

/// A record of a newer format may say what we would pass over.
pub(super) fn newer(chunks: &[RestoreChunk]) -> Option<String> {
    let newer = chunks.iter().find(|chunk| chunk.format > RestoreChunk::FORMAT)?;
    let run = &newer.run_id;
    Some(format!(
        "the restore record of run {run} was written by a newer tradectl, which must resume"
    ))
}

/// A name that is in no record, and the one that was probably meant.
pub(super) fn unknown<'a>(
    mut asked: impl Iterator<Item = &'a String>,
    names: &[String],
) -> Option<String> {
    let unknown = asked.find(|name| !names.contains(name))?;
    let meant = nearest(unknown, names.iter().map(String::as_str));
    let meant = meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
    Some(format!("`{unknown}` is not in the restore record, which has {}{meant}", names.join(", ")))
}
