//! The end of one kill, or of one smaller stop: bound to it, so that it cannot end a later one.

use super::filled_text;
use super::target::Target;
use crate::json::{Fields, JsonError, Value, object};

/// What lifts one kill or one stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkill {
    /// What is lifted.
    pub target: Target,
    /// Why it is safe to go on, in the words of those who sign.
    pub reason: String,
}

impl Unkill {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = object([("reason", self.reason.as_str().into())]);
        self.target.write(&mut value);
        value
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let unkill = Self {
            target: Target::read(&mut fields)?,
            reason: filled_text(&mut fields, "reason")?,
        };
        fields.finish()?;
        Ok(unkill)
    }
}
