//! Prices, quantities, positions and money as integers. Only checked operations exist.

use crate::instrument::Instrument;
use crate::number::{
    NumberError, format_scaled, format_scaled_short, parse_scaled, parse_scaled_wide, pow10,
};

/// A price: strictly positive, in units of 10^-`price_scale` of the instrument's quote currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Px(i64);

/// A quantity of the base currency: zero or more, in units of 10^-`qty_scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Qty(i64);

/// A signed holding of the base currency, in units of 10^-`qty_scale`. Negative is short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

/// An amount of a quote currency, in units of 10^-18. Exact products of any price and quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub i128);

/// A rate such as a fee, in units of 10^-8 (one basis point = 10 000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub i64);

impl Px {
    /// `None` unless strictly positive.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units > 0 { Some(Self(units)) } else { None }
    }

    /// Reads decimal text at `scale`; zero and below are [`NumberError::Malformed`].
    pub fn parse(text: &str, scale: u8) -> Result<Self, NumberError> {
        Self::new(parse_scaled(text, scale)?).ok_or(NumberError::Malformed)
    }

    /// The number of units.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Decimal text with all `scale` decimals.
    #[must_use]
    pub fn text(self, scale: u8) -> String {
        format_scaled(i128::from(self.0), scale)
    }
}

impl Qty {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `None` if negative.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units >= 0 { Some(Self(units)) } else { None }
    }

    /// Reads decimal text at `scale`; a negative number is [`NumberError::Malformed`].
    pub fn parse(text: &str, scale: u8) -> Result<Self, NumberError> {
        Self::new(parse_scaled(text, scale)?).ok_or(NumberError::Malformed)
    }

    /// The number of units.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum, or `None` on overflow.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Difference, or `None` if `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        Self::new(self.0.saturating_sub(other.0))
    }

    /// Decimal text with all `scale` decimals.
    #[must_use]
    pub fn text(self, scale: u8) -> String {
        format_scaled(i128::from(self.0), scale)
    }
}

impl Position {
    /// Flat.
    pub const FLAT: Self = Self(0);

    /// Position moved by a signed quantity, or `None` on overflow.
    #[must_use]
    pub const fn plus(self, units: i64) -> Option<Self> {
        match self.0.checked_add(units) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Size without sign.
    #[must_use]
    pub const fn magnitude(self) -> Qty {
        Qty(self.0.saturating_abs())
    }

    /// Decimal text with all `scale` decimals.
    #[must_use]
    pub fn text(self, scale: u8) -> String {
        format_scaled(i128::from(self.0), scale)
    }
}

impl Money {
    /// Decimals kept.
    pub const SCALE: u8 = 18;
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `px` × `qty` in the instrument's quote currency; `None` on overflow.
    #[must_use]
    pub fn notional(px: Px, qty: Qty, instrument: &Instrument) -> Option<Self> {
        Self::from_product(i128::from(px.0), i128::from(qty.0), instrument)
    }

    /// `px` × signed `position`; `None` on overflow.
    #[must_use]
    pub fn value(px: Px, position: Position, instrument: &Instrument) -> Option<Self> {
        Self::from_product(i128::from(px.0), i128::from(position.0), instrument)
    }

    fn from_product(px: i128, qty: i128, instrument: &Instrument) -> Option<Self> {
        let places = instrument.price_scale.checked_add(instrument.qty_scale)?;
        let unit = pow10(Self::SCALE.checked_sub(places)?)?;
        px.checked_mul(qty)?.checked_mul(unit).map(Self)
    }

    /// Sum, or `None` on overflow.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Difference, or `None` on overflow.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// `self` × `rate`, rounded away from zero (a fee is never understated); `None` on overflow.
    #[must_use]
    pub fn times(self, rate: Rate) -> Option<Self> {
        let product = self.0.checked_mul(i128::from(rate.0))?;
        let unit = pow10(Rate::SCALE)?;
        let whole = product.checked_div(unit)?;
        let rest = product.checked_rem(unit)?;
        whole.checked_add(rest.signum()).map(Self)
    }

    /// Reads decimal text of up to 18 decimals, exactly.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        parse_scaled_wide(text, Self::SCALE).map(Self)
    }

    /// Decimal text without trailing zeros.
    #[must_use]
    pub fn text(self) -> String {
        format_scaled_short(self.0, Self::SCALE)
    }
}

impl Rate {
    /// Decimals kept.
    pub const SCALE: u8 = 8;

    /// A rate of `bps` basis points.
    #[must_use]
    pub fn from_bps(bps: u32) -> Self {
        Self(i64::from(bps).saturating_mul(10_000))
    }

    /// Reads a decimal fraction such as `"0.001"`; negative rates are [`NumberError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let units = parse_scaled(text, Self::SCALE)?;
        if units < 0 { Err(NumberError::Malformed) } else { Ok(Self(units)) }
    }

    /// Decimal text without trailing zeros.
    #[must_use]
    pub fn text(self) -> String {
        format_scaled_short(i128::from(self.0), Self::SCALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_positive_and_a_quantity_not_negative() {
        assert_eq!(Px::new(0), None);
        assert_eq!(Px::parse("-1", 2), Err(NumberError::Malformed));
        assert_eq!(Qty::new(-1), None);
        assert_eq!(Qty::ZERO.minus(Qty(1)), None);
    }

    #[test]
    fn a_fee_is_rounded_up_and_never_understated() {
        let fee = |units: i128| Money(units).times(Rate(10_000)).map(|m| m.0);
        assert_eq!(fee(1), Some(1));
        assert_eq!(fee(10_000), Some(1));
        assert_eq!(fee(10_001), Some(2));
        assert_eq!(fee(-10_001), Some(-2));
        assert_eq!(fee(i128::MAX), None);
    }

    #[test]
    fn money_is_written_without_noise() {
        assert_eq!(Money::parse("1000.50").map(Money::text), Ok("1000.5".to_owned()));
        assert_eq!(Money::parse("0.0000000000000000001"), Err(NumberError::TooPrecise));
    }
}
