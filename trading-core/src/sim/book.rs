//! One strategy's account at the paper venue: cash and lots, conserved exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Instrument, Money, Price, Quantity, Side, Symbol};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Cash.
    pub cash: Money,
    /// What is held, by symbol; never a flat one.
    pub lots: BTreeMap<Symbol, Lot>,
}

/// What is held of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// How much; negative is short.
    pub quantity: Quantity,
    /// What it cost to build, without fees; never negative.
    pub cost: Money,
}

impl Account {
    /// An account with nothing but cash.
    pub fn new(cash: Money) -> Self {
        Self { cash, lots: BTreeMap::new() }
    }
    /// How much is held of a symbol.
    pub fn held(&self, symbol: &Symbol) -> Quantity {
        self.lots.get(symbol).map_or(Quantity(0), |lot| lot.quantity)
    }
    /// Whether an order of this side and size could leave more at risk than before.
    pub fn would_increase(&self, symbol: &Symbol, side: Side, quantity: Quantity) -> bool {
        let held = self.held(symbol).0;
        let reduces = match side {
            Side::Buy => held < 0,
            Side::Sell => held > 0,
        };
        !reduces || i128::from(quantity.0) > i128::from(held).abs()
    }
    /// Takes a fill into the account: cash moves by the notional and the fee.
    pub fn apply(
        &mut self,
        symbol: &Symbol,
        instrument: &Instrument,
        side: Side,
        (price, quantity): (Price, Quantity),
        fee: Money,
    ) {
        let notional = instrument.notional(price, quantity);
        let (cash, signed) = match side {
            Side::Buy => (self.cash.minus(notional), quantity.0),
            Side::Sell => (self.cash.plus(notional), quantity.0.saturating_neg()),
        };
        self.cash = cash.minus(fee);
        let lot = self.lots.entry(symbol.clone()).or_default();
        lot.take(instrument, price, signed);
        if lot.quantity.0 == 0 {
            self.lots.remove(symbol);
        }
    }
}

impl Lot {
    /// Adds a signed quantity bought or sold at a price.
    fn take(&mut self, instrument: &Instrument, price: Price, signed: i64) {
        let held = self.quantity.0;
        let after = held.saturating_add(signed);
        if held == 0 || (held > 0) == (signed > 0) {
            self.cost = self.cost.plus(instrument.notional(price, Quantity(signed)));
        } else if (after > 0) == (held > 0) || after == 0 {
            self.cost = self.cost.part(after, held);
        } else {
            // Turned from long to short or back: what is left was built at this price.
            self.cost = instrument.notional(price, Quantity(after));
        }
        self.quantity = Quantity(after);
    }
}
