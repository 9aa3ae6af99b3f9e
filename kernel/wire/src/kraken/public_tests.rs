use super::*;
use crate::kraken::testing::{instrument, recorded, vectors};
use portcullis_domain::InstrumentId;

fn streams() -> PublicStreams {
    PublicStreams::new(instrument())
}

/// A frame of levels of the published checksum example.
fn book_frame(
    kind: &str,
    asks: &[(String, String)],
    bids: &[(String, String)],
    sum: u32,
) -> String {
    let side = |levels: &[(String, String)]| {
        let list: Vec<String> = levels
            .iter()
            .map(|(price, qty)| format!(r#"{{"price":{price},"qty":{qty}}}"#))
            .collect();
        list.join(",")
    };
    format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{}],"asks":[{}],"checksum":{sum},"timestamp":"2023-10-06T17:35:55.440295Z"}}]}}"#,
        side(bids),
        side(asks)
    )
}

type Levels = Vec<(String, String)>;

fn example() -> Option<(Levels, Levels, u32)> {
    let vector = vectors()?["kraken_book_v2_checksum"].clone();
    let side = |name: &str| -> Levels {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let levels = vector[name].as_array().unwrap();
        levels.iter().map(|level| (text(&level[0]), text(&level[1]))).collect()
    };
    let sum = u32::try_from(vector["crc32"].as_u64().unwrap()).unwrap();
    Some((side("asks"), side("bids"), sum))
}

#[test]
fn a_book_with_the_right_checksum_is_believed() {
    let Some((asks, bids, sum)) = example() else { return };
    let mut streams = streams();
    let frame = book_frame("snapshot", &asks, &bids, sum);
    let frames = streams.decode(frame.as_bytes()).unwrap();
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].stream, frames[0].sequence), (BOOK, 1));
    assert_eq!(frames[0].instrument, InstrumentId(0));
    assert_eq!(frames[0].venue_time.map(|t| t.0), Some(1_696_613_755_440_295_000));
    let MarketEvent::Snapshot { levels } = &frames[0].event else { panic!("{frames:?}") };
    assert_eq!(levels.len(), 20);
    assert!(streams.is_book_valid());
}

#[test]
fn trailing_zeros_do_not_matter_and_a_digit_does() {
    let Some((asks, bids, sum)) = example() else { return };
    let short: Levels = asks
        .iter()
        .map(|(price, qty)| (price.clone(), qty.trim_end_matches('0').to_owned()))
        .collect();
    let mut good = streams();
    good.decode(book_frame("snapshot", &short, &bids, sum).as_bytes()).unwrap();
    assert!(good.is_book_valid());

    let mut wrong = asks.clone();
    wrong[3].1 = "1.54560912".to_owned();
    let mut bad = streams();
    let frames = bad.decode(book_frame("snapshot", &wrong, &bids, sum).as_bytes()).unwrap();
    let MarketEvent::Gap { expected, found } = frames[0].event else { panic!("{frames:?}") };
    assert_eq!(expected, u64::from(sum));
    assert_ne!(expected, found);
    assert!(!bad.is_book_valid());
    // Until the next snapshot nothing is believed, and a snapshot heals.
    assert_eq!(bad.decode(book_frame("update", &asks, &[], sum).as_bytes()), Ok(Vec::new()));
    let healed = bad.decode(book_frame("snapshot", &asks, &bids, sum).as_bytes()).unwrap();
    assert!(matches!(healed[0].event, MarketEvent::Snapshot { .. }));
    assert_eq!(healed[0].sequence, 2);
}

#[test]
fn a_new_best_level_pushes_the_deepest_out_and_says_so() {
    let Some((asks, bids, sum)) = example() else { return };
    let mut streams = streams();
    streams.decode(book_frame("snapshot", &asks, &bids, sum).as_bytes()).unwrap();
    let better = vec![("45284.0".to_owned(), "2.00000000".to_owned())];
    let mut copy = Book::new();
    copy.reset(&streams.levels_for_test());
    copy.apply(&[Level {
        side: Side::Sell,
        px: portcullis_domain::Px::new(452_840).unwrap(),
        qty: portcullis_domain::Qty::new(200_000_000).unwrap(),
    }]);
    copy.truncate(BOOK_DEPTH);
    let next = book_checksum(&copy);
    let frames = streams.decode(book_frame("update", &better, &[], next).as_bytes()).unwrap();
    let MarketEvent::Levels { levels } = &frames[0].event else { panic!("{frames:?}") };
    assert_eq!(levels.len(), 2);
    assert_eq!((levels[1].px.units(), levels[1].qty.units()), (452_995, 0));
}

impl PublicStreams {
    fn levels_for_test(&self) -> Vec<Level> {
        let side = |side| self.book.levels(side).map(move |(px, qty)| Level { side, px, qty });
        side(Side::Sell).chain(side(Side::Buy)).collect()
    }
}

#[test]
fn recorded_public_frames_are_read() {
    let Some(recorded) = recorded() else { return };
    let mut streams = streams();
    let mut kinds = Vec::new();
    for (name, frame) in recorded {
        let public = ["admin", "ticker", "trade_update", "pong", "book_subscription"];
        if !public.iter().any(|part| name.contains(part)) {
            continue;
        }
        for frame in streams.decode(frame.as_bytes()).unwrap() {
            kinds.push((frame.stream.0, frame.sequence, frame.event));
        }
    }
    assert_eq!(streams.system(), Some(SystemStatus::Online));
    assert_eq!(kinds.len(), 3);
    let MarketEvent::Quote { bid, ask_qty, .. } = kinds[0].2 else { panic!("{kinds:?}") };
    assert_eq!((kinds[0].0, bid.units(), ask_qty.units()), (1, 659_728, 3_967_506_683));
    let MarketEvent::Trade { trade_id, aggressor, qty, .. } = kinds[2].2 else { panic!() };
    assert_eq!((kinds[2].0, kinds[2].1), (2, 2));
    assert_eq!((trade_id, aggressor, qty.units()), (70_635_300, Side::Buy, 483_192));
}

#[test]
fn a_shortened_capture_of_a_snapshot_does_not_pass_its_checksum() {
    // The capture kept five of ten levels a side: exactly what the checksum has to find.
    let Some(recorded) = recorded() else { return };
    let (_, frame) = recorded.iter().find(|(name, _)| name == "test_book_snapshot").unwrap();
    let frames = streams().decode(frame.as_bytes()).unwrap();
    assert!(matches!(frames[0].event, MarketEvent::Gap { expected: 2_330_500_275, .. }));
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code() {
    let check = |frame: &str, code: &str| {
        let error = streams().decode(frame.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{frame}: {error}");
    };
    let book = |level: &str| {
        format!(
            r#"{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":[{level}],"asks":[],"checksum":1}}]}}"#
        )
    };
    check("", "FRAME_MALFORMED");
    check("{\"channel\":\"book\"", "FRAME_MALFORMED");
    check("[]", "FIELD_INVALID");
    check("{}", "FIELD_INVALID");
    check(r#"{"channel":"level3","type":"update","data":[]}"#, "STREAM_UNKNOWN");
    check(&book(r#"{"price":1e5,"qty":1.0}"#), "NUMBER_INVALID");
    check(&book(r#"{"price":"100.0","qty":1.0}"#), "NUMBER_INVALID");
    check(&book(r#"{"price":100.05,"qty":1.0}"#), "NUMBER_INVALID");
    check(&book(r#"{"price":-1.0,"qty":1.0}"#), "NUMBER_INVALID");
    check(&book(r#"{"price":100.0}"#), "FIELD_INVALID");
    check(
        r#"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":2.0,"bid_qty":1,"ask":2.0,"ask_qty":1}]}"#,
        "QUOTE_CROSSED",
    );
    check(
        r#"{"error":"Subscription depth not supported","method":"subscribe","success":false}"#,
        "VENUE_ERROR",
    );
    check(r#"{"channel":"book","channel":"trade"}"#, "FIELD_INVALID");
}

#[test]
fn another_instrument_is_not_ours() {
    let frame = r#"{"channel":"ticker","type":"update","data":[{"symbol":"ETH/USD","bid":2.0,"bid_qty":1,"ask":3.0,"ask_qty":1}]}"#;
    assert_eq!(streams().decode(frame.as_bytes()), Ok(Vec::new()));
}
