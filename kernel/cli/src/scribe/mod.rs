//! `portcullis scribe`: what is made from evidence after the fact, beside the daemon and without
//! its rights: renderings of a session, copies, mirrors. Nothing that it makes is evidence; what it
//! makes is bound to the evidence that it was made from.

mod copies;
mod line;
mod market;
mod mirror;
mod parquet;
pub(crate) mod render;
mod report;
mod source;
#[cfg(test)]
mod testing;

use clap::Subcommand;

use crate::CliError;

/// Makes things from evidence.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ScribeVerb {
    /// Renders a session as report.html and as Parquet tables.
    Render(render::Args),
    /// Copies a home's evidence elsewhere, each file once.
    Copy(copies::CopyArgs),
    /// Says what of a home is copied.
    Status(copies::StatusArgs),
    /// Publishes a home's entries to a NATS server.
    Mirror(mirror::Args),
}

/// Runs the verb.
pub(crate) fn run(verb: &ScribeVerb) -> Result<(), CliError> {
    match verb {
        ScribeVerb::Render(args) => render::run(args),
        ScribeVerb::Copy(args) => copies::copy(args),
        ScribeVerb::Mirror(args) => mirror::run(args),
        ScribeVerb::Status(args) => copies::status(args),
    }
}
