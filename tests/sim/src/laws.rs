//! The invariants that are measured outside of the house: at the wire and at the venue.
//!
//! - I1: no order on the wire without a durable `ordered` entry.
//! - I2: each id is on the wire as a new order at most once.
//! - I3: position, open orders and orders in flight are within every limit, worst case, at the
//!   venue's own truth.
//! - I4: after `close_gate` has returned nothing leaves, until two people lift the kill, but what a
//!   plan or a person leaves the position by. The same for a smaller stop and its scope: under a
//!   cancel-all nothing else, below it nothing that is not a reduction at the venue's own truth. A
//!   slice of a plan never turns the position round, stop or none.
//! - I5: every open order of ours at the venue is known to the house, or is taken back, within a
//!   number of readings of the account.
//! - I6: every fill is booked exactly once: when all is quiet, house and venue agree to the unit,
//!   and nothing that an honest venue says was called a fault.
//! - I7 and I12 stand in `replay.rs`; I10 (what was durable is there after a crash) in `house.rs`.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::Core;
use portcullis_domain::{
    Amendment, ClOrdId, Money, OrderIntent, Origin, Px, Side, StopMode, WallNs,
};

use crate::approvals::Bounds;
use crate::line::{Line, Request};
use crate::stops::StopBook;
use crate::venue::{Open, Venue};

/// Readings of the account within which a stray order has to be on its way out.
const STRAY_READINGS_MAX: u32 = 30;

/// Everything that ever left the house, over all of its runs.
#[derive(Debug)]
pub(crate) struct Wire {
    bounds: Bounds,
    sent: BTreeMap<ClOrdId, u32>,
    /// Who asked for what left, and its side.
    asked: BTreeMap<ClOrdId, (Origin, Side)>,
    changed: BTreeMap<ClOrdId, usize>,
    canceled: BTreeSet<ClOrdId>,
    strays: BTreeMap<ClOrdId, u32>,
    broken: Option<String>,
    /// Planted: orders to be sent once more.
    pub(crate) again: Vec<Request>,
}

/// What the laws know at the moment at which something leaves.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// How many durable entries say yes to it.
    pub(crate) durable: usize,
    pub(crate) gate_closed: bool,
    pub(crate) stops: StopBook,
    pub(crate) by_hand: BTreeSet<ClOrdId>,
    /// Held at the venue.
    pub(crate) held: i64,
    /// Of ours at the venue and on the way there.
    pub(crate) working: Open,
}

impl Moment {
    /// Whether so much more on that side can only make the position smaller.
    fn reduces(&self, side: Side, more: i64) -> bool {
        match side {
            Side::Sell => self.working.sell + more <= self.held,
            Side::Buy => self.working.buy + more <= -self.held,
        }
    }

    /// I4, for what one of the house's own asks for.
    fn forbids(&self, origin: Origin, side: Side, more: i64) -> Option<&'static str> {
        let reduces = self.reduces(side, more);
        let leaves = matches!(origin, Origin::House | Origin::Person) && reduces;
        match self.stops.over(origin) {
            _ if origin == Origin::House && !reduces => Some("turns the position round"),
            _ if self.gate_closed && !leaves => Some("left behind a closed gate"),
            Some(StopMode::CancelAll) if !leaves => Some("left under a cancel-all"),
            Some(_) if !reduces => Some("increases under a stop"),
            _ => None,
        }
    }
}

impl Wire {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            sent: BTreeMap::new(),
            asked: BTreeMap::new(),
            changed: BTreeMap::new(),
            canceled: BTreeSet::new(),
            strays: BTreeMap::new(),
            broken: None,
            again: Vec::new(),
        }
    }

    /// Orders that left.
    pub(crate) fn orders(&self) -> usize {
        self.sent.len()
    }

    /// A new order leaves: I1, I2, I4 and the limits of one order.
    pub(crate) fn left(&mut self, id: ClOrdId, intent: &OrderIntent, moment: &Moment) {
        self.asked.insert(id, (intent.origin, intent.side));
        let times = self.sent.entry(id).or_insert(0);
        *times += 1;
        let again = *times > 1;
        let limits = &self.bounds.limits;
        let value = |px: Px| Money::notional(px, intent.qty, &self.bounds.instrument);
        let dear = intent.price.and_then(value).is_some_and(|v| v > limits.order_notional_max);
        let forbidden = moment.forbids(intent.origin, intent.side, intent.qty.units());
        if moment.durable == 0 {
            self.breaks(format!("I1 {id} left without a durable entry"));
        } else if intent.origin == Origin::Person && !moment.by_hand.contains(&id) {
            self.breaks(format!("I1 {id} left by hand without a yes"));
        } else if again {
            self.breaks(format!("I2 {id} left twice"));
        } else if let Some(what) = forbidden {
            self.breaks(format!("I4 {id} {what}: {:?} {moment:?}", intent.origin));
        } else if intent.qty > limits.order_qty_max || dear {
            self.breaks(format!("I3 {id} is larger than one order may be"));
        }
    }

    /// A change of an order leaves, which adds so much to what is at the venue: I1, I2, I4 and the
    /// limits of one order.
    pub(crate) fn change_left(&mut self, change: Amendment, more: i64, moment: &Moment) {
        let id = change.cl_ord_id;
        let times = self.changed.entry(id).or_insert(0);
        *times += 1;
        let limits = &self.bounds.limits;
        let asked = self.asked.get(&id);
        let forbidden = asked.and_then(|(origin, side)| moment.forbids(*origin, *side, more));
        if *times > moment.durable {
            self.breaks(format!("I1 a change of {id} left without a durable entry"));
        } else if let Some(what) = forbidden {
            self.breaks(format!("I4 a change of {id} {what}: {moment:?}"));
        } else if change.qty > limits.order_qty_max {
            self.breaks(format!("I3 {id} is changed to more than one order may be"));
        }
    }

    /// Changes that left.
    pub(crate) fn changes(&self) -> usize {
        self.changed.values().sum()
    }

    /// Somebody in the house wants one order back, or all of them.
    pub(crate) fn taken_back(&mut self, id: Option<ClOrdId>) {
        match id {
            Some(id) => {
                self.canceled.insert(id);
            }
            None => self.canceled.extend(self.sent.keys().copied()),
        }
    }

    /// What can still come of orders of ours, at the venue and on the way there.
    pub(crate) fn working((venue, line): (&Venue, &Line), venue_now: WallNs) -> Open {
        let mut working = venue.open();
        working.add(in_flight((venue, line), venue_now));
        working
    }

    fn breaks(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    /// After every step: whatever was broken at the wire, and I3.
    pub(crate) fn check(
        &mut self,
        (venue, line): (&Venue, &Line),
        venue_now: WallNs,
    ) -> Result<(), String> {
        if let Some(broken) = self.broken.take() {
            return Err(broken);
        }
        let flight = in_flight((venue, line), venue_now);
        let (open, held) = (venue.open(), venue.position());
        let max = self.bounds.limits.position_qty_max.units();
        let (long, short) = (held + open.buy + flight.buy, open.sell + flight.sell - held);
        if long > max || short > max {
            let parts = format!("held {held}, open {open:?}, in flight {flight:?}");
            return Err(format!("I3 exposure above {max}: {parts}"));
        }
        if open.orders + flight.orders > self.bounds.open_orders_max {
            let (open, flight) = (open.orders, flight.orders);
            return Err(format!("I3 too many orders: {open} open, {flight} in flight"));
        }
        let short_of = venue.balances().iter().find(|(_, amount)| **amount < Money::ZERO);
        match short_of {
            Some((currency, amount)) => {
                Err(format!("I3 the balance of {currency} is {}", amount.text()))
            }
            None => Ok(()),
        }
    }

    /// At every reading of the account that reaches the house: I5.
    pub(crate) fn read(&mut self, venue: &Venue, core: &Core) -> Result<(), String> {
        let open = venue.open_ids();
        self.strays.retain(|id, _| open.contains(id));
        for id in open {
            let known = core.account().orders.get(id).is_some_and(|order| order.status.is_open());
            let unwanted = !known || core.is_killed() || self.canceled.contains(&id);
            let readings = self.strays.entry(id).or_insert(0);
            *readings = if unwanted { *readings + 1 } else { 0 };
            if *readings > STRAY_READINGS_MAX {
                let state = core.account().orders.get(id).map(|order| order.status);
                return Err(format!("I5 {id} rests at the venue; the house has it as {state:?}"));
            }
        }
        Ok(())
    }
}

fn in_flight((venue, line): (&Venue, &Line), venue_now: WallNs) -> Open {
    let arrived = |id| venue.cum_qty(id).is_some();
    line.in_flight(venue_now, arrived, |change| venue.added_by(change))
}

/// I6, when all is quiet: house and venue agree to the unit.
pub(crate) fn agree(venue: &Venue, core: &Core, symbol: &str) -> Result<(), String> {
    let account = core.account();
    let (ours, theirs) = (account.holding(symbol).position.0, venue.position());
    if ours != theirs {
        return Err(format!("I6 position: house {ours}, venue {theirs}"));
    }
    if account.balances().is_some_and(|ours| ours != venue.balances()) {
        let (ours, theirs) = (account.balances(), venue.balances());
        return Err(format!("I6 balances: house {ours:?}, venue {theirs:?}"));
    }
    for id in venue.arrived() {
        let (ours, theirs) = (account.orders.get(id).map(|o| o.cum_qty), venue.cum_qty(id));
        if ours != theirs {
            return Err(format!("I6 {id} is filled: house {ours:?}, venue {theirs:?}"));
        }
    }
    match account.orders.open().find(|order| !venue.is_open(order.cl_ord_id)) {
        Some(order) => {
            Err(format!("I6 {} is {:?} in the house alone", order.cl_ord_id, order.status))
        }
        None => Ok(()),
    }
}
