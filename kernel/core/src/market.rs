//! The market as the core judges by it: books and quotes that it keeps itself.

use std::collections::BTreeMap;

use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{Book, InstrumentId, MarketEvent, MarketFrame, Now, Px, StreamId};
use portcullis_gate::Quote;

/// Counts of what came in, for reports and for comparison with a recording's own figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketCounts {
    /// Frames of any kind.
    pub frames: u64,
    /// Quotes.
    pub quotes: u64,
    /// Trades.
    pub trades: u64,
    /// Level changes applied to books, snapshots included.
    pub levels: u64,
    /// Sequence or checksum breaks.
    pub gaps: u64,
}

/// All instruments of a session.
#[derive(Debug, Default)]
pub(crate) struct MarketDesk {
    desks: BTreeMap<InstrumentId, InstrumentDesk>,
    pub(crate) counts: MarketCounts,
}

/// One instrument.
#[derive(Debug, Default)]
pub(crate) struct InstrumentDesk {
    pub(crate) book: Book,
    pub(crate) quote: Option<Quote>,
}

impl MarketDesk {
    pub(crate) fn new(instruments: impl Iterator<Item = InstrumentId>) -> Self {
        let desks = instruments.map(|id| (id, InstrumentDesk::default())).collect();
        Self { desks, counts: MarketCounts::default() }
    }

    pub(crate) fn get(&self, id: InstrumentId) -> Option<&InstrumentDesk> {
        self.desks.get(&id)
    }

    /// Applies one frame. Returns whether it was a gap.
    pub(crate) fn apply(&mut self, frame: &MarketFrame, now: Now) -> bool {
        let Some(desk) = self.desks.get_mut(&frame.instrument) else { return false };
        let counts = &mut self.counts;
        counts.frames = counts.frames.saturating_add(1);
        let mut levels_seen = |levels: usize| {
            let levels = u64::try_from(levels).unwrap_or(u64::MAX);
            counts.levels = counts.levels.saturating_add(levels);
        };
        match &frame.event {
            MarketEvent::Quote { bid, ask, .. } => {
                desk.quote = Some(Quote { bid: *bid, ask: *ask, received: now.boot });
                counts.quotes = counts.quotes.saturating_add(1);
            }
            MarketEvent::Trade { .. } => counts.trades = counts.trades.saturating_add(1),
            MarketEvent::Snapshot { levels } => {
                desk.book.reset(levels);
                levels_seen(levels.len());
            }
            MarketEvent::Levels { levels } => {
                desk.book.apply(levels);
                levels_seen(levels.len());
            }
            MarketEvent::Gap { .. } => {
                // A hole in one stream says nothing about the others.
                match frame.stream {
                    StreamId::BOOK => desk.book.invalidate(),
                    StreamId::QUOTES => desk.quote = None,
                    StreamId::TRADES => {}
                    // A stream whose content is not known may have carried anything.
                    _ => {
                        desk.book.invalidate();
                        desk.quote = None;
                    }
                }
                counts.gaps = counts.gaps.saturating_add(1);
                return true;
            }
        }
        false
    }

    /// Age of the oldest of the instruments' newest quotes, in milliseconds.
    pub(crate) fn age_ms(&self, now: Now) -> Option<i64> {
        let ages = self
            .desks
            .values()
            .map(|desk| desk.quote.map(|quote| now.boot.since_ns(quote.received) / NS_PER_MS));
        ages.collect::<Option<Vec<i64>>>()?.into_iter().max()
    }

    /// The middle of the newest quote, rounded down to a price unit: what positions are marked at.
    pub(crate) fn mark(&self, id: InstrumentId) -> Option<Px> {
        let Quote { bid, ask, .. } = self.get(id)?.quote?;
        let middle = bid.units().checked_add(ask.units())?.checked_div(2)?;
        Px::new(middle)
    }
}
