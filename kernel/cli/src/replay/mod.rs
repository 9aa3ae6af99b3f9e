//! `portcullis replay`: one phase-1 session on recorded market data, in lock step.
//!
//! Every frame is read, the book kept, quotes and trades given to the strategy, its intents judged
//! by the gate and filled by the paper model, and everything journalled. The run signs with a
//! throw-away roster and opens the gate through the same verification as any other session.

mod keep;
pub(crate) mod people;
mod recording;
mod report;
mod session;
mod synthetic;

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_domain::{Money, Name};

use crate::{CliError, Exit, out};
use recording::Recording;

/// Seed of the synthetic recording.
const SYNTHETIC_SEED: u64 = 20_260_101;

/// Runs a strategy over a recording (phase 1, shadow).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    portcullis replay ../shared/data/market/binance_spot/\n  \
    portcullis replay --component ema-cross.wasm --param fast=5 --param slow=20")]
pub(crate) struct Args {
    /// Folder of *.jsonl or *.jsonl.gz files; without it a small seeded recording is made.
    folder: Option<PathBuf>,
    /// Say outright that the recording is to be made.
    #[arg(long, conflicts_with = "folder")]
    synthetic: bool,
    /// The strategy's component.
    #[arg(long, default_value = "target/guest/components/ema-cross.wasm")]
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
    /// Keep the journal and the chunks in this new folder.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
#[expect(clippy::needless_pass_by_value, reason = "a verb takes its arguments, as all verbs do")]
pub(crate) fn run(args: Args) -> Result<(), CliError> {
    let wanted = args.wanted()?;
    let recording = match &args.folder {
        Some(folder) if !args.synthetic => {
            Recording::open(folder).map_err(|fault| session::refused(&fault))?
        }
        Some(_) | None => Recording::synthetic(synthetic::recording(SYNTHETIC_SEED)),
    };
    let outcome = session::run(&args, &wanted, &recording)?;
    let text = if args.json { report::json(&outcome) } else { report::text(&outcome) };
    out::result(&text)
}

/// What the arguments ask for, once they make sense.
#[derive(Debug)]
struct Wanted {
    plugin: Name,
    params: BTreeMap<String, String>,
    balance: Money,
}

impl Args {
    /// Judged before anything is read or made.
    fn wanted(&self) -> Result<Wanted, CliError> {
        Ok(Wanted { plugin: self.plugin_name()?, params: self.params()?, balance: self.balance()? })
    }

    fn plugin_name(&self) -> Result<Name, CliError> {
        Name::new(&self.plugin).ok_or_else(|| {
            let cause = "a name is 1 to 64 of a-z 0-9 . _ -";
            usage("PLUGIN_NAME", &self.plugin, cause, "choose such a name with --plugin")
        })
    }

    fn params(&self) -> Result<BTreeMap<String, String>, CliError> {
        let mut params = BTreeMap::new();
        for param in &self.params {
            let (key, value) = param.split_once('=').ok_or_else(|| {
                usage("PARAM_FORM", param, "not KEY=VALUE", "write --param fast=5")
            })?;
            if params.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(usage("PARAM_TWICE", key, "given twice", "give each parameter once"));
            }
        }
        Ok(params)
    }

    fn balance(&self) -> Result<Money, CliError> {
        let amount = Money::parse(&self.balance).ok().filter(|amount| *amount > Money::ZERO);
        amount.ok_or_else(|| {
            let cause = "not an amount above zero";
            usage("BALANCE_FORM", &self.balance, cause, "write --balance 10000")
        })
    }
}

fn usage(code: &str, subject: &str, cause: &str, next: &str) -> CliError {
    CliError::new(Exit::Usage, code, subject, cause, next)
}
