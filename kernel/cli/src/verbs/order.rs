//! `portcullis order`: a person's own orders, through the gate that plugins pass.

use clap::{Subcommand, ValueEnum};
use portcullis_control::{OrderAmend, OrderCancel, OrderSubmit, OrderView, Request};
use portcullis_domain::Side;
use portcullis_statement::json::{Value, object};

use super::by_hand::{self, Asking, decimal, order_id};
use super::status;
use crate::home::Home;
use crate::{CliError, out};

/// Orders by hand. Each goes on record as an intervention.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OrderVerb {
    /// Asks for an order.
    Submit(SubmitArgs),
    /// Asks for another quantity or price of a working order.
    Amend(AmendArgs),
    /// Takes one order back, or all of them.
    Cancel(CancelArgs),
    /// Lists the orders that can still trade.
    List(ListArgs),
}

/// FIX 54, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideArg {
    /// Takes base currency.
    Buy,
    /// Gives base currency.
    Sell,
}

/// Asks for an order.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis order submit BTC-USDT buy 0.01 --limit 60000 --home demo-home\n  \
    portcullis order submit BTC-USDT sell 0.01 --ioc --reduce-only --home demo-home --as olga")]
pub(crate) struct SubmitArgs {
    /// Our symbol.
    pub(crate) symbol: String,
    /// Which side.
    pub(crate) side: SideArg,
    /// How much, in base currency.
    #[arg(value_parser = decimal)]
    pub(crate) qty: String,
    /// The worst price [default: at the market].
    #[arg(long, value_name = "PRICE", value_parser = decimal)]
    pub(crate) limit: Option<String>,
    /// Take what is there and cancel the rest.
    #[arg(long)]
    pub(crate) ioc: bool,
    /// Only if it makes the position smaller.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Asks for another quantity or price of a working order.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis order amend pc0123456700000001 --limit 59000 --home demo-home")]
#[group(id = "change", required = true, multiple = true, args = ["qty", "limit"])]
pub(crate) struct AmendArgs {
    /// The order, as `order list` shows it.
    #[arg(value_parser = order_id)]
    pub(crate) id: String,
    /// The whole quantity afterwards, what is filled included.
    #[arg(long, value_name = "QTY", value_parser = decimal)]
    pub(crate) qty: Option<String>,
    /// The price afterwards.
    #[arg(long, value_name = "PRICE", value_parser = decimal)]
    pub(crate) limit: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Takes one order back, or all of them.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis order cancel pc0123456700000001 --home demo-home\n  \
    portcullis order cancel --all --home demo-home")]
#[group(id = "which", required = true, multiple = false, args = ["id", "all"])]
pub(crate) struct CancelArgs {
    /// The order, as `order list` shows it.
    #[arg(value_parser = order_id)]
    pub(crate) id: Option<String>,
    /// Every order, plugins' orders included.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Lists what can be seen in the status as well.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis order list --home demo-home")]
pub(crate) struct ListArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: std::path::PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `order`.
pub(crate) fn run(verb: OrderVerb) -> Result<(), CliError> {
    match verb {
        OrderVerb::Submit(args) => submit(args),
        OrderVerb::Amend(args) => amend(args),
        OrderVerb::Cancel(args) => cancel(args),
        OrderVerb::List(args) => list(&args),
    }
}

fn submit(args: SubmitArgs) -> Result<(), CliError> {
    let side = match args.side {
        SideArg::Buy => Side::Buy,
        SideArg::Sell => Side::Sell,
    };
    let request = Request::OrderSubmit(OrderSubmit {
        person: args.asking.person.clone(),
        symbol: args.symbol,
        side,
        qty: args.qty,
        limit: args.limit,
        ioc: args.ioc,
        reduce_only: args.reduce_only,
    });
    by_hand::ask(&args.asking, &request, args.json)
}

fn amend(args: AmendArgs) -> Result<(), CliError> {
    let person = args.asking.person.clone();
    let AmendArgs { id: cl_ord_id, qty, limit, asking, json } = args;
    let request = Request::OrderAmend(OrderAmend { person, cl_ord_id, qty, limit });
    by_hand::ask(&asking, &request, json)
}

fn cancel(args: CancelArgs) -> Result<(), CliError> {
    let person = args.asking.person.clone();
    let request = Request::OrderCancel(OrderCancel { person, cl_ord_id: args.id });
    by_hand::ask(&args.asking, &request, false)
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let view = status::ask(&Home::open(&args.home)?)?;
    if args.json {
        let orders = view.orders.into_iter().map(order_value).collect();
        return out::json("order.list", object([("orders", Value::List(orders))]));
    }
    out::result(&status::orders(&view))
}

fn order_value(order: OrderView) -> Value {
    object([
        ("cl_ord_id", order.cl_ord_id.into()),
        ("cum_qty", order.cum_qty.into()),
        ("status", order.status.into()),
        ("symbol", order.symbol.into()),
        ("what", order.what.into()),
    ])
}
