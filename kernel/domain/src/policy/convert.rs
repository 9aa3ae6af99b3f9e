//! Amounts of other currencies in the account's, always rounded against us. Nothing here looks at
//! the age of a price: what needs a fresh one asks for it itself.

use std::collections::BTreeMap;

use super::Limits;
use crate::money::{Money, Rate};
use crate::number::share;

/// Basis points of the whole.
const WHOLE_BPS: i128 = 10_000;

/// The whole in units of a rate times basis points.
const WHOLE: i128 = 1_000_000_000_000;

/// What one unit of a quote currency is worth in the account's, and how far to mistrust that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converter {
    rate: Rate,
    haircut_bps: u32,
}

impl Converter {
    /// For an instrument that is quoted in the account's own currency.
    pub const SAME: Self = Self { rate: Rate(100_000_000), haircut_bps: 0 };

    /// `rate` is in account currency for 1 of quote currency; `None` unless it is above zero.
    /// Exposures, losses and costs grow by `haircut_bps`, profits shrink by it.
    #[must_use]
    pub const fn new(rate: Rate, haircut_bps: u32) -> Option<Self> {
        if rate.0 > 0 { Some(Self { rate, haircut_bps }) } else { None }
    }

    /// A profit or a loss: losses are made larger, profits smaller. `None` on overflow.
    #[must_use]
    pub fn result(self, amount: Money) -> Option<Money> {
        if self == Self::SAME {
            return Some(amount);
        }
        let haircut = i128::from(self.haircut_bps);
        let kept_bps = if amount.0.is_negative() {
            WHOLE_BPS.saturating_add(haircut)
        } else {
            WHOLE_BPS.saturating_sub(haircut).max(0)
        };
        let factor = i128::from(self.rate.0).saturating_mul(kept_bps);
        let (whole, rest) = share(amount.0, factor, WHOLE)?;
        // Toward zero is against us for a profit; a loss goes one further.
        whole.checked_add(rest.signum().min(0)).map(Money)
    }

    /// A cost or an exposure, made larger; what is negative is a gain and made smaller.
    /// `None` on overflow.
    #[must_use]
    pub fn cost(self, amount: Money) -> Option<Money> {
        negated(self.result(negated(amount)?)?)
    }
}

impl Limits {
    /// How amounts of `currency` lead to the account's; `None` where the limits hold no price.
    #[must_use]
    pub fn converter(&self, currency: &str) -> Option<Converter> {
        self.mistrusted(currency, self.rules.conversion_haircut_bps)
    }

    fn mistrusted(&self, currency: &str, haircut_bps: u32) -> Option<Converter> {
        if currency == self.currency {
            return Some(Converter::SAME);
        }
        Converter::new(self.conversions.get(currency)?.rate, haircut_bps)
    }

    /// What the balances that need no market to be valued are worth: those in the account's
    /// currency and in currencies with a price, at that price. A lower bound; `None` on overflow.
    #[must_use]
    pub fn cash_worth(&self, balances: &BTreeMap<String, Money>) -> Option<Money> {
        let mut worth = Money::ZERO;
        for (currency, amount) in balances {
            if let Some(at_price) = self.mistrusted(currency, 0) {
                worth = worth.plus(at_price.result(*amount)?)?;
            }
        }
        Some(worth)
    }
}

fn negated(amount: Money) -> Option<Money> {
    amount.0.checked_neg().map(Money)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rate in units of 10^-8, haircut, amount; then the result and the cost.
    #[track_caller]
    fn check(rate: i64, haircut_bps: u32, amount: i128, expect: (i128, i128)) {
        let converter = Converter::new(Rate(rate), haircut_bps).unwrap();
        let amount = Money(amount);
        let seen = (converter.result(amount), converter.cost(amount));
        assert_eq!(seen, (Some(Money(expect.0)), Some(Money(expect.1))), "{amount:?}");
    }

    #[test]
    fn every_conversion_is_rounded_against_us() {
        check(100_000_000, 0, 7, (7, 7));
        check(50_000_000, 0, 7, (3, 4));
        check(50_000_000, 0, -7, (-4, -3));
        check(50_000_000, 0, 8, (4, 4));
        check(100_000_000, 100, 1_000, (990, 1_010));
        check(100_000_000, 100, -1_000, (-1_010, -990));
        check(100_000_000, 1, 1, (0, 2));
        check(1, 0, 1, (0, 1));
        check(1, 0, -1, (-1, 0));
        check(200_000_000, 20_000, 5, (0, 30));
        check(200_000_000, 20_000, -5, (-30, 0));
    }

    #[test]
    fn a_rate_that_is_not_above_zero_is_none() {
        assert_eq!(Converter::new(Rate(0), 0), None);
        assert_eq!(Converter::new(Rate(-1), 0), None);
        assert_eq!(Converter::new(Rate(100_000_000), 0), Some(Converter::SAME));
    }

    #[test]
    fn what_fits_is_converted_and_what_does_not_is_none() {
        let large = Money(i128::MAX.checked_div(4).unwrap());
        let double = Converter::new(Rate(200_000_000), 0).unwrap();
        let whole = large.plus(large);
        assert_eq!(double.result(large), whole);
        assert_eq!(double.cost(large), whole);
        assert_eq!(double.result(Money(i128::MAX)), None);
        assert_eq!(double.cost(Money(i128::MAX)), None);
        assert_eq!(double.cost(Money(i128::MIN)), None);
        let absurd = Converter::new(Rate(i64::MAX), u32::MAX).unwrap();
        assert_eq!(absurd.result(Money(-999_999_999_999)), None);
        assert_eq!(absurd.result(large), Some(Money::ZERO));
        assert_eq!(Converter::SAME.result(Money(i128::MAX)), Some(Money(i128::MAX)));
    }
}
