//! What the tests of this folder share: the recorded data beside the project, and an instrument.

#![expect(clippy::print_stderr, reason = "a test that skips says so")]

use std::path::{Path, PathBuf};

use portcullis_domain::{Instrument, InstrumentId, InstrumentKind, Money, Px, Qty, Rate};

/// BTC-USD with the venue's precisions.
pub(crate) fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USD".into(),
        venue_symbol: "BTC/USD".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        kind: InstrumentKind::Spot,
        price_scale: 1,
        qty_scale: 8,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(10_000).unwrap(),
        notional_min: Money::parse("0.5").unwrap(),
        maker_fee: Rate::parse("0.0016").unwrap(),
        taker_fee: Rate::parse("0.0026").unwrap(),
    }
}

/// A file of the data folder beside the project; says so and gives `None` where it is absent.
pub(crate) fn shared(name: &str) -> Option<String> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = start.ancestors().map(|dir| dir.join("shared/data").join(name));
    let text = found
        .filter(|path| Path::is_file(path))
        .find_map(|path| std::fs::read_to_string(path).ok());
    if text.is_none() {
        eprintln!("SKIPPED: no shared/data/{name} beside the project");
    }
    text
}

/// The published vectors.
pub(crate) fn vectors() -> Option<serde_json::Value> {
    shared("vectors.json").map(|text| serde_json::from_str(&text).unwrap())
}

/// Recorded v2 frames as (name of the capture, frame).
pub(crate) fn recorded() -> Option<Vec<(String, String)>> {
    let text = shared("messages/kraken/kraken_v2_recorded.jsonl")?;
    let frame = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| value[name].as_str().unwrap().to_owned();
        (field("test"), field("text"))
    };
    Some(text.lines().map(frame).collect())
}

/// The body of one recorded REST endpoint; fixtures hold method, path and sign flag before it.
pub(crate) fn rest_fixture(path: &str) -> Option<String> {
    let text = shared("messages/kraken/jkorf_rest_spot.jsonl")?;
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = value["text"].as_str().unwrap();
        let mut lines = text.lines();
        if lines.nth(1) == Some(path) {
            return Some(lines.skip(1).collect::<Vec<_>>().join("\n"));
        }
    }
    panic!("{path} is not recorded");
}
