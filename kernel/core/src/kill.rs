//! The kill latch and the way to `ORDERS_CLEAR`.

use portcullis_domain::ClOrdId;
use portcullis_domain::order::OrderEvent;
use portcullis_gate::approve_cancel;

use crate::effect::{Answer, Effect};
use crate::input::{AccountSnapshot, EpochCause};
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

impl Core {
    pub(crate) fn on_epoch_raised(&mut self, epoch: u64, cause: EpochCause, turn: &mut Turn) {
        // Submits carry this number from now on; whatever was approved under a lower one is
        // dropped by the writer.
        self.epoch = self.epoch.max(epoch);
        match cause {
            EpochCause::Kill { .. } => self.fall(&cause, turn),
            EpochCause::PluginStopped | EpochCause::SessionEnd => {}
        }
    }

    /// Takes every open order back, one by one and, at a venue, by one cancel-all as well.
    pub(crate) fn cancel_everything(&mut self, cause: &'static str, turn: &mut Turn) {
        let open: Vec<ClOrdId> = self.ledger().orders.open().map(|o| o.cl_ord_id).collect();
        if !self.is_shadow() {
            turn.effect(Effect::CancelAll);
            turn.effect(Effect::ReadAccount);
        }
        for id in open {
            self.cancel(id, cause, turn);
        }
    }

    /// Takes one order back. Legal in every state of the kernel, for any id that we issued.
    pub(crate) fn cancel(&mut self, id: ClOrdId, cause: &'static str, turn: &mut Turn) {
        let shadow = self.is_shadow();
        let Some(order) = self.ledger().orders.get(id) else { return };
        let Some(request) = approve_cancel(order) else { return };
        turn.record(&Outcome::CancelRequested { cl_ord_id: id, cause });
        if let Err(fault) = self.ledger_mut().advance(id, OrderEvent::CancelRequested) {
            return self.on_fault(fault, turn);
        }
        turn.effect(if shadow { Effect::ShadowCancel(id) } else { Effect::Cancel(request) });
    }

    /// Counts empty reads of the venue after a kill: two, and not before the last order that may
    /// still be on its way has run into its own deadline.
    pub(crate) fn watch_clearing(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        let late = turn.now.wall <= self.venue_deadline_last;
        let resting = self.account.orders.open().next().is_some();
        let Some(kill) = self.kill.as_mut().filter(|kill| !kill.clear) else { return };
        if late || resting || !snapshot.open_orders.is_empty() {
            kill.empty_reads = 0;
            turn.effect(Effect::ReadAccount);
            return;
        }
        kill.empty_reads = kill.empty_reads.saturating_add(1);
        if kill.empty_reads < 2 {
            turn.effect(Effect::ReadAccount);
            return;
        }
        kill.clear = true;
        let kill_seq = kill.seq;
        turn.record(&Outcome::OrdersClear { kill_seq });
        for request in std::mem::take(&mut kill.waiting) {
            turn.effect(Effect::Answer { request, answer: Answer::OrdersClear { kill_seq } });
        }
    }
}
