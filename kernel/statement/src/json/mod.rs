//! The JSON that people sign and the journal keeps: a strict subset with one spelling per value.
//!
//! No floats, no duplicate keys, nothing before or after the value: what two readers could take
//! for two different things is refused by the first of them.

mod canonical;
mod fields;
mod parse;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use canonical::canonical_object;
pub use fields::Fields;
pub(crate) use fields::text_of;
pub use parse::{DEPTH_MAX, parse, parse_canonical};
pub use scan::Scan;

/// A JSON value without floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// An object. A key occurs once.
    Object(BTreeMap<String, Value>),
}

/// Why bytes are not the JSON that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Not in the accepted subset of JSON.
    Syntax {
        /// Byte offset of the first byte that does not fit.
        offset: usize,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// Valid, but not the one canonical spelling of its value.
    NotCanonical,
    /// A key of an object is missing, unknown, of a wrong type or has an impossible value.
    Field {
        /// The key, with the keys around it.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl JsonError {
    /// An error about the value of `key`.
    #[must_use]
    pub fn field(key: &str, cause: impl Into<String>) -> Self {
        Self::Field { key: key.to_owned(), cause: cause.into() }
    }

    /// The same error, named from the object around it.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        match self {
            Self::Field { key, cause } => Self::Field { key: format!("{outer}.{key}"), cause },
            Self::Syntax { .. } | Self::NotCanonical => self,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "JSON_SYNTAX",
            Self::NotCanonical => "JSON_NOT_CANONICAL",
            Self::Field { .. } => "JSON_FIELD",
        }
    }

    /// Every code that [`JsonError::code`] can give.
    pub const ALL_CODES: &[&str] = &["JSON_SYNTAX", "JSON_NOT_CANONICAL", "JSON_FIELD"];
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { offset, cause } => write!(f, "at byte {offset}: {cause}"),
            Self::NotCanonical => f.write_str("not in canonical form"),
            Self::Field { key, cause } => write!(f, "`{key}` {cause}"),
        }
    }
}

impl std::error::Error for JsonError {}

/// An object of the given entries.
#[must_use]
pub fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A count as a value. One beyond 64 signed bits becomes the largest, which no statement accepts.
#[must_use]
pub fn count(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::List(list)
    }
}
