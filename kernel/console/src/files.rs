//! Files: read with a bound, written whole and synced or not at all, private to their owner.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::{CliError, Exit};

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Reads a file of at most `bytes_max` bytes. Devices, pipes and folders are no files.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, CliError> {
    let fault = |error| io_error(path, &error, "check the path");
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(fault)?.is_file() {
        return Err(wrong_kind(path, "not a regular file"));
    }
    let file = File::open(path).map_err(fault)?;
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(fault)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(wrong_kind(path, &format!("longer than {bytes_max} bytes")));
    }
    Ok(bytes)
}

fn wrong_kind(path: &Path, cause: &str) -> CliError {
    CliError::new(Exit::Refused, "FILE_WRONG_KIND", &shown(path), cause, "check the path")
}

/// Writes a new file, readable by its owner alone. What exists is never replaced.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(FILE_MODE).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| io_error(path, &error, "choose another place, or make room there"))
}

/// Replaces a file in one step: whoever reads it sees the old or the new one, never a part.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let beside = beside(path, ".partial");
    write_new(&beside, bytes)?;
    let renamed = fs::rename(&beside, path).and_then(|()| sync_parent(path));
    renamed.map_err(|error| {
        // The first error is the one to tell; the leftover is named in it.
        drop(fs::remove_file(&beside));
        io_error(path, &error, "check the folder's permissions")
    })
}

/// Makes a new folder, open to its owner alone. Its parent must exist.
pub fn make_folder(path: &Path) -> Result<(), CliError> {
    let made = DirBuilder::new().mode(FOLDER_MODE).create(path);
    made.map_err(|error| io_error(path, &error, "choose a folder in which you may write"))
}

/// Makes the names in the folder of `path` durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// The path with something appended to its last name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether anything has that name, a dangling link included.
#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A path for people. Escaped where it is printed.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// An error of the file system with its exit code.
#[must_use]
pub fn io_error(path: &Path, error: &io::Error, next: &str) -> CliError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's list of kinds is open")]
    let (exit, code) = match error.kind() {
        io::ErrorKind::NotFound => (Exit::NotFound, "FILE_NOT_FOUND"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (Exit::NotPermitted, "FILE_NOT_PERMITTED")
        }
        io::ErrorKind::AlreadyExists => (Exit::Refused, "FILE_EXISTS"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (Exit::Temporary, "DISK_FULL"),
        _ => (Exit::Internal, "FILE_FAULT"),
    };
    CliError::new(exit, code, &shown(path), &error.to_string(), next)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn files_are_private_new_and_replaced_in_one_step() {
        let scratch = Scratch::new("files");
        let path = scratch.path().join("a");
        write_new(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_new(&path, b"two").unwrap_err().code, "FILE_EXISTS");
        replace(&path, b"three").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"three");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_missing_long_or_no_file_is_refused_by_name() {
        let scratch = Scratch::new("files");
        let path = scratch.path().join("a");
        let code = |path: &Path, max| read(path, max).unwrap_err().code;
        assert_eq!(code(&path, 1), "FILE_NOT_FOUND");
        assert_eq!(code(scratch.path(), 1), "FILE_WRONG_KIND");
        assert_eq!(code(Path::new("/dev/zero"), 1), "FILE_WRONG_KIND");
        write_new(&path, b"12").unwrap();
        assert_eq!(code(&path, 1), "FILE_WRONG_KIND");
        let nowhere = scratch.path().join("x/y");
        assert_eq!(make_folder(&nowhere).unwrap_err().exit, Exit::NotFound);
    }
}
