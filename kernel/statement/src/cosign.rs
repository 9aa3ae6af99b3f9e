//! Keys of witnesses and what they sign: time-stamped Ed25519 cosignatures of signed notes, as
//! C2SP `tlog-cosignature` defines them (type 0x04).
//!
//! A witness signs two things with the one key: checkpoints of the journal, and burns. Both are
//! notes; the second line of a checkpoint is a number and that of a burn never is, so neither can
//! pass for the other.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_domain::WallNs;
use portcullis_domain::time::NS_PER_S;

use crate::key::PublicKey;
use crate::{Digest, SigningKey};

/// The signature type of a time-stamped Ed25519 cosignature.
const TYPE: u8 = 4;
/// What every signature line begins with.
const DASH: &str = "\u{2014} ";
/// Longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Key id, time and signature.
const SIGNATURE_LEN: usize = 4 + 8 + 64;

/// The public key of a witness, with the name that its signatures carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: PublicKey,
}

impl CosignerKey {
    /// A key under a name: not empty, without spaces, pluses and control characters.
    #[must_use]
    pub fn new(name: &str, key: PublicKey) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'+';
        let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain);
        fits.then(|| Self { name: name.to_owned(), key })
    }

    /// Reads `<name>+<key id>+<base64>`. Another type of key, a key id that is not this key's and
    /// a second spelling are refused.
    #[must_use]
    pub fn parse(vkey: &str) -> Option<Self> {
        let mut parts = vkey.splitn(3, '+');
        let (name, _id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(encoded).ok()?;
        let (kind, point) = bytes.split_first()?;
        let key = PublicKey::from_bytes(point.try_into().ok()?).ok()?;
        let read = Self::new(name, key).filter(|_| *kind == TYPE)?;
        (read.to_string() == vkey).then_some(read)
    }

    /// The name that its signatures carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// The first four bytes of SHA-256 over name, type and key.
    fn id(&self) -> [u8; 4] {
        let text = [self.name.as_bytes(), b"\n", &[TYPE], self.key.bytes()].concat();
        let [a, b, c, d, ..] = Digest::of(&text).0;
        [a, b, c, d]
    }

    /// When this key signed `note`, by the witness's own clock, if one of its lines says so.
    ///
    /// `note` is a whole signed note: text, an empty line, signature lines.
    #[must_use]
    pub fn signed_at(&self, note: &str) -> Option<WallNs> {
        let (text, lines) = split(note)?;
        lines.lines().find_map(|line| self.line_at(text, line))
    }

    fn line_at(&self, text: &str, line: &str) -> Option<WallNs> {
        let encoded = line.strip_prefix(DASH)?.strip_prefix(&self.name)?.strip_prefix(' ')?;
        let bytes = STANDARD.decode(encoded).ok().filter(|bytes| bytes.len() == SIGNATURE_LEN)?;
        let (id, rest) = bytes.split_first_chunk::<4>()?;
        let (time, signature) = rest.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*time);
        let known = *id == self.id() && self.key.verifies(&message(seconds, text), signature);
        let seconds = i64::try_from(seconds).ok().filter(|_| known)?;
        seconds.checked_mul(NS_PER_S).map(WallNs)
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.id().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let bytes = [&[TYPE], self.key.bytes().as_slice()].concat();
        write!(f, "{}+{hex}+{}", self.name, STANDARD.encode(bytes))
    }
}

/// Text and signature lines of a signed note; the text ends with a line feed, and so do the lines.
#[must_use]
pub fn split(note: &str) -> Option<(&str, &str)> {
    let at = note.rfind("\n\n")?;
    let (text, lines) = note.split_at_checked(at.checked_add(1)?)?;
    let lines = lines.strip_prefix('\n')?;
    let whole = lines.ends_with('\n') && lines.lines().all(|line| line.starts_with(DASH));
    whole.then_some((text, lines))
}

/// The signature line of `key` over `text`, made at `seconds` since 1970.
#[must_use]
pub fn cosign(key: &SigningKey, name: &str, text: &str, seconds: u64) -> Option<String> {
    let id = CosignerKey::new(name, key.public())?.id();
    let signature = key.sign_bytes(&message(seconds, text));
    let bytes = [id.as_slice(), &seconds.to_be_bytes(), &signature].concat();
    Some(format!("{DASH}{name} {}\n", STANDARD.encode(bytes)))
}

/// What is signed: the time stands before the note's own text.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "portcullis/h/a/1\n3\nAAAA\n";

    fn note(line: &str) -> String {
        format!("{TEXT}\n{line}")
    }

    #[test]
    fn what_was_cosigned_says_when() {
        let key = SigningKey::from_seed([7; 32]);
        let known = CosignerKey::new("w1", key.public()).unwrap();
        assert_eq!(CosignerKey::parse(&known.to_string()), Some(known.clone()));
        let line = cosign(&key, "w1", TEXT, 1_800_000_000).unwrap();
        let at = Some(WallNs(1_800_000_000 * NS_PER_S));
        assert_eq!(known.signed_at(&note(&line)), at);
        // Beside lines of others, in any order.
        let other = cosign(&SigningKey::from_seed([8; 32]), "w2", TEXT, 1).unwrap();
        assert_eq!(known.signed_at(&note(&(other.clone() + &line))), at);
        assert_eq!(known.signed_at(&note(&other)), None);
    }

    #[test]
    fn whatever_is_changed_is_signed_by_nobody() {
        let key = SigningKey::from_seed([7; 32]);
        let known = CosignerKey::new("w1", key.public()).unwrap();
        let line = cosign(&key, "w1", TEXT, 5).unwrap();
        let good = note(&line);
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert_eq!(known.signed_at(&text), None, "byte {at}");
        }
        let renamed = CosignerKey::new("w2", key.public()).unwrap();
        assert_eq!(renamed.signed_at(&note(&line.replace(" w1 ", " w2 "))), None);
        for cut in [good.trim_end(), TEXT, "", "\n\n"] {
            assert_eq!(known.signed_at(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn one_spelling_and_one_type_of_key() {
        let key = SigningKey::from_seed([7; 32]);
        let good = CosignerKey::new("w1", key.public()).unwrap().to_string();
        let id = good.split('+').nth(1).unwrap();
        let zero = good.replace(id, "00000000");
        for bad in ["", "w1", "w1+1+", &zero, &good.replace("w1", "w2"), &format!("{good} ")] {
            assert_eq!(CosignerKey::parse(bad), None, "{bad}");
        }
        for name in ["", "a b", "a+b", "a\n", &"x".repeat(129)] {
            assert_eq!(CosignerKey::new(name, key.public()), None, "{name:?}");
        }
    }
}
