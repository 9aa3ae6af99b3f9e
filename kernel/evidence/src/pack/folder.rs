//! Opening a pack that may have been made to harm whoever looks at it.
//!
//! Regular files only, at most one folder deep, no name that could mean another place, no file
//! longer than its caller allows. The folder is opened once and everything else beneath it by the
//! operating system's own rule: no link, no other file system, no way up. A file that is exchanged
//! between listing and reading is noticed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};

use super::parts::{JOURNAL, segment_file};
use super::renderings::RENDERINGS_FOLDER;
use crate::disk::{DiskFault, DiskOperation};
use crate::journal::{SEGMENT_BYTES, Source, copy_from};
use crate::text::escape_terminal;

/// Most files in a pack.
const FILES_MAX: usize = 100_000;
/// Most segments of a journal that are read: 2 GiB.
const SEGMENTS_MAX: u32 = 128;
/// The folders of a pack.
const FOLDERS: [&str; 5] = ["statements", "journal", "chunks", "plugins", "log"];

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
    /// Escapes place and reason.
    #[must_use]
    pub fn new(code: &'static str, place: &str, reason: &str) -> Self {
        Self { code, place: escape_terminal(place), reason: escape_terminal(reason) }
    }
}

/// A file as it was listed: which one, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listed {
    device: u64,
    inode: u64,
    bytes: u64,
}

/// A pack's files by name, none of them opened yet.
#[derive(Debug)]
pub struct Folder {
    root: OwnedFd,
    files: BTreeMap<String, Listed>,
    pub(super) has_renderings: bool,
}

impl Folder {
    /// Lists the pack at `root`.
    ///
    /// # Errors
    /// A name or a kind of file that no pack has.
    pub fn open(root: &Path) -> Result<Self, Finding> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let opened = rustix::fs::open(root, flags, Mode::empty());
        let root = opened.map_err(|error| unreadable(".", &error.into()))?;
        let mut folder = Self { root, files: BTreeMap::new(), has_renderings: false };
        let listed = folder.root.try_clone().map_err(|error| unreadable(".", &error))?;
        folder.list("", &listed)?;
        Ok(folder)
    }

    fn list(&mut self, prefix: &str, opened: &OwnedFd) -> Result<(), Finding> {
        let fault = |place: &str, error: rustix::io::Errno| unreadable(place, &error.into());
        for item in Dir::read_from(opened).map_err(|error| fault(prefix, error))? {
            let item = item.map_err(|error| fault(prefix, error))?;
            let name = item.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let shown = format!("{prefix}{}", name.to_string_lossy());
            let bad = |reason| Err(Finding::new("PACK_STRUCTURE", &shown, reason));
            let Some(name) = name.to_str().ok().filter(|name| is_plain(name)) else {
                return bad("a name that no pack has");
            };
            // Of the entry itself: a link is never followed.
            let found = rustix::fs::statat(opened, name, AtFlags::SYMLINK_NOFOLLOW);
            let found = found.map_err(|error| fault(&shown, error))?;
            let (kind, top) = (FileType::from_raw_mode(found.st_mode), prefix.is_empty());
            if kind == FileType::Directory && top && name == RENDERINGS_FOLDER {
                self.has_renderings = true;
            } else if kind == FileType::Directory && top && FOLDERS.contains(&name) {
                let inner = beneath(opened, name, OFlags::DIRECTORY);
                let inner = inner.map_err(|error| fault(&shown, error))?;
                self.list(&format!("{name}/"), &inner)?;
            } else if kind == FileType::RegularFile {
                self.files.insert(shown.clone(), listed(&found));
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
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The bytes of a file that must be there and be at most `bytes_max` long.
    ///
    /// # Errors
    /// `PACK_FILE_MISSING`, `PACK_FILE_TOO_LONG`, `PACK_UNREADABLE`, or `PACK_STRUCTURE` where it
    /// was exchanged meanwhile.
    pub fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Finding> {
        let Some(before) = self.files.get(name) else {
            return Err(Finding::new("PACK_FILE_MISSING", name, "there is no such file"));
        };
        let too_long = || {
            let reason = format!("longer than the {bytes_max} bytes that it may have");
            Finding::new("PACK_FILE_TOO_LONG", name, &reason)
        };
        if before.bytes > bytes_max {
            return Err(too_long());
        }
        let exchanged = || Finding::new("PACK_STRUCTURE", name, "exchanged while it was read");
        let opened = match beneath(&self.root, name, OFlags::NONBLOCK) {
            Ok(opened) => opened,
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::XDEV) => return Err(exchanged()),
            Err(error) => return Err(unreadable(name, &error.into())),
        };
        let found = rustix::fs::fstat(&opened);
        let found = found.map_err(|error| unreadable(name, &error.into()))?;
        if listed(&found) != *before
            || FileType::from_raw_mode(found.st_mode) != FileType::RegularFile
        {
            return Err(exchanged());
        }
        let mut bytes = Vec::new();
        let read = File::from(opened).take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(name, &error))?;
        if crate::bytes::len_u64(bytes.len()) > bytes_max { Err(too_long()) } else { Ok(bytes) }
    }
}

fn listed(found: &rustix::fs::Stat) -> Listed {
    let bytes = u64::try_from(found.st_size).unwrap_or(u64::MAX);
    Listed { device: found.st_dev, inode: found.st_ino, bytes }
}

/// Opens what lies beneath a folder: no way up, no link, no other file system.
fn beneath(folder: &impl AsFd, name: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(folder, name, flags, Mode::empty(), resolve)
}

/// The journal of a pack, one segment of it in memory.
#[derive(Debug)]
pub struct PackJournal<'a> {
    folder: &'a Folder,
    segments: u32,
    held: Option<(u32, Vec<u8>)>,
}

impl<'a> PackJournal<'a> {
    /// The journal's segments, numbered from 1 without a gap.
    ///
    /// # Errors
    /// A file that is no segment, or more of them than are read.
    pub fn new(folder: &'a Folder) -> Result<Self, Finding> {
        let mut segments = 0_u32;
        for name in folder.names().filter(|name| name.starts_with(JOURNAL)) {
            segments = segments.saturating_add(1);
            if name != segment_file(segments) || segments > SEGMENTS_MAX {
                let reason = "not the name of the next segment";
                return Err(Finding::new("PACK_STRUCTURE", name, reason));
            }
        }
        Ok(Self { folder, segments, held: None })
    }

    /// How many there are.
    #[must_use]
    pub const fn segments(&self) -> u32 {
        self.segments
    }
}

impl Source for PackJournal<'_> {
    fn last_segment(&mut self) -> Result<u32, DiskFault> {
        Ok(self.segments)
    }

    fn read_at(
        &mut self,
        segment: u32,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, DiskFault> {
        if !(1..=self.segments).contains(&segment) {
            return Ok(None);
        }
        if self.held.as_ref().is_none_or(|(number, _)| *number != segment) {
            let bytes =
                self.folder.read(&segment_file(segment), SEGMENT_BYTES).map_err(|found| {
                    let Finding { code, place, reason } = found;
                    let error = io::Error::other(format!("{place}: {reason} [{code}]"));
                    DiskFault::new(DiskOperation::Read, &error)
                })?;
            self.held = Some((segment, bytes));
        }
        let held = self.held.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        Ok(Some(copy_from(held, offset, buffer)))
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
