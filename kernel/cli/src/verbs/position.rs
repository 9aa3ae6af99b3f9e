//! `portcullis position`: what is held, and the way out of it.

use clap::Subcommand;
use portcullis_control::{PositionClose, PositionView, Request};
use portcullis_statement::json::{Value, object};

use super::by_hand::{self, Asking, decimal};
use super::order::ListArgs;
use super::status;
use crate::home::Home;
use crate::{CliError, out};

/// Positions.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PositionVerb {
    /// Lists what is held.
    List(ListArgs),
    /// Makes a position smaller at once, and never turns it round.
    Close(CloseArgs),
}

/// Makes a position smaller at once, and never turns it round.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis position close BTC-USDT --home demo-home\n  \
    portcullis position close BTC-USDT --qty 0.01 --limit 59000 --home demo-home --as olga\n\n\
    After a session has ended its streams are down: then --limit is needed.")]
pub(crate) struct CloseArgs {
    /// Our symbol.
    pub(crate) symbol: String,
    /// How much [default: all that no working order closes already].
    #[arg(long, value_name = "QTY", value_parser = decimal)]
    pub(crate) qty: Option<String>,
    /// The worst price [default: at the market].
    #[arg(long, value_name = "PRICE", value_parser = decimal)]
    pub(crate) limit: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `position`.
pub(crate) fn run(verb: PositionVerb) -> Result<(), CliError> {
    match verb {
        PositionVerb::List(args) => list(&args),
        PositionVerb::Close(args) => close(args),
    }
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let view = status::ask(&Home::open(&args.home)?)?;
    if args.json {
        let positions = view.positions.into_iter().map(position_value).collect();
        return out::json("position.list", object([("positions", Value::List(positions))]));
    }
    out::result(&status::positions(&view))
}

fn close(args: CloseArgs) -> Result<(), CliError> {
    let person = args.asking.person.clone();
    let CloseArgs { symbol, qty, limit, asking, json } = args;
    let request = Request::PositionClose(PositionClose { person, symbol, qty, limit });
    by_hand::ask(&asking, &request, json)
}

fn position_value(position: PositionView) -> Value {
    let optional = |text: Option<String>| text.map_or(Value::Null, Value::from);
    object([
        ("avg_px", optional(position.avg_px)),
        ("fees", position.fees.into()),
        ("profit", optional(position.profit)),
        ("qty", position.qty.into()),
        ("symbol", position.symbol.into()),
    ])
}
