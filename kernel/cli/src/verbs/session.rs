//! `portcullis session`: what people add to the evidence of a session until its pack is sealed, and
//! the runlog's form before the session.

use std::path::PathBuf;

use clap::Subcommand;
use portcullis_control::{Request, SessionNote};
use portcullis_core::NoteKind;
use portcullis_domain::Name;
use portcullis_evidence::pack::{GAPS, QUESTIONS, runlog_form};
use portcullis_evidence::text::escape_terminal;
use portcullis_statement::{Digest, Statement};

use super::by_hand::Asking;
use super::request::name;
use crate::client::{self, SOON};
use crate::files::shown;
use crate::home::Home;
use crate::request_file::RequestFile;
use crate::{CliError, Exit, out};

/// What people say about a session: it stands in the pack under their names.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SessionVerb {
    /// Adds a note to the evidence of a session that is not sealed.
    Note(NoteArgs),
    /// Lists what a pack asks people for: the reviewer's questions, and gaps that need a reason.
    Asks,
    /// Shows the runlog of a drafted session as it is before the session.
    Runlog(RunlogArgs),
}

/// Adds a note to the evidence of a session that is not sealed.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis session note s-1 \"the book is thin\" --home demo-home --as olga\n  \
    portcullis session note s-1 \"look twice\" --lesson --home demo-home\n  \
    portcullis session note s-1 \"all of them ended\" --answer orders --home demo-home --as rita\n  \
    portcullis session note s-1 \"line cut at 9:12\" --gap market-data --home demo-home\n\n\
    Without a flag it is an observation. What is said after the session is marked as late.")]
pub(crate) struct NoteArgs {
    /// The session.
    pub(crate) session: String,
    /// In your words, at most 512 bytes.
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// What a note is, if it is no observation.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(multiple = false)]
pub(crate) struct What {
    /// Something that ought not to be: it counts as an incident, if a small one.
    #[arg(long)]
    pub(crate) anomaly: bool,
    /// Something to do better.
    #[arg(long)]
    pub(crate) lesson: bool,
    /// The reviewer's answer to this question.
    #[arg(long, value_name = "QUESTION")]
    pub(crate) answer: Option<String>,
    /// Why the evidence lacks this.
    #[arg(long, value_name = "GAP")]
    pub(crate) gap: Option<String>,
}

/// Shows the runlog of a drafted session as it is before the session.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis session runlog session.request")]
pub(crate) struct RunlogArgs {
    /// The request file of the session's approval, signed or not.
    pub(crate) file: PathBuf,
}

/// Runs `session`.
pub(crate) fn run(verb: SessionVerb) -> Result<(), CliError> {
    match verb {
        SessionVerb::Note(args) => note(&args),
        SessionVerb::Asks => out::result(&asks()),
        SessionVerb::Runlog(args) => runlog(&args),
    }
}

fn note(args: &NoteArgs) -> Result<(), CliError> {
    let What { anomaly, lesson, answer, gap } = &args.what;
    let (kind, about) = match (anomaly, lesson, answer, gap) {
        (true, ..) => (NoteKind::Anomaly, None),
        (_, true, ..) => (NoteKind::Lesson, None),
        (_, _, Some(question), _) => (NoteKind::Answer, Some(name("question", question)?)),
        (_, _, _, Some(gap)) => (NoteKind::Gap, Some(name("gap", gap)?)),
        (false, false, None, None) => (NoteKind::Observation, None),
    };
    let session = name("session", &args.session)?;
    out::result(&say(&args.asking, (session, kind, about), &args.text)?)
}

/// Adds a lesson on the way to something else, whose result is not this.
pub(crate) fn lesson(asking: &Asking, session: &Name, text: &str) -> Result<(), CliError> {
    let said = say(asking, (session.clone(), NoteKind::Lesson, None), text)?;
    out::narrate(&said);
    Ok(())
}

/// Hands a note to the daemon, and gives its word that it is taken.
fn say(
    asking: &Asking,
    (session, kind, about): (Name, NoteKind, Option<Name>),
    text: &str,
) -> Result<String, CliError> {
    let (person, kind, text) = (asking.person.clone(), kind.name().to_owned(), text.to_owned());
    let note = Request::Note(SessionNote { person, session, kind, about, text });
    let socket = Home::open(&asking.home)?.control_socket();
    Ok(escape_terminal(&client::done(&socket, &note, SOON)?))
}

fn asks() -> String {
    let mut text = "a lesson of one to three, whatever the session was\n".to_owned();
    for (name, question) in QUESTIONS {
        text += &out::field(name, question);
    }
    text + &out::field("gaps", &GAPS.join(", "))
}

fn runlog(args: &RunlogArgs) -> Result<(), CliError> {
    let file = RequestFile::read(&args.file)?;
    let statement = file.envelope.statement();
    let Ok(Statement::SessionApproval(approval)) = statement else {
        let (cause, next) = ("not a session approval", "portcullis request session drafts one");
        let subject = shown(&args.file);
        return Err(CliError::new(Exit::Usage, "WRONG_KIND", &subject, cause, next));
    };
    let (digest, signers) = (Digest::of(&file.signed.bytes), &file.envelope.header.signers);
    let form = runlog_form(digest, signers, &approval);
    out::result(String::from_utf8_lossy(&form).trim_end())
}
