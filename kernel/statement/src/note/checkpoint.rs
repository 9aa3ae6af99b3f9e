//! Checkpoints: what a log says of its tree, as `c2sp.org/tlog-checkpoint` has it.
//!
//! ```text
//! origin newline | size in decimal newline | root in base64 newline
//! ```

use super::{Note, NoteFault, NoteSigner, SignatureLine, VerifierKey, is_key_name};
use crate::Digest;

/// The size and the root of one log's tree. Extension lines are not read: our logs have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name for itself, which is its key's name too.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// The RFC 6962 root of them.
    pub root: Digest,
}

impl Checkpoint {
    /// The three lines, each with its newline: what is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.base64())
    }

    /// Reads exactly what [`Checkpoint::text`] writes.
    ///
    /// # Errors
    /// `CHECKPOINT_MALFORMED`.
    pub fn parse(text: &str) -> Result<Self, NoteFault> {
        let read = || {
            let (origin, rest) = text.split_once('\n')?;
            let (size, rest) = rest.split_once('\n')?;
            let root = rest.strip_suffix('\n')?;
            let (size, root) = (size.parse().ok()?, Digest::from_base64(root)?);
            is_key_name(origin).then(|| Self { origin: origin.to_owned(), size, root })
        };
        let read = read().ok_or(NoteFault::Checkpoint)?;
        // One text for one checkpoint: no leading zeros, no sign.
        if read.text() == text { Ok(read) } else { Err(NoteFault::Checkpoint) }
    }

    /// The checkpoint as a note with the log's own signature.
    ///
    /// # Errors
    /// `CHECKPOINT_ORIGIN` if the key is another log's, `CHECKPOINT_MALFORMED` for an origin that
    /// no log may have, and as [`Note::sign`].
    pub fn sign(&self, log: &NoteSigner) -> Result<Note, NoteFault> {
        Self::parse(&self.text())?;
        if log.verifier().name() != self.origin {
            return Err(NoteFault::Origin);
        }
        Note::sign(&self.text(), log)
    }
}

/// A checkpoint with the note that it stood in, signed by its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a checkpoint's file and verifies the log's signature.
    ///
    /// # Errors
    /// As [`Note::parse`], [`Note::verify`] and [`Checkpoint::parse`]; `CHECKPOINT_ORIGIN` if the
    /// text is another log's than the key's.
    pub fn open(bytes: &[u8], log: &VerifierKey) -> Result<Self, NoteFault> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != log.name() {
            return Err(NoteFault::Origin);
        }
        note.verify(log)?;
        Ok(Self { checkpoint, note })
    }

    /// What the log signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with the lines of witnesses if it has some.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a cosignature once it verifies, and says when it was made, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Note::cosigned_at`] over the line alone, and `NOTE_TOO_LARGE`.
    pub fn cosign(&mut self, line: SignatureLine, witness: &VerifierKey) -> Result<u64, NoteFault> {
        let mut alone = Note { text: self.note.text.clone(), lines: Vec::new() };
        alone.add(line.clone())?;
        let time_s = alone.cosigned_at(witness)?;
        self.note.add(line)?;
        Ok(time_s)
    }
}
