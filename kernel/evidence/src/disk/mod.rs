//! Where the journal's bytes go. Only [`FileDisk`] touches the file system.

mod file;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

pub use file::FileDisk;
pub(crate) use file::sync_parent;
pub use memory::MemoryDisk;

/// Which segment of which epoch, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The epoch.
    pub epoch: u32,
    /// The segment in it.
    pub segment: u32,
}

impl Place {
    /// Where the segment lies below the folder of all epochs: `000001/journal/000001.journal`.
    #[must_use]
    pub fn path(self) -> String {
        format!("{:06}/journal/{}", self.epoch, segment_name(self.segment))
    }
}

/// A segment's file name: `000001.journal`.
#[must_use]
pub fn segment_name(segment: u32) -> String {
    format!("{segment:06}.journal")
}

/// What the journal asks of a disk: one segment is written at a time, the next one is made ready
/// meanwhile. A segment has no name before its first group is durable in it.
pub trait Disk {
    /// Begins to make a spare segment ready, all zeros; may go on behind the caller's back. Does
    /// nothing if there is one. Never called between [`Disk::take_spare`] and the segment's name.
    fn prepare(&mut self);

    /// Whether the spare is ready; with `wait` it is, or there is a fault.
    ///
    /// # Errors
    /// It could not be made: the disk may be full. It is not tried again.
    fn is_prepared(&mut self, wait: bool) -> Result<bool, DiskFault>;

    /// Writes go to the spare from now on; it is made first if there is none.
    ///
    /// # Errors
    /// Any failure.
    fn take_spare(&mut self) -> Result<(), DiskFault>;

    /// Writes go to a segment that has a name. What it holds, and its name, is durable then:
    /// bytes that were only in the operating system's memory when the last process died can be
    /// read back and still be lost.
    ///
    /// # Errors
    /// Any failure.
    fn open(&mut self, place: Place) -> Result<(), DiskFault>;

    /// Writes `bytes` into the present segment. They may be lost until [`Disk::sync`] returned.
    ///
    /// # Errors
    /// Any failure, and any write that was not whole. The caller never tries again.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault>;

    /// Returns once everything written to the present segment is durable.
    ///
    /// # Errors
    /// Any failure. What was written may then be lost even if a later sync succeeds, so the
    /// caller never tries again.
    fn sync(&mut self) -> Result<(), DiskFault>;

    /// Gives the present segment its name, durably. Before this returns it may have it or not.
    ///
    /// # Errors
    /// Any failure, and a name that is taken.
    fn give_name(&mut self, place: Place) -> Result<(), DiskFault>;
}

/// What was being done when the disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOperation {
    /// Making the folder of all epochs.
    Create,
    /// Opening a folder or a segment.
    Open,
    /// Taking the lock that keeps a second writer out.
    Lock,
    /// Reading a segment.
    Read,
    /// Making a spare segment ready.
    Prepare,
    /// Writing bytes.
    Write,
    /// Making them durable.
    Sync,
    /// Giving a segment its name.
    Name,
}

/// The disk failed. The journal above it is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFault {
    /// What was being done.
    pub operation: DiskOperation,
    /// The kind that the operating system names.
    pub kind: io::ErrorKind,
    /// The operating system's words.
    pub cause: String,
}

impl DiskFault {
    /// A fault of `operation` as the operating system reports it.
    #[must_use]
    pub fn new(operation: DiskOperation, error: &io::Error) -> Self {
        Self { operation, kind: error.kind(), cause: error.to_string() }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.operation {
            DiskOperation::Create => "JOURNAL_NOT_CREATED",
            DiskOperation::Open | DiskOperation::Read => "JOURNAL_UNREADABLE",
            DiskOperation::Lock => "JOURNAL_LOCKED",
            DiskOperation::Prepare => "EVIDENCE_FULL",
            DiskOperation::Write | DiskOperation::Sync | DiskOperation::Name => {
                "EVIDENCE_UNWRITABLE"
            }
        }
    }
}

impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} failed: {}", self.code(), self.operation, self.cause)
    }
}

impl std::error::Error for DiskFault {}
