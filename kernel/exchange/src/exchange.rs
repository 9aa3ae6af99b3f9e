//! The exchange: accounts, markets, orders. One thing happens at a time, and everybody who
//! listens hears of it before the next.

use std::collections::BTreeMap;

use portcullis_domain::market::Level;
use portcullis_domain::{Money, Px, Qty, Side, WallNs};
use portcullis_paper::{CancelReason, MatchEvent};
use portcullis_wire::server::executions::{self, FillView, OrderView};
use portcullis_wire::server::rest::Ended;
use portcullis_wire::server::socket::{self, Kind, Print};

use crate::account::{Account, held_by, value_and_fee};
use crate::agents::{Action, MAKERS, TAKERS};
use crate::config::Credential;
use crate::hub::{Feed, Hub};
use crate::market::Market;
use crate::random::Random;
use crate::transfers::Transfers;
use crate::wire_log::WireLog;

/// Owners in the books below this are agents.
pub(crate) const FIRST_ACCOUNT: u32 = 16;

/// A key of an account.
pub(crate) struct Key {
    pub(crate) secret: String,
    pub(crate) account: usize,
    pub(crate) last_nonce: u64,
}

/// An order of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClientOrder {
    pub(crate) account: usize,
    pub(crate) market: usize,
    pub(crate) view: OrderView,
    /// `None` while it is open.
    pub(crate) ended: Option<Ended>,
}

/// A fill of a client's order.
#[derive(Clone, Debug)]
pub(crate) struct ClientFill {
    pub(crate) order: u64,
    pub(crate) view: FillView,
}

/// Everything.
pub(crate) struct Exchange {
    pub(crate) hub: Hub,
    pub(crate) markets: Vec<Market>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) tokens: BTreeMap<String, usize>,
    pub(crate) orders: BTreeMap<u64, ClientOrder>,
    pub(crate) fills: Vec<ClientFill>,
    pub(crate) log: WireLog,
    pub(crate) random: Random,
    /// Where deposits come from, if they do.
    pub(crate) transfers: Option<Transfers>,
    order_count: u64,
}

impl Exchange {
    pub(crate) fn new(
        markets: Vec<Market>,
        credentials: Vec<Credential>,
        seed: u64,
        log: WireLog,
    ) -> Self {
        let mut exchange = Self {
            hub: Hub::default(),
            markets,
            accounts: Vec::new(),
            keys: BTreeMap::new(),
            tokens: BTreeMap::new(),
            orders: BTreeMap::new(),
            fills: Vec::new(),
            log,
            // The ids are not of the market's sequence: clients do not disturb the agents.
            random: Random::new(seed ^ 0x5DEE_CE66_D012_3456),
            transfers: None,
            order_count: 0,
        };
        for credential in credentials {
            exchange.admit(credential);
        }
        exchange
    }

    fn admit(&mut self, credential: Credential) {
        let Credential { key, secret, account: name, balances } = credential;
        let known = self.accounts.iter().position(|account| account.name == name);
        let account = known.unwrap_or_else(|| {
            self.accounts.push(Account { name, balances, dead_man: None, ledger: Vec::new() });
            self.accounts.len().saturating_sub(1)
        });
        self.keys.insert(key, Key { secret, account, last_nonce: 0 });
    }

    /// The next number of an order.
    pub(crate) fn next_order(&mut self) -> u64 {
        self.order_count = self.order_count.saturating_add(1);
        self.order_count
    }

    /// A venue id of the form `OXXXXX-XXXXX-XXXXXX`.
    pub(crate) fn venue_id(&mut self, first: char) -> String {
        let (a, b) = (self.random.id_text(5), self.random.id_text(5));
        format!("{first}{a}-{b}-{}", self.random.id_text(6))
    }

    /// The agents of every market act once, and due dead-man switches fire.
    pub(crate) fn step(&mut self, now: WallNs) {
        for market in 0..self.markets.len() {
            self.step_market(market, now);
        }
        for account in 0..self.accounts.len() {
            let switch = self.accounts.get_mut(account).map(|account| &mut account.dead_man);
            if let Some(dead_man) = switch
                && dead_man.is_some_and(|trigger| trigger <= now)
            {
                *dead_man = None;
                self.cancel_all(account, "Cancel all orders after timeout", now);
            }
        }
    }

    fn step_market(&mut self, index: usize, now: WallNs) {
        let count = &mut self.order_count;
        let Some(market) = self.markets.get_mut(index) else { return };
        let next_id = || {
            *count = count.saturating_add(1);
            *count
        };
        let actions = market.agents.step(&market.matching, next_id);
        for action in actions {
            let Some(market) = self.markets.get_mut(index) else { return };
            let events = match action {
                Action::Cancel(id) => market.matching.cancel(id).into_iter().collect(),
                Action::Submit(order) => market.matching.submit(order, now),
            };
            self.settle(index, &events, now);
        }
        self.publish(index, now);
    }

    /// Books what the matching did, order by order, and tells the accounts.
    pub(crate) fn settle(&mut self, market: usize, events: &[MatchEvent], now: WallNs) {
        for event in events {
            match *event {
                MatchEvent::Accepted { .. } | MatchEvent::Rejected { .. } => {}
                MatchEvent::Amended { id, qty, px } => self.book_amended(id, (qty, px), now),
                MatchEvent::Canceled { id, reason, .. } => {
                    let words = match reason {
                        CancelReason::Requested => "User requested",
                        CancelReason::TimeInForce => "Immediate or cancel",
                        CancelReason::SelfMatch => "Self trade prevention",
                    };
                    self.end_canceled(id, words, now);
                }
                MatchEvent::Trade { maker, taker, px, qty, trade_id, aggressor, at } => {
                    for (order, is_maker) in [(maker, true), (taker, false)] {
                        let mut fill = FillView {
                            exec_id: String::new(),
                            trade_id,
                            px,
                            qty,
                            cost: Money::ZERO,
                            fee: Money::ZERO,
                            maker: is_maker,
                            at,
                        };
                        self.fill(market, order, &mut fill);
                    }
                    self.print(market, (taker, aggressor), (px, qty), (trade_id, at));
                }
            }
        }
    }

    fn print(
        &mut self,
        index: usize,
        (taker, aggressor): (u64, Side),
        (px, qty): (Px, Qty),
        (trade_id, at): (u64, WallNs),
    ) {
        // The agents that take do so by market orders.
        let order = self.orders.get(&taker).map(|order| order.view.price.is_none());
        let market_order = order.unwrap_or(true);
        let print = Print { aggressor, px, qty, market_order, trade_id, at };
        if let Some(market) = self.markets.get_mut(index) {
            market.print(print);
            let frame = socket::trades(Kind::Update, &market.instrument, &[print]);
            self.hub.publish(Feed::Trades(index), &frame);
        }
    }

    /// Books a fill of an order if it is a client's.
    fn fill(&mut self, market: usize, id: u64, fill: &mut FillView) {
        if !self.orders.contains_key(&id) {
            return;
        }
        fill.exec_id = self.venue_id('T');
        let entries = [self.venue_id('L'), self.venue_id('L')];
        let Some(instrument) = self.markets.get(market).map(|market| &market.instrument) else {
            return;
        };
        let Some(order) = self.orders.get_mut(&id) else { return };
        let rate = if fill.maker { instrument.maker_fee } else { instrument.taker_fee };
        (fill.cost, fill.fee) = value_and_fee(fill.px, fill.qty, instrument, rate);
        let view = &mut order.view;
        view.cum_qty = view.cum_qty.plus(fill.qty).unwrap_or(view.cum_qty);
        view.cum_cost = view.cum_cost.plus(fill.cost).unwrap_or(view.cum_cost);
        view.fee = view.fee.plus(fill.fee).unwrap_or(view.fee);
        if let Some(account) = self.accounts.get_mut(order.account) {
            account.book(view.side, instrument, fill, entries);
            let line = WireLog::line(fill.at, "fill")
                .text("account", &account.name)
                .text("symbol", &instrument.venue_symbol)
                .optional_text("cl_ord_id", view.cl_ord_id.as_deref())
                .text("order_id", &view.order_id)
                .text("exec_id", &fill.exec_id)
                .text("side", view.side.name())
                .text("price", &fill.px.text(instrument.price_scale))
                .text("qty", &fill.qty.text(instrument.qty_scale))
                .text("fee", &fill.fee.text())
                .flag("maker", fill.maker);
            self.log.append(line);
        }
        self.hub.executions(order.account, &executions::trade(view, fill, instrument));
        if view.cum_qty >= view.qty {
            self.hub.executions(order.account, &executions::filled(view, instrument, fill.at));
            order.ended = Some(Ended { at: fill.at, canceled: false, reason: String::new() });
        }
        self.fills.push(ClientFill { order: id, view: fill.clone() });
    }

    fn end_canceled(&mut self, id: u64, reason: &str, now: WallNs) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let Some(market) = self.markets.get(order.market) else { return };
        order.ended = Some(Ended { at: now, canceled: true, reason: reason.to_owned() });
        if let Some(account) = self.accounts.get(order.account) {
            let line = WireLog::line(now, "canceled")
                .text("account", &account.name)
                .text("symbol", &market.instrument.venue_symbol)
                .optional_text("cl_ord_id", order.view.cl_ord_id.as_deref())
                .text("order_id", &order.view.order_id)
                .text("reason", reason);
            self.log.append(line);
        }
        let element = executions::canceled(&order.view, &market.instrument, reason, now);
        self.hub.executions(order.account, &element);
    }

    /// Takes an open order of an account back; `None` if the account has no such open order.
    pub(crate) fn cancel(
        &mut self,
        account: usize,
        id: u64,
        reason: &str,
        now: WallNs,
    ) -> Option<()> {
        let order = self.orders.get(&id)?;
        if order.account != account || order.ended.is_some() {
            return None;
        }
        let index = order.market;
        self.markets.get_mut(index)?.matching.cancel(id)?;
        self.end_canceled(id, reason, now);
        self.publish(index, now);
        Some(())
    }

    /// Takes all open orders of an account back; how many there were.
    pub(crate) fn cancel_all(&mut self, account: usize, reason: &str, now: WallNs) -> u64 {
        let open: Vec<u64> = self.open_orders(account).map(|(id, _)| id).collect();
        let canceled = open.into_iter().filter_map(|id| self.cancel(account, id, reason, now));
        u64::try_from(canceled.count()).unwrap_or(u64::MAX)
    }

    /// Open orders of an account, the oldest first.
    pub(crate) fn open_orders(
        &self,
        account: usize,
    ) -> impl Iterator<Item = (u64, &ClientOrder)> + '_ {
        let open = self.orders.iter().map(|(id, order)| (*id, order));
        open.filter(move |(_, order)| order.account == account && order.ended.is_none())
    }

    /// What open orders of an account hold of a currency.
    pub(crate) fn held(&self, account: usize, currency: &str) -> Money {
        let mut sum = Money::ZERO;
        for (_, order) in self.open_orders(account) {
            let instrument = self.markets.get(order.market).map(|market| &market.instrument);
            let held = instrument.and_then(|instrument| held_by(&order.view, instrument));
            if let Some((_, amount)) = held.filter(|(of, _)| *of == currency) {
                sum = sum.plus(amount).unwrap_or(sum);
            }
        }
        sum
    }

    /// Tells what changed in a market's book and its best prices.
    pub(crate) fn publish(&mut self, index: usize, now: WallNs) {
        for depth in self.hub.depths(index) {
            let Some(market) = self.markets.get(index) else { return };
            let levels = market.matching.levels(depth);
            let (changes, sum) = self.hub.book_change(index, depth, levels);
            if !changes.is_empty() {
                let frame = socket::book(Kind::Update, &market.instrument, &changes, sum, now);
                self.hub.publish(Feed::Book(index, depth), &frame);
            }
        }
        let Some(market) = self.markets.get_mut(index) else { return };
        if let Some(ticker) = market.changed_ticker() {
            let frame = socket::ticker(Kind::Update, &market.instrument, &ticker, now);
            self.hub.publish(Feed::Ticker(index), &frame);
        }
    }

    /// The book of a market as it stands, noted as published at that depth.
    pub(crate) fn book_now(&mut self, index: usize, depth: usize) -> (Vec<Level>, u32) {
        let Some(market) = self.markets.get(index) else { return (Vec::new(), 0) };
        let levels = market.matching.levels(depth);
        let (_, sum) = self.hub.book_change(index, depth, levels.clone());
        (levels, sum)
    }
}

// Agents and accounts never share an owner.
const _: () = assert!(MAKERS < FIRST_ACCOUNT && TAKERS < FIRST_ACCOUNT);

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
