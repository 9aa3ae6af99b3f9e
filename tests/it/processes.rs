//! Processes of tests: started, awaited, signalled, and never left behind.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long anything is waited for. Only what never comes takes that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at it.
pub(crate) const PAUSE: Duration = Duration::from_millis(30);
/// A process of the product, ended with its owner.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// As a crash would end it.
    pub(crate) fn kill(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Its exit code, once it has ended by itself.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> i32 {
        let status = await_until("the end of a program", || self.0.try_wait().unwrap());
        status.code().expect("ended by itself")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The end of [`PATIENCE`].
pub(crate) struct Deadline(Instant);

#[expect(clippy::disallowed_methods, reason = "bounds a wait; nothing is judged by it")]
impl Deadline {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() > self.0
    }
}

/// Waits until `look` gives something.
#[track_caller]
pub(crate) fn await_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::new();
    while !deadline.is_over() {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{what}: not seen in {PATIENCE:?}");
}

/// Sends a signal by name.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(sent.unwrap().success(), "kill -{name}");
}

/// The children of a process.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let parent_of = |process: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    };
    let names = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    let processes = names.filter_map(|name| name.to_str()?.parse().ok());
    processes.filter(|process| parent_of(*process) == Some(of)).collect()
}
