//! Signed notes, as Go's `golang.org/x/mod/sumdb/note` and `c2sp.org/signed-note` have them.
//!
//! ```text
//! note = text, which ends in a newline | newline | line+
//! line = "— " name " " base64( u32 key hash | signature ) newline
//! ```
//!
//! What a machine signs is a note; what a person signs is a [`crate::Statement`]. The two cannot
//! be taken for each other: an SSHSIG's signed bytes hold zeros, and a note's text never does.

mod burn;
mod checkpoint;
mod cosignature;
mod key;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use burn::Burn;
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use key::{KeyKind, NoteSigner, VerifierKey};

/// Longest note in bytes, signatures included.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Most signature lines of a note. The specification demands that 16 are read.
pub const NOTE_SIGNATURES_MAX: usize = 32;
/// Longest name of a key in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

const LINE_PREFIX: &str = "\u{2014} ";
/// Bytes of the key's hash before each signature.
const KEY_HASH_LEN: usize = 4;

/// Why a note, a key or a checkpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteFault {
    /// Longer than [`NOTE_BYTES_MAX`], or more lines than [`NOTE_SIGNATURES_MAX`].
    TooLarge,
    /// Not a text, an empty line and signature lines.
    Malformed,
    /// A text of a key that is not `name+hash+key`, of a kind or length that is not read, or whose
    /// hash is of another key.
    Key,
    /// No signature of the key that was asked for.
    NotSigned,
    /// A signature of the key that was asked for is wrong.
    Signature,
    /// The text is not the three lines of a checkpoint.
    Checkpoint,
    /// The checkpoint of another log than the key's.
    Origin,
}

impl NoteFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "NOTE_TOO_LARGE",
            Self::Malformed => "NOTE_MALFORMED",
            Self::Key => "NOTE_KEY_MALFORMED",
            Self::NotSigned => "NOTE_NOT_SIGNED",
            Self::Signature => "NOTE_SIGNATURE_WRONG",
            Self::Checkpoint => "CHECKPOINT_MALFORMED",
            Self::Origin => "CHECKPOINT_ORIGIN",
        }
    }

    /// A short English cause.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::TooLarge => "the note is too long or has too many signatures",
            Self::Malformed => "not a text, an empty line and signature lines",
            Self::Key => "not the text of an Ed25519 note key",
            Self::NotSigned => "the note is not signed by this key",
            Self::Signature => "the note's signature by this key is wrong",
            Self::Checkpoint => "not the three lines of a checkpoint",
            Self::Origin => "the checkpoint of another log",
        }
    }
}

impl fmt::Display for NoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.cause())
    }
}

impl std::error::Error for NoteFault {}

/// One signature line of a note. It proves nothing before a key verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name of the key.
    pub name: String,
    /// The first four bytes of the hash of name and key.
    pub key_hash: u32,
    /// The signature, in the form of the key's kind.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// Reads one line, with or without its newline.
    ///
    /// # Errors
    /// `NOTE_MALFORMED`; `NOTE_TOO_LARGE` if no note could hold it.
    pub fn parse(line: &str) -> Result<Self, NoteFault> {
        if line.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::TooLarge);
        }
        let line = line.strip_suffix('\n').unwrap_or(line);
        let rest = line.strip_prefix(LINE_PREFIX).ok_or(NoteFault::Malformed)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteFault::Malformed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_cause| NoteFault::Malformed)?;
        let (hash, signature) =
            bytes.split_first_chunk::<KEY_HASH_LEN>().ok_or(NoteFault::Malformed)?;
        if !is_key_name(name) || signature.is_empty() {
            return Err(NoteFault::Malformed);
        }
        let key_hash = u32::from_be_bytes(*hash);
        Ok(Self { name: name.to_owned(), key_hash, signature: signature.to_vec() })
    }
}

impl fmt::Display for SignatureLine {
    /// The line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_hash.to_be_bytes(), self.signature.as_slice()].concat();
        write!(f, "{LINE_PREFIX}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text and the lines under it, well formed and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

impl Note {
    /// A note with the signature of `signer`.
    ///
    /// # Errors
    /// `NOTE_MALFORMED` for a text that no note may have, `NOTE_TOO_LARGE`, `NOTE_KEY_MALFORMED`
    /// for a signer whose kind signs something else.
    pub fn sign(text: &str, signer: &NoteSigner) -> Result<Self, NoteFault> {
        if !text.ends_with('\n') || text.chars().any(is_forbidden) {
            return Err(NoteFault::Malformed);
        }
        let mut note = Self { text: text.to_owned(), lines: Vec::new() };
        note.add(signer.sign_text(text)?)?;
        Ok(note)
    }

    /// Reads a note. No signature is looked at.
    ///
    /// # Errors
    /// `NOTE_TOO_LARGE`, `NOTE_MALFORMED`.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteFault> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::TooLarge);
        }
        let whole = str::from_utf8(bytes).map_err(|_cause| NoteFault::Malformed)?;
        if whole.chars().any(is_forbidden) {
            return Err(NoteFault::Malformed);
        }
        // The last empty line is the one that counts: a text may hold some of its own.
        let (body, signed) = whole.rsplit_once("\n\n").ok_or(NoteFault::Malformed)?;
        let lines = signed.strip_suffix('\n').ok_or(NoteFault::Malformed)?;
        let mut note = Self { text: format!("{body}\n"), lines: Vec::new() };
        for line in lines.split('\n') {
            note.add(SignatureLine::parse(line)?)?;
        }
        Ok(note)
    }

    /// Adds a line, as a carrier does that brings a cosignature.
    ///
    /// # Errors
    /// `NOTE_TOO_LARGE`.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), NoteFault> {
        if self.lines.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteFault::TooLarge);
        }
        self.lines.push(line);
        if self.to_string().len() > NOTE_BYTES_MAX {
            return Err(NoteFault::TooLarge);
        }
        Ok(())
    }

    /// The signed text, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// Whether `key`, an Ed25519 key, signed the text. Lines of other keys are passed over.
    ///
    /// # Errors
    /// `NOTE_NOT_SIGNED`; `NOTE_SIGNATURE_WRONG` if any line that names the key is wrong;
    /// `NOTE_KEY_MALFORMED` for a key that signs something else.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteFault> {
        let mut signed = Err(NoteFault::NotSigned);
        for line in self.lines_of(key) {
            key.verify_text(&self.text, &line.signature)?;
            signed = Ok(());
        }
        signed
    }

    /// The lines that name `key`.
    fn lines_of<'a>(&'a self, key: &'a VerifierKey) -> impl Iterator<Item = &'a SignatureLine> {
        let of_key = |line: &&SignatureLine| line.key_hash == key.hash() && line.name == key.name();
        self.lines.iter().filter(of_key)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Characters that no note holds.
const fn is_forbidden(character: char) -> bool {
    character.is_ascii_control() && character != '\n'
}

/// Whether a key may be called `name`: no spaces of any script, no plus sign.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let legal = |it: char| !it.is_whitespace() && !it.is_control() && it != '+';
    (1..=KEY_NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(legal)
}
