//! The executions channel. Updates are as sparse as the real ones.

use portcullis_domain::{Instrument, Money, OrdType, Px, Qty, Side, TimeInForce, WallNs};

use super::object::{Object, list};
use super::socket::{Kind, average_px, channel};
use crate::kraken::moment::rfc3339_micros;

/// An order of the simulated venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// FIX 37.
    pub order_id: String,
    /// FIX 11, if the client gave one.
    pub cl_ord_id: Option<String>,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// Whether it may only rest.
    pub post_only: bool,
    /// FIX 38.
    pub qty: Qty,
    /// FIX 44.
    pub price: Option<Px>,
    /// FIX 14.
    pub cum_qty: Qty,
    /// Value of the fills.
    pub cum_cost: Money,
    /// Fees of the fills.
    pub fee: Money,
    /// When it was taken.
    pub opened: WallNs,
}

/// One fill of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillView {
    /// FIX 17.
    pub exec_id: String,
    /// The public number of the trade.
    pub trade_id: u64,
    /// FIX 31.
    pub px: Px,
    /// FIX 32.
    pub qty: Qty,
    /// Value.
    pub cost: Money,
    /// Charged, in the quote currency.
    pub fee: Money,
    /// Whether the order rested.
    pub maker: bool,
    /// FIX 60.
    pub at: WallNs,
}

/// A frame of the channel; `sequence` counts on the connection from 1, without a hole.
#[must_use]
pub fn frame(kind: Kind, elements: &[String], sequence: u64) -> String {
    channel("executions", kind, elements).count("sequence", sequence).done()
}

/// Result of the subscription.
#[must_use]
pub fn subscribed(snapshot: bool) -> String {
    let warnings = ["\"cancel_reason is deprecated, use reason\"".to_owned()];
    Object::new()
        .text("channel", "executions")
        .count("maxratecount", 180)
        .flag("snapshot", snapshot)
        .raw("warnings", &list(&warnings))
        .done()
}

/// The order came in. It alone carries the whole order.
#[must_use]
pub fn pending_new(order: &OrderView, instrument: &Instrument) -> String {
    whole(order, instrument, "pending_new", "pending_new").done()
}

/// An open order in a snapshot.
#[must_use]
pub fn open(order: &OrderView, instrument: &Instrument) -> String {
    let status = if order.cum_qty.is_zero() { "new" } else { "partially_filled" };
    whole(order, instrument, "new", status)
        .raw("cum_qty", &order.cum_qty.text(instrument.qty_scale))
        .raw("avg_price", &average_px(order.cum_cost, order.cum_qty, instrument))
        .done()
}

fn whole(order: &OrderView, instrument: &Instrument, exec_type: &str, status: &str) -> Object {
    let price = order.price.map_or_else(|| "0".to_owned(), |px| px.text(instrument.price_scale));
    let object = Object::new()
        .text("order_id", &order.order_id)
        .optional_text("cl_ord_id", order.cl_ord_id.as_deref())
        .text("symbol", &instrument.venue_symbol)
        .raw("order_qty", &order.qty.text(instrument.qty_scale))
        .raw("cum_cost", &order.cum_cost.text())
        .text("time_in_force", &order.time_in_force.name().to_ascii_uppercase())
        .text("exec_type", exec_type)
        .text("side", order.side.name())
        .text("order_type", order.ord_type.name())
        .count("order_userref", 0);
    let object = match order.ord_type {
        OrdType::Limit => object.text("limit_price_type", "static").raw("limit_price", &price),
        OrdType::Market => object,
    };
    let object = if order.post_only { object.flag("post_only", true) } else { object };
    object
        .text("order_status", status)
        .raw("fee_usd_equiv", &order.fee.text())
        .text("fee_ccy_pref", "fciq")
        .text("timestamp", &rfc3339_micros(order.opened))
}

/// The order is in force.
#[must_use]
pub fn new(order: &OrderView, at: WallNs) -> String {
    Object::new()
        .text("timestamp", &rfc3339_micros(at))
        .text("order_status", "new")
        .text("exec_type", "new")
        .count("order_userref", 0)
        .text("order_id", &order.order_id)
        .done()
}

/// The terms are others now; `order` is as it stands after the change.
#[must_use]
pub fn amended(order: &OrderView, instrument: &Instrument, at: WallNs) -> String {
    let status = if order.cum_qty.is_zero() { "new" } else { "partially_filled" };
    let price = order.price.map_or_else(|| "0".to_owned(), |px| px.text(instrument.price_scale));
    Object::new()
        .text("timestamp", &rfc3339_micros(at))
        .text("order_status", status)
        .text("exec_type", "amended")
        .flag("amended", true)
        .raw("order_qty", &order.qty.text(instrument.qty_scale))
        .raw("limit_price", &price)
        .text("reason", "User requested")
        .count("order_userref", 0)
        .text("order_id", &order.order_id)
        .done()
}

/// A fill; `order` is as it stands after it.
#[must_use]
pub fn trade(order: &OrderView, fill: &FillView, instrument: &Instrument) -> String {
    let fee = Object::new().text("asset", &instrument.quote).raw("qty", &fill.fee.text()).done();
    let status = if order.cum_qty < order.qty { "partially_filled" } else { "filled" };
    Object::new()
        .text("order_id", &order.order_id)
        .optional_text("cl_ord_id", order.cl_ord_id.as_deref())
        .count("order_userref", 0)
        .text("exec_id", &fill.exec_id)
        .text("exec_type", "trade")
        .count("trade_id", fill.trade_id)
        .text("symbol", &instrument.venue_symbol)
        .text("side", order.side.name())
        .raw("last_qty", &fill.qty.text(instrument.qty_scale))
        .raw("last_price", &fill.px.text(instrument.price_scale))
        .text("liquidity_ind", if fill.maker { "m" } else { "t" })
        .raw("cost", &fill.cost.text())
        .text("order_status", status)
        .text("order_type", order.ord_type.name())
        .text("timestamp", &rfc3339_micros(fill.at))
        .raw("fee_usd_equiv", &fill.fee.text())
        .raw("fees", &list(&[fee]))
        .raw("cum_qty", &order.cum_qty.text(instrument.qty_scale))
        .raw("cum_cost", &order.cum_cost.text())
        .raw("avg_price", &average_px(order.cum_cost, order.cum_qty, instrument))
        .done()
}

/// Nothing is left. Comes after the last fill.
#[must_use]
pub fn filled(order: &OrderView, instrument: &Instrument, at: WallNs) -> String {
    end(order, instrument, "filled", at).done()
}

/// Taken back; `reason` in the venue's words.
#[must_use]
pub fn canceled(order: &OrderView, instrument: &Instrument, reason: &str, at: WallNs) -> String {
    end(order, instrument, "canceled", at)
        .text("cancel_reason", reason)
        .text("reason", reason)
        .done()
}

fn end(order: &OrderView, instrument: &Instrument, state: &str, at: WallNs) -> Object {
    Object::new()
        .text("timestamp", &rfc3339_micros(at))
        .text("order_status", state)
        .text("exec_type", state)
        .raw("cum_qty", &order.cum_qty.text(instrument.qty_scale))
        .raw("cum_cost", &order.cum_cost.text())
        .raw("fee_usd_equiv", &order.fee.text())
        .raw("avg_price", &average_px(order.cum_cost, order.cum_qty, instrument))
        .count("order_userref", 0)
        .text("order_id", &order.order_id)
}
