//! Market data as the core receives it: decoded, sequence-checked, in instrument units.

use crate::ids::{InstrumentId, StreamId};
use crate::intent::Side;
use crate::money::{Px, Qty};
use crate::time::WallNs;

/// One price level of a book. Quantity zero removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Side of the book: `Buy` is a bid.
    pub side: Side,
    /// Its price.
    pub px: Px,
    /// The whole quantity now resting there.
    pub qty: Qty,
}

/// What happened in the market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarketEvent {
    /// Best bid and offer.
    Quote {
        /// Best bid.
        bid: Px,
        /// Quantity at the best bid.
        bid_qty: Qty,
        /// Best offer.
        ask: Px,
        /// Quantity at the best offer.
        ask_qty: Qty,
    },
    /// A trade between others.
    Trade {
        /// Side of the one who took.
        aggressor: Side,
        /// FIX 31.
        px: Px,
        /// FIX 32.
        qty: Qty,
        /// The venue's number of it.
        trade_id: u64,
    },
    /// The whole book, replacing what was known.
    Snapshot {
        /// All levels of it.
        levels: Vec<Level>,
    },
    /// Changed levels, in the order in which they apply.
    Levels {
        /// At least one.
        levels: Vec<Level>,
    },
    /// The stream broke its sequence or its checksum: the book is not to be believed until the
    /// next snapshot.
    Gap {
        /// The venue's number that was due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
}

/// A market event with its place in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketFrame {
    /// The stream it came on.
    pub stream: StreamId,
    /// Our count of frames on that stream, from 1.
    pub sequence: u64,
    /// What it is about.
    pub instrument: InstrumentId,
    /// The venue's own time, if it sent one. Feeds an offset estimate and nothing else.
    pub venue_time: Option<WallNs>,
    /// What happened.
    pub event: MarketEvent,
}
