//! The session of a replay, from the first signature to the session root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_core::{Core, Input, MarketCounts, Start, Worker as LoadedWorker, entry};
use portcullis_domain::{
    ClOrdId, ExecutionReport, Instrument, InstrumentId, MarketFrame, Name, Phase, WallNs,
};
use portcullis_evidence::chunk::Chunk;
use portcullis_evidence::pack::{KernelLeaves, session_root, sessions};
use portcullis_evidence::{Committer, Digest, Journal};
use portcullis_gate::{Shadow, ShadowAmend};
use portcullis_governance::{
    Hashed, InstrumentFile, PolicyError, parse_instrument, parse_limits, parse_phases, parse_safety,
};
use portcullis_paper::{ShadowOrder, ShadowVenue};
use portcullis_path::WorkerProcess;
use portcullis_path::lockstep::{
    Feed as _, FeedFault, LockStep, RunFault, ShadowMarket, Surroundings,
};
use portcullis_path::plugin_port::{Loaded, PluginFault};
use portcullis_statement::JournalBinding;
use portcullis_statement::json::{Fields, Value};

use super::keep::{Keep, KeptDisk};
use super::people::{Cast, Plan, WINDOW_NS};
use super::recording::{FrameCounts, RecordedFeed, Recording};
use super::{Args, Wanted};
use crate::worker::LockStepWorker;
use crate::{CliError, Exit, files};
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

/// Memory that a plugin may have.
const MEMORY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Fuel of one batch.
const FUEL_PER_BATCH_MAX: u64 = 10_000_000;

/// Longest component or policy file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A strategy that was stopped before the recording was over.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) plugin: String,
    /// `PLUGIN_…`.
    pub(super) code: String,
    pub(super) cause: String,
}

/// What a replay came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) session: Name,
    pub(super) recording: Digest,
    pub(super) synthetic: bool,
    pub(super) component: Digest,
    pub(super) engine: String,
    pub(super) frames: FrameCounts,
    pub(super) superseded_levels: u64,
    pub(super) market: MarketCounts,
    pub(super) clock_offset_ms: Option<i64>,
    /// The `session-closed` entry's summary.
    pub(super) summary: Value,
    pub(super) stopped: Vec<Stopped>,
    pub(super) entries: u64,
    pub(super) chunks: u64,
    pub(super) root: Digest,
    pub(super) kept: Option<PathBuf>,
}

/// Everything read before the run starts.
struct Files {
    component: Vec<u8>,
    instrument: Hashed<InstrumentFile>,
    limits: Hashed<portcullis_domain::policy::Limits>,
    phases: Hashed<portcullis_domain::policy::PhaseRules>,
    safety: Hashed<portcullis_domain::policy::safety::Safety>,
}

impl Files {
    /// Longest session that the phase rules allow; a phase without a rule opens nothing anyway.
    fn window_ns(&self) -> i64 {
        let rule = self.phases.value.rules.get(&Phase::Shadow);
        rule.map_or(WINDOW_NS, |rule| rule.window_ns_max)
    }
}

pub(super) fn run(
    args: &Args,
    wanted: &Wanted,
    recording: &Recording,
) -> Result<Outcome, CliError> {
    let files = read_files(args, wanted)?;
    let mut worker = start_worker(args)?;
    let loaded = worker
        .process
        .load(&files.component, MEMORY_BYTES_MAX)
        .map_err(|fault| plugin_refused(&fault))?;
    let instrument = files.instrument.value.instrument.clone();
    let mut feed = recording.feed(instrument, files.window_ns());
    let start = feed.peek().map_err(|fault| refused(&fault))?;
    let start = start.ok_or_else(|| refused(&empty(recording)))?;
    let keep = Keep::new(args.out.as_deref())?;
    let run = Run { args, wanted, recording, files: &files, loaded: &loaded, start };
    let (chunks, journal) = run.drive(&mut feed, &mut worker, &keep)?;
    // A watchdog may end a run, but never decide what it comes to.
    if let Some(cause) = worker.overrun {
        let next = "run it again on a quieter machine; a sandbox that hangs twice is at fault";
        let (code, subject) = ("PLUGIN_DEADLINE", "the sandbox");
        return Err(CliError::new(Exit::Temporary, code, subject, &cause, next));
    }
    let mut outcome = run.conclude(&feed, &keep, (chunks, journal.disk()))?;
    outcome.kept = keep.conclude();
    Ok(outcome)
}

struct Run<'a> {
    args: &'a Args,
    wanted: &'a Wanted,
    recording: &'a Recording,
    files: &'a Files,
    loaded: &'a Loaded,
    start: WallNs,
}

impl Run<'_> {
    /// Signs, opens, runs, closes; returns the number of chunks and the journal.
    fn drive(
        &self,
        feed: &mut RecordedFeed<'_>,
        worker: &mut LockStepWorker,
        keep: &Keep,
    ) -> Result<(u64, Committer<KeptDisk>), CliError> {
        let instrument = &self.files.instrument.value.instrument;
        let latency_ns = u64::from(self.args.latency_us).saturating_mul(1_000);
        let mut paper = Paper(ShadowVenue::new(instrument.clone(), latency_ns));
        let mut chunks = 0_u64;
        let mut keep_chunk = |chunk: &Chunk| {
            chunks = chunks.saturating_add(1);
            keep.chunk(chunk)
        };
        let around =
            Surroundings { shadow: &mut paper, workers: worker, keep_chunk: &mut keep_chunk };
        let (account, host) = (name("replay")?, name("replay-host")?);
        let origin = format!("portcullis/{host}/{account}/1/recorded");
        let journal = Journal::create(keep.disk()?, &origin);
        let journal = journal.map_err(|fault| keep.fault(&fault.to_string()))?;
        let mut step = LockStep::new(Core::new(), journal.split(), around, self.start);

        let seed = self.recording.digest();
        let cast = Cast::new(seed, self.start, account.clone(), host.clone())
            .map_err(|refusal| internal(&refusal.cause()))?;
        let endpoint = cast.endpoint(self.recording.files());
        let release = cast.release(&self.wanted.plugin, self.loaded);
        let release = release.map_err(|error| internal(&error.to_string()))?;
        step.request(Input::Started(Box::new(self.started(&cast, &origin)))).map_err(run_fault)?;
        for signed in [&endpoint, &release] {
            let input = Input::Statement { request: 1, signed: signed.clone() };
            step.request(input).map_err(run_fault)?;
        }
        let session = self.session()?;
        // A recording's journal is kept by whoever ran it: nobody signs checkpoints of it.
        let (key, head) = (format!("{origin}+none"), step.head());
        let journal = JournalBinding { origin, key, size: head.size, root: head.root };
        let draft = Input::Draft { request: 2, session: session.clone(), journal: journal.clone() };
        step.request(draft).map_err(run_fault)?;
        let plan = Plan {
            session,
            plugin: self.wanted.plugin.clone(),
            params: self.wanted.params.clone(),
            loaded: self.loaded,
            instrument: &self.files.instrument,
            limits: &self.files.limits,
            phases: &self.files.phases,
            safety: self.files.safety.digest,
            balances: BTreeMap::from([(instrument.quote.clone(), self.wanted.balance)]),
            latency_ns: i64::try_from(latency_ns).unwrap_or(i64::MAX),
            fuel_per_batch_max: FUEL_PER_BATCH_MAX,
            start: self.start,
            window_ns: self.files.window_ns(),
            journal,
        };
        let approval = cast.approval(&plan, (&account, &host), (&endpoint, &release));
        let engine = self.loaded.engine.clone();
        let workers = vec![LoadedWorker { component: self.loaded.component, engine }];
        let open = Input::OpenSession { request: 3, approval, workers, burns: vec![] };
        step.request(open).map_err(run_fault)?;
        step.run(feed).map_err(run_fault)?;
        alive(step.core())?;
        let (who, reason) = ("replay".to_owned(), "RECORDING_OVER".to_owned());
        step.request(Input::CloseSession { request: 4, who, reason }).map_err(run_fault)?;
        step.settle().map_err(run_fault)?;
        alive(step.core())?;
        step.request(Input::Stop { who: host }).map_err(run_fault)?;
        let journal = step.finish().map_err(run_fault)?;
        Ok((chunks, journal))
    }

    fn started(&self, cast: &Cast, origin: &str) -> Start {
        let [a, b, c, d, ..] = self.recording.digest().0;
        Start {
            build: env!("CARGO_PKG_VERSION").to_owned(),
            draw: u32::from_be_bytes([a, b, c, d]),
            origin: origin.to_owned(),
            genesis: cast.genesis.clone(),
            pinned: cast.fingerprint,
            phases: self.files.phases.value.clone(),
            phases_digest: self.files.phases.digest,
            safety: self.files.safety.value.clone(),
            safety_digest: self.files.safety.digest,
            first: true,
            clean: false,
            torn_bytes: 0,
            damage: None,
        }
    }

    fn session(&self) -> Result<Name, CliError> {
        let digest: String = self.recording.digest().hex().chars().take(12).collect();
        let kind = if self.recording.is_synthetic() { "synthetic" } else { "replay" };
        name(&format!("{kind}-{digest}"))
    }

    /// Reads the journal back, as a stranger would, and takes everything reported from it.
    fn conclude(
        &self,
        feed: &RecordedFeed<'_>,
        keep: &Keep,
        (chunks, disk): (u64, &KeptDisk),
    ) -> Result<Outcome, CliError> {
        let journal = disk.journal().map_err(|fault| keep.fault(&fault.to_string()))?;
        let all = journal.slices();
        let range = sessions(&all, &KernelLeaves).pop();
        let entries = range.and_then(|range| all.get(range));
        let entries = entries.ok_or_else(|| internal("the session is not in the journal"))?;
        let closed = entries.last().and_then(|bytes| entry::decode(bytes).ok());
        let summary = closed.map_or(Value::Null, |entry| entry.body);
        Ok(Outcome {
            session: self.session()?,
            recording: self.recording.digest(),
            synthetic: self.recording.is_synthetic(),
            component: self.loaded.component,
            engine: self.loaded.engine.clone(),
            frames: feed.frames(),
            superseded_levels: feed.superseded_levels(),
            market: super::report::market_counts(&summary),
            clock_offset_ms: feed.clock_offset_ms(),
            root: session_root(entries, &KernelLeaves),
            summary,
            stopped: entries.iter().filter_map(|bytes| stopped(bytes)).collect(),
            entries: journal.end.head.size,
            chunks,
            kept: None,
        })
    }
}

/// Nobody kills a replay, so a kill is the house's own: core and paper model disagree.
fn alive(core: &Core) -> Result<(), CliError> {
    if core.is_killed() { Err(internal(&core.view().blocked.join("; "))) } else { Ok(()) }
}

/// What a `plugin-stopped` entry says.
fn stopped(bytes: &[u8]) -> Option<Stopped> {
    // Few entries of many are worth decoding.
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.contains(",\"kind\":\"plugin-stopped\",") {
        return None;
    }
    let entry = entry::decode(bytes).ok().filter(|entry| entry.kind == "plugin-stopped")?;
    let mut body = Fields::new(&entry.body).ok()?;
    let cause = body.text("cause").ok()?.to_owned();
    Some(Stopped { plugin: entry.corr, code: entry.reason, cause })
}

/// The paper model behind the driver's interface.
struct Paper(ShadowVenue);

impl ShadowMarket for Paper {
    fn submit(&mut self, order: &Shadow, at: WallNs) {
        let intent = order.item();
        let order = ShadowOrder {
            cl_ord_id: order.cl_ord_id(),
            side: intent.side,
            ord_type: intent.ord_type,
            time_in_force: intent.time_in_force,
            qty: intent.qty,
            price: intent.price,
        };
        self.0.submit(order, at);
    }

    fn amend(&mut self, change: &ShadowAmend, at: WallNs) {
        self.0.amend(*change.item(), at);
    }

    fn cancel(&mut self, id: ClOrdId, at: WallNs) {
        self.0.cancel(id, at);
    }

    fn on_market(&mut self, frame: &MarketFrame, at: WallNs) {
        self.0.on_market(frame, at);
    }

    fn next_due(&self) -> Option<WallNs> {
        self.0.next_due()
    }

    fn take_due(&mut self, now: WallNs) -> Vec<ExecutionReport> {
        self.0.take_due(now)
    }
}

fn read_files(args: &Args, wanted: &Wanted) -> Result<Files, CliError> {
    let component =
        read(&args.component, "build it with: cargo xtask guest, or name one with --component")?;
    let path = args.policies.join(&args.instrument);
    let next = "name the folder with --policies and the file in it with --instrument";
    let bytes = read(&path, next)?;
    let instrument = parse_instrument(&bytes, InstrumentId(0)).map_err(|e| bad(&path, &e))?;
    let of: Vec<Instrument> = vec![instrument.value.instrument.clone()];
    let path = args.policies.join("limits.toml");
    let strategies = std::slice::from_ref(&wanted.plugin);
    let limits = parse_limits(&read(&path, next)?, &of, strategies);
    let limits = limits.map_err(|error| bad(&path, &error))?;
    let path = args.policies.join("phases.toml");
    let phases = parse_phases(&read(&path, next)?).map_err(|error| bad(&path, &error))?;
    let path = args.policies.join("safety.toml");
    let safety = parse_safety(&read(&path, next)?).map_err(|error| bad(&path, &error))?;
    Ok(Files { component, instrument, limits, phases, safety })
}

/// Kernel and worker take turns in lock step and never run at once: on one processor the turn is
/// a switch, on two it is a wake-up of a sleeping one, which costs several times as much.
fn stay_on_one_cpu() {
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    let pinned = sched_setaffinity(None, &one);
    // Where this is not allowed, the replay is slower and says the same.
    debug_assert!(pinned.is_ok(), "a process may choose among its own processors");
}

fn start_worker(args: &Args) -> Result<LockStepWorker, CliError> {
    let beside = || {
        let program = std::env::current_exe().ok()?;
        Some(program.with_file_name("portcullis-sandbox"))
    };
    let path = args.sandbox.clone().or_else(beside).unwrap_or_default();
    stay_on_one_cpu();
    WorkerProcess::spawn(&path).map(LockStepWorker::new).map_err(|error| {
        let (subject, cause) = (path.display().to_string(), error.to_string());
        let next = "build it with: cargo build -p portcullis-sandbox, or name it with --sandbox";
        CliError::new(Exit::NotFound, "SANDBOX_MISSING", &subject, &cause, next)
    })
}

fn read(path: &Path, next: &str) -> Result<Vec<u8>, CliError> {
    let bytes = files::read(path, FILE_BYTES_MAX);
    bytes.map_err(|error| CliError { next: next.to_owned(), ..error })
}

fn bad(path: &Path, error: &PolicyError) -> CliError {
    let subject = path.display().to_string();
    let next = "correct the file; policies/README.md explains each key";
    CliError::new(Exit::BadConfig, error.code(), &subject, &error.cause(), next)
}

fn plugin_refused(fault: &PluginFault) -> CliError {
    let next = "portcullis plugin inspect FILE shows what it imports and exports";
    CliError::new(Exit::Refused, &fault.code, "the component", &fault.cause, next)
}

pub(super) fn refused(fault: &FeedFault) -> CliError {
    let next = match fault.code {
        "RECORDING_EMPTY" | "RECORDING_UNREADABLE" => {
            "name the folder that holds the recording's *.jsonl or *.jsonl.gz files"
        }
        "RECORDING_TOO_LONG" => "replay it in parts, each no longer than one session may be",
        _ => "fetch the recording again; a damaged one is never replayed in part",
    };
    CliError::new(Exit::CheckFailed, fault.code, &fault.place, &fault.cause, next)
}

fn empty(recording: &Recording) -> FeedFault {
    let place = format!("recording {}", recording.digest().hex());
    FeedFault { code: "RECORDING_EMPTY", place, cause: "it holds no frame".to_owned() }
}

fn run_fault(fault: RunFault) -> CliError {
    match fault {
        RunFault::Feed(fault) => refused(&fault),
        RunFault::Journal(fault) => {
            let next = "free space there, or name another place with --out";
            CliError::new(Exit::Temporary, fault.code(), "the journal", &fault.to_string(), next)
        }
        RunFault::Chunk(cause) => {
            let next = "free space there, or name another place with --out";
            CliError::new(Exit::Temporary, "CHUNK_UNWRITABLE", "a chunk", &cause, next)
        }
        RunFault::Refused { code, cause } => {
            let next = format!("portcullis explain {code}");
            CliError::new(Exit::Refused, &code, "the session", &cause, &next)
        }
    }
}

fn internal(cause: &str) -> CliError {
    CliError::new(Exit::Internal, "INTERNAL", "replay", cause, "report this as a fault of ours")
}

fn name(text: &str) -> Result<Name, CliError> {
    Name::new(text).ok_or_else(|| internal("a name of ours is not a name"))
}
