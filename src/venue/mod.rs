//! The port to trading venues.

pub mod paper;

use tokio::sync::mpsc;
use trading_core::model::{
    ClientOrderId, NewOrder, Reading, Receipt, Symbol, Utc, VenueFill, VenueOrder, VenuePosition,
    Written,
};

use crate::platform::Fut;

/// The answer to a submitted order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Received and taken on (perhaps filled already).
    Accepted(VenueOrder),
    /// Received and refused; had no effect.
    Rejected(VenueOrder),
    /// Sent, and no answer, or an answer that does not say: never resend, query.
    Unknown {
        /// The cause.
        why: String,
    },
    /// Did not leave this process.
    NotSent {
        /// The cause.
        why: String,
    },
}

/// What a venue tells of its own accord.
#[derive(Clone, Debug, PartialEq)]
pub enum VenueEvent {
    /// A closed bar, or the newest price as a bar of one trade.
    Bar {
        /// What.
        symbol: Symbol,
        /// Close, in the quote unit.
        close: rust_decimal::Decimal,
        /// The row in the data set or the generator's step.
        row: u64,
        /// When, by the venue's clock.
        at: Utc,
    },
    /// An order changed its state.
    Order(VenueOrder),
    /// A fill.
    Fill(VenueFill),
    /// The stream broke; what came meanwhile must be asked for.
    Gap {
        /// The cause.
        why: String,
    },
}

/// A venue.
pub trait Venue: Send + Sync {
    /// Sends an order once.
    fn submit<'a>(&'a self, order: &'a NewOrder) -> Fut<'a, Submitted>;
    /// Takes an order back. `Already` if it is at rest; `Refused` if the venue says that it
    /// never had it.
    fn cancel<'a>(&'a self, order: &'a ClientOrderId) -> Fut<'a, Written>;
    /// One order; `Absent` only if the venue says with authority that it never had it.
    fn order<'a>(&'a self, order: &'a ClientOrderId) -> Fut<'a, Reading<VenueOrder>>;
    /// All orders that rest.
    fn open_orders(&self) -> Fut<'_, Reading<Vec<VenueOrder>>>;
    /// All positions that are not flat.
    fn positions(&self) -> Fut<'_, Reading<Vec<VenuePosition>>>;
    /// All fills at or after a time.
    fn fills_since(&self, since: Utc) -> Fut<'_, Reading<Vec<VenueFill>>>;
    /// Every order received at or after a time, accepted or refused; `Absent` where the
    /// venue cannot tell.
    fn receipts_since(&self, since: Utc) -> Fut<'_, Reading<Vec<Receipt>>>;
    /// Market data, and order updates of all strategies, from now on.
    fn subscribe<'a>(
        &'a self,
        symbols: &'a [Symbol],
    ) -> Fut<'a, Reading<mpsc::Receiver<VenueEvent>>>;
}
