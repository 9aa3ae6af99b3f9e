//! Venue protocols as bytes: decoders of both directions, signing, checksums, sequence rules.
//!
//! No sockets, no clock, no floats: text goes in, domain types or a coded refusal come out, and
//! number text is read exactly or not at all.

pub mod binance;
pub mod error;
pub mod kraken;
mod numbering;
pub mod server;

pub use error::{WireError, WireFault};
pub use numbering::FrameCounts;
