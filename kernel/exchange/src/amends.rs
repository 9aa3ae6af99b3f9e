//! Changes of orders: what the exchange does with `amend_order`.

use portcullis_domain::{Instrument, OrdType, Px, Qty, WallNs};
use portcullis_paper::{AmendRefusal, MatchEvent};
use portcullis_wire::kraken::AmendOrder;
use portcullis_wire::server::executions::OrderView;
use portcullis_wire::server::request::amend_result;
use portcullis_wire::server::{Reason, Stamp, executions, socket};

use crate::account::{held_by, hold};
use crate::clock::wall_now;
use crate::exchange::Exchange;
use crate::orders::{OrderKey, check_deadline, check_terms, refusal};
use crate::wire_log::WireLog;

impl Exchange {
    /// `amend_order`: answers `connection` and tells the account's listeners.
    pub(crate) fn amend_order(&mut self, connection: u64, ask: &AmendOrder, received: WallNs) {
        let cl_ord_id = ask.cl_ord_id.as_deref();
        match self.change(ask, received) {
            Err(reason) => {
                self.log_request("amend_order", cl_ord_id, Err(reason), received);
                let stamp = Stamp { received, sent: wall_now() };
                let answer = socket::refused("amend_order", ask.req_id, reason, stamp);
                self.hub.send(connection, answer);
            }
            Ok((market, order_id, events)) => {
                self.log_request("amend_order", cl_ord_id, Ok(Some(&order_id)), received);
                let result = amend_result(&self.venue_id('T'), &order_id, cl_ord_id);
                let stamp = Stamp { received, sent: wall_now() };
                let answer = socket::accepted("amend_order", ask.req_id, &result, stamp);
                self.hub.send(connection, answer);
                self.settle(market, &events, received);
                self.publish(market, received);
            }
        }
    }

    /// Changes the order in its book: which market, the venue's id, and what followed.
    fn change(
        &mut self,
        ask: &AmendOrder,
        received: WallNs,
    ) -> Result<(usize, String, Vec<MatchEvent>), Reason> {
        let account = *self.tokens.get(&ask.token).ok_or(Reason::TokenNotFound)?;
        check_deadline(ask.deadline, received)?;
        let key = match (&ask.order_id, &ask.cl_ord_id) {
            (Some(id), _) => OrderKey::Venue(id),
            (None, Some(id)) => OrderKey::Client(id),
            (None, None) => return Err(Reason::InvalidArguments("order_id")),
        };
        let id = self.find_open(account, &key).ok_or(Reason::UnknownOrder)?;
        let order = self.orders.get(&id).ok_or(Reason::UnknownOrder)?;
        let (index, order_id) = (order.market, order.view.order_id.clone());
        let market = self.markets.get(index).ok_or(Reason::UnknownPair)?;
        let terms = terms_after(&order.view, ask, &market.instrument)?;
        self.check_amend_funds(account, (&order.view, &market.instrument), terms)?;
        let market = self.markets.get_mut(index).ok_or(Reason::UnknownPair)?;
        let events =
            market.matching.amend(id, terms, received).map_err(|refused| match refused {
                AmendRefusal::NotOpen => Reason::UnknownOrder,
                AmendRefusal::Terms(reason) => refusal(reason),
            })?;
        Ok((index, order_id, events))
    }

    /// What the order holds itself is free for its change.
    fn check_amend_funds(
        &self,
        account: usize,
        (order, instrument): (&OrderView, &Instrument),
        (qty, px): (Qty, Px),
    ) -> Result<(), Reason> {
        let open = qty.minus(order.cum_qty).unwrap_or(Qty::ZERO);
        let (currency, amount) = hold(order.side, open, px, instrument);
        let own = held_by(order, instrument).map(|(_, amount)| amount).unwrap_or_default();
        let balance = self.accounts.get(account).map(|account| account.balance(currency));
        let free = balance.unwrap_or_default().minus(self.held(account, currency));
        let free = free.and_then(|free| free.plus(own));
        if free.is_some_and(|free| free >= amount) {
            Ok(())
        } else {
            Err(Reason::InsufficientFunds)
        }
    }

    /// Books new terms and tells of them.
    pub(crate) fn book_amended(&mut self, id: u64, (qty, px): (Qty, Px), now: WallNs) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let Some(market) = self.markets.get(order.market) else { return };
        (order.view.qty, order.view.price) = (qty, Some(px));
        if let Some(account) = self.accounts.get(order.account) {
            let line = WireLog::line(now, "amended")
                .text("account", &account.name)
                .text("symbol", &market.instrument.venue_symbol)
                .optional_text("cl_ord_id", order.view.cl_ord_id.as_deref())
                .text("order_id", &order.view.order_id)
                .text("price", &px.text(market.instrument.price_scale))
                .text("qty", &qty.text(market.instrument.qty_scale));
            self.log.append(line);
        }
        let element = executions::amended(&order.view, &market.instrument, now);
        self.hub.executions(order.account, &element);
    }
}

/// The terms that are asked for; what is left out stays as it is.
fn terms_after(
    order: &OrderView,
    ask: &AmendOrder,
    instrument: &Instrument,
) -> Result<(Qty, Px), Reason> {
    // The order's own rule about taking stays what it was when it came.
    if ask.post_only && !order.post_only {
        return Err(Reason::InvalidArguments("post_only"));
    }
    let present = |px: Px| px.text(instrument.price_scale);
    let price = match &ask.price {
        Some(text) => text.as_str().to_owned(),
        None => order.price.map(present).ok_or(Reason::InvalidPrice)?,
    };
    let qty = match &ask.qty {
        Some(text) => text.as_str().to_owned(),
        None => order.qty.text(instrument.qty_scale),
    };
    match check_terms(instrument, OrdType::Limit, (&qty, Some(&price)))? {
        (qty, Some(px)) => Ok((qty, px)),
        (_, None) => Err(Reason::InvalidPrice),
    }
}
