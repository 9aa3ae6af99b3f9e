//! Where evidence lies: a pack, an epoch's folder, a folder with a journal and its chunks, or the
//! file of a journal alone.

use std::path::Path;

use portcullis_evidence::chunk::{CHUNK_BYTES_MAX, RawFrame, read_chunk};
use portcullis_evidence::journal;
use portcullis_evidence::pack::{
    Finding, Folder, JOURNAL_FILE, MANIFEST_FILE, chunk_digest, chunk_file,
};
use portcullis_evidence::text::escape_terminal;
use portcullis_statement::Digest;

use super::market::Chunks;
use crate::files::{self, shown};
use crate::{CliError, Exit};

/// Longest journal in bytes.
const JOURNAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// What `portcullis replay --out` calls its journal.
const KEPT_FILE: &str = "000001.journal";

/// Evidence that was opened and not believed.
pub(super) struct Source {
    /// The files of a folder; `None` for a journal alone.
    pub(super) folder: Option<Folder>,
    /// The journal's entries, in order.
    pub(super) entries: Vec<Vec<u8>>,
    /// Bytes of a group at the journal's end that was torn.
    pub(super) torn_bytes: u64,
}

impl Source {
    /// Opens whatever lies at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        let refused = |finding: Finding| damaged(path, &finding);
        if !path.is_dir() {
            let bytes = files::read(path, JOURNAL_BYTES_MAX)?;
            return Self::read(None, &bytes).map_err(refused);
        }
        let folder = Folder::open(path).map_err(refused)?;
        let name = [JOURNAL_FILE, KEPT_FILE].into_iter().find(|name| folder.has(name));
        let bytes = folder.read(name.unwrap_or(JOURNAL_FILE), JOURNAL_BYTES_MAX);
        bytes.and_then(|bytes| Self::read(Some(folder), &bytes)).map_err(refused)
    }

    fn read(folder: Option<Folder>, bytes: &[u8]) -> Result<Self, Finding> {
        let journal = journal::read(bytes).map_err(|damage| {
            let place = format!("entry {}", damage.entry);
            Finding::new(damage.code(), &place, &damage.to_string())
        })?;
        let entries = journal.entries.iter().map(|entry| entry.to_vec()).collect();
        Ok(Self { folder, entries, torn_bytes: journal.torn_bytes_cut })
    }

    /// Whether this claims to be a pack.
    pub(super) fn is_pack(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.has(MANIFEST_FILE))
    }

    /// The entries as slices.
    pub(super) fn slices(&self) -> Vec<&[u8]> {
        self.entries.iter().map(Vec::as_slice).collect()
    }
}

/// A finding as the error of a verb.
pub(super) fn damaged(path: &Path, finding: &Finding) -> CliError {
    let subject = format!("{} {}", shown(path), finding.place);
    let next = "keep it as it is; compare it with another copy";
    CliError::new(Exit::CheckFailed, finding.code, &subject, &finding.reason, next)
}

/// The chunks of a folder; a journal alone has none.
impl Chunks for Source {
    fn names(&self) -> Vec<Digest> {
        let folder = self.folder.iter();
        folder.flat_map(Folder::names).filter_map(chunk_digest).collect()
    }

    fn frames(&self, chunk: Digest) -> Result<Option<Vec<RawFrame>>, Finding> {
        let name = chunk_file(chunk);
        let Some(folder) = self.folder.as_ref().filter(|folder| folder.has(&name)) else {
            return Ok(None);
        };
        let bytes = folder.read(&name, u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX))?;
        let frames = read_chunk(&bytes, chunk);
        frames.map(Some).map_err(|fault| Finding::new(fault.code(), &name, &fault.to_string()))
    }
}

/// Text that was escaped where it was made: that is checked, not believed.
pub(super) fn escape_once(text: &str) -> String {
    if text.chars().any(char::is_control) { escape_terminal(text) } else { text.to_owned() }
}
