//! Reconciliation: the account as the venue states it against the account as the house knows it.

use std::collections::BTreeMap;

use portcullis_domain::order::OrderEvent;
use portcullis_domain::{ClOrdId, Money, OrdStatus};
use portcullis_statement::json::Value;

use crate::effect::Effect;
use crate::input::{AccountSnapshot, EpochCause};
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

impl Core {
    pub(crate) fn on_account(&mut self, snapshot: AccountSnapshot, turn: &mut Turn) {
        for fill in &snapshot.fills {
            let booked = match &fill.exec_type {
                portcullis_domain::ExecType::Trade { exec_id, .. } => {
                    self.account.orders.has_execution(exec_id)
                }
                _ => true,
            };
            if !booked {
                self.on_report(fill, turn);
            }
        }
        let found = self.believe_open_orders(&snapshot);
        self.bury_dead_orders(&snapshot, turn);
        if self.account.balances().is_none() {
            let pairs = snapshot.balances.iter();
            let pairs = pairs.map(|(currency, amount)| (currency.clone(), amount.text().into()));
            turn.record(&Outcome::BalancesAdopted { balances: Value::Object(pairs.collect()) });
            self.account.adopt_balances(snapshot.balances.clone());
        }
        self.compare(&snapshot, found, turn);
        if self.kill.as_ref().is_some_and(|kill| !kill.clear) && !snapshot.open_orders.is_empty() {
            self.cancel_everything("KILL_ACTIVE", turn);
        }
        self.watch_clearing(&snapshot, turn);
    }

    /// Orders of ours that the venue lists are alive, whatever we believed.
    pub(crate) fn believe_open_orders(&mut self, snapshot: &AccountSnapshot) -> Vec<String> {
        let mut found = Vec::new();
        for id in snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id) {
            let Some(order) = self.account.orders.get(id) else { continue };
            if matches!(order.status, OrdStatus::Unknown | OrdStatus::PendingNew) {
                // The table admits `New` from both states, so there is no failure to handle.
                if self.account.advance(id, OrderEvent::New).is_ok() {
                    found.push(id.to_string());
                }
            }
        }
        found
    }

    /// An order of unknown fate is dead once its venue deadline is past and the venue, asked
    /// after that, does not have it.
    fn bury_dead_orders(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        if turn.now.wall <= self.venue_deadline_last {
            return;
        }
        let listed = |id: ClOrdId| snapshot.open_orders.iter().any(|o| o.cl_ord_id == Some(id));
        let dead: Vec<ClOrdId> = self
            .account
            .orders
            .open()
            .filter(|order| matches!(order.status, OrdStatus::Unknown | OrdStatus::PendingCancel))
            .map(|order| order.cl_ord_id)
            .filter(|id| !listed(*id))
            .collect();
        for id in dead {
            turn.record(&Outcome::OrderDead { cl_ord_id: id });
            if let Err(fault) = self.account.advance(id, OrderEvent::Expired) {
                self.on_fault(fault, turn);
            }
        }
    }

    /// Compares, exactly. A difference counts when two reads in a row show it, since a read and
    /// the reports cross on the way; the first read of a run counts at once.
    fn compare(&mut self, snapshot: &AccountSnapshot, found: Vec<String>, turn: &mut Turn) {
        let seen = self.differences_to(snapshot);
        let clone = seen.iter().any(|text| text.starts_with(OUR_ID_UNKNOWN));
        let confirmed: Vec<String> = match &self.differences {
            None => seen.clone(),
            Some(_) => seen.iter().filter(|text| self.suspects.contains(text)).cloned().collect(),
        };
        self.suspects = seen;
        let unchanged = self.differences.as_ref() == Some(&confirmed);
        if !unchanged || !found.is_empty() {
            let differences = confirmed.clone();
            turn.record(&Outcome::Reconciled { found, differences });
        }
        self.differences = Some(confirmed);
        if clone {
            // An order with our prefix that this journal never issued: a clone or a rollback.
            let (who, reason) = ("kernel".to_owned(), OUR_ID_UNKNOWN.to_owned());
            let cause = EpochCause::Kill { who, reason, request: None };
            if self.kill.is_none() {
                turn.effect(Effect::RaiseEpoch(cause));
            }
        }
    }

    fn differences_to(&self, snapshot: &AccountSnapshot) -> Vec<String> {
        let mut differences = Vec::new();
        for order in &snapshot.open_orders {
            match order.cl_ord_id {
                Some(id) if self.account.orders.get(id).is_none() => {
                    differences.push(format!("{OUR_ID_UNKNOWN}: {id}"));
                }
                Some(_) => {}
                None => differences.push(format!("FOREIGN_ORDER: {}", order.order_id.0)),
            }
        }
        for order in self.account.orders.open() {
            let settled = matches!(order.status, OrdStatus::New | OrdStatus::PartiallyFilled);
            let id = order.cl_ord_id;
            if settled && !snapshot.open_orders.iter().any(|o| o.cl_ord_id == Some(id)) {
                differences.push(format!("MISSING_AT_VENUE: {id}"));
            }
        }
        differences.extend(self.balance_differences(&snapshot.balances));
        differences
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
        if up {
            turn.effect(Effect::ReadAccount);
        } else {
            self.lose_pending();
        }
    }

    /// Whatever the venue had not confirmed is unknown from here on, and is never sent again.
    pub(crate) fn lose_pending(&mut self) {
        let pending: Vec<ClOrdId> = self
            .account
            .orders
            .open()
            .filter(|o| matches!(o.status, OrdStatus::PendingNew | OrdStatus::PendingCancel))
            .map(|order| order.cl_ord_id)
            .collect();
        for id in pending {
            // The table admits `Lost` from both states.
            let lost = self.account.advance(id, OrderEvent::Lost);
            debug_assert!(lost.is_ok(), "the order table admits Lost from pending states");
        }
    }
}

const OUR_ID_UNKNOWN: &str = "OUR_ID_UNKNOWN";
