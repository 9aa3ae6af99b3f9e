use super::*;
use std::path::PathBuf;

fn policy(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies/instruments").join(name)
}

const GOOD: &str = include_str!("../../../policies/instruments/kraken-btc-usd.toml");

#[test]
fn the_shipped_instrument_is_read() {
    let btc = instrument(&policy("kraken-btc-usd.toml"), 0).unwrap();
    assert_eq!((btc.symbol.as_str(), btc.tick.units(), btc.qty_min.units()), ("BTC-USD", 1, 5_000));
    assert_eq!(btc.taker_fee, Rate::from_bps(40));
    assert_eq!(start_price(&btc, &[]).unwrap().units(), 600_000);
    let given = ["ETH-USD=1.0".to_owned(), "BTC-USD=61000.5".to_owned()];
    assert_eq!(start_price(&btc, &given).unwrap().units(), 610_005);
    assert!(start_price(&btc, &["BTC-USD=0".to_owned()]).is_err());
}

#[test]
fn both_shipped_files_have_the_same_keys() {
    let keys = |name: &str| {
        let table: toml::Table = read(&policy(name)).unwrap().parse().unwrap();
        table.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys("kraken-btc-usd.toml"), keys("binance-btc-usdt.toml"));
    let other = instrument(&policy("binance-btc-usdt.toml"), 0).unwrap_err();
    assert!(other.to_string().contains("this exchange speaks"), "{other}");
}

#[test]
fn a_wrong_instrument_is_refused_and_named() {
    let check = |from: &str, to: &str, part: &str| {
        assert!(GOOD.contains(from));
        let fault = parse_instrument("x.toml", &GOOD.replace(from, to), 0).unwrap_err();
        assert_eq!(fault.kind.exit_code(), 78);
        assert!(fault.to_string().contains(part), "{fault}");
    };
    check("symbol = \"BTC-USD\"", "symbol_of = \"BTC-USD\"", "x.toml");
    check("\"0.1\"", "0.1", "x.toml");
    check("\"0.1\"", "\"0.01\"", "key tick");
    check("\"0.00000001\"", "\"0\"", "lot");
    check("\"0.0025\"", "\"-0.0025\"", "key maker_fee");
    check("price_scale = 1", "price_scale = 12", "scales");
}

#[test]
fn credentials_are_checked_and_never_shown() {
    let entry = |key: &str, secret: &str, account: &str, usd: &str| {
        format!(
            r#"{{"key":"{key}","secret":"{secret}","account":"{account}","balances":{{"USD":"{usd}"}}}}"#
        )
    };
    let good = format!("[{},{}]", entry("a", "YQ==", "x", "5"), entry("b", "YQ==", "x", "5"));
    assert_eq!(parse_credentials("f", &good).unwrap().len(), 2);
    let check = |text: String, part: &str| {
        let Err(fault) = parse_credentials("f", &text) else { panic!("{text}") };
        assert!(fault.to_string().contains(part), "{fault}");
        assert!(!fault.to_string().contains("s3cret"));
    };
    check(format!("[{}]", entry("a", "s3cret!", "x", "5")), "not standard base64");
    check(format!("[{}]", entry("a", "YQ==", "x", "-5")), "USD");
    check(format!("[{},{0}]", entry("a", "YQ==", "x", "5")), "twice");
    let two = format!("[{},{}]", entry("a", "YQ==", "x", "5"), entry("b", "YQ==", "x", "6"));
    check(two, "different balances");
    check("[{\"secret\":\"s3cret\"}]".to_owned(), "line 1");
}
