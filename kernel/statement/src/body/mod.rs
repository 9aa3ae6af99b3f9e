//! The bodies of statements, one file for each kind, typed when they are read.

mod endpoint_set;
mod flatten_plan;
mod genesis;
mod instrument;
mod limits;
mod limits_change;
mod plugin_release;
mod release;
mod seal;
mod session_approval;
mod target;
mod unkill;

pub use endpoint_set::{EndpointKind, EndpointSet, Host, RecordedFile, Venue};
pub use flatten_plan::{FlattenPlan, Slices};
pub use genesis::Genesis;
pub use limits::{limits_value, read_limits};
pub use limits_change::LimitsChange;
pub use plugin_release::PluginRelease;
pub use release::{Release, ShownProposal};
pub use seal::{Classification, JournalHead, Seal};
pub use session_approval::{ApprovedPlugin, Carried, JournalBinding, SessionApproval};
pub use target::{Latch, Target};
pub use unkill::Unkill;

use crate::header::Kind;
use crate::json::{Fields, JsonError, Value};
use crate::{Digest, Refusal};

/// The body of any statement that a running installation accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Where a session may connect to.
    EndpointSet(EndpointSet),
    /// A plugin.
    PluginRelease(PluginRelease),
    /// One session.
    SessionApproval(Box<SessionApproval>),
    /// Other limits, from the next session on.
    LimitsChange(Box<LimitsChange>),
    /// The end of one kill or stop.
    Unkill(Unkill),
    /// The way out of positions after a kill or stop.
    FlattenPlan(FlattenPlan),
    /// A person's word that one proposal becomes an order.
    Release(Box<Release>),
    /// The end of one session's evidence.
    Seal(Seal),
}

impl Statement {
    /// Reads the body of that kind. A genesis is no statement of a running installation.
    pub(crate) fn read(kind: Kind, body: &Value) -> Result<Self, Refusal> {
        let statement = match kind {
            Kind::Genesis => return Err(Refusal::KindUnexpected(kind)),
            Kind::EndpointSet => EndpointSet::from_value(body).map(Self::EndpointSet),
            Kind::PluginRelease => PluginRelease::from_value(body).map(Self::PluginRelease),
            Kind::SessionApproval => {
                SessionApproval::from_value(body).map(|body| Self::SessionApproval(Box::new(body)))
            }
            Kind::LimitsChange => {
                LimitsChange::from_value(body).map(|body| Self::LimitsChange(Box::new(body)))
            }
            Kind::Unkill => Unkill::from_value(body).map(Self::Unkill),
            Kind::FlattenPlan => FlattenPlan::from_value(body).map(Self::FlattenPlan),
            Kind::Release => Release::from_value(body).map(|body| Self::Release(Box::new(body))),
            Kind::Seal => Seal::from_value(body).map(Self::Seal),
        };
        Ok(statement.map_err(|error| error.within("body"))?)
    }

    /// The body as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::EndpointSet(body) => body.to_value(),
            Self::PluginRelease(body) => body.to_value(),
            Self::SessionApproval(body) => body.to_value(),
            Self::LimitsChange(body) => body.to_value(),
            Self::Unkill(body) => body.to_value(),
            Self::FlattenPlan(body) => body.to_value(),
            Self::Release(body) => body.to_value(),
            Self::Seal(body) => body.to_value(),
        }
    }
}

/// A string that is not empty: an empty one where a person expects a value says nothing.
fn filled_text(fields: &mut Fields<'_>, key: &str) -> Result<String, JsonError> {
    let text = fields.text(key)?;
    if text.trim().is_empty() {
        return Err(JsonError::field(key, "is empty"));
    }
    Ok(text.to_owned())
}

/// Longest name of a key.
const KEY_LEN_MAX: usize = 255;

/// The key that signs a journal's checkpoints, as the verifiers of signed notes write it. Its form
/// is theirs; here it is a name of printable ASCII.
fn checkpoint_key(fields: &mut Fields<'_>) -> Result<String, JsonError> {
    let key = fields.text("key")?;
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_LEN_MAX || !printable {
        return Err(JsonError::field("key", "is not a key of at most 255 printable characters"));
    }
    Ok(key.to_owned())
}

/// The one value that this build gives a meaning to.
fn literal(fields: &mut Fields<'_>, key: &str, only: &str) -> Result<(), JsonError> {
    if fields.text(key)? == only {
        Ok(())
    } else {
        Err(JsonError::field(key, format!("is not {only:?}")))
    }
}

/// A list of strings.
fn texts(fields: &mut Fields<'_>, key: &str) -> Result<Vec<String>, JsonError> {
    let text = |value| crate::json::text_of(key, value).map(str::to_owned);
    fields.list(key)?.iter().map(text).collect()
}

/// Reads the text at `key` with a parser that gives nothing for what it refuses.
fn parsed<T>(
    fields: &mut Fields<'_>,
    key: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, JsonError> {
    let text = fields.text(key)?;
    parse(text).ok_or_else(|| JsonError::field(key, format!("cannot be {text:?}")))
}

fn hex(digest: Digest) -> Value {
    digest.hex().into()
}

fn text_list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| text.as_str().into()).collect())
}

#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
