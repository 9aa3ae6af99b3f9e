//! `review.md`: what the reviewer has to look at after trading. What the entries say about each
//! question stands beside it; the answers are people's.

use portcullis_core::NoteKind;
use portcullis_statement::Classification;

use super::alerts::Alert;
use super::fault::RenderFault;
use super::page::Page;
use super::recon::Recon;
use super::remark::{Remark, about};
use super::session::Session;

/// Each question by its name. Every one is answered, or the pack is not complete.
pub const QUESTIONS: [(&str, &str); 8] = [
    ("orders", "Has every order of executions.jsonl an end that you understand?"),
    ("reconciliation", "Do account and house agree, and is every finding explained by two?"),
    ("limits", "Is each warning and denial of boundaries.json what the limits are for?"),
    ("alerts", "Has somebody looked at each alert, the cleared ones too?"),
    ("incidents", "Was the playbook followed for each incident, small ones included?"),
    ("interventions", "Is each act by hand justified?"),
    ("evidence", "Are gaps and late notes reasons that you accept?"),
    ("judgement", "Which colour does the session deserve, and why?"),
];

/// What the parts before this one have found.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) alerts: &'a [Alert],
    pub(super) recon: &'a Recon,
    pub(super) suggested: Classification,
}

pub(super) fn render(session: &Session, found: &Found<'_>) -> Result<Page, RenderFault> {
    let mut page = Page::default();
    page.line("# Review after trading\n");
    page.line("The kernel's findings are its own; each answer is quoted, with its author.");
    for (name, question) in QUESTIONS {
        page.line(format!("\n## {name}\n\n{question}\n"));
        page.line(format!("Found: {}\n", finding(name, session, found)?));
        let mut answers = about(&session.remarks, NoteKind::Answer, name).peekable();
        if answers.peek().is_none() {
            page.blank("answer", name);
        } else {
            page.fenced(answers.map(Remark::line));
        }
    }
    Ok(page)
}

/// What the entries say about a question, in numbers alone.
fn finding(name: &str, session: &Session, found: &Found<'_>) -> Result<String, RenderFault> {
    let run = session.run();
    let count = |kinds: &[&str]| run.iter().filter(|item| kinds.contains(&item.kind())).count();
    let alerts = found.alerts;
    Ok(match name {
        "orders" => {
            let (orders, unknown) = (count(&["ordered"]), count(&["order-overdue", "lost"]));
            let fills = session.fills.len();
            format!("{orders} orders, {fills} fills, {unknown} times an order's fate was unknown")
        }
        "reconciliation" => {
            let (opened, confirmed) = (count(&["finding-opened"]), count(&["finding-confirmed"]));
            format!("{}; {opened} findings, {confirmed} confirmed", found.recon.words())
        }
        "limits" => {
            let denied = count(&["denied", "leg-denied", "amend-denied", "cancel-denied"]);
            let (warned, triggered) = (count(&["warned"]), count(&["triggered"]));
            format!("{warned} warnings, {denied} denials, {triggered} triggers")
        }
        "alerts" => {
            let open = alerts.iter().filter(|alert| !alert.is_cleared()).count();
            format!("{} alerts, {open} of them not cleared", alerts.len())
        }
        "incidents" => {
            let incidents = alerts.iter().filter(|alert| alert.is_incident()).count();
            let critical = alerts.iter().filter(|alert| alert.is_critical()).count();
            format!("{incidents} incidents, {critical} of them critical")
        }
        "interventions" => format!("{} acts by hand in the session", count(&["intervened"])),
        "evidence" => {
            let late = session.remarks.iter().filter(|remark| remark.noted.late).count();
            let gaps = super::gaps::count(session, found.recon)?;
            format!("{gaps} gaps, {late} notes after the session")
        }
        _ => format!("the entries suggest {}", found.suggested.name()),
    })
}
