//! The venue's stream: subscribed to the symbols that are traded, taken up again by the
//! client; a repeated bar is left out.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use trading_core::model::{Gap, Reading, Symbol};

use super::Answer;
use super::world::World;
use crate::venue::VenueEvent;

/// The stream.
#[derive(Default)]
pub(super) struct Feed {
    events: Option<mpsc::Receiver<VenueEvent>>,
    symbols: BTreeSet<Symbol>,
    opening: Option<BTreeSet<Symbol>>,
    rows: BTreeMap<Symbol, u64>,
}

impl Feed {
    /// Subscribes anew when other symbols are traded than before.
    pub(super) fn want(&mut self, symbols: BTreeSet<Symbol>, world: &World) {
        let enough = self.events.is_some() && symbols.is_subset(&self.symbols);
        if symbols.is_empty() || enough || self.opening.is_some() {
            return;
        }
        let wanted: Vec<Symbol> = symbols.iter().cloned().collect();
        self.opening = Some(symbols);
        let world = world.clone();
        tokio::spawn(async move {
            world.tell(Answer::Feed(world.venue.subscribe(&wanted).await));
        });
    }
    /// Takes a new stream in the place of the old.
    pub(super) fn opened(&mut self, read: Reading<mpsc::Receiver<VenueEvent>>) -> Result<(), Gap> {
        let symbols = self.opening.take();
        self.events = Some(read.into_result()?);
        self.symbols = symbols.unwrap_or_default();
        Ok(())
    }
    /// The next event; `None` when the stream has ended. Waits for ever without one.
    pub(super) async fn next(&mut self) -> Option<VenueEvent> {
        let Some(events) = &mut self.events else { return std::future::pending().await };
        let event = events.recv().await;
        if event.is_none() {
            self.events = None;
        }
        event
    }
    /// An event that waits.
    pub(super) fn try_next(&mut self) -> Option<VenueEvent> {
        self.events.as_mut()?.try_recv().ok()
    }
    /// Whether a bar was not seen before.
    pub(super) fn is_new(&mut self, symbol: &Symbol, row: u64) -> bool {
        let last = self.rows.insert(symbol.clone(), row);
        let new = last.is_none_or(|last| row > last);
        if let Some(last) = last.filter(|_| !new) {
            self.rows.insert(symbol.clone(), last);
        }
        new
    }
    /// After a gap the venue may count anew.
    pub(super) fn forget_rows(&mut self) {
        self.rows.clear();
    }
}
