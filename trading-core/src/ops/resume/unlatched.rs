//! Where nothing can hold trading. The stop is found in the journals of this machine or in the
//! record that the operator gives; there is no latch to restore under or to release, so that
//! a stop that began meanwhile is looked for in the journals, and everything is read again
//! before the stop counts as over.

use super::gate::Obstacle;
use super::procedure::{End, Resume};
use super::record::{self, MissingChunk};
use super::restore::{Item, Now, engine_moved_on, found, now};
use crate::model::{Hold, Meant, Reading, RestoreItem, RestoreSubject, meant};
use crate::ops::Query;
use crate::ops::history::{Stop, Stops};
use crate::ops::quiet::is_still;
use crate::ops::seen::World;
use crate::plan::Settled;

/// What is read to find a stop, and to see that what it changed is as it was.
pub(super) const QUERIES: [Query; 4] =
    [Query::Stops, Query::Services, Query::Tasks, Query::Schedules];

/// The id of the obstacle that an item is not as it was.
const NOT_BACK: &str = "resume.not_put_back";

impl Resume {
    /// Whether something holds trading until it is released.
    pub(super) fn has_latch(&self) -> bool {
        self.site.capabilities.strategies
    }

    /// The stop to resume from, and what of its record is missing.
    pub(super) fn find_stop(&mut self) -> Result<Hold, End> {
        let stops = match &self.world.stops {
            Some(Reading::Known { value, .. }) => value.clone(),
            Some(Reading::Gap(gap)) => return Err(End::Unread(gap.to_string())),
            None => return Err(End::Unread("the journals were not read".to_owned())),
        };
        if let Some(it) = stops.at_work() {
            let (id, actor, run) = (&it.hold.stop_id, &it.hold.actor, &it.run);
            let why = format!("stop {id} of {actor} is at work on this machine ({run})");
            return Err(End::Refused(why));
        }
        let known = stops.with(&self.request.record);
        let named = self.named(&known);
        let open = known.iter().filter(|it| self.is_open(it, named));
        let holds: Vec<Hold> = open.map(|it| it.hold.clone()).collect();
        let hold = match self.choose(&holds) {
            Err(End::NothingHeld) => return Err(self.nothing_open(&known, &stops, named)),
            other => other?,
        };
        let chosen = known.iter().find(|it| it.hold.stop_id == hold.stop_id);
        self.missing = chosen.map(record::unread_rest).unwrap_or_default();
        Ok(hold)
    }

    /// It is not over, and nobody has seen to something of it; or it was named, and what stands
    /// is looked at item by item.
    fn is_open(&self, stop: &Stop, named: Option<&str>) -> bool {
        let named = stop.over.is_none() && named == Some(stop.hold.stop_id.as_str());
        named || open_items(&self.world, stop, &[], |_| true) > 0
    }

    /// Other stops of this machine that are not over.
    pub(super) fn other_stops(&self) -> Vec<&Hold> {
        let stops = self.world.stops.as_ref().and_then(Reading::value);
        let stops = stops.into_iter().flat_map(|it| &it.stops);
        let ours = self.hold.as_ref().map(|it| &it.stop_id);
        let others = stops.filter(|it| Some(&it.hold.stop_id) != ours && self.is_open(it, None));
        others.map(|it| &it.hold).collect()
    }

    /// The stop that the operator named, whole or by its beginning.
    fn named<'a>(&self, known: &'a [Stop]) -> Option<&'a str> {
        let open = known.iter().filter(|it| it.over.is_none());
        let (open, all) = (open.map(id_of), known.iter().map(id_of));
        let asked = self.request.stop_id.as_ref()?.as_str();
        match (meant(asked, open), meant(asked, all)) {
            (Meant::One(id), _) | (Meant::None, Meant::One(id)) => Some(id),
            _ => None,
        }
    }

    fn nothing_open(&mut self, known: &[Stop], stops: &Stops, named: Option<&str>) -> End {
        let is_known = match &self.request.stop_id {
            Some(_) => named.is_some(),
            None => !known.is_empty(),
        };
        if is_known && !is_still(&self.site, &self.world) {
            return End::NothingHeld;
        }
        let what = match &self.request.stop_id {
            Some(id) => format!("the record of {id}"),
            None => "a record of what a stop changed".to_owned(),
        };
        let env = &self.site.environment;
        let mut why = format!(
            "{what} is missing: {env} has no latch, and the journals of this machine hold none \
             that is still to be put back"
        );
        if let Some(first) = stops.unreadable.first() {
            why.push_str(&format!("; {} cannot be read: {first}", stops.unreadable.len()));
        }
        self.obstacles = vec![Obstacle {
            id: record::NONE,
            subject: "restore record".to_owned(),
            message: "it lies where the stop ran: in its journal, or in what it printed".to_owned(),
        }];
        End::Refused(why)
    }

    /// Somebody stopped on this machine after the operator asked.
    pub(super) fn stopped_again_here(&self) -> Option<End> {
        let stops = self.world.stops.as_ref().and_then(Reading::value)?;
        let later = stops.since(self.request.asked_at)?;
        let (id, actor) = (&later.hold.stop_id, &later.hold.actor);
        Some(End::StoppedAgain(format!("{id} of {actor} began meanwhile")))
    }

    /// Without a release, the end is that everything was read and is as it was.
    pub(super) fn ended_unlatched(&self) -> Option<End> {
        if !self.run.executor.is_idle() {
            return None;
        }
        if self.is_ready() {
            return Some(End::Released);
        }
        let mut steps = self.run.executor.steps();
        if steps.any(|(_, settled)| !settled.is_some_and(Settled::stands)) {
            return Some(End::Held("not every item could be put back".to_owned()));
        }
        let undecided = self.fates.iter().find(|it| it.is_undecided())?;
        let subject = &undecided.item.subject;
        Some(End::Held(format!("{subject} was changed since the stop and nobody decided")))
    }
}

fn id_of(stop: &Stop) -> &str {
    stop.hold.stop_id.as_str()
}

/// How many items of a stop, of those that are meant, nobody has seen to: they stand as it left
/// them, or a resume of it began and they are not as they were before. What one has put back is
/// done: whatever moves it since, as autoscaling does a count, is not this stop's. What cannot be
/// read is not seen to. `since` is what was recorded later and stands in no journal that was read.
pub(crate) fn open_items(
    world: &World,
    stop: &Stop,
    since: &[&RestoreItem],
    meant: impl Fn(&RestoreSubject) -> bool,
) -> usize {
    if stop.over.is_some() {
        return 0;
    }
    let is_open = |item: &RestoreItem| match now(world, item) {
        Now::AsLeft | Now::Unread(_) => true,
        Now::AsBefore => false,
        Now::Other(_) => stop.taken_up && !stop.put_back.contains(&item.subject),
    };
    let taken = |item: &RestoreItem| since.iter().any(|it| takes(it, item));
    let items = items_of(world, stop).into_iter();
    items.filter(|it| meant(&it.subject) && !taken(it) && is_open(it)).count()
}

/// Whether something of a stop may be open of what was not read: nobody has put it back.
pub(crate) fn may_be_open(
    world: &World,
    stop: &Stop,
    unread: impl Fn(&RestoreSubject) -> bool,
) -> bool {
    let may_be = |it: &RestoreItem| {
        it.written != it.before && unread(&it.subject) && !stop.put_back.contains(&it.subject)
    };
    stop.over.is_none() && items_of(world, stop).iter().any(may_be)
}

/// The items of a stop that are its own still: what a later one found otherwise than this one had
/// left it stands, from then on, as that one leaves it.
fn items_of(world: &World, stop: &Stop) -> Vec<RestoreItem> {
    let stops = world.stops.as_ref().and_then(Reading::value);
    let later = stops.into_iter().flat_map(|it| &it.stops).filter(|it| it.hold.at > stop.hold.at);
    let later: Vec<RestoreItem> = later.flat_map(|it| record::items(&it.chunks)).collect();
    let taken = |item: &RestoreItem| later.iter().any(|it| takes(it, item));
    let mut items = record::items(&stop.chunks);
    items.retain(|item| !taken(item));
    items
}

/// Whether what was recorded later is about the same, and found it otherwise than it was left.
fn takes(later: &RestoreItem, item: &RestoreItem) -> bool {
    later.subject == item.subject && later.before != item.written
}

/// Items that are not as they were before the stop. Counts are waited for elsewhere: whatever
/// scales a service may have moved on from what was put back.
pub(super) fn not_put_back(world: &World, fates: &[Item]) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for it @ Item { item, .. } in fates {
        if it.stays() || matches!(item.subject, RestoreSubject::Service(_)) {
            continue;
        }
        let message = match found(world, &item.subject) {
            Ok(Some(now)) if now == item.before || engine_moved_on(&item.before, &now) => continue,
            Ok(Some(now)) => format!("was put back to {}, and is {now}", item.before),
            Ok(None) => "is gone".to_owned(),
            Err(why) => why,
        };
        obstacles.push(Obstacle { id: NOT_BACK, subject: item.subject.to_string(), message });
    }
    obstacles
}

impl MissingChunk {
    /// What may follow where a journal is damaged.
    pub(super) fn after(stop: &Stop, why: &str) -> Self {
        let number = u32::try_from(stop.chunks.len()).unwrap_or(u32::MAX);
        let run_id = stop.run.as_str().into();
        let item = record::item_of(&run_id, number);
        let actor = stop.hold.actor.clone();
        Self { item, actor, run_id, damage: Some(why.to_owned()) }
    }
}
