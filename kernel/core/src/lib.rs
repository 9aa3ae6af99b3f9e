//! The state machine of the kernel: one event in, entries and effects out.
//!
//! [`Core::step`] is the whole kernel's judgement: sessions, orders, positions, reconciliation and
//! the kill latch. It is pure and single-threaded, reads no clock, no file and no random number,
//! and verifies every statement itself, so that replaying a journal verifies everything again.
//!
//! What survives a restart changes in two places only, [`Core::fold`] for what was read back and
//! the handlers that record the same thing live; everything else (books, queues, timers) is
//! rebuilt from the market.

mod account;
mod amend;
mod bracket;
mod circumstances;
mod copies;
mod effect;
pub mod entry;
mod epoch;
mod flatten;
mod guards;
mod input;
mod input_codec;
mod kill;
mod ledger;
mod limits;
mod losses;
mod market;
mod notes;
mod orders;
mod outcome;
mod people;
mod plugin;
mod proposals;
mod protect;
mod reckon;
mod recon;
mod recover;
mod roll;
mod session;
mod snapshot;
mod state;
mod statements;
mod step;
mod stops;
mod submit;
mod tell;
mod triggers;
mod usage;
mod view;
mod witness;

pub use bracket::{BracketRecord, ProtectionEnd};
pub use effect::{Amend, Answer, Effect, Leaving, Submit};
pub use entry::{Class, Entry, EntryError};
pub use input::{AccountSnapshot, EpochCause, Event, Input, Start, VenueOrder, Worker};
pub use ledger::{EntryChange, EntryFault, Holding, Ledger};
pub use market::MarketCounts;
pub use notes::{NOTE_BYTES_MAX, Note, NoteKind, Noted, Unsealed};
pub use outcome::Outcome;
pub use people::{PersonCommand, PersonOrder, PersonRequest, PersonVerb};
pub use proposals::ProposalView;
pub use recon::{
    Difference, DifferenceKind, Finding, FindingState, Findings, ReconColour, ReconOutcome,
    ReconRecord,
};
pub use recover::RecoverError;
pub use roll::{EpochName, NotRolled, Roll};
pub use snapshot::{NotNow, snapshot_sections};
pub use state::{Core, SessionState, Step};
pub use view::{FindingView, OrderView, PositionView, View};
pub use witness::{Standing, epoch_in};
