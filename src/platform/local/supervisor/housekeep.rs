//! What keeps an environment's folder within bounds. Only ever what nobody needs: which
//! that is, the core decides.

use std::collections::BTreeMap;
use std::time::Duration;

use trading_core::model::Listing;
use trading_core::ops::retention::{Fate, Horizon, records_horizon};

use super::Supervisor;
use crate::platform::StateStore;
use crate::platform::local::logs::{self, Pruned};
use crate::platform::local::record::TaskRecord;

/// How often it is looked for what may go.
const EVERY: Duration = Duration::from_secs(10);
/// A megabyte as settings count it.
const MB: u64 = 1_000_000;

impl Supervisor {
    /// Removes what is over budget, now and then. What cannot be removed is said, and tried
    /// again; the round counts all the same.
    pub(super) async fn housekeep(&mut self, tasks: &Listing<TaskRecord>) {
        let now = self.clock.since_boot();
        if self.housekept.is_some_and(|last| now.saturating_sub(last) < EVERY) {
            return;
        }
        self.housekept = Some(now);
        let logs = self.prune_logs(tasks).await;
        self.say_once("logs", logs.map(|error| format!("logs were not pruned: {error}")));
        let orders = self.forget_orders().await;
        self.say_once("orders", orders);
    }

    /// Removes rows of orders that came to rest longer ago than records are kept. What held
    /// it back, if something did.
    async fn forget_orders(&mut self) -> Option<String> {
        let (latch, orders) = (self.state.latch().await, self.state.open_orders().await);
        let kept_ms = self.retention.records_kept_ms;
        let horizon = match (latch.into_result(), orders.into_result()) {
            (Ok(latch), Ok(orders)) => records_horizon(self.clock.now(), kept_ms, &latch, &orders),
            (Err(gap), _) | (_, Err(gap)) => Err(gap.to_string()),
        };
        match horizon {
            Ok(Horizon { since, because }) => {
                match self.state.sweep_orders(self.swept.take(), since).await {
                    Ok(upto) => self.swept = upto,
                    Err(error) => return Some(format!("old records were not removed: {error}")),
                }
                because.map(|because| format!("records are kept beyond their time: {because}"))
            }
            Err(why) => Some(format!("no old records are removed: {why}")),
        }
    }

    /// Keeps the logs within their budget. What hindered it, if something did.
    async fn prune_logs(&mut self, tasks: &Listing<TaskRecord>) -> Option<String> {
        let known = tasks.found.iter().map(|task| (task.id.to_string(), fate(task)));
        // One that is not read may run.
        let unread = tasks.gaps.iter().map(|gap| (gap.source.clone(), Fate::Running));
        let fates: BTreeMap<String, Fate> = known.chain(unread).collect();
        let (paths, max_mb) = (self.paths.clone(), self.retention.logs_max_mb);
        let pruned = tokio::task::spawn_blocking(move || {
            // How a task ended that nobody remembers may matter.
            let fate = |stream: &str| fates.get(stream).copied().unwrap_or(Fate::Evidence);
            logs::prune(&paths, max_mb.saturating_mul(MB), fate)
        })
        .await;
        let Pruned { streams, bytes, failed } = match pruned {
            Ok(Ok(pruned)) => pruned,
            Ok(Err(error)) => return Some(error.to_string()),
            Err(error) => return Some(error.to_string()),
        };
        if streams > 0 {
            let mb = bytes.div_ceil(MB);
            self.say(&format!(
                "pruned {streams} log streams of ended tasks ({mb} MB): logs_max_mb = {max_mb}"
            ));
        }
        failed
    }

    /// Says what hinders something once, and again if it comes back.
    pub(super) fn say_once(&mut self, what: &str, hindered: Option<String>) {
        let key = format!("housekeeping {what}");
        let Some(message) = hindered else {
            self.told.remove(&key);
            return;
        };
        if self.told.insert(key, message.clone()).as_ref() != Some(&message) {
            self.say(&message);
        }
    }
}

fn fate(task: &TaskRecord) -> Fate {
    match task.exit_code {
        _ if task.is_live() => Fate::Running,
        Some(0) => Fate::Ended,
        _ if task.stop.is_some() => Fate::Ended,
        _ => Fate::Evidence,
    }
}
