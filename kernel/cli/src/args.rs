//! The command line as typed. Examples come first in every help text.

use clap::{Parser, Subcommand};

use crate::replay;

/// A trading host for strategies that must not be trusted.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Step recorded inputs again and compare, or run a strategy over a recording.
    Replay(replay::Args),
}
