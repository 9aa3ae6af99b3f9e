//! A small installation for tests: five people, one genesis, and a session to be approved.
//! Everything is made on the ordinary path: drafted, signed with keys, verified.

use std::collections::BTreeMap;

use portcullis_domain::policy::{PhaseRules, phase_floor};
use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, Name, Phase, Position, Px, Qty, Rate, Role,
    WallNs,
};

mod limits;
pub(crate) mod token;
pub(crate) use limits::wide_limits;

use crate::json::Value;
use crate::*;
use token::{TOUCHED, Token};

pub(crate) const NOW: WallNs = WallNs(1_800_000_000_000_000_000);
pub(crate) const HOUR_NS: i64 = 3_600_000_000_000;

/// `ada` could govern what she wrote, and `otto` approve it: that they may not is what is tested.
/// `theo` and `tina` sign with tokens.
pub(crate) const PEOPLE: [(&str, &[Role]); 8] = [
    ("ada", &[Role::Author, Role::Governance]),
    ("gerd", &[Role::Governance]),
    ("olga", &[Role::Operator]),
    ("otto", &[Role::Operator, Role::Approver, Role::Author]),
    ("anna", &[Role::Approver]),
    ("theo", &[Role::Approver]),
    ("tina", &[Role::Operator]),
    ("rita", &[Role::Risk]),
];

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The first letters of the name.
fn seed(person: &str) -> [u8; 32] {
    let mut seed = [7; 32];
    for (to, from) in seed.iter_mut().zip(person.bytes()) {
        *to = from;
    }
    seed
}

/// A person's key in a file.
pub(crate) fn key(person: &str) -> SigningKey {
    SigningKey::from_seed(seed(person))
}

pub(crate) fn token(person: &str) -> Option<Token> {
    person.starts_with('t').then(|| Token::from_seed(seed(person)))
}

pub(crate) fn public(person: &str) -> PublicKey {
    token(person).map_or_else(|| key(person).public(), |token| token.public())
}

pub(crate) fn armored(person: &str, namespace: &str, bytes: &[u8]) -> String {
    match token(person) {
        Some(token) => token.sign(namespace, bytes, TOUCHED),
        None => key(person).sign(namespace, bytes),
    }
}

pub(crate) fn people() -> Vec<Person> {
    let person = |(person, roles): (&str, &[Role])| Person {
        name: name(person),
        roles: roles.to_vec(),
        key: public(person),
    };
    PEOPLE.into_iter().map(person).collect()
}

pub(crate) fn signer(person: &str, role: Role) -> Signer {
    Signer { person: name(person), role, key: public(person).fingerprint() }
}

pub(crate) fn header(kind: Kind, signers: &[(&str, Role)], genesis: Option<Digest>) -> Header {
    Header {
        kind,
        nonce: "00112233445566778899aabbccddeeff".to_owned(),
        policy_seq: 1,
        not_before: WallNs(NOW.0.saturating_sub(HOUR_NS)),
        expires: NOW.plus_ns(HOUR_NS),
        signers: signers.iter().map(|(person, role)| signer(person, *role)).collect(),
        genesis,
    }
}

/// Signs as each of `by`, listed or not.
pub(crate) fn sign(bytes: Vec<u8>, kind: Kind, by: &[&str]) -> SignedStatement {
    let sign = |person: &&str| armored(person, kind.namespace(), &bytes);
    let signatures = by.iter().map(sign).collect();
    SignedStatement { bytes, signatures }
}

pub(crate) fn genesis(mark: Option<Mark>, ladder: EndpointKind) -> SignedStatement {
    let roster = Roster::new(people(), mark, ladder).unwrap();
    let genesis = Genesis { account: name("acct"), host: name("host-1"), roster };
    let signers: Vec<_> = PEOPLE.map(|(person, roles)| (person, roles[0])).to_vec();
    let bytes = draft(&header(Kind::Genesis, &signers, None), &genesis.to_value());
    sign(bytes, Kind::Genesis, &PEOPLE.map(|(person, _)| person))
}

pub(crate) fn trust_in(signed: &SignedStatement) -> Result<Trust, Refusal> {
    Trust::genesis(signed, Digest::of(&signed.bytes), NOW)
}

pub(crate) fn trust(mark: Option<Mark>, ladder: EndpointKind) -> Trust {
    trust_in(&genesis(mark, ladder)).unwrap()
}

/// The runbook's own rules.
pub(crate) fn floors() -> PhaseRules {
    let rule = |phase| phase_floor(phase).map(|rule| (phase, rule));
    PhaseRules { rules: Phase::ALL.into_iter().filter_map(rule).collect() }
}

/// A statement listed and signed by the same people.
pub(crate) fn statement(
    trust: &Trust,
    kind: Kind,
    signers: &[(&str, Role)],
    body: &Value,
) -> SignedStatement {
    let bytes = draft(&header(kind, signers, Some(trust.fingerprint())), body);
    sign(bytes, kind, &signers.iter().map(|(person, _)| *person).collect::<Vec<_>>())
}

pub(crate) fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USDT".to_owned(),
        venue_symbol: "BTCUSDT".to_owned(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        kind: InstrumentKind::Spot,
        price_scale: 2,
        qty_scale: 5,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(1).unwrap(),
        notional_min: Money::parse("5").unwrap(),
        maker_fee: Rate::parse("0.001").unwrap(),
        taker_fee: Rate::parse("0.001").unwrap(),
    }
}

pub(crate) fn approval(phase: Phase, endpoint_kind: EndpointKind) -> SessionApproval {
    let plugin = ApprovedPlugin {
        name: name("ema-cross"),
        component: Digest::of(b"component"),
        release: Digest::of(b"release"),
        params: BTreeMap::from([("fast".to_owned(), "12".to_owned())]),
    };
    let carried = Carried {
        instrument: InstrumentId(0),
        position: Position(-1_500),
        avg_px: Px::new(6_183_763),
    };
    SessionApproval {
        account: name("acct"),
        host: name("host-1"),
        session: name("s-1"),
        phase,
        plugins: vec![plugin],
        instruments: vec![instrument()],
        sources: vec!["exchangeInfo of 2026-11-20".to_owned()],
        limits: wide_limits(&[instrument()], &["ema-cross"]),
        limits_digest: Digest::of(b"limits"),
        phases_digest: Digest::of(b"phases"),
        safety_digest: Digest::of(b"safety"),
        endpoint: Digest::of(b"endpoint"),
        endpoint_kind,
        balances: BTreeMap::from([("USDT".to_owned(), Money::parse("10000").unwrap())]),
        carried: vec![carried],
        kill_seq: 0,
        journal: JournalBinding {
            origin: "host-1/acct".to_owned(),
            key: "host-1+00000000+key".to_owned(),
            size: 3,
            root: Digest::of(b"root"),
        },
        window_opens: NOW,
        window_closes: NOW.plus_ns(HOUR_NS),
        latency_ns: 20_000_000,
        fuel_per_batch_max: 10_000_000,
        compile_record: "in-worker".to_owned(),
        witness: "self-attested".to_owned(),
        build: "0.1.0".to_owned(),
        worst_case_loss: Money::parse("250").unwrap(),
        equity_max: Money::parse("25000").unwrap(),
    }
}

pub(crate) fn release() -> PluginRelease {
    PluginRelease {
        author: name("ada"),
        component: Digest::of(b"component"),
        exports: vec!["describe".to_owned(), "on-events".to_owned()],
        imports: vec!["log".to_owned()],
        memory_bytes_max: 16_777_216,
        phase_max: Phase::Paper,
        plugin: name("ema-cross"),
        release_seq: 1,
        world: "portcullis:strategy@0.9.0".to_owned(),
    }
}

pub(crate) fn endpoint_set(kind: EndpointKind) -> EndpointSet {
    let host = |host: &str| Some(Host { host: host.to_owned(), port: 9_443 });
    let file = RecordedFile { name: "day.jsonl.gz".to_owned(), sha256: Digest::of(b"day") };
    let (public, files) = match kind {
        EndpointKind::Recorded => (None, vec![file]),
        EndpointKind::Simulated => (host("127.0.0.1"), vec![]),
        EndpointKind::Sandbox => (host("stream.testnet.binance.vision"), vec![]),
        EndpointKind::Real => (host("stream.binance.com"), vec![]),
    };
    EndpointSet { kind, venue: Venue::Binance, public, private: None, files }
}

pub(crate) fn limits_change() -> LimitsChange {
    let before_limits = wide_limits(&[instrument()], &["ema-cross"]);
    let mut after_limits = before_limits.clone();
    after_limits.account.activity.open_orders_max = 2_000;
    LimitsChange {
        account: name("acct"),
        before: Digest::of(b"limits"),
        before_limits,
        after: Digest::of(b"other limits"),
        after_limits,
        instruments: vec![instrument()],
        sources: vec!["exchangeInfo of 2026-11-20".to_owned()],
    }
}

pub(crate) fn unkill() -> Unkill {
    Unkill { target: Target::kill(4, Digest::of(b"kill")), reason: "feed repaired".to_owned() }
}

pub(crate) fn flatten_plan() -> FlattenPlan {
    let slices =
        Slices { slice_qty_max: "0.5".to_owned(), slippage_bps_max: 50, slice_pause_ms: 1_000 };
    FlattenPlan {
        account: name("acct"),
        target: Target::stop(2, Digest::of(b"stop")),
        instruments: BTreeMap::from([("BTC-USDT".to_owned(), slices)]),
        reason: "the venue is going down".to_owned(),
    }
}

pub(crate) fn word() -> Release {
    let shown = ShownProposal {
        proposal: portcullis_domain::ClOrdId { epoch: 7, sequence: 3 },
        session: name("s-1"),
        asked_by: "plugin ema-cross".to_owned(),
        symbol: "BTC-USDT".to_owned(),
        side: portcullis_domain::Side::Buy,
        ord_type: portcullis_domain::OrdType::Limit,
        time_in_force: portcullis_domain::TimeInForce::Gtc,
        qty: "0.1".to_owned(),
        price: Some("61837.60".to_owned()),
        reduce_only: false,
        stop: Some("60000".to_owned()),
        target: None,
    };
    Release {
        account: name("acct"),
        origin: "host-1/acct".to_owned(),
        digest: shown.digest(),
        shown,
        bid: "61837.50".to_owned(),
        ask: "61837.60".to_owned(),
    }
}

pub(crate) fn seal() -> Seal {
    Seal {
        classification: Classification::Green,
        journal: JournalHead {
            head: Digest::of(b"head"),
            key: "host-1+00000000+key".to_owned(),
            origin: "host-1/acct".to_owned(),
            size: 99,
        },
        manifest: Digest::of(b"manifest"),
        notes: 0,
        session: name("s-1"),
    }
}
