//! A simulated exchange on loopback that speaks the protocol of a real one.
//!
//! Everything that can be tested without a socket lives in [`exchange`] and [`orders`]; the rest
//! is doors. Nothing here is trusted: it exists so that the host can be run against a venue.

mod account;
mod agents;
mod amends;
mod cli;
mod clock;
mod config;
mod exchange;
mod fault;
mod form;
mod http;
mod hub;
mod market;
mod orders;
mod random;
mod serve;
mod session;
mod transfers;
mod wire_log;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::fault::Fault;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Asking for help is no error of use.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::from(2) };
        }
    };
    let Command::Serve(serve) = cli.command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(serve::run(&serve)),
        Err(error) => Err(Fault::unavailable("runtime", error.to_string())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let told = writeln!(std::io::stderr(), "{fault}");
            drop(told);
            ExitCode::from(fault.kind.exit_code())
        }
    }
}
