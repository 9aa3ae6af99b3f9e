//! Frames that must be refused, each with its code, and frames that only look wrong.

use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, MarketEvent, Money, Px, Qty, Rate,
};

use super::SpotStreams;

/// The instrument of the recording and of these tests.
///
/// Quantities have the eight decimals of the asset, not the five of the lot: the recorded book
/// holds seven levels with six, left from before the venue made the lot coarser.
pub(super) fn btcusdt() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USDT".to_owned(),
        venue_symbol: "BTCUSDT".to_owned(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        kind: InstrumentKind::Spot,
        price_scale: 2,
        qty_scale: 8,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1_000).unwrap(),
        qty_min: Qty::new(1_000).unwrap(),
        notional_min: Money::parse("5").unwrap(),
        maker_fee: Rate::from_bps(10),
        taker_fee: Rate::from_bps(10),
    }
}

const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":7,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#;
const QUOTE: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":9,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
const DEPTH: &str = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":11,"u":12,"b":[["61737.63000000","0.00000000"]],"a":[["61837.64000000","1.54698000"]]}}"#;
const SNAPSHOT: &str =
    r#"{"lastUpdateId":10,"bids":[["61737.63","1.5"]],"asks":[["61837.64","0.00001"]]}"#;

/// Decodes frames with one decoder and writes down what came of each.
fn outcomes(frames: &[String]) -> Vec<String> {
    let mut streams = SpotStreams::new(btcusdt());
    let event = |event: &MarketEvent| match event {
        MarketEvent::Quote { .. } => "quote".to_owned(),
        MarketEvent::Trade { trade_id, .. } => format!("trade {trade_id}"),
        MarketEvent::Snapshot { levels } => format!("snapshot {}", levels.len()),
        MarketEvent::Levels { levels } => format!("levels {}", levels.len()),
        MarketEvent::Gap { expected, found } => format!("gap {expected} {found}"),
    };
    let outcome = |text: &String| match streams.decode(text.as_bytes()) {
        Ok(frames) => {
            let name = |f: &portcullis_domain::MarketFrame| {
                format!("{}#{} {}", f.stream.0, f.sequence, event(&f.event))
            };
            frames.iter().map(name).collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.code().to_owned(),
    };
    frames.iter().map(outcome).collect()
}

/// One frame, made from a good one by putting `to` in the place of `from`.
#[track_caller]
fn check(good: &str, from: &str, to: &str, expect: &str) {
    assert!(good.contains(from), "{from} is not in the frame");
    assert_eq!(outcomes(&[good.replacen(from, to, 1)]), [expect], "{from} -> {to}");
}

#[test]
fn every_cut_of_a_frame_is_refused() {
    for good in [TRADE, QUOTE, DEPTH, SNAPSHOT] {
        for len in 0..good.len() {
            let cut = good.get(..len).unwrap().to_owned();
            assert_eq!(outcomes(&[cut]), ["FRAME_MALFORMED"], "{len} bytes of {good}");
        }
        assert_eq!(outcomes(&[format!("{good}x")]), ["FRAME_MALFORMED"]);
    }
}

#[test]
fn fields_are_there_and_of_their_type() {
    check(TRADE, r#""t":7,"#, "", "FIELD_INVALID");
    check(TRADE, r#""t":7"#, r#""t":"7""#, "FIELD_INVALID");
    check(TRADE, r#""t":7"#, r#""t":7.0"#, "FIELD_INVALID");
    check(TRADE, r#""t":7"#, r#""t":-7"#, "FIELD_INVALID");
    check(TRADE, r#""t":7"#, r#""t":7,"t":8"#, "FIELD_INVALID");
    check(TRADE, r#""m":true"#, r#""m":1"#, "FIELD_INVALID");
    check(TRADE, r#""e":"trade""#, r#""e":"aggTrade""#, "FIELD_INVALID");
    check(TRADE, "1723161255343", "18446744073709551615", "FIELD_INVALID");
    check(TRADE, r#""61837.63000000""#, "61837.63000000", "FIELD_INVALID");
    check(TRADE, r#""61837.63000000""#, r#""\u0036""#, "FIELD_INVALID");
    check(QUOTE, r#""u":9,"#, "", "FIELD_INVALID");
    check(DEPTH, r#""U":11"#, r#""U":13"#, "FIELD_INVALID");
    check(DEPTH, r#""1.54698000""#, r#""1.54698000","x""#, "FRAME_MALFORMED");
    check(DEPTH, r#","1.54698000""#, "", "FIELD_INVALID");
    check(DEPTH, r#""a":[[""#, r#""a":[["#, "FIELD_INVALID");
    check(SNAPSHOT, r#""bids""#, r#""buys""#, "FIELD_INVALID");
    check(TRADE, "data", "dato", "FIELD_INVALID");
}

#[test]
fn numbers_are_exact_or_refused() {
    check(TRADE, "61837.63000000", "-61837.63", "NUMBER_INVALID");
    check(TRADE, "61837.63000000", "0.00000000", "NUMBER_INVALID");
    check(TRADE, "61837.63000000", "61837.63100000", "NUMBER_INVALID");
    check(TRADE, "61837.63000000", "6e4", "NUMBER_INVALID");
    check(TRADE, "61837.63000000", "NaN", "NUMBER_INVALID");
    check(TRADE, "61837.63000000", "99999999999999999999", "NUMBER_INVALID");
    check(TRADE, "0.02000000", "-0.02", "NUMBER_INVALID");
    check(QUOTE, "3.78826000", "3.788260001", "NUMBER_INVALID");
    check(DEPTH, "61737.63000000", "", "NUMBER_INVALID");
    check(SNAPSHOT, "0.00001", "0.000000001", "NUMBER_INVALID");
}

#[test]
fn another_symbol_or_stream_is_refused() {
    check(TRADE, "btcusdt@", "ethusdt@", "SYMBOL_MISMATCH");
    check(TRADE, "BTCUSDT", "ETHUSDT", "SYMBOL_MISMATCH");
    check(QUOTE, "BTCUSDT", "btcusdt", "SYMBOL_MISMATCH");
    check(DEPTH, "BTCUSDT", "BTCUSD", "SYMBOL_MISMATCH");
    check(TRADE, "@trade", "@kline_1m", "STREAM_UNKNOWN");
    check(DEPTH, "@100ms", "@1ms", "STREAM_UNKNOWN");
    check(TRADE, "stream", "steam", "STREAM_UNKNOWN");
    check(SNAPSHOT, "lastUpdateId", "lastUpdateID", "STREAM_UNKNOWN");
    check(QUOTE, "61837.64000000", "61837.63000000", "QUOTE_CROSSED");
}

#[test]
fn what_is_only_unusual_is_read() {
    check(TRADE, r#""M":true"#, r#""M":true,"new":{"x":[1.5]}"#, "2#1 trade 7");
    check(TRADE, r#"{"stream""#, r#"{ "stream""#, "2#1 trade 7");
    check(QUOTE, r#""b""#, r#""e":"bookTicker","b""#, "1#1 quote");
    check(DEPTH, "@100ms", "", "");
}

#[test]
fn a_stream_that_breaks_its_order_says_so() {
    let trade = |id: u64| TRADE.replacen(r#""t":7"#, &format!(r#""t":{id}"#), 1);
    let seen = outcomes(&[trade(7), trade(9), trade(8), trade(10), trade(10)]);
    let expect = [
        "2#1 trade 7",
        "2#2 gap 8 9, 2#3 trade 9",
        "2#4 gap 10 8",
        "2#5 trade 10",
        "2#6 gap 11 10",
    ];
    assert_eq!(seen, expect);
    let quote = |id: u64| QUOTE.replacen(r#""u":9"#, &format!(r#""u":{id}"#), 1);
    let seen = outcomes(&[quote(9), quote(9), quote(8), quote(12)]);
    assert_eq!(seen, ["1#1 quote", "1#2 quote", "1#3 gap 9 8", "1#4 quote"]);
    let depth = |first: u64, last: u64| {
        DEPTH.replacen(r#""U":11,"u":12"#, &format!(r#""U":{first},"u":{last}"#), 1)
    };
    let snapshot = |last: u64| SNAPSHOT.replacen("10", &last.to_string(), 1);
    let seen = outcomes(&[
        depth(8, 10),
        depth(11, 12),
        snapshot(10),
        depth(14, 15),
        depth(13, 13),
        snapshot(12),
        depth(14, 14),
    ]);
    let expect = [
        "",
        "",
        "0#1 snapshot 2, 0#2 levels 2",
        "0#3 gap 13 14",
        "0#4 gap 16 13",
        "0#5 snapshot 2, 0#6 levels 2",
        "0#7 levels 2",
    ];
    assert_eq!(seen, expect);
}

#[test]
fn a_refused_frame_changes_nothing_and_its_hole_shows() {
    let bad = TRADE.replacen(r#""t":7"#, r#""t":8"#, 1).replacen("0.02", "-0.02", 1);
    let after = TRADE.replacen(r#""t":7"#, r#""t":9"#, 1);
    let seen = outcomes(&[TRADE.to_owned(), bad, after]);
    assert_eq!(seen, ["2#1 trade 7", "NUMBER_INVALID", "2#2 gap 8 9, 2#3 trade 9"]);
}
