//! The parts of phases 6 and 7: when and why auto was on, every check of its conditions, who took
//! over, and what the session was by the clock.
//!
//! A session of these phases begins in manual. `auto-on` and `auto-off` change that; `gate-checked`
//! is one look at one condition. Until the kernel writes such entries a session was manual all the
//! time, which is what is said here.

use portcullis_domain::BootNs;
use portcullis_statement::json::{Value, count, object};

use super::RENDERER_VERSION;
use super::fault::RenderFault;
use super::item::Item;
use super::session::Session;
use crate::bytes::len_u64;
use crate::text::{escape_terminal, escape_value};

/// What changes who releases orders.
const TRANSITIONS: [&str; 2] = ["auto-on", "auto-off"];
/// What is looked at while a session runs, with its outcome.
const CHECKS: [&str; 7] =
    ["gate-checked", "triggered", "warned", "paused", "reconciled", "stopped", "killed"];
/// Acts of people that take over or hold back, preventive ones too.
const OVERRIDES: [&str; 3] = ["intervened", "stopped", "killed"];
/// Whose stops are not a person's.
const HOUSE: &str = "kernel";

/// `auto_enablement.jsonl`: from the opening on, each change with its reason.
pub(super) fn enablement(session: &Session) -> Vec<Value> {
    let kinds = |item: &&Item| item.is("session-opened") || TRANSITIONS.contains(&item.kind());
    session.run().iter().filter(kinds).map(line).collect()
}

/// `gate_checks.jsonl`: every look at a condition, whatever it found.
pub(super) fn checks(session: &Session) -> Vec<Value> {
    session.run().iter().filter(|item| CHECKS.contains(&item.kind())).map(line).collect()
}

/// `overrides.jsonl`: what people did to take over, and `auto-off` by their word.
pub(super) fn overrides(session: &Session) -> Result<Vec<Value>, RenderFault> {
    let mut lines = Vec::new();
    for item in session.run() {
        if (OVERRIDES.contains(&item.kind()) || item.is("auto-off"))
            && item.body(|body| body.text("who"))? != HOUSE
        {
            lines.push(line(item));
        }
    }
    Ok(lines)
}

fn line(item: &Item) -> Value {
    object([
        ("corr", escape_terminal(&item.entry.corr).into()),
        ("kind", item.kind().into()),
        ("reason", escape_terminal(&item.entry.reason).into()),
        ("seq", count(item.seq)),
        ("time", item.utc().into()),
        ("what", escape_value(&item.entry.body)),
    ])
}

/// `classification.json`: how long the session was auto and how long manual, by the boot clock.
pub(super) fn classification(session: &Session) -> Result<Value, RenderFault> {
    let run = session.run();
    let bounds = run.first().zip(run.last());
    let moment = |item: &Item| item.entry.place.at.boot;
    let (mut auto_ns, mut manual_ns, mut transitions) = (0_i64, 0_i64, 0_u64);
    let mut auto = false;
    let mut since: Option<BootNs> = bounds.map(|(first, _)| moment(first));
    let mut until = |now: BootNs, auto: bool| {
        let ns = since.replace(now).map_or(0, |since| now.since_ns(since));
        let sum = if auto { &mut auto_ns } else { &mut manual_ns };
        *sum = sum.saturating_add(ns);
    };
    for item in run.iter().filter(|item| TRANSITIONS.contains(&item.kind())) {
        let on = item.is("auto-on");
        if on != auto {
            until(moment(item), auto);
            auto = on;
            transitions = transitions.saturating_add(1);
        }
    }
    if let Some((_, last)) = bounds {
        until(moment(last), auto);
    }
    let kind = match (auto_ns > 0, manual_ns > 0) {
        (true, true) => "mixed",
        (true, false) => "auto",
        (false, _) => "manual",
    };
    Ok(object([
        ("auto_ns", auto_ns.to_string().into()),
        ("class", kind.into()),
        ("manual_ns", manual_ns.to_string().into()),
        ("overrides", count(len_u64(overrides(session)?.len()))),
        ("renderer", RENDERER_VERSION.into()),
        ("transitions", count(transitions)),
    ]))
}
