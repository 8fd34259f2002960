//! Every open position and what protects it: a venue's word where there is one, else the
//! positions' table's.
//!
//! A venue is the authority on what is held there: a row that was written before it was asked,
//! and of which it shows nothing, is no open position but a table that is behind.

use super::Seen;
use super::emergency_stop::closes;
use super::heartbeat::SKEW_MS;
use super::seen::World;
use crate::model::{
    GapKind, OrderType, PositionRow, Reading, StrategyId, Utc, VenueName, VenueOrder, VenuePosition,
};
use crate::report::{Block, Cell, Finding, Severity, Tone, millis};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeSet;

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
    /// It was written to the table about when the venue was asked, which did not show it yet, or
    /// no more.
    #[serde(rename = "settling")]
    Settling,
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

/// A row of the table that says open where its venue, asked later, holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) strategy: String,
    pub(crate) symbol: String,
    pub(crate) quantity: String,
    /// Its row says when it was written.
    dated: bool,
    /// The stop that looks closed it.
    closed: bool,
}

impl Behind {
    /// The difference, told: what does not say when it was written might be the newer word.
    pub(crate) fn finding(&self, id: &str) -> Finding {
        let Self { strategy, symbol, quantity, .. } = self;
        let mut message =
            format!("the table still says {quantity} {symbol}; the venue holds nothing");
        let sure = self.dated || self.closed;
        if self.closed {
            message.push_str(" (closed by this stop)");
        } else if !sure {
            message.push_str("; the row does not say when it was written");
        }
        let severity = if sure { Severity::Info } else { Severity::Warning };
        Finding::new(id, severity, strategy, message)
    }
}

/// What is held, and where the table differs from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Every open position, the unprotected first.
    pub(crate) open: Vec<Holding>,
    pub(crate) behind: Vec<Behind>,
}

/// Everything that is held at the `venues` that there are, and what the table says besides. A row
/// counts as open until its venue, or every venue where it is not known which is its own, was
/// read after it was written and does not show it. `ours` says whose are looked at: by the venue
/// that holds it, if one does, and by the strategy, if the row names one.
pub(crate) fn holdings(
    world: &World,
    venues: &[VenueName],
    ours: impl Fn(Option<&VenueName>, Option<&StrategyId>) -> bool,
) -> Holdings {
    let mut holdings = Holdings::default();
    let mut seen = BTreeSet::new();
    for (venue, reading) in &world.venue_positions {
        let orders = world.orders.get(venue).and_then(Reading::value);
        for position in reading.value().into_iter().flatten() {
            seen.insert((position.strategy.to_string(), position.symbol.to_string()));
            if ours(Some(venue), Some(&position.strategy)) {
                holdings.open.push(at_venue(venue, orders, position));
            }
        }
    }
    let stored = world.positions.as_ref().and_then(Reading::value).into_iter().flatten();
    let stored = stored.filter(|row| row.may_be_open());
    for row in stored.filter(|row| ours(None, row.strategy().as_ref())) {
        let holding = in_table(row);
        if !seen.contains(&(holding.strategy.clone(), holding.symbol.clone())) {
            holdings.compare(holding, row, asked_at(world, venues, row.strategy().as_ref()));
        }
    }
    holdings.open.sort_by(|a, b| {
        (a.protection, &a.strategy, &a.symbol).cmp(&(b.protection, &b.strategy, &b.symbol))
    });
    holdings
}

/// When whoever would show a strategy's positions was asked; `None`: not everybody has answered.
fn asked_at(world: &World, venues: &[VenueName], strategy: Option<&StrategyId>) -> Option<Utc> {
    let its_own = strategy.and_then(|id| world.row(id)?.venue());
    let needed = its_own.as_ref().map_or(venues, std::slice::from_ref);
    let at = |venue: &VenueName| match world.venue_positions.get(venue) {
        Some(Reading::Known { observed_at, .. }) => Some(*observed_at),
        _ => None,
    };
    let all: Option<Vec<Utc>> = needed.iter().map(at).collect();
    all?.into_iter().min()
}

impl Holdings {
    /// A row that no venue shows, and when the venue was asked.
    fn compare(&mut self, mut holding: Holding, row: &PositionRow, asked_at: Option<Utc>) {
        let whose = row.strategy().is_some() && row.symbol().is_some();
        let Some(asked_at) = asked_at.filter(|_| whose) else {
            self.open.push(holding);
            return;
        };
        let written_at = row.row.time(PositionRow::UPDATED_AT).ok();
        let older_ms = written_at.map(|at| asked_at.duration_since(at).as_millis());
        // The clocks of who writes the row and of who asks may be so far apart.
        if let Some(older_ms) = older_ms.filter(|it| *it <= i128::from(SKEW_MS)) {
            let older_ms = i64::try_from(older_ms).unwrap_or_default().max(0);
            holding.source = format!(
                "positions table, written {} before the venue was asked, which does not show it",
                millis(older_ms)
            );
            holding.protection = Protection::Settling;
            self.open.push(holding);
            return;
        }
        let Holding { strategy, symbol, quantity, .. } = holding;
        let dated = older_ms.is_some();
        self.behind.push(Behind { strategy, symbol, quantity, dated, closed: false });
    }

    /// Takes in which positions were closed, by strategy and symbol, since their rows were
    /// written: those are open no more, however young the row is.
    pub(crate) fn closed(&mut self, is_closed: impl Fn(&str, &str) -> bool) {
        let settled = self.open.extract_if(.., |it| {
            it.protection == Protection::Settling && is_closed(&it.strategy, &it.symbol)
        });
        self.behind.extend(settled.map(|it| Behind {
            strategy: it.strategy,
            symbol: it.symbol,
            quantity: it.quantity,
            dated: true,
            closed: true,
        }));
        for it in &mut self.behind {
            it.closed |= is_closed(&it.strategy, &it.symbol);
        }
    }
}

/// What stays open where everything that manages it is about to end, the worst first; and what
/// could not be read. `seen` is what the table and the `venues` answered.
pub fn left_open(seen: Vec<Seen>, venues: &[VenueName]) -> Vec<Finding> {
    let mut world = World::default();
    seen.into_iter().for_each(|it| world.take(it));
    let open = holdings(&world, venues, |_, _| true).open;
    let mut findings: Vec<Finding> = open.iter().map(Holding::left).collect();
    let unread = world.venue_positions.values().filter_map(Reading::as_gap);
    let unread = unread.chain(world.positions.as_ref().and_then(Reading::as_gap));
    findings.extend(unread.filter(|it| it.kind != GapKind::Absent).map(|gap| {
        let message = format!("what is open is not known: {}", gap.why);
        Finding::new("position.unread", Severity::Warning, &gap.source, message)
    }));
    findings
}

impl Holding {
    fn left(&self) -> Finding {
        let Self { strategy, symbol, quantity, protected_by, protection, .. } = self;
        let (severity, what) = match (protection, protected_by) {
            (Protection::VenueOrder, Some(orders)) => {
                (Severity::Info, format!("{} at the venue protects it", orders.join(", ")))
            }
            (Protection::Nothing, _) => {
                (Severity::Warning, "NOTHING at the venue protects it".to_owned())
            }
            (Protection::Partly, _) => {
                (Severity::Warning, "stop orders at the venue cover only a part of it".to_owned())
            }
            _ => (Severity::Warning, "what protects it is not known".to_owned()),
        };
        let message = format!("{quantity} {symbol} stays open, and {what}");
        Finding::new("position.left_open", severity, strategy, message)
    }
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

fn in_table(row: &PositionRow) -> Holding {
    let quantity = row.row.decimal(PositionRow::QUANTITY);
    Holding {
        strategy: row.strategy().map_or_else(|| "?".to_owned(), |id| id.to_string()),
        symbol: row.symbol().map_or_else(|| "?".to_owned(), |it| it.to_string()),
        quantity: quantity.map_or_else(|_| "?".to_owned(), |it| it.to_string()),
        source: "positions table; not confirmed by a venue".to_owned(),
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
        (_, Protection::Settling) => Cell::plain("settling"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attr, Row, StrategyRow};
    use crate::ops::world::{SimWorld, paper, row, start};
    use jiff::SignedDuration;

    const DAY_MS: i64 = 86_400_000;

    /// A world whose table says that `a` holds 2 BTC, written so long before the venues, if any
    /// was, were asked.
    fn table(
        written_ms: Option<i64>,
        venues: &[(VenueName, bool)],
        its_own: Option<&str>,
    ) -> World {
        let mut world = World::default();
        let mut stored = Row::default()
            .with_text(PositionRow::STRATEGY_ID, "a")
            .with_text(PositionRow::SYMBOL, "BTC")
            .with_text(PositionRow::STATUS, "open")
            .with(PositionRow::QUANTITY, Attr::N("2".into()));
        if let Some(ms) = written_ms {
            let at = start() - SignedDuration::from_millis(ms);
            stored = stored.with_text(PositionRow::UPDATED_AT, at.to_string());
        }
        let stored = vec![PositionRow { id: "p".into(), row: stored }];
        world.take(Seen::Positions(Reading::known(stored, "positions table", start())));
        let mut strategy = row("a", "running", "engine-1");
        match its_own {
            Some(venue) => strategy.row.set(StrategyRow::VENUE, Attr::text(venue)),
            None => _ = strategy.row.remove(StrategyRow::VENUE),
        }
        world.take(Seen::Strategies(Reading::known(vec![strategy], "strategies table", start())));
        for (venue, read) in venues {
            let reading = if *read {
                Reading::known(Vec::new(), "venue", start())
            } else {
                Reading::unreachable("venue", "no answer")
            };
            world.take(Seen::VenuePositions(venue.clone(), reading));
        }
        world
    }

    /// Whether the row counts as open, and how, or how loudly the difference is told.
    fn judged(world: &World, venues: &[VenueName]) -> Result<Protection, Severity> {
        let held = holdings(world, venues, |_, _| true);
        assert_eq!(held.open.len() + held.behind.len(), 1, "never left out: {held:?}");
        match held.open.first() {
            Some(holding) => Ok(holding.protection),
            None => Err(held.behind.first().unwrap().finding("x").severity),
        }
    }

    #[test]
    fn a_row_is_behind_only_where_its_venue_was_read_after_it_was_written() {
        let one = [paper()];
        let read = [(paper(), true)];
        for (written_ms, expected) in [
            (Some(DAY_MS), Err(Severity::Info)),
            (Some(SKEW_MS + 1), Err(Severity::Info)),
            // Written at about the time of the look: it may be newer than the venue's answer.
            (Some(SKEW_MS), Ok(Protection::Settling)),
            (Some(0), Ok(Protection::Settling)),
            (Some(-DAY_MS), Ok(Protection::Settling)),
            // It does not say when: told, loudly.
            (None, Err(Severity::Warning)),
        ] {
            let world = table(written_ms, &read, None);
            assert_eq!(judged(&world, &one), expected, "{written_ms:?}");
        }
    }

    #[test]
    fn a_row_stays_open_where_not_everybody_who_could_show_it_has_answered() {
        let other: VenueName = "other".into();
        let both = [paper(), other.clone()];
        let unknown = Ok(Protection::Unknown);
        let of = |read: &[(VenueName, bool)], its_own, venues: &[VenueName]| {
            judged(&table(Some(DAY_MS), read, its_own), venues)
        };
        let half = [(paper(), true), (other.clone(), false)];
        assert_eq!(of(&[], None, &[]), unknown, "no venue at all");
        assert_eq!(of(&[], None, &both), unknown, "none was asked");
        assert_eq!(of(&half[..1], None, &both), unknown, "one was not asked");
        assert_eq!(of(&half, None, &both), unknown, "one did not answer");
        assert_eq!(of(&half, Some("other"), &both), unknown, "its own did not answer");
        assert_eq!(of(&half, Some("paper"), &both), Err(Severity::Info), "its own did");
        assert_eq!(of(&half, Some("elsewhere"), &both), unknown, "its own is none of ours");
    }

    #[test]
    fn a_row_that_does_not_say_whose_it_is_stays_open() {
        for name in [PositionRow::STRATEGY_ID, PositionRow::SYMBOL] {
            let mut world = table(Some(DAY_MS), &[(paper(), true)], None);
            if let Some(Reading::Known { value, .. }) = &mut world.positions {
                _ = value[0].row.remove(name);
            }
            assert_eq!(judged(&world, &[paper()]), Ok(Protection::Unknown), "{name}");
        }
    }

    #[test]
    fn what_stays_open_is_told_with_what_protects_it_and_what_is_not_known() {
        let venue_says = |orders: Vec<VenueOrder>| {
            let world = SimWorld::busy();
            let held = Reading::known(world.positions.clone(), "venue", start());
            vec![
                Seen::VenuePositions(paper(), held),
                Seen::VenueOrders(paper(), Reading::known(orders, "venue", start())),
            ]
        };
        let bare = left_open(venue_says(Vec::new()), &[paper()]);
        assert!(!bare.is_empty() && bare.iter().all(|it| it.severity == Severity::Warning));
        assert!(bare[0].message.contains("NOTHING"), "{bare:?}");
        let covered = left_open(venue_says(SimWorld::busy().orders), &[paper()]);
        assert!(covered.iter().any(|it| it.severity == Severity::Info), "{covered:?}");
        let dark = Seen::VenuePositions(paper(), Reading::unreachable("venue paper", "no answer"));
        let dark = left_open(vec![dark], &[paper()]);
        assert_eq!((dark.len(), dark[0].id.as_str()), (1, "position.unread"));
        assert!(left_open(Vec::new(), &[paper()]).is_empty());
    }
}
