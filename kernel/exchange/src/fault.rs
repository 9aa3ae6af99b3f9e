//! Why the exchange did not start or had to stop, told in three parts.

use std::fmt;

/// What kind of fault; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Something on the host that should be there is not.
    Unavailable,
    /// It may work later: a port in use.
    Temporary,
    /// A file says what it may not.
    Config,
}

impl FaultKind {
    /// As in sysexits.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Unavailable => 69,
            Self::Temporary => 75,
            Self::Config => 78,
        }
    }
}

/// One clear error: what about, why, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) subject: String,
    pub(crate) cause: String,
    pub(crate) next: String,
}

impl Fault {
    pub(crate) fn config(subject: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Config,
            subject: subject.into(),
            cause: cause.into(),
            next: "correct the file and start again".to_owned(),
        }
    }

    pub(crate) fn unavailable(subject: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Unavailable,
            subject: subject.into(),
            cause: cause.into(),
            next: "check that the path exists and may be written".to_owned(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind: _, subject, cause, next } = self;
        write!(f, "error: {subject}: {cause}\nnext: {next}")
    }
}
