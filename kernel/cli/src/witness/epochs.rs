//! The logs of a home's epochs, as far as a carrier needs them. What it reads here is believed by
//! nobody: the witness checks it, and the kernel checks what comes back.

use std::fs;
use std::path::Path;

use portcullis_core::entry::decode;
use portcullis_evidence::log::{CHECKPOINT, LogFault, LogFiles, LogProof, TileReader};
use portcullis_statement::json::Fields;
use portcullis_statement::note::{Checkpoint, NOTE_BYTES_MAX, Note, SignedCheckpoint, VerifierKey};

use crate::files::{io_error, shown};
use crate::{CliError, Exit};

/// One epoch's log at its last checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct EpochLog {
    files: LogFiles,
    /// The key that signs its checkpoints; its name is the origin.
    pub(crate) key: VerifierKey,
    /// The last checkpoint.
    pub(crate) last: SignedCheckpoint,
}

impl EpochLog {
    /// Reads the log of one folder; `None` where there is no checkpoint yet.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, CliError> {
        let bad = |fault: &LogFault| {
            let next = "the daemon writes the log anew from its journal: portcullis status";
            CliError::new(Exit::Temporary, fault.code(), &shown(folder), &fault.to_string(), next)
        };
        let files = LogFiles::new(folder.to_owned());
        let bytes = files.read(CHECKPOINT, NOTE_BYTES_MAX).map_err(|fault| bad(&fault))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let note = Note::parse(&bytes).map_err(|fault| bad(&fault.into()))?;
        let stated = Checkpoint::parse(note.text()).map_err(|fault| bad(&fault.into()))?;
        let first = TileReader::new(files.clone(), stated.size).leaf(0);
        let first = first.map_err(|fault| bad(&fault))?;
        let key = began_with(&first).ok_or_else(|| bad(&LogFault::ProofMalformed))?;
        let last = SignedCheckpoint::open(&bytes, &key).map_err(|fault| bad(&fault.into()))?;
        Ok(Some(Self { files, key, last }))
    }

    /// The tiles under the last checkpoint.
    pub(crate) fn tiles(&self) -> TileReader {
        TileReader::new(self.files.clone(), self.last.checkpoint().size)
    }

    /// The proof of the entry that ended this epoch.
    pub(crate) fn end(&self) -> Result<LogProof, LogFault> {
        let last = self.last.checkpoint().size.saturating_sub(1);
        LogProof::from_tiles(&mut self.tiles(), last, &self.last)
    }
}

/// The key that the first entry of an epoch states.
fn began_with(leaf: &[u8]) -> Option<VerifierKey> {
    let entry = decode(leaf).ok().filter(|entry| entry.kind == "epoch-began")?;
    VerifierKey::parse(Fields::new(&entry.body).ok()?.text("key").ok()?).ok()
}

/// The logs of all epochs of a home, oldest first.
pub(crate) fn read_all(home: &Path) -> Result<Vec<EpochLog>, CliError> {
    let folder = home.join("epochs");
    let fault = |error| io_error(&folder, &error, "start the daemon: it makes the first epoch");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fault)? {
        paths.push(entry.map_err(fault)?.path().join("log"));
    }
    paths.sort();
    let logs = paths.iter().filter_map(|path| EpochLog::read(path).transpose());
    logs.collect()
}
