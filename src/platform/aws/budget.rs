//! The rates that we keep to, so that a wide read never throttles the operators beside us.
//! Per process, and so per region: one process works in one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use trading_core::model::{Bucket, Rate};

/// The buckets of one process.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) urgent: bool,
    buckets: Mutex<BTreeMap<&'static str, Bucket>>,
}

impl Budget {
    /// Full buckets. A stop may use all of each, every other command a part.
    pub(super) fn new(urgent: bool) -> Self {
        Self { urgent, buckets: Mutex::default() }
    }
    /// Takes a call out of a bucket: how long it must wait for its turn, if that comes within
    /// `longest`.
    pub(super) fn take(
        &self,
        (name, rate): (&'static str, Rate),
        now: Duration,
        longest: Duration,
    ) -> Option<Duration> {
        self.with(name, rate, now, |bucket| bucket.take_within(now, longest))
    }
    /// Somebody else uses the bucket too: AWS said so.
    pub(super) fn drain(&self, (name, rate): (&'static str, Rate), now: Duration) {
        self.with(name, rate, now, |bucket| bucket.drain(now));
    }
    fn with<T>(
        &self,
        name: &'static str,
        rate: Rate,
        now: Duration,
        act: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let rate = if self.urgent { rate } else { rate.shared() };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        act(buckets.entry(name).or_insert_with(|| Bucket::new(rate, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Rate};
    use std::time::Duration;

    const BUCKET: (&str, Rate) = ("ecs.describe", Rate { burst: 100, per_second: 20 });

    #[test]
    fn a_stop_may_use_the_whole_burst_and_nobody_else() {
        let at_once = |urgent| {
            let budget = Budget::new(urgent);
            let none = Duration::ZERO;
            (0..200).take_while(|_| budget.take(BUCKET, none, none).is_some()).count()
        };
        assert_eq!((at_once(true), at_once(false)), (100, 25));
    }

    #[test]
    fn buckets_do_not_wait_for_one_another() {
        let budget = Budget::new(false);
        budget.drain(BUCKET, Duration::ZERO);
        let none = Duration::ZERO;
        assert_eq!(budget.take(BUCKET, none, none), None);
        assert_eq!(budget.take(("ecs.stop", BUCKET.1), none, none), Some(none));
    }
}
