//! The pre-trade gate. Pure: no clock, no file, no randomness.
//!
//! [`Gate::open`] turns a session approval that people signed into a gate; [`Gate::assess`] is the
//! only place in the house where an order is approved. The list of checks in `assess.rs` is the
//! audit: each is one function, and they run in the order in which they are written there.

pub mod assess;
mod circumstances;
mod deny;
mod docs;
mod open;

pub use assess::{AmendVerdict, ShadowAmend};
pub use assess::{Approved, Authority, CancelRequest, Shadow, Verdict, approve_cancel, with_fee};
pub use circumstances::{Balance, Circumstances, Quote, Standing, Working};
pub use deny::{Denial, DenyCode, Figure};
pub use docs::reason_codes_markdown;
pub use open::{Gate, OpenRefusal, Opening};
