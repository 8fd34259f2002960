//! Stops that ended before the latch named them. What such a stop changed is in a record that
//! no hold leads to: whoever stops next takes it over, and a resume tells of it.

use super::resume::found;
use super::seen::World;
use crate::model::{Hold, Latch, Reading, RestoreChunk, RestoreItem, RestoreSubject, StopId, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A stop that no latch names, and what still stands as it left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    /// What the latch would have said.
    pub(crate) hold: Hold,
    /// When the first of the items was recorded.
    pub(crate) at: Utc,
    /// Per subject the value from before, and what was written and still stands.
    pub(crate) items: Vec<RestoreItem>,
    /// What was recorded, and is not as it left it: it was never changed, or somebody wrote it
    /// since.
    pub(crate) moot: Vec<RestoreItem>,
}

impl Orphan {
    /// Who stopped what, and when.
    pub(crate) fn told(&self) -> String {
        let Hold { stop_id, scope, actor, at, reason, .. } = &self.hold;
        format!("stop {stop_id} of {actor} ({scope}, {at}: {reason})")
    }
    /// Its items, some of them.
    pub(crate) fn names(&self) -> String {
        const SHOWN: usize = 8;
        let names = self.items.iter().take(SHOWN).map(|it| it.subject.to_string());
        let mut names = names.collect::<Vec<_>>().join(", ");
        if let Some(more @ 1..) = self.items.len().checked_sub(SHOWN) {
            names.push_str(&format!(" and {more} more"));
        }
        names
    }
}

impl World {
    /// Stops that no hold leads to and of which something still stands. What has not been read
    /// leads to none.
    pub(crate) fn orphans(&self) -> Vec<Orphan> {
        let loose = self.loose.as_ref().and_then(Reading::value);
        let latch = self.latch.as_ref().and_then(Reading::value);
        let (Some(loose), Some(latch)) = (loose, latch) else { return Vec::new() };
        let mut orphans = orphans(loose, latch, self);
        orphans.retain(|it| !it.items.is_empty());
        orphans
    }
}

/// Stops, the earliest first, that recorded values before a latch named them and that this
/// latch does not name, with what nobody has taken over. What cannot be read may stand.
pub(crate) fn orphans(loose: &[RestoreChunk], latch: &Latch, world: &World) -> Vec<Orphan> {
    let mut taken: BTreeMap<&StopId, BTreeSet<&RestoreSubject>> = BTreeMap::new();
    for chunk in loose {
        if let Some(from) = &chunk.taken_from {
            taken.entry(from).or_default().extend(chunk.items.iter().map(|it| &it.subject));
        }
    }
    let mut chunks: BTreeMap<&StopId, Vec<&RestoreChunk>> = BTreeMap::new();
    for chunk in loose.iter().filter(|it| it.unlatched.is_some()) {
        if latch.hold(&chunk.stop_id).is_none() {
            chunks.entry(&chunk.stop_id).or_default().push(chunk);
        }
    }
    let mut orphans: Vec<Orphan> = Vec::new();
    for (stop_id, chunks) in chunks {
        let Some(first) = chunks.iter().min_by_key(|it| it.at) else { continue };
        let Some(hold) = first.unlatched.clone() else { continue };
        let mut items = super::resume::items(chunks.iter().copied());
        let taken = taken.get(stop_id);
        items.retain(|it| !taken.is_some_and(|taken| taken.contains(&it.subject)));
        let stands = |item: &RestoreItem| match found(world, &item.subject) {
            Ok(found) => item.written != item.before && found.as_ref() == Some(&item.written),
            Err(_) => true,
        };
        let (items, moot) = items.into_iter().partition(stands);
        orphans.push(Orphan { hold: *hold, at: first.at, items, moot });
    }
    orphans.sort_by(|one, two| (one.at, &one.hold.stop_id).cmp(&(two.at, &two.hold.stop_id)));
    orphans
}
