//! The place of each frame in its stream, which the kernel counts itself.

use portcullis_domain::{InstrumentId, MarketEvent, MarketFrame, StreamId, WallNs};

/// Streams of one instrument: book, quotes, trades.
const STREAMS: usize = 3;

/// Numbers the frames of one instrument from 1, each stream for itself.
#[derive(Debug)]
pub(crate) struct Numbering {
    instrument: InstrumentId,
    /// Frames given out so far, by stream number.
    counts: [u64; STREAMS],
}

impl Numbering {
    pub(crate) const fn new(instrument: InstrumentId) -> Self {
        Self { instrument, counts: [0; STREAMS] }
    }

    /// The next frame of `stream`.
    pub(crate) fn frame(
        &mut self,
        stream: StreamId,
        venue_time: Option<WallNs>,
        event: MarketEvent,
    ) -> MarketFrame {
        let mut sequence = 0;
        if let Some(count) = self.counts.get_mut(usize::from(stream.0)) {
            *count = count.saturating_add(1);
            sequence = *count;
        }
        MarketFrame { stream, sequence, instrument: self.instrument, venue_time, event }
    }
}
