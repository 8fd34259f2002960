//! What the tables of orders and positions are told: rows with the attributes that the
//! runbooks query.

use super::Engine;
use super::order::Order;
use super::runner::Runner;
use crate::model::{
    Attr, ClientOrderId, OrderPurpose, OrderRow, OrderType, PositionId, PositionRow, Row, Side,
    StrategyId,
};

impl Engine {
    /// The row of an order that is still remembered.
    pub fn order_row(&self, strategy: &StrategyId, id: &ClientOrderId) -> Option<OrderRow> {
        let runner = self.runners.get(strategy)?;
        let order = runner.orders.get(id)?;
        let instrument = &runner.spec.instrument;
        let number =
            |quantity| Attr::N(instrument.quantity_decimal(quantity).normalize().to_string());
        let mut row = Row::default()
            .with_text(OrderRow::ORDER_ID, id.as_str())
            .with_text(OrderRow::STRATEGY_ID, strategy.as_str())
            .with_text(OrderRow::POSITION_ID, position_id(runner).as_str())
            .with_text(OrderRow::STATUS, order.state.as_str())
            .with_text("symbol", runner.spec.symbol.as_str())
            .with_text("side", if order.side == Side::Buy { "buy" } else { "sell" })
            .with_text("order_type", type_word(order))
            .with_text("purpose", purpose_word(order))
            .with("quantity", number(order.quantity))
            .with("filled_quantity", number(order.total_filled()))
            .with_text("created_at", order.created_at.to_string())
            .with_text("updated_at", self.now.to_string());
        if let Some(reason) = &order.reason {
            row.set("reason", Attr::text(reason.clone()));
        }
        Some(OrderRow { id: id.clone(), row })
    }

    /// The row of a strategy's position, open or closed.
    pub fn position_row(&self, strategy: &StrategyId) -> Option<PositionRow> {
        let runner = self.runners.get(strategy)?;
        let (position, instrument) = (&runner.position, &runner.spec.instrument);
        let open = position.quantity.0 != 0;
        let quantity = instrument.quantity_decimal(position.quantity).normalize();
        let mut row = Row::default()
            .with_text(PositionRow::POSITION_ID, position_id(runner).as_str())
            .with_text(PositionRow::STRATEGY_ID, strategy.as_str())
            .with_text(PositionRow::SYMBOL, runner.spec.symbol.as_str())
            .with_text(PositionRow::STATUS, if open { "open" } else { "closed" })
            .with(PositionRow::QUANTITY, Attr::N(quantity.to_string()))
            .with_text("updated_at", self.now.to_string());
        if open {
            let entry = instrument.average(position.cost, position.quantity);
            row.set(PositionRow::ENTRY_PRICE, Attr::N(entry.to_string()));
        }
        if let Some(at) = position.opened_at {
            row.set("opened_at", Attr::text(at.to_string()));
        }
        Some(PositionRow { id: position_id(runner), row })
    }

    /// The orders that are not at rest, as the acknowledgement of a stop lists them.
    pub fn stop_open_orders(&self, strategy: &StrategyId) -> Attr {
        let orders = self.runners.get(strategy).into_iter().flat_map(Runner::open_orders);
        let item = |(id, order): (&ClientOrderId, &Order)| {
            let fields = Row::default()
                .with_text(OrderRow::ORDER_ID, id.as_str())
                .with_text(OrderRow::STATUS, order.state.as_str())
                .with_text("purpose", purpose_word(order));
            Attr::M(fields.attributes().clone())
        };
        Attr::L(orders.map(item).collect())
    }
}

/// One row per strategy and symbol: opened and closed many times, never piled up.
fn position_id(runner: &Runner) -> PositionId {
    PositionId::new(format!("{}/{}", runner.spec.strategy, runner.spec.symbol))
}

fn type_word(order: &Order) -> &'static str {
    match order.order_type {
        OrderType::Market => "market",
        OrderType::Limit => "limit",
        OrderType::Stop => "stop",
    }
}

fn purpose_word(order: &Order) -> &'static str {
    match order.purpose {
        OrderPurpose::Entry => "entry",
        OrderPurpose::Exit => "exit",
        OrderPurpose::Protective => "protective",
    }
}
