//! `metrics.json`: counts and latencies of one session.

use std::collections::BTreeMap;

use portcullis_domain::number::{format_scaled, share};
use portcullis_domain::time::NS_PER_S;
use portcullis_statement::json::{Fields, Value, count, object};

use super::RENDERER_VERSION;
use super::alerts::Alert;
use super::fault::RenderFault;
use super::item::Item;
use super::latency;
use super::session::Session;
use crate::bytes::len_u64;
use crate::text::{escape_terminal, escape_value};

const MINUTE_NS: i64 = 60 * NS_PER_S;
/// What the venue says where it does not do what left the house.
const REJECTIONS: [&str; 3] = ["rejected", "cancel-rejected", "replace-rejected"];

/// Counts everything; times are nanoseconds on the boot clock, which never steps.
pub(super) fn of(session: &Session, alerts: &[Alert]) -> Result<Value, RenderFault> {
    let kinds = tally(session.items.iter().map(Item::kind));
    let of_kind = |kind: &str| count(kinds.get(kind).copied().unwrap_or(0));
    let (mut fuel, mut batches) = (0_u64, 0_u64);
    for item in session.run().iter().filter(|item| item.is("plugin-reply")) {
        fuel = fuel.saturating_add(item.body(|body| body.uint("fuel"))?);
        batches = batches.saturating_add(1);
    }
    let (span, span_ns) = span(session);
    let fills = len_u64(session.fills.len());
    let incidents = alerts.iter().filter(|alert| alert.is_incident()).count();
    Ok(object([
        ("alerts", count(len_u64(alerts.len()))),
        ("batches", count(batches)),
        ("cancels", of_kind("cancel-requested")),
        ("crashed", session.crashed().into()),
        ("entries", counts_value(&kinds)),
        ("events", events(session)?),
        ("fills", count(fills)),
        ("fuel", count(fuel)),
        ("incidents", count(len_u64(incidents))),
        ("latency", latency::of(session)),
        ("market", escape_value(&market(session)?)),
        ("orders", of_kind("ordered")),
        ("plugin_failures", of_kind("plugin-stopped")),
        ("rates", rates(session, &kinds)?),
        ("renderer", RENDERER_VERSION.into()),
        ("span", span),
        ("throughput", throughput(&kinds, fills, span_ns)),
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
fn span(session: &Session) -> (Value, i64) {
    let run = session.run();
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return (Value::Null, 0) };
    let ns = last.entry.place.at.boot.since_ns(first.entry.place.at.boot);
    let value = object([
        ("first", first.utc().into()),
        ("last", last.utc().into()),
        ("ns", ns.to_string().into()),
    ]);
    (value, ns)
}

/// So many a minute of the span, with three decimals; null where there is no span.
fn per_minute(number: u64, span_ns: i64) -> Value {
    let thousand_ns = i128::from(MINUTE_NS).saturating_mul(1_000);
    let milli = share(i128::from(number), thousand_ns, i128::from(span_ns));
    milli.map_or(Value::Null, |(milli, _)| format_scaled(milli, 3).into())
}

/// A count, of how many, and the share in hundredths of a percent; null of nothing.
fn rate(number: u64, of: u64) -> Value {
    let bps = share(i128::from(number), 10_000, i128::from(of));
    let bps = bps.and_then(|(bps, _)| i64::try_from(bps).ok()).map_or(Value::Null, Value::Int);
    object([("bps", bps), ("count", count(number)), ("of", count(of))])
}

/// What went through in a minute of the session.
fn throughput(kinds: &BTreeMap<&str, u64>, fills: u64, span_ns: i64) -> Value {
    let of = |names: &[&str]| sum(kinds, names);
    object([
        ("batches_per_minute", per_minute(of(&["plugin-reply"]), span_ns)),
        ("fills_per_minute", per_minute(fills, span_ns)),
        (
            "messages_per_minute",
            per_minute(of(&["sent", "amend-sent", "cancel-requested"]), span_ns),
        ),
        ("orders_per_minute", per_minute(of(&["ordered"]), span_ns)),
    ])
}

/// How much of what was asked for was refused, and how much of what left went wrong.
fn rates(session: &Session, kinds: &BTreeMap<&str, u64>) -> Result<Value, RenderFault> {
    let of = |names: &[&str]| sum(kinds, names);
    let mut rejected = 0_u64;
    for item in session.run().iter().filter(|item| item.is_report()) {
        let kind = item.body(|body| body.text("exec_type"))?;
        rejected = rejected.saturating_add(u64::from(REJECTIONS.contains(&kind)));
    }
    let denied = of(&["denied", "leg-denied", "amend-denied"]);
    let approved = of(&["ordered", "amend-requested"]);
    let left = of(&["sent", "amend-sent"]);
    let failed = of(&["not-sent", "amend-not-sent", "lost", "order-overdue", "faulted"]);
    Ok(object([
        ("denied_by_the_gate", rate(denied, denied.saturating_add(approved))),
        ("errors", rate(failed, approved)),
        ("rejected_by_the_venue", rate(rejected, left)),
    ]))
}

fn sum(kinds: &BTreeMap<&str, u64>, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| kinds.get(name)).fold(0, |sum, one| sum.saturating_add(*one))
}
