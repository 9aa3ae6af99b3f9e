//! Where the journal and the chunks of a run go: into a new folder, or nowhere but memory.
//!
//! A run that does not come to its end leaves nothing behind: half a replay is no evidence.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_evidence::chunk::Chunk;
use portcullis_evidence::{Disk, DiskFault, FileDisk, MemoryDisk, Place, ReadFault, Recovered};

use crate::{CliError, Exit};

/// The place of one run.
#[derive(Debug)]
pub(super) struct Keep {
    /// Made by this run; `None` keeps the journal in memory and lets the chunks go.
    folder: Option<PathBuf>,
    concluded: bool,
}

impl Keep {
    /// Makes the folder, which must not exist.
    pub(super) fn new(out: Option<&Path>) -> Result<Self, CliError> {
        let Some(folder) = out else { return Ok(Self { folder: None, concluded: false }) };
        let unwritable = |error: std::io::Error| {
            let (subject, cause) = (folder.display().to_string(), error.to_string());
            let next = "name a folder that does not exist yet, in one that can be written";
            CliError::new(Exit::BadConfig, "OUT_UNWRITABLE", &subject, &cause, next)
        };
        fs::create_dir(folder).map_err(unwritable)?;
        // From here on the folder is ours, and goes if anything goes wrong.
        let keep = Self { folder: Some(folder.to_owned()), concluded: false };
        fs::create_dir(folder.join("chunks")).map_err(unwritable)?;
        Ok(keep)
    }

    /// The journal's disk.
    pub(super) fn disk(&self) -> Result<KeptDisk, CliError> {
        let Some(folder) = &self.folder else { return Ok(KeptDisk::Memory(MemoryDisk::new())) };
        let disk = FileDisk::open(&folder.join("epochs"));
        disk.map(KeptDisk::File).map_err(|fault| self.fault(&fault.to_string()))
    }

    /// Keeps a chunk under its digest.
    pub(super) fn chunk(&self, chunk: &Chunk) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join("chunks").join(format!("{}.gz", chunk.digest.hex()));
        fs::write(path, &chunk.compressed).map_err(|error| error.to_string())
    }

    /// The run is whole: what was kept stays. Returns where.
    pub(super) fn conclude(mut self) -> Option<PathBuf> {
        self.concluded = true;
        self.folder.take()
    }

    /// The journal cannot be written, or not be read back.
    pub(super) fn fault(&self, cause: &str) -> CliError {
        let memory = || "the journal in memory".to_owned();
        let subject = self.folder.as_ref().map_or_else(memory, |path| path.display().to_string());
        let next = "free space there, or name another place with --out";
        CliError::new(Exit::Temporary, "EVIDENCE_UNWRITABLE", &subject, cause, next)
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.as_ref().filter(|_| !self.concluded) {
            // The error that ended the run is the one to tell; it names this folder's purpose.
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// The journal's bytes, in a file or in memory.
#[derive(Debug)]
pub(super) enum KeptDisk {
    /// To be kept.
    File(FileDisk),
    /// For this run alone.
    Memory(MemoryDisk),
}

impl KeptDisk {
    /// Everything written, read back from where it lies.
    pub(super) fn journal(&self) -> Result<Recovered, ReadFault> {
        match self {
            Self::File(disk) => portcullis_evidence::read(disk.journal(1)),
            Self::Memory(disk) => portcullis_evidence::read(disk.segments(1).as_slice()),
        }
    }

    fn disk(&mut self) -> &mut dyn Disk {
        match self {
            Self::File(disk) => disk,
            Self::Memory(disk) => disk,
        }
    }
}

impl Disk for KeptDisk {
    fn prepare(&mut self) {
        self.disk().prepare();
    }

    fn is_prepared(&mut self, wait: bool) -> Result<bool, DiskFault> {
        self.disk().is_prepared(wait)
    }

    fn take_spare(&mut self) -> Result<(), DiskFault> {
        self.disk().take_spare()
    }

    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        self.disk().open(place)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        self.disk().write_at(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        self.disk().sync()
    }

    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        self.disk().give_name(place)
    }
}
