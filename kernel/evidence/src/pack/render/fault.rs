//! Why entries cannot be rendered.

use std::fmt;

use portcullis_core::EntryError;
use portcullis_statement::json::JsonError;

/// Why entries give no parts. Entries are named by their number in the journal, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderFault {
    /// The entries are not one session from its opening to its end.
    NoSession,
    /// An entry cannot be read.
    Entry {
        /// Which.
        seq: u64,
        /// Why.
        error: EntryError,
    },
    /// An entry of a known kind lacks what that kind says.
    Field {
        /// Which.
        seq: u64,
        /// Why.
        error: JsonError,
    },
    /// No entry holds the approval under which the session was opened.
    ApprovalMissing,
    /// The approval cannot be read, or speaks of another session than its opening.
    Approval {
        /// Which entry holds it.
        seq: u64,
        /// Why.
        cause: String,
    },
    /// No renderer of that version is known here: a later build has it.
    Version(i64),
    /// No part has that name.
    Part(String),
    /// A note of a person has no place in this session's evidence.
    Note {
        /// Which, from 1.
        number: u64,
        /// Why.
        cause: String,
    },
}

impl RenderFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSession => "RENDER_NO_SESSION",
            Self::Entry { .. } => "RENDER_ENTRY",
            Self::Field { .. } => "RENDER_FIELD",
            Self::ApprovalMissing => "RENDER_APPROVAL_MISSING",
            Self::Approval { .. } => "RENDER_APPROVAL",
            Self::Note { .. } => "RENDER_NOTE",
            Self::Version(_) => "RENDER_VERSION",
            Self::Part(_) => "RENDER_PART",
        }
    }
}

impl fmt::Display for RenderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::NoSession => f.write_str("the entries are not one session, opened and ended"),
            Self::Entry { seq, error } => match error {
                EntryError::Malformed(error) => write!(f, "entry {seq}: {error}"),
                EntryError::Version(version) => write!(f, "entry {seq} has version {version}"),
                EntryError::UnknownKind(kind) => write!(f, "entry {seq} is a {kind:?}"),
                EntryError::Value(key) => write!(f, "entry {seq}: `{key}` is out of range"),
            },
            Self::Field { seq, error } => write!(f, "entry {seq}: {error}"),
            Self::ApprovalMissing => f.write_str("no entry holds the session's approval"),
            Self::Version(version) => write!(f, "there is no renderer {version} here"),
            Self::Part(name) => write!(f, "no part is called {name:?}"),
            Self::Note { number, cause } => write!(f, "note {number} {cause}"),
            Self::Approval { seq, cause } => write!(f, "the approval in entry {seq}: {cause}"),
        }
    }
}

impl std::error::Error for RenderFault {}
