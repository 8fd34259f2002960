//! An order as the engine knows it, and the table of what may become of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::Seq;
use super::ledger::Reservation;
use crate::model::{OrderPurpose, OrderState, OrderType, Price, Quantity, Side, Utc};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Decided; its cause is not durable yet.
    IntentLogged,
    /// Handed to the sender.
    InFlight,
    /// Rests at the venue.
    Live,
    /// Rests, and part of it is filled.
    PartlyFilled,
    /// We asked for it back.
    CancelInFlight,
    /// Nobody knows. Left only by the venue's word.
    Unknown,
    /// Wholly filled.
    Filled,
    /// Taken back.
    Cancelled,
    /// Refused by the venue, or it never arrived there.
    Rejected,
    /// Ran out of time at the venue.
    Expired,
    /// Did not leave this process.
    Denied,
}

impl State {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::IntentLogged,
        Self::InFlight,
        Self::Live,
        Self::PartlyFilled,
        Self::CancelInFlight,
        Self::Unknown,
        Self::Filled,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
        Self::Denied,
    ];
    /// Nothing more is expected of it.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired | Self::Denied
        )
    }
    /// On its way, or nobody knows: nothing else may be sent for its symbol.
    pub fn blocks(self) -> bool {
        matches!(self, Self::IntentLogged | Self::InFlight | Self::CancelInFlight | Self::Unknown)
    }
    /// Its word in the orders' table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IntentLogged | Self::InFlight => "pending",
            Self::Live | Self::CancelInFlight => "live",
            Self::PartlyFilled => "partly_filled",
            Self::Unknown => "unknown",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Denied => "denied",
        }
    }
    /// The table: where a signal leads from here. `None`: it changes nothing here.
    #[must_use]
    pub fn after(self, signal: Signal) -> Option<Self> {
        use Signal as On;
        match (self, signal) {
            // Only the venue's words count once an order may have left, and nothing leads
            // out of a terminal state.
            (Self::IntentLogged, On::Released) => Some(Self::InFlight),
            (Self::IntentLogged | Self::InFlight, On::NotSent) => Some(Self::Denied),
            (Self::IntentLogged | Self::InFlight | Self::CancelInFlight, On::Lost) => {
                Some(Self::Unknown)
            }
            (Self::Live | Self::PartlyFilled, On::Missing) => Some(Self::Unknown),
            (Self::Live | Self::PartlyFilled, On::CancelSent) => Some(Self::CancelInFlight),
            (Self::InFlight | Self::Unknown, On::NeverArrived) => Some(Self::Rejected),
            (from, On::Rests) if from.at_venue() => match from {
                Self::InFlight | Self::Unknown => Some(Self::Live),
                _ => None,
            },
            (from, On::PartFilled) if from.at_venue() => match from {
                Self::InFlight | Self::Unknown | Self::Live => Some(Self::PartlyFilled),
                _ => None,
            },
            (from, On::Ended(end)) if from.at_venue() => match end {
                OrderState::Filled => Some(Self::Filled),
                OrderState::Cancelled => Some(Self::Cancelled),
                OrderState::Rejected => Some(Self::Rejected),
                OrderState::Expired => Some(Self::Expired),
                OrderState::Live | OrderState::PartlyFilled => None,
            },
            _ => None,
        }
    }
    /// It may have reached the venue and is not at rest.
    fn at_venue(self) -> bool {
        !self.is_terminal() && self != Self::IntentLogged
    }
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Its cause is durable: it goes to the sender.
    Released,
    /// It did not leave.
    NotSent,
    /// It may have left; no answer.
    Lost,
    /// It is not among the venue's resting orders.
    Missing,
    /// We asked for it back.
    CancelSent,
    /// The venue never had it, and it can no longer arrive.
    NeverArrived,
    /// The venue says that it rests.
    Rests,
    /// Part of it is filled.
    PartFilled,
    /// The venue says that it is at rest, and all its fills are known.
    Ended(OrderState),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which way.
    pub side: Side,
    /// How.
    pub order_type: OrderType,
    /// What for.
    pub purpose: OrderPurpose,
    /// How much.
    pub quantity: Quantity,
    /// The trigger of a stop order.
    pub stop_price: Option<Price>,
    /// Where it stands.
    pub state: State,
    /// How much is filled, by the fills that we have.
    pub filled: Quantity,
    /// What was filled before we knew it (an order that was taken on).
    pub baseline: Quantity,
    /// The trades that are in the books.
    pub trades: BTreeSet<String>,
    /// The budget that it holds.
    pub reservation: Reservation,
    /// The input that caused it.
    pub intent: Seq,
    /// The input that proves its terminal state.
    pub evidence: Option<Seq>,
    /// When it was decided.
    pub created_at: Utc,
    /// The end of its receive window.
    pub valid_until: Option<Utc>,
    /// The venue's last word where fills are still missing.
    pub final_word: Option<(OrderState, Quantity)>,
    /// When it was asked for last.
    pub asked_at: Utc,
    /// Why it was refused, or is not known.
    pub reason: Option<String>,
}

impl Order {
    /// Takes a signal by the table. Whether the state changed.
    pub fn take(&mut self, signal: Signal, seq: Seq) -> bool {
        let Some(state) = self.state.after(signal) else { return false };
        self.state = state;
        if state.is_terminal() {
            self.evidence = Some(seq);
        }
        true
    }
    /// How much of it is filled in all.
    pub fn total_filled(&self) -> Quantity {
        Quantity(self.filled.0.saturating_add(self.baseline.0))
    }
    /// It could open or increase a position.
    pub fn increases_risk(&self) -> bool {
        self.purpose == OrderPurpose::Entry
    }
}
