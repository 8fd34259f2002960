//! The restore record of a stop, put together: what the state store has, what this machine's
//! journals have, what the operator gives. A chunk that is in none of them is named.

use super::Request;
use super::gate::Obstacle;
use crate::model::{
    Hold, Misplaced, Reading, RestoreChunk, RestoreItem, RestoreSubject, RunId, StopId,
};
use crate::ops::seen::World;
use crate::report::nearest;
use std::collections::BTreeMap;

/// The id of the finding that a chunk is missing.
pub(super) const MISSING: &str = "resume.record_missing";

/// All chunks of a stop that can be had here.
pub(super) fn chunks(world: &World, request: &Request, stop_id: &StopId) -> Vec<RestoreChunk> {
    let stored = world.restore.as_ref().and_then(Reading::value).into_iter().flatten();
    let given = request.record.iter().filter(|chunk| chunk.stop_id == *stop_id);
    stored.chain(given).cloned().collect()
}

/// The items of a record: per subject the value from before the stop, of the earliest chunk
/// that names it, and the value written last.
pub(super) fn items(chunks: &[RestoreChunk]) -> Vec<RestoreItem> {
    let mut chunks: Vec<&RestoreChunk> = chunks.iter().collect();
    chunks.sort_by(|a, b| (a.at, &a.run_id, a.chunk).cmp(&(b.at, &b.run_id, b.chunk)));
    let mut items: BTreeMap<RestoreSubject, RestoreItem> = BTreeMap::new();
    for item in chunks.into_iter().flat_map(|chunk| &chunk.items) {
        items
            .entry(item.subject.clone())
            .and_modify(|known| known.written = item.written.clone())
            .or_insert_with(|| item.clone());
    }
    items.into_values().collect()
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
}

/// What the hold notes as recorded elsewhere and is not among the chunks.
pub(super) fn missing(hold: &Hold, chunks: &[RestoreChunk]) -> Vec<MissingChunk> {
    let missing = hold.missing(chunks);
    let one_by_one = missing.iter().flat_map(|Misplaced { run_id, actor, chunks }| {
        chunks.iter().map(|chunk| MissingChunk {
            item: item_of(run_id, *chunk),
            actor: actor.clone(),
            run_id: run_id.clone(),
        })
    });
    one_by_one.collect()
}

impl MissingChunk {
    pub(super) fn obstacle(&self) -> Obstacle {
        let (run, actor) = (&self.run_id, &self.actor);
        let message = format!(
            "a part of the restore record is not here: it lies in the journal of run {run} on the \
             machine of {actor}, or in what that run printed"
        );
        Obstacle { id: MISSING, subject: self.item.clone(), message }
    }
}

/// How a missing chunk is given.
pub(super) fn ways(obstacle: &Obstacle) -> Vec<String> {
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

/// Given records of other stops: they would be passed over in silence.
pub(super) fn foreign(request: &Request, stop_id: &StopId) -> Option<String> {
    let foreign = request.record.iter().find(|chunk| chunk.stop_id != *stop_id)?;
    let of = &foreign.stop_id;
    Some(format!("--record: a restore record of stop {of} is among them, this is {stop_id}"))
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
