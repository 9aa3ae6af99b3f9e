//! `portcullis replay`: one phase-1 session on recorded market data, in lock step.
//!
//! Every frame is read, the book kept, quotes and trades given to the strategy, its intents judged
//! by the gate and filled by the paper model, and everything journalled. The run signs with a
//! throw-away roster and opens the gate through the same verification as any other session.

mod people;
mod recording;
mod report;
mod session;
mod synthetic;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use portcullis_domain::{Money, Name};

use crate::{CliError, Exit};
use recording::Recording;

/// Seed of the synthetic recording.
const SYNTHETIC_SEED: u64 = 20_260_101;

/// Runs a strategy over a recording (phase 1, shadow).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    portcullis replay ../shared/data/market/binance_spot --component ema-cross.wasm\n  \
    portcullis replay --synthetic --component ema-cross.wasm --param fast=5 --param slow=20")]
pub(crate) struct Args {
    /// Folder of *.jsonl or *.jsonl.gz files.
    #[arg(required_unless_present = "synthetic", conflicts_with = "synthetic")]
    folder: Option<PathBuf>,
    /// Make a small seeded recording instead of reading one.
    #[arg(long)]
    synthetic: bool,
    /// The strategy's component.
    #[arg(long)]
    component: PathBuf,
    /// Name of the strategy.
    #[arg(long, default_value = "ema-cross")]
    plugin: String,
    /// A parameter of the strategy; may be given several times.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Folder of the policy files.
    #[arg(long, default_value = "policies")]
    policies: PathBuf,
    /// The instrument's file within the policies.
    #[arg(long, default_value = "instruments/binance-btc-usdt.toml")]
    instrument: PathBuf,
    /// Starting balance of the shadow account in the quote currency.
    #[arg(long, default_value = "10000")]
    balance: String,
    /// Latency of the paper model each way, in microseconds.
    #[arg(long, default_value_t = 2_000)]
    latency_us: u32,
    /// The sandbox program; by default the one beside this program.
    #[arg(long)]
    sandbox: Option<PathBuf>,
    /// Keep journal, statements and chunks in this new folder.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: Args) -> Result<(), CliError> {
    let recording = match &args.folder {
        Some(folder) => Recording::open(folder).map_err(|fault| session::refused(&fault))?,
        None => Recording::synthetic(synthetic::recording(SYNTHETIC_SEED)),
    };
    let outcome = session::run(&args, &recording)?;
    let text = if args.json { report::json(&outcome) } else { report::text(&outcome) };
    writeln!(std::io::stdout(), "{text}").map_err(|error| {
        let next = "run the command again with its output kept";
        CliError::new(Exit::Internal, "OUTPUT_LOST", "stdout", &error.to_string(), next)
    })
}

impl Args {
    fn plugin_name(&self) -> Result<Name, CliError> {
        Name::new(&self.plugin).ok_or_else(|| {
            let cause = "a name is 1 to 64 of a-z 0-9 . _ -";
            usage("PLUGIN_NAME", &self.plugin, cause, "choose such a name with --plugin")
        })
    }

    fn params(&self) -> Result<BTreeMap<String, String>, CliError> {
        let split = |param: &String| {
            let pair = param.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            pair.ok_or_else(|| usage("PARAM_FORM", param, "not KEY=VALUE", "write --param fast=5"))
        };
        self.params.iter().map(split).collect()
    }

    fn balances(&self, quote: &str) -> Result<BTreeMap<String, Money>, CliError> {
        let amount = Money::parse(&self.balance).ok().filter(|amount| *amount > Money::ZERO);
        let amount = amount.ok_or_else(|| {
            let cause = "not an amount above zero";
            usage("BALANCE_FORM", &self.balance, cause, "write --balance 10000")
        })?;
        Ok(BTreeMap::from([(quote.to_owned(), amount)]))
    }
}

fn usage(code: &str, subject: &str, cause: &str, next: &str) -> CliError {
    CliError::new(Exit::Usage, code, subject, cause, next)
}
