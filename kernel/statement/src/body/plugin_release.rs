//! A plugin as people let it in: what its bytes are and what they can do.

use portcullis_domain::{Name, Phase};

use super::{filled_text, hex, text_list, texts};
use crate::Digest;
use crate::json::{Fields, JsonError, Value, count, object};

/// One release of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginRelease {
    /// Who wrote it. This person signs as author and never has the second word.
    pub author: Name,
    /// The digest of the component's bytes.
    pub component: Digest,
    /// What the component exports, as admission derived it from the bytes.
    pub exports: Vec<String>,
    /// What the component imports, as admission derived it from the bytes.
    pub imports: Vec<String>,
    /// Most linear memory that it may have, in bytes.
    pub memory_bytes_max: u64,
    /// The highest phase in which it may run.
    pub phase_max: Phase,
    /// The plugin's name.
    pub plugin: Name,
    /// Counts the releases of this plugin.
    pub release_seq: u64,
    /// The world it is built for, such as `portcullis:strategy@0.9.0`.
    pub world: String,
}

impl PluginRelease {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        object([
            ("author", self.author.as_str().into()),
            ("component", hex(self.component)),
            ("exports", text_list(&self.exports)),
            ("imports", text_list(&self.imports)),
            ("memory_bytes_max", count(self.memory_bytes_max)),
            ("phase_max", i64::from(self.phase_max.number()).into()),
            ("plugin", self.plugin.as_str().into()),
            ("release_seq", count(self.release_seq)),
            ("world", self.world.as_str().into()),
        ])
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let release = Self {
            author: fields.name("author")?,
            component: fields.digest("component")?,
            exports: texts(&mut fields, "exports")?,
            imports: texts(&mut fields, "imports")?,
            memory_bytes_max: fields.uint("memory_bytes_max")?,
            phase_max: read_phase(&mut fields, "phase_max")?,
            plugin: fields.name("plugin")?,
            release_seq: fields.uint("release_seq")?,
            world: filled_text(&mut fields, "world")?,
        };
        fields.finish()?;
        if release.memory_bytes_max == 0 {
            return Err(JsonError::field("memory_bytes_max", "is zero"));
        }
        Ok(release)
    }
}

pub(super) fn read_phase(fields: &mut Fields<'_>, key: &str) -> Result<Phase, JsonError> {
    let number = u8::try_from(fields.uint(key)?).ok();
    number.and_then(Phase::from_number).ok_or_else(|| JsonError::field(key, "is not 0 to 7"))
}
