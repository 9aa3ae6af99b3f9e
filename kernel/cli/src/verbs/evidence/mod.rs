//! `portcullis evidence`: packs and journals, judged, stepped again, shown and compared.

mod diff;
mod epoch;
mod export;
mod market;
mod replay;
mod rerun;
mod show;
mod source;
mod step;
mod timestamp;
mod verify;

use clap::Subcommand;

use crate::CliError;

/// Judges evidence.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Checks a pack step by step, or the folder of an epoch.
    Verify(verify::Args),
    /// Steps a pack's journal again and runs its plugins again, and compares.
    Replay(replay::Args),
    /// Shows entries: one, a range, an order's life, or the timeline.
    Show(show::Args),
    /// Compares two packs or two journals.
    Diff(diff::Args),
    /// Exports one entry as a c2sp.org/tlog-proof.
    Export(export::Args),
    /// Has a checkpoint stamped by a time-stamping authority.
    Timestamp(timestamp::Args),
}

/// Runs the verb.
pub(crate) fn run(verb: EvidenceVerb) -> Result<(), CliError> {
    match verb {
        EvidenceVerb::Verify(args) if epoch::is_epoch(&args.pack.folder) => {
            epoch::run(&args.pack.folder, args.key.as_deref(), args.pack.json)
        }
        EvidenceVerb::Verify(args) => verify::run(&args),
        EvidenceVerb::Replay(args) => replay::run(&args),
        EvidenceVerb::Show(args) => show::run(&args),
        EvidenceVerb::Diff(args) => diff::run(&args),
        EvidenceVerb::Export(args) => export::run(&args),
        EvidenceVerb::Timestamp(args) => timestamp::run(&args),
    }
}
