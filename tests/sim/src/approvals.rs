//! The people of the simulated house: what they sign, and what they allow. Everything about
//! limits and approvals stands here and in the gate's own `people.rs`, and nowhere else.

use std::collections::BTreeMap;

use portcullis_core::{Core, Start, Worker};
use portcullis_domain::policy::InstrumentLimits;
use portcullis_domain::{Instrument, InstrumentId, Money, Phase, Role, WallNs};
use portcullis_evidence::Head;
use portcullis_statement::json::Value;
use portcullis_statement::{
    Carried, Digest, EndpointKind, FlattenPlan, JournalBinding, Kind, SessionApproval,
    SignedStatement, Slices, Target, Unkill,
};

use crate::people::{self, HOUR_NS, ORIGIN, Paper, floors, money, name, signers};
use crate::wide_safety::wide_safety;

/// Names of the plugins, by number; each runs the component of its name.
pub(crate) const PLUGINS: [&str; 2] = ["alpha", "beta"];
/// The phase of every session: orders go to a simulated venue.
const PHASE: Phase = Phase::Paper;

/// Who the house is, and how many statements its people have signed.
#[derive(Debug)]
pub(crate) struct People {
    genesis: SignedStatement,
    nonce: u64,
}

/// What no run may exceed, measured at the venue.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) instrument: Instrument,
    pub(crate) limits: InstrumentLimits,
    pub(crate) open_orders_max: u32,
}

/// The instrument and the limits that every approval of a run states.
pub(crate) fn bounds() -> Bounds {
    let limits = people::narrow_limits(&PLUGINS);
    Bounds {
        instrument: people::instrument(),
        limits: limits.instruments[&InstrumentId(0)].clone(),
        open_orders_max: limits.account.activity.open_orders_max,
    }
}

/// What the account holds at the venue when a run begins.
pub(crate) fn first_balances() -> BTreeMap<String, Money> {
    let held = [("USDT", "1000"), ("BTC", "5")];
    held.into_iter().map(|(currency, amount)| (currency.to_owned(), money(amount))).collect()
}

/// What the wiring finds after loading.
pub(crate) fn workers() -> Vec<Worker> {
    let worker = |plugin: &str| Worker {
        component: Digest::of(plugin.as_bytes()),
        engine: "wasmtime 48.0.8".to_owned(),
    };
    PLUGINS.map(worker).to_vec()
}

impl People {
    pub(crate) fn new() -> Self {
        Self { genesis: people::genesis_for(PHASE, EndpointKind::Simulated), nonce: 100 }
    }

    fn fingerprint(&self) -> Digest {
        Digest::of(&self.genesis.bytes)
    }

    fn paper(&mut self, kind: Kind, listed: &[(&'static str, Role)]) -> Paper {
        self.nonce += 1;
        Paper::new(kind, self.nonce, listed)
    }

    /// The first words to a core.
    pub(crate) fn start(&self, draw: u32, (first, clean): (bool, bool)) -> Start {
        Start {
            build: "0.1.0".to_owned(),
            draw,
            origin: ORIGIN.to_owned(),
            genesis: self.genesis.clone(),
            pinned: self.fingerprint(),
            phases: floors(),
            phases_digest: Digest::of(b"phases"),
            safety_digest: Digest::of(b"safety"),
            safety: wide_safety(),
            first,
            clean,
            torn_bytes: 0,
            damage: None,
        }
    }

    /// The endpoint set and the releases of both plugins.
    pub(crate) fn first_statements(&mut self) -> Vec<SignedStatement> {
        let fingerprint = Some(self.fingerprint());
        let by = [("gerd", Role::Governance), ("olga", Role::Operator)];
        let body = people::endpoint_set(EndpointKind::Simulated).to_value();
        let mut signed = vec![self.paper(Kind::EndpointSet, &by).sign(fingerprint, &body)];
        for plugin in PLUGINS {
            let by = [("ada", Role::Author), ("gerd", Role::Governance)];
            let body = people::release("ada", plugin, Phase::Continuous).to_value();
            signed.push(self.paper(Kind::PluginRelease, &by).sign(fingerprint, &body));
        }
        signed
    }

    /// Two people lift a kill or a stop.
    pub(crate) fn lift(&mut self, target: Target) -> SignedStatement {
        let reason = "looked at it".to_owned();
        self.signed_by_risk(Kind::Unkill, &Unkill { target, reason }.to_value())
    }

    /// Two people sign a plan: slices of at most so much, that many milliseconds apart.
    pub(crate) fn plan(
        &mut self,
        target: Target,
        slice_qty_max: String,
        slice_pause_ms: u32,
    ) -> SignedStatement {
        let slices = Slices { slice_qty_max, slippage_bps_max: 40, slice_pause_ms };
        let plan = FlattenPlan {
            account: name("acct"),
            target,
            instruments: BTreeMap::from([(people::instrument().symbol, slices)]),
            reason: "out of here".to_owned(),
        };
        self.signed_by_risk(Kind::FlattenPlan, &plan.to_value())
    }

    fn signed_by_risk(&mut self, kind: Kind, body: &Value) -> SignedStatement {
        let by = [("olga", Role::Operator), ("rita", Role::Risk)];
        self.paper(kind, &by).sign(Some(self.fingerprint()), body)
    }

    /// The approval of a session that was drafted against `head`; `None` without what it binds.
    pub(crate) fn approval(
        &mut self,
        session: &str,
        head: Head,
        core: &Core,
    ) -> Option<SignedStatement> {
        let endpoint = *core.endpoints().next()?.0;
        let release = |plugin: &str| {
            let mut known = core.releases();
            known.find(|(_, release)| release.plugin.as_str() == plugin).map(|(digest, _)| *digest)
        };
        let plugins = PLUGINS.map(|plugin| (plugin, release(plugin)));
        let plugins: Vec<(&str, Digest)> =
            plugins.into_iter().filter_map(|(name, digest)| Some((name, digest?))).collect();
        let mut approval = people::approval(PHASE, (endpoint, EndpointKind::Simulated), &plugins);
        let now: WallNs = core.place().at.wall;
        approval.session = name(session);
        let known: Vec<&str> = plugins.iter().map(|(plugin, _)| *plugin).collect();
        approval.limits = people::narrow_limits(&known);
        approval.kill_seq = core.kill_seq();
        approval.carried = carried(core);
        approval.journal = journal(head);
        approval.window_opens = now;
        approval.window_closes = now.plus_ns(HOUR_NS);
        Some(self.sign_approval(&approval))
    }

    fn sign_approval(&mut self, approval: &SessionApproval) -> SignedStatement {
        let paper = self.paper(Kind::SessionApproval, &signers(PHASE));
        paper.sign(Some(self.fingerprint()), &approval.to_value())
    }
}

/// The journal as a draft is bound to it.
pub(crate) fn journal(head: Head) -> JournalBinding {
    JournalBinding {
        origin: ORIGIN.to_owned(),
        key: people::CHECKPOINT_KEY.to_owned(),
        size: head.size,
        root: head.root,
    }
}

/// What the account holds, as the approval of the next session has to list it.
fn carried(core: &Core) -> Vec<Carried> {
    let instrument = people::instrument();
    let holding = core.account().holding(&instrument.symbol);
    let position = holding.position;
    let avg_px = holding.avg_px(&instrument);
    if position.0 == 0 {
        return Vec::new();
    }
    vec![Carried { instrument: instrument.id, position, avg_px }]
}
