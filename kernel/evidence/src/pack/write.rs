//! Writing a pack: whole or not at all, and sealing it afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use portcullis_statement::{Envelope, Kind, Refusal, SignedStatement};

use super::attested::check_checkpoint;
use super::bindings::contradicts_simulation;
use super::folder::Finding;
use super::manifest::{FileEntry, Manifest};
use super::parts::{
    MANIFEST_FILE, NOTES_FILE, PackContents, SEAL_FILE, STATEMENTS, SUMS_FILE, SessionLeaves,
    blank_code, blanks, chunk_file, component_file, note_lines, required_parts, segment_file,
    session_root, sessions, signature_file,
};
use super::render::RENDERER_VERSION;
use crate::Digest;
use crate::bytes::len_u64;
use crate::disk::sync_parent;
use crate::journal::{self, Head, ReadFault};

/// Why a pack is not written or sealed. Nothing is left behind.
#[derive(Debug)]
pub enum PackFault {
    /// A required part, genesis or approval is missing.
    Missing(String),
    /// A part is there that no pack has, or twice.
    Unexpected(String),
    /// Blanks that nobody has filled in, part by part. The first one gives the code.
    Blank(Vec<(String, String)>),
    /// The journal cannot be read.
    Journal(ReadFault),
    /// The journal ends in a torn group.
    JournalTorn {
        /// Bytes after the last whole group.
        bytes: u64,
    },
    /// The journal has no session that is opened and closed.
    SessionNotClosed,
    /// The checkpoint is not of this journal, or not of the whole session.
    Checkpoint(Finding),
    /// A statement cannot be read, or is no seal.
    Statement(Refusal),
    /// The contents say that it was real, the statements that it was not.
    Simulated,
    /// The seal speaks of another manifest.
    SealElsewhere,
    /// There is something at the target already.
    Exists(PathBuf),
    /// The file system failed.
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl PackFault {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "PACK_PART_MISSING",
            Self::Unexpected(_) => "PACK_PART_UNEXPECTED",
            Self::Blank(blanks) => match blanks.as_slice() {
                [(_, blank), ..] => blank_code(blank),
                [] => "PACK_PLACEHOLDER",
            },
            Self::Journal(fault) => fault.code(),
            Self::JournalTorn { .. } => "JOURNAL_TRUNCATED",
            Self::SessionNotClosed => "PACK_SESSION_OPEN",
            Self::Checkpoint(finding) => finding.code,
            Self::Statement(refusal) => refusal.code(),
            Self::Simulated => "PACK_SIMULATED",
            Self::SealElsewhere => "PACK_SEAL_ELSEWHERE",
            Self::Exists(_) => "PACK_EXISTS",
            Self::Io { .. } => "EVIDENCE_UNWRITABLE",
        }
    }
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Missing(what) => write!(f, "{what} is missing"),
            Self::Unexpected(what) => write!(f, "{what} has no place in a pack"),
            Self::Blank(blanks) => {
                let open = blanks.iter().map(|(part, blank)| format!("{part}: {blank}"));
                write!(f, "not filled in: {}", open.collect::<Vec<_>>().join("; "))
            }
            Self::Journal(fault) => fault.fmt(f),
            Self::JournalTorn { bytes } => write!(f, "{bytes} bytes after the last whole group"),
            Self::SessionNotClosed => f.write_str("no session in the journal is closed"),
            Self::Checkpoint(finding) => write!(f, "{}: {}", finding.place, finding.reason),
            Self::Statement(refusal) => f.write_str(&refusal.cause()),
            Self::Simulated => f.write_str("statements of a simulation in a pack that denies it"),
            Self::SealElsewhere => f.write_str("the seal binds another manifest"),
            Self::Exists(path) => write!(f, "{} exists; nothing is replaced", path.display()),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for PackFault {}

/// What was written; the seal is drafted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenPack {
    /// SHA-256 of `manifest.json`.
    pub manifest: Digest,
    /// How far the journal in the pack goes.
    pub journal: Head,
    /// Root over the session's entries.
    pub session_root: Digest,
}

/// Writes a pack into the folder `target`, which must not exist; its parent must.
///
/// Everything is written and synced
/// beside the target first and then given its name in one step.
///
/// # Errors
/// See [`PackFault`].
pub fn write_pack(
    target: &Path,
    contents: &PackContents,
    leaves: &dyn SessionLeaves,
) -> Result<WrittenPack, PackFault> {
    let log = contents.attested.files();
    let files = collect(contents, &log)?;
    let recovered = journal::read(contents.journal.as_slice()).map_err(PackFault::Journal)?;
    let end = &recovered.end;
    if end.torn_bytes > 0 {
        return Err(PackFault::JournalTorn { bytes: end.torn_bytes });
    }
    let range = contents.range.clone();
    let entries = recovered.slices();
    let ended = sessions(&entries, leaves).contains(&range);
    let session = entries.get(range).filter(|_| ended);
    let session_root = session_root(session.ok_or(PackFault::SessionNotClosed)?, leaves);
    let whole = (&recovered, len_u64(contents.range.end));
    check_checkpoint(&contents.attested.checkpoint, &contents.key, whole)
        .map_err(PackFault::Checkpoint)?;
    let entry = |(name, bytes): (&String, &&[u8])| {
        let entry = FileEntry { digest: Digest::of(bytes), bytes: len_u64(bytes.len()) };
        (name.clone(), entry)
    };
    let manifest = Manifest {
        session: contents.session.clone(),
        phase: contents.phase,
        origin: end.origin.clone(),
        key: contents.key.clone(),
        journal: end.head,
        session_root,
        simulated: contents.simulated,
        renderer: RENDERER_VERSION,
        notes: files.get(NOTES_FILE).map_or(0, |notes| len_u64(note_lines(notes).len())),
        files: files.iter().map(entry).collect(),
    };
    let (manifest_bytes, sums) = (manifest.to_bytes(), manifest.sums_text());
    let mut all = files;
    all.insert(MANIFEST_FILE.to_owned(), &manifest_bytes);
    all.insert(SUMS_FILE.to_owned(), sums.as_bytes());
    write_folder(target, &all)?;
    let digest = Digest::of(&manifest_bytes);
    Ok(WrittenPack { manifest: digest, journal: end.head, session_root })
}

/// Names every file of the pack but manifest and sums, and refuses what must not be among them.
fn collect<'a>(
    contents: &'a PackContents,
    log: &'a [(String, Vec<u8>)],
) -> Result<BTreeMap<String, &'a [u8]>, PackFault> {
    let mut files: BTreeMap<String, &[u8]> = BTreeMap::new();
    let (required, mut open) = (required_parts(contents.phase), Vec::new());
    for part in &contents.parts {
        if !required.contains(&part.name.as_str())
            || files.insert(part.name.clone(), &part.bytes).is_some()
        {
            return Err(PackFault::Unexpected(part.name.clone()));
        }
        let blanks = blanks(&part.name, &part.bytes).into_iter();
        open.extend(blanks.map(|blank| (part.name.clone(), blank)));
    }
    if !open.is_empty() {
        return Err(PackFault::Blank(open));
    }
    if let Some(missing) = required.iter().find(|name| !files.contains_key(**name)) {
        return Err(PackFault::Missing((*missing).to_owned()));
    }
    collect_statements(contents, &mut files)?;
    files.extend(log.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice())));
    for chunk in &contents.chunks {
        files.insert(chunk_file(chunk.digest), &chunk.compressed);
    }
    for component in &contents.components {
        files.insert(component_file(Digest::of(component)), component);
    }
    for (number, segment) in (1..).zip(&contents.journal) {
        files.insert(segment_file(number), segment);
    }
    Ok(files)
}

fn collect_statements<'a>(
    contents: &'a PackContents,
    files: &mut BTreeMap<String, &'a [u8]>,
) -> Result<(), PackFault> {
    let mut kinds = Vec::new();
    for (index, statement) in contents.statements.iter().enumerate() {
        let envelope = Envelope::parse(&statement.bytes).map_err(PackFault::Statement)?;
        let kind = envelope.header.kind;
        if contradicts_simulation(&envelope, contents.simulated) {
            return Err(PackFault::Simulated);
        }
        let name = format!("{STATEMENTS}{index:02}-{}.json", kind.name());
        for (number, signature) in (1..).zip(&statement.signatures) {
            files.insert(signature_file(&name, number), signature.as_bytes());
        }
        files.insert(name, &statement.bytes);
        kinds.push(kind);
    }
    if kinds.contains(&Kind::Seal) {
        return Err(PackFault::Unexpected("a seal before the pack".to_owned()));
    }
    for needed in [Kind::Genesis, Kind::SessionApproval] {
        if kinds.iter().filter(|kind| **kind == needed).count() != 1 {
            return Err(PackFault::Missing(format!("exactly one {}", needed.name())));
        }
    }
    Ok(())
}

fn write_folder(target: &Path, files: &BTreeMap<String, &[u8]>) -> Result<(), PackFault> {
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    for path in [target, partial.as_path()] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(PackFault::Exists(path.to_owned()));
        }
    }
    let written = fill(&partial, files).and_then(|()| rename(&partial, target));
    if written.is_err() {
        // The cause of the failure matters more than a leftover, which the next attempt names.
        drop(fs::remove_dir_all(&partial));
    }
    written
}

fn fill(folder: &Path, files: &BTreeMap<String, &[u8]>) -> Result<(), PackFault> {
    let subfolders =
        ["statements", "journal", "log", "chunks", "plugins"].map(|name| folder.join(name));
    fs::create_dir(folder).map_err(io_fault(folder))?;
    for subfolder in &subfolders {
        fs::create_dir(subfolder).map_err(io_fault(subfolder))?;
    }
    for (name, bytes) in files {
        write_file(&folder.join(name), bytes)?;
    }
    for written in subfolders.iter().map(PathBuf::as_path).chain([folder]) {
        File::open(written).and_then(|file| file.sync_all()).map_err(io_fault(written))?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PackFault> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(io_fault(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_fault(path))
}

/// A target that came into being meanwhile is not replaced: it would not be empty.
fn rename(from: &Path, to: &Path) -> Result<(), PackFault> {
    fs::rename(from, to).and_then(|()| sync_parent(to)).map_err(io_fault(to))
}

fn io_fault(path: &Path) -> impl Fn(io::Error) -> PackFault {
    let path = path.to_owned();
    move |source| PackFault::Io { path: path.clone(), source }
}

/// Adds the seal to a written pack. It must bind that pack's manifest; its signatures are for
/// `verify` to judge.
///
/// # Errors
/// See [`PackFault`]. A pack that has a seal keeps it.
pub fn seal_pack(pack: &Path, seal: &SignedStatement) -> Result<(), PackFault> {
    let envelope = Envelope::parse(&seal.bytes).map_err(PackFault::Statement)?;
    let portcullis_statement::Statement::Seal(body) =
        envelope.statement().map_err(PackFault::Statement)?
    else {
        return Err(PackFault::Statement(Refusal::KindUnexpected(envelope.header.kind)));
    };
    let manifest_path = pack.join(MANIFEST_FILE);
    let manifest = fs::read(&manifest_path).map_err(io_fault(&manifest_path))?;
    if body.manifest != Digest::of(&manifest) {
        return Err(PackFault::SealElsewhere);
    }
    let seal_path = pack.join(SEAL_FILE);
    if fs::symlink_metadata(&seal_path).is_ok() {
        return Err(PackFault::Exists(seal_path));
    }
    // The statement comes last: while it is missing, the pack is unsealed whatever else is there.
    for (number, signature) in (1..).zip(&seal.signatures) {
        let path = pack.join(signature_file(SEAL_FILE, number));
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path).map_err(io_fault(&path))?;
        }
        write_file(&path, signature.as_bytes())?;
    }
    write_file(&seal_path, &seal.bytes)?;
    sync_parent(&seal_path).map_err(io_fault(&seal_path))
}
