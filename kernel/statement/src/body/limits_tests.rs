//! Limits read back as they were written, and what has no meaning cannot be signed.

use portcullis_domain::policy::{Conversion, Direction, LimitTable, Limits};
use portcullis_domain::{Instrument, InstrumentId, Name, Rate, WallNs};

use super::*;
use crate::testkit::{instrument, limits_change, wide_limits};

/// Two instruments of different quote currencies, so that every kind of key is there.
fn instruments() -> Vec<Instrument> {
    let other = Instrument {
        id: InstrumentId(1),
        symbol: "ETH-USD".to_owned(),
        venue_symbol: "ETH/USD".to_owned(),
        base: "ETH".to_owned(),
        quote: "USD".to_owned(),
        price_scale: 3,
        qty_scale: 7,
        ..instrument()
    };
    vec![instrument(), other]
}

fn limits() -> Limits {
    wide_limits(&instruments(), &["ema-cross", "mean-revert"])
}

/// `value` with whatever `put` makes of the object at `path`.
fn with(path: &str, put: impl FnOnce(&mut std::collections::BTreeMap<String, Value>)) -> Value {
    let mut changed = limits_value(&limits(), &instruments());
    let mut place = &mut changed;
    for step in path.split('/').filter(|step| !step.is_empty()) {
        let Value::Object(entries) = place else { panic!("{path}") };
        place = entries.get_mut(step).unwrap();
    }
    let Value::Object(entries) = place else { panic!("{path}") };
    put(entries);
    changed
}

#[track_caller]
fn refused(path: &str, key: &str, put: impl Into<Value>, expect: &str) {
    let put = put.into();
    let value = with(path, |entries| drop(entries.insert(key.to_owned(), put)));
    let error = read_limits(&value, &instruments()).expect_err(key).to_string();
    assert!(error.contains(expect), "{path}/{key}: {error}");
}

#[test]
fn limits_read_back_each_at_the_scale_of_its_instrument() {
    let value = limits_value(&limits(), &instruments());
    assert_eq!(read_limits(&value, &instruments()), Ok(limits()));
    let text = String::from_utf8(value.canonical()).unwrap();
    assert!(text.contains(r#""price_min":"0.01""#), "{text}");
    assert!(text.contains(r#""price_min":"0.001""#), "{text}");
    assert!(text.contains(r#""rate":"1""#), "{text}");
    assert!(text.contains(r#""trading_day":"UTC""#), "{text}");
}

#[test]
fn each_key_of_limits_is_needed_and_no_other_is_known() {
    let tables = [
        ("rules", 10),
        ("account", 17),
        ("venue", 17),
        ("host", 17),
        ("strategies/ema-cross", 13),
        ("instruments/ETH-USD", 14),
        ("conversions/USD", 2),
    ];
    for (table, count) in tables {
        let mut keys = Vec::new();
        drop(with(table, |entries| keys = entries.keys().cloned().collect()));
        assert_eq!(keys.len(), count, "{table}");
        for key in keys {
            let without = with(table, |entries| drop(entries.remove(&key)));
            let error = read_limits(&without, &instruments()).unwrap_err().to_string();
            assert!(error.contains(&format!("{}.{key}", table.replace('/', "."))), "{error}");
            refused(table, &key, Vec::new(), &key);
            refused(table, &format!("{key}x"), 1, "not a known key");
        }
    }
}

#[test]
fn a_number_without_a_meaning_is_refused() {
    for key in ["order_value_max", "loss_session_max", "fees_max", "daily_notional_max"] {
        refused("account", key, "0", "slip");
        refused("venue", key, "-1", "plain decimal");
        refused("host", key, 1, "not a string");
    }
    refused("account", "open_orders_max", 0, "account.open_orders_max");
    refused("account", "open_orders_max", -1, "negative");
    refused("account", "open_orders_max", 1_i64 << 32, "out of its range");
    refused("account", "open_orders_max", "5", "not a whole number");
    refused("strategies/ema-cross", "repeat_window_ms", 0, "strategies.ema-cross.repeat_window_ms");
    let held = "instruments/ETH-USD";
    refused(held, "order_qty_max", "0", "instruments.ETH-USD.order_qty_max");
    refused(held, "order_qty_max", "0.00000001", "more decimals");
    refused(held, "price_min", "0", "out of its range");
    refused(held, "price_max", "0.001", "not above price_min");
    refused(held, "price_collar_bps", 0, "slip");
    refused("rules", "warning_percent", 0, "slip");
    refused("rules", "warning_percent", 101, "between 1 and 100");
    refused("rules", "cancel_share_percent", 19, "between 20 and 100");
    refused("rules", "cancel_share_percent", 101, "between 20 and 100");
    refused("rules", "conversion_haircut_bps", 10_001, "beyond 10000");
    refused("rules", "currency", "usd", "not a currency");
    refused("rules", "trading_day", "New York", "trading_day");
    refused("conversions/USD", "rate", "0", "above zero");
    refused("conversions/USD", "rate", "-1", "plain decimal");
    refused("conversions/USD", "as_of", "01", "nanoseconds");
    let zero = with(held, |entries| {
        for key in ["cooldown_ms", "duplicate_window_ms"] {
            entries.insert(key.to_owned(), 0.into());
        }
        entries.insert("short_qty_max".to_owned(), "0".into());
    });
    assert!(read_limits(&zero, &instruments()).is_ok(), "these zeros have a meaning");
}

#[test]
fn names_of_limits_are_names_of_something() {
    let of = |path: &str, key: &str| {
        let mut value = Value::Null;
        drop(with(path, |entries| value = entries.get(key).unwrap().clone()));
        value
    };
    refused("instruments", "XRP-USD", of("instruments", "ETH-USD"), "instruments.XRP-USD");
    refused("strategies", "Bad Name", of("strategies", "ema-cross"), "strategies.Bad Name");
    refused("conversions", "usd", of("conversions", "USD"), "not a currency");
    refused("conversions", "USDT", of("conversions", "USD"), "the currency of the account");
    refused("instruments", "ETH-USD", Value::Null, "instruments.ETH-USD");
}

/// What the approval of a session checks on top of the form.
#[track_caller]
fn covers(change: impl FnOnce(&mut Limits), expect: &str) {
    let mut limits = limits();
    change(&mut limits);
    let names = ["ema-cross", "mean-revert"].map(|name| Name::new(name).unwrap());
    let got = limits.check_covers(&instruments(), &names);
    let got =
        got.map_or_else(|unfit| format!("{} {}", unfit.path(), unfit.cause), |()| "ok".into());
    assert_eq!(got, expect);
}

#[test]
fn a_session_has_limits_for_exactly_what_it_trades() {
    covers(|_| (), "ok");
    covers(|l| l.instruments.retain(|id, _| id.0 == 0), "instruments.ETH-USD is missing");
    covers(|l| l.conversions.clear(), "conversions.USD is missing");
    covers(
        |l| l.strategies.retain(|name, _| name.as_str() == "ema-cross"),
        "strategies.mean-revert is missing",
    );
    covers(
        |l| {
            let held = l.account.activity.clone();
            l.strategies.insert(Name::new("other").unwrap(), held);
        },
        "strategies.other is not an approved strategy",
    );
    covers(
        |l| {
            let held = l.instruments[&InstrumentId(1)].clone();
            l.instruments.insert(InstrumentId(7), held);
        },
        "instruments.7 is not an approved instrument",
    );
}

#[test]
fn a_change_reads_back_and_changes_something() {
    let change = limits_change();
    assert_eq!(LimitsChange::from_value(&change.to_value()), Ok(change.clone()));
    let refused = |change: &LimitsChange, expect: &str| {
        let error = LimitsChange::from_value(&change.to_value()).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    refused(&LimitsChange { after: change.before, ..change.clone() }, "nothing changes");
    let same = change.before_limits.clone();
    refused(&LimitsChange { after_limits: same, ..change.clone() }, "nothing changes");
    refused(&LimitsChange { sources: vec![], ..change.clone() }, "source");
    let mut unfit = change.clone();
    unfit.after_limits.rules.warning_percent = 0;
    refused(&unfit, "after.limits.rules.warning_percent");
    let Value::Object(mut entries) = change.to_value() else { panic!("not an object") };
    entries.insert("applies".to_owned(), "at once".into());
    let error = LimitsChange::from_value(&Value::Object(entries)).unwrap_err().to_string();
    assert!(error.contains("applies"), "{error}");
}

#[test]
fn b4_a_change_shows_only_what_changes_and_which_way() {
    let mut after = limits();
    after.account.activity.open_orders_max = 2_000;
    after.rules.conversion_haircut_bps = 50;
    after.instruments.get_mut(&InstrumentId(1)).unwrap().cooldown_ms = 0;
    after.conversions.insert(
        "USD".to_owned(),
        Conversion { rate: Rate(99_980_000), as_of: WallNs(1_800_000_000_000_000_000) },
    );
    after.strategies.remove(&Name::new("mean-revert").unwrap());
    let mut before = limits();
    before.instruments.get_mut(&InstrumentId(1)).unwrap().cooldown_ms = 60_000;
    let lines: Vec<String> = after
        .changes_from(&before, &instruments())
        .iter()
        .map(|c| format!("{} {} {} {}", c.path, c.before, c.after, c.change.name()))
        .collect();
    assert_eq!(lines.len(), 4 + 13, "{lines:#?}");
    assert_eq!(
        lines[..3],
        [
            "conversions.USD 1 as of 2027-01-15T08:00:00.000000000Z \
             0.9998 as of 2027-01-15T08:00:00.000000000Z looser",
            "rules.conversion_haircut_bps 0 50 stricter",
            "account.open_orders_max 1000 2000 looser",
        ]
    );
    assert_eq!(lines[3], "strategies.mean-revert.order_value_max 1000000 - stricter");
    assert_eq!(lines[16], "instruments.ETH-USD.cooldown_ms 60000 0 looser");
    assert!(limits().changes_from(&limits(), &instruments()).is_empty());
}

#[test]
fn limits_of_two_sessions_are_compared_by_symbol() {
    let limits = limits();
    let mut swapped = instruments();
    swapped.reverse();
    for (id, instrument) in (0..).map(InstrumentId).zip(&mut swapped) {
        instrument.id = id;
    }
    let renumbered = limits.renumbered(&instruments(), &swapped);
    assert_eq!(renumbered.instruments[&InstrumentId(0)], limits.instruments[&InstrumentId(1)]);
    assert_eq!(renumbered.renumbered(&swapped, &instruments()), limits);
    swapped[0].qty_scale = 6;
    let foreign = limits.renumbered(&instruments(), &swapped);
    assert!(!foreign.instruments.contains_key(&InstrumentId(0)), "another measure, another thing");
    assert_eq!(foreign.instruments.len(), 2);
}

/// Moves every key of one table by one, each alone, in both directions, and asks for the proof.
#[track_caller]
fn moves<T: LimitTable>(name: &str, table: impl Fn(&mut Limits) -> &mut T) {
    for row in T::ROWS {
        for step in [-1, 1] {
            let (old, mut new) = (limits(), limits());
            let number = (row.get)(table(&mut new)).saturating_add(step);
            if (row.put)(table(&mut new), number).is_none() {
                continue;
            }
            let admits_less = match row.stricter {
                Direction::SmallerIsStricter => step < 0,
                Direction::LargerIsStricter => step > 0,
            };
            let proof = new.check_tightens(&old);
            assert_eq!(proof.is_ok(), admits_less, "{name}.{} by {step}", row.name);
            assert!(proof.map_or_else(|not| not.key == row.name, |()| true), "{}", row.name);
        }
    }
}

#[test]
fn a24_each_key_alone_in_the_wrong_direction_is_a_loosening() {
    moves("rules", |l| &mut l.rules);
    moves("account", |l| &mut l.account.activity);
    moves("account", |l| &mut l.account.standing);
    moves("venue", |l| &mut l.venue.activity);
    moves("venue", |l| &mut l.venue.standing);
    moves("host", |l| &mut l.host.activity);
    moves("host", |l| &mut l.host.standing);
    moves("strategies", |l| l.strategies.values_mut().next().unwrap());
    moves("instruments", |l| l.instruments.values_mut().next().unwrap());
    let refused = |change: fn(&mut Limits)| {
        let mut new = limits();
        change(&mut new);
        new.check_tightens(&limits()).is_err()
    };
    assert!(refused(|l| l.currency = "EUR".to_owned()));
    assert!(refused(|l| l.conversions.clear()), "what has no direction has to be the same");
    assert!(refused(|l| {
        let held = l.strategies.values().next().unwrap().clone();
        l.strategies.insert(Name::new("third").unwrap(), held);
    }));
    assert!(!refused(|l| l.instruments.clear()), "what may not be traded at all is stricter");
    assert!(!refused(|l| l.strategies.clear()));
}
