//! Binance spot: the public market-data streams and the depth snapshot.
//!
//! Prices and quantities stay text borrowed from the frame until they are exact integers; a frame
//! is never copied. Streams are checked for order here, so that whoever reads the events can
//! believe each of them up to the next [`MarketEvent::Gap`].
//!
//! [`MarketEvent::Gap`]: portcullis_domain::MarketEvent::Gap

mod depth;
mod messages;
mod streams;

#[cfg(test)]
mod bad_frames;
#[cfg(test)]
mod recording;

pub use depth::DIFFS_KEPT_MAX;
pub use streams::{DEPTH, QUOTES, SpotStreams, TRADES};
