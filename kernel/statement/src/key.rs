//! Public keys of people: Ed25519 in a file or on a hardware key, compared by the decoded key and
//! never by its text.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::Digest;
use crate::ssh_wire::{Strings, put_string};

/// The algorithm of a key in a file, as OpenSSH names it.
pub(crate) const ALGORITHM: &str = "ssh-ed25519";
/// The algorithm of a key that never leaves its token.
const HARDWARE_ALGORITHM: &str = "sk-ssh-ed25519@openssh.com";
/// The one application that a token's key may have been made for: OpenSSH's own.
pub(crate) const APPLICATION: &str = "ssh:";

/// Where the private half lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// In a file or an agent: whoever runs as that person can use it unseen.
    Software,
    /// On a token that signs when it is touched.
    Hardware,
}

impl Holder {
    /// The algorithm as OpenSSH names it.
    pub(crate) const fn algorithm(self) -> &'static str {
        match self {
            Self::Software => ALGORITHM,
            Self::Hardware => HARDWARE_ALGORITHM,
        }
    }

    fn from_algorithm(name: &[u8]) -> Result<Self, KeyError> {
        let mut holders = [Self::Software, Self::Hardware].into_iter();
        let found = holders.find(|holder| holder.algorithm().as_bytes() == name);
        found.ok_or(KeyError::Algorithm)
    }
}

/// An Ed25519 public key. Two texts of one key are equal, whatever comment they carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    point: [u8; 32],
    holder: Holder,
}

/// Why a text is not a key that may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not `<algorithm> <base64>` with an optional comment.
    Malformed,
    /// A certificate or another algorithm.
    Algorithm,
    /// A hardware key that was made for something else than SSH.
    Application,
    /// A second encoding of a point: one key could pass for two.
    NotCanonical,
}

impl KeyError {
    /// A short English cause.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Malformed => "not an OpenSSH public key line",
            Self::Algorithm => "not of the type ssh-ed25519 or sk-ssh-ed25519@openssh.com",
            Self::Application => "a hardware key of another application than ssh:",
            Self::NotCanonical => "not the canonical encoding of its point",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for KeyError {}

impl PublicKey {
    /// Reads the 32 bytes of a key in a file.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        Self::of(bytes, Holder::Software)
    }

    fn of(bytes: [u8; 32], holder: Holder) -> Result<Self, KeyError> {
        // Little-endian y with the sign of x in the top bit; canonical means y < 2^255 - 19.
        let [first, middle @ .., last] = bytes;
        let at_the_top = (last & 0x7f) == 0x7f && middle.iter().all(|byte| *byte == 0xff);
        if at_the_top && first >= 0xed {
            return Err(KeyError::NotCanonical);
        }
        Ok(Self { point: bytes, holder })
    }

    /// Reads an OpenSSH public key line, with or without a comment.
    pub fn parse_openssh(line: &str) -> Result<Self, KeyError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        if line.chars().any(char::is_control) {
            return Err(KeyError::Malformed);
        }
        let mut words = line.splitn(3, ' ');
        let named = Holder::from_algorithm(words.next().unwrap_or("").as_bytes())?;
        let encoded = words.next().ok_or(KeyError::Malformed)?;
        let blob = STANDARD.decode(encoded).map_err(|_cause| KeyError::Malformed)?;
        let key = Self::from_blob(&blob)?;
        if key.holder == named { Ok(key) } else { Err(KeyError::Algorithm) }
    }

    /// The line that `authorized_keys` and `allowed_signers` hold, without a comment.
    #[must_use]
    pub fn openssh_line(&self) -> String {
        format!("{} {}", self.holder.algorithm(), STANDARD.encode(self.blob()))
    }

    /// The fingerprint as `ssh-keygen -lf` prints it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Digest::of(&self.blob()).0))
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.point
    }

    /// Whether the key lives on a token. Its signatures are only read where it was touched.
    #[must_use]
    pub const fn is_hardware(&self) -> bool {
        match self.holder {
            Holder::Software => false,
            Holder::Hardware => true,
        }
    }

    pub(crate) const fn holder(&self) -> Holder {
        self.holder
    }

    /// Whether `signature` is this key's Ed25519 signature over `message` itself. Private to the
    /// crate: a signature that does not say what it is for is no use to anybody else.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.point).verify(message, signature).is_ok()
    }

    /// The key as OpenSSH encodes it in binary.
    pub(crate) fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, self.holder.algorithm().as_bytes());
        put_string(&mut blob, &self.point);
        if self.is_hardware() {
            put_string(&mut blob, APPLICATION.as_bytes());
        }
        blob
    }

    /// Reads the binary encoding; nothing may follow.
    pub(crate) fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let mut strings = Strings(blob);
        let holder = Holder::from_algorithm(strings.string().ok_or(KeyError::Malformed)?)?;
        let key = strings.string().and_then(|key| <[u8; 32]>::try_from(key).ok());
        if holder == Holder::Hardware
            && strings.string().ok_or(KeyError::Malformed)? != APPLICATION.as_bytes()
        {
            return Err(KeyError::Application);
        }
        match key {
            Some(key) if strings.is_empty() => Self::of(key, holder),
            Some(_) | None => Err(KeyError::Malformed),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.openssh_line())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    #[test]
    fn a_key_is_equal_to_itself_under_any_comment() {
        let key = SigningKey::from_seed([1; 32]).public();
        for comment in ["", " alice", " alice@host and more", "\n"] {
            let line = format!("{}{comment}", key.openssh_line());
            assert_eq!(PublicKey::parse_openssh(&line), Ok(key));
        }
    }

    #[test]
    fn nothing_but_one_plain_ed25519_key_is_read() {
        let line = SigningKey::from_seed([1; 32]).public().openssh_line();
        let base64 = line.trim_start_matches("ssh-ed25519 ");
        let check = |line: String, expect| {
            assert_eq!(PublicKey::parse_openssh(&line), Err(expect), "{line}");
        };
        check(String::new(), KeyError::Algorithm);
        check(format!("ssh-rsa {base64}"), KeyError::Algorithm);
        check(format!("sk-ssh-ed25519@openssh.com {base64}"), KeyError::Algorithm);
        check(format!("ssh-ed25519-cert-v01@openssh.com {base64}"), KeyError::Algorithm);
        check(format!("cert-authority {line}"), KeyError::Algorithm);
        check("ssh-ed25519".to_owned(), KeyError::Malformed);
        check(format!("ssh-ed25519 {base64}AAAA"), KeyError::Malformed);
        check(format!("{line}\n{line}"), KeyError::Malformed);
        check(format!("ssh-ed25519  {base64}"), KeyError::Malformed);
    }

    /// B10: a hardware key is read as one, for SSH only, and its point makes no second key of it.
    #[test]
    fn b10_a_hardware_key_is_one_of_its_own_kind() {
        let token = crate::testkit::token::Token::from_seed([1; 32]);
        let line = token.public().openssh_line();
        assert!(line.starts_with("sk-ssh-ed25519@openssh.com "), "{line}");
        let read = PublicKey::parse_openssh(&format!("{line} alice")).unwrap();
        let file = SigningKey::from_seed([1; 32]).public();
        assert!(read.is_hardware() && !file.is_hardware());
        assert_eq!((read.bytes(), read == file), (file.bytes(), false));
        assert_ne!(read.fingerprint(), file.fingerprint());
        let blob = read.blob();
        let of_another = [&blob[..blob.len() - 1], b"x"].concat();
        assert_eq!(PublicKey::from_blob(&of_another), Err(KeyError::Application));
        assert_eq!(PublicKey::from_blob(&blob[..blob.len() - 8]), Err(KeyError::Malformed));
        assert_eq!(PublicKey::from_blob(&[blob, vec![0]].concat()), Err(KeyError::Malformed));
        let renamed = line.replace("sk-ssh-ed25519@openssh.com", "ssh-ed25519");
        assert_eq!(PublicKey::parse_openssh(&renamed), Err(KeyError::Algorithm));
    }

    #[test]
    fn a_second_encoding_of_a_point_is_refused() {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xee; // y = 1, written as p + 1.
        assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::NotCanonical));
        bytes[31] = 0x7f;
        assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::NotCanonical));
        bytes[0] = 0xec;
        assert!(PublicKey::from_bytes(bytes).is_ok());
    }
}
