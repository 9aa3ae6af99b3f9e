//! The journal: opaque entries in order, under one hash tree, in groups that are durable as a
//! whole. A journal is one epoch; its files are the segments of one folder.
//!
//! One writer. A failed write or sync ends the journal for ever: after it the operating system
//! may have dropped what was written, and a later success would prove nothing.

mod appender;
mod committer;
mod damage;
mod format;
mod reader;
mod source;
#[cfg(test)]
mod tests;
mod torn;

use std::fmt;

pub use appender::{Appender, Groups};
pub use committer::{Committer, Journal};
pub use damage::{Damage, DamageReason, ReadFault};
pub use format::{
    ENTRY_BYTES_MAX, GROUP_BYTES_MAX, JOURNAL_VERSION, ORIGIN_BYTES_MAX, SEGMENT_BYTES, is_origin,
};
pub use reader::{End, Group, Reader, Recovered, read};
pub(crate) use source::copy_from;
pub use source::{JournalFolder, Source, begun_epochs, epoch_folder};

use crate::Digest;
use crate::disk::DiskFault;

/// The number of an entry in its journal, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(pub u64);

/// How many entries are durable; entry `seq` is if `seq < watermark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watermark(pub u64);

/// How far a journal goes, and what commits to everything up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries of the epoch.
    pub size: u64,
    /// RFC 6962 root over their log leaves ([`crate::tree::log_leaf`]).
    pub root: Digest,
}

/// The journal cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalFault {
    /// A write or sync failed.
    Disk(DiskFault),
    /// An entry was longer than [`ENTRY_BYTES_MAX`].
    EntryTooLarge {
        /// Its bytes.
        bytes: u64,
    },
    /// More was appended between two commits than the journal holds in memory.
    TooMuchWaiting,
    /// The origin is empty, too long or not printable.
    Origin,
    /// Groups reached the disk's side out of order, or from another journal.
    OutOfOrder,
}

impl JournalFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disk(fault) => fault.code(),
            Self::EntryTooLarge { .. } => "JOURNAL_ENTRY_TOO_LARGE",
            Self::TooMuchWaiting => "JOURNAL_BEHIND",
            Self::Origin => "JOURNAL_ORIGIN",
            Self::OutOfOrder => "JOURNAL_ORDER",
        }
    }
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(fault) => fault.fmt(f),
            Self::EntryTooLarge { bytes } => {
                write!(f, "{}: an entry of {bytes} bytes, {ENTRY_BYTES_MAX} at most", self.code())
            }
            Self::TooMuchWaiting => {
                write!(f, "{}: too many bytes wait for the disk", self.code())
            }
            Self::Origin => write!(f, "{}: not a usable origin", self.code()),
            Self::OutOfOrder => write!(f, "{}: groups out of order", self.code()),
        }
    }
}

impl std::error::Error for JournalFault {}
