//! A price-time priority matching engine: one instrument, one book, no clock of its own.
//!
//! Better prices trade first, at one price the oldest order does, and a trade happens at the
//! resting order's price. Orders of one owner never trade with each other: the newer one is
//! canceled where it would.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcullis_domain::market::Level;
use portcullis_domain::{Instrument, OrdType, Px, Qty, Side, TimeInForce, WallNs};

use crate::{ShapeFault, check_shape, within_limit};

mod amend;
#[cfg(test)]
mod tests;

pub use amend::AmendRefusal;

/// An order to be matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose it is; orders of one owner do not trade with each other.
    pub owner: u32,
    /// Given by whoever runs the engine; not that of an open order.
    pub id: u64,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59. A market order never rests, whatever stands here.
    pub time_in_force: TimeInForce,
    /// Refused rather than taking anything.
    pub post_only: bool,
    /// FIX 38.
    pub qty: Qty,
    /// FIX 44; present exactly for limit orders.
    pub price: Option<Px>,
}

/// An order in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// As it was submitted, with the terms of its last change.
    pub order: NewOrder,
    /// FIX 151: what can still trade, above zero.
    pub leaves: Qty,
    /// When it was submitted, or when a change last cost it its place.
    pub since: WallNs,
}

/// Why an order was refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RejectReason {
    /// An open order has that id.
    DuplicateId,
    /// Against the instrument's rules.
    Shape(ShapeFault),
    /// Post-only on an order that cannot rest.
    PostOnlyCannotRest,
    /// Post-only, and it would have traded at once.
    PostOnlyWouldTake,
}

impl RejectReason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DuplicateId => "DUPLICATE_ID",
            Self::Shape(fault) => fault.code(),
            Self::PostOnlyCannotRest => "POST_ONLY_CANNOT_REST",
            Self::PostOnlyWouldTake => "POST_ONLY_WOULD_TAKE",
        }
    }
}

/// Why an order ended before it was filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelReason {
    /// Its owner asked.
    Requested,
    /// It may not rest, and nothing was left to take.
    TimeInForce,
    /// It met an older order of its owner.
    SelfMatch,
}

impl CancelReason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::TimeInForce => "TIME_IN_FORCE",
            Self::SelfMatch => "SELF_MATCH",
        }
    }
}

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchEvent {
    /// The order is valid; what follows says whether it traded.
    Accepted {
        /// Its id.
        id: u64,
    },
    /// The order is refused and never existed.
    Rejected {
        /// Its id.
        id: u64,
        /// Why.
        reason: RejectReason,
    },
    /// Two orders traded.
    Trade {
        /// Id of the order that rested.
        maker: u64,
        /// Id of the order that came.
        taker: u64,
        /// FIX 31: the resting order's price.
        px: Px,
        /// FIX 32.
        qty: Qty,
        /// Counted from 1 without a hole.
        trade_id: u64,
        /// Side of the taker.
        aggressor: Side,
        /// When.
        at: WallNs,
    },
    /// An order has other terms now; what follows says whether it traded.
    Amended {
        /// Its id.
        id: u64,
        /// FIX 38, what is filled included.
        qty: Qty,
        /// FIX 44.
        px: Px,
    },
    /// The order ended with something left.
    Canceled {
        /// Its id.
        id: u64,
        /// What was left, above zero.
        leaves: Qty,
        /// Why.
        reason: CancelReason,
    },
}

/// Orders at one price, oldest first. Never kept empty.
type Queue = VecDeque<RestingOrder>;

/// The engine and its book.
#[derive(Debug)]
pub struct Matching {
    instrument: Instrument,
    bids: BTreeMap<Px, Queue>,
    asks: BTreeMap<Px, Queue>,
    /// Where each open order rests.
    places: BTreeMap<u64, (Side, Px)>,
    owners: BTreeMap<u32, BTreeSet<u64>>,
    trades: u64,
}

impl Matching {
    /// An empty book.
    #[must_use]
    pub fn new(instrument: Instrument) -> Self {
        Self {
            instrument,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            places: BTreeMap::new(),
            owners: BTreeMap::new(),
            trades: 0,
        }
    }

    /// Matches an order and rests what is left of it, if it may rest.
    pub fn submit(&mut self, order: NewOrder, now: WallNs) -> Vec<MatchEvent> {
        if let Err(reason) = self.check(&order) {
            return vec![MatchEvent::Rejected { id: order.id, reason }];
        }
        let mut events = vec![MatchEvent::Accepted { id: order.id }];
        self.enter(order, order.qty, now, &mut events);
        events
    }

    /// Lets what is left of an order meet the other side, and rests what is left then, if it may
    /// rest.
    fn enter(&mut self, order: NewOrder, leaves: Qty, now: WallNs, events: &mut Vec<MatchEvent>) {
        let (leaves, met_own) = self.take((&order, leaves), now, events);
        let rests = order.ord_type == OrdType::Limit && order.time_in_force == TimeInForce::Gtc;
        let end = |reason| MatchEvent::Canceled { id: order.id, leaves, reason };
        match order.price {
            _ if leaves.is_zero() => {}
            _ if met_own => events.push(end(CancelReason::SelfMatch)),
            Some(px) if rests => self.rest(px, RestingOrder { order, leaves, since: now }),
            Some(_) | None => events.push(end(CancelReason::TimeInForce)),
        }
    }

    /// Takes an open order back; `None` if no open order has that id.
    pub fn cancel(&mut self, id: u64) -> Option<MatchEvent> {
        let (side, px) = self.places.get(&id).copied()?;
        let queue = self.side_mut(side).get_mut(&px)?;
        let index = queue.iter().position(|resting| resting.order.id == id)?;
        let resting = queue.remove(index)?;
        self.forget(&resting, px);
        let reason = CancelReason::Requested;
        Some(MatchEvent::Canceled { id, leaves: resting.leaves, reason })
    }

    /// Takes all open orders of an owner back, in the order of their ids.
    pub fn cancel_all(&mut self, owner: u32) -> Vec<MatchEvent> {
        let ids = self.owners.get(&owner).cloned().unwrap_or_default();
        ids.into_iter().filter_map(|id| self.cancel(id)).collect()
    }

    /// The best `depth` levels of each side, bids first, each side from the best outwards.
    #[must_use]
    pub fn levels(&self, depth: usize) -> Vec<Level> {
        let bids = self.bids.iter().rev().map(|(px, queue)| (Side::Buy, px, queue)).take(depth);
        let asks = self.asks.iter().map(|(px, queue)| (Side::Sell, px, queue)).take(depth);
        let level = |(side, px, queue): (Side, &Px, &Queue)| {
            let add = |sum: Qty, resting: &RestingOrder| sum.plus(resting.leaves).unwrap_or(sum);
            Level { side, px: *px, qty: queue.iter().fold(Qty::ZERO, add) }
        };
        bids.chain(asks).map(level).collect()
    }

    /// Best price of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Px> {
        let entry = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        entry.map(|(px, _)| *px)
    }

    /// The open order of that id.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<&RestingOrder> {
        let (side, px) = self.places.get(&id)?;
        let levels = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        levels.get(px)?.iter().find(|resting| resting.order.id == id)
    }

    /// The open orders of an owner, by id.
    pub fn open(&self, owner: u32) -> impl Iterator<Item = &RestingOrder> + '_ {
        self.owners.get(&owner).into_iter().flatten().filter_map(|id| self.order(*id))
    }

    fn check(&self, order: &NewOrder) -> Result<(), RejectReason> {
        if self.places.contains_key(&order.id) {
            return Err(RejectReason::DuplicateId);
        }
        self.check_terms(order)
    }

    fn check_terms(&self, order: &NewOrder) -> Result<(), RejectReason> {
        check_shape(&self.instrument, order.ord_type, order.qty, order.price)
            .map_err(RejectReason::Shape)?;
        if !order.post_only {
            return Ok(());
        }
        if order.ord_type == OrdType::Market || order.time_in_force == TimeInForce::Ioc {
            return Err(RejectReason::PostOnlyCannotRest);
        }
        match self.best(order.side.opposite()) {
            Some(px) if within_limit(order.side, order.price, px) => {
                Err(RejectReason::PostOnlyWouldTake)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Trades what is left of `order` as far as it goes: what is left then, and whether its
    /// owner's own order stopped it.
    fn take(
        &mut self,
        (order, mut leaves): (&NewOrder, Qty),
        at: WallNs,
        out: &mut Vec<MatchEvent>,
    ) -> (Qty, bool) {
        let (other, aggressor, taker) = (order.side.opposite(), order.side, order.id);
        while !leaves.is_zero() {
            let Some(px) = self.best(other).filter(|px| within_limit(aggressor, order.price, *px))
            else {
                break;
            };
            let Some(resting) = self.side_mut(other).get_mut(&px).and_then(VecDeque::front_mut)
            else {
                break;
            };
            if resting.order.owner == order.owner {
                return (leaves, true);
            }
            let qty = leaves.min(resting.leaves);
            leaves = leaves.minus(qty).unwrap_or(Qty::ZERO);
            resting.leaves = resting.leaves.minus(qty).unwrap_or(Qty::ZERO);
            let maker = *resting;
            if maker.leaves.is_zero() {
                self.side_mut(other).get_mut(&px).and_then(VecDeque::pop_front);
                self.forget(&maker, px);
            }
            self.trades = self.trades.saturating_add(1);
            let (maker, trade_id) = (maker.order.id, self.trades);
            out.push(MatchEvent::Trade { maker, taker, px, qty, trade_id, aggressor, at });
        }
        (leaves, false)
    }

    fn rest(&mut self, px: Px, resting: RestingOrder) {
        let NewOrder { id, owner, side, .. } = resting.order;
        self.places.insert(id, (side, px));
        self.owners.entry(owner).or_default().insert(id);
        self.side_mut(side).entry(px).or_default().push_back(resting);
    }

    /// Clears the traces of an order that just left its queue.
    fn forget(&mut self, resting: &RestingOrder, px: Px) {
        let NewOrder { id, owner, side, .. } = resting.order;
        self.places.remove(&id);
        if self.side_mut(side).get(&px).is_some_and(VecDeque::is_empty) {
            self.side_mut(side).remove(&px);
        }
        if let Some(ids) = self.owners.get_mut(&owner) {
            ids.remove(&id);
            if ids.is_empty() {
                self.owners.remove(&owner);
            }
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Px, Queue> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}
