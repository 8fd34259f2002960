//! What the loop hears: answers of tasks, the venue's stream, the disk.

use std::time::Duration;

use trading_core::engine::Event;
use trading_core::model::Instrument;

use super::{AT_ONCE, Answer, Queues, Shell, eventlog, world};
use crate::venue::VenueEvent;

/// How long a problem that stays the same is not told again.
const SAY_AGAIN: Duration = Duration::from_secs(30);

impl Shell {
    pub(super) fn durable(&mut self, durable: eventlog::Durable) {
        match durable {
            Ok(upto) => self.feed_input(Event::DurableUpTo(upto)),
            Err(why) => drop(self.broken.get_or_insert(why)),
        }
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Input(event) => self.feed_input(event),
            Answer::Latch(read) => {
                if self.world.guard.set_latch(read) {
                    self.tell_controls();
                    self.acknowledge();
                }
            }
            Answer::LatchUnread(gap) => self.problem(format!("the latch is not read: {gap}")),
            Answer::Rows(read) => {
                self.rows_running = false;
                match read.into_result() {
                    Ok(rows) => self.take_rows(rows),
                    Err(gap) => self.problem(format!("the rows are not read: {gap}")),
                }
            }
            Answer::Leases { asked, wall, since_boot, read } => {
                self.leases_running = false;
                match read.into_result() {
                    Ok(leases) => self.take_leases(&asked, &leases, wall, since_boot),
                    Err(gap) => self.problem(format!("the leases are not renewed: {gap}")),
                }
            }
            Answer::Feed(read) => match self.feed.opened(read) {
                Ok(()) => self.feed_input(Event::Gap { why: "the stream begins".to_owned() }),
                Err(gap) => self.problem(format!("no market data: {gap}")),
            },
            Answer::Kept(kept) => {
                if let Some(problem) = self.keeper.kept(kept) {
                    self.problem(problem);
                }
            }
            Answer::SnapshotEnded => self.snapshot_running = false,
            Answer::Problem(what) => self.problem(what),
        }
    }

    /// Says what goes wrong; the same again only after a while.
    fn problem(&mut self, what: String) {
        let now = self.world.clock.since_boot();
        self.problems.retain(|_, told| now.saturating_sub(*told) < SAY_AGAIN);
        if !self.problems.contains_key(&what) {
            self.sink.note(self.world.clock.now(), "error", &what);
            self.problems.insert(what, now);
        }
    }

    pub(super) fn venue_event(&mut self, event: Option<VenueEvent>) {
        match event {
            None => self.feed_input(Event::Gap { why: "the stream has ended".to_owned() }),
            Some(VenueEvent::Gap { why }) => {
                self.feed.forget_rows();
                self.feed_input(Event::Gap { why });
            }
            Some(VenueEvent::Bar { symbol, close, row, at }) => {
                let instrument = Instrument::default();
                match instrument.price(close) {
                    Ok(close) if self.feed.is_new(&symbol, row) => {
                        self.feed_input(Event::Bar { symbol, close, row, at });
                    }
                    Ok(_) => {}
                    Err(error) => self.problem(format!("a bar of {symbol} is left out: {error}")),
                }
            }
            Some(VenueEvent::Order(order)) if self.adopted.contains_key(&order.order.strategy) => {
                match world::open_order(&order) {
                    Some(report) => self.feed_input(Event::Report(report)),
                    None => self.problem("an order's numbers do not fit its scales".to_owned()),
                }
            }
            Some(VenueEvent::Fill(fill)) if self.adopted.contains_key(&fill.strategy) => {
                match world::fill(&fill) {
                    Some(fill) => self.feed_input(Event::Fill(fill)),
                    None => self.feed_input(Event::Gap {
                        why: "a fill's numbers do not fit its scales".to_owned(),
                    }),
                }
            }
            Some(VenueEvent::Order(_) | VenueEvent::Fill(_)) => {}
        }
    }

    /// Takes what else waits, so that it is written and synced together.
    pub(super) fn drain(&mut self, queues: &mut Queues) {
        for _ in 0..AT_ONCE {
            if let Ok(durable) = queues.durable.try_recv() {
                self.durable(durable);
            } else if let Ok(answer) = queues.answers.try_recv() {
                self.answer(answer);
            } else if let Some(event) = self.feed.try_next() {
                self.venue_event(Some(event));
            } else {
                return;
            }
        }
    }
}
