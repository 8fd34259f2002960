//! Strategies: from closes to signals. They know nothing of orders and money.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::runner::Position;
use crate::model::{Instrument, Price};

/// What a strategy wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Wait,
    /// Open a position.
    Enter,
    /// Close it.
    Exit,
}

/// A strategy.
pub trait Strategy {
    /// Takes a close in. `position` is flat or what is held.
    fn bar(&mut self, close: Price, position: &Position, instrument: &Instrument) -> Wish;
    /// The position was closed.
    fn closed(&mut self);
    /// It has seen enough to decide.
    fn is_warm(&self) -> bool;
}

/// Buys after a drop from the highest of the last closes, sells at a gain or a loss.
/// Thresholds are parts per thousand; nothing is rounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropTrigger {
    closes: VecDeque<Price>,
}

impl DropTrigger {
    /// How many closes it looks back on, the current one included.
    const LOOKBACK: usize = 5;
    /// Buys at or below this part of the highest close.
    const ENTRY: i128 = 997;
    /// Sells at or above this part of the entry price.
    const TAKE_PROFIT: i128 = 1_004;
    /// Sells at or below this part of the entry price.
    const STOP_LOSS: i128 = 996;

    /// A trigger that has seen nothing.
    pub fn new() -> Self {
        Self { closes: VecDeque::with_capacity(Self::LOOKBACK) }
    }
}

impl Default for DropTrigger {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for DropTrigger {
    fn bar(&mut self, close: Price, position: &Position, instrument: &Instrument) -> Wish {
        self.closes.push_back(close);
        if self.closes.len() > Self::LOOKBACK {
            self.closes.pop_front();
        }
        if position.quantity.0 > 0 {
            // close × quantity against cost: the entry price itself may not be whole.
            let worth = instrument.notional(close, position.quantity).0.saturating_mul(1_000);
            let cost = position.cost.0;
            let gain = worth >= cost.saturating_mul(Self::TAKE_PROFIT);
            let loss = worth <= cost.saturating_mul(Self::STOP_LOSS);
            return if gain || loss { Wish::Exit } else { Wish::Wait };
        }
        let highest = self.closes.iter().max().copied().unwrap_or(close);
        let dropped = i128::from(close.0) * 1_000 <= i128::from(highest.0) * Self::ENTRY;
        if self.is_warm() && position.quantity.0 == 0 && dropped { Wish::Enter } else { Wish::Wait }
    }
    fn closed(&mut self) {
        self.closes.clear();
    }
    fn is_warm(&self) -> bool {
        self.closes.len() >= Self::LOOKBACK
    }
}
