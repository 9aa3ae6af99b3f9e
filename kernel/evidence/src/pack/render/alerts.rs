//! `alerts.jsonl` and `incidents.jsonl`: what happened that somebody has to look at.

use portcullis_core::NoteKind;
use portcullis_domain::LedgerKind;
use portcullis_statement::json::{Value, count, object};

use super::fault::RenderFault;
use super::item::{Item, texts};
use super::remark::Remark;
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

/// What a person saw that ought not to be: an incident, if a small one.
const ANOMALY: &str = "ANOMALY";

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// Worth knowing; it changes no judgement.
    Notice,
    /// Somebody looks at it before the session is judged.
    Warning,
    /// The session cannot count as a good one.
    Critical,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One condition, with what shows it.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    /// The entry; none for what a person said, which has a number of its own.
    seq: Option<u64>,
    time: String,
    corr: String,
    reason: String,
    condition: &'static str,
    severity: Severity,
    detail: Value,
    /// The entry that ended the condition, where one did.
    cleared: Option<Item>,
}

impl Alert {
    fn of_entry(
        item: &Item,
        (condition, severity): (&'static str, Severity),
        detail: Value,
    ) -> Self {
        let (corr, reason) = (item.entry.corr.clone(), item.entry.reason.clone());
        let (seq, time) = (Some(item.seq), item.utc());
        Self { seq, time, corr, reason, condition, severity, detail, cleared: None }
    }

    fn of_remark(remark: &Remark) -> Self {
        Self {
            seq: None,
            time: remark.time.clone(),
            corr: format!("note-{}", remark.noted.number),
            reason: "SAID_BY_A_PERSON".to_owned(),
            condition: ANOMALY,
            severity: Severity::Warning,
            detail: remark.to_value(),
            cleared: None,
        }
    }

    /// Whether somebody has to explain it before the session is green.
    pub(super) fn is_finding(&self) -> bool {
        self.severity != Severity::Notice
    }

    pub(super) fn is_cleared(&self) -> bool {
        self.cleared.is_some()
    }

    pub(super) fn is_critical(&self) -> bool {
        self.severity == Severity::Critical
    }

    /// Critical, or a kill whoever pulled it, or what a person took for one.
    pub(super) fn is_incident(&self) -> bool {
        self.is_critical() || ["KILL", ANOMALY].contains(&self.condition)
    }

    pub(super) fn to_value(&self) -> Value {
        let cleared = self.cleared.as_ref().map_or(Value::Null, |item| {
            object([("seq", count(item.seq)), ("time", item.utc().into())])
        });
        object([
            ("cleared", cleared),
            ("condition", self.condition.into()),
            ("corr", escape_terminal(&self.corr).into()),
            ("detail", escape_value(&self.detail)),
            ("reason", escape_terminal(&self.reason).into()),
            ("seq", self.seq.map_or(Value::Null, count)),
            ("severity", self.severity.name().into()),
            ("time", self.time.as_str().into()),
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
            "stop-lifted" => clear(&mut alerts, "STOP", item),
            "finding-gone" | "finding-confirmed" => clear(&mut alerts, "RECON_FINDING", item),
            "order-dead" | "booked" => clear(&mut alerts, "ORDER_OVERDUE", item),
            "venue-link" if item.body(|body| body.bool("up"))? => {
                clear(&mut alerts, "VENUE_DOWN", item);
            }
            _ => alerts.extend(condition(item)?),
        }
    }
    let anomalies = session.remarks.iter().filter(|r| r.noted.note.kind == NoteKind::Anomaly);
    alerts.extend(anomalies.map(Alert::of_remark));
    Ok(alerts)
}

/// Ends every open alert of that condition about the same thing.
fn clear(alerts: &mut [Alert], condition: &str, by: &Item) {
    let open = |alert: &&mut Alert| {
        let same = alert.condition == condition && alert.corr == by.entry.corr;
        same && alert.cleared.is_none()
    };
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
        // What moved money in or out is no loss and no profit, but somebody has to know of it.
        "ledger-booked" if is_transfer(item) => {
            ("TRANSFER", Severity::Warning, item.entry.body.clone())
        }
        "protection-lost" if item.body(|body| body.bool("lost"))? => {
            ("PROTECTION_LOST", Severity::Critical, item.entry.body.clone())
        }
        "warned" => ("LIMIT_NEAR", Severity::Notice, item.entry.body.clone()),
        "paused" => ("PAUSED", Severity::Notice, item.entry.body.clone()),
        "venue-link" => ("VENUE_DOWN", Severity::Notice, item.entry.body.clone()),
        "order-overdue" => ("ORDER_OVERDUE", Severity::Warning, item.entry.body.clone()),
        "finding-opened" => ("RECON_FINDING", Severity::Warning, item.entry.body.clone()),
        "stopped" => ("STOP", Severity::Warning, item.entry.body.clone()),
        "triggered" => ("TRIGGER", Severity::Warning, item.entry.body.clone()),
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
    Ok(Some(Alert::of_entry(item, (condition, severity), detail)))
}

fn is_transfer(item: &Item) -> bool {
    LedgerKind::from_name(&item.entry.reason).is_some_and(LedgerKind::is_transfer)
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
    Alert::of_entry(item, ("RECON_RED", severity), detail)
}

#[cfg(test)]
mod tests {
    use portcullis_core::{BracketRecord, Outcome, ProtectionEnd, ReconRecord};
    use portcullis_domain::policy::triggers::Trigger;
    use portcullis_domain::{
        LedgerEntry, LedgerEntryId, Money, Phase, Qty, Stop, StopMode, StopScope,
    };

    use super::super::story::{ORDER, Story};
    use super::*;
    use crate::pack::parts::Told;
    use crate::pack::testkit::BEGINS;

    /// Conditions that do not kill: each is an alert, and a stop that is lifted is one no longer.
    #[test]
    fn d10_transfers_stops_triggers_and_lost_protection_are_alerts() {
        let stop = |stop_seq| Outcome::Stopped {
            stop_seq,
            stop: Stop { mode: StopMode::ReduceOnly, scope: StopScope::All },
            who: "rita".to_owned(),
            reason: "DRILL".to_owned(),
        };
        let booked = |kind| {
            Outcome::Recon(ReconRecord::LedgerBooked(LedgerEntry {
                id: LedgerEntryId("L-1".to_owned()),
                kind,
                currency: "USDT".to_owned(),
                amount: Money::parse("0.000001").unwrap(),
                at: BEGINS,
            }))
        };
        let protection = |end, shadow| {
            let (entry, symbol, open) = (ORDER, "BTC-USDT".to_owned(), Qty::new(1).unwrap());
            Outcome::Bracket(BracketRecord::Ended { entry, symbol, open, end, shadow })
        };
        let trigger = Outcome::Triggered {
            trigger: Trigger::StaleFeed,
            observed: "no market event".to_owned(),
            threshold: "300000 ms".to_owned(),
            action: StopMode::BlockNew,
        };
        let mut story = Story::opened(Phase::Paper);
        for outcome in [
            booked(LedgerKind::Deposit),
            booked(LedgerKind::Interest),
            stop(1),
            stop(2),
            Outcome::StopLifted { stop_seq: 1 },
            trigger,
            protection(ProtectionEnd::Restarted, false),
            protection(ProtectionEnd::Restarted, true),
            protection(ProtectionEnd::PositionGone, false),
        ] {
            story.outcome(&outcome);
        }
        story.close("END");
        let (entries, before) = story.split();
        let alerts =
            of(&Session::read(&Told { session: &entries, before: &before, notes: &[] }).unwrap())
                .unwrap();
        let row = |alert: &Alert| {
            let cleared = if alert.cleared.is_some() { "cleared" } else { "open" };
            format!("{} {} {cleared}", alert.condition, alert.severity.name())
        };
        let rows: Vec<String> = alerts.iter().map(row).collect();
        assert_eq!(
            rows,
            [
                "TRANSFER warning open",
                "STOP warning cleared",
                "STOP warning open",
                "TRIGGER warning open",
                "PROTECTION_LOST critical open",
            ]
        );
    }
}
