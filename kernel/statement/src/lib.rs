//! Who said what, provably: canonical JSON, SSHSIG, signed notes, roster, thresholds. Pure.
//!
//! A statement is canonical JSON that people signed with their SSH keys. The only way from bytes
//! to a [`Verified`] value is [`Trust::verify`], and the only way to a [`Trust`] is the genesis
//! whose digest is pinned outside of everything that this code can reach. `now` is an argument,
//! so a replay verifies again and gets the same answer. Burning nonces is not done here: that
//! needs memory, and the core has it.

pub mod body;
mod digest;
mod envelope;
mod header;
pub mod json;
mod key;
pub mod note;
mod refusal;
mod roster;
mod signer;
mod ssh_wire;
pub mod sshsig;
#[cfg(test)]
mod testkit;
mod threshold;
mod verify;
mod witness;

pub use body::{
    ApprovedPlugin, Carried, Classification, EndpointKind, EndpointSet, FlattenPlan, Genesis, Host,
    JournalBinding, JournalHead, Latch, LimitsChange, PluginRelease, RecordedFile, Release, Seal,
    SessionApproval, ShownProposal, Slices, Statement, Target, Unkill, Venue, limits_value,
    read_limits,
};
pub use digest::Digest;
pub use envelope::{Envelope, STATEMENT_MAX, SignedStatement, draft};
pub use header::{Header, Kind, Signer};
pub use key::{KeyError, PublicKey};
pub use refusal::Refusal;
pub use roster::{Mark, Person, Roster};
pub use signer::SigningKey;
pub use verify::{Trust, Verified};
pub use witness::{FailureDomain, Witness, Witnesses};
