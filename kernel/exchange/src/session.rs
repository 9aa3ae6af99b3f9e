//! One WebSocket connection: requests in, answers and feeds out.

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use portcullis_domain::WallNs;
use portcullis_wire::server::request::{Ask, SocketRequest, Subscription, subscribed};
use portcullis_wire::server::socket::{self, Kind};
use portcullis_wire::server::{Object, Reason, Stamp, executions};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::clock::wall_now;
use crate::exchange::Exchange;
use crate::hub::Feed;
use crate::orders::OrderKey;
use crate::serve::{Door, Shared};

/// The longest message that a client may send.
const MESSAGE_BYTES_MAX: usize = 64 * 1_024;
/// Depths that the venue offers.
const DEPTHS: [u32; 5] = [10, 25, 100, 500, 1_000];
/// The depth of a subscription that names none.
const DEPTH_DEFAULT: u32 = 10;

/// Serves one upgraded connection until either side ends it.
pub(crate) async fn run(upgraded: Upgraded, shared: Shared, door: Door) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let io = TokioIo::new(upgraded);
    let mut stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let (id, mut line) = {
        let mut exchange = shared.lock();
        let (id, line) = exchange.hub.open();
        let connection_id = exchange.random.next();
        exchange.hub.send(id, socket::status(connection_id));
        (id, line)
    };
    loop {
        tokio::select! {
            frame = line.recv() => {
                let Some(frame) = frame else { break };
                if stream.feed(Message::text(frame)).await.is_err() {
                    break;
                }
                while let Ok(frame) = line.try_recv() {
                    if stream.feed(Message::text(frame)).await.is_err() {
                        break;
                    }
                }
                if stream.flush().await.is_err() {
                    break;
                }
            }
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    shared.lock().hear(id, door, text.as_bytes(), wall_now());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    if stream.flush().await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Binary(_) | Message::Close(_) | Message::Frame(_)) | Err(_))
                | None => break,
            }
        }
    }
    shared.lock().hub.close(id);
}

impl Exchange {
    /// One text frame of a client.
    pub(crate) fn hear(&mut self, id: u64, door: Door, frame: &[u8], received: WallNs) {
        let Ok(request) = SocketRequest::read(frame) else {
            let stamp = Stamp { received, sent: wall_now() };
            let answer = socket::refused("", None, Reason::UnsupportedEvent, stamp);
            self.hub.send(id, answer);
            return;
        };
        let SocketRequest { req_id, method, ask } = request;
        let asked = Asked { id, req_id, method, received };
        match ask {
            Err(reason) => self.refuse_unread(&asked, frame, reason),
            Ok(Ask::Ping) => {
                let stamp = Stamp { received, sent: wall_now() };
                self.hub.send(id, socket::pong(req_id, stamp));
            }
            Ok(Ask::Subscribe(subscription)) => self.subscribe(&asked, door, &subscription),
            Ok(Ask::Unsubscribe(subscription)) => self.unsubscribe(&asked, &subscription),
            Ok(
                Ask::AddOrder(_)
                | Ask::AmendOrder(_)
                | Ask::CancelOrder { .. }
                | Ask::CancelAll { .. }
                | Ask::CancelAllOrdersAfter { .. },
            ) if door == Door::Public => self.refuse(&asked, Reason::PermissionDenied),
            Ok(Ask::AddOrder(order)) => self.add_order(id, &order, received),
            Ok(Ask::AmendOrder(change)) => self.amend_order(id, &change, received),
            Ok(Ask::CancelOrder { token, order_ids, cl_ord_ids }) => {
                let venue = order_ids.iter().map(|id| OrderKey::Venue(id));
                let client = cl_ord_ids.iter().map(|id| OrderKey::Client(id));
                let keys: Vec<_> = venue.chain(client).collect();
                self.ask_cancel(&asked, &token, &keys);
            }
            Ok(Ask::CancelAll { token }) => self.ask_cancel_all(&asked, &token),
            Ok(Ask::CancelAllOrdersAfter { token, timeout_s }) => {
                self.ask_cancel_after(&asked, &token, timeout_s);
            }
        }
    }

    /// A request that names a method and says nothing readable; an order is logged all the same.
    fn refuse_unread(&mut self, asked: &Asked, frame: &[u8], reason: Reason) {
        if asked.method.contains("order") || asked.method.starts_with("cancel") {
            let id = loose_cl_ord_id(frame);
            self.log_request(&asked.method, id.as_deref(), Err(reason), asked.received);
        }
        self.refuse(asked, reason);
    }

    fn refuse(&mut self, asked: &Asked, reason: Reason) {
        let answer = socket::refused(&asked.method, asked.req_id, reason, asked.stamp());
        self.hub.send(asked.id, answer);
    }

    fn accept_request(&mut self, asked: &Asked, result: &str) {
        let answer = socket::accepted(&asked.method, asked.req_id, result, asked.stamp());
        self.hub.send(asked.id, answer);
    }

    fn ask_cancel(&mut self, asked: &Asked, token: &str, keys: &[OrderKey<'_>]) {
        let Some(account) = self.tokens.get(token).copied() else {
            self.log_request(&asked.method, None, Err(Reason::TokenNotFound), asked.received);
            return self.refuse(asked, Reason::TokenNotFound);
        };
        // One answer per order, as the venue does it.
        for key in keys {
            match self.cancel_named(account, key, asked.received) {
                Ok(order_id) => {
                    let client = match key {
                        OrderKey::Client(id) => Some(*id),
                        OrderKey::Venue(_) => None,
                    };
                    let result = Object::new().text("order_id", &order_id);
                    let result = result.optional_text("cl_ord_id", client).done();
                    self.accept_request(asked, &result);
                }
                Err(reason) => self.refuse(asked, reason),
            }
        }
    }

    fn ask_cancel_all(&mut self, asked: &Asked, token: &str) {
        let Some(account) = self.tokens.get(token).copied() else {
            self.log_request(&asked.method, None, Err(Reason::TokenNotFound), asked.received);
            return self.refuse(asked, Reason::TokenNotFound);
        };
        self.log_request(&asked.method, None, Ok(None), asked.received);
        let count = self.cancel_all(account, "User requested", asked.received);
        self.accept_request(asked, &Object::new().count("count", count).done());
    }

    fn ask_cancel_after(&mut self, asked: &Asked, token: &str, timeout_s: u32) {
        let Some(account) = self.tokens.get(token).copied() else {
            return self.refuse(asked, Reason::TokenNotFound);
        };
        let trigger = self.set_dead_man(account, timeout_s, asked.received);
        self.accept_request(asked, &socket::dead_man_result(asked.received, trigger));
    }

    fn subscribe(&mut self, asked: &Asked, door: Door, subscription: &Subscription) {
        match subscription.channel.as_str() {
            "executions" => self.subscribe_executions(asked, door, subscription),
            "instrument" => {
                self.accept_request(asked, &subscribed(subscription, None));
                self.hub.subscribe(asked.id, Feed::Instruments);
                let all: Vec<_> = self.markets.iter().map(|market| &market.instrument).collect();
                let frame = socket::instruments(&all);
                self.hub.send(asked.id, frame);
            }
            "book" | "ticker" | "trade" if !subscription.symbols.is_empty() => {
                // One answer per symbol, as the venue does it.
                for symbol in &subscription.symbols {
                    self.subscribe_market(asked, subscription, symbol);
                }
            }
            _ => self.refuse(asked, Reason::UnsupportedEvent),
        }
    }

    fn subscribe_market(&mut self, asked: &Asked, subscription: &Subscription, symbol: &str) {
        let Some(market) = self.market_of(symbol) else {
            return self.refuse(asked, Reason::UnknownSymbol);
        };
        let Some(feed) = feed_of(subscription, market) else {
            return self.refuse(asked, Reason::DepthNotSupported);
        };
        let mut shown = subscription.clone();
        if let Feed::Book(_, depth) = feed {
            shown.depth = u32::try_from(depth).ok();
        }
        self.accept_request(asked, &subscribed(&shown, Some(symbol)));
        if !self.hub.subscribe(asked.id, feed) {
            return;
        }
        let snapshot = self.snapshot_of(feed, asked.received);
        if let Some(frame) = snapshot.filter(|_| subscription.snapshot) {
            self.hub.send(asked.id, frame);
        }
    }

    /// The present state of a market feed. Asking for a book's notes it as published.
    fn snapshot_of(&mut self, feed: Feed, now: WallNs) -> Option<String> {
        match feed {
            Feed::Book(index, depth) => {
                let (levels, sum) = self.book_now(index, depth);
                let instrument = &self.markets.get(index)?.instrument;
                Some(socket::book(Kind::Snapshot, instrument, &levels, sum, now))
            }
            Feed::Ticker(index) => {
                let market = self.markets.get(index)?;
                let ticker = market.ticker()?;
                Some(socket::ticker(Kind::Snapshot, &market.instrument, &ticker, now))
            }
            Feed::Trades(index) => {
                let market = self.markets.get(index)?;
                let prints: Vec<_> = market.prints.iter().copied().collect();
                Some(socket::trades(Kind::Snapshot, &market.instrument, &prints))
            }
            Feed::Instruments | Feed::Executions(_) => None,
        }
    }

    fn subscribe_executions(&mut self, asked: &Asked, door: Door, subscription: &Subscription) {
        if door == Door::Public {
            return self.refuse(asked, Reason::PermissionDenied);
        }
        let token = subscription.token.as_deref().unwrap_or_default();
        let Some(account) = self.tokens.get(token).copied() else {
            return self.refuse(asked, Reason::TokenNotFound);
        };
        self.accept_request(asked, &executions::subscribed(subscription.snap_orders));
        if !self.hub.subscribe(asked.id, Feed::Executions(account)) {
            return;
        }
        let mut open = Vec::new();
        for (_, order) in self.open_orders(account).filter(|_| subscription.snap_orders) {
            if let Some(market) = self.markets.get(order.market) {
                open.push(executions::open(&order.view, &market.instrument));
            }
        }
        self.hub.executions_to(asked.id, Kind::Snapshot, &open);
    }

    fn unsubscribe(&mut self, asked: &Asked, subscription: &Subscription) {
        if subscription.channel == "executions" {
            let token = subscription.token.as_deref().unwrap_or_default();
            if let Some(account) = self.tokens.get(token).copied() {
                self.hub.unsubscribe(asked.id, Feed::Executions(account));
            }
            return self.accept_request(asked, &subscribed(subscription, None));
        }
        for symbol in &subscription.symbols {
            let market = self.market_of(symbol);
            match market.and_then(|market| feed_of(subscription, market)) {
                Some(feed) => {
                    self.hub.unsubscribe(asked.id, feed);
                    self.accept_request(asked, &subscribed(subscription, Some(symbol)));
                }
                None => self.refuse(asked, Reason::UnknownSymbol),
            }
        }
    }

    fn market_of(&self, symbol: &str) -> Option<usize> {
        self.markets.iter().position(|market| market.instrument.venue_symbol == symbol)
    }
}

/// A request as its answer needs it.
struct Asked {
    id: u64,
    req_id: Option<u64>,
    method: String,
    received: WallNs,
}

impl Asked {
    fn stamp(&self) -> Stamp {
        Stamp { received: self.received, sent: wall_now() }
    }
}

/// The feed that a subscription to a market means; `None` for a depth that is not offered.
fn feed_of(subscription: &Subscription, market: usize) -> Option<Feed> {
    match subscription.channel.as_str() {
        "ticker" => Some(Feed::Ticker(market)),
        "trade" => Some(Feed::Trades(market)),
        "book" => {
            let depth = subscription.depth.unwrap_or(DEPTH_DEFAULT);
            let offered = DEPTHS.contains(&depth).then_some(depth)?;
            Some(Feed::Book(market, usize::try_from(offered).ok()?))
        }
        _ => None,
    }
}

/// The client's id in an order that could not be read, for the log.
fn loose_cl_ord_id(frame: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(frame).ok()?;
    let id = value.get("params")?.get("cl_ord_id")?.as_str()?;
    Some(id.chars().take(64).collect())
}
