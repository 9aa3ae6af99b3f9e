//! The worst-case loss that stands in an approval, for people to weigh before they sign.
//!
//! For each instrument, with all numbers from the limits and the metadata of the same approval:
//!
//! ```text
//! holding = max(position_qty_max, |carried|)
//! value   = ceil(holding / order_qty_max) x order_notional_max
//! loss    = value x (1 + price_collar_bps / 10 000) + 2 x value x taker_fee
//! in the account's currency: loss x rate x (1 + conversion_haircut_bps / 10 000)
//! ```
//!
//! In words: the largest holding, bought with orders as large as they may be and as far from the
//! reference as they may be, is worth nothing afterwards, and both ways cost the taker's fee. The
//! losses of all instruments add up.
//!
//! The loss limits are left out on purpose. They stop new risk when `loss_session_max` is reached;
//! they cannot sell what nobody buys. Where the market goes on trading, they end a session far
//! earlier, so the review shows the smallest of them beside this number. What the formula leaves
//! out too: buying and selling many times over. A session that trades all day can pay fees and
//! spreads more than once, up to the loss limit.

use portcullis_domain::policy::{InstrumentLimits, Limits};
use portcullis_domain::{Instrument, Money, Rate};
use portcullis_statement::Carried;

use super::DraftError;

/// The formula over all instruments, in the account's currency.
pub(crate) fn worst_case(
    instruments: &[Instrument],
    limits: &Limits,
    carried: &[Carried],
) -> Result<Money, DraftError> {
    let mut total = Money::ZERO;
    for instrument in instruments {
        let held = limits.instruments.get(&instrument.id);
        let loss = held.and_then(|held| of_instrument(instrument, held, carried));
        let loss = loss.and_then(|loss| limits.converter(&instrument.quote)?.cost(loss));
        total = loss.and_then(|loss| total.plus(loss)).ok_or_else(|| {
            let symbol = &instrument.symbol;
            let cause = format!("{symbol} has no limits or no price, or numbers too large");
            DraftError::mismatch("WORST_CASE_UNKNOWN", cause)
        })?;
    }
    Ok(total)
}

/// The smallest of the loss limits, at which a session that can still trade comes to an end.
pub(crate) fn loss_limit(limits: &Limits) -> Money {
    let scopes = [&limits.account, &limits.venue, &limits.host];
    let scopes = scopes.map(|scope| scope.activity.loss_session_max);
    scopes.into_iter().min().unwrap_or(Money::ZERO)
}

fn of_instrument(
    instrument: &Instrument,
    limits: &InstrumentLimits,
    carried: &[Carried],
) -> Option<Money> {
    let position = carried.iter().find(|carried| carried.instrument == instrument.id);
    let position = position.map_or(0, |carried| carried.position.magnitude().units());
    let holding = i128::from(limits.position_qty_max.units().max(position));
    let order = i128::from(limits.order_qty_max.units());
    let orders = holding.checked_add(order)?.checked_sub(1)?.checked_div(order)?;
    let value = Money(limits.order_notional_max.0.checked_mul(orders)?);
    let slip = value.times(Rate::from_bps(limits.price_collar_bps))?;
    let fee = value.times(instrument.taker_fee)?;
    value.plus(slip)?.plus(fee)?.plus(fee)
}

#[cfg(test)]
mod tests {
    use portcullis_domain::{InstrumentId, InstrumentKind, Position, Px, Qty};

    use super::*;
    use crate::testing::wide_limits;

    fn instrument(id: u32, quote: &str) -> Instrument {
        Instrument {
            id: InstrumentId(id),
            symbol: format!("X{id}"),
            venue_symbol: format!("V{id}"),
            base: "X".into(),
            quote: quote.into(),
            kind: InstrumentKind::Spot,
            price_scale: 2,
            qty_scale: 2,
            tick: Px::new(1).unwrap(),
            lot: Qty::new(1).unwrap(),
            qty_min: Qty::new(1).unwrap(),
            notional_min: Money::ZERO,
            maker_fee: Rate(0),
            taker_fee: Rate::parse("0.001").unwrap(),
        }
    }

    fn limits(instruments: &[Instrument]) -> Limits {
        let mut limits = wide_limits(instruments, &[]);
        for of in limits.instruments.values_mut() {
            of.order_qty_max = Qty::new(40).unwrap();
            of.order_notional_max = Money::parse("4000").unwrap();
            of.position_qty_max = Qty::new(100).unwrap();
        }
        limits
    }

    #[track_caller]
    fn check(instruments: &[Instrument], carried: &[Carried], expect: Result<&str, &str>) {
        let loss = worst_case(instruments, &limits(instruments), carried);
        let seen = loss.map(Money::text).map_err(|error| error.code());
        assert_eq!(seen, expect.map(str::to_owned));
    }

    #[test]
    fn the_formula_is_the_one_in_the_text() {
        // ceil(1.00 / 0.40) = 3 orders of 4000 = 12000; collar 120; fees 2 x 12.
        check(&[instrument(0, "USD")], &[], Ok("12144"));
        check(&[instrument(0, "USD"), instrument(1, "USD")], &[], Ok("24288"));
        // A carried holding above the limit counts as it is: ceil(2.00 / 0.40) = 5 orders.
        let position = Position(-200);
        let carried = [Carried { instrument: InstrumentId(0), position, avg_px: None }];
        check(&[instrument(0, "USD")], &carried, Ok("20240"));
    }

    #[test]
    fn other_currencies_count_in_the_accounts_with_the_haircut_on_top() {
        let two = [instrument(0, "USD"), instrument(1, "EUR")];
        check(&two, &[], Ok("24288"));
        let mut limits = limits(&two);
        limits.rules.conversion_haircut_bps = 100;
        limits.conversions.get_mut("EUR").unwrap().rate = Rate::parse("1.1").unwrap();
        // 12144 + 12144 x 1.1 x 1.01.
        assert_eq!(worst_case(&two, &limits, &[]).unwrap().text(), "25635.984");
        limits.conversions.clear();
        assert_eq!(worst_case(&two, &limits, &[]).unwrap_err().code(), "WORST_CASE_UNKNOWN");
    }

    #[test]
    fn what_has_no_limits_has_no_worst_case_and_the_loss_limit_is_the_smallest() {
        let one = [instrument(0, "USD")];
        let mut limits = limits(&one);
        limits.host.activity.loss_session_max = Money::parse("50").unwrap();
        assert_eq!(loss_limit(&limits).text(), "50");
        limits.instruments.clear();
        assert_eq!(worst_case(&one, &limits, &[]).unwrap_err().code(), "WORST_CASE_UNKNOWN");
    }
}
