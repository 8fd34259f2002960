//! The base of procedures that only read: asks, and hands the answers on.

use super::{Answer, Pending, Query, Seen, Ticket, Tickets, Want};
use std::collections::BTreeSet;

/// Reads that are due and reads that are under way.
#[derive(Debug, Default)]
pub(crate) struct Look {
    tickets: Tickets,
    queue: Vec<Want>,
    open: BTreeSet<Query>,
}

impl Look {
    /// Asks all of these at once.
    pub(crate) fn ask(&mut self, queries: impl IntoIterator<Item = Query>) {
        for query in queries {
            self.open.insert(query.clone());
            let want = self.tickets.read(query);
            self.queue.push(want);
        }
    }
    /// What has not been given out yet.
    pub(crate) fn wants(&mut self) -> Vec<Want> {
        std::mem::take(&mut self.queue)
    }
    /// Takes an answer and hands on what was read.
    pub(crate) fn give(&mut self, ticket: Ticket, answer: Answer) -> Option<Seen> {
        let Pending::Read(query) = self.tickets.close(ticket)? else { return None };
        self.open.remove(&query);
        match answer {
            Answer::Read(seen) => Some(*seen),
            Answer::Journaled(_) | Answer::Recorded(..) | Answer::Acted(_) => None,
        }
    }
    /// Every question has its answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }
    /// The questions that have no answer yet.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = &Query> {
        self.open.iter()
    }
}
