//! The parts of a pack that follow from the journal: rendered for the pack, and rendered again by
//! whoever verifies it.
//!
//! Nothing here asks a clock or looks outside the entries, so that the same entries give the same
//! bytes for ever. All text that came from outside passes an escaper: one-line JSON in fenced
//! blocks in Markdown, canonical JSON without controls elsewhere. What people said comes from
//! their notes, which are entries too.
//!
//! A pack names the version that rendered it. [`render_parts`] renders every version that ever
//! sealed a pack: when a byte of a released version would change, its modules stay as they are
//! under their number, the new ones get the next, and both stand in its table.

mod alerts;
mod auto;
mod begun;
mod boundaries;
mod checklist;
mod executions;
mod fault;
mod gaps;
mod item;
mod latency;
mod lessons;
mod metrics;
#[cfg(test)]
mod packed;
mod page;
mod peaks;
mod recon;
mod remark;
mod review;
mod runlog;
mod session;
mod standing;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use portcullis_statement::Classification;
use portcullis_statement::json::Value;

use super::parts::{Part, Told, derived_names};
use alerts::Alert;
pub use fault::RenderFault;
pub use gaps::GAPS;
use review::Found;
pub use review::QUESTIONS;
pub use runlog::runlog_form;
use session::Session;

/// Which rendering this is. A change of any rendered byte is another version.
pub const RENDERER_VERSION: i64 = 1;

/// Renders every derived part of one session, in the version that a pack names.
///
/// # Errors
/// See [`RenderFault`]. Entries that cannot be read are never left out in silence.
pub fn render_parts(version: i64, told: &Told<'_>) -> Result<Vec<Part>, RenderFault> {
    match version {
        RENDERER_VERSION => render(told),
        other => Err(RenderFault::Version(other)),
    }
}

fn render(told: &Told<'_>) -> Result<Vec<Part>, RenderFault> {
    let session = Session::read(told)?;
    let alerts = alerts::of(&session)?;
    let recon = recon::of(&session)?;
    let found = Found { alerts: &alerts, recon: &recon, suggested: judge(&alerts, &recon) };
    let names = derived_names(session.phase());
    let part =
        |name: &str| Ok(Part { name: name.to_owned(), bytes: part(name, &session, &found)? });
    names.into_iter().map(part).collect()
}

/// One part by its name.
fn part(name: &str, session: &Session, found: &Found<'_>) -> Result<Vec<u8>, RenderFault> {
    let Found { alerts, recon, suggested } = *found;
    let incidents = alerts.iter().filter(|alert| alert.is_incident());
    Ok(match name {
        "runlog.md" => runlog::render(session, suggested, recon)?.into_bytes(),
        "checklist.md" => checklist::render(session)?.into_bytes(),
        "executions.jsonl" => lines(&executions::lines(session)?),
        "recon.json" => recon.to_value().canonical(),
        "recon.md" => recon.to_page().into_bytes(),
        "metrics.json" => metrics::of(session, alerts)?.canonical(),
        "alerts.jsonl" => lines(&alerts.iter().map(Alert::to_value).collect::<Vec<_>>()),
        "incidents.jsonl" => lines(&incidents.map(Alert::to_value).collect::<Vec<_>>()),
        "lessons.md" => lessons::render(session).into_bytes(),
        "review.md" => review::render(session, found)?.into_bytes(),
        "boundaries.json" => boundaries::of(session)?.canonical(),
        "auto_enablement.jsonl" => lines(&auto::enablement(session)),
        "gate_checks.jsonl" => lines(&auto::checks(session)),
        "overrides.jsonl" => lines(&auto::overrides(session)?),
        "classification.json" => auto::classification(session)?.canonical(),
        other => return Err(RenderFault::Part(other.to_owned())),
    })
}

/// What the entries suggest as the session's classification; the seal's signers decide.
///
/// Red: a critical alert, a crash, or a reconciliation that was due and is not green at the end.
/// Yellow: any other alert that is more than a notice. Green: none.
///
/// # Errors
/// As [`render_parts`].
pub fn classify(told: &Told<'_>) -> Result<Classification, RenderFault> {
    let session = Session::read(told)?;
    Ok(judge(&alerts::of(&session)?, &recon::of(&session)?))
}

fn judge(alerts: &[Alert], recon: &recon::Recon) -> Classification {
    if alerts.iter().any(Alert::is_critical) || recon.is_red() {
        Classification::Red
    } else if alerts.iter().any(Alert::is_finding) {
        Classification::Yellow
    } else {
        Classification::Green
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
