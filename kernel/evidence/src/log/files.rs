//! The files of a log: written whole or not at all, never through a link, never synced but for
//! what nobody could make again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::LogFault;
use crate::bytes::len_u64;
use crate::disk::sync_parent;

/// What a file is called until it is whole.
const UNFINISHED: &str = "unfinished";

/// One log's folder.
#[derive(Clone, Debug)]
pub struct LogFiles {
    root: PathBuf,
}

impl LogFiles {
    /// The log in the folder `root`, which need not exist.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The bytes of a file of at most `bytes_max`; `None` if there is none. A link is no file.
    ///
    /// # Errors
    /// `LOG_UNREADABLE`, `LOG_FILE_MALFORMED` if it is longer.
    pub fn read(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, LogFault> {
        let path = self.root.join(name);
        let fault = |error: io::Error| LogFault::unreadable(name, &error);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(LogFault::Malformed { file: name.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(error)),
        }
        let limit = len_u64(bytes_max).saturating_add(1);
        let mut bytes = Vec::new();
        File::open(&path).and_then(|it| it.take(limit).read_to_end(&mut bytes)).map_err(fault)?;
        if bytes.len() > bytes_max {
            return Err(LogFault::Malformed { file: name.to_owned() });
        }
        Ok(Some(bytes))
    }

    /// Makes `name` hold `bytes`, in one step. What holds them already is left alone.
    ///
    /// # Errors
    /// `LOG_UNWRITABLE`, also for a folder on the way that is a link.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), LogFault> {
        if self.read(name, bytes.len()).is_ok_and(|found| found.as_deref() == Some(bytes)) {
            return Ok(());
        }
        self.replace(name, bytes).map(drop).map_err(|error| LogFault::unwritable(name, &error))
    }

    /// As [`LogFiles::put`], and returns once a power cut cannot undo it.
    ///
    /// # Errors
    /// `LOG_UNWRITABLE`.
    pub fn put_durably(&self, name: &str, bytes: &[u8]) -> Result<(), LogFault> {
        let write = || {
            self.replace(name, bytes)?.sync_all()?;
            sync_parent(&self.root.join(name))
        };
        write().map_err(|error| LogFault::unwritable(name, &error))
    }

    /// Returns once a power cut can undo nothing of the log that was written: of all of it at once,
    /// since a log is many small files.
    ///
    /// # Errors
    /// `LOG_UNWRITABLE`.
    pub fn settle(&self) -> Result<(), LogFault> {
        let synced = File::open(&self.root).and_then(|root| Ok(rustix::fs::syncfs(root)?));
        synced.map_err(|error| LogFault::unwritable(".", &error))
    }

    /// Removes a folder of partial tiles, if it is there.
    pub(super) fn remove_folder(&self, name: &str) -> Result<(), LogFault> {
        match fs::remove_dir_all(self.root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LogFault::unwritable(name, &error))
            }
            _ => Ok(()),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        self.make_folders_of(name)?;
        let unfinished = self.root.join(UNFINISHED);
        // Left behind by a crash; a link there would be removed, not followed.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o640).open(&unfinished)?;
        file.write_all(bytes)?;
        fs::rename(&unfinished, self.root.join(name))?;
        Ok(file)
    }

    /// Makes the folders on the way to `name`. One that is a link leads elsewhere: refused.
    fn make_folders_of(&self, name: &str) -> io::Result<()> {
        let mut folder = self.root.clone();
        make_folder(&folder)?;
        let (on_the_way, _) = name.rsplit_once('/').unwrap_or_default();
        for part in on_the_way.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            make_folder(&folder)?;
        }
        Ok(())
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "not a folder of the log")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::DirBuilder::new().mode(0o750).create(folder)
        }
        Err(error) => Err(error),
    }
}
