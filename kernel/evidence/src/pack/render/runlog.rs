//! `runlog.md`: what the session was, and what happened in it.

use portcullis_core::NoteKind;
use portcullis_statement::json::{Value, count, object};
use portcullis_statement::{Classification, Digest, SessionApproval, Signer};

use super::RENDERER_VERSION;
use super::fault::RenderFault;
use super::gaps;
use super::item::Item;
use super::page::Page;
use super::recon::Recon;
use super::remark::Remark;
use super::session::Session;
use crate::text::quote_markdown;

/// The kinds that stand in the timeline.
const KINDS: [&str; 29] = [
    "session-opened",
    "tightened",
    "noted",
    "session-closing",
    "session-closed",
    "close-session",
    "started",
    "killed",
    "unkilled",
    "orders-clear",
    "plugin-stopped",
    "stop-fired",
    "protection-lost",
    "protection-released",
    "events-dropped",
    "faulted",
    "refused",
    "reconciled",
    "balances-adopted",
    "balance-adjusted",
    "finding-opened",
    "finding-gone",
    "finding-explained",
    "finding-confirmed",
    "ledger-booked",
    "venue-link",
    "order-overdue",
    "order-dead",
    "lost",
];

/// Facts and timeline; whatever came from outside is quoted inside fences.
pub(super) fn render(
    session: &Session,
    suggested: Classification,
    recon: &Recon,
) -> Result<Page, RenderFault> {
    let mut page = Page::default();
    head(&mut page, session, suggested);
    page.line("\n## Facts\n");
    page.fenced(facts(session));
    interventions(&mut page, session)?;
    page.line("\n## Timeline\n\nUTC, entry, kind; the rest is quoted.\n");
    let items = session.items.iter().filter(|item| KINDS.contains(&item.kind()));
    page.fenced(items.map(timeline_line).collect::<Result<Vec<_>, _>>()?);
    observations(&mut page, session);
    gaps::write(&mut page, session, recon)?;
    Ok(page)
}

/// What people saw, in their words. Not the kernel's: nothing here was checked.
fn observations(page: &mut Page, session: &Session) {
    page.line("\n## Observations of people\n\nQuoted with their authors; nobody checked them.\n");
    let seen = [NoteKind::Observation, NoteKind::Anomaly];
    let said = session.remarks.iter().filter(|remark| seen.contains(&remark.noted.note.kind));
    page.fenced(said.map(Remark::line));
}

/// What people did by hand, with what came of it; and what they did since the session before, by
/// its closing rights. A session without any has no such heading.
fn interventions(page: &mut Page, session: &Session) -> Result<(), RenderFault> {
    let here = session.run().iter().filter(|item| item.is("intervened"));
    let all: Vec<&Item> = session.at_opening.between.iter().chain(here).collect();
    if all.is_empty() {
        return Ok(());
    }
    let opened = session.items.first().map_or(0, |item| item.seq);
    page.line("\n## Interventions by hand\n");
    page.line(format!("Entries below {opened} came before this session, by closing rights.\n"));
    page.fenced(all.into_iter().map(timeline_line).collect::<Result<Vec<_>, _>>()?);
    Ok(())
}

fn timeline_line(item: &Item) -> Result<String, RenderFault> {
    let rest = object([
        ("corr", item.entry.corr.as_str().into()),
        ("reason", item.entry.reason.as_str().into()),
        ("what", what(item)?),
    ]);
    let (time, seq, kind) = (item.utc(), item.seq, item.kind());
    Ok(format!("{time} #{seq} {kind} {}", quote_markdown(&rest)))
}

/// The start after a crash carries the whole roster; how it found the journal is enough. People's
/// words stand in a section of their own.
fn what(item: &Item) -> Result<Value, RenderFault> {
    if item.is("noted") {
        let number = item.body(|body| body.uint("number"))?;
        return Ok(object([("note", count(number))]));
    }
    if item.is("started") {
        return item.body(|body| Ok(object([("clean", body.bool("clean")?.into())])));
    }
    Ok(item.entry.body.clone())
}

/// The runlog as it is before the session: its form, with what the approval settles filled in and
/// the rest as blanks. Who signs is not known yet, so signers are those whom the statement lists.
#[must_use]
pub fn runlog_form(digest: Digest, signers: &[Signer], item: &SessionApproval) -> Vec<u8> {
    let mut page = Page::default();
    settled(&mut page, digest, signers, item);
    for blank in ["start", "stop", "observations", "gaps"] {
        page.blank(blank, "filled in from the journal when the session is over");
    }
    page.line("\n## Facts\n");
    page.fenced(approved(item));
    page.into_bytes()
}

/// What is settled before the session begins.
fn settled(page: &mut Page, digest: Digest, signers: &[Signer], item: &SessionApproval) {
    let (number, phase) = (item.phase.number(), item.phase.name());
    let (opens, closes) = (item.window_opens.rfc3339(), item.window_closes.rfc3339());
    page.line(format!("# Runlog of session {}\n", item.session));
    page.line(format!("Mode: {number} {phase}, {}\n", item.endpoint_kind.name()));
    page.line(format!("- Account {} on host {}", item.account, item.host));
    for signer in signers {
        page.line(format!("- Signed for by {} as {}", signer.person, signer.role.name()));
    }
    page.line(format!("- Window {opens} to {closes}"));
    page.line(format!("- Approval {digest}"));
    page.line(format!("- Endpoint set {}", item.endpoint));
    page.line(format!("- Limits {}", item.limits_digest));
}

fn head(page: &mut Page, session: &Session, suggested: Classification) {
    let approval = &session.approval;
    settled(page, approval.digest, &approval.signers, &approval.item);
    let time = |item: Option<&Item>| item.map_or_else(String::new, Item::utc);
    let ended = if session.crashed() { "by a crash" } else { "by its closing" };
    let (start, stop) = (time(session.items.first()), time(session.items.last()));
    page.line(format!("- Started {start}, approved in entry {}", approval.seq));
    page.line(format!("- Stopped {stop} {ended}; the entries suggest: {}", suggested.name()));
    page.line(format!("- Rendered from entries alone, renderer {RENDERER_VERSION}"));
}

fn facts(session: &Session) -> Vec<String> {
    let mut facts = approved(&session.approval.item);
    for opened in &session.plugins {
        let about = object([
            ("component", opened.component.hex().into()),
            ("engine", opened.engine.as_str().into()),
            ("name", opened.name.as_str().into()),
        ]);
        facts.push(format!("opened={}", quote_markdown(&about)));
    }
    facts
}

/// What was approved, parameters included.
fn approved(item: &SessionApproval) -> Vec<String> {
    let fact = |name: &str, text: &str| format!("{name}={}", quote_markdown(&text.into()));
    let mut facts = vec![
        fact("build", &item.build),
        fact("origin", &item.journal.origin),
        fact("witness", &item.witness),
    ];
    facts.extend(item.instruments.iter().map(|one| fact("instrument", &one.symbol)));
    for plugin in &item.plugins {
        let params = plugin.params.iter();
        let params = params.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let about = object([
            ("component", plugin.component.hex().into()),
            ("name", plugin.name.as_str().into()),
            ("params", Value::Object(params)),
            ("release", plugin.release.hex().into()),
        ]);
        facts.push(format!("plugin={}", quote_markdown(&about)));
    }
    facts
}
