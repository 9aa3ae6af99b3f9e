//! `portcullis`: the command line. It has no right of its own: what needs one goes through the
//! daemon's socket, and the rest works on files.

mod args;
mod bench;
mod client;
mod clock;
mod demo;
mod draft;
mod error;
mod files;
mod home;
mod inspect;
mod keygen;
mod out;
mod replay;
mod request_file;
mod review;
mod scribe;
#[cfg(test)]
mod testing;
mod verbs;
mod witness;
mod worker;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Cli, Verb};
pub(crate) use error::{CliError, Exit};
use verbs::plugin::PluginVerb;
use verbs::proposal::ProposalVerb;
use verbs::request::RequestVerb;
use verbs::{
    ask, evidence, explain, init, kill, limits, order, phase, plugin, position, proposal, recon,
    request, session, sign, status,
};

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => run(cli.verb),
        Err(error) => help_or_usage(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With stderr gone there is nobody left to tell; the exit code still speaks.
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::from(error.exit.code())
        }
    }
}

fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Demo(args) => demo::run(&args),
        Verb::Bench(verb) => bench::run(&verb),
        Verb::Init(args) => init::run(&args),
        Verb::Status(args) => status::run(&args),
        Verb::Kill(args) => kill::run(&args),
        Verb::Request(RequestVerb::PluginRelease(args)) => request::plugin_release(&args),
        Verb::Request(RequestVerb::EndpointSet(args)) => request::endpoint_set(&args),
        Verb::Request(RequestVerb::Session(args)) => request::session(&args),
        Verb::Limits(verb) => limits::run(&verb),
        Verb::Phase(verb) => phase::run(&verb),
        Verb::Request(RequestVerb::LimitsChange(args)) => limits::request_change(&args),
        Verb::Request(RequestVerb::Unkill(args)) => request::unkill(&args),
        Verb::Request(RequestVerb::FlattenPlan(args)) => request::flatten_plan(&args),
        Verb::Request(RequestVerb::Release(args)) => request::release(&args),
        Verb::Request(RequestVerb::Seal(args)) => request::seal(&args),
        Verb::Request(RequestVerb::Extract(args)) => sign::extract(&args),
        Verb::Request(RequestVerb::Attach(args)) => sign::attach(&args),
        Verb::Review(args) => sign::review(&args),
        Verb::Sign(args) => sign::sign(&args),
        Verb::Submit(args) => ask::submit(&args),
        Verb::Open(args) => ask::open(&args),
        Verb::Close(args) => ask::close(&args),
        Verb::Order(verb) => order::run(verb),
        Verb::Position(verb) => position::run(verb),
        Verb::Proposal(ProposalVerb::List(args)) => proposal::list(&args),
        Verb::Recon(verb) => recon::run(verb),
        Verb::Session(verb) => session::run(verb),
        Verb::Pack(args) => ask::pack(&args),
        Verb::Evidence(verb) => evidence::run(verb),
        Verb::Plugin(PluginVerb::Inspect(args)) => plugin::inspect(&args),
        Verb::Plugin(PluginVerb::Install(args)) => plugin::install(&args),
        Verb::Replay(args) => replay::run(args),
        Verb::Scribe(verb) => scribe::run(&verb),
        Verb::Explain(args) => explain::run(&args),
        Verb::Witness(verb) => witness::run(&verb),
        Verb::Stop(args) => ask::stop(&args),
    }
}

/// What the parser has to say: help is a result, everything else a failure in our one shape.
fn help_or_usage(error: &clap::Error) -> Result<(), CliError> {
    let text = error.render().to_string();
    if error.exit_code() == 0 {
        return out::result(&text);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let (cause, next) = ("no verb was given", "portcullis --help");
        return Err(CliError::new(Exit::Usage, "USAGE", "command line", cause, next));
    }
    let (cause, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let cause = cause.strip_prefix("error: ").unwrap_or(cause);
    let cause: Vec<_> = cause.lines().map(str::trim).collect();
    let hint = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let next = hint.map_or_else(|| "portcullis VERB --help".to_owned(), str::to_owned);
    Err(CliError::new(Exit::Usage, "USAGE", "command line", &cause.join(" "), &next))
}
