//! The budget of one strategy. What is free, reserved and committed always adds up to the
//! capital and what was realised: `free + reserved + committed = capital + realised`.

use serde::{Deserialize, Serialize};

use crate::model::Money;

/// The budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    capital: Money,
    free: Money,
    reserved: Money,
    committed: Money,
    realised: Money,
}

/// What one order holds of the budget. Not `Clone` in spirit: it is moved into the order
/// and given back through [`Ledger::release`]; its amount is changed by the ledger alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation(Money);

impl Reservation {
    /// Holds nothing (orders that reduce).
    pub fn none() -> Self {
        Self::default()
    }
    /// How much it holds.
    pub fn amount(&self) -> Money {
        self.0
    }
}

impl Ledger {
    /// A budget that is all free.
    pub fn new(capital: Money) -> Self {
        Self {
            capital,
            free: capital,
            reserved: Money::ZERO,
            committed: Money::ZERO,
            realised: Money::ZERO,
        }
    }
    /// What may be reserved.
    pub fn free(&self) -> Money {
        self.free
    }
    /// What open orders hold.
    pub fn reserved(&self) -> Money {
        self.reserved
    }
    /// What the open position cost.
    pub fn committed(&self) -> Money {
        self.committed
    }
    /// Profit and loss of what was closed, and all fees.
    pub fn realised(&self) -> Money {
        self.realised
    }
    /// Conservation.
    pub fn balances(&self) -> bool {
        self.free.plus(self.reserved).plus(self.committed) == self.capital.plus(self.realised)
    }
    /// Another capital: the difference is free, or missing.
    pub fn set_capital(&mut self, capital: Money) {
        self.free = self.free.plus(capital).minus(self.capital);
        self.capital = capital;
    }
    /// Sets an amount aside, if it is free.
    #[must_use]
    pub fn reserve(&mut self, amount: Money) -> Option<Reservation> {
        if amount > self.free || amount < Money::ZERO {
            return None;
        }
        self.free = self.free.minus(amount);
        self.reserved = self.reserved.plus(amount);
        Some(Reservation(amount))
    }
    /// Gives back what is left of a reservation.
    pub fn release(&mut self, reservation: &mut Reservation) {
        let amount = std::mem::take(&mut reservation.0);
        self.reserved = self.reserved.minus(amount);
        self.free = self.free.plus(amount);
    }
    /// A fill built the position: its cost is committed and its fee paid, from the
    /// reservation as far as that goes and from what is free beyond it.
    pub fn open(&mut self, reservation: &mut Reservation, cost: Money, fee: Money) {
        let due = cost.plus(fee);
        let held = due.min(reservation.0);
        reservation.0 = reservation.0.minus(held);
        self.reserved = self.reserved.minus(held);
        self.free = self.free.minus(due.minus(held));
        self.committed = self.committed.plus(cost);
        self.realised = self.realised.minus(fee);
    }
    /// A fill reduced the position: what that part had cost comes back with its gain.
    pub fn close(&mut self, cost: Money, proceeds: Money, fee: Money) {
        self.committed = self.committed.minus(cost);
        self.free = self.free.plus(proceeds).minus(fee);
        self.realised = self.realised.plus(proceeds).minus(cost).minus(fee);
    }
    /// The position is corrected to one of another cost, by the venue's word.
    pub fn correct(&mut self, cost: Money) {
        self.free = self.free.plus(self.committed).minus(cost);
        self.committed = cost;
    }
}
