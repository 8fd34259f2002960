//! What goes over the socket: one JSON document per line, requests with ids.

use serde::{Deserialize, Serialize};
use trading_core::model::{
    ClientOrderId, NewOrder, Receipt, Symbol, Utc, VenueFill, VenueOrder, VenuePosition,
};

/// The longest line that the venue reads.
pub(super) const MAX_REQUEST_BYTES: usize = 256 * 1024;

/// A client asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// Chosen by the client; its reply carries it.
    pub(super) id: u64,
    /// What is asked.
    pub(super) ask: Ask,
}

/// What may be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    Submit(Box<NewOrder>),
    Cancel(ClientOrderId),
    Order(ClientOrderId),
    OpenOrders,
    Positions,
    FillsSince(Utc),
    ReceiptsSince(Utc),
    /// From now on bars of these symbols, and their orders and fills; no symbols: the
    /// orders and fills of all.
    Subscribe(Vec<Symbol>),
}

/// A line from the venue.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Reply(Reply),
    Told(Told),
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) id: u64,
    /// When it was decided, by the venue's clock.
    pub(super) at: Utc,
    pub(super) answer: Answer,
}

/// What may be answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Submitted(Box<VenueOrder>),
    Cancelled(CancelAnswer),
    Order(Option<Box<VenueOrder>>),
    Orders(Vec<VenueOrder>),
    Positions(Vec<VenuePosition>),
    Fills(Vec<VenueFill>),
    Receipts(Vec<Receipt>),
    Subscribed,
    /// It was kept once, or may have been, and no longer is: an answer would not be whole.
    Gone {
        why: String,
    },
    /// The venue could not say: what was asked may or may not have happened.
    Failed {
        why: String,
    },
    /// Not understood or not allowed; had no effect.
    Refused {
        why: String,
    },
}

/// What came of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CancelAnswer {
    Done,
    AtRest,
    NeverHad,
}

/// What the venue tells its subscribers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Bars(Vec<Bar>),
    Order(Box<VenueOrder>),
    Fill(Box<VenueFill>),
    Gap { why: String },
}

/// A closed bar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bar {
    pub(super) symbol: Symbol,
    pub(super) close: rust_decimal::Decimal,
    pub(super) row: u64,
    pub(super) at: Utc,
}
