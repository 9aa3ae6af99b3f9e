//! The order door: what the exchange does with each request about orders.

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{
    Instrument, Money, NumberError, OrdType, Px, Qty, Side, TimeInForce, WallNs, parse_scaled,
};
use portcullis_paper::{MatchEvent, NewOrder, RejectReason};
use portcullis_wire::kraken::{AddOrder, NumberText};
use portcullis_wire::server::executions::{self, OrderView};
use portcullis_wire::server::request::order_result;
use portcullis_wire::server::{Reason, Stamp, socket};

use crate::account::hold;
use crate::clock::wall_now;
use crate::exchange::{ClientOrder, Exchange, FIRST_ACCOUNT};
use crate::wire_log::WireLog;

/// Open orders that one account may have.
const OPEN_ORDERS_MAX: usize = 225;
/// The longest client id: a UUID with hyphens.
const CL_ORD_ID_CHARS_MAX: usize = 36;
/// The farthest deadline.
const DEADLINE_NS_MAX: i64 = 60 * NS_PER_S;

/// An order that passed every check but that of the book.
struct Checked {
    account: usize,
    market: usize,
    qty: Qty,
    price: Option<Px>,
}

impl Exchange {
    /// `add_order`: answers `connection` and tells the account's listeners.
    pub(crate) fn add_order(&mut self, connection: u64, order: &AddOrder, received: WallNs) {
        let outcome = self.place(connection, order, received);
        if let Err(reason) = outcome {
            self.log_request("add_order", order.cl_ord_id.as_deref(), Err(reason), received);
            let stamp = Stamp { received, sent: wall_now() };
            let answer = socket::refused("add_order", order.req_id, reason, stamp);
            self.hub.send(connection, answer);
        }
    }

    fn place(&mut self, connection: u64, order: &AddOrder, received: WallNs) -> Result<(), Reason> {
        let checked = self.check(order, received)?;
        let cl_ord_id = order.cl_ord_id.as_deref();
        if order.validate {
            self.log_request("add_order", cl_ord_id, Ok(None), received);
            let result =
                portcullis_wire::server::Object::new().optional_text("cl_ord_id", cl_ord_id).done();
            self.accept(connection, order, &result, received);
            return Ok(());
        }
        let id = self.next_order();
        let market = self.markets.get_mut(checked.market).ok_or(Reason::UnknownPair)?;
        let new = NewOrder {
            owner: owner_of(checked.account),
            id,
            side: order.side,
            ord_type: order.ord_type,
            time_in_force: order.time_in_force,
            post_only: order.post_only,
            qty: checked.qty,
            price: checked.price,
        };
        let events = market.matching.submit(new, received);
        if let Some(reason) = events.iter().find_map(rejection) {
            return Err(reason);
        }
        let view = self.view_of(order, &checked, received);
        self.log_request("add_order", cl_ord_id, Ok(Some(&view.order_id)), received);
        self.accept(connection, order, &order_result(&view.order_id, cl_ord_id), received);
        self.tell_new(&checked, &view, received);
        let (account, market) = (checked.account, checked.market);
        self.orders.insert(id, ClientOrder { account, market, view, ended: None });
        self.settle(market, &events, received);
        self.publish(market, received);
        Ok(())
    }

    fn accept(&mut self, connection: u64, order: &AddOrder, result: &str, received: WallNs) {
        let stamp = Stamp { received, sent: wall_now() };
        let answer = socket::accepted("add_order", order.req_id, result, stamp);
        self.hub.send(connection, answer);
    }

    fn tell_new(&mut self, checked: &Checked, view: &OrderView, at: WallNs) {
        let Some(market) = self.markets.get(checked.market) else { return };
        let pending = executions::pending_new(view, &market.instrument);
        self.hub.executions(checked.account, &pending);
        self.hub.executions(checked.account, &executions::new(view, at));
    }

    fn view_of(&mut self, order: &AddOrder, checked: &Checked, opened: WallNs) -> OrderView {
        OrderView {
            order_id: self.venue_id('O'),
            cl_ord_id: order.cl_ord_id.clone(),
            side: order.side,
            ord_type: order.ord_type,
            time_in_force: order.time_in_force,
            post_only: order.post_only,
            qty: checked.qty,
            price: checked.price,
            cum_qty: Qty::ZERO,
            cum_cost: Money::ZERO,
            fee: Money::ZERO,
            opened,
        }
    }

    /// Every check that does not need the book's order, in the venue's words.
    fn check(&self, order: &AddOrder, received: WallNs) -> Result<Checked, Reason> {
        let account = *self.tokens.get(&order.token).ok_or(Reason::TokenNotFound)?;
        let named = |market: &crate::market::Market| market.instrument.venue_symbol == order.symbol;
        let market = self.markets.iter().position(named).ok_or(Reason::UnknownPair)?;
        check_deadline(order.deadline, received)?;
        self.check_id(account, order.cl_ord_id.as_deref())?;
        if order.reduce_only {
            return Err(Reason::ReduceOnly);
        }
        if order.post_only && order.time_in_force == TimeInForce::Ioc {
            return Err(Reason::InvalidArguments("post_only"));
        }
        let instrument = &self.markets.get(market).ok_or(Reason::UnknownPair)?.instrument;
        let price = order.price.as_ref().map(NumberText::as_str);
        let (qty, price) = check_terms(instrument, order.ord_type, (order.qty.as_str(), price))?;
        self.check_funds(account, market, order.side, (qty, price))?;
        Ok(Checked { account, market, qty, price })
    }

    fn check_id(&self, account: usize, cl_ord_id: Option<&str>) -> Result<(), Reason> {
        if let Some(id) = cl_ord_id {
            let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
            if id.is_empty() || id.len() > CL_ORD_ID_CHARS_MAX || !printable {
                return Err(Reason::InvalidArguments("cl_ord_id"));
            }
        }
        let mut open = 0_usize;
        for (_, order) in self.open_orders(account) {
            open = open.saturating_add(1);
            if cl_ord_id.is_some() && order.view.cl_ord_id.as_deref() == cl_ord_id {
                return Err(Reason::DuplicateClOrdId);
            }
        }
        if open >= OPEN_ORDERS_MAX { Err(Reason::OrdersLimit) } else { Ok(()) }
    }

    fn check_funds(
        &self,
        account: usize,
        market: usize,
        side: Side,
        (qty, price): (Qty, Option<Px>),
    ) -> Result<(), Reason> {
        let market = self.markets.get(market).ok_or(Reason::UnknownPair)?;
        let Some(px) = price.or_else(|| reach(market, side, qty)) else {
            // Nobody to trade with: the order ends at once and holds nothing.
            return Ok(());
        };
        let (currency, amount) = hold(side, qty, px, &market.instrument);
        let balance = self.accounts.get(account).map(|account| account.balance(currency));
        let free = balance.unwrap_or_default().minus(self.held(account, currency));
        if free.is_some_and(|free| free >= amount) {
            Ok(())
        } else {
            Err(Reason::InsufficientFunds)
        }
    }

    /// One line about a request at the order door.
    pub(crate) fn log_request(
        &mut self,
        method: &str,
        cl_ord_id: Option<&str>,
        outcome: Result<Option<&str>, Reason>,
        at: WallNs,
    ) {
        let line = WireLog::line(at, "request").text("method", method);
        let line = line.optional_text("cl_ord_id", cl_ord_id);
        self.log.append(match outcome {
            Ok(order_id) => line.text("outcome", "accepted").optional_text("order_id", order_id),
            Err(reason) => line.text("outcome", "refused").text("reason", &reason.text()),
        });
    }

    /// The open order of an account by either of its ids.
    pub(crate) fn find_open(&self, account: usize, id: &OrderKey<'_>) -> Option<u64> {
        let fits = |order: &ClientOrder| match id {
            OrderKey::Venue(id) => order.view.order_id == *id,
            OrderKey::Client(id) => order.view.cl_ord_id.as_deref() == Some(*id),
        };
        self.open_orders(account).find(|(_, order)| fits(order)).map(|(id, _)| id)
    }

    /// Takes back one order named by a client, and writes the line about it; its venue id.
    pub(crate) fn cancel_named(
        &mut self,
        account: usize,
        key: &OrderKey<'_>,
        received: WallNs,
    ) -> Result<String, Reason> {
        let canceled = self.find_open(account, key).and_then(|id| {
            let order_id = self.orders.get(&id).map(|order| order.view.order_id.clone())?;
            Some((id, order_id))
        });
        let cl_ord_id = match key {
            OrderKey::Client(id) => Some(*id),
            OrderKey::Venue(_) => None,
        };
        let outcome = match &canceled {
            Some((_, order_id)) => Ok(Some(order_id.as_str())),
            None => Err(Reason::UnknownOrder),
        };
        self.log_request("cancel_order", cl_ord_id, outcome, received);
        let (id, order_id) = canceled.ok_or(Reason::UnknownOrder)?;
        self.cancel(account, id, "User requested", received).ok_or(Reason::UnknownOrder)?;
        Ok(order_id)
    }

    /// Sets or clears the dead-man switch; when it will fire.
    pub(crate) fn set_dead_man(
        &mut self,
        account: usize,
        timeout_s: u32,
        received: WallNs,
    ) -> Option<WallNs> {
        let ns = i64::from(timeout_s).saturating_mul(NS_PER_S);
        let trigger = (timeout_s > 0).then(|| received.plus_ns(ns));
        if let Some(account) = self.accounts.get_mut(account) {
            account.dead_man = trigger;
        }
        self.log_request("cancel_all_orders_after", None, Ok(None), received);
        trigger
    }
}

/// How a client names an order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OrderKey<'a> {
    /// FIX 37.
    Venue(&'a str),
    /// FIX 11.
    Client(&'a str),
}

fn owner_of(account: usize) -> u32 {
    u32::try_from(account).unwrap_or(u32::MAX).saturating_add(FIRST_ACCOUNT)
}

/// Quantity and price in the instrument's units, as its rules allow them.
pub(crate) fn check_terms(
    instrument: &Instrument,
    ord_type: OrdType,
    (qty, price): (&str, Option<&str>),
) -> Result<(Qty, Option<Px>), Reason> {
    let Ok(qty) = Qty::parse(qty, instrument.qty_scale) else {
        return Err(Reason::InvalidArguments("order_qty"));
    };
    if qty < instrument.qty_min {
        return Err(Reason::OrderMinimum);
    }
    if !instrument.on_lot(qty) {
        return Err(Reason::InvalidArguments("order_qty"));
    }
    let Some(text) = price else {
        return if ord_type == OrdType::Market {
            Ok((qty, None))
        } else {
            Err(Reason::InvalidPrice)
        };
    };
    let units = match parse_scaled(text, instrument.price_scale) {
        Ok(units) => units,
        Err(NumberError::TooPrecise) => return Err(Reason::TickSize),
        Err(_too_large) => return Err(Reason::InvalidPrice),
    };
    let px = Px::new(units).ok_or(Reason::InvalidPrice)?;
    if !instrument.on_tick(px) {
        return Err(Reason::TickSize);
    }
    let worth = Money::notional(px, qty, instrument).ok_or(Reason::InvalidPrice)?;
    if worth < instrument.notional_min {
        return Err(Reason::CostMinimum);
    }
    Ok((qty, Some(px)))
}

pub(crate) fn check_deadline(deadline: Option<WallNs>, received: WallNs) -> Result<(), Reason> {
    match deadline {
        Some(deadline) if deadline < received => Err(Reason::DeadlineElapsed),
        Some(deadline) if deadline > received.plus_ns(DEADLINE_NS_MAX) => {
            Err(Reason::InvalidArguments("deadline"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The worst price that a market order of `qty` would pay now; `None` on an empty side.
fn reach(market: &crate::market::Market, side: Side, qty: Qty) -> Option<Px> {
    let mut left = qty;
    let mut worst = None;
    for level in market.matching.levels(usize::MAX) {
        if level.side == side || left.is_zero() {
            continue;
        }
        worst = Some(level.px);
        left = left.minus(level.qty).unwrap_or(Qty::ZERO);
    }
    worst
}

fn rejection(event: &MatchEvent) -> Option<Reason> {
    let MatchEvent::Rejected { reason, .. } = event else { return None };
    Some(refusal(*reason))
}

/// A refusal of the book, in the venue's words.
pub(crate) const fn refusal(reason: RejectReason) -> Reason {
    match reason {
        RejectReason::PostOnlyWouldTake => Reason::PostOnly,
        RejectReason::PostOnlyCannotRest => Reason::InvalidArguments("post_only"),
        RejectReason::Shape(_) | RejectReason::DuplicateId => Reason::InvalidArguments("params"),
    }
}
