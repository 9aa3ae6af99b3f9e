//! One entry with its number in the journal, and the order numbers in it as people read them.

use portcullis_core::entry::{self, Class, Decoded};
use portcullis_statement::json::{Fields, JsonError, Value};

use super::fault::RenderFault;

/// An entry of a session, decoded.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Its number in the journal, from 0.
    pub(super) seq: u64,
    /// What it says.
    pub(super) entry: Decoded,
}

impl Item {
    /// `None` for an entry about the host, which is no part of any session.
    pub(super) fn read(seq: u64, bytes: &[u8]) -> Result<Option<Self>, RenderFault> {
        let entry = entry::decode(bytes).map_err(|error| RenderFault::Entry { seq, error })?;
        Ok((entry.class != Class::Host).then_some(Self { seq, entry }))
    }

    pub(super) fn kind(&self) -> &str {
        &self.entry.kind
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.entry.kind == kind
    }

    pub(super) fn is_report(&self) -> bool {
        self.is("report") || self.is("shadow-report")
    }

    /// Wall time in UTC.
    pub(super) fn utc(&self) -> String {
        self.entry.place.at.wall.rfc3339()
    }

    /// Reads the body.
    pub(super) fn body<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, JsonError>,
    ) -> Result<T, RenderFault> {
        let seq = self.seq;
        let read = Fields::new(&self.entry.body).and_then(|mut fields| read(&mut fields));
        read.map_err(|error| RenderFault::Field { seq, error })
    }
}

/// Each of a list of texts.
pub(super) fn texts(list: &[Value]) -> Result<Vec<String>, JsonError> {
    let text = |value: &Value| match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
            Err(JsonError::field("", "is a list of something else than texts"))
        }
    };
    list.iter().map(text).collect()
}
