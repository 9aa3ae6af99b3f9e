//! SSHSIG, the format of `ssh-keygen -Y sign`: read strictly, so that a stranger's tool and ours
//! can never disagree about what was signed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

use crate::key::{ALGORITHM, APPLICATION, Holder, PublicKey};
use crate::ssh_wire::{Strings, put_string};

/// Longest armoured signature that is read, in bytes.
pub const ARMORED_MAX: usize = 64 * 1024;

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----";
/// The flag of a hardware key that says: somebody touched it.
const USER_PRESENT: u8 = 1;
/// Where `ssh-keygen` breaks its lines.
const LINE: usize = 70;

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshsigError {
    /// Longer than [`ARMORED_MAX`].
    TooLarge,
    /// Not exactly one armour block with nothing before and nothing after it.
    Armor,
    /// The block does not hold one SSHSIG of version 1.
    Malformed,
    /// Made for another purpose.
    Namespace,
    /// The key is not an Ed25519 key, or not the one that the signature says.
    Key,
    /// A hardware key signed without having been touched.
    Untouched,
    /// The hash is neither sha256 nor sha512.
    Hash,
    /// The key did not sign these bytes.
    Mismatch,
}

impl SshsigError {
    /// A short English cause.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::TooLarge => "the signature is longer than 64 KiB",
            Self::Armor => "not exactly one SSH SIGNATURE block with nothing around it",
            Self::Malformed => "the block does not hold one SSHSIG of version 1",
            Self::Namespace => "the signature was made for another namespace",
            Self::Key => "the signing key is of no type that may sign",
            Self::Untouched => "the hardware key was not touched",
            Self::Hash => "the hash is neither sha256 nor sha512",
            Self::Mismatch => "the signature does not belong to these bytes",
        }
    }
}

impl fmt::Display for SshsigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for SshsigError {}

/// The key that signed `message` for `namespace`. A hardware key that signed was touched: what
/// malware could have it sign unseen is no signature here.
pub fn verify(armored: &str, namespace: &str, message: &[u8]) -> Result<PublicKey, SshsigError> {
    let blob = unarmored(armored)?;
    let mut strings = Strings(&blob);
    if strings.bytes(MAGIC.len()) != Some(MAGIC) || strings.number() != Some(VERSION) {
        return Err(SshsigError::Malformed);
    }
    let mut part = || strings.string().ok_or(SshsigError::Malformed);
    let (key, named, reserved, hash, signature) = (part()?, part()?, part()?, part()?, part()?);
    if !strings.is_empty() || !reserved.is_empty() {
        return Err(SshsigError::Malformed);
    }
    if named != namespace.as_bytes() {
        return Err(SshsigError::Namespace);
    }
    let key = PublicKey::from_blob(key).map_err(|_cause| SshsigError::Key)?;
    let hash = HashAlgorithm::from_name(hash).ok_or(SshsigError::Hash)?;
    let (signature, token) = raw_signature(signature, key.holder())?;
    let mut signed = signed_bytes(namespace, hash, message);
    if let Some(token) = token {
        signed = token.signed(&signed);
    }
    if !key.verifies(&signed, signature) {
        return Err(SshsigError::Mismatch);
    }
    let untouched = token.is_some_and(|token| token.flags & USER_PRESENT == 0);
    if untouched { Err(SshsigError::Untouched) } else { Ok(key) }
}

/// What a hardware key adds to its signature.
#[derive(Clone, Copy)]
struct TokenWord<'a> {
    flags: u8,
    counter: &'a [u8],
}

impl TokenWord<'_> {
    /// What a hardware key signs instead of `signed`.
    fn signed(self, signed: &[u8]) -> Vec<u8> {
        let mut bytes = digest::digest(&digest::SHA256, APPLICATION.as_bytes()).as_ref().to_vec();
        bytes.push(self.flags);
        bytes.extend_from_slice(self.counter);
        bytes.extend_from_slice(digest::digest(&digest::SHA256, signed).as_ref());
        bytes
    }
}

/// The hash of the message inside of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512, which `ssh-keygen` uses unless told otherwise.
    Sha512,
}

impl HashAlgorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|hash| hash.name().as_bytes() == name)
    }

    fn of(self, message: &[u8]) -> digest::Digest {
        match self {
            Self::Sha256 => digest::digest(&digest::SHA256, message),
            Self::Sha512 => digest::digest(&digest::SHA512, message),
        }
    }
}

/// What the key really signs.
pub(crate) fn signed_bytes(namespace: &str, hash: HashAlgorithm, message: &[u8]) -> Vec<u8> {
    let mut signed = MAGIC.to_vec();
    put_string(&mut signed, namespace.as_bytes());
    put_string(&mut signed, b"");
    put_string(&mut signed, hash.name().as_bytes());
    put_string(&mut signed, hash.of(message).as_ref());
    signed
}

/// The armour block around a signature over [`signed_bytes`] with SHA-512.
pub(crate) fn armored(key: &PublicKey, namespace: &str, signature: &[u8]) -> String {
    let mut wrapped = Vec::new();
    put_string(&mut wrapped, ALGORITHM.as_bytes());
    put_string(&mut wrapped, signature);
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&VERSION.to_be_bytes());
    put_string(&mut blob, &key.blob());
    put_string(&mut blob, namespace.as_bytes());
    put_string(&mut blob, b"");
    put_string(&mut blob, HashAlgorithm::Sha512.name().as_bytes());
    put_string(&mut blob, &wrapped);
    let encoded = STANDARD.encode(&blob);
    let mut text = BEGIN.to_owned();
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(LINE) {
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// The bytes in the one armour block that `text` consists of.
fn unarmored(text: &str) -> Result<Vec<u8>, SshsigError> {
    if text.len() > ARMORED_MAX {
        return Err(SshsigError::TooLarge);
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    let inside = text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    let lines = inside.and_then(|rest| rest.strip_suffix('\n')).ok_or(SshsigError::Armor)?;
    let encoded: String = lines.split('\n').collect();
    // A second block, a blank or a carriage return is not base64, so it ends here.
    STANDARD.decode(encoded).map_err(|_cause| SshsigError::Armor)
}

/// The bare signature of a key of that holder, and what a token says beside it.
fn raw_signature(
    wrapped: &[u8],
    holder: Holder,
) -> Result<(&[u8], Option<TokenWord<'_>>), SshsigError> {
    let mut strings = Strings(wrapped);
    let algorithm = strings.string().ok_or(SshsigError::Malformed)?;
    let signature = strings.string().ok_or(SshsigError::Malformed)?;
    if algorithm != holder.algorithm().as_bytes() {
        return Err(SshsigError::Key);
    }
    let token = match holder {
        Holder::Software => None,
        Holder::Hardware => {
            let flags = strings.bytes(1).and_then(<[u8]>::first).ok_or(SshsigError::Malformed)?;
            let counter = strings.bytes(4).ok_or(SshsigError::Malformed)?;
            Some(TokenWord { flags: *flags, counter })
        }
    };
    if strings.is_empty() { Ok((signature, token)) } else { Err(SshsigError::Malformed) }
}

#[cfg(test)]
mod tests;
