//! Why bytes of a venue were refused.

use std::fmt;

use portcullis_domain::NumberError;

/// What is wrong with a frame. Codes are stable and append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WireFault {
    /// Not JSON, or cut off.
    FrameMalformed,
    /// A field is missing, of another type, or says what cannot be true.
    FieldInvalid,
    /// A number's text is not an exact, in-range decimal at the instrument's scale.
    NumberInvalid,
    /// About another instrument than the one subscribed to.
    SymbolMismatch,
    /// A stream or channel that this decoder does not know.
    StreamUnknown,
    /// A quote whose bid is at or above its offer.
    QuoteCrossed,
    /// A snapshot from before the first kept diff: ask the venue for another one.
    SnapshotTooOld,
    /// Too many diffs came before the snapshot.
    BufferOverflow,
    /// The book does not have the checksum that the venue sent.
    ChecksumMismatch,
    /// The venue answered with an error of its own.
    VenueError,
    /// A credential that cannot be used, such as a secret that is not base64.
    CredentialInvalid,
}

impl WireFault {
    /// All faults, in the order of their introduction.
    pub const ALL: [Self; 11] = [
        Self::FrameMalformed,
        Self::FieldInvalid,
        Self::NumberInvalid,
        Self::SymbolMismatch,
        Self::StreamUnknown,
        Self::QuoteCrossed,
        Self::SnapshotTooOld,
        Self::BufferOverflow,
        Self::ChecksumMismatch,
        Self::VenueError,
        Self::CredentialInvalid,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FrameMalformed => "FRAME_MALFORMED",
            Self::FieldInvalid => "FIELD_INVALID",
            Self::NumberInvalid => "NUMBER_INVALID",
            Self::SymbolMismatch => "SYMBOL_MISMATCH",
            Self::StreamUnknown => "STREAM_UNKNOWN",
            Self::QuoteCrossed => "QUOTE_CROSSED",
            Self::SnapshotTooOld => "SNAPSHOT_TOO_OLD",
            Self::BufferOverflow => "BUFFER_OVERFLOW",
            Self::ChecksumMismatch => "CHECKSUM_MISMATCH",
            Self::VenueError => "VENUE_ERROR",
            Self::CredentialInvalid => "CREDENTIAL_INVALID",
        }
    }
}

/// A refused frame: the code, and the cause in words. The decoder's state is as before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// What kind of wrong.
    pub fault: WireFault,
    /// What exactly, for people. May quote the venue's text: escape it where it is shown.
    pub cause: String,
}

impl WireError {
    /// An error of that kind.
    #[must_use]
    pub fn new(fault: WireFault, cause: impl Into<String>) -> Self {
        Self { fault, cause: cause.into() }
    }

    /// [`WireFault::NumberInvalid`] for the number text of `field`.
    #[must_use]
    pub fn number(field: &str, text: &str, error: NumberError) -> Self {
        let cause = format!("{field} {text:?}: {}", error.cause());
        Self::new(WireFault::NumberInvalid, cause)
    }

    /// What the JSON reader said: cut and ill-formed text apart from ill-typed fields.
    #[must_use]
    pub fn json(error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let fault = match error.classify() {
            Category::Io | Category::Syntax | Category::Eof => WireFault::FrameMalformed,
            Category::Data => WireFault::FieldInvalid,
        };
        Self::new(fault, error.to_string())
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.cause)
    }
}

impl std::error::Error for WireError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct() {
        let codes: BTreeSet<_> = WireFault::ALL.into_iter().map(WireFault::code).collect();
        assert_eq!(codes.len(), WireFault::ALL.len());
    }
}
