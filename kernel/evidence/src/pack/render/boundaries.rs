//! `boundaries.json`: every limit the session ran under, how far it was used, and what happened
//! where it was reached.

use std::collections::BTreeMap;

use portcullis_domain::number::parse_scaled_wide;
use portcullis_domain::policy::{Direction, LimitRow, LimitTable, Limits};
use portcullis_domain::{Instrument, Money};
use portcullis_statement::json::{JsonError, Value, count, object};

use super::RENDERER_VERSION;
use super::fault::RenderFault;
use super::item::Item;
use super::session::Session;
use crate::bytes::len_u64;
use crate::text::escape_value;

/// The kinds in which a limit says no.
const DENIALS: [&str; 5] = ["denied", "leg-denied", "amend-denied", "cancel-denied", "paused"];

/// What entries say about one code in one scope.
#[derive(Clone, Debug, Default)]
struct Use {
    warnings: Vec<u64>,
    denials: Vec<u64>,
    /// Figures that were seen, with their decimals kept.
    seen: Vec<String>,
}

/// Where a limit stands, and what it is held against.
struct Place<'a> {
    session: &'a Session,
    uses: &'a BTreeMap<(&'a str, &'a str), Use>,
    scope: &'static str,
    of: &'a str,
    instrument: Option<&'a Instrument>,
}

/// All limits of the session's approval, table by table.
pub(super) fn of(session: &Session) -> Result<Value, RenderFault> {
    let uses = uses(session)?;
    let approved = &session.approval.item;
    let limits: &Limits = &approved.limits;
    let place = |scope, of, instrument| Place { session, uses: &uses, scope, of, instrument };
    let mut rows = rows(&limits.rules, &place("session", "", None));
    for (scope, table) in
        [("account", &limits.account), ("venue", &limits.venue), ("host", &limits.host)]
    {
        let place = place(scope, "", None);
        rows.extend(self::rows(&table.activity, &place));
        rows.extend(self::rows(&table.standing, &place));
    }
    for (name, table) in &limits.strategies {
        rows.extend(self::rows(table, &place("strategy", name.as_str(), None)));
    }
    for (id, table) in &limits.instruments {
        let instrument = approved.instruments.iter().find(|instrument| instrument.id == *id);
        let symbol = instrument.map_or("", |instrument| instrument.symbol.as_str());
        rows.extend(self::rows(table, &place("instrument", symbol, instrument)));
    }
    let told = |kind: &str| {
        let items = session.run().iter().filter(|item| item.is(kind));
        Value::List(items.map(told_value).collect())
    };
    let value = object([
        ("currency", limits.currency.as_str().into()),
        ("digest", approved.limits_digest.hex().into()),
        ("limits", rows.into()),
        ("renderer", RENDERER_VERSION.into()),
        ("tightened", told("tightened")),
        ("triggered", told("triggered")),
        ("version", count(session.approval.policy_seq)),
        ("warning_percent", count(u64::from(limits.rules.warning_percent))),
    ]);
    Ok(escape_value(&value))
}

fn told_value(item: &Item) -> Value {
    object([
        ("reason", item.entry.reason.as_str().into()),
        ("seq", count(item.seq)),
        ("time", item.utc().into()),
        ("what", item.entry.body.clone()),
    ])
}

/// Warnings and denials by code and scope.
fn uses(session: &Session) -> Result<BTreeMap<(&str, &str), Use>, RenderFault> {
    let mut uses: BTreeMap<(&str, &str), Use> = BTreeMap::new();
    for item in session.run() {
        let (warned, denied) = (item.is("warned"), DENIALS.contains(&item.kind()));
        if !warned && !denied {
            continue;
        }
        let (scope, observed) = item.body(|body| {
            let scope = body.text("scope")?;
            match body.value("observed")? {
                Value::Null => Ok((scope, None)),
                Value::Text(text) => Ok((scope, Some(text.clone()))),
                Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
                    Err(JsonError::field("observed", "is no figure"))
                }
            }
        })?;
        let here = uses.entry((item.entry.reason.as_str(), scope)).or_default();
        here.seen.extend(observed);
        if warned { &mut here.warnings } else { &mut here.denials }.push(item.seq);
    }
    Ok(uses)
}

fn rows<T: LimitTable>(table: &T, place: &Place<'_>) -> Vec<Value> {
    let scope = |row: &LimitRow<T>| {
        // One order's own limits are judged in the scope of the order.
        let scopes = [place.scope, "order"].map(|scope| (row.denies, scope));
        scopes.into_iter().find_map(|key| place.uses.get(&key))
    };
    T::ROWS
        .iter()
        .map(|row| {
            let used = scope(row).cloned().unwrap_or_default();
            let peak = used.seen.iter().cloned().chain(reckoned(row.name, place));
            object([
                ("breaches", Value::List(used.denials.iter().map(|seq| count(*seq)).collect())),
                ("code", row.denies.into()),
                ("denials", count(len_u64(used.denials.len()))),
                ("key", row.name.into()),
                ("of", place.of.into()),
                ("peak_use", peak_of(peak, row.stricter)),
                ("scope", place.scope.into()),
                ("stricter_is", row.stricter.name().into()),
                ("unit", row.unit.name().into()),
                ("value", row.text(table, place.instrument).into()),
                ("warnings", count(len_u64(used.warnings.len()))),
            ])
        })
        .collect()
}

/// The figure that came nearest to what the limit forbids; null where no entry holds one.
fn peak_of(figures: impl Iterator<Item = String>, stricter: Direction) -> Value {
    let known =
        figures.filter_map(|text| Some((parse_scaled_wide(&text, Money::SCALE).ok()?, text)));
    let peak = match stricter {
        Direction::SmallerIsStricter => known.max(),
        Direction::LargerIsStricter => known.min(),
    };
    peak.map_or(Value::Null, |(_, text)| text.into())
}

/// What the entries tell of a limit's use although it was never near: sizes, values and counts of
/// orders, and positions. Other figures are on record from their warning level on.
fn reckoned(key: &str, place: &Place<'_>) -> Option<String> {
    let Place { session, scope, of, instrument, .. } = place;
    let orders = session.run().iter().filter(|item| item.is("ordered"));
    let own = orders.filter(|item| match *scope {
        "strategy" => plugin_of(session, item) == Some(*of),
        "instrument" => item.body(|body| body.text("symbol")).ok() == Some(*of),
        _ => true,
    });
    let number = |item: &Item, key| item.body(|body| body.fields("intent")?.int(key)).ok();
    match key {
        "orders_per_session_max" => Some(own.count().to_string()),
        "order_qty_max" => {
            let most = own.filter_map(|item| number(item, "qty")).max()?;
            Some(portcullis_domain::number::format_scaled(
                most.into(),
                instrument.as_ref()?.qty_scale,
            ))
        }
        "position_qty_max" => {
            let symbol =
                |item: &&Item| session.at_end.symbols.get(&item.entry.corr).map(String::as_str);
            let booked = session.run().iter().filter(|item| item.is("booked"));
            let booked = booked.filter(|item| symbol(item) == Some(*of));
            let held = booked.filter_map(|item| item.body(|body| body.int("position")).ok());
            let most = held.map(i64::saturating_abs).max()?;
            Some(portcullis_domain::number::format_scaled(
                most.into(),
                instrument.as_ref()?.qty_scale,
            ))
        }
        "order_value_max" => own.filter_map(value_of).max().map(Money::text),
        "daily_notional_max" => {
            own.filter_map(value_of).try_fold(Money::ZERO, Money::plus).map(Money::text)
        }
        _ => None,
    }
}

/// The order's value in the account's currency.
fn value_of(item: &Item) -> Option<Money> {
    Money::parse(item.body(|body| body.text("value")).ok()?).ok()
}

fn plugin_of<'a>(session: &'a Session, item: &Item) -> Option<&'a str> {
    let number = item.body(|body| body.fields("intent")?.uint("plugin")).ok()?;
    let plugins = &session.approval.item.plugins;
    Some(plugins.get(usize::try_from(number).ok()?)?.name.as_str())
}
