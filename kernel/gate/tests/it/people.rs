//! A small installation: people with keys, a genesis, and everything that they sign. The tests of
//! the core use this file too.

use std::collections::BTreeMap;

use portcullis_domain::policy::{Limits, PhaseRules, phase_floor};
use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, Name, Phase, Px, Qty, Rate, Role, WallNs,
};
use portcullis_statement::json::Value;
use portcullis_statement::note::{KeyKind, NoteSigner};
use portcullis_statement::{
    ApprovedPlugin, Digest, EndpointKind, EndpointSet, FailureDomain, Genesis, Header, Host,
    JournalBinding, Kind, Mark, Person, PluginRelease, PublicKey, RecordedFile, Roster,
    SessionApproval, SignedStatement, Signer, SigningKey, Venue, Witness, Witnesses, draft,
};

#[path = "../../../statement/src/testkit/token.rs"]
mod token;
#[path = "../../../statement/src/testkit/limits.rs"]
mod wide;
use token::{TOUCHED, Token};

pub(crate) const NOW: WallNs = WallNs(1_800_000_000_000_000_000);
pub(crate) const HOUR_NS: i64 = 3_600_000_000_000;
pub(crate) const ORIGIN: &str = "host-1/acct";
pub(crate) const CHECKPOINT_KEY: &str = "host-1+00000000+key";

/// `otto` could approve what he wrote: that he may not is one of the tests.
pub(crate) const PEOPLE: [(&str, &[Role]); 6] = [
    ("ada", &[Role::Author]),
    ("gerd", &[Role::Governance]),
    ("olga", &[Role::Operator]),
    ("otto", &[Role::Approver, Role::Author]),
    ("anna", &[Role::Approver]),
    ("rita", &[Role::Risk]),
];

/// Who signs by touch; of a roster from phase 5 on only. `tina` could release what she wrote.
const TOKENS: [(&str, &[Role]); 2] =
    [("theo", &[Role::Approver]), ("tina", &[Role::Operator, Role::Author])];

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}

pub(crate) fn px(units: i64) -> Px {
    Px::new(units).unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// What a person signs with.
enum Hand {
    Token(Token),
    File(SigningKey),
}

impl Hand {
    fn public(&self) -> PublicKey {
        match self {
            Self::Token(token) => token.public(),
            Self::File(key) => key.public(),
        }
    }

    fn sign(&self, namespace: &str, bytes: &[u8]) -> String {
        match self {
            Self::Token(token) => token.sign(namespace, bytes, TOUCHED),
            Self::File(key) => key.sign(namespace, bytes),
        }
    }
}

/// The seed of a key is the first letters of the name.
fn hand(person: &str) -> Hand {
    let mut seed = [9; 32];
    for (to, from) in seed.iter_mut().zip(person.bytes()) {
        *to = from;
    }
    if TOKENS.iter().any(|(name, _)| *name == person) {
        Hand::Token(Token::from_seed(seed))
    } else {
        Hand::File(SigningKey::from_seed(seed))
    }
}

/// A statement to be drawn up, and who signs it.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) kind: Kind,
    pub(crate) nonce: u64,
    pub(crate) expires: WallNs,
    pub(crate) listed: Vec<(&'static str, Role)>,
    pub(crate) signed_by: Vec<&'static str>,
}

impl Paper {
    pub(crate) fn new(kind: Kind, nonce: u64, listed: &[(&'static str, Role)]) -> Self {
        let signed_by = listed.iter().map(|(person, _)| *person).collect();
        let expires = NOW.plus_ns(HOUR_NS * 48);
        Self { kind, nonce, expires, listed: listed.to_vec(), signed_by }
    }

    pub(crate) fn sign(&self, genesis: Option<Digest>, body: &Value) -> SignedStatement {
        let signer = |(person, role): &(&str, Role)| Signer {
            person: name(person),
            role: *role,
            key: hand(person).public().fingerprint(),
        };
        let header = Header {
            kind: self.kind,
            nonce: format!("{:032x}", self.nonce),
            policy_seq: 1,
            not_before: WallNs(NOW.0 - HOUR_NS),
            expires: self.expires,
            signers: self.listed.iter().map(signer).collect(),
            genesis,
        };
        let bytes = draft(&header, body);
        let sign = |person: &&str| hand(person).sign(self.kind.namespace(), &bytes);
        let signatures = self.signed_by.iter().map(sign).collect();
        SignedStatement { bytes, signatures }
    }
}

pub(crate) fn genesis(mark: Option<Mark>, ladder: EndpointKind) -> SignedStatement {
    genesis_of(&PEOPLE, (mark, ladder), Witnesses::default())
}

/// The genesis of an installation that goes to that phase: from 5 on two of its people have tokens.
pub(crate) fn genesis_for(phase: Phase, ladder: EndpointKind) -> SignedStatement {
    if phase < Phase::ManualLive {
        return genesis(None, ladder);
    }
    let people = [&PEOPLE[..], &TOKENS[..]].concat();
    genesis_of(&people, (None, ladder), witnesses(phase))
}

/// Nobody below phase 5; from there on both of two, one of them out of everybody's reach.
pub(crate) fn witnesses(phase: Phase) -> Witnesses {
    if phase < Phase::ManualLive {
        return Witnesses::default();
    }
    let witness = |(witness, domain, operator)| Witness {
        name: name(witness),
        key: cosigner(witness).verifier().clone(),
        domain,
        operator: name(operator),
    };
    let list =
        [("near", FailureDomain::SameHost, "olga"), ("far", FailureDomain::OtherHost, "eve")];
    Witnesses::new(list.map(witness).to_vec(), 2).unwrap()
}

/// The key of a witness.
pub(crate) fn cosigner(witness: &str) -> NoteSigner {
    let seed = Digest::of(witness.as_bytes()).0;
    NoteSigner::from_seed(witness, KeyKind::Cosignature, seed).unwrap()
}

fn genesis_of(
    people: &[(&'static str, &[Role])],
    (mark, ladder): (Option<Mark>, EndpointKind),
    witnesses: Witnesses,
) -> SignedStatement {
    let person = |(person, roles): &(&str, &[Role])| Person {
        name: name(person),
        roles: roles.to_vec(),
        key: hand(person).public(),
    };
    let roster = Roster::new(people.iter().map(person).collect(), mark, ladder);
    let roster = roster.unwrap().witnessed(witnesses).unwrap();
    let body = Genesis { account: name("acct"), host: name("host-1"), roster }.to_value();
    let listed: Vec<_> = people.iter().map(|(person, roles)| (*person, roles[0])).collect();
    Paper::new(Kind::Genesis, 1, &listed).sign(None, &body)
}

/// The runbook's own rules.
pub(crate) fn floors() -> PhaseRules {
    let rule = |phase| phase_floor(phase).map(|rule| (phase, rule));
    PhaseRules { rules: Phase::ALL.into_iter().filter_map(rule).collect() }
}

/// Who signs a session of that phase.
pub(crate) fn signers(phase: Phase) -> Vec<(&'static str, Role)> {
    let touch = phase >= Phase::ManualLive;
    let (operator, approver) = if touch { ("tina", "theo") } else { ("olga", "anna") };
    let approver = (phase >= Phase::BoundedAuto).then_some((approver, Role::Approver));
    [(operator, Role::Operator)].into_iter().chain(approver).collect()
}

/// Prices of two decimals, quantities of five; tick 0.10, lot 0.0001, smallest order 0.001.
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
        tick: px(10),
        lot: qty(10),
        qty_min: qty(100),
        notional_min: money("5"),
        maker_fee: Rate::parse("0.001").unwrap(),
        taker_fee: Rate::parse("0.001").unwrap(),
    }
}

/// Limits in which everything passes; each test narrows what it is about. An order at the market
/// reserves the collar above the offer, so the collar's window is wider than the collar.
pub(crate) fn limits(strategies: &[&str]) -> Limits {
    let mut limits = wide::wide_limits(&[instrument()], strategies);
    for held in limits.instruments.values_mut() {
        held.price_collar_window_bps = 300;
    }
    limits
}

/// The same with an order of at most 80 and a position of at most 2, which scenes run into.
pub(crate) fn narrow_limits(strategies: &[&str]) -> Limits {
    let mut limits = wide::wide_limits(&[instrument()], strategies);
    limits.account.activity.open_orders_max = 10;
    limits.account.activity.messages_per_second_max = 20;
    for held in limits.instruments.values_mut() {
        held.order_qty_max = qty(100_000);
        held.order_notional_max = money("80");
        held.position_qty_max = qty(200_000);
        held.price_collar_bps = 50;
    }
    limits
}

pub(crate) fn release(author: &str, plugin: &str, phase_max: Phase) -> PluginRelease {
    PluginRelease {
        author: name(author),
        component: Digest::of(plugin.as_bytes()),
        exports: vec!["describe".to_owned(), "on-events".to_owned()],
        imports: vec!["log".to_owned()],
        memory_bytes_max: 16_777_216,
        phase_max,
        plugin: name(plugin),
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

/// An approval of `plugins`, given as name and digest of the release.
pub(crate) fn approval(
    phase: Phase,
    (endpoint, endpoint_kind): (Digest, EndpointKind),
    plugins: &[(&str, Digest)],
) -> SessionApproval {
    let plugin = |(plugin, release): &(&str, Digest)| ApprovedPlugin {
        name: name(plugin),
        component: Digest::of(plugin.as_bytes()),
        release: *release,
        params: BTreeMap::from([("fast".to_owned(), "12".to_owned())]),
    };
    let names: Vec<&str> = plugins.iter().map(|(name, _)| *name).collect();
    SessionApproval {
        account: name("acct"),
        host: name("host-1"),
        session: name("s-1"),
        phase,
        plugins: plugins.iter().map(plugin).collect(),
        instruments: vec![instrument()],
        sources: vec!["exchangeInfo of 2026-11-20".to_owned()],
        limits: limits(&names),
        limits_digest: Digest::of(b"limits"),
        phases_digest: Digest::of(b"phases"),
        safety_digest: Digest::of(b"safety"),
        endpoint,
        endpoint_kind,
        balances: BTreeMap::from([("USDT".to_owned(), money("1000"))]),
        carried: vec![],
        kill_seq: 0,
        journal: JournalBinding {
            origin: ORIGIN.to_owned(),
            key: CHECKPOINT_KEY.to_owned(),
            size: 3,
            root: Digest::of(b"root"),
        },
        window_opens: NOW,
        window_closes: NOW.plus_ns(HOUR_NS),
        latency_ns: 20_000_000,
        fuel_per_batch_max: 10_000_000,
        compile_record: Digest::of(b"compile record").hex(),
        witness: witnesses(phase).words(),
        build: "0.1.0".to_owned(),
        worst_case_loss: money("250"),
        equity_max: money("1000000"),
    }
}
