//! A token bucket: how many calls may go out at once, and how many a second after that.
//! The arithmetic only; time comes in as an argument.

use std::time::Duration;

/// What a bucket allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once, when nothing was called for a while.
    pub burst: u32,
    /// Calls a second after that.
    pub per_second: u32,
}

impl Rate {
    /// What is left for one of several who share the bucket: half of the sustained rate and a
    /// quarter of the burst, at least one of each.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { burst: (self.burst / 4).max(1), per_second: (self.per_second / 2).max(1) }
    }
}

/// A bucket that refills while time passes. Counts in thousandths of a call.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate: Rate,
    /// Negative while calls wait for their turn.
    milli_tokens: i64,
    at: Duration,
}

impl Bucket {
    /// A full bucket, seen at `now` (any clock that only goes forward).
    pub fn new(rate: Rate, now: Duration) -> Self {
        Self { rate, milli_tokens: i64::from(rate.burst) * 1_000, at: now }
    }
    /// Takes one call and says how long it has to wait for its turn. Who takes first, goes
    /// first: a later call waits longer.
    pub fn take(&mut self, now: Duration) -> Duration {
        self.refill(now);
        self.milli_tokens -= 1_000;
        let missing = u64::try_from(-self.milli_tokens).unwrap_or(0);
        // Thousandths of a call over calls a second: milliseconds, rounded up.
        Duration::from_millis(missing.div_ceil(u64::from(self.rate.per_second.max(1))))
    }
    /// The same, if the turn comes within `longest`; `None`: it does not, and nobody behind this
    /// call waits longer for it.
    pub fn take_within(&mut self, now: Duration, longest: Duration) -> Option<Duration> {
        let mut taken = *self;
        let wait = taken.take(now);
        (wait <= longest).then(|| {
            *self = taken;
            wait
        })
    }
    /// The platform said that we are too fast: nothing of the burst is left.
    pub fn drain(&mut self, now: Duration) {
        self.refill(now);
        self.milli_tokens = self.milli_tokens.min(0);
    }
    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_millis();
        self.at = self.at.max(now);
        let gained = passed.saturating_mul(u128::from(self.rate.per_second));
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        let full = i64::from(self.rate.burst) * 1_000;
        self.milli_tokens = self.milli_tokens.saturating_add(gained).min(full);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Rate};
    use std::time::Duration;

    const RATE: Rate = Rate { burst: 10, per_second: 5 };
    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn who_gives_up_takes_nobody_elses_turn() {
        let mut bucket = Bucket::new(RATE, MS(0));
        let waits: Vec<_> = (0..15).map(|_| bucket.take_within(MS(0), MS(600))).collect();
        assert_eq!(waits[..10], [Some(MS(0)); 10]);
        assert_eq!(waits[10..], [Some(MS(200)), Some(MS(400)), Some(MS(600)), None, None]);
        assert_eq!(bucket.take_within(MS(200), MS(600)), Some(MS(600)), "a turn came free");
    }

    #[test]
    fn the_burst_goes_at_once_and_the_rest_in_turn() {
        let mut bucket = Bucket::new(RATE, MS(0));
        for _ in 0..10 {
            assert_eq!(bucket.take(MS(0)), MS(0));
        }
        assert_eq!(bucket.take(MS(0)), MS(200));
        assert_eq!(bucket.take(MS(0)), MS(400));
        assert_eq!(bucket.take(MS(400)), MS(200), "two turns have come meanwhile");
    }

    #[test]
    fn it_fills_up_to_the_burst_and_never_beyond() {
        let mut bucket = Bucket::new(RATE, MS(0));
        bucket.take(MS(3_600_000));
        for _ in 0..9 {
            assert_eq!(bucket.take(MS(3_600_000)), MS(0));
        }
        assert_eq!(bucket.take(MS(3_600_000)), MS(200));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(Rate { burst: 1, per_second: 1 }, MS(5_000));
        assert_eq!(bucket.take(MS(5_000)), MS(0));
        assert_eq!(bucket.take(MS(0)), MS(1_000));
        assert_eq!(bucket.take(MS(5_000)), MS(2_000));
    }

    #[test]
    fn who_is_told_to_slow_down_has_no_burst_left() {
        let mut bucket = Bucket::new(RATE, MS(0));
        bucket.drain(MS(0));
        assert_eq!(bucket.take(MS(0)), MS(200));
        assert_eq!(
            Rate { burst: 100, per_second: 20 }.shared(),
            Rate { burst: 25, per_second: 10 }
        );
        assert_eq!(Rate { burst: 1, per_second: 1 }.shared(), Rate { burst: 1, per_second: 1 });
    }

    proptest::proptest! {
        #[test]
        fn never_more_than_burst_plus_rate_times_the_time(
            burst in 1_u32..50, per_second in 1_u32..50,
            steps in proptest::collection::vec(0_u64..300, 1..200),
        ) {
            let mut bucket = Bucket::new(Rate { burst, per_second }, MS(0));
            let (mut now, mut sent) = (0, Vec::new());
            for step in steps {
                now += step;
                sent.push(now + u64::try_from(bucket.take(MS(now)).as_millis()).unwrap());
            }
            let last = sent.iter().max().copied().unwrap_or(0);
            let most = u64::from(burst) + last * u64::from(per_second) / 1_000 + 1;
            proptest::prop_assert!(u64::try_from(sent.len()).unwrap() <= most);
        }
    }
}
