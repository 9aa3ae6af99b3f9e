//! The end of one kill: bound to that kill, so that it cannot end a later one.

use super::{filled_text, hex};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, count, object};

/// What lifts one kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkill {
    /// The digest of the journal entry of the kill.
    pub kill_entry: Digest,
    /// The number of that kill.
    pub kill_seq: u64,
    /// Why it is safe to go on, in the words of those who sign.
    pub reason: String,
}

impl Unkill {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("kill_entry", hex(self.kill_entry)),
            ("kill_seq", count(self.kill_seq)),
            ("reason", self.reason.as_str().into()),
        ])
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let unkill = Self {
            kill_entry: fields.digest("kill_entry")?,
            kill_seq: fields.uint("kill_seq")?,
            reason: filled_text(&mut fields, "reason")?,
        };
        fields.finish()?;
        Ok(unkill)
    }
}
