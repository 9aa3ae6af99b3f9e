//! Bodies of the REST door.

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Instrument, Money, WallNs, format_scaled};

use super::Reason;
use super::executions::{FillView, OrderView};
use super::object::{Object, list};
use super::socket::{average_px, dead_man_result};
use crate::kraken::moment::rfc3339_seconds;
use crate::kraken::record::{asset_codes, long_code, rest_key, rest_pair};
use crate::kraken::request::quoted;

/// A result.
#[must_use]
pub fn success(result: &str) -> String {
    Object::new().raw("error", "[]").raw("result", result).done()
}

/// A refusal.
#[must_use]
pub fn failure(reason: Reason) -> String {
    Object::new().raw("error", &format!("[{}]", quoted(&reason.text()))).done()
}

/// `Time`.
#[must_use]
pub fn time(at: WallNs) -> String {
    let seconds = at.0.div_euclid(NS_PER_S).to_string();
    Object::new().raw("unixtime", &seconds).text("rfc1123", &rfc3339_seconds(at)).done()
}

/// `SystemStatus`.
#[must_use]
pub fn system_status(at: WallNs) -> String {
    Object::new().text("status", "online").text("timestamp", &rfc3339_seconds(at)).done()
}

/// `AssetPairs`: `(key under which it stands, instrument)`.
#[must_use]
pub fn asset_pairs(pairs: &[(String, &Instrument)]) -> String {
    let add = |object: Object, (key, instrument): &(String, &Instrument)| {
        object.raw(key, &asset_pair(instrument))
    };
    pairs.iter().fold(Object::new(), add).done()
}

fn asset_pair(instrument: &Instrument) -> String {
    let code = |name: &str| asset_codes(name).next().map_or_else(String::new, str::to_owned);
    // The venue writes fees in percent: two decimals less than our fraction of one.
    let fees = |rate: portcullis_domain::Rate| {
        format!("[[0,{}]]", portcullis_domain::number::format_scaled_short(rate.0.into(), 6))
    };
    Object::new()
        .text("altname", &rest_pair(instrument))
        .text("wsname", &format!("{}/{}", alt(&instrument.base), alt(&instrument.quote)))
        .text("aclass_base", "currency")
        .text("base", &code(&instrument.base))
        .text("aclass_quote", "currency")
        .text("quote", &code(&instrument.quote))
        .text("lot", "unit")
        .count("cost_decimals", 5)
        .count("pair_decimals", instrument.price_scale.into())
        .count("lot_decimals", instrument.qty_scale.into())
        .count("lot_multiplier", 1)
        .raw("leverage_buy", "[]")
        .raw("leverage_sell", "[]")
        .raw("fees", &fees(instrument.taker_fee))
        .raw("fees_maker", &fees(instrument.maker_fee))
        .text("fee_volume_currency", "ZUSD")
        .count("margin_call", 80)
        .count("margin_stop", 40)
        .text("ordermin", &instrument.qty_min.text(instrument.qty_scale))
        .text("costmin", &instrument.notional_min.text())
        .text("tick_size", &instrument.tick.text(instrument.price_scale))
        .text("status", "online")
        .done()
}

fn alt(name: &str) -> &str {
    asset_codes(name).find(|code| code.len() == 3).unwrap_or(name)
}

/// `GetWebSocketsToken`.
#[must_use]
pub fn token(token: &str) -> String {
    Object::new().text("token", token).count("expires", 900).done()
}

/// `BalanceEx`: `(currency, total, held by open orders)`.
#[must_use]
pub fn balances(balances: &[(String, Money, Money)]) -> String {
    let add = |object: Object, (name, total, held): &(String, Money, Money)| {
        let amounts = Object::new().text("balance", &total.text()).text("hold_trade", &held.text());
        object.raw(long_code(name), &amounts.done())
    };
    balances.iter().fold(Object::new(), add).done()
}

/// An ended order of `ClosedOrders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: WallNs,
    /// Whether it was taken back rather than filled.
    pub canceled: bool,
    /// Why, in the venue's words.
    pub reason: String,
}

/// `OpenOrders`.
#[must_use]
pub fn open_orders(orders: &[(&OrderView, &Instrument)]) -> String {
    let add = |object: Object, (order, instrument): &(&OrderView, &Instrument)| {
        object.raw(&order.order_id, &order_object(order, instrument, None).done())
    };
    Object::new().raw("open", &orders.iter().fold(Object::new(), add).done()).done()
}

/// `ClosedOrders`.
#[must_use]
pub fn closed_orders(orders: &[(&OrderView, &Instrument, &Ended)]) -> String {
    let add = |object: Object, (order, instrument, ended): &(&OrderView, &Instrument, &Ended)| {
        object.raw(&order.order_id, &order_object(order, instrument, Some(ended)).done())
    };
    let closed = orders.iter().fold(Object::new(), add).done();
    let count = u64::try_from(orders.len()).unwrap_or(u64::MAX);
    Object::new().raw("closed", &closed).count("count", count).done()
}

fn order_object(order: &OrderView, instrument: &Instrument, ended: Option<&Ended>) -> Object {
    let status = match ended {
        None => "open",
        Some(ended) if ended.canceled => "canceled",
        Some(_) => "closed",
    };
    let object = Object::new()
        .raw("refid", "null")
        .count("userref", 0)
        .optional_text("cl_ord_id", order.cl_ord_id.as_deref())
        .text("status", status)
        .optional_text("reason", ended.map(|ended| ended.reason.as_str()))
        .raw("opentm", &seconds(order.opened));
    let object = match ended {
        Some(ended) => object.raw("closetm", &seconds(ended.at)),
        None => object,
    };
    object
        .count("starttm", 0)
        .count("expiretm", 0)
        .raw("descr", &description(order, instrument))
        .text("vol", &order.qty.text(instrument.qty_scale))
        .text("vol_exec", &order.cum_qty.text(instrument.qty_scale))
        .text("cost", &order.cum_cost.text())
        .text("fee", &order.fee.text())
        .text("price", &average_px(order.cum_cost, order.cum_qty, instrument))
        .text("stopprice", "0.00000")
        .text("limitprice", "0.00000")
        .text("misc", "")
        .text("oflags", if order.post_only { "fciq,post" } else { "fciq" })
}

fn description(order: &OrderView, instrument: &Instrument) -> String {
    let price = order.price.map_or_else(|| "0".to_owned(), |px| px.text(instrument.price_scale));
    let pair = rest_pair(instrument);
    let qty = order.qty.text(instrument.qty_scale);
    let (side, kind) = (order.side.name(), order.ord_type.name());
    let at = if order.price.is_some() { format!(" {price}") } else { String::new() };
    Object::new()
        .text("pair", &pair)
        .text("type", side)
        .text("ordertype", kind)
        .text("price", &price)
        .text("price2", "0")
        .text("leverage", "none")
        .text("order", &format!("{side} {qty} {pair} @ {kind}{at}"))
        .text("close", "")
        .done()
}

/// `TradesHistory`: the page asked for, and how many there are in all.
#[must_use]
pub fn trades_history(fills: &[(&FillView, &OrderView, &Instrument)], count: u64) -> String {
    let add = |object: Object, (fill, order, instrument): &(&FillView, &OrderView, &Instrument)| {
        let trade = Object::new()
            .text("ordertxid", &order.order_id)
            .text("postxid", &order.order_id)
            .text("pair", &rest_key(instrument))
            .raw("time", &seconds(fill.at))
            .text("type", order.side.name())
            .text("ordertype", order.ord_type.name())
            .text("price", &fill.px.text(instrument.price_scale))
            .text("cost", &fill.cost.text())
            .text("fee", &fill.fee.text())
            .text("vol", &fill.qty.text(instrument.qty_scale))
            .text("margin", "0.00000")
            .text("misc", "")
            .count("trade_id", fill.trade_id)
            .flag("maker", fill.maker);
        object.raw(&fill.exec_id, &trade.done())
    };
    let trades = fills.iter().fold(Object::new(), add).done();
    Object::new().raw("trades", &trades).count("count", count).done()
}

/// An entry of the account's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    /// The venue's id.
    pub id: String,
    /// The fill, deposit or withdrawal that it belongs to.
    pub ref_id: String,
    /// When.
    pub at: WallNs,
    /// The venue's word for the kind: `trade`, `deposit`, `withdrawal`.
    pub kind: &'static str,
    /// The common name of the currency.
    pub currency: String,
    /// Signed: above zero came in.
    pub amount: Money,
    /// Charged beside it.
    pub fee: Money,
    /// What the account holds of the currency after it.
    pub balance: Money,
}

/// `Ledgers`: the page asked for, and how many there are in all.
#[must_use]
pub fn ledgers(entries: &[&LedgerView], count: u64) -> String {
    let add = |object: Object, entry: &&LedgerView| {
        let fields = Object::new()
            .text("refid", &entry.ref_id)
            .raw("time", &seconds(entry.at))
            .text("type", entry.kind)
            .text("subtype", "")
            .text("aclass", "currency")
            .text("asset", long_code(&entry.currency))
            .text("amount", &entry.amount.text())
            .text("fee", &entry.fee.text())
            .text("balance", &entry.balance.text());
        object.raw(&entry.id, &fields.done())
    };
    let ledger = entries.iter().fold(Object::new(), add).done();
    Object::new().raw("ledger", &ledger).count("count", count).done()
}

/// `OpenPositions`: nothing is lent here, so there never is one.
#[must_use]
pub fn open_positions() -> String {
    Object::new().done()
}

/// `CancelOrder` and `CancelAll`.
#[must_use]
pub fn count(count: u64) -> String {
    Object::new().count("count", count).done()
}

/// `CancelAllOrdersAfter`.
#[must_use]
pub fn dead_man(current: WallNs, trigger: Option<WallNs>) -> String {
    dead_man_result(current, trigger)
}

/// Public order book of `Depth`, levels as texts.
#[must_use]
pub fn depth(
    instrument: &Instrument,
    levels: &[portcullis_domain::market::Level],
    at: WallNs,
) -> String {
    let side = |side: portcullis_domain::Side| {
        let second = at.0.div_euclid(NS_PER_S);
        let level = |level: &portcullis_domain::market::Level| {
            let px = level.px.text(instrument.price_scale);
            format!("[\"{px}\",\"{}\",{second}]", level.qty.text(instrument.qty_scale))
        };
        let levels = levels.iter().filter(|level| level.side == side);
        list(&levels.map(level).collect::<Vec<_>>())
    };
    let book = Object::new()
        .raw("asks", &side(portcullis_domain::Side::Sell))
        .raw("bids", &side(portcullis_domain::Side::Buy));
    Object::new().raw(&rest_key(instrument), &book.done()).done()
}

/// Unix seconds with four decimals.
fn seconds(at: WallNs) -> String {
    format_scaled(i128::from(at.0.div_euclid(100_000)), 4)
}
