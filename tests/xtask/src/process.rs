//! Child processes: started with a clean environment, waited for, never left behind.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// What went wrong, why, and what to type next.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What we were doing.
    pub(crate) subject: String,
    /// Why it did not work.
    pub(crate) cause: String,
    /// The next command, or the next thing to look at.
    pub(crate) next: String,
}

impl Failure {
    pub(crate) fn new(
        subject: impl Into<String>,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { subject: subject.into(), cause: cause.into(), next: next.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "xtask: {}: {}\n  next: {}", self.subject, self.cause, self.next)
    }
}

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project().join(folder),
        None => project().join("target"),
    }
}

/// Whether `program` is found along PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A cargo that sees what the developer's shell would give it.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(arguments).current_dir(project());
    command
}

/// A program that calls cargo, and sees what the developer's shell would give it.
///
/// `cargo run` sets variables about this very package. Some build scripts watch them, and would
/// build everything anew each time a person and this tool take turns.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs to the end with our own output; anything but success is a failure that names `next`.
pub(crate) fn run(mut command: Command, subject: &str, next: &str) -> Result<(), Failure> {
    let status = command.status().map_err(|error| not_started(subject, &command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(subject, format!("ended with {status}"), next))
}

/// Runs to the end and returns what it wrote to its standard output.
pub(crate) fn read(mut command: Command, subject: &str, next: &str) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(subject, &command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(Failure::new(subject, format!("{}: {last}", output.status), next))
}

/// Whether it ends in success within so many tenths of a second. It is silent, and ended if late.
pub(crate) fn succeeds_within(mut command: Command, tenths: u32) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    for _ in 0..tenths {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(100)),
            Err(_) => break,
        }
    }
    // Best effort: what matters is that it is not waited for any longer.
    if child.kill().is_ok() {
        return child.wait().is_ok_and(|status| status.success());
    }
    false
}

/// Runs to the end, passes each line on to our own output and to `see`. True for success.
pub(crate) fn watch(
    mut command: Command,
    subject: &str,
    mut see: impl FnMut(&str),
) -> Result<bool, Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(subject, &command, &error))?;
    let (sender, lines) = sync_channel(1024);
    thread::scope(|scope| {
        for stream in [
            child.stdout.take().map(|stream| -> Box<dyn Read + Send> { Box::new(stream) }),
            child.stderr.take().map(|stream| -> Box<dyn Read + Send> { Box::new(stream) }),
        ] {
            let sender = sender.clone();
            scope.spawn(move || stream.into_iter().for_each(|stream| forward(stream, &sender)));
        }
        drop(sender);
        for line in lines {
            println!("{line}");
            see(&line);
        }
    });
    let status = child.wait().map_err(|error| not_started(subject, &command, &error))?;
    Ok(status.success())
}

fn forward(stream: Box<dyn Read + Send>, lines: &SyncSender<String>) {
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

fn not_started(subject: &str, command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::new(subject, format!("{program} could not be run: {error}"), "cargo xtask setup")
}

/// A program that is asked to end when we end, however we end.
///
/// An interrupt from the terminal reaches it anyway, because it stays in our process group. For
/// every other end (a signal to us alone) the kernel tells it, where `setpriv` can arrange that.
pub(crate) fn bound_to_us(program: &Path) -> Command {
    if !on_path("setpriv") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

/// Processes of our own group that still run a program from `folder`: their ids and names.
pub(crate) fn left_behind(folder: &Path) -> Vec<(u32, String)> {
    let Some(group) = process_group(std::process::id()) else { return Vec::new() };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| *id != std::process::id() && process_group(*id) == Some(group))
        .filter_map(|id| {
            let program = fs::read_link(format!("/proc/{id}/exe")).ok()?;
            let ours = program.parent() == Some(folder);
            ours.then(|| (id, program.display().to_string()))
        })
        .collect()
}

/// The fifth field of `/proc/<id>/stat`, counted behind the program's name, which may hold spaces.
fn process_group(id: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_and_the_outcome_are_seen() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut seen = Vec::new();
        let success = watch(command, "sh", |line| seen.push(line.to_owned())).unwrap();
        seen.sort();
        assert_eq!((success, seen), (false, vec!["err".to_owned(), "out".to_owned()]));
    }

    #[test]
    fn a_failure_names_subject_cause_and_next_command() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo the cause >&2; exit 3"]);
        let text = read(command, "asking the shell", "try again").unwrap_err().to_string();
        assert_eq!(text, "xtask: asking the shell: exit status: 3: the cause\n  next: try again");
        let absent = run(Command::new("no-such-program"), "asking", "try again").unwrap_err();
        assert_eq!(absent.next, "cargo xtask setup");
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let check = |script: &str, expect: bool| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            assert_eq!(succeeds_within(command, 20), expect, "{script}");
        };
        check("exit 0", true);
        check("exit 3", false);
        check("exec sleep 60", false);
    }

    #[test]
    fn a_child_that_still_runs_is_found_by_its_program() {
        let sleep = fs::canonicalize("/bin/sleep").unwrap();
        let mut child = Command::new(&sleep).arg("30").spawn().unwrap();
        let wanted = (child.id(), sleep.display().to_string());
        let mut found = false;
        for _ in 0..100 {
            // Between fork and exec the child still shows our own program.
            found = found || left_behind(sleep.parent().unwrap()).contains(&wanted);
            thread::sleep(Duration::from_millis(10));
            if found {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
        assert!(!left_behind(sleep.parent().unwrap()).contains(&wanted));
    }
}
