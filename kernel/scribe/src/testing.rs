//! Evidence made by hand, for tests of what is made from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_core::Class;
use portcullis_core::entry::{Content, Entry, Place};
use portcullis_domain::{InstrumentId, Name, Now, Phase, WallNs};
use portcullis_evidence::Digest;
use portcullis_governance::parse_instrument;
use portcullis_statement::json::Value;
use portcullis_statement::{ApprovedPlugin, EndpointKind, JournalBinding, SessionApproval};

use super::source::Evidence;

#[path = "../../console/src/double.rs"]
mod double;
pub(crate) use double::{daemon, frame};

#[path = "../../console/src/scratch.rs"]
mod scratch;
pub(crate) use scratch::Scratch;

#[path = "../../../tests/src/python.rs"]
#[expect(unreachable_pub, reason = "shared with the tests of the product as a whole")]
pub(crate) mod tools;

#[path = "../../statement/src/testkit/limits.rs"]
mod wide;
use wide::wide_limits;

/// The moment at which everything in a test happens.
const NOW: WallNs = WallNs(1_800_000_000_000_000_000);
/// An hour later.
const LATER: WallNs = WallNs(1_800_003_600_000_000_000);

const INSTRUMENT: &[u8] = include_bytes!("../../../policies/instruments/binance-btc-usdt.toml");

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A session that did nothing yet.
pub(super) fn evidence() -> Evidence {
    with_entries(&[])
}

/// A session whose entries say that, a millisecond after each other: kind, reason, body.
pub(super) fn with_entries(told: &[(&'static str, &str, Value)]) -> Evidence {
    let entry = |(number, (kind, reason, body)): (i64, &(&'static str, &str, Value))| {
        let wall = NOW.plus_ns(number.saturating_mul(1_000_000));
        let place = Place { at: Now { wall, ..Now::default() }, ..Place::default() };
        let (corr, reason, body) = ("-".to_owned(), (*reason).to_owned(), body.clone());
        Entry::new(Class::Outcome, &place, Content { kind, corr, reason, body }).bytes
    };
    let entries: Vec<Vec<u8>> = (1..).zip(told).map(entry).collect();
    let origin = "portcullis/host-1/acct/1/simulated".to_owned();
    let root = Digest::of(b"root");
    Evidence::made(approval(&origin), entries, (origin, root))
}

fn approval(origin: &str) -> SessionApproval {
    let file = parse_instrument(INSTRUMENT, InstrumentId(0)).unwrap().value;
    let digest = Digest::of(b"something");
    SessionApproval {
        account: name("acct"),
        host: name("host-1"),
        session: name("s1"),
        phase: Phase::Paper,
        plugins: vec![ApprovedPlugin {
            name: name("ema-cross"),
            component: digest,
            release: digest,
            params: BTreeMap::default(),
        }],
        worst_case_loss: portcullis_domain::Money::ZERO,
        equity_max: portcullis_domain::Money::ZERO,
        limits: wide_limits(std::slice::from_ref(&file.instrument), &["ema-cross"]),
        instruments: vec![file.instrument],
        sources: vec![file.source],
        limits_digest: digest,
        phases_digest: digest,
        safety_digest: digest,
        endpoint: digest,
        endpoint_kind: EndpointKind::Simulated,
        balances: BTreeMap::default(),
        carried: Vec::new(),
        kill_seq: 0,
        journal: JournalBinding {
            origin: origin.to_owned(),
            key: "none".to_owned(),
            size: 1,
            root: digest,
        },
        window_opens: NOW,
        window_closes: LATER,
        latency_ns: 0,
        fuel_per_batch_max: 1,
        compile_record: "in-worker".to_owned(),
        witness: "not-required".to_owned(),
        build: "0.1.0".to_owned(),
    }
}

/// As people read it.
pub(super) fn utc(ms: i64) -> String {
    WallNs(NOW.0.saturating_add(ms.saturating_mul(1_000_000))).rfc3339()
}

/// Nowhere: what is made by hand has no folder.
pub(super) fn nowhere() -> PathBuf {
    PathBuf::from("made-by-hand")
}
