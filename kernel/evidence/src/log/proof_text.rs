//! One entry with everything that a stranger needs to check it offline: `c2sp.org/tlog-proof@v1`.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of the leaf>
//! index <number>
//! <base64 of one hash>, a line each, the leaf's neighbour first
//!
//! <the checkpoint, verbatim>
//! ```
//!
//! The leaf stands in the line for extra data, which nothing authenticates by itself: here the
//! hashes do.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::proof::{check_inclusion, prove_inclusion};
use super::{LogFault, TileReader};
use crate::Digest;
use crate::note::{Note, SignedCheckpoint, VerifierKey};
use crate::tree::{LOG_LEAF_BYTES_MAX, leaf_hash};

/// Longest text of a proof in bytes: a leaf, 64 hashes and a note.
pub const PROOF_BYTES_MAX: usize = 128 * 1024;
/// Most hashes of a path.
const PATH_MAX: usize = 64;
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A leaf, its number, the way to the root, and the checkpoint that names the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// The leaf.
    pub leaf: Vec<u8>,
    /// Its number in the log, from 0.
    pub index: u64,
    /// Hashes beside the way to the root.
    pub path: Vec<Digest>,
    /// The checkpoint's note.
    pub checkpoint: Note,
}

impl LogProof {
    /// The proof of leaf `index` under a checkpoint, from the tiles of its log.
    ///
    /// # Errors
    /// `LOG_NO_SUCH_ENTRY`, what reading the tiles gives, and `LOG_PROOF_WRONG` if they are not
    /// the checkpoint's.
    pub fn of(
        tiles: &mut TileReader,
        index: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<Self, LogFault> {
        let size = checkpoint.checkpoint().size;
        let path = prove_inclusion(tiles, index, size)?;
        let leaf = tiles.leaf(index)?;
        let proof = Self { leaf, index, path, checkpoint: checkpoint.note().clone() };
        proof.check(checkpoint)?;
        Ok(proof)
    }

    /// Reads the text of a proof.
    ///
    /// # Errors
    /// `LOG_PROOF_MALFORMED`, also without the leaf; `NOTE_MALFORMED`.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogFault> {
        let text = str::from_utf8(bytes).ok().filter(|text| text.len() <= PROOF_BYTES_MAX);
        let (head, note) =
            text.and_then(|text| text.split_once("\n\n")).ok_or(LogFault::ProofMalformed)?;
        let checkpoint = Note::parse(note.as_bytes())?;
        let read = || {
            let mut lines = head.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?.split('\n');
            let leaf = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
            let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
            let path = lines.map(Digest::from_base64).collect::<Option<Vec<_>>>()?;
            let sized = leaf.len() <= LOG_LEAF_BYTES_MAX && path.len() <= PATH_MAX;
            sized.then_some((leaf, index, path))
        };
        let (leaf, index, path) = read().ok_or(LogFault::ProofMalformed)?;
        let proof = Self { leaf, index, path, checkpoint };
        // One text for one proof.
        if proof.to_string().as_bytes() == bytes {
            Ok(proof)
        } else {
            Err(LogFault::ProofMalformed)
        }
    }

    /// Verifies everything: the key signed the checkpoint, and the leaf is under its root.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::open`], and `LOG_PROOF_WRONG`.
    pub fn verify(&self, log: &VerifierKey) -> Result<SignedCheckpoint, LogFault> {
        let signed = SignedCheckpoint::open(self.checkpoint.to_string().as_bytes(), log)?;
        self.check(&signed)?;
        Ok(signed)
    }

    fn check(&self, signed: &SignedCheckpoint) -> Result<(), LogFault> {
        let (checkpoint, leaf) = (signed.checkpoint(), leaf_hash(&self.leaf));
        check_inclusion(&self.path, (self.index, leaf), (checkpoint.size, checkpoint.root))
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leaf, index, path, checkpoint } = self;
        writeln!(f, "{FIRST_LINE}\nextra {}\nindex {index}", STANDARD.encode(leaf))?;
        path.iter().try_for_each(|hash| writeln!(f, "{}", hash.base64()))?;
        write!(f, "\n{checkpoint}")
    }
}
