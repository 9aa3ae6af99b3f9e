//! Following a journal: its durable entries become tiles, its head becomes a checkpoint.

use std::fmt;

use super::{CHECKPOINT, KEPT_FOLDER, LogFault, LogFiles, TileWriter};
use crate::Watermark;
use crate::journal::{ReadFault, Reader, Source};
use crate::note::{Checkpoint, NOTE_BYTES_MAX, NoteSigner, SignedCheckpoint, VerifierKey};
use crate::tree::log_leaf;

/// Why a journal and its log cannot be brought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowFault {
    /// The journal.
    Journal(ReadFault),
    /// The log.
    Log(LogFault),
    /// A checkpoint was signed over other entries than the journal has now.
    Forked {
        /// Entries of that checkpoint.
        size: u64,
    },
    /// A checkpoint was signed over more entries than the journal has now.
    Shortened {
        /// Entries of that checkpoint.
        size: u64,
    },
}

impl FollowFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Journal(fault) => fault.code(),
            Self::Log(fault) => fault.code(),
            Self::Forked { .. } => "CHECKPOINT_FORKED",
            Self::Shortened { .. } => "CHECKPOINT_AHEAD",
        }
    }
}

impl fmt::Display for FollowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => fault.fmt(f),
            Self::Log(fault) => fault.fmt(f),
            Self::Forked { size } => {
                write!(f, "{}: the journal's first {size} entries are not those", self.code())?;
                write!(f, " of the signed checkpoint")
            }
            Self::Shortened { size } => {
                write!(f, "{}: a checkpoint of {size} entries was signed,", self.code())?;
                write!(f, " and the journal has fewer")
            }
        }
    }
}

impl std::error::Error for FollowFault {}

impl From<ReadFault> for FollowFault {
    fn from(fault: ReadFault) -> Self {
        Self::Journal(fault)
    }
}

impl From<LogFault> for FollowFault {
    fn from(fault: LogFault) -> Self {
        Self::Log(fault)
    }
}

/// One epoch's journal and the log that is made of it, from the first entry on: in the memory of
/// one group and one tile a level.
#[derive(Debug)]
pub struct Follower<S> {
    reader: Reader<S>,
    tiles: TileWriter,
    /// The checkpoint that was signed before, until the journal has been seen to hold it.
    before: Option<Checkpoint>,
    signed: u64,
}

impl<S: Source> Follower<S> {
    /// Begins at the journal's first entry. A checkpoint that lies in the log already must be
    /// signed by `key`, and what the journal holds must agree with it.
    ///
    /// # Errors
    /// A journal that cannot be read, or a checkpoint that is not this log's.
    pub fn open(source: S, files: LogFiles, key: &VerifierKey) -> Result<Self, FollowFault> {
        let reader = Reader::open(source)?;
        let kept = files.read(CHECKPOINT, NOTE_BYTES_MAX)?;
        // A power cut may leave the name without its bytes: as good as no checkpoint.
        let kept = kept.filter(|bytes| bytes.iter().any(|byte| *byte != 0));
        let opened = kept.map(|bytes| SignedCheckpoint::open(&bytes, key)).transpose();
        let before = opened.map_err(LogFault::Note)?.map(|it| it.checkpoint().clone());
        Ok(Self { reader, tiles: TileWriter::new(files), before, signed: 0 })
    }

    /// Takes over the next group below `durable`, or the next at all of a journal that nobody
    /// writes. Each entry is shown to `see` too. False if there is none.
    ///
    /// # Errors
    /// Damage, a disk that does not write, and a checkpoint that says something else.
    pub fn follow(
        &mut self,
        durable: Option<Watermark>,
        mut see: impl FnMut(&[u8]),
    ) -> Result<bool, FollowFault> {
        let group = match durable {
            Some(durable) => self.reader.next_below(durable)?,
            None => self.reader.next()?,
        };
        let Some(group) = group else { return Ok(false) };
        for (entry, hash) in group.entries().zip(group.leaf_hashes()) {
            self.tiles.push_hashed(&log_leaf(entry), *hash)?;
            see(entry);
            let size = self.tiles.size();
            if let Some(before) = self.before.take_if(|before| before.size == size)
                && before.root != self.tiles.root()
            {
                return Err(FollowFault::Forked { size });
            }
        }
        Ok(true)
    }

    /// The journal's name for itself.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.reader.origin()
    }

    /// Entries taken over.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tiles.size()
    }

    /// Whether entries were taken over since the last signature.
    #[must_use]
    pub const fn has_news(&self) -> bool {
        self.tiles.size() != self.signed
    }

    /// Whether the entries up to an earlier checkpoint are still being taken over: what is signed
    /// before is signed already.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.before.is_some()
    }

    /// What there is to sign: the journal's own root, which the tiles must give too.
    ///
    /// # Errors
    /// `LOG_DIFFERS`; `CHECKPOINT_AHEAD` while an earlier checkpoint has not been reached.
    pub fn checkpoint(&self) -> Result<Checkpoint, FollowFault> {
        if let Some(before) = &self.before {
            return Err(FollowFault::Shortened { size: before.size });
        }
        let (head, root) = (self.reader.head(), self.tiles.root());
        if (head.size, head.root) != (self.tiles.size(), root) {
            return Err(LogFault::Differs { file: CHECKPOINT.to_owned() }.into());
        }
        Ok(Checkpoint { origin: self.origin().to_owned(), size: head.size, root })
    }

    /// Writes the tiles of the present size and the signed checkpoint. The last one of an epoch is
    /// written `durably`, with the whole log: its key is destroyed afterwards, and nobody could
    /// make it again.
    ///
    /// # Errors
    /// As [`Follower::checkpoint`]; `LOG_UNWRITABLE`; a key that is not this log's.
    pub fn sign(&mut self, key: &NoteSigner, durably: bool) -> Result<Checkpoint, FollowFault> {
        let (checkpoint, note) = self.note(key)?;
        let files = self.tiles.files();
        if durably {
            files.settle()?;
            files.put_durably(CHECKPOINT, note.as_bytes())?;
        } else {
            files.put(CHECKPOINT, note.as_bytes())?;
        }
        self.signed = checkpoint.size;
        Ok(checkpoint)
    }

    /// Signs as [`Follower::sign`] does, and the checkpoint also stays where no later one replaces
    /// it: what people look for later is what the tree was at an opening, an approval or a kill.
    ///
    /// # Errors
    /// As [`Follower::sign`].
    pub fn keep(&mut self, key: &NoteSigner) -> Result<Checkpoint, FollowFault> {
        let (checkpoint, note) = self.note(key)?;
        let name = format!("{KEPT_FOLDER}/{}", checkpoint.size);
        self.tiles.files().put_durably(&name, note.as_bytes())?;
        self.sign(key, false)
    }

    /// Tiles first: a checkpoint is never without what it speaks of.
    fn note(&mut self, key: &NoteSigner) -> Result<(Checkpoint, String), FollowFault> {
        let checkpoint = self.checkpoint()?;
        let note = checkpoint.sign(key).map_err(LogFault::Note)?.to_string();
        self.tiles.flush()?;
        Ok((checkpoint, note))
    }
}
