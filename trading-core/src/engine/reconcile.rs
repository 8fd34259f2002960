//! What we hold against what the venue says we hold. Nothing is sent for a strategy that
//! is not clean. Fills with evidence are taken at once; a difference that no fill explains
//! is taken from the venue only after it was seen twice, because a snapshot is several
//! reads and the world may move between them.

use super::Engine;
use super::answer::settle;
use super::event::{Holding, Mode, OpenOrder, Output, Seq, Snapshot, Telemetry};
use super::ledger::Reservation;
use super::order::{Order, Signal, State};
use super::runner::{Position, Runner};
use crate::model::{Money, OrderPurpose, OrderState, Quantity, StrategyId, Utc};

impl Engine {
    /// The stream broke: what came meanwhile must be asked for.
    pub(super) fn gap(&mut self, why: &str, out: &mut Vec<Output>) {
        for runner in self.runners.values_mut() {
            runner.doubt();
        }
        out.push(Output::Told(Telemetry::Gap { why: why.to_owned() }));
    }

    /// A complete snapshot of some strategies.
    pub(super) fn snapshot(&mut self, seq: Seq, snapshot: &Snapshot, out: &mut Vec<Output>) {
        for fill in &snapshot.fills {
            let known = self
                .runners
                .get(&fill.strategy)
                .is_some_and(|runner| runner.orders.contains_key(&fill.order));
            // Fills of orders long at rest are history.
            if known && snapshot.strategies.contains(&fill.strategy) {
                self.fill(seq, fill, out);
            }
        }
        for strategy in &snapshot.strategies {
            let orders: Vec<&OpenOrder> =
                snapshot.orders.iter().filter(|it| it.strategy == *strategy).collect();
            let holding = snapshot.positions.iter().find(|it| it.strategy == *strategy);
            self.compare(seq, strategy, &orders, holding, out);
            self.protect(seq, strategy, out);
        }
    }

    fn compare(
        &mut self,
        seq: Seq,
        strategy: &StrategyId,
        orders: &[&OpenOrder],
        holding: Option<&Holding>,
        out: &mut Vec<Output>,
    ) {
        let now = self.now;
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        if runner.clean || runner.mode == Mode::Idle || !runner.is_quiet() {
            return;
        }
        for theirs in orders {
            if let Some(ours) = runner.orders.get_mut(&theirs.order) {
                let signal = match theirs.state {
                    OrderState::PartlyFilled => Signal::PartFilled,
                    _ => Signal::Rests,
                };
                ours.take(signal, seq);
            } else {
                runner.orders.insert(theirs.order.clone(), taken_on(theirs, seq, now));
                let (strategy, order) = (strategy.clone(), theirs.order.clone());
                out.push(Output::OrderChanged { strategy: strategy.clone(), order: order.clone() });
                out.push(Output::Told(Telemetry::OrderTakenOn { strategy, order }));
            }
        }
        missing(runner, orders, seq);
        let held = holding.filter(|it| it.symbol == runner.spec.symbol);
        let theirs = held.map_or(Quantity(0), |it| it.quantity);
        let ours = runner.position.quantity;
        if theirs != ours {
            if runner.difference != Some(theirs) {
                runner.difference = Some(theirs);
                // Look again at the next tick.
                runner.snapshot_asked_at = Utc::UNIX_EPOCH;
                return;
            }
            correct(runner, theirs, held.map_or(Money::ZERO, |it| it.cost), now);
            out.push(Output::PositionChanged { strategy: strategy.clone() });
            let (ours, venues) = (ours.0, theirs.0);
            let strategy = strategy.clone();
            out.push(Output::Told(Telemetry::PositionCorrected { strategy, ours, venues }));
        }
        runner.difference = None;
        if !runner.is_uncertain() {
            runner.clean = true;
            out.push(Output::PositionChanged { strategy: strategy.clone() });
            out.push(Output::Told(Telemetry::Reconciled { strategy: strategy.clone() }));
        }
    }
}

/// Orders that we think rest and the venue does not name: only it can say what they are.
fn missing(runner: &mut Runner, orders: &[&OpenOrder], seq: Seq) {
    let open: Vec<_> = runner
        .open_orders()
        .filter(|(id, _)| !orders.iter().any(|theirs| theirs.order == **id))
        .map(|(id, _)| id.clone())
        .collect();
    for id in open {
        if runner.signal(&id, Signal::Missing, seq)
            && let Some(order) = runner.orders.get_mut(&id)
        {
            order.asked_at = Utc::UNIX_EPOCH;
        }
        settle(runner, &id, seq);
    }
}

/// The venue's word is taken for what is held.
fn correct(runner: &mut Runner, quantity: Quantity, cost: Money, now: Utc) {
    runner.ledger.correct(cost);
    let opened_at = (quantity.0 != 0).then(|| runner.position.opened_at.unwrap_or(now));
    runner.position = Position { quantity, cost, opened_at };
}

/// An order that the venue holds and we do not know: from a lost log, or an operator's.
fn taken_on(theirs: &OpenOrder, seq: Seq, now: Utc) -> Order {
    let partly = theirs.state == OrderState::PartlyFilled;
    // An entry that nobody remembers asking for is taken back.
    let unwanted = theirs.purpose == OrderPurpose::Entry;
    Order {
        side: theirs.side,
        order_type: theirs.order_type,
        purpose: theirs.purpose,
        quantity: theirs.quantity,
        stop_price: None,
        state: match (unwanted, partly) {
            (true, _) => State::CancelInFlight,
            (false, true) => State::PartlyFilled,
            (false, false) => State::Live,
        },
        filled: Quantity(0),
        baseline: theirs.filled,
        trades: std::collections::BTreeSet::new(),
        reservation: Reservation::none(),
        intent: seq,
        evidence: None,
        created_at: now,
        valid_until: None,
        final_word: None,
        asked_at: Utc::UNIX_EPOCH,
        reason: None,
    }
}
