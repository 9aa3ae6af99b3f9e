//! A daemon with everything around it, as real processes: an exchange, people with keys, and the
//! command line that they use. Each test has its own, under a short path, since the path of a
//! socket is short.

use crate::canary::CANARY;
use crate::processes::{Deadline, PATIENCE, PAUSE};
pub(crate) use crate::processes::{Program, await_until, children, signal};
use crate::venue_side::Outsider;
use portcullis_control::{Answer, Reconciliation, Reply, Request, SignedBytes, StatusView};
use portcullis_control::{read_frame, write_frame};
use portcullis_core::entry::{self, Decoded};
use portcullis_evidence::{JournalFolder, begun_epochs};
use portcullis_statement::Digest;
use portcullis_statement::json::{Fields, Value, parse};
use portcullis_tests::{program, project};
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The daemon's key, and another one for the same account.
const KEYS: [&str; 2] = [
    r#"{"key":"own","secret":"b3duIHNlY3JldA=="}"#,
    r#"{"key":"other","secret":"b3RoZXIgc2VjcmV0"}"#,
];

/// Names of the strategies in the sessions of these tests.
const STRATEGIES: [&str; 5] =
    ["actor", "hostile-spin", "hostile-trap", "hostile-memory-bomb", "hostile-intent-flood"];

/// What a command of the command line said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A signed request as it crosses the socket.
pub(crate) fn signed_bytes(file: &str) -> SignedBytes {
    let request = parse(fs::read(file).unwrap().trim_ascii_end()).unwrap();
    let mut fields = Fields::new(&request).unwrap();
    let text = |it: &Value| match it {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let signatures = fields.list("signatures").unwrap().iter().map(text).collect();
    SignedBytes {
        bytes: fields.text("statement").unwrap().as_bytes().to_vec(),
        signatures,
        burns: Vec::new(),
    }
}

/// A home and what belongs to it. Dropping it ends every process and removes every file.
pub(crate) struct House {
    dir: PathBuf,
    pub(crate) exchange: Option<Program>,
    pub(crate) daemon: Option<Program>,
    /// What stands in for the sandbox.
    pub(crate) sandbox: PathBuf,
    /// Public and private port of the exchange.
    pub(crate) ports: (u16, u16),
    requests: AtomicU32,
}

impl Drop for House {
    fn drop(&mut self) {
        self.daemon = None;
        self.exchange = None;
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.dir));
        }
    }
}

/// The limits of the project's strategy under every name that a session of these tests has: one
/// without limits of its own may not trade.
fn with_strategies(limits: &str) -> String {
    let (start, table) = limits.split_once("[strategies.ema-cross]").unwrap();
    let tables = STRATEGIES.map(|name| format!("[strategies.{name}]{table}"));
    start.to_owned() + &tables.concat()
}

impl House {
    /// A home and its people; nothing runs. `more_phases` is added to the phase rules.
    pub(crate) fn empty(more_phases: &str) -> Self {
        Self::empty_with(more_phases, &[])
    }

    /// The same; `more` goes to the making of the home.
    pub(crate) fn empty_with(more_phases: &str, more: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = PathBuf::from(format!("/tmp/pc-{}-{number}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        let policies = dir.join("policies");
        fs::create_dir_all(policies.join("instruments")).unwrap();
        for name in ["limits.toml", "instruments/kraken-btc-usd.toml"] {
            fs::copy(project().join("policies").join(name), policies.join(name)).unwrap();
        }
        // The limits of an instrument that is not there are refused with the file.
        let limits = fs::read_to_string(policies.join("limits.toml")).unwrap();
        let (start, rest) = limits.split_once("[instruments.BTC-USDT]").unwrap();
        let (_, end) = rest.split_once("[instruments.BTC-USD]").unwrap();
        let limits = format!("{}[instruments.BTC-USD]{end}", with_strategies(start));
        fs::write(policies.join("limits.toml"), limits).unwrap();
        // A test waits for no cooldown.
        let safety = fs::read_to_string(project().join("policies/safety.toml")).unwrap();
        let (start, rest) = safety.split_once("cooldown_ms").unwrap();
        let (_, end) = rest.split_once("]\n").unwrap();
        let steps = "cooldown_ms = 0\nsteps = [{ after_ms = 0, percent = 100 }]\n";
        fs::write(policies.join("safety.toml"), format!("{start}{steps}{end}")).unwrap();
        let phases = fs::read_to_string(project().join("policies/phases.toml")).unwrap();
        let planted = format!("{phases}\n# password: {CANARY}\n{more_phases}");
        fs::write(policies.join("phases.toml"), planted).unwrap();
        fs::write(dir.join("venue.json"), KEYS[0]).unwrap();
        let house = Self {
            dir,
            exchange: None,
            daemon: None,
            sandbox: program("portcullis-actor").unwrap(),
            ports: (0, 0),
            requests: AtomicU32::new(0),
        };
        let (home, pin, keys) = (house.text("home"), house.text("pin"), house.text("keys"));
        let (profile, policies) = (["--profile", "demo"], house.text("policies"));
        let arguments = ["init", &home, "--pin", &pin, "--keys", &keys, "--policies", &policies];
        house.must(&[&arguments, &profile[..], more].concat());
        house
    }

    /// Home, exchange and daemon, connected and compared.
    pub(crate) fn connected() -> Self {
        let mut house = Self::empty("");
        house.start_exchange();
        house.start_daemon();
        house.connect(house.ports.1);
        house
    }

    /// As [`House::connected`], with the actor released and installed.
    pub(crate) fn ready() -> Self {
        let house = Self::connected();
        house.release_actor("2");
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn start_exchange(&mut self) {
        let (own, other) = (key_entry(KEYS[0]), key_entry(KEYS[1]));
        fs::write(self.path("accounts.json"), format!("[{own},{other}]")).unwrap();
        let ready = self.path("ready.json");
        drop(fs::remove_file(&ready));
        let instrument = self.text("policies/instruments/kraken-btc-usd.toml");
        let mut command = Command::new(program("portcullis-exchange").unwrap());
        command.args(["serve", "--seed", "7", "--public-port", "0", "--private-port", "0"]);
        command.args(["--run-seconds-max", "900", "--instruments", &instrument]);
        command.args(["--credentials", &self.text("accounts.json")]);
        command.args(["--wire-log", &self.text("wire.jsonl")]);
        command.args(["--transfers", &self.text("transfers.jsonl")]);
        command.arg("--ready-file").arg(&ready);
        self.exchange = Some(self.spawn(command, "exchange.err"));
        self.ports = await_until("the exchange", || {
            let text = fs::read(&ready).ok()?;
            let ready = parse(text.trim_ascii_end()).ok()?;
            let port = |side| {
                let mut ready = Fields::new(&ready).unwrap();
                let port = ready.fields(side).unwrap().uint("port").unwrap();
                u16::try_from(port).unwrap()
            };
            Some((port("public"), port("private")))
        });
    }

    /// Keeps what was said, so that it can be looked through like every file.
    fn keep(&self, name: &str, said: &[u8]) {
        let mut log =
            fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        log.write_all(said).unwrap();
    }

    fn spawn(&self, mut command: Command, log: &str) -> Program {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path(log)).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Program(command.spawn().unwrap())
    }

    /// The daemon's command line; `more` goes after it.
    pub(crate) fn daemon_command(&self) -> Command {
        let mut command = Command::new(program("portcullisd").unwrap());
        command.args(["--home", &self.text("home"), "--pin", &self.text("pin")]);
        command.args(["--credential", &self.text("venue.json")]);
        command.arg("--sandbox").arg(&self.sandbox).env("PORTCULLIS_CANARY", CANARY);
        command
    }

    pub(crate) fn start_daemon(&mut self) {
        self.start_daemon_by(self.daemon_command());
    }

    #[track_caller]
    pub(crate) fn start_daemon_by(&mut self, command: Command) {
        self.daemon = Some(self.spawn(command, "daemon.err"));
        await_until("the daemon's first answer", || {
            let daemon = self.daemon.as_mut().unwrap();
            let ended = (!daemon.is_running()).then(|| fs::read_to_string(self.path("daemon.err")));
            assert!(ended.is_none(), "the daemon has ended: {ended:?}");
            self.status()
        });
    }

    /// Runs a daemon that does not start: its code, and all it said.
    #[track_caller]
    pub(crate) fn refused_start(&self, command: Command) -> (i32, String) {
        let log = self.path("refused.err");
        drop(fs::remove_file(&log));
        let code = self.spawn(command, "refused.err").exit_code();
        (code, fs::read_to_string(log).unwrap())
    }

    /// Ends the daemon in order.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.must(&["stop", "--home", &self.text("home")]);
        assert_eq!(self.daemon.take().unwrap().exit_code(), 0);
    }

    /// Ends the daemon as a crash would.
    pub(crate) fn crash(&mut self) {
        self.daemon.take().unwrap().kill();
    }

    /// Calls a verb of the command line.
    pub(crate) fn call(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(program("portcullis").unwrap());
        command.args(arguments).current_dir(&self.dir).stdin(Stdio::null());
        let output = command.output().unwrap();
        self.keep("said.log", &[&output.stdout[..], &output.stderr].concat());
        Said {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn must(&self, arguments: &[&str]) -> Said {
        let said = self.call(arguments);
        let daemon = fs::read_to_string(self.path("daemon.err")).unwrap_or_default();
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}; the daemon: {daemon}");
        said
    }

    /// Drafts a request, has everybody sign it, and gives its file.
    #[track_caller]
    pub(crate) fn signed(&self, what: &[&str]) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let file = self.text(&format!("request-{number}.json"));
        let (home, out) = (self.text("home"), ["--out", &file]);
        self.must(&[&["request"], what, &["--home", &home], &out].concat());
        let signers = |request: &Value| {
            let text = Fields::new(request).unwrap().text("statement").unwrap().to_owned();
            let statement = parse(text.as_bytes()).unwrap();
            let mut statement = Fields::new(&statement).unwrap();
            let list = statement.list("signers").unwrap().to_vec();
            let person = |it: &Value| Fields::new(it).unwrap().text("person").unwrap().to_owned();
            list.iter().map(person).collect::<Vec<_>>()
        };
        for person in signers(&parse(fs::read(&file).unwrap().trim_ascii_end()).unwrap()) {
            let key = self.text(&format!("keys/{person}"));
            self.must(&["sign", &file, "--key", &key, "--person", &person]);
        }
        file
    }

    /// Has an endpoint set signed and waits until account and house agree.
    #[track_caller]
    pub(crate) fn connect(&self, private: u16) {
        self.connect_by(self.ports.0, private);
    }

    #[track_caller]
    pub(crate) fn connect_by(&self, public: u16, private: u16) {
        let (public, private) = (public.to_string(), private.to_string());
        let ports = ["--public-port", &public, "--private-port", &private];
        let file = self.signed(&[&["endpoint-set"], &ports[..]].concat());
        self.must(&["submit", &file, "--home", &self.text("home")]);
        self.await_agreed();
    }

    #[track_caller]
    pub(crate) fn await_agreed(&self) -> StatusView {
        self.await_status("account and house agree", |view| {
            view.reconciliation == Reconciliation::Agreed
        })
    }

    #[track_caller]
    pub(crate) fn release_actor(&self, phase_max: &str) {
        let component = self.path("actor.wasm");
        fs::write(&component, b"\0asm: the actor needs no more").unwrap();
        self.release(&component, &self.sandbox, phase_max);
    }

    /// Releases and installs a component.
    #[track_caller]
    pub(crate) fn release(&self, component: &Path, sandbox: &Path, phase_max: &str) {
        let (file, sandbox) = (component.display().to_string(), sandbox.display().to_string());
        let of = ["plugin-release", "--component", &file, "--sandbox", &sandbox];
        let by = ["--author", "ana", "--phase-max", phase_max];
        let request = self.signed(&[&of[..], &by].concat());
        let home = self.text("home");
        self.must(&["submit", &request, "--home", &home]);
        self.must(&["plugin", "install", &file, "--home", &home]);
    }

    /// The signed approval of a session of the actor in a play.
    #[track_caller]
    pub(crate) fn approval(&self, phase: &str, session: &str, play: &str) -> String {
        let parameter = format!("play={play}");
        self.approval_of(&self.path("actor.wasm"), (phase, session), &[&parameter])
    }

    #[track_caller]
    pub(crate) fn approval_of(
        &self,
        component: &Path,
        (phase, session): (&str, &str),
        parameters: &[&str],
    ) -> String {
        let digest = Digest::of(&fs::read(component).unwrap()).hex();
        let plugin = format!("{}={digest}", component.file_stem().unwrap().to_str().unwrap());
        let mut what = vec!["session", "--phase", phase, "--session", session, "--minutes", "30"];
        what.extend(["--instrument", "BTC-USD", "--plugin", &plugin]);
        for parameter in parameters {
            what.extend(["--param", parameter]);
        }
        self.signed(&what)
    }

    /// Opens a phase-2 session of the actor and waits for what it is to lead to. A machine that is
    /// busy elsewhere may cost a plugin its deadline: that is no fault here, and it is tried again.
    #[track_caller]
    pub(crate) fn perform(&self, play: &str, reached: impl Fn(&StatusView) -> bool) -> StatusView {
        let home = self.text("home");
        for _ in 0..5 {
            let name = format!("s-{}", self.requests.load(Ordering::Relaxed));
            let approval = self.approval("2", &name, play);
            self.must(&["open", &approval, "--home", &home]);
            let view = self.await_status(play, |view| reached(view) || is_suspended(view));
            if reached(&view) {
                return view;
            }
            self.must(&["close", "--home", &home, "--reason", "the machine is busy"]);
        }
        panic!("{play}: the plugin was stopped each time");
    }

    /// Puts a request to a socket of the home; every answer, to the end.
    pub(crate) fn ask(&self, socket: &str, request: &Request) -> Option<Vec<Answer>> {
        let mut stream = UnixStream::connect(self.path("home").join(socket)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write_frame(&mut stream, &request.to_bytes().unwrap()).ok()?;
        let mut answers = Vec::new();
        while let Some(frame) = read_frame(&mut stream).ok()? {
            self.keep("answers.log", &frame);
            answers.push(Answer::from_bytes(&frame).unwrap());
        }
        Some(answers)
    }

    /// The code of a refusal.
    #[track_caller]
    pub(crate) fn refusal(&self, request: &Request) -> String {
        let answers = self.ask("control.sock", request).expect("an answer");
        let [Answer { result: Err(refused), .. }] = &answers[..] else { panic!("{answers:?}") };
        refused.code.clone()
    }

    pub(crate) fn status(&self) -> Option<StatusView> {
        let answers = self.ask("control.sock", &Request::Status)?;
        match &answers[..] {
            [Answer { result: Ok(Reply::Status(view)), .. }] => Some(view.clone()),
            _ => None,
        }
    }

    #[track_caller]
    pub(crate) fn await_status(
        &self,
        what: &str,
        reached: impl Fn(&StatusView) -> bool,
    ) -> StatusView {
        let deadline = Deadline::new();
        let mut last = None;
        while !deadline.is_over() {
            last = self.status();
            if let Some(view) = last.as_ref().filter(|view| reached(view)) {
                return view.clone();
            }
            std::thread::sleep(PAUSE);
        }
        let said = fs::read_to_string(self.path("daemon.err")).unwrap_or_default();
        panic!("{what}: not seen in {PATIENCE:?}; last {last:#?}; the daemon said {said:?}");
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.path("home/epochs/000001/journal/000001.journal")
    }

    /// The entries that are durable by now.
    pub(crate) fn journal(&self) -> Vec<Decoded> {
        let epochs = self.path("home/epochs");
        let read = |epoch| {
            let read = || portcullis_evidence::read(JournalFolder::of_epoch(&epochs, epoch));
            // The daemon may be in the middle of a write, which no reader without its watermark
            // tells from damage.
            let mut tries = (0..100).map(|_| read());
            tries.find_map(Result::ok).unwrap_or_else(|| read().unwrap()).entries
        };
        let entries = begun_epochs(&epochs).unwrap().into_iter().flat_map(read);
        entries.map(|entry| entry::decode(&entry).unwrap()).collect()
    }

    /// How many entries of a kind there are.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.journal().iter().filter(|entry| entry.kind == kind).count()
    }

    /// The ids of all orders that the exchange was asked to place, in its own words.
    pub(crate) fn orders_at_exchange(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("wire.jsonl")).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let order = |line: &str| {
            let line = parse(line.as_bytes()).unwrap();
            let mut line = Fields::new(&line).unwrap();
            let asked = line.text("event") == Ok("request");
            let order = asked && line.text("method") == Ok("add_order");
            order.then(|| line.text("cl_ord_id").unwrap_or_default().to_owned())
        };
        whole.lines().filter_map(order).collect()
    }

    /// Somebody else with a key to the same account.
    pub(crate) fn outsider(&self) -> Outsider {
        Outsider::new(self.ports.1, KEYS[1])
    }

    /// Somebody sends this to the account, or from it if it is below zero.
    pub(crate) fn transfer(&self, currency: &str, amount: &str) {
        let line =
            format!("{{\"account\":\"a\",\"currency\":\"{currency}\",\"amount\":\"{amount}\"}}\n");
        let path = self.path("transfers.jsonl");
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// Two people lift the kill.
    #[track_caller]
    pub(crate) fn unkill(&self) -> String {
        let file = self.signed(&["unkill", "--reason", "understood"]);
        self.must(&["submit", &file, "--home", &self.text("home")]);
        file
    }
}

pub(crate) fn is_suspended(view: &StatusView) -> bool {
    view.reasons.iter().any(|reason| reason.starts_with("PLUGIN_SUSPENDED"))
}

fn key_entry(credential: &str) -> String {
    let fields = credential.strip_suffix('}').unwrap();
    format!(r#"{fields},"account":"a","balances":{{"USD":"100000","BTC":"0"}}}}"#)
}
