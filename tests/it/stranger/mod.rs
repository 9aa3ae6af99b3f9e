//! A judge that shares no code with us: Go's own packages for transparency logs, in
//! `tests/e2e/stranger`. What we say of a log, it must say too.

mod kinds;
mod stamp;
mod table;
mod verbs;
mod witness;

#[path = "../../../kernel/evidence/tests/it/epoch.rs"]
mod epoch;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use portcullis_tests::project;

/// The running judge. It ends when its input does.
pub(crate) struct Stranger {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Stranger {
    /// `None` with a line that says so where it is not built: a machine without Go has none.
    pub(crate) fn start() -> Option<Self> {
        let program = project().join("target/stranger/stranger");
        if !program.is_file() {
            eprintln!("SKIPPED: the stranger is not built: cargo xtask stranger");
            return None;
        }
        let mut command = Command::new(program);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, questions, answers })
    }

    /// What it found, or why it does not believe it.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Result<String, String> {
        writeln!(self.questions.as_mut().unwrap(), "{}", words.join("\t")).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        match answer.trim_end().split_once(' ') {
            Some(("ok", found)) => Ok(found.to_owned()),
            Some(("no", why)) => Err(why.to_owned()),
            _ => panic!("the stranger said {answer:?} to {words:?}"),
        }
    }

    /// A whole log: size and root.
    pub(crate) fn log(&mut self, folder: &Path, vkey: &str) -> Result<String, String> {
        self.ask(&["log", &folder.display().to_string(), vkey])
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(self.questions.take());
        drop(self.child.wait());
    }
}
