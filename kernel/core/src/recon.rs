//! Reconciliation: what differs between account and house, what that means, and who explained it.
//!
//! Every comparison is between what the venue stated in one reading and what the house has booked,
//! exactly and without any tolerance. Where the venue stated nothing, nothing is reconciled.

mod compare;
mod findings;
mod fold;
mod judge;
mod kind;
mod people;
mod record;
mod shown;
mod standing;

pub(crate) use compare::fill_differences;
pub use findings::{Finding, FindingState, Findings};
pub use kind::{Difference, DifferenceKind, ReconOutcome};
pub use record::ReconRecord;
pub(crate) use standing::Recon;
pub use standing::ReconColour;
