//! `portcullis evidence export`: one entry with all that a stranger needs to check it.

use std::path::{Path, PathBuf};

use portcullis_evidence::log::{
    CHECKPOINT, FollowFault, JOURNAL_FOLDER, LOG_FOLDER, LeafHashes, LogFault, LogFiles, LogProof,
    TileReader, key_of,
};
use portcullis_evidence::note::{Checkpoint, NOTE_BYTES_MAX, Note, SignedCheckpoint};
use portcullis_evidence::tree::{leaf_hash, log_leaf};
use portcullis_evidence::{JournalFolder, Reader};

use super::epoch::folder_of;
use crate::files::{self, shown};
use crate::{CliError, Exit, out};

/// Exports one entry as a c2sp.org/tlog-proof.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence export HOME --entry 230 --out 230.tlog-proof\n  \
    portcullis evidence export PACK --entry 230\n\n\
    The text holds the entry, its way to the root and the signed checkpoint. Whoever has the \
    log's key checks it offline, with tools that are not ours.")]
pub(crate) struct Args {
    /// A home, an epoch's folder or a pack.
    path: PathBuf,
    /// The entry's number in its epoch, counted from 0.
    #[arg(long)]
    entry: u64,
    /// The epoch of a home; its last one if this is left out.
    #[arg(long)]
    epoch: Option<u32>,
    /// The file to write; stdout if this is left out.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let folder = folder_of(&args.path, args.epoch)?;
    let proof = proof(&folder, args.entry).map_err(|no| no.error(&folder))?;
    match &args.out {
        Some(out) => files::write_new(out, proof.to_string().as_bytes()),
        None => out::result(&proof.to_string()),
    }
}

/// Why an entry cannot be exported.
enum No {
    Log(LogFault),
    Journal(FollowFault),
    /// The first entry names no key.
    NotBegun,
}

impl From<LogFault> for No {
    fn from(fault: LogFault) -> Self {
        Self::Log(fault)
    }
}

impl No {
    fn error(&self, folder: &Path) -> CliError {
        let subject = shown(folder);
        let error =
            |exit, code, cause: &str, next| CliError::new(exit, code, &subject, cause, next);
        match self {
            Self::Log(fault @ LogFault::NoSuchEntry { .. }) => {
                let next = "name an entry that is signed: portcullis evidence show PATH";
                error(Exit::NotFound, fault.code(), &fault.to_string(), next)
            }
            Self::Log(fault) => {
                let next = "portcullis evidence verify PATH says what else does not hold";
                error(Exit::CheckFailed, fault.code(), &fault.to_string(), next)
            }
            Self::Journal(fault) => {
                let next = "portcullis evidence verify PATH says what else does not hold";
                error(Exit::CheckFailed, fault.code(), &fault.to_string(), next)
            }
            Self::NotBegun => {
                let next = "name the epoch that holds the entry with --epoch";
                let cause = "the epoch's first entry names no key of its log";
                error(Exit::CheckFailed, "EPOCH_NOT_BEGUN", cause, next)
            }
        }
    }
}

fn proof(folder: &Path, index: u64) -> Result<LogProof, No> {
    let files = LogFiles::new(folder.join(LOG_FOLDER));
    let missing = || LogFault::Missing { file: CHECKPOINT.to_owned() };
    let note = files.read(CHECKPOINT, NOTE_BYTES_MAX)?.ok_or_else(missing)?;
    // Read before it is verified, to know how far the log goes.
    let text = Note::parse(&note).map_err(LogFault::Note)?;
    let size = Checkpoint::parse(text.text()).map_err(LogFault::Note)?.size;
    if index >= size {
        return Err(LogFault::NoSuchEntry { index, size }.into());
    }
    let open = |first: &[u8]| {
        let key = key_of(first).ok_or(No::NotBegun)?;
        SignedCheckpoint::open(&note, &key).map_err(|fault| No::Log(fault.into()))
    };
    if folder.join(LOG_FOLDER).join("tile").is_dir() {
        let mut tiles = TileReader::new(files, size);
        let checkpoint = open(&tiles.leaf(0)?)?;
        return Ok(LogProof::from_tiles(&mut tiles, index, &checkpoint)?);
    }
    let (first, leaf, mut hashes) = from_journal(folder, index, size).map_err(No::Journal)?;
    Ok(LogProof::of(&mut hashes, (index, leaf), &open(&first)?)?)
}

/// The first entry, the leaf of the one that is asked for, and the hashes of all leaves.
type Read = (Vec<u8>, Vec<u8>, LeafHashes);

/// Reads the first `size` entries.
fn from_journal(folder: &Path, index: u64, size: u64) -> Result<Read, FollowFault> {
    let mut reader = Reader::open(JournalFolder::new(folder.join(JOURNAL_FOLDER)))?;
    let (mut first, mut wanted, mut hashes) = (Vec::new(), Vec::new(), LeafHashes::default());
    while let Some(group) = reader.next()? {
        for (number, entry) in (group.first_seq..size).zip(group.entries()) {
            let leaf = log_leaf(entry);
            hashes.0.push(leaf_hash(&leaf));
            if number == 0 {
                first = entry.to_vec();
            }
            if number == index {
                wanted = leaf.into_owned();
            }
        }
    }
    if u64::try_from(hashes.0.len()) == Ok(size) {
        Ok((first, wanted, hashes))
    } else {
        Err(FollowFault::Shortened { size })
    }
}
