//! `portcullis request flatten-plan`: the way out of positions, after everything was taken back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_domain::time::NS_PER_S;
use portcullis_statement::{FlattenPlan, Slices};

use super::{Common, Setting, TargetArgs, finish, target};
use crate::CliError;
use crate::draft;

/// How long a plan runs at most where nothing else is asked for.
const MINUTES: u16 = 60;

/// Leaves positions after a kill or a cancel-all.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request flatten-plan --home demo-home --instrument BTC-USDT --slice 0.1 \
    --slippage-bps 40 --reason \"venue closes\" --out flatten.request")]
pub(crate) struct FlattenArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// What is left; may be given several times.
    #[arg(long = "instrument", value_name = "SYMBOL", required = true)]
    pub(crate) instruments: Vec<String>,
    /// Most base quantity of one slice.
    #[arg(long, value_name = "QTY")]
    pub(crate) slice: String,
    /// How much worse than the best price a slice may be, in basis points.
    #[arg(long, value_name = "BPS")]
    pub(crate) slippage_bps: u32,
    /// Between the end of one slice and the next, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub(crate) pause_ms: u32,
    /// How long the plan may run, from now.
    #[arg(long, value_name = "N", default_value_t = MINUTES)]
    pub(crate) minutes: u16,
    /// Why; printable ASCII.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// After which stop.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Drafts a flatten plan.
pub(crate) fn flatten_plan(args: &FlattenArgs) -> Result<(), CliError> {
    let (home, setting) = Setting::new(&args.home, &args.common)?;
    let slices = Slices {
        slice_qty_max: args.slice.clone(),
        slippage_bps_max: args.slippage_bps,
        slice_pause_ms: args.pause_ms,
    };
    let instruments = args.instruments.iter().map(|symbol| (symbol.clone(), slices.clone()));
    let plan = FlattenPlan {
        account: setting.installation.genesis.account.clone(),
        target: target(&home, &args.target)?,
        instruments: instruments.collect::<BTreeMap<_, _>>(),
        reason: args.reason.clone(),
    };
    let ns = i64::from(args.minutes).saturating_mul(60).saturating_mul(NS_PER_S);
    let desk = setting.desk(setting.now.plus_ns(ns));
    finish(&args.common, draft::flatten_plan(&desk, &plan))
}
