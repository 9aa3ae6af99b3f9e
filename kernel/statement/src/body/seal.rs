//! The end of one session's evidence: the pack and the journal head that people vouch for.

use portcullis_domain::Name;

use super::{checkpoint_key, filled_text, hex, parsed};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, count, object};

/// How a session is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Classification {
    /// No finding.
    Green,
    /// Every finding is explained.
    Yellow,
    /// Something is unexplained.
    Red,
}

impl Classification {
    /// The name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// The classification of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Green, Self::Yellow, Self::Red].into_iter().find(|class| class.name() == name)
    }
}

/// Where a journal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The tree root over the entries.
    pub head: Digest,
    /// The key that signs its checkpoints.
    pub key: String,
    /// Which journal.
    pub origin: String,
    /// How many entries.
    pub size: u64,
}

/// What closes the evidence of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The judgement.
    pub classification: Classification,
    /// The journal at the end of the session.
    pub journal: JournalHead,
    /// The digest of the pack's manifest.
    pub manifest: Digest,
    /// The session.
    pub session: Name,
}

impl Seal {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let journal = object([
            ("head", hex(self.journal.head)),
            ("key", self.journal.key.as_str().into()),
            ("origin", self.journal.origin.as_str().into()),
            ("size", count(self.journal.size)),
        ]);
        object([
            ("classification", self.classification.name().into()),
            ("journal", journal),
            ("manifest", hex(self.manifest)),
            ("session", self.session.as_str().into()),
        ])
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let classification = parsed(&mut fields, "classification", Classification::from_name)?;
        let journal = fields.fields("journal")?;
        let journal = read_head(journal).map_err(|error| error.within("journal"))?;
        let manifest = fields.digest("manifest")?;
        let session = fields.name("session")?;
        fields.finish()?;
        Ok(Self { classification, journal, manifest, session })
    }
}

fn read_head(mut fields: Fields<'_>) -> Result<JournalHead, JsonError> {
    let head = JournalHead {
        head: fields.digest("head")?,
        key: checkpoint_key(&mut fields)?,
        origin: filled_text(&mut fields, "origin")?,
        size: fields.uint("size")?,
    };
    fields.finish()?;
    Ok(head)
}
