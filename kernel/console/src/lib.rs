//! What the command lines of this house share: one shape of a failure, its exit code, results on
//! stdout, and files that are read with a bound and written whole.

pub mod client;
#[cfg(test)]
mod double;
pub mod error;
pub mod files;
pub mod out;
#[cfg(test)]
mod scratch;

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;

pub use error::{CliError, Exit};

/// What `main` ends with.
#[must_use]
pub fn conclude(outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With stderr gone there is nobody left to tell; the exit code still speaks.
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::from(error.exit.code())
        }
    }
}

/// What the parser has to say: help is a result, everything else a failure in our one shape.
///
/// # Errors
/// `USAGE`, with what the parser did not understand.
pub fn help_or_usage(error: &clap::Error) -> Result<(), CliError> {
    let text = error.render().to_string();
    if error.exit_code() == 0 {
        return out::result(&text);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let (cause, next) = ("no verb was given", "portcullis --help");
        return Err(CliError::new(Exit::Usage, "USAGE", "command line", cause, next));
    }
    let (cause, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let cause = cause.strip_prefix("error: ").unwrap_or(cause);
    let cause: Vec<_> = cause.lines().map(str::trim).collect();
    let hint = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let next = hint.map_or_else(|| "portcullis VERB --help".to_owned(), str::to_owned);
    Err(CliError::new(Exit::Usage, "USAGE", "command line", &cause.join(" "), &next))
}
