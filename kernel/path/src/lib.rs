//! The one path of an order.
//!
//! Read `order_path.rs` first: it holds the two loops through which every order leaves, live, in
//! replay and in simulation alike. The rest of this crate is what the loops stand on: the inbox
//! with its three lanes, the authority epoch, the bridge to a plugin's process, and the driver
//! that runs both loops in lock step on recorded time.

pub mod authority;
pub mod inbox;
pub mod lockstep;
pub mod order_path;
pub mod outbox;
pub mod plugin_port;
mod sync;
mod worker_process;

pub use authority::Authority;
pub use inbox::{Inbox, Lanes};
pub use order_path::{OrderSink, SubmitFate, Wiring};
pub use outbox::Outbox;
pub use worker_process::WorkerProcess;
