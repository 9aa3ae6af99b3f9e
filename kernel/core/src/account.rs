//! Reconciliation: the account as the venue states it against the account as the house knows it.

use std::collections::BTreeSet;

use portcullis_domain::order::OrderEvent;
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{ClOrdId, ExecType, ExecutionReport, OrdStatus, Order, WallNs};
use portcullis_statement::json::Value;

use crate::effect::Effect;
use crate::input::AccountSnapshot;
use crate::ledger::waits_for_answer;
use crate::outcome::Outcome;
use crate::recon::{DifferenceKind, fill_differences};
use crate::state::{Core, Turn};
use crate::submit::past_at;

/// Between two reads of the venue while all is well.
const READ_PAUSE_NS: i64 = 10 * NS_PER_S;
/// Between two reads of the venue while something waits for its answer.
pub(crate) const READ_PAUSE_UNSETTLED_NS: i64 = NS_PER_S;

impl Core {
    pub(crate) fn on_account(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        self.account_read = Some(turn.now.boot);
        let of_fills = fill_differences(&self.reading(snapshot, turn.now));
        // Executions that are booked already are compared and change nothing.
        for fill in snapshot.fills.iter().filter(|fill| is_trade(fill)) {
            let said = self.kill.is_some() && self.is_impossible(fill);
            if !said && !self.is_shadow_order(fill.cl_ord_id) {
                self.on_report(fill, turn);
            }
        }
        let late = self.book_entries(snapshot, turn);
        let found = self.believe_open_orders(snapshot);
        for id in &found {
            self.tell_order(*id, turn);
        }
        self.bury_dead_orders(snapshot, turn);
        if self.account.balances().is_none() {
            let pairs = snapshot.balances.iter();
            let pairs = pairs.map(|(currency, amount)| (currency.clone(), amount.text().into()));
            turn.record(&Outcome::BalancesAdopted { balances: Value::Object(pairs.collect()) });
            self.account.adopt_balances(snapshot.balances.clone());
        }
        self.remember(snapshot, turn.now);
        let found = found.iter().map(ToString::to_string).collect();
        self.judge(snapshot, (of_fills, late), found, turn);
        let ours = snapshot.open_orders.iter().any(|order| order.cl_ord_id.is_some());
        let killed = self.kill.as_ref().is_some_and(|kill| !kill.clearing.clear);
        let whole = self.stops.unclear().any(|(_, standing)| standing.stop.scope.is_whole());
        if (killed || whole) && self.flatten.is_none() && ours {
            self.cancel_everything(if killed { "KILL_ACTIVE" } else { "STOP_ACTIVE" }, turn);
        } else {
            self.cancel_again(snapshot, turn);
        }
        self.watch_clearing(snapshot, turn);
        let pause = if self.is_settled() { READ_PAUSE_NS } else { READ_PAUSE_UNSETTLED_NS };
        self.read_due = Some(turn.now.wall.plus_ns(pause));
    }

    /// A cancel can be lost on the way, or come before its order: whatever was to be taken back
    /// and is still listed is asked for again.
    fn cancel_again(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        let listed: Vec<ClOrdId> =
            snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id).collect();
        let orders = &self.account.orders;
        self.withdrawn.retain(|id| orders.get(*id).is_some_and(|order| order.status.is_open()));
        for id in listed {
            if self.withdrawn.contains(&id) || self.is_stopped(id) {
                self.cancel(id, "STILL_LISTED", turn);
            }
        }
    }

    /// Whether nothing waits for the venue's next word.
    fn is_settled(&self) -> bool {
        let unknown = |order: &Order| order.status == OrdStatus::Unknown;
        let clearing = self.kill.as_ref().is_some_and(|kill| !kill.clearing.clear)
            || self.stops.unclear().next().is_some();
        self.suspects.is_empty()
            && self.withdrawn.is_empty()
            && !clearing
            && !self.account.orders.open().any(unknown)
    }

    /// Reads the venue again when it is time to: reconciliation never ends while there is a link,
    /// and a read that is not answered is asked again.
    pub(crate) fn read_when_due(&mut self, turn: &mut Turn) {
        let now = turn.now.wall;
        if self.venue_up && self.read_due.is_some_and(|due| due <= now) {
            self.read_due = Some(now.plus_ns(READ_PAUSE_NS));
            turn.effect(Effect::ReadAccount);
        }
    }

    /// Orders of ours that the venue lists are alive, whatever we believed. Those whose fate was
    /// unknown are named, and on the first read of a run all of them: what a restart found.
    pub(crate) fn believe_open_orders(&mut self, snapshot: &AccountSnapshot) -> Vec<ClOrdId> {
        let mut found = Vec::new();
        for id in snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id) {
            let Some(order) = self.account.orders.get(id) else { continue };
            if matches!(order.status, OrdStatus::Unknown | OrdStatus::PendingNew) {
                // The table admits `New` from both states, so there is no failure to handle.
                if self.account.advance(id, OrderEvent::New).is_ok() {
                    found.push(id);
                }
            } else if self.differences.is_none() && order.status.is_open() {
                found.push(id);
            }
        }
        found
    }

    /// An order that the venue has not answered by its deadline has an unknown fate: the next
    /// reading of the account settles it.
    pub(crate) fn lose_overdue(&mut self, turn: &mut Turn) {
        while let Some(id) = self.unanswered.front().copied() {
            if self.waits_new(id) {
                if !self.past_venue_deadline(id, turn.now) {
                    return;
                }
                turn.record(&Outcome::OrderOverdue { cl_ord_id: id });
                let moved = self.account.lost(id);
                self.on_moved(id, moved, turn);
                turn.effect(Effect::ReadAccount);
            }
            self.unanswered.pop_front();
        }
    }

    /// When the next order without an answer is overdue.
    pub(crate) fn next_overdue(&self) -> Option<WallNs> {
        let id = self.unanswered.iter().find(|id| self.waits_new(**id))?;
        Some(past_at(*self.venue_deadlines.get(id)?, self.place.at))
    }

    fn waits_new(&self, id: ClOrdId) -> bool {
        self.account.orders.get(id).is_some_and(|order| order.status == OrdStatus::PendingNew)
    }

    /// An order of unknown fate is dead once the venue, asked after its deadline, does not have it.
    fn bury_dead_orders(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        // One that does not say when it was asked for proves the end of no order.
        let Some(asked) = snapshot.asked(turn.now) else { return };
        let listed: BTreeSet<ClOrdId> =
            snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id).collect();
        let dead: Vec<ClOrdId> = self
            .account
            .orders
            .open()
            .filter(|order| !listed.contains(&order.cl_ord_id) && self.may_be_dead(order))
            .map(|order| order.cl_ord_id)
            .filter(|id| self.past_venue_deadline(*id, asked))
            .collect();
        for id in dead {
            turn.record(&Outcome::OrderDead { cl_ord_id: id });
            let moved = self.account.dead(id);
            self.on_moved(id, moved, turn);
        }
        let orders = &self.account.orders;
        let open = |id| orders.get(id).is_some_and(|order| order.status.is_open());
        self.venue_deadlines.retain(|id, _| open(*id));
    }

    /// Whether an order that the venue does not list may be taken for dead: its fate is unknown, or
    /// it was missing at the reading before as well and no session is open that could have been
    /// told otherwise. In a session that trades a vanished order stays a difference, and blocks;
    /// one that is closing waits for its last order to end, and would wait for ever.
    fn may_be_dead(&self, order: &Order) -> bool {
        match order.status {
            OrdStatus::Unknown | OrdStatus::PendingCancel | OrdStatus::PendingReplace => true,
            OrdStatus::New | OrdStatus::PartiallyFilled => {
                self.live.as_ref().is_none_or(|live| live.closing.is_some())
                    && self.suspects.contains(&missing_there(order.cl_ord_id))
            }
            OrdStatus::PendingNew
            | OrdStatus::Filled
            | OrdStatus::Canceled
            | OrdStatus::Rejected
            | OrdStatus::Expired
            | OrdStatus::Unsent => false,
        }
    }

    pub(crate) fn on_venue_link(&mut self, up: bool, turn: &mut Turn) {
        self.venue_up = up;
        // What the venue said about itself was said on the line that is gone or new.
        self.venue_status = None;
        (self.recon.link_changed, self.recon.fresh) = (turn.now.wall, false);
        if up {
            self.read_due = Some(turn.now.wall.plus_ns(READ_PAUSE_NS));
            turn.effect(Effect::ReadAccount);
            return;
        }
        for id in self.lose_pending() {
            self.tell_order(id, turn);
        }
    }

    /// Whatever the venue had not confirmed is unknown from here on, and is never sent again.
    pub(crate) fn lose_pending(&mut self) -> Vec<ClOrdId> {
        let pending: Vec<ClOrdId> = self
            .account
            .orders
            .open()
            .filter(|order| waits_for_answer(order.status))
            .map(|order| order.cl_ord_id)
            .collect();
        // The table admits `Lost` from all these states, so none of them stays behind.
        let mut lost = |id: &ClOrdId| self.account.lost(*id).is_ok();
        pending.into_iter().filter(|id| lost(id)).collect()
    }
}

pub(crate) fn is_trade(report: &ExecutionReport) -> bool {
    matches!(report.exec_type, ExecType::Trade { .. })
}

/// What a difference about an order that the venue does not list is called.
fn missing_there(id: ClOrdId) -> String {
    format!("{} {id}", DifferenceKind::OrderMissingThere.code())
}
