//! `checklist.md`: what the kernel itself knew when it opened the session, and who said go.

use portcullis_domain::Phase;
use portcullis_statement::Digest;

use super::fault::RenderFault;
use super::item::texts;
use super::page::Page;
use super::session::Session;
use crate::text::quote_markdown;

/// One line: whether it held, and in which words.
type Check = (bool, String);

/// All of it is made of digests, names, codes and numbers: nothing in it is free text,
/// and a key, which could be any text, is quoted.
pub(super) fn render(session: &Session) -> Result<Page, RenderFault> {
    let item = &session.approval.item;
    let mut checks = signatures(session);
    checks.push(window(session));
    checks.extend(plugins(session));
    checks.push(kill_latch(session));
    checks.push(reconciliation(session)?);
    checks.extend(limits(session).map(|line| (true, line)));
    if session.reduce_only {
        let line = "Carried positions are not the approved ones: opened to reduce only";
        checks.push((false, line.to_owned()));
    }
    let mut page = Page::default();
    page.line(format!("# Checklist at opening\n\nSession: {}\n", item.session));
    for (holds, line) in checks {
        page.line(format!("- [{}] {line}", if holds { 'x' } else { ' ' }));
    }
    let seq = session.approval.seq;
    let opened = session.items.first().map_or(seq, |item| item.seq);
    page.line("\n## Decision: Go\n");
    page.line(format!("Opened in entry {opened}; the approval in entry {seq} was signed by:\n"));
    for signer in &session.approval.signers {
        let key = quote_markdown(&signer.key.as_str().into());
        page.line(format!("- {} as {}, key {key}", signer.person, signer.role.name()));
    }
    Ok(page)
}

/// What the gate judged by.
fn limits(session: &Session) -> [String; 5] {
    let (item, seq) = (&session.approval.item, session.approval.seq);
    let loss = item.worst_case_loss.text();
    let (stop, currency) = (&item.limits.account.activity.loss_session_max, &item.limits.currency);
    let (stop, cap) = (stop.text(), item.equity_max.text());
    [
        format!("Limits in force: {} (entry {seq})", item.limits_digest),
        format!("Phase rules in force: {} (entry {seq})", item.phases_digest),
        format!("Safety policy in force: {} (entry {seq})", item.safety_digest),
        format!("Worst-case loss approved: {loss} (entry {seq})"),
        format!("Loss limit approved: {stop} {currency}; account worth up to {cap} (entry {seq})"),
    ]
}

/// The approval, and what it builds on.
fn signatures(session: &Session) -> Vec<Check> {
    let approval = &session.approval;
    let digest = approval.digest;
    let line = format!("Signatures verified: session approval {digest} (entry {})", approval.seq);
    let accepted = |what: &str, digest: Digest| {
        let seq = session.at_opening.accepted.get(&digest.hex());
        let where_from = seq.map_or("no entry accepts it".to_owned(), |seq| format!("entry {seq}"));
        (seq.is_some(), format!("Signatures verified: {what} {digest} ({where_from})"))
    };
    let mut checks = vec![(true, line), accepted("endpoint set", approval.item.endpoint)];
    let releases = approval.item.plugins.iter();
    checks.extend(releases.map(|plugin| accepted("plugin release", plugin.release)));
    checks
}

fn window(session: &Session) -> Check {
    let item = &session.approval.item;
    let (opens, closes) = (item.window_opens, item.window_closes);
    let at = session.items.first().map(|item| item.entry.place.at.wall);
    let within = at.is_some_and(|at| opens <= at && at < closes);
    (within, format!("Opened within its window: {} to {}", opens.rfc3339(), closes.rfc3339()))
}

/// Each worker runs the very bytes that were approved.
fn plugins(session: &Session) -> Vec<Check> {
    let approved = &session.approval.item.plugins;
    let mut checks: Vec<Check> = approved
        .iter()
        .enumerate()
        .map(|(number, plugin)| {
            let opened = session.plugins.get(number);
            let same = opened.is_some_and(|opened| opened.component == plugin.component);
            let digest = plugin.component;
            (same, format!("Plugin {} runs the approved component {digest}", plugin.name))
        })
        .collect();
    if session.plugins.len() != approved.len() {
        checks.push((false, "As many plugins run as were approved".to_owned()));
    }
    checks
}

fn kill_latch(session: &Session) -> Check {
    match session.at_opening.kill {
        None => (true, "Kill latch up: never pulled in this journal".to_owned()),
        Some(kill) => match kill.lifted {
            Some(lifted) => {
                (true, format!("Kill latch up: kill-{} lifted (entry {lifted})", kill.kill_seq))
            }
            None => (
                false,
                format!("Kill latch up: kill-{} stands (entry {})", kill.kill_seq, kill.seq),
            ),
        },
    }
}

fn reconciliation(session: &Session) -> Result<Check, RenderFault> {
    if session.phase() == Phase::Shadow {
        return Ok((true, "Reconciliation: not required: phase 1".to_owned()));
    }
    let Some(last) = &session.at_opening.reconciled else {
        return Ok((false, "Reconciliation green: never compared in this run".to_owned()));
    };
    let differences = last.body(|body| texts(body.list("differences")?))?.len();
    let line = format!("Reconciliation green: {differences} differences (entry {})", last.seq);
    Ok((differences == 0, line))
}
