//! Shadow fills: what the public market would have given an order that never left.
//!
//! The model, in full:
//! - An order or cancel reaches the venue one latency after it was given; each report is back one
//!   latency after it happened. At equal times the order comes before the market frame.
//! - A marketable order takes displayed quantity, best price first, and never more than is
//!   displayed. What it took is gone until the level shows another quantity.
//! - What is left of a market or immediate-or-cancel order expires. What is left of a limit order
//!   rests behind everything displayed at its price, or, where its price lies deeper than what is
//!   displayed, behind everything displayed there once it shows. Only trades shorten that queue;
//!   quantity that others take back is held to have been behind us.
//! - A change of a resting order at the same price to less keeps its place. Any other makes it a
//!   new arrival: it takes what is displayed within its new limit, and rests behind the rest.
//! - A resting order is filled by trades alone, at its own price: by one at a price worse for the
//!   other side than ours (the market went through us), or by one at our price that took our side,
//!   after the queue. All our fills by one trade together are at most that trade's quantity.
//!
//! So no fill here is one that the recorded market did not have the quantity for. What the model
//! leaves out is our own influence: a real order would have been seen by the others.

mod amend;
mod displayed;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcullis_domain::{
    Amendment, ClOrdId, ExecId, ExecType, ExecutionReport, Instrument, MarketEvent, MarketFrame,
    Money, OrdType, OrderId, Px, Qty, Side, TimeInForce, WallNs,
};

use self::displayed::Displayed;
use crate::{check_shape, is_better};

/// An order as the shadow venue receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShadowOrder {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59. A market order never rests, whatever stands here.
    pub time_in_force: TimeInForce,
    /// FIX 38.
    pub qty: Qty,
    /// FIX 44; present exactly for limit orders.
    pub price: Option<Px>,
}

/// What is on its way to the venue.
#[derive(Debug)]
enum Request {
    Submit(ShadowOrder),
    Amend(Amendment),
    Cancel(ClOrdId),
}

/// An order at the venue that can still trade.
#[derive(Debug)]
struct Working {
    order: ShadowOrder,
    order_id: OrderId,
    leaves: Qty,
    /// Quantity of others that trades first at its price; `None` until that price is displayed.
    ahead: Option<Qty>,
}

/// A venue of one instrument that exists only here.
///
/// Give it every market frame in the order of receipt. What it answers depends on the calls of
/// `submit`, `amend`, `cancel` and `on_market` alone, not on how often
/// [`take_due`](Self::take_due) is called.
#[derive(Debug)]
pub struct ShadowVenue {
    instrument: Instrument,
    latency_ns: i64,
    /// The latest moment that the venue has seen; it never goes back.
    clock: WallNs,
    displayed: Displayed,
    /// In order of arrival, with the time of it.
    inbound: VecDeque<(WallNs, Request)>,
    /// In order of arrival at the venue.
    working: BTreeMap<u64, Working>,
    known: BTreeSet<ClOrdId>,
    orders: u64,
    executions: u64,
    /// In order of being due, with the time of it.
    outbound: VecDeque<(WallNs, ExecutionReport)>,
}

impl ShadowVenue {
    /// A venue that has seen neither market nor order. `latency_ns` is that of each way.
    #[must_use]
    pub fn new(instrument: Instrument, latency_ns: u64) -> Self {
        Self {
            instrument,
            latency_ns: i64::try_from(latency_ns).unwrap_or(i64::MAX),
            clock: WallNs(i64::MIN),
            displayed: Displayed::default(),
            inbound: VecDeque::new(),
            working: BTreeMap::new(),
            known: BTreeSet::new(),
            orders: 0,
            executions: 0,
            outbound: VecDeque::new(),
        }
    }

    /// Sends an order at `at`.
    pub fn submit(&mut self, order: ShadowOrder, at: WallNs) {
        self.send(Request::Submit(order), at);
    }

    /// Sends a change of an order at `at`.
    pub fn amend(&mut self, change: Amendment, at: WallNs) {
        self.send(Request::Amend(change), at);
    }

    /// Sends a cancel at `at`.
    pub fn cancel(&mut self, cl_ord_id: ClOrdId, at: WallNs) {
        self.send(Request::Cancel(cl_ord_id), at);
    }

    /// Lets the market move at `at`. Frames of other instruments are not looked at.
    pub fn on_market(&mut self, frame: &MarketFrame, at: WallNs) {
        if frame.instrument != self.instrument.id {
            return;
        }
        self.arrive(at);
        self.clock = self.clock.max(at);
        if let MarketEvent::Trade { aggressor, px, qty, trade_id: _ } = frame.event {
            self.trade(aggressor, px, qty);
        }
        self.displayed.apply(frame);
        for working in self.working.values_mut().filter(|working| working.ahead.is_none()) {
            working.ahead = working.queue_in(&self.displayed);
        }
    }

    /// The reports that are back by `now`, in order.
    pub fn take_due(&mut self, now: WallNs) -> Vec<ExecutionReport> {
        self.arrive(now);
        let count = self.outbound.partition_point(|(due, _)| *due <= now);
        self.outbound.drain(..count).map(|(_, report)| report).collect()
    }

    /// When the next report will be back, if the market stays as it is.
    #[must_use]
    pub fn next_due(&self) -> Option<WallNs> {
        let report = self.outbound.front().map(|(due, _)| *due);
        let request = self.inbound.front().map(|(due, _)| due.plus_ns(self.latency_ns));
        report.into_iter().chain(request).min()
    }

    /// Requests keep the order in which they were sent, even if the sender's clock went back.
    fn send(&mut self, request: Request, at: WallNs) {
        let arrival = at.plus_ns(self.latency_ns);
        let last = self.inbound.back().map_or(arrival, |(arrival, _)| *arrival);
        self.inbound.push_back((arrival.max(last), request));
    }

    /// Handles what has reached the venue by `now`.
    fn arrive(&mut self, now: WallNs) {
        while self.inbound.front().is_some_and(|(arrival, _)| *arrival <= now) {
            let Some((arrival, request)) = self.inbound.pop_front() else { return };
            self.clock = self.clock.max(arrival);
            match request {
                Request::Submit(order) => self.accept(order),
                Request::Amend(change) => self.change(change),
                Request::Cancel(id) => self.take_back(id),
            }
        }
    }

    fn accept(&mut self, order: ShadowOrder) {
        let id = order.cl_ord_id;
        if !self.known.insert(id) {
            return self.report(id, None, ExecType::Rejected, "DUPLICATE_CL_ORD_ID");
        }
        let shape = check_shape(&self.instrument, order.ord_type, order.qty, order.price);
        if let Err(fault) = shape {
            return self.report(id, None, ExecType::Rejected, fault.code());
        }
        self.orders = self.orders.saturating_add(1);
        let order_id = OrderId(format!("SO-{}", self.orders));
        self.report(id, Some(&order_id), ExecType::New, "");
        self.enter(self.orders, Working { order, order_id, leaves: order.qty, ahead: None });
    }

    /// Lets an order meet what is displayed, and rests what is left of it, if it may rest.
    fn enter(&mut self, number: u64, mut working: Working) {
        let order = working.order;
        for (px, qty) in self.displayed.take(order.side, order.price, working.leaves) {
            self.fill(&mut working, px, qty, false);
        }
        if working.leaves.is_zero() {
            return;
        }
        match (order.ord_type, order.time_in_force, order.price) {
            (OrdType::Limit, TimeInForce::Gtc, Some(_)) => {
                working.ahead = working.queue_in(&self.displayed);
                self.working.insert(number, working);
            }
            (OrdType::Market | OrdType::Limit, TimeInForce::Gtc | TimeInForce::Ioc, _) => {
                let (id, order_id) = (order.cl_ord_id, &working.order_id);
                self.report(id, Some(order_id), ExecType::Expired, "NOTHING_DISPLAYED");
            }
        }
    }

    fn take_back(&mut self, id: ClOrdId) {
        match self.number_of(id).and_then(|number| self.working.remove(&number)) {
            Some(working) => self.report(id, Some(&working.order_id), ExecType::Canceled, ""),
            None => self.report(id, None, ExecType::CancelRejected, "ORDER_NOT_WORKING"),
        }
    }

    fn number_of(&self, id: ClOrdId) -> Option<u64> {
        self.working.iter().find(|(_, w)| w.order.cl_ord_id == id).map(|(number, _)| *number)
    }

    /// Lets a trade of others reach the resting orders, best price first, then oldest.
    fn trade(&mut self, aggressor: Side, px: Px, qty: Qty) {
        let mut rest = qty;
        for number in self.by_priority() {
            let Some(mut working) = self.working.remove(&number) else { continue };
            let part = working.reached_by(aggressor, px, rest);
            if let (Some(own_px), false) = (working.order.price, part.is_zero()) {
                self.fill(&mut working, own_px, part, true);
                rest = rest.minus(part).unwrap_or(Qty::ZERO);
            }
            if !working.leaves.is_zero() {
                self.working.insert(number, working);
            }
        }
    }

    /// Numbers of the working orders, better prices first within a side, older first at a price.
    fn by_priority(&self) -> Vec<u64> {
        let better_first = |w: &Working| {
            let units = w.order.price.map_or(0, Px::units);
            if w.order.side == Side::Buy { units.saturating_neg() } else { units }
        };
        let mut keys: Vec<_> = self.working.iter().map(|(n, w)| (better_first(w), *n)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, number)| number).collect()
    }

    fn fill(&mut self, working: &mut Working, px: Px, qty: Qty, maker: bool) {
        let rate = if maker { self.instrument.maker_fee } else { self.instrument.taker_fee };
        let fee = Money::notional(px, qty, &self.instrument).and_then(|worth| worth.times(rate));
        // A value beyond counting cannot be booked by anyone: such a fill does not happen.
        let (Some(fee), Some(leaves)) = (fee, working.leaves.minus(qty)) else { return };
        working.leaves = leaves;
        self.executions = self.executions.saturating_add(1);
        let exec_id = ExecId(format!("S-{}", self.executions));
        let trade = ExecType::Trade { exec_id, last_px: px, last_qty: qty, fee, maker };
        self.report(working.order.cl_ord_id, Some(&working.order_id), trade, "");
    }

    fn report(&mut self, id: ClOrdId, order_id: Option<&OrderId>, event: ExecType, text: &str) {
        let report = ExecutionReport {
            cl_ord_id: id,
            order_id: order_id.cloned(),
            exec_type: event,
            cum_qty: None,
            transact_time: self.clock,
            text: text.to_owned(),
        };
        self.outbound.push_back((self.clock.plus_ns(self.latency_ns), report));
    }
}

impl Working {
    /// Everything that is displayed at its price.
    fn queue_in(&self, displayed: &Displayed) -> Option<Qty> {
        displayed.qty_at(self.order.side, self.order.price?)
    }

    /// What of a trade of others, at `px` and of `qty`, would have come to this order.
    fn reached_by(&mut self, aggressor: Side, px: Px, qty: Qty) -> Qty {
        let side = self.order.side;
        let Some(own_px) = self.order.price else { return Qty::ZERO };
        if is_better(side, own_px, px) {
            self.ahead = Some(Qty::ZERO);
        } else if own_px != px || aggressor == side {
            return Qty::ZERO;
        }
        let Some(ahead) = self.ahead else { return Qty::ZERO };
        let queue = ahead.min(qty);
        self.ahead = ahead.minus(queue);
        qty.minus(queue).unwrap_or(Qty::ZERO).min(self.leaves)
    }
}
