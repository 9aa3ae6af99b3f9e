//! The witnesses of one installation: who cosigns its journal, and how many must.

use std::collections::BTreeSet;

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Phase, Role, WallNs};

use crate::Refusal;
use crate::header::Signer;
use crate::json::{Fields, JsonError, Value, count, object};
use crate::note::{KeyKind, Note, VerifierKey};

/// Most witnesses of one roster.
const WITNESSES_MAX: usize = 16;
/// What a journal is that nobody else has seen.
const SELF_ATTESTED: &str = "self-attested";

/// What else is gone when this witness is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureDomain {
    /// Another user on the kernel's host: who owns the host owns both.
    SameHost,
    /// Another host.
    OtherHost,
}

impl FailureDomain {
    /// The name in the genesis, in status and in packs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameHost => "same-host",
            Self::OtherHost => "other-host",
        }
    }

    /// The domain of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::SameHost, Self::OtherHost].into_iter().find(|domain| domain.name() == name)
    }
}

/// One witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name, unique in the roster.
    pub name: Name,
    /// Its key, which may carry another name where it serves others too.
    pub key: VerifierKey,
    /// What else is gone when it is.
    pub domain: FailureDomain,
    /// Who administers it: somebody of the roster, or anybody else.
    pub operator: Name,
}

/// The witnesses and how many of them must have signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnesses {
    list: Vec<Witness>,
    quorum: usize,
}

impl Witnesses {
    /// Refuses a quorum that cannot be met or asks for nobody, and a name or a key that stands
    /// twice. No witness and a quorum of 0 is self-attested.
    pub fn new(list: Vec<Witness>, quorum: usize) -> Result<Self, Refusal> {
        let refuse = |cause: String| Err(Refusal::RosterInvalid(cause));
        if quorum > list.len() || (quorum == 0) != list.is_empty() {
            return refuse(format!("{quorum} of {} witnesses is no quorum", list.len()));
        }
        if list.len() > WITNESSES_MAX {
            return refuse(format!("more than {WITNESSES_MAX} witnesses"));
        }
        let names: BTreeSet<_> = list.iter().map(|witness| &witness.name).collect();
        let keys: BTreeSet<_> = list.iter().map(|witness| *witness.key.key().bytes()).collect();
        if names.len() != list.len() || keys.len() != list.len() {
            return refuse("two witnesses have the same name or key".to_owned());
        }
        Ok(Self { list, quorum })
    }

    /// All of them, in the order of the genesis.
    #[must_use]
    pub fn list(&self) -> &[Witness] {
        &self.list
    }

    /// How many must have signed; 0 where nobody does.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// The policy in words, as approvals, status and packs say it: `self-attested`, or
    /// `2 of: w1 (same-host, run by olga), w2 (other-host, run by eve)`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.list.is_empty() {
            return SELF_ATTESTED.to_owned();
        }
        let words = |witness: &Witness| {
            format!("{} ({}, run by {})", witness.name, witness.domain.name(), witness.operator)
        };
        let list: Vec<_> = self.list.iter().map(words).collect();
        format!("{} of: {}", self.quorum, list.join(", "))
    }

    /// Whether these witnesses can serve a session of that phase: from phase 5 on somebody else
    /// has to see the journal, from phase 6 on somebody who shares neither host nor operator.
    #[must_use]
    pub fn serve(&self, phase: Phase, signers: &[Signer]) -> bool {
        (phase < Phase::ManualLive || self.quorum > 0)
            && (phase < Phase::MonitoredAuto
                || self.list.iter().any(|one| independent(one, signers)))
    }

    /// Whether those who signed are enough in that phase: a quorum, one of them independent from
    /// phase 6 on. Without a quorum everything is enough, and is said to be self-attested.
    pub fn suffice<'a>(
        &self,
        signed: impl IntoIterator<Item = &'a Name>,
        phase: Phase,
        signers: &[Signer],
    ) -> bool {
        let signed: BTreeSet<_> = signed.into_iter().collect();
        let known = || self.list.iter().filter(|witness| signed.contains(&witness.name));
        known().count() >= self.quorum
            && (phase < Phase::MonitoredAuto || known().any(|one| independent(one, signers)))
    }

    /// Which witnesses signed `note`, and when, by their own clocks.
    #[must_use]
    pub fn signed(&self, note: &Note) -> Vec<(&Witness, WallNs)> {
        let at = |witness: &Witness| {
            let time_s = i64::try_from(note.cosigned_at(&witness.key).ok()?).ok()?;
            time_s.checked_mul(NS_PER_S).map(WallNs)
        };
        self.list.iter().filter_map(|witness| Some((witness, at(witness)?))).collect()
    }

    pub(crate) fn to_value(&self) -> Value {
        object([
            ("list", Value::List(self.list.iter().map(witness_value).collect())),
            ("quorum", count(u64::try_from(self.quorum).unwrap_or(u64::MAX))),
        ])
    }

    pub(crate) fn from_value(mut fields: Fields<'_>) -> Result<Self, Refusal> {
        let list = fields.list("list")?.iter().map(read_witness).collect::<Result<_, _>>()?;
        let quorum = usize::try_from(fields.uint("quorum")?).unwrap_or(usize::MAX);
        fields.finish()?;
        Self::new(list, quorum)
    }
}

/// Whether neither the kernel's host nor the session's operator has power over this witness.
fn independent(witness: &Witness, signers: &[Signer]) -> bool {
    let runs = |signer: &Signer| signer.role == Role::Operator && signer.person == witness.operator;
    witness.domain == FailureDomain::OtherHost && !signers.iter().any(runs)
}

fn witness_value(witness: &Witness) -> Value {
    object([
        ("failure_domain", witness.domain.name().into()),
        ("key", witness.key.to_string().into()),
        ("name", witness.name.as_str().into()),
        ("operator", witness.operator.as_str().into()),
    ])
}

fn read_witness(value: &Value) -> Result<Witness, JsonError> {
    let read = || {
        let mut fields = Fields::new(value)?;
        let key = VerifierKey::parse(fields.text("key")?).ok();
        let key = key.filter(|key| key.kind() == KeyKind::Cosignature);
        let domain = FailureDomain::from_name(fields.text("failure_domain")?);
        let witness = Witness {
            name: fields.name("name")?,
            key: key.ok_or_else(|| JsonError::field("key", "is not a witness's key"))?,
            domain: domain.ok_or_else(|| JsonError::field("failure_domain", "is not known"))?,
            operator: fields.name("operator")?,
        };
        fields.finish()?;
        Ok(witness)
    };
    read().map_err(|error: JsonError| error.within("witnesses"))
}

#[cfg(test)]
mod tests;
