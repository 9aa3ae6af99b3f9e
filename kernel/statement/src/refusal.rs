//! Why a statement does not count. Each reason has a stable code and a cause for people.

use std::fmt;

use portcullis_domain::{Name, Phase, Role};

use crate::body::EndpointKind;
use crate::header::Kind;
use crate::json::JsonError;
use crate::sshsig::SshsigError;

/// A reason not to believe a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Longer than a statement may be.
    TooLarge,
    /// Not canonical JSON, or a field is missing, unknown or impossible.
    Malformed(JsonError),
    /// A kind that this build does not know.
    KindUnknown(String),
    /// A known kind where another one is needed.
    KindUnexpected(Kind),
    /// Made under another genesis, or not the genesis that is pinned.
    GenesisMismatch,
    /// The roster contradicts itself.
    RosterInvalid(String),
    /// `now` is at or after the expiry.
    Expired,
    /// `now` is before the beginning of validity.
    NotYetValid,
    /// A signature that is not one over these bytes.
    SignatureInvalid(SshsigError),
    /// A listed signer did not sign.
    SignatureMissing(Name),
    /// A key signed that is not listed; the argument is its fingerprint.
    SignatureUnlisted(String),
    /// A listed person is not in the roster, or not with that key.
    SignerUnknown(Name),
    /// A listed person lacks the role, or the role has no say in this kind.
    SignerRole(Name, Role),
    /// One person or one key where two are needed.
    SignerTwice(Name),
    /// A needed signer is not listed; the argument says which.
    SignerMissing(&'static str),
    /// A key that nobody has to touch, where a hardware key is asked for.
    TouchMissing(Name),
    /// The author of a plugin has the governing or approving word on it too.
    AuthorAlone(Name),
    /// A demo or throw-away roster outside of simulations.
    DemoRoster,
    /// The phase rules in force ask for less than the runbook.
    RulesBelowFloor(Phase),
    /// No session can be opened in that phase.
    PhaseNotOpenable(Phase),
    /// The session window is longer than the phase allows.
    WindowTooLong(Phase),
    /// That kind of endpoint has no place in that phase or on that ladder.
    EndpointForbidden(Phase, EndpointKind),
    /// The endpoint set is not the one that the approval binds.
    EndpointMismatch,
    /// The plugin release is not one that the approval binds, or not for its phase.
    ReleaseMismatch(Name),
    /// Made for another account or another host.
    AccountMismatch,
}

impl Refusal {
    /// Every code that [`Refusal::code`] can give.
    pub const ALL_CODES: &[&str] = &[
        "STATEMENT_TOO_LARGE",
        "STATEMENT_MALFORMED",
        "KIND_UNKNOWN",
        "KIND_UNEXPECTED",
        "GENESIS_MISMATCH",
        "ROSTER_INVALID",
        "STATEMENT_EXPIRED",
        "STATEMENT_NOT_YET_VALID",
        "SIGNATURE_INVALID",
        "SIGNATURE_MISSING",
        "SIGNATURE_UNLISTED",
        "SIGNER_UNKNOWN",
        "SIGNER_ROLE",
        "SIGNER_TWICE",
        "SIGNER_MISSING",
        "TOUCH_REQUIRED",
        "AUTHOR_ALONE",
        "DEMO_ROSTER",
        "PHASE_RULES_BELOW_FLOOR",
        "PHASE_NOT_OPENABLE",
        "WINDOW_TOO_LONG",
        "ENDPOINT_FORBIDDEN",
        "ENDPOINT_MISMATCH",
        "RELEASE_MISMATCH",
        "ACCOUNT_MISMATCH",
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "STATEMENT_TOO_LARGE",
            Self::Malformed(_) => "STATEMENT_MALFORMED",
            Self::KindUnknown(_) => "KIND_UNKNOWN",
            Self::KindUnexpected(_) => "KIND_UNEXPECTED",
            Self::GenesisMismatch => "GENESIS_MISMATCH",
            Self::RosterInvalid(_) => "ROSTER_INVALID",
            Self::Expired => "STATEMENT_EXPIRED",
            Self::NotYetValid => "STATEMENT_NOT_YET_VALID",
            Self::SignatureInvalid(_) => "SIGNATURE_INVALID",
            Self::SignatureMissing(_) => "SIGNATURE_MISSING",
            Self::SignatureUnlisted(_) => "SIGNATURE_UNLISTED",
            Self::SignerUnknown(_) => "SIGNER_UNKNOWN",
            Self::SignerRole(..) => "SIGNER_ROLE",
            Self::SignerTwice(_) => "SIGNER_TWICE",
            Self::SignerMissing(_) => "SIGNER_MISSING",
            Self::TouchMissing(_) => "TOUCH_REQUIRED",
            Self::AuthorAlone(_) => "AUTHOR_ALONE",
            Self::DemoRoster => "DEMO_ROSTER",
            Self::RulesBelowFloor(_) => "PHASE_RULES_BELOW_FLOOR",
            Self::PhaseNotOpenable(_) => "PHASE_NOT_OPENABLE",
            Self::WindowTooLong(_) => "WINDOW_TOO_LONG",
            Self::EndpointForbidden(..) => "ENDPOINT_FORBIDDEN",
            Self::EndpointMismatch => "ENDPOINT_MISMATCH",
            Self::ReleaseMismatch(_) => "RELEASE_MISMATCH",
            Self::AccountMismatch => "ACCOUNT_MISMATCH",
        }
    }

    /// The cause, as a sentence for people.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::TooLarge => "the statement is longer than 64 KiB".to_owned(),
            Self::Malformed(error) => format!("the statement cannot be read: {error}"),
            Self::KindUnknown(kind) => format!("`{kind}` is not a kind of statement"),
            Self::KindUnexpected(kind) => format!("a {} has no place here", kind.name()),
            Self::GenesisMismatch => "the genesis is not the pinned one".to_owned(),
            Self::RosterInvalid(cause) => format!("the roster contradicts itself: {cause}"),
            Self::Expired => "the statement has expired".to_owned(),
            Self::NotYetValid => "the statement is not valid yet".to_owned(),
            Self::SignatureInvalid(error) => format!("a signature does not verify: {error}"),
            Self::SignatureMissing(person) => format!("{person} is listed and did not sign"),
            Self::SignatureUnlisted(key) => format!("the key {key} signed and is not listed"),
            Self::SignerUnknown(person) => {
                format!("{person} is not in the roster with the listed key")
            }
            Self::SignerRole(person, role) => {
                format!("{person} cannot sign this as {}", role.name())
            }
            Self::SignerTwice(person) => format!("{person} would count twice"),
            Self::SignerMissing(needed) => format!("this needs {needed}"),
            Self::TouchMissing(person) => {
                format!("{person} has no hardware key, and this is signed by touch")
            }
            Self::AuthorAlone(author) => {
                format!("{author} wrote the plugin and cannot be the second word on it")
            }
            Self::DemoRoster => {
                "a demo or throw-away roster serves simulated and recorded endpoints in phases 1 \
                 to 3 only"
                    .to_owned()
            }
            Self::RulesBelowFloor(phase) => {
                format!("the rules for phase {} ask for less than the runbook", phase.number())
            }
            Self::PhaseNotOpenable(phase) => {
                format!("no session can be opened in phase {}", phase.number())
            }
            Self::WindowTooLong(phase) => {
                format!("the window is longer than phase {} allows", phase.number())
            }
            Self::EndpointForbidden(phase, kind) => format!(
                "a {} endpoint has no place in phase {} on this ladder",
                kind.name(),
                phase.number()
            ),
            Self::EndpointMismatch => "the approval binds another endpoint set".to_owned(),
            Self::ReleaseMismatch(plugin) => {
                format!("the approval does not bind this release of {plugin}")
            }
            Self::AccountMismatch => "made for another account or another host".to_owned(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.cause())
    }
}

impl std::error::Error for Refusal {}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error)
    }
}

#[cfg(test)]
mod tests;
