//! Reconciliation: the account as the venue states it against the account as the house knows it.

use std::collections::BTreeMap;

use portcullis_domain::order::OrderEvent;
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{ClOrdId, ExecType, ExecutionReport, Money, OrdStatus, Order, Qty};
use portcullis_statement::json::Value;

use crate::effect::Effect;
use crate::input::AccountSnapshot;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

const OUR_ID_UNKNOWN: &str = "OUR_ID_UNKNOWN";

/// Between two reads of the venue while all is well.
const READ_PAUSE_NS: i64 = 10 * NS_PER_S;
/// Between two reads of the venue while something waits for its answer.
pub(crate) const READ_PAUSE_UNSETTLED_NS: i64 = NS_PER_S;

impl Core {
    pub(crate) fn on_account(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        self.account_read = Some(turn.now.boot);
        // Executions that are booked already are compared and change nothing.
        for fill in snapshot.fills.iter().filter(|fill| is_trade(fill)) {
            self.on_report(fill, turn);
        }
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
        let found = found.iter().map(ToString::to_string).collect();
        self.compare(snapshot, found, turn);
        if self.kill.as_ref().is_some_and(|kill| !kill.clear) && !snapshot.open_orders.is_empty() {
            self.cancel_everything("KILL_ACTIVE", turn);
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
            if self.withdrawn.contains(&id) {
                self.cancel(id, "STILL_LISTED", turn);
            }
        }
    }

    /// Whether nothing waits for the venue's next word.
    fn is_settled(&self) -> bool {
        let unknown = |order: &Order| order.status == OrdStatus::Unknown;
        let clearing = self.kill.as_ref().is_some_and(|kill| !kill.clear);
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

    /// An order of unknown fate is dead once its venue deadline is past and the venue, asked
    /// after that, does not have it.
    fn bury_dead_orders(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        if !self.past_venue_deadlines(turn.now.wall) {
            return;
        }
        let listed = |id: ClOrdId| snapshot.open_orders.iter().any(|o| o.cl_ord_id == Some(id));
        let dead: Vec<ClOrdId> = self
            .account
            .orders
            .open()
            .filter(|order| self.may_be_dead(order))
            .map(|order| order.cl_ord_id)
            .filter(|id| !listed(*id))
            .collect();
        for id in dead {
            turn.record(&Outcome::OrderDead { cl_ord_id: id });
            let moved = self.account.dead(id);
            self.on_moved(id, moved, turn);
        }
    }

    /// Whether an order that the venue does not list may be taken for dead: its fate is unknown, or
    /// it was missing at the reading before as well and no session is open that could have been
    /// told otherwise. In a session a vanished order stays a difference, and blocks.
    fn may_be_dead(&self, order: &Order) -> bool {
        match order.status {
            OrdStatus::Unknown | OrdStatus::PendingCancel => true,
            OrdStatus::New | OrdStatus::PartiallyFilled => {
                self.live.is_none() && self.suspects.contains(&missing(order.cl_ord_id))
            }
            OrdStatus::PendingNew
            | OrdStatus::Filled
            | OrdStatus::Canceled
            | OrdStatus::Rejected
            | OrdStatus::Expired
            | OrdStatus::Unsent => false,
        }
    }

    /// Compares, exactly. A difference counts when two reads in a row show it, since a read and
    /// the reports cross on the way; the first read of a run counts at once.
    fn compare(&mut self, snapshot: &AccountSnapshot, found: Vec<String>, turn: &mut Turn) {
        let seen = self.differences_to(snapshot);
        let clone = seen.iter().any(|text| text.starts_with(OUR_ID_UNKNOWN));
        let first = self.differences.is_none();
        let known = |text: &&String| first || self.suspects.contains(subject(text));
        let confirmed: Vec<String> = seen.iter().filter(known).cloned().collect();
        self.suspects = seen.iter().map(|text| subject(text).to_owned()).collect();
        let unchanged = self.differences.as_ref() == Some(&confirmed);
        if !unchanged || !found.is_empty() {
            let differences = confirmed.clone();
            turn.record(&Outcome::Reconciled { found, differences });
        }
        self.differences = Some(confirmed);
        if clone && self.kill.is_none() {
            // An order with our prefix that this journal never issued: a clone or a rollback.
            turn.kill(OUR_ID_UNKNOWN);
        }
    }

    fn differences_to(&self, snapshot: &AccountSnapshot) -> Vec<String> {
        let mut differences = Vec::new();
        for order in &snapshot.open_orders {
            match order.cl_ord_id {
                Some(id) if self.account.orders.get(id).is_none() => {
                    differences.push(format!("{OUR_ID_UNKNOWN}: {id}"));
                }
                Some(id) => differences.extend(self.leaves_difference(id, order.leaves_qty)),
                None => differences.push(format!("FOREIGN_ORDER: {}", order.order_id.0)),
            }
        }
        for order in self.account.orders.open() {
            let settled = matches!(order.status, OrdStatus::New | OrdStatus::PartiallyFilled);
            let id = order.cl_ord_id;
            if settled && !snapshot.open_orders.iter().any(|o| o.cl_ord_id == Some(id)) {
                differences.push(missing(id));
            }
        }
        differences.extend(self.balance_differences(&snapshot.balances));
        differences
    }

    /// A quantity left that only one side knows is a fill that only one side has booked.
    fn leaves_difference(&self, id: ClOrdId, venue: Qty) -> Option<String> {
        let order = self.account.orders.get(id)?;
        let (ours, venue) = (order.leaves_qty().units(), venue.units());
        (ours != venue).then(|| format!("LEAVES {id}: house {ours}, venue {venue}"))
    }

    fn balance_differences(&self, venue: &BTreeMap<String, Money>) -> Vec<String> {
        let nothing = BTreeMap::new();
        let ours = self.account.balances().unwrap_or(&nothing);
        let amount = |side: &BTreeMap<String, Money>, currency: &String| {
            side.get(currency).copied().unwrap_or(Money::ZERO)
        };
        let mut currencies: Vec<&String> = ours.keys().chain(venue.keys()).collect();
        currencies.sort();
        currencies.dedup();
        currencies
            .into_iter()
            .filter(|currency| amount(ours, currency) != amount(venue, currency))
            .map(|currency| {
                let (ours, venue) = (amount(ours, currency).text(), amount(venue, currency).text());
                format!("BALANCE {currency}: house {ours}, venue {venue}")
            })
            .collect()
    }

    pub(crate) fn on_venue_link(&mut self, up: bool, turn: &mut Turn) {
        self.venue_up = up;
        // What the venue said about itself was said on the line that is gone or new.
        self.venue_status = None;
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
            .filter(|o| matches!(o.status, OrdStatus::PendingNew | OrdStatus::PendingCancel))
            .map(|order| order.cl_ord_id)
            .collect();
        // The table admits `Lost` from both states, so none of them stays behind.
        let mut lost = |id: &ClOrdId| self.account.lost(*id).is_ok();
        pending.into_iter().filter(|id| lost(id)).collect()
    }
}

pub(crate) fn is_trade(report: &ExecutionReport) -> bool {
    matches!(report.exec_type, ExecType::Trade { .. })
}

/// An order that is open in the house and not at the venue.
fn missing(id: ClOrdId) -> String {
    format!("MISSING_AT_VENUE: {id}")
}

/// What a difference is about, without the figures: these move while the market does.
fn subject(difference: &str) -> &str {
    difference.split_once(": house").map_or(difference, |(subject, _)| subject)
}
