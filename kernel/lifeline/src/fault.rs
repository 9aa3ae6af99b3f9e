//! What can go wrong between the house and a venue.

use std::fmt;

use portcullis_wire::WireError;
use portcullis_wire::kraken::{Refused, RestFailure, VenueRefusal};

/// Why a venue did not do, or did not answer, what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VenueFault {
    /// The address is not one that this version may dial.
    EndpointForbidden(String),
    /// The credential cannot be used.
    CredentialInvalid(String),
    /// No connection, a connection that broke, or silence.
    Unreachable(String),
    /// The venue said no, in its own words.
    Refused(Refused),
    /// The venue answered something that its protocol does not have.
    Protocol(String),
    /// The venue wants fewer requests.
    Rate(String),
}

impl VenueFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EndpointForbidden(_) => "ENDPOINT_FORBIDDEN",
            Self::CredentialInvalid(_) => "CREDENTIAL_INVALID",
            Self::Unreachable(_) => "VENUE_UNREACHABLE",
            Self::Refused(_) => "VENUE_REFUSED",
            Self::Protocol(_) => "VENUE_PROTOCOL",
            Self::Rate(_) => "VENUE_RATE",
        }
    }

    /// What exactly, for people. May quote the venue: escape it where it is shown.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::EndpointForbidden(cause)
            | Self::CredentialInvalid(cause)
            | Self::Unreachable(cause)
            | Self::Protocol(cause)
            | Self::Rate(cause) => cause,
            Self::Refused(refused) => &refused.text,
        }
    }
}

impl fmt::Display for VenueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.cause())
    }
}

impl std::error::Error for VenueFault {}

impl From<WireError> for VenueFault {
    fn from(error: WireError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl From<Refused> for VenueFault {
    fn from(refused: Refused) -> Self {
        if refused.refusal == VenueRefusal::RateLimited {
            Self::Rate(refused.text)
        } else {
            Self::Refused(refused)
        }
    }
}

impl From<RestFailure> for VenueFault {
    fn from(failure: RestFailure) -> Self {
        match failure {
            RestFailure::Refused(refused) => refused.into(),
            RestFailure::Unreadable(error) => error.into(),
        }
    }
}
