//! Positions: the table and the venues have to agree on what strategies hold that trade again.

use super::gate::{self, Obstacle, obstacle};
use super::procedure::Resume;
use crate::model::{PositionRow, Reading, RestoreSubject, StrategyRow, a_few};
use crate::ops::emergency_stop::Site;
use crate::ops::seen::World;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The id of the obstacle that a position of a strategy is not understood.
pub(super) const ODD_POSITION: &str = "resume.position_unparsed";
/// The id of the obstacle that a position's row does not say whose it is.
pub(super) const NOBODYS: &str = "resume.position_of_nobody";
/// The id of the obstacle that a row says open of what the venue does not hold.
pub(super) const STALE: &str = "resume.position_stale";
/// Where positions are stored.
const TABLE: &str = "positions table";

/// Positions in which the table and the venues differ, among the strategies that trade
/// again.
pub(super) fn unreconciled(site: &Site, world: &World, trading: &[StrategyRow]) -> Vec<Obstacle> {
    let none = site.capabilities.venues.is_empty() || trading.is_empty();
    if !site.capabilities.positions || none {
        return Vec::new();
    }
    let mut at_venue: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for venue in &site.capabilities.venues {
        match world.venue_positions.get(venue) {
            Some(Reading::Known { value, .. }) => {
                for it in value {
                    let key = (it.strategy.to_string(), it.symbol.to_string());
                    *at_venue.entry(key).or_default() += it.quantity;
                }
            }
            Some(Reading::Gap(gap)) => {
                return vec![obstacle("resume.positions_unread", venue, gap.to_string())];
            }
            None => return vec![obstacle("resume.positions_unread", venue, "was not read")],
        }
    }
    let rows = match &world.positions {
        Some(Reading::Known { value, .. }) => value,
        Some(gap) if gap.is_absent() => return Vec::new(),
        Some(Reading::Gap(gap)) => {
            return vec![obstacle("resume.positions_unread", TABLE, gap.to_string())];
        }
        None => {
            return vec![obstacle("resume.positions_unread", TABLE, "was not read")];
        }
    };
    let mut obstacles = differences(&at_venue, rows, trading);
    obstacles.extend(odd_positions(site, world, trading));
    obstacles
}

/// Positions that may be open and of which a row does not say whose they are, of what, or how
/// much, among the strategies that trade again. Nothing that comes up mends a row.
pub(super) fn odd_positions(site: &Site, world: &World, trading: &[StrategyRow]) -> Vec<Obstacle> {
    let none = site.capabilities.venues.is_empty() || trading.is_empty();
    let rows = world.positions.as_ref().and_then(Reading::value).filter(|_| !none);
    let odd = |row: &&PositionRow| {
        row.strategy().is_none()
            || row.symbol().is_none()
            || row.row.decimal(PositionRow::QUANTITY).is_err()
    };
    let open = rows.into_iter().flatten().filter(|row| row.may_be_open()).filter(odd);
    open.filter_map(|row| match row.strategy() {
        // Of a strategy that stays stopped nothing has to agree.
        Some(strategy) if !trading.iter().any(|it| it.id == strategy) => None,
        Some(strategy) => {
            let lacks = lacking(row);
            let message = format!(
                "position {}: its row does not say of what it is, or how much: correct {lacks} of \
                 that item of the {TABLE}, or leave the strategy",
                row.id
            );
            Some(obstacle(ODD_POSITION, RestoreSubject::Strategy(strategy), message))
        }
        None => {
            let why = "its row does not say whose it is: correct";
            let message = format!("{why} {} of that item of the {TABLE}", lacking(row));
            Some(obstacle(NOBODYS, format!("position={}", row.id), message))
        }
    })
    .collect()
}

/// The attributes that are to be corrected.
fn lacking(row: &PositionRow) -> String {
    let lacks = [
        (PositionRow::STRATEGY_ID, row.strategy().is_none()),
        (PositionRow::SYMBOL, row.symbol().is_none()),
        (PositionRow::QUANTITY, row.row.decimal(PositionRow::QUANTITY).is_err()),
    ];
    let lacks = lacks.into_iter().filter(|(_, lacks)| *lacks);
    let lacks: Vec<String> = lacks.map(|(name, _)| format!("`{name}`")).collect();
    lacks.join(", ")
}

/// What is typed, or done, about a row of nobody's.
pub(super) fn correct(it: &Obstacle, then: &str) -> String {
    let id = it.subject.strip_prefix("position=").unwrap_or(&it.subject);
    let name = PositionRow::STRATEGY_ID;
    format!(
        "set `{name}` of item {id} of the {TABLE} to the strategy whose position it is, or its \
         `{}` to closed if nobody holds it; then {then}",
        PositionRow::STATUS
    )
}

impl Resume {
    /// Rows that say open of what the venue does not hold, while nothing is put back yet: the
    /// release would wait for them, and nothing that comes up mends a row.
    pub(super) fn stale_rows(&self) -> Vec<Obstacle> {
        let trading = gate::trading_again(&self.world, &self.fates);
        let mut found = unreconciled(&self.site, &self.world, &trading);
        found.retain(|it| it.id == STALE);
        found
    }
}

fn differences(
    at_venue: &BTreeMap<(String, String), Decimal>,
    rows: &[PositionRow],
    trading: &[StrategyRow],
) -> Vec<Obstacle> {
    let mut stored: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    let mut items: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut obstacles = Vec::new();
    for row in rows.iter().filter(|row| row.may_be_open()) {
        // Of one that does not say these nothing is known to agree: that is told elsewhere.
        let said = (row.strategy(), row.symbol(), row.row.decimal(PositionRow::QUANTITY));
        if let (Some(strategy), Some(symbol), Ok(quantity)) = said {
            let key = (strategy.to_string(), symbol.to_string());
            items.entry(key.clone()).or_default().push(row.id.to_string());
            *stored.entry(key).or_default() += quantity;
        }
    }
    let ours = |strategy: &str| trading.iter().any(|row| row.id.as_str() == strategy);
    for key in at_venue.keys().chain(stored.keys()) {
        let at = |map: &BTreeMap<_, Decimal>| map.get(key).copied().unwrap_or_default();
        let (venue, table) = (at(at_venue), at(&stored));
        if venue == table || !ours(&key.0) {
            continue;
        }
        if venue.is_zero() {
            let items = a_few(items.get(key).map_or(&[], Vec::as_slice));
            let message = format!(
                "{}: the table says {table}, the venue holds none: correct the row (item {items} of \
                 the {TABLE}: its `{}` is closed, unless it is the venue that errs), or leave the \
                 strategy",
                key.1,
                PositionRow::STATUS
            );
            let strategy = RestoreSubject::Strategy(key.0.as_str().into());
            obstacles.push(obstacle(STALE, strategy, message));
        } else {
            let message = format!("{}: the venue says {venue}, the table says {table}", key.1);
            obstacles.push(obstacle("resume.unreconciled", &key.0, message));
        }
    }
    obstacles.sort();
    obstacles.dedup();
    obstacles
}
