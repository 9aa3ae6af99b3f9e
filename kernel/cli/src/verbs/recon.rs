//! `portcullis recon`: what differs between account and house, and people's word about it.

use std::path::PathBuf;

use clap::Subcommand;
use portcullis_control::{FindingConfirm, FindingExplain, FindingView, Reply, Request};
use portcullis_statement::json::{Value, count, object};

use super::by_hand::{self, Asking};
use crate::client::{self, SOON};
use crate::home::Home;
use crate::out::field;
use crate::{CliError, Exit, out};

/// Findings of reconciliation. One person explains, another confirms; what is unexplained is red.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ReconVerb {
    /// Lists the findings, the newest first.
    List(ListArgs),
    /// Shows one finding.
    Show(ShowArgs),
    /// Says what a finding is.
    Explain(ExplainArgs),
    /// Confirms another person's explanation.
    Confirm(ConfirmArgs),
}

/// Lists the findings, the newest first.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis recon list --home demo-home")]
pub(crate) struct ListArgs {
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows one finding.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis recon show 3 --home demo-home")]
pub(crate) struct ShowArgs {
    /// The finding's number.
    pub(crate) finding: u64,
    /// The home of the running daemon.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says what a finding is.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis recon explain 3 --reason \"fee rebate of October\" --home demo-home --as olga")]
pub(crate) struct ExplainArgs {
    /// The finding's number.
    pub(crate) finding: u64,
    /// The explanation, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Confirms another person's explanation.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis recon confirm 3 --home demo-home --as rita")]
pub(crate) struct ConfirmArgs {
    /// The finding's number.
    pub(crate) finding: u64,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Runs `recon`.
pub(crate) fn run(verb: ReconVerb) -> Result<(), CliError> {
    match verb {
        ReconVerb::List(args) => {
            let (findings, left_out) = ask(&Home::open(&args.home)?, None)?;
            if args.json {
                return out::json("recon.list", document(findings, left_out));
            }
            out::result(&render_list(&findings, left_out))
        }
        ReconVerb::Show(args) => show(&args),
        ReconVerb::Explain(args) => {
            let ExplainArgs { finding, reason, asking } = args;
            let person = asking.person.clone();
            let said = FindingExplain { person, finding, reason };
            by_hand::ask(&asking, &Request::FindingExplain(said), false)
        }
        ReconVerb::Confirm(ConfirmArgs { finding, asking }) => {
            let person = asking.person.clone();
            let said = FindingConfirm { person, finding };
            by_hand::ask(&asking, &Request::FindingConfirm(said), false)
        }
    }
}

fn show(args: &ShowArgs) -> Result<(), CliError> {
    let (findings, _) = ask(&Home::open(&args.home)?, Some(args.finding))?;
    let found = findings.into_iter().find(|finding| finding.number == args.finding);
    let Some(finding) = found else {
        let (cause, next) = ("no such finding", "portcullis recon list shows what there is");
        let subject = args.finding.to_string();
        return Err(CliError::new(Exit::NotFound, "FINDING_UNKNOWN", &subject, cause, next));
    };
    if args.json { out::json("recon.show", value(finding)) } else { out::result(&render(&finding)) }
}

fn ask(home: &Home, number: Option<u64>) -> Result<(Vec<FindingView>, u64), CliError> {
    let socket = home.control_socket();
    let reply = client::ask(&socket, &Request::Findings { number }, SOON)?;
    let Reply::Findings { findings, left_out } = reply else {
        return Err(client::unexpected(&socket));
    };
    Ok((findings, left_out))
}

fn side(text: Option<&String>) -> &str {
    text.map_or("nothing", String::as_str)
}

fn render_list(findings: &[FindingView], left_out: u64) -> String {
    let mut text = field("findings", &findings.len().to_string());
    for finding in findings {
        let (ours, venue) = (side(finding.ours.as_ref()), side(finding.venue.as_ref()));
        let about = format!("{} {}: house {ours}, venue {venue}", finding.code, finding.subject);
        text += &out::indented(&format!("#{} {} {about}", finding.number, finding.state));
    }
    if left_out > 0 {
        text += &field("not shown", &format!("{left_out} older findings"));
    }
    text
}

fn render(finding: &FindingView) -> String {
    let mut text = field("finding", &finding.number.to_string());
    text += &field("code", &finding.code);
    text += &field("about", &finding.subject);
    text += &field("house", side(finding.ours.as_ref()));
    text += &field("venue", side(finding.venue.as_ref()));
    text += &field("state", &finding.state);
    text + &field("outcome", finding.outcome.as_deref().unwrap_or("none yet"))
}

fn document(findings: Vec<FindingView>, left_out: u64) -> Value {
    let findings = findings.into_iter().map(value).collect();
    object([("findings", Value::List(findings)), ("left_out", count(left_out))])
}

fn value(finding: FindingView) -> Value {
    let optional = |text: Option<String>| text.map_or(Value::Null, Value::from);
    object([
        ("code", finding.code.into()),
        ("number", count(finding.number)),
        ("ours", optional(finding.ours)),
        ("outcome", optional(finding.outcome)),
        ("state", finding.state.into()),
        ("subject", finding.subject.into()),
        ("venue", optional(finding.venue)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_differs_and_what_it_leaves_out() {
        let finding = FindingView {
            number: 3,
            code: "BALANCE".to_owned(),
            subject: "USDT\u{1b}".to_owned(),
            ours: Some("1".to_owned()),
            venue: None,
            state: "open".to_owned(),
            outcome: None,
        };
        let text = render_list(std::slice::from_ref(&finding), 2);
        let expect = "  #3 open BALANCE USDT\\u{1b}: house 1, venue nothing\n";
        assert!(text.contains(expect) && text.contains("2 older findings"), "{text}");
        assert!(render(&finding).ends_with("outcome          none yet\n"));
        let document = document(vec![finding], 0).canonical_text();
        assert!(document.contains("\"number\":3") && document.contains("\"venue\":null"));
    }
}
