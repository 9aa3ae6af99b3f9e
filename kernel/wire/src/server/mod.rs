//! What Kraken spot answers: used by the simulated exchange only, never by a client.
//!
//! The shapes are those of recorded frames; where none is recorded, of the documentation.

pub mod executions;
mod object;
pub mod reason;
pub mod request;
pub mod rest;
pub mod socket;

pub use object::Object;
pub use reason::Reason;

/// When a request came in and when its answer goes out.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// `time_in`.
    pub received: portcullis_domain::WallNs,
    /// `time_out`.
    pub sent: portcullis_domain::WallNs,
}

#[cfg(test)]
mod tests;
