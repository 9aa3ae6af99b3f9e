//! What the accounts hold. Amounts of every currency are exact to 10^-18.

use std::collections::BTreeMap;

use portcullis_domain::number::pow10;
use portcullis_domain::{Instrument, Money, Px, Qty, Rate, Side, WallNs};
use portcullis_wire::server::executions::{FillView, OrderView};

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Its name in the credential file.
    pub(crate) name: String,
    /// By currency.
    pub(crate) balances: BTreeMap<String, Money>,
    /// When the dead-man switch fires; `None` while it is off.
    pub(crate) dead_man: Option<WallNs>,
}

impl Account {
    pub(crate) fn balance(&self, currency: &str) -> Money {
        self.balances.get(currency).copied().unwrap_or_default()
    }

    /// Books a fill: value and fee in the quote currency, quantity in the base currency.
    pub(crate) fn book(&mut self, side: Side, instrument: &Instrument, fill: &FillView) {
        let FillView { qty, cost: value, fee, .. } = *fill;
        let base = base_amount(qty, instrument);
        match side {
            Side::Buy => {
                self.add(&instrument.base, base);
                self.add(&instrument.quote, Money(value.0.saturating_neg()));
            }
            Side::Sell => {
                self.add(&instrument.base, Money(base.0.saturating_neg()));
                self.add(&instrument.quote, value);
            }
        }
        self.add(&instrument.quote, Money(fee.0.saturating_neg()));
    }

    fn add(&mut self, currency: &str, amount: Money) {
        let balance = self.balances.entry(currency.to_owned()).or_default();
        balance.0 = balance.0.saturating_add(amount.0);
    }
}

/// A quantity as an amount of its currency.
pub(crate) fn base_amount(qty: Qty, instrument: &Instrument) -> Money {
    let unit = pow10(Money::SCALE.saturating_sub(instrument.qty_scale)).unwrap_or(1);
    Money(i128::from(qty.units()).saturating_mul(unit))
}

/// Value of a fill and the fee on it.
pub(crate) fn value_and_fee(
    px: Px,
    qty: Qty,
    instrument: &Instrument,
    rate: Rate,
) -> (Money, Money) {
    let value = Money::notional(px, qty, instrument).unwrap_or(Money(i128::MAX));
    (value, value.times(rate).unwrap_or_default())
}

/// The currency that an order ties up, and how much of it while `leaves` can still trade at `px`.
pub(crate) fn hold(side: Side, leaves: Qty, px: Px, instrument: &Instrument) -> (&str, Money) {
    match side {
        Side::Sell => (&instrument.base, base_amount(leaves, instrument)),
        Side::Buy => {
            let (value, fee) = value_and_fee(px, leaves, instrument, instrument.taker_fee);
            (&instrument.quote, value.plus(fee).unwrap_or(value))
        }
    }
}

/// What an open order ties up; a market order rests never and holds nothing.
pub(crate) fn held_by<'a>(
    order: &OrderView,
    instrument: &'a Instrument,
) -> Option<(&'a str, Money)> {
    let leaves = order.qty.minus(order.cum_qty)?;
    order.price.map(|px| hold(order.side, leaves, px, instrument))
}
