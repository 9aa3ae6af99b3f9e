//! What can be typed after `portcullis request`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{FlattenArgs, SessionArgs, WordArgs};
use crate::verbs::sign::{AttachArgs, ExtractArgs};

/// Drafts what people then review, sign and submit.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RequestVerb {
    /// Lets a plugin in: author and governance sign.
    PluginRelease(ReleaseArgs),
    /// Says where sessions may connect to: governance and another sign.
    EndpointSet(EndpointArgs),
    /// Approves one session: those sign whom the phase rules name.
    Session(SessionArgs),
    /// Loosens limits from the next session on: two sign, one as governance or risk.
    LimitsChange(LimitsChangeArgs),
    /// Lifts the present kill, or a smaller stop: two people sign.
    Unkill(UnkillArgs),
    /// Leaves positions after a kill or a cancel-all: operator and risk sign.
    FlattenPlan(FlattenArgs),
    /// Releases one proposal: an operator signs by touch.
    Release(WordArgs),
    /// Closes a session's evidence: operator and approver sign.
    Seal(SealArgs),
    /// Writes the bytes that are signed, for other tools.
    Extract(ExtractArgs),
    /// Adds a signature that was made by other tools.
    Attach(AttachArgs),
}

/// What every draft needs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// The new request file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Who signs, in which role; may be given several times [default: the first who may].
    #[arg(long = "signer", value_name = "PERSON:ROLE")]
    pub(crate) signers: Vec<String>,
}

/// Lets a plugin in.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request plugin-release --home demo-home --component ema-cross.wasm --author ana \
    --phase-max 3 --out release.request")]
pub(crate) struct ReleaseArgs {
    /// The home, for its genesis.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// The component.
    #[arg(long, value_name = "FILE")]
    pub(crate) component: PathBuf,
    /// Who wrote it.
    #[arg(long, value_name = "NAME")]
    pub(crate) author: String,
    /// Highest phase in which it may run.
    #[arg(long, value_name = "N")]
    pub(crate) phase_max: u8,
    /// The plugin's name [default: the file's].
    #[arg(long, value_name = "NAME")]
    pub(crate) plugin: Option<String>,
    /// Counts the releases of this plugin.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) release_seq: u32,
    /// The sandbox program [default: beside this program].
    #[arg(long, value_name = "PATH")]
    pub(crate) sandbox: Option<PathBuf>,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Kinds of endpoint set that this build drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EndpointChoice {
    /// The simulated exchange on this host.
    Simulated,
}

/// Venues whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum VenueChoice {
    /// Binance spot.
    Binance,
    /// Kraken spot.
    Kraken,
}

/// Says where sessions may connect to.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request endpoint-set --home demo-home --endpoint simulated --venue kraken \
    --public-port 9443 --private-port 9444 --out endpoint.request")]
pub(crate) struct EndpointArgs {
    /// The home, for its genesis.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// What is at the other end.
    #[arg(long, value_enum, default_value = "simulated")]
    pub(crate) endpoint: EndpointChoice,
    /// Whose protocol it speaks.
    #[arg(long, value_enum, default_value = "kraken")]
    pub(crate) venue: VenueChoice,
    /// Port of market data on 127.0.0.1.
    #[arg(long, value_name = "P")]
    pub(crate) public_port: u16,
    /// Port of the account on 127.0.0.1.
    #[arg(long, value_name = "P")]
    pub(crate) private_port: u16,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Loosens limits from the next session on.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request limits-change --home demo-home --before old.toml --after new.toml \
    --out limits.request")]
pub(crate) struct LimitsChangeArgs {
    /// The home, for its genesis and its instruments.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// The limits that are in force.
    #[arg(long, value_name = "FILE")]
    pub(crate) before: PathBuf,
    /// The limits to come.
    #[arg(long, value_name = "FILE")]
    pub(crate) after: PathBuf,
    /// SHA-256 by which the present limits are known, after a tightening [default: the file's].
    #[arg(long, value_name = "SHA")]
    pub(crate) before_digest: Option<String>,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Which stop a statement is about, where it is not the kill.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct TargetArgs {
    /// The number of a smaller stop [default: the present kill]; status shows it.
    #[arg(long, value_name = "SEQ", requires = "entry")]
    pub(crate) stop: Option<u64>,
    /// The journal entry of that stop; status shows it.
    #[arg(long, value_name = "SHA256", requires = "stop")]
    pub(crate) entry: Option<String>,
}

/// Lifts the present kill, or a smaller stop.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request unkill --home demo-home --reason \"feed mended\" --out unkill.request")]
pub(crate) struct UnkillArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Why it is safe to go on; printable ASCII.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// What is lifted.
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// How a session is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ClassificationChoice {
    /// No finding.
    Green,
    /// Every finding is explained.
    Yellow,
    /// Something is unexplained.
    Red,
}

/// Closes a session's evidence.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis request seal --home demo-home --pack PACK --classification green \
    --out seal.request")]
pub(crate) struct SealArgs {
    /// The home, for its genesis.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// The pack's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) pack: PathBuf,
    /// How the session is judged.
    #[arg(long, value_enum)]
    pub(crate) classification: ClassificationChoice,
    /// Where to, and who signs.
    #[command(flatten)]
    pub(crate) common: Common,
}
