//! The typed protocol of the kernel daemon's socket: frames, requests, answers, views.
//!
//! One request per connection; an answer is one frame or several, and the last one says so.
//! Statements pass through here as opaque text: nothing in this crate verifies or decides. Who
//! asks is not part of a request either: the daemon takes that from the socket.
//!
//! ```text
//! frame    u32 big-endian length, 1 to 262 144, then that many bytes of canonical JSON
//! request  {"v":1,"verb":"status"}  {"reason":"…","v":1,"verb":"kill"}  …
//! answer   {"last":true,"ok":true,"reply":"status",…,"v":1}
//! refusal  {"cause":"…","code":"NO_SESSION","last":true,"ok":false,"v":1}
//! ```

mod answer;
mod by_hand;
mod codec;
mod error;
mod frame;
mod request;
mod view;

pub use answer::{Answer, PackView, Refused, Reply};
pub use by_hand::{
    DenialView, FindingConfirm, FindingExplain, FindingView, OrderAmend, OrderCancel, OrderSubmit,
    PositionClose, ProposalView, SessionNote, WORD_BYTES_MAX,
};
pub use codec::VERSION;
pub use error::ControlError;
pub use frame::{FRAME_BYTES_MAX, read_frame, write_frame};
pub use request::{REASON_BYTES_MAX, Request, SIGNATURES_MAX, STATEMENT_BYTES_MAX, SignedBytes};
pub use view::{
    DraftView, EndpointView, OrderView, PhaseView, PositionView, Reconciliation, ReleaseView,
    StatusView,
};
