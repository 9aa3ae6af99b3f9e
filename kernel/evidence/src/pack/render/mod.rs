//! The parts of a pack that follow from the journal: rendered for the pack, and rendered again by
//! whoever verifies it.
//!
//! Nothing here asks a clock or looks outside the entries, so that the same entries give the same
//! bytes for ever. All text that came from outside passes an escaper: one-line JSON in fenced
//! blocks in Markdown, canonical JSON without controls elsewhere. `lessons.md` is written by
//! people and is not among these parts.

mod alerts;
mod beginning;
mod checklist;
mod executions;
mod fault;
mod item;
mod metrics;
mod page;
mod recon;
mod runlog;
mod session;
mod standing;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use portcullis_statement::Classification;
use portcullis_statement::json::Value;

use super::parts::Part;
pub use fault::RenderFault;
use session::Session;

/// Which rendering this is. A change of any rendered byte is another version.
pub const RENDERER_VERSION: i64 = 1;

/// The parts that [`render_parts`] renders, in its order.
pub const DERIVED_PARTS: [&str; 8] = [
    "runlog.md",
    "checklist.md",
    "executions.jsonl",
    "recon.json",
    "recon.md",
    "metrics.json",
    "alerts.jsonl",
    "incidents.jsonl",
];

/// Renders every derived part of one session.
///
/// `session_entries` is a range that [`super::sessions`] found, `before` is every entry of the
/// journal before it: what the kernel knew when the session was opened.
///
/// # Errors
/// See [`RenderFault`]. Entries that cannot be read are never left out in silence.
pub fn render_parts(session_entries: &[&[u8]], before: &[&[u8]]) -> Result<Vec<Part>, RenderFault> {
    let session = Session::read(session_entries, before)?;
    let alerts = alerts::of(&session)?;
    let recon = recon::of(&session)?;
    let suggested = judge(&alerts, &recon);
    let incidents = alerts.iter().filter(|alert| alert.is_incident());
    let rendered = [
        runlog::render(&session, suggested)?.into_bytes(),
        checklist::render(&session)?.into_bytes(),
        lines(&executions::lines(&session)?),
        recon.to_value().canonical(),
        recon.to_page().into_bytes(),
        metrics::of(&session, &alerts)?.canonical(),
        lines(&alerts.iter().map(alerts::Alert::to_value).collect::<Vec<_>>()),
        lines(&incidents.map(alerts::Alert::to_value).collect::<Vec<_>>()),
    ];
    let parts = DERIVED_PARTS.into_iter().zip(rendered);
    Ok(parts.map(|(name, bytes)| Part { name: name.to_owned(), bytes }).collect())
}

/// What the entries suggest as the session's classification; the seal's signers decide.
///
/// Red: a critical alert, a crash, or a reconciliation that was due and is not green at the end.
/// Yellow: any other alert. Green: none.
///
/// # Errors
/// As [`render_parts`].
pub fn classify(
    session_entries: &[&[u8]],
    before: &[&[u8]],
) -> Result<Classification, RenderFault> {
    let session = Session::read(session_entries, before)?;
    Ok(judge(&alerts::of(&session)?, &recon::of(&session)?))
}

fn judge(alerts: &[alerts::Alert], recon: &recon::Recon) -> Classification {
    if alerts.iter().any(alerts::Alert::is_critical) || recon.is_red() {
        Classification::Red
    } else if alerts.is_empty() {
        Classification::Green
    } else {
        Classification::Yellow
    }
}

/// One value per line; nothing at all where there is none.
fn lines(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend(value.canonical());
        bytes.push(b'\n');
    }
    bytes
}
