//! What an order claims of the limits while it works.

use portcullis_domain::number::pow10;
use portcullis_domain::{Instrument, InstrumentKind, Money, OrdStatus, Order, Qty, Side};

use crate::assess::with_fee;

/// What one order claims, from its approval to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// FIX 54.
    pub side: Side,
    /// FIX 151: what can still fill.
    pub qty: Qty,
    /// `qty` at the order's reserved price, in the quote currency.
    pub value: Money,
    /// 1 while the order can trade, else 0.
    pub(super) open: u32,
    /// 1 while its fate is not known, else 0.
    pub(super) unknown: u32,
}

impl Claim {
    /// What an order that does not exist yet would claim.
    #[must_use]
    pub const fn new(side: Side, qty: Qty, value: Money) -> Self {
        Self { side, qty, value, open: 1, unknown: 0 }
    }

    /// The claim of `order`; all zero once it has ended, `None` on overflow.
    #[must_use]
    pub fn of(order: &Order, instrument: &Instrument) -> Option<Self> {
        let qty = order.claim_qty();
        Some(Self {
            side: order.intent.side,
            qty,
            value: Money::notional(order.claim_px(), qty, instrument)?,
            open: u32::from(order.status.is_open()),
            unknown: u32::from(order.status == OrdStatus::Unknown),
        })
    }

    /// What it can take out of the account at most, fee included: of the quote currency for a
    /// buy, of the base currency for a sell. A derivative delivers neither. `None` on overflow.
    pub(super) fn reserves(&self, instrument: &Instrument) -> Option<Money> {
        match (instrument.kind, self.side) {
            (InstrumentKind::Spot, Side::Buy) => with_fee(self.value, instrument.taker_fee),
            (InstrumentKind::Spot, Side::Sell) => base_amount(self.qty, instrument),
            (InstrumentKind::Linear, Side::Buy | Side::Sell) => Some(Money::ZERO),
        }
    }
}

/// A base quantity as an amount of money. `None` on overflow.
#[must_use]
pub fn base_amount(qty: Qty, instrument: &Instrument) -> Option<Money> {
    let unit = Money::SCALE.checked_sub(instrument.qty_scale).and_then(pow10)?;
    i128::from(qty.units()).checked_mul(unit).map(Money)
}
