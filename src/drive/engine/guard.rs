//! What stands between an order and the venue: the cached latch and the leases, with the
//! clocks that they are measured by. Shared by the loop and the tasks that send.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trading_core::engine::{Control, Gate, Refusal, may_send};
use trading_core::model::{Effective, Latch, ServiceName, StrategyId, Target, Utc, VenueName};

use crate::platform::Clock;

/// An order that reduces risk may be this long on its way.
const EXIT_WINDOW: Duration = Duration::from_secs(2);

/// A latch as it was read. Both times are from before the read began.
#[derive(Clone, Debug)]
pub(super) struct ReadLatch {
    pub(super) latch: Latch,
    pub(super) wall: Utc,
    pub(super) since_boot: Duration,
}

/// A lease as it was answered. Its end is counted from before the request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldLease {
    pub(super) generation: u64,
    pub(super) until_since_boot: Duration,
    pub(super) until_wall: Utc,
}

/// The guard.
pub(super) struct Guard {
    clock: Arc<dyn Clock>,
    service: ServiceName,
    venue: VenueName,
    latch_max_age: Duration,
    latch: Mutex<Option<ReadLatch>>,
    leases: Mutex<BTreeMap<StrategyId, HeldLease>>,
}

impl Guard {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        service: ServiceName,
        venue: VenueName,
        latch_max_age: Duration,
    ) -> Self {
        let (latch, leases) = (Mutex::default(), Mutex::default());
        Self { clock, service, venue, latch_max_age, latch, leases }
    }

    /// Takes a newly read latch. Whether it says something else than before.
    pub(super) fn set_latch(&self, read: ReadLatch) -> bool {
        let mut slot = lock(&self.latch);
        let changed = slot.as_ref().is_none_or(|old| old.latch != read.latch);
        *slot = Some(read);
        changed
    }

    /// Takes a lease, or its loss.
    pub(super) fn set_lease(&self, strategy: &StrategyId, lease: Option<HeldLease>) {
        let mut leases = lock(&self.leases);
        match lease {
            Some(lease) => drop(leases.insert(strategy.clone(), lease)),
            None => drop(leases.remove(strategy)),
        }
    }
    /// The lease of a strategy, if it is ours and has not run out.
    pub(super) fn lease(&self, strategy: &StrategyId) -> Option<HeldLease> {
        let now = self.clock.since_boot();
        lock(&self.leases).get(strategy).copied().filter(|lease| now < lease.until_since_boot)
    }

    /// What the cached latch says to a strategy.
    pub(super) fn effective(&self, strategy: &StrategyId) -> Option<Effective> {
        lock(&self.latch).as_ref().map(|read| read.latch.effective(&self.target(strategy)))
    }
    /// The same as the engine is told it: unread or too old is reduce-only at least.
    pub(super) fn control(&self, strategy: &StrategyId) -> Control {
        let slot = lock(&self.latch);
        let Some(read) = slot.as_ref() else { return Control::ReduceOnly };
        let fresh = self.age(read) <= self.latch_max_age;
        match read.latch.effective(&self.target(strategy)) {
            Effective::Held { level, .. } if level.halts() => Control::Halt,
            Effective::Free if fresh => Control::Free,
            _ => Control::ReduceOnly,
        }
    }

    /// Whether an order may leave now, and until when the venue may receive it.
    pub(super) fn check(
        &self,
        strategy: &StrategyId,
        increases_risk: bool,
    ) -> Result<Utc, Refusal> {
        // The wall clock first: if the process is frozen between the two, the window that
        // the venue enforces is the shorter for it.
        let wall = self.clock.now();
        let lease = self.lease(strategy);
        let slot = lock(&self.latch);
        let effective = slot.as_ref().map(|read| read.latch.effective(&self.target(strategy)));
        let age = slot.as_ref().map_or(Duration::MAX, |read| self.age(read));
        let gate = Gate {
            latch: effective.as_ref(),
            latch_age_ms: millis(age),
            latch_max_age_ms: millis(self.latch_max_age),
            leased: lease.is_some(),
        };
        may_send(&gate, increases_risk)?;
        let read_at = slot.as_ref().map_or(wall, |read| read.wall);
        let window = if increases_risk {
            after(read_at, self.latch_max_age)
        } else {
            after(wall, EXIT_WINDOW)
        };
        Ok(lease.map_or(window, |lease| window.min(lease.until_wall)))
    }

    fn target(&self, strategy: &StrategyId) -> Target {
        Target {
            strategy: Some(strategy.clone()),
            service: Some(self.service.clone()),
            venue: Some(self.venue.clone()),
            standalone: false,
        }
    }
    fn age(&self, read: &ReadLatch) -> Duration {
        self.clock.since_boot().saturating_sub(read.since_boot)
    }
}

/// A time so much later; at the end of time, that.
pub(super) fn after(at: Utc, by: Duration) -> Utc {
    at.checked_add(by).unwrap_or(Utc::MAX)
}

/// Milliseconds, rounded up: an age is never understated.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use trading_core::model::{Hold, Level, Phase, Scope};

    /// Clocks that stand still until they are told.
    #[derive(Default)]
    struct Still {
        ms: AtomicU64,
    }
    impl Clock for Still {
        fn now(&self) -> Utc {
            let ms = i64::try_from(self.ms.load(Ordering::Relaxed)).unwrap();
            Utc::from_millisecond(1_700_000_000_000 + ms).unwrap()
        }
        fn since_boot(&self) -> Duration {
            Duration::from_millis(self.ms.load(Ordering::Relaxed))
        }
    }

    fn guard() -> (Arc<Still>, Guard) {
        let clock = Arc::new(Still::default());
        let guard = Guard::new(
            Arc::clone(&clock) as Arc<dyn Clock>,
            "engine".into(),
            "paper".into(),
            Duration::from_secs(1),
        );
        guard.set_lease(
            &"s".into(),
            Some(HeldLease {
                generation: 1,
                until_since_boot: Duration::from_secs(3),
                until_wall: after(clock.now(), Duration::from_secs(3)),
            }),
        );
        (clock, guard)
    }

    fn read(clock: &Still, latch: Latch) -> ReadLatch {
        ReadLatch { latch, wall: clock.now(), since_boot: clock.since_boot() }
    }

    #[test]
    fn an_entry_needs_a_fresh_latch_and_its_window_ends_with_the_latch() {
        let (clock, guard) = guard();
        let strategy = StrategyId::from("s");
        assert_eq!(guard.check(&strategy, true), Err(Refusal::LatchUnread));
        assert!(guard.check(&strategy, false).is_ok(), "an exit needs no latch");
        let start = clock.now();
        guard.set_latch(read(&clock, Latch::released()));
        clock.ms.store(1_000, Ordering::Relaxed);
        assert_eq!(guard.check(&strategy, true), Ok(after(start, Duration::from_secs(1))));
        assert_eq!(guard.control(&strategy), Control::Free);
        clock.ms.store(1_001, Ordering::Relaxed);
        assert!(matches!(guard.check(&strategy, true), Err(Refusal::LatchStale { .. })));
        assert_eq!(guard.control(&strategy), Control::ReduceOnly);
        assert!(guard.check(&strategy, false).is_ok());
        clock.ms.store(3_000, Ordering::Relaxed);
        assert_eq!(guard.check(&strategy, false), Err(Refusal::NoLease));
    }

    #[test]
    fn a_hold_on_the_service_refuses_whatever_its_level_says() {
        let (clock, guard) = guard();
        let strategy = StrategyId::from("s");
        let held = |level| {
            let hold = Hold {
                stop_id: "stop-1".into(),
                level,
                scope: Scope::Service("engine".into()),
                reason: String::new(),
                actor: String::new(),
                at: clock.now(),
                phase: Phase::Stopping,
                misplaced: Vec::new(),
                overtook_resume: false,
                unknown: serde_json::Map::new(),
            };
            read(&clock, Latch::released().next(vec![hold]))
        };
        assert!(guard.set_latch(held(Level::ReduceOnly)));
        assert!(matches!(guard.check(&strategy, true), Err(Refusal::Held(_))));
        assert!(guard.check(&strategy, false).is_ok());
        assert!(guard.set_latch(held(Level::Halt)));
        assert!(!guard.set_latch(held(Level::Halt)), "nothing new");
        assert!(matches!(guard.check(&strategy, false), Err(Refusal::Held(_))));
        assert_eq!(guard.control(&strategy), Control::Halt);
    }
}
