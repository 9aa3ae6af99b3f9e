//! A small signed installation: three people, one session in phase 2, one journal in memory.
//! Orders are approved by the gate and recorded by the journal; there is no other way to get one.

use std::collections::BTreeMap;

use portcullis_domain::policy::{Limits, PhaseRules, phase_floor};
use portcullis_domain::{
    Amendment, ClOrdId, Instrument, InstrumentId, InstrumentKind, Money, Name, Now, OrdType, Order,
    OrderIntent, Origin, Phase, PluginId, Position, Px, Qty, Rate, Role, Side, TimeInForce, WallNs,
};
use portcullis_evidence::{Journal, MemoryDisk, Recorded};
use portcullis_gate::{
    AmendVerdict, Approved, Balance, Circumstances, Gate, GuardState, Guards, Opening, PriceWindow,
    Quote, Standing, StandingUsage, Usage, VenueStatus, Verdict, Working,
};
use portcullis_statement::json::Value;
use portcullis_statement::{
    ApprovedPlugin, Digest, EndpointKind, EndpointSet, Genesis, Header, Host, JournalBinding, Kind,
    Mark, Person, PluginRelease, Roster, SessionApproval, SignedStatement, SigningKey, Statement,
    Trust, Venue, Verified, draft,
};
use portcullis_venue::Pins;

#[path = "../../../statement/src/testkit/limits.rs"]
mod wide;
use wide::wide_limits;

const HOUR_NS: i64 = 3_600_000_000_000;
const ORIGIN: &str = "portcullis/host-1/acct/1/simulated";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the exchange under test judges deadlines by it")]
pub(crate) fn wall() -> WallNs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    WallNs(i64::try_from(since.as_nanos()).unwrap())
}

pub(crate) fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USD".to_owned(),
        venue_symbol: "BTC/USD".to_owned(),
        base: "BTC".to_owned(),
        quote: "USD".to_owned(),
        kind: InstrumentKind::Spot,
        price_scale: 1,
        qty_scale: 8,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(5_000).unwrap(),
        notional_min: Money::parse("0.5").unwrap(),
        maker_fee: Rate::parse("0.0025").unwrap(),
        taker_fee: Rate::parse("0.004").unwrap(),
    }
}

/// What an order asks for beside the instrument.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) side: Side,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) qty: i64,
    pub(crate) px: i64,
}

fn intent(sequence: u32, wish: Wish) -> OrderIntent {
    OrderIntent {
        origin: Origin::Plugin(PluginId(0)),
        reference: u64::from(sequence),
        instrument: InstrumentId(0),
        side: wish.side,
        ord_type: OrdType::Limit,
        time_in_force: wish.time_in_force,
        qty: Qty::new(wish.qty).unwrap(),
        price: Px::new(wish.px),
        reduce_only: false,
        bracket: None,
    }
}

/// Gate and journal of one installation.
pub(crate) struct House {
    gate: Gate,
    journal: Journal<MemoryDisk>,
    component: Digest,
    genesis: Digest,
    sequence: u32,
    draw: u32,
}

/// Keys and roster of the installation.
struct People {
    keys: Vec<(Name, Role, SigningKey)>,
    now: WallNs,
}

impl People {
    fn new(seed: u8, now: WallNs) -> Self {
        let roles = [("ada", Role::Author), ("gerd", Role::Governance), ("olga", Role::Operator)];
        let key = |(number, (person, role)): (u8, (&str, Role))| {
            let mut bytes = [seed; 32];
            bytes[0] = number;
            (name(person), role, SigningKey::from_seed(bytes))
        };
        Self { keys: (0..).zip(roles).map(key).collect(), now }
    }

    fn person((name, role, key): &(Name, Role, SigningKey)) -> Person {
        Person { name: name.clone(), roles: vec![*role], key: key.public() }
    }

    fn sign(
        &self,
        kind: Kind,
        roles: &[Role],
        genesis: Option<Digest>,
        body: &Value,
    ) -> SignedStatement {
        let by: Vec<_> = self.keys.iter().filter(|(_, role, _)| roles.contains(role)).collect();
        let header = Header {
            kind,
            nonce: "00112233445566778899aabbccddeeff".to_owned(),
            policy_seq: 1,
            not_before: self.now.plus_ns(-HOUR_NS),
            expires: self.now.plus_ns(HOUR_NS),
            signers: by.iter().map(|all| Self::person(all).signer(all.1)).collect(),
            genesis,
        };
        let keys: Vec<_> = by.iter().map(|(_, _, key)| key).collect();
        SignedStatement::signed_by(draft(&header, body), kind, &keys)
    }
}

fn rules() -> PhaseRules {
    let rule = |phase| phase_floor(phase).map(|rule| (phase, rule));
    PhaseRules { rules: Phase::ALL.into_iter().filter_map(rule).collect() }
}

fn limits() -> Limits {
    let mut limits = wide_limits(&[instrument()], &["tester"]);
    for held in limits.instruments.values_mut() {
        held.price_collar_bps = 9_999;
        held.price_collar_window_bps = 9_999;
        held.order_notional_max = Money::parse("100000000").unwrap();
    }
    limits
}

fn endpoint_set() -> EndpointSet {
    let host = |port| Some(Host { host: "127.0.0.1".to_owned(), port });
    EndpointSet {
        kind: EndpointKind::Simulated,
        venue: Venue::Kraken,
        public: host(9_443),
        private: host(9_444),
        files: vec![],
    }
}

fn release(component: Digest) -> PluginRelease {
    PluginRelease {
        author: name("ada"),
        component,
        exports: vec!["on-events".to_owned()],
        imports: vec!["log".to_owned()],
        memory_bytes_max: 1_048_576,
        phase_max: Phase::Paper,
        plugin: name("tester"),
        release_seq: 1,
        world: "portcullis:strategy@0.9.0".to_owned(),
    }
}

fn approval(now: WallNs, endpoint: Digest, component: Digest, release: Digest) -> SessionApproval {
    let plugin =
        ApprovedPlugin { name: name("tester"), component, release, params: BTreeMap::new() };
    SessionApproval {
        account: name("acct"),
        host: name("host-1"),
        session: name("s-1"),
        phase: Phase::Paper,
        plugins: vec![plugin],
        instruments: vec![instrument()],
        sources: vec!["test".to_owned()],
        limits: limits(),
        limits_digest: Digest::of(b"limits"),
        phases_digest: Digest::of(b"phases"),
        safety_digest: Digest::of(b"safety"),
        endpoint,
        endpoint_kind: EndpointKind::Simulated,
        balances: BTreeMap::new(),
        carried: vec![],
        kill_seq: 0,
        journal: JournalBinding {
            origin: ORIGIN.to_owned(),
            key: "host-1+00000000+key".to_owned(),
            size: 0,
            root: Digest::of(b"root"),
        },
        window_opens: now.plus_ns(-1),
        window_closes: now.plus_ns(HOUR_NS),
        latency_ns: 0,
        fuel_per_batch_max: 1_000_000,
        compile_record: "in-worker".to_owned(),
        witness: "self-attested".to_owned(),
        build: "0.1.0".to_owned(),
        worst_case_loss: Money::parse("1000").unwrap(),
        equity_max: Money::parse("1000000").unwrap(),
    }
}

impl House {
    /// A house of other people for each `seed`.
    pub(crate) fn new(seed: u8) -> Self {
        let now = wall();
        let people = People::new(seed, now);
        let roster = people.keys.iter().map(People::person).collect();
        let roster = Roster::new(roster, Some(Mark::ThrowAway), EndpointKind::Simulated).unwrap();
        let genesis = Genesis { account: name("acct"), host: name("host-1"), roster };
        let everyone = [Role::Author, Role::Governance, Role::Operator];
        let genesis = people.sign(Kind::Genesis, &everyone, None, &genesis.to_value());
        let trust = Trust::genesis(&genesis, Digest::of(&genesis.bytes), now).unwrap();
        let verify = |kind, roles: &[Role], body: &Value| -> Verified<Statement> {
            let signed = people.sign(kind, roles, Some(trust.fingerprint()), body);
            trust.verify(&signed, &rules(), now).unwrap()
        };
        let governed = [Role::Author, Role::Governance];
        let endpoint = verify(
            Kind::EndpointSet,
            &[Role::Governance, Role::Operator],
            &endpoint_set().to_value(),
        );
        let endpoint = endpoint.into_endpoint_set().unwrap();
        let component = Digest::of(b"component");
        let release = verify(Kind::PluginRelease, &governed, &release(component).to_value());
        let release = release.into_plugin_release().unwrap();
        let body = approval(now, endpoint.digest(), component, release.digest()).to_value();
        let approval = verify(Kind::SessionApproval, &[Role::Operator], &body);
        let opening = Opening {
            now,
            genesis: trust.fingerprint(),
            host: &name("host-1"),
            account: &name("acct"),
            origin: ORIGIN,
            kill_seq: 0,
            phases_digest: Digest::of(b"phases"),
            safety_digest: Digest::of(b"safety"),
            endpoints: &BTreeMap::from([(endpoint.digest(), endpoint)]),
            releases: &BTreeMap::from([(release.digest(), release)]),
            components: &[component],
            witnesses: trust.roster().witnesses(),
            burned_by: &[],
        };
        let gate = Gate::open(approval.into_session_approval().unwrap(), &opening).unwrap();
        let journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
        let draw = u32::try_from(now.0.rem_euclid(1 << 31)).unwrap();
        Self { gate, journal, component, genesis: trust.fingerprint(), sequence: 0, draw }
    }

    pub(crate) fn pins(&self) -> Pins {
        Pins { genesis: self.genesis, origin: self.journal.mark().origin() }
    }

    /// An order that the gate approved and the journal has.
    pub(crate) fn order(&mut self, wish: Wish) -> Recorded<Approved<OrderIntent>> {
        self.sequence = self.sequence.checked_add(1).unwrap();
        let intent = intent(self.sequence, wish);
        let id = ClOrdId { epoch: self.draw, sequence: self.sequence };
        let now = Now { wall: wall(), ..Now::default() };
        let verdict = self.gate.assess(intent, id, &self.circumstances(now, wish.px));
        let Verdict::Approve(approved) = verdict else { panic!("{verdict:?}") };
        self.recorded(approved)
    }

    /// A change of an order of that wish, as if it were working.
    pub(crate) fn change(
        &mut self,
        id: ClOrdId,
        wish: Wish,
        (qty, px): (i64, i64),
    ) -> Recorded<Approved<Amendment>> {
        let order = Order::new(id, intent(id.sequence, wish), Px::new(wish.px).unwrap());
        let now = Now { wall: wall(), ..Now::default() };
        let at = self.circumstances(now, wish.px);
        let (qty, price) = (Qty::new(qty).unwrap(), Px::new(px).unwrap());
        let change = Amendment { cl_ord_id: id, qty, price };
        let verdict = self.gate.assess_amend(&order, change, &at);
        let AmendVerdict::Approve(approved) = verdict else { panic!("{verdict:?}") };
        self.recorded(approved)
    }

    fn recorded<T>(&mut self, approved: Approved<T>) -> Recorded<Approved<T>> {
        let pending = self.journal.append_with(b"{\"approved\":true}", approved);
        self.journal.commit().unwrap();
        self.journal.release(pending).unwrap()
    }

    fn circumstances(&self, now: Now, px: i64) -> Circumstances {
        let px = Px::new(px).unwrap();
        let quote = Quote {
            bid: px,
            ask: Px::new(px.units().saturating_add(1)).unwrap(),
            received: now.boot,
        };
        let all = Qty::new(1_000_000_000_000).unwrap();
        let money = Money::parse("1000000000").unwrap();
        let (none, zero) = (GuardState::NotRequired, Some(Money::ZERO));
        let twice = px.units().saturating_mul(2);
        let unused = Usage {
            gross: zero,
            profit: zero,
            drawdown: zero,
            adverse: zero,
            fees: zero,
            ..Usage::default()
        };
        Circumstances {
            now,
            killed: false,
            closing: false,
            reduce_only: false,
            flatten: false,
            size_percent: 100,
            evidence_writable: true,
            clock_offset_ns: Some(0),
            guards: Guards {
                guardian: none,
                witness: none,
                dead_man: none,
                presence: none,
                scribe: none,
            },
            standing: Standing::Running,
            component: Some(self.component),
            warming_up: false,
            disabled: false,
            reference_used: false,
            same_approved: None,
            quote: Some(quote),
            window: Some(PriceWindow { low_twice: twice, high_twice: twice }),
            book_valid: true,
            feed: Some(EndpointKind::Simulated),
            venue_status: Some(VenueStatus::Online),
            metadata_read: Some(now.wall),
            reduced: None,
            position: Some(Position::FLAT),
            reducible: Some(Qty::ZERO),
            working: Some(Working::default()),
            crosses_own: false,
            balance: Some(Balance { base: all, quote: money, read: now.boot }),
            reconciled: true,
            marks_fresh: true,
            exposure: zero,
            whole: unused,
            strategy: Some(unused),
            across: StandingUsage {
                notional: zero,
                profit_day: zero,
                profit_week: zero,
                equity: Some(money),
            },
        }
    }
}
