//! Frames of the WebSocket: status, acknowledgements and public channels.

use portcullis_domain::market::Level;
use portcullis_domain::{Instrument, Money, Px, Qty, Side, WallNs};

use super::object::{Object, list};
use super::{Reason, Stamp};
use crate::kraken::moment::{rfc3339_micros, rfc3339_seconds};

/// Whether a frame replaces what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything.
    Snapshot,
    /// What changed.
    Update,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Update => "update",
        }
    }
}

/// A trade as the public sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Side of the one who took.
    pub aggressor: Side,
    /// FIX 31.
    pub px: Px,
    /// FIX 32.
    pub qty: Qty,
    /// Whether the taker's order was a market order.
    pub market_order: bool,
    /// The venue's number of it.
    pub trade_id: u64,
    /// When.
    pub at: WallNs,
}

/// Best bid and offer, and the day so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// Best bid.
    pub bid: (Px, Qty),
    /// Best offer.
    pub ask: (Px, Qty),
    /// Price of the last trade.
    pub last: Px,
    /// Lowest trade.
    pub low: Px,
    /// Highest trade.
    pub high: Px,
    /// First trade.
    pub first: Px,
    /// Quantity traded.
    pub volume: Qty,
    /// Value traded.
    pub value: Money,
}

/// The first frame of every connection.
#[must_use]
pub fn status(connection_id: u64) -> String {
    let data = Object::new()
        .text("version", "2.0.10")
        .text("system", "online")
        .text("api_version", "v2")
        .count("connection_id", connection_id);
    channel("status", Kind::Update, &[data.done()]).done()
}

/// Sent once a second after a subscription.
#[must_use]
pub fn heartbeat() -> String {
    Object::new().text("channel", "heartbeat").done()
}

/// The answer to a ping.
#[must_use]
pub fn pong(req_id: Option<u64>, stamp: Stamp) -> String {
    let frame = Object::new().text("method", "pong").optional_count("req_id", req_id);
    stamped(frame, stamp)
}

/// A request that was taken; `result` is a JSON object.
#[must_use]
pub fn accepted(method: &str, req_id: Option<u64>, result: &str, stamp: Stamp) -> String {
    let frame = Object::new()
        .text("method", method)
        .optional_count("req_id", req_id)
        .raw("result", result)
        .flag("success", true);
    stamped(frame, stamp)
}

/// A request that was refused.
#[must_use]
pub fn refused(method: &str, req_id: Option<u64>, reason: Reason, stamp: Stamp) -> String {
    let frame = Object::new()
        .text("error", &reason.text())
        .text("method", method)
        .optional_count("req_id", req_id)
        .flag("success", false);
    stamped(frame, stamp)
}

/// Result of `cancel_all_orders_after`.
#[must_use]
pub fn dead_man_result(current: WallNs, trigger: Option<WallNs>) -> String {
    let trigger = trigger.map_or_else(|| "0".to_owned(), rfc3339_seconds);
    Object::new()
        .text("currentTime", &rfc3339_seconds(current))
        .text("triggerTime", &trigger)
        .done()
}

/// Levels of the book with the checksum that holds after them.
#[must_use]
pub fn book(
    kind: Kind,
    instrument: &Instrument,
    levels: &[Level],
    checksum: u32,
    at: WallNs,
) -> String {
    let side = |side: Side| {
        let levels = levels.iter().filter(|level| level.side == side);
        let level = |level: &Level| {
            Object::new()
                .raw("price", &level.px.text(instrument.price_scale))
                .raw("qty", &level.qty.text(instrument.qty_scale))
                .done()
        };
        list(&levels.map(level).collect::<Vec<_>>())
    };
    let data = Object::new()
        .text("symbol", &instrument.venue_symbol)
        .raw("bids", &side(Side::Buy))
        .raw("asks", &side(Side::Sell))
        .count("checksum", u64::from(checksum))
        .text("timestamp", &rfc3339_micros(at));
    channel("book", kind, &[data.done()]).done()
}

/// Best bid and offer with the day's figures.
#[must_use]
pub fn ticker(kind: Kind, instrument: &Instrument, ticker: &Ticker, at: WallNs) -> String {
    let px = |px: Px| px.text(instrument.price_scale);
    let qty = |qty: Qty| qty.text(instrument.qty_scale);
    let vwap = average_px(ticker.value, ticker.volume, instrument);
    let change = i128::from(ticker.last.units()).saturating_sub(ticker.first.units().into());
    let bps =
        change.saturating_mul(10_000).checked_div(ticker.first.units().into()).unwrap_or_default();
    let data = Object::new()
        .text("symbol", &instrument.venue_symbol)
        .raw("bid", &px(ticker.bid.0))
        .raw("bid_qty", &qty(ticker.bid.1))
        .raw("ask", &px(ticker.ask.0))
        .raw("ask_qty", &qty(ticker.ask.1))
        .raw("last", &px(ticker.last))
        .raw("volume", &qty(ticker.volume))
        .raw("vwap", &vwap)
        .raw("low", &px(ticker.low))
        .raw("high", &px(ticker.high))
        .raw("change", &portcullis_domain::format_scaled(change, instrument.price_scale))
        .raw("change_pct", &portcullis_domain::format_scaled(bps, 2))
        .text("timestamp", &rfc3339_micros(at));
    channel("ticker", kind, &[data.done()]).done()
}

/// Trades, the oldest first.
#[must_use]
pub fn trades(kind: Kind, instrument: &Instrument, prints: &[Print]) -> String {
    let data = |print: &Print| {
        Object::new()
            .text("symbol", &instrument.venue_symbol)
            .text("side", print.aggressor.name())
            .raw("price", &print.px.text(instrument.price_scale))
            .raw("qty", &print.qty.text(instrument.qty_scale))
            .text("ord_type", if print.market_order { "market" } else { "limit" })
            .count("trade_id", print.trade_id)
            .text("timestamp", &rfc3339_micros(print.at))
            .done()
    };
    channel("trade", kind, &prints.iter().map(data).collect::<Vec<_>>()).done()
}

/// What can be traded, with its steps and smallest orders.
#[must_use]
pub fn instruments(instruments: &[&Instrument]) -> String {
    let pair = |instrument: &&Instrument| {
        Object::new()
            .text("symbol", &instrument.venue_symbol)
            .text("base", &instrument.base)
            .text("quote", &instrument.quote)
            .text("status", "online")
            .count("qty_precision", instrument.qty_scale.into())
            .raw("qty_increment", &instrument.lot.text(instrument.qty_scale))
            .count("price_precision", instrument.price_scale.into())
            .raw("price_increment", &instrument.tick.text(instrument.price_scale))
            .raw("qty_min", &instrument.qty_min.text(instrument.qty_scale))
            .raw("cost_min", &instrument.notional_min.text())
            .done()
    };
    let pairs: Vec<String> = instruments.iter().map(pair).collect();
    let data = Object::new().raw("assets", "[]").raw("pairs", &list(&pairs)).done();
    let frame = Object::new().text("channel", "instrument").text("type", "snapshot");
    frame.raw("data", &data).done()
}

/// `value` ÷ `qty` as a price with four more decimals than the instrument's, rounded down.
#[must_use]
pub fn average_px(value: Money, qty: Qty, instrument: &Instrument) -> String {
    let decimals = instrument.price_scale.saturating_add(4).min(Money::SCALE);
    let unit = portcullis_domain::number::pow10(instrument.qty_scale).unwrap_or(1);
    let cut = Money::SCALE.saturating_sub(decimals);
    let cut = portcullis_domain::number::pow10(cut).unwrap_or(1);
    let average = value.0.checked_div(cut).and_then(|value| value.checked_mul(unit));
    let average = average.and_then(|value| value.checked_div(qty.units().into()));
    portcullis_domain::format_scaled(average.unwrap_or_default(), decimals)
}

pub(super) fn channel(name: &str, kind: Kind, data: &[String]) -> Object {
    Object::new().text("channel", name).text("type", kind.name()).raw("data", &list(data))
}

fn stamped(frame: Object, stamp: Stamp) -> String {
    frame
        .text("time_in", &rfc3339_micros(stamp.received))
        .text("time_out", &rfc3339_micros(stamp.sent))
        .done()
}
