//! Policy files to policy: strict TOML in, domain types and digests out.
//!
//! The gate never sees TOML. Every key is required, unknown keys are refused, decimals are text,
//! and the digest is that of the very bytes that were parsed: a file that changes between reading
//! and hashing cannot matter, because it is read once.

mod error;
mod instrument;
mod keys;
pub mod ladder;
mod limits;
mod markdown;
mod phases;
mod safety;

pub use error::PolicyError;
pub use instrument::{InstrumentFile, parse_instrument};
pub use limits::{parse_limits, parse_limits_file};
pub use markdown::limits_markdown;
pub use phases::{parse_demands, parse_phases};
pub use safety::parse_safety;

use portcullis_statement::Digest;

/// A parsed file and the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of the bytes that said it.
    pub digest: Digest,
}

/// Checks the bytes as text and parses them as TOML of the shape `T`.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<Hashed<T>, PolicyError> {
    let text = std::str::from_utf8(bytes).map_err(|_not_text| PolicyError::NotText)?;
    // A byte-order mark or a carriage return would make two readers see two files.
    if text.starts_with('\u{feff}') || text.contains('\r') || text.contains('\0') {
        return Err(PolicyError::NotText);
    }
    let value = toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    Ok(Hashed { value, digest: Digest::of(bytes) })
}
