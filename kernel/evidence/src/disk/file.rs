//! The disk of a real house: a folder with a folder for each epoch.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::{Disk, DiskFault, DiskOperation, Place};
use crate::bytes::len_u64;
use crate::journal::{JournalFolder, SEGMENT_BYTES, Source as _, begun_epochs};

/// The segment that is made ready ahead, beside the epochs.
const SPARE: &str = "spare.partial";
/// What is written at once while a spare is filled.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The folder of all epochs, locked against a second writer for as long as it is held.
#[derive(Debug)]
pub struct FileDisk {
    root: PathBuf,
    /// Held for its lock.
    _lock: File,
    present: Option<File>,
    spare: Spare,
}

#[derive(Debug)]
enum Spare {
    None,
    Coming(JoinHandle<Result<File, DiskFault>>),
    Ready(File),
    Failed(DiskFault),
}

impl FileDisk {
    /// Takes the folder, which is made if it is missing; its parent must be there.
    ///
    /// # Errors
    /// `JOURNAL_NOT_CREATED`, or `JOURNAL_LOCKED` if another process holds it.
    pub fn open(root: &Path) -> Result<Self, DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Create, &error);
        match fs::create_dir(root) {
            Ok(()) => sync_parent(root).map_err(fault)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(fault(error)),
        }
        let folder = File::open(root).map_err(fault)?;
        lock(&folder)?;
        Ok(Self { root: root.to_owned(), _lock: folder, present: None, spare: Spare::None })
    }

    /// The last epoch that has begun; `None` if none has.
    ///
    /// # Errors
    /// `JOURNAL_UNREADABLE`.
    pub fn last_epoch(&self) -> Result<Option<u32>, DiskFault> {
        Ok(begun_epochs(&self.root)?.pop())
    }

    /// Makes what was read of an epoch durable, all segments and their names: bytes that were only
    /// in the operating system's memory when the last process died can be read back and still be
    /// lost, and the next epoch is about to bind them.
    ///
    /// # Errors
    /// `JOURNAL_UNREADABLE`, `EVIDENCE_UNWRITABLE`.
    pub fn settle(&self, epoch: u32) -> Result<(), DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Sync, &error);
        for segment in 1..=self.journal(epoch).last_segment()? {
            let path = self.root.join(Place { epoch, segment }.path());
            File::open(&path).and_then(|file| file.sync_all()).map_err(fault)?;
        }
        self.sync_names(&self.root.join(Place { epoch, segment: 1 }.path())).map_err(fault)
    }

    /// An epoch's journal, to read.
    #[must_use]
    pub fn journal(&self, epoch: u32) -> JournalFolder {
        JournalFolder::of_epoch(&self.root, epoch)
    }

    /// Makes the names in the segment's folder and above durable.
    fn sync_names(&self, path: &Path) -> io::Result<()> {
        let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root));
        above.into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
    }

    fn present(&self) -> io::Result<&File> {
        self.present.as_ref().ok_or_else(|| io::Error::other("no segment is open"))
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

/// Zeros are written, not only reserved: a sync of reserved blocks has to write the file's
/// metadata too, and takes twice as long.
fn make_spare(path: &Path) -> io::Result<File> {
    // The group may read (the scribe does); nobody else sees what we trade.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o640);
    let mut file = options.open(path)?;
    let mut left = SEGMENT_BYTES;
    while left > 0 {
        let piece = ZEROS.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(&ZEROS);
        file.write_all(piece)?;
        left = left.saturating_sub(len_u64(piece.len()));
    }
    file.sync_all()?;
    sync_parent(path)?;
    Ok(file)
}

impl Disk for FileDisk {
    fn prepare(&mut self) {
        if !matches!(self.spare, Spare::None) {
            return;
        }
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Prepare, &error);
        let path = self.root.join(SPARE);
        let make = move || make_spare(&path).map_err(fault);
        let started = thread::Builder::new().name("spare".to_owned()).spawn(make);
        self.spare = started.map_or_else(|error| Spare::Failed(fault(error)), Spare::Coming);
    }

    fn is_prepared(&mut self, wait: bool) -> Result<bool, DiskFault> {
        let spare = std::mem::replace(&mut self.spare, Spare::None);
        self.spare = match spare {
            Spare::Coming(thread) if wait || thread.is_finished() => match thread.join() {
                Ok(made) => made.map_or_else(Spare::Failed, Spare::Ready),
                Err(_panic) => {
                    let error = io::Error::other("its thread has ended");
                    Spare::Failed(DiskFault::new(DiskOperation::Prepare, &error))
                }
            },
            other @ (Spare::None | Spare::Coming(_) | Spare::Ready(_) | Spare::Failed(_)) => other,
        };
        match &self.spare {
            Spare::None | Spare::Coming(_) => Ok(false),
            Spare::Ready(_) => Ok(true),
            Spare::Failed(fault) => Err(fault.clone()),
        }
    }

    fn take_spare(&mut self) -> Result<(), DiskFault> {
        self.prepare();
        self.is_prepared(true)?;
        if let Spare::Ready(file) = std::mem::replace(&mut self.spare, Spare::None) {
            self.present = Some(file);
        }
        Ok(())
    }

    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        let fault = |error: io::Error| DiskFault::new(DiskOperation::Open, &error);
        let path = self.root.join(place.path());
        if !fs::symlink_metadata(&path).map_err(fault)?.is_file() {
            return Err(fault(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(fault)?;
        file.sync_all().and_then(|()| self.sync_names(&path)).map_err(fault)?;
        self.present = Some(file);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        let written = self.present().and_then(|file| file.write_all_at(bytes, offset));
        written.map_err(|error| DiskFault::new(DiskOperation::Write, &error))
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        let synced = self.present().and_then(File::sync_data);
        synced.map_err(|error| DiskFault::new(DiskOperation::Sync, &error))
    }

    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        let path = self.root.join(place.path());
        let name = || {
            if fs::symlink_metadata(&path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the name is taken"));
            }
            fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
            fs::rename(self.root.join(SPARE), &path)?;
            self.sync_names(&path)
        };
        name().map_err(|error| DiskFault::new(DiskOperation::Name, &error))
    }
}
