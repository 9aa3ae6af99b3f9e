//! `portcullis evidence verify`: a pack, judged step by step, against a genesis from outside.

use std::path::{Path, PathBuf};

use portcullis_evidence::pack::{Finding, KernelLeaves, Outcome, StepResult, Verdict, verify};
use portcullis_statement::Digest;
use portcullis_statement::json::{Value, object};

use super::source::escape_once;
use crate::files::{self, shown};
use crate::home::Installation;
use crate::verbs::scribe::check_pack;
use crate::{CliError, Exit, out};

/// Longest pin or genesis in bytes.
const TRUST_BYTES_MAX: u64 = 1024 * 1024;
/// The finding that a seal mends.
const UNSEALED: &str = "PACK_UNSEALED";
/// A pin is 64 hex digits and perhaps a line feed.
const PIN_BYTES_MAX: usize = 66;

/// Checks a pack step by step.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence verify PACK --trust demo.pin\n  \
    portcullis evidence verify PACK --trust genesis.json --json\n  \
    portcullis evidence verify HOME/epochs/000001 --key VKEY\n\n\
    Exit 0: everything holds, back to the genesis that you brought along.\n\
    Exit 3: it holds together, and without --trust nothing says where it comes from.\n\
    Exit 5: something does not hold; the first such thing is named.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) pack: Pack,
    /// Of an epoch's folder: the log's key, from outside, as an approval or a seal names it.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
}

/// The pack that a verb is about, and whom to trust.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Pack {
    /// The pack's folder.
    #[arg(value_name = "PACK")]
    pub(crate) folder: PathBuf,
    /// A pin file or a genesis.json, from outside of the pack.
    #[arg(long, value_name = "PINFILE|GENESIS")]
    pub(crate) trust: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Pack {
    /// A folder that is not there is no damaged pack.
    pub(super) fn require(&self) -> Result<(), CliError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let (cause, next) =
            ("there is no such folder", "portcullis pack SESSION --home HOME --lesson TEXT");
        let subject = shown(&self.folder);
        Err(CliError::new(Exit::NotFound, "PACK_NOT_FOUND", &subject, cause, next))
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let Pack { folder, trust, json } = &args.pack;
    let pin = trust.as_deref().map(read_trust).transpose()?;
    args.pack.require()?;
    let verdict = verify(folder, pin, &KernelLeaves);
    let is_damaged = matches!(verdict.outcome, Outcome::Damaged(_));
    // Nothing can be rendered again from what is damaged.
    let rendered = (!is_damaged).then(|| check_pack(folder));
    let said = match &rendered {
        Some(Ok(true)) => "the same bytes, rendered again".to_owned(),
        Some(Ok(false)) => "none were made".to_owned(),
        Some(Err(error)) => format!("FAILED {}", error.code),
        None => "not looked into".to_owned(),
    };
    if *json {
        out::json("evidence.verify", document(&verdict, &said))?;
    } else {
        out::result(&render(&verdict, &said))?;
    }
    // A pack whose renderings show something else is no success, proven origin or not.
    rendered.transpose()?;
    conclude(folder, &verdict)
}

/// The digest to trust: that of a pin file, or of a genesis.
pub(super) fn read_trust(path: &Path) -> Result<Digest, CliError> {
    let bytes = files::read(path, TRUST_BYTES_MAX)?;
    if bytes.len() > PIN_BYTES_MAX {
        return Installation::read(path).map(|installation| installation.fingerprint);
    }
    let pin = std::str::from_utf8(&bytes).ok().and_then(|text| Digest::from_hex(text.trim_end()));
    pin.ok_or_else(|| {
        let cause = "neither a pin of 64 hex digits nor a genesis";
        let next = "name the file that portcullis init wrote with --pin, or a genesis.json";
        CliError::new(Exit::BadConfig, "TRUST_UNREADABLE", &shown(path), cause, next)
    })
}

pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict.outcome {
        Outcome::Ok => "OK",
        Outcome::SelfConsistentOriginUnproven => "SELF-CONSISTENT, ORIGIN UNPROVEN",
        Outcome::Damaged(_) => "DAMAGED",
    }
}

/// One line per step. What is a simulation is said first.
fn render(verdict: &Verdict, renderings: &str) -> String {
    let mut text = String::new();
    if verdict.simulated == Some(true) {
        text += "SIMULATED: clock or venue were not real\n";
    }
    for step in &verdict.steps {
        let (mark, detail) = match &step.result {
            StepResult::Passed(detail) => ("ok", escape_once(detail)),
            StepResult::Failed(finding) => ("FAILED", finding_text(finding)),
            StepResult::NotChecked(why) => ("not checked", (*why).to_owned()),
        };
        text += &line(step.name, &format!("{mark:<11} {detail}"));
    }
    text += &line("renderings", renderings);
    if let Some(classification) = verdict.classification {
        text += &line("judged", classification.name());
    }
    text + &line("verdict", word(verdict))
}

/// As [`out::field`], for text that is safe already.
pub(super) fn line(name: &str, text: &str) -> String {
    format!("{name:<16} {text}\n")
}

fn finding_text(finding: &Finding) -> String {
    let [code, place, reason] = [finding.code, &finding.place, &finding.reason].map(escape_once);
    format!("{place}: {reason} [{code}]")
}

fn document(verdict: &Verdict, renderings: &str) -> Value {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let step = |step: &portcullis_evidence::pack::Step| {
        let (result, detail) = match &step.result {
            StepResult::Passed(detail) => ("passed", detail.clone()),
            StepResult::Failed(finding) => ("failed", finding_text(finding)),
            StepResult::NotChecked(why) => ("not-checked", (*why).to_owned()),
        };
        object([("detail", detail.into()), ("name", step.name.into()), ("result", result.into())])
    };
    object([
        (
            "classification",
            text(verdict.classification.map(portcullis_statement::Classification::name)),
        ),
        ("renderings", renderings.into()),
        ("session", text(verdict.session.as_ref().map(portcullis_domain::Name::as_str))),
        ("simulated", verdict.simulated.map_or(Value::Null, Value::Bool)),
        ("steps", Value::List(verdict.steps.iter().map(step).collect())),
        ("verdict", word(verdict).into()),
    ])
}

/// It holds together, and nothing says where it comes from.
pub(super) fn unproven(pack: &Path) -> CliError {
    let cause = "self-consistent, origin unproven: no genesis was given to trust";
    let next = "portcullis evidence verify PACK --trust PINFILE, from outside of the pack";
    CliError::new(Exit::Refused, "ORIGIN_UNPROVEN", &shown(pack), cause, next)
}

/// The verdict as an exit code; the first thing that does not hold is named.
pub(super) fn conclude(pack: &Path, verdict: &Verdict) -> Result<(), CliError> {
    match &verdict.outcome {
        Outcome::Ok => Ok(()),
        Outcome::SelfConsistentOriginUnproven => Err(unproven(pack)),
        Outcome::Damaged(finding) => {
            let next = if finding.code == UNSEALED {
                "portcullis request seal --home HOME --pack PACK --classification green --out FILE"
            } else {
                "keep the pack as it is; compare it with another copy"
            };
            let (code, place) = (finding.code, &finding.place);
            Err(CliError::new(Exit::CheckFailed, code, place, &finding.reason, next))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{People, Scratch};

    #[test]
    fn trust_is_a_pin_or_a_genesis_and_nothing_else() {
        let scratch = Scratch::new("evidence");
        let people = People::new();
        let path = scratch.path().join("trust");
        let check = |bytes: &[u8], expect: Result<Digest, &str>| {
            fs::write(&path, bytes).unwrap();
            let read = read_trust(&path).map_err(|error| error.code);
            assert_eq!(read, expect.map_err(str::to_owned));
        };
        check(format!("{}\n", people.fingerprint).as_bytes(), Ok(people.fingerprint));
        check(&people.genesis.bytes, Ok(people.fingerprint));
        check(b"", Err("TRUST_UNREADABLE"));
        check("0".repeat(63).as_bytes(), Err("TRUST_UNREADABLE"));
        check(&[b'x'; 100], Err("STATEMENT_MALFORMED"));
    }

    #[test]
    fn a_folder_that_is_no_pack_is_damaged_and_a_missing_one_is_missing() {
        let scratch = Scratch::new("evidence");
        let args = Pack { folder: scratch.path().to_owned(), trust: None, json: false };
        let run = |pack: Pack| run(&Args { pack, key: None });
        let error = run(args.clone()).unwrap_err();
        assert_eq!(error.exit, Exit::CheckFailed);
        run(Pack { json: true, ..args.clone() }).unwrap_err();
        let missing = Pack { folder: scratch.path().join("none"), ..args };
        assert_eq!(run(missing).unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn each_outcome_has_its_exit_code() {
        let verdict = |outcome| Verdict {
            outcome,
            steps: Vec::new(),
            session: None,
            simulated: Some(true),
            classification: None,
        };
        let exit = |outcome| conclude(Path::new("p"), &verdict(outcome)).map_err(|e| e.exit);
        assert_eq!(exit(Outcome::Ok), Ok(()));
        assert_eq!(exit(Outcome::SelfConsistentOriginUnproven), Err(Exit::Refused));
        assert!(render(&verdict(Outcome::Ok), "").starts_with("SIMULATED"));
    }
}
