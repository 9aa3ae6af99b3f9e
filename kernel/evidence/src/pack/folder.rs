//! Opening a pack that may have been made to harm whoever looks at it.
//!
//! Regular files only, at most one folder deep, no name that could mean another place, no file
//! longer than its caller allows. Every file is looked at before and after opening, so that one
//! which is exchanged for a link in between is noticed.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::renderings::RENDERINGS_FOLDER;
use crate::text::escape_terminal;

/// Most files in a pack.
const FILES_MAX: usize = 100_000;
/// The folders of a pack.
const FOLDERS: [&str; 3] = ["statements", "journal", "chunks"];

/// Something in a pack that is not as it must be. All its text is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: &'static str,
    /// The file, or the file and the record in it.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(code: &'static str, place: &str, reason: &str) -> Self {
        Self { code, place: escape_terminal(place), reason: escape_terminal(reason) }
    }
}

/// A pack's files by name, none of them opened yet.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    files: BTreeMap<String, Metadata>,
    pub(super) has_renderings: bool,
}

impl Folder {
    /// Lists the pack at `root`.
    pub(super) fn open(root: &Path) -> Result<Self, Finding> {
        let mut folder =
            Self { root: root.to_owned(), files: BTreeMap::new(), has_renderings: false };
        let metadata = fs::symlink_metadata(root).map_err(|error| unreadable(".", &error))?;
        if !metadata.is_dir() {
            return Err(Finding::new("PACK_UNREADABLE", ".", "not a folder"));
        }
        folder.list("", root)?;
        Ok(folder)
    }

    fn list(&mut self, prefix: &str, path: &Path) -> Result<(), Finding> {
        for item in fs::read_dir(path).map_err(|error| unreadable(prefix, &error))? {
            let item = item.map_err(|error| unreadable(prefix, &error))?;
            let name = item.file_name();
            let shown = format!("{prefix}{}", name.to_string_lossy());
            let bad = |reason| Err(Finding::new("PACK_STRUCTURE", &shown, reason));
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
                return bad("a name that no pack has");
            };
            // The metadata of the entry itself: a link is never followed.
            let metadata =
                fs::symlink_metadata(item.path()).map_err(|error| unreadable(&shown, &error))?;
            if metadata.is_dir() && prefix.is_empty() && name == RENDERINGS_FOLDER {
                self.has_renderings = true;
            } else if metadata.is_dir() && prefix.is_empty() && FOLDERS.contains(&name) {
                self.list(&format!("{name}/"), &item.path())?;
            } else if metadata.is_file() {
                self.files.insert(shown.clone(), metadata);
            } else {
                return bad("neither a regular file nor a folder of a pack");
            }
            if self.files.len() > FILES_MAX {
                return bad("too many files");
            }
        }
        Ok(())
    }

    /// The names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The bytes of a file that must be there and be at most `bytes_max` long.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Finding> {
        let Some(listed) = self.files.get(name) else {
            return Err(Finding::new("PACK_FILE_MISSING", name, "there is no such file"));
        };
        let too_long = || {
            let reason = format!("longer than the {bytes_max} bytes that it may have");
            Finding::new("PACK_FILE_TOO_LONG", name, &reason)
        };
        if listed.len() > bytes_max {
            return Err(too_long());
        }
        let fault = |error: io::Error| unreadable(name, &error);
        let file = File::open(self.root.join(name)).map_err(fault)?;
        let opened = file.metadata().map_err(fault)?;
        if (opened.dev(), opened.ino()) != (listed.dev(), listed.ino()) || !opened.is_file() {
            return Err(Finding::new("PACK_STRUCTURE", name, "exchanged while it was read"));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(fault)?;
        if crate::bytes::len_u64(bytes.len()) > bytes_max { Err(too_long()) } else { Ok(bytes) }
    }
}

fn unreadable(place: &str, error: &io::Error) -> Finding {
    Finding::new("PACK_UNREADABLE", place, &error.to_string())
}

/// Letters, digits, dot, dash, underscore; nothing that starts with a dot.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.starts_with('.') && name.len() <= 128 && name.bytes().all(plain)
}
