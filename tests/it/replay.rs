//! `portcullis replay`, the real programs: counts, roots, and the journal stepped again.

use flate2::read::MultiGzDecoder;
use portcullis_core::entry::{self, Class, Decoded};
use portcullis_core::{Core, Event, Input, SessionState};
use portcullis_domain::{BootNs, Instrument, InstrumentId, MarketFrame, Name, Now, WallNs};
use portcullis_evidence::chunk::{RawFrame, read_chunk};
use portcullis_evidence::pack::{KernelLeaves, session_root, sessions};
use portcullis_evidence::{Digest, JournalFolder};
use portcullis_statement::json::{self, Fields, Value};
use portcullis_tests::{component, program, project, shared};
use portcullis_wire::binance::SpotStreams;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of one test, gone with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("replay-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Everything in it, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let name =
            |it: std::io::Result<fs::DirEntry>| it.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(&self.0).unwrap().map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// What one run said.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `portcullis replay` from the project's folder. Whatever comes of it, the folder for
/// temporary files must be as empty after it as before.
pub(crate) fn replay(arguments: &[&dyn AsRef<OsStr>]) -> Run {
    let temporary = Scratch::new();
    let mut command = Command::new(program("portcullis").unwrap());
    command.current_dir(project()).env("TMPDIR", &temporary.0).arg("replay");
    command.args(arguments.iter().map(AsRef::as_ref));
    let output = command.output().unwrap();
    assert_eq!(temporary.names(), Vec::<String>::new(), "left in the folder for temporary files");
    Run {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// The run succeeded and printed one document.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{}", self.stdout);
        json::parse_canonical(self.stdout.trim_end().as_bytes()).unwrap()
    }
}

/// A run and everything that it kept.
pub(crate) struct Kept {
    pub(crate) document: Value,
    /// The journal's entries, as they are and as they read.
    pub(crate) entries: Vec<(Vec<u8>, Decoded)>,
    chunks: BTreeMap<String, Vec<u8>>,
}

impl Kept {
    pub(crate) fn new(arguments: &[&dyn AsRef<OsStr>]) -> Self {
        let scratch = Scratch::new();
        let out = scratch.path("out");
        let kept: [&dyn AsRef<OsStr>; 3] = [&"--json", &"--out", &out];
        let document = replay(&[&kept, arguments].concat()).document();
        let chunk = |it: std::io::Result<fs::DirEntry>| {
            let path = it.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        };
        let journal = JournalFolder::of_epoch(&out.join("epochs"), 1);
        let entries = portcullis_evidence::read(journal).unwrap().entries;
        let entry = |bytes: Vec<u8>| (bytes.clone(), entry::decode(&bytes).unwrap());
        Self {
            document,
            entries: entries.into_iter().map(entry).collect(),
            chunks: fs::read_dir(out.join("chunks")).unwrap().map(chunk).collect(),
        }
    }

    /// The entries of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Decoded> {
        self.entries.iter().map(|(_, entry)| entry).filter(|entry| entry.kind == kind).collect()
    }

    /// The frames as they were received, from the chunks that the journal names, in its order.
    pub(crate) fn frames(&self) -> Vec<RawFrame> {
        let chunk = |entry: &Decoded| {
            let digest = Digest::from_hex(&entry.corr).unwrap();
            read_chunk(&self.chunks[&entry.corr], digest).unwrap()
        };
        let named = self.of_kind("chunk");
        assert_eq!(named.len(), self.chunks.len(), "a chunk that no entry names, or the reverse");
        named.into_iter().flat_map(chunk).collect()
    }

    /// The recording in the form of its files, one line for each frame.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |frame: RawFrame| {
            let message = String::from_utf8(frame.bytes).unwrap();
            format!("{{\"recv_ns\":{},\"msg\":{message}}}\n", frame.received.wall.0)
        };
        self.frames().into_iter().map(line).collect()
    }
}

/// Text of a field of an object.
pub(crate) fn text(value: &Value, key: &str) -> String {
    Fields::new(value).unwrap().text(key).unwrap().to_owned()
}

/// The counts of a document.
pub(crate) fn market(document: &Value) -> Value {
    Fields::new(document).unwrap().value("market").unwrap().clone()
}

/// One run of the seeded recording, for all tests that only read it.
pub(crate) fn synthetic() -> Option<&'static Kept> {
    static RUN: OnceLock<Kept> = OnceLock::new();
    let strategy = component("ema-cross")?;
    Some(RUN.get_or_init(|| Kept::new(&[&"--synthetic", &"--component", &strategy])))
}

/// One run of the recorded quarter of an hour.
fn recorded() -> Option<&'static Kept> {
    static RUN: OnceLock<Kept> = OnceLock::new();
    let (folder, strategy) = (shared("data/market/binance_spot")?, component("ema-cross")?);
    Some(RUN.get_or_init(|| Kept::new(&[&folder, &"--component", &strategy])))
}

fn instrument() -> Instrument {
    let file = fs::read(project().join("policies/instruments/binance-btc-usdt.toml")).unwrap();
    portcullis_governance::parse_instrument(&file, InstrumentId(0)).unwrap().value.instrument
}

/// The market as the core saw it, decoded from the raw frames anew.
fn market_frames(kept: &Kept) -> VecDeque<(WallNs, MarketFrame)> {
    let mut streams = SpotStreams::new(instrument());
    let mut frames = VecDeque::new();
    for raw in kept.frames() {
        let decoded = streams.decode(&raw.bytes).unwrap();
        frames.extend(decoded.into_iter().map(|frame| (raw.received.wall, frame)));
    }
    frames
}

/// What the core recorded for one event.
type Recorded = Vec<(Class, Vec<u8>)>;

/// Steps a fresh core over a journal's inputs, the market merged in where the input numbers leave
/// room for it, and returns it with everything that it recorded.
fn stepped(
    kept: &Kept,
    mut market: VecDeque<(WallNs, MarketFrame)>,
    change: impl Fn(u64, &mut Input),
) -> (Core, Recorded) {
    let (mut core, mut recorded, mut number) = (Core::new(), Vec::new(), 0_u64);
    let mut step = |now: Now, mut input: Input, number: u64| {
        change(number, &mut input);
        let entries = core.step(Event { now, input }).entries;
        recorded.extend(entries.into_iter().map(|entry| (entry.class, entry.bytes)));
    };
    for (_, entry) in kept.entries.iter().filter(|(_, entry)| entry.class == Class::Input) {
        number += 1;
        while number < entry.place.input {
            let (wall, frame) = market.pop_front().expect("a frame for each number left free");
            let now = Now { wall, boot: BootNs(wall.0) };
            step(now, Input::Market(frame), number);
            number += 1;
        }
        assert_eq!(number, entry.place.input);
        step(entry.place.at, Input::decode(entry).unwrap(), number);
    }
    assert_eq!(market.len(), 0, "frames that the journal has no room for");
    (core, recorded)
}

#[track_caller]
fn check_stepped_again(kept: &Kept) {
    let (core, again) = stepped(kept, market_frames(kept), |_, _| {});
    // What the host wrote about itself is no event of the core's.
    let then = kept.entries.iter().filter(|(_, entry)| entry.class != Class::Host);
    let then: Vec<&Vec<u8>> = then.map(|(bytes, _)| bytes).collect();
    for ((_, again), then) in again.iter().zip(&then) {
        assert!(again == *then, "{}\n{}", show(again), show(then));
    }
    assert_eq!(again.len(), then.len());
    assert!(again.iter().filter(|(class, _)| *class == Class::Outcome).count() > 1_000);
    // What a restart reads back is what the run ended with.
    let mut folded = Core::new();
    for (bytes, _) in &kept.entries {
        folded.fold(bytes).unwrap();
    }
    let session = Name::new(&text(&kept.document, "session")).unwrap();
    assert_eq!(folded.session_state(&session), Some(SessionState::Closed));
    assert_eq!(folded.session_state(&session), core.session_state(&session));
    assert_eq!((folded.open_session(), folded.is_killed()), (None, false));
    assert_eq!(folded.place(), core.place());
    assert_eq!(format!("{:?}", folded.account()), format!("{:?}", core.account()));
    for kind in ["killed", "faulted", "refused", "plugin-stopped"] {
        assert_eq!(kept.of_kind(kind).len(), 0, "{kind}");
    }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_synthetic_journal_stepped_again_gives_byte_equal_entries() {
    let Some(kept) = synthetic() else { return };
    check_stepped_again(kept);
}

#[test]
fn a_recorded_journal_stepped_again_gives_byte_equal_entries() {
    let Some(kept) = recorded() else { return };
    check_stepped_again(kept);
}

/// One quantity of one intent, or the market before it: some outcome is another one.
#[test]
fn one_input_changed_is_noticed_in_the_outcomes() {
    let Some(kept) = synthetic() else { return };
    let outcome = |(_, entry): &&(Vec<u8>, Decoded)| entry.class == Class::Outcome;
    let then: Vec<&(Vec<u8>, Decoded)> = kept.entries.iter().filter(outcome).collect();
    let noticed_at = |change: &dyn Fn(u64, &mut Input)| {
        let (_, again) = stepped(kept, market_frames(kept), change);
        let again = again.into_iter().filter(|(class, _)| *class == Class::Outcome);
        let mut both = again.zip(&then);
        let noticed = both.find(|((_, again), (then, _))| again != then);
        noticed.expect("the change went unnoticed").1.1.place.input
    };
    let asks = |(_, entry): &&(Vec<u8>, Decoded)| match Input::decode(entry) {
        Ok(Input::PluginReply { intents, .. }) => !intents.is_empty(),
        _ => false,
    };
    let mut replies = kept.entries.iter().filter(|(_, entry)| entry.kind == "plugin-reply");
    let target = replies.find(asks).expect("an order").1.place.input;
    let noticed = noticed_at(&|number, input| {
        if let (true, Input::PluginReply { intents, .. }) = (number == target, input) {
            intents[0].qty += 1_000;
        }
    });
    assert_eq!(noticed, target, "the order's own outcome");
    let noticed = noticed_at(&|number, input| {
        if let (true, Input::Market(frame)) = (number < target, input) {
            frame.instrument = InstrumentId(1);
        }
    });
    assert_eq!(noticed, target, "no quote to judge the order by");
}

#[track_caller]
fn check_root(kept: &Kept) {
    let entries: Vec<&[u8]> = kept.entries.iter().map(|(bytes, _)| bytes.as_slice()).collect();
    let range = sessions(&entries, &KernelLeaves).pop().expect("a session");
    let root = session_root(&entries[range], &KernelLeaves).hex();
    assert_eq!(text(&kept.document, "session_root"), root);
}

#[test]
fn the_recorded_market_is_counted_as_its_manifest_counts_it() {
    let Some(kept) = recorded() else { return };
    let expect = json::object([
        ("depth_diffs", Value::Int(6_495)),
        ("events", Value::Int(393_189)),
        ("frames", Value::Int(99_574)),
        ("gaps", Value::Int(0)),
        ("levels", Value::Int(300_094)),
        ("quotes", Value::Int(73_174)),
        ("snapshots", Value::Int(1)),
        ("superseded_levels", Value::Int(17)),
        ("trades", Value::Int(19_904)),
    ]);
    assert_eq!(market(&kept.document).canonical_text(), expect.canonical_text());
    assert_eq!(kept.frames().len(), 99_574);
    check_root(kept);
}

/// The recorder's clock lags: that is told, and nothing is denied for it.
#[test]
fn the_recorders_clock_is_estimated_and_judges_nothing() {
    let Some(kept) = recorded() else { return };
    let mut document = Fields::new(&kept.document).unwrap();
    let offset_ms = document.int("clock_offset_ms").unwrap();
    assert!((1_200..1_400).contains(&offset_ms), "{offset_ms}");
    let stale = kept.of_kind("denied").into_iter().filter(|entry| entry.reason.contains("STALE"));
    assert_eq!(stale.count(), 0);
    assert!(kept.of_kind("ordered").len() > 100);
    assert!(kept.of_kind("booked").len() > 100);
}

/// The command as the manual types it, in the words of the manual.
#[test]
fn the_same_recording_gives_the_same_root_in_every_run() {
    let (Some(kept), Some(folder)) = (recorded(), shared("data/market/binance_spot")) else {
        return;
    };
    let run = replay(&[&folder]);
    assert_eq!((run.code, &*run.stderr), (0, ""));
    let root = text(&kept.document, "session_root");
    let line = format!("session root: {root}");
    assert_eq!(run.stdout.lines().filter(|it| *it == line).count(), 1, "{}", run.stdout);
    for words in
        ["99574 read", "0 gaps", "73174 quotes, 19904 trades", "PnL", "verdicts", "APPROVED"]
    {
        assert!(run.stdout.contains(words), "{words} is not in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("STOPPED") && !run.stdout.contains("SYNTHETIC"));
}

#[test]
fn without_a_folder_a_seeded_recording_is_made_and_marked() {
    let Some(kept) = synthetic() else { return };
    let run = replay(&[]);
    assert_eq!((run.code, &*run.stderr), (0, ""));
    let line = format!("session root: {}", text(&kept.document, "session_root"));
    assert!(run.stdout.lines().any(|it| it == line), "{}", run.stdout);
    assert!(run.stdout.contains("SYNTHETIC"), "{}", run.stdout);
    assert!(text(&kept.document, "session").starts_with("synthetic-"));
    check_root(kept);
}

#[test]
fn the_document_has_its_schema_and_nothing_else() {
    let Some(kept) = synthetic() else { return };
    let mut document = Fields::new(&kept.document).unwrap();
    assert_eq!(document.text("schema"), Ok("portcullis.replay/1"));
    assert_eq!(document.bool("synthetic"), Ok(true));
    assert_eq!(document.int("clock_offset_ms"), Ok(0));
    assert_eq!(document.list("stopped"), Ok(&[][..]));
    for digest in ["component", "recording", "session_root"] {
        document.digest(digest).unwrap();
    }
    for name in ["engine", "kept", "session"] {
        document.text(name).unwrap();
    }
    let entries = u64::try_from(kept.entries.len()).unwrap();
    assert_eq!(document.uint("entries"), Ok(entries));
    assert_eq!(document.uint("chunks"), Ok(u64::try_from(kept.chunks.len()).unwrap()));
    let summary = document.value("summary").unwrap();
    assert_eq!(text(summary, "session"), text(&kept.document, "session"));
    document.value("market").unwrap();
    document.finish().unwrap();
}

/// A short recording in a folder of its own.
pub(crate) fn write_recording(folder: &Path, lines: &[String]) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("a.jsonl"), lines.concat()).unwrap();
}

#[test]
fn another_component_parameter_policy_or_balance_is_another_root() {
    let (Some(kept), Some(strategy)) = (synthetic(), component("ema-cross")) else { return };
    let scratch = Scratch::new();
    let (folder, same) = (scratch.path("recording"), scratch.path("same"));
    let lines = kept.lines();
    write_recording(&folder, &lines[..1_000]);
    write_recording(&same, &lines[..1_000]);
    let root = |arguments: &[&dyn AsRef<OsStr>]| {
        let document = replay(&[&[&"--json" as &dyn AsRef<OsStr>], arguments].concat()).document();
        text(&document, "session_root")
    };
    let first = root(&[&folder]);
    assert_eq!(root(&[&same]), first, "where the recording lies does not matter");
    // An empty custom section: other bytes that do the same.
    let mut bytes = fs::read(&strategy).unwrap();
    bytes.extend([0, 2, 1, b'x']);
    let changed = scratch.path("changed.wasm");
    fs::write(&changed, bytes).unwrap();
    let policies = scratch.path("policies");
    copy_policies(&policies, "limits.toml", "open_orders_max = 4", "open_orders_max = 3");
    let signed = scratch.path("signed");
    let (one, three) =
        ("signers = [\"operator\"]", "signers = [\"operator\", \"approver\", \"risk\"]");
    copy_policies(&signed, "phases.toml", one, three);
    let shorter = scratch.path("shorter");
    copy_policies(&shorter, "phases.toml", "window_hours_max = 168", "window_hours_max = 1");
    let others = [
        root(&[&folder, &"--component", &changed]),
        root(&[&folder, &"--param", &"fast=5"]),
        root(&[&folder, &"--policies", &policies]),
        root(&[&folder, &"--policies", &signed]),
        root(&[&folder, &"--policies", &shorter]),
        root(&[&folder, &"--balance", &"9999"]),
        root(&[&folder, &"--latency-us", &"2001"]),
    ];
    let mut all: Vec<&String> = others.iter().chain([&first]).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), others.len() + 1, "{others:#?}");
}

/// A copy of the policies with one change.
pub(crate) fn copy_policies(folder: &Path, file: &str, from: &str, to: &str) {
    fs::create_dir_all(folder.join("instruments")).unwrap();
    for name in ["limits.toml", "phases.toml", "safety.toml", "instruments/binance-btc-usdt.toml"] {
        let mut text = fs::read_to_string(project().join("policies").join(name)).unwrap();
        if name == file {
            assert!(text.contains(from), "{from} is not in {file}");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.join(name), text).unwrap();
    }
}

/// Compressed or not, in one file or cut at a line: each frame is kept as it was received.
#[test]
fn the_chunks_hold_the_frames_exactly_as_received() {
    let (Some(kept), Some(folder)) = (recorded(), shared("data/market/binance_spot")) else {
        return;
    };
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        MultiGzDecoder::new(&*fs::read(path).unwrap()).read_to_string(&mut text).unwrap();
    }
    assert!(kept.lines().concat() == text, "the chunks hold something else");
}
