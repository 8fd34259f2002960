//! From a bar to an intent, from a durable intent to an order that leaves.

use super::Engine;
use super::event::{Control, Event, Mode, Output, Seq, Telemetry, TradingState};
use super::ledger::Reservation;
use super::order::{Order, Signal, State};
use super::runner::Runner;
use super::strategy::{Strategy as _, Wish};
use crate::model::{
    ClientOrderId, NewOrder, OrderPurpose, OrderType, Price, Quantity, Side, StrategyId, Symbol,
    Utc,
};

/// An order that an unknown outcome hangs on is asked for this often.
const QUERY_EVERY_MS: i64 = 500;
/// A snapshot that did not come is asked for again after this time.
const SNAPSHOT_EVERY_MS: i64 = 1_000;
/// An order from before a crash may arrive at the venue until this long after the boot:
/// no receive window is longer.
const LONGEST_WINDOW_MS: i64 = 5_000;
/// What is set aside beyond an entry's notional, for the price at which it fills.
const SLIPPAGE_PPM: u32 = 10_000;

impl Engine {
    /// The process began. What was on its way when the last one ended has an unknown
    /// outcome; the latch is not known and means reduce-only; every lease is new.
    pub(super) fn boot(&mut self, seq: Seq, at: Utc, out: &mut Vec<Output>) {
        self.now = at;
        self.ending = false;
        self.unsent.clear();
        let mut unknown_orders = 0;
        for runner in self.runners.values_mut() {
            runner.latch = Control::ReduceOnly;
            runner.mode = Mode::Idle;
            runner.doubt();
            for (id, order) in &mut runner.orders {
                // Its row may have been written before the crash and not after.
                let (strategy, id) = (runner.spec.strategy.clone(), id.clone());
                out.push(Output::OrderChanged { strategy, order: id });
                if order.state.is_terminal() {
                    continue;
                }
                order.take(Signal::Lost, seq);
                order.asked_at = Utc::UNIX_EPOCH;
                if order.state == State::Unknown {
                    unknown_orders += 1;
                    order.valid_until = order.valid_until.or(later(at, LONGEST_WINDOW_MS));
                }
            }
        }
        let strategies = self.runners.len();
        out.push(Output::Told(Telemetry::Booted { strategies, unknown_orders }));
    }

    /// A bar closed: each strategy on the symbol may want something.
    pub(super) fn bar(
        &mut self,
        seq: Seq,
        symbol: &Symbol,
        close: Price,
        at: Utc,
        out: &mut Vec<Output>,
    ) {
        self.now = self.now.max(at);
        let Some(strategies) = self.by_symbol.get(symbol).cloned() else { return };
        for strategy in strategies {
            let Some(runner) = self.runners.get_mut(&strategy) else { continue };
            runner.progressed = true;
            let instrument = runner.spec.instrument;
            let wish = runner.strategy.bar(close, &runner.position, &instrument);
            match wish {
                Wish::Wait => {}
                Wish::Enter => self.enter(seq, &strategy, close, out),
                Wish::Exit => self.exit(seq, &strategy, out),
            }
        }
    }

    fn enter(&mut self, seq: Seq, strategy: &StrategyId, close: Price, out: &mut Vec<Output>) {
        let allowed = self.allows(strategy, OrderPurpose::Entry);
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        if !allowed || runner.is_blocked() {
            return;
        }
        let instrument = runner.spec.instrument;
        let quantity = instrument.affordable(runner.spec.stake, close);
        if quantity.0 <= 0 {
            return;
        }
        let notional = instrument.notional(close, quantity);
        let slack = notional.fee(SLIPPAGE_PPM).plus(notional.fee(runner.spec.fee_ppm));
        let Some(reservation) = runner.ledger.reserve(notional.plus(slack)) else {
            let free = runner.ledger.free().to_string();
            out.push(Output::Told(Telemetry::NoBudget { strategy: strategy.clone(), free }));
            return;
        };
        let order = draft(seq, self.now, Side::Buy, OrderPurpose::Entry, quantity);
        self.intend(strategy, Order { reservation, ..order }, out);
    }

    fn exit(&mut self, seq: Seq, strategy: &StrategyId, out: &mut Vec<Output>) {
        let allowed = self.allows(strategy, OrderPurpose::Exit);
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        if !allowed || runner.is_blocked() || runner.position.quantity.0 <= 0 {
            return;
        }
        let quantity = runner.position.quantity;
        let order = draft(seq, self.now, Side::Sell, OrderPurpose::Exit, quantity);
        self.intend(strategy, order, out);
    }

    /// A position that is to be protected at the venue and is not yet gets its stop order.
    pub(super) fn protect(&mut self, seq: Seq, strategy: &StrategyId, out: &mut Vec<Output>) {
        let allowed = self.allows(strategy, OrderPurpose::Protective);
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        let Some(below_ppm) = runner.spec.protective_ppm else { return };
        let protected = runner.open_orders().any(|(_, it)| it.purpose == OrderPurpose::Protective);
        if !allowed || protected || runner.is_blocked() || runner.position.quantity.0 <= 0 {
            return;
        }
        let entry = i128::from(runner.position.entry_price(&runner.spec.instrument).0);
        let keep_ppm = 1_000_000 - i128::from(below_ppm.min(999_999));
        let stop = i64::try_from(entry * keep_ppm / 1_000_000).unwrap_or(i64::MAX).max(1);
        let quantity = runner.position.quantity;
        let order = draft(seq, self.now, Side::Sell, OrderPurpose::Protective, quantity);
        let stop_price = Some(Price(stop));
        self.intend(strategy, Order { order_type: OrderType::Stop, stop_price, ..order }, out);
    }

    /// Whether an order of this purpose may be decided, or leave, now.
    fn allows(&self, strategy: &StrategyId, purpose: OrderPurpose) -> bool {
        let Some(runner) = self.runners.get(strategy) else { return false };
        if self.ending || !runner.clean {
            return false;
        }
        match purpose {
            OrderPurpose::Entry => {
                self.state == TradingState::Active
                    && runner.latch == Control::Free
                    && runner.mode == Mode::Running
            }
            OrderPurpose::Exit | OrderPurpose::Protective => {
                self.state <= TradingState::ReduceOnly
                    && runner.latch <= Control::ReduceOnly
                    && runner.mode != Mode::Idle
            }
        }
    }

    /// An intent: leaves when its cause is durable.
    fn intend(&mut self, strategy: &StrategyId, order: Order, out: &mut Vec<Output>) {
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        let id = runner.next_id();
        let quantity = runner.spec.instrument.quantity_decimal(order.quantity).normalize();
        out.push(Output::Told(Telemetry::Intent {
            strategy: strategy.clone(),
            order: id.clone(),
            side: order.side,
            purpose: order.purpose,
            quantity: quantity.to_string(),
        }));
        out.push(Output::Sync);
        out.push(Output::OrderChanged { strategy: strategy.clone(), order: id.clone() });
        self.unsent.insert((order.intent, strategy.clone(), id.clone()));
        runner.orders.insert(id, order);
    }

    /// Intents up to here are durable: they leave, unless they may no longer.
    pub(super) fn durable_up_to(&mut self, seq: Seq, upto: Seq, out: &mut Vec<Output>) {
        self.durable = self.durable.max(upto);
        while let Some((intent, _, _)) = self.unsent.first()
            && *intent <= self.durable
        {
            let Some((_, strategy, id)) = self.unsent.pop_first() else { return };
            let purpose = self
                .runners
                .get(&strategy)
                .and_then(|runner| runner.orders.get(&id))
                .map(|order| order.purpose);
            let Some(purpose) = purpose else { continue };
            if !self.allows(&strategy, purpose) {
                self.denied(seq, &strategy, &id, "no longer allowed when it was durable", out);
                continue;
            }
            let Some(runner) = self.runners.get_mut(&strategy) else { continue };
            if runner.signal(&id, Signal::Released, seq)
                && let Some(order) = submission(runner, &id)
            {
                out.push(Output::Submit(order));
            }
        }
    }

    /// An order did not leave.
    pub(super) fn denied(
        &mut self,
        seq: Seq,
        strategy: &StrategyId,
        id: &ClientOrderId,
        why: &str,
        out: &mut Vec<Output>,
    ) {
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        if runner.signal(id, Signal::NotSent, seq) {
            if let Some(order) = runner.orders.get_mut(id) {
                order.reason = Some(why.to_owned());
            }
            let (strategy, order) = (strategy.clone(), id.clone());
            out.push(Output::OrderChanged { strategy: strategy.clone(), order: order.clone() });
            out.push(Output::Told(Telemetry::Denied { strategy, order, why: why.to_owned() }));
        }
    }

    /// What has not left by now never does.
    pub(super) fn deny_unsent(&mut self, seq: Seq, out: &mut Vec<Output>) {
        for (_, strategy, id) in std::mem::take(&mut self.unsent) {
            self.denied(seq, &strategy, &id, "the engine is ending", out);
        }
    }

    /// Time passed: ask again for what is not known, say who made progress.
    pub(super) fn tick(&mut self, seq: Seq, at: Utc, out: &mut Vec<Output>) {
        self.now = self.now.max(at);
        let now = self.now;
        let strategies: Vec<StrategyId> = self.runners.keys().cloned().collect();
        for strategy in strategies {
            let Some(runner) = self.runners.get_mut(&strategy) else { continue };
            ask_again(runner, now, out);
            if runner.mode == Mode::Idle {
                continue;
            }
            if runner.clean && std::mem::take(&mut runner.progressed) {
                out.push(Output::Progress { strategy: strategy.clone() });
            }
            if runner.mode == Mode::Warmup && runner.clean && runner.is_warm() {
                out.push(Output::Warm { strategy: strategy.clone() });
            }
            if !runner.clean
                && runner.is_quiet()
                && since(runner.snapshot_asked_at, now) >= SNAPSHOT_EVERY_MS
            {
                runner.snapshot_asked_at = now;
                let oldest = runner.open_orders().map(|(_, order)| order.created_at).min();
                let since = later(oldest.unwrap_or(now), -2_000).unwrap_or(Utc::UNIX_EPOCH);
                out.push(Output::SnapshotWanted { strategy: strategy.clone(), since });
            }
            self.protect(seq, &strategy, out);
        }
    }
}

/// Orders that nobody knows of, that should be gone, or whose fills are missing.
fn ask_again(runner: &mut Runner, now: Utc, out: &mut Vec<Output>) {
    let flat = runner.position.quantity.0 == 0;
    let halted = runner.latch == Control::Halt || runner.mode == Mode::Idle;
    let strategy = &runner.spec.strategy;
    let mut fills_missing = false;
    for (id, order) in runner.orders.iter_mut().filter(|(_, it)| !it.state.is_terminal()) {
        if since(order.asked_at, now) < QUERY_EVERY_MS {
            continue;
        }
        let (strategy, id) = (strategy.clone(), id.clone());
        if order.final_word.is_some() {
            order.asked_at = now;
            fills_missing = true;
        } else if order.state == State::Unknown {
            order.asked_at = now;
            out.push(Output::Query { strategy, order: id });
        } else if order.state == State::CancelInFlight && !halted {
            order.asked_at = now;
            out.push(Output::Cancel { strategy, order: id });
        } else if order.state == State::Live
            && order.purpose == OrderPurpose::Protective
            && flat
            && runner.clean
            && !halted
        {
            // A venue that does not end protective orders with their position.
            order.asked_at = now;
            order.take(Signal::CancelSent, 0);
            out.push(Output::Cancel { strategy, order: id });
        }
    }
    runner.clean &= !fills_missing;
}

/// A market order that nothing is known of yet.
fn draft(intent: Seq, now: Utc, side: Side, purpose: OrderPurpose, quantity: Quantity) -> Order {
    Order {
        side,
        order_type: OrderType::Market,
        purpose,
        quantity,
        stop_price: None,
        state: State::IntentLogged,
        filled: Quantity(0),
        baseline: Quantity(0),
        trades: std::collections::BTreeSet::new(),
        reservation: Reservation::none(),
        intent,
        evidence: None,
        created_at: now,
        valid_until: None,
        final_word: None,
        asked_at: now,
        reason: None,
    }
}

/// The order as the venue is to get it; the sender adds the end of its receive window.
fn submission(runner: &Runner, id: &ClientOrderId) -> Option<NewOrder> {
    let order = runner.orders.get(id)?;
    let instrument = &runner.spec.instrument;
    Some(NewOrder {
        client_order_id: id.clone(),
        strategy: runner.spec.strategy.clone(),
        symbol: runner.spec.symbol.clone(),
        side: order.side,
        order_type: order.order_type,
        purpose: order.purpose,
        quantity: instrument.quantity_decimal(order.quantity).normalize(),
        limit_price: None,
        stop_price: order.stop_price.map(|price| instrument.price_decimal(price).normalize()),
        reduce_only: !order.increases_risk(),
        valid_until: None,
    })
}

/// Milliseconds from one time to another; a clock that went back counts as no time.
pub(super) fn since(from: Utc, to: Utc) -> i64 {
    to.as_millisecond().saturating_sub(from.as_millisecond()).max(0)
}

/// A time this much later, if there is one.
pub(super) fn later(at: Utc, ms: i64) -> Option<Utc> {
    Utc::from_millisecond(at.as_millisecond().saturating_add(ms)).ok()
}

/// The event that tells the engine what its shell did with an order.
impl Event {
    /// An order is being sent.
    pub fn sent(order: &NewOrder) -> Self {
        Self::Sent {
            strategy: order.strategy.clone(),
            order: order.client_order_id.clone(),
            valid_until: order.valid_until,
        }
    }
}
