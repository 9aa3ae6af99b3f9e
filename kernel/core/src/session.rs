//! Sessions: drafted, opened by signatures, closed by command or by their window.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::frame::{EventRecord, event_kind};
use portcullis_domain::{ClOrdId, Money, Phase, PluginId, SessionId, WallNs};
use portcullis_gate::{Gate, Opening};
use portcullis_statement::json::{self, Value};
use portcullis_statement::{
    ApprovedPlugin, Digest, JournalBinding, SessionApproval, SignedStatement, Verified,
};

use crate::bracket::ProtectionEnd;
use crate::effect::Effect;
use crate::entry::int;
use crate::input::{EpochCause, Worker};
use crate::ledger::Ledger;
use crate::market::MarketDesk;
use crate::outcome::Outcome;
use crate::plugin::PluginDesk;
use crate::proposals::Proposals;
use crate::state::{Closing, Core, LiveSession, SessionState, Turn};
use crate::usage::{SessionBook, UsageDesk};

/// `event.code` of a SESSION event.
mod session_code {
    pub(super) const OPEN: u16 = 1;
    pub(super) const CLOSING: u16 = 2;
}

impl Core {
    pub(crate) fn on_draft(
        &mut self,
        request: u64,
        session: SessionId,
        journal: JournalBinding,
        turn: &mut Turn,
    ) {
        if self.sessions.contains_key(&session) {
            let cause = "this journal already knows a session of that name";
            return turn.refuse(request, "draft", "SESSION_EXISTS", cause);
        }
        turn.record(&Outcome::Drafted { session: session.clone(), journal: journal.clone() });
        turn.done(request, format!("session {session} drafted"));
        self.draft(session, journal);
    }

    pub(crate) fn draft(&mut self, session: SessionId, journal: JournalBinding) {
        self.drafts.insert(session.clone(), journal);
        self.sessions.insert(session, SessionState::Drafted);
    }

    pub(crate) fn on_open(
        &mut self,
        request: u64,
        approval: &SignedStatement,
        brought: (&[Worker], &[String]),
        turn: &mut Turn,
    ) {
        if let Err((code, cause)) = self.open(approval, brought, turn) {
            turn.refuse(request, "open", &code, &cause);
            return;
        }
        let instruments = self.live.as_ref().map(|live| live.gate.instruments().to_vec());
        turn.effect(Effect::SessionOpened { instruments: instruments.unwrap_or_default() });
        self.start_plugins(turn);
        let name = self.open_session().map_or_else(String::new, ToString::to_string);
        turn.done(request, format!("session {name} is open"));
    }

    /// The go or no-go: signatures, state of the house, and the gate's own conditions.
    fn open(
        &mut self,
        signed: &SignedStatement,
        (workers, burns): (&[Worker], &[String]),
        turn: &mut Turn,
    ) -> Result<(), (String, String)> {
        let verified = self.verify(signed, turn.now.wall)?;
        let Some(approval) = verified.into_session_approval() else {
            return Err(no("WRONG_KIND", "this statement is not a session approval"));
        };
        self.check_state(approval.item(), turn.now.wall)?;
        self.check_limits(approval.item())?;
        let Some(identity) = &self.identity else {
            return Err(no("NOT_STARTED", "the kernel has no roster yet"));
        };
        let Some(drafted) = self.drafts.get(&approval.item().session) else {
            return Err(no("JOURNAL_MISMATCH", "no such draft"));
        };
        let components: Vec<Digest> = workers.iter().map(|worker| worker.component).collect();
        let nonce = approval.header().nonce.clone();
        let digest = approval.digest();
        let burned_by = self
            .burned_by(&approval, (burns, turn.now.wall))
            .map_err(|(code, cause)| no(code, cause))?;
        let desk = Opening {
            now: turn.now.wall,
            genesis: identity.trust.fingerprint(),
            host: identity.trust.host(),
            account: identity.trust.account(),
            origin: &drafted.origin,
            kill_seq: self.kill_seq,
            phases_digest: identity.start.phases_digest,
            safety_digest: identity.start.safety_digest,
            endpoints: &self.endpoints,
            releases: &self.releases,
            components: &components,
            witnesses: identity.trust.roster().witnesses(),
            burned_by: &burned_by,
        };
        let reduce_only = !self.carried_is_approved(&approval);
        let opened = turn.now.wall;
        let gate = Gate::open(approval, &desk);
        let gate = gate.map_err(|refusal| no(refusal.code(), refusal.cause()))?;
        let facts = opening_facts(&gate, digest, workers, reduce_only);
        let session = gate.approval().session.clone();
        for instrument in gate.instruments() {
            self.instruments.insert(instrument.symbol.clone(), instrument.clone());
        }
        self.limits_opened(gate.approval());
        self.burned.insert(nonce.clone());
        self.session_begun(&session);
        turn.record(&Outcome::SessionOpened { session, nonce, facts });
        if grants_closing_rights(gate.phase()) {
            self.file(signed, digest, opened);
        }
        self.watch.session_opened(gate.instruments().len(), turn.now.wall);
        self.live = Some(self.live_session(gate, reduce_only, opened));
        self.follow_account();
        Ok(())
    }

    fn check_state(&self, approval: &SessionApproval, now: WallNs) -> Result<(), (String, String)> {
        if self.kill.is_some() {
            return Err(no("KILL_ACTIVE", "the kill latch is down; two people can lift it"));
        }
        if let Some(session) = self.overdue_seal(now) {
            let cause = format!("the pack of session {session} waits for its seal for too long");
            return Err(no("SEAL_OVERDUE", &cause));
        }
        if self.endpoint != Some(approval.endpoint) {
            return Err(no("ENDPOINT_NOT_SIGNED", "the kernel is not connected to this endpoint"));
        }
        if self.live.is_some() {
            return Err(no("SESSION_OPEN", "one session at a time: close the open one first"));
        }
        if self.drafts.get(&approval.session) != Some(&approval.journal) {
            return Err(no("JOURNAL_MISMATCH", "no such draft: it was made from another journal"));
        }
        if self.sessions.get(&approval.session) != Some(&SessionState::Drafted) {
            return Err(no("SESSION_EXISTS", "this session was opened before"));
        }
        if approval.phase != Phase::Shadow && !self.account_agrees() {
            return Err(no("RECON_UNRESOLVED", "account and house do not agree yet"));
        }
        Ok(())
    }

    /// Whether the approval lists exactly what the account holds.
    fn carried_is_approved(&self, approval: &Verified<SessionApproval>) -> bool {
        let item = approval.item();
        if item.phase == Phase::Shadow {
            return item.carried.is_empty();
        }
        let symbol = |id| item.instruments.iter().find(|i| i.id == id).map(|i| i.symbol.as_str());
        let listed: BTreeMap<_, _> = item
            .carried
            .iter()
            .map(|carried| (symbol(carried.instrument).unwrap_or(""), carried.position))
            .filter(|(_, position)| position.0 != 0)
            .collect();
        let held: BTreeMap<_, _> = self
            .account
            .holdings()
            .map(|(symbol, holding)| (symbol, holding.position))
            .filter(|(_, position)| position.0 != 0)
            .collect();
        listed == held
    }

    /// From here on the account tells the session's book what becomes of its orders.
    fn follow_account(&mut self) {
        let before = self.last_cl_ord_id();
        let Some(live) = self.live.as_ref().filter(|live| live.shadow.is_none()) else { return };
        self.account.open_book(SessionBook::new(&live.gate, before));
    }

    /// The id of the last order of this run.
    fn last_cl_ord_id(&self) -> ClOrdId {
        let epoch = self.identity.as_ref().map_or(0, |identity| identity.start.draw);
        ClOrdId { epoch, sequence: self.orders_issued }
    }

    /// What the account has earned with instruments that the session does not have; `None` while
    /// it holds one of them, since nobody says what that is worth.
    fn profit_beside(&self, gate: &Gate, ledger: &Ledger) -> Option<Money> {
        let mut sum = Money::ZERO;
        for (symbol, holding) in ledger.holdings() {
            if gate.instruments().iter().any(|instrument| instrument.symbol == symbol) {
                continue;
            }
            let instrument = self.instruments.get(symbol)?;
            let earned = holding.profit(None, instrument)?;
            sum = sum.plus(gate.converter(instrument)?.result(earned)?)?;
        }
        Some(sum)
    }

    fn live_session(&self, gate: Gate, reduce_only: bool, opened: WallNs) -> LiveSession {
        let approval = gate.approval();
        let shadow = (approval.phase == Phase::Shadow).then(|| {
            let mut ledger = Ledger::with_balances(approval.balances.clone());
            ledger.open_book(SessionBook::new(&gate, self.last_cl_ord_id()));
            ledger
        });
        let ledger = shadow.as_ref().unwrap_or(&self.account);
        let beside = self.profit_beside(&gate, ledger);
        let instruments = gate.instruments();
        let symbols: BTreeMap<_, _> =
            instruments.iter().map(|i| (i.id, i.symbol.clone())).collect();
        let baseline = instruments
            .iter()
            .filter_map(|i| Some((i.symbol.clone(), ledger.holding(&i.symbol).profit(None, i)?)))
            .collect();
        let desk = |p: &ApprovedPlugin| {
            PluginDesk::new(p.name.clone(), p.component, approval.instruments.len())
        };
        LiveSession {
            name: approval.session.clone(),
            desks: approval.plugins.iter().map(desk).collect(),
            market: MarketDesk::new(instruments.iter().map(|i| i.id)),
            closing: None,
            reduce_only,
            references: BTreeMap::new(),
            usage: UsageDesk::new(&gate, beside),
            metadata_read: opened,
            paused: BTreeSet::new(),
            cancels_asked: BTreeMap::new(),
            warned: BTreeSet::new(),
            shadow,
            proposals: Proposals::default(),
            verdicts: BTreeMap::new(),
            baseline,
            symbols,
            gate,
        }
    }

    /// Calls `init` of every plugin with the session as it was approved.
    fn start_plugins(&mut self, turn: &mut Turn) {
        let Some(live) = self.live.as_mut() else { return };
        let approval = live.gate.approval();
        let fuel = approval.fuel_per_batch_max;
        let time = turn.now.wall.0;
        for (number, (plugin, desk)) in (0_u16..).zip(approval.plugins.iter().zip(&mut live.desks))
        {
            let params = plugin.params.iter();
            let params = params.map(|(key, value)| (key.clone(), value.clone().into())).collect();
            let init = json::object([
                ("instruments", instruments_value(&live.gate)),
                ("params", Value::Object(params)),
                ("phase", Value::Int(i64::from(approval.phase.number()))),
                ("session", approval.session.as_str().into()),
            ])
            .canonical();
            turn.effect(Effect::InitPlugin { plugin: PluginId(number), init, fuel });
            desk.push(session_record(time, session_code::OPEN));
        }
    }

    pub(crate) fn on_close(&mut self, request: Option<u64>, reason: &str, turn: &mut Turn) {
        let Some(live) = self.live.as_mut() else {
            if let Some(request) = request {
                turn.refuse(request, "close", "NO_SESSION", "no session is open");
            }
            return;
        };
        if live.closing.is_some() {
            if let Some(request) = request {
                turn.refuse(request, "close", "SESSION_CLOSING", "the session is closing already");
            }
            return;
        }
        self.begin_closing(request, reason, turn);
        turn.effect(Effect::RaiseEpoch(EpochCause::SessionEnd));
        self.wind_down("SESSION_CLOSING", turn);
    }

    /// From here on the open session takes no new orders, and ends when its last one has.
    pub(crate) fn begin_closing(&mut self, request: Option<u64>, reason: &str, turn: &mut Turn) {
        let Some(live) = self.live.as_mut().filter(|live| live.closing.is_none()) else { return };
        live.closing = Some(Closing { request });
        for desk in &mut live.desks {
            desk.push(session_record(turn.now.wall.0, session_code::CLOSING));
        }
        let session = live.name.clone();
        turn.record(&Outcome::SessionClosing { session, reason: reason.to_owned() });
        self.revoke_proposals("SESSION_CLOSING", turn);
    }

    /// Closes the session when its window is over, and ends it when its last order has.
    pub(crate) fn close_when_due(&mut self, turn: &mut Turn) {
        let Some(live) = self.live.as_ref() else { return };
        let over = turn.now.wall >= live.gate.approval().window_closes;
        if live.closing.is_none() && over {
            self.on_close(None, "WINDOW_OVER", turn);
        }
        let closing = self.live.as_ref().and_then(|live| live.closing);
        let Some(Closing { request }) = closing else { return };
        if self.is_winding_down() {
            return;
        }
        self.end_brackets(ProtectionEnd::SessionOver, turn);
        self.reckon_now(turn);
        let summary = self.summary();
        let Some(live) = self.live.take() else { return };
        self.account.session = None;
        let session = live.name.clone();
        let shadow = live.shadow.iter().flat_map(|ledger| ledger.orders.iter());
        self.past_shadow.extend(shadow.map(|order| order.cl_ord_id));
        turn.record(&Outcome::SessionClosed { session: session.clone(), summary });
        self.session_ended(session.clone());
        for number in (0_u16..).zip(&live.desks).map(|(number, _)| number) {
            turn.effect(Effect::StopPlugin { plugin: PluginId(number) });
        }
        if !self.adopt_market(live.market) {
            turn.effect(Effect::SessionClosed);
        }
        if grants_closing_rights(live.gate.phase()) {
            self.grant_closing(live.gate.into_closing());
        }
        if let Some(request) = request {
            turn.done(request, format!("session {session} is closed"));
        }
    }
}

/// Whether a session of that phase can have left a position at the venue. One of the others does
/// not take the closing rights of the session before it away.
pub(crate) const fn grants_closing_rights(phase: Phase) -> bool {
    match phase {
        Phase::Paper
        | Phase::BoundedAuto
        | Phase::ManualLive
        | Phase::MonitoredAuto
        | Phase::Continuous => true,
        Phase::Foundation | Phase::Shadow | Phase::PreLive => false,
    }
}

fn no(code: &str, cause: &str) -> (String, String) {
    (code.to_owned(), cause.to_owned())
}

fn session_record(time: i64, code: u16) -> EventRecord {
    EventRecord { time, kind: event_kind::SESSION, code, ..EventRecord::default() }
}

/// The first leaf of the session root: what the session is equal for.
fn opening_facts(gate: &Gate, approval: Digest, workers: &[Worker], reduce_only: bool) -> Value {
    let item = gate.approval();
    let plugins = item.plugins.iter().zip(workers).map(|(plugin, worker)| {
        json::object([
            ("component", worker.component.hex().into()),
            ("engine", worker.engine.clone().into()),
            ("name", plugin.name.as_str().into()),
        ])
    });
    json::object([
        ("approval", approval.hex().into()),
        ("endpoint_kind", item.endpoint_kind.name().into()),
        ("instruments", instruments_value(gate)),
        ("phase", Value::Int(i64::from(item.phase.number()))),
        ("plugins", Value::List(plugins.collect())),
        ("reduce_only", Value::Bool(reduce_only)),
        ("window_closes", wall(item.window_closes)),
        ("window_opens", wall(item.window_opens)),
    ])
}

fn wall(at: WallNs) -> Value {
    at.0.to_string().into()
}

/// The instruments as plugins see them: integers in the instrument's own units.
fn instruments_value(gate: &Gate) -> Value {
    let list = gate.instruments().iter().map(|instrument| {
        json::object([
            ("id", int(u64::from(instrument.id.0))),
            ("lot", Value::Int(instrument.lot.units())),
            ("price_scale", int(u64::from(instrument.price_scale))),
            ("qty_min", Value::Int(instrument.qty_min.units())),
            ("qty_scale", int(u64::from(instrument.qty_scale))),
            ("symbol", instrument.symbol.as_str().into()),
            ("tick", Value::Int(instrument.tick.units())),
        ])
    });
    Value::List(list.collect())
}
