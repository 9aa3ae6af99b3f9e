//! The frames as Binance spells them. Text is borrowed from the frame; extra fields are ignored.

use serde::Deserialize;

/// Price and quantity of one level, as text.
pub(super) type LevelText<'a> = (&'a str, &'a str);

/// One frame of the combined stream.
#[derive(Deserialize)]
pub(super) struct Wrapped<D> {
    pub(super) data: D,
}

/// What tells the frames apart where the stream's name does not come first.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) stream: Option<&'a str>,
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: Option<u64>,
}

/// `<symbol>@depth` and `<symbol>@depth@100ms`.
#[derive(Deserialize)]
pub(super) struct DepthUpdate<'a> {
    #[serde(rename = "e")]
    pub(super) event_type: &'a str,
    #[serde(rename = "E")]
    pub(super) event_time_ms: u64,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "U")]
    pub(super) first_update_id: u64,
    #[serde(rename = "u")]
    pub(super) last_update_id: u64,
    #[serde(rename = "b", borrow)]
    pub(super) bids: Vec<LevelText<'a>>,
    #[serde(rename = "a", borrow)]
    pub(super) asks: Vec<LevelText<'a>>,
}

/// `<symbol>@bookTicker`. It carries no time.
#[derive(Deserialize)]
pub(super) struct BookTicker<'a> {
    #[serde(rename = "u")]
    pub(super) update_id: u64,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "b")]
    pub(super) bid: &'a str,
    #[serde(rename = "B")]
    pub(super) bid_qty: &'a str,
    #[serde(rename = "a")]
    pub(super) ask: &'a str,
    #[serde(rename = "A")]
    pub(super) ask_qty: &'a str,
}

/// `<symbol>@trade`.
#[derive(Deserialize)]
pub(super) struct Trade<'a> {
    #[serde(rename = "e")]
    pub(super) event_type: &'a str,
    #[serde(rename = "E")]
    pub(super) event_time_ms: u64,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "t")]
    pub(super) id: u64,
    #[serde(rename = "p")]
    pub(super) px: &'a str,
    #[serde(rename = "q")]
    pub(super) qty: &'a str,
    #[serde(rename = "m")]
    pub(super) buyer_is_maker: bool,
}

/// The answer of `GET /api/v3/depth`. It names no symbol: the caller asked for one.
#[derive(Deserialize)]
pub(super) struct DepthSnapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: u64,
    #[serde(borrow)]
    pub(super) bids: Vec<LevelText<'a>>,
    #[serde(borrow)]
    pub(super) asks: Vec<LevelText<'a>>,
}
