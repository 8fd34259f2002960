//! What the venue says of an order, and what it means.

use super::Engine;
use super::event::{CancelAnswer, Fill, OpenOrder, Output, Seq, Telemetry, TradingState};
use super::order::{Signal, State};
use super::runner::Runner;
use crate::model::{ClientOrderId, OrderPurpose, OrderState, Quantity, StrategyId, Utc};

impl Engine {
    /// The venue says where an order stands.
    pub(super) fn report(&mut self, seq: Seq, report: &OpenOrder, out: &mut Vec<Output>) {
        let Some(runner) = self.runners.get_mut(&report.strategy) else { return };
        let Some(order) = runner.orders.get_mut(&report.order) else {
            // Somebody else's, or forgotten: what we hold must be compared.
            runner.clean &= report.state.is_terminal();
            return;
        };
        if order.state.is_terminal() {
            return;
        }
        let before = order.state;
        order.reason = report.reason.clone().or(order.reason.take());
        match report.state {
            OrderState::Live => {
                runner.signal(&report.order, Signal::Rests, seq);
            }
            OrderState::PartlyFilled => {
                runner.signal(&report.order, Signal::PartFilled, seq);
            }
            end => {
                order.final_word = Some((end, report.filled));
                order.asked_at = self.now;
                settle(runner, &report.order, seq);
            }
        }
        tell_change(runner, &report.order, before, out);
        if report.state == OrderState::Rejected && report_is_exit(report) {
            // An exit that is refused says that we do not know what we hold.
            runner.clean = false;
        }
    }

    /// A fill. Taken once per trade id, in any order, in any state.
    pub(super) fn fill(&mut self, seq: Seq, fill: &Fill, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(runner) = self.runners.get_mut(&fill.strategy) else { return };
        let Some(mut order) = runner.orders.remove(&fill.order) else {
            // Not ours, or long at rest: never booked blindly, but what we hold must be
            // compared with what the venue says.
            runner.clean = false;
            return;
        };
        if !order.trades.insert(fill.trade_id.clone()) {
            runner.orders.insert(fill.order.clone(), order);
            return;
        }
        let before = order.state;
        order.filled = Quantity(order.filled.0.saturating_add(fill.quantity.0));
        order.asked_at = now;
        runner.book(&mut order, (fill.side, fill.quantity, fill.price), fill.fee, fill.at);
        let instrument = runner.spec.instrument;
        out.push(Output::Told(Telemetry::Filled {
            strategy: fill.strategy.clone(),
            order: fill.order.clone(),
            trade_id: fill.trade_id.clone(),
            side: fill.side,
            quantity: instrument.quantity_decimal(fill.quantity).normalize().to_string(),
            price: instrument.price_decimal(fill.price).normalize().to_string(),
        }));
        out.push(Output::PositionChanged { strategy: fill.strategy.clone() });
        let over = order.total_filled() > order.quantity;
        let late = before.is_terminal() && before != State::Filled;
        runner.orders.insert(fill.order.clone(), order);
        if late || over {
            runner.clean = false;
            let what = if late {
                format!("a fill after the order was {}", before.as_str())
            } else {
                "more was filled than was asked".to_owned()
            };
            let (strategy, order) = (fill.strategy.clone(), fill.order.clone());
            out.push(Output::Told(Telemetry::Anomaly { strategy, order, what }));
            // What a late fill left reserved by its booking is free again.
            runner.release_late(&fill.order);
        }
        settle(runner, &fill.order, seq);
        tell_change(runner, &fill.order, before, out);
        if over {
            let reason = format!("the venue filled more of {} than was asked", fill.order);
            self.tighten(TradingState::ReduceOnly, &reason, out);
        }
        self.protect(seq, &fill.strategy, out);
    }

    /// An order left and nobody answered.
    pub(super) fn lost(
        &mut self,
        strategy: &StrategyId,
        id: &ClientOrderId,
        why: &str,
        out: &mut Vec<Output>,
    ) {
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        // An update may have come by the stream before the answer was given up.
        if runner.signal(id, Signal::Lost, 0) {
            if let Some(order) = runner.orders.get_mut(id) {
                order.reason = Some(why.to_owned());
                order.asked_at = Utc::UNIX_EPOCH;
            }
            let (strategy, order) = (strategy.clone(), id.clone());
            out.push(Output::OrderChanged { strategy: strategy.clone(), order: order.clone() });
            let why = why.to_owned();
            out.push(Output::Told(Telemetry::OutcomeUnknown { strategy, order, why }));
        }
    }

    /// The venue never had it. That is final only once it can no longer arrive.
    pub(super) fn never_had(
        &mut self,
        seq: Seq,
        strategy: &StrategyId,
        id: &ClientOrderId,
        at: Utc,
        out: &mut Vec<Output>,
    ) {
        let Some(runner) = self.runners.get_mut(strategy) else { return };
        let Some(order) = runner.orders.get_mut(id) else { return };
        let before = order.state;
        if order.valid_until.is_some_and(|until| at > until) {
            order.reason = Some("it never arrived at the venue".to_owned());
            runner.signal(id, Signal::NeverArrived, seq);
            tell_change(runner, id, before, out);
        }
    }

    /// A cancel was answered or not: only the order itself says what it is now.
    pub(super) fn cancel_answered(
        &mut self,
        strategy: &StrategyId,
        id: &ClientOrderId,
        answer: CancelAnswer,
        out: &mut Vec<Output>,
    ) {
        let now = self.now;
        self.with_order(strategy, id, |order| order.asked_at = now);
        if answer == CancelAnswer::Answered {
            out.push(Output::Query { strategy: strategy.clone(), order: id.clone() });
        }
    }
}

fn report_is_exit(report: &OpenOrder) -> bool {
    report.purpose != OrderPurpose::Entry
}

/// Brings an order to the state that its fills and the venue's last word allow: an end
/// counts only when every fill that belongs to it is in the books.
pub(super) fn settle(runner: &mut Runner, id: &ClientOrderId, seq: Seq) {
    let Some(order) = runner.orders.get(id) else { return };
    let filled = order.total_filled();
    let signal = if filled >= order.quantity {
        Signal::Ended(OrderState::Filled)
    } else {
        match order.final_word {
            Some((end, of)) if filled >= of => Signal::Ended(end),
            Some(_) => return,
            None if filled.0 > 0 => Signal::PartFilled,
            None => return,
        }
    };
    runner.signal(id, signal, seq);
}

/// Says what became of an order.
fn tell_change(runner: &Runner, id: &ClientOrderId, before: State, out: &mut Vec<Output>) {
    let Some(order) = runner.orders.get(id) else { return };
    if order.state == before {
        return;
    }
    let (strategy, id) = (runner.spec.strategy.clone(), id.clone());
    out.push(Output::OrderChanged { strategy: strategy.clone(), order: id.clone() });
    if before == State::Unknown {
        let (strategy, order_id) = (strategy.clone(), id.clone());
        let state = order.state.as_str().to_owned();
        out.push(Output::Told(Telemetry::Resolved { strategy, order: order_id, state }));
    }
    if order.state == State::Rejected {
        let why = order.reason.clone().unwrap_or_default();
        out.push(Output::Told(Telemetry::Rejected { strategy, order: id, why }));
    }
}
