//! Packs: assembled from the journal, written once, sealed when two people have signed.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use portcullis_control::{Answer, PackView, Reply};
use portcullis_core::Input;
use portcullis_core::entry::{self, Decoded};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Name, Phase, WallNs};
use portcullis_evidence::chunk::Chunk;
use portcullis_evidence::disk::segment_name;
use portcullis_evidence::log::key_of;
use portcullis_evidence::pack::{
    Attested, KernelLeaves, NOTES_FILE, PackContents, Part, RENDERER_VERSION, Told, folder_name,
    render_parts, runlog_form, seal_pack, session_of_folder, sessions, sessions_folder, write_pack,
};
use portcullis_evidence::{JournalFolder, ReadFault, Reader, Watermark};
use portcullis_statement::json::{Fields, JsonError};
use portcullis_statement::{
    ApprovedPlugin, Digest, Envelope, Kind, Refusal, SignedStatement, Statement,
};

mod attested;

use crate::clock;
use crate::control::{ask, refused};
use crate::house::House;

/// How long the last chunk is waited for, and the pause between two looks.
const LAST_CHUNK_NS_MAX: i64 = 10 * NS_PER_S;
const PAUSE: Duration = Duration::from_millis(50);
/// How often a session is read while its journal goes on.
const READS_MAX: usize = 5;

/// A refusal: code and cause.
type No = (String, String);

/// Writes the pack of a session that has ended, in its draft's place if there is one: a pack that
/// nobody has sealed is only a rendering of the journal.
pub(crate) fn pack(house: &Arc<House>, session: &Name) -> Answer {
    match write(house, session) {
        Ok(view) => Answer::last(Reply::Pack(view)),
        Err((code, cause)) => refused(&code, &cause),
    }
}

/// The last chunk of a session's market data is closed a moment after it. One that does not come
/// is missing from the pack, and a replay says so.
fn wait_for_last_chunk(house: &House) {
    let until = clock::now().boot.plus_ns(LAST_CHUNK_NS_MAX);
    while clock::now().boot < until && !house.venue.is_public_over() {
        sleep(PAUSE);
    }
    // What was told by then stands in the journal a turn of the core loop later.
    sleep(PAUSE);
    drop(house.look());
}

/// Reads the session, and what was signed of it: anew while its journal goes on in between.
fn read(house: &House, session: &Name) -> Result<(Ended, Vec<SignedStatement>, Attested), No> {
    for _ in 0..READS_MAX {
        let mut ended = find(house, session)?;
        let statements = std::mem::take(&mut ended.papers).all()?;
        let entries: Vec<&[u8]> = ended.epoch.entries.iter().map(Vec::as_slice).collect();
        let epoch = attested::Epoch {
            number: ended.number,
            origin: &ended.epoch.origin,
            entries: &entries,
            session_end: ended.range.end,
        };
        let attested = attested::attested(house, &epoch, &statements, &ended.cosigned)?;
        if let Some(attested) = attested {
            return Ok((ended, statements, attested));
        }
    }
    Err(no("PACK_CHECKPOINT_MISSING", "the journal grows faster than it is read; ask again"))
}

fn write(house: &House, session: &Name) -> Result<PackView, No> {
    wait_for_last_chunk(house);
    let (ended, statements, attested) = read(house, session)?;
    let entries: Vec<&[u8]> = ended.epoch.entries.iter().map(Vec::as_slice).collect();
    let notes: Vec<&[u8]> = ended.notes.iter().map(Vec::as_slice).collect();
    let told = Told {
        session: entries.get(ended.range.clone()).unwrap_or_default(),
        before: entries.get(..ended.range.start).unwrap_or_default(),
        notes: &notes,
    };
    let mut parts =
        render_parts(RENDERER_VERSION, &told).map_err(|e| no("RENDER", &e.to_string()))?;
    let lines = notes.iter().flat_map(|note| [*note, b"\n"]).flatten().copied().collect();
    parts.push(Part { name: NOTES_FILE.to_owned(), bytes: lines });
    let phase = ended.facts.phase;
    let chunks = chunks(house, &ended.market.named)?;
    let contents = PackContents {
        session: session.clone(),
        key: key_named(&entries)?,
        attested,
        range: ended.range,
        phase,
        simulated: true,
        parts,
        components: components(house, statements.last())?,
        statements,
        journal: ended.epoch.segments,
        chunks,
    };
    let folder = house.home.path(&sessions_folder(phase));
    fs::create_dir_all(&folder).map_err(|error| no("IO", &error.to_string()))?;
    let target = folder.join(folder_name(ended.opened, session));
    if target.is_dir() && !target.join("statements/seal.json").exists() {
        fs::remove_dir_all(&target).map_err(|error| no("IO", &error.to_string()))?;
    }
    let written = write_pack(&target, &contents, &KernelLeaves)
        .map_err(|fault| no(fault.code(), &fault.to_string()))?;
    Ok(PackView {
        session: session.to_string(),
        path: target.display().to_string(),
        manifest: written.manifest.hex(),
        head: written.journal.root.hex(),
        size: written.journal.size,
        origin: ended.epoch.origin,
    })
}

/// The form of the runlog, written before the session may begin: none begins without one.
pub(crate) fn write_form(house: &House, signed: &SignedStatement) -> Result<(), No> {
    let refusal = |refusal: Refusal| no(refusal.code(), &refusal.cause());
    let envelope = Envelope::parse(&signed.bytes).map_err(refusal)?;
    let Statement::SessionApproval(item) = envelope.statement().map_err(refusal)? else {
        return Err(no("WRONG_KIND", "this statement is not a session approval"));
    };
    let form = runlog_form(Digest::of(&signed.bytes), &envelope.header.signers, &item);
    let folder = house.home.path(&sessions_folder(item.phase)).join("drafts");
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join(format!("{}.runlog.md", item.session)), form));
    written.map_err(|error| no("RUNLOG_UNWRITABLE", &error.to_string()))
}

/// The key of the epoch, as its first entry names it.
fn key_named(entries: &[&[u8]]) -> Result<String, No> {
    let key = entries.first().and_then(|first| key_of(first)).map(|key| key.to_string());
    key.ok_or_else(|| no("ENTRY_MALFORMED", "the first entry names no key of the epoch"))
}

/// One epoch of the journal, as far as it is durable.
struct Epoch {
    origin: String,
    entries: Vec<Vec<u8>>,
    /// Its segments, without what lies behind those entries.
    segments: Vec<Vec<u8>>,
}

/// A session that has ended, and all that its pack is made of.
struct Ended {
    number: u32,
    epoch: Epoch,
    range: Range<usize>,
    facts: Facts,
    opened: WallNs,
    papers: Papers,
    /// What people said about it, in its own epoch and in those after it.
    notes: Vec<Vec<u8>>,
    market: Market,
    /// Checkpoints that came back from witnesses, from its own epoch on.
    cosigned: Vec<Vec<u8>>,
}

/// The entries that name a session's chunks: up to the next opening, since the last chunk of its
/// market data is closed a moment after the session, in the next epoch as a rule.
#[derive(Default)]
struct Market {
    named: Vec<Vec<u8>>,
    /// Another session has opened.
    over: bool,
}

impl Market {
    fn take(&mut self, entries: &[&[u8]]) {
        for bytes in entries {
            self.over |= entry::is_open_session(bytes);
            if !self.over && entry::kind(bytes) == Some(b"chunk") {
                self.named.push(bytes.to_vec());
            }
        }
    }
}

/// Looks for a session from the first epoch on: what was signed before it stands there too.
fn find(house: &House, session: &Name) -> Result<Ended, No> {
    let malformed = |error: JsonError| no("ENTRY_MALFORMED", &error.to_string());
    let durable = house.mark.durable_epoch();
    let mut papers = Papers::default();
    let mut found: Option<Ended> = None;
    for number in 1..=durable.epoch {
        let last = (number == durable.epoch).then_some(Watermark(durable.size));
        let epoch = read_epoch(house, number, last)?;
        let entries: Vec<&[u8]> = epoch.entries.iter().map(Vec::as_slice).collect();
        if let Some(ended) = &mut found {
            take_notes(&entries, session, &mut ended.notes)?;
            ended.market.take(&entries);
            take_cosigned(&entries, &mut ended.cosigned);
            continue;
        }
        let mut here = None;
        for range in sessions(&entries, &KernelLeaves) {
            let opened = decoded(entries.get(range.start))?;
            let facts = facts(&opened).map_err(malformed)?;
            if facts.session == *session {
                here = Some((range, facts, opened.place.at.wall));
            }
        }
        let Some((range, facts, opened)) = here else {
            entries.iter().try_for_each(|bytes| papers.take(bytes, false))?;
            continue;
        };
        for (at, bytes) in entries.iter().enumerate().take(range.end) {
            papers.take(bytes, at == range.start)?;
        }
        let mut notes = Vec::new();
        take_notes(&entries, session, &mut notes)?;
        let mut market = Market::default();
        // Behind its own opening.
        market.take(entries.get(range.start.saturating_add(1)..).unwrap_or_default());
        let mut cosigned = Vec::new();
        take_cosigned(&entries, &mut cosigned);
        let papers = std::mem::take(&mut papers);
        found =
            Some(Ended { number, epoch, range, facts, opened, papers, notes, market, cosigned });
    }
    found.ok_or_else(|| no("SESSION_UNKNOWN", "no session of that name has ended yet"))
}

fn read_epoch(house: &House, number: u32, until: Option<Watermark>) -> Result<Epoch, No> {
    let unread = |fault: ReadFault| no(fault.code(), &fault.to_string());
    let folder = || JournalFolder::of_epoch(&house.home.epochs_path(), number);
    let mut reader = Reader::open(folder()).map_err(unread)?;
    let mut entries = Vec::new();
    loop {
        let group = match until {
            Some(durable) => reader.next_below(durable),
            None => reader.next(),
        };
        let Some(group) = group.map_err(unread)? else { break };
        entries.extend(group.entries().map(<[u8]>::to_vec));
    }
    let origin = reader.origin().to_owned();
    let end = reader.into_end();
    let mut segments = Vec::new();
    for segment in 1..=end.segment {
        let path = folder().path().join(segment_name(segment));
        let mut bytes = fs::read(path).map_err(|error| no("IO", &error.to_string()))?;
        if segment == end.segment {
            bytes.truncate(usize::try_from(end.kept_bytes).unwrap_or(usize::MAX));
        }
        segments.push(bytes);
    }
    Ok(Epoch { origin, entries, segments })
}

fn take_notes(entries: &[&[u8]], session: &Name, notes: &mut Vec<Vec<u8>>) -> Result<(), No> {
    for bytes in entries {
        let entry = decoded(Some(bytes))?;
        if entry.kind == "noted" && entry.corr == session.as_str() {
            notes.push(bytes.to_vec());
        }
    }
    Ok(())
}

fn take_cosigned(entries: &[&[u8]], cosigned: &mut Vec<Vec<u8>>) {
    let came_back = entries.iter().filter(|bytes| entry::kind(bytes) == Some(b"cosigned"));
    cosigned.extend(came_back.map(|bytes| bytes.to_vec()));
}

struct Facts {
    session: Name,
    phase: Phase,
}

fn facts(opened: &Decoded) -> Result<Facts, JsonError> {
    let mut body = Fields::new(&opened.body)?;
    let number = body.fields("facts")?.uint("phase")?;
    let phase = u8::try_from(number).ok().and_then(Phase::from_number);
    let phase = phase.ok_or_else(|| JsonError::field("phase", "no such phase"))?;
    Ok(Facts { session: body.name("session")?, phase })
}

/// Everything signed that a session stands on: the last genesis, what was accepted before or
/// during it, and its own approval.
#[derive(Default)]
struct Papers {
    genesis: Option<SignedStatement>,
    accepted: Vec<SignedStatement>,
    approval: Option<SignedStatement>,
    /// Handed in, and not accepted yet.
    received: Option<SignedStatement>,
}

impl Papers {
    /// Takes in one entry; `opens` is the session's own opening.
    fn take(&mut self, bytes: &&[u8], opens: bool) -> Result<(), No> {
        let entry = decoded(Some(bytes))?;
        match entry.kind.as_str() {
            "started" | "statement" | "open-session" => {
                let input = Input::decode(&entry);
                let input = input.map_err(|e| no("ENTRY_MALFORMED", &format!("{e:?}")))?;
                if let Input::Statement { signed, .. }
                | Input::OpenSession { approval: signed, .. } = input
                {
                    self.received = Some(signed);
                } else if let Input::Started(start) = input {
                    self.genesis = Some(start.genesis);
                }
            }
            "statement-accepted" => self.accepted.extend(self.received.take()),
            "session-opened" if opens => self.approval = self.received.take(),
            _ => {}
        }
        Ok(())
    }

    fn all(self) -> Result<Vec<SignedStatement>, No> {
        let kind = |signed: &SignedStatement| {
            Envelope::parse(&signed.bytes).map(|envelope| envelope.header.kind).ok()
        };
        let missing = || no("ENTRY_MALFORMED", "the session has no genesis or no approval");
        let mut all = vec![self.genesis.ok_or_else(missing)?];
        all.extend(self.accepted.into_iter().filter(|signed| kind(signed) != Some(Kind::Seal)));
        all.push(self.approval.ok_or_else(missing)?);
        Ok(all)
    }
}

/// The components that the approval names, from the home.
fn components(house: &House, approval: Option<&SignedStatement>) -> Result<Vec<Vec<u8>>, No> {
    let envelope = approval.and_then(|signed| Envelope::parse(&signed.bytes).ok());
    let statement = envelope.and_then(|envelope| envelope.statement().ok());
    let Some(Statement::SessionApproval(approval)) = statement else {
        return Err(no("ENTRY_MALFORMED", "the session has no approval"));
    };
    let component = |plugin: &ApprovedPlugin| {
        let path = house.home.path(&format!("plugins/{}.wasm", plugin.component.hex()));
        let cause = |error| no("COMPONENT_MISSING", &format!("{}: {error}", path.display()));
        fs::read(&path).map_err(cause)
    };
    approval.plugins.iter().map(component).collect()
}

/// The chunks that these entries name, from the home.
fn chunks(house: &House, entries: &[Vec<u8>]) -> Result<Vec<Chunk>, No> {
    let mut digests = BTreeSet::new();
    for bytes in entries {
        digests.extend(Digest::from_hex(&decoded(Some(&bytes.as_slice()))?.corr));
    }
    digests
        .into_iter()
        .map(|digest| {
            let path = chunk_path(house, digest);
            let compressed = fs::read(&path)
                .map_err(|error| no("CHUNK_MISSING", &format!("{}: {error}", path.display())))?;
            Ok(Chunk { digest, ranges: Vec::new(), frames: 0, bytes: 0, compressed })
        })
        .collect()
}

/// Where a chunk lies in the home.
pub(crate) fn chunk_path(house: &House, digest: Digest) -> PathBuf {
    house.home.path(&format!("chunks/{}.gz", digest.hex()))
}

/// Hands a statement to the core; an accepted seal is also put into the pack that it seals.
pub(crate) fn keep_seal(house: &Arc<House>, signed: SignedStatement) -> Answer {
    let envelope = Envelope::parse(&signed.bytes);
    let seal = match envelope.and_then(|envelope| envelope.statement()) {
        Ok(Statement::Seal(seal)) => Some(seal.session),
        Ok(_) | Err(_) => None,
    };
    let Some(session) = seal else {
        return statement(house, signed);
    };
    let Some(folder) = pack_folder(house, &session) else {
        return refused("PACK_MISSING", "write the pack first: portcullis pack");
    };
    let copy = signed.clone();
    let answer = ask(house, |request| Input::Statement { request, signed });
    if answer.result.is_ok()
        && let Err(fault) = seal_pack(&folder, &copy)
    {
        return refused(fault.code(), &fault.to_string());
    }
    answer
}

/// Hands in a statement. The endpoint set of an open session is not changed under it: what was
/// approved for one venue would leave for another.
fn statement(house: &House, signed: SignedStatement) -> Answer {
    let kind = Envelope::parse(&signed.bytes).map(|envelope| envelope.header.kind);
    if kind != Ok(Kind::EndpointSet) {
        return ask(house, |request| Input::Statement { request, signed });
    }
    let Ok(_no_session_opens_meanwhile) = house.opening.try_lock() else {
        return refused("SESSION_OPENING", "a session is being opened");
    };
    if house.look().is_some_and(|shown| shown.view.session.is_some()) {
        return refused("SESSION_OPEN", "close the session first: it was approved for its venue");
    }
    ask(house, |request| Input::Statement { request, signed })
}

/// The pack of a session, by its folder's name.
fn pack_folder(house: &House, session: &Name) -> Option<PathBuf> {
    let reports = fs::read_dir(house.home.path("reports")).ok()?;
    let kinds = reports.flatten().filter_map(|kind| fs::read_dir(kind.path()).ok());
    let matches = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        session_of_folder(name) == Some(session.as_str())
    };
    kinds.flatten().flatten().map(|entry| entry.path()).find(matches)
}

fn decoded(bytes: Option<&&[u8]>) -> Result<Decoded, No> {
    let bytes = bytes.ok_or_else(|| no("ENTRY_MALFORMED", "an empty session"))?;
    entry::decode(bytes).map_err(|error| no("ENTRY_MALFORMED", &format!("{error:?}")))
}

fn no(code: &str, cause: &str) -> No {
    (code.to_owned(), cause.to_owned())
}
