//! Asks under way, and what is owed for each: a task of ours that panics is answered for at
//! once, so that nothing waits for it until the deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use tokio::task::{Id, JoinError, JoinSet};
use trading_core::model::{RestoreChunk, Written};
use trading_core::ops::{Answer, Query, Ticket};
use trading_core::plan::{Recorded, StepId};

use crate::ui::panic_message;

/// What somebody waits for.
#[derive(Debug)]
pub(super) enum Owed {
    /// What is so.
    Read(Query),
    /// Where the chunk was kept.
    Record(RestoreChunk),
    /// How each of these ended.
    Acts(BTreeSet<StepId>),
}

/// The tasks of a driver.
#[derive(Debug, Default)]
pub(super) struct Working {
    tasks: JoinSet<Answer>,
    owed: BTreeMap<Id, (Ticket, Owed)>,
    /// What our own code said when it panicked, or failed to say.
    pub(super) bugs: Vec<String>,
}

impl Working {
    /// Starts work that gives what is owed.
    pub(super) fn start(
        &mut self,
        ticket: Ticket,
        owed: Owed,
        work: impl Future<Output = Answer> + Send + 'static,
    ) {
        let id = self.tasks.spawn(work).id();
        self.owed.insert(id, (ticket, owed));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The next answer; none where nothing is under way. Every act that was asked for has
    /// one in it.
    pub(super) async fn next(&mut self) -> Option<(Ticket, Answer)> {
        loop {
            let (id, done) = match self.tasks.join_next_with_id().await? {
                Ok((id, answer)) => (id, Ok(answer)),
                Err(error) => (error.id(), Err(error)),
            };
            // Each task was entered when it was started.
            if let Some((ticket, owed)) = self.owed.remove(&id) {
                return Some((ticket, self.settle(owed, done)));
            }
        }
    }

    fn settle(&mut self, owed: Owed, done: Result<Answer, JoinError>) -> Answer {
        let mut why = |error: JoinError| {
            let why = match error.try_into_panic() {
                Ok(panic) => format!("a bug of ours: {}", panic_message(&*panic)),
                Err(error) => format!("a bug of ours: {error}"),
            };
            self.bugs.push(why.clone());
            why
        };
        match (owed, done) {
            (Owed::Acts(steps), Ok(Answer::Acted(answers))) => self.fill(steps, answers),
            (_, Ok(answer)) => answer,
            (Owed::Read(query), Err(error)) => {
                Answer::Read(Box::new(query.unreachable(&why(error))))
            }
            (Owed::Record(chunk), Err(error)) => {
                Answer::Recorded(chunk, Recorded::Printed { why: why(error) })
            }
            (Owed::Acts(steps), Err(error)) => {
                let why = why(error);
                let unknown = |id| (id, Written::Unknown { why: why.clone() });
                Answer::Acted(steps.into_iter().map(unknown).collect())
            }
        }
    }

    /// An act that the answer leaves out would be waited for until the deadline.
    fn fill(&mut self, mut steps: BTreeSet<StepId>, mut answers: Vec<(StepId, Written)>) -> Answer {
        for (id, _) in &answers {
            steps.remove(id);
        }
        for id in steps {
            let why = "a bug of ours: the act ended without an answer".to_owned();
            self.bugs.push(format!("{why} ({id})"));
            answers.push((id, Written::Unknown { why }));
        }
        Answer::Acted(answers)
    }
}
