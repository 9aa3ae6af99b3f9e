//! The manifest: what a pack is, what it holds, and nothing that cannot be checked.

use std::collections::BTreeMap;

use portcullis_domain::{Name, Phase};
use portcullis_statement::json::{self, Fields, JsonError, Value, count, object};

use super::parts::{MANIFEST_FILE, PACK_VERSION, required};
use crate::journal::Head;
use crate::{Digest, journal};

/// Digest and size of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
}

/// What `manifest.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The session.
    pub session: Name,
    /// The phase in which it ran.
    pub phase: Phase,
    /// The journal's name.
    pub origin: String,
    /// The key that signs the checkpoints of the journal's epoch.
    pub key: String,
    /// How far the journal in the pack goes.
    pub journal: Head,
    /// RFC 6962 root over the session's entries.
    pub session_root: Digest,
    /// Whether the clock or the venue was not a real one.
    pub simulated: bool,
    /// Every file but the manifest, the sums and the seal.
    pub files: BTreeMap<String, FileEntry>,
}

impl Manifest {
    /// Canonical JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let file = |(name, entry): (&String, &FileEntry)| {
            let sha256 = entry.digest.hex().into();
            (name.clone(), object([("bytes", count(entry.bytes)), ("sha256", sha256)]))
        };
        let head = self.journal.root.hex().into();
        let journal = object([("head", head), ("size", count(self.journal.size))]);
        object([
            ("files", Value::Object(self.files.iter().map(file).collect())),
            ("journal", journal),
            ("key", self.key.as_str().into()),
            ("origin", self.origin.as_str().into()),
            ("pack_version", PACK_VERSION.into()),
            ("phase", i64::from(self.phase.number()).into()),
            ("requires", Value::List(required().into_iter().map(Value::from).collect())),
            ("session", self.session.as_str().into()),
            ("session_root", self.session_root.hex().into()),
            ("simulated", self.simulated.into()),
        ])
        .canonical()
    }

    /// Reads what [`Manifest::to_bytes`] writes and nothing else.
    ///
    /// # Errors
    /// Anything that is not canonical, not of this version, or not of these keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let value = json::parse_canonical(bytes)?;
        let mut fields = Fields::new(&value)?;
        if fields.text("pack_version")? != PACK_VERSION {
            return Err(JsonError::field("pack_version", "is not 0.1"));
        }
        let requires: Vec<Value> = required().into_iter().map(Value::from).collect();
        if fields.list("requires")? != requires {
            return Err(JsonError::field("requires", "is not the list of this version"));
        }
        let phase = u8::try_from(fields.uint("phase")?).ok().and_then(Phase::from_number);
        let origin = fields.text("origin")?;
        if !journal::is_origin(origin) {
            return Err(JsonError::field("origin", "is not an origin"));
        }
        let manifest = Self {
            session: fields.name("session")?,
            phase: phase.ok_or_else(|| JsonError::field("phase", "is not a phase"))?,
            origin: origin.to_owned(),
            key: fields.text("key")?.to_owned(),
            journal: read_head(fields.fields("journal")?)?,
            session_root: fields.digest("session_root")?,
            simulated: fields.bool("simulated")?,
            files: read_files(fields.object("files")?)?,
        };
        fields.finish()?;
        Ok(manifest)
    }

    /// What `SHA256SUMS` must say, byte for byte, for `sha256sum -c` to check the pack.
    #[must_use]
    pub fn sums_text(&self) -> String {
        let own = Digest::of(&self.to_bytes());
        let listed = self.files.iter().map(|(name, entry)| (name.as_str(), entry.digest));
        let all: BTreeMap<&str, Digest> = listed.chain([(MANIFEST_FILE, own)]).collect();
        let line = |text: String, (name, digest): (&str, Digest)| {
            text + &digest.hex() + "  " + name + "\n"
        };
        all.into_iter().fold(String::new(), line)
    }
}

fn read_head(mut fields: Fields<'_>) -> Result<Head, JsonError> {
    let head = Head { size: fields.uint("size")?, root: fields.digest("head")? };
    fields.finish()?;
    Ok(head)
}

fn read_files(files: &BTreeMap<String, Value>) -> Result<BTreeMap<String, FileEntry>, JsonError> {
    let entry = |(name, value): (&String, &Value)| {
        let mut fields = Fields::new(value)?;
        let entry = FileEntry { digest: fields.digest("sha256")?, bytes: fields.uint("bytes")? };
        fields.finish()?;
        Ok((name.clone(), entry))
    };
    files.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let entry = FileEntry { digest: Digest::of(b"x"), bytes: 1 };
        Manifest {
            session: Name::new("s1").unwrap(),
            phase: Phase::Paper,
            origin: "test".to_owned(),
            key: "test+key".to_owned(),
            journal: Head { size: 3, root: Digest::of(b"head") },
            session_root: Digest::of(b"root"),
            simulated: true,
            files: [("zebra.md".to_owned(), entry), ("a.md".to_owned(), entry)].into(),
        }
    }

    #[test]
    fn a_manifest_reads_back_and_other_spellings_do_not() {
        let bytes = sample().to_bytes();
        assert_eq!(Manifest::parse(&bytes), Ok(sample()));
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            ("\"0.1\"", "\"0.2\""),
            ("\"runlog.md\",", ""),
            ("\"phase\":2", "\"phase\":8"),
            ("\"simulated\":true", "\"simulated\":1"),
            ("\"session\":\"s1\"", "\"session\":\"../s1\""),
            ("{\"files\"", "{\"extra\":1,\"files\""),
            ("{\"files\"", "{ \"files\""),
            ("\"size\":3", "\"size\":-3"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(Manifest::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn the_sums_are_sorted_and_include_the_manifest() {
        let text = sample().sums_text();
        let names: Vec<_> = text.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        assert_eq!(names, ["a.md", "manifest.json", "zebra.md"]);
    }
}
