//! `portcullis`: the command line. It has no right of its own: what needs one goes through the
//! daemon's socket, and the rest works on files.

mod args;
mod error;
mod replay;
mod worker;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Verb};
pub(crate) use error::{CliError, Exit};

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Replay(args) => replay::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With stderr gone there is nobody left to tell; the exit code still speaks.
            let told = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(if told.is_ok() { error.exit.code() } else { Exit::Internal.code() })
        }
    }
}
