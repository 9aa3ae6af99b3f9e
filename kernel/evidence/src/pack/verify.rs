//! Looking at a pack without believing it.
//!
//! Every step is carried out as far as it can be, so that one damage does not hide another, and
//! each says what it found. The pack's own keys prove only that it is consistent; where it comes
//! from is proved by the genesis that the verifier brings along.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_domain::Name;
use portcullis_statement::{Classification, Digest};

use super::attested::{CHECKPOINT_FILE, check_checkpoint, check_names, check_witnesses};
use super::bindings::{Believed, SIGNATURES_MAX, STATEMENT_BYTES_MAX, believe, check_seal};
use super::folder::{Finding, Folder, PackJournal};
use super::lineage::Lineage;
use super::manifest::Manifest;
use super::parts::{
    CHUNKS, JOURNAL, MANIFEST_FILE, NOTES_FILE, SEAL_FILE, STATEMENTS, SUMS_FILE, SessionLeaves,
    Told, blank_code, blanks, chunk_digest, note_lines, required_parts, segment_file, session_root,
    sessions, signature_file,
};
use crate::bytes::len_u64;
use crate::chunk::{CHUNK_BYTES_MAX, read_chunk};
use crate::journal::{self, ReadFault, Recovered};
use crate::note::NOTE_BYTES_MAX;

/// Longest manifest and sums in bytes.
const LISTING_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longest of any other file in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What a verification comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything holds, back to the pinned genesis.
    Ok,
    /// Everything holds together, and nobody said whose genesis to trust. No success.
    SelfConsistentOriginUnproven,
    /// The first thing that does not hold; the steps name all.
    Damaged(Finding),
}

/// What one step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It holds; how much was looked at, safe for a terminal.
    Passed(String),
    /// It does not hold.
    Failed(Finding),
    /// An earlier failure left nothing to look at, or there is nothing to compare with.
    NotChecked(&'static str),
}

/// One step, in the order in which they are carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// What it found.
    pub result: StepResult,
}

/// All that a verification found. Every text in it is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it comes to.
    pub outcome: Outcome,
    /// Step by step.
    pub steps: Vec<Step>,
    /// The session that the manifest names.
    pub session: Option<Name>,
    /// Whether the pack itself says that clock or venue were not real. To be shown first.
    pub simulated: Option<bool>,
    /// How the seal's signers judged the session.
    pub classification: Option<Classification>,
}

/// Verifies the pack at `root`. `pin` is the digest of the genesis that the verifier trusts, from
/// outside the pack.
#[must_use]
pub fn verify(root: &Path, pin: Option<Digest>, leaves: &dyn SessionLeaves) -> Verdict {
    let mut steps = Steps::default();
    let folder = steps.run("structure", Folder::open(root), |folder| {
        let rendered = if folder.has_renderings { "; renderings/ not looked into" } else { "" };
        format!("{} files{rendered}", folder.names().count())
    });
    let manifest = folder.as_ref().and_then(|folder| {
        steps.run("manifest", read_manifest(folder), |(manifest, _)| {
            format!("session {}, {} files", manifest.session, manifest.files.len())
        })
    });
    let journal = folder.as_ref().and_then(|folder| {
        steps.run("journal files", PackJournal::new(folder), |journal| {
            format!("{} segments", journal.segments())
        })
    });
    let recovered = journal.and_then(|journal| {
        let checked = read_journal(journal, manifest.as_ref().map(|(manifest, _)| manifest));
        steps.run("journal root", checked, |recovered| {
            let head = recovered.end.head;
            format!("{} entries, root {}", head.size, head.root)
        })
    });
    let mut classification = None;
    if let (Some(folder), Some((manifest, digest))) = (&folder, &manifest) {
        steps.run("files", check_files(folder, manifest), |bytes| format!("{bytes} bytes"));
        steps.run("chunks", check_chunks(folder), |count| format!("{count} chunks"));
        let believed = steps.run("statements", believe(folder, pin), |believed| {
            format!("{} under genesis {}", believed.count, believed.trust.fingerprint())
        });
        let lineage = steps.run("lineage", read_lineage(folder), |lineage| {
            format!("{} epochs back to the approval", lineage.ancestors.len())
        });
        if let Some(recovered) = &recovered {
            let end = check_session(&mut steps, folder, (manifest, recovered), leaves);
            if let Some(end) = end {
                check_attested(&mut steps, folder, (manifest, recovered, end), believed.as_ref());
            }
            if let (Some(believed), Some(lineage)) = (&believed, &lineage) {
                let approval = believed.check_approval(manifest, (recovered, lineage));
                steps.run("approval", approval, |()| format!("of {}", manifest.session));
            }
        }
        if let Some(believed) = &believed {
            let seal = check_seal(folder, &believed.trust, (manifest, *digest));
            let seal = steps.run("seal", seal, |seal| format!("{:?}", seal.classification));
            classification = seal.map(|seal| seal.classification);
        }
    }
    let manifest = manifest.map(|(manifest, _)| manifest);
    Verdict {
        outcome: steps.outcome(pin.is_some()),
        steps: steps.done,
        session: manifest.as_ref().map(|manifest| manifest.session.clone()),
        simulated: manifest.map(|manifest| manifest.simulated),
        classification,
    }
}

/// Every step that [`verify`] must have passed for a pack to hold.
const STEPS: [&str; 14] = [
    "structure",
    "manifest",
    "journal files",
    "journal root",
    "files",
    "chunks",
    "statements",
    "lineage",
    "session root",
    "complete",
    "checkpoint",
    "witnesses",
    "approval",
    "seal",
];

#[derive(Default)]
struct Steps {
    done: Vec<Step>,
}

impl Steps {
    /// Notes what a step found and hands on what it made.
    fn run<T>(
        &mut self,
        name: &'static str,
        found: Result<T, Finding>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (result, made) = match found {
            Ok(made) => (StepResult::Passed(detail(&made)), Some(made)),
            Err(finding) => (StepResult::Failed(finding), None),
        };
        self.done.push(Step { name, result });
        made
    }

    /// The outcome; and every step that was never reached is named as such.
    fn outcome(&mut self, pinned: bool) -> Outcome {
        let reached: BTreeSet<_> = self.done.iter().map(|step| step.name).collect();
        let reason = "an earlier step left nothing to look at";
        for name in STEPS.into_iter().filter(|name| !reached.contains(name)) {
            self.done.push(Step { name, result: StepResult::NotChecked(reason) });
        }
        let failed = self.done.iter().find_map(|step| match &step.result {
            StepResult::Failed(finding) => Some(finding.clone()),
            StepResult::Passed(_) | StepResult::NotChecked(_) => None,
        });
        let passed = |name: &str| {
            let mut steps = self.done.iter();
            steps.any(|step| step.name == name && matches!(step.result, StepResult::Passed(_)))
        };
        match failed {
            Some(finding) => Outcome::Damaged(finding),
            None if !STEPS.iter().all(|name| passed(name)) => {
                Outcome::Damaged(Finding::new("PACK_UNCHECKED", ".", "a step was not carried out"))
            }
            None if pinned => Outcome::Ok,
            None => Outcome::SelfConsistentOriginUnproven,
        }
    }
}

fn read_manifest(folder: &Folder) -> Result<(Manifest, Digest), Finding> {
    let bytes = folder.read(MANIFEST_FILE, LISTING_BYTES_MAX)?;
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| Finding::new("PACK_MANIFEST", MANIFEST_FILE, &error.to_string()))?;
    let parts = required_parts(manifest.phase).into_iter().map(str::to_owned);
    for needed in parts.chain([segment_file(1), CHECKPOINT_FILE.to_owned()]) {
        if !manifest.files.contains_key(&needed) {
            return Err(Finding::new("PACK_MANIFEST", &needed, "required and not listed"));
        }
    }
    Ok((manifest, Digest::of(&bytes)))
}

fn read_journal(
    journal: PackJournal<'_>,
    manifest: Option<&Manifest>,
) -> Result<Recovered, Finding> {
    let place = |segment, entry| format!("{} entry {entry}", segment_file(segment));
    let recovered = journal::read(journal).map_err(|fault| {
        let place = match &fault {
            ReadFault::Damage(damage) => place(damage.segment, damage.entry),
            ReadFault::Disk(_) => JOURNAL.to_owned(),
        };
        Finding::new(fault.code(), &place, &fault.to_string())
    })?;
    let end = &recovered.end;
    if end.torn_bytes > 0 {
        let place = place(end.segment, end.head.size);
        return Err(Finding::new("JOURNAL_TRUNCATED", &place, "the last group is torn"));
    }
    if let Some(manifest) = manifest
        && (end.origin != manifest.origin || end.head != manifest.journal)
    {
        let reason = "not the journal of the manifest: another origin, length or root";
        return Err(Finding::new("JOURNAL_DAMAGED", JOURNAL, reason));
    }
    Ok(recovered)
}

/// Every listed file is there, whole and unaltered, and nothing else is.
fn check_files(folder: &Folder, manifest: &Manifest) -> Result<u64, Finding> {
    let sums = folder.read(SUMS_FILE, LISTING_BYTES_MAX)?;
    let expected = manifest.sums_text();
    if sums != expected.as_bytes() {
        let own = format!("{}  {MANIFEST_FILE}", Digest::of(&manifest.to_bytes()));
        if !sums.split(|byte| *byte == b'\n').any(|line| line == own.as_bytes()) {
            // Either may be the altered one; the seal, which binds the manifest, decides.
            let reason = format!("{SUMS_FILE} lists another {MANIFEST_FILE}");
            return Err(Finding::new("PACK_SUMS", MANIFEST_FILE, &reason));
        }
        let mut lines = sums.split(|byte| *byte == b'\n').zip(expected.split('\n')).zip(1_u32..);
        let line = lines.find(|((found, expected), _)| *found != expected.as_bytes());
        let line = line.map_or(0, |(_, number)| number);
        let reason = format!("line {line} does not follow from the manifest");
        return Err(Finding::new("PACK_SUMS", SUMS_FILE, &reason));
    }
    let own = [MANIFEST_FILE, SUMS_FILE];
    // Exactly those signatures of the seal that are looked at.
    let signatures = (1..=SIGNATURES_MAX).map(|number| signature_file(SEAL_FILE, number));
    let signatures: BTreeSet<String> = signatures.take_while(|name| folder.has(name)).collect();
    let is_seal = |name: &str| name == SEAL_FILE || signatures.contains(name);
    let listed = |name: &str| manifest.files.contains_key(name);
    if let Some(name) =
        folder.names().find(|name| !listed(name) && !own.contains(name) && !is_seal(name))
    {
        return Err(Finding::new("PACK_FILE_UNLISTED", name, "the manifest does not list it"));
    }
    let mut total: u64 = 0;
    for (name, entry) in &manifest.files {
        let cap = if name.starts_with(STATEMENTS) { STATEMENT_BYTES_MAX } else { FILE_BYTES_MAX };
        let bytes = folder.read(name, entry.bytes.min(cap))?;
        if len_u64(bytes.len()) != entry.bytes || Digest::of(&bytes) != entry.digest {
            return Err(Finding::new("PACK_FILE_ALTERED", name, "not what the manifest lists"));
        }
        total = total.saturating_add(entry.bytes);
    }
    Ok(total)
}

/// Every chunk holds what its name says.
fn check_chunks(folder: &Folder) -> Result<u32, Finding> {
    let mut count: u32 = 0;
    for name in folder.names().filter(|name| name.starts_with(CHUNKS)) {
        let Some(digest) = chunk_digest(name) else {
            return Err(Finding::new("PACK_STRUCTURE", name, "not the name of a chunk"));
        };
        let file = folder.read(name, len_u64(CHUNK_BYTES_MAX))?;
        read_chunk(&file, digest)
            .map_err(|fault| Finding::new(fault.code(), name, &fault.to_string()))?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// The epochs before the pack's own, and nothing beside them in `log/`.
fn read_lineage(folder: &Folder) -> Result<Lineage, Finding> {
    let lineage = Lineage::read(folder)?;
    check_names(folder, &lineage)?;
    Ok(lineage)
}

/// Who signed that the journal went as far as the session.
fn check_attested(
    steps: &mut Steps,
    folder: &Folder,
    (manifest, recovered, end): (&Manifest, &Recovered, u64),
    believed: Option<&Believed>,
) {
    let checkpoint = folder
        .read(CHECKPOINT_FILE, len_u64(NOTE_BYTES_MAX))
        .and_then(|bytes| check_checkpoint(&bytes, &manifest.key, (recovered, end)));
    steps
        .run("checkpoint", checkpoint, |it| format!("{} entries signed by {}", it.size, it.origin));
    if let Some(believed) = believed {
        let witnesses = believed.trust.roster().witnesses();
        let seen = check_witnesses(folder, witnesses, (recovered, end));
        steps.run("witnesses", seen, String::clone);
    }
}

/// The session root and the derived parts follow from the entries. How many entries there are up to
/// the session's end, if it is found.
fn check_session(
    steps: &mut Steps,
    folder: &Folder,
    (manifest, recovered): (&Manifest, &Recovered),
    leaves: &dyn SessionLeaves,
) -> Option<u64> {
    let entries = recovered.slices();
    let ranges = sessions(&entries, leaves);
    let found = ranges.iter().filter_map(|range| {
        let (before, _) = entries.split_at_checked(range.start)?;
        Some((entries.get(range.clone())?, before))
    });
    let mut found =
        found.filter(|(entries, _)| session_root(entries, leaves) == manifest.session_root);
    let session = found.next().ok_or_else(|| {
        let reason = format!("none of the journal's {} sessions has this root", ranges.len());
        Finding::new("PACK_SESSION_ROOT", MANIFEST_FILE, &reason)
    });
    let session = steps.run("session root", session, |(entries, _)| {
        format!("{} over {} entries", manifest.session_root, entries.len())
    });
    let session = session?;
    steps.run("complete", check_complete(folder, manifest), |count| format!("{count} parts"));
    match compare_derived(folder, manifest, session, leaves) {
        Ok(0) => steps.done.push(Step {
            name: "derived parts",
            result: StepResult::NotChecked("no renderer of this pack's parts was given"),
        }),
        compared => {
            steps.run("derived parts", compared, |count| format!("{count} rendered again"));
        }
    }
    let (session, before) = session;
    Some(len_u64(session.len()).saturating_add(len_u64(before.len())))
}

/// No part has a blank left, and the notes are as many as the seal counts.
fn check_complete(folder: &Folder, manifest: &Manifest) -> Result<usize, Finding> {
    let required = required_parts(manifest.phase);
    for name in &required {
        let bytes = folder.read(name, FILE_BYTES_MAX)?;
        if let Some(blank) = blanks(name, &bytes).first() {
            let reason = format!("not filled in: {blank}");
            return Err(Finding::new(blank_code(blank), name, &reason));
        }
        if *name == NOTES_FILE && len_u64(note_lines(&bytes).len()) != manifest.notes {
            return Err(Finding::new("PACK_NOTES", name, "not as many as the manifest says"));
        }
    }
    Ok(required.len())
}

fn compare_derived(
    folder: &Folder,
    manifest: &Manifest,
    (entries, before): (&[&[u8]], &[&[u8]]),
    leaves: &dyn SessionLeaves,
) -> Result<usize, Finding> {
    let notes = folder.read(NOTES_FILE, FILE_BYTES_MAX)?;
    let told = Told { session: entries, before, notes: &note_lines(&notes) };
    let parts = leaves
        .derived_parts(manifest.renderer, &told)
        .map_err(|reason| Finding::new("PACK_DERIVED", JOURNAL, &reason))?;
    for part in &parts {
        let bytes = folder.read(&part.name, FILE_BYTES_MAX)?;
        if bytes != part.bytes {
            let reason = "not what the session's entries give";
            return Err(Finding::new("PACK_DERIVED", &part.name, reason));
        }
    }
    Ok(parts.len())
}
