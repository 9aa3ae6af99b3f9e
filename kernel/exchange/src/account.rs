//! What the accounts hold. Amounts of every currency are exact to 10^-18.

use std::collections::BTreeMap;

use portcullis_domain::number::pow10;
use portcullis_domain::{Instrument, Money, Px, Qty, Rate, Side, WallNs};
use portcullis_wire::server::executions::{FillView, OrderView};
use portcullis_wire::server::rest::LedgerView;

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Its name in the credential file.
    pub(crate) name: String,
    /// By currency.
    pub(crate) balances: BTreeMap<String, Money>,
    /// When the dead-man switch fires; `None` while it is off.
    pub(crate) dead_man: Option<WallNs>,
    /// Everything that moved a balance, the oldest first.
    pub(crate) ledger: Vec<LedgerView>,
}

/// An entry of the ledger before it is booked.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    pub(crate) id: String,
    /// The fill or the transfer that it belongs to.
    pub(crate) ref_id: String,
    pub(crate) at: WallNs,
    /// The venue's word.
    pub(crate) kind: &'static str,
    pub(crate) amount: Money,
    pub(crate) fee: Money,
}

impl Account {
    pub(crate) fn balance(&self, currency: &str) -> Money {
        self.balances.get(currency).copied().unwrap_or_default()
    }

    /// Books a fill under the ids of its two entries: quantity in the base currency, value and fee
    /// in the quote currency.
    pub(crate) fn book(
        &mut self,
        side: Side,
        instrument: &Instrument,
        fill: &FillView,
        [base_id, quote_id]: [String; 2],
    ) {
        let minus = |amount: Money| Money(amount.0.saturating_neg());
        let (base, value) = (base_amount(fill.qty, instrument), fill.cost);
        let (base, value) = match side {
            Side::Buy => (base, minus(value)),
            Side::Sell => (minus(base), value),
        };
        let booking = |id, amount, fee| {
            let ref_id = fill.exec_id.clone();
            Booking { id, ref_id, at: fill.at, kind: "trade", amount, fee }
        };
        self.post(&instrument.base, booking(base_id, base, Money::ZERO));
        self.post(&instrument.quote, booking(quote_id, value, fill.fee));
    }

    /// Moves a balance and writes the entry that says so.
    pub(crate) fn post(&mut self, currency: &str, booking: Booking) {
        let Booking { id, ref_id, at, kind, amount, fee } = booking;
        let held = self.balances.entry(currency.to_owned()).or_default();
        held.0 = held.0.saturating_add(amount.0).saturating_sub(fee.0);
        let (balance, currency) = (*held, currency.to_owned());
        self.ledger.push(LedgerView { id, ref_id, at, kind, currency, amount, fee, balance });
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
