//! Positions as the positions' table holds them.

use super::{AttrError, PositionId, Row, StrategyId, Symbol};
use serde::{Deserialize, Serialize};

/// A row of the positions' table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRow {
    /// The key.
    pub id: PositionId,
    /// Every attribute, the key included.
    pub row: Row,
}

/// What a row says of its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionStatus {
    /// `open`.
    Open,
    /// `closing`.
    Closing,
    /// `closed`.
    Closed,
    /// Missing, of an odd type, or another word: treated as open.
    Unparsed(AttrError),
}

impl PositionRow {
    /// Attribute `position_id`: the key.
    pub const POSITION_ID: &'static str = "position_id";
    /// Attribute `strategy_id`.
    pub const STRATEGY_ID: &'static str = "strategy_id";
    /// Attribute `symbol`.
    pub const SYMBOL: &'static str = "symbol";
    /// Attribute `status`.
    pub const STATUS: &'static str = "status";
    /// Attribute `quantity`.
    pub const QUANTITY: &'static str = "quantity";
    /// Attribute `entry_price`.
    pub const ENTRY_PRICE: &'static str = "entry_price";
    /// Attribute `updated_at`: when whoever keeps the row wrote it last, UTC.
    pub const UPDATED_AT: &'static str = "updated_at";

    /// What the row says of its status, in any case.
    pub fn status(&self) -> PositionStatus {
        match self.row.text(Self::STATUS) {
            Err(error) => PositionStatus::Unparsed(error),
            Ok(text) => match text.trim().to_ascii_lowercase().as_str() {
                "open" => PositionStatus::Open,
                "closing" => PositionStatus::Closing,
                "closed" => PositionStatus::Closed,
                _ => PositionStatus::Unparsed(AttrError::Odd {
                    name: Self::STATUS.to_owned(),
                    expected: "open, closing or closed",
                    found: super::Attr::text(text),
                }),
            },
        }
    }
    /// Not known to be closed.
    pub fn may_be_open(&self) -> bool {
        self.status() != PositionStatus::Closed
    }
    /// The strategy that holds it, if the row says so.
    pub fn strategy(&self) -> Option<StrategyId> {
        self.row.text_opt(Self::STRATEGY_ID).map(StrategyId::from)
    }
    /// What is held, if the row says so.
    pub fn symbol(&self) -> Option<Symbol> {
        self.row.text_opt(Self::SYMBOL).map(Symbol::from)
    }
}
