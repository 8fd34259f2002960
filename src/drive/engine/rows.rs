//! From a strategy's row to how it is to be run.

use rust_decimal::Decimal;
use trading_core::engine::{Mode, Spec};
use trading_core::model::{
    AttrError, Instrument, Money, Row, StatusReading, StrategyRow, StrategyStatus, VenueName,
};

/// Attribute: what one entry is worth at most, in the quote unit.
const STAKE: &str = "stake_amount";
/// Attribute: what the strategy may commit at most, in the quote unit.
const CAPITAL: &str = "capital";
/// Attribute: a stop order rests at the venue this many percent below the entry.
const PROTECTIVE: &str = "protective_stop_pct";

/// What a row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) spec: Spec,
    pub(super) mode: Mode,
}

/// Why a row cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unrunnable {
    #[error(transparent)]
    Attribute(#[from] AttrError),
    #[error("`{name}` should be {expected}, found {found}")]
    Range { name: &'static str, expected: &'static str, found: Decimal },
    #[error("it trades at venue `{found}`, and this engine at `{ours}`")]
    OtherVenue { found: VenueName, ours: VenueName },
}

/// What the row's status asks for. What is not understood asks for nothing: an engine
/// never trades on a word that it does not know.
pub(super) fn mode(row: &StrategyRow) -> Mode {
    match row.status() {
        StatusReading::Known(StrategyStatus::Warmup) => Mode::Warmup,
        StatusReading::Known(StrategyStatus::Running) => Mode::Running,
        StatusReading::Known(StrategyStatus::Paused) => Mode::Paused,
        StatusReading::Known(
            StrategyStatus::Stopped | StrategyStatus::Failed | StrategyStatus::Terminated,
        )
        | StatusReading::Unparsed(_) => Mode::Idle,
    }
}

/// How a row is to be run; the lease's generation is added when it is held.
pub(super) fn wanted(row: &StrategyRow, venue: &VenueName) -> Result<Wanted, Unrunnable> {
    // Missing is a default; odd is not understood, and nothing is traded on that.
    for name in [StrategyRow::VENUE, StrategyRow::SERVICE] {
        if row.row.get(name).is_some() {
            row.row.text(name)?;
        }
    }
    let found = row.venue().unwrap_or_else(|| venue.clone());
    if found != *venue {
        return Err(Unrunnable::OtherVenue { found, ours: venue.clone() });
    }
    let above_zero = |name: &'static str, default: i64| -> Result<Money, Unrunnable> {
        let value = number(&row.row, name)?.unwrap_or_else(|| Decimal::from(default));
        let expected = "an amount above zero";
        let money = Money::from_decimal(value).ok().filter(|money| *money > Money::ZERO);
        money.ok_or(Unrunnable::Range { name, expected, found: value })
    };
    let protective_ppm = number(&row.row, PROTECTIVE)?.map(|percent| {
        let ppm = percent.checked_mul(Decimal::from(10_000)).map(|ppm| ppm.normalize());
        ppm.filter(|ppm| ppm.scale() == 0)
            .and_then(|ppm| u32::try_from(ppm.mantissa()).ok())
            .filter(|ppm| (1..1_000_000).contains(ppm))
            .ok_or(Unrunnable::Range {
                name: PROTECTIVE,
                expected: "a percentage above 0 and below 100",
                found: percent,
            })
    });
    let spec = Spec {
        strategy: row.id.clone(),
        symbol: row.row.text(StrategyRow::SYMBOL)?.into(),
        instrument: Instrument::default(),
        capital: above_zero(CAPITAL, 10_000)?,
        stake: above_zero(STAKE, 25)?,
        fee_ppm: 1_000,
        protective_ppm: protective_ppm.transpose()?,
        generation: 0,
    };
    Ok(Wanted { spec, mode: mode(row) })
}

/// A number that may be missing, but not odd.
fn number(row: &Row, name: &str) -> Result<Option<Decimal>, AttrError> {
    match row.get(name) {
        None => Ok(None),
        Some(_) => row.decimal(name).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trading_core::model::Attr;

    fn row() -> StrategyRow {
        let row = Row::default().with_text("symbol", "X").with_text("status", "RUNNING ");
        StrategyRow { id: "s".into(), row }
    }

    #[test]
    fn a_row_without_numbers_has_defaults_and_odd_ones_are_named() {
        let wanted = |row: &StrategyRow| super::wanted(row, &"paper".into());
        let plain = wanted(&row()).unwrap();
        assert_eq!((plain.mode, plain.spec.stake.to_string().as_str()), (Mode::Running, "25"));
        let mut odd = row();
        odd.row.set(STAKE, Attr::N("-1".to_owned()));
        assert!(matches!(wanted(&odd), Err(Unrunnable::Range { name: STAKE, .. })));
        odd.row.set(STAKE, Attr::Bool(true));
        assert!(matches!(wanted(&odd), Err(Unrunnable::Attribute(_))));
        let mut protected = row();
        protected.row.set(PROTECTIVE, Attr::N("1.5".to_owned()));
        assert_eq!(wanted(&protected).unwrap().spec.protective_ppm, Some(15_000));
        protected.row.set(PROTECTIVE, Attr::N("100".to_owned()));
        assert!(wanted(&protected).is_err());
        let mut elsewhere = row();
        elsewhere.row.set("venue", Attr::text("binance"));
        assert!(matches!(wanted(&elsewhere), Err(Unrunnable::OtherVenue { .. })));
        for name in ["venue", "service"] {
            let mut odd = row();
            odd.row.set(name, Attr::N("7".to_owned()));
            assert!(matches!(wanted(&odd), Err(Unrunnable::Attribute(_))), "{name}");
        }
    }

    #[test]
    fn a_status_that_is_not_understood_never_trades() {
        let mut row = row();
        for (status, expected) in [
            (Attr::text("runing"), Mode::Idle),
            (Attr::N("1".to_owned()), Mode::Idle),
            (Attr::text("stopped"), Mode::Idle),
            (Attr::text("Warmup"), Mode::Warmup),
            (Attr::text("paused"), Mode::Paused),
        ] {
            row.row.set("status", status);
            assert_eq!(mode(&row), expected, "{row:?}");
        }
    }
}
