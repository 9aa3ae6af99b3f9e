//! The stage of the demo: a folder, the programs that run, and the way to call them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::Args;
use crate::{CliError, Exit, clock};

/// How long a socket path may be: the operating system keeps 108 bytes.
const SOCKET_PATH_MAX: usize = 100;
/// How often something that is awaited is looked at.
const POLLS_PER_SECOND: u64 = 50;
/// Between two looks.
const POLL: Duration = Duration::from_millis(1_000 / POLLS_PER_SECOND);

/// A program of the demo; dropping it ends the process.
#[derive(Debug)]
pub(super) struct Program(Child);

impl Program {
    /// Ends it at once, as a crash would.
    pub(super) fn kill(&mut self) {
        // One that has ended already needs no ending.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Everything the acts share.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) component: PathBuf,
    pub(super) policies: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) exchange: Option<Program>,
    pub(super) daemon: Option<Program>,
    /// SHA-256 of the component.
    pub(super) sha: String,
    /// Packs written so far.
    pub(super) packs: Vec<PathBuf>,
}

/// What one command said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) exit: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Said {
    /// The value of a `name  value` line.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.stdout.lines().filter_map(|line| line.trim().strip_prefix(name));
        lines
            .find(|rest| rest.starts_with([' ', ':']))
            .map(|rest| rest.trim_start_matches([' ', ':']))
    }
}

impl Stage {
    /// Makes the folder of this run.
    pub(super) fn new(args: &Args) -> Result<Self, CliError> {
        let stamp = clock::now()?.folder_stamp();
        let unwritable = |path: &Path, error: &std::io::Error| {
            let next = "choose a folder that this user can write: portcullis demo --dir DIR";
            let subject = path.display().to_string();
            CliError::new(Exit::BadConfig, "DEMO_DIR", &subject, &error.to_string(), next)
        };
        let base = std::path::absolute(&args.dir).map_err(|e| unwritable(&args.dir, &e))?;
        let dir = base.join(&stamp);
        if dir.join("home").join("control.sock").as_os_str().len() > SOCKET_PATH_MAX {
            let next = "choose a shorter path: portcullis demo --dir DIR";
            let cause = "too long for a Unix socket";
            let subject = dir.display().to_string();
            return Err(CliError::new(Exit::BadConfig, "PATH_TOO_LONG", &subject, cause, next));
        }
        for folder in ["requests", "exchange", "logs"] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        }
        Ok(Self {
            component: args.component.clone(),
            policies: args.policies.clone(),
            dir,
            exchange: None,
            daemon: None,
            sha: String::new(),
            packs: Vec::new(),
        })
    }

    /// A path of this run.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The daemon's home.
    pub(super) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Text of a path of this run, for a command line.
    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Starts one of our programs, with its output kept in the run's folder.
    pub(super) fn start(&self, program: &str, arguments: &[&str]) -> Result<Program, CliError> {
        let own = std::env::current_exe().map_err(|error| failed("this program", &error))?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(&format!("logs/{program}.log")))
            .map_err(|error| failed("a log", &error))?;
        let child = Command::new(own.with_file_name(program))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        child.map(Program).map_err(|error| failed(program, &error))
    }

    /// What a program wrote to its log.
    pub(super) fn log(&self, program: &str) -> String {
        fs::read_to_string(self.path(&format!("logs/{program}.log"))).unwrap_or_default()
    }

    /// Waits until `look` gives something, for at most `seconds`.
    pub(super) fn await_until<T>(
        &self,
        what: &str,
        seconds: u64,
        mut look: impl FnMut(&Self) -> Result<Option<T>, CliError>,
    ) -> Result<T, CliError> {
        for _ in 0..seconds.saturating_mul(POLLS_PER_SECOND) {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            std::thread::sleep(POLL);
        }
        let daemon = self.log("portcullisd");
        let reasons = self.status().map_or_else(String::new, |view| view.reasons.join("; "));
        let cause = format!("not seen within {seconds} s; status: {reasons}; log: {daemon}");
        Err(unexpected(what, &cause))
    }

    /// Signs a request file as these people.
    pub(super) fn sign(&self, file: &str, people: &[&str]) -> Result<(), CliError> {
        for person in people {
            let key = self.text(&format!("keys/{person}"));
            must(&["sign", &self.text(file), "--key", &key, "--person", person])?;
        }
        Ok(())
    }
}

/// Calls this program with a verb, as a person would.
pub(super) fn call(arguments: &[&str]) -> Result<Said, CliError> {
    let program = std::env::current_exe().map_err(|error| failed("this program", &error))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.map_err(|error| failed("portcullis", &error))?;
    Ok(Said {
        exit: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Calls a verb that must succeed.
pub(super) fn must(arguments: &[&str]) -> Result<Said, CliError> {
    let said = call(arguments)?;
    if said.exit == 0 {
        return Ok(said);
    }
    let command = arguments.join(" ");
    Err(unexpected(&command, &format!("it ended with {}: {}", said.exit, said.stderr.trim())))
}

/// Says what happened and why it matters, in one line.
pub(super) fn tell(step: u8, happened: &str, matters: &str) -> Result<(), CliError> {
    let line = format!("{step}. {happened}\n   {matters}\n");
    let mut out = std::io::stdout();
    let told = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    told.map_err(|error| failed("stdout", &error))
}

/// Something did not have the effect that the demo is to show.
pub(super) fn unexpected(subject: &str, cause: &str) -> CliError {
    let next = "this is a fault of ours: keep the demo's folder and report it";
    CliError::new(Exit::Internal, "DEMO_FAILED", subject, cause, next)
}

fn failed(subject: &str, error: &std::io::Error) -> CliError {
    let next = "build all programs: cargo xtask demo does";
    CliError::new(Exit::NotFound, "PROGRAM", subject, &error.to_string(), next)
}
