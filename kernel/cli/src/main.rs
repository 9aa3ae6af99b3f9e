//! `portcullis`: the command line. It has no right of its own: what needs one goes through the
//! daemon's socket, and the rest works on files.

mod args;
mod bench;
mod clock;
mod demo;
mod draft;
mod home;
mod inspect;
mod keygen;
mod replay;
mod request_file;
mod review;
#[cfg(test)]
mod testing;
mod verbs;
mod witness;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Verb};
pub(crate) use portcullis_console::{CliError, Exit, client, files, out};
use verbs::plugin::PluginVerb;
use verbs::proposal::ProposalVerb;
use verbs::request::RequestVerb;
use verbs::{
    ask, evidence, explain, init, kill, limits, order, phase, plugin, position, proposal, recon,
    request, scribe, session, sign, status,
};

fn main() -> ExitCode {
    portcullis_console::conclude(match Cli::try_parse() {
        Ok(cli) => run(cli.verb),
        Err(error) => portcullis_console::help_or_usage(&error),
    })
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
        Verb::Scribe(args) => scribe::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Witness(verb) => witness::run(&verb),
        Verb::Stop(args) => ask::stop(&args),
    }
}
