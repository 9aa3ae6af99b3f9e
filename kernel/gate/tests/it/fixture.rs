//! A house whose gate opens, and an order that it approves; each test alters one thing.

use std::collections::BTreeMap;

use portcullis_domain::{
    BootNs, ClOrdId, InstrumentId, Name, Now, OrdType, OrderIntent, Origin, Phase, PluginId,
    Position, Role, Side, TimeInForce, WallNs,
};
use portcullis_gate::{
    Balance, Circumstances, Gate, OpenRefusal, Opening, Quote, Standing, Verdict, Working,
};
use portcullis_statement::{
    Digest, EndpointKind, EndpointSet, Kind, PluginRelease, SessionApproval, Trust, Verified,
};

use crate::people::{self, NOW, ORIGIN, Paper, floors, money, name, px, qty, signers};

pub(crate) const PLUGIN: &str = "ema-cross";
const BOOT: BootNs = BootNs(1_000_000_000_000);

/// Everything that the gate is opened against. Verified parts are made by real signatures.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) trust: Trust,
    pub(crate) approval: SessionApproval,
    pub(crate) paper: Paper,
    pub(crate) endpoints: BTreeMap<Digest, Verified<EndpointSet>>,
    pub(crate) releases: BTreeMap<Digest, Verified<PluginRelease>>,
    pub(crate) components: Vec<Digest>,
    pub(crate) now: WallNs,
    pub(crate) genesis: Digest,
    pub(crate) host: Name,
    pub(crate) account: Name,
    pub(crate) origin: String,
    pub(crate) kill_seq: u64,
    pub(crate) phases_digest: Digest,
}

impl House {
    pub(crate) fn new(phase: Phase, kind: EndpointKind, author: &'static str) -> Self {
        let ladder = if kind == EndpointKind::Recorded { EndpointKind::Simulated } else { kind };
        let signed = people::genesis(None, ladder);
        let trust = Trust::genesis(&signed, Digest::of(&signed.bytes), NOW).unwrap();
        let genesis = trust.fingerprint();
        let by = [("gerd", Role::Governance), ("olga", Role::Operator)];
        let body = people::endpoint_set(kind).to_value();
        let signed = Paper::new(Kind::EndpointSet, 2, &by).sign(Some(genesis), &body);
        let endpoint = trust.verify(&signed, &floors(), NOW).unwrap().into_endpoint_set().unwrap();
        let by = [(author, Role::Author), ("gerd", Role::Governance)];
        let body = people::release(author, PLUGIN, Phase::Continuous).to_value();
        let signed = Paper::new(Kind::PluginRelease, 3, &by).sign(Some(genesis), &body);
        let release = trust.verify(&signed, &floors(), NOW).unwrap().into_plugin_release().unwrap();
        let bound = (endpoint.digest(), kind);
        Self {
            approval: people::approval(phase, bound, &[(PLUGIN, release.digest())]),
            paper: Paper::new(Kind::SessionApproval, 4, &signers(phase)),
            endpoints: BTreeMap::from([(endpoint.digest(), endpoint)]),
            releases: BTreeMap::from([(release.digest(), release)]),
            components: vec![Digest::of(PLUGIN.as_bytes())],
            now: NOW,
            genesis,
            host: name("host-1"),
            account: name("acct"),
            origin: ORIGIN.to_owned(),
            kill_seq: 0,
            phases_digest: Digest::of(b"phases"),
            trust,
        }
    }

    /// Signs the approval as it stands, has it verified, and opens the gate with it.
    pub(crate) fn open(&self) -> Result<Gate, OpenRefusal> {
        let signed = self.paper.sign(Some(self.trust.fingerprint()), &self.approval.to_value());
        let verified = self.trust.verify(&signed, &floors(), NOW).unwrap();
        let desk = Opening {
            now: self.now,
            genesis: self.genesis,
            host: &self.host,
            account: &self.account,
            origin: &self.origin,
            kill_seq: self.kill_seq,
            phases_digest: self.phases_digest,
            endpoints: &self.endpoints,
            releases: &self.releases,
            components: &self.components,
        };
        Gate::open(verified.into_session_approval().unwrap(), &desk)
    }
}

/// One question to one gate.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) house: House,
    pub(crate) intent: OrderIntent,
    pub(crate) at: Circumstances,
}

impl Case {
    /// Buys 0.1 at 100.00 while the market is at 99.90 to 100.10.
    pub(crate) fn new(phase: Phase) -> Self {
        Self {
            house: House::new(phase, EndpointKind::Simulated, "ada"),
            intent: OrderIntent {
                origin: Origin::Plugin(PluginId(0)),
                reference: 1,
                instrument: InstrumentId(0),
                side: Side::Buy,
                ord_type: OrdType::Limit,
                time_in_force: TimeInForce::Gtc,
                qty: qty(10_000),
                price: Some(px(10_000)),
                reduce_only: false,
                bracket: None,
            },
            at: Circumstances {
                flatten: false,
                now: Now { wall: NOW.plus_ns(1_000_000_000), boot: BOOT },
                killed: false,
                closing: false,
                reduce_only: false,
                standing: Standing::Running,
                component: Some(Digest::of(PLUGIN.as_bytes())),
                quote: Some(Quote {
                    bid: px(9_990),
                    ask: px(10_010),
                    received: BootNs(BOOT.0 - 1_000_000),
                }),
                book_valid: true,
                position: Position::FLAT,
                balance: Some(Balance { base: qty(500_000), quote: money("1000") }),
                working: Working::default(),
                submits_last_second: 0,
                reconciled: true,
                evidence_writable: true,
                reference_used: false,
            },
        }
    }

    /// Sells a part of what is held: it can only make the position smaller.
    pub(crate) fn reduction(phase: Phase) -> Self {
        let mut case = Self::new(phase);
        case.intent.side = Side::Sell;
        case.at.position = Position(50_000);
        case
    }

    pub(crate) fn limits(&mut self) -> &mut portcullis_domain::policy::InstrumentLimits {
        self.house.approval.limits.instruments.get_mut(&InstrumentId(0)).unwrap()
    }

    pub(crate) fn account_limits(&mut self) -> &mut portcullis_domain::policy::AccountLimits {
        &mut self.house.approval.limits.account
    }

    pub(crate) fn instrument(&mut self) -> &mut portcullis_domain::Instrument {
        &mut self.house.approval.instruments[0]
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let gate = self.house.open().unwrap();
        let id = ClOrdId { epoch: 7, sequence: 1 };
        gate.assess(self.intent.clone(), id, &self.at)
    }

    /// `APPROVE`, `WOULD_BE` or the code of the denial.
    pub(crate) fn answer(&self) -> &'static str {
        match self.verdict() {
            Verdict::Approve(_) => "APPROVE",
            Verdict::WouldBe(_) => "WOULD_BE",
            Verdict::Deny(denial) => denial.code.code(),
        }
    }
}
