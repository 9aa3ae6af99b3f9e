//! The worst-case loss that stands in an approval, for people to weigh before they sign.
//!
//! For each instrument, with all numbers from the limits and the metadata of the same approval:
//!
//! ```text
//! holding = max(position_qty_max, |carried|)
//! value   = ceil(holding / order_qty_max) x order_notional_max
//! loss    = value x (1 + price_collar_bps / 10 000) + 2 x value x taker_fee
//! ```
//!
//! In words: the largest holding, bought with orders as large as they may be and as far from the
//! reference as they may be, is worth nothing afterwards, and both ways cost the taker's fee. The
//! losses of all instruments add up. What it leaves out: buying and selling many times over. A
//! session that trades all day can pay fees and spreads more than once.

use portcullis_domain::policy::{InstrumentLimits, Limits};
use portcullis_domain::{Instrument, Money, Rate};
use portcullis_statement::Carried;

use super::DraftError;

/// The formula over all instruments, which must share one quote currency.
pub(super) fn worst_case(
    instruments: &[Instrument],
    limits: &Limits,
    carried: &[Carried],
) -> Result<Money, DraftError> {
    let mut total = Money::ZERO;
    let quote = instruments.first().map(|instrument| &instrument.quote);
    for instrument in instruments {
        if Some(&instrument.quote) != quote {
            let cause = "losses in two currencies do not add up: one session per quote currency";
            return Err(DraftError::mismatch("WORST_CASE_CURRENCIES", cause));
        }
        let held = limits.instruments.get(&instrument.id);
        let loss = held.and_then(|limits| of_instrument(instrument, limits, carried));
        let sum = loss.and_then(|loss| total.plus(loss));
        total = sum.ok_or_else(|| {
            let cause = format!("{} has no limits, or numbers too large", instrument.symbol);
            DraftError::mismatch("WORST_CASE_UNKNOWN", cause)
        })?;
    }
    Ok(total)
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
    use std::collections::BTreeMap;

    use portcullis_domain::policy::AccountLimits;
    use portcullis_domain::{InstrumentId, InstrumentKind, Position, Px, Qty};

    use super::*;

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
        let of = InstrumentLimits {
            order_qty_max: Qty::new(40).unwrap(),
            order_notional_max: Money::parse("4000").unwrap(),
            position_qty_max: Qty::new(100).unwrap(),
            price_collar_bps: 100,
            market_data_age_ms_max: 1,
        };
        let account = AccountLimits { open_orders_max: 1, messages_per_second_max: 1 };
        let of = |instrument: &Instrument| (instrument.id, of.clone());
        Limits { account, instruments: instruments.iter().map(of).collect() }
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
        check(&[], &[], Ok("0"));
    }

    #[test]
    fn what_does_not_add_up_is_not_added() {
        let two = [instrument(0, "USD"), instrument(1, "EUR")];
        check(&two, &[], Err("WORST_CASE_CURRENCIES"));
        let none = Limits { instruments: BTreeMap::new(), ..limits(&[]) };
        let loss = worst_case(&[instrument(0, "USD")], &none, &[]);
        assert_eq!(loss.unwrap_err().code(), "WORST_CASE_UNKNOWN");
    }
}
