//! The simulated venue: the paper exchange's matching, and the truth about the account.
//!
//! It answers honestly. What the house hears of its answers is the line's matter.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{AccountSnapshot, VenueOrder};
use portcullis_domain::number::pow10;
use portcullis_domain::{
    Amendment, ClOrdId, ExecId, ExecType, ExecutionReport, Instrument, MarketEvent, Money, Now,
    OrdType, OrderId, OrderIntent, Px, Qty, Side, TimeInForce, WallNs,
};
use portcullis_paper::{MatchEvent, Matching, NewOrder};

use crate::approvals;
use crate::draw::Draw;

/// Owners in the matching engine.
const MAKERS: u32 = 0;
const OURS: u32 = 1;
const TAKERS: u32 = 2;
/// A request whose deadline lies further ahead comes from a clock that is wrong; the venue refuses
/// it as it refuses one that is late.
const DEADLINE_AHEAD_NS_MAX: i64 = 6_000_000_000;

/// One order of ours, as the venue has it.
#[derive(Clone, Debug)]
struct Held {
    number: u64,
    side: Side,
    qty: Qty,
    cum: Qty,
    price: Option<Px>,
    open: bool,
}

/// What could still come of our open orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) orders: u32,
    pub(crate) buy: i64,
    pub(crate) sell: i64,
}

impl Open {
    pub(crate) fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.buy += other.buy;
        self.sell += other.sell;
    }
}

/// The venue.
#[derive(Debug)]
pub(crate) struct Venue {
    engine: Matching,
    instrument: Instrument,
    orders: BTreeMap<ClOrdId, Held>,
    by_number: BTreeMap<u64, ClOrdId>,
    numbers: u64,
    /// Numbers of the changes that have arrived.
    changes: BTreeSet<usize>,
    fills: Vec<ExecutionReport>,
    balances: BTreeMap<String, Money>,
    deposits: u32,
    position: i64,
    middle: i64,
}

impl Venue {
    pub(crate) fn new() -> Self {
        let instrument = approvals::bounds().instrument;
        Self {
            engine: Matching::new(instrument.clone()),
            instrument,
            orders: BTreeMap::new(),
            by_number: BTreeMap::new(),
            numbers: 0,
            changes: BTreeSet::new(),
            fills: Vec::new(),
            balances: approvals::first_balances(),
            deposits: 0,
            position: 0,
            middle: 10_000,
        }
    }

    pub(crate) fn balances(&self) -> &BTreeMap<String, Money> {
        &self.balances
    }

    /// Books money that comes from outside, in thousandths of the quote currency's unit.
    pub(crate) fn deposit(&mut self, thousandths: i64) {
        let unit = pow10(Money::SCALE - 3).expect("a small power");
        let quote = self.instrument.quote.clone();
        self.balances.entry(quote).or_insert(Money::ZERO).0 += i128::from(thousandths) * unit;
        self.deposits += 1;
    }

    /// How often that happened.
    pub(crate) fn deposits(&self) -> u32 {
        self.deposits
    }

    /// Where the market makers quote around.
    pub(crate) fn middle(&self) -> i64 {
        self.middle
    }

    /// Signed base quantity traded so far.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    pub(crate) fn fills(&self) -> &[ExecutionReport] {
        &self.fills
    }

    /// FIX 14 of an order that arrived.
    pub(crate) fn cum_qty(&self, id: ClOrdId) -> Option<Qty> {
        self.orders.get(&id).map(|order| order.cum)
    }

    /// Ids of every order that ever arrived.
    pub(crate) fn arrived(&self) -> impl Iterator<Item = ClOrdId> + '_ {
        self.orders.keys().copied()
    }

    pub(crate) fn is_open(&self, id: ClOrdId) -> bool {
        self.orders.get(&id).is_some_and(|order| order.open)
    }

    /// Ids of our open orders.
    pub(crate) fn open_ids(&self) -> Vec<ClOrdId> {
        let open = self.orders.iter().filter(|(_, order)| order.open);
        open.map(|(id, _)| *id).collect()
    }

    pub(crate) fn open(&self) -> Open {
        let mut sum = Open::default();
        for order in self.orders.values().filter(|order| order.open) {
            let leaves = order.qty.units() - order.cum.units();
            sum.orders += 1;
            match order.side {
                Side::Buy => sum.buy += leaves,
                Side::Sell => sum.sell += leaves,
            }
        }
        sum
    }

    /// Takes an order, once: the same id again is the same message again.
    pub(crate) fn submit(
        &mut self,
        (id, intent): (ClOrdId, &OrderIntent),
        deadline: WallNs,
        now: WallNs,
    ) -> Vec<ExecutionReport> {
        if self.orders.contains_key(&id) {
            return Vec::new();
        }
        self.numbers += 1;
        let number = self.numbers;
        let (side, qty, cum) = (intent.side, intent.qty, Qty::ZERO);
        let held = Held { number, side, qty, cum, price: intent.price, open: false };
        self.orders.insert(id, held);
        self.by_number.insert(number, id);
        if now > deadline || deadline > now.plus_ns(DEADLINE_AHEAD_NS_MAX) {
            return vec![self.report(id, ExecType::Rejected, now)];
        }
        let order = NewOrder {
            owner: OURS,
            id: number,
            side,
            ord_type: intent.ord_type,
            time_in_force: intent.time_in_force,
            post_only: false,
            qty,
            price: intent.price,
        };
        let events = self.engine.submit(order, now);
        self.follow(events, now)
    }

    /// Changes an order, or says that it will not. The same number again is the same message
    /// again.
    pub(crate) fn amend(
        &mut self,
        (number, change): (usize, Amendment),
        deadline: WallNs,
        now: WallNs,
    ) -> Vec<ExecutionReport> {
        if !self.changes.insert(number) {
            return Vec::new();
        }
        let Amendment { cl_ord_id: id, qty, price } = change;
        let late = now > deadline || deadline > now.plus_ns(DEADLINE_AHEAD_NS_MAX);
        let held = self.orders.get(&id).filter(|order| order.open && !late);
        let amended = held.map(|order| self.engine.amend(order.number, (qty, price), now));
        match amended {
            Some(Ok(events)) => self.follow(events, now),
            Some(Err(_)) | None => vec![self.report(id, ExecType::ReplaceRejected, now)],
        }
    }

    /// What a change that is on its way would add to what can still fill.
    pub(crate) fn added_by(&self, change: Amendment) -> Open {
        let mut sum = Open::default();
        let Some(order) = self.orders.get(&change.cl_ord_id) else { return sum };
        let more = (change.qty.units() - order.qty.units()).max(0);
        match order.side {
            Side::Buy if order.open => sum.buy = more,
            Side::Sell if order.open => sum.sell = more,
            Side::Buy | Side::Sell => {}
        }
        sum
    }

    /// Takes an order back, or says that it cannot.
    pub(crate) fn cancel(&mut self, id: ClOrdId, now: WallNs) -> Vec<ExecutionReport> {
        let number = self.orders.get(&id).map(|order| order.number);
        match number.and_then(|number| self.engine.cancel(number)) {
            Some(event) => self.follow(vec![event], now),
            None => vec![self.report(id, ExecType::CancelRejected, now)],
        }
    }

    pub(crate) fn cancel_all(&mut self, now: WallNs) -> Vec<ExecutionReport> {
        let events = self.engine.cancel_all(OURS);
        self.follow(events, now)
    }

    /// The market makers quote anew somewhere near, which may trade with us.
    pub(crate) fn requote(&mut self, draw: &mut Draw, now: WallNs) -> Vec<ExecutionReport> {
        self.middle = (self.middle / 10 + draw.between(-2, 2)).clamp(950, 1_050) * 10;
        self.engine.cancel_all(MAKERS);
        let mut told = Vec::new();
        for level in 0..3 {
            let away = 10 + 10 * level;
            let (bid, ask) = (self.middle - away, self.middle + away);
            told.extend(self.other(MAKERS, (Side::Buy, bid), draw.between(1, 60) * 1_000, now));
            told.extend(self.other(MAKERS, (Side::Sell, ask), draw.between(1, 60) * 1_000, now));
        }
        told
    }

    /// Somebody takes what is best on one side: in part, wholly, or more than that.
    pub(crate) fn taken(&mut self, draw: &mut Draw, now: WallNs) -> Vec<ExecutionReport> {
        let side = if draw.happens(500) { Side::Buy } else { Side::Sell };
        let Some(best) = self.engine.best(side.opposite()) else { return Vec::new() };
        let qty = draw.between(1, 90) * 1_000;
        self.other(TAKERS, (side, best.units()), qty, now)
    }

    /// An order of somebody else's.
    fn other(
        &mut self,
        owner: u32,
        (side, px): (Side, i64),
        qty: i64,
        now: WallNs,
    ) -> Vec<ExecutionReport> {
        self.numbers += 1;
        let time_in_force = if owner == MAKERS { TimeInForce::Gtc } else { TimeInForce::Ioc };
        let order = NewOrder {
            owner,
            id: self.numbers,
            side,
            ord_type: OrdType::Limit,
            time_in_force,
            post_only: false,
            qty: Qty::new(qty).expect("above zero"),
            price: Px::new(px),
        };
        let events = self.engine.submit(order, now);
        self.follow(events, now)
    }

    /// What matching did, as reports about our orders; truth follows.
    fn follow(&mut self, events: Vec<MatchEvent>, now: WallNs) -> Vec<ExecutionReport> {
        let mut told = Vec::new();
        for event in events {
            match event {
                MatchEvent::Accepted { id } => told.extend(self.moved(id, ExecType::New, now)),
                MatchEvent::Rejected { id, .. } => {
                    told.extend(self.moved(id, ExecType::Rejected, now));
                }
                MatchEvent::Canceled { id, .. } => {
                    told.extend(self.moved(id, ExecType::Canceled, now));
                }
                MatchEvent::Amended { id, qty, px } => {
                    told.extend(self.changed(id, (qty, px), now));
                }
                MatchEvent::Trade { maker, taker, px, qty, trade_id, .. } => {
                    for (number, rested) in [(maker, true), (taker, false)] {
                        let exec_id = ExecId(format!("x{trade_id}"));
                        told.extend(self.filled((number, rested), exec_id, (px, qty), now));
                    }
                }
            }
        }
        told
    }

    fn moved(&mut self, number: u64, exec_type: ExecType, now: WallNs) -> Option<ExecutionReport> {
        let id = *self.by_number.get(&number)?;
        self.orders.get_mut(&id)?.open = exec_type == ExecType::New;
        Some(self.report(id, exec_type, now))
    }

    fn changed(
        &mut self,
        number: u64,
        (qty, price): (Qty, Px),
        now: WallNs,
    ) -> Option<ExecutionReport> {
        let id = *self.by_number.get(&number)?;
        let order = self.orders.get_mut(&id)?;
        (order.qty, order.price) = (qty, Some(price));
        Some(self.report(id, ExecType::Replaced { qty, price }, now))
    }

    fn filled(
        &mut self,
        (number, maker): (u64, bool),
        exec_id: ExecId,
        (last_px, last_qty): (Px, Qty),
        now: WallNs,
    ) -> Option<ExecutionReport> {
        let id = *self.by_number.get(&number)?;
        let order = self.orders.get_mut(&id)?;
        order.cum = order.cum.plus(last_qty).expect("small quantities");
        order.open = order.cum < order.qty;
        let side = order.side;
        let value = Money::notional(last_px, last_qty, &self.instrument).expect("small amounts");
        let rate = if maker { self.instrument.maker_fee } else { self.instrument.taker_fee };
        let fee = value.times(rate).expect("small amounts");
        let signed = side.signed(last_qty);
        self.position += signed;
        let unit = pow10(Money::SCALE - self.instrument.qty_scale).expect("a small power");
        let paid = if side == Side::Buy { -value.0 } else { value.0 };
        let (base, quote) = (self.instrument.base.clone(), self.instrument.quote.clone());
        self.balances.entry(base).or_insert(Money::ZERO).0 += i128::from(signed) * unit;
        self.balances.entry(quote).or_insert(Money::ZERO).0 += paid - fee.0;
        let exec_type = ExecType::Trade { exec_id, last_px, last_qty, fee, maker };
        let told = self.report(id, exec_type, now);
        self.fills.push(told.clone());
        Some(told)
    }

    fn report(&self, id: ClOrdId, exec_type: ExecType, now: WallNs) -> ExecutionReport {
        let order_id = self.orders.get(&id).map(|order| OrderId(format!("V{}", order.number)));
        let cum_qty = self.orders.get(&id).map(|order| order.cum);
        let (transact_time, text) = (now, String::new());
        ExecutionReport { cl_ord_id: id, order_id, exec_type, cum_qty, transact_time, text }
    }

    /// The account as it stands.
    pub(crate) fn snapshot(&self, asked: Now) -> AccountSnapshot {
        let listed = self.orders.iter().filter(|(_, order)| order.open);
        let listed = listed.map(|(id, order)| VenueOrder {
            order_id: OrderId(format!("V{}", order.number)),
            cl_ord_id: Some(*id),
            leaves_qty: order.qty.minus(order.cum).expect("never overfilled"),
            side: Some(order.side),
            price: order.price,
            qty: Some(order.qty),
            cum_qty: Some(order.cum),
        });
        AccountSnapshot {
            asked_at: Some(asked),
            open_orders: listed.collect(),
            fills: self.fills.clone(),
            balances: self.balances.clone(),
            ..AccountSnapshot::default()
        }
    }

    /// Best bid and offer, if there are both.
    pub(crate) fn quote(&self) -> Option<MarketEvent> {
        let (bid, ask) = (self.engine.best(Side::Buy)?, self.engine.best(Side::Sell)?);
        let qty = Qty::new(1_000)?;
        Some(MarketEvent::Quote { bid, bid_qty: qty, ask, ask_qty: qty })
    }

    /// The whole book.
    pub(crate) fn book(&self) -> MarketEvent {
        MarketEvent::Snapshot { levels: self.engine.levels(3) }
    }
}
