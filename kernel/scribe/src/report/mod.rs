//! `report.html`: one session on one page, for the people who have to judge it.
//!
//! One file without a script and without a single request: its policy forbids both, and names the
//! digest of the one style sheet. Everything foreign passes the escaper of its place. The page
//! shows what entries say; it judges nothing, and proves nothing: that is the business of the pack.

mod axis;
mod chart;
mod latency;
mod limits;
mod page;
mod sections;
mod series;
mod story;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;

use portcullis_domain::{Instrument, WallNs};
use portcullis_statement::json::{self, Value};

use super::line::{moment, text};
use super::market;
use super::source::{Evidence, json_lines, refused};
use crate::CliError;

/// Everything that the page shows.
struct Report<'a> {
    evidence: &'a Evidence,
    instrument: &'a Instrument,
    /// First and last moment of the run.
    span: (WallNs, WallNs),
    metrics: Value,
    story: story::Story,
    curves: story::Curves,
    rows: Vec<timeline::Row>,
}

/// Renders the page.
pub(super) fn render(
    evidence: &Evidence,
    parts: &BTreeMap<String, Vec<u8>>,
) -> Result<String, CliError> {
    let part = |name: &str| parts.get(name).map(Vec::as_slice).unwrap_or_default();
    let bad = |cause: &str| refused("REPORT_LINE", &evidence.place, cause);
    let metrics = json::parse_canonical(part("metrics.json"))
        .map_err(|error| bad(&format!("metrics.json: {error}")))?;
    let end = |key| text(&metrics, &["span", key]).and_then(moment);
    let span = end("first").zip(end("last")).ok_or_else(|| bad("the session has no span"))?;
    let instrument = market::instrument(evidence)?;
    let lines = json_lines(&evidence.place, part("executions.jsonl"))?;
    let story = story::Story::read(evidence, instrument, &lines)?;
    let curves = story::curves(evidence, instrument, (&story, span))?;
    let alerts = json_lines(&evidence.place, part("alerts.jsonl"))?;
    let rows = timeline::rows(evidence, &alerts)?;
    let report = Report { evidence, instrument, span, metrics, story, curves, rows };
    Ok(page::html(&report))
}
