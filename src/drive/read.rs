//! From a query to the port that answers it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use trading_core::model::{Reading, RestoreChunk, StopId, StrategyId, Utc, VenueName};
use trading_core::ops::heartbeat::{COMMAND, LeftStopped, RECOVERED, all_left_stopped};
use trading_core::ops::history::{self, JOURNALS, Stops};
use trading_core::ops::{Query, Seen};

use super::journal;
use crate::platform::{Fut, Platform};

/// Asks the platform; one request takes `timeout` at most.
pub async fn query(
    platform: &Platform,
    state_dir: &Path,
    query: Query,
    timeout: Duration,
    now: Utc,
) -> Seen {
    let (state, whole) = (&platform.state, platform.account.longest_read(timeout));
    match query {
        Query::Latch => Seen::Latch(bounded("latch", whole, state.latch()).await),
        Query::Strategies => {
            Seen::Strategies(bounded("strategies table", whole, state.strategies()).await)
        }
        Query::Strategy(id) => {
            Seen::Strategies(bounded("strategies table", whole, state.strategy(&id)).await)
        }
        Query::Services => {
            Seen::Services(bounded("services", whole, platform.compute.services()).await)
        }
        Query::Service(name) => {
            Seen::Services(bounded("services", whole, platform.compute.service(&name)).await)
        }
        Query::Tasks => Seen::Tasks(bounded("tasks", whole, platform.compute.tasks()).await),
        Query::ServiceTasks(name) => {
            Seen::Tasks(bounded("tasks", whole, platform.compute.tasks_of(&name)).await)
        }
        Query::Supervision => {
            Seen::Supervision(bounded("supervision", whole, platform.compute.supervision()).await)
        }
        Query::Schedules => {
            Seen::Schedules(bounded("schedules", whole, platform.schedules.schedules()).await)
        }
        Query::Positions => {
            Seen::Positions(bounded("positions table", whole, state.positions()).await)
        }
        Query::StoredOrders => {
            Seen::StoredOrders(bounded("orders table", whole, state.open_orders()).await)
        }
        Query::Leases => Seen::Leases(bounded("leases", whole, state.leases()).await),
        Query::Lease(id) => Seen::Leases(bounded("leases", whole, state.lease(&id)).await),
        Query::RestoreChunks(stop) => {
            Seen::RestoreChunks(records(platform, state_dir, Some(stop), timeout).await)
        }
        Query::StoredChunks(id) => Seen::RestoreChunks(stored(platform, Some(&id), timeout).await),
        Query::LooseChunks => Seen::LooseChunks(records(platform, state_dir, None, timeout).await),
        Query::Stops => Seen::Stops(stops(state_dir, timeout, now).await),
        Query::LeftStopped => Seen::LeftStopped(left_stopped(state_dir, timeout, now).await),
        Query::VenueOrders(name) => {
            let read = at_venue(platform, &name, timeout, |venue| venue.open_orders()).await;
            Seen::VenueOrders(name, read)
        }
        Query::VenueOrder(name, order) => {
            let read = at_venue(platform, &name, timeout, |venue| venue.order(&order)).await;
            Seen::VenueOrder(name, order, Box::new(read))
        }
        Query::VenuePositions(name) => {
            let read = at_venue(platform, &name, timeout, |venue| venue.positions()).await;
            Seen::VenuePositions(name, read)
        }
        Query::Logs(wanted) => {
            Seen::Logs(bounded("logs", whole, platform.logs.query(&wanted)).await)
        }
        Query::Receipts(name, since) => {
            let read = at_venue(platform, &name, timeout, |venue| venue.receipts_since(since));
            let read = read.await;
            Seen::Receipts(name, read)
        }
    }
}

async fn stops(state_dir: &Path, timeout: Duration, now: Utc) -> Reading<Stops> {
    let look = |dir: &Path| journal::all(dir).map(|found| history::stops(&found));
    told_by_journals(of_disk(state_dir, timeout, look).await, now)
}

async fn left_stopped(
    state_dir: &Path,
    timeout: Duration,
    now: Utc,
) -> Reading<BTreeMap<StrategyId, LeftStopped>> {
    let look = |dir: &Path| {
        let since = journal::since_unended(dir, COMMAND, RECOVERED)?;
        Ok(all_left_stopped(&since))
    };
    told_by_journals(of_disk(state_dir, timeout, look).await, now)
}

fn told_by_journals<T>(told: Result<T, String>, now: Utc) -> Reading<T> {
    match told {
        Ok(told) => Reading::known(told, JOURNALS, now),
        Err(why) => Reading::unreachable(JOURNALS, why),
    }
}

/// What this machine's disk says; one that hangs keeps no other question waiting.
async fn of_disk<T: Send + 'static>(
    state_dir: &Path,
    timeout: Duration,
    look: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let state_dir = state_dir.to_path_buf();
    let looked = tokio::task::spawn_blocking(move || look(&state_dir));
    match tokio::time::timeout(timeout, looked).await {
        Ok(Ok(looked)) => looked.map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {timeout:?}")),
    }
}

async fn at_venue<'a, T>(
    platform: &'a Platform,
    name: &VenueName,
    timeout: Duration,
    ask: impl FnOnce(&'a dyn crate::venue::Venue) -> Fut<'a, Reading<T>>,
) -> Reading<T> {
    let source = format!("venue {name}");
    match platform.venues.get(name) {
        Some(venue) => bounded(&source, timeout, ask(venue.as_ref())).await,
        None => {
            Reading::unreachable(source, "it is configured, but this platform has no such venue")
        }
    }
}

async fn bounded<T>(source: &str, timeout: Duration, ask: Fut<'_, Reading<T>>) -> Reading<T> {
    match tokio::time::timeout(timeout, ask).await {
        Ok(reading) => reading,
        Err(_) => Reading::unreachable(source, format!("no answer within {timeout:?}")),
    }
}

/// The restore record of a stop; of none: what is loose. What a run could only keep in its
/// journal on this machine counts too.
async fn records(
    platform: &Platform,
    state_dir: &Path,
    stop: Option<StopId>,
    timeout: Duration,
) -> Reading<Vec<RestoreChunk>> {
    let read = stored(platform, stop.as_ref(), timeout).await;
    let look = move |folder: &Path| journal::misplaced_chunks(folder, stop.as_ref());
    match of_disk(state_dir, timeout, look).await {
        Ok(more) => read.map(|mut chunks| {
            chunks.extend(more);
            chunks
        }),
        Err(why) => Reading::unreachable(JOURNALS, why),
    }
}

/// The same, as the state store alone has it.
async fn stored(
    platform: &Platform,
    stop: Option<&StopId>,
    timeout: Duration,
) -> Reading<Vec<RestoreChunk>> {
    let read = match stop {
        Some(stop) => platform.state.restore_chunks(stop),
        None => platform.state.loose_chunks(),
    };
    bounded("restore records", platform.account.longest_read(timeout), read).await
}
