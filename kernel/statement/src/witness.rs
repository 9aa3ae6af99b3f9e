//! The witnesses of one installation: who cosigns its journal, how many must, and what a burn is.

use std::collections::BTreeSet;

use portcullis_domain::{Name, Phase, Role, WallNs};

use crate::cosign::{CosignerKey, split};
use crate::header::Signer;
use crate::json::{Fields, JsonError, Value, count, object};
use crate::{Digest, Refusal};

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
    pub key: CosignerKey,
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
            && (phase < Phase::MonitoredAuto || self.list.iter().any(|one| independent(one, signers)))
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
    pub fn signed(&self, note: &str) -> Vec<(&Witness, WallNs)> {
        let list = self.list.iter();
        list.filter_map(|witness| Some((witness, witness.key.signed_at(note)?))).collect()
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
        let key = CosignerKey::parse(fields.text("key")?);
        let domain = FailureDomain::from_name(fields.text("failure_domain")?);
        let witness = Witness {
            name: fields.name("name")?,
            key: key.ok_or_else(|| JsonError::field("key", "is not a cosigner's vkey"))?,
            domain: domain.ok_or_else(|| JsonError::field("failure_domain", "is not known"))?,
            operator: fields.name("operator")?,
        };
        fields.finish()?;
        Ok(witness)
    };
    read().map_err(|error: JsonError| error.within("witnesses"))
}

/// One approval, used up: what a witness signs once and never again.
///
/// As text, each field on a line of its own, so that a note of it is read without tools:
///
/// ```text
/// portcullis burn v1
/// installation portcullis/host-1/acct
/// session s-1
/// nonce 00112233445566778899aabbccddeeff
/// approval <SHA-256 of the approval, in hex>
/// run <the draw of the kernel's start, in hex>
/// journal <origin> <size> <root, in hex>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    /// The installation: `portcullis/<host>/<account>`.
    pub installation: String,
    /// The session.
    pub session: Name,
    /// The approval's nonce.
    pub nonce: String,
    /// The approval's digest.
    pub approval: Digest,
    /// Drawn anew at each start of the kernel: a burn is of no use to a later one, so none that
    /// was kept opens anything after a rollback.
    pub run: u32,
    /// The journal as the witness last cosigned it.
    pub journal: BurnedAt,
}

/// Where the journal stood, as the witness last cosigned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurnedAt {
    /// Origin of the epoch.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

const BURN: &str = "portcullis burn v1";

impl Burn {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let BurnedAt { origin, size, root } = &self.journal;
        format!(
            "{BURN}\ninstallation {}\nsession {}\nnonce {}\napproval {}\nrun {:08x}\n\
             journal {origin} {size} {}\n",
            self.installation,
            self.session,
            self.nonce,
            self.approval.hex(),
            self.run,
            root.hex()
        )
    }

    /// Reads the text back; one spelling alone is read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut line = |key: &str| lines.next()?.strip_prefix(key);
        line(BURN)?;
        let installation = line("installation ")?.to_owned();
        let session = Name::new(line("session ")?)?;
        let nonce = line("nonce ")?.to_owned();
        let approval = Digest::from_hex(line("approval ")?)?;
        let run = u32::from_str_radix(line("run ")?, 16).ok()?;
        let mut journal = line("journal ")?.splitn(3, ' ');
        let journal = BurnedAt {
            origin: journal.next()?.to_owned(),
            size: journal.next()?.parse().ok()?,
            root: Digest::from_hex(journal.next()?)?,
        };
        let burn = Self { installation, session, nonce, approval, run, journal };
        (burn.text() == text).then_some(burn)
    }

    /// The burn of a signed note, whoever signed it.
    #[must_use]
    pub fn of_note(note: &str) -> Option<Self> {
        Self::parse(split(note)?.0)
    }
}

#[cfg(test)]
mod tests;
