//! Hand-made journals of the kernel for tests, made with the core's own encoding.

use std::collections::BTreeMap;

use portcullis_core::entry::{Content, Place};
use portcullis_core::{
    AccountSnapshot, Class, Entry, EpochCause, Input, Note, NoteKind, Noted, Outcome, Start, Worker,
};
use portcullis_domain::frame::IntentRecord;
use portcullis_domain::policy::PhaseRules;
use portcullis_domain::{
    Amendment, BootNs, ClOrdId, ExecId, ExecType, ExecutionReport, InstrumentId, Money, Now,
    OrdStatus, OrdType, Order, OrderId, OrderIntent, Origin, Phase, PluginId, Position, Px, Qty,
    Role, Side, TimeInForce,
};
use portcullis_statement::json::{Value, object};
use portcullis_statement::{Digest, Kind, SignedStatement};

use super::QUESTIONS;
use crate::bytes::len_u64;
use crate::disk::MemoryDisk;
use crate::journal::{Head, Journal};
use crate::pack::testkit::{BEGINS, Installation, ORIGIN, name};

#[path = "../../../../core/tests/it/wide_safety.rs"]
mod wide_safety;
use wide_safety::wide_safety;

/// A journal in the making: one millisecond from event to event.
pub(super) struct Story {
    pub(super) journal: Journal<MemoryDisk>,
    pub(super) entries: Vec<Vec<u8>>,
    /// The entries of notes among them.
    pub(super) notes: Vec<Vec<u8>>,
    /// Where the session begins.
    pub(super) opened: usize,
    /// Genesis, endpoint set, release, approval.
    pub(super) statements: Vec<SignedStatement>,
    place: Place,
    ours: Installation,
    closed: bool,
    /// Gaps of market data that the closing counts.
    pub(super) gaps: i64,
    /// Where the session's entries end.
    pub(super) ended: usize,
}

pub(super) const ORDER: ClOrdId = ClOrdId { epoch: 7, sequence: 1 };
const SECOND_ORDER: ClOrdId = ClOrdId { epoch: 7, sequence: 2 };

impl Story {
    /// A started kernel that has accepted what the session needs, and opened it.
    pub(super) fn opened(phase: Phase) -> Self {
        let ours = Installation::new(7);
        let nowhere = Head { size: 0, root: Digest::of(b"") };
        let mut story = Self {
            journal: Journal::create(MemoryDisk::new(), ORIGIN).unwrap(),
            entries: Vec::new(),
            notes: Vec::new(),
            opened: 0,
            statements: ours.statements(phase, nowhere),
            place: Place { at: Now { wall: BEGINS, boot: BootNs(1_000) }, ..Place::default() },
            ours,
            closed: false,
            gaps: 0,
            ended: 0,
        };
        story.host();
        story.start(true);
        for (at, kind) in [(1, Kind::EndpointSet), (2, Kind::PluginRelease)] {
            let signed = story.statements[at].clone();
            let digest = Digest::of(&signed.bytes);
            story.input(&Input::Statement { request: 1, signed });
            story.outcome(&Outcome::StatementAccepted { kind, digest, nonce: "00".into() });
        }
        if phase != Phase::Shadow {
            story.account("10000", vec![]);
            let balances = object([("USDT", "10000".into())]);
            story.outcome(&Outcome::BalancesAdopted { balances });
            story.reconciled(&[]);
        }
        story.statements = story.ours.statements(phase, story.journal.head());
        story.open(phase);
        story
    }

    fn open(&mut self, phase: Phase) {
        let approval = self.statements[3].clone();
        let digest = Digest::of(&approval.bytes);
        let component = Digest::of(b"component");
        let workers = vec![Worker { component, engine: "engine-1".to_owned() }];
        self.input(&Input::OpenSession { request: 2, approval, workers, burns: vec![] });
        let plugin = object([
            ("component", component.hex().into()),
            ("engine", "engine-1".into()),
            ("name", "ema-cross".into()),
        ]);
        let facts = object([
            ("approval", digest.hex().into()),
            ("endpoint_kind", "simulated".into()),
            ("phase", i64::from(phase.number()).into()),
            ("plugins", vec![plugin].into()),
            ("reduce_only", false.into()),
        ]);
        self.opened = self.entries.len();
        let nonce = "11".to_owned();
        self.outcome(&Outcome::SessionOpened { session: name("s-1"), nonce, facts });
        self.input(&Input::PluginReady { plugin: PluginId(0) });
    }

    /// A person says something, in the session or after it.
    pub(super) fn say(&mut self, kind: NoteKind, about: Option<&str>, text: &str) {
        let answer = kind == NoteKind::Answer;
        let (who, role) = if answer { ("ada", Role::Approver) } else { ("olga", Role::Operator) };
        let (session, about) = (name("s-1"), about.map(name));
        let note = Note { session, who: name(who), kind, about, text: text.to_owned() };
        self.input(&Input::Note { request: 9, note: Box::new(note.clone()) });
        let number = len_u64(self.notes.len()).saturating_add(1);
        let late = self.closed;
        self.outcome(&Outcome::Noted(Box::new(Noted { note, number, role, late })));
        self.notes.extend(self.entries.last().cloned());
    }

    /// Everything that a pack of this phase asks people for.
    pub(super) fn fill_in(&mut self, gaps: &[&str]) {
        self.say(NoteKind::Lesson, None, "look twice");
        for gap in gaps {
            self.say(NoteKind::Gap, Some(gap), "the line was cut");
        }
        for (question, _) in QUESTIONS {
            self.say(NoteKind::Answer, Some(question), "looked at and understood");
        }
    }

    fn push(&mut self, class: Class, content: Content) {
        let entry = Entry::new(class, &self.place, content);
        self.journal.append(&entry.bytes);
        self.journal.commit().unwrap();
        self.entries.push(entry.bytes);
    }

    /// An entry about the host.
    pub(super) fn host(&mut self) {
        self.raw(Class::Host, ("chunk", "-", "MARKET_DATA"), object([]));
    }

    pub(super) fn raw(
        &mut self,
        class: Class,
        (kind, corr, reason): (&'static str, &str, &str),
        body: Value,
    ) {
        let (corr, reason) = (corr.to_owned(), reason.to_owned());
        self.push(class, Content { kind, corr, reason, body });
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.place.input = self.place.input.saturating_add(1);
        let Now { wall, boot } = self.place.at;
        self.place.at = Now { wall: wall.plus_ns(1_000_000), boot: boot.plus_ns(1_000_000) };
        self.push(Class::Input, input.content(false).unwrap());
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome) {
        self.push(Class::Outcome, outcome.content());
    }

    /// A start of the kernel; with a session open, the end of it.
    pub(super) fn start(&mut self, clean: bool) {
        self.input(&Input::Started(Box::new(Start {
            build: "0.1.0".to_owned(),
            draw: 7,
            origin: ORIGIN.to_owned(),
            genesis: self.ours.genesis.clone(),
            pinned: self.ours.pin(),
            phases: PhaseRules { rules: BTreeMap::new() },
            phases_digest: Digest::of(b"phases"),
            safety_digest: Digest::of(b"safety"),
            safety: wide_safety(),
            first: false,
            clean,
            torn_bytes: 0,
            damage: None,
        })));
        if self.opened > 0 {
            self.closed = true;
            self.ended = self.entries.len();
        }
    }

    pub(super) fn reconciled(&mut self, differences: &[&str]) {
        let differences = differences.iter().map(|text| (*text).to_owned()).collect();
        self.outcome(&Outcome::Reconciled { found: vec![], differences });
    }

    /// A reading of the account.
    fn account(&mut self, usdt: &str, fills: Vec<ExecutionReport>) {
        let balances = BTreeMap::from([("USDT".to_owned(), Money::parse(usdt).unwrap())]);
        self.input(&Input::Account(AccountSnapshot {
            fills,
            balances,
            ..AccountSnapshot::default()
        }));
    }

    pub(super) fn reply(&mut self, batch: u32, log: &str) {
        let (plugin, log) = (PluginId(0), log.to_owned());
        let intents: Vec<IntentRecord> = vec![];
        self.input(&Input::PluginReply { plugin, batch, fuel: 334, intents, log });
    }

    fn ordered(&mut self, cl_ord_id: ClOrdId) {
        let intent = OrderIntent {
            origin: Origin::Plugin(PluginId(0)),
            reference: u64::from(cl_ord_id.sequence),
            instrument: InstrumentId(0),
            side: Side::Buy,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Gtc,
            qty: Qty::new(1_000).unwrap(),
            price: Px::new(6_000_000),
            reduce_only: false,
            bracket: None,
        };
        let order = Box::new(Order::new(cl_ord_id, intent, Px::new(6_000_000).unwrap()));
        let symbol = "BTC-USDT".to_owned();
        self.outcome(&Outcome::Ordered { order, symbol, shadow: false, epoch: 0, value: None });
    }

    fn booked(&mut self, cl_ord_id: ClOrdId, status: OrdStatus, cum_qty: i64) {
        let position = Position(cum_qty);
        self.outcome(&Outcome::Booked { cl_ord_id, status, cum_qty, position });
    }

    /// One order that is filled, half by report and half by a reading of the account.
    pub(super) fn trade(&mut self, venue_text: &str) {
        self.reply(1, venue_text);
        self.ordered(ORDER);
        let body = object([
            ("intent", Value::Null),
            ("limit", "0.05".into()),
            ("observed", "10".into()),
            ("reference", 9.into()),
            ("scope", "order".into()),
        ]);
        self.raw(Class::Outcome, ("denied", "intent-9", "MAX_ORDER_QTY"), body);
        self.input(&Input::Sent { cl_ord_id: ORDER });
        self.input(&Input::Report(report(ORDER, ExecType::New, venue_text)));
        self.booked(ORDER, OrdStatus::New, 0);
        self.input(&Input::Report(report(ORDER, fill(1), venue_text)));
        self.booked(ORDER, OrdStatus::PartiallyFilled, 500);
        // The venue repeats itself in every reading.
        let fills = [1, 2].map(|exec| report(ORDER, fill(exec), venue_text)).to_vec();
        self.account("9940", fills.clone());
        self.booked(ORDER, OrdStatus::Filled, 1_000);
        self.account("9940", fills);
        self.ordered(SECOND_ORDER);
        let code = object([
            ("cl_ord_id", SECOND_ORDER.to_string().into()),
            ("code", "KILL_ACTIVE".into()),
        ]);
        self.raw(Class::Input, ("not-sent", &SECOND_ORDER.to_string(), "RECEIVED"), code);
        self.outcome(&Outcome::CancelRequested { cl_ord_id: ORDER, cause: "PLUGIN_ASKED" });
    }

    /// One order that is changed, and a change of it that is denied.
    pub(super) fn change(&mut self) {
        self.ordered(ORDER);
        let (qty, price) = (Qty::new(2_000).unwrap(), Px::new(5_999_990).unwrap());
        let after = Amendment { cl_ord_id: ORDER, qty, price };
        let before = (Qty::new(1_000).unwrap(), Px::new(6_000_000).unwrap());
        self.outcome(&Outcome::AmendRequested {
            before,
            after,
            shadow: false,
            epoch: 0,
            growth: None,
        });
        self.input(&Input::AmendSent { cl_ord_id: ORDER });
        self.input(&Input::Report(report(ORDER, ExecType::Replaced { qty, price }, "")));
        self.booked(ORDER, OrdStatus::New, 0);
        let body = object([
            ("after", object([("price", 5_999_990.into()), ("qty", 9_000_000.into())])),
            ("limit", "0.05".into()),
            ("observed", "90".into()),
            ("reference", 1.into()),
            ("scope", "order".into()),
        ]);
        self.raw(Class::Outcome, ("amend-denied", &ORDER.to_string(), "MAX_ORDER_QTY"), body);
        let code =
            object([("cl_ord_id", ORDER.to_string().into()), ("code", "RELEASE_REVOKED".into())]);
        self.raw(Class::Input, ("amend-not-sent", &ORDER.to_string(), "RECEIVED"), code);
    }

    /// Everything that makes an alert, told in words of somebody's choice.
    pub(super) fn trouble(&mut self, words: &str) {
        let text = words.to_owned();
        let (plugin, count) = (words.to_owned(), 36);
        self.outcome(&Outcome::EventsDropped { plugin: plugin.clone(), count });
        let stopped = Outcome::PluginStopped { plugin, code: words.into(), cause: words.into() };
        self.outcome(&stopped);
        self.outcome(&Outcome::Refused { what: "open", code: text.clone(), cause: text.clone() });
        self.reconciled(&[&format!("FOREIGN_ORDER: {words}")]);
        self.reconciled(&[&format!("BALANCE USDT: house 1, venue {words}")]);
        self.reconciled(&[]);
        self.outcome(&Outcome::Faulted { code: "FAULT_OVERFILL", cl_ord_id: Some(ORDER) });
        let (who, request) = ("kernel".to_owned(), None);
        let cause = EpochCause::Kill { who: who.clone(), reason: text.clone(), request };
        self.input(&Input::EpochRaised { epoch: 1, cause });
        self.outcome(&Outcome::Killed { kill_seq: 1, who, reason: text });
        self.outcome(&Outcome::OrdersClear { kill_seq: 1, proof: "CONFIRMED_TWICE" });
    }

    pub(super) fn close(&mut self, reason: &str) {
        let (request, who) = (3, "olga".to_owned());
        self.input(&Input::CloseSession { request, who, reason: reason.to_owned() });
        let session = name("s-1");
        let reason = reason.to_owned();
        self.outcome(&Outcome::SessionClosing { session: session.clone(), reason });
        let counts = ["frames", "levels", "quotes", "trades"].map(|key| (key, 5.into()));
        let counts = counts.into_iter().chain([("gaps", self.gaps.into())]);
        let plugin =
            object([("events", 12.into()), ("fuel", 334.into()), ("name", "ema-cross".into())]);
        let summary = object([
            ("market", object(counts)),
            ("plugins", vec![plugin].into()),
            ("positions", Value::List(vec![])),
            ("verdicts", object([("APPROVED", 2.into())])),
        ]);
        self.outcome(&Outcome::SessionClosed { session, summary });
        self.closed = true;
        self.ended = self.entries.len();
    }

    /// The session's entries, and those before it.
    pub(super) fn split(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let end = if self.ended == 0 { self.entries.len() } else { self.ended };
        let (before, session) = self.entries[..end].split_at(self.opened);
        (session.iter().map(Vec::as_slice).collect(), before.iter().map(Vec::as_slice).collect())
    }
}

fn fill(exec: u8) -> ExecType {
    ExecType::Trade {
        exec_id: ExecId(format!("E-{exec}")),
        last_px: Px::new(6_000_000).unwrap(),
        last_qty: Qty::new(500).unwrap(),
        fee: Money::parse("0.3").unwrap(),
        maker: false,
    }
}

fn report(cl_ord_id: ClOrdId, exec_type: ExecType, text: &str) -> ExecutionReport {
    ExecutionReport {
        cl_ord_id,
        order_id: Some(OrderId("V-1".to_owned())),
        exec_type,
        cum_qty: None,
        transact_time: BEGINS,
        text: text.to_owned(),
    }
}
