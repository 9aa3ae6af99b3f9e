//! SHA-256 digests as values: what statements bind, journals chain and packs list.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest as hash;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut value = [0; 32];
        // Both sides are 32 bytes; zip cannot fail where a copy could.
        for (to, from) in value.iter_mut().zip(hash::digest(&hash::SHA256, bytes).as_ref()) {
            *to = *from;
        }
        Self(value)
    }

    /// 64 lower-case hex digits.
    #[must_use]
    pub fn hex(self) -> String {
        hex_text(&self.0)
    }

    /// Reads exactly 64 lower-case hex digits, the only spelling there is.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut value = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (to, pair) in value.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *to = hex_digit(*high)?.checked_mul(16)?.checked_add(hex_digit(*low)?)?;
        }
        Some(Self(value))
    }

    /// Standard base64 with its padding, as checkpoints and their proofs spell digests.
    #[must_use]
    pub fn base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads what [`Digest::base64`] writes, and no other spelling.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256_and_reads_back() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").hex(), empty);
        assert_eq!(Digest::from_hex(empty), Some(Digest::of(b"")));
    }

    #[test]
    fn only_one_spelling_of_a_digest_is_read() {
        let good = Digest::of(b"x").hex();
        for bad in [good.to_uppercase(), format!("0x{good}"), good.replace('a', "g"), String::new()]
        {
            assert_eq!(Digest::from_hex(&bad), None, "{bad}");
        }
        assert_eq!(Digest::from_hex(good.trim_end_matches(|_: char| true)), None);
    }
}
