//! What is wrong with a journal, and where.

use std::fmt;

use crate::disk::{DiskFault, segment_name};

/// Where a journal is damaged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment, counted from 1.
    pub segment: u32,
    /// The group, counted from 0.
    pub group: u64,
    /// The first entry that cannot be believed.
    pub entry: u64,
    /// The byte offset in the segment's file.
    pub offset: u64,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageReason {
    /// A segment is missing: there is none, or a later one is there.
    SegmentMissing,
    /// The file ends inside its own header.
    HeaderCut,
    /// It does not begin as a journal does.
    NotAJournal,
    /// Written by a version that this one does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// The origin in the header is not printable, or not the one expected.
    Origin,
    /// The segment header's checksum is wrong, or it does not follow from what is before it.
    Header,
    /// There is no group where one must begin.
    NoGroup,
    /// A group header's checksum is wrong.
    GroupHeader,
    /// A group's number, first seq, count or length does not follow from what is before it.
    Sequence,
    /// A group continues other entries.
    Root,
    /// A group claims that more was durable than exists, or less than a group before it.
    Watermark {
        /// Entries it claims.
        claimed: u64,
    },
    /// An entry's checksum or length is wrong.
    Entry,
    /// A group's checksum or end mark is wrong.
    Group,
    /// A group looks torn, but a later one says that it was durable.
    DurableLost,
}

impl DamageReason {
    /// What is wrong, in words.
    const fn words(self) -> &'static str {
        match self {
            Self::SegmentMissing => "a segment is missing",
            Self::HeaderCut => "the file ends inside its own header",
            Self::NotAJournal => "the file does not begin as a journal does",
            Self::Version { .. } => "written by a version that this one does not read",
            Self::Origin => "the journal of another origin",
            Self::Header => "the segment's header is wrong or does not follow",
            Self::NoGroup => "no group where one must begin",
            Self::GroupHeader => "a group header's checksum is wrong",
            Self::Sequence => "a group does not follow the one before it",
            Self::Root => "a group continues other entries",
            Self::Watermark { .. } => "a group claims more on disk than there is",
            Self::Entry => "an entry's checksum or length is wrong",
            Self::Group => "a group's checksum or end mark is wrong",
            Self::DurableLost => "a group that was on disk is torn",
        }
    }
}

impl Damage {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.reason {
            DamageReason::SegmentMissing | DamageReason::HeaderCut => "JOURNAL_TRUNCATED",
            DamageReason::Version { .. } => "JOURNAL_VERSION",
            DamageReason::Origin => "JOURNAL_ORIGIN",
            DamageReason::NotAJournal
            | DamageReason::Header
            | DamageReason::NoGroup
            | DamageReason::GroupHeader
            | DamageReason::Sequence
            | DamageReason::Root
            | DamageReason::Watermark { .. }
            | DamageReason::Entry
            | DamageReason::Group
            | DamageReason::DurableLost => "JOURNAL_DAMAGED",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, group, entry, offset, reason } = self;
        let file = segment_name(*segment);
        write!(f, "{} ({file}, group {group}, entry {entry}, byte {offset})", reason.words())
    }
}

impl std::error::Error for Damage {}

/// Why a journal cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The disk did not give what it holds.
    Disk(DiskFault),
    /// What it gave is damaged.
    Damage(Damage),
}

impl ReadFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disk(fault) => fault.code(),
            Self::Damage(damage) => damage.code(),
        }
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(fault) => fault.fmt(f),
            Self::Damage(damage) => damage.fmt(f),
        }
    }
}

impl std::error::Error for ReadFault {}

impl From<Damage> for ReadFault {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<DiskFault> for ReadFault {
    fn from(fault: DiskFault) -> Self {
        Self::Disk(fault)
    }
}
