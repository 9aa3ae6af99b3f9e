//! `portcullis limits`: look at limits, compare two files of them, tighten those of a session.

use std::path::{Path, PathBuf};

use portcullis_control::Request;
use portcullis_domain::Instrument;
use portcullis_domain::policy::{ChangedKey, Limits};
use portcullis_governance::{Hashed, InstrumentFile};
use portcullis_statement::json::{Value, object};
use portcullis_statement::{LimitsChange, limits_value};

use super::ask::done;
use super::request::{LimitsChangeArgs, Setting, digest, finish};
use crate::files::shown;
use crate::home::{Home, Policies, read_limits_file};
use crate::review::limits::{changes, whole};
use crate::{CliError, draft, out};

/// Looks at limits, compares them, tightens them.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum LimitsVerb {
    /// Show every limit of a home's policies.
    Show(ShowArgs),
    /// Show which keys differ between two files, and which way.
    Diff(DiffArgs),
    /// Put stricter limits in force at once; nobody has to sign.
    Tighten(TightenArgs),
}

/// Shows every limit of a home's policies.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis limits show --home demo-home")]
pub(crate) struct ShowArgs {
    /// The home.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows which keys differ between two files, and which way.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis limits diff old.toml new.toml")]
pub(crate) struct DiffArgs {
    /// The file as it was.
    pub(crate) before: PathBuf,
    /// The file as it is to be.
    pub(crate) after: PathBuf,
    /// The folder with the instruments that the files speak of.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    pub(crate) policies: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Puts stricter limits in force at once.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis limits tighten stricter.toml --home demo-home")]
pub(crate) struct TightenArgs {
    /// All limits as they are to be, as strict as the present ones in every key.
    pub(crate) file: PathBuf,
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(verb: &LimitsVerb) -> Result<(), CliError> {
    match verb {
        LimitsVerb::Show(args) => show(args),
        LimitsVerb::Diff(args) => diff(args),
        LimitsVerb::Tighten(args) => tighten(args),
    }
}

fn show(args: &ShowArgs) -> Result<(), CliError> {
    let policies = Policies::read(&Home::open(&args.home)?.policies_folder())?;
    let instruments = instruments(&policies.all_instruments()?);
    let Hashed { value, digest } = read_limits_file(&policies.limits_path(), &instruments)?;
    if args.json {
        let limits = limits_value(&value, &instruments);
        return out::json("limits", object([("digest", digest.hex().into()), ("limits", limits)]));
    }
    let head = out::field("limits file", &format!("sha256 {digest}"));
    out::result(&(head + &whole(&value, &instruments)))
}

fn diff(args: &DiffArgs) -> Result<(), CliError> {
    let instruments = instruments(&Policies::read(&args.policies)?.all_instruments()?);
    let before = read_limits_file(&args.before, &instruments)?.value;
    let after = read_limits_file(&args.after, &instruments)?.value;
    let keys = after.changes_from(&before, &instruments);
    if args.json {
        let keys = keys.iter().map(key_value).collect();
        let tighter = after.check_tightens(&before).is_ok();
        let entries = [("changes", Value::List(keys)), ("tightens", Value::Bool(tighter))];
        return out::json("limits-diff", object(entries));
    }
    out::result(&difference(&keys, &before, &after))
}

fn difference(keys: &[ChangedKey], before: &Limits, after: &Limits) -> String {
    let verdict = match (keys, after.check_tightens(before)) {
        ([], _) => "nothing differs",
        (_, Ok(())) => "a tightening: anyone with a role may do it at once",
        (_, Err(_)) => "a loosening: two people sign a limits-change, for the next session",
    };
    changes(keys) + verdict + "\n"
}

fn key_value(key: &ChangedKey) -> Value {
    object([
        ("after", key.after.as_str().into()),
        ("before", key.before.as_str().into()),
        ("change", key.change.name().into()),
        ("key", key.path.as_str().into()),
    ])
}

fn tighten(args: &TightenArgs) -> Result<(), CliError> {
    let home = Home::open(&args.home)?;
    let instruments = instruments(&Policies::read(&home.policies_folder())?.all_instruments()?);
    let limits = read_limits_file(&args.file, &instruments)?.value;
    let limits = limits_value(&limits, &instruments).canonical_text();
    done(&home.control_socket(), &Request::Tighten { limits })?;
    out::narrate(&format!("next: portcullis status --home {}", shown(&args.home)));
    Ok(())
}

/// Drafts a change of limits that may loosen them.
pub(crate) fn request_change(args: &LimitsChangeArgs) -> Result<(), CliError> {
    let (home, setting) = Setting::new(&args.home, &args.common)?;
    let files = Policies::read(&home.policies_folder())?.all_instruments()?;
    let change = change(args, &files, &setting)?;
    finish(&args.common, draft::limits_change(&setting.week(), &change))
}

fn change(
    args: &LimitsChangeArgs,
    files: &[InstrumentFile],
    setting: &Setting,
) -> Result<LimitsChange, CliError> {
    let instruments = instruments(files);
    let read = |path: &Path| read_limits_file(path, &instruments);
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let digest = args.before_digest.as_deref().map(digest).transpose()?;
    Ok(LimitsChange {
        account: setting.installation.genesis.account.clone(),
        before: digest.unwrap_or(before.digest),
        before_limits: before.value,
        after: after.digest,
        after_limits: after.value,
        sources: files.iter().map(|file| file.source.clone()).collect(),
        instruments,
    })
}

fn instruments(files: &[InstrumentFile]) -> Vec<Instrument> {
    files.iter().map(|file| file.instrument.clone()).collect()
}

#[cfg(test)]
mod tests;
