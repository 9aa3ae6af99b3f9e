//! The kill latch and the way to `ORDERS_CLEAR`.

use portcullis_domain::order::OrderEvent;
use portcullis_domain::{ClOrdId, Origin};
use portcullis_gate::approve_cancel;

use crate::effect::{Answer, Effect};
use crate::input::{AccountSnapshot, EpochCause};
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

impl Core {
    pub(crate) fn on_epoch_raised(&mut self, epoch: u64, cause: &EpochCause, turn: &mut Turn) {
        // Submits carry this number from now on, once no lower one is missing; whatever was
        // approved under a lower one is dropped by the writer.
        self.epochs.hear(epoch);
        match cause {
            EpochCause::Kill { .. } => {
                // Also the second pull ends a run: whoever pulls it wants nothing to leave.
                self.end_flatten("KILL_ACTIVE", turn);
                self.fall(cause, turn);
            }
            EpochCause::Stop { .. } => self.on_stop_raised(cause, turn),
            EpochCause::PluginStopped | EpochCause::SessionEnd | EpochCause::Tightened => {}
        }
    }

    /// Takes every open order back, the account's and those of phase 1.
    pub(crate) fn cancel_everything(&mut self, cause: &'static str, turn: &mut Turn) {
        self.cancel_open(cause, turn);
        if self.is_shadow() && self.has_sent() {
            self.cancel_whole_account(turn);
            self.cancel_each(&open_orders(&self.account), cause, turn);
        }
    }

    /// Takes the session's open orders back, one by one and, at a venue, by one cancel-all as
    /// well.
    pub(crate) fn cancel_open(&mut self, cause: &'static str, turn: &mut Turn) {
        if !self.is_shadow() {
            self.cancel_whole_account(turn);
        }
        self.cancel_each(&open_orders(self.ledger()), cause, turn);
    }

    /// One cancel for all, unless somebody else's order rests on the account: then ours are taken
    /// back one by one, and nobody else's (D16).
    fn cancel_whole_account(&self, turn: &mut Turn) {
        if !self.recon.foreign {
            turn.effect(Effect::CancelAll);
        }
        turn.effect(Effect::ReadAccount);
    }

    fn cancel_each(&mut self, open: &[ClOrdId], cause: &'static str, turn: &mut Turn) {
        for id in open {
            self.cancel(*id, cause, turn);
        }
    }

    /// Whether this journal ever let an order out of the house.
    fn has_sent(&self) -> bool {
        self.account.orders.iter().next().is_some()
    }

    /// Takes one order back. Legal in every state of the kernel, for any id that we issued.
    pub(crate) fn cancel(&mut self, id: ClOrdId, cause: &'static str, turn: &mut Turn) {
        let shadow = self.is_shadow_order(id);
        let Some(order) = self.ledger_of(id).orders.get(id) else { return };
        let Ok(request) = approve_cancel(order, Origin::House, false) else { return };
        turn.record(&Outcome::CancelRequested { cl_ord_id: id, cause });
        if !shadow {
            self.withdrawn.insert(id);
        }
        if let Err(fault) = self.ledger_of_mut(id).advance(id, OrderEvent::CancelRequested) {
            return turn.fault(fault);
        }
        turn.effect(if shadow { Effect::ShadowCancel(id) } else { Effect::Cancel(request) });
    }

    /// Waits for two empty reads of the venue after a kill, a second apart, and not before the
    /// last order that may still be on its way has run into its own deadline.
    pub(crate) fn watch_clearing(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        // While a plan is being carried out its slices come and go.
        if self.flatten.is_some() {
            return;
        }
        let now = turn.now.wall;
        let resting = self.account.orders.open().next().is_some();
        let listed = snapshot.open_orders.iter().any(|order| order.cl_ord_id.is_some());
        let empty = self.asked_past_deadlines(snapshot, turn.now) && !resting && !listed;
        if self.kill.as_mut().is_some_and(|kill| kill.clearing.seen(empty, now)) {
            self.orders_clear("CONFIRMED_TWICE", turn);
        }
        self.watch_stops(snapshot, turn);
    }

    /// Where no order ever left the house and no venue is linked, nobody can be asked and nothing
    /// can rest: after a kill all is clear once the orders of phase 1 have ended.
    pub(crate) fn clear_what_never_left(&mut self, turn: &mut Turn) {
        if self.venue_up || self.has_sent() {
            return;
        }
        let waits = self.kill.as_ref().is_some_and(|kill| !kill.clearing.clear);
        if waits && self.ledger().orders.open().next().is_none() {
            self.orders_clear("NOTHING_EVER_SENT", turn);
        }
        self.clear_stops_of_phase_one(turn);
    }

    fn orders_clear(&mut self, proof: &'static str, turn: &mut Turn) {
        let Some(kill) = self.kill.as_mut() else { return };
        kill.clearing.clear = true;
        let kill_seq = kill.seq;
        turn.record(&Outcome::OrdersClear { kill_seq, proof });
        for request in std::mem::take(&mut kill.clearing.waiting) {
            turn.effect(Effect::Answer { request, answer: Answer::OrdersClear { kill_seq } });
        }
    }
}

fn open_orders(ledger: &Ledger) -> Vec<ClOrdId> {
    ledger.orders.open().map(|order| order.cl_ord_id).collect()
}
