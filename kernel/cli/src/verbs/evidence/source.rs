//! Where evidence lies: a pack, an epoch's folder, or what a replay kept.

use std::path::{Path, PathBuf};

use portcullis_evidence::chunk::{CHUNK_BYTES_MAX, ChunkFault, RawFrame, read_chunk};
use portcullis_evidence::journal::{self, ReadFault};
use portcullis_evidence::pack::{
    Finding, Folder, MANIFEST_FILE, PackJournal, chunk_digest, chunk_file,
};
use portcullis_evidence::text::escape_terminal;
use portcullis_statement::Digest;

use super::market::Chunks;
use crate::files::{self, shown};
use crate::{CliError, Exit};

/// Where an epoch of a home lies below it, and below what a replay kept.
const FIRST_EPOCH: &str = "epochs/000001";

/// Evidence that was opened and not believed.
pub(super) struct Source {
    /// The folder's files.
    pub(super) folder: Folder,
    /// Where the chunks lie, if not in the folder.
    chunks: Option<PathBuf>,
    /// The journal's entries, in order.
    pub(super) entries: Vec<Vec<u8>>,
    /// Bytes of a group at the journal's end that was torn.
    pub(super) torn_bytes: u64,
}

impl Source {
    /// Opens a pack, an epoch of a home with the home's chunks, or what a replay kept.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        let refused = |finding: Finding| damaged(path, &finding);
        if !path.is_dir() {
            let cause = "neither a pack nor the folder of an epoch";
            let next = "name a pack, or HOME/epochs/NNNNNN";
            let (code, subject) = ("EVIDENCE_NOT_FOUND", shown(path));
            return Err(CliError::new(Exit::NotFound, code, &subject, cause, next));
        }
        let kept = path.join(FIRST_EPOCH);
        let (epoch, chunks) = if kept.is_dir() { (kept, path) } else { (path.to_owned(), path) };
        let folder = Folder::open(&epoch).map_err(refused)?;
        // The chunks of a home are shared by its epochs.
        let home = path.parent().and_then(Path::parent).filter(|_| !folder.has(MANIFEST_FILE));
        let home = home.filter(|home| *chunks == *epoch && home.join("chunks").is_dir());
        let chunks = home.or(Some(chunks).filter(|chunks| **chunks != *epoch));
        let chunks = chunks.map(|root| root.join("chunks"));
        let journal = PackJournal::new(&folder).and_then(|journal| {
            journal::read(journal).map_err(|fault| {
                let entry = match &fault {
                    ReadFault::Damage(damage) => format!("entry {}", damage.entry),
                    ReadFault::Disk(_) => "journal/".to_owned(),
                };
                Finding::new(fault.code(), &entry, &fault.to_string())
            })
        });
        let journal = journal.map_err(refused)?;
        let (entries, torn_bytes) = (journal.entries, journal.end.torn_bytes);
        Ok(Self { folder, chunks, entries, torn_bytes })
    }

    /// Whether this claims to be a pack.
    pub(super) fn is_pack(&self) -> bool {
        self.folder.has(MANIFEST_FILE)
    }

    /// The entries as slices.
    pub(super) fn slices(&self) -> Vec<&[u8]> {
        self.entries.iter().map(Vec::as_slice).collect()
    }

    /// The file of a chunk; `None` if it is not there.
    fn chunk(&self, chunk: Digest) -> Result<Option<Vec<u8>>, Finding> {
        let name = chunk_file(chunk);
        let bytes_max = u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX);
        let Some(folder) = &self.chunks else {
            let there = self.folder.has(&name);
            return there.then(|| self.folder.read(&name, bytes_max)).transpose();
        };
        let path = folder.join(format!("{}.gz", chunk.hex()));
        if !path.is_file() {
            return Ok(None);
        }
        let read = files::read(&path, bytes_max);
        read.map(Some).map_err(|no| Finding::new("PACK_UNREADABLE", &name, &no.cause))
    }
}

/// A finding as the error of a verb.
pub(super) fn damaged(path: &Path, finding: &Finding) -> CliError {
    let subject = format!("{} {}", shown(path), finding.place);
    let next = "keep it as it is; compare it with another copy";
    CliError::new(Exit::CheckFailed, finding.code, &subject, &finding.reason, next)
}

impl Chunks for Source {
    fn names(&self) -> Vec<Digest> {
        // Of a home's chunks only those that the epoch names are its own.
        let own = self.chunks.is_none().then_some(&self.folder);
        own.into_iter().flat_map(Folder::names).filter_map(chunk_digest).collect()
    }

    fn frames(&self, chunk: Digest) -> Result<Option<Vec<RawFrame>>, Finding> {
        let Some(bytes) = self.chunk(chunk)? else { return Ok(None) };
        let frames = read_chunk(&bytes, chunk);
        let bad =
            |fault: ChunkFault| Finding::new(fault.code(), &chunk_file(chunk), &fault.to_string());
        frames.map(Some).map_err(bad)
    }
}

/// Text that was escaped where it was made: that is checked, not believed.
pub(super) fn escape_once(text: &str) -> String {
    if text.chars().any(char::is_control) { escape_terminal(text) } else { text.to_owned() }
}
