//! One strategy at work: its orders, its position, its budget.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::event::{Control, Mode, Spec};
use super::ledger::Ledger;
use super::order::{Order, Signal, State};
use super::strategy::{DropTrigger, Strategy as _};
use crate::model::{ClientOrderId, Instrument, Money, Price, Quantity, Side, Utc};

/// How many orders at rest are remembered, for late and repeated messages.
const REMEMBERED: usize = 16;

/// What is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// How much; negative is short, zero flat.
    pub quantity: Quantity,
    /// What it cost, without fees.
    pub cost: Money,
    /// When it was opened.
    pub opened_at: Option<Utc>,
}

/// A strategy at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// How it is to be run.
    pub spec: Spec,
    /// What its row asks for.
    pub mode: Mode,
    /// What the latch last said; an input, tightened to reduce-only at every boot.
    pub latch: Control,
    /// Ours and the venue's agree.
    pub clean: bool,
    /// What is held.
    pub position: Position,
    /// Its orders: all that are not at rest, and the last that are.
    pub orders: BTreeMap<ClientOrderId, Order>,
    /// Its budget.
    pub ledger: Ledger,
    pub(super) strategy: DropTrigger,
    pub(super) counter: u64,
    pub(super) progressed: bool,
    pub(super) difference: Option<Quantity>,
    pub(super) snapshot_asked_at: Utc,
    done: VecDeque<ClientOrderId>,
}

impl Runner {
    pub(super) fn new(spec: Spec) -> Self {
        Self {
            mode: Mode::Idle,
            latch: Control::ReduceOnly,
            clean: false,
            position: Position::default(),
            orders: BTreeMap::new(),
            ledger: Ledger::new(spec.capital),
            strategy: DropTrigger::new(),
            counter: 0,
            progressed: false,
            difference: None,
            snapshot_asked_at: Utc::UNIX_EPOCH,
            done: VecDeque::new(),
            spec,
        }
    }

    /// Takes a new lease's terms. Nothing is sent before the next reconciliation.
    pub(super) fn adopt(&mut self, spec: &Spec) {
        if self.spec.generation != spec.generation {
            self.counter = 0;
        }
        self.ledger.set_capital(spec.capital);
        self.spec = spec.clone();
        self.doubt();
    }

    /// Takes the row's word. At rest nothing is compared: what begins again, does so by
    /// comparing.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        if self.mode == Mode::Idle && mode != Mode::Idle {
            self.doubt();
        }
        self.mode = mode;
    }

    /// Takes the latch's word. Whoever resumes waits until what was held agrees with the venue
    /// anew, and the row may turn back so soon that nobody here ever saw it at rest.
    pub(super) fn set_latch(&mut self, control: Control) {
        if control == Control::Halt && self.latch != Control::Halt {
            self.doubt();
        }
        self.latch = control;
    }

    /// Ours and the venue's are to be compared anew, at the next tick.
    pub(super) fn doubt(&mut self) {
        self.clean = false;
        self.difference = None;
        self.snapshot_asked_at = Utc::UNIX_EPOCH;
    }

    /// The next client order id: unique over all owners that the strategy ever had,
    /// because a lease's generation is given once.
    pub(super) fn next_id(&mut self) -> ClientOrderId {
        self.counter = self.counter.saturating_add(1);
        let (strategy, generation) = (&self.spec.strategy, self.spec.generation);
        ClientOrderId::new(format!("{strategy}.{generation}.{}", self.counter))
    }

    /// All orders that are not at rest.
    pub fn open_orders(&self) -> impl Iterator<Item = (&ClientOrderId, &Order)> {
        self.orders.iter().filter(|(_, order)| !order.state.is_terminal())
    }

    /// Nothing of its own is on the way, to the sender or to the venue.
    pub fn is_quiet(&self) -> bool {
        !self
            .orders
            .values()
            .any(|order| matches!(order.state, State::IntentLogged | State::InFlight))
    }

    /// An order on its way or of unknown outcome blocks the symbol; so does one that is
    /// not protective and not at rest, and one whose fills are not all known.
    pub(super) fn is_blocked(&self) -> bool {
        self.open_orders().any(|(_, order)| {
            order.state.blocks()
                || order.purpose != crate::model::OrderPurpose::Protective
                || order.final_word.is_some()
        })
    }

    /// Some outcome is not known, or some fills are not.
    pub(super) fn is_uncertain(&self) -> bool {
        self.open_orders()
            .any(|(_, order)| order.state == State::Unknown || order.final_word.is_some())
    }

    /// Its strategy has seen enough.
    pub fn is_warm(&self) -> bool {
        self.strategy.is_warm() || self.position.quantity.0 != 0
    }

    /// Gives back what a finished order held, and forgets the oldest of many.
    pub(super) fn finish(&mut self, id: &ClientOrderId) {
        let Some(order) = self.orders.get_mut(id) else { return };
        self.ledger.release(&mut order.reservation);
        order.final_word = None;
        self.done.push_back(id.clone());
        while self.done.len() > REMEMBERED {
            if let Some(oldest) = self.done.pop_front() {
                self.orders.remove(&oldest);
            }
        }
    }

    /// A fill that came after its order's end may have left something reserved.
    pub(super) fn release_late(&mut self, id: &ClientOrderId) {
        if let Some(order) = self.orders.get_mut(id).filter(|order| order.state.is_terminal()) {
            self.ledger.release(&mut order.reservation);
        }
    }

    /// Takes a signal; on a terminal state the order's budget is free again.
    pub(super) fn signal(&mut self, id: &ClientOrderId, signal: Signal, seq: u64) -> bool {
        let Some(order) = self.orders.get_mut(id) else { return false };
        let changed = order.take(signal, seq);
        if changed && order.state.is_terminal() {
            self.finish(id);
        }
        changed
    }

    /// Takes a fill into position and budget.
    pub(super) fn book(
        &mut self,
        order: &mut Order,
        (side, quantity, price): (Side, Quantity, Price),
        fee: Money,
        at: Utc,
    ) {
        let instrument = self.spec.instrument;
        let held = self.position.quantity.0;
        let opposite = match side {
            Side::Buy => held < 0,
            Side::Sell => held > 0,
        };
        let closing = if opposite { quantity.0.min(held.saturating_abs()) } else { 0 };
        let opening = quantity.0.saturating_sub(closing);
        let mut fee_due = fee;
        if closing > 0 {
            let cost = self.position.cost.part(closing, held.saturating_abs());
            let worth = instrument.notional(price, Quantity(closing));
            // A short gains what its price fell.
            let proceeds = if held > 0 { worth } else { cost.plus(cost).minus(worth) };
            self.ledger.close(cost, proceeds, std::mem::take(&mut fee_due));
            self.position.cost = self.position.cost.minus(cost);
            self.position.quantity = Quantity(held - held.signum() * closing);
        }
        if opening > 0 {
            let cost = instrument.notional(price, Quantity(opening));
            self.ledger.open(&mut order.reservation, cost, fee_due);
            if self.position.quantity.0 == 0 {
                self.position.opened_at = Some(at);
            }
            let signed = if side == Side::Buy { opening } else { opening.saturating_neg() };
            let quantity = self.position.quantity.0.saturating_add(signed);
            self.position.quantity = Quantity(quantity);
            self.position.cost = self.position.cost.plus(cost);
        }
        if self.position.quantity.0 == 0 {
            self.position = Position::default();
            self.strategy.closed();
        }
    }
}

impl Position {
    /// The average entry price in the instrument's steps, rounded down.
    pub(super) fn entry_price(&self, instrument: &Instrument) -> Price {
        let step = instrument.notional(Price(1), self.quantity).0;
        let price = if step == 0 { 0 } else { self.cost.0 / step };
        Price(i64::try_from(price).unwrap_or(i64::MAX))
    }
}
