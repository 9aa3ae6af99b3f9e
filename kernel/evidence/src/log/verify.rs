//! Judging the folder of an epoch: journal, tiles and checkpoint, each against the others, in the
//! memory of a few groups and one tile a level. One thread reads and hashes, another judges.
//!
//! What holds together here is self-consistent. Where it comes from is not decided here: the key
//! of the log stands in the epoch's first entry, and an approval or a seal that people signed has
//! to name it.

use std::fmt;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use portcullis_core::entry::{Class, Decoded, decode, glance};
use portcullis_domain::BootNs;
use portcullis_domain::time::NS_PER_S;
use portcullis_statement::json::Fields;

use super::follow::FollowFault;
use super::reader::BUNDLE_BYTES_MAX;
use super::writer::TileFiles;
use super::{CHECKPOINT, LogFault, LogFiles, TileName, TileWriter};
use crate::Digest;
use crate::journal::{End, Head, JournalFolder, ReadFault, Reader};
use crate::note::{Checkpoint, NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey};
use crate::tree::log_leaf;

/// Folder of the journal within an epoch.
pub const JOURNAL_FOLDER: &str = "journal";
/// Folder of the log within an epoch.
pub const LOG_FOLDER: &str = "log";
/// Longest silence between two entries of a run, in nanoseconds of its boot clock. A heartbeat is
/// due every ten seconds, so three of them are missing then.
const SILENCE_NS_MAX: i64 = 30 * NS_PER_S;

/// What is handed over at once, about.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that may wait to be judged.
const BATCHES_MAX: usize = 4;

/// Kind of an epoch's first entry.
const EPOCH_BEGAN: &str = "epoch-began";
/// Kind of its last one.
const EPOCH_ENDED: &str = "epoch-ended";
/// Kind of the first entry of a run.
const STARTED: &str = "started";

/// What an epoch holds, where all of it holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochReport {
    /// The key that the first entry names and the checkpoint is signed with.
    pub key: VerifierKey,
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The journal's end, at or beyond the checkpoint.
    pub journal: Head,
    /// Bytes of a torn last group.
    pub torn_bytes: u64,
    /// Whether the epoch has ended, under its last checkpoint.
    pub ended: bool,
}

/// Why an epoch is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpochFault {
    /// Journal and log, or one of them.
    Follow(FollowFault),
    /// An entry is not one.
    Entry {
        /// Its number in the epoch.
        entry: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// The first entry does not name the epoch's key.
    NotBegun,
    /// Nothing was recorded for longer than a heartbeat may take.
    Silence {
        /// The entry after it.
        entry: u64,
        /// How long, in nanoseconds.
        ns: i64,
    },
    /// The epoch has ended and its last checkpoint was never signed.
    EndUnsigned,
    /// Entries come after the end.
    AfterEnd {
        /// The first of them.
        entry: u64,
    },
}

impl EpochFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Follow(fault) => fault.code(),
            Self::Entry { .. } => "ENTRY_MALFORMED",
            Self::NotBegun => "EPOCH_NOT_BEGUN",
            Self::Silence { .. } => "EPOCH_SILENT",
            Self::EndUnsigned => "EPOCH_END_UNSIGNED",
            Self::AfterEnd { .. } => "EPOCH_AFTER_END",
        }
    }
}

impl fmt::Display for EpochFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        match self {
            Self::Follow(fault) => fault.fmt(f),
            Self::Entry { entry, cause } => write!(f, "{code}: entry {entry}: {cause}"),
            Self::NotBegun => write!(f, "{code}: the first entry names no key of the log"),
            Self::Silence { entry, ns } => {
                write!(f, "{code}: nothing was recorded for {ns} ns before entry {entry}")
            }
            Self::EndUnsigned => write!(f, "{code}: the epoch has ended without a checkpoint"),
            Self::AfterEnd { entry } => write!(f, "{code}: entry {entry} is after the end"),
        }
    }
}

impl std::error::Error for EpochFault {}

impl<T: Into<FollowFault>> From<T> for EpochFault {
    fn from(fault: T) -> Self {
        Self::Follow(fault.into())
    }
}

/// Judges the epoch in `folder`, with `journal/` and `log/` in it.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_epoch(folder: &Path) -> Result<EpochReport, EpochFault> {
    let reader = Reader::open(JournalFolder::new(folder.join(JOURNAL_FOLDER)))?;
    let files = LogFiles::new(folder.join(LOG_FOLDER));
    let missing = || LogFault::Missing { file: CHECKPOINT.to_owned() };
    let note = files.read(CHECKPOINT, NOTE_BYTES_MAX)?.ok_or_else(missing)?;
    let judged = Judged {
        tiles: TileWriter::new(Compared(files)),
        note,
        key: None,
        signed: None,
        before: None,
        size: 0,
    };
    let (batches, arriving) = sync_channel(BATCHES_MAX);
    thread::scope(|scope| {
        let judging = scope.spawn(move || judged.take_all(arriving));
        let read = hand_over(reader, &batches);
        drop(batches);
        // What was judged lies before what could not be read: its fault is the first.
        let judged = judging.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        let end = read?;
        judged.conclude(&end.origin, end.head, end.torn_bytes)
    })
}

/// Entries on their way from the thread that reads and hashes to the one that judges.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Of each entry its length and the hash of its leaf.
    entries: Vec<(usize, Digest)>,
}

/// Reads the journal to its end, in batches.
fn hand_over(
    mut reader: Reader<JournalFolder>,
    batches: &SyncSender<Batch>,
) -> Result<End, ReadFault> {
    let mut batch = Batch::default();
    let read = loop {
        match reader.next() {
            Ok(Some(group)) => {
                for (entry, hash) in group.entries().zip(group.leaf_hashes()) {
                    batch.bytes.extend_from_slice(entry);
                    batch.entries.push((entry.len(), *hash));
                }
            }
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        let is_full = batch.bytes.len() >= BATCH_BYTES;
        if is_full && batches.send(std::mem::take(&mut batch)).is_err() {
            // Whoever judges has found a fault and takes no more.
            break Ok(());
        }
    };
    drop(batches.send(batch));
    read.map(|()| reader.into_end())
}

/// The key that an epoch's first entry names; `None` if it is no such entry.
#[must_use]
pub fn key_of(first_entry: &[u8]) -> Option<VerifierKey> {
    key_in(&decode(first_entry).ok()?)
}

fn key_in(entry: &Decoded) -> Option<VerifierKey> {
    let began = entry.kind == EPOCH_BEGAN && entry.class == Class::Host;
    let key = Fields::new(&entry.body).ok()?.text("key").ok().filter(|_| began)?;
    VerifierKey::parse(key).ok()
}

/// What has been seen of an epoch so far.
struct Judged {
    tiles: TileWriter<Compared>,
    note: Vec<u8>,
    key: Option<VerifierKey>,
    signed: Option<Checkpoint>,
    /// Of the entry before: its boot clock, and whether it was the epoch's end.
    before: Option<(BootNs, bool)>,
    size: u64,
}

impl Judged {
    fn take_all(mut self, arriving: Receiver<Batch>) -> Result<Self, EpochFault> {
        for Batch { bytes, entries } in arriving {
            let mut rest = bytes.as_slice();
            for (length, hash) in entries {
                let Some((entry, after)) = rest.split_at_checked(length) else { break };
                self.take(entry, hash)?;
                rest = after;
            }
        }
        Ok(self)
    }

    fn take(&mut self, bytes: &[u8], hash: Digest) -> Result<(), EpochFault> {
        let (boot, is_end, is_start) = self.seen(bytes)?;
        match self.before {
            None => self.begin(&self.decoded(bytes)?)?,
            Some((_, true)) => return Err(EpochFault::AfterEnd { entry: self.size }),
            Some((before, false)) if !is_start => {
                let ns = boot.since_ns(before);
                if ns > SILENCE_NS_MAX {
                    return Err(EpochFault::Silence { entry: self.size, ns });
                }
            }
            Some(_) => {}
        }
        self.before = Some((boot, is_end));
        self.size = self.size.saturating_add(1);
        // What comes after the checkpoint has tiles or not; nobody has signed them yet.
        let Some(signed) = self.signed.as_ref().filter(|it| it.size >= self.size) else {
            return Ok(());
        };
        self.tiles.push_hashed(&log_leaf(bytes), hash)?;
        if signed.size == self.size {
            self.tiles.flush()?;
            if self.tiles.root() != signed.root {
                return Err(FollowFault::Forked { size: signed.size }.into());
            }
        }
        Ok(())
    }

    /// The boot clock of an entry, and whether it is an epoch's end or a run's start.
    fn seen(&self, bytes: &[u8]) -> Result<(BootNs, bool, bool), EpochFault> {
        let of = |kind: &str| (kind == EPOCH_ENDED, kind == STARTED);
        if let Some(glance) = glance(bytes) {
            let (is_end, is_start) = of(glance.kind);
            return Ok((glance.boot, is_end, is_start));
        }
        let entry = self.decoded(bytes)?;
        let (is_end, is_start) = of(&entry.kind);
        Ok((entry.place.at.boot, is_end, is_start))
    }

    fn decoded(&self, bytes: &[u8]) -> Result<Decoded, EpochFault> {
        let malformed = |error| EpochFault::Entry { entry: self.size, cause: format!("{error:?}") };
        decode(bytes).map_err(malformed)
    }

    /// The first entry names the key, and the key opens the checkpoint.
    fn begin(&mut self, entry: &Decoded) -> Result<(), EpochFault> {
        let key = key_in(entry).ok_or(EpochFault::NotBegun)?;
        let signed = SignedCheckpoint::open(&self.note, &key).map_err(LogFault::Note)?;
        if signed.checkpoint().size == 0 {
            // Who signs knows of this entry at least.
            return Err(FollowFault::Forked { size: 0 }.into());
        }
        self.signed = Some(signed.checkpoint().clone());
        self.key = Some(key);
        Ok(())
    }

    fn conclude(
        self,
        origin: &str,
        journal: Head,
        torn_bytes: u64,
    ) -> Result<EpochReport, EpochFault> {
        let (Some(key), Some(checkpoint)) = (self.key, self.signed) else {
            return Err(EpochFault::NotBegun);
        };
        if checkpoint.origin != origin {
            return Err(LogFault::Note(crate::note::NoteFault::Origin).into());
        }
        if checkpoint.size > journal.size {
            return Err(FollowFault::Shortened { size: checkpoint.size }.into());
        }
        let ended = self.before.is_some_and(|(_, is_end)| is_end);
        if ended && checkpoint.size != journal.size {
            return Err(EpochFault::EndUnsigned);
        }
        Ok(EpochReport { key, checkpoint, journal, torn_bytes, ended })
    }
}

/// Instead of writing a tile, compares it with the one that lies there.
#[derive(Debug)]
struct Compared(LogFiles);

impl TileFiles for Compared {
    fn put(&self, name: TileName, bytes: &[u8]) -> Result<(), LogFault> {
        let file = name.to_string();
        if let Some(found) = self.0.read(&file, BUNDLE_BYTES_MAX)? {
            return if found == bytes { Ok(()) } else { Err(LogFault::Differs { file }) };
        }
        // The full tile may have taken its place before the next checkpoint was signed.
        let full = name.full().to_string();
        match self.0.read(&full, BUNDLE_BYTES_MAX)? {
            Some(found) if found.starts_with(bytes) => Ok(()),
            Some(_) => Err(LogFault::Differs { file: full }),
            None => Err(LogFault::Missing { file }),
        }
    }

    fn settle(&self, _name: TileName) -> Result<(), LogFault> {
        Ok(())
    }
}
