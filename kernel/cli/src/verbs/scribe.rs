//! `portcullis scribe`: done by another program, that lies beside this one. What it links, table
//! formats and stores, stays out of the program with which people operate a house.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_evidence::pack::RENDERINGS_FOLDER;

use crate::files::{exists, io_error, shown};
use crate::{CliError, Exit};

/// The program.
const PROGRAM: &str = "portcullis-scribe";

/// Hands everything on to portcullis-scribe.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// What portcullis-scribe is to do.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "VERB")]
    pub(crate) arguments: Vec<OsString>,
}

/// Runs the verb: this process becomes the scribe.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let program = beside_us()?;
    let error = Command::new(&program).args(&args.arguments).exec();
    Err(io_error(&program, &error, "install portcullis and portcullis-scribe of one release"))
}

/// Whether a pack has renderings: the scribe makes them again and compares, byte for byte.
pub(crate) fn check_pack(pack: &Path) -> Result<bool, CliError> {
    if !exists(&pack.join(RENDERINGS_FOLDER)) {
        return Ok(false);
    }
    let program = beside_us()?;
    let mut command = Command::new(&program);
    command.arg("render").arg("--check").arg("--").arg(pack);
    let output = command.output().map_err(|error| io_error(&program, &error, "try again"))?;
    if output.status.success() {
        return Ok(true);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(read_error(&said).unwrap_or_else(|| {
        let (cause, next) = (format!("it ended with {}", output.status), "run it by hand");
        CliError::new(Exit::Internal, "SCRIBE_FAILED", &shown(&program), &cause, next)
    }))
}

/// A failure in the one shape in which every program of ours tells it.
fn read_error(said: &str) -> Option<CliError> {
    let (first, next) = said.trim_end().split_once("\nnext: ")?;
    let (code, rest) = first.strip_prefix("error[")?.split_once("] ")?;
    let (subject, cause) = rest.split_once(": ")?;
    Some(CliError::new(Exit::CheckFailed, code, subject, cause, next))
}

/// The scribe beside this program: never one that merely lies along PATH.
fn beside_us() -> Result<PathBuf, CliError> {
    let ours = std::env::current_exe().map_err(|error| {
        io_error(Path::new("portcullis"), &error, "check that /proc is mounted")
    })?;
    let program = ours.with_file_name(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    let cause = "it belongs beside portcullis, and is not there";
    let next = "cargo build -p portcullis-scribe, or install the release's portcullis-scribe";
    Err(CliError::new(Exit::NotFound, "SCRIBE_MISSING", &shown(&program), cause, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scribes_failure_is_read_back_as_it_was_told() {
        let told = CliError::new(Exit::CheckFailed, "RENDERINGS_DIFFER", "a.b", "not: so", "look");
        assert_eq!(read_error(&format!("{told}\n")), Some(told));
        assert_eq!(read_error("thread 'main' panicked"), None);
    }

    /// The tests' own program has no scribe beside it.
    #[test]
    fn a_missing_scribe_is_named_and_no_pack_without_renderings_needs_one() {
        let error = run(&Args { arguments: Vec::new() }).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit), ("SCRIBE_MISSING", Exit::NotFound));
        assert_eq!(check_pack(Path::new("no/such/pack")), Ok(false));
    }
}
