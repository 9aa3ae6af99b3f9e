//! Frames of the combined spot stream, in; market frames with a place in their stream, out.

use portcullis_domain::market::Level;
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{
    Instrument, MarketEvent, MarketFrame, NumberError, Px, Qty, Side, StreamId, WallNs,
};
use serde::Deserialize;

use super::depth::{BookSync, Diff, Joined};
use super::messages::{
    BookTicker, DepthSnapshot, DepthUpdate, Envelope, LevelText, Trade, Wrapped,
};
use crate::error::{WireError, WireFault};
use crate::numbering::Numbering;

/// Snapshot and diffs of the book.
pub const DEPTH: StreamId = StreamId(0);
/// Best bid and offer.
pub const QUOTES: StreamId = StreamId(1);
/// Trades.
pub const TRADES: StreamId = StreamId(2);

/// Decoder and sequence state of one instrument's public streams.
///
/// A frame that is refused changes nothing. A hole that it leaves is reported as
/// [`MarketEvent::Gap`] by the frame after it.
#[derive(Debug)]
pub struct SpotStreams {
    instrument: Instrument,
    /// The symbol as stream names spell it.
    stream_symbol: String,
    book: BookSync,
    quote_id: Option<u64>,
    trade_id: Option<u64>,
    numbering: Numbering,
}

/// What a frame is, by the name of its stream.
#[derive(Clone, Copy)]
enum FrameKind {
    Depth,
    Quote,
    Trade,
    Snapshot,
}

impl SpotStreams {
    /// A decoder that has seen nothing. `instrument.venue_symbol` is as in `BTCUSDT`.
    #[must_use]
    pub fn new(instrument: Instrument) -> Self {
        let stream_symbol = instrument.venue_symbol.to_ascii_lowercase();
        let (book, numbering) = (BookSync::new(), Numbering::new(instrument.id));
        Self { instrument, stream_symbol, book, quote_id: None, trade_id: None, numbering }
    }

    /// Whether a snapshot holds and no hole came since.
    #[must_use]
    pub fn has_book(&self) -> bool {
        self.book.is_running()
    }

    /// Level changes in diffs that were older than their snapshot: dropped by the venue's rule.
    #[must_use]
    pub fn superseded_levels(&self) -> u64 {
        self.book.superseded_levels()
    }

    /// Reads one frame exactly as received.
    ///
    /// None comes of a diff that waits for the snapshot or is older than it; several come of the
    /// snapshot, when it releases the diffs that waited.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Vec<MarketFrame>, WireError> {
        match self.kind(frame)? {
            FrameKind::Quote => self.quote(&data(frame)?),
            FrameKind::Depth => self.depth(&data(frame)?),
            FrameKind::Trade => self.trade(&data(frame)?),
            FrameKind::Snapshot => self.snapshot(&read(frame)?),
        }
    }

    /// Which of the four it is. The name nearly always comes first and is found without reading
    /// the rest; where it does not, the frame is read once more.
    fn kind(&self, frame: &[u8]) -> Result<FrameKind, WireError> {
        if let Some(name) = leading_stream_name(frame) {
            return self.kind_of_stream(name);
        }
        let envelope: Envelope<'_> = read(frame)?;
        match (envelope.stream, envelope.last_update_id) {
            (Some(name), _) => self.kind_of_stream(name),
            (None, Some(_)) => Ok(FrameKind::Snapshot),
            (None, None) => {
                Err(WireError::new(WireFault::StreamUnknown, "neither stream nor lastUpdateId"))
            }
        }
    }

    fn kind_of_stream(&self, name: &str) -> Result<FrameKind, WireError> {
        let (symbol, topic) = name.split_once('@').unwrap_or((name, ""));
        if symbol != self.stream_symbol {
            let cause = format!("stream {name:?} is not of {}", self.instrument.venue_symbol);
            return Err(WireError::new(WireFault::SymbolMismatch, cause));
        }
        match topic {
            "bookTicker" => Ok(FrameKind::Quote),
            "trade" => Ok(FrameKind::Trade),
            "depth" | "depth@100ms" => Ok(FrameKind::Depth),
            _ => Err(WireError::new(WireFault::StreamUnknown, format!("stream {name:?}"))),
        }
    }

    fn depth(&mut self, update: &DepthUpdate<'_>) -> Result<Vec<MarketFrame>, WireError> {
        self.check_symbol(update.symbol)?;
        check_type("depthUpdate", update.event_type)?;
        let (first, last) = (update.first_update_id, update.last_update_id);
        if first > last {
            return Err(WireError::new(WireFault::FieldInvalid, format!("U {first} > u {last}")));
        }
        let venue_time = venue_time(update.event_time_ms)?;
        let levels = self.levels(&update.bids, &update.asks)?;
        let event = match self.book.diff(Diff { first, last, venue_time, levels })? {
            Joined::Nothing => return Ok(Vec::new()),
            Joined::Applies(diff) if diff.levels.is_empty() => return Ok(Vec::new()),
            Joined::Applies(diff) => MarketEvent::Levels { levels: diff.levels },
            Joined::Gap { expected, found } => MarketEvent::Gap { expected, found },
        };
        Ok(vec![self.numbering.frame(DEPTH, Some(venue_time), event)])
    }

    fn snapshot(&mut self, snapshot: &DepthSnapshot<'_>) -> Result<Vec<MarketFrame>, WireError> {
        let levels = self.levels(&snapshot.bids, &snapshot.asks)?;
        let joined = self.book.snapshot(snapshot.last_update_id)?;
        let mut frames = vec![self.numbering.frame(DEPTH, None, MarketEvent::Snapshot { levels })];
        for diff in joined.into_iter().filter(|diff| !diff.levels.is_empty()) {
            let event = MarketEvent::Levels { levels: diff.levels };
            frames.push(self.numbering.frame(DEPTH, Some(diff.venue_time), event));
        }
        Ok(frames)
    }

    fn quote(&mut self, ticker: &BookTicker<'_>) -> Result<Vec<MarketFrame>, WireError> {
        self.check_symbol(ticker.symbol)?;
        let (bid, ask) = (self.px("b", ticker.bid)?, self.px("a", ticker.ask)?);
        let (bid_qty, ask_qty) = (self.qty("B", ticker.bid_qty)?, self.qty("A", ticker.ask_qty)?);
        if bid >= ask {
            let cause = format!("bid {} at or above offer {}", ticker.bid, ticker.ask);
            return Err(WireError::new(WireFault::QuoteCrossed, cause));
        }
        let found = ticker.update_id;
        if let Some(expected) = self.quote_id.filter(|last| found < *last) {
            let gap = MarketEvent::Gap { expected, found };
            return Ok(vec![self.numbering.frame(QUOTES, None, gap)]);
        }
        self.quote_id = Some(found);
        let event = MarketEvent::Quote { bid, bid_qty, ask, ask_qty };
        Ok(vec![self.numbering.frame(QUOTES, None, event)])
    }

    fn trade(&mut self, trade: &Trade<'_>) -> Result<Vec<MarketFrame>, WireError> {
        self.check_symbol(trade.symbol)?;
        check_type("trade", trade.event_type)?;
        let time = Some(venue_time(trade.event_time_ms)?);
        let (px, qty) = (self.px("p", trade.px)?, self.qty("q", trade.qty)?);
        let (found, due) = (trade.id, self.trade_id.map(|last| last.saturating_add(1)));
        let mut frames = Vec::with_capacity(1);
        if let Some(expected) = due.filter(|expected| *expected != found) {
            frames.push(self.numbering.frame(TRADES, time, MarketEvent::Gap { expected, found }));
            // What comes again is not told again: nobody may count one trade twice.
            if found < expected {
                return Ok(frames);
            }
        }
        self.trade_id = Some(found);
        let aggressor = if trade.buyer_is_maker { Side::Sell } else { Side::Buy };
        let event = MarketEvent::Trade { aggressor, px, qty, trade_id: found };
        frames.push(self.numbering.frame(TRADES, time, event));
        Ok(frames)
    }

    fn check_symbol(&self, symbol: &str) -> Result<(), WireError> {
        if symbol == self.instrument.venue_symbol {
            return Ok(());
        }
        let cause = format!("s is {symbol:?}, not {}", self.instrument.venue_symbol);
        Err(WireError::new(WireFault::SymbolMismatch, cause))
    }

    fn levels(
        &self,
        bids: &[LevelText<'_>],
        asks: &[LevelText<'_>],
    ) -> Result<Vec<Level>, WireError> {
        let mut levels = Vec::with_capacity(bids.len().saturating_add(asks.len()));
        for (side, texts) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for (px, qty) in texts {
                let (px, qty) = (self.px("price", px)?, self.qty("qty", qty)?);
                levels.push(Level { side, px, qty });
            }
        }
        Ok(levels)
    }

    fn px(&self, field: &str, text: &str) -> Result<Px, WireError> {
        let refused = |error: NumberError| WireError::number(field, text, error);
        Px::parse(text, self.instrument.price_scale).map_err(refused)
    }

    fn qty(&self, field: &str, text: &str) -> Result<Qty, WireError> {
        let refused = |error: NumberError| WireError::number(field, text, error);
        Qty::parse(text, self.instrument.qty_scale).map_err(refused)
    }
}

/// The stream's name, if the frame begins with it.
fn leading_stream_name(frame: &[u8]) -> Option<&str> {
    let rest = frame.strip_prefix(br#"{"stream":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn read<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> Result<T, WireError> {
    serde_json::from_slice(frame).map_err(|error| WireError::json(&error))
}

fn data<'a, D: Deserialize<'a>>(frame: &'a [u8]) -> Result<D, WireError> {
    read::<Wrapped<D>>(frame).map(|wrapped| wrapped.data)
}

fn check_type(expected: &str, found: &str) -> Result<(), WireError> {
    if found == expected {
        return Ok(());
    }
    let cause = format!("e is {found:?}, not {expected}");
    Err(WireError::new(WireFault::FieldInvalid, cause))
}

fn venue_time(event_time_ms: u64) -> Result<WallNs, WireError> {
    let ns = i64::try_from(event_time_ms).ok().and_then(|ms| ms.checked_mul(NS_PER_MS));
    let out_of_range =
        || WireError::new(WireFault::FieldInvalid, format!("E {event_time_ms} out of range"));
    ns.map(WallNs).ok_or_else(out_of_range)
}
