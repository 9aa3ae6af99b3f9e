//! The transparency log of an epoch: what a stranger checks with tools that are not ours.
//!
//! The journal is the truth; the log is derived from it and may be made again at any time. Its
//! files are `c2sp.org/tlog-tiles` beside a `c2sp.org/tlog-checkpoint`:
//!
//! ```text
//! checkpoint                a signed note: origin, size and root of the tree
//! kept/<size>               such a note for each milestone, which no later one replaces
//! tile/<level>/<N>[.p/<W>]  256 (or W) hashes of 32 bytes; level 0 hashes leaves
//! tile/entries/<N>[.p/<W>]  256 (or W) × ( u16 length, big-endian | leaf )
//! ```
//!
//! The leaf of an entry is [`crate::tree::log_leaf`].

mod files;
mod follow;
#[cfg(test)]
mod fuzz;
mod proof;
mod proof_text;
mod reader;
#[cfg(test)]
mod tests;
mod tile;
mod verify;
mod witnessed;
mod writer;

use std::fmt;

pub use files::LogFiles;
pub use follow::{FollowFault, Follower};
pub use proof::{
    LeafHashes, Nodes, check_consistency, check_inclusion, prove_consistency, prove_inclusion,
};
pub use proof_text::{LogProof, PROOF_BYTES_MAX};
pub use reader::{TileReader, read_bundle};
pub use tile::{TILE_WIDTH, TileName};
pub use verify::{EpochFault, EpochReport, JOURNAL_FOLDER, LOG_FOLDER, key_of, verify_epoch};
pub use witnessed::{Seen, Witnessed};
pub use writer::{TileFiles, TileWriter};

use crate::note::NoteFault;

/// The file of the checkpoint within a log.
pub const CHECKPOINT: &str = "checkpoint";
/// The folder of the checkpoints that stay, each named by its size.
pub const KEPT_FOLDER: &str = "kept";

/// Why a log or a proof of it is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFault {
    /// A file could not be read.
    Unreadable {
        /// Its name within the log.
        file: String,
        /// The operating system's words.
        cause: String,
    },
    /// A file could not be written.
    Unwritable {
        /// Its name within the log.
        file: String,
        /// The operating system's words.
        cause: String,
    },
    /// A file is missing.
    Missing {
        /// Its name within the log.
        file: String,
    },
    /// A file has another length or form than its name says.
    Malformed {
        /// Its name within the log.
        file: String,
    },
    /// A file holds something else than the journal.
    Differs {
        /// Its name within the log.
        file: String,
    },
    /// A tree of that size has no such entry, or is not that old.
    NoSuchEntry {
        /// The entry, or the size of the older tree.
        index: u64,
        /// Entries of the tree.
        size: u64,
    },
    /// A leaf longer than [`crate::tree::LOG_LEAF_BYTES_MAX`].
    LeafTooLong,
    /// The text is not a proof.
    ProofMalformed,
    /// The hashes do not lead from the leaf, or the older root, to the root.
    ProofWrong,
    /// A note, or the checkpoint in it.
    Note(NoteFault),
}

impl LogFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "LOG_UNREADABLE",
            Self::Unwritable { .. } => "LOG_UNWRITABLE",
            Self::Missing { .. } => "LOG_FILE_MISSING",
            Self::Malformed { .. } => "LOG_FILE_MALFORMED",
            Self::Differs { .. } => "LOG_DIFFERS",
            Self::NoSuchEntry { .. } => "LOG_NO_SUCH_ENTRY",
            Self::LeafTooLong => "LOG_LEAF_TOO_LONG",
            Self::ProofMalformed => "LOG_PROOF_MALFORMED",
            Self::ProofWrong => "LOG_PROOF_WRONG",
            Self::Note(fault) => fault.code(),
        }
    }

    fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self::Unreadable { file: file.to_owned(), cause: error.to_string() }
    }

    fn unwritable(file: &str, error: &std::io::Error) -> Self {
        Self::Unwritable { file: file.to_owned(), cause: error.to_string() }
    }
}

impl From<NoteFault> for LogFault {
    fn from(fault: NoteFault) -> Self {
        Self::Note(fault)
    }
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        match self {
            Self::Unreadable { file, cause } | Self::Unwritable { file, cause } => {
                write!(f, "{code}: {file}: {cause}")
            }
            Self::Missing { file } => write!(f, "{code}: {file} is missing"),
            Self::Malformed { file } => write!(f, "{code}: {file} is not what its name says"),
            Self::Differs { file } => write!(f, "{code}: {file} is not what the journal says"),
            Self::NoSuchEntry { index, size } => {
                write!(f, "{code}: number {index} of a tree of {size}")
            }
            Self::LeafTooLong => write!(f, "{code}: a leaf is too long"),
            Self::ProofMalformed => write!(f, "{code}: not the text of a proof"),
            Self::ProofWrong => write!(f, "{code}: the hashes do not lead to the root"),
            Self::Note(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for LogFault {}
