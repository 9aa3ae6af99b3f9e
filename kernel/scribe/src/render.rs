//! `portcullis scribe render`: a session as a page for people and as tables for their tools.
//!
//! The same evidence gives the same bytes. In a sealed pack they lie in `renderings/`, with a
//! manifest that names the pack's own; elsewhere they go where the caller says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_evidence::pack::{FileEntry, RENDERINGS_FOLDER, Renderings, check_renderings};
use portcullis_statement::Digest;

use super::source::{Evidence, is_sealed};
use super::{parquet, report};
use crate::files::{self, shown};
use crate::{CliError, Exit, out};

/// Renders a session.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis scribe render PACK                          # into PACK/renderings\n  \
    portcullis scribe render HOME --session S --out FOLDER # anywhere else\n  \
    portcullis scribe render PACK --check                  # the same bytes as before?")]
pub(crate) struct Args {
    /// A pack, a home, or the folder that a replay kept.
    pub(crate) place: PathBuf,
    /// The session; without it the last one that ended.
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// A new folder for the renderings, instead of the pack's own.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Render again and compare with what is in the pack; write nothing.
    #[arg(long, conflicts_with = "out")]
    pub(crate) check: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let evidence = Evidence::read(&args.place, args.session.as_deref())?;
    if args.check {
        let place = &evidence.place;
        if same_again(&evidence)? {
            return out::result(&out::field("renderings", "the same bytes, rendered again"));
        }
        let next = "portcullis scribe render PACK";
        let cause = "no renderings were made of it";
        return Err(CliError::new(Exit::NotFound, "RENDERINGS_ABSENT", &shown(place), cause, next));
    }
    let folder = target(args, &evidence)?;
    let rendered = render(&evidence)?;
    files::make_folder(&folder)?;
    for (name, bytes) in &rendered {
        files::write_new(&folder.join(name), bytes)?;
    }
    // Last: without it nothing there is a rendering of anything.
    files::write_new(&folder.join("manifest.json"), &bound(&evidence, &rendered).to_bytes())?;
    let said =
        |(name, bytes): (&String, &Vec<u8>)| out::field(name, &format!("{} bytes", bytes.len()));
    let lines: String = rendered.iter().map(said).collect();
    out::result(&(lines + &out::field("rendered into", &shown(&folder))))
}

/// Where the renderings go.
fn target(args: &Args, evidence: &Evidence) -> Result<PathBuf, CliError> {
    if let Some(folder) = &args.out {
        return Ok(folder.clone());
    }
    if evidence.pack.is_none() {
        let (cause, next) = ("only a pack has a place for renderings", "add --out FOLDER");
        return Err(CliError::new(Exit::Usage, "OUT_MISSING", &shown(&args.place), cause, next));
    }
    if !is_sealed(&args.place) {
        let next = "portcullis request seal --home HOME --pack PACK, or add --out FOLDER";
        let cause = "renderings go into a pack when it is sealed";
        return Err(CliError::new(
            Exit::Refused,
            "PACK_UNSEALED",
            &shown(&args.place),
            cause,
            next,
        ));
    }
    Ok(args.place.join(RENDERINGS_FOLDER))
}

/// Every rendering, by its file's name.
fn render(evidence: &Evidence) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let (mut executions, mut market) = (Vec::new(), Vec::new());
    let parts = evidence.parts()?;
    parquet::write_executions(evidence, &parts, &mut executions)?;
    parquet::write_market(evidence, &mut market)?;
    let page = report::render(evidence, &parts)?.into_bytes();
    let named =
        [("executions.parquet", executions), ("market.parquet", market), ("report.html", page)];
    Ok(named.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
}

/// What binds the renderings to what they were made from.
fn bound(evidence: &Evidence, rendered: &BTreeMap<String, Vec<u8>>) -> Renderings {
    let entry = |(name, bytes): (&String, &Vec<u8>)| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        (name.clone(), FileEntry { digest: Digest::of(bytes), bytes: length })
    };
    Renderings {
        origin: evidence.origin.clone(),
        pack: evidence.pack,
        session_root: evidence.root,
        files: rendered.iter().map(entry).collect(),
    }
}

/// Whether a pack has renderings: rendered again and compared, byte for byte.
fn same_again(evidence: &Evidence) -> Result<bool, CliError> {
    let place = &evidence.place;
    let failed = |code: &str, subject: &str, cause: &str| {
        let next = "keep the pack as it is; render again with --out FOLDER and compare";
        CliError::new(Exit::CheckFailed, code, subject, cause, next)
    };
    let Some(pack) = evidence.pack else {
        return Err(failed("SCRIBE_SOURCE", &shown(place), "not a pack"));
    };
    let found = check_renderings(place, pack, evidence.root)
        .map_err(|finding| failed(finding.code, &finding.place, &finding.reason))?;
    let Some(found) = found else { return Ok(false) };
    let again = bound(evidence, &render(evidence)?);
    let differs = again.files.iter().find(|(name, entry)| found.files.get(*name) != Some(*entry));
    match differs {
        Some((name, _)) => {
            let cause = "not what the entries give with this version";
            Err(failed("RENDERINGS_DIFFER", &shown(Path::new(name)), cause))
        }
        None if again.files.len() != found.files.len() => {
            Err(failed("RENDERINGS_DIFFER", &shown(place), "more files than this version makes"))
        }
        None => Ok(true),
    }
}
