//! A hardware key as tests need one: it signs what a token signs, with any flags, by code that
//! shares nothing with the one that reads it. Tests of other crates use this file too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::PublicKey;

const ALGORITHM: &[u8] = b"sk-ssh-ed25519@openssh.com";
/// The flag for "somebody touched it".
pub(crate) const TOUCHED: u8 = 1;

/// A token with one key.
pub(crate) struct Token(Ed25519KeyPair);

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

impl Token {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    fn blob(&self) -> Vec<u8> {
        [string(ALGORITHM), string(self.0.public_key().as_ref()), string(b"ssh:")].concat()
    }

    pub(crate) fn public(&self) -> PublicKey {
        let name = std::str::from_utf8(ALGORITHM).unwrap();
        PublicKey::parse_openssh(&format!("{name} {}", STANDARD.encode(self.blob()))).unwrap()
    }

    /// An armoured SSHSIG over `message`, with what the token says of itself in `flags`.
    pub(crate) fn sign(&self, namespace: &str, message: &[u8], flags: u8) -> String {
        let hash = digest(&SHA256, message);
        let head = [string(namespace.as_bytes()), string(b""), string(b"sha256")].concat();
        let wrapped = [&b"SSHSIG"[..], &head, &string(hash.as_ref())].concat();
        let said = [&[flags][..], &7_u32.to_be_bytes()].concat();
        let (application, inner) = (digest(&SHA256, b"ssh:"), digest(&SHA256, &wrapped));
        let signed = [application.as_ref(), &said, inner.as_ref()].concat();
        let raw = self.0.sign(&signed);
        let signature = [string(ALGORITHM), string(raw.as_ref()), said].concat();
        let blob = [
            &b"SSHSIG"[..],
            &1_u32.to_be_bytes(),
            &string(&self.blob()),
            &head,
            &string(&signature),
        ];
        let encoded = STANDARD.encode(blob.concat());
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let body = lines.join("\n");
        format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n")
    }
}
