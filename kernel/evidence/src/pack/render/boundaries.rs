//! `boundaries.json`: every limit the session ran under, how far it was used, and what happened
//! where it was reached.
//!
//! Each peak says where it is from (`peak_basis`):
//!
//! - `ENTRIES`: from all entries of the session, what was denied included;
//! - `SESSION_ALONE`: likewise, without what went before the session on the same day;
//! - `WARNED`: from the warnings and denials, which hold the figure of the first warning and of each
//!   denial: what lies between was not written;
//! - `BELOW_WARNING`: judged at each order, which always was below the warning level;
//! - `AT_THE_MOMENT`: measured against market or clock when an order is judged, and written only
//!   where it was denied;
//! - `SETTING`: says how others are judged; nothing uses it up.

use std::collections::BTreeMap;

use portcullis_domain::number::{format_scaled, parse_scaled_wide};
use portcullis_domain::policy::{Direction, LimitRow, LimitTable, Limits};
use portcullis_domain::{Instrument, Money};
use portcullis_statement::json::{Fields, JsonError, Value, count, object};

use super::RENDERER_VERSION;
use super::fault::RenderFault;
use super::item::Item;
use super::peaks::{Activity, Peaks, whose};
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

/// By code, scope, and whose limit it was: a name, or nothing where entries name nobody.
type Uses<'a> = BTreeMap<(&'a str, &'a str, String), Use>;

/// Where a limit stands, and what it is held against.
struct Place<'a> {
    uses: &'a Uses<'a>,
    peaks: &'a Peaks,
    scope: &'static str,
    of: &'a str,
    instrument: Option<&'a Instrument>,
}

/// All limits of the session's approval, table by table.
pub(super) fn of(session: &Session) -> Result<Value, RenderFault> {
    let peaks = Peaks::of(session)?;
    let uses = uses(session, &peaks)?;
    let approved = &session.approval.item;
    let limits: &Limits = &approved.limits;
    let place = |scope, of, instrument| Place { uses: &uses, peaks: &peaks, scope, of, instrument };
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

/// Warnings and denials by code, scope and name.
fn uses<'a>(session: &'a Session, peaks: &Peaks) -> Result<Uses<'a>, RenderFault> {
    let mut uses = Uses::new();
    for item in session.run() {
        let (warned, denied) = (item.is("warned"), DENIALS.contains(&item.kind()));
        if !warned && !denied {
            continue;
        }
        let (scope, observed, of) = item.body(|body| {
            let scope = body.text("scope")?;
            let of = named(session, (item, peaks), (body, scope))?;
            match body.value("observed")? {
                Value::Null => Ok((scope, None, of)),
                Value::Text(text) => Ok((scope, Some(text.clone()), of)),
                Value::Bool(_) | Value::Int(_) | Value::List(_) | Value::Object(_) => {
                    Err(JsonError::field("observed", "is no figure"))
                }
            }
        })?;
        let here = uses.entry((item.entry.reason.as_str(), scope, of)).or_default();
        here.seen.extend(observed);
        if warned { &mut here.warnings } else { &mut here.denials }.push(item.seq);
    }
    Ok(uses)
}

/// Whose limit an entry speaks of: it says so, or its intent or its order does.
fn named(
    session: &Session,
    (item, peaks): (&Item, &Peaks),
    (body, scope): (&mut Fields<'_>, &str),
) -> Result<String, JsonError> {
    if let Some(of) = body.optional_text("of")? {
        return Ok(of.to_owned());
    }
    let intent = body.optional("intent").filter(|intent| **intent != Value::Null);
    let (symbol, plugin) = if let Some(intent) = intent {
        whose(session, intent)?
    } else {
        let order = item.entry.corr.as_str();
        let symbol = session.at_end.symbols.get(order).cloned().unwrap_or_default();
        (symbol, peaks.plugin_of(order).map(str::to_owned))
    };
    Ok(match scope {
        "strategy" => plugin.unwrap_or_default(),
        "instrument" | "order" => symbol,
        _ => String::new(),
    })
}

/// What is said of a row's limit: in its scope, or in that of the order; by its name or by none.
fn used<T: LimitTable>(row: &LimitRow<T>, place: &Place<'_>) -> Use {
    let mut all = Use::default();
    for ((code, scope, of), one) in place.uses {
        let here = *scope == place.scope || *scope == "order" && place.scope != "strategy";
        if *code == row.denies && here && (of == place.of || of.is_empty()) {
            all.warnings.extend(&one.warnings);
            all.denials.extend(&one.denials);
            all.seen.extend(one.seen.iter().cloned());
        }
    }
    all.warnings.sort_unstable();
    all.denials.sort_unstable();
    all
}

fn rows<T: LimitTable>(table: &T, place: &Place<'_>) -> Vec<Value> {
    T::ROWS
        .iter()
        .map(|row| {
            let used = used(row, place);
            let reckoned = reckoned(row.name, place);
            let basis = basis(row.name, reckoned.is_some(), &used);
            let peak = used.seen.iter().cloned().chain(reckoned);
            object([
                ("breaches", Value::List(used.denials.iter().map(|seq| count(*seq)).collect())),
                ("code", row.denies.into()),
                ("denials", count(len_u64(used.denials.len()))),
                ("key", row.name.into()),
                ("of", place.of.into()),
                ("peak_basis", basis.into()),
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

/// Keys that say how others are judged.
const SETTINGS: [&str; 8] = [
    "conversion_haircut_bps",
    "warning_percent",
    "cancel_share_percent",
    "proposal_ttl_ms",
    "price_collar_window_ms",
    "duplicate_window_ms",
    "cooldown_ms",
    "repeat_window_ms",
];

/// Keys of what is measured against market or clock at the moment of judging.
const MOMENTS: [&str; 8] = [
    "account_age_ms_max",
    "clock_skew_ms_max",
    "conversion_age_ms_max",
    "price_drift_bps",
    "price_collar_bps",
    "price_collar_window_bps",
    "market_data_age_ms_max",
    "metadata_age_ms_max",
];

/// Where a peak is from; the head of this file tells what each word means.
fn basis(key: &str, reckoned: bool, used: &Use) -> &'static str {
    match (reckoned, used.seen.is_empty()) {
        (true, _) if key == "daily_notional_max" => "SESSION_ALONE",
        (true, _) => "ENTRIES",
        (false, _) if SETTINGS.contains(&key) => "SETTING",
        (false, _) if MOMENTS.contains(&key) => "AT_THE_MOMENT",
        (false, false) => "WARNED",
        (false, true) => "BELOW_WARNING",
    }
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

/// What the entries tell of a limit's use although it was never near.
fn reckoned(key: &str, place: &Place<'_>) -> Option<String> {
    let Place { peaks, scope, of, instrument, .. } = place;
    if let Some(instrument) = instrument {
        let traded = peaks.instruments.get(*of)?;
        let qty = |units: i64| format_scaled(units.into(), instrument.qty_scale);
        let px = |units: i64| format_scaled(units.into(), instrument.price_scale);
        return match key {
            "order_qty_max" => traded.order_qty.map(qty),
            "order_notional_max" => traded.order_notional.map(Money::text),
            "position_qty_max" => traded.position.map(qty),
            "short_qty_max" => traded.short.map(qty),
            "price_min" => traded.px_low.map(px),
            "price_max" => traded.px_high.map(px),
            _ => None,
        };
    }
    let nothing = Activity::default();
    let used = match *scope {
        "session" => return None,
        "strategy" => peaks.strategies.get(*of).unwrap_or(&nothing),
        _ => &peaks.whole,
    };
    match key {
        "order_value_max" => used.order_value.map(Money::text),
        "daily_notional_max" => used.value.map(Money::text),
        "open_orders_max" => Some(used.open_orders.to_string()),
        "open_positions_max" => Some(used.open_positions.to_string()),
        "open_proposals_max" => Some(used.proposals.to_string()),
        "orders_per_session_max" => Some(used.orders.to_string()),
        "messages_per_second_max" => Some(used.messages.to_string()),
        "repeat_executions_max" => Some(used.executions.to_string()),
        _ => None,
    }
}
