//! Why a frame is not what this protocol speaks.

use std::{fmt, io};

/// A frame that cannot be read, written or understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// The socket failed or the peer was too slow.
    Io(io::ErrorKind, String),
    /// The stream ended inside of a frame.
    Truncated,
    /// A frame of that many bytes is too long.
    TooLarge(usize),
    /// A frame of no bytes.
    Empty,
    /// Not the canonical JSON of a message of this version.
    Malformed(String),
    /// A version that this build does not speak; as it was written.
    Version(String),
    /// A verb that this build does not know.
    VerbUnknown(String),
}

impl ControlError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(..) => "CONTROL_IO",
            Self::Truncated => "CONTROL_TRUNCATED",
            Self::TooLarge(_) => "CONTROL_TOO_LARGE",
            Self::Empty => "CONTROL_EMPTY",
            Self::Malformed(_) => "CONTROL_MALFORMED",
            Self::Version(_) => "CONTROL_VERSION",
            Self::VerbUnknown(_) => "CONTROL_VERB_UNKNOWN",
        }
    }

    /// Whether the peer was too slow, so that another try may succeed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Io(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, _))
    }

    pub(crate) fn malformed(cause: impl fmt::Display) -> Self {
        Self::Malformed(cause.to_string())
    }
}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Truncated;
        }
        Self::Io(error.kind(), error.to_string())
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_, cause) => f.write_str(cause),
            Self::Truncated => f.write_str("the stream ended inside of a frame"),
            Self::TooLarge(bytes) => write!(f, "a frame of {bytes} bytes is too long"),
            Self::Empty => f.write_str("a frame of no bytes"),
            Self::Malformed(cause) => write!(f, "not a message of this protocol: {cause}"),
            Self::Version(version) => write!(f, "version {version} is not spoken here"),
            Self::VerbUnknown(verb) => write!(f, "there is no verb {verb:?}"),
        }
    }
}

impl std::error::Error for ControlError {}
