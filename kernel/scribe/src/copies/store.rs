//! Write-once objects in a folder or in an S3-compatible store: each is there whole or not at all,
//! and none ever changes. `PutMode::Create` is the whole of it: whoever comes second is refused.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode};
use tokio::runtime::{Builder, Runtime};

use super::s3::{self, Remote};
use crate::files;
use crate::{CliError, Exit};

/// A copy cannot be written to, not even by its owner without a further act.
const FILE_MODE: u32 = 0o440;
const FOLDER_MODE: u32 = 0o750;

/// Where copies are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder of copies, on another disk or another host; or `s3://BUCKET/PREFIX`.
    #[arg(long, value_name = "FOLDER|S3-URL")]
    pub(super) to: String,
    #[command(flatten)]
    pub(super) remote: Remote,
}

/// The names of the copies, each with its length.
pub(super) type Listed = BTreeMap<String, u64>;

/// The store.
#[derive(Debug)]
pub(super) struct Store {
    objects: Box<dyn ObjectStore>,
    runtime: Runtime,
    /// As it was named.
    place: String,
    /// Where the copies lie, if they are files.
    folder: Option<PathBuf>,
}

impl Store {
    /// Uses the place. A folder that is missing is made; its parent must be there.
    pub(super) fn open(place: &Place) -> Result<Self, CliError> {
        if !s3::is_remote(&place.to) {
            make_folder(Path::new(&place.to))?;
        }
        Self::look(place)
    }

    /// Uses a place that must be there, to look at.
    pub(super) fn look(place: &Place) -> Result<Self, CliError> {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|e| files::io_error(Path::new("."), &e, "try again"))?;
        let folder = (!s3::is_remote(&place.to)).then(|| PathBuf::from(&place.to));
        let objects: Box<dyn ObjectStore> = match &folder {
            None => s3::open(&place.to, &place.remote)?,
            Some(folder) if folder.is_dir() => {
                let opened = LocalFileSystem::new_with_prefix(folder);
                Box::new(opened.map_err(|error| fault(&place.to, &error))?.with_fsync(true))
            }
            Some(_) => {
                let cause = "there is no such folder";
                let next = "portcullis scribe copy HOME --to FOLDER";
                let code = "COPIES_ABSENT";
                return Err(CliError::new(Exit::NotFound, code, &place.to, cause, next));
            }
        };
        Ok(Self { objects, runtime, place: place.to.clone(), folder })
    }

    /// Every copy that is there.
    pub(super) fn list(&self) -> Result<Listed, CliError> {
        let found: Result<Vec<ObjectMeta>, _> =
            self.runtime.block_on(self.objects.list(None).try_collect());
        let found = found.map_err(|error| fault(&self.place, &error))?;
        let named = |it: ObjectMeta| {
            let name = it.location.to_string();
            self.require_file(&name)?;
            Ok((name, it.size))
        };
        found.into_iter().map(named).collect()
    }

    /// Keeps `bytes` under that name, durably. Returns whether they are new.
    ///
    /// # Errors
    /// `COPY_DIFFERS`: other bytes lie there. They are left as they are.
    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, CliError> {
        let key = Key::parse(name).map_err(|error| fault(name, &error.into()))?;
        let put = self.objects.put_opts(&key, bytes.to_vec().into(), PutMode::Create.into());
        match self.runtime.block_on(put) {
            Ok(_) => self.protect(name).map(|()| true),
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.same(name, &key, bytes).map(|()| false)
            }
            Err(error) => Err(fault(&self.place, &error)),
        }
    }

    fn same(&self, name: &str, key: &Key, bytes: &[u8]) -> Result<(), CliError> {
        self.require_file(name)?;
        let there = self.runtime.block_on(self.objects.head(key));
        let there = there.map_err(|error| fault(&self.place, &error))?;
        // A longer one is not fetched to be told so.
        if usize::try_from(there.size) != Ok(bytes.len()) {
            return Err(self.differs(name, "bytes of another length lie there already"));
        }
        let read = self.runtime.block_on(async { self.objects.get(key).await?.bytes().await });
        let read = read.map_err(|error| fault(&self.place, &error))?;
        if read == bytes {
            Ok(())
        } else {
            Err(self.differs(name, "other bytes lie there already"))
        }
    }

    /// A link in the place of a copy is none.
    fn require_file(&self, name: &str) -> Result<(), CliError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(name);
        let found = fs::symlink_metadata(&path)
            .map_err(|error| files::io_error(&path, &error, "check the folder"))?;
        if found.is_file() { Ok(()) } else { Err(self.differs(name, "not a regular file")) }
    }

    fn protect(&self, name: &str) -> Result<(), CliError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(name);
        fs::set_permissions(&path, Permissions::from_mode(FILE_MODE))
            .map_err(|error| files::io_error(&path, &error, "check the folder"))
    }

    fn differs(&self, name: &str, cause: &str) -> CliError {
        let next = "copies never change: find out which of the two is the evidence, copy elsewhere";
        let subject = format!("{}/{name}", self.place);
        CliError::new(Exit::CheckFailed, "COPY_DIFFERS", &subject, cause, next)
    }
}

/// What the store did not do, and whether another try may help.
fn fault(place: &str, error: &object_store::Error) -> CliError {
    use object_store::Error as E;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of errors is open")]
    let (exit, code, next) = match error {
        E::NotFound { .. } => (Exit::NotFound, "STORE_NOT_FOUND", "make the bucket, or the folder"),
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
            (Exit::NotPermitted, "STORE_NOT_PERMITTED", "check the credentials and their rights")
        }
        E::InvalidPath { .. } => (Exit::Refused, "COPY_NAME", "look at the file of that name"),
        _ => (Exit::Temporary, "STORE_FAULT", "check the place, make room, and try again"),
    };
    CliError::new(exit, code, place, &told(error), next)
}

/// The library's own words. What a server answered is left out: it may quote what we sent.
fn told(error: &object_store::Error) -> String {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    text.split(": <?xml").next().unwrap_or(text).chars().take(300).collect()
}

fn make_folder(path: &Path) -> Result<(), CliError> {
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(|error| files::io_error(path, &error, "choose another folder")),
    }
}

/// A folder as the command line would name it.
#[cfg(test)]
pub(super) fn folder(path: &Path) -> Place {
    Place { to: files::shown(path), remote: Remote::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_copy_is_made_once_and_never_changed() {
        let scratch = Scratch::new("store");
        let root = scratch.path().join("copies");
        let store = Store::open(&folder(&root)).unwrap();
        assert!(store.create("a/b/c", b"one").unwrap());
        assert!(!store.create("a/b/c", b"one").unwrap());
        for other in [&b"two"[..], b"on", b"ones", b""] {
            assert_eq!(store.create("a/b/c", other).unwrap_err().code, "COPY_DIFFERS");
        }
        assert_eq!(fs::read(root.join("a/b/c")).unwrap(), b"one");
        assert_eq!(store.list().unwrap(), [("a/b/c".to_owned(), 3)].into());
        assert!(fs::metadata(root.join("a/b/c")).unwrap().permissions().readonly());
    }

    #[test]
    fn a_link_in_the_place_of_a_copy_is_refused() {
        let scratch = Scratch::new("store");
        let store = Store::open(&folder(scratch.path())).unwrap();
        fs::write(scratch.path().join("elsewhere"), b"x").unwrap();
        std::os::unix::fs::symlink("elsewhere", scratch.path().join("a")).unwrap();
        assert_eq!(store.create("a", b"x").unwrap_err().code, "COPY_DIFFERS");
        assert_eq!(store.list().unwrap_err().code, "COPY_DIFFERS");
        let nowhere = folder(&scratch.path().join("x/y"));
        assert_eq!(Store::open(&nowhere).unwrap_err().code, "FILE_NOT_FOUND");
        assert_eq!(Store::look(&nowhere).unwrap_err().code, "COPIES_ABSENT");
    }
}
