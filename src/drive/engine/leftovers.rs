//! Rows of orders that the engine no longer knows: from a log that was lost, or written
//! while the state store was away. The venue says what became of them, and the row is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use trading_core::model::{
    Attr, ClientOrderId, GapKind, OrderRow, OrderState, Row, StrategyId, Utc, VenueOrder,
};

use super::guard::after;
use super::world::World;
use crate::platform::StateStore;

/// How many are asked for in one round.
const AT_ONCE: usize = 100;
/// An order that the venue does not know may still be on its way for this long.
const LONGEST_WINDOW: std::time::Duration = std::time::Duration::from_secs(10);

/// Looks for rows of `strategies` that are open and not among the `known` orders, and
/// brings them to what the venue says.
pub(super) fn settle(
    state: Arc<dyn StateStore>,
    world: World,
    strategies: BTreeSet<StrategyId>,
    known: BTreeSet<ClientOrderId>,
) {
    tokio::spawn(async move {
        let rows = match state.open_orders().await.into_result() {
            Ok(rows) => rows,
            Err(gap) => return world.problem(&format!("the orders' rows are not read: {gap}")),
        };
        let left = rows.into_iter().filter(|row| {
            let strategy = row.row.text_opt(OrderRow::STRATEGY_ID).map(StrategyId::from);
            strategy.is_some_and(|it| strategies.contains(&it)) && !known.contains(&row.id)
        });
        let mut settled = Vec::new();
        for row in left.take(AT_ONCE) {
            let asked_at = world.clock.now();
            match world.venue.order(&row.id).await.into_result() {
                Ok(order) => settled.push(as_venue_says(&order, asked_at)),
                Err(gap) if gap.kind == GapKind::Absent && cannot_arrive(&row, asked_at) => {
                    let text = update(&row.id, "rejected", asked_at)
                        .with_text("reason", "it never arrived at the venue");
                    settled.push(OrderRow { id: row.id, row: text });
                }
                Err(gap) if gap.kind == GapKind::Absent => {}
                Err(gap) => return world.problem(&gap.to_string()),
            }
        }
        // What is not written now is found again in the next round.
        if !settled.is_empty() && state.merge_orders(&settled).await.iter().any(|it| !it.stands()) {
            world.problem("some orders' rows could not be brought up to date");
        }
    });
}

fn as_venue_says(order: &VenueOrder, now: Utc) -> OrderRow {
    let status = match order.state {
        OrderState::Live => "live",
        OrderState::PartlyFilled => "partly_filled",
        OrderState::Filled => "filled",
        OrderState::Cancelled => "cancelled",
        OrderState::Rejected => "rejected",
        OrderState::Expired => "expired",
    };
    let filled = Attr::N(order.filled_quantity.normalize().to_string());
    let id = order.order.client_order_id.clone();
    let mut row = update(&id, status, now).with("filled_quantity", filled);
    if let Some(reason) = &order.reject_reason {
        row.set("reason", Attr::text(reason.clone()));
    }
    OrderRow { id, row }
}

fn update(id: &ClientOrderId, status: &str, now: Utc) -> Row {
    Row::default()
        .with_text(OrderRow::ORDER_ID, id.as_str())
        .with_text(OrderRow::STATUS, status)
        .with_text("updated_at", now.to_string())
}

/// Whether every receive window that the order can have had is over. A row that does not
/// say when it was made is left to people.
fn cannot_arrive(row: &OrderRow, now: Utc) -> bool {
    row.row.time("created_at").is_ok_and(|at| now > after(at, LONGEST_WINDOW))
}
