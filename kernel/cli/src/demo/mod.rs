//! `portcullis demo`: one session from nothing to a verified pack, with real processes.
//!
//! Everything here is done by the programs that a user would call: this module only calls them in
//! order, looks at what really happened (the daemon's view, the exchange's own log) and says so.
//! A step whose effect is not observed fails the demo.

mod acts;
mod props;
mod stage;
mod watch;

use std::path::PathBuf;

use crate::CliError;

/// Runs one session with real processes and explains what it shows.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis demo --component target/guest/components/ema-cross.wasm")]
pub(crate) struct Args {
    /// The strategy's component.
    #[arg(long, value_name = "FILE")]
    component: PathBuf,
    /// Folder of the policy files.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// Folder in which each run makes one of its own.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    dir: PathBuf,
}

/// Runs the demo.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let mut stage = stage::Stage::new(args)?;
    acts::show_component(&stage)?;
    acts::make_home(&stage)?;
    acts::start_programs(&mut stage)?;
    acts::refuse_what_is_not_signed(&mut stage)?;
    acts::trade(&mut stage)?;
    acts::crash_and_recover(&mut stage)?;
    acts::kill(&mut stage)?;
    acts::seal_and_verify(&mut stage)?;
    acts::say_what_is_next(&stage)
}
