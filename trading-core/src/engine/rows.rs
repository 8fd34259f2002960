//! From a strategy's row to how it is to be run.

use super::{Mode, Runner, Spec};
use crate::model::{
    AttrError, Instrument, Money, Row, ServiceName, StatusReading, StrategyRow, StrategyStatus,
    VenueName,
};
use rust_decimal::Decimal;

/// Attribute: what one entry is worth at most, in the quote unit.
const STAKE: &str = "stake_amount";
/// Attribute: what the strategy may commit at most, in the quote unit.
const CAPITAL: &str = "capital";
/// Attribute: a stop order rests at the venue this many percent below the entry.
const PROTECTIVE: &str = "protective_stop_pct";

/// What a row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its terms.
    pub spec: Spec,
    /// What its status asks for.
    pub mode: Mode,
}

/// Why a row cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrunnable {
    /// An attribute is missing or odd.
    #[error(transparent)]
    Attribute(#[from] AttrError),
    /// A number is beyond what makes sense.
    #[error("`{name}` should be {expected}, found {found}")]
    Range {
        /// The attribute.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: Decimal,
    },
    /// It is another engine's.
    #[error("it trades at venue `{found}`, and this engine at `{ours}`")]
    OtherVenue {
        /// The row's.
        found: VenueName,
        /// The engine's.
        ours: VenueName,
    },
}

/// Whether a row is for the engine of a service, which has run it as `runner` if at all: it
/// names the service, or names one in a way that nobody understands and has been run here.
/// Letting go of that would leave what it holds to nobody.
pub fn is_run_by(row: &StrategyRow, service: &ServiceName, runner: Option<&Runner>) -> bool {
    match row.service() {
        Some(named) => named == *service,
        None => row.row.get(StrategyRow::SERVICE).is_some() && runner.is_some(),
    }
}

/// How a row is to be run, if at all, by an engine at a venue that has run it as `runner`
/// if at all; and why it cannot be run as it stands, if so. A row that is not understood
/// starts nothing; what is open goes on to be closed under the terms understood last.
pub fn to_run(
    row: &StrategyRow,
    venue: &VenueName,
    runner: Option<&Runner>,
) -> (Option<Wanted>, Option<Unrunnable>) {
    match (wanted(row, venue), row.status()) {
        (Ok(wanted), StatusReading::Known(_)) => (Some(wanted), None),
        (Ok(wanted), StatusReading::Unparsed(_)) => {
            (Some(runner.and_then(|it| to_reduce(row, it)).unwrap_or(wanted)), None)
        }
        (Err(why), _) => (runner.and_then(|it| to_reduce(row, it)), Some(why)),
    }
}

/// Until the row says that it is at rest.
fn to_reduce(row: &StrategyRow, runner: &Runner) -> Option<Wanted> {
    let open = runner.position.quantity.0 != 0 || runner.open_orders().next().is_some();
    let wanted = Wanted { spec: runner.spec.clone(), mode: Mode::Paused };
    (open && !row.status().is_at_rest()).then_some(wanted)
}

/// What the row's status asks for. What is not understood asks for nothing: an engine
/// never trades on a word that it does not know.
fn mode(row: &StrategyRow) -> Mode {
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
fn wanted(row: &StrategyRow, venue: &VenueName) -> Result<Wanted, Unrunnable> {
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
    use crate::model::Attr;

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

    #[test]
    fn what_is_not_understood_starts_nothing_and_says_why() {
        let venue: VenueName = "paper".into();
        let mut odd = row();
        odd.row.set("status", Attr::text("runing"));
        let (wanted, why_not) = to_run(&odd, &venue, None);
        assert_eq!((wanted.map(|it| it.mode), why_not), (Some(Mode::Idle), None));
        let mut unrunnable = row();
        unrunnable.row.set(STAKE, Attr::text("much"));
        let (wanted, why_not) = to_run(&unrunnable, &venue, None);
        assert!(wanted.is_none() && matches!(why_not, Some(Unrunnable::Attribute(_))));
        let mut elsewhere = row();
        elsewhere.row.set("service", Attr::text("other"));
        let mut nobodys = row();
        nobodys.row.set("service", Attr::N("7".to_owned()));
        for row in [row(), elsewhere, nobodys] {
            assert!(!is_run_by(&row, &"engine".into(), None), "{row:?}");
        }
    }
}
