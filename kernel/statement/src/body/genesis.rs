//! The first roster of an installation: its people, its account and host, and how far it goes.

use portcullis_domain::Name;

use super::EndpointKind;
use super::parsed;
use crate::Refusal;
use crate::json::{Fields, JsonError, Value, object};
use crate::roster::{Mark, Roster, read_person};
use crate::witness::Witnesses;

/// What everybody in the roster signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The account that this installation trades.
    pub account: Name,
    /// The host that the kernel runs on.
    pub host: Name,
    /// The people, the mark, the ladder and the witnesses.
    pub roster: Roster,
}

impl Genesis {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("account", self.account.as_str().into()),
            ("host", self.host.as_str().into()),
            ("ladder", self.roster.ladder().name().into()),
            ("mark", self.roster.mark().map_or(Value::Null, |mark| mark.name().into())),
            ("people", self.roster.people_value()),
            ("witnesses", self.roster.witnesses().to_value()),
        ])
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, Refusal> {
        let mut fields = Fields::new(value)?;
        let account = fields.name("account")?;
        let host = fields.name("host")?;
        let ladder = parsed(&mut fields, "ladder", EndpointKind::from_name)?;
        let mark = match fields.value("mark")? {
            Value::Null => None,
            Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
                Some(parsed(&mut fields, "mark", Mark::from_name)?)
            }
        };
        let people = fields.list("people")?.iter().map(read_person);
        let people = people.collect::<Result<_, JsonError>>()?;
        let witnesses = Witnesses::from_value(fields.fields("witnesses")?)?;
        fields.finish()?;
        let roster = Roster::new(people, mark, ladder)?.witnessed(witnesses)?;
        Ok(Self { account, host, roster })
    }
}
