//! From a quote currency to the account's, always rounded against us.

use portcullis_domain::{Money, Rate};

/// Basis points of the whole.
const WHOLE_BPS: i128 = 10_000;

/// The whole in units of a rate times basis points.
const WHOLE: i128 = 1_000_000_000_000;

/// What one unit of a quote currency is worth in the account's, and how far to mistrust that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    rate: Rate,
    haircut_bps: u32,
}

impl Conversion {
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

/// `amount` by `conversion`. Nothing is nothing in every currency, even in an unknown one.
pub(super) fn converted(
    amount: Money,
    conversion: Option<Conversion>,
    way: fn(Conversion, Money) -> Option<Money>,
) -> Option<Money> {
    if amount == Money::ZERO { Some(amount) } else { way(conversion?, amount) }
}

/// `amount` × `times` / `of` toward zero, and what the division leaves over. Divides first, so that
/// a large amount does not overflow on the way to a result that fits. `None` where it does not, or
/// where `of` is zero.
pub(super) fn share(amount: i128, times: i128, of: i128) -> Option<(i128, i128)> {
    let divided = |number: i128| number.checked_div(of).zip(number.checked_rem(of));
    let (whole, rest) = divided(amount)?;
    let (part, rest) = rest.checked_mul(times).and_then(divided)?;
    let whole = whole.checked_mul(times).and_then(|whole| whole.checked_add(part));
    whole.map(|whole| (whole, rest))
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
        let conversion = Conversion::new(Rate(rate), haircut_bps).unwrap();
        let amount = Money(amount);
        let seen = (conversion.result(amount), conversion.cost(amount));
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
        assert_eq!(Conversion::new(Rate(0), 0), None);
        assert_eq!(Conversion::new(Rate(-1), 0), None);
        assert_eq!(Conversion::new(Rate(100_000_000), 0), Some(Conversion::SAME));
    }

    #[test]
    fn what_fits_is_converted_and_what_does_not_is_none() {
        let large = Money(i128::MAX.checked_div(4).unwrap());
        let double = Conversion::new(Rate(200_000_000), 0).unwrap();
        let whole = large.plus(large);
        assert_eq!(double.result(large), whole);
        assert_eq!(double.cost(large), whole);
        assert_eq!(double.result(Money(i128::MAX)), None);
        assert_eq!(double.cost(Money(i128::MAX)), None);
        assert_eq!(double.cost(Money(i128::MIN)), None);
        let absurd = Conversion::new(Rate(i64::MAX), u32::MAX).unwrap();
        assert_eq!(absurd.result(Money(-999_999_999_999)), None);
        assert_eq!(absurd.result(large), Some(Money::ZERO));
        assert_eq!(Conversion::SAME.result(Money(i128::MAX)), Some(Money(i128::MAX)));
    }

    #[test]
    fn nothing_is_nothing_in_an_unknown_currency() {
        assert_eq!(converted(Money::ZERO, None, Conversion::cost), Some(Money::ZERO));
        assert_eq!(converted(Money(1), None, Conversion::cost), None);
    }

    #[test]
    fn a_share_is_exact_where_the_product_would_overflow() {
        assert_eq!(share(7, 2, 3), Some((4, 2)));
        assert_eq!(share(-7, 2, 3), Some((-4, -2)));
        assert_eq!(share(i128::MAX, 3, 3), Some((i128::MAX, 0)));
        assert_eq!(share(1, 1, 0), None);
        // The whole fits, and the part does; their sum does not.
        assert_eq!(share(4, i128::MAX, 3), None);
        assert_eq!(share(3, i128::MAX, 3), Some((i128::MAX, 0)));
        assert_eq!(share(9, i128::MAX, 3), None);
    }
}
