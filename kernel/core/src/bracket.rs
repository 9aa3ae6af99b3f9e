//! Brackets: the exits that come with an entry. One cancels the other.
//!
//! No venue connector of this version hands a bracket to its venue, so the kernel holds it: the
//! target rests at the venue as a reduction, the stop is a price that the kernel watches. Nothing
//! of it survives the session or the kernel, and where that leaves a position without protection
//! it is said, in the journal and in the status.
//!
//! What is filled and what is left is read from the orders themselves, never counted beside them:
//! so it holds whichever way a fill became known.

mod leg;
mod record;
mod tend;

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{BootNs, Bracket, ClOrdId, Order, PluginId, Qty, SessionId};
use portcullis_gate::DenyCode;
use portcullis_statement::json::Fields;

use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::recover::RecoverError;
use crate::state::{Core, SessionState, Turn};

pub(crate) use leg::{Exit, LegRef};
pub use record::{BracketRecord, ProtectionEnd};

/// The exits of one entry.
#[derive(Clone, Debug)]
pub(crate) struct Legs {
    bracket: Bracket,
    /// Every order that was issued to exit, the oldest first.
    exits: Vec<(Exit, ClOrdId)>,
    /// The stop was crossed: from then on the position is left.
    fired: bool,
    /// Nothing is held, works or can fill. A fill that comes late wakes it.
    asleep: bool,
    /// An order of it moved since the target was last asked for.
    stirred: bool,
    /// Quote at which an exit was last asked for.
    asked: Option<BootNs>,
    /// Quote at which what stood in the stop's way was last taken back.
    cleared: Option<BootNs>,
    /// The last denial, so that each is told once.
    denied: Option<DenyCode>,
}

impl Legs {
    const fn new(bracket: Bracket) -> Self {
        Self {
            bracket,
            exits: Vec::new(),
            fired: false,
            asleep: false,
            stirred: true,
            asked: None,
            cleared: None,
            denied: None,
        }
    }
}

/// Where an entry and its exits stand.
#[derive(Clone, Copy, Debug)]
struct Measure {
    /// Filled of the entry and not yet exited.
    open: Qty,
    /// Filled of the entry and never covered by a target.
    uncovered: Qty,
    /// Whether an exit can still trade.
    exits_work: bool,
    /// Whether the entry can still trade.
    entry_works: bool,
}

impl Measure {
    /// `None` if the ledger knows no such entry.
    fn of(entry: ClOrdId, legs: &Legs, ledger: &Ledger) -> Option<Self> {
        let order = ledger.orders.get(entry)?;
        let (mut open, mut uncovered) = (order.cum_qty, order.cum_qty);
        let mut exits_work = false;
        for (exit, id) in &legs.exits {
            let Some(leg) = ledger.orders.get(*id) else { continue };
            open = less(open, leg.cum_qty);
            exits_work |= leg.status.is_open();
            // A target that somebody took back, or that the venue refused, is not asked for again;
            // one that never left is.
            if *exit == Exit::Target && leg.status != portcullis_domain::OrdStatus::Unsent {
                uncovered = less(uncovered, leg.intent.qty);
            }
        }
        let uncovered = uncovered.min(open);
        Some(Self { open, uncovered, exits_work, entry_works: order.status.is_open() })
    }
}

/// `a - b`, or nothing.
fn less(a: Qty, b: Qty) -> Qty {
    a.minus(b).unwrap_or(Qty::ZERO)
}

impl Core {
    /// Notes an order that was issued, if it comes with a bracket or belongs to one. Live and when
    /// the journal is read back.
    pub(crate) fn note_bracket(&mut self, order: &Order) {
        let id = order.cl_ord_id;
        if let Some(bracket) = order.intent.bracket {
            self.brackets.insert(id, Legs::new(bracket));
        }
        if let Some(leg) = LegRef::of(&order.intent)
            && let Some(legs) = self.brackets.get_mut(&leg.entry(id.epoch))
        {
            legs.exits.push((leg.exit, id));
            legs.denied = None;
        }
    }

    /// An order moved: whatever bracket it belongs to is looked at again.
    pub(crate) fn stir_bracket(&mut self, id: ClOrdId) {
        let Some(order) = self.ledger_of(id).orders.get(id) else { return };
        let entry = LegRef::of(&order.intent).map_or(id, |leg| leg.entry(id.epoch));
        if let Some(legs) = self.brackets.get_mut(&entry) {
            (legs.asleep, legs.stirred) = (false, true);
        }
    }

    /// A plugin takes the exits of an entry of its own back: from here on it leaves by itself.
    /// Once the stop was crossed there is no way back.
    pub(crate) fn release_bracket(&mut self, entry: ClOrdId, turn: &mut Turn) {
        if self.brackets.get(&entry).is_some_and(|legs| !legs.fired) {
            self.end_bracket(entry, ProtectionEnd::Released, turn);
        }
    }

    /// The session is over: so is every bracket.
    pub(crate) fn end_brackets(&mut self, end: ProtectionEnd, turn: &mut Turn) {
        let entries: Vec<ClOrdId> = self.brackets.keys().copied().collect();
        for entry in entries {
            if self.protects(entry) {
                self.end_bracket(entry, end, turn);
            }
        }
        self.brackets.clear();
    }

    /// What the last run held is gone with it. Orders of phase 1 went with their session.
    pub(crate) fn lose_brackets(&mut self, turn: &mut Turn) {
        let account = &self.account;
        self.brackets.retain(|entry, _| account.orders.get(*entry).is_some());
        self.end_brackets(ProtectionEnd::Restarted, turn);
    }

    /// Whether something is filled and not exited, or can still fill.
    fn protects(&self, entry: ClOrdId) -> bool {
        self.measure(entry).is_some_and(|now| now.entry_works || !now.open.is_zero())
    }

    fn measure(&self, entry: ClOrdId) -> Option<Measure> {
        Measure::of(entry, self.brackets.get(&entry)?, self.ledger_of(entry))
    }

    /// Ends a bracket, and takes back what still works of it.
    fn end_bracket(&mut self, entry: ClOrdId, end: ProtectionEnd, turn: &mut Turn) {
        let Some(now) = self.measure(entry) else { return };
        let ledger = self.ledger_of(entry);
        let symbol = ledger.instrument_of(entry).map(|i| i.symbol.clone()).unwrap_or_default();
        let shadow = self.is_shadow_order(entry);
        let open = now.open;
        let exits = self.brackets.remove(&entry).map(|legs| legs.exits).unwrap_or_default();
        if end.loses_stop() && !shadow {
            self.unprotected.insert(symbol.clone());
        }
        turn.record(&Outcome::Bracket(BracketRecord::Ended { entry, end, symbol, open, shadow }));
        if !end.loses_stop() {
            for (_, id) in exits {
                self.cancel(id, "BRACKET_OVER", turn);
            }
        }
    }

    /// A session is over, live and when the journal is read back: what held brackets is gone.
    pub(crate) fn session_ended(&mut self, session: SessionId) {
        self.sessions.insert(session, SessionState::Closed);
        self.brackets.clear();
        self.epoch_over();
    }

    /// Folds the end of a bracket.
    pub(crate) fn fold_protection(
        &mut self,
        entry: ClOrdId,
        body: &mut Fields<'_>,
    ) -> Result<(), RecoverError> {
        self.brackets.remove(&entry);
        if body.bool("lost")? {
            self.unprotected.insert(body.text("symbol")?.to_owned());
        }
        Ok(())
    }

    /// What people have to know about protection: that the kernel holds it, where it cannot see,
    /// and where it is lost.
    pub(crate) fn protection(&self) -> Vec<String> {
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        let mut stopped: BTreeSet<&str> = BTreeSet::new();
        for (entry, legs) in &self.brackets {
            let ledger = self.ledger_of(*entry);
            let open = Measure::of(*entry, legs, ledger).is_some_and(|now| !now.open.is_zero());
            if let Some(instrument) = ledger.instrument_of(*entry).filter(|_| open) {
                let count = held.entry(&instrument.symbol).or_default();
                *count = count.saturating_add(1);
                let order = ledger.orders.get(*entry);
                if order.is_some_and(|order| self.is_held_back(order)) {
                    stopped.insert(&instrument.symbol);
                }
            }
        }
        let closing = self.live.as_ref().is_some_and(|live| live.closing.is_some());
        let mut lines = Vec::new();
        let count = held.values().fold(0_usize, |sum, count| sum.saturating_add(*count));
        if count > 0 && !closing {
            lines.push(format!(
                "PROTECTION_HELD_BY_KERNEL: {count} positions; a crash or a lost feed ends it"
            ));
        }
        for symbol in held.keys() {
            if closing {
                lines.push(format!("PROTECTION_LOST: {symbol}: the session ends its stops"));
            } else if stopped.contains(symbol) {
                lines.push(format!(
                    "PROTECTION_STOPPED: {symbol}: a cancel-all holds its exits; leave by a plan"
                ));
            } else if !self.sees(symbol) {
                let line = format!("PROTECTION_BLIND: {symbol}: no fresh quote or no venue");
                lines.push(line);
            }
        }
        let lost = self.unprotected.iter();
        let lost = lost.filter(|symbol| self.account.holding(symbol).position.0 != 0);
        lines.extend(lost.map(|symbol| format!("PROTECTION_LOST: {symbol}: its stop ended first")));
        lines
    }

    /// Whether the plugin's order is an exit.
    pub(crate) fn is_exit(order: &Order) -> bool {
        LegRef::of(&order.intent).is_some()
    }

    /// The number by which the plugin knows an order: an exit goes by the number of its entry.
    /// With it what `extra` says of the order.
    pub(crate) fn told_number(&self, order: &Order) -> (u64, i64) {
        let Some(leg) = LegRef::of(&order.intent) else { return (order.intent.reference, 0) };
        let entry = self.ledger_of(order.cl_ord_id).orders.get(leg.entry(order.cl_ord_id.epoch));
        (entry.map_or(0, |entry| entry.intent.reference), leg.exit.extra())
    }

    /// The plugin whose entry it is.
    fn owner(&self, entry: ClOrdId) -> Option<PluginId> {
        self.ledger_of(entry).orders.get(entry)?.intent.origin.plugin()
    }
}
