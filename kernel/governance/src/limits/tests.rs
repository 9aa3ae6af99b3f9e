//! A limit that nobody wrote down is a limit that nobody chose.

use super::*;
use portcullis_domain::{InstrumentId, InstrumentKind, Px, Qty};

const PROJECT: &str = include_str!("../../../../policies/limits.toml");

fn instrument(symbol: &str, quote: &str, price_scale: u8) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: symbol.into(),
        venue_symbol: symbol.replace('-', ""),
        base: "BTC".into(),
        quote: quote.into(),
        kind: InstrumentKind::Spot,
        price_scale,
        qty_scale: 8,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(1).unwrap(),
        notional_min: Money::ZERO,
        maker_fee: Rate(0),
        taker_fee: Rate(0),
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn parse(text: &str) -> Result<Limits, PolicyError> {
    let instruments = [instrument("BTC-USDT", "USDT", 2)];
    parse_limits(text.as_bytes(), &instruments, &[name("ema-cross")]).map(|read| read.value)
}

/// The refusal of the project's file with one change, as code and cause.
#[track_caller]
fn check(from: &str, to: &str, code: &str, cause: &str) {
    assert!(PROJECT.contains(from), "{from}");
    let error = parse(&PROJECT.replacen(from, to, 1)).expect_err(to);
    assert_eq!(error.code(), code, "{to}: {}", error.cause());
    assert!(error.cause().contains(cause), "{to}: {}", error.cause());
}

#[test]
fn the_limits_of_the_project_are_read_at_the_scales_of_a_session() {
    let limits = parse(PROJECT).unwrap();
    let of = &limits.instruments[&InstrumentId(0)];
    assert_eq!((of.order_qty_max.units(), of.price_min.units()), (5_000_000, 100_000));
    assert_eq!(limits.conversions["USDT"].rate, Rate(100_000_000));
    assert_eq!(limits.conversions["USDT"].as_of, WallNs(1_723_075_200_000_000_000));
    assert_eq!((limits.currency.as_str(), limits.instruments.len()), ("USD", 1));
    assert_eq!(limits.account.activity.open_orders_max, 4);
    let dollars = [instrument("BTC-USD", "USD", 1)];
    let read = parse_limits(PROJECT.as_bytes(), &dollars, &[]).unwrap().value;
    assert_eq!(read.instruments[&InstrumentId(0)].price_min.units(), 10_000);
    assert!(read.strategies.is_empty());
    let whole = parse_limits_file(PROJECT.as_bytes(), &dollars).unwrap().value;
    assert!(whole.strategies.contains_key(&name("ema-cross")));
}

#[test]
fn each_key_of_the_file_is_needed() {
    let keys = PROJECT.lines().enumerate().filter(|(_, line)| line.contains(" = "));
    let keys: Vec<(usize, &str)> = keys.collect();
    assert_eq!(keys.len(), 10 + 2 + 3 * 17 + 13 + 2 * 14);
    for (place, line) in keys {
        let (key, _) = line.split_once(" = ").unwrap();
        let without = |(at, line): (usize, &str)| {
            if at == place { String::new() } else { format!("{line}\n") }
        };
        let text: String = PROJECT.lines().enumerate().map(without).collect();
        let error = parse(&text).expect_err(line);
        assert_eq!(error.code(), "POLICY_SYNTAX", "{line}");
        assert!(error.cause().ends_with(&format!("{key} is missing")), "{}", error.cause());
        let twice = PROJECT.replacen(line, &format!("{line}\nx{line}"), 1);
        let error = parse(&twice).expect_err(line);
        assert!(error.cause().ends_with(&format!("x{key} is not a known key")), "{line}");
    }
}

#[test]
fn what_is_no_limit_is_refused_with_its_key() {
    let (syntax, number, unfit) = ("POLICY_SYNTAX", "POLICY_NUMBER", "POLICY_UNFIT");
    check("open_orders_max = 4", "open_orders_max = 0", unfit, "account.open_orders_max is zero");
    check("open_orders_max = 4", "open_orders_max = -4", syntax, "account.open_orders_max");
    check("open_orders_max = 4", "open_orders_max = 4294967296", syntax, "open_orders_max is out");
    check("open_orders_max = 4", "open_orders_max = \"4\"", syntax, "account.open_orders_max");
    check("open_orders_max = 4", "open_orders_max = 4.0", syntax, "account.open_orders_max");
    check("\"0.05\"", "\"0.123456789\"", number, "instruments.BTC-USDT.order_qty_max");
    check("\"0.05\"", "\"-0.05\"", number, "order_qty_max");
    check("\"0.05\"", "\"5e-2\"", number, "order_qty_max");
    check("\"0.05\"", "0.05", syntax, "instruments.BTC-USDT.order_qty_max is not a string");
    check("\"0.05\"", "\"0\"", unfit, "order_qty_max is zero");
    check("\"4000\"", "\"-1\"", number, "order_notional_max");
    check("price_min = \"1000\"", "price_min = \"0\"", syntax, "price_min");
    check("price_max = \"1000000\"", "price_max = \"1000\"", unfit, "not above price_min");
    check("warning_percent = 80", "warning_percent = 101", unfit, "rules.warning_percent");
    check("cancel_share_percent = 20", "cancel_share_percent = 19", unfit, "cancel_share");
    check("conversion_haircut_bps = 50", "conversion_haircut_bps = 10001", unfit, "haircut");
    check("\"UTC\"", "\"New York\"", unfit, "rules.trading_day");
    check("currency = \"USD\"", "currency = \"usd\"", unfit, "rules.currency");
    check("rate = \"1\"", "rate = \"0\"", unfit, "conversions.USDT.rate");
    check("rate = \"1\"", "rate = 1", syntax, "conversions.USDT.rate");
    check("00:00:00Z", "00:00:00", syntax, "conversions.USDT.as_of");
    check("00:00:00Z", "00:00:00+02:00", syntax, "conversions.USDT.as_of");
    check("2024-08-08T00:00:00Z", "\"2024-08-08T00:00:00Z\"", syntax, "conversions.USDT.as_of");
    check("[conversions.USDT]", "[conversions.USD]", unfit, "the currency of the account");
    check("[account]", "account = 1\n[other]", syntax, "account");
    check("[strategies.ema-cross]", "[strategies.\"No Name\"]", "POLICY_UNKNOWN_NAME", "No Name");
}

#[test]
fn what_the_session_trades_has_limits_and_the_rest_is_left_aside() {
    let missing = "POLICY_MISSING_LIMITS";
    check("[instruments.BTC-USDT]", "[instruments.BTC-EUR]", missing, "instruments.BTC-USDT");
    check("[strategies.ema-cross]", "[strategies.other]", missing, "strategies.ema-cross");
    check("[conversions.USDT]", "[conversions.EUR]", missing, "conversions.USDT");
    // An instrument of another session still has to have the form of one.
    let (start, end) = PROJECT.split_once("[instruments.BTC-USD]").unwrap();
    let other = |from: &str, to: &str| {
        assert!(end.contains(from), "{from}");
        let text = format!("{start}[instruments.BTC-USD]{}", end.replacen(from, to, 1));
        parse(&text).expect_err(to).code()
    };
    assert_eq!(other("\"0.05\"", "\"x\""), "POLICY_NUMBER");
    assert_eq!(other("\"0.05\"", "\"-1\""), "POLICY_NUMBER");
    assert_eq!(other("\"0.05\"", "\"0\""), "POLICY_NOT_POSITIVE");
    assert_eq!(other("price_collar_bps = 200\n", ""), "POLICY_SYNTAX");
    assert_eq!(other("cooldown_ms = 0", "cooldown_ms = 0\nx = 1"), "POLICY_SYNTAX");
}
