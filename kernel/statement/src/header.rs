//! What every statement says besides its body: kind, validity, genesis, nonce and signers.

use portcullis_domain::{Name, Role, WallNs};

use crate::json::{Fields, JsonError, Value, count, object};
use crate::{Digest, Refusal};

/// The kinds of statement that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The first roster.
    Genesis,
    /// Where a session may connect to.
    EndpointSet,
    /// A plugin, by the digest of its component.
    PluginRelease,
    /// One session with everything it may do.
    SessionApproval,
    /// Other limits, from the next session on.
    LimitsChange,
    /// The end of one kill or stop.
    Unkill,
    /// The way out of positions after a kill or stop.
    FlattenPlan,
    /// A person's word that one proposal becomes an order.
    Release,
    /// The end of one session's evidence.
    Seal,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Genesis,
        Self::EndpointSet,
        Self::PluginRelease,
        Self::SessionApproval,
        Self::LimitsChange,
        Self::Unkill,
        Self::FlattenPlan,
        Self::Release,
        Self::Seal,
    ];

    /// The name inside statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::EndpointSet => "endpoint-set",
            Self::PluginRelease => "plugin-release",
            Self::SessionApproval => "session-approval",
            Self::LimitsChange => "limits-change",
            Self::Unkill => "unkill",
            Self::FlattenPlan => "flatten-plan",
            Self::Release => "release",
            Self::Seal => "seal",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The SSHSIG namespace. A signature for one kind is worth nothing for another.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Genesis => "portcullis-genesis",
            Self::EndpointSet => "portcullis-endpoint-set",
            Self::PluginRelease => "portcullis-plugin-release",
            Self::SessionApproval => "portcullis-session-approval",
            Self::LimitsChange => "portcullis-limits-change",
            Self::Unkill => "portcullis-unkill",
            Self::FlattenPlan => "portcullis-flatten-plan",
            Self::Release => "portcullis-release",
            Self::Seal => "portcullis-seal",
        }
    }

    /// The roles that have a say in this kind at all; a signer listed with another is refused.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Genesis => &Role::ALL,
            Self::EndpointSet | Self::SessionApproval | Self::LimitsChange => {
                &[Role::Governance, Role::Operator, Role::Approver, Role::Risk]
            }
            Self::PluginRelease => &[Role::Author, Role::Governance],
            Self::Unkill => &[Role::Operator, Role::Approver, Role::Risk],
            Self::FlattenPlan => &[Role::Operator, Role::Risk],
            Self::Release => &[Role::Operator],
            Self::Seal => &[Role::Operator, Role::Approver],
        }
    }
}

/// One person who has to sign, as the signed bytes name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The person's name in the roster.
    pub person: Name,
    /// The one role in which this signature counts.
    pub role: Role,
    /// Fingerprint of the key, `SHA256:…`.
    pub key: String,
}

/// What every statement says besides its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the body is.
    pub kind: Kind,
    /// 32 lower-case hex digits, drawn for this statement; burned when it is used.
    pub nonce: String,
    /// The counter of the policy under which this was drafted.
    pub policy_seq: u64,
    /// First moment of validity.
    pub not_before: WallNs,
    /// First moment after validity.
    pub expires: WallNs,
    /// Everybody who has to sign.
    pub signers: Vec<Signer>,
    /// Digest of the genesis; absent in the genesis itself.
    pub genesis: Option<Digest>,
}

/// The version of the statement format.
const VERSION: i64 = 1;

impl Header {
    /// The whole statement with that body.
    pub(crate) fn with_body(&self, body: &Value) -> Value {
        let signer = |signer: &Signer| {
            object([
                ("key", signer.key.as_str().into()),
                ("person", signer.person.as_str().into()),
                ("role", signer.role.name().into()),
            ])
        };
        let mut statement = object([
            ("body", body.clone()),
            ("expires", self.expires.0.to_string().into()),
            ("kind", self.kind.name().into()),
            ("nonce", self.nonce.as_str().into()),
            ("not_before", self.not_before.0.to_string().into()),
            ("policy_seq", count(self.policy_seq)),
            ("signers", Value::List(self.signers.iter().map(signer).collect())),
            ("version", VERSION.into()),
        ]);
        if let (Value::Object(entries), Some(genesis)) = (&mut statement, self.genesis) {
            entries.insert("genesis".to_owned(), genesis.hex().into());
        }
        statement
    }

    /// Splits a statement into header and body.
    pub(crate) fn read(statement: &Value) -> Result<(Self, &Value), Refusal> {
        let mut fields = Fields::new(statement)?;
        let version = fields.int("version")?;
        if version != VERSION {
            return Err(JsonError::field("version", "is not 1").into());
        }
        let name = fields.text("kind")?;
        let kind = Kind::from_name(name).ok_or_else(|| Refusal::KindUnknown(name.to_owned()))?;
        let genesis = fields.optional_digest("genesis")?;
        if genesis.is_some() == (kind == Kind::Genesis) {
            return Err(JsonError::field("genesis", "stands in all kinds but genesis").into());
        }
        let header = Self {
            kind,
            nonce: nonce(fields.text("nonce")?)?,
            policy_seq: fields.uint("policy_seq")?,
            not_before: wall_ns("not_before", fields.text("not_before")?)?,
            expires: wall_ns("expires", fields.text("expires")?)?,
            signers: fields.list("signers")?.iter().map(signer).collect::<Result<_, _>>()?,
            genesis,
        };
        let body = fields.value("body")?;
        fields.finish()?;
        if header.expires <= header.not_before {
            return Err(JsonError::field("expires", "is not after not_before").into());
        }
        Ok((header, body))
    }
}

/// Reads nanoseconds since 1970 as the one decimal text they have. Also used by bodies.
pub(crate) fn wall_ns(key: &str, text: &str) -> Result<WallNs, JsonError> {
    match text.parse::<i64>() {
        // `parse` alone would accept a plus sign and zeros in front.
        Ok(ns) if ns >= 0 && ns.to_string() == text => Ok(WallNs(ns)),
        Ok(_) | Err(_) => Err(JsonError::field(key, "is not a count of nanoseconds as text")),
    }
}

fn nonce(text: &str) -> Result<String, JsonError> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() == 32 && text.bytes().all(hex) {
        Ok(text.to_owned())
    } else {
        Err(JsonError::field("nonce", "is not 32 lower-case hex digits"))
    }
}

fn signer(value: &Value) -> Result<Signer, JsonError> {
    let read = || {
        let mut fields = Fields::new(value)?;
        let role = Role::from_name(fields.text("role")?);
        let signer = Signer {
            person: fields.name("person")?,
            role: role.ok_or_else(|| JsonError::field("role", "is not a role"))?,
            key: fields.text("key")?.to_owned(),
        };
        fields.finish()?;
        Ok(signer)
    };
    read().map_err(|error: JsonError| error.within("signers"))
}
