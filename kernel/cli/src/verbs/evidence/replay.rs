//! `portcullis evidence replay`: what the pack says that the core decided, decided again here.

use std::path::PathBuf;

use portcullis_evidence::pack::{Finding, KernelLeaves, component_file, verify};
use portcullis_statement::Digest;
use portcullis_statement::json::{Value, count, object};

use super::market::Market;
use super::rerun::Plugins;
use super::source::{Source, damaged, escape_once};
use super::step::{End, Stepped, step_again};
use super::verify::{Pack, conclude, read_trust, unproven, word};
use crate::files::{self, shown};
use crate::inspect::{COMPONENT_BYTES_MAX, sandbox_path};
use crate::{CliError, Exit, out};

/// Steps a pack's journal again and runs its plugins again, and compares.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence replay PACK --trust demo.pin\n  \
    portcullis evidence replay PACK --trust demo.pin --component strategy.wasm --json\n\n\
    Works offline on any machine. Every input is fed again, every outcome compared byte for byte,\n\
    every answer of a plugin compared in intents, fuel and log.\n\
    Exit 0: the pack verifies and everything is equal.\n\
    Exit 3: nothing says where it comes from, or a plugin may not run here.\n\
    Exit 5: something differs, is lost or does not verify; the first such thing is named.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) pack: Pack,
    /// A plugin's component, where the pack does not hold it. May be given several times.
    #[arg(long = "component", value_name = "FILE")]
    pub(crate) components: Vec<PathBuf>,
    /// The sandbox program; by default the one beside this program.
    #[arg(long)]
    pub(crate) sandbox: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let pin = args.pack.trust.as_deref().map(read_trust).transpose()?;
    let brought = args
        .components
        .iter()
        .map(|path| files::read(path, COMPONENT_BYTES_MAX))
        .collect::<Result<Vec<_>, _>>()?;
    let path = &args.pack.pack;
    let source = Source::open(path)?;
    let verdict = source.is_pack().then(|| verify(path, pin, &KernelLeaves));
    let entries = source.slices();
    let component = |digest: Digest| {
        let packed = source.folder.read(&component_file(digest), COMPONENT_BYTES_MAX).ok();
        packed.into_iter().chain(brought.iter().cloned()).find(|b| Digest::of(b) == digest)
    };
    let sandbox = sandbox_path(args.sandbox.as_deref());
    let mut plugins = Plugins::new(&sandbox, &component, pin);
    let market = Market::new(&entries, &source).map_err(|found| damaged(path, &found))?;
    let stepped = step_again(&entries, market, &mut plugins);
    let report = Report {
        verified: verdict.as_ref().map_or("no pack: nothing is signed", word),
        simulated: verdict.as_ref().and_then(|verdict| verdict.simulated),
        stepped: &stepped,
        plugins: &plugins,
    };
    if args.pack.json {
        out::json("evidence.replay", report.document())?;
    } else {
        out::result(&report.text())?;
    }
    if let Some(finding) = finding(&stepped.end) {
        return Err(damaged(path, &finding));
    }
    match &verdict {
        Some(verdict) => conclude(path, verdict)?,
        None => return Err(unproven(path)),
    }
    match plugins.refusal {
        Some(refusal) => Err(refusal),
        None if plugins.not_compared > 0 => {
            let cause = "a plugin was ended by the clock of that run; its answers were compared \
                         up to there";
            let next = "look at its plugin-failed entry: portcullis evidence show PACK";
            let (code, subject) = ("PLUGIN_NOT_COMPARED", shown(path));
            Err(CliError::new(Exit::CheckFailed, code, &subject, cause, next))
        }
        None => Ok(()),
    }
}

/// The end of a replay as a finding; `None` if all is equal.
fn finding(end: &End) -> Option<Finding> {
    let at = |entry: &u64| format!("entry {entry}");
    Some(match end {
        End::Whole => return None,
        End::Unreadable(finding) => finding.clone(),
        End::Lost { entry, from: (stream, sequence) } => {
            let reason = format!("market data lost from ({}, {sequence})", stream.0);
            Finding::new("MARKET_DATA_LOST", &at(entry), &reason)
        }
        End::Differs { entry, recorded, .. } if recorded.is_empty() => {
            let reason = "the journal ends before what comes out";
            Finding::new("REPLAY_DIFFERS", &at(entry), reason)
        }
        End::Differs { entry, .. } => {
            Finding::new("REPLAY_DIFFERS", &at(entry), "not what comes out now")
        }
        End::Plugin { entry, .. } => {
            let reason = "the plugin answers otherwise than it is recorded to have";
            Finding::new("PLUGIN_DIFFERS", &at(entry), reason)
        }
    })
}

/// What a replay has to say.
struct Report<'a> {
    verified: &'static str,
    simulated: Option<bool>,
    stepped: &'a Stepped,
    plugins: &'a Plugins<'a>,
}

impl Report<'_> {
    fn verdict(&self) -> &'static str {
        match &self.stepped.end {
            End::Whole if self.plugins.refusal.is_some() => "EQUAL, PLUGINS NOT RUN",
            End::Whole => "EQUAL",
            End::Lost { .. } => "YELLOW: MARKET DATA LOST",
            End::Differs { .. } | End::Plugin { .. } => "DIFFERS",
            End::Unreadable(_) => "DAMAGED",
        }
    }

    fn plugins(&self) -> String {
        let Plugins { equal, not_compared, refusal, .. } = self.plugins;
        let refused = refusal.as_ref().map(|no| format!("; not run: {} [{}]", no.cause, no.code));
        let refused = refused.unwrap_or_default();
        format!("{equal} answers equal, {not_compared} not comparable{refused}")
    }

    fn text(&self) -> String {
        let Stepped { equal, inputs, frames, blank, cut, skipped, end } = self.stepped;
        let mut text = String::new();
        if self.simulated == Some(true) {
            text += "SIMULATED: clock or venue were not real\n";
        }
        text += &out::field("pack", self.verified);
        text += &out::field(
            "entries",
            &format!("{equal} equal, {skipped} not compared, {inputs} inputs fed again"),
        );
        let market = format!("{frames} frames fed, {blank} outside of sessions, {cut} cut off");
        text += &out::field("market", &market);
        text += &out::field("plugins", &self.plugins());
        if let End::Differs { recorded, again, .. } = end {
            text += &format!("recorded         {}\n", escape_once(recorded));
            text += &format!("now              {}\n", escape_once(again));
        }
        if let End::Plugin { cause, .. } = end {
            text += &format!("plugin           {}\n", escape_once(cause));
        }
        if let Some(finding) = finding(end) {
            let Finding { code, place, reason } = &finding;
            text += &format!("{:<16} {place}: {reason} [{code}]\n", "finding");
        }
        text + &out::field("verdict", self.verdict())
    }

    fn document(&self) -> Value {
        let Stepped { equal, inputs, frames, blank, cut, skipped, end } = self.stepped;
        let (recorded, again) = match end {
            End::Differs { recorded, again, .. } => (recorded.as_str(), again.as_str()),
            End::Plugin { cause, .. } => (cause.as_str(), ""),
            End::Whole | End::Lost { .. } | End::Unreadable(_) => ("", ""),
        };
        let finding = finding(end).map_or(Value::Null, |finding| {
            object([
                ("code", finding.code.into()),
                ("place", finding.place.into()),
                ("reason", finding.reason.into()),
            ])
        });
        object([
            ("again", again.into()),
            ("blank", count(*blank)),
            ("cut", count(*cut)),
            ("equal", count(*equal)),
            ("finding", finding),
            ("frames", count(*frames)),
            ("inputs", count(*inputs)),
            ("pack", self.verified.into()),
            ("plugins", self.plugins().into()),
            ("recorded", recorded.into()),
            ("skipped", count(*skipped)),
            ("simulated", self.simulated.map_or(Value::Null, Value::Bool)),
            ("verdict", self.verdict().into()),
        ])
    }
}
