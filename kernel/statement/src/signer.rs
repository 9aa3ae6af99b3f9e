//! A signing key in memory: the host's own, and the throw-away ones of labs and simulations.
//!
//! People's keys never come here: they stay with `ssh-keygen` or on their token.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::key::PublicKey;
use crate::sshsig;

/// An Ed25519 key pair.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of that seed. The caller draws the seed; equal seeds give equal keys.
    ///
    /// # Panics
    /// Never: the library refuses a seed only for its length, and this one has it by its type.
    #[must_use]
    #[expect(clippy::expect_used, reason = "refused only for a length other than 32, see above")]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed of 32 bytes");
        let bytes = pair.public_key().as_ref().try_into().expect("a public key of 32 bytes");
        let public = PublicKey::from_bytes(bytes).expect("a canonical public key");
        Self { pair, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// An armoured SSHSIG over `message`, as `ssh-keygen -Y sign -n <namespace>` makes it.
    #[must_use]
    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        let signed = sshsig::signed_bytes(namespace, sshsig::HashAlgorithm::Sha512, message);
        sshsig::armored(&self.public, namespace, &self.sign_bare(&signed))
    }

    /// The Ed25519 signature over `message` itself, for formats that say what they are for.
    pub(crate) fn sign_bare(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.fingerprint())
    }
}
