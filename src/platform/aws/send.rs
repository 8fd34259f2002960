//! One call: its turn, its attempts, its deadline. The SDK's own retries are off, because
//! they do not say whether an earlier attempt may have been carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use trading_core::model::Utc;

use super::budget::Budget;
use super::calls::{self, Call};
use super::errors::{Failure, Kind};
use super::http::PlatformClock;
use crate::platform::{Clock, Traffic};

/// The first pause between two attempts; doubled each time, up to the longest.
const FIRST_PAUSE_MS: u64 = 50;
const LONGEST_PAUSE_MS: u64 = 1_000;

/// How often a call is attempted at most, by how the last attempt failed.
fn most_attempts(kind: Kind) -> u32 {
    match kind {
        Kind::Throttled => 16,
        Kind::Unavailable | Kind::NoAnswer => 8,
        // Nobody listens: that seldom changes within seconds, and others wait for us.
        Kind::NotSent => 3,
        _ => 1,
    }
}

/// What is done about an attempt that may have been carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    GoOn,
    HandBack,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub(super) value: T,
    /// An earlier attempt of this call may have been carried out too.
    pub(super) after_loss: bool,
}

/// No answer that helps.
#[derive(Debug)]
pub(super) struct Failed<E> {
    pub(super) failure: Failure,
    /// The service's own error, if it was one.
    pub(super) error: Option<E>,
}

/// Where calls go out.
pub(super) struct Sender {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) platform_clock: Arc<PlatformClock>,
    pub(super) budget: Budget,
    /// For all attempts of one call together.
    pub(super) timeout: Duration,
    /// Until when writes may wait for their turn, since boot.
    ends: Mutex<Option<Duration>>,
    tally: Mutex<Tally>,
}

/// The turn of a call has come.
#[derive(Debug)]
pub(super) struct Turn {
    call: &'static Call,
    /// From when on the time of its attempts counts.
    from: Duration,
}

#[derive(Default)]
struct Tally {
    attempts: u64,
    throttled: BTreeMap<String, u64>,
    repeated: BTreeMap<String, u64>,
    /// Whether the last attempt at a service was answered.
    answers: BTreeMap<&'static str, bool>,
    /// Services that did not take our credentials the last time.
    refused: BTreeSet<&'static str>,
}

impl Tally {
    /// A service answered, whatever it said.
    fn answered(&mut self, service: &'static str) {
        self.answers.insert(service, true);
        self.refused.remove(service);
    }
}

impl Sender {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        platform_clock: Arc<PlatformClock>,
        budget: Budget,
        timeout: Duration,
    ) -> Self {
        let (ends, tally) = (Mutex::default(), Mutex::default());
        Self { clock, platform_clock, budget, timeout, ends, tally }
    }

    /// The command ends after this time: no write waits longer for its turn.
    pub(super) fn ends_in(&self, time: Duration) {
        let at = self.clock.since_boot().saturating_add(time);
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// How long a call may wait for its turn from now on. A read is worth no more than the
    /// time of its request; a write is wanted as long as the command goes on.
    fn patience(&self, call: &Call, now: Duration) -> Duration {
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        match ends {
            Some(at) if call.mutates => at.saturating_sub(now),
            _ => self.timeout,
        }
    }

    /// The longest that a look, a write and another look take, each in its turn.
    pub(super) fn longest_change(&self) -> Duration {
        let waits = self.patience(&calls::UPDATE_SERVICE, self.clock.since_boot());
        waits.saturating_add(self.timeout.saturating_mul(3))
    }

    /// The longest that a list, what stands in it, and what that refers to take.
    pub(super) fn longest_read(&self) -> Duration {
        self.timeout.saturating_mul(3).saturating_add(Duration::from_millis(LONGEST_PAUSE_MS))
    }

    /// A stop is at work.
    pub(super) fn is_urgent(&self) -> bool {
        self.budget.urgent
    }

    /// Some service does not take our credentials now.
    pub(super) fn keys_refused(&self) -> bool {
        !self.tally.lock().unwrap_or_else(PoisonError::into_inner).refused.is_empty()
    }

    /// The service of a call has not answered yet, or not the last time.
    pub(super) fn is_silent(&self, call: &Call) -> bool {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.answers.get(call.service).is_none_or(|answered| !answered)
    }

    /// The platform's time.
    pub(super) fn now(&self) -> Utc {
        self.platform_clock.now(self.clock.now())
    }

    /// What was seen of the traffic.
    pub(super) fn traffic(&self) -> Traffic {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        Traffic {
            attempts: tally.attempts,
            throttled: tally.throttled.clone(),
            repeated: tally.repeated.clone(),
            skew_ms: self.platform_clock.skew_ms(),
            credentials_expire_at: None,
            keys_refused: false,
            renew: None,
        }
    }

    /// Makes a call until it is answered, cannot be, or the time is up. For reads, and for
    /// writes that may be carried out twice: on a condition, or with the same effect.
    pub(super) async fn send<T, E, F>(
        &self,
        call: &'static Call,
        once: impl Fn() -> F,
    ) -> Result<Answer<T>, Failed<E>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let turn = match self.turn(call).await {
            Ok(turn) => turn,
            Err(failure) => return Err(Failed { failure, error: None }),
        };
        self.attempt(turn, Loss::GoOn, once).await
    }

    /// The same for a write that takes no condition: an attempt that may have been carried
    /// out is the last. Sent again it could undo what somebody else has written since; the
    /// caller looks first, and waits for the turn before that.
    pub(super) async fn send_unconditional<T, E, F>(
        &self,
        turn: Turn,
        once: impl Fn() -> F,
    ) -> Result<T, Failed<E>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.attempt(turn, Loss::HandBack, once).await.map(|answer| answer.value)
    }

    async fn attempt<T, E, F>(
        &self,
        Turn { call, from: started }: Turn,
        loss: Loss,
        once: impl Fn() -> F,
    ) -> Result<Answer<T>, Failed<E>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let mut after_loss = false;
        let mut attempts = 0;
        loop {
            if attempts > 0 && !self.next_turn(call, started).await {
                let failure =
                    Failure { may_have_acted: after_loss, attempts, ..Failure::no_turn(call) };
                return Err(Failed { failure, error: None });
            }
            attempts += 1;
            self.count(|tally| tally.attempts += 1);
            let error = match once().await {
                Ok(value) => {
                    self.count(|tally| tally.answered(call.service));
                    return Ok(Answer { value, after_loss });
                }
                Err(error) => error,
            };
            let mut failure = Failure::of(call, &error);
            let answered = !matches!(failure.kind, Kind::NoAnswer | Kind::NotSent);
            self.count(|tally| {
                if answered {
                    tally.answered(call.service);
                } else {
                    tally.answers.insert(call.service, false);
                }
                // No other credentials help against a clock that is wrong.
                if failure.kind == Kind::Credentials && failure.code != "RequestTimeTooSkewed" {
                    tally.refused.insert(call.service);
                }
            });
            tracing::debug!(call = call.name(), %failure, attempts, "failed");
            after_loss |= failure.may_have_acted && call.mutates;
            failure.attempts = attempts;
            let pause = jittered(attempts);
            let now = self.clock.since_boot();
            if failure.kind == Kind::Throttled {
                self.throttled(call, now);
            }
            let time_left = self.timeout.saturating_sub(now.saturating_sub(started));
            if !failure.kind.passes()
                || (after_loss && loss == Loss::HandBack)
                || attempts >= most_attempts(failure.kind)
                || time_left <= pause
            {
                failure.may_have_acted = after_loss;
                return Err(Failed { failure, error: error.into_service_error_opt() });
            }
            if failure.kind != Kind::Throttled {
                self.count(|tally| *tally.repeated.entry(call.name()).or_default() += 1);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits for the call's turn, as long as it may. A wait that would be in vain ends at once:
    /// nothing was sent.
    pub(super) async fn turn(&self, call: &'static Call) -> Result<Turn, Failure> {
        let asked = self.clock.since_boot();
        let wait = self.reserve(call, asked)?;
        pause(wait).await;
        // What a read waits is a part of its time.
        let from = if call.mutates { asked.saturating_add(wait) } else { asked };
        Ok(Turn { call, from })
    }

    /// How long it is until the call's turn, which is taken.
    fn reserve(&self, call: &'static Call, now: Duration) -> Result<Duration, Failure> {
        let Some(bucket) = call.bucket else { return Ok(Duration::ZERO) };
        let wait = self.budget.take(bucket, now, self.patience(call, now));
        wait.ok_or_else(|| Failure::no_turn(call))
    }

    /// Waits for the turn of another attempt; `false` if it does not come in time.
    async fn next_turn(&self, call: &Call, started: Duration) -> bool {
        let Some(bucket) = call.bucket else { return true };
        let now = self.clock.since_boot();
        let left = self.timeout.saturating_sub(now.saturating_sub(started));
        match self.budget.take(bucket, now, left) {
            Some(wait) => {
                pause(wait).await;
                true
            }
            None => false,
        }
    }

    fn throttled(&self, call: &Call, now: Duration) {
        if let Some(bucket) = call.bucket {
            self.budget.drain(bucket, now);
        }
        self.count(|tally| *tally.throttled.entry(call.name()).or_default() += 1);
    }

    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn pause(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

/// A pause before the next attempt: any part of a span that doubles, so that callers who
/// failed together do not come back together.
fn jittered(attempts: u32) -> Duration {
    let span = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE_MS);
    let mut random = [0_u8; 2];
    // Should the kernel not answer, everybody waits half of the span.
    let part = match rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())
    {
        Ok(_) => u64::from(u16::from_le_bytes(random)),
        Err(_) => u64::from(u16::MAX / 2),
    };
    Duration::from_millis(1 + span * part / u64::from(u16::MAX))
}

/// The service's own error, if the service answered with one.
trait ServiceError<E> {
    fn into_service_error_opt(self) -> Option<E>;
}

impl<E> ServiceError<E> for SdkError<E, HttpResponse> {
    fn into_service_error_opt(self) -> Option<E> {
        match self {
            Self::ServiceError(answer) => Some(answer.into_err()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::SystemClock;
    use trading_core::model::Written;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many of so many writes at once are sent, and what those that are not are called;
    /// for commands that end after each of these times.
    fn sent(count: usize, urgent: bool, ends: Option<Duration>) -> (usize, Vec<Written>) {
        let clock = Arc::new(SystemClock);
        let platform_clock = Arc::new(PlatformClock::new());
        let sender = Sender::new(clock, platform_clock, Budget::new(urgent), 10 * SECOND);
        if let Some(time) = ends {
            sender.ends_in(time);
        }
        let now = sender.clock.since_boot();
        let turns = (0..count).map(|_| sender.reserve(&calls::UPDATE_SERVICE, now));
        let (came, failed): (Vec<_>, Vec<_>) = turns.partition(Result::is_ok);
        let failed = failed.into_iter().filter_map(Result::err);
        (came.len(), failed.map(|it| it.written("a turn")).collect())
    }

    #[test]
    fn many_services_wait_for_their_turn_as_long_as_the_command_goes_on() {
        assert_eq!(sent(200, false, Some(120 * SECOND)).0, 200, "far more than fit into 10 s");
        let (came, rest) = sent(200, false, Some(10 * SECOND));
        assert!((30..60).contains(&came), "{came}");
        // Nothing was sent: that is known.
        let unsent = |it: &Written| matches!(it, Written::Unreachable { why } if why.contains("our own rate"));
        assert_eq!((rest.len(), rest.iter().all(unsent)), (200 - came, true), "{rest:?}");
        assert!(sent(200, true, Some(10 * SECOND)).0 > came, "a stop has more of the rate");
    }

    #[test]
    fn fifty_schedules_are_read_at_once_and_leave_the_rest_to_others() {
        let at_once = |urgent, count| {
            let (clock, platform_clock) = (Arc::new(SystemClock), Arc::new(PlatformClock::new()));
            let sender = Sender::new(clock, platform_clock, Budget::new(urgent), SECOND);
            let now = sender.clock.since_boot();
            let turns = (0..count).map(|_| sender.reserve(&calls::GET_SCHEDULE, now));
            turns.filter(|turn| turn.as_ref().is_ok_and(Duration::is_zero)).count()
        };
        assert_eq!((at_once(false, 50), at_once(false, 250)), (50, 50));
        assert_eq!(at_once(true, 250), 200, "a stop takes the whole burst");
        // What AWS gives for a second in its slowest regions is not ours alone.
        let (_, rate) = calls::GET_SCHEDULE.bucket.expect("a rate");
        let shared = rate.shared();
        assert!(shared.burst + shared.per_second <= 250, "{shared:?}");
    }

    #[test]
    fn a_read_waits_no_longer_than_its_request_may_take() {
        let (clock, platform_clock) = (Arc::new(SystemClock), Arc::new(PlatformClock::new()));
        let sender = Sender::new(clock, platform_clock, Budget::new(false), SECOND);
        sender.ends_in(120 * SECOND);
        let now = sender.clock.since_boot();
        assert_eq!(sender.patience(&calls::DESCRIBE_SERVICES, now), SECOND);
        assert!(sender.patience(&calls::UPDATE_SERVICE, now) > 100 * SECOND);
    }
}
