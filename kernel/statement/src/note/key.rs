//! Keys of notes, in the text that Go's note package writes: `name+hash+base64(kind ‖ key)`.

use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{NoteFault, SignatureLine, is_key_name};
use crate::key::PublicKey;
use crate::{Digest, SigningKey};

/// What a key's signatures are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// The text of a note. A log's own key.
    Ed25519,
    /// The text and a time, as `c2sp.org/tlog-cosignature` has it. A witness's key.
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ed25519),
            4 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The public key of a log or of a witness, with the name under which it signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: PublicKey,
}

impl VerifierKey {
    /// The key under that name.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED` for a name that no key may have, or a key on a token.
    pub fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<Self, NoteFault> {
        if !is_key_name(name) || key.is_hardware() {
            return Err(NoteFault::Key);
        }
        Ok(Self { name: name.to_owned(), kind, key })
    }

    /// Reads the text that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED`.
    pub fn parse(text: &str) -> Result<Self, NoteFault> {
        let KeyText { name, hash, kind, bytes } = KeyText::read(text).ok_or(NoteFault::Key)?;
        let key = PublicKey::from_bytes(bytes).map_err(|_cause| NoteFault::Key)?;
        let read = Self::new(name, kind, key)?;
        if read.hash() == hash { Ok(read) } else { Err(NoteFault::Key) }
    }

    /// The name under which the key signs; for a log its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// The four bytes by which a signature line names the key.
    #[must_use]
    pub fn hash(&self) -> u32 {
        let hashed = [self.name.as_bytes(), b"\n", &self.material()].concat();
        let [a, b, c, d, ..] = Digest::of(&hashed).0;
        u32::from_be_bytes([a, b, c, d])
    }

    fn material(&self) -> Vec<u8> {
        [&[self.kind.byte()], self.key.bytes().as_slice()].concat()
    }

    /// Whether `signature` is this Ed25519 key's over `text`.
    pub(super) fn verify_text(&self, text: &str, signature: &[u8]) -> Result<(), NoteFault> {
        match self.kind {
            KeyKind::Cosignature => Err(NoteFault::Key),
            KeyKind::Ed25519 if self.key.verifies(text.as_bytes(), signature) => Ok(()),
            KeyKind::Ed25519 => Err(NoteFault::Signature),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.hash(), STANDARD.encode(self.material()))
    }
}

const PRIVATE: &str = "PRIVATE+KEY+";

/// A key that signs notes. It forgets its secret when it is dropped, as far as memory can.
pub struct NoteSigner {
    verifier: VerifierKey,
    /// On the heap, so that moving the signer leaves no copies behind.
    secret: Box<Secret>,
}

struct Secret {
    seed: [u8; 32],
    key: SigningKey,
}

impl NoteSigner {
    /// The key of that seed, which the caller draws.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED` for a name that no key may have.
    pub fn from_seed(name: &str, kind: KeyKind, seed: [u8; 32]) -> Result<Self, NoteFault> {
        let secret = Box::new(Secret { seed, key: SigningKey::from_seed(seed) });
        Ok(Self { verifier: VerifierKey::new(name, kind, secret.key.public())?, secret })
    }

    /// Reads the text that [`NoteSigner::secret_text`] writes.
    ///
    /// # Errors
    /// `NOTE_KEY_MALFORMED`.
    pub fn parse(text: &str) -> Result<Self, NoteFault> {
        let rest = text.strip_prefix(PRIVATE).ok_or(NoteFault::Key)?;
        let KeyText { name, hash, kind, bytes } = KeyText::read(rest).ok_or(NoteFault::Key)?;
        let read = Self::from_seed(name, kind, bytes)?;
        // The hash is the public key's, so that the two texts can be told to belong together.
        if read.verifier.hash() == hash { Ok(read) } else { Err(NoteFault::Key) }
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The secret as text, for a file that only its owner reads.
    #[must_use]
    pub fn secret_text(&self) -> String {
        let material = [&[self.verifier.kind.byte()], self.secret.seed.as_slice()].concat();
        let VerifierKey { name, .. } = &self.verifier;
        format!("{PRIVATE}{name}+{:08x}+{}", self.verifier.hash(), STANDARD.encode(material))
    }

    /// The line over a note's text.
    pub(super) fn sign_text(&self, text: &str) -> Result<SignatureLine, NoteFault> {
        match self.verifier.kind {
            KeyKind::Ed25519 => Ok(self.line(&self.raw(text.as_bytes()))),
            KeyKind::Cosignature => Err(NoteFault::Key),
        }
    }

    pub(super) fn raw(&self, message: &[u8]) -> Vec<u8> {
        self.secret.key.sign_bare(message)
    }

    pub(super) fn line(&self, signature: &[u8]) -> SignatureLine {
        let (name, key_hash) = (self.verifier.name.clone(), self.verifier.hash());
        SignatureLine { name, key_hash, signature: signature.to_vec() }
    }
}

impl Drop for NoteSigner {
    fn drop(&mut self) {
        // The signing library wipes nothing, so the key of nothing is written over the secret
        // where it lies. `black_box` keeps the compiler from leaving out what nobody reads.
        self.secret.seed = [0; 32];
        self.secret.key = SigningKey::from_seed([0; 32]);
        black_box(&mut self.secret);
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// `name+hash+base64(kind ‖ 32 bytes)` taken apart; whether the hash is true is not looked at.
struct KeyText<'a> {
    name: &'a str,
    hash: u32,
    kind: KeyKind,
    bytes: [u8; 32],
}

impl<'a> KeyText<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, digits, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let material = STANDARD.decode(encoded).ok()?;
        let (kind, key) = material.split_first()?;
        let hash = u32::from_str_radix(digits, 16).ok()?;
        let read =
            Self { name, hash, kind: KeyKind::from_byte(*kind)?, bytes: key.try_into().ok()? };
        // One spelling of the hash: eight lower-case digits.
        (format!("{hash:08x}") == digits).then_some(read)
    }
}
