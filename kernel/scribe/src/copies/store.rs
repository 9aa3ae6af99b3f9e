//! A folder of write-once files: each is there whole or not at all, and none ever changes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::files::{self, shown};
use crate::{CliError, Exit};

/// What is on its way; nothing in it is a copy.
const INCOMING: &str = "incoming";
/// A copy cannot be written to, not even by its owner without a further act.
const FILE_MODE: u32 = 0o440;
const FOLDER_MODE: u32 = 0o750;

/// The folder.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
}

impl Store {
    /// Uses the folder, and makes it if it is missing; its parent must be there.
    pub(super) fn open(root: &Path) -> Result<Self, CliError> {
        let store = Self { root: root.to_owned() };
        store.make_folder(root)?;
        Ok(store)
    }

    /// Uses a folder that must be there, to look at.
    pub(super) fn look(root: &Path) -> Result<Self, CliError> {
        if !root.is_dir() {
            let (cause, next) =
                ("there is no such folder", "portcullis scribe copy HOME --to FOLDER");
            return Err(CliError::new(Exit::NotFound, "COPIES_ABSENT", &shown(root), cause, next));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The length of a copy; `None` if there is none of that name.
    pub(super) fn length(&self, name: &str) -> Result<Option<u64>, CliError> {
        let path = self.root.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(differs(&path, "not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(files::io_error(&path, &error, "check the folder")),
        }
    }

    /// The names of the copies in a folder of the store, sorted; none where there is no such folder.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, CliError> {
        let path = self.root.join(folder);
        let fault = |error: &io::Error| files::io_error(&path, error, "check the folder");
        let listed = match fs::read_dir(&path) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(&error)),
        };
        let mut names = Vec::new();
        for item in listed {
            let name = item.map_err(|error| fault(&error))?.file_name();
            names.extend(name.to_str().map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Keeps `bytes` under that name, durably. Returns whether they are new.
    ///
    /// # Errors
    /// `COPY_DIFFERS`: other bytes lie there. They are left as they are.
    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, CliError> {
        let path = self.root.join(name);
        if self.length(name)?.is_some() {
            return same(&path, bytes).map(|()| false);
        }
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        self.make_folder(&parent)?;
        let incoming = self.root.join(INCOMING);
        self.make_folder(&incoming)?;
        let partial = incoming.join(std::process::id().to_string());
        let written = write(&partial, bytes).and_then(|()| fs::hard_link(&partial, &path));
        // Whatever came of it: what is on its way is no copy.
        drop(fs::remove_file(&partial));
        match written.and_then(|()| File::open(&parent)?.sync_all()) {
            Ok(()) => Ok(true),
            // Somebody else was faster; a name is never given twice.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                same(&path, bytes).map(|()| false)
            }
            Err(error) => Err(files::io_error(&path, &error, "make room, or check the folder")),
        }
    }

    fn make_folder(&self, path: &Path) -> Result<(), CliError> {
        let made = DirBuilder::new().recursive(path != self.root).mode(FOLDER_MODE).create(path);
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made.map_err(|error| files::io_error(path, &error, "choose another folder")),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Left behind by a run that was cut off, under the same process id.
    drop(fs::remove_file(path));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn same(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match files::read(path, length) {
        Ok(found) if found == bytes => Ok(()),
        Ok(_) => Err(differs(path, "other bytes lie there already")),
        Err(error) if error.code == "FILE_WRONG_KIND" => {
            Err(differs(path, "a longer file is there"))
        }
        Err(error) => Err(error),
    }
}

fn differs(path: &Path, cause: &str) -> CliError {
    let next = "copies never change: find out which of the two is the evidence, copy elsewhere";
    CliError::new(Exit::CheckFailed, "COPY_DIFFERS", &shown(path), cause, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_copy_is_made_once_and_never_changed() {
        let scratch = Scratch::new("store");
        let root = scratch.path().join("copies");
        let store = Store::open(&root).unwrap();
        assert!(store.create("a/b/c", b"one").unwrap());
        assert!(!store.create("a/b/c", b"one").unwrap());
        for other in [&b"two"[..], b"on", b"ones", b""] {
            assert_eq!(store.create("a/b/c", other).unwrap_err().code, "COPY_DIFFERS");
        }
        assert_eq!(fs::read(root.join("a/b/c")).unwrap(), b"one");
        assert_eq!(store.length("a/b/c").unwrap(), Some(3));
        assert_eq!(store.names("a/b").unwrap(), ["c"]);
        assert_eq!(store.names(INCOMING).unwrap(), Vec::<String>::new());
        assert!(fs::metadata(root.join("a/b/c")).unwrap().permissions().readonly());
    }

    #[test]
    fn a_link_in_the_place_of_a_copy_is_refused() {
        let scratch = Scratch::new("store");
        let store = Store::open(scratch.path()).unwrap();
        fs::write(scratch.path().join("elsewhere"), b"x").unwrap();
        std::os::unix::fs::symlink("elsewhere", scratch.path().join("a")).unwrap();
        assert_eq!(store.create("a", b"x").unwrap_err().code, "COPY_DIFFERS");
        let nowhere = scratch.path().join("x/y");
        assert_eq!(Store::open(&nowhere).unwrap_err().code, "FILE_NOT_FOUND");
        assert_eq!(Store::look(&nowhere).unwrap_err().code, "COPIES_ABSENT");
    }
}
