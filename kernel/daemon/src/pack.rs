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
use portcullis_domain::{Name, Phase};
use portcullis_evidence::chunk::Chunk;
use portcullis_evidence::disk::segment_name;
use portcullis_evidence::pack::{
    KernelLeaves, PackContents, Part, render_parts, seal_pack, sessions, write_pack,
};
use portcullis_evidence::{JournalFolder, ReadFault, Reader, Watermark};
use portcullis_statement::json::{Fields, JsonError, Value};
use portcullis_statement::{ApprovedPlugin, Digest, Envelope, Kind, SignedStatement, Statement};

use crate::clock;
use crate::control::{ask, refused};
use crate::house::House;

/// How long the last chunk is waited for, and the pause between two looks.
const LAST_CHUNK_NS_MAX: i64 = 10 * NS_PER_S;
const PAUSE: Duration = Duration::from_millis(50);

/// A refusal: code and cause.
type No = (String, String);

/// Writes the pack of a session that has ended.
pub(crate) fn pack(house: &Arc<House>, session: &Name, lessons: &[String]) -> Answer {
    match write(house, session, lessons) {
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

fn write(house: &House, session: &Name, lessons: &[String]) -> Result<PackView, No> {
    wait_for_last_chunk(house);
    let (epoch, earlier) = journal(house)?;
    let entries: Vec<&[u8]> = epoch.entries.iter().map(Vec::as_slice).collect();
    let range = sessions(&entries, &KernelLeaves).pop();
    let range = range.ok_or_else(|| no("SESSION_UNKNOWN", "no session has ended yet"))?;
    let of_session = entries.get(range.clone()).unwrap_or_default();
    let opened = decoded(of_session.first())?;
    let facts = facts(&opened).map_err(|error| no("ENTRY_MALFORMED", &error.to_string()))?;
    if facts.session != *session {
        let cause = format!("the last session that ended is {}", facts.session);
        return Err(no("SESSION_NOT_LAST", &cause));
    }
    let before = entries.get(..range.start).unwrap_or_default();
    let mut parts = render_parts(of_session, before).map_err(|e| no("RENDER", &e.to_string()))?;
    parts.push(lessons_part(lessons));
    let name = house.home.origin(epoch.number);
    let all: Vec<&[u8]> = earlier.iter().map(Vec::as_slice).chain(entries.clone()).collect();
    let (begins, ends) = (range.start, range.end);
    let within = |at: usize| at.saturating_add(earlier.len());
    let statements = statements(&all, &(within(begins)..within(ends)))?;
    let contents = PackContents {
        session: facts.session.clone(),
        phase: facts.phase,
        key: key_of(&entries)?,
        simulated: true,
        parts,
        components: components(house, statements.last())?,
        statements,
        journal: epoch.segments,
        chunks: chunks(house, until_next(&entries, &range))?,
    };
    let stamp = opened.place.at.wall.folder_stamp();
    let folder = house.home.path(&format!("reports/{}_sessions", facts.phase.name()));
    fs::create_dir_all(&folder).map_err(|error| no("IO", &error.to_string()))?;
    let target = folder.join(format!("{stamp}_{session}"));
    let written = write_pack(&target, &contents, &KernelLeaves)
        .map_err(|fault| no(fault.code(), &fault.to_string()))?;
    Ok(PackView {
        session: session.to_string(),
        path: target.display().to_string(),
        manifest: written.manifest.hex(),
        head: written.journal.root.hex(),
        size: written.journal.size,
        origin: name,
    })
}

/// The key of the epoch, as its first entry names it.
fn key_of(entries: &[&[u8]]) -> Result<String, No> {
    let began = decoded(entries.first().copied().as_ref())?;
    let key = Fields::new(&began.body).and_then(|mut body| Ok(body.text("key")?.to_owned()));
    key.map_err(|error| no("ENTRY_MALFORMED", &error.to_string()))
}

/// One epoch of the journal, as far as it is durable.
struct Epoch {
    number: u32,
    entries: Vec<Vec<u8>>,
    /// Its segments, without what lies behind those entries.
    segments: Vec<Vec<u8>>,
}

/// The newest epoch in which a session ended, and every entry of the epochs before it.
fn journal(house: &House) -> Result<(Epoch, Vec<Vec<u8>>), No> {
    let newest = house.mark.durable_epoch().epoch;
    for number in (1..=newest).rev() {
        let epoch = read_epoch(house, number)?;
        let entries: Vec<&[u8]> = epoch.entries.iter().map(Vec::as_slice).collect();
        if !sessions(&entries, &KernelLeaves).is_empty() {
            let earlier = (1..number).map(|earlier| Ok(read_epoch(house, earlier)?.entries));
            let earlier = earlier.collect::<Result<Vec<_>, No>>()?;
            return Ok((epoch, earlier.concat()));
        }
    }
    Err(no("SESSION_UNKNOWN", "no session has ended yet"))
}

fn read_epoch(house: &House, number: u32) -> Result<Epoch, No> {
    let unread = |fault: ReadFault| no(fault.code(), &fault.to_string());
    let durable = house.mark.durable_epoch();
    // Epochs before the newest are durable as a whole.
    let size = if number == durable.epoch { durable.size } else { u64::MAX };
    let folder = || JournalFolder::of_epoch(&house.home.epochs_path(), number);
    let mut reader = Reader::open(folder()).map_err(unread)?;
    let mut entries = Vec::new();
    while let Some(group) = reader.next_below(Watermark(size)).map_err(unread)? {
        entries.extend(group.entries().map(<[u8]>::to_vec));
    }
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
    Ok(Epoch { number, entries, segments })
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

fn lessons_part(lessons: &[String]) -> Part {
    let mut text = "# Lessons\n\nIn the operator's words.\n\n".to_owned();
    for lesson in lessons {
        // One quoted line each, so that no lesson can look like a heading of ours.
        let quoted = Value::Text(portcullis_evidence::text::escape_terminal(lesson));
        text.push_str("- ");
        text.push_str(&quoted.canonical_text());
        text.push('\n');
    }
    Part { name: "lessons.md".to_owned(), bytes: text.into_bytes() }
}

/// Everything signed that the session stands on: the last genesis, what was accepted before or
/// during it, and its own approval.
fn statements(entries: &[&[u8]], range: &Range<usize>) -> Result<Vec<SignedStatement>, No> {
    let mut genesis = None;
    let mut approval = None;
    let mut accepted = Vec::new();
    let mut unfolded = None;
    for (number, bytes) in entries.iter().enumerate().take(range.end) {
        let entry = decoded(Some(bytes))?;
        match entry.kind.as_str() {
            "started" | "statement" | "open-session" => {
                let input = Input::decode(&entry);
                let input = input.map_err(|e| no("ENTRY_MALFORMED", &format!("{e:?}")))?;
                if let Input::Statement { signed, .. }
                | Input::OpenSession { approval: signed, .. } = input
                {
                    unfolded = Some(signed);
                } else if let Input::Started(start) = input
                    && number < range.start
                {
                    genesis = Some(start.genesis);
                }
            }
            "statement-accepted" => accepted.extend(unfolded.take()),
            "session-opened" if number == range.start => approval = unfolded.take(),
            _ => {}
        }
    }
    let kind = |signed: &SignedStatement| {
        Envelope::parse(&signed.bytes).map(|envelope| envelope.header.kind).ok()
    };
    accepted.retain(|signed| kind(signed) != Some(Kind::Seal));
    let missing = || no("ENTRY_MALFORMED", "the session has no genesis or no approval");
    let mut all = vec![genesis.ok_or_else(missing)?];
    all.extend(accepted);
    all.push(approval.ok_or_else(missing)?);
    Ok(all)
}

/// The session's entries and what follows up to the next opening: the last chunk of its market
/// data is closed a moment after the session.
fn until_next<'a>(entries: &'a [&'a [u8]], range: &Range<usize>) -> &'a [&'a [u8]] {
    let after = entries.get(range.end..).unwrap_or_default();
    let more = after.iter().take_while(|entry| !entry::is_open_session(entry)).count();
    entries.get(range.start..range.end.saturating_add(more)).unwrap_or_default()
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

/// The chunks that the session's entries cite, from the home.
fn chunks(house: &House, entries: &[&[u8]]) -> Result<Vec<Chunk>, No> {
    let mut digests = BTreeSet::new();
    for bytes in entries {
        let entry = decoded(Some(bytes))?;
        if entry.kind == "chunk" {
            digests.extend(Digest::from_hex(&entry.corr));
        }
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
    // `20260101_120000_NAME`: a name may itself contain what stands between the parts.
    let matches = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.splitn(3, '_').nth(2) == Some(session.as_str())
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
