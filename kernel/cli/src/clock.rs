//! The one place where the command line reads a clock and draws a number.

use std::fs::File;
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_domain::WallNs;

use crate::{CliError, Exit};

/// Bytes of a nonce.
const NONCE_BYTES: usize = 16;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock module of the command line")]
pub(crate) fn now() -> Result<WallNs, CliError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok());
    ns.map(WallNs).ok_or_else(|| {
        let next = "set the clock of this host";
        CliError::new(Exit::BadConfig, "CLOCK_IMPOSSIBLE", "clock", "before 1970", next)
    })
}

/// 32 hex digits from the operating system's generator.
pub(crate) fn nonce() -> Result<String, CliError> {
    let mut bytes = [0_u8; NONCE_BYTES];
    let drawn = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    drawn.map_err(|error| {
        let (cause, next) = (error.to_string(), "check that /dev is mounted");
        CliError::new(Exit::Internal, "NO_RANDOMNESS", "/dev/urandom", &cause, next)
    })?;
    Ok(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_have_the_form_of_the_statements_and_differ() {
        let (one, other) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!((one.len(), one == other), (32, false));
        assert!(one.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    }
}
