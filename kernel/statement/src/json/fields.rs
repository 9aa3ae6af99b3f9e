//! A typed reader of one object: each key is asked for once, and none may be left over.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::Name;

use super::{JsonError, Value};
use crate::Digest;

/// Reads the fields of an object and remembers which were read.
#[derive(Debug)]
pub struct Fields<'a> {
    entries: &'a BTreeMap<String, Value>,
    read: BTreeSet<&'a str>,
}

impl<'a> Fields<'a> {
    /// Refuses anything but an object.
    pub fn new(value: &'a Value) -> Result<Self, JsonError> {
        match value {
            Value::Object(entries) => Ok(Self { entries, read: BTreeSet::new() }),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_) => {
                Err(JsonError::field("", "is not an object"))
            }
        }
    }

    /// The value of `key`, of whatever type.
    pub fn value(&mut self, key: &str) -> Result<&'a Value, JsonError> {
        self.optional(key).ok_or_else(|| JsonError::field(key, "is missing"))
    }

    /// The value of `key`, or nothing where the key is absent. A `null` is a value.
    pub fn optional(&mut self, key: &str) -> Option<&'a Value> {
        let (name, value) = self.entries.get_key_value(key)?;
        self.read.insert(name);
        Some(value)
    }

    /// A string.
    pub fn text(&mut self, key: &str) -> Result<&'a str, JsonError> {
        text_of(key, self.value(key)?)
    }

    /// A string; nothing where the key is absent.
    pub fn optional_text(&mut self, key: &str) -> Result<Option<&'a str>, JsonError> {
        self.optional(key).map(|value| text_of(key, value)).transpose()
    }

    /// A whole number.
    pub fn int(&mut self, key: &str) -> Result<i64, JsonError> {
        int_of(key, self.value(key)?)
    }

    /// A whole number; nothing where the key is absent.
    pub fn optional_int(&mut self, key: &str) -> Result<Option<i64>, JsonError> {
        self.optional(key).map(|value| int_of(key, value)).transpose()
    }

    /// A whole number, zero or more.
    pub fn uint(&mut self, key: &str) -> Result<u64, JsonError> {
        uint_of(key, self.value(key)?)
    }

    /// A whole number, zero or more; nothing where the key is absent.
    pub fn optional_uint(&mut self, key: &str) -> Result<Option<u64>, JsonError> {
        self.optional(key).map(|value| uint_of(key, value)).transpose()
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &str) -> Result<bool, JsonError> {
        match self.value(key)? {
            Value::Bool(truth) => Ok(*truth),
            Value::Null | Value::Int(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
                Err(JsonError::field(key, "is neither true nor false"))
            }
        }
    }

    /// A list.
    pub fn list(&mut self, key: &str) -> Result<&'a [Value], JsonError> {
        match self.value(key)? {
            Value::List(list) => Ok(list),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Object(_) => {
                Err(JsonError::field(key, "is not a list"))
            }
        }
    }

    /// An object with keys of its own, such as one amount for each currency.
    pub fn object(&mut self, key: &str) -> Result<&'a BTreeMap<String, Value>, JsonError> {
        object_of(key, self.value(key)?)
    }

    /// An object with known keys, to be read in turn.
    pub fn fields(&mut self, key: &str) -> Result<Self, JsonError> {
        let entries = object_of(key, self.value(key)?)?;
        Ok(Self { entries, read: BTreeSet::new() })
    }

    /// A [`Name`].
    pub fn name(&mut self, key: &str) -> Result<Name, JsonError> {
        name_of(key, self.value(key)?)
    }

    /// A [`Name`]; nothing where the key is absent.
    pub fn optional_name(&mut self, key: &str) -> Result<Option<Name>, JsonError> {
        self.optional(key).map(|value| name_of(key, value)).transpose()
    }

    /// A digest as 64 hex digits.
    pub fn digest(&mut self, key: &str) -> Result<Digest, JsonError> {
        digest_of(key, self.value(key)?)
    }

    /// A digest; nothing where the key is absent.
    pub fn optional_digest(&mut self, key: &str) -> Result<Option<Digest>, JsonError> {
        self.optional(key).map(|value| digest_of(key, value)).transpose()
    }

    /// Refuses every key that nobody asked for.
    pub fn finish(self) -> Result<(), JsonError> {
        match self.entries.keys().find(|key| !self.read.contains(key.as_str())) {
            Some(key) => Err(JsonError::field(key, "is not a known key")),
            None => Ok(()),
        }
    }
}

pub(crate) fn text_of<'a>(key: &str, value: &'a Value) -> Result<&'a str, JsonError> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
            Err(JsonError::field(key, "is not a string"))
        }
    }
}

fn int_of(key: &str, value: &Value) -> Result<i64, JsonError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
            Err(JsonError::field(key, "is not a whole number"))
        }
    }
}

fn uint_of(key: &str, value: &Value) -> Result<u64, JsonError> {
    u64::try_from(int_of(key, value)?).map_err(|_negative| JsonError::field(key, "is negative"))
}

fn object_of<'a>(key: &str, value: &'a Value) -> Result<&'a BTreeMap<String, Value>, JsonError> {
    match value {
        Value::Object(entries) => Ok(entries),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_) => {
            Err(JsonError::field(key, "is not an object"))
        }
    }
}

fn name_of(key: &str, value: &Value) -> Result<Name, JsonError> {
    let name = Name::new(text_of(key, value)?);
    name.ok_or_else(|| JsonError::field(key, "is not a name of 1 to 64 of a-z 0-9 . _ -"))
}

fn digest_of(key: &str, value: &Value) -> Result<Digest, JsonError> {
    let digest = Digest::from_hex(text_of(key, value)?);
    digest.ok_or_else(|| JsonError::field(key, "is not a digest of 64 lower-case hex digits"))
}
