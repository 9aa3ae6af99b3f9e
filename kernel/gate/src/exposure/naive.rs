//! The book as one would write it without thinking of time: lists, added up at every question.
//!
//! It shares no arithmetic with the book. Profit is cash plus value, a conversion is one division.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums that can be read; the numbers of the tests are small, and an overflow panics"
)]

use std::collections::BTreeMap;

use portcullis_domain::{InstrumentId, InstrumentKind, OrdStatus, Order, Origin, Px, Qty, Side};

use super::testing::instruments;
use super::{Holding, Owner, Traded};

/// One unit of price times one of quantity, in units of money.
const UNIT: i128 = 10_000_000_000_000;

/// What happened so far.
#[derive(Clone, Default)]
pub(super) struct Naive {
    pub(super) orders: Vec<Order>,
    pub(super) trades: Vec<Traded>,
    /// What was stated, and how many trades there were before.
    pub(super) seeds: BTreeMap<InstrumentId, (usize, Holding)>,
    pub(super) marks: BTreeMap<InstrumentId, Px>,
}

/// What a cell must say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expect {
    pub(super) position: i128,
    /// Realised profit less cost.
    pub(super) cash: i128,
    pub(super) paid: i128,
    pub(super) buys: (i128, i128),
    pub(super) sells: (i128, i128),
    pub(super) open: u32,
    pub(super) unknown: u32,
    pub(super) exposure: Option<i128>,
    pub(super) pnl: Option<i128>,
    pub(super) fees: Option<i128>,
}

fn counts(owner: Owner, origin: Origin) -> bool {
    match owner {
        Owner::Whole => true,
        Owner::Strategy(plugin) => origin == Origin::Plugin(plugin),
    }
}

fn signed(side: Side, qty: Qty) -> i128 {
    i128::from(match side {
        Side::Buy => qty.units(),
        Side::Sell => -qty.units(),
    })
}

fn open_units(order: &Order) -> i128 {
    i128::from(order.intent.qty.units() - order.cum_qty.units())
}

/// A result in the account's currency: rate and haircut as `testing::instruments` has them.
fn converted(instrument: InstrumentId, amount: i128) -> Option<i128> {
    let (rate, haircut) = match instrument.0 {
        0 => (100_000_000, 0),
        1 => (108_370_001, 50),
        2 => (310_712_345_679, 300),
        _ if amount == 0 => return Some(0),
        _ => return None,
    };
    let kept = if amount < 0 { 10_000 + haircut } else { 10_000 - haircut };
    Some((amount * rate * kept).div_euclid(1_000_000_000_000))
}

impl Naive {
    pub(super) fn expect(&self, owner: Owner, instrument: InstrumentId) -> Expect {
        let mut sum = Expect::default();
        let mut told = 0;
        if let (Owner::Whole, Some((trades, seed))) = (owner, self.seeds.get(&instrument)) {
            told = *trades;
            sum.position = seed.position.0.into();
            sum.cash = seed.realised.0 - seed.cost.0;
            sum.paid = seed.fees.0;
        }
        let ours = |origin, id| counts(owner, origin) && id == instrument;
        for trade in self.trades.iter().skip(told).filter(|t| ours(t.origin, t.instrument)) {
            let moved = signed(trade.side, trade.qty);
            sum.position += moved;
            sum.cash -= moved * i128::from(trade.px.units()) * UNIT;
            sum.paid += trade.fee.0;
        }
        for order in self.open().filter(|o| ours(o.intent.origin, o.intent.instrument)) {
            let units = open_units(order);
            let side = if order.intent.side == Side::Buy { &mut sum.buys } else { &mut sum.sells };
            side.0 += units;
            side.1 += units * i128::from(order.reserve_px.units()) * UNIT;
            sum.open += 1;
            sum.unknown += u32::from(order.status == OrdStatus::Unknown);
        }
        let mark = self.marks.get(&instrument).map(|px| i128::from(px.units()));
        let known = sum.position == 0 || (mark.is_some() && converted(instrument, 1).is_some());
        if known {
            let held = sum.position * mark.unwrap_or(0) * UNIT;
            let reach = (held + sum.buys.1).abs().max((held - sum.sells.1).abs());
            sum.exposure = converted(instrument, -reach).map(|amount| -amount);
            sum.pnl = converted(instrument, sum.cash - sum.paid + held);
        }
        sum.fees = converted(instrument, -sum.paid).map(|amount| -amount);
        sum
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| order.status.is_open())
    }

    pub(super) fn would_cross(&self, id: InstrumentId, side: Side, price: Option<Px>) -> bool {
        self.open().any(|order| {
            let meets = match (order.intent.price, price) {
                (Some(own), Some(price)) if side == Side::Buy => own <= price,
                (Some(own), Some(price)) => own >= price,
                (None, _) | (_, None) => true,
            };
            order.intent.instrument == id && order.intent.side != side && meets
        })
    }

    /// What working orders can take of a currency.
    pub(super) fn reserved(&self, currency: &str) -> i128 {
        let (instruments, _) = instruments();
        let of = |order: &Order| {
            let instrument = &instruments[usize::try_from(order.intent.instrument.0).unwrap()];
            let (units, px) = (open_units(order), i128::from(order.reserve_px.units()));
            match (instrument.kind, order.intent.side) {
                (InstrumentKind::Linear, _) => 0,
                // 20 basis points more, rounded up.
                (_, Side::Buy) if instrument.quote == currency => {
                    units * px * UNIT + (units * px * UNIT * 20 + 9_999) / 10_000
                }
                (_, Side::Sell) if instrument.base == currency => units * 1_000_000_000_000_000,
                (_, Side::Buy | Side::Sell) => 0,
            }
        };
        self.open().map(of).sum()
    }

    pub(super) fn held(&self) -> Vec<InstrumentId> {
        let held = |id: &InstrumentId| self.expect(Owner::Whole, *id).position != 0;
        (0..4).map(InstrumentId).filter(held).collect()
    }
}
