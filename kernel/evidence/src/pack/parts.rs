//! What a pack is made of, and what a part must not be.

use std::ops::Range;

use portcullis_domain::{Name, Phase, WallNs};
use portcullis_statement::SignedStatement;

use super::attested::Attested;
use crate::Digest;
use crate::chunk::Chunk;
use crate::disk::segment_name;
use crate::tree::TreeHasher;

/// The version of the layout; part of every manifest.
pub const PACK_VERSION: &str = "1";

/// The folder of the journal's segments in a pack.
pub const JOURNAL: &str = "journal/";

/// The list of everything that a pack holds.
pub const MANIFEST_FILE: &str = "manifest.json";
pub(super) const SUMS_FILE: &str = "SHA256SUMS";
pub(super) const STATEMENTS: &str = "statements/";
pub(super) const CHUNKS: &str = "chunks/";
pub(super) const PLUGINS: &str = "plugins/";
pub(super) const LOG: &str = "log/";
pub(super) const SEAL_FILE: &str = "statements/seal.json";

/// What people said about the session: the kernel's own entries of their notes, one a line.
pub const NOTES_FILE: &str = "notes.jsonl";

/// What is rendered for a session of any phase.
const ALWAYS: [&str; 9] = [
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
/// What comes with orders that a machine may release.
const FROM_BOUNDED: [&str; 2] = ["review.md", "boundaries.json"];
/// What comes with auto.
const FROM_MONITORED: [&str; 4] =
    ["auto_enablement.jsonl", "gate_checks.jsonl", "overrides.jsonl", "classification.json"];

/// The parts that are rendered for a session of that phase, in their order.
#[must_use]
pub fn derived_names(phase: Phase) -> Vec<&'static str> {
    let bounded = FROM_BOUNDED.into_iter().filter(|_| phase >= Phase::BoundedAuto);
    let monitored = FROM_MONITORED.into_iter().filter(|_| phase >= Phase::MonitoredAuto);
    ALWAYS.into_iter().chain(bounded).chain(monitored).collect()
}

/// The parts that the caller brings for that phase; a pack without one of them is not written.
#[must_use]
pub fn required_parts(phase: Phase) -> Vec<&'static str> {
    let mut names = derived_names(phase);
    names.push(NOTES_FILE);
    names
}

/// Everything that a manifest of this version says a pack of that phase must have.
pub(super) fn required(phase: Phase) -> Vec<&'static str> {
    let made = [MANIFEST_FILE, SUMS_FILE, STATEMENTS, JOURNAL, LOG, CHUNKS, PLUGINS];
    required_parts(phase).into_iter().chain(made).collect()
}

/// What a session's parts follow from.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its entries, a range that [`sessions`] found.
    pub session: &'a [&'a [u8]],
    /// The entries before it: what the kernel knew when the session was opened.
    pub before: &'a [&'a [u8]],
    /// Every note about it, those after its end too, as the kernel wrote them down.
    pub notes: &'a [&'a [u8]],
}

/// Where the packs of a phase lie in a home: `live_sessions` for what trades for real.
#[must_use]
pub fn sessions_folder(phase: Phase) -> String {
    let kind =
        if phase >= Phase::ManualLive { "live".to_owned() } else { phase.name().replace('-', "_") };
    format!("reports/{kind}_sessions")
}

/// The folder of a session's pack: `YYYYMMDD_HHMMSS_<session>`, the UTC time of its opening.
#[must_use]
pub fn folder_name(opened: WallNs, session: &Name) -> String {
    format!("{}_{session}", opened.folder_stamp())
}

/// The session of such a folder. A name may itself hold what stands between the parts.
#[must_use]
pub fn session_of_folder(name: &str) -> Option<&str> {
    let mut parts = name.splitn(3, '_');
    let digits = |text: Option<&str>, len: usize| {
        text.is_some_and(|text| text.len() == len && text.bytes().all(|b| b.is_ascii_digit()))
    };
    if !digits(parts.next(), 8) || !digits(parts.next(), 6) {
        return None;
    }
    parts.next().filter(|session| Name::new(session).is_some())
}

/// One file of a pack, by its name in [`required_parts`].
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
    /// Its entries in the journal, a range that [`sessions`] finds there.
    pub range: Range<usize>,
    /// The phase in which it ran.
    pub phase: Phase,
    /// The key that signs the checkpoints of the journal's epoch.
    pub key: String,
    /// What was signed of that journal, and how it goes back to the approval's.
    pub attested: Attested,
    /// Whether the clock or the venue was not a real one.
    pub simulated: bool,
    /// Exactly the parts of [`required_parts`], in any order.
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

    /// The parts that follow from entries, rendered again by that version of the renderer. A
    /// verifier compares them byte for byte. Without any, the verdict says that none were compared.
    ///
    /// # Errors
    /// Why the entries cannot be rendered.
    fn derived_parts(&self, version: i64, told: &Told<'_>) -> Result<Vec<Part>, String> {
        let _ = (version, told);
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

/// Every `<<…>>` of a Markdown part, which is a blank that nobody has filled in.
///
/// Other parts are made of entries, where such text can only be quoted from outside.
pub(super) fn blanks(name: &str, bytes: &[u8]) -> Vec<String> {
    if !has_ending(name, "md") {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    let blank = |line: &str| {
        let (_, after) = line.split_once("<<")?;
        let (blank, _) = after.split_once(">>")?;
        Some(blank.to_owned())
    };
    text.lines().filter_map(blank).collect()
}

/// The code of a blank: what is missing has a name.
pub(super) fn blank_code(blank: &str) -> &'static str {
    match blank.split_once(':').map(|(kind, _)| kind) {
        Some("gap") => "PACK_GAP_UNEXPLAINED",
        Some("lesson") => "PACK_LESSON_MISSING",
        Some("answer") => "PACK_ANSWER_MISSING",
        Some(_) | None => "PACK_PLACEHOLDER",
    }
}

/// The lines of a file of notes.
pub(super) fn note_lines(bytes: &[u8]) -> Vec<&[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    whole.split(|byte| *byte == b'\n').filter(|_| !bytes.is_empty()).collect()
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
            let found = blanks(name, text.as_bytes());
            assert_eq!(found.first().map(String::as_str), expect, "{text}");
        };
        check("lessons.md", "# Lessons\n<<what went well>>\n", Some("what went well"));
        check("lessons.md", "a << b\nc >> d", None);
        check("lessons.md", "nothing", None);
        check("alerts.jsonl", "{\"text\":\"<<x>>\"}", None);
    }

    /// X14: the path of a pack, and back.
    #[test]
    fn x14_a_pack_lies_where_its_phase_time_and_session_say() {
        let folders = Phase::ALL.map(sessions_folder);
        let expect =
            ["foundation", "shadow", "paper", "bounded_auto", "pre_live", "live", "live", "live"];
        assert_eq!(folders.to_vec(), expect.map(|kind| format!("reports/{kind}_sessions")));
        let session = Name::new("s_1-a").unwrap();
        let name = folder_name(WallNs(1_800_000_000_000_000_000), &session);
        assert_eq!(name, "20270115_080000_s_1-a");
        assert_eq!(session_of_folder(&name), Some("s_1-a"));
        for other in
            ["drafts", "2027011_080000_s", "20270115_08000x_s", "20270115_080000_", "a_b_c"]
        {
            assert_eq!(session_of_folder(other), None, "{other}");
        }
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
