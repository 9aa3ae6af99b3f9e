//! A core, everything that ever happened to it, and the people and plugins around it.

use std::collections::BTreeMap;

use portcullis_core::entry::decode;
use portcullis_core::{
    AccountSnapshot, Core, Effect, Entry, EpochCause, Event, Input, PersonCommand, PersonRequest,
    Start, VenueOrder, Worker,
};
use portcullis_domain::frame::{IntentRecord, intent_kind, ord_type_code, side_code, tif_code};
use portcullis_domain::market::Level;
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::{
    BootNs, ClOrdId, ExecId, ExecType, ExecutionReport, InstrumentId, MarketEvent, MarketFrame,
    Money, Now, OrderId, Phase, PluginId, Role, Side, StreamId, WallNs,
};
use portcullis_gate::VenueStatus;
use portcullis_statement::json::Value;
use portcullis_statement::{
    Digest, EndpointKind, JournalBinding, Kind, SessionApproval, SignedStatement, Target, Unkill,
};

pub(crate) use crate::out::Out;
use crate::people::{self, HOUR_NS, NOW, ORIGIN, Paper, floors, money, name, px, qty, signers};
use crate::wide_safety::wide_safety;

pub(crate) const SECOND_NS: i64 = 1_000_000_000;
pub(crate) const ALPHA: PluginId = PluginId(0);
pub(crate) const BETA: PluginId = PluginId(1);
/// Names of the plugins, by number; each runs the component of its name.
pub(crate) const PLUGINS: [&str; 2] = ["alpha", "beta"];

/// The core and all of its past.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) past: Vec<(Event, Vec<Entry>)>,
    pub(crate) now: Now,
    pub(crate) genesis: SignedStatement,
    pub(crate) endpoint: Digest,
    pub(crate) releases: BTreeMap<&'static str, Digest>,
    /// Batch that is out, by plugin.
    pub(crate) out: BTreeMap<PluginId, u32>,
    epoch: u64,
    pub(crate) nonce: u64,
    request: u64,
    sequences: BTreeMap<StreamId, u64>,
    pub(crate) draw: u32,
    /// Who burns the approvals of this house, and cosigns its journal.
    pub(crate) witnesses: Vec<&'static str>,
    /// The safety policy of the next start.
    pub(crate) safety: Safety,
}

impl World {
    /// A core that has not started.
    pub(crate) fn new() -> Self {
        Self {
            core: Core::new(),
            past: Vec::new(),
            now: Now { wall: NOW, boot: BootNs(5_000 * SECOND_NS) },
            genesis: people::genesis(None, EndpointKind::Simulated),
            endpoint: Digest::of(b"none"),
            releases: BTreeMap::new(),
            out: BTreeMap::new(),
            epoch: 0,
            nonce: 100,
            request: 0,
            sequences: BTreeMap::new(),
            draw: 0xc0de_0001,
            witnesses: vec![],
            safety: wide_safety(),
        }
    }

    /// Started in a new journal, with an endpoint set and two releases on record.
    pub(crate) fn started() -> Self {
        Self::started_for(Phase::Paper)
    }

    /// The same with the people whom sessions of that phase need.
    pub(crate) fn started_for(phase: Phase) -> Self {
        let mut world = Self::new();
        world.genesis = people::genesis_for(phase, EndpointKind::Simulated);
        if phase >= Phase::ManualLive {
            world.witnesses = vec!["near", "far"];
        }
        world.start(true, false);
        world.admit_all();
        world
    }

    /// With an open session whose plugins are ready and whose market is quoted 99.90 to 100.10.
    pub(crate) fn open(phase: Phase) -> Self {
        let mut world = Self::started_for(phase);
        if phase != Phase::Shadow {
            world.link_up();
        }
        world.open_session("s-1", phase);
        world
    }

    pub(crate) fn open_session(&mut self, session: &str, phase: Phase) {
        let approval = self.draft(session, phase);
        let out = self.open_with(&approval);
        assert_eq!(out.answers(), ["DONE"]);
        self.ready();
    }

    /// Both plugins answer `init`, and the market begins.
    pub(crate) fn ready(&mut self) {
        self.feed(Input::PluginReady { plugin: ALPHA });
        self.feed(Input::PluginReady { plugin: BETA });
        self.snapshot();
        self.quote(9_990, 10_010);
    }

    pub(crate) fn pass(&mut self, ns: i64) {
        self.now.wall = self.now.wall.plus_ns(ns);
        self.now.boot = self.now.boot.plus_ns(ns);
    }

    /// One event a millisecond later; what the core asks the house itself to do follows at once.
    pub(crate) fn feed(&mut self, input: Input) -> Out {
        self.pass(1_000_000);
        let mut out = Out::default();
        // The first frame of every connection says whether the venue trades.
        let status = Input::VenueStatus { status: VenueStatus::Online };
        let linked = matches!(input, Input::VenueLink { up: true, .. });
        let mut waiting = vec![input];
        waiting.extend(linked.then_some(status));
        while !waiting.is_empty() {
            let event = Event { now: self.now, input: waiting.remove(0) };
            let step = self.core.step(event.clone());
            for effect in step.effects {
                if let Effect::RaiseEpoch(cause) = &effect {
                    waiting.push(self.raised(cause.clone()));
                }
                if let Effect::Deliver { plugin, batch, .. } = &effect {
                    self.out.insert(*plugin, *batch);
                }
                out.effects.push(effect);
            }
            let read = step.entries.iter().map(|entry| decode(&entry.bytes).unwrap());
            out.entries.extend(read);
            self.past.push((event, step.entries));
        }
        out
    }

    /// A withdrawal that asks nothing else of the core.
    pub(crate) fn raise_epoch(&mut self, epoch: u64) -> Out {
        self.feed(Input::EpochRaised { epoch, cause: EpochCause::PluginStopped })
    }

    pub(crate) fn raised(&mut self, cause: EpochCause) -> Input {
        self.epoch += 1;
        Input::EpochRaised { epoch: self.epoch, cause }
    }

    pub(crate) fn next_request(&mut self) -> u64 {
        self.request += 1;
        self.request
    }

    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::of(&self.genesis.bytes)
    }

    pub(crate) fn start(&mut self, first: bool, clean: bool) -> Out {
        self.draw += 1;
        self.epoch = 0;
        self.out.clear();
        let start = Start {
            build: "0.1.0".to_owned(),
            draw: self.draw,
            origin: ORIGIN.to_owned(),
            genesis: self.genesis.clone(),
            pinned: self.fingerprint(),
            phases: floors(),
            phases_digest: Digest::of(b"phases"),
            safety_digest: Digest::of(b"safety"),
            safety: self.safety.clone(),
            first,
            clean,
            torn_bytes: 0,
            damage: None,
        };
        self.feed(Input::Started(Box::new(start)))
    }

    /// The journal as one list of entries.
    pub(crate) fn journal(&self) -> Vec<Vec<u8>> {
        let entries = self.past.iter().flat_map(|(_, entries)| entries);
        entries.map(|entry| entry.bytes.clone()).collect()
    }

    /// The process ends; a new one reads the journal and starts.
    pub(crate) fn restart(&mut self, clean: bool) -> Out {
        self.core = folded(&self.journal());
        self.start(false, clean)
    }

    pub(crate) fn paper(&mut self, kind: Kind, listed: &[(&'static str, Role)]) -> Paper {
        self.nonce += 1;
        Paper::new(kind, self.nonce, listed)
    }

    /// Draws up a statement, signs it as listed and hands it in.
    pub(crate) fn hand_in(
        &mut self,
        kind: Kind,
        listed: &[(&'static str, Role)],
        body: &Value,
    ) -> (SignedStatement, Out) {
        let signed = self.paper(kind, listed).sign(Some(self.fingerprint()), body);
        let out = self.statement(&signed);
        (signed, out)
    }

    pub(crate) fn statement(&mut self, signed: &SignedStatement) -> Out {
        let request = self.next_request();
        self.feed(Input::Statement { request, signed: signed.clone() })
    }

    pub(crate) fn admit_all(&mut self) {
        let by = [("gerd", Role::Governance), ("olga", Role::Operator)];
        let body = people::endpoint_set(EndpointKind::Simulated).to_value();
        let (signed, out) = self.hand_in(Kind::EndpointSet, &by, &body);
        assert_eq!(out.answers(), ["DONE"]);
        self.endpoint = Digest::of(&signed.bytes);
        for plugin in PLUGINS {
            let by = [("ada", Role::Author), ("gerd", Role::Governance)];
            let body = people::release("ada", plugin, Phase::Continuous).to_value();
            let (signed, out) = self.hand_in(Kind::PluginRelease, &by, &body);
            assert_eq!(out.answers(), ["DONE"]);
            self.releases.insert(plugin, Digest::of(&signed.bytes));
        }
    }

    /// Drafts a session and returns the approval that fits it.
    pub(crate) fn draft(&mut self, session: &str, phase: Phase) -> SessionApproval {
        let (size, root) =
            (u64::try_from(self.past.len()).unwrap(), Digest::of(session.as_bytes()));
        let request = self.next_request();
        let journal = JournalBinding {
            origin: ORIGIN.to_owned(),
            key: people::CHECKPOINT_KEY.to_owned(),
            size,
            root,
        };
        let session_name = name(session);
        let out =
            self.feed(Input::Draft { request, session: session_name, journal: journal.clone() });
        assert_eq!(out.answers(), ["DONE"]);
        let plugins = PLUGINS.map(|plugin| (plugin, self.releases[plugin]));
        let bound = (self.endpoint, EndpointKind::Simulated);
        let mut approval = people::approval(phase, bound, &plugins);
        approval.session = name(session);
        approval.limits = people::narrow_limits(&PLUGINS);
        if !self.witnesses.is_empty() {
            approval.witness = people::witnesses(Phase::ManualLive).words();
        }
        approval.kill_seq = self.core.kill_seq();
        approval.journal = journal;
        approval.window_opens = self.now.wall;
        approval.window_closes = self.now.wall.plus_ns(HOUR_NS);
        approval
    }

    pub(crate) fn open_with(&mut self, approval: &SessionApproval) -> Out {
        let paper = self.paper(Kind::SessionApproval, &signers(approval.phase));
        let signed = paper.sign(Some(self.fingerprint()), &approval.to_value());
        self.open_signed(signed, &PLUGINS)
    }

    pub(crate) fn open_signed(&mut self, approval: SignedStatement, loaded: &[&str]) -> Out {
        let request = self.next_request();
        let worker = |plugin: &&str| Worker {
            component: Digest::of(plugin.as_bytes()),
            engine: "wasmtime 48.0.8".to_owned(),
        };
        let workers = loaded.iter().map(worker).collect();
        let burns = crate::burned::burns(self, &approval);
        self.feed(Input::OpenSession { request, approval, workers, burns })
    }

    pub(crate) fn close(&mut self) -> Out {
        let request = self.next_request();
        let (who, reason) = ("olga".to_owned(), "DONE_FOR_TODAY".to_owned());
        self.feed(Input::CloseSession { request, who, reason })
    }

    pub(crate) fn kill(&mut self) -> Out {
        let request = Some(self.next_request());
        let (who, reason) = ("rita".to_owned(), "DRILL".to_owned());
        let raised = self.raised(EpochCause::Kill { who, reason, request });
        self.feed(raised)
    }

    pub(crate) fn unkill(&mut self) -> (SignedStatement, Out) {
        let body = Unkill {
            target: Target::kill(self.core.kill_seq(), self.core.kill_entry().unwrap()),
            reason: "drill over".to_owned(),
        };
        let by = [("olga", Role::Operator), ("rita", Role::Risk)];
        self.hand_in(Kind::Unkill, &by, &body.to_value())
    }

    /// A person asks for something by hand.
    pub(crate) fn by_hand(&mut self, who: &str, command: PersonCommand) -> Out {
        let (request, who) = (self.next_request(), name(who));
        self.feed(Input::Person(Box::new(PersonRequest { request, who, command })))
    }

    pub(crate) fn market(&mut self, stream: StreamId, event: MarketEvent) -> Out {
        let sequence = self.sequences.entry(stream).or_insert(0);
        *sequence += 1;
        let (sequence, instrument) = (*sequence, InstrumentId(0));
        let venue_time = None;
        self.feed(Input::Market(MarketFrame { stream, sequence, instrument, venue_time, event }))
    }

    pub(crate) fn snapshot(&mut self) -> Out {
        let level = |side, units| Level { side, px: px(units), qty: qty(1) };
        let levels = vec![level(Side::Buy, 9_990), level(Side::Sell, 10_010)];
        self.market(StreamId::BOOK, MarketEvent::Snapshot { levels })
    }

    pub(crate) fn quote(&mut self, bid: i64, ask: i64) -> Out {
        let (bid, ask) = (px(bid), px(ask));
        let event = MarketEvent::Quote { bid, bid_qty: qty(1), ask, ask_qty: qty(1) };
        self.market(StreamId::QUOTES, event)
    }

    /// Answers the batch that is out; asks for a fresh quote first if none is out.
    pub(crate) fn reply(&mut self, plugin: PluginId, intents: Vec<IntentRecord>) -> Out {
        if !self.out.contains_key(&plugin) {
            self.quote(9_990, 10_010);
        }
        let batch = self.out.remove(&plugin).unwrap();
        self.feed(Input::PluginReply { plugin, batch, fuel: 1_000, intents, log: String::new() })
    }

    pub(crate) fn report(&mut self, id: ClOrdId, exec_type: ExecType) -> Out {
        let report = report(id, exec_type, self.now.wall);
        self.feed(Input::Report(report))
    }

    pub(crate) fn fill(&mut self, id: ClOrdId, exec: &str, units: i64, at: i64) -> Out {
        self.report(id, trade(exec, units, at))
    }

    pub(crate) fn link_up(&mut self) -> Out {
        self.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
        let amount = |currency: &str, amount: &str| (currency.to_owned(), money(amount));
        let balances = [amount("USDT", "1000"), amount("BTC", "5")].into();
        self.read(AccountSnapshot { balances, ..AccountSnapshot::default() })
    }

    pub(crate) fn account(&mut self, open: &[VenueOrder], balances: &[(&str, &str)]) -> Out {
        self.account_with_fills(open, vec![], balances)
    }

    pub(crate) fn account_with_fills(
        &mut self,
        open: &[VenueOrder],
        fills: Vec<ExecutionReport>,
        balances: &[(&str, &str)],
    ) -> Out {
        let amount = |(currency, amount): &(&str, &str)| ((*currency).to_owned(), money(amount));
        let balances = balances.iter().map(amount).collect();
        let open_orders = open.to_vec();
        let asked_at = Some(self.now);
        let rest = AccountSnapshot::default();
        self.read(AccountSnapshot { asked_at, open_orders, fills, balances, ..rest })
    }

    /// The last deadline passes, and the venue says twice that nothing rests there: all is clear.
    pub(crate) fn clear(&mut self) -> Out {
        let balances = self.core.account().balances().unwrap().clone();
        self.pass(7 * SECOND_NS);
        let reading = |now| AccountSnapshot { asked_at: Some(now), ..AccountSnapshot::default() };
        self.read(AccountSnapshot { balances: balances.clone(), ..reading(self.now) });
        self.pass(SECOND_NS);
        self.read(AccountSnapshot { balances, ..reading(self.now) })
    }

    /// A reading, whatever it states.
    pub(crate) fn read(&mut self, snapshot: AccountSnapshot) -> Out {
        self.feed(Input::Account(snapshot))
    }

    pub(crate) fn status(&self, id: ClOrdId) -> &'static str {
        self.core.account().orders.get(id).unwrap().status.name()
    }

    pub(crate) fn balance(&self, currency: &str) -> Money {
        self.core.account().balances().unwrap()[currency]
    }

    /// Whether every reason in `view().blocked` begins with one of the codes, in order.
    #[track_caller]
    pub(crate) fn assert_blocked(&self, codes: &[&str]) {
        let blocked = self.core.view().blocked;
        let seen: Vec<&str> = blocked.iter().map(|text| text.split(':').next().unwrap()).collect();
        assert_eq!(seen, codes);
    }
}

/// A core that has read these entries.
pub(crate) fn folded(journal: &[Vec<u8>]) -> Core {
    let mut core = Core::new();
    for entry in journal {
        core.fold(entry).unwrap();
    }
    core
}

pub(crate) fn report(id: ClOrdId, exec_type: ExecType, at: WallNs) -> ExecutionReport {
    let order_id = Some(OrderId(format!("V{}", id.sequence)));
    let text = String::new();
    ExecutionReport { cl_ord_id: id, order_id, exec_type, cum_qty: None, transact_time: at, text }
}

/// A fill without a fee.
pub(crate) fn trade(exec: &str, units: i64, at: i64) -> ExecType {
    ExecType::Trade {
        exec_id: ExecId(exec.to_owned()),
        last_px: px(at),
        last_qty: qty(units),
        fee: Money::ZERO,
        maker: true,
    }
}

pub(crate) fn resting(id: ClOrdId, leaves: i64) -> VenueOrder {
    let order_id = OrderId(format!("V{}", id.sequence));
    let (cl_ord_id, leaves_qty) = (Some(id), qty(leaves));
    VenueOrder {
        order_id,
        cl_ord_id,
        leaves_qty,
        side: None,
        price: None,
        qty: None,
        cum_qty: None,
    }
}

fn limit(side: u8, reference: u64, units: i64, price: i64) -> IntentRecord {
    IntentRecord {
        reference,
        kind: intent_kind::SUBMIT,
        side,
        ord_type: ord_type_code::LIMIT,
        time_in_force: tif_code::GTC,
        price,
        qty: units,
        ..IntentRecord::default()
    }
}

pub(crate) fn buy(reference: u64, units: i64, price: i64) -> IntentRecord {
    limit(side_code::BUY, reference, units, price)
}

pub(crate) fn sell(reference: u64, units: i64, price: i64) -> IntentRecord {
    limit(side_code::SELL, reference, units, price)
}

/// With a stop and a target; 0 for none.
pub(crate) fn bracketed(record: IntentRecord, stop_price: i64, target_price: i64) -> IntentRecord {
    IntentRecord { stop_price, target_price, ..record }
}

/// To a whole quantity of `units` at `price`.
pub(crate) fn amend(reference: u64, units: i64, price: i64) -> IntentRecord {
    let (kind, qty) = (intent_kind::AMEND, units);
    IntentRecord { reference, kind, price, qty, ..IntentRecord::default() }
}

/// The venue's word that it changed an order so.
pub(crate) fn replaced(units: i64, price: i64) -> ExecType {
    ExecType::Replaced { qty: qty(units), price: px(price) }
}

pub(crate) fn cancel(reference: u64) -> IntentRecord {
    IntentRecord { reference, kind: intent_kind::CANCEL, ..IntentRecord::default() }
}
