//! `alerts.jsonl` and `incidents.jsonl`: what happened that somebody has to look at.

use portcullis_statement::json::{Value, count, object};

use super::fault::RenderFault;
use super::item::{Item, texts};
use super::session::Session;
use crate::text::{escape_terminal, escape_value};

/// Whose kills are not a person's: the house found a fault or a breach.
const HOUSE: &str = "kernel";
/// Differences that move no position: an order that is only there, or only here.
/// The last two are the names in journals from before the codes.
const DIFFERENCES_OF_ORDERS: [&str; 5] = [
    "RECON_ORDER_FOREIGN",
    "RECON_ORDER_MISSING_HERE",
    "RECON_ORDER_MISSING_THERE",
    "FOREIGN_ORDER",
    "MISSING_AT_VENUE",
];

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// Somebody looks at it before the session is judged.
    Warning,
    /// The session cannot count as a good one.
    Critical,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One condition, with the entry that shows it.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    item: Item,
    condition: &'static str,
    severity: Severity,
    detail: Value,
    /// The entry that ended the condition, where one did.
    cleared: Option<Item>,
}

impl Alert {
    pub(super) fn is_critical(&self) -> bool {
        self.severity == Severity::Critical
    }

    /// Critical, or a kill whoever pulled it.
    pub(super) fn is_incident(&self) -> bool {
        self.is_critical() || self.condition == "KILL"
    }

    pub(super) fn to_value(&self) -> Value {
        let cleared = self.cleared.as_ref().map_or(Value::Null, |item| {
            object([("seq", count(item.seq)), ("time", item.utc().into())])
        });
        object([
            ("cleared", cleared),
            ("condition", self.condition.into()),
            ("corr", escape_terminal(&self.item.entry.corr).into()),
            ("detail", escape_value(&self.detail)),
            ("reason", escape_terminal(&self.item.entry.reason).into()),
            ("seq", count(self.item.seq)),
            ("severity", self.severity.name().into()),
            ("time", self.item.utc().into()),
        ])
    }
}

/// Every alert of a session, in the order of its entries.
pub(super) fn of(session: &Session) -> Result<Vec<Alert>, RenderFault> {
    let mut alerts: Vec<Alert> = Vec::new();
    for item in &session.items {
        match item.kind() {
            "reconciled" => {
                let differences = item.body(|body| texts(body.list("differences")?))?;
                if differences.is_empty() {
                    clear(&mut alerts, "RECON_RED", item);
                } else {
                    alerts.push(recon_red(item, differences));
                }
            }
            "unkilled" => clear(&mut alerts, "KILL", item),
            _ => alerts.extend(condition(item)?),
        }
    }
    Ok(alerts)
}

/// Ends every open alert of that condition.
fn clear(alerts: &mut [Alert], condition: &str, by: &Item) {
    let open = |alert: &&mut Alert| alert.condition == condition && alert.cleared.is_none();
    for alert in alerts.iter_mut().filter(open) {
        alert.cleared = Some(by.clone());
    }
}

fn condition(item: &Item) -> Result<Option<Alert>, RenderFault> {
    let (condition, severity, detail) = match item.kind() {
        "killed" => {
            let who = item.body(|body| body.text("who"))?;
            let severity = if who == HOUSE { Severity::Critical } else { Severity::Warning };
            ("KILL", severity, item.entry.body.clone())
        }
        "plugin-stopped" => ("PLUGIN_STOPPED", Severity::Warning, item.entry.body.clone()),
        "events-dropped" => ("EVENTS_DROPPED", Severity::Warning, item.entry.body.clone()),
        "faulted" => ("FAULT", Severity::Critical, item.entry.body.clone()),
        "started" => {
            // Whatever the start says of itself: it found a session that nobody had closed.
            let clean = item.body(|body| body.bool("clean"))?;
            ("CRASH", Severity::Critical, object([("clean_stop", clean.into())]))
        }
        _ => return Ok(None),
    };
    Ok(Some(Alert { item: item.clone(), condition, severity, detail, cleared: None }))
}

/// A balance or a fill that only one side knows is a position that nobody can explain.
fn recon_red(item: &Item, differences: Vec<String>) -> Alert {
    let of_orders = |difference: &String| {
        DIFFERENCES_OF_ORDERS.iter().any(|subject| difference.starts_with(subject))
    };
    let explained = differences.iter().all(of_orders);
    let severity = if explained { Severity::Warning } else { Severity::Critical };
    let differences = differences.into_iter().map(Value::Text).collect();
    let detail = object([("differences", Value::List(differences))]);
    Alert { item: item.clone(), condition: "RECON_RED", severity, detail, cleared: None }
}
