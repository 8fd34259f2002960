//! How many writes of a store are on their way at once, whichever batch they belong to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trading_core::model::Written;

/// Writes in flight at once, of all batches together.
const IN_FLIGHT: usize = 16;
/// After so many writes in a row that nobody answered, the rest is not tried.
const UNANSWERED: u32 = 16;

/// The turns of a store. Batches are under way side by side: what each may have in flight would
/// add up, and so would the time that each takes to find that nobody answers.
#[derive(Clone)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    /// Writes in a row that nobody answered.
    silence: Arc<AtomicU32>,
    batches: Arc<AtomicU32>,
}

/// A batch that is under way, until it is dropped.
struct Batch(Arc<AtomicU32>);

impl Drop for Batch {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    pub(super) fn new() -> Self {
        let free = Arc::new(Semaphore::new(IN_FLIGHT));
        Self { free, silence: Arc::default(), batches: Arc::default() }
    }

    /// A batch that begins while others are under way shares what they found; the first one
    /// finds out anew.
    fn begin(&self) -> Batch {
        if self.batches.fetch_add(1, Ordering::Relaxed) == 0 {
            self.silence.store(0, Ordering::Relaxed);
        }
        Batch(Arc::clone(&self.batches))
    }

    /// Does one write per item, some at a time; one answer per item, in order. One that is
    /// refused does not take its neighbours with it.
    pub(super) async fn all<I, F>(
        &self,
        items: Vec<I>,
        one: impl Fn(I) -> F + Send + Sync + 'static,
    ) -> Vec<Written>
    where
        I: Send + 'static,
        F: Future<Output = Written> + Send + 'static,
    {
        let _batch = self.begin();
        let missing = Written::Unknown { why: "its write ended without an answer".to_owned() };
        let mut answers = vec![missing; items.len()];
        let one = Arc::new(one);
        let mut running = JoinSet::new();
        for (at, item) in items.into_iter().enumerate() {
            let (free, silence) = (Arc::clone(&self.free), Arc::clone(&self.silence));
            let one = Arc::clone(&one);
            running.spawn(async move {
                let _turn = free.acquire_owned().await;
                if silence.load(Ordering::Relaxed) >= UNANSWERED {
                    let why = "not tried: nobody answered the writes before it".to_owned();
                    return (at, Written::Unreachable { why });
                }
                let written = one(item).await;
                match &written {
                    Written::Unreachable { .. } | Written::Unknown { .. } => {
                        silence.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => silence.store(0, Ordering::Relaxed),
                }
                (at, written)
            });
        }
        while let Some(joined) = running.join_next().await {
            if let Ok((at, written)) = joined
                && let Some(answer) = answers.get_mut(at)
            {
                *answer = written;
            }
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn batches_side_by_side_do_not_add_up() {
        let turns = Turns::new();
        let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let one = || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            move |_: usize| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                async move {
                    let flying = now.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(flying, Ordering::Relaxed);
                    for _ in 0..8 {
                        tokio::task::yield_now().await;
                    }
                    now.fetch_sub(1, Ordering::Relaxed);
                    Written::Already
                }
            }
        };
        let items = || (0..40).collect();
        let (first, second) = tokio::join!(turns.all(items(), one()), turns.all(items(), one()));
        assert_eq!((first.len(), second.len()), (40, 40));
        assert!(first.iter().chain(&second).all(Written::stands));
        assert_eq!(most.load(Ordering::Relaxed), 16);
    }

    #[tokio::test]
    async fn where_nobody_answers_one_batch_does_not_try_what_another_tried_and_a_later_one_does() {
        let turns = Turns::new();
        let tried = Arc::new(AtomicU32::new(0));
        let one = || {
            let tried = Arc::clone(&tried);
            move |_: usize| {
                tried.fetch_add(1, Ordering::Relaxed);
                async { Written::Unreachable { why: "nobody".to_owned() } }
            }
        };
        let items = || (0..40).collect();
        let (_, rest) = tokio::join!(turns.all(items(), one()), turns.all(items(), one()));
        // Those that had their turn when it was found out are tried as well.
        let first = tried.load(Ordering::Relaxed);
        assert!((16..32).contains(&first), "{first}");
        assert!(rest.iter().any(|it| format!("{it:?}").contains("not tried")), "{rest:?}");
        turns.all(items(), one()).await;
        assert!(tried.load(Ordering::Relaxed) >= first + 16, "it may be back");
    }
}
