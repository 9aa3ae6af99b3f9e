//! `runlog.md`: what the session was, and what happened in it.

use portcullis_statement::Classification;
use portcullis_statement::json::{Value, object};

use super::RENDERER_VERSION;
use super::fault::RenderFault;
use super::item::Item;
use super::page::Page;
use super::session::Session;
use crate::text::quote_markdown;

/// The kinds that stand in the timeline.
const KINDS: [&str; 28] = [
    "session-opened",
    "tightened",
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
pub(super) fn render(session: &Session, suggested: Classification) -> Result<Page, RenderFault> {
    let mut page = Page::default();
    head(&mut page, session, suggested);
    page.line("\n## Facts\n");
    page.fenced(facts(session));
    interventions(&mut page, session)?;
    page.line("\n## Timeline\n\nUTC, entry, kind; the rest is quoted.\n");
    let items = session.items.iter().filter(|item| KINDS.contains(&item.kind()));
    page.fenced(items.map(timeline_line).collect::<Result<Vec<_>, _>>()?);
    Ok(page)
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

/// The start after a crash carries the whole roster; how it found the journal is enough.
fn what(item: &Item) -> Result<Value, RenderFault> {
    if item.is("started") {
        return item.body(|body| Ok(object([("clean", body.bool("clean")?.into())])));
    }
    Ok(item.entry.body.clone())
}

fn head(page: &mut Page, session: &Session, suggested: Classification) {
    let (approval, item) = (&session.approval, &session.approval.item);
    let (number, phase) = (item.phase.number(), item.phase.name());
    let (opens, closes) = (item.window_opens.rfc3339(), item.window_closes.rfc3339());
    let ended = if session.crashed() { "by a crash" } else { "by its closing" };
    page.line(format!("# Runlog of session {}\n", item.session));
    page.line(format!("Mode: {number} {phase}, {}\n", session.endpoint_kind().name()));
    page.line(format!("- Account {} on host {}", item.account, item.host));
    page.line(format!("- Window {opens} to {closes}"));
    page.line(format!("- Approval {} (entry {})", approval.digest, approval.seq));
    page.line(format!("- Endpoint set {}", item.endpoint));
    page.line(format!("- Limits {}", item.limits_digest));
    page.line(format!("- Ended {ended}; the entries suggest: {}", suggested.name()));
    page.line(format!("- Rendered from entries alone, renderer {RENDERER_VERSION}"));
}

fn facts(session: &Session) -> Vec<String> {
    let item = &session.approval.item;
    let fact = |name: &str, text: &str| format!("{name}={}", quote_markdown(&text.into()));
    let mut facts = vec![
        fact("build", &item.build),
        fact("origin", &item.journal.origin),
        fact("witness", &item.witness),
    ];
    facts.extend(item.instruments.iter().map(|one| fact("instrument", &one.symbol)));
    for (plugin, opened) in item.plugins.iter().zip(&session.plugins) {
        let params = plugin.params.iter();
        let params = params.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let about = object([
            ("component", opened.component.hex().into()),
            ("engine", opened.engine.as_str().into()),
            ("name", opened.name.as_str().into()),
            ("params", Value::Object(params)),
            ("release", plugin.release.hex().into()),
        ]);
        facts.push(format!("plugin={}", quote_markdown(&about)));
    }
    facts
}
