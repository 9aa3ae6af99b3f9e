//! The pre-trade gate. Pure: no clock, no file, no randomness.
//!
//! [`Gate::open`] turns a session approval that people signed into a gate; [`Gate::assess`] is the
//! only place in the house where an order is approved. The list of checks in `assess.rs` is the
//! audit: each is one function, and they run in the order in which they are written there.

pub mod assess;
mod circumstances;
mod closing;
mod code;
mod deny;
mod docs;
pub mod exposure;
mod open;

pub use assess::{AmendVerdict, ShadowAmend};
pub use assess::{
    Approved, Authority, CancelRequest, Kept, Proposal, Reserve, Shadow, Verdict, approve_cancel,
    is_reduction, with_fee,
};
pub use circumstances::{
    Balance, Circumstances, GuardState, Guards, PriceWindow, Quote, Standing, StandingUsage, Usage,
    VenueStatus, Working,
};
pub use closing::Rights;
pub use code::{Act, DenyCode, Spares};
pub use deny::{Denial, Figure, Pause, Scope, Until};
pub use docs::reason_codes_markdown;
pub use exposure::{ExposureBook, Fill, Holding, Owner};
pub use open::{Gate, OpenRefusal, Opening};
