//! The bodies of the entries of decisions.

use std::collections::BTreeMap;

use portcullis_domain::{
    Amendment, Bracket, ClOrdId, Money, Name, OrdStatus, Order, OrderIntent, Origin, Position, Px,
    Qty, Role, SessionId, Stop, StopMode, WallNs,
};
use portcullis_gate::{Denial, DenyCode, Figure, Quote, Until};
use portcullis_statement::json::{self, Value};
use portcullis_statement::{Digest, Kind, ShownProposal};

use super::Outcome;
use crate::bracket::{Exit, LegRef};
use crate::entry::int;
use crate::input_codec::terms_value;
use crate::people::PersonVerb;

impl Outcome {
    /// The entry's fields, as they are hashed.
    pub(super) fn body(&self) -> Value {
        match self {
            Self::StatementAccepted { kind, digest, nonce } => accepted_body(*kind, *digest, nonce),
            Self::Refused { what, cause, .. } => refused_body(what, cause),
            Self::Drafted { session, journal } => {
                of_session(session, [("journal", journal.to_value())])
            }
            Self::SessionOpened { session, nonce, facts } => {
                of_session(session, [("facts", facts.clone()), ("nonce", nonce.clone().into())])
            }
            Self::SessionClosing { session, .. } => of_session(session, []),
            Self::SessionClosed { session, summary } => {
                of_session(session, [("summary", summary.clone())])
            }
            Self::Ordered { order, symbol, shadow, epoch, value } => {
                ordered_body(order, symbol, (*shadow, *epoch), *value)
            }
            Self::Denied { intent, denial } => {
                denial_body(intent.reference, denial, intent_value(intent))
            }
            Self::Malformed { reference, denial } => denial_body(*reference, denial, Value::Null),
            Self::Warned { warning, of } => with_figures(warning, [("of", of.as_str().into())]),
            Self::CancelDenied { denial, .. } => with_figures(denial, []),
            Self::Paused { denial, until } => paused_body(denial, *until),
            Self::Proposed { intent, shown, market, expires } => {
                proposed_body(intent, shown, *market, *expires)
            }
            Self::ProposalEnded { cause, .. } => json::object([("cause", (*cause).into())]),
            Self::Reckoned { day, base_day, base_week, profit } => {
                reckoned_body(*day, (*base_day, *base_week), *profit)
            }
            Self::Intervened { who, role, verb, cl_ord_id, denial } => {
                intervened_body(who, *role, *verb, (*cl_ord_id, *denial))
            }
            Self::AmendRequested { before, after, shadow, epoch, growth } => {
                amend_body(*before, after, (*shadow, *epoch), *growth)
            }
            Self::AmendDenied { reference, after, denial } => {
                let after = terms_value(after.qty, after.price);
                with_figures(denial, [("after", after), ("reference", int(*reference))])
            }
            Self::Booked { status, cum_qty, position, .. } => {
                booked_body(*status, *cum_qty, *position)
            }
            Self::Tightened { who, count, keys, .. } => tightened_body(who, *count, keys),
            Self::Killed { kill_seq, who, .. } => killed_body(*kill_seq, who),
            Self::Stopped { stop_seq, stop, who, .. } => stopped_body(*stop_seq, stop, who),
            Self::StopClear { stop_seq, .. } | Self::StopLifted { stop_seq } => of_stop(*stop_seq),
            Self::Triggered { observed, threshold, action, .. } => {
                triggered_body(observed, threshold, *action)
            }
            Self::FlattenEnded { left, .. } => left_body(left),
            Self::BalancesAdopted { balances } => json::object([("balances", balances.clone())]),
            Self::Reconciled { found, differences } => reconciled_body(found, differences),
            Self::Noted(noted) => noted.body(),
            Self::Recon(record) => record.body(),
            Self::Bracket(record) => record.body(),
            Self::PluginStopped { cause, .. } => json::object([("cause", cause.clone().into())]),
            Self::EventsDropped { count, .. } => json::object([("count", int(*count))]),
            Self::CancelRequested { .. }
            | Self::Faulted { .. }
            | Self::OrdersClear { .. }
            | Self::Unkilled { .. }
            | Self::OrderOverdue { .. }
            | Self::OrderDead { .. }
            | Self::CleanStop => json::object([]),
        }
    }
}

fn accepted_body(kind: Kind, digest: Digest, nonce: &str) -> Value {
    json::object([
        ("digest", digest.hex().into()),
        ("nonce", nonce.into()),
        ("statement", kind.name().into()),
    ])
}

fn refused_body(what: &str, cause: &str) -> Value {
    json::object([("cause", cause.into()), ("what", what.into())])
}

fn of_session<const N: usize>(session: &SessionId, fields: [(&str, Value); N]) -> Value {
    json::object(fields.into_iter().chain([("session", session.as_str().into())]))
}

fn paused_body(denial: &Denial, until: Until) -> Value {
    let until = match until {
        Until::Boot(at) => at.0.to_string(),
        Until::Person => "person".to_owned(),
    };
    with_figures(denial, [("until", until.into())])
}

fn proposed_body(
    intent: &OrderIntent,
    shown: &ShownProposal,
    market: Quote,
    expires: WallNs,
) -> Value {
    json::object([
        ("ask", Value::Int(market.ask.units())),
        ("bid", Value::Int(market.bid.units())),
        ("digest", shown.digest().hex().into()),
        ("expires", expires.0.to_string().into()),
        ("intent", intent_value(intent)),
        ("shown", shown.to_value()),
    ])
}

fn reckoned_body(
    day: i64,
    (base_day, base_week): (Option<Money>, Option<Money>),
    profit: Option<Money>,
) -> Value {
    json::object([
        ("base_day", money_or_null(base_day)),
        ("base_week", money_or_null(base_week)),
        ("day", Value::Int(day)),
        ("profit", money_or_null(profit)),
    ])
}

fn booked_body(status: OrdStatus, cum_qty: i64, position: Position) -> Value {
    json::object([
        ("cum_qty", Value::Int(cum_qty)),
        ("position", Value::Int(position.0)),
        ("status", status.name().into()),
    ])
}

fn intervened_body(
    who: &Name,
    role: Role,
    verb: PersonVerb,
    (cl_ord_id, denial): (Option<ClOrdId>, Option<DenyCode>),
) -> Value {
    json::object([
        ("cl_ord_id", cl_ord_id.map_or(Value::Null, |id| id.to_string().into())),
        ("denial", denial.map_or(Value::Null, |code| code.code().into())),
        ("role", role.name().into()),
        ("verb", verb.name().into()),
        ("who", who.as_str().into()),
    ])
}

fn amend_body(
    (qty, price): (Qty, Px),
    after: &Amendment,
    (shadow, epoch): (bool, u64),
    growth: Option<Money>,
) -> Value {
    json::object([
        ("after", terms_value(after.qty, after.price)),
        ("before", terms_value(qty, price)),
        ("epoch", int(epoch)),
        ("growth", money_or_null(growth)),
        ("shadow", Value::Bool(shadow)),
    ])
}

fn triggered_body(observed: &str, threshold: &str, action: StopMode) -> Value {
    json::object([
        ("action", action.name().into()),
        ("observed", observed.into()),
        ("threshold", threshold.into()),
    ])
}

fn killed_body(kill_seq: u64, who: &str) -> Value {
    json::object([("kill_seq", int(kill_seq)), ("who", who.into())])
}

fn stopped_body(stop_seq: u64, stop: &Stop, who: &str) -> Value {
    json::object([
        ("mode", stop.mode.name().into()),
        ("scope", stop.scope.text().into()),
        ("stop_seq", int(stop_seq)),
        ("who", who.into()),
    ])
}

fn of_stop(stop_seq: u64) -> Value {
    json::object([("stop_seq", int(stop_seq))])
}

fn left_body(left: &BTreeMap<String, String>) -> Value {
    let left = left.iter().map(|(symbol, qty)| (symbol.clone(), qty.clone().into()));
    json::object([("left", Value::Object(left.collect()))])
}

fn tightened_body(who: &Name, count: usize, keys: &[String]) -> Value {
    json::object([
        ("count", int(u64::try_from(count).unwrap_or(u64::MAX))),
        ("keys", texts(keys)),
        ("who", who.as_str().into()),
    ])
}

fn reconciled_body(found: &[String], differences: &[String]) -> Value {
    json::object([("differences", texts(differences)), ("found", texts(found))])
}

fn texts(list: &[String]) -> Value {
    Value::List(list.iter().map(|text| text.clone().into()).collect())
}

pub(crate) fn denial_body(reference: u64, denial: &Denial, intent: Value) -> Value {
    with_figures(denial, [("intent", intent), ("reference", int(reference))])
}

/// What was judged (whose limit, how much of it, what would make the order pass), and the rest.
fn with_figures<const N: usize>(denial: &Denial, rest: [(&str, Value); N]) -> Value {
    let figure = |figure: Option<Figure>| figure.map_or(Value::Null, |figure| figure.text().into());
    let mut value = json::object([
        ("cure", denial.cure().into()),
        ("limit", figure(denial.limit)),
        ("observed", figure(denial.observed)),
        ("scope", denial.scope.name().into()),
    ]);
    if let Value::Object(entries) = &mut value {
        entries.extend(rest.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    value
}

pub(crate) fn intent_value(intent: &OrderIntent) -> Value {
    let origin = match intent.origin {
        Origin::Plugin(plugin) => Value::Int(i64::from(plugin.0)),
        Origin::Person | Origin::House => intent.origin.name().into(),
    };
    let mut value = json::object([
        ("instrument", Value::Int(i64::from(intent.instrument.0))),
        ("ord_type", intent.ord_type.name().into()),
        ("plugin", origin),
        ("price", intent.price.map_or(Value::Null, |px| Value::Int(px.units()))),
        ("qty", Value::Int(intent.qty.units())),
        ("reference", int(intent.reference)),
        ("side", intent.side.name().into()),
        ("time_in_force", intent.time_in_force.name().into()),
    ]);
    // Written only where they say something: entries from before these words read the same.
    if let Value::Object(entries) = &mut value {
        if intent.reduce_only {
            entries.insert("reduce_only".to_owned(), Value::Bool(true));
        }
        if let Some(Bracket { stop_px, target_px }) = intent.bracket {
            let px = |px: Option<Px>| px.map_or(Value::Null, |px| Value::Int(px.units()));
            let legs = json::object([("stop", px(stop_px)), ("target", px(target_px))]);
            entries.insert("bracket".to_owned(), legs);
        }
    }
    value
}

fn ordered_body(
    order: &Order,
    symbol: &str,
    (shadow, epoch): (bool, u64),
    value: Option<Money>,
) -> Value {
    let mut body = json::object([
        ("cl_ord_id", order.cl_ord_id.to_string().into()),
        ("epoch", int(epoch)),
        ("intent", intent_value(&order.intent)),
        ("reserve_px", Value::Int(order.reserve_px.units())),
        ("shadow", Value::Bool(shadow)),
        ("symbol", symbol.into()),
        ("value", money_or_null(value)),
    ]);
    // Only where there is a bracket: every other order reads as it ever did.
    if let Value::Object(entries) = &mut body {
        if order.intent.bracket.is_some() {
            entries.insert("protection".to_owned(), Exit::PROTECTION.into());
        }
        if let Some(leg) = LegRef::of(&order.intent) {
            entries.insert("exit_of".to_owned(), leg.value(order.cl_ord_id.epoch));
        }
    }
    body
}

fn money_or_null(amount: Option<Money>) -> Value {
    amount.map_or(Value::Null, |amount| amount.text().into())
}
