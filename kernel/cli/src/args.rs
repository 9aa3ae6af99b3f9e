//! The command line as typed. Examples come first in every help text.

use clap::{Parser, Subcommand};

use crate::bench::BenchVerb;
use crate::verbs::evidence::EvidenceVerb;
use crate::verbs::limits::LimitsVerb;
use crate::verbs::order::OrderVerb;
use crate::verbs::phase::PhaseVerb;
use crate::verbs::plugin::PluginVerb;
use crate::verbs::position::PositionVerb;
use crate::verbs::proposal::ProposalVerb;
use crate::verbs::recon::ReconVerb;
use crate::verbs::request::RequestVerb;
use crate::verbs::session::SessionVerb;
use crate::verbs::{ask, explain, init, kill, scribe, sign, status};
use crate::witness::WitnessVerb;
use crate::{demo, replay};

/// A trading host for strategies that must not be trusted.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    disable_help_subcommand = true,
    before_help = "Examples:\n  \
        portcullis init demo-home --profile demo --pin demo.pin\n  \
        portcullis status --home demo-home\n  \
        portcullis kill --home demo-home --reason \"prices look wrong\"",
    after_help = "Exit codes: 0 ok, 1 internal, 2 usage, 3 refused, 4 not found, 5 check found \
                  problems,\n6 kill engaged, 69 daemon unreachable, 75 temporary, 77 not \
                  permitted, 78 bad configuration."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run one session from nothing to a verified pack, with real processes.
    Demo(demo::Args),
    /// Make the home of a daemon.
    Init(init::Args),
    /// May I trade, why not, what is open, what next.
    Status(status::Args),
    /// Shut the gate, latch, take every order back.
    Kill(kill::Args),
    /// Look at limits, compare them, tighten them.
    #[command(subcommand)]
    Limits(LimitsVerb),
    /// How far up the ladder this house has come.
    #[command(subcommand)]
    Phase(PhaseVerb),
    /// Draft what people then review, sign and submit.
    #[command(subcommand)]
    Request(RequestVerb),
    /// Show what a request file asks for, in plain words.
    Review(sign::ReviewArgs),
    /// Show a request and sign it.
    Sign(sign::SignArgs),
    /// Hand a signed request to the daemon.
    Submit(ask::SubmitArgs),
    /// Open the session of a signed approval.
    Open(ask::OpenArgs),
    /// Close the open session.
    Close(ask::CloseArgs),
    /// Orders by hand: submit, amend, cancel, list.
    #[command(subcommand)]
    Order(OrderVerb),
    /// What is held, and the way out of it.
    #[command(subcommand)]
    Position(PositionVerb),
    /// What waits for a person's signed word.
    #[command(subcommand)]
    Proposal(ProposalVerb),
    /// What differs between account and house, and people's word about it.
    #[command(subcommand)]
    Recon(ReconVerb),
    /// What people add to the evidence of a session.
    #[command(subcommand)]
    Session(SessionVerb),
    /// Write the evidence of an ended session into one folder.
    Pack(ask::PackArgs),
    /// Judge evidence.
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// Render evidence, copy it, mirror it: done by a program of its own, portcullis-scribe.
    #[command(disable_help_flag = true)]
    Scribe(scribe::Args),
    /// Look at components and install them.
    #[command(subcommand)]
    Plugin(PluginVerb),
    /// Run a strategy over a recording.
    Replay(replay::Args),
    /// Measure one part of the kernel on this machine.
    #[command(subcommand)]
    Bench(BenchVerb),
    /// Say what a code of the gate means.
    Explain(explain::Args),
    /// Somebody else who remembers how far the journal has come.
    #[command(subcommand)]
    Witness(WitnessVerb),
    /// End the daemon in order.
    Stop(ask::StopArgs),
}
