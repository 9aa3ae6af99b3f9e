//! A statement as bytes: drafting it, carrying it with its signatures, reading it unverified.

use crate::header::{Header, Kind};
use crate::json::{Fields, JsonError, Value, object, parse_canonical};
use crate::{Refusal, SigningKey, Statement};

/// Longest statement, in bytes.
pub const STATEMENT_MAX: usize = 64 * 1024;

/// Most signatures that a statement may carry.
const SIGNATURES_MAX: usize = 64;

/// Largest number that every JSON reader keeps exactly.
const PORTABLE_MAX: u64 = (1 << 53) - 1;

/// The bytes to sign: the canonical form of header and body. `header.kind` says what the body is.
#[must_use]
pub fn draft(header: &Header, body: &Value) -> Vec<u8> {
    header.with_body(body).canonical()
}

/// A statement's bytes and the armoured signatures over them. Nothing about it is known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    /// What was signed.
    pub bytes: Vec<u8>,
    /// One armoured SSHSIG per signer, in any order.
    pub signatures: Vec<String>,
}

impl SignedStatement {
    /// Signs `bytes` with keys in memory, for throw-away rosters. People use `ssh-keygen`.
    #[must_use]
    pub fn signed_by(bytes: Vec<u8>, kind: Kind, keys: &[&SigningKey]) -> Self {
        let signatures = keys.iter().map(|key| key.sign(kind.namespace(), &bytes)).collect();
        Self { bytes, signatures }
    }

    /// As one JSON value, for request files and journal entries.
    ///
    /// Bytes that are not UTF-8 are no statement; they are marked with U+FFFD, which keeps them
    /// just as unreadable ([`Refusal::Malformed`]) when the value is read back.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let signatures = self.signatures.iter().map(|text| text.as_str().into()).collect();
        object([
            ("signatures", Value::List(signatures)),
            ("statement", String::from_utf8_lossy(&self.bytes).into_owned().into()),
        ])
    }

    /// Reads [`SignedStatement::to_value`].
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let bytes = fields.text("statement")?.as_bytes().to_vec();
        let signatures = fields.list("signatures")?;
        fields.finish()?;
        let text = |value: &Value| crate::json::text_of("signatures", value).map(str::to_owned);
        Ok(Self { bytes, signatures: signatures.iter().map(text).collect::<Result<_, _>>()? })
    }

    /// Whether the whole is small enough to be looked at.
    pub(crate) fn check_size(&self) -> Result<(), Refusal> {
        let fits = self.bytes.len() <= STATEMENT_MAX && self.signatures.len() <= SIGNATURES_MAX;
        if fits { Ok(()) } else { Err(Refusal::TooLarge) }
    }
}

/// A statement that was read and not verified: for rendering what is about to be signed.
///
/// Nothing that acts takes one of these; only [`crate::Trust::verify`] leads further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The header.
    pub header: Header,
    /// The body, whose form has not been checked.
    pub body: Value,
}

impl Envelope {
    /// Reads canonical bytes of at most [`STATEMENT_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > STATEMENT_MAX {
            return Err(Refusal::TooLarge);
        }
        let value = parse_canonical(bytes)?;
        check_portable(&value)?;
        let (header, body) = Header::read(&value)?;
        Ok(Self { header, body: body.clone() })
    }

    /// The typed body of every kind but genesis, with all of its own rules checked.
    pub fn statement(&self) -> Result<Statement, Refusal> {
        Statement::read(self.header.kind, &self.body)
    }
}

/// Refuses what readers of other make could show or keep differently.
fn check_portable(value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Int(number) if number.unsigned_abs() <= PORTABLE_MAX => Ok(()),
        Value::Int(number) => {
            Err(JsonError::field(&number.to_string(), "is beyond 2^53: write it as text"))
        }
        Value::Text(text) => check_printable(text),
        Value::List(list) => list.iter().try_for_each(check_portable),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            check_printable(key)?;
            check_portable(value)
        }),
    }
}

fn check_printable(text: &str) -> Result<(), JsonError> {
    match text.chars().find(|c| !(' '..='~').contains(c)) {
        Some(c) => {
            Err(JsonError::field(&text.escape_default().to_string(), format!("holds {c:?}")))
        }
        None => Ok(()),
    }
}
