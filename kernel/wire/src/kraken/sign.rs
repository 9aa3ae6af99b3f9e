//! Kraken's REST signature: HMAC-SHA512 over the path and a SHA-256 of nonce and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

use crate::{WireError, WireFault};

/// The `API-Sign` header for `body`, which is hashed exactly as it will be sent.
///
/// `nonce_text` is the nonce as it stands in the body, wherever in the body that is.
pub fn sign(
    path: &str,
    nonce_text: &str,
    body: &str,
    secret_b64: &str,
) -> Result<String, WireError> {
    let key = key_of(secret_b64)?;
    let tag = hmac::sign(&key, &message(path, nonce_text, body));
    Ok(STANDARD.encode(tag.as_ref()))
}

/// Whether `signature` is what [`sign`] gives, compared in constant time.
pub fn verify(
    path: &str,
    nonce_text: &str,
    body: &str,
    secret_b64: &str,
    signature: &str,
) -> Result<bool, WireError> {
    let key = key_of(secret_b64)?;
    let Ok(tag) = STANDARD.decode(signature) else {
        return Ok(false);
    };
    Ok(hmac::verify(&key, &message(path, nonce_text, body), &tag).is_ok())
}

fn key_of(secret_b64: &str) -> Result<hmac::Key, WireError> {
    match STANDARD.decode(secret_b64) {
        Ok(secret) => Ok(hmac::Key::new(hmac::HMAC_SHA512, &secret)),
        // The decoder's own words quote bytes of the secret.
        Err(_secret_in_words) => Err(WireError::new(
            WireFault::CredentialInvalid,
            "the venue secret is not standard base64",
        )),
    }
}

fn message(path: &str, nonce_text: &str, body: &str) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(nonce_text.as_bytes());
    hash.update(body.as_bytes());
    let mut message = path.as_bytes().to_vec();
    message.extend_from_slice(hash.finish().as_ref());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    // The worked example of the venue's documentation.
    const SECRET: &str =
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==";
    const PATH: &str = "/0/private/AddOrder";
    const NONCE: &str = "1616492376594";
    const BODY: &str =
        "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25";
    const SIGNATURE: &str =
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==";

    #[test]
    fn the_documented_vector_is_met() {
        assert_eq!(sign(PATH, NONCE, BODY, SECRET).as_deref(), Ok(SIGNATURE));
        assert_eq!(verify(PATH, NONCE, BODY, SECRET, SIGNATURE), Ok(true));
    }

    #[test]
    fn anything_else_does_not_verify() {
        let larger = BODY.replace("1.25", "12.5");
        let check = |path, nonce, body, signature, expect| {
            assert_eq!(verify(path, nonce, body, SECRET, signature), Ok(expect));
        };
        check("/0/private/CancelAll", NONCE, BODY, SIGNATURE, false);
        check(PATH, "1616492376595", BODY, SIGNATURE, false);
        check(PATH, NONCE, &larger, SIGNATURE, false);
        check(PATH, NONCE, BODY, "not base64!", false);
        check(PATH, NONCE, BODY, "", false);
    }

    #[test]
    fn an_unreadable_secret_is_refused_without_showing_it() {
        let error = sign(PATH, NONCE, BODY, "se cret").unwrap_err();
        assert_eq!(error.code(), "CREDENTIAL_INVALID");
        assert!(!format!("{error:?} {error}").contains("se cret"));
    }
}
