//! Where the scribe reads from: one session's entries and chunks, out of a pack or of a home.
//!
//! Everything that knows how a journal lies on a disk is here. The rest of the scribe sees entries.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use portcullis_core::Input;
use portcullis_core::entry::{self, Class, Decoded};
use portcullis_evidence::begun_epochs;
use portcullis_evidence::chunk::{CHUNK_BYTES_MAX, RawFrame, read_chunk};
use portcullis_evidence::journal::{JournalFolder, Recovered};
use portcullis_evidence::pack::{
    JOURNAL, KernelLeaves, Manifest, RENDERER_VERSION, Told, render_parts, session_root, sessions,
};
use portcullis_statement::json::{self, Fields, JsonError, Value};
use portcullis_statement::{
    Digest, EndpointKind, Envelope, SessionApproval, SignedStatement, Statement,
};

use crate::files::{self, shown};
use crate::{CliError, Exit};

/// Longest manifest.
const MANIFEST_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The folder of the journals of a home, and of what a replay kept.
const EPOCHS: &str = "epochs";

/// One session as it lies on a disk.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// The folder that was named.
    pub(crate) place: PathBuf,
    /// The journal's name.
    pub(crate) origin: String,
    /// Root over the session's entries.
    pub(crate) root: Digest,
    /// The digest of the pack's manifest; `None` outside of a pack.
    pub(crate) pack: Option<Digest>,
    /// Under what the session ran.
    pub(crate) approval: SessionApproval,
    /// In which version the parts of its pack are rendered.
    renderer: i64,
    entries: Vec<Vec<u8>>,
    session: Range<usize>,
    /// Up to the next opening: a session's last chunk is closed a moment after it.
    until_next: usize,
}

impl Evidence {
    /// Reads the session named, or the last one that ended.
    pub(crate) fn read(place: &Path, session: Option<&str>) -> Result<Self, CliError> {
        let pack = manifest(place)?;
        for folder in journals(place, pack.is_some())? {
            let path = folder.path().to_owned();
            let journal = portcullis_evidence::read(folder)
                .map_err(|fault| refused(fault.code(), &path, &fault.to_string()))?;
            let entries = journal.slices();
            let found = sessions(&entries, &KernelLeaves);
            let named = |range: &&Range<usize>| {
                let opened = entries.get(range.start);
                let corr = opened.and_then(|bytes| entry::decode(bytes).ok()).map(|it| it.corr);
                session.is_none_or(|wanted| corr.as_deref() == Some(wanted))
            };
            if let Some(range) = found.iter().rev().find(named) {
                return Self::of(place, pack, (journal, range.clone()));
            }
        }
        Err(no_session(place, session))
    }

    fn of(
        place: &Path,
        pack: Option<(Digest, Manifest)>,
        (journal, session): (Recovered, Range<usize>),
    ) -> Result<Self, CliError> {
        let entries = journal.slices();
        let rest = entries.get(session.end..).unwrap_or_default();
        let more = rest.iter().take_while(|entry| !entry::is_open_session(entry)).count();
        let of_session = entries.get(session.clone()).unwrap_or_default();
        let root = session_root(of_session, &KernelLeaves);
        if let Some((_, manifest)) = &pack
            && manifest.session_root != root
        {
            return Err(refused("PACK_SESSION_ROOT", place, "the manifest names another root"));
        }
        let before = entries.get(..session.start).unwrap_or_default();
        Ok(Self {
            place: place.to_owned(),
            origin: journal.end.origin.clone(),
            root,
            renderer: pack.as_ref().map_or(RENDERER_VERSION, |(_, manifest)| manifest.renderer),
            pack: pack.map(|(digest, _)| digest),
            approval: approval_of(place, before, of_session)?,
            until_next: session.end.saturating_add(more),
            entries: journal.entries,
            session,
        })
    }

    /// One that was made by hand.
    #[cfg(test)]
    pub(super) fn made(
        approval: SessionApproval,
        entries: Vec<Vec<u8>>,
        (origin, root): (String, Digest),
    ) -> Self {
        let place = super::testing::nowhere();
        let (session, until_next) = (0..entries.len(), entries.len());
        let renderer = RENDERER_VERSION;
        Self { place, origin, root, pack: None, approval, renderer, entries, session, until_next }
    }

    /// Whether the clock or the venue was not a real one.
    pub(crate) fn is_simulated(&self) -> bool {
        self.approval.endpoint_kind != EndpointKind::Real
    }

    /// The session's entries about the core, decoded, each with its number in the journal.
    pub(crate) fn decoded(&self) -> impl Iterator<Item = Result<(u64, Decoded), CliError>> {
        let numbered = (0_u64..).zip(&self.entries).skip(self.session.start);
        let session = numbered.take(self.session.len()).map(|(seq, bytes)| {
            entry::decode(bytes).map(|decoded| (seq, decoded)).map_err(|error| {
                refused("ENTRY_MALFORMED", &self.place, &format!("entry {seq}: {error:?}"))
            })
        });
        session.filter(|read| read.as_ref().map_or(true, |(_, it)| it.class != Class::Host))
    }

    /// The parts of the session's pack that follow from its entries, by name.
    pub(crate) fn parts(&self) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
        let slices = |range: Range<usize>| -> Vec<&[u8]> {
            let entries = self.entries.get(range).unwrap_or_default();
            entries.iter().map(Vec::as_slice).collect()
        };
        let (session, before) = (slices(self.session.clone()), slices(0..self.session.start));
        // Notes come after the fact, and no line about orders depends on them.
        let told = Told { session: &session, before: &before, notes: &[] };
        let parts = render_parts(self.renderer, &told)
            .map_err(|fault| refused("RENDER", &self.place, &fault.to_string()))?;
        Ok(parts.into_iter().map(|part| (part.name, part.bytes)).collect())
    }

    /// Every raw frame of the session's market data, in the order in which it was kept.
    pub(crate) fn frames(
        &self,
        act: &mut dyn FnMut(RawFrame) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let entries = self.entries.get(self.session.start..self.until_next).unwrap_or_default();
        for bytes in entries {
            let entry = entry::decode(bytes)
                .map_err(|e| refused("ENTRY_MALFORMED", &self.place, &format!("{e:?}")))?;
            if entry.kind != "chunk" {
                continue;
            }
            let digest = Digest::from_hex(&entry.corr)
                .ok_or_else(|| refused("ENTRY_MALFORMED", &self.place, "a chunk has no digest"))?;
            let path = self.place.join(format!("chunks/{}.gz", digest.hex()));
            let bytes_max = u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX);
            let file = files::read(&path, bytes_max)?;
            let frames = read_chunk(&file, digest)
                .map_err(|fault| refused(fault.code(), &path, &fault.to_string()))?;
            frames.into_iter().try_for_each(&mut *act)?;
        }
        Ok(())
    }
}

/// The lines of a part in JSON Lines.
pub(crate) fn json_lines(place: &Path, bytes: &[u8]) -> Result<Vec<Value>, CliError> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = lines.map(json::parse_canonical).collect::<Result<_, JsonError>>();
    read.map_err(|error| refused("ENTRY_MALFORMED", place, &error.to_string()))
}

/// A pack's manifest with its digest; `None` outside of a pack.
fn manifest(place: &Path) -> Result<Option<(Digest, Manifest)>, CliError> {
    let path = place.join("manifest.json");
    if !files::exists(&path) {
        return Ok(None);
    }
    let bytes = files::read(&path, MANIFEST_BYTES_MAX)?;
    let read = Manifest::parse(&bytes)
        .map_err(|error| refused("PACK_MANIFEST", &path, &error.to_string()))?;
    Ok(Some((Digest::of(&bytes), read)))
}

/// The journals of a place, the newest first: a pack has one, a home one for each epoch.
fn journals(place: &Path, is_pack: bool) -> Result<Vec<JournalFolder>, CliError> {
    if is_pack {
        return Ok(vec![JournalFolder::new(place.join(JOURNAL))]);
    }
    let path = place.join(EPOCHS);
    let numbers = epochs(place)?.into_iter().rev();
    Ok(numbers.map(|epoch| JournalFolder::of_epoch(&path, epoch)).collect())
}

/// The epochs of a home, the oldest first.
pub(super) fn epochs(place: &Path) -> Result<Vec<u32>, CliError> {
    let path = place.join(EPOCHS);
    if !path.is_dir() {
        let (cause, next) = ("neither a pack nor a home", "name a pack's folder, or a home");
        return Err(CliError::new(Exit::NotFound, "SCRIBE_SOURCE", &shown(place), cause, next));
    }
    begun_epochs(&path).map_err(|fault| unreadable(fault.code(), &path, &fault.to_string()))
}

/// A journal that may be written to meanwhile cannot be read.
pub(super) fn unreadable(code: &str, place: &Path, cause: &str) -> CliError {
    let next = "portcullis status --home HOME; try again if the daemon is writing";
    CliError::new(Exit::CheckFailed, code, &shown(place), cause, next)
}

/// The approval that the opening names, as it was handed in.
fn approval_of(
    place: &Path,
    before: &[&[u8]],
    session: &[&[u8]],
) -> Result<SessionApproval, CliError> {
    let bad = |cause: &str| refused("APPROVAL_MISSING", place, cause);
    let opened = session.first().and_then(|bytes| entry::decode(bytes).ok());
    let digest = opened.and_then(|opened| {
        let mut body = Fields::new(&opened.body).ok()?;
        body.fields("facts").ok()?.digest("approval").ok()
    });
    let digest = digest.ok_or_else(|| bad("the session's opening names no approval"))?;
    let mut asked = before.iter().rev().filter_map(|bytes| signed_approval(bytes));
    let signed = asked.find(|signed| Digest::of(&signed.bytes) == digest);
    let signed = signed.ok_or_else(|| bad("the approval that the opening names is not there"))?;
    let envelope = Envelope::parse(&signed.bytes).map_err(|refusal| bad(&refusal.cause()))?;
    let statement = envelope.statement().map_err(|refusal| bad(&refusal.cause()))?;
    if let Statement::SessionApproval(approval) = statement {
        Ok(*approval)
    } else {
        Err(bad("what was handed in is another kind of statement"))
    }
}

fn signed_approval(bytes: &[u8]) -> Option<SignedStatement> {
    let entry = entry::decode(bytes).ok().filter(|entry| entry.kind == "open-session")?;
    match Input::decode(&entry) {
        Ok(Input::OpenSession { approval, .. }) => Some(approval),
        Ok(_) | Err(_) => None,
    }
}

fn no_session(place: &Path, session: Option<&str>) -> CliError {
    let cause = session.map_or_else(
        || "no session has ended there".to_owned(),
        |name| format!("no session {name} has ended there"),
    );
    let next = "portcullis status --home HOME; close the session, or name another";
    CliError::new(Exit::NotFound, "SESSION_NOT_FOUND", &shown(place), &cause, next)
}

/// What is there cannot be taken for evidence.
pub(super) fn refused(code: &str, place: &Path, cause: &str) -> CliError {
    let next = "portcullis evidence verify PACK --trust PINFILE";
    CliError::new(Exit::CheckFailed, code, &shown(place), cause, next)
}

/// Whether people have sealed the pack.
pub(super) fn is_sealed(place: &Path) -> bool {
    fs::symlink_metadata(place.join("statements/seal.json")).is_ok_and(|it| it.is_file())
}
