//! The base of procedures that only read: asks, and hands the answers on.

use super::{Answer, Query, Seen, Ticket, Tickets, Want};

/// Reads that are due and reads that are under way.
#[derive(Debug, Default)]
pub(crate) struct Look {
    tickets: Tickets,
    queue: Vec<Want>,
}

impl Look {
    /// Asks all of these at once.
    pub(crate) fn ask(&mut self, queries: impl IntoIterator<Item = Query>) {
        for query in queries {
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
        self.tickets.close(ticket)?;
        match answer {
            Answer::Read(seen) => Some(*seen),
            Answer::Journaled(_) | Answer::Recorded(..) | Answer::Acted(_) => None,
        }
    }
    /// Every question has its answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.tickets.is_idle() && self.queue.is_empty()
    }
}
