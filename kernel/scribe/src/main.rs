//! `portcullis-scribe`, which `portcullis scribe` starts: what is made from evidence after the
//! fact, beside the daemon and without its rights: renderings of a session, copies, mirrors.
//! Nothing that it makes is evidence; what it makes is bound to the evidence that it was made from.
//!
//! It is a program of its own so that what it needs for that, table formats and stores and their
//! libraries, is linked into nothing with which people operate a house or judge its evidence.

mod copies;
mod line;
mod market;
mod mirror;
mod parquet;
mod render;
mod report;
mod source;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use portcullis_console::{CliError, Exit, client, files, out};

/// Makes things from evidence.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis-scribe",
    bin_name = "portcullis scribe",
    version,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs.
#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Renders a session as report.html and as Parquet tables.
    Render(render::Args),
    /// Copies a home's evidence elsewhere, each file once.
    Copy(copies::CopyArgs),
    /// Says what of a home is copied.
    Status(copies::StatusArgs),
    /// Publishes a home's entries to a NATS server.
    Mirror(mirror::Args),
}

fn main() -> ExitCode {
    portcullis_console::conclude(match Cli::try_parse() {
        Ok(cli) => run(&cli.verb),
        Err(error) => portcullis_console::help_or_usage(&error),
    })
}

fn run(verb: &Verb) -> Result<(), CliError> {
    match verb {
        Verb::Render(args) => render::run(args),
        Verb::Copy(args) => copies::copy(args),
        Verb::Mirror(args) => mirror::run(args),
        Verb::Status(args) => copies::status(args),
    }
}
