//! `portcullis request release`: a person's word about one proposal, as it waits now.

use std::path::PathBuf;

use portcullis_statement::Release;

use super::{Common, Setting, finish};
use crate::verbs::{by_hand, proposal};
use crate::{CliError, Exit, draft};

/// Releases one proposal.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request release pc0123456700000001 --home demo-home --out release.request")]
pub(crate) struct WordArgs {
    /// The proposal; `proposal list` shows what waits.
    #[arg(value_name = "ID", value_parser = by_hand::order_id)]
    pub(crate) proposal: String,
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Drafts a release of what the daemon shows now, in the market that it shows.
pub(crate) fn release(args: &WordArgs) -> Result<(), CliError> {
    let (home, setting) = Setting::new(&args.home, &args.common)?;
    let listed = proposal::ask(&home.control_socket())?;
    let mut waiting = listed.waiting.into_iter();
    let found = waiting.find(|waiting| waiting.shown.proposal.to_string() == args.proposal);
    let refuse = |exit, code: &str, cause: &str, next: &str| {
        CliError::new(exit, code, &args.proposal, cause, next)
    };
    let waiting = found.ok_or_else(|| {
        if listed.left_out > 0 {
            let cause = format!("the list ends {} proposals before the newest", listed.left_out);
            let next = "release what is older, or wait until its time is over";
            return refuse(Exit::Temporary, "PROPOSALS_LEFT_OUT", &cause, next);
        }
        let next = "portcullis proposal list shows what waits";
        refuse(Exit::NotFound, "PROPOSAL_UNKNOWN", "no such proposal waits", next)
    })?;
    let (bid, ask) = waiting.market.ok_or_else(|| {
        let cause = "there is no market to release it in";
        refuse(Exit::Temporary, "NO_REFERENCE_PRICE", cause, "wait for the next quote")
    })?;
    let word = Release {
        account: setting.installation.genesis.account.clone(),
        origin: listed.origin,
        digest: waiting.shown.digest(),
        shown: waiting.shown,
        bid,
        ask,
    };
    finish(&args.common, draft::release(&setting.desk(waiting.expires), &word))
}
