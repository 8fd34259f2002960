//! From the restore record and what stands now to the plan.

use super::{Request, given, orphans, record};
use crate::journal::Entry;
use crate::model::{
    Attr, Gap, Hold, Latch, Phase, Reading, RestoreChunk, RestoreItem, RestoreSubject,
    RestoreValue, Service, ServiceName, StatusWrite, StopId, StrategyId, StrategyStatus,
};
use crate::ops::seen::World;
use crate::plan::{Act, Rung, Step, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// What releases the latch.
pub(super) const ENGINES_READY: &str = "engines reconciled and beating, every item as it was";

/// The step that makes sure that somebody acts on desired counts.
pub(super) const SUPERVISED: &str = "supervised";

/// What is to become of one item of the restore record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has the value from before already.
    Stands,
    /// It has the value that we wrote: it gets the one from before.
    Restore,
    /// Somebody changed it since, and the operator takes the value from before.
    Take(RestoreValue),
    /// The operator leaves it as it is.
    Left,
    /// The operator leaves a strategy that stands as it was before, since an earlier resume put it
    /// back: it gets again what the stop wrote. Left as it is it would trade, looked at by nobody.
    StopAgain(RestoreValue),
    /// Another stop goes on holding it, which takes its value from before over.
    HeldBy(StopId),
    /// Somebody changed it since, and nobody has decided.
    Conflict {
        /// What stands there; `None`: it is gone.
        found: Option<RestoreValue>,
    },
    /// It cannot be read.
    Unread(String),
}

/// An item and its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) item: RestoreItem,
    pub(super) fate: Fate,
}

fn read<T>(reading: Option<&Reading<T>>) -> Result<&T, String> {
    match reading {
        Some(Reading::Known { value, .. }) => Ok(value),
        Some(Reading::Gap(gap)) => Err(gap.to_string()),
        None => Err("was not read".to_owned()),
    }
}

/// A service, if it exists. `Err`: it was not read.
pub(super) fn service<'a>(
    world: &'a World,
    name: &ServiceName,
) -> Result<Option<&'a Service>, String> {
    let services = read(world.services.as_ref())?;
    services.one(name.as_str(), |it| it.name == *name).map_err(Gap::to_string)
}

/// What stands now where an item was changed.
pub(crate) fn found(
    world: &World,
    subject: &RestoreSubject,
) -> Result<Option<RestoreValue>, String> {
    Ok(match subject {
        RestoreSubject::Strategy(id) => {
            read(world.strategies.as_ref())?;
            world.row(id).map(|row| RestoreValue::Status(row.status_attr().cloned()))
        }
        RestoreSubject::Schedule(id) => read(world.schedules.as_ref())?
            .one(id.as_str(), |it| it.id == *id)
            .map_err(Gap::to_string)?
            .map(|it| RestoreValue::Enabled(it.enabled)),
        RestoreSubject::Service(name) => {
            service(world, name)?.map(|it| RestoreValue::Desired(it.desired_count))
        }
        RestoreSubject::Autoscaling(name) => {
            let target = match service(world, name)?.map(|it| &it.autoscaling) {
                None => None,
                Some(target) if target.is_absent() => None,
                Some(target) => Some(*read(Some(target))?),
            };
            target.map(RestoreValue::Autoscaling)
        }
    })
}

/// How an item stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// As it was before the stop, or where an engine moved on to from there.
    AsBefore,
    /// As the stop left it.
    AsLeft,
    /// Otherwise; `None`: it is gone.
    Other(Option<RestoreValue>),
    /// That is not known.
    Unread(String),
}

/// How an item of a record stands now.
pub(crate) fn now(world: &World, item: &RestoreItem) -> Now {
    match found(world, &item.subject) {
        Err(why) => Now::Unread(why),
        Ok(Some(found)) if found == item.before || engine_moved_on(&item.before, &found) => {
            Now::AsBefore
        }
        Ok(Some(found)) if found == item.written => Now::AsLeft,
        Ok(found) => Now::Other(found),
    }
}

/// The stop that goes on covering an item, which stays as it is.
fn holder<'a>(world: &'a World, stop_id: &StopId, subject: &RestoreSubject) -> Option<&'a StopId> {
    let latch = world.latch.as_ref().and_then(Reading::value);
    let holds = latch.into_iter().flat_map(|it| &it.holds);
    let mut others = holds.filter(|hold| hold.stop_id != *stop_id);
    others.find(|hold| world.covers(&hold.scope, subject)).map(|hold| &hold.stop_id)
}

/// Each item's fate.
pub(super) fn fates(world: &World, request: &Request, stop_id: &StopId) -> Vec<Item> {
    record::items(&record::chunks(world, request, stop_id))
        .into_iter()
        .map(|item| {
            let name = item.subject.to_string();
            let holder = holder(world, stop_id, &item.subject);
            let fate = match (now(world, &item), holder) {
                (now, None) if request.leave.contains(&name) => leave(world, &item, now),
                _ if request.leave.contains(&name) => Fate::Left,
                (_, Some(other)) => Fate::HeldBy(other.clone()),
                (Now::Unread(why), None) => Fate::Unread(why),
                (Now::AsBefore, None) => Fate::Stands,
                (Now::AsLeft, None) => Fate::Restore,
                (Now::Other(Some(found)), None) if request.take.contains(&name) => {
                    Fate::Take(found)
                }
                (Now::Other(found), None) => Fate::Conflict { found },
            };
            Item { item, fate }
        })
        .collect()
}

/// What becomes of what the operator leaves: what trades again is not as the stop left it.
fn leave(world: &World, item: &RestoreItem, now: Now) -> Fate {
    let is_strategy = matches!(item.subject, RestoreSubject::Strategy(_));
    match (now, found(world, &item.subject)) {
        (Now::AsBefore, Ok(Some(found))) if is_strategy && found != item.written => {
            Fate::StopAgain(found)
        }
        _ => Fate::Left,
    }
}

/// A strategy that was put back to `warmup` becomes `running` by its engine's own hand.
pub(crate) fn engine_moved_on(before: &RestoreValue, found: &RestoreValue) -> bool {
    let status = |value: &RestoreValue| match value {
        RestoreValue::Status(Some(attr)) => attr.as_text().and_then(StrategyStatus::parse),
        _ => None,
    };
    status(before) == Some(StrategyStatus::Warmup) && status(found) == Some(StrategyStatus::Running)
}

/// What the operator leaves as the stop left it.
pub(super) fn left(fates: &[Item]) -> impl Iterator<Item = &RestoreItem> {
    fates.iter().filter(|it| it.is_left()).map(|it| &it.item)
}

/// What is left, for the journal: nobody reads the record of a stop that is over, and what stood
/// there before is to be had all the same.
pub(super) fn evidence(item: &RestoreItem) -> Entry {
    let value = serde_json::to_value(item).unwrap_or_default();
    Entry::Evidence { subject: format!("left {}", item.subject), value }
}

/// The status from before the stop of a strategy that a resume left, from its journal.
pub(crate) fn left_before(entry: &Entry, strategy: &StrategyId) -> Option<Attr> {
    let Entry::Evidence { value, .. } = entry else { return None };
    let item: RestoreItem = serde_json::from_value(value.clone()).ok()?;
    match (item.subject, item.before) {
        (RestoreSubject::Strategy(id), RestoreValue::Status(Some(before))) if id == *strategy => {
            Some(before).filter(is_watched)
        }
        _ => None,
    }
}

/// Whether who has this status is expected to beat.
pub(super) fn is_watched(status: &Attr) -> bool {
    status.as_text().and_then(StrategyStatus::parse).is_some_and(StrategyStatus::is_watched)
}

/// What people are told of a release. As a part of the plan it is what they consent to and
/// what the journal keeps.
pub(super) struct Told<'a> {
    pub(super) environment: &'a str,
    pub(super) actor: &'a str,
    /// Orders of unknown outcome that the operator answers for.
    pub(super) left_orders: &'a [String],
}

/// The whole plan where nothing holds: every item, and what people are told once all of them
/// were seen as they were.
pub(super) fn plan_unlatched(hold: &Hold, fates: &[Item], told: &Told<'_>) -> Vec<Step> {
    let mut steps = item_steps(fates, &[]);
    let counts = counts(&steps);
    if !counts.is_empty() {
        steps.push(supervised(counts));
    }
    if !steps.is_empty() && !fates.iter().any(Item::is_open) {
        let needs: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
        steps.push(notice(&hold.stop_id, told).needing(needs).awaiting(ENGINES_READY));
    }
    steps
}

impl Item {
    /// With such an item the run ends before the release.
    fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Conflict { .. } | Fate::Unread(_))
    }
    /// It stays as it is, by the operator's word or another stop's.
    pub(super) fn stays(&self) -> bool {
        self.is_left() || matches!(self.fate, Fate::HeldBy(_))
    }
    /// It stays, or is again, as the stop left it, by the operator's word.
    pub(super) fn is_left(&self) -> bool {
        matches!(self.fate, Fate::Left | Fate::StopAgain(_))
    }
}

/// The whole plan: the latch to `resuming`, what it takes over of what was given, every item,
/// what others take over, and the release.
pub(super) fn plan(
    latch: &Latch,
    hold: &Hold,
    fates: &[Item],
    (chunks, copies): (&[RestoreChunk], &[RestoreChunk]),
    told: &Told<'_>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    // Also where it says so already: of two resumes the one that comes second goes on, and the
    // other one sees at its next look that it was overtaken.
    let mut holds = latch.holds.clone();
    let mine = holds.iter_mut().filter(|it| it.stop_id == hold.stop_id);
    mine.for_each(|it| it.phase = Phase::Resuming);
    let next = latch.next(holds);
    let act = Act::WriteLatch { expected_epoch: latch.epoch, latch: next.clone() };
    let why = "everything is put back under the latch, and others see that it is";
    steps.push(Step::new(StepId::new("latch/resuming"), Rung::Latch, why, act));
    let under = [StepId::new("latch/resuming")];
    let latch = next;
    let taken = given::steps(&hold.stop_id, copies, &under);
    let leads_back: Vec<StepId> =
        under.iter().chain(taken.iter().map(|it| &it.id)).cloned().collect();
    steps.extend(taken);
    steps.extend(item_steps(fates, &leads_back));
    // Also where every count stands: engines are waited for, and who started them may be gone.
    steps.push(supervised(counts(&steps)).needing(under.iter().cloned()));
    steps.extend(hand_over(fates, chunks, &under));
    steps.extend(orphans::answered_for(hold, chunks, &under));
    if !fates.iter().any(Item::is_open) {
        let needs: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
        steps.extend(release(&latch, &hold.stop_id, needs, told));
    }
    steps
}

/// The step that writes an item.
pub(super) fn step(subject: &RestoreSubject) -> StepId {
    StepId::new(format!("{subject}:restored"))
}

/// The step that stops again what is left and an earlier resume had put back.
fn stop_again(item: &RestoreItem, found: &RestoreValue) -> Option<Step> {
    let back = RestoreItem { before: item.written.clone(), written: found.clone(), ..item.clone() };
    let (rung, act, undo) = acts(&back, found)?;
    let why = "it is left, and an earlier resume had put it back: it is stopped again";
    Some(Step::new(step(&item.subject), rung, why, act).undone_by(undo))
}

fn item_steps(fates: &[Item], under: &[StepId]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for Item { item, fate } in fates {
        let current = match fate {
            Fate::Restore => &item.written,
            Fate::Take(found) => found,
            Fate::StopAgain(found) => {
                let again = stop_again(item, found);
                steps.extend(again.map(|it| it.needing(under.iter().cloned())));
                continue;
            }
            Fate::Stands
            | Fate::Left
            | Fate::HeldBy(_)
            | Fate::Conflict { .. }
            | Fate::Unread(_) => continue,
        };
        let Some((rung, act, undo)) = acts(item, current) else { continue };
        let step = Step::new(
            step(&item.subject),
            rung,
            "it is put back to what it was before the stop",
            act,
        );
        steps.push(step.undone_by(undo).needing(under.iter().cloned()));
    }
    counts_first(&mut steps);
    steps
}

/// The steps that let something run again.
fn counts(steps: &[Step]) -> Vec<StepId> {
    let scaled =
        steps.iter().filter(|it| matches!(it.act, Act::SetDesired { desired, .. } if desired > 0));
    scaled.map(|it| it.id.clone()).collect()
}

/// Somebody has to act on desired counts, once they are back.
fn supervised(counts: Vec<StepId>) -> Step {
    let why = "desired counts need somebody who acts on them";
    Step::new(StepId::new(SUPERVISED), Rung::Compute, why, Act::EnsureSupervised).after(counts)
}

/// What other stops go on holding gets into their records, chunk by chunk: whoever resumes
/// them puts back what stood before the first stop, and not what that one left.
fn hand_over(fates: &[Item], chunks: &[RestoreChunk], under: &[StepId]) -> Vec<Step> {
    let mut holders: BTreeMap<&StopId, BTreeSet<&RestoreSubject>> = BTreeMap::new();
    for Item { item, fate } in fates {
        if let Fate::HeldBy(other) = fate {
            holders.entry(other).or_default().insert(&item.subject);
        }
    }
    let chunks = RestoreChunk::valid(chunks);
    let mut steps = Vec::new();
    for (other, subjects) in holders {
        let handed = chunks.iter().filter_map(|chunk| record::handed_over(chunk, other, &subjects));
        for (chunk, number) in handed.zip(1_u32..) {
            let id = StepId::new(format!("record/{other}:handed-over#{number}"));
            let why = "another stop goes on holding these, and puts them back when it is resumed";
            let step = Step::new(id, Rung::Latch, why, Act::HandOver { chunk });
            steps.push(step.needing(under.iter().cloned()));
        }
    }
    steps
}

/// Autoscaling that is let loose moves a count by itself, and ours would be refused then as
/// somebody else's: a service gets its count back before its autoscaling, or neither.
fn counts_first(steps: &mut [Step]) {
    let counts = steps.iter().filter_map(|step| match &step.act {
        Act::SetDesired { service, .. } => Some((service.clone(), step.id.clone())),
        _ => None,
    });
    let counts: BTreeMap<ServiceName, StepId> = counts.collect();
    for step in steps {
        if let Act::SetAutoscaling { service, .. } = &step.act {
            step.needs.extend(counts.get(service).cloned());
        }
    }
}

/// The act that puts an item back, and its inverse.
pub(crate) fn acts(item: &RestoreItem, current: &RestoreValue) -> Option<(Rung, Act, Act)> {
    let pair = match (&item.subject, current, &item.before) {
        (
            RestoreSubject::Strategy(id),
            RestoreValue::Status(current),
            RestoreValue::Status(before),
        ) => {
            let act = |expected: &Option<_>, value: &Option<_>| {
                Act::SetStatus(StatusWrite {
                    strategy: id.clone(),
                    expected: Option::clone(expected),
                    value: Option::clone(value),
                })
            };
            (Rung::Strategies, act(current, before), act(before, current))
        }
        (RestoreSubject::Schedule(id), RestoreValue::Enabled(_), RestoreValue::Enabled(before)) => {
            let act = |enabled| Act::SetSchedule { schedule: id.clone(), enabled };
            (Rung::Schedules, act(*before), act(!before))
        }
        (
            RestoreSubject::Service(name),
            RestoreValue::Desired(current),
            RestoreValue::Desired(before),
        ) => {
            let act =
                |expected, desired| Act::SetDesired { service: name.clone(), expected, desired };
            (Rung::Compute, act(*current, *before), act(*before, *current))
        }
        (
            RestoreSubject::Autoscaling(name),
            RestoreValue::Autoscaling(current),
            RestoreValue::Autoscaling(before),
        ) => {
            let act =
                |expected, value| Act::SetAutoscaling { service: name.clone(), expected, value };
            (Rung::Compute, act(*current, *before), act(*before, *current))
        }
        _ => return None,
    };
    Some(pair)
}

fn release(latch: &Latch, stop_id: &StopId, needs: Vec<StepId>, told: &Told<'_>) -> Vec<Step> {
    let holds = latch.holds.iter().filter(|it| it.stop_id != *stop_id).cloned().collect();
    let act = Act::WriteLatch { expected_epoch: latch.epoch, latch: latch.next(holds) };
    let release = Step::new(StepId::new("latch/released"), Rung::Latch, "trading goes on", act)
        .needing(needs)
        .awaiting(ENGINES_READY);
    vec![release, notice(stop_id, told).needing([StepId::new("latch/released")])]
}

fn notice(stop_id: &StopId, told: &Told<'_>) -> Step {
    let Told { environment, actor, left_orders } = told;
    let mut body = format!("stop {stop_id} is released; trading goes on");
    if !left_orders.is_empty() {
        let left = left_orders.join(", ");
        body.push_str(&format!("; of unknown outcome, and answered for by {actor}: {left}"));
    }
    let told = Act::Notify {
        message_id: format!("{stop_id}/released"),
        subject: format!("[{environment}] stop released"),
        body,
    };
    Step::new(StepId::new("notify/released"), Rung::Notify, "people have to know", told)
}
