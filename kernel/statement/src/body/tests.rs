//! Bodies read back as they were written, and what contradicts itself is not read at all.

use portcullis_domain::Phase;

use super::*;
use crate::json::object;
use crate::testkit::{approval, endpoint_set, flatten_plan, release, seal, unkill, word};

/// `value` with the value at `path` replaced, or taken away.
fn with(value: &Value, path: &str, put: Option<Value>) -> Value {
    let mut changed = value.clone();
    let (above, key) = path.rsplit_once('/').unwrap_or(("", path));
    let mut place = &mut changed;
    for step in above.split('/').filter(|step| !step.is_empty()) {
        place = match place {
            Value::Object(entries) => entries.get_mut(step).unwrap(),
            Value::List(list) => list.get_mut(step.parse::<usize>().unwrap()).unwrap(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => panic!("{path}"),
        };
    }
    let Value::Object(entries) = place else { panic!("{path} is not a key") };
    match put {
        Some(put) => entries.insert(key.to_owned(), put),
        None => entries.remove(key),
    };
    changed
}

fn good_approval() -> SessionApproval {
    approval(Phase::Paper, EndpointKind::Simulated)
}

#[track_caller]
fn refused(path: &str, put: impl Into<Value>, expect: &str) {
    let value = with(&good_approval().to_value(), path, Some(put.into()));
    let error = SessionApproval::from_value(&value).expect_err(path).to_string();
    assert!(error.contains(expect), "{path}: {error}");
}

#[test]
fn an_approval_reads_back_typed() {
    let approval = good_approval();
    assert_eq!(SessionApproval::from_value(&approval.to_value()), Ok(approval.clone()));
    assert_eq!((approval.instruments(), approval.limits()), {
        (approval.instruments.clone(), approval.limits.clone())
    });
    let unknown_price = with(&approval.to_value(), "carried/0/avg_px", Some(Value::Null));
    let read = SessionApproval::from_value(&unknown_price).unwrap();
    assert_eq!(read.carried[0].avg_px, None);
    assert_eq!(read.to_value(), unknown_price);
}

#[test]
fn each_key_of_an_approval_is_needed_and_no_other_is_known() {
    fn keys_below(value: &Value, path: &str, keys: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(k, v)| (k.clone(), v)).collect(),
            Value::List(list) => list.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => Vec::new(),
        };
        for (key, child) in children {
            let path = format!("{path}/{key}");
            if matches!(value, Value::Object(_)) {
                keys.push(path.clone());
            }
            keys_below(child, &path, keys);
        }
    }
    let value = good_approval().to_value();
    let mut keys = Vec::new();
    keys_below(&value, "", &mut keys);
    assert!(keys.len() > 140, "{}", keys.len());
    // Keys that are data, not form: a session may have fewer of them.
    let free = ["/balances/USDT", "/plugins/0/params/fast"];
    for key in keys {
        let without = SessionApproval::from_value(&with(&value, &key, None));
        assert_eq!(without.is_ok(), free.contains(&key.as_str()), "{key} taken away");
        let other = SessionApproval::from_value(&with(&value, &key, Some(vec![].into())));
        let list = ["/carried", "/instruments", "/plugins"].contains(&key.as_str());
        assert!(other.is_err() || list, "{key} as an empty list");
        let more = SessionApproval::from_value(&with(&value, &format!("{key}x"), Some(1.into())));
        assert!(more.is_err(), "{key}x beside {key}");
    }
}

#[test]
fn an_impossible_instrument_is_refused() {
    refused("instruments/0/tick", "0", "tick");
    refused("instruments/0/tick", "0.001", "more decimals");
    refused("instruments/0/tick", "1e-2", "plain decimal");
    refused("instruments/0/tick", 1, "not a string");
    refused("instruments/0/lot", "0", "lot");
    refused("instruments/0/lot", "-0.1", "lot");
    refused("instruments/0/price_scale", 14, "too fine");
    refused("instruments/0/qty_scale", 300, "255");
    refused("instruments/0/notional_min", "-5", "negative");
    refused("instruments/0/taker_fee", "-0.001", "taker_fee");
    refused("instruments/0/symbol", "BTC USDT", "symbol");
    refused("instruments/0/symbol", "", "symbol");
    refused("instruments/0/quote", "usdt", "quote");
    refused("instruments/0/quote", "BTC", "quote");
    refused("instruments/0/source", " ", "source");
    let Value::Object(entries) = good_approval().to_value() else { panic!("not an object") };
    let Some(Value::List(list)) = entries.get("instruments") else { panic!("not a list") };
    refused("instruments", [list.clone(), list.clone()].concat(), "BTC-USDT twice");
    let renamed = with(&list[0], "symbol", Some("BTC-USD".into()));
    refused("instruments", vec![list[0].clone(), renamed], "BTC-USD twice");
    refused("instruments", Vec::new(), "is not an approved instrument");
}

#[test]
fn positions_are_about_approved_instruments() {
    refused("carried/0/symbol", "ETH-USDT", "carried.symbol");
    refused("carried/0/qty", "0", "nothing to carry");
    refused("carried/0/avg_px", "-1", "avg_px");
    let carried = good_approval().to_value();
    let Value::Object(entries) = &carried else { panic!("not an object") };
    let Some(Value::List(list)) = entries.get("carried") else { panic!("not a list") };
    refused("carried", [list.clone(), list.clone()].concat(), "an instrument twice");
}

#[test]
fn an_approval_that_says_something_else_is_refused() {
    refused("closing_rights", "anybody", "closing_rights");
    refused("on_drop", "cancel-all", "on_drop");
    refused("phase", 8, "0 to 7");
    refused("phase", -1, "negative");
    refused("phase", "2", "not a whole number");
    refused("endpoint_kind", "live", "endpoint_kind");
    refused("fuel_per_batch_max", 0, "zero");
    refused("latency_ns", -1, "negative");
    refused("worst_case_loss", "-1", "negative");
    refused("worst_case_loss", "", "plain decimal");
    refused("balances/USDT", "-1", "negative");
    refused("balances/usdt", "1", "not a currency");
    refused("window/closes", "1800000000000000000", "not after");
    refused("window/opens", "+1", "window.opens");
    refused("window/opens", "01", "window.opens");
    refused("window/opens", "-1", "window.opens");
    refused("build", "", "build");
    refused("witness", " ", "witness");
    refused("plugins/0/params/fast", 12, "not a string");
    refused("plugins/0/name", "../x", "not a name");
    refused("plugins/0/component", "00", "not a digest");
    let Value::Object(entries) = good_approval().to_value() else { panic!("not an object") };
    let Some(Value::List(list)) = entries.get("plugins") else { panic!("not a list") };
    refused("plugins", [list.clone(), list.clone()].concat(), "a name twice");
}

#[test]
fn an_approval_built_wrongly_cannot_be_read() {
    let mut approval = good_approval();
    approval.sources.clear();
    assert!(SessionApproval::from_value(&approval.to_value()).is_err());
    let mut approval = good_approval();
    approval.carried[0].instrument = portcullis_domain::InstrumentId(9);
    assert!(SessionApproval::from_value(&approval.to_value()).is_err());
}

#[test]
fn the_small_bodies_read_back() {
    assert_eq!(PluginRelease::from_value(&release().to_value()), Ok(release()));
    assert_eq!(Unkill::from_value(&unkill().to_value()), Ok(unkill()));
    assert_eq!(Seal::from_value(&seal().to_value()), Ok(seal()));
    for class in [Classification::Green, Classification::Yellow, Classification::Red] {
        assert_eq!(Classification::from_name(class.name()), Some(class));
    }
    let no_reason = with(&unkill().to_value(), "reason", Some("".into()));
    assert!(Unkill::from_value(&no_reason).is_err());
    let no_memory = with(&release().to_value(), "memory_bytes_max", Some(0.into()));
    assert!(PluginRelease::from_value(&no_memory).is_err());
    let other_class = with(&seal().to_value(), "classification", Some("amber".into()));
    assert!(Seal::from_value(&other_class).is_err());
}

#[track_caller]
fn check_set(change: impl FnOnce(&mut EndpointSet), kind: EndpointKind, expect: &str) {
    let mut set = endpoint_set(kind);
    change(&mut set);
    let read = EndpointSet::from_value(&set.to_value());
    let got = read.clone().map_or_else(|error| error.to_string(), |_| "ok".to_owned());
    assert!(got.contains(expect), "{got} is not about {expect}");
    if read.is_ok() {
        assert_eq!(read, Ok(set));
    }
}

#[test]
fn an_endpoint_set_is_of_one_kind() {
    use EndpointKind::{Real, Recorded, Sandbox, Simulated};
    let at = |host: &str| Some(Host { host: host.to_owned(), port: 443 });
    for kind in EndpointKind::ALL {
        assert_eq!(EndpointKind::from_name(kind.name()), Some(kind));
        check_set(|_| (), kind, "ok");
    }
    check_set(|set| set.private = at("api.binance.com"), Real, "ok");
    check_set(|set| set.public = at("ws.kraken.com"), Real, "`public` is not a host");
    for host in ["127.0.0.1", "localhost", "10.0.0.1", "evil.example", "STREAM.BINANCE.COM", ""] {
        check_set(|set| set.private = at(host), Real, "`private` is not a host");
        check_set(|set| set.public = at(host), Sandbox, "`public` is not a host");
    }
    check_set(|set| set.public = at("stream.binance.com"), Sandbox, "`public` is not a host");
    check_set(|set| set.public = at("stream.testnet.binance.vision"), Real, "`public` is not");
    check_set(|set| set.venue = Venue::Kraken, Sandbox, "`public` is not a host");
    check_set(|set| set.public = at("::1"), Simulated, "ok");
    for host in ["localhost", "10.0.0.1", "0.0.0.0", "127.1", "stream.binance.com"] {
        check_set(|set| set.public = at(host), Simulated, "`public` is not a host");
    }
    check_set(|set| set.public = None, Simulated, "is needed");
    check_set(|set| set.public = at("127.0.0.1"), Recorded, "beside recorded files");
    check_set(|set| set.files.clear(), Recorded, "is empty");
    check_set(|set| set.files.push(set.files[0].clone()), Recorded, "names a file twice");
    for name in ["../day", "a/b", ".hidden", "-rf", "", "a b"] {
        check_set(|set| set.files[0].name = name.to_owned(), Recorded, "files.name");
    }
    let file = endpoint_set(Recorded).files;
    check_set(|set| set.files = file, Real, "beside hosts");
    for port in [0, 65_536, -1] {
        let set = with(&endpoint_set(Simulated).to_value(), "public/port", Some(port.into()));
        assert!(EndpointSet::from_value(&set).is_err(), "{port}");
    }
}

/// B1: a statement about a stop is none about the kill of that number, and names one latch only.
#[test]
fn b1_an_unkill_names_one_latch() {
    let digest = Digest::of(b"entry");
    let (kill, stop) = (Target::kill(4, digest), Target::stop(4, digest));
    let lift = |target| Unkill { target, reason: "over".to_owned() }.to_value();
    assert_ne!(lift(kill), lift(stop));
    for target in [kill, stop] {
        assert_eq!(Unkill::from_value(&lift(target)).unwrap().target, target);
    }
    for (path, put) in [
        ("stop_seq", Some(Value::Int(4))),
        ("stop_entry", Some(digest.hex().into())),
        ("kill_seq", None),
        ("kill_entry", None),
        ("kill_seq", Some(Value::Int(-1))),
    ] {
        assert!(Unkill::from_value(&with(&lift(kill), path, put)).is_err(), "{path}");
    }
    assert!(Unkill::from_value(&with(&lift(stop), "kill_seq", Some(4.into()))).is_err());
}

#[test]
fn a_flatten_plan_reads_back_and_is_bounded() {
    let plan = flatten_plan();
    assert_eq!(FlattenPlan::from_value(&plan.to_value()), Ok(plan.clone()));
    let below = |key: &str| format!("instruments/BTC-USDT/{key}");
    for (path, put) in [
        ("account".to_owned(), Some("A B".into())),
        ("reason".to_owned(), Some(" ".into())),
        ("instruments".to_owned(), Some(object([]))),
        ("stop_seq".to_owned(), None),
        ("more".to_owned(), Some(1.into())),
        (below("slice_qty_max"), Some("0".into())),
        (below("slice_qty_max"), Some("-1".into())),
        (below("slice_qty_max"), Some("1e3".into())),
        (below("slice_qty_max"), Some(1.into())),
        (below("slippage_bps_max"), Some(1_001.into())),
        (below("slippage_bps_max"), Some(Value::Int(-1))),
        (below("slice_pause_ms"), Some(99.into())),
        (below("slice_pause_ms"), None),
        (below("more"), Some(1.into())),
    ] {
        assert!(FlattenPlan::from_value(&with(&plan.to_value(), &path, put)).is_err(), "{path}");
    }
}

/// A18: what is signed is what was shown, to the last value.
#[test]
fn a18_a_release_reads_back_and_its_digest_is_of_what_it_shows() {
    let good = word();
    assert_eq!(Release::from_value(&good.to_value()), Ok(good.clone()));
    let shown = "{\"asked_by\":\"plugin ema-cross\",\"ord_type\":\"limit\",\
        \"price\":\"61837.60\",\"proposal\":\"pc0000000700000003\",\"qty\":\"0.1\",\
        \"reduce_only\":false,\"session\":\"s-1\",\"side\":\"buy\",\"stop\":\"60000\",\
        \"symbol\":\"BTC-USDT\",\"target\":null,\"time_in_force\":\"gtc\"}";
    assert_eq!(good.shown.to_value().canonical_text(), shown);
    assert_eq!(good.digest, Digest::of(shown.as_bytes()));
    // Each value that is shown moves the digest, so that another one is refused.
    for (key, put) in [
        ("asked_by", "person olga".into()),
        ("price", "61837.6".into()),
        ("proposal", "pc0000000700000004".into()),
        ("qty", "0.2".into()),
        ("reduce_only", Value::Bool(true)),
        ("session", "s-2".into()),
        ("side", "sell".into()),
        ("stop", Value::Null),
        ("symbol", "BTC-USD".into()),
        ("target", "70000".into()),
        ("time_in_force", "ioc".into()),
    ] {
        let other = with(&good.to_value(), &format!("shown/{key}"), Some(put));
        let error = Release::from_value(&other).unwrap_err().to_string();
        assert!(error.contains("is not of what is shown"), "{key}: {error}");
    }
}

#[test]
fn a_release_that_says_something_else_is_refused() {
    for (path, put, expect) in [
        ("account", Some("A B".into()), "not a name"),
        ("origin", Some(" ".into()), "is empty"),
        ("digest", Some("00".into()), "not a digest"),
        ("bid", Some("0".into()), "above zero"),
        ("ask", Some("-1".into()), "above zero"),
        ("ask", None, "ask"),
        ("more", Some(1.into()), "more"),
        ("shown/proposal", Some("7".into()), "shown.proposal"),
        ("shown/qty", Some("0".into()), "above zero"),
        ("shown/qty", Some("1e3".into()), "above zero"),
        ("shown/price", Some(Value::Null), "limit orders"),
        ("shown/ord_type", Some("market".into()), "limit orders"),
        ("shown/ord_type", Some("stop".into()), "shown.ord_type"),
        ("shown/stop", Some("0".into()), "above zero"),
        ("shown/symbol", Some("".into()), "is empty"),
        ("shown/target", None, "target"),
        ("shown/more", Some(1.into()), "more"),
    ] {
        let error = Release::from_value(&with(&word().to_value(), path, put)).unwrap_err();
        assert!(error.to_string().contains(expect), "{path}: {error}");
    }
}
