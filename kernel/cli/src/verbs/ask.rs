//! The verbs that hand something to the daemon and wait for its word: `submit`, `open`, `close`,
//! `stop`, `pack`.

use std::path::{Path, PathBuf};

use portcullis_control::{Reply, Request};
use portcullis_evidence::pack::{PackFault, seal_pack};
use portcullis_statement::json::{count, object};
use portcullis_statement::note::{Burn, SignedCheckpoint};
use portcullis_statement::{Digest, Kind, Statement};

use crate::client::{self, LONG, SOON, signed_bytes};
use crate::files::shown;
use crate::home::Home;
use crate::request_file::RequestFile;
use crate::verbs::by_hand::{self, Asking};
use crate::verbs::request::name;
use crate::verbs::session;
use crate::{CliError, Exit, out, witness};

/// Hands a signed request to the daemon.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis submit release.request --home demo-home\n  \
    portcullis submit seal.request --home demo-home --pack PACK")]
pub(crate) struct SubmitArgs {
    /// The request file.
    pub(crate) file: PathBuf,
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Seals only: the pack into which the accepted seal is written.
    #[arg(long, value_name = "DIR")]
    pub(crate) pack: Option<PathBuf>,
}

/// Opens the session of a signed approval.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis open session.request --home demo-home\n  \
    portcullis open session.request --home HOME --witness w1=http://127.0.0.1:7001")]
pub(crate) struct OpenArgs {
    /// The request file.
    pub(crate) file: PathBuf,
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Where a witness of the roster serves, `NAME=PLACE`, once for each [default: the lines of
    /// HOME.witnesses].
    #[arg(long = "witness", value_name = "NAME=PLACE")]
    pub(crate) witnesses: Vec<String>,
}

/// Closes the open session: no new orders, cancel what rests, end.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis close --home demo-home --reason \"end of day\"")]
pub(crate) struct CloseArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Ends the daemon in order.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis stop --home demo-home")]
pub(crate) struct StopArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
}

/// Writes the evidence of an ended session into one folder.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis pack s-20260101_120000 --home demo-home --lesson \"widen the collar at the open\"")]
pub(crate) struct PackArgs {
    /// The session.
    pub(crate) session: String,
    /// A lesson to note first, up to three times: a pack needs one even if all was green.
    #[arg(long = "lesson", value_name = "TEXT")]
    pub(crate) lessons: Vec<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `submit`.
pub(crate) fn submit(args: &SubmitArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    let wrong = |code: &str, cause: &str, next: &str| {
        Err(CliError::new(Exit::Usage, code, &shown(&args.file), cause, next))
    };
    match file.kind() {
        Kind::SessionApproval => {
            let next = "portcullis open FILE --home HOME";
            return wrong("WRONG_DOOR", "an approval is handed in by opening its session", next);
        }
        Kind::Genesis => {
            let next = "portcullis init makes a home with its genesis";
            return wrong("WRONG_DOOR", "a genesis stands in the home before the start", next);
        }
        Kind::Seal
        | Kind::EndpointSet
        | Kind::PluginRelease
        | Kind::LimitsChange
        | Kind::Unkill
        | Kind::FlattenPlan
        | Kind::Release => {}
    }
    if args.pack.is_some() && file.kind() != Kind::Seal {
        return wrong("NOT_A_SEAL", "--pack is for seals", "leave --pack away");
    }
    complete(&args.file, &file)?;
    let request = Request::Statement(signed_bytes(&file.signed));
    by_hand::answered(&Home::open(&args.home)?.control_socket(), &request, false)?;
    match &args.pack {
        Some(pack) => add_seal(pack, &file),
        None => Ok(()),
    }
}

/// Runs `open`.
pub(crate) fn open(args: &OpenArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    if file.kind() != Kind::SessionApproval {
        let (cause, next) = ("not a session approval", "portcullis submit FILE --home HOME");
        let subject = shown(&args.file);
        return Err(CliError::new(Exit::Usage, "WRONG_DOOR", &subject, cause, next));
    }
    complete(&args.file, &file)?;
    let mut signed = signed_bytes(&file.signed);
    signed.burns = witness::carry::burns(&args.home, &args.witnesses, |run, seen, of| {
        burn_of(&file, (run, of), seen)
    })?;
    let request = Request::Open(signed);
    done(&Home::open(&args.home)?.control_socket(), &request)?;
    out::narrate(&format!("next: portcullis status --home {}", shown(&args.home)));
    Ok(())
}

/// What a witness is asked to burn; `None` until a checkpoint has the draft in it.
fn burn_of(
    file: &RequestFile,
    (run, installation): (u32, String),
    seen: &SignedCheckpoint,
) -> Option<Burn> {
    let Ok(Statement::SessionApproval(approval)) = file.envelope.statement() else { return None };
    let journal = seen.checkpoint().clone();
    (journal.size > approval.journal.size).then(|| Burn {
        installation,
        session: approval.session.clone(),
        nonce: file.envelope.header.nonce.clone(),
        approval: Digest::of(&file.signed.bytes),
        run,
        journal,
    })
}

/// Runs `close`.
pub(crate) fn close(args: &CloseArgs) -> Result<(), CliError> {
    let request = Request::Close { reason: args.reason.clone() };
    done(&Home::open(&args.home)?.control_socket(), &request)?;
    let home = shown(&args.home);
    out::narrate(&format!("next: portcullis pack SESSION --home {home} --lesson TEXT"));
    Ok(())
}

/// Runs `stop`.
pub(crate) fn stop(args: &StopArgs) -> Result<(), CliError> {
    done(&Home::open(&args.home)?.control_socket(), &Request::Stop)
}

/// Runs `pack`.
pub(crate) fn pack(args: &PackArgs) -> Result<(), CliError> {
    let socket = Home::open(&args.asking.home)?.control_socket();
    let named = name("session", &args.session)?;
    for lesson in &args.lessons {
        session::lesson(&args.asking, &named, lesson)?;
    }
    let request = Request::Pack { session: named };
    let Reply::Pack(view) = client::ask(&socket, &request, LONG)? else {
        return Err(client::unexpected(&socket));
    };
    if args.json {
        let document = object([
            ("head", view.head.into()),
            ("manifest", view.manifest.into()),
            ("origin", view.origin.into()),
            ("path", view.path.into()),
            ("session", view.session.into()),
            ("size", count(view.size)),
        ]);
        return out::json("pack", document);
    }
    let mut text = out::field("session", &view.session);
    text += &out::field("pack", &view.path);
    text += &out::field("manifest", &format!("sha256 {}", view.manifest));
    text += &out::field("journal", &format!("{}, {} entries", view.origin, view.size));
    out::result(&(text + &out::field("head", &view.head)))?;
    let (path, home) = (&view.path, shown(&args.asking.home));
    out::narrate(&format!(
        "next: portcullis request seal --home {home} --pack {path} --classification green \
         --out seal.request"
    ));
    Ok(())
}

/// Refuses what the daemon would refuse for a missing signature, and says whose.
fn complete(path: &Path, file: &RequestFile) -> Result<(), CliError> {
    let standing = file.standing();
    let mut signers = file.envelope.header.signers.iter().zip(standing.signed);
    let refuse = |code: &str, cause: &str, next: &str| {
        Err(CliError::new(Exit::Refused, code, &shown(path), cause, next))
    };
    if let Some((signer, _)) = signers.find(|(_, signed)| !signed) {
        let person = &signer.person;
        let next = format!("portcullis sign {} --key KEYFILE --person {person}", shown(path));
        return refuse("SIGNATURE_MISSING", &format!("{person} has not signed"), &next);
    }
    if standing.foreign > 0 {
        let cause = "it holds a signature that does not count";
        return refuse("SIGNATURE_UNLISTED", cause, "portcullis review shows what is signed");
    }
    Ok(())
}

pub(crate) fn done(socket: &Path, request: &Request) -> Result<(), CliError> {
    let patience = match request {
        Request::Open(_) | Request::Close { .. } => LONG,
        Request::Status
        | Request::Draft { .. }
        | Request::Statement(_)
        | Request::Copied { .. }
        | Request::Cosigned { .. }
        | Request::Burn { .. }
        | Request::Tighten { .. }
        | Request::Pack { .. }
        | Request::Note(_)
        | Request::OrderSubmit(_)
        | Request::OrderAmend(_)
        | Request::OrderCancel(_)
        | Request::PositionClose(_)
        | Request::Proposals
        | Request::Findings { .. }
        | Request::FindingExplain(_)
        | Request::FindingConfirm(_)
        | Request::Stop
        | Request::Kill { .. } => SOON,
    };
    let text = client::done(socket, request, patience)?;
    out::result(&portcullis_evidence::text::escape_terminal(&text))
}

/// Writes an accepted seal into its pack; one that is there already is left alone.
fn add_seal(pack: &Path, file: &RequestFile) -> Result<(), CliError> {
    match seal_pack(pack, &file.signed) {
        Ok(()) | Err(PackFault::Exists(_)) => {
            out::narrate(&format!("next: portcullis evidence verify {} --trust PIN", shown(pack)));
            Ok(())
        }
        Err(fault) => {
            let (cause, next) = (fault.to_string(), "portcullis evidence verify PACK");
            let code = fault.code();
            Err(CliError::new(Exit::CheckFailed, code, &shown(pack), &cause, next))
        }
    }
}

#[cfg(test)]
mod tests;
