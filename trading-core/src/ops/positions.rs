//! Every open position and what protects it: a venue's word where there is one, else the
//! positions' table's.

use super::emergency_stop::closes;
use crate::model::{OrderType, PositionRow, Reading, VenueName, VenueOrder, VenuePosition};
use crate::report::{Block, Cell, Tone};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What rests at the venue and reduces a position. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum Protection {
    /// Nothing rests there.
    #[serde(rename = "NOTHING")]
    Nothing,
    /// Stop orders cover less than the whole position.
    #[serde(rename = "PARTLY")]
    Partly,
    /// The venue could not be asked, or does not show the position.
    #[serde(rename = "unknown")]
    Unknown,
    /// Stop orders for the whole of it.
    #[serde(rename = "venue order")]
    VenueOrder,
}

/// An open position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Holding {
    pub(crate) strategy: String,
    pub(crate) symbol: String,
    /// In the symbol's base unit; negative is short.
    pub(crate) quantity: String,
    pub(crate) source: String,
    /// The orders that protect it, if the venue could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protected_by: Option<Vec<String>>,
    pub(crate) protection: Protection,
}

/// Every open position, the unprotected first. A row of the table is listed where no venue
/// shows the same strategy with the same symbol.
pub(crate) fn holdings(
    positions: &BTreeMap<VenueName, Reading<Vec<VenuePosition>>>,
    orders: &BTreeMap<VenueName, Reading<Vec<VenueOrder>>>,
    stored: Option<&Reading<Vec<PositionRow>>>,
) -> Vec<Holding> {
    let mut holdings = Vec::new();
    let mut seen = BTreeSet::new();
    for (venue, reading) in positions {
        let orders = orders.get(venue).and_then(Reading::value);
        for position in reading.value().into_iter().flatten() {
            seen.insert((position.strategy.to_string(), position.symbol.to_string()));
            holdings.push(at_venue(venue, orders, position));
        }
    }
    let venues_known = !positions.is_empty() && positions.values().all(|it| it.value().is_some());
    let stored = stored.and_then(Reading::value).into_iter().flatten();
    for row in stored.filter(|row| row.may_be_open()) {
        let holding = in_table(row, venues_known);
        if !seen.contains(&(holding.strategy.clone(), holding.symbol.clone())) {
            holdings.push(holding);
        }
    }
    holdings.sort_by(|a, b| {
        (a.protection, &a.strategy, &a.symbol).cmp(&(b.protection, &b.strategy, &b.symbol))
    });
    holdings
}

fn at_venue(
    venue: &VenueName,
    orders: Option<&Vec<VenueOrder>>,
    position: &VenuePosition,
) -> Holding {
    let protected_by: Option<Vec<String>> = orders.map(|orders| {
        let protecting = orders.iter().filter(|order| limits_loss(order, position));
        protecting.map(|order| order.order.client_order_id.to_string()).collect()
    });
    let protection = orders.map_or(Protection::Unknown, |orders| {
        let stops = orders.iter().filter(|order| limits_loss(order, position));
        let covered: Decimal = stops.map(|it| it.order.quantity - it.filled_quantity).sum();
        if covered.is_zero() {
            Protection::Nothing
        } else if covered < position.quantity.abs() {
            Protection::Partly
        } else {
            Protection::VenueOrder
        }
    });
    Holding {
        strategy: position.strategy.to_string(),
        symbol: position.symbol.to_string(),
        quantity: position.quantity.to_string(),
        source: format!("venue {venue}"),
        protected_by,
        protection,
    }
}

/// Whether an order ends a position that goes wrong; one that takes a profit does not.
fn limits_loss(order: &VenueOrder, position: &VenuePosition) -> bool {
    order.order.order_type == OrderType::Stop && closes(order, position)
}

fn in_table(row: &PositionRow, venues_known: bool) -> Holding {
    let source = if venues_known {
        "positions table; no venue shows it"
    } else {
        "positions table; not confirmed by a venue"
    };
    let quantity = row.row.decimal(PositionRow::QUANTITY);
    Holding {
        strategy: row.strategy().map_or_else(|| "?".to_owned(), |id| id.to_string()),
        symbol: row.symbol().map_or_else(|| "?".to_owned(), |it| it.to_string()),
        quantity: quantity.map_or_else(|_| "?".to_owned(), |it| it.to_string()),
        source: source.to_owned(),
        protected_by: None,
        protection: Protection::Unknown,
    }
}

/// Positions as a table.
pub(crate) fn holdings_table(holdings: &[Holding]) -> Block {
    Block::Table {
        columns: vec!["strategy", "symbol", "quantity", "protected by", "source"],
        rows: holdings.iter().map(cells).collect(),
    }
}

fn cells(holding: &Holding) -> Vec<Cell> {
    let protection = match (&holding.protected_by, holding.protection) {
        (_, Protection::Nothing) => Cell::toned("NOTHING", Tone::Bad),
        (Some(orders), Protection::VenueOrder) => Cell::plain(orders.join(", ")),
        (Some(orders), Protection::Partly) => {
            Cell::toned(format!("PARTLY: {}", orders.join(", ")), Tone::Bad)
        }
        _ => Cell::toned("unknown", Tone::Warn),
    };
    vec![
        Cell::plain(holding.strategy.clone()),
        Cell::plain(holding.symbol.clone()),
        Cell::plain(holding.quantity.clone()),
        protection,
        Cell::plain(holding.source.clone()),
    ]
}
