//! What is open under a stop, what this stop closed, and what of it deserves attention: all of it
//! of the stop's own scope.

use super::ladder::{EmergencyStop, Word};
use crate::model::{Reading, Side, StrategyId, VenueName};
use crate::ops::heartbeat::beats;
use crate::ops::managed::{Managed, Managers};
use crate::ops::positions::{Holding, Holdings, Protection, holdings};
use crate::plan::{Act, Settled};
use crate::report::{Block, Cell, Finding, Severity};
use serde::Serialize;

/// A position that this run closed: its venue, asked since, does not show it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Closed {
    strategy: String,
    symbol: String,
    /// What was held, in the symbol's base unit; negative was short.
    quantity: String,
    venue: String,
}

/// The positions of a stop's scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Positions {
    pub(super) held: Holdings,
    pub(super) closed: Vec<Closed>,
}

impl EmergencyStop {
    pub(super) fn positions(&self) -> Positions {
        let desk = self.desk(self.times.ended_at.unwrap_or(self.request.deadline_at));
        let ours = |venue: Option<&VenueName>, strategy: Option<&StrategyId>| {
            // Whose a row is that does not say so, nobody knows.
            strategy.is_none_or(|id| desk.covers_strategy(venue, id))
        };
        let mut held = holdings(&self.world, &self.site.capabilities.venues, ours);
        let closed = self.closed();
        let names = |it: &Closed, strategy: &str, symbol: &str| {
            it.strategy == strategy && it.symbol == symbol
        };
        held.closed(|strategy, symbol| closed.iter().any(|it| names(it, strategy, symbol)));
        Positions { held, closed }
    }

    fn closed(&self) -> Vec<Closed> {
        let mut closed: Vec<Closed> = Vec::new();
        for (step, settled) in self.run.executor.steps() {
            let Act::ClosePosition { venue, order } = &step.act else { continue };
            let at_venue = self.world.venue_positions.get(venue).and_then(Reading::value);
            let gone = at_venue.is_some_and(|all| {
                all.iter().all(|it| it.strategy != order.strategy || it.symbol != order.symbol)
            });
            if !gone || !settled.is_some_and(Settled::stands) {
                continue;
            }
            let sign = if order.side == Side::Buy { -order.quantity } else { order.quantity };
            closed.push(Closed {
                strategy: order.strategy.to_string(),
                symbol: order.symbol.to_string(),
                quantity: sign.to_string(),
                venue: venue.to_string(),
            });
        }
        closed.sort_by(|a, b| (&a.strategy, &a.symbol).cmp(&(&b.strategy, &b.symbol)));
        closed
    }

    /// Positions that nothing protects, or not all of them, and rows that are behind.
    pub(super) fn exposed(&self, word: Word, positions: &Positions) -> Vec<Finding> {
        let now = self.times.ended_at.unwrap_or(self.request.deadline_at);
        let (rows, now) = match &self.world.strategies {
            Some(Reading::Known { value, observed_at, .. }) => (value.as_slice(), *observed_at),
            _ => (&[][..], now),
        };
        let beats = beats(rows, now, &self.site.timings);
        let managers = Managers { world: &self.world, beats: &beats, now };
        let mut findings = Vec::new();
        for it in &positions.held.open {
            match it.protection {
                Protection::Partly => findings.push(told(
                    it,
                    ("stop.partly_protected", Severity::Critical),
                    "only partly protected",
                )),
                // A plan says what is so once it is carried out.
                Protection::Nothing if word == Word::Planned && self.ends_engines() => {
                    findings.push(told(it, UNPROTECTED, "NOTHING protects them"));
                }
                Protection::Nothing => findings.push(unprotected(it, &managers)),
                Protection::Unknown | Protection::Settling | Protection::VenueOrder => {}
            }
        }
        findings.extend(positions.held.behind.iter().map(|it| it.finding("stop.table_behind")));
        findings
    }

    /// What manages exits is ended by this stop, and what it manages stays open.
    fn ends_engines(&self) -> bool {
        self.request.level.halts() && !self.request.flatten
    }
}

const UNPROTECTED: (&str, Severity) = ("stop.unprotected", Severity::Critical);

/// Nothing at the venue protects it: what its engine does is all that there is.
fn unprotected(holding: &Holding, managers: &Managers<'_>) -> Finding {
    match managers.managed(&holding.strategy) {
        Managed::No(why) => told(holding, UNPROTECTED, &format!("NOTHING protects them: {why}")),
        Managed::Yes => told(
            holding,
            ("stop.engine_only", Severity::Warning),
            "NOTHING at the venue protects them; only their engine does",
        ),
        Managed::Unknown(why) => told(
            holding,
            ("stop.engine_unknown", Severity::Error),
            &format!(
                "NOTHING at the venue protects them; whether their engine does is not known: {why}"
            ),
        ),
    }
}

fn told(holding: &Holding, (id, severity): (&str, Severity), how: &str) -> Finding {
    let message = format!("{} {} are open and {how}", holding.quantity, holding.symbol);
    Finding::new(id, severity, &holding.strategy, message)
}

/// What was closed, as a page shows it.
pub(super) fn closed_blocks(closed: &[Closed]) -> Vec<Block> {
    if closed.is_empty() {
        return Vec::new();
    }
    let row = |it: &Closed| {
        [&it.strategy, &it.symbol, &it.quantity, &it.venue].map(|it| Cell::plain(it.clone())).into()
    };
    vec![
        Block::Heading("Closed by this stop".to_owned()),
        Block::Table {
            columns: vec!["strategy", "symbol", "quantity", "venue"],
            rows: closed.iter().map(row).collect(),
        },
    ]
}
