//! The gate: what must be so before anything is restored, and what must be so before the
//! latch is released.

use super::restore::{self, Item};
use crate::model::{
    Acknowledges, ClientOrderId, Gap, GapKind, Heartbeat, Hold, OrderRow, Reading, RestoreItem,
    RestoreSubject, RestoreValue, Scope, Service, StrategyId, StrategyRow, StrategyStatus,
    Supervision, Task, TaskState, Utc, VenueName, a_few,
};
use crate::ops::Query;
use crate::ops::emergency_stop::Site;
use crate::ops::heartbeat::FUTURE_MS;
use crate::ops::seen::World;
use crate::ops::supervision::trouble;
use crate::report::stamp;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// The attribute that an engine sets once its ledger and the venue agree.
pub(super) const RECONCILED_AT: &str = "reconciled_at";

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Obstacle {
    /// Stable, for scripts.
    pub(super) id: &'static str,
    /// What it is about.
    pub(super) subject: String,
    /// What is so.
    pub(super) message: String,
}

pub(super) fn obstacle(
    id: &'static str,
    subject: impl ToString,
    message: impl Into<String>,
) -> Obstacle {
    Obstacle { id, subject: subject.to_string(), message: message.into() }
}

/// What a resume lets trade again.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// What the stop covers.
    pub(super) scope: Scope,
    /// What is in its record, wherever that lies.
    pub(super) recorded: BTreeSet<RestoreSubject>,
}

/// Orders whose rows do not say how they ended, of what the stop covers or recorded: another
/// strategy's outcome has nothing to do with whether this one may trade again.
fn doubtful<'a>(
    world: &'a World,
    reach: &'a Reach,
    rows: impl IntoIterator<Item = &'a OrderRow>,
) -> impl Iterator<Item = &'a OrderRow> {
    let of = |row: &OrderRow| row.row.text_opt(OrderRow::STRATEGY_ID).map(Into::into);
    // Of a strategy without a row nobody knows what runs it, or where it trades.
    let covered = move |id: StrategyId| {
        let is_there = world.row(&id).is_some();
        let subject = RestoreSubject::Strategy(id);
        !is_there || reach.recorded.contains(&subject) || world.covers(&reach.scope, &subject)
    };
    let rows = rows.into_iter().filter(|row| row.outcome_unknown());
    rows.filter(move |row| of(row).is_none_or(&covered))
}

/// Such orders: the venue is asked for each.
pub(super) fn doubtful_orders(site: &Site, world: &World, reach: &Reach) -> Vec<Query> {
    let rows = world.stored_orders.as_ref().and_then(Reading::value);
    doubtful(world, reach, rows.into_iter().flatten())
        .filter_map(|row| Some(Query::VenueOrder(venue_of(site, world, row)?, row.id.clone())))
        .collect()
}

/// Those of them that no venue has answered for.
pub(super) fn unanswered(site: &Site, world: &World, reach: &Reach) -> Vec<Query> {
    let mut doubtful = doubtful_orders(site, world, reach);
    doubtful.retain(|query| match query {
        Query::VenueOrder(_, id) => {
            world.venue_order.get(id).is_none_or(|it| it.value().is_none() && !it.is_absent())
        }
        _ => false,
    });
    doubtful
}

/// Those that could not be asked for since nobody runs the venue: a resume brings back who does,
/// and asks again before it releases anything.
pub(super) fn asked_later(world: &World, obstacle: &Obstacle) -> bool {
    let unsupervised =
        matches!(world.supervision.as_ref().and_then(Reading::value), Some(Supervision::Absent));
    let gap = world.venue_order.get(&obstacle.subject.as_str().into());
    let gap = gap.and_then(Reading::as_gap).map(|gap| gap.kind);
    unsupervised && obstacle.id == ORDER_UNKNOWN && gap == Some(GapKind::Unreachable)
}

/// The venue of an order: its strategy's, or the only one.
fn venue_of(site: &Site, world: &World, row: &OrderRow) -> Option<VenueName> {
    let strategy = row.row.text_opt(OrderRow::STRATEGY_ID);
    let by_row = strategy.and_then(|id| world.row(&id.into())).and_then(StrategyRow::venue);
    let venues = &site.capabilities.venues;
    match by_row {
        // One that nobody can ask will never answer.
        Some(venue) => venues.contains(&venue).then_some(venue),
        None => match venues.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}

/// The id of the obstacle that something could not be read.
const UNREAD: &str = "resume.unread";
/// The id of the obstacle that nobody acts on desired counts.
pub(super) const UNSUPERVISED: &str = "resume.unsupervised";
/// The id of the obstacle that a strategy is not up.
pub(super) const NOT_BEATING: &str = "resume.not_beating";
/// The id of the obstacle that it is not, and nothing says what would bring it up.
pub(super) const NOT_PLACED: &str = "resume.not_placed";
/// The id of the obstacle that nothing will bring a strategy up by itself.
pub(super) const NOTHING_RUNS: &str = "resume.nothing_runs";
/// The id of the obstacle that a venue does not say how an order ended.
const ORDER_UNKNOWN: &str = "resume.order_unknown";
/// The id of the obstacle that no venue can settle an order.
pub(super) const UNSETTLED: &str = "resume.order_unsettled";

/// The id of the obstacle that another resume may not be over.
const IN_FLIGHT: &str = "resume.in_flight";

/// What an earlier resume of a stop had sent: it has to have come before the latch goes, or a
/// stop after the release could not know of it.
pub(super) fn in_flight(hold: &Hold, until: Utc) -> Obstacle {
    let why = "a resume of it was under way before: what that had sent may take effect until";
    obstacle(IN_FLIGHT, &hold.stop_id, format!("{why} {}", stamp(until)))
}

/// The orders of unknown outcome that no configured venue can settle, as ITEMs of `--leave`.
pub(super) fn unsettled(site: &Site, world: &World, reach: &Reach) -> Vec<String> {
    if !site.capabilities.positions {
        return Vec::new();
    }
    let rows = world.stored_orders.as_ref().and_then(Reading::value);
    let doubtful = doubtful(world, reach, rows.into_iter().flatten());
    doubtful.filter(|row| venue_of(site, world, row).is_none()).map(item).collect()
}

fn item(row: &OrderRow) -> String {
    format!("order={}", row.id)
}

/// Orders of unknown outcome, by the venue's word; those that no venue can settle, unless an
/// operator answers for them.
pub(super) fn unknown_orders(
    site: &Site,
    world: &World,
    reach: &Reach,
    leave: &[String],
) -> Vec<Obstacle> {
    if !site.capabilities.positions {
        return Vec::new();
    }
    let rows = match &world.stored_orders {
        Some(Reading::Known { value, .. }) => value,
        Some(Reading::Gap(_)) if world.stored_orders.as_ref().is_some_and(Reading::is_absent) => {
            return Vec::new();
        }
        Some(Reading::Gap(gap)) => {
            return vec![obstacle("resume.orders_unread", "orders table", gap.to_string())];
        }
        None => return vec![obstacle("resume.orders_unread", "orders table", "was not read")],
    };
    doubtful(world, reach, rows)
        .filter_map(|row| {
            let whose = row.whose();
            if venue_of(site, world, row).is_some() {
                let why = verdict(world, &row.id)?;
                return Some(obstacle(ORDER_UNKNOWN, &row.id, format!("{whose}: {why}")));
            }
            let why = format!(
                "{whose}: its outcome is not known, and no configured venue can settle it: look it \
                 up where it was sent, and correct its row or leave it"
            );
            (!leave.contains(&item(row))).then(|| obstacle(UNSETTLED, item(row), why))
        })
        .collect()
}

/// Orders whose rows are not understood and whose venue tells how they ended: which, and what it
/// says. One that is pending is settled by its engine.
pub(super) fn settled_orders(site: &Site, world: &World, reach: &Reach) -> Vec<(String, String)> {
    let rows = world.stored_orders.as_ref().and_then(Reading::value);
    let doubtful = doubtful(world, reach, rows.into_iter().flatten());
    let told = |row: &OrderRow| {
        let venue = venue_of(site, world, row)?;
        let says = match world.venue_order.get(&row.id)? {
            Reading::Known { value, .. } => format!("{venue} says {}", value.state.as_str()),
            gap if gap.is_absent() => format!("{venue} never had it"),
            Reading::Gap(_) => return None,
        };
        let (whose, status) = (row.whose(), row.status_text());
        let why = format!("{whose}: its row does not say how it ended (status {status}); {says}");
        Some((row.id.to_string(), why))
    };
    doubtful.filter(|row| !row.is_pending()).filter_map(told).collect()
}

/// Why an order's outcome is not known; `None`: the venue says how it ended, or that it
/// never had it.
fn verdict(world: &World, order: &ClientOrderId) -> Option<String> {
    match world.venue_order.get(order) {
        Some(Reading::Known { .. }) => None,
        Some(reading) if reading.is_absent() => None,
        Some(Reading::Gap(gap)) => Some(format!("its outcome is not known: {gap}")),
        None => Some("its outcome is not known, and the venue was not asked".to_owned()),
    }
}

/// The strategies that the record puts back to trading and that nobody leaves.
fn put_back(fates: &[Item]) -> impl Iterator<Item = &StrategyId> {
    fates.iter().filter_map(|it| match (&it.item.subject, &it.item.before) {
        _ if it.stays() => None,
        (RestoreSubject::Strategy(id), RestoreValue::Status(Some(before))) => {
            let status = before.as_text().and_then(StrategyStatus::parse)?;
            status.is_watched().then_some(id)
        }
        _ => None,
    })
}

/// Their rows, as far as they were read.
pub(super) fn trading_again(world: &World, fates: &[Item]) -> Vec<StrategyRow> {
    put_back(fates).filter_map(|id| world.row(id).cloned()).collect()
}

/// What a look had to show and did not: nothing is up that was not seen.
pub(super) fn unread(world: &World) -> Vec<Obstacle> {
    fn gap<T>(reading: Option<&Reading<T>>) -> Option<&Gap> {
        reading.and_then(Reading::as_gap).filter(|gap| gap.kind != GapKind::Absent)
    }
    let gaps = [
        ("latch", gap(world.latch.as_ref())),
        ("strategies", gap(world.strategies.as_ref())),
        ("services", gap(world.services.as_ref())),
        ("tasks", gap(world.tasks.as_ref())),
        ("supervision", gap(world.supervision.as_ref())),
        ("restore record", gap(world.restore.as_ref())),
        ("journals of this machine", gap(world.stops.as_ref())),
    ];
    let told = |(what, gap): (&str, Option<&Gap>)| Some(obstacle(UNREAD, what, gap?.to_string()));
    gaps.into_iter().filter_map(told).collect()
}

/// Nobody acts on desired counts: what ends after the release would not be started again.
pub(super) fn unsupervised(world: &World) -> Option<Obstacle> {
    let Reading::Known { value, observed_at, .. } = world.supervision.as_ref()? else {
        // That it is not known is an obstacle of its own.
        return None;
    };
    let (_, why) = trouble(value, *observed_at)?;
    Some(obstacle(UNSUPERVISED, "supervisor", why))
}

/// Somebody is to act on desired counts and does not, before anything is done: one that is gone is
/// started by the resume, and of one that is there no second one is.
pub(super) fn does_nothing(world: &World) -> Option<Obstacle> {
    let supervision = world.supervision.as_ref().and_then(Reading::value);
    unsupervised(world).filter(|_| supervision != Some(&Supervision::Absent))
}

/// What keeps the latch from being released: nobody who supervises, services that are not up, strategies that have
/// not reconciled or do not beat.
pub(super) fn not_ready(
    site: &Site,
    world: &World,
    fates: &[Item],
    (stopped_at, since): (Utc, Utc),
) -> Vec<Obstacle> {
    let mut obstacles = unread(world);
    obstacles.extend(unsupervised(world));
    for item in fates.iter().filter(|it| !it.stays()) {
        let (RestoreSubject::Service(name), RestoreValue::Desired(before)) =
            (&item.item.subject, &item.item.before)
        else {
            continue;
        };
        match restore::service(world, name) {
            Ok(Some(service)) if service.running_count >= *before => {}
            Ok(Some(service)) => {
                let running = service.running_count;
                let message = format!("{running} of {before} tasks are running");
                obstacles.push(obstacle("resume.service_not_up", name, message));
            }
            Ok(None) => obstacles.push(obstacle("resume.service_not_up", name, "is not there")),
            Err(why) => {
                let message = format!("cannot be seen: {why}");
                obstacles.push(obstacle("resume.service_not_up", name, message));
            }
        }
    }
    let Some(Reading::Known { observed_at, .. }) = &world.strategies else {
        // What cannot be read is among the obstacles; a table that is gone has no rows.
        let gone = world.strategies.as_ref().is_none_or(Reading::is_absent);
        obstacles.extend(put_back(fates).filter(|_| gone).map(no_row));
        return obstacles;
    };
    for id in put_back(fates) {
        let Some(row) = world.row(id) else {
            obstacles.push(no_row(id));
            continue;
        };
        // A task that was started after the stop has to reconcile after its own start.
        let started_at = match started_at(world, row) {
            Ok(started_at) => started_at.unwrap_or(stopped_at),
            Err(message) => {
                obstacles.push(obstacle(NOT_BEATING, id, message));
                continue;
            }
        };
        let from = stopped_at.max(started_at);
        let Some(message) = silence(site, row, (from, since), *observed_at) else { continue };
        let nothing = lost_task(world, row).or_else(|| idle_service(site, world, row, fates));
        obstacles.push(match nothing {
            Some(why) => obstacle(NOTHING_RUNS, RestoreSubject::Strategy(id.clone()), why),
            None if row.service().is_none() && row.task().is_none() => {
                let unplaced = "its row names neither a service nor a task that runs it";
                let strategy = RestoreSubject::Strategy(id.clone());
                obstacle(NOT_PLACED, strategy, format!("{message}; {unplaced}"))
            }
            None => obstacle(NOT_BEATING, id, message),
        });
    }
    obstacles
}

/// Why nothing will bring a strategy up: no service runs it, and the task that did has ended.
fn lost_task(world: &World, row: &StrategyRow) -> Option<String> {
    let tasks = world.tasks.as_ref().and_then(Reading::value)?;
    let task = row.task().filter(|_| row.service().is_none())?;
    // One that may be among those not read is not known to have ended.
    let found = tasks.one(task.as_str(), |it| it.id == task).ok()?;
    let lives = found.is_some_and(|it| it.state != TaskState::Stopped);
    (!lives).then(|| {
        format!(
            "no service runs it and its task {task} has ended: start it as it was started \
             before, or leave it"
        )
    })
}

/// Strategies that are put back to trading and whose service stays at 0, with why.
fn unlifted<'a>(
    site: &'a Site,
    world: &'a World,
    fates: &'a [Item],
) -> impl Iterator<Item = (&'a StrategyId, String)> {
    put_back(fates).filter_map(|id| Some((id, idle_service(site, world, world.row(id)?, fates)?)))
}

/// What tells whether an engine runs them that no service started.
pub(super) fn who_runs(site: &Site, world: &World, fates: &[Item]) -> Option<Query> {
    unlifted(site, world, fates).next().map(|_| Query::Leases)
}

/// Those of them that no engine holds, before anything is done: no waiting brings them up. Where
/// that is not known they are waited for.
pub(super) fn idle(site: &Site, world: &World, fates: &[Item]) -> Vec<Obstacle> {
    let nobody_leases = |id: &StrategyId| match &world.leases {
        Some(Reading::Known { observed_at, .. }) => world.live_lease(id, *observed_at).is_none(),
        other => other.as_ref().is_some_and(Reading::is_absent),
    };
    let idle = unlifted(site, world, fates).filter(|(id, _)| nobody_leases(id));
    let told = |(id, why): (&StrategyId, String)| {
        obstacle(NOTHING_RUNS, RestoreSubject::Strategy(id.clone()), why)
    };
    idle.map(told).collect()
}

/// The same where a service runs it: its count is 0, and not by the stop's hand alone, and nothing
/// of it runs all the same.
fn idle_service(site: &Site, world: &World, row: &StrategyRow, fates: &[Item]) -> Option<String> {
    let name = row.service()?;
    let service = restore::service(world, &name).ok()??;
    // One that was told to stop brings nobody up.
    let lives = |it: &Task| it.state != TaskState::Stopping;
    let runs = service.running_count > 0 || world.runners(site, row).any(lives);
    let comes_back = fates.iter().any(|it| !it.stays() && lifts(world, &it.item, service));
    (service.desired_count == 0 && !runs && !comes_back).then(|| {
        format!(
            "its service {name} has a desired count of 0, and this resume puts none back: set \
             the count that is meant, or leave the strategy too"
        )
    })
}

/// Whether what is put back brings a service up, or what it runs.
fn lifts(world: &World, item: &RestoreItem, service: &Service) -> bool {
    match (&item.subject, &item.before) {
        (RestoreSubject::Service(its), RestoreValue::Desired(before)) => {
            *its == service.name && *before > 0
        }
        // Its scaling brings it up by itself, once it is let loose.
        (RestoreSubject::Autoscaling(its), RestoreValue::Autoscaling(before)) => {
            *its == service.name && before.min_capacity > 0 && before.can_lift()
        }
        // So does what starts it at its time, once it fires again.
        (RestoreSubject::Schedule(id), RestoreValue::Enabled(true)) => {
            let schedules = world.schedules.as_ref().and_then(Reading::value);
            schedules.into_iter().flatten().any(|it| it.id == *id && it.starts(service))
        }
        _ => false,
    }
}

fn no_row(id: &StrategyId) -> Obstacle {
    obstacle(NOT_BEATING, id, "it has no row any more")
}

/// When the task that a strategy's row names began to run; `None`: it names none, or one that
/// is no more.
fn started_at(world: &World, row: &StrategyRow) -> Result<Option<Utc>, String> {
    let Some(id) = row.task() else { return Ok(None) };
    let found = match &world.tasks {
        Some(Reading::Known { value, .. }) => value.one(id.as_str(), |task| task.id == id),
        // That is an obstacle of its own, unless there are none.
        Some(Reading::Gap(_)) | None => Ok(None),
    };
    let found = found.map_err(|gap| format!("when its task {id} started is not known: {gap}"))?;
    Ok(found.and_then(|task| task.started_at))
}

/// What the release waits for, by kind, with names and counts.
pub(super) fn awaited(obstacles: &[Obstacle], fates: &[Item]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in obstacles {
        kinds.entry(kind(it.id)).or_default().push(&it.subject);
    }
    if kinds.is_empty() {
        let comes_up = |is: fn(&RestoreSubject) -> bool| {
            fates.iter().any(|it| !it.stays() && is(&it.item.subject))
        };
        return match () {
            () if comes_up(|it| matches!(it, RestoreSubject::Strategy(_))) => {
                "all are up, reconciled and beating"
            }
            () if comes_up(|it| matches!(it, RestoreSubject::Service(_))) => "all services run",
            () => "nobody has to come up",
        }
        .to_owned();
    }
    let told =
        kinds.iter().map(|(kind, names)| format!("{kind}: {} ({})", names.len(), a_few(names)));
    format!("waits for {}", told.collect::<Vec<_>>().join("; "))
}

fn kind(id: &str) -> &'static str {
    match id {
        "resume.service_not_up" => "services to run",
        "resume.not_put_back" => "items to be as they were",
        UNREAD => "what cannot be read",
        UNSUPERVISED => "somebody who acts on desired counts",
        NOTHING_RUNS => "strategies to be started by hand",
        IN_FLIGHT => "what an earlier resume had sent",
        NOT_BEATING | NOT_PLACED => "strategies to reconcile and beat",
        ORDER_UNKNOWN | UNSETTLED | "resume.orders_unread" => "orders to be known",
        _ => "positions to agree with the venue",
    }
}

/// Why a strategy does not count as up again. `since` and `now` are times of the platform,
/// not of the machine that resumes, whose clock may be wrong.
fn silence(
    site: &Site,
    row: &StrategyRow,
    (started_at, since): (Utc, Utc),
    now: Utc,
) -> Option<String> {
    let stale = SignedDuration::from_millis(
        i64::try_from(site.timings.heartbeat_stale_ms).unwrap_or(i64::MAX),
    );
    match row.heartbeat() {
        Heartbeat::Unparsed(error) => return Some(format!("no heartbeat: {error}")),
        Heartbeat::At(at) if at <= since => return Some("has not beaten since".to_owned()),
        Heartbeat::At(at) if at.duration_since(now) > SignedDuration::from_millis(FUTURE_MS) => {
            return Some("its last beat lies in the future: a clock is wrong".to_owned());
        }
        Heartbeat::At(at) if now.duration_since(at) > stale => return Some("is stale".to_owned()),
        Heartbeat::At(_) => {}
    }
    // Only our own engines say that they have reconciled.
    if site.acknowledges == Acknowledges::None {
        return None;
    }
    match row.row.time(RECONCILED_AT) {
        Ok(at) if at >= started_at => None,
        Ok(_) | Err(_) => Some("has not reconciled with its venue since".to_owned()),
    }
}
