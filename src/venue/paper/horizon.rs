//! Which records the venue may forget: heard now and then from where it stands what is still
//! needed, and carried out a little at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use trading_core::model::Utc;
use trading_core::ops::retention::{Horizon, records_horizon};

use super::desk::Desk;
use super::store::StoreError;
use crate::platform::{Clock, StateStore};

/// How often it is looked which records may go.
const EVERY: Duration = Duration::from_secs(30);

/// How long receipts, fills and orders at rest are kept.
pub struct Records {
    /// At the least this long, in milliseconds.
    pub kept_ms: u64,
    /// Says what may still be needed: stops that hold, orders that are not at rest.
    pub state: Arc<dyn StateStore>,
}

/// Since when records must stay, or why that cannot be told.
type Found = Result<Horizon, String>;

/// What may go.
pub(super) struct Forgetting {
    found: mpsc::Receiver<Found>,
    /// Older records go now.
    horizon: Option<Utc>,
    /// What was said last to keep records beyond their time.
    said: Option<String>,
}

impl Forgetting {
    /// Begins to look, if anything ever may go.
    pub(super) fn start(
        records: Option<Records>,
        clock: &Arc<dyn Clock>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (to, found) = mpsc::channel(1);
        if let Some(records) = records {
            tasks.spawn(look(records, Arc::clone(clock), to));
        }
        Self { found, horizon: None, said: None }
    }

    /// The next word on what may go; none where nothing ever may.
    pub(super) async fn heard(&mut self) -> Option<Found> {
        self.found.recv().await
    }

    /// Takes it. What keeps records beyond their time, if that is news.
    pub(super) fn take(&mut self, found: Found) -> Option<String> {
        let (horizon, why) = match found {
            Ok(Horizon { since, because }) => {
                let held = |why| format!("records since {since} are kept beyond their time: {why}");
                (Some(since), because.map(held))
            }
            Err(why) => (None, Some(format!("no old records are removed: {why}"))),
        };
        self.horizon = horizon;
        if self.said == why {
            return None;
        }
        self.said.clone_from(&why);
        why
    }

    /// Forgets some of what may go.
    pub(super) fn forget(&mut self, desk: &Desk) -> Result<(), StoreError> {
        let Some(horizon) = self.horizon else { return Ok(()) };
        if !desk.prune(horizon)? {
            // Nothing more until it is looked again.
            self.horizon = None;
        }
        Ok(())
    }
}

/// Looks now and then which records may go.
async fn look(records: Records, clock: Arc<dyn Clock>, to: mpsc::Sender<Found>) {
    loop {
        let (latch, orders) = tokio::join!(records.state.latch(), records.state.open_orders());
        let found = match (latch.into_result(), orders.into_result()) {
            (Ok(latch), Ok(orders)) => {
                records_horizon(clock.now(), records.kept_ms, &latch, &orders)
            }
            (Err(gap), _) | (_, Err(gap)) => Err(gap.to_string()),
        };
        if to.send(found).await.is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_records_is_said_once_and_again_when_it_is_something_else() {
        let clock: Arc<dyn Clock> = Arc::new(crate::ctx::SystemClock);
        let mut forgetting = Forgetting::start(None, &clock, &mut JoinSet::new());
        let held = |why: &str| Ok(Horizon { since: Utc::UNIX_EPOCH, because: Some(why.into()) });
        assert!(forgetting.take(held("stop s-1 still holds")).unwrap().contains("s-1"));
        assert_eq!(forgetting.take(held("stop s-1 still holds")), None);
        assert!(forgetting.take(Err("the latch is not read".into())).unwrap().contains("no old"));
        assert_eq!(forgetting.horizon, None, "where it cannot be told nothing goes");
        assert!(forgetting.take(held("stop s-1 still holds")).is_some());
        let free = Horizon { since: Utc::UNIX_EPOCH, because: None };
        assert_eq!(forgetting.take(Ok(free)), None);
        assert!(forgetting.take(held("stop s-1 still holds")).is_some());
    }
}
