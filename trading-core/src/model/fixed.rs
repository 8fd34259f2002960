//! Exact numbers: integers with a scale. Inside the engine and the paper venue every
//! price, quantity and amount is one of these; `Decimal` stands only at the border.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Decimals of [`Money`]: enough for price × quantity × fee rate of any instrument whose
/// price and quantity have at most 15 decimals together, so that nothing is ever rounded.
pub const MONEY_DECIMALS: u32 = 18;

/// A price in the smallest steps of its instrument.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub i64);

/// A quantity in the smallest steps of its instrument; negative is short.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(pub i64);

/// An amount in the quote unit, in steps of 10⁻¹⁸.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub i128);

/// A number that does not fit: too fine for its scale, or too great.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} does not fit {decimals} decimals")]
pub struct Unfit {
    /// The number.
    pub value: String,
    /// The scale that it was to have.
    pub decimals: u32,
}

/// The scales of what is traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Decimals of a price.
    pub price_decimals: u32,
    /// Decimals of a quantity.
    pub quantity_decimals: u32,
}

impl Default for Instrument {
    /// A price in thousandths, a quantity in millionths.
    fn default() -> Self {
        Self { price_decimals: 3, quantity_decimals: 6 }
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An exact amount from its decimal form.
    pub fn from_decimal(value: Decimal) -> Result<Self, Unfit> {
        scaled(value, MONEY_DECIMALS).map(Self)
    }
    /// The decimal form, without trailing zeros.
    pub fn to_decimal(self) -> Result<Decimal, Unfit> {
        // A Decimal holds 96 bits; drop the zeros that an exact product rarely needs.
        let (mut digits, mut decimals) = (self.0, MONEY_DECIMALS);
        while decimals > 0 && digits % 10 == 0 {
            digits /= 10;
            decimals -= 1;
        }
        unscaled(digits, decimals)
    }
    /// The sum; saturates far beyond any real amount.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// The difference; saturates far beyond any real amount.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// The part `numerator / denominator`, rounded towards zero.
    #[must_use]
    pub fn part(self, numerator: i64, denominator: i64) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        let (n, d) = (i128::from(numerator), i128::from(denominator));
        // Divide first where the product would not fit; exact wherever it fits.
        Self(self.0.checked_mul(n).map_or_else(|| (self.0 / d).saturating_mul(n), |it| it / d))
    }
    /// The fee on this amount at a rate in parts per million.
    #[must_use]
    pub fn fee(self, rate_ppm: u32) -> Self {
        Self(self.0.saturating_mul(i128::from(rate_ppm)) / 1_000_000)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_decimal() {
            Ok(decimal) => write!(f, "{decimal}"),
            Err(_) => write!(f, "{}e-{MONEY_DECIMALS}", self.0),
        }
    }
}

impl Instrument {
    /// A price from its decimal form.
    pub fn price(&self, value: Decimal) -> Result<Price, Unfit> {
        whole(value, self.price_decimals).map(Price)
    }
    /// A quantity from its decimal form.
    pub fn quantity(&self, value: Decimal) -> Result<Quantity, Unfit> {
        whole(value, self.quantity_decimals).map(Quantity)
    }
    /// The decimal form of a price.
    pub fn price_decimal(&self, price: Price) -> Decimal {
        Decimal::new(price.0, self.price_decimals.min(28))
    }
    /// The decimal form of a quantity.
    pub fn quantity_decimal(&self, quantity: Quantity) -> Decimal {
        Decimal::new(quantity.0, self.quantity_decimals.min(28))
    }
    /// Price × quantity, exact; never negative. Saturates far beyond any real amount.
    pub fn notional(&self, price: Price, quantity: Quantity) -> Money {
        let spare = MONEY_DECIMALS.saturating_sub(self.price_decimals + self.quantity_decimals);
        let product = i128::from(price.0).saturating_mul(i128::from(quantity.0).abs());
        Money(product.saturating_mul(10_i128.saturating_pow(spare)))
    }
    /// The greatest quantity that `amount` buys at `price`, rounded down.
    pub fn affordable(&self, amount: Money, price: Price) -> Quantity {
        let one = self.notional(price, Quantity(1)).0;
        if one <= 0 || amount.0 <= 0 {
            return Quantity(0);
        }
        Quantity(i64::try_from(amount.0 / one).unwrap_or(i64::MAX))
    }
    /// The average price of a lot, to the precision of a `Decimal`; zero for no lot.
    pub fn average(&self, cost: Money, quantity: Quantity) -> Decimal {
        let quantity = self.quantity_decimal(Quantity(quantity.0.saturating_abs()));
        let cost = cost.to_decimal().unwrap_or_default();
        cost.checked_div(quantity).unwrap_or_default().normalize()
    }
    /// The scales leave room for exact money.
    pub fn is_sound(&self) -> bool {
        self.price_decimals + self.quantity_decimals <= MONEY_DECIMALS - 3
    }
}

/// The digits of `value` at a scale, exact.
fn scaled(value: Decimal, decimals: u32) -> Result<i128, Unfit> {
    let unfit = || Unfit { value: value.to_string(), decimals };
    let value = value.normalize();
    let more = decimals.checked_sub(value.scale()).ok_or_else(unfit)?;
    let factor = 10_i128.checked_pow(more).ok_or_else(unfit)?;
    value.mantissa().checked_mul(factor).ok_or_else(unfit)
}

fn whole(value: Decimal, decimals: u32) -> Result<i64, Unfit> {
    let digits = scaled(value, decimals)?;
    i64::try_from(digits).map_err(|_| Unfit { value: value.to_string(), decimals })
}

fn unscaled(digits: i128, decimals: u32) -> Result<Decimal, Unfit> {
    Decimal::try_from_i128_with_scale(digits, decimals)
        .map_err(|_| Unfit { value: digits.to_string(), decimals })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_too_fine_is_refused_not_rounded() {
        let instrument = Instrument::default();
        assert_eq!(instrument.price("341.43".parse().unwrap()), Ok(Price(341_430)));
        assert_eq!(instrument.price("341.4300".parse().unwrap()), Ok(Price(341_430)));
        assert!(instrument.price("341.4301".parse().unwrap()).is_err());
        assert!(instrument.quantity("0.0000001".parse().unwrap()).is_err());
        assert!(instrument.price(Decimal::MAX).is_err());
    }

    #[test]
    fn notional_and_fee_are_exact() {
        let instrument = Instrument::default();
        let notional = instrument.notional(Price(46_377_000), Quantity(539));
        assert_eq!(notional.to_string(), "24.997203");
        assert_eq!(notional.fee(1_000).to_string(), "0.024997203");
        let stake = Money::from_decimal("25".parse().unwrap()).unwrap();
        assert_eq!(instrument.affordable(stake, Price(46_377_000)), Quantity(539));
    }

    proptest! {
        #[test]
        fn decimals_come_back(price in 1_i64..10_000_000_000, quantity in -10_000_000_000_i64..10_000_000_000) {
            let it = Instrument::default();
            prop_assert_eq!(it.price(it.price_decimal(Price(price))), Ok(Price(price)));
            prop_assert_eq!(it.quantity(it.quantity_decimal(Quantity(quantity))), Ok(Quantity(quantity)));
            let money = it.notional(Price(price), Quantity(quantity));
            prop_assert_eq!(Money::from_decimal(money.to_decimal().unwrap()), Ok(money));
        }
        #[test]
        fn affordable_is_the_greatest_that_fits(amount in 1_i128..1_000_000, price in 1_i64..100_000_000) {
            let it = Instrument::default();
            let amount = Money(amount * 1_000_000_000_000_000);
            let quantity = it.affordable(amount, Price(price));
            prop_assert!(it.notional(Price(price), quantity) <= amount);
            prop_assert!(it.notional(Price(price), Quantity(quantity.0 + 1)) > amount);
        }
    }
}
