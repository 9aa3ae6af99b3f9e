//! A change of limits that may loosen them: both sides as values, from the next session on.

use portcullis_domain::policy::Limits;
use portcullis_domain::{Instrument, Name};

use super::limits::{limits_value, read_limits};
use super::{hex, instrument, literal};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, object};

/// An open session keeps what it was opened with.
const APPLIES: &str = "next-session";

/// What the limits were, and what they are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsChange {
    /// The account whose limits these are.
    pub account: Name,
    /// The digest of the limits that are in force: a change fits them and no others.
    pub before: Digest,
    /// What they say.
    pub before_limits: Limits,
    /// The digest of the limits file to come.
    pub after: Digest,
    /// What it says.
    pub after_limits: Limits,
    /// The instruments in which both are measured; the position is the id.
    pub instruments: Vec<Instrument>,
    /// Where the metadata of each comes from, by the same position.
    pub sources: Vec<String>,
}

impl LimitsChange {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let side = |digest, limits| {
            object([("digest", hex(digest)), ("limits", limits_value(limits, &self.instruments))])
        };
        object([
            ("account", self.account.as_str().into()),
            ("after", side(self.after, &self.after_limits)),
            ("applies", APPLIES.into()),
            ("before", side(self.before, &self.before_limits)),
            ("instruments", instrument::list_value(&self.instruments, &self.sources)),
        ])
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        literal(&mut fields, "applies", APPLIES)?;
        let (instruments, sources) = instrument::read_all(fields.list("instruments")?)?;
        let (before, before_limits) = read_side(&mut fields, "before", &instruments)?;
        let (after, after_limits) = read_side(&mut fields, "after", &instruments)?;
        let account = fields.name("account")?;
        fields.finish()?;
        if before == after || before_limits == after_limits {
            return Err(JsonError::field("after", "is the same as before: nothing changes"));
        }
        Ok(Self { account, before, before_limits, after, after_limits, instruments, sources })
    }
}

fn read_side(
    fields: &mut Fields<'_>,
    key: &str,
    instruments: &[Instrument],
) -> Result<(Digest, Limits), JsonError> {
    let mut side = fields.fields(key)?;
    let mut read = || {
        let limits = read_limits(side.value("limits")?, instruments)
            .map_err(|error| error.within("limits"))?;
        Ok((side.digest("digest")?, limits))
    };
    let both = read().map_err(|error: JsonError| error.within(key))?;
    side.finish().map_err(|error| error.within(key))?;
    Ok(both)
}
