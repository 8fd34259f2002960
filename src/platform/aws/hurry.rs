//! The first look of a stop, and what it records: one service that hangs keeps no other waiting.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::send::Sender;

/// How much longer than for the others is waited for the one that comes last.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How many of the next looks are first ones: of a stop, and before it of whoever seeks there what
/// its scope names. A later one has all the time that a request may take: what answers late is
/// then seen too.
#[derive(Debug)]
pub(super) struct Hurry(AtomicU8);

impl Hurry {
    pub(super) fn of(sender: &Sender, looks: u8) -> Self {
        Self(AtomicU8::new(if sender.is_urgent() { looks } else { 0 }))
    }
    /// How long this look waits for what comes last; `None`: as long as that takes.
    pub(super) fn patience(&self) -> Option<Duration> {
        let next = |left: u8| left.checked_sub(1);
        let took = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        took.is_ok().then_some(PATIENCE)
    }
}

/// An answer, if it comes within so long.
pub(super) async fn within<T>(
    patience: Option<Duration>,
    answer: impl Future<Output = T>,
) -> Option<T> {
    match patience {
        Some(patience) => tokio::time::timeout(patience, answer).await.ok(),
        None => Some(answer.await),
    }
}

/// Two questions side by side, of which the second is not waited for long once the first has its
/// answer.
pub(super) async fn beside<A, B>(
    patience: Option<Duration>,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, Option<B>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    tokio::select! {
        answer = &mut first => (answer, within(patience, second).await),
        answer = &mut second => (first.await, Some(answer)),
    }
}

/// Two questions side by side, of which neither is waited for long once the other has its answer.
pub(super) async fn either<A, B>(
    patience: Option<Duration>,
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (Option<A>, Option<B>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    tokio::select! {
        answer = &mut one => (Some(answer), within(patience, other).await),
        answer = &mut other => (within(patience, one).await, Some(answer)),
    }
}
