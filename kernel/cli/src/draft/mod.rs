//! Drafting statements: pure functions from what is known to the bytes that people sign.
//!
//! Nothing here reads a clock, a file or a socket. Every draft is read back with the rules of its
//! kind before it leaves, so that nobody is asked to sign what nobody will accept.

mod genesis;
mod loss;
mod seats;
mod session;
mod simple;

use portcullis_domain::{Name, Role, WallNs};
use portcullis_statement::json::Value;
use portcullis_statement::{Digest, Envelope, Header, Kind, Refusal, Roster, Signer, draft};

pub(crate) use genesis::genesis;
pub(crate) use loss::{loss_limit, worst_case};
pub(crate) use seats::Seat;
pub(crate) use session::{ChosenPlugin, SessionPlan, session};
pub(crate) use simple::{
    ReleaseFacts, endpoint_set, flatten_plan, limits_change, plugin_release, release, seal, unkill,
};

/// There is no statement yet that changes a policy, so every statement is made under the first.
const POLICY_SEQ: u64 = 0;

/// What every draft needs besides its body.
#[derive(Clone, Debug)]
pub(crate) struct Desk<'a> {
    /// The people.
    pub(crate) roster: &'a Roster,
    /// Fingerprint of the genesis.
    pub(crate) genesis: Digest,
    /// 32 hex digits, drawn for this draft.
    pub(crate) nonce: String,
    /// First moment of validity.
    pub(crate) now: WallNs,
    /// First moment after it.
    pub(crate) expires: WallNs,
    /// Who is to sign; where empty, the first who may.
    pub(crate) chosen: &'a [(Name, Role)],
}

/// Why nothing was drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DraftError {
    /// The roster lacks somebody whom this kind needs.
    NoSigner(String),
    /// A chosen signer is not in the roster with that role.
    SignerUnknown(Name, Role),
    /// The draft would be refused.
    Refused(Refusal),
    /// The kill latch is down.
    KillActive,
    /// What was asked for contradicts what is known.
    Mismatch {
        /// The stable code.
        code: &'static str,
        /// Why.
        cause: String,
    },
}

impl DraftError {
    pub(crate) fn mismatch(code: &'static str, cause: impl Into<String>) -> Self {
        Self::Mismatch { code, cause: cause.into() }
    }

    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::NoSigner(_) => "SIGNER_MISSING",
            Self::SignerUnknown(..) => "SIGNER_UNKNOWN",
            Self::Refused(refusal) => refusal.code(),
            Self::KillActive => "KILL_ACTIVE",
            Self::Mismatch { code, .. } => code,
        }
    }

    /// Why, in one line.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::NoSigner(needed) => format!("the roster has nobody left as {needed}"),
            Self::SignerUnknown(person, role) => {
                format!("{person} is not in the roster as {}", role.name())
            }
            Self::Refused(refusal) => refusal.cause(),
            Self::KillActive => "the kill latch is down; two people can lift it".to_owned(),
            Self::Mismatch { cause, .. } => cause.clone(),
        }
    }
}

impl From<Refusal> for DraftError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The bytes of a statement whose signers are the first of `options` that the roster can fill, or
/// those who were chosen.
fn statement(
    desk: &Desk<'_>,
    kind: Kind,
    options: &[Vec<Seat>],
    body: &Value,
) -> Result<Vec<u8>, DraftError> {
    let signers = if desk.chosen.is_empty() {
        seats::fill(desk.roster, options)?
    } else {
        desk.chosen.iter().map(|chosen| chosen_signer(desk, chosen)).collect::<Result<_, _>>()?
    };
    let header = Header {
        kind,
        nonce: desk.nonce.clone(),
        policy_seq: POLICY_SEQ,
        not_before: desk.now,
        expires: desk.expires,
        signers,
        genesis: Some(desk.genesis),
    };
    let bytes = draft(&header, body);
    Envelope::parse(&bytes)?.statement()?;
    Ok(bytes)
}

fn chosen_signer(desk: &Desk<'_>, (name, role): &(Name, Role)) -> Result<Signer, DraftError> {
    let person = desk.roster.person(name).filter(|person| person.roles.contains(role));
    let unknown = || DraftError::SignerUnknown(name.clone(), *role);
    Ok(person.ok_or_else(unknown)?.signer(*role))
}
