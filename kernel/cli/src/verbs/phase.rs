//! `portcullis phase`: how far up the ladder a house has come, by its own journal.

use std::path::{Path, PathBuf};

use portcullis_domain::Phase;
use portcullis_evidence::{JournalFolder, ReadFault, Reader, begun_epochs};
use portcullis_governance::ladder::{Career, CareerFault, Found, Line, Report, SessionFacts};
use portcullis_statement::json::{Value, count, object};

use crate::files::shown;
use crate::home::{Home, Installation, Policies};
use crate::{CliError, Exit, out};

/// Phases that the ladder gates.
const GATED: [Phase; 4] =
    [Phase::PreLive, Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous];
/// Most sessions that a line names.
const NAMED_MAX: usize = 3;

/// How far up the ladder a house has come.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum PhaseVerb {
    /// Show each criterion of the ladder, met or not, and the sessions behind it.
    Status(StatusArgs),
}

/// Shows each criterion of the ladder.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis phase status --home demo-home\n  \
    portcullis phase status --home demo-home --entry-to 4\n  \
    portcullis phase status --home demo-home --json\n\n\
    Read from the journal, never from folders of packs: works without the daemon too.")]
pub(crate) struct StatusArgs {
    /// The home.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Only what gates this phase; anything unmet there is exit code 5.
    #[arg(long, value_name = "PHASE", value_parser = clap::value_parser!(u8).range(4..=7))]
    pub(crate) entry_to: Option<u8>,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `phase`.
pub(crate) fn run(verb: &PhaseVerb) -> Result<(), CliError> {
    let PhaseVerb::Status(args) = verb;
    let home = Home::open(&args.home)?;
    let installation = Installation::read(&home.genesis_path())?;
    let demands = Policies::read(&home.policies_folder())?.demands;
    let career = career(&args.home)?;
    let report = Report::of(&career, &demands, installation.genesis.roster.ladder());
    let asked = args.entry_to.and_then(Phase::from_number);
    let phases: Vec<Phase> =
        GATED.into_iter().filter(|phase| asked.is_none_or(|asked| asked == *phase)).collect();
    if args.json {
        out::json("phase.status", document(&career, &report))?;
    } else {
        out::result(&render(&career, &report, &phases))?;
    }
    let unmet = asked.map_or(0, |phase| report.entry_to(phase).filter(|it| !it.is_met()).count());
    if unmet == 0 {
        return Ok(());
    }
    let cause = format!("{unmet} criteria are not met");
    let next = "the lines above say what is missing";
    Err(CliError::new(Exit::CheckFailed, "CRITERIA_UNMET", &shown(&args.home), &cause, next))
}

/// The career that a home's journal tells: of the epoch that is written to, what is durable.
fn career(home: &Path) -> Result<Career, CliError> {
    let epochs = home.join("epochs");
    let unread = |code: &str, cause: &str| {
        let next = "portcullis status --home HOME; try again if the daemon is writing";
        CliError::new(Exit::CheckFailed, code, &shown(&epochs), cause, next)
    };
    let fault = |fault: &CareerFault| unread(fault.code(), &fault.to_string());
    let mut career = Career::default();
    if !epochs.is_dir() {
        return Ok(career);
    }
    let begun = begun_epochs(&epochs);
    let begun = begun.map_err(|error| unread("JOURNAL_UNREADABLE", &error.to_string()))?;
    let read = |epoch: &u32| {
        durable(&epochs, *epoch, begun.last() == Some(epoch))
            .map_err(|fault| unread(fault.code(), &fault.to_string()))
    };
    // Twice, one epoch in memory at a time: what people say of a session stands behind it.
    for epoch in &begun {
        career.hear(&slices(&read(epoch)?)).map_err(|error| fault(&error))?;
    }
    for epoch in &begun {
        career.judge(&slices(&read(epoch)?)).map_err(|error| fault(&error))?;
    }
    Ok(career)
}

fn slices(entries: &[Vec<u8>]) -> Vec<&[u8]> {
    entries.iter().map(Vec::as_slice).collect()
}

/// The entries of an epoch; of the last one, those that its last group calls durable.
fn durable(epochs: &Path, epoch: u32, is_last: bool) -> Result<Vec<Vec<u8>>, ReadFault> {
    let mut reader = Reader::open(JournalFolder::of_epoch(epochs, epoch))?;
    let (mut entries, mut durable) = (Vec::new(), 0);
    while let Some(group) = reader.next()? {
        durable = group.durable_before;
        entries.extend(group.entries().map(<[u8]>::to_vec));
    }
    if is_last {
        entries.truncate(usize::try_from(durable).unwrap_or(usize::MAX));
    }
    Ok(entries)
}

fn render(career: &Career, report: &Report, phases: &[Phase]) -> String {
    let counted = career.counted(report.target).count();
    let successes = career.counted(report.target).filter(|it| it.is_successful()).count();
    let mut text = out::field("ladder", report.target.name());
    let ended = career.sessions.len();
    let tally = format!("{ended} ended, {counted} of them count here, {successes} succeeded");
    text += &out::field("sessions", &tally);
    for facts in career.counted(report.target).filter(|facts| !facts.is_successful()) {
        let why = facts.why_not().join(", ");
        let phase = facts.phase.number();
        text += &out::indented(&format!("{} (phase {phase}): {why}", facts.session));
    }
    for phase in phases {
        let lines: Vec<&Line> = report.entry_to(*phase).collect();
        let met = lines.iter().filter(|line| line.is_met()).count();
        let heading = format!("{} of {} met", met, lines.len());
        text += "\n";
        text += &out::field(&format!("phase {} needs", phase.number()), &heading);
        for line in lines {
            text += &line_text(line);
        }
    }
    text
}

fn line_text(line: &Line) -> String {
    let mark = if line.is_met() { "met" } else { "NOT MET" };
    let found = match line.found {
        Found::Number(number) => number.to_string(),
        Found::Nothing => "nothing yet".to_owned(),
        Found::NotAvailable(what) => format!("not available: needs {what}"),
    };
    let named: Vec<&str> = line.sessions.iter().take(NAMED_MAX).map(String::as_str).collect();
    let by = match line.sessions.len().saturating_sub(NAMED_MAX) {
        _ if named.is_empty() => String::new(),
        0 => format!("  [{}]", named.join(", ")),
        more => format!("  [{} and {more} more]", named.join(", ")),
    };
    let (id, says, demanded) = (line.id, line.says, line.demanded());
    out::indented(&format!("{mark:<7} {id:<12} {says}: {found} ({demanded}){by}"))
}

fn document(career: &Career, report: &Report) -> Value {
    let sessions = career.sessions.iter().map(session_value).collect();
    object([
        ("digest", report.digest().hex().into()),
        ("report", report.to_value()),
        ("sessions", Value::List(sessions)),
    ])
}

fn session_value(facts: &SessionFacts) -> Value {
    object([
        ("endpoint", facts.endpoint.name().into()),
        ("earned_ns", facts.earned_ns().to_string().into()),
        ("open_ns", facts.open_ns.to_string().into()),
        ("orders", count(facts.orders)),
        ("phase", i64::from(facts.phase.number()).into()),
        ("session", facts.session.as_str().into()),
        ("succeeded", facts.is_successful().into()),
        ("why_not", Value::List(facts.why_not().into_iter().map(Into::into).collect())),
    ])
}
