//! Where the paper venue's prices come from: an integer random walk from a seed, or the
//! closes of a recorded series. The price of a step depends on nothing but the seed, the
//! symbol and the steps before it.

use crate::model::{Instrument, Price, Symbol};

/// A recorded series of closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    closes: Vec<Price>,
}

/// A series that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The first line does not name the column.
    #[error("the first line names no column `close`")]
    NoCloseColumn,
    /// A row cannot be read.
    #[error("line {line}: `{text}` is not a price with at most {decimals} decimals above zero")]
    BadRow {
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        text: String,
        /// The decimals of a price.
        decimals: u32,
    },
    /// No rows.
    #[error("the series has no rows")]
    Empty,
}

impl Series {
    /// Reads comma-separated text whose first line names the columns; `close` is used.
    pub fn from_csv(text: &str, instrument: &Instrument) -> Result<Self, MarketError> {
        let mut lines = text.lines().enumerate();
        let header = lines.next().map(|(_, line)| line).ok_or(MarketError::Empty)?;
        let column = header
            .split(',')
            .position(|name| name.trim().eq_ignore_ascii_case("close"))
            .ok_or(MarketError::NoCloseColumn)?;
        let mut closes = Vec::new();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let field = line.split(',').nth(column).unwrap_or_default().trim();
            let price = field.parse().ok().and_then(|value| instrument.price(value).ok());
            let price = price.filter(|price| price.0 > 0).ok_or_else(|| MarketError::BadRow {
                line: index + 1,
                text: field.to_owned(),
                decimals: instrument.price_decimals,
            })?;
            closes.push(price);
        }
        if closes.is_empty() { Err(MarketError::Empty) } else { Ok(Self { closes }) }
    }
    /// How many bars it has.
    pub fn len(&self) -> usize {
        self.closes.len()
    }
    /// Never so: a series has at least one bar.
    pub fn is_empty(&self) -> bool {
        self.closes.is_empty()
    }
    /// The close of a row; the series begins again after its end.
    pub fn close(&self, row: u64) -> Price {
        let length = u64::try_from(self.closes.len()).unwrap_or(u64::MAX).max(1);
        let index = usize::try_from(row % length).unwrap_or(0);
        self.closes.get(index).copied().unwrap_or_default()
    }
}

/// One symbol's market. Its whole state is two numbers, so it is stored with each batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    key: u64,
    /// How many steps it has made.
    pub step: u64,
    /// The last close.
    pub price: Price,
}

impl Market {
    /// The market of a symbol before its first step.
    pub fn new(seed: u64, symbol: &Symbol, instrument: &Instrument) -> Self {
        let key = symbol.as_str().bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)));
        // Between 20 and 60,000 in the quote unit, by the symbol.
        let unit = 10_i64.saturating_pow(instrument.price_decimals);
        let whole = 20 + i64::try_from(mix(key ^ 1) % 59_980).unwrap_or(0);
        Self { key, step: 0, price: Price(whole.saturating_mul(unit)) }
    }
    /// The same market where it stood before.
    #[must_use]
    pub fn at(self, step: u64, price: Price) -> Self {
        Self { step, price, ..self }
    }
    /// One step of the walk: up to 0.45 % either way, pulled back when it has halved or
    /// doubled since its start.
    pub fn walk(&mut self, origin: Price) -> Price {
        self.step = self.step.saturating_add(1);
        let draw = i64::try_from(mix(self.key ^ mix(self.step)) % 901).unwrap_or(450) - 450;
        let pull = if self.price.0 < origin.0 / 2 {
            60
        } else if self.price.0 / 2 > origin.0 {
            -60
        } else {
            0
        };
        let moved = i128::from(self.price.0) * i128::from(draw + pull) / 100_000;
        let next = i128::from(self.price.0).saturating_add(moved).max(1);
        self.price = Price(i64::try_from(next).unwrap_or(i64::MAX));
        self.price
    }
    /// One step of a recorded series; each symbol begins at its own row.
    pub fn replay(&mut self, series: &Series) -> Price {
        let length = u64::try_from(series.len()).unwrap_or(u64::MAX).max(1);
        self.price = series.close((self.key % length).wrapping_add(self.step));
        self.step = self.step.saturating_add(1);
        self.price
    }
}

/// Spreads the bits of a number (the finaliser of a 64-bit counter-based generator).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
