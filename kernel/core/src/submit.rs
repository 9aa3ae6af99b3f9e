//! The one way from a wish to an order, whoever asks and whatever gate judges it.

use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{
    BootNs, ClOrdId, Instrument, Money, Now, Order, OrderIntent, Origin, Px, Qty, WallNs,
};
use portcullis_gate::{Approved, Denial, DenyCode, Gate, Pause, Scope, Verdict};

use crate::bracket::LegRef;
use crate::effect::{Effect, Leaving};
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::state::{Core, LiveSession, Turn};

/// A submit that has not left the house after this long must not leave it any more.
const RELEASE_NS_MAX: i64 = 500 * NS_PER_MS;
/// A submit that has not reached the venue after this long must be refused there.
const VENUE_DEADLINE_NS: i64 = 5 * NS_PER_S;
/// How far the venue's clock may be behind ours, and an answer of it behind its question.
const VENUE_SKEW_NS: i64 = NS_PER_S;

/// Which gate judges an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// That of the open session.
    Session,
    /// That of the session which ended last: its closing rights.
    Closing,
}

/// What became of a wish to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// It is an order.
    Issued(ClOrdId),
    /// The gate said no.
    Denied(Denial),
    /// It waits for a person's word.
    Proposed(ClOrdId),
    /// Nothing: the house contradicts itself, and what that led to is on record.
    Faulted,
}

impl Core {
    /// Has a wish judged, and what was approved recorded and sent on its way.
    pub(crate) fn submit(&mut self, intent: OrderIntent, door: Door, turn: &mut Turn) -> Submitted {
        let at = self.circumstances(&intent, door, turn);
        // The kernel's own numbers never repeat, and what a plugin uses up it cannot use up.
        let asker = intent.origin.plugin().filter(|_| LegRef::of(&intent).is_none());
        if let Some(desk) = asker.and_then(|plugin| self.desk(plugin)) {
            desk.references.insert(intent.reference);
        }
        let Some(id) = self.next_cl_ord_id() else { return Submitted::Faulted };
        let Some(gate) = self.gate(door) else { return Submitted::Faulted };
        let verdict = if intent.origin.plugin().is_none() && self.is_clearing() {
            // Until the venue has confirmed that nothing rests, a kill is not over for anybody.
            Verdict::Deny(Denial::plain(DenyCode::KillActive, Scope::Session))
        } else {
            gate.assess(intent.clone(), id, &at)
        };
        match verdict {
            Verdict::Deny(denial) => {
                self.on_denied(intent, denial, turn);
                Submitted::Denied(denial)
            }
            Verdict::Pause(pause) => {
                self.on_paused(intent, pause, turn);
                Submitted::Denied(pause.denial)
            }
            Verdict::Propose(proposal) => self.on_proposed(proposal, turn),
            Verdict::WouldBe(shadow) => {
                self.warn(shadow.warnings(), &intent, turn);
                if !self.issue(intent, (id, shadow.reserve_px()), door, turn) {
                    return Submitted::Faulted;
                }
                turn.effect(Effect::ShadowSubmit(shadow));
                Submitted::Issued(id)
            }
            Verdict::Approve(order) => self.send(order, door, turn),
        }
    }

    /// Puts an approved order on record and on its way.
    pub(crate) fn send(
        &mut self,
        order: Approved<OrderIntent>,
        door: Door,
        turn: &mut Turn,
    ) -> Submitted {
        self.warn(order.warnings(), order.item(), turn);
        let id = order.cl_ord_id();
        if !self.issue(order.item().clone(), (id, order.reserve_px()), door, turn) {
            return Submitted::Faulted;
        }
        let leaving = self.leaving(order, turn);
        turn.effect(Effect::Submit(Box::new(leaving)));
        Submitted::Issued(id)
    }

    /// Something approved and on record, on its way out: under the present epoch, and not for long.
    pub(crate) fn leaving<T>(&mut self, order: Approved<T>, turn: &Turn) -> Leaving<T> {
        let by = venue_deadline(turn.now);
        self.venue_deadline_last = later(self.venue_deadline_last, by);
        self.venue_deadlines.insert(order.cl_ord_id(), by);
        self.unanswered.push_back(order.cl_ord_id());
        let deadline = turn.now.boot.plus_ns(RELEASE_NS_MAX);
        Leaving { order, epoch: self.epochs.stamp(), deadline, venue_deadline: by.wall }
    }

    /// The gate behind a door.
    pub(crate) fn gate(&self, door: Door) -> Option<&Gate> {
        match door {
            Door::Session => self.live.as_ref().map(|live| &live.gate),
            Door::Closing => self.closing.as_ref(),
        }
    }

    /// The ledger that orders through a door are booked on.
    pub(crate) fn ledger_behind(&self, door: Door) -> &Ledger {
        match door {
            Door::Session => self.ledger(),
            Door::Closing => &self.account,
        }
    }

    /// Whether a kill waits for the venue's word that no order is left.
    fn is_clearing(&self) -> bool {
        let waits = self.kill.as_ref().is_some_and(|kill| !kill.clearing.clear);
        // While a plan is being carried out its slices come and go.
        waits && self.flatten.is_none()
    }

    fn next_cl_ord_id(&mut self) -> Option<ClOrdId> {
        let epoch = self.identity.as_ref()?.start.draw;
        self.orders_issued = self.orders_issued.checked_add(1)?;
        Some(ClOrdId { epoch, sequence: self.orders_issued })
    }

    /// Puts an approved order on record and into every limit, before anything leaves.
    fn issue(
        &mut self,
        intent: OrderIntent,
        (id, px): (ClOrdId, Px),
        door: Door,
        turn: &mut Turn,
    ) -> bool {
        let shadow = door == Door::Session && self.is_shadow();
        let epoch = self.epochs.stamp();
        let Some(gate) = self.gate(door) else { return false };
        let Some(instrument) = gate.instrument(intent.instrument).cloned() else { return false };
        let value = value(gate, (px, intent.qty), &instrument);
        if let Some(live) = self.live.as_mut().filter(|_| door == Door::Session) {
            live.note_submit(&intent, id, turn.now.boot);
        }
        let order = Order::new(id, intent, px);
        let symbol = instrument.symbol.clone();
        let recorded = Box::new(order.clone());
        let ledger = match door {
            Door::Session => self.ledger_mut(),
            Door::Closing => &mut self.account,
        };
        if let Err(fault) = ledger.issue(order, &instrument) {
            turn.fault(fault);
            return false;
        }
        ledger.across.approved(turn.now.wall, value);
        self.note_bracket(&recorded);
        turn.record(&Outcome::Ordered { order: recorded, symbol, shadow, epoch, value });
        self.tell_order(id, turn);
        true
    }

    /// Records each limit once when an order takes it beyond its warning level.
    pub(crate) fn warn(&mut self, warnings: &[Denial], intent: &OrderIntent, turn: &mut Turn) {
        let Some(live) = self.live.as_mut() else { return };
        for warning in warnings {
            let of = whose(&live.gate, warning.scope, intent);
            if live.warned.insert((warning.code, warning.scope, of.clone())) {
                turn.record(&Outcome::Warned { warning: *warning, of });
            }
        }
    }

    pub(crate) fn on_denied(&mut self, intent: OrderIntent, denial: Denial, turn: &mut Turn) {
        if LegRef::of(&intent).is_some() {
            return self.on_leg_denied(intent, denial, turn);
        }
        if let Origin::Plugin(plugin) = intent.origin {
            let about = (intent.reference, intent.instrument.0);
            self.tell_denial(plugin, about, denial.code, turn.now.wall);
        } else if let Some(live) = self.live.as_mut() {
            live.count(denial.code.code());
        }
        turn.record(&Outcome::Denied { intent: Box::new(intent), denial });
    }

    /// A denial, and nothing of the same scope before the pause is over. The gate itself keeps to
    /// it: what paused is state that it judges by.
    fn on_paused(&mut self, intent: OrderIntent, pause: Pause, turn: &mut Turn) {
        let Pause { denial, until } = pause;
        self.on_denied(intent, denial, turn);
        let known = self.live.as_mut().map(|live| live.paused.insert((denial.code, denial.scope)));
        if known == Some(true) {
            turn.record(&Outcome::Paused { denial, until });
        }
    }
}

/// Until when what leaves now may arrive at the venue, on both clocks: one alone may be wrong.
pub(crate) fn venue_deadline(now: Now) -> Now {
    let (wall, boot) = (now.wall.plus_ns(VENUE_DEADLINE_NS), now.boot.plus_ns(VENUE_DEADLINE_NS));
    Now { wall, boot }
}

/// The later of two moments, clock by clock.
pub(crate) fn later(a: Now, b: Now) -> Now {
    Now { wall: a.wall.max(b.wall), boot: a.boot.max(b.boot) }
}

/// The first moment of the core's clock at which a venue deadline is over, seen from `now`.
pub(crate) fn past_at(deadline: Now, now: Now) -> WallNs {
    let skew = VENUE_SKEW_NS.saturating_add(1);
    let Now { wall, boot } = deadline;
    wall.plus_ns(skew).max(now.wall.plus_ns(boot.plus_ns(skew).since_ns(now.boot)))
}

/// Whether a venue deadline is over. A wall clock that was set forward ends nothing.
pub(crate) fn is_past(deadline: Now, at: Now) -> bool {
    let Now { wall, boot } = deadline;
    at.wall > wall.plus_ns(VENUE_SKEW_NS) && at.boot > boot.plus_ns(VENUE_SKEW_NS)
}

/// What an order of that price and quantity counts for the day, in the account's currency.
pub(crate) fn value(gate: &Gate, (px, qty): (Px, Qty), instrument: &Instrument) -> Option<Money> {
    gate.converter(instrument)?.cost(Money::notional(px, qty, instrument)?)
}

impl LiveSession {
    /// Counts an order that was approved in the session.
    fn note_submit(&mut self, intent: &OrderIntent, id: ClOrdId, now: BootNs) {
        self.references.insert((intent.origin, intent.reference), id);
        self.usage.ordered(intent, now);
        self.count("APPROVED");
    }

    pub(crate) fn count(&mut self, verdict: &'static str) {
        let counted = self.verdicts.entry(verdict).or_insert(0);
        *counted = counted.saturating_add(1);
    }
}

/// Whose limit of a scope an order is held against: a name, or nothing where there is only one.
fn whose(gate: &Gate, scope: Scope, intent: &OrderIntent) -> String {
    match scope {
        Scope::Strategy => {
            let plugin = intent.origin.plugin().map(|plugin| usize::from(plugin.0));
            let plugin = plugin.and_then(|plugin| gate.approval().plugins.get(plugin));
            plugin.map_or_else(String::new, |plugin| plugin.name.to_string())
        }
        Scope::Instrument | Scope::Order => {
            let mut all = gate.instruments().iter();
            let own = all.find(|instrument| instrument.id == intent.instrument);
            own.map_or_else(String::new, |instrument| instrument.symbol.clone())
        }
        Scope::Session | Scope::Account | Scope::Venue | Scope::Host => String::new(),
    }
}
