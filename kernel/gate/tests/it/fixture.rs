//! A house whose gate opens, and an order that it approves; each test alters one thing.

use std::collections::BTreeMap;

use portcullis_domain::policy::{Conversion, InstrumentLimits, Limits, PhaseRules};
use portcullis_domain::{
    BootNs, ClOrdId, Instrument, InstrumentId, Money, Name, Now, OrdType, OrderIntent, Origin,
    Phase, PluginId, Position, Rate, Role, Side, TimeInForce, WallNs,
};
use portcullis_gate::{
    Balance, Circumstances, Denial, Gate, GuardState, Guards, OpenRefusal, Opening, PriceWindow,
    Quote, Standing, StandingUsage, Usage, VenueStatus, Verdict, Working,
};
use portcullis_statement::{
    Digest, EndpointKind, EndpointSet, Kind, PluginRelease, Refusal, SessionApproval, Trust,
    Verified,
};

use crate::people::{self, NOW, ORIGIN, Paper, floors, money, name, px, qty, signers};

pub(crate) const PLUGIN: &str = "ema-cross";
pub(crate) const BOOT: BootNs = BootNs(1_000_000_000_000);

/// Everything that the gate is opened against. Verified parts are made by real signatures.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) trust: Trust,
    pub(crate) approval: SessionApproval,
    pub(crate) paper: Paper,
    pub(crate) endpoints: BTreeMap<Digest, Verified<EndpointSet>>,
    pub(crate) releases: BTreeMap<Digest, Verified<PluginRelease>>,
    pub(crate) components: Vec<Digest>,
    pub(crate) burned_by: Vec<Name>,
    pub(crate) now: WallNs,
    pub(crate) genesis: Digest,
    pub(crate) host: Name,
    pub(crate) account: Name,
    pub(crate) origin: String,
    pub(crate) kill_seq: u64,
    pub(crate) phases_digest: Digest,
    pub(crate) safety_digest: Digest,
}

impl House {
    pub(crate) fn new(phase: Phase, kind: EndpointKind, author: &'static str) -> Self {
        let ladder = if kind == EndpointKind::Recorded { EndpointKind::Simulated } else { kind };
        let signed = people::genesis_for(phase, ladder);
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
            burned_by: vec![name("near"), name("far")],
            now: NOW,
            genesis,
            host: name("host-1"),
            account: name("acct"),
            origin: ORIGIN.to_owned(),
            kill_seq: 0,
            phases_digest: Digest::of(b"phases"),
            safety_digest: Digest::of(b"safety"),
            trust,
        }
    }

    /// Signs the approval as it stands, has it verified, and opens the gate with it.
    pub(crate) fn open(&self) -> Result<Gate, OpenRefusal> {
        self.open_under(&floors()).unwrap()
    }

    /// The gate of a session that ended in an earlier life of the house.
    pub(crate) fn closing(&self) -> Gate {
        let signed = self.paper.sign(Some(self.trust.fingerprint()), &self.approval.to_value());
        let verified = self.trust.verify(&signed, &floors(), NOW).unwrap();
        Gate::closing(verified.into_session_approval().unwrap())
    }

    /// As [`House::open`], under other rules than the runbook's.
    pub(crate) fn open_under(
        &self,
        rules: &PhaseRules,
    ) -> Result<Result<Gate, OpenRefusal>, Refusal> {
        let approval = self.approved_under(rules)?;
        let desk = Opening {
            now: self.now,
            genesis: self.genesis,
            host: &self.host,
            account: &self.account,
            origin: &self.origin,
            kill_seq: self.kill_seq,
            phases_digest: self.phases_digest,
            safety_digest: self.safety_digest,
            endpoints: &self.endpoints,
            releases: &self.releases,
            components: &self.components,
            witnesses: self.trust.roster().witnesses(),
            burned_by: &self.burned_by,
        };
        Ok(Gate::open(approval, &desk))
    }

    /// Signs the approval as it stands and has it verified.
    pub(crate) fn approved_under(
        &self,
        rules: &PhaseRules,
    ) -> Result<Verified<SessionApproval>, Refusal> {
        let signed = self.paper.sign(Some(self.trust.fingerprint()), &self.approval.to_value());
        Ok(self.trust.verify(&signed, rules, NOW)?.into_session_approval().unwrap())
    }
}

/// One question to one gate.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) house: House,
    pub(crate) intent: OrderIntent,
    pub(crate) at: Circumstances,
}

/// What a strategy, or all of them, have used after an order of 10: next to nothing.
fn usage() -> Usage {
    Usage {
        gross: Some(money("10")),
        positions: 1,
        profit: Some(Money::ZERO),
        drawdown: Some(Money::ZERO),
        adverse: Some(Money::ZERO),
        fees: Some(Money::ZERO),
        ..Usage::default()
    }
}

/// A world in which nothing stands against an order.
pub(crate) fn calm() -> Circumstances {
    let alive = GuardState::Alive;
    Circumstances {
        now: Now { wall: NOW.plus_ns(1_000_000_000), boot: BOOT },
        killed: false,
        closing: false,
        reduce_only: false,
        flatten: false,
        size_percent: 100,
        evidence_writable: true,
        clock_offset_ns: Some(0),
        guards: Guards {
            guardian: alive,
            witness: alive,
            dead_man: alive,
            presence: alive,
            scribe: alive,
        },
        standing: Standing::Running,
        component: Some(Digest::of(PLUGIN.as_bytes())),
        warming_up: false,
        disabled: false,
        reference_used: false,
        same_approved: None,
        quote: Some(Quote { bid: px(9_990), ask: px(10_010), received: BOOT.plus_ns(-1_000_000) }),
        window: Some(PriceWindow { low_twice: 20_000, high_twice: 20_000 }),
        book_valid: true,
        feed: Some(EndpointKind::Simulated),
        venue_status: Some(VenueStatus::Online),
        metadata_read: Some(NOW),
        reduced: None,
        position: Some(Position::FLAT),
        reducible: None,
        working: Some(Working::default()),
        crosses_own: false,
        balance: Some(Balance { base: qty(500_000), quote: money("1000"), read: BOOT }),
        reconciled: true,
        marks_fresh: true,
        exposure: Some(money("10")),
        whole: usage(),
        strategy: Some(usage()),
        across: StandingUsage {
            notional: Some(Money::ZERO),
            profit_day: Some(Money::ZERO),
            profit_week: Some(Money::ZERO),
            equity: Some(money("1000")),
        },
    }
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
            at: calm(),
        }
    }

    /// Sells a part of what is held: it can only make the position smaller.
    pub(crate) fn reduction(phase: Phase) -> Self {
        let mut case = Self::new(phase);
        case.intent.side = Side::Sell;
        case.at.position = Some(Position(50_000));
        case
    }

    /// Asks for the order at the market instead of at a price.
    pub(crate) fn at_market(&mut self) {
        (self.intent.ord_type, self.intent.price) = (OrdType::Market, None);
    }

    pub(crate) fn limits(&mut self) -> &mut InstrumentLimits {
        self.all_limits().instruments.get_mut(&InstrumentId(0)).unwrap()
    }

    pub(crate) fn all_limits(&mut self) -> &mut Limits {
        &mut self.house.approval.limits
    }

    pub(crate) fn instrument(&mut self) -> &mut Instrument {
        &mut self.house.approval.instruments[0]
    }

    pub(crate) fn working(&mut self) -> &mut Working {
        self.at.working.as_mut().unwrap()
    }

    pub(crate) fn balance(&mut self) -> &mut Balance {
        self.at.balance.as_mut().unwrap()
    }

    pub(crate) fn quote(&mut self) -> &mut Quote {
        self.at.quote.as_mut().unwrap()
    }

    /// What the strategy has used.
    pub(crate) fn strategy(&mut self) -> &mut Usage {
        self.at.strategy.as_mut().unwrap()
    }

    /// Counts everything in another currency than the instrument's, at this rate.
    pub(crate) fn account_in_usd(&mut self, rate: &str) {
        let conversion = Conversion { rate: Rate::parse(rate).unwrap(), as_of: NOW };
        let limits = self.all_limits();
        limits.currency = "USD".to_owned();
        limits.conversions = BTreeMap::from([("USDT".to_owned(), conversion)]);
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.ask(&self.house.open().unwrap())
    }

    /// Asks a gate that is open already.
    pub(crate) fn ask(&self, gate: &Gate) -> Verdict {
        gate.assess(self.intent.clone(), ClOrdId { epoch: 7, sequence: 1 }, &self.at)
    }

    /// `APPROVE`, `WOULD_BE`, `PROPOSE` or the code of the denial or of the pause.
    pub(crate) fn answer(&self) -> &'static str {
        word(&self.verdict())
    }
}

/// A verdict in one word.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Approve(_) => "APPROVE",
        Verdict::WouldBe(_) => "WOULD_BE",
        Verdict::Propose(_) => "PROPOSE",
        Verdict::Deny(denial) => denial.code.code(),
        Verdict::Pause(pause) => pause.denial.code.code(),
    }
}

/// The denial in a verdict, if it is one.
pub(crate) fn denial(verdict: &Verdict) -> Option<Denial> {
    match verdict {
        Verdict::Deny(denial) => Some(*denial),
        Verdict::Pause(pause) => Some(pause.denial),
        Verdict::Approve(_) | Verdict::WouldBe(_) | Verdict::Propose(_) => None,
    }
}

/// Alters one thing of an order that is approved, and compares the answer.
#[track_caller]
pub(crate) fn check(change: impl FnOnce(&mut Case), expect: &str) {
    let mut case = Case::new(Phase::Paper);
    change(&mut case);
    assert_eq!(case.answer(), expect);
}

/// As [`check`], for a sale that can only make a position smaller.
#[track_caller]
pub(crate) fn check_exit(change: impl FnOnce(&mut Case), expect: &str) {
    let mut case = Case::reduction(Phase::Paper);
    change(&mut case);
    assert_eq!(case.answer(), expect);
}
