//! The public channels of one instrument: book, ticker and trade, checked and numbered.

use std::borrow::Cow;

use portcullis_domain::market::Level;
use portcullis_domain::{Book, Instrument, MarketEvent, MarketFrame, Side, StreamId, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::checksum::book_checksum;
use super::frame::{Envelope, invalid, missing, moment, read};
use super::number::{px, qty};
use super::refusal::SystemStatus;
use crate::numbering::{FrameCounts, Numbering};
use crate::{WireError, WireFault};

/// The book channel.
pub const BOOK: StreamId = StreamId(0);
/// The ticker channel, by best bid and offer.
pub const QUOTES: StreamId = StreamId(1);
/// The trade channel.
pub const TRADES: StreamId = StreamId(2);
/// The depth that is subscribed, and beyond which levels are forgotten.
pub const BOOK_DEPTH: usize = 10;

/// Decoder of the public channels for one instrument, with the state that checks them.
#[derive(Debug)]
pub struct PublicStreams {
    instrument: Instrument,
    book: Book,
    numbering: Numbering,
    system: Option<SystemStatus>,
}

#[derive(Deserialize)]
struct BookData<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow, default)]
    bids: Vec<BookLevel<'a>>,
    #[serde(borrow, default)]
    asks: Vec<BookLevel<'a>>,
    checksum: u32,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct BookLevel<'a> {
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
}

#[derive(Deserialize)]
struct TickerData<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    bid: &'a RawValue,
    #[serde(borrow)]
    bid_qty: &'a RawValue,
    #[serde(borrow)]
    ask: &'a RawValue,
    #[serde(borrow)]
    ask_qty: &'a RawValue,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct TradeData<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
    trade_id: u64,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
}

impl PublicStreams {
    /// A decoder that has seen nothing. `instrument.price_scale` and `qty_scale` are the venue's
    /// precisions, or no checksum will ever fit.
    #[must_use]
    pub fn new(instrument: Instrument) -> Self {
        let numbering = Numbering::new(instrument.id);
        Self { instrument, book: Book::new(), numbering, system: None }
    }

    /// Frames given out so far, by stream: a new connection goes on behind them, so that a place in
    /// a stream is one frame for as long as a session lasts.
    #[must_use]
    pub const fn counts(&self) -> FrameCounts {
        self.numbering.counts()
    }

    /// A decoder that numbers on behind `counts` and has seen nothing else.
    #[must_use]
    pub fn continuing(instrument: Instrument, counts: FrameCounts) -> Self {
        let mut streams = Self::new(instrument);
        streams.numbering.continue_after(counts);
        streams
    }

    /// What the venue last said about itself; `None` before its first status frame.
    #[must_use]
    pub const fn system(&self) -> Option<SystemStatus> {
        self.system
    }

    /// Whether the book is to be believed. After a gap it is not: subscribe anew.
    #[must_use]
    pub fn is_book_valid(&self) -> bool {
        self.book.is_valid()
    }

    /// Reads one text frame.
    ///
    /// Heartbeats, status, pongs, accepted subscriptions and other instruments give no frames; a
    /// refused subscription is an error. Book updates that come without a valid snapshot give
    /// none either. On an error nothing has changed.
    ///
    /// Levels that fall out of the depth are added to the frame as removals, so that a reader who
    /// applies the frames in order holds the same book as this decoder. In a
    /// [`MarketEvent::Gap`], `expected` is the venue's checksum and `found` ours.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Vec<MarketFrame>, WireError> {
        let envelope = Envelope::read(frame)?;
        if envelope.method.is_some() {
            return answered(&envelope).map(|()| Vec::new());
        }
        match envelope.channel.as_deref() {
            Some("heartbeat") => Ok(Vec::new()),
            Some("status") => {
                self.system = Some(envelope.system()?);
                Ok(Vec::new())
            }
            Some("book") => self.book(&envelope),
            Some("ticker") => self.ticker(&envelope),
            Some("trade") => self.trades(&envelope),
            Some(other) => Err(WireError::new(WireFault::StreamUnknown, other.to_owned())),
            None => Err(missing("channel")),
        }
    }

    fn book(&mut self, envelope: &Envelope<'_>) -> Result<Vec<MarketFrame>, WireError> {
        let list: Vec<BookData<'_>> = read(envelope.data()?)?;
        let [data] = list.as_slice() else {
            return Err(missing("data: exactly one element"));
        };
        if data.symbol != self.instrument.venue_symbol {
            return Ok(Vec::new());
        }
        let snapshot = envelope.is_snapshot()?;
        if !snapshot && !self.book.is_valid() {
            return Ok(Vec::new());
        }
        let mut levels = self.levels(data)?;
        let venue_time = optional_moment(data.timestamp.as_deref())?;
        if snapshot {
            self.book.reset(&levels);
        } else {
            self.book.apply(&levels);
        }
        levels.extend(beyond_depth(&self.book));
        self.book.truncate(BOOK_DEPTH);
        let found = book_checksum(&self.book);
        let event = if found != data.checksum {
            self.book.invalidate();
            MarketEvent::Gap { expected: u64::from(data.checksum), found: u64::from(found) }
        } else if snapshot {
            MarketEvent::Snapshot { levels }
        } else if levels.is_empty() {
            return Ok(Vec::new());
        } else {
            MarketEvent::Levels { levels }
        };
        Ok(vec![self.numbering.frame(BOOK, venue_time, event)])
    }

    fn levels(&self, data: &BookData<'_>) -> Result<Vec<Level>, WireError> {
        let asks = data.asks.iter().map(|level| (Side::Sell, level));
        let bids = data.bids.iter().map(|level| (Side::Buy, level));
        asks.chain(bids)
            .map(|(side, level)| {
                Ok(Level {
                    side,
                    px: px("price", level.price, self.instrument.price_scale)?,
                    qty: qty("qty", level.qty, self.instrument.qty_scale)?,
                })
            })
            .collect()
    }

    fn ticker(&mut self, envelope: &Envelope<'_>) -> Result<Vec<MarketFrame>, WireError> {
        let list: Vec<TickerData<'_>> = read(envelope.data()?)?;
        let (price_scale, qty_scale) = (self.instrument.price_scale, self.instrument.qty_scale);
        let mut quotes = Vec::new();
        for data in list.iter().filter(|data| data.symbol == self.instrument.venue_symbol) {
            let bid = px("bid", data.bid, price_scale)?;
            let ask = px("ask", data.ask, price_scale)?;
            if bid >= ask {
                let cause = format!("bid {} ask {}", data.bid, data.ask);
                return Err(WireError::new(WireFault::QuoteCrossed, cause));
            }
            let bid_qty = qty("bid_qty", data.bid_qty, qty_scale)?;
            let ask_qty = qty("ask_qty", data.ask_qty, qty_scale)?;
            let venue_time = optional_moment(data.timestamp.as_deref())?;
            quotes.push((venue_time, MarketEvent::Quote { bid, bid_qty, ask, ask_qty }));
        }
        let frames =
            quotes.into_iter().map(|(time, event)| self.numbering.frame(QUOTES, time, event));
        Ok(frames.collect())
    }

    /// Trades as they happen. A snapshot of past trades is history and gives none.
    fn trades(&mut self, envelope: &Envelope<'_>) -> Result<Vec<MarketFrame>, WireError> {
        let list: Vec<TradeData<'_>> = read(envelope.data()?)?;
        if envelope.is_snapshot()? {
            return Ok(Vec::new());
        }
        let mut trades = Vec::new();
        for data in list.iter().filter(|data| data.symbol == self.instrument.venue_symbol) {
            let event = MarketEvent::Trade {
                aggressor: side("side", &data.side)?,
                px: px("price", data.price, self.instrument.price_scale)?,
                qty: qty("qty", data.qty, self.instrument.qty_scale)?,
                trade_id: data.trade_id,
            };
            trades.push((Some(moment("timestamp", &data.timestamp)?), event));
        }
        let frames =
            trades.into_iter().map(|(time, event)| self.numbering.frame(TRADES, time, event));
        Ok(frames.collect())
    }
}

/// Removals of the levels that the venue forgets without saying so.
fn beyond_depth(book: &Book) -> Vec<Level> {
    let mut removals = Vec::new();
    for side in [Side::Sell, Side::Buy] {
        for (px, _) in book.levels(side).skip(BOOK_DEPTH) {
            removals.push(Level { side, px, qty: portcullis_domain::Qty::ZERO });
        }
    }
    removals
}

/// An answer to a request of ours on the public socket.
fn answered(envelope: &Envelope<'_>) -> Result<(), WireError> {
    match (envelope.method.as_deref(), envelope.success, envelope.error.as_deref()) {
        (Some("pong"), _, None) | (Some("subscribe" | "unsubscribe"), Some(true), None) => Ok(()),
        (method, _, error) => {
            let cause = format!("{}: {}", method.unwrap_or("(none)"), error.unwrap_or("refused"));
            Err(WireError::new(WireFault::VenueError, cause))
        }
    }
}

fn optional_moment(text: Option<&str>) -> Result<Option<WallNs>, WireError> {
    text.map(|text| moment("timestamp", text)).transpose()
}

/// `buy` or `sell`.
pub(crate) fn side(field: &str, text: &str) -> Result<Side, WireError> {
    match text {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        other => Err(invalid(field, other)),
    }
}

#[cfg(test)]
#[path = "public_tests.rs"]
mod tests;
