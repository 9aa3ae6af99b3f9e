//! Limits and phase rules as plain data. There is no `Default`, no "unlimited" and no negative.
//!
//! A limit is one row of a table: name, unit, direction and the code it denies with. Whatever has
//! to go through all keys (files, statements, documents, the proof that a change is a tightening)
//! goes through the rows, so that a key cannot be forgotten in one of them.

pub mod guards;
pub mod returning;
pub mod safety;
pub mod triggers;

mod change;
mod convert;
mod form;
mod keys;
mod limits;
mod phases;
mod text;
mod tighten;

pub use change::{Change, ChangedKey};
pub use convert::Converter;
pub use form::{Unfit, is_currency};
pub use keys::{Direction, LimitNumber, LimitRow, LimitTable, Unit};
pub use limits::{
    ActivityLimits, Conversion, InstrumentLimits, Limits, Rules, ScopeLimits, StandingLimits,
    stricter,
};
pub use phases::{PhaseRule, PhaseRules, phase_floor};
pub use tighten::NotTighter;
