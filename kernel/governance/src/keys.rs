//! A reader of one TOML table: each key is taken once, and none may be left over.

use toml::{Table, Value};

use crate::PolicyError;

/// The keys of a table that were not taken yet, and where the table stands in its file.
#[derive(Debug)]
pub(crate) struct Keys {
    path: String,
    left: Table,
}

impl Keys {
    /// A whole file.
    pub(crate) const fn file(table: Table) -> Self {
        Self { path: String::new(), left: table }
    }

    /// The table at `path`.
    pub(crate) fn table_at(path: String, value: Value) -> Result<Self, PolicyError> {
        match value {
            Value::Table(left) => Ok(Self { path, left }),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => Err(wrong(&path, "is not a table")),
        }
    }

    /// The full name of a key, for whoever has to mend it.
    pub(crate) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &str) -> Result<Value, PolicyError> {
        self.left.remove(key).ok_or_else(|| wrong(&self.path(key), "is missing"))
    }

    /// A table with known keys.
    pub(crate) fn table(&mut self, key: &str) -> Result<Self, PolicyError> {
        let value = self.take(key)?;
        Self::table_at(self.path(key), value)
    }

    /// The tables of a table whose keys are data, such as one for each instrument.
    pub(crate) fn tables(&mut self, key: &str) -> Result<Vec<(String, Self)>, PolicyError> {
        let Self { path, left } = self.table(key)?;
        let below = |(name, value): (String, Value)| {
            let inner = Self::table_at(format!("{path}.{name}"), value)?;
            Ok((name, inner))
        };
        left.into_iter().map(below).collect()
    }

    /// A string. Decimals are strings: a number of TOML may be a float.
    pub(crate) fn text(&mut self, key: &str) -> Result<String, PolicyError> {
        match self.take(key)? {
            Value::String(text) => Ok(text),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => Err(wrong(&self.path(key), "is not a string")),
        }
    }

    /// A whole number, zero or more.
    pub(crate) fn whole(&mut self, key: &str) -> Result<u64, PolicyError> {
        match self.take(key)? {
            Value::Integer(number) => {
                u64::try_from(number).map_err(|_negative| wrong(&self.path(key), "is negative"))
            }
            Value::String(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => Err(wrong(&self.path(key), "is not a whole number")),
        }
    }

    /// A moment, as the RFC 3339 text of a TOML date and time.
    pub(crate) fn moment(&mut self, key: &str) -> Result<String, PolicyError> {
        match self.take(key)? {
            Value::Datetime(moment) => Ok(moment.to_string()),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Array(_)
            | Value::Table(_) => Err(wrong(&self.path(key), "is not a date and time")),
        }
    }

    /// Refuses every key that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), PolicyError> {
        match self.left.keys().next() {
            Some(key) => Err(wrong(&self.path(key), "is not a known key")),
            None => Ok(()),
        }
    }
}

/// A key that cannot be read at all.
pub(crate) fn wrong(path: &str, cause: &str) -> PolicyError {
    PolicyError::Syntax(format!("{path} {cause}"))
}
