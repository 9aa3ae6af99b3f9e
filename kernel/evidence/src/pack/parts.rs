//! What a pack is made of, and what a part must not be.

use std::ops::Range;

use portcullis_domain::{Name, Phase};
use portcullis_statement::SignedStatement;

use crate::Digest;
use crate::chunk::Chunk;
use crate::disk::segment_name;
use crate::tree::TreeHasher;

/// The version of the layout; part of every manifest.
pub const PACK_VERSION: &str = "0.1";

/// The folder of the journal's segments in a pack.
pub const JOURNAL: &str = "journal/";

/// The list of everything that a pack holds.
pub const MANIFEST_FILE: &str = "manifest.json";
pub(super) const SUMS_FILE: &str = "SHA256SUMS";
pub(super) const STATEMENTS: &str = "statements/";
pub(super) const CHUNKS: &str = "chunks/";
pub(super) const PLUGINS: &str = "plugins/";
pub(super) const SEAL_FILE: &str = "statements/seal.json";

/// The parts that the caller brings; a pack without one of them is not written.
pub const REQUIRED_PARTS: [&str; 9] = [
    "runlog.md",
    "checklist.md",
    "executions.jsonl",
    "recon.json",
    "recon.md",
    "metrics.json",
    "alerts.jsonl",
    "incidents.jsonl",
    "lessons.md",
];

/// Everything that a manifest of this version says a pack must have.
pub(super) fn required() -> Vec<&'static str> {
    let made = [MANIFEST_FILE, SUMS_FILE, STATEMENTS, JOURNAL, CHUNKS, PLUGINS];
    REQUIRED_PARTS.into_iter().chain(made).collect()
}

/// One file of a pack, by its name in [`REQUIRED_PARTS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Everything that goes into a pack.
#[derive(Clone, Debug)]
pub struct PackContents {
    /// The session.
    pub session: Name,
    /// The phase in which it ran.
    pub phase: Phase,
    /// The key that signs the checkpoints of the journal's epoch.
    pub key: String,
    /// Whether the clock or the venue was not a real one.
    pub simulated: bool,
    /// Exactly the parts of [`REQUIRED_PARTS`], in any order.
    pub parts: Vec<Part>,
    /// Genesis, approval and whatever else was signed, in the order in which it took effect.
    pub statements: Vec<SignedStatement>,
    /// The journal's segments, in order; the last may end with its last group.
    pub journal: Vec<Vec<u8>>,
    /// The chunks that a replay needs.
    pub chunks: Vec<Chunk>,
    /// The components that the approval names, for a replay to run again.
    pub components: Vec<Vec<u8>>,
}

/// What the journal's entries mean, as far as a pack must know. Whoever writes the entries says.
pub trait SessionLeaves {
    /// The bytes of `entry` that every replay on every host repeats; `None` for an entry that
    /// tells only of this host.
    fn session_leaf(&self, entry: &[u8]) -> Option<Vec<u8>>;

    /// Whether `entry` opens a session.
    fn is_open_session(&self, entry: &[u8]) -> bool;

    /// Whether `entry` closes the open session.
    fn is_close_session(&self, entry: &[u8]) -> bool;

    /// The parts that follow from the session's entries and from those `before` it, rendered
    /// again. A verifier compares them byte for byte. Without any, the verdict says that none were
    /// compared.
    ///
    /// # Errors
    /// Why the entries cannot be rendered.
    fn derived_parts(
        &self,
        session_entries: &[&[u8]],
        before: &[&[u8]],
    ) -> Result<Vec<Part>, String> {
        let _ = (session_entries, before);
        Ok(Vec::new())
    }
}

/// The ranges of entries from an opening to its closing, both included.
#[must_use]
pub fn sessions(entries: &[&[u8]], leaves: &dyn SessionLeaves) -> Vec<Range<usize>> {
    let (mut ranges, mut opened) = (Vec::new(), None);
    for (index, entry) in entries.iter().enumerate() {
        if leaves.is_open_session(entry) {
            opened = Some(index);
        } else if leaves.is_close_session(entry)
            && let Some(start) = opened.take()
        {
            ranges.push(start..index.saturating_add(1));
        }
    }
    ranges
}

/// The tree root over the leaves of a session's entries.
#[must_use]
pub fn session_root(entries: &[&[u8]], leaves: &dyn SessionLeaves) -> Digest {
    let mut tree = TreeHasher::new();
    for leaf in entries.iter().filter_map(|entry| leaves.session_leaf(entry)) {
        tree.push(&leaf);
    }
    tree.root()
}

/// The first `<<…>>` of a Markdown part, which is a blank that nobody has filled in.
///
/// Other parts are made of entries, where such text can only be quoted from outside.
pub(super) fn unfilled_placeholder(part: &Part) -> Option<String> {
    if !has_ending(&part.name, "md") {
        return None;
    }
    let text = String::from_utf8_lossy(&part.bytes);
    text.lines().find_map(|line| {
        let (_, after) = line.split_once("<<")?;
        let (blank, _) = after.split_once(">>")?;
        Some(blank.to_owned())
    })
}

/// Whether a file's name ends in `.ending`, as spelt here.
pub(super) fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == ending)
}

/// Where a segment of the journal, counted from 1, lies in a pack.
pub(super) fn segment_file(segment: u32) -> String {
    format!("{JOURNAL}{}", segment_name(segment))
}

/// Where a chunk lies in a pack.
#[must_use]
pub fn chunk_file(digest: Digest) -> String {
    format!("{CHUNKS}{}.gz", digest.hex())
}

/// Where the component of a plugin lies in a pack.
#[must_use]
pub fn component_file(component: Digest) -> String {
    format!("{PLUGINS}{}.wasm", component.hex())
}

/// The address in a chunk's file name.
#[must_use]
pub fn chunk_digest(file: &str) -> Option<Digest> {
    Digest::from_hex(file.strip_prefix(CHUNKS)?.strip_suffix(".gz")?)
}

/// Where the `number`-th signature (from 1) of a statement file lies.
pub(super) fn signature_file(statement_file: &str, number: usize) -> String {
    format!("{statement_file}.{number}.sig")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_found_in_what_people_write_only() {
        let check = |name: &str, text: &str, expect: Option<&str>| {
            let part = Part { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
            assert_eq!(unfilled_placeholder(&part).as_deref(), expect, "{text}");
        };
        check("lessons.md", "# Lessons\n<<what went well>>\n", Some("what went well"));
        check("lessons.md", "a << b\nc >> d", None);
        check("lessons.md", "nothing", None);
        check("alerts.jsonl", "{\"text\":\"<<x>>\"}", None);
    }

    struct Letters;
    impl SessionLeaves for Letters {
        fn session_leaf(&self, entry: &[u8]) -> Option<Vec<u8>> {
            (entry != b"h").then(|| entry.to_vec())
        }
        fn is_open_session(&self, entry: &[u8]) -> bool {
            entry == b"("
        }
        fn is_close_session(&self, entry: &[u8]) -> bool {
            entry == b")"
        }
    }

    #[test]
    fn sessions_are_found_and_host_entries_do_not_count() {
        let entries: Vec<&[u8]> = "x)(ah)((b)(".as_bytes().chunks(1).collect();
        assert_eq!(sessions(&entries, &Letters), [2..6, 7..10]);
        let with_host = session_root(&entries[2..6], &Letters);
        let without: [&[u8]; 3] = [b"(", b"a", b")"];
        assert_eq!(with_host, session_root(&without, &Letters));
        assert_ne!(with_host, session_root(&entries[7..10], &Letters));
    }
}
