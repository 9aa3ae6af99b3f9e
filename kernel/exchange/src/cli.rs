//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A simulated exchange on loopback that speaks Kraken spot's protocol.
#[derive(Debug, Parser)]
#[command(name = "portcullis-exchange", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs until SIGTERM, SIGINT or the given number of seconds.
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Instrument files; one instrument each.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE.toml")]
    pub(crate) instruments: Vec<PathBuf>,
    /// Keys and the accounts that they open.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) credentials: PathBuf,
    /// Seed of the synthetic market.
    #[arg(long)]
    pub(crate) seed: u64,
    /// Port of the public door on 127.0.0.1; 0 takes a free one.
    #[arg(long)]
    pub(crate) public_port: u16,
    /// Port of the private door on 127.0.0.1; 0 takes a free one.
    #[arg(long)]
    pub(crate) private_port: u16,
    /// One line of JSON per order message, fill and cancel is appended here.
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) wire_log: PathBuf,
    /// Written once both doors are open.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) ready_file: PathBuf,
    /// Price at which a market begins; without it, 600 000 ticks.
    #[arg(long, value_name = "SYMBOL=PRICE")]
    pub(crate) start_price: Vec<String>,
    /// Deposits and withdrawals: a line {"account","currency","amount"} that is appended here while
    /// the exchange runs is booked; an amount below zero goes out.
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) transfers: Option<PathBuf>,
    /// Ends by itself after this many seconds.
    #[arg(long, value_name = "N")]
    pub(crate) run_seconds_max: Option<u64>,
}
