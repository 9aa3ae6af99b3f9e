//! The key of an account at a venue.

use std::fmt;

use portcullis_wire::kraken::sign;
use serde::Deserialize;

use crate::VenueFault;

/// Longest key or secret, in characters.
const CHARS_MAX: usize = 512;

/// An API key with its secret. The secret is never shown and is overwritten when dropped.
///
/// Not `Clone`: one copy in memory is enough, share it by `Arc`.
pub struct Credential {
    key: String,
    secret: String,
    genesis: Option<String>,
    journal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    key: String,
    secret: String,
    #[serde(default)]
    genesis: Option<String>,
    #[serde(default)]
    journal: Option<String>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        overwrite(&mut self.secret);
    }
}

impl Credential {
    /// Reads `{"key":"…","secret":"…"}`; the secret is standard base64. With `genesis` or `journal`
    /// it is sealed: good for the house of that genesis, and of that journal, alone.
    ///
    /// # Errors
    /// [`VenueFault::CredentialInvalid`], which never quotes the bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VenueFault> {
        let invalid = |cause: &str| VenueFault::CredentialInvalid(cause.to_owned());
        let raw: Raw = match serde_json::from_slice(bytes) {
            Ok(raw) => raw,
            // The reader's own words may quote what stands in the file.
            Err(error) => {
                let keys = "{\"key\",\"secret\"} and perhaps \"genesis\",\"journal\"";
                let cause = format!("line {} is not of {keys}", error.line());
                return Err(VenueFault::CredentialInvalid(cause));
            }
        };
        let fits = |text: &str| {
            (1..=CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        // Both end up in headers: a line break in one would be another header.
        if !fits(&raw.key) || !fits(&raw.secret) {
            return Err(invalid("key and secret are 1 to 512 printable characters without blanks"));
        }
        let (genesis, journal) = (raw.genesis.clone(), raw.journal.clone());
        let (key, secret) = (raw.key.clone(), raw.secret.clone());
        let credential = Self { key, secret, genesis, journal };
        match credential.sign("", "", "") {
            Ok(_) => Ok(credential),
            Err(_) => Err(invalid("the secret is not standard base64")),
        }
    }

    /// The public half.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Fingerprint of the genesis that it is sealed to, in hex, as the file says it.
    #[must_use]
    pub fn genesis(&self) -> Option<&str> {
        self.genesis.as_deref()
    }

    /// Key of the first epoch of the journal that it is sealed to, as the file says it.
    #[must_use]
    pub fn journal(&self) -> Option<&str> {
        self.journal.as_deref()
    }

    /// The signature of a request.
    pub(crate) fn sign(&self, path: &str, nonce: &str, body: &str) -> Result<String, VenueFault> {
        sign(path, nonce, body, &self.secret)
            .map_err(|error| VenueFault::CredentialInvalid(error.cause))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        overwrite(&mut self.secret);
    }
}

/// Best effort: the compiler is kept from seeing that nobody reads the zeros.
fn overwrite(secret: &mut String) {
    let mut bytes = std::mem::take(secret).into_bytes();
    bytes.fill(0);
    std::hint::black_box(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_read_and_nothing_is_shown() {
        let check = |text: &str, expect: bool| match Credential::from_json(text.as_bytes()) {
            Ok(credential) => {
                assert!(expect, "{text}");
                assert_eq!(format!("{credential:?}"), "Credential(..)");
                assert_eq!(credential.key(), "k");
            }
            Err(fault) => {
                assert!(!expect, "{text}: {fault}");
                assert_eq!(fault.code(), "CREDENTIAL_INVALID");
                assert!(!format!("{fault:?} {fault}").contains("c2VjcmV0"), "{fault}");
            }
        };
        check(r#"{"key":"k","secret":"c2VjcmV0"}"#, true);
        check(r#"{"key":"k","secret":"c2VjcmV0","genesis":"g","journal":"j"}"#, true);
        check(r#"{"key":"k","secret":"c2VjcmV0","genesis":7}"#, false);
        for bad in [
            "",
            "c2VjcmV0",
            r#""c2VjcmV0""#,
            r#"{"key":"k"}"#,
            r#"{"key":"","secret":"c2VjcmV0"}"#,
            r#"{"key":"k","secret":""}"#,
            r#"{"key":"k","secret":"c2VjcmV0!"}"#,
            r#"{"key":"k\r\nHost: x","secret":"c2VjcmV0"}"#,
            r#"{"key":"k","secret":"c2VjcmV0","c2VjcmV0":1}"#,
            r#"{"key":"k","secret":"c2VjcmV0","secret":"c2VjcmV0"}"#,
            r#"{"key":"k","secret":"c2VjcmV0"} x"#,
            r#"{"key":"k","secret":["c2VjcmV0"]}"#,
        ] {
            check(bad, false);
        }
    }
}
