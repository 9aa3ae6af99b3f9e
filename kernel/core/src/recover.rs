//! Recovery: what a journal says, folded back into a core, without any market data.

use portcullis_domain::order::OrderEvent;
use portcullis_domain::policy::triggers::Trigger;
use portcullis_domain::{
    Amendment, ClOrdId, OrdStatus, Order, OrderFault, Origin, Px, Stop, StopMode, StopScope,
};
use portcullis_gate::Gate;
use portcullis_statement::json::{Fields, JsonError};
use portcullis_statement::{Digest, JournalBinding};
use std::sync::Arc;

use crate::account::is_trade;
use crate::entry::{self, Class, Decoded, EntryError};
use crate::input::Input;
use crate::input_codec::{amounts, money_or_null, order_intent, terms};
use crate::ledger::Ledger;
use crate::roll::Epoch;
use crate::session::grants_closing_rights;
use crate::state::{Core, Kill, SessionState};
use crate::stops::{Clearing, Standing};

/// Why a journal cannot be folded. The kernel does not start on such a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoverError {
    /// An entry cannot be read.
    Entry(EntryError),
    /// A statement that was accepted once is not acceptable: another roster, or damage.
    Statement(String),
    /// Orders that contradict each other.
    Order(OrderFault),
    /// An entry that cannot stand in its epoch where it stands.
    Epoch(&'static str),
    /// A snapshot that no house has.
    Snapshot(&'static str),
}

impl From<EntryError> for RecoverError {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl From<JsonError> for RecoverError {
    fn from(error: JsonError) -> Self {
        Self::Entry(EntryError::Malformed(error))
    }
}

impl From<OrderFault> for RecoverError {
    fn from(fault: OrderFault) -> Self {
        Self::Order(fault)
    }
}

impl Core {
    /// Folds one entry of the journal, in order.
    pub fn fold(&mut self, bytes: &[u8]) -> Result<(), RecoverError> {
        let entry = entry::decode(bytes)?;
        self.check_order(&entry.kind)?;
        self.place = Arc::new(entry.place.clone());
        match entry.class {
            Class::Host => self.fold_epoch(&entry),
            Class::Input => self.fold_input(&entry),
            Class::Outcome => self.fold_outcome(&entry, bytes),
        }
    }

    fn fold_input(&mut self, entry: &Decoded) -> Result<(), RecoverError> {
        // Phase 1 lives in a ledger of its own that ends with its session.
        if entry.kind == "shadow-report" {
            return Ok(());
        }
        match Input::decode(entry)? {
            Input::Started(start) => {
                self.identify(&start, entry.place.at.wall)
                    .map_err(|refusal| RecoverError::Statement(refusal.cause()))?;
                self.restart();
            }
            Input::Statement { signed, .. } | Input::OpenSession { approval: signed, .. } => {
                self.unfolded = Some(signed);
            }
            Input::Tighten { limits, .. } => self.unfolded_limits = Some(limits),
            // Each of them has used up a number, whatever became of it.
            Input::Person(_) => self.person_orders = self.person_orders.saturating_add(1),
            Input::NotSent { cl_ord_id, .. } => self.fold_move(cl_ord_id, Ledger::not_sent),
            Input::AmendNotSent { cl_ord_id, .. } => {
                self.fold_move(cl_ord_id, Ledger::amend_failed);
            }
            Input::Lost { cl_ord_id } => self.fold_move(cl_ord_id, Ledger::lost),
            Input::VenueLink { up: false, .. } => drop(self.lose_pending()),
            // A report that could not be booked then cannot be booked now; the fault is on record.
            Input::Report(report) => drop(self.account.book(&report)),
            Input::Account(snapshot) => {
                for fill in snapshot.fills.iter().filter(|fill| is_trade(fill)) {
                    drop(self.account.book(fill));
                }
                // As with fills: what could not be booked then is on record as a fault.
                for entry in &snapshot.ledger {
                    let _booked: bool = self.account.book_entry(entry).is_ok();
                }
                self.note_ledger_read(&snapshot);
                drop(self.believe_open_orders(&snapshot));
            }
            Input::Draft { .. }
            | Input::CloseSession { .. }
            | Input::Note { .. }
            | Input::EpochRaised { .. }
            | Input::Tick
            | Input::PluginReady { .. }
            | Input::PluginReply { .. }
            | Input::PluginFailed { .. }
            | Input::Sent { .. }
            | Input::AmendSent { .. }
            | Input::VenueLink { up: true, .. }
            | Input::VenueStatus { .. }
            | Input::Market(_)
            | Input::ExplainFinding { .. }
            | Input::ConfirmFinding { .. }
            | Input::Host(_)
            | Input::EpochEnds(_)
            // Beats and readings of a clock are about the run in which they came.
            | Input::Beat { .. }
            | Input::Cosigned { .. }
            | Input::Copied { .. }
            | Input::VenueClock { .. }
            | Input::Stop { .. } => {}
        }
        Ok(())
    }

    fn fold_outcome(&mut self, entry: &Decoded, bytes: &[u8]) -> Result<(), RecoverError> {
        let mut body = Fields::new(&entry.body)?;
        match entry.kind.as_str() {
            "statement-accepted" => self.fold_statement(entry)?,
            "drafted" => {
                let journal = JournalBinding::from_value(body.value("journal")?)?;
                self.draft(body.name("session")?, journal);
            }
            "session-opened" => {
                self.fold_approval(entry)?;
                self.burned.insert(body.text("nonce")?.to_owned());
                self.session_begun(&body.name("session")?);
            }
            "tightened" => {
                let missing = || RecoverError::Statement("tightened by nobody".into());
                let limits = self.unfolded_limits.take().ok_or_else(missing)?;
                self.limits_tightened(&limits)?;
                self.fold_tightened(&entry.corr)?;
            }
            "session-closed" => self.session_ended(body.name("session")?),
            "ordered" if !body.bool("shadow")? => self.fold_order(&mut body)?,
            "proposed" => drop(self.unreleased.insert(order_of(entry)?)),
            "proposal-ended" => drop(self.unreleased.remove(&order_of(entry)?)),
            "noted" => self.fold_note(&entry.body)?,
            "reckoned" => self.fold_reckoned(&mut body)?,
            "amend-requested" if !body.bool("shadow")? => {
                self.fold_amend(order_of(entry)?, &mut body)?;
            }
            "cancel-requested" => self.fold_move(order_of(entry)?, |ledger, id| {
                ledger.advance(id, OrderEvent::CancelRequested)
            }),
            "protection-lost" | "protection-released" => {
                self.fold_protection(order_of(entry)?, &mut body)?;
            }
            "order-overdue" => self.fold_move(order_of(entry)?, Ledger::lost),
            "order-dead" => self.fold_move(order_of(entry)?, Ledger::dead),
            "balances-adopted" => self.account.adopt_balances(amounts(body.object("balances")?)?),
            "killed" => {
                self.kill_seq = body.uint("kill_seq")?;
                self.kill = Some(Kill {
                    seq: self.kill_seq,
                    entry: Digest::of(bytes),
                    reason: entry.reason.clone(),
                    clearing: Clearing::default(),
                });
            }
            "orders-clear" => {
                if let Some(kill) = &mut self.kill {
                    kill.clearing.clear = true;
                }
            }
            "unkilled" => self.returned_at = Some(entry.place.at.wall),
            "stopped" => self.fold_stop(&mut body, entry, bytes)?,
            "stop-clear" => {
                if let Some(standing) = self.stops.standing.get_mut(&body.uint("stop_seq")?) {
                    standing.clearing.clear = true;
                }
            }
            "triggered" => {
                let bad = || RecoverError::Entry(EntryError::Value("triggered"));
                self.watch.fired.insert(Trigger::from_code(&entry.reason).ok_or_else(bad)?);
            }
            // The rest is reconciliation's, or what only people read.
            other => self.fold_recon(other, &mut body)?,
        }
        Ok(())
    }

    fn fold_reckoned(&mut self, body: &mut Fields<'_>) -> Result<(), RecoverError> {
        let mut money = |key| money_or_null(body.value(key)?);
        let (bases, profit) = ((money("base_day")?, money("base_week")?), money("profit")?);
        self.account.across.restore(body.int("day")?, bases, profit);
        self.recorded_profit = profit;
        Ok(())
    }

    /// What was tightened within a session holds for its closing rights too.
    fn fold_tightened(&mut self, session: &str) -> Result<(), RecoverError> {
        let held = self.limits_in_force.as_ref().map(|held| held.limits().clone());
        let gate = self.closing.as_mut().filter(|gate| gate.approval().session.as_str() == session);
        let (Some(gate), Some(limits)) = (gate, held) else { return Ok(()) };
        let looser = |_looser| RecoverError::Statement("tightened to looser limits".into());
        gate.tighten(limits).map_err(looser)
    }

    fn fold_amend(&mut self, id: ClOrdId, body: &mut Fields<'_>) -> Result<(), RecoverError> {
        let (qty, price) = terms(body.value("after")?)?;
        let growth = money_or_null(body.value("growth")?)?;
        self.account.across.approved(self.place.at.wall, growth);
        self.fold_move(id, |ledger, cl_ord_id| ledger.amend(Amendment { cl_ord_id, qty, price }));
        Ok(())
    }

    /// A mode or scope that cannot be read is no stop less: the journal is refused.
    fn fold_stop(
        &mut self,
        body: &mut Fields<'_>,
        entry: &Decoded,
        bytes: &[u8],
    ) -> Result<(), RecoverError> {
        let bad = |what| RecoverError::Entry(EntryError::Value(what));
        let mode = StopMode::from_name(body.text("mode")?).ok_or_else(|| bad("mode"))?;
        let scope = StopScope::parse(body.text("scope")?).ok_or_else(|| bad("scope"))?;
        let standing = Standing {
            stop: Stop { mode, scope },
            entry: Digest::of(bytes),
            reason: entry.reason.clone(),
            clearing: Clearing::default(),
        };
        self.stops.stand(body.uint("stop_seq")?, standing);
        Ok(())
    }

    /// Verifies again what was accepted then, at the time it was accepted.
    fn fold_statement(&mut self, entry: &Decoded) -> Result<(), RecoverError> {
        let missing = || RecoverError::Statement("accepted without having been received".into());
        let signed = self.unfolded.take().ok_or_else(missing)?;
        let verified = self
            .verify(&signed, entry.place.at.wall)
            .map_err(|(code, cause)| RecoverError::Statement(format!("{code}: {cause}")))?;
        // What a release led to stands in the entries after it.
        drop(self.admit(verified, &signed, entry.place.at.wall));
        Ok(())
    }

    /// The instruments that the session's approval fixed, whose units its orders are in; and its
    /// closing rights, which are all that a restart leaves of a session.
    fn fold_approval(&mut self, entry: &Decoded) -> Result<(), RecoverError> {
        let missing = || RecoverError::Statement("opened without an approval".into());
        let signed = self.unfolded.take().ok_or_else(missing)?;
        let verified = self
            .verify(&signed, entry.place.at.wall)
            .map_err(|(code, cause)| RecoverError::Statement(format!("{code}: {cause}")))?;
        let digest = verified.digest();
        let approval = verified.into_session_approval().ok_or_else(missing)?;
        for instrument in &approval.item().instruments {
            self.instruments.insert(instrument.symbol.clone(), instrument.clone());
        }
        self.limits_opened(approval.item());
        if grants_closing_rights(approval.item().phase) {
            self.file(&signed, digest, entry.place.at.wall);
            self.grant_closing(Gate::closing(approval));
        }
        Ok(())
    }

    fn fold_order(&mut self, body: &mut Fields<'_>) -> Result<(), RecoverError> {
        let bad = RecoverError::Entry(EntryError::Value("ordered"));
        let id = ClOrdId::parse(body.text("cl_ord_id")?).ok_or_else(|| bad.clone())?;
        let instrument = self.instruments.get(body.text("symbol")?).ok_or_else(|| bad.clone())?;
        let intent = order_intent(body.value("intent")?)?;
        let reserve_px = Px::new(body.int("reserve_px")?).ok_or(bad)?;
        // Entries from before days were counted say nothing of it.
        if let Some(value) = body.optional("value") {
            self.account.across.approved(self.place.at.wall, money_or_null(value)?);
        }
        self.unreleased.remove(&id);
        let slice = intent.origin == Origin::House;
        let order = Order::new(id, intent, reserve_px);
        self.account.issue(order.clone(), instrument)?;
        self.note_bracket(&order);
        if slice {
            self.reopen_clearing(id);
        }
        Ok(())
    }

    /// Orders that are not in the account's ledger belonged to a phase-1 session. A move that the
    /// order table refuses was refused then too, and the fault is on record.
    fn fold_move(
        &mut self,
        id: ClOrdId,
        step: impl FnOnce(&mut Ledger, ClOrdId) -> Result<OrdStatus, OrderFault>,
    ) {
        if self.account.orders.get(id).is_some() {
            let _moved: bool = step(&mut self.account, id).is_ok();
        }
    }

    /// What every start does to what came before it: open sessions crashed, unconfirmed orders
    /// are unknown.
    pub(crate) fn restart(&mut self) {
        self.end_run();
        let mut crashed = Vec::new();
        let open = |(_, state): &(&_, &mut SessionState)| **state == SessionState::Open;
        for (session, state) in self.sessions.iter_mut().filter(open) {
            *state = SessionState::Crashed;
            crashed.push(session.clone());
        }
        for session in &crashed {
            self.await_seal(session);
        }
        if !crashed.is_empty() {
            self.epoch_over();
        }
        drop(self.lose_pending());
        self.brackets.clear();
    }

    /// The process has ended. Whatever is not named here was about its run, and begins anew: a
    /// core that read the run's entries never knew of it, one that read a snapshot did.
    pub(crate) fn end_run(&mut self) {
        let before = std::mem::take(self);
        let (mut kill, mut stops) = (before.kill, before.stops);
        let clearings = stops.standing.values_mut().map(|standing| &mut standing.clearing);
        for clearing in clearings.chain(kill.as_mut().map(|kill| &mut kill.clearing)) {
            *clearing = Clearing { clear: clearing.clear, ..Clearing::default() };
        }
        *self = Self {
            identity: before.identity,
            burned: before.burned,
            releases: before.releases,
            endpoints: before.endpoints,
            papers: before.papers,
            endpoint: before.endpoint,
            drafts: before.drafts,
            sessions: before.sessions,
            unsealed: before.unsealed,
            kill,
            kill_seq: before.kill_seq,
            stops,
            returned_at: before.returned_at,
            watch: before.watch.outlived(),
            account: before.account,
            instruments: before.instruments,
            limits_in_force: before.limits_in_force,
            opened: before.opened,
            closing: before.closing,
            unreleased: before.unreleased,
            person_orders: before.person_orders,
            recorded_profit: before.recorded_profit,
            unprotected: before.unprotected,
            brackets: before.brackets,
            recon: before.recon.outlived(),
            place: before.place,
            epoch: before.epoch.map(Epoch::unasked),
            ended: before.ended,
            ..Self::default()
        };
    }
}

/// The order that an outcome belongs to.
fn order_of(entry: &Decoded) -> Result<ClOrdId, RecoverError> {
    ClOrdId::parse(&entry.corr).ok_or(RecoverError::Entry(EntryError::Value("corr")))
}
