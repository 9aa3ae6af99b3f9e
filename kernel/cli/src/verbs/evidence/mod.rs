//! `portcullis evidence`: packs and journals, judged, stepped again, shown and compared.

mod diff;
mod market;
mod replay;
mod rerun;
mod show;
mod source;
mod step;
mod verify;

use clap::Subcommand;

use crate::CliError;

/// Judges evidence.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Checks a pack step by step.
    Verify(verify::Args),
    /// Steps a pack's journal again and runs its plugins again, and compares.
    Replay(replay::Args),
    /// Shows entries: one, a range, an order's life, or the timeline.
    Show(show::Args),
    /// Compares two packs or two journals.
    Diff(diff::Args),
}

/// Runs the verb.
pub(crate) fn run(verb: EvidenceVerb) -> Result<(), CliError> {
    match verb {
        EvidenceVerb::Verify(args) => verify::run(&args),
        EvidenceVerb::Replay(args) => replay::run(&args),
        EvidenceVerb::Show(args) => show::run(&args),
        EvidenceVerb::Diff(args) => diff::run(&args),
    }
}
