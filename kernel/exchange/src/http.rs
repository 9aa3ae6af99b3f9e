//! The REST doors, and the way through them to the WebSocket.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use portcullis_domain::{Money, WallNs};
use portcullis_wire::kraken::moment::parse_unix_seconds;
use portcullis_wire::kraken::record::{names_pair, rest_key};
use portcullis_wire::kraken::sign::verify;
use portcullis_wire::server::{Reason, rest};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::clock::wall_now;
use crate::exchange::Exchange;
use crate::form::Form;
use crate::orders::OrderKey;
use crate::serve::{Door, Shared};
use crate::session;

/// The longest body that a client may send.
const BODY_BYTES_MAX: usize = 64 * 1_024;
/// Entries of one page of history.
const PAGE: usize = 50;
/// Levels of each side unless a client asks for fewer.
const DEPTH_DEFAULT: usize = 100;

/// Answers one request.
pub(crate) async fn respond(
    request: Request<Incoming>,
    shared: Shared,
    door: Door,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/v2" {
        return Ok(upgrade(request, shared, door));
    }
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().clone();
    let headers = request.headers().clone();
    let Ok(body) = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"));
    };
    let body = body.to_bytes();
    let Ok(body) = std::str::from_utf8(&body) else {
        return Ok(plain(StatusCode::BAD_REQUEST, "the body is not UTF-8"));
    };
    let now = wall_now();
    let outcome = if let Some(call) = path.strip_prefix("/0/public/") {
        shared.lock().public_call(call, &Form::parse(&query), now)
    } else if let Some(call) = path.strip_prefix("/0/private/") {
        if door == Door::Public || method != Method::POST {
            Err(Reason::PermissionDenied)
        } else {
            let mut exchange = shared.lock();
            let account = exchange.authenticate(&path, &headers, body);
            account
                .and_then(|account| exchange.private_call(call, account, &Form::parse(body), now))
        }
    } else {
        return Ok(plain(StatusCode::NOT_FOUND, "no such path"));
    };
    let body = match outcome {
        Ok(result) => rest::success(&result),
        Err(reason) => rest::failure(reason),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, header("application/json"));
    Ok(response)
}

fn upgrade(mut request: Request<Incoming>, shared: Shared, door: Door) -> Response<Full<Bytes>> {
    let named = |name: HeaderName, text: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(text))
    };
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let Some(key) = key.filter(|_| named(UPGRADE, "websocket") && named(CONNECTION, "upgrade"))
    else {
        return plain(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket");
    };
    let waiting = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = waiting.await {
            session::run(upgraded, shared, door).await;
        }
    });
    let mut response = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(UPGRADE, header("websocket"));
    headers.insert(CONNECTION, header("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, header(&derive_accept_key(key.as_bytes())));
    response
}

/// The value of a header that the exchange writes; all of them are plain ASCII.
fn header(text: &str) -> hyper::header::HeaderValue {
    hyper::header::HeaderValue::from_str(text)
        .unwrap_or_else(|_not_ascii| hyper::header::HeaderValue::from_static(""))
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, header("text/plain"));
    response
}

impl Exchange {
    /// The account whose key signed the request; its nonce is used up by that.
    fn authenticate(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        body: &str,
    ) -> Result<usize, Reason> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let key = text("API-Key").and_then(|key| self.keys.get_mut(key));
        let key = key.ok_or(Reason::InvalidKey)?;
        let form = Form::parse(body);
        let nonce_text = form.get("nonce").ok_or(Reason::InvalidNonce)?;
        let signature = text("API-Sign").unwrap_or_default();
        if verify(path, nonce_text, body, &key.secret, signature) != Ok(true) {
            return Err(Reason::InvalidSignature);
        }
        let Ok(nonce) = nonce_text.parse::<u64>() else {
            return Err(Reason::InvalidNonce);
        };
        if nonce <= key.last_nonce {
            return Err(Reason::InvalidNonce);
        }
        key.last_nonce = nonce;
        Ok(key.account)
    }

    fn public_call(&self, call: &str, form: &Form, now: WallNs) -> Result<String, Reason> {
        match call {
            "Time" => Ok(rest::time(now)),
            "SystemStatus" => Ok(rest::system_status(now)),
            "AssetPairs" => self.asset_pairs(form.get("pair")),
            "Depth" => self.depth(form, now),
            _ => Err(Reason::UnknownMethod),
        }
    }

    /// All pairs under their keys, or those asked for under the very names that were asked for.
    fn asset_pairs(&self, asked: Option<&str>) -> Result<String, Reason> {
        let all = self.markets.iter().map(|market| &market.instrument);
        let Some(asked) = asked else {
            let pairs: Vec<_> = all.map(|instrument| (rest_key(instrument), instrument)).collect();
            return Ok(rest::asset_pairs(&pairs));
        };
        let mut pairs = Vec::new();
        for name in asked.split(',') {
            let found = all.clone().find(|instrument| names_pair(instrument, name));
            pairs.push((name.to_owned(), found.ok_or(Reason::UnknownPair)?));
        }
        Ok(rest::asset_pairs(&pairs))
    }

    fn depth(&self, form: &Form, now: WallNs) -> Result<String, Reason> {
        let name = form.get("pair").ok_or(Reason::InvalidArguments("pair"))?;
        let named = self.markets.iter().find(|market| names_pair(&market.instrument, name));
        let market = named.ok_or(Reason::UnknownPair)?;
        let count = form.get("count").and_then(|count| count.parse().ok());
        let levels = market.matching.levels(count.unwrap_or(DEPTH_DEFAULT));
        Ok(rest::depth(&market.instrument, &levels, now))
    }

    fn private_call(
        &mut self,
        call: &str,
        account: usize,
        form: &Form,
        now: WallNs,
    ) -> Result<String, Reason> {
        match call {
            "GetWebSocketsToken" => {
                let token = self.random.id_text(43);
                self.tokens.insert(token.clone(), account);
                Ok(rest::token(&token))
            }
            "BalanceEx" => Ok(self.balances(account)),
            "OpenOrders" => Ok(self.list_open(account, form.get("cl_ord_id"))),
            "ClosedOrders" => Ok(self.list_closed(account, form)),
            "TradesHistory" => Ok(self.list_trades(account, form)),
            "Ledgers" => self.list_ledger(account, form),
            "OpenPositions" => Ok(rest::open_positions()),
            "CancelOrder" => {
                let key = match (form.get("cl_ord_id"), form.get("txid")) {
                    (Some(id), None) => OrderKey::Client(id),
                    (None, Some(id)) => OrderKey::Venue(id),
                    (Some(_), Some(_)) | (None, None) => {
                        return Err(Reason::InvalidArguments("txid"));
                    }
                };
                self.cancel_named(account, &key, now)?;
                Ok(rest::count(1))
            }
            "CancelAll" => {
                self.log_request("cancel_all", None, Ok(None), now);
                Ok(rest::count(self.cancel_all(account, "User requested", now)))
            }
            "CancelAllOrdersAfter" => {
                let seconds = form.get("timeout").and_then(|text| text.parse().ok());
                let timeout_s = seconds.ok_or(Reason::InvalidArguments("timeout"))?;
                let trigger = self.set_dead_man(account, timeout_s, now);
                Ok(rest::dead_man(now, trigger))
            }
            _ => Err(Reason::UnknownMethod),
        }
    }

    fn balances(&self, account: usize) -> String {
        let balances = self.accounts.get(account).map(|account| account.balances.clone());
        let with_hold = |(currency, total): (String, Money)| {
            let held = self.held(account, &currency);
            (currency, total, held)
        };
        let all: Vec<_> = balances.into_iter().flatten().map(with_hold).collect();
        rest::balances(&all)
    }

    fn list_open(&self, account: usize, cl_ord_id: Option<&str>) -> String {
        let mut open = Vec::new();
        for (_, order) in self.open_orders(account) {
            let asked = cl_ord_id.is_none() || order.view.cl_ord_id.as_deref() == cl_ord_id;
            if let Some(market) = self.markets.get(order.market).filter(|_| asked) {
                open.push((&order.view, &market.instrument));
            }
        }
        rest::open_orders(&open)
    }

    /// The latest ended orders first, one page.
    fn list_closed(&self, account: usize, form: &Form) -> String {
        let mut closed = Vec::new();
        let cl_ord_id = form.get("cl_ord_id");
        for order in self.orders.values().rev().filter(|order| order.account == account) {
            let asked = cl_ord_id.is_none() || order.view.cl_ord_id.as_deref() == cl_ord_id;
            let market = self.markets.get(order.market).filter(|_| asked);
            if let (Some(market), Some(ended)) = (market, &order.ended) {
                closed.push((&order.view, &market.instrument, ended));
            }
        }
        let page: Vec<_> = closed.into_iter().skip(form.offset()).take(PAGE).collect();
        rest::closed_orders(&page)
    }

    /// The latest fills first, one page.
    fn list_trades(&self, account: usize, form: &Form) -> String {
        let mut fills = Vec::new();
        for fill in self.fills.iter().rev() {
            let order = self.orders.get(&fill.order).filter(|order| order.account == account);
            let market = order.and_then(|order| self.markets.get(order.market));
            if let (Some(order), Some(market)) = (order, market) {
                fills.push((&fill.view, &order.view, &market.instrument));
            }
        }
        let count = u64::try_from(fills.len()).unwrap_or(u64::MAX);
        let page: Vec<_> = fills.into_iter().skip(form.offset()).take(PAGE).collect();
        rest::trades_history(&page, count)
    }

    /// The latest entries first, one page; those after `start` and up to `end`, of one type if one
    /// is named.
    fn list_ledger(&self, account: usize, form: &Form) -> Result<String, Reason> {
        let moment = |field: &'static str| {
            let text = form.get(field);
            let read = text.map(|text| parse_unix_seconds(text).map_err(|_not_seconds| field));
            read.transpose().map_err(Reason::InvalidArguments)
        };
        let (start, end) = (moment("start")?, moment("end")?);
        let kind = form.get("type").filter(|kind| *kind != "all");
        let asked = |entry: &&rest::LedgerView| {
            let after = start.is_none_or(|start| entry.at > start);
            after && end.is_none_or(|end| entry.at <= end) && kind.is_none_or(|k| k == entry.kind)
        };
        let entries: Vec<_> = self.ledger(account).filter(asked).collect();
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let page: Vec<_> = entries.into_iter().skip(form.offset()).take(PAGE).collect();
        Ok(rest::ledgers(&page, count))
    }
}
