//! Orders: as our orders' table holds them and as a venue knows them.

use super::{ClientOrderId, PositionId, Row, StrategyId, Symbol, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

/// How an order is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// At the market, at once.
    Market,
    /// At `limit_price` or better; rests.
    Limit,
    /// Becomes a market order at `stop_price`; rests until then.
    Stop,
}

/// What an order is for. Decides what each level of a stop does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderPurpose {
    /// Opens or increases a position.
    Entry,
    /// Closes or reduces a position.
    Exit,
    /// Rests at the venue to protect a position (stop loss, take profit).
    Protective,
}

/// What we ask a venue to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewOrder {
    /// Our id; the venue keeps at most one effect per id.
    pub client_order_id: ClientOrderId,
    /// For whom.
    pub strategy: StrategyId,
    /// What.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How.
    pub order_type: OrderType,
    /// What for.
    pub purpose: OrderPurpose,
    /// How much, in the symbol's base unit.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub quantity: Decimal,
    /// The limit of a limit order, in the quote unit.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub limit_price: Option<Decimal>,
    /// The trigger of a stop order, in the quote unit.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub stop_price: Option<Decimal>,
    /// The venue must refuse it if it would increase or open a position.
    pub reduce_only: bool,
    /// The venue must refuse it if it is received later than this (its receive window).
    /// For an order that increases risk: the moment at which the latch that allowed it is
    /// too old. Closes the gap between checking the latch and being frozen before the send.
    pub valid_until: Option<Utc>,
}

/// Where an order stands at its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Rests.
    Live,
    /// Rests, and part of it is filled.
    PartlyFilled,
    /// Wholly filled.
    Filled,
    /// Taken back.
    Cancelled,
    /// Refused by the venue.
    Rejected,
    /// Ran out of time.
    Expired,
}

impl OrderState {
    /// As an operator is told of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::PartlyFilled => "partly filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
    /// Nothing more will happen to it.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Live | Self::PartlyFilled)
    }
}

/// An order as its venue knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VenueOrder {
    /// What was asked.
    pub order: NewOrder,
    /// Where it stands.
    pub state: OrderState,
    /// How much of it is filled.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub filled_quantity: Decimal,
    /// When the venue received it, by the venue's clock.
    pub received_at: Utc,
    /// Why it was refused, if it was.
    pub reject_reason: Option<String>,
}

/// A fill as its venue knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueFill {
    /// The venue's id of the trade; applying one twice changes nothing.
    pub trade_id: String,
    /// The order.
    pub client_order_id: ClientOrderId,
    /// For whom.
    pub strategy: StrategyId,
    /// What.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How much.
    pub quantity: Decimal,
    /// At what price, in the quote unit.
    pub price: Decimal,
    /// The fee, in the quote unit.
    pub fee: Decimal,
    /// When, by the venue's clock.
    pub at: Utc,
}

/// A position as its venue knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenuePosition {
    /// For whom: the paper venue keeps one book per strategy.
    pub strategy: StrategyId,
    /// What.
    pub symbol: Symbol,
    /// How much; negative is short.
    pub quantity: Decimal,
    /// Average entry price, in the quote unit.
    pub entry_price: Decimal,
}

/// One order that reached a venue, accepted or refused: the raw material of
/// `time_to_last_order_ms` and `orders_after_latch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order.
    pub client_order_id: ClientOrderId,
    /// For whom.
    pub strategy: StrategyId,
    /// When it was received, by the venue's clock.
    pub received_at: Utc,
    /// It could have opened or increased a position.
    pub increases_risk: bool,
    /// The venue took it on. A refused one had no effect.
    pub accepted: bool,
}

/// A row of the orders' table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The key: our client order id.
    pub id: ClientOrderId,
    /// Every attribute, the key included.
    pub row: Row,
}

impl OrderRow {
    /// Attribute `order_id`: the key.
    pub const ORDER_ID: &'static str = "order_id";
    /// Attribute `position_id`: what the seed queries by.
    pub const POSITION_ID: &'static str = "position_id";
    /// Attribute `strategy_id`.
    pub const STRATEGY_ID: &'static str = "strategy_id";
    /// Attribute `symbol`.
    pub const SYMBOL: &'static str = "symbol";
    /// Attribute `status`: pending, live, partly_filled, filled, cancelled, rejected,
    /// expired, denied or unknown.
    pub const STATUS: &'static str = "status";

    /// The position that it belongs to, if the row says so.
    pub fn position(&self) -> Option<PositionId> {
        self.row.text_opt(Self::POSITION_ID).map(PositionId::from)
    }
    /// Whose it is and of what, in words, as far as the row says so: an id alone tells nobody.
    pub fn whose(&self) -> String {
        let text = |name| self.row.text_opt(name);
        let strategy = text(Self::STRATEGY_ID).unwrap_or("a strategy that its row does not name");
        let symbol = text(Self::SYMBOL).map(|symbol| format!(", {symbol}"));
        format!("of {strategy}{}", symbol.unwrap_or_default())
    }
    /// Known to be at rest: nothing more will happen to it. Whatever is not understood is not.
    pub fn is_at_rest(&self) -> bool {
        self.is_one_of(&AT_REST)
    }
    /// Its status, as an operator is told of it.
    pub fn status_text(&self) -> &str {
        self.row.text_opt(Self::STATUS).unwrap_or("missing or odd")
    }
    /// It was sent a moment ago, as far as its row says: no fault.
    pub fn is_pending(&self) -> bool {
        self.is_one_of(&["pending"])
    }
    /// Whether the order's outcome is not known: neither at rest nor resting for sure.
    pub fn outcome_unknown(&self) -> bool {
        !self.is_one_of(&AT_REST) && !self.is_one_of(&RESTING)
    }
    fn is_one_of(&self, words: &[&str]) -> bool {
        let status = self.row.text_opt(Self::STATUS);
        status.is_some_and(|text| words.contains(&text.trim().to_ascii_lowercase().as_str()))
    }
}

/// Words for orders of which nothing more comes: ours, and what libraries for exchanges write.
const AT_REST: [&str; 7] =
    ["filled", "cancelled", "rejected", "expired", "denied", "closed", "canceled"];
/// Words for orders that rest at their venue, likewise.
const RESTING: [&str; 4] = ["live", "partly_filled", "open", "partially_filled"];

#[cfg(test)]
mod tests {
    use super::{OrderRow, Row};

    #[test]
    fn whatever_is_not_understood_is_neither_at_rest_nor_known() {
        let of = |status: &str| {
            let row = Row::default().with_text(OrderRow::STATUS, status);
            let row = OrderRow { id: "o".into(), row };
            (row.is_at_rest(), row.outcome_unknown())
        };
        for status in ["filled", "Cancelled", " canceled", "closed", "EXPIRED"] {
            assert_eq!(of(status), (true, false), "{status}");
        }
        for status in ["live", "OPEN", "partially_filled"] {
            assert_eq!(of(status), (false, false), "{status}");
        }
        for status in ["pending", "unknown", "", "opening"] {
            assert_eq!(of(status), (false, true), "{status}");
        }
    }
}
