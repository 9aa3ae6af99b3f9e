//! The place of each frame in its stream, which the kernel counts itself.

use portcullis_domain::{InstrumentId, MarketEvent, MarketFrame, StreamId, WallNs};

/// Streams of one instrument: book, quotes, trades.
const STREAMS: usize = 3;

/// Frames given out so far, by stream number.
pub type FrameCounts = [u64; STREAMS];

/// Numbers the frames of one instrument from 1, each stream for itself.
#[derive(Debug)]
pub(crate) struct Numbering {
    instrument: InstrumentId,
    counts: FrameCounts,
}

impl Numbering {
    pub(crate) const fn new(instrument: InstrumentId) -> Self {
        Self { instrument, counts: [0; STREAMS] }
    }

    /// Goes on behind what another one gave out.
    pub(crate) const fn continue_after(&mut self, counts: FrameCounts) {
        self.counts = counts;
    }

    pub(crate) const fn counts(&self) -> FrameCounts {
        self.counts
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
