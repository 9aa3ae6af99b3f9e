//! `metrics.json`: counts and latencies of one session.

use std::collections::BTreeMap;

use portcullis_domain::BootNs;
use portcullis_statement::json::{Fields, Value, count, object};

use super::RENDERER_VERSION;
use super::alerts::Alert;
use super::fault::RenderFault;
use super::item::Item;
use super::session::Session;
use crate::bytes::len_u64;
use crate::text::{escape_terminal, escape_value};

/// Counts everything; times are nanoseconds on the boot clock, which never steps.
pub(super) fn of(session: &Session, alerts: &[Alert]) -> Result<Value, RenderFault> {
    let kinds = tally(session.items.iter().map(Item::kind));
    let of_kind = |kind: &str| count(kinds.get(kind).copied().unwrap_or(0));
    let (mut fuel, mut batches) = (0_u64, 0_u64);
    for item in session.run().iter().filter(|item| item.is("plugin-reply")) {
        fuel = fuel.saturating_add(item.body(|body| body.uint("fuel"))?);
        batches = batches.saturating_add(1);
    }
    let incidents = alerts.iter().filter(|alert| alert.is_incident()).count();
    Ok(object([
        ("alerts", count(len_u64(alerts.len()))),
        ("batches", count(batches)),
        ("cancels", of_kind("cancel-requested")),
        ("crashed", session.crashed().into()),
        ("entries", counts_value(&kinds)),
        ("events", events(session)?),
        ("fills", count(len_u64(session.fills.len()))),
        ("fuel", count(fuel)),
        ("incidents", count(len_u64(incidents))),
        ("latency", latency(session)),
        ("market", escape_value(&market(session)?)),
        ("orders", of_kind("ordered")),
        ("plugin_failures", of_kind("plugin-stopped")),
        ("renderer", RENDERER_VERSION.into()),
        ("span", span(session)),
        ("verdicts", counts_value(&tally(session.items.iter().filter_map(verdict)))),
    ]))
}

fn tally<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        let counted: &mut u64 = counts.entry(name).or_default();
        *counted = counted.saturating_add(1);
    }
    counts
}

fn counts_value(counts: &BTreeMap<&str, u64>) -> Value {
    let counted = counts.iter().map(|(name, number)| (escape_terminal(name), count(*number)));
    Value::Object(counted.collect())
}

/// What the gate said.
fn verdict(item: &Item) -> Option<&str> {
    match item.kind() {
        "ordered" => Some("APPROVED"),
        "amend-requested" => Some("AMENDED"),
        "proposed" => Some("PROPOSED"),
        "denied" | "leg-denied" | "amend-denied" | "proposal-ended" => Some(&item.entry.reason),
        _ => None,
    }
}

/// Events delivered to all plugins, which only the closing counts; null after a crash.
fn events(session: &Session) -> Result<Value, RenderFault> {
    let Some(closed) = session.closing() else { return Ok(Value::Null) };
    closed.body(|body| {
        let mut events = 0_u64;
        for plugin in body.fields("summary")?.list("plugins")? {
            let delivered = Fields::new(plugin)?.uint("events")?;
            events = events.saturating_add(delivered);
        }
        Ok(count(events))
    })
}

/// Market data as the closing counts it; null after a crash.
fn market(session: &Session) -> Result<Value, RenderFault> {
    let Some(closed) = session.closing() else { return Ok(Value::Null) };
    closed.body(|body| body.fields("summary")?.value("market").cloned())
}

/// First and last moment of the run; after a crash, the last one that the journal kept.
fn span(session: &Session) -> Value {
    let run = session.run();
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Value::Null };
    let ns = last.entry.place.at.boot.since_ns(first.entry.place.at.boot);
    object([
        ("first", first.utc().into()),
        ("last", last.utc().into()),
        ("ns", ns.to_string().into()),
    ])
}

/// From an order's approval to the wire and to the venue's first word.
fn latency(session: &Session) -> Value {
    let mut waiting: BTreeMap<&str, (BootNs, bool, bool)> = BTreeMap::new();
    let (mut to_sent, mut to_report) = (Vec::new(), Vec::new());
    for item in session.run() {
        let (now, corr) = (item.entry.place.at.boot, item.entry.corr.as_str());
        if item.is("ordered") {
            waiting.insert(corr, (now, false, false));
        }
        let Some((approved, sent, reported)) = waiting.get_mut(corr) else { continue };
        if item.is("sent") && !*sent {
            *sent = true;
            to_sent.push(now.since_ns(*approved));
        }
        if item.is_report() && !*reported {
            *reported = true;
            to_report.push(now.since_ns(*approved));
        }
    }
    object([
        ("submit_to_report_ns_median", median(&mut to_report)),
        ("submit_to_report_samples", count(len_u64(to_report.len()))),
        ("submit_to_sent_ns_median", median(&mut to_sent)),
        ("submit_to_sent_samples", count(len_u64(to_sent.len()))),
    ])
}

/// The middle, or the lower one of two; null of nothing.
fn median(samples: &mut [i64]) -> Value {
    samples.sort_unstable();
    let middle = samples.len().saturating_sub(1).checked_div(2).unwrap_or(0);
    samples.get(middle).map_or(Value::Null, |ns| Value::Int(*ns))
}
