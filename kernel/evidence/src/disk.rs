//! Where the journal's bytes go. The only file of the journal's that touches the file system.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::bytes::len_u64;

/// One append-only string of bytes that survives the process, if its owner asks for it.
pub trait Disk {
    /// Adds `bytes` at the end. They may be lost until [`Disk::sync`] has returned.
    ///
    /// # Errors
    /// Any failure, and any write that was not whole. The caller never tries again.
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskFault>;

    /// Returns once everything appended is durable.
    ///
    /// # Errors
    /// Any failure. What was appended may then be lost even if a later sync succeeds, so the
    /// caller never tries again.
    fn sync(&mut self) -> Result<(), DiskFault>;

    /// Drops everything after the first `length` bytes, durably. Used once, to cut a torn tail.
    ///
    /// # Errors
    /// Any failure, and a disk that holds fewer than `length` bytes.
    fn cut_to(&mut self, length: u64) -> Result<(), DiskFault>;
}

/// What was being done when the disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOperation {
    /// Making the file.
    Create,
    /// Opening the file.
    Open,
    /// Taking the lock that keeps a second writer out.
    Lock,
    /// Reading the file.
    Read,
    /// Adding bytes.
    Append,
    /// Making them durable.
    Sync,
    /// Cutting a torn tail.
    Cut,
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
            DiskOperation::Append | DiskOperation::Sync | DiskOperation::Cut => {
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

/// One file, opened for appending, locked against a second writer for as long as it is held.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
}

impl FileDisk {
    /// Makes the file, which must not exist, and makes its name durable.
    ///
    /// # Errors
    /// `JOURNAL_NOT_CREATED` if it exists or cannot be made, `JOURNAL_LOCKED` if another holds it.
    pub fn create(path: &Path) -> Result<Self, DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Create, &error);
        // The group may read (the scribe does); nobody else sees what we trade.
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o640)
            .open(path)
            .map_err(fault)?;
        lock(&file)?;
        file.sync_all().map_err(fault)?;
        sync_parent(path).map_err(fault)?;
        Ok(Self { file })
    }

    /// Opens an existing file. Nothing is read yet and nothing is changed.
    ///
    /// # Errors
    /// `JOURNAL_UNREADABLE` if it is no regular file or cannot be opened, `JOURNAL_LOCKED` if
    /// another process holds it.
    pub fn open(path: &Path) -> Result<Self, DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Open, &error);
        let named = std::fs::symlink_metadata(path).map_err(fault)?;
        if !named.is_file() {
            return Err(fault(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
        }
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(fault)?;
        lock(&file)?;
        Ok(Self { file })
    }

    /// Everything in the file.
    ///
    /// # Errors
    /// `JOURNAL_UNREADABLE`.
    pub fn contents(&self) -> Result<Vec<u8>, DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Read, &error);
        let mut from_start = &self.file;
        io::Seek::rewind(&mut from_start).map_err(fault)?;
        let mut bytes = Vec::new();
        from_start.read_to_end(&mut bytes).map_err(fault)?;
        Ok(bytes)
    }
}

fn lock(file: &File) -> Result<(), DiskFault> {
    file.try_lock().map_err(|error| {
        let error = match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another process writes this journal")
            }
            TryLockError::Error(error) => error,
        };
        DiskFault::new(DiskOperation::Lock, &error)
    })
}

/// Makes the entry of `path` in its directory durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

impl Disk for FileDisk {
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskFault> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| DiskFault::new(DiskOperation::Append, &error))
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        self.file.sync_data().map_err(|error| DiskFault::new(DiskOperation::Sync, &error))
    }

    fn cut_to(&mut self, length: u64) -> Result<(), DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Cut, &error);
        let present = self.file.metadata().map_err(fault)?.len();
        if present < length {
            return Err(fault(shorter_than_read()));
        }
        if present > length {
            self.file.set_len(length).map_err(fault)?;
        }
        self.file.sync_all().map_err(fault)
    }
}

fn shorter_than_read() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the disk holds less than was read from it")
}

/// A disk in memory, for the lab and for tests. It forgets when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    bytes: Vec<u8>,
    synced_len: usize,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), synced_len: 0 }
    }

    /// A disk that already holds `bytes`, all of them durable.
    #[must_use]
    pub const fn holding(bytes: Vec<u8>) -> Self {
        let synced_len = bytes.len();
        Self { bytes, synced_len }
    }

    /// Everything appended.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What would be left after a power cut at its kindest: everything up to the last sync.
    #[must_use]
    pub fn synced_bytes(&self) -> &[u8] {
        self.bytes.get(..self.synced_len).unwrap_or_default()
    }
}

impl Disk for MemoryDisk {
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskFault> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        self.synced_len = self.bytes.len();
        Ok(())
    }

    fn cut_to(&mut self, length: u64) -> Result<(), DiskFault> {
        match usize::try_from(length) {
            Ok(length) if len_u64(self.bytes.len()) >= len_u64(length) => {
                self.bytes.truncate(length);
                self.synced_len = length;
                Ok(())
            }
            _ => Err(DiskFault::new(DiskOperation::Cut, &shorter_than_read())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_file_keeps_what_was_appended_and_lets_no_second_writer_in() {
        let scratch = Scratch::new("disk");
        let path = scratch.path().join("j");
        let mut disk = FileDisk::create(&path).unwrap();
        disk.append(b"one").unwrap();
        disk.append(b"two").unwrap();
        disk.sync().unwrap();
        assert_eq!(disk.contents().unwrap(), b"onetwo");
        assert_eq!(FileDisk::open(&path).unwrap_err().code(), "JOURNAL_LOCKED");
        assert_eq!(FileDisk::create(&path).unwrap_err().code(), "JOURNAL_NOT_CREATED");
        disk.cut_to(3).unwrap();
        disk.append(b"!").unwrap();
        assert_eq!(disk.contents().unwrap(), b"one!");
        assert_eq!(disk.cut_to(5).unwrap_err().code(), "EVIDENCE_UNWRITABLE");
        drop(disk);
        assert_eq!(FileDisk::open(&path).unwrap().contents().unwrap(), b"one!");
    }

    #[test]
    fn a_link_or_a_folder_is_no_journal() {
        let scratch = Scratch::new("disk-link");
        let (target, link) = (scratch.path().join("t"), scratch.path().join("l"));
        std::fs::write(&target, b"x").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [link.as_path(), scratch.path()] {
            assert_eq!(FileDisk::open(path).unwrap_err().code(), "JOURNAL_UNREADABLE");
        }
    }

    #[test]
    fn memory_tells_what_a_power_cut_would_leave() {
        let mut disk = MemoryDisk::new();
        disk.append(b"kept").unwrap();
        disk.sync().unwrap();
        disk.append(b"lost").unwrap();
        assert_eq!((disk.bytes(), disk.synced_bytes()), (&b"keptlost"[..], &b"kept"[..]));
        assert!(disk.cut_to(9).is_err());
    }
}
