//! What a client asks of the socket, as the server reads it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reason;
use crate::kraken::frame::FRAME_BYTES_MAX;
use crate::kraken::{AddOrder, AmendOrder};
use crate::{WireError, WireFault};

/// A request with its number and its name, both of which the answer repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketRequest {
    /// The number, if the client gave one.
    pub req_id: Option<u64>,
    /// The method's name as written.
    pub method: String,
    /// What is asked, or why it is not understood.
    pub ask: Result<Ask, Reason>,
}

/// What a client can ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether the line is alive.
    Ping,
    /// To receive a channel.
    Subscribe(Subscription),
    /// To receive it no more.
    Unsubscribe(Subscription),
    /// To place an order.
    AddOrder(Box<AddOrder>),
    /// To change an order.
    AmendOrder(Box<AmendOrder>),
    /// To take orders back, each by one of its ids.
    CancelOrder {
        /// Who asks.
        token: String,
        /// FIX 37.
        order_ids: Vec<String>,
        /// FIX 11.
        cl_ord_ids: Vec<String>,
    },
    /// To take all orders back.
    CancelAll {
        /// Who asks.
        token: String,
    },
    /// To have all orders taken back unless asked again in time.
    CancelAllOrdersAfter {
        /// Who asks.
        token: String,
        /// Seconds; zero switches it off.
        timeout_s: u32,
    },
}

/// A channel with what narrows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The channel's name.
    pub channel: String,
    /// Venue symbols; empty for channels that have none.
    pub symbols: Vec<String>,
    /// Levels of each side.
    pub depth: Option<u32>,
    /// Whether the present state is wanted first.
    pub snapshot: bool,
    /// Who asks; on private channels.
    pub token: Option<String>,
    /// Whether open orders are wanted first.
    pub snap_orders: bool,
}

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(default)]
    req_id: Option<u64>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SubscribeParams {
    channel: String,
    #[serde(default)]
    symbol: Vec<String>,
    #[serde(default)]
    depth: Option<u32>,
    #[serde(default)]
    snapshot: Option<bool>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    snap_orders: Option<bool>,
}

#[derive(Deserialize)]
struct OrderParams {
    token: String,
    #[serde(default)]
    order_id: Vec<String>,
    #[serde(default)]
    cl_ord_id: Vec<String>,
    #[serde(default)]
    timeout: Option<u32>,
}

impl SocketRequest {
    /// Reads a text frame. An error means that not even the method could be read.
    pub fn read(frame: &[u8]) -> Result<Self, WireError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(WireError::new(WireFault::FrameMalformed, "frame too long"));
        }
        let outer: Outer<'_> =
            serde_json::from_slice(frame).map_err(|error| WireError::json(&error))?;
        let ask = match (outer.method.as_ref(), outer.params) {
            ("ping", None) => Ok(Ask::Ping),
            ("ping", Some(_)) => Err(Reason::UnsupportedPingParams),
            ("subscribe", Some(params)) => subscription(params).map(Ask::Subscribe),
            ("unsubscribe", Some(params)) => subscription(params).map(Ask::Unsubscribe),
            ("add_order", Some(_)) => add_order(frame),
            ("amend_order", Some(_)) => amend_order(frame),
            ("cancel_order", Some(params)) => cancel_order(params),
            ("cancel_all", Some(params)) => {
                order_params(params).map(|params| Ask::CancelAll { token: params.token })
            }
            ("cancel_all_orders_after", Some(params)) => cancel_after(params),
            _ => Err(Reason::UnsupportedEvent),
        };
        Ok(Self { req_id: outer.req_id, method: outer.method.into_owned(), ask })
    }
}

fn subscription(params: &RawValue) -> Result<Subscription, Reason> {
    let Ok(params) = serde_json::from_str::<SubscribeParams>(params.get()) else {
        return Err(Reason::UnsupportedEvent);
    };
    Ok(Subscription {
        channel: params.channel,
        symbols: params.symbol,
        depth: params.depth,
        snapshot: params.snapshot.unwrap_or(true),
        token: params.token,
        snap_orders: params.snap_orders.unwrap_or(true),
    })
}

fn add_order(frame: &[u8]) -> Result<Ask, Reason> {
    match AddOrder::read(frame) {
        Ok(order) => Ok(Ask::AddOrder(Box::new(order))),
        Err(error) => Err(unread(&error)),
    }
}

fn amend_order(frame: &[u8]) -> Result<Ask, Reason> {
    match AmendOrder::read(frame) {
        Ok(change) => Ok(Ask::AmendOrder(Box::new(change))),
        Err(error) => Err(unread(&error)),
    }
}

/// Names the field where it can, as the venue does.
fn unread(error: &WireError) -> Reason {
    const FIELDS: [&str; 10] = [
        "order_qty",
        "limit_price",
        "time_in_force",
        "deadline",
        "order_type",
        "side",
        "token",
        "symbol",
        "order_id",
        "cl_ord_id",
    ];
    let named = FIELDS.into_iter().find(|field| error.cause.contains(field));
    Reason::InvalidArguments(named.unwrap_or("params"))
}

fn order_params(params: &RawValue) -> Result<OrderParams, Reason> {
    match serde_json::from_str(params.get()) {
        Ok(params) => Ok(params),
        Err(_shape) => Err(Reason::InvalidArguments("params")),
    }
}

fn cancel_order(params: &RawValue) -> Result<Ask, Reason> {
    let params = order_params(params)?;
    // One kind of id per request.
    if params.order_id.is_empty() == params.cl_ord_id.is_empty() {
        return Err(Reason::InvalidArguments("order_id"));
    }
    let (order_ids, cl_ord_ids) = (params.order_id, params.cl_ord_id);
    Ok(Ask::CancelOrder { token: params.token, order_ids, cl_ord_ids })
}

fn cancel_after(params: &RawValue) -> Result<Ask, Reason> {
    let params = order_params(params)?;
    let timeout_s = params.timeout.ok_or(Reason::InvalidArguments("timeout"))?;
    Ok(Ask::CancelAllOrdersAfter { token: params.token, timeout_s })
}

/// Result of a subscription to a public channel.
#[must_use]
pub fn subscribed(subscription: &Subscription, symbol: Option<&str>) -> String {
    let object = super::Object::new().text("channel", &subscription.channel);
    let object = object.optional_count("depth", subscription.depth.map(u64::from));
    object.flag("snapshot", subscription.snapshot).optional_text("symbol", symbol).done()
}

/// Result of `add_order`.
#[must_use]
pub fn order_result(order_id: &str, cl_ord_id: Option<&str>) -> String {
    super::Object::new().text("order_id", order_id).optional_text("cl_ord_id", cl_ord_id).done()
}

/// Result of `amend_order`.
#[must_use]
pub fn amend_result(amend_id: &str, order_id: &str, cl_ord_id: Option<&str>) -> String {
    super::Object::new()
        .text("amend_id", amend_id)
        .text("order_id", order_id)
        .optional_text("cl_ord_id", cl_ord_id)
        .done()
}
