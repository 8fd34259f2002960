//! Stops that ended before the latch named them. What such a stop changed is in a record that
//! no hold leads to: whoever stops next takes it over, and a resume tells of it.

use super::resume::{Now, now};
use super::seen::World;
use crate::model::{
    Hold, Latch, Reading, RestoreChunk, RestoreItem, RestoreSubject, RestoreValue, StopId, Utc,
    a_few,
};
use crate::report::counted;
use std::collections::{BTreeMap, BTreeSet};

/// A stop that no latch names, and what still stands as it left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    /// What the latch would have said.
    pub(crate) hold: Hold,
    /// When the first of the items was recorded.
    pub(crate) at: Utc,
    /// When the last of them was: it may yet come to be done.
    pub(crate) last_at: Utc,
    /// Per subject the value from before, and what was written and still stands.
    pub(crate) items: Vec<RestoreItem>,
    /// What may stand so: it could not be read.
    pub(crate) unread: Vec<RestoreItem>,
    /// What was recorded, and is not as it left it: it was never changed, or somebody wrote it
    /// since.
    pub(crate) moot: Vec<RestoreItem>,
}

impl Orphan {
    /// A stop of which nothing is known yet but what the latch would have said.
    pub(crate) fn of(hold: Hold, at: Utc, last_at: Utc) -> Self {
        Self { hold, at, last_at, items: Vec::new(), unread: Vec::new(), moot: Vec::new() }
    }
    /// Who stopped what, and when.
    pub(crate) fn told(&self) -> String {
        let Hold { stop_id, scope, actor, at, reason, .. } = &self.hold;
        format!("stop {stop_id} of {actor} ({scope}, {at}: {reason})")
    }
    /// What stands or may stand as it left it.
    pub(crate) fn open(&self) -> impl Iterator<Item = &RestoreItem> {
        self.items.iter().chain(&self.unread)
    }
    /// How much of it stands as it left it, and of how much that is not known.
    pub(crate) fn stand(&self) -> String {
        let (stand, unread) = (self.items.len(), self.unread.len());
        let unread_words =
            counted(unread as u64, "value that it changed", "values that it changed");
        let stand_words = match stand {
            1 => "1 value still stands as it left it".to_owned(),
            _ => format!("{stand} values still stand as it left them"),
        };
        match (stand, unread) {
            (_, 0) => stand_words,
            (0, _) => format!("{unread_words} could not be read"),
            _ => format!("{stand_words}, and {unread} could not be read"),
        }
    }
    /// Its items, some of them.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.open().map(|it| it.subject.to_string()).collect();
        a_few(&names)
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
        orphans.retain(|it| it.open().next().is_some());
        orphans
    }
}

/// Stops, the earliest first, that recorded values before a latch named them and that this
/// latch does not name, with what nobody has taken over.
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
        let last_at = chunks.iter().map(|it| it.at).max().unwrap_or(first.at);
        let mut orphan = Orphan::of(*hold, first.at, last_at);
        for item in items {
            match now(world, &item) {
                Now::AsLeft => orphan.items.push(item),
                Now::AsBefore | Now::Other(_) => orphan.moot.push(item),
                Now::Unread(_) => orphan.unread.push(item),
            }
        }
        orphans.push(orphan);
    }
    orphans.sort_by(|one, two| (one.at, &one.hold.stop_id).cmp(&(two.at, &two.hold.stop_id)));
    only_the_last(&mut orphans);
    orphans
}

/// What a later one changed stands as that one left it: for an earlier one it is over, unless the
/// later one found it as the earlier one had left it.
fn only_the_last(orphans: &mut [Orphan]) {
    let mut later: BTreeMap<RestoreSubject, RestoreValue> = BTreeMap::new();
    for orphan in orphans.iter_mut().rev() {
        let stood = |it: &RestoreItem| later.get(&it.subject).is_none_or(|was| *was == it.written);
        let (items, over) = std::mem::take(&mut orphan.items).into_iter().partition(stood);
        orphan.items = items;
        orphan.moot.extend::<Vec<_>>(over);
        later.extend(orphan.items.iter().map(|it| (it.subject.clone(), it.before.clone())));
    }
}
