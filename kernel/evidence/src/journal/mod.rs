//! The journal: opaque entries in order, hash-chained, in groups that are durable as a whole.
//!
//! One writer. A failed write or sync ends the journal for ever: after it the operating system
//! may have dropped what was written, and a later success would prove nothing.

mod format;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use format::{ENTRY_BYTES_MAX, GROUP_BYTES_MAX, JOURNAL_VERSION, ORIGIN_BYTES_MAX, is_origin};
pub use reader::{Anchor, Damage, DamageReason, Recovered, read};
pub use writer::{Appender, Committer, Groups, Journal, JournalFault};

use crate::Digest;

/// The number of an entry in its journal, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(pub u64);

/// How many entries are durable; entry `seq` is if `seq < watermark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark(pub u64);

/// How far a journal goes, and the hash chain up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// The chain after the last of them.
    pub chain: Digest,
}
