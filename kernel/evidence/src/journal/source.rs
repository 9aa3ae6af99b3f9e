//! Where a reader finds the segments of one journal.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::bytes::len_u64;
use crate::disk::{DiskFault, DiskOperation, segment_name};

/// The segments of one journal, counted from 1.
pub trait Source {
    /// The number of the last segment; 0 if there is none.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn last_segment(&mut self) -> Result<u32, DiskFault>;

    /// Reads from `offset` of a segment into `buffer` and says how many bytes: fewer than asked
    /// for only at the file's end, `None` if there is no such segment.
    ///
    /// # Errors
    /// The file cannot be read.
    fn read_at(
        &mut self,
        segment: u32,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, DiskFault>;
}

/// The folder with the segments of one journal: of an epoch in a home, or in a pack.
#[derive(Debug)]
pub struct JournalFolder {
    path: PathBuf,
    open: Option<(u32, File)>,
}

impl JournalFolder {
    /// The segments in the folder `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// An epoch's journal below the folder of all epochs.
    #[must_use]
    pub fn of_epoch(epochs: &Path, epoch: u32) -> Self {
        Self::new(epoch_folder(epochs, epoch).join("journal"))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&mut self, segment: u32) -> io::Result<Option<&File>> {
        if self.open.as_ref().is_none_or(|(number, _)| *number != segment) {
            let path = self.path.join(segment_name(segment));
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_file() => self.open = Some((segment, File::open(path)?)),
                Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "no file")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(self.open.as_ref().map(|(_, file)| file))
    }
}

/// The folder of an epoch below the folder of all epochs.
#[must_use]
pub fn epoch_folder(epochs: &Path, epoch: u32) -> PathBuf {
    epochs.join(format!("{epoch:06}"))
}

/// The epochs that have begun, the oldest first, below the folder of all epochs.
///
/// # Errors
/// `JOURNAL_UNREADABLE`.
pub fn begun_epochs(epochs: &Path) -> Result<Vec<u32>, DiskFault> {
    let mut begun = Vec::new();
    for item in fs::read_dir(epochs).map_err(|error| fault(&error))? {
        let name = item.map_err(|error| fault(&error))?.file_name();
        let Some(epoch) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let mut journal = JournalFolder::of_epoch(epochs, epoch);
        // A folder without a segment is what a crash leaves of a beginning.
        if journal.path().is_dir() && journal.last_segment()? > 0 {
            begun.push(epoch);
        }
    }
    begun.sort_unstable();
    Ok(begun)
}

/// Copies what `bytes` hold from `offset` on, as far as it fits, and says how much that is.
pub(crate) fn copy_from(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = bytes.get(from..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

fn fault(error: &io::Error) -> DiskFault {
    DiskFault::new(DiskOperation::Read, error)
}

impl Source for JournalFolder {
    fn last_segment(&mut self) -> Result<u32, DiskFault> {
        let mut last = 0;
        for item in fs::read_dir(&self.path).map_err(|error| fault(&error))? {
            let name = item.map_err(|error| fault(&error))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".journal")?.parse().ok());
            last = last.max(number.unwrap_or(0));
        }
        Ok(last)
    }

    fn read_at(
        &mut self,
        segment: u32,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, DiskFault> {
        let Some(file) = self.file(segment).map_err(|error| fault(&error))? else {
            return Ok(None);
        };
        let mut filled = 0_usize;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match file.read_at(free, offset.saturating_add(len_u64(filled))) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(&error)),
            }
        }
        Ok(Some(filled))
    }
}

/// Segments in memory.
impl Source for &[Vec<u8>] {
    fn last_segment(&mut self) -> Result<u32, DiskFault> {
        Ok(u32::try_from(self.len()).unwrap_or(u32::MAX))
    }

    fn read_at(
        &mut self,
        segment: u32,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, DiskFault> {
        let index = usize::try_from(segment.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(bytes) = self.get(index) else { return Ok(None) };
        Ok(Some(copy_from(bytes, offset, buffer)))
    }
}
