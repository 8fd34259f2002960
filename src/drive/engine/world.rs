//! What the engine asks of the venue: each request is a task of its own, so that none
//! waits for another, and its answer comes back as an input.

use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;
use tokio::sync::mpsc;
use trading_core::engine::{CancelAnswer, Event, Fill, Holding, OpenOrder, Snapshot};
use trading_core::model::{
    ClientOrderId, GapKind, Instrument, Money, NewOrder, OrderPurpose, Quantity, StrategyId, Utc,
    VenueFill, VenueOrder, VenuePosition, Written,
};

use super::guard::Guard;
use crate::platform::Clock;
use crate::venue::{Submitted, Venue};

/// What the tasks share.
#[derive(Clone)]
pub(super) struct World {
    pub(super) venue: Arc<dyn Venue>,
    pub(super) guard: Arc<Guard>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) answers: mpsc::UnboundedSender<super::Answer>,
}

impl World {
    fn answer(&self, event: Event) {
        self.tell(super::Answer::Input(event));
    }
    pub(super) fn tell(&self, answer: super::Answer) {
        // The loop that listens has ended: nobody is left to act on it.
        let _ = self.answers.send(answer);
    }

    /// Sends an order whose check has passed; checks again first, because this task may
    /// have waited.
    pub(super) fn submit(&self, order: NewOrder) {
        let world = self.clone();
        tokio::spawn(async move {
            let (strategy, id) = (order.strategy.clone(), order.client_order_id.clone());
            let increases_risk = order.purpose == OrderPurpose::Entry;
            if let Err(refusal) = world.guard.check(&strategy, increases_risk) {
                let why = refusal.to_string();
                return world.answer(Event::Denied { strategy, order: id, why });
            }
            world.answer(match world.venue.submit(&order).await {
                Submitted::Accepted(theirs) | Submitted::Rejected(theirs) => {
                    match open_order(&theirs) {
                        Some(report) => Event::Report(report),
                        None => {
                            let why = "the venue's answer does not fit the scales".to_owned();
                            Event::Lost { strategy, order: id, why }
                        }
                    }
                }
                Submitted::Unknown { why } => Event::Lost { strategy, order: id, why },
                Submitted::NotSent { why } => Event::Denied { strategy, order: id, why },
            });
        });
    }

    pub(super) fn cancel(&self, strategy: StrategyId, order: ClientOrderId) {
        let world = self.clone();
        tokio::spawn(async move {
            let answer = match world.venue.cancel(&order).await {
                Written::Unknown { .. } | Written::Unreachable { .. } => CancelAnswer::Unknown,
                _ => CancelAnswer::Answered,
            };
            world.answer(Event::CancelAnswered { strategy, order, answer });
        });
    }

    pub(super) fn query(&self, strategy: StrategyId, order: ClientOrderId) {
        let world = self.clone();
        tokio::spawn(async move {
            // Said no earlier than now: what the engine compares with the receive window.
            let at = world.clock.now();
            match world.venue.order(&order).await.into_result() {
                Ok(theirs) => match open_order(&theirs) {
                    Some(report) => world.answer(Event::Report(report)),
                    None => world.problem("an order's numbers do not fit its scales"),
                },
                Err(gap) if gap.kind == GapKind::Absent => {
                    world.answer(Event::NeverHad { strategy, order, at });
                }
                // Still unknown: asked again at a later tick.
                Err(gap) => world.problem(&gap.to_string()),
            }
        });
    }

    /// Reads everything that the venue holds of some strategies. Only a complete answer
    /// counts.
    pub(super) fn snapshot(&self, strategies: BTreeSet<StrategyId>, since: Utc) {
        let world = self.clone();
        tokio::spawn(async move {
            let read = tokio::join!(
                world.venue.fills_since(since),
                world.venue.open_orders(),
                world.venue.positions(),
            );
            let snapshot = match (read.0.into_result(), read.1.into_result(), read.2.into_result())
            {
                (Ok(fills), Ok(orders), Ok(positions)) => {
                    gather(&strategies, &fills, &orders, &positions, world.clock.now())
                }
                (Err(gap), _, _) | (_, Err(gap), _) | (_, _, Err(gap)) => Err(gap.to_string()),
            };
            match snapshot {
                Ok(snapshot) => world.answer(Event::Snapshot(snapshot)),
                Err(why) => world.problem(&format!("no snapshot of the venue: {why}")),
            }
            world.tell(super::Answer::SnapshotEnded);
        });
    }

    pub(super) fn problem(&self, what: &str) {
        self.tell(super::Answer::Problem(what.to_owned()));
    }
}

fn gather(
    strategies: &BTreeSet<StrategyId>,
    fills: &[VenueFill],
    orders: &[VenueOrder],
    positions: &[VenuePosition],
    at: Utc,
) -> Result<Snapshot, String> {
    let unfit = || "a number does not fit its scale".to_owned();
    let mine = |strategy: &StrategyId| strategies.contains(strategy);
    let fills = fills.iter().filter(|it| mine(&it.strategy));
    let orders = orders.iter().filter(|it| mine(&it.order.strategy));
    let positions = positions.iter().filter(|it| mine(&it.strategy));
    Ok(Snapshot {
        strategies: strategies.iter().cloned().collect(),
        fills: fills.map(fill).collect::<Option<_>>().ok_or_else(unfit)?,
        orders: orders.map(open_order).collect::<Option<_>>().ok_or_else(unfit)?,
        positions: positions.map(holding).collect::<Option<_>>().ok_or_else(unfit)?,
        at,
    })
}

/// A venue's order in the engine's numbers.
pub(super) fn open_order(theirs: &VenueOrder) -> Option<OpenOrder> {
    let instrument = Instrument::default();
    Some(OpenOrder {
        strategy: theirs.order.strategy.clone(),
        order: theirs.order.client_order_id.clone(),
        side: theirs.order.side,
        order_type: theirs.order.order_type,
        purpose: theirs.order.purpose,
        quantity: instrument.quantity(theirs.order.quantity).ok()?,
        state: theirs.state,
        filled: instrument.quantity(theirs.filled_quantity).ok()?,
        reason: theirs.reject_reason.clone(),
    })
}

/// A venue's fill in the engine's numbers.
pub(super) fn fill(theirs: &VenueFill) -> Option<Fill> {
    let instrument = Instrument::default();
    Some(Fill {
        strategy: theirs.strategy.clone(),
        order: theirs.client_order_id.clone(),
        trade_id: theirs.trade_id.clone(),
        side: theirs.side,
        quantity: instrument.quantity(theirs.quantity).ok()?,
        price: instrument.price(theirs.price).ok()?,
        fee: Money::from_decimal(theirs.fee).ok()?,
        at: theirs.at,
    })
}

/// A venue's position in the engine's numbers. The average price may not be whole: the
/// cost is rounded to the scale of a notional.
fn holding(theirs: &VenuePosition) -> Option<Holding> {
    let instrument = Instrument::default();
    let quantity: Quantity = instrument.quantity(theirs.quantity).ok()?;
    let decimals = instrument.price_decimals + instrument.quantity_decimals;
    let cost: Decimal = theirs.entry_price.checked_mul(theirs.quantity.abs())?.round_dp(decimals);
    let cost = Money::from_decimal(cost).ok()?;
    let (strategy, symbol) = (theirs.strategy.clone(), theirs.symbol.clone());
    Some(Holding { strategy, symbol, quantity, cost })
}
