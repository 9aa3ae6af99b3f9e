//! Stops smaller than the kill: recorded, standing side by side, lifted only by signatures.

use std::collections::BTreeMap;

use portcullis_domain::stop::Asking;
use portcullis_domain::{
    ClOrdId, InstrumentId, Now, OrdStatus, Order, Origin, Stop, StopMode, StopScope, WallNs,
};
use portcullis_statement::{Digest, Target};

use crate::account::READ_PAUSE_UNSETTLED_NS;
use crate::effect::{Answer, Effect};
use crate::input::{AccountSnapshot, EpochCause};
use crate::outcome::Outcome;
use crate::snapshot::{kept_fields, kept_parts};
use crate::state::{Core, LiveSession, Turn};
use crate::submit::{is_past, later};

/// The cause under which a stop takes orders back.
const STOP_ACTIVE: &str = "STOP_ACTIVE";

/// How far the way to `ORDERS_CLEAR` has been gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clearing {
    /// When the venue was first read empty; a read that is not empty starts anew.
    pub(crate) empty_since: Option<WallNs>,
    pub(crate) clear: bool,
    /// The last venue deadline of what was on its way when the stop fell.
    pub(crate) not_before: Now,
    /// Requests that wait for `ORDERS_CLEAR`.
    pub(crate) waiting: Vec<u64>,
}

kept_fields!(Clearing { empty_since, clear, not_before, waiting });

impl Clearing {
    /// Counts one reading of the venue; `true` once two empty ones lie a second apart.
    pub(crate) fn seen(&mut self, empty: bool, now: WallNs) -> bool {
        if self.clear {
            return false;
        }
        match self.empty_since.filter(|_| empty) {
            None => {
                self.empty_since = empty.then_some(now);
                false
            }
            Some(first) => now >= first.plus_ns(READ_PAUSE_UNSETTLED_NS),
        }
    }
}

/// One stop that stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) stop: Stop,
    /// SHA-256 of the entry that recorded it: what an unkill statement has to name.
    pub(crate) entry: Digest,
    pub(crate) reason: String,
    pub(crate) clearing: Clearing,
}

/// All stops that stand, by number.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    /// How many there ever were.
    pub(crate) seq: u64,
    pub(crate) standing: BTreeMap<u64, Standing>,
}

kept_fields!(Standing { stop, entry, reason, clearing });
kept_parts!(Stops { seq, standing });

impl Stops {
    /// Puts a stop on record: the durable half, live and in recovery alike.
    pub(crate) fn stand(&mut self, seq: u64, standing: Standing) {
        self.seq = self.seq.max(seq);
        self.standing.insert(seq, standing);
    }

    /// Stops that wait for their orders to be gone.
    pub(crate) fn unclear(&self) -> impl Iterator<Item = (u64, &Standing)> + '_ {
        let waits = |standing: &Standing| {
            standing.stop.mode == StopMode::CancelAll && !standing.clearing.clear
        };
        let all = self.standing.iter().map(|(seq, standing)| (*seq, standing));
        all.filter(move |(_, standing)| waits(standing))
    }
}

impl Core {
    /// The strictest stop that holds for what `origin` asks for in that instrument of the open
    /// session. The kill latch is one of them. Cancels are never asked about.
    #[must_use]
    pub fn stop_for(&self, origin: Origin, instrument: InstrumentId) -> Option<StopMode> {
        if self.kill.is_some() {
            return Some(StopMode::CancelAll);
        }
        let symbol = self.live.as_ref().and_then(|live| live.symbols.get(&instrument));
        let desk = |id: portcullis_domain::PluginId| {
            self.live.as_ref().and_then(|live| live.desks.get(usize::from(id.0)))
        };
        let asking = match origin.plugin() {
            Some(id) => desk(id).map_or(Asking::UnknownStrategy, |d| Asking::Strategy(&d.name)),
            None => Asking::NoStrategy,
        };
        self.stop_over(asking, symbol.map_or("", String::as_str))
    }

    /// The strictest of the smaller stops that covers this.
    fn stop_over(&self, asking: Asking<'_>, symbol: &str) -> Option<StopMode> {
        let standing = self.stops.standing.values();
        let covering = standing.filter(|standing| standing.stop.scope.covers(asking, symbol));
        covering.map(|standing| standing.stop.mode).max()
    }

    pub(crate) fn on_stop_raised(&mut self, cause: &EpochCause, turn: &mut Turn) {
        let EpochCause::Stop { stop, who, reason, request } = cause else { return };
        if !self.is_known(&stop.scope) {
            let cause = "no released strategy and no instrument of any session has that name";
            // Whoever mistyped a name must not believe that something has stopped.
            if let Some(request) = request {
                return turn.refuse(*request, "stop", "SCOPE_UNKNOWN", cause);
            }
            let (code, cause) = ("SCOPE_UNKNOWN".to_owned(), cause.to_owned());
            turn.record(&Outcome::Refused { what: "stop", code, cause });
            return;
        }
        let same = self.stops.standing.iter().find(|(_, standing)| standing.stop == *stop);
        let seq = match same.map(|(seq, _)| *seq) {
            // Idempotent: asked for twice, it is answered with the first one's number.
            Some(seq) => seq,
            None => self.stand(stop, (who, reason), turn),
        };
        let Some(standing) = self.stops.standing.get_mut(&seq) else { return };
        let Some(request) = *request else { return };
        let clear = standing.clearing.clear;
        if stop.mode == StopMode::CancelAll && !clear {
            standing.clearing.waiting.push(request);
        }
        turn.effect(Effect::Answer { request, answer: Answer::Latched { kill_seq: seq } });
        if stop.mode == StopMode::CancelAll && clear {
            turn.effect(Effect::Answer { request, answer: Answer::OrdersClear { kill_seq: seq } });
        }
    }

    fn is_known(&self, scope: &StopScope) -> bool {
        match scope {
            StopScope::All | StopScope::Venue | StopScope::Account => true,
            StopScope::Strategy(name) => {
                self.releases.values().any(|release| release.item().plugin == *name)
            }
            StopScope::Instrument(symbol) => self.instruments.contains_key(symbol),
        }
    }

    fn stand(&mut self, stop: &Stop, (who, reason): (&str, &str), turn: &mut Turn) -> u64 {
        let seq = self.stops.seq.saturating_add(1);
        let (who, reason) = (who.to_owned(), reason.to_owned());
        let outcome =
            Outcome::Stopped { stop_seq: seq, stop: stop.clone(), who, reason: reason.clone() };
        let entry = turn.record_to_name(&outcome);
        let not_before = self.venue_deadline_last;
        let clearing = Clearing { not_before, ..Clearing::default() };
        self.stops.stand(seq, Standing { stop: stop.clone(), entry, reason, clearing });
        match stop.mode {
            StopMode::BlockNew => {}
            StopMode::ReduceOnly => self.take_back(&stop.scope, Core::increases, turn),
            StopMode::CancelAll => {
                self.end_flatten(STOP_ACTIVE, turn);
                if stop.scope.is_whole() {
                    self.cancel_everything(STOP_ACTIVE, turn);
                } else {
                    self.take_back(&stop.scope, |_, _| true, turn);
                }
            }
        }
        seq
    }

    /// A fill can turn an order that reduced into one that increases: where a stop is reduce-only,
    /// that goes too.
    pub(crate) fn reduce_again(&mut self, turn: &mut Turn) {
        let standing = self.stops.standing.values().map(|standing| &standing.stop);
        let reducing = standing.filter(|stop| stop.mode == StopMode::ReduceOnly);
        let scopes: Vec<StopScope> = reducing.map(|stop| stop.scope.clone()).collect();
        for scope in scopes {
            let fresh = |core: &Self, order: &Order| {
                core.increases(order) && order.status != OrdStatus::PendingCancel
            };
            self.take_back(&scope, fresh, turn);
        }
    }

    /// From an order of its scope on a cancel-all is not clear any more: the slices of a plan have
    /// to be gone again before anybody is told that nothing is left. Live and in recovery alike.
    pub(crate) fn reopen_clearing(&mut self, id: ClOrdId) {
        let not_before = self.venue_deadline_last;
        let Some(order) = self.account.orders.get(id) else { return };
        let covering = |(_, standing): &(&u64, &Standing)| {
            standing.stop.mode == StopMode::CancelAll && self.covers(&standing.stop.scope, order)
        };
        let covering = self.stops.standing.iter().filter(covering);
        let covering: Vec<u64> = covering.map(|(seq, _)| *seq).collect();
        let kill = self.kill.iter_mut().map(|kill| &mut kill.clearing);
        let stops = self.stops.standing.iter_mut();
        let stops = stops.filter(|(seq, _)| covering.contains(seq));
        for clearing in kill.chain(stops.map(|(_, standing)| &mut standing.clearing)) {
            (clearing.clear, clearing.empty_since) = (false, None);
            clearing.not_before = later(clearing.not_before, not_before);
        }
    }

    /// Takes the open orders of a scope back, those that `which` picks.
    fn take_back(
        &mut self,
        scope: &StopScope,
        which: impl Fn(&Self, &Order) -> bool,
        turn: &mut Turn,
    ) {
        let covered = self.open_in(scope);
        let picked: Vec<ClOrdId> = covered
            .into_iter()
            .filter(|id| self.ledger_of(*id).orders.get(*id).is_some_and(|o| which(self, o)))
            .collect();
        if !self.is_shadow() && !picked.is_empty() {
            turn.effect(Effect::ReadAccount);
        }
        for id in picked {
            self.cancel(id, STOP_ACTIVE, turn);
        }
    }

    /// Open orders of a scope, the account's and those of phase 1.
    fn open_in(&self, scope: &StopScope) -> Vec<ClOrdId> {
        let shadow = self.live.as_ref().and_then(|live| live.shadow.as_ref());
        let shadow = shadow.into_iter().flat_map(|ledger| ledger.orders.open());
        let all = self.account.orders.open().chain(shadow);
        let covered = all.filter(|order| self.covers(scope, order));
        covered.map(|order| order.cl_ord_id).collect()
    }

    fn covers(&self, scope: &StopScope, order: &Order) -> bool {
        let ledger = self.ledger_of(order.cl_ord_id);
        let Some(instrument) = ledger.instrument_of(order.cl_ord_id) else { return true };
        scope.covers(self.asking_of(order), &instrument.symbol)
    }

    /// Whether an order of ours has no business at the venue: everything of its scope was taken
    /// back, and no plan is being carried out whose slice it could be. A slice of a plan that a
    /// crash has ended is one.
    pub(crate) fn is_stopped(&self, id: ClOrdId) -> bool {
        let Some(order) = self.account.orders.get(id) else { return false };
        // What a person leaves a position by, all clear, is that person's.
        if order.intent.origin == Origin::Person {
            return false;
        }
        let covers = |standing: &Standing| {
            standing.stop.mode == StopMode::CancelAll && self.covers(&standing.stop.scope, order)
        };
        let stopped = self.kill.is_some() || self.stops.standing.values().any(covers);
        stopped && self.flatten.is_none()
    }

    /// Whose order this is, as far as anybody can still say.
    fn asking_of(&self, order: &Order) -> Asking<'_> {
        let Some(plugin) = order.intent.origin.plugin() else { return Asking::NoStrategy };
        let issued = (order.intent.origin, order.intent.reference);
        let own = |live: &&LiveSession| live.references.get(&issued) == Some(&order.cl_ord_id);
        let live = self.live.as_ref().filter(own);
        let desk = live.and_then(|live| live.desks.get(usize::from(plugin.0)));
        desk.map_or(Asking::UnknownStrategy, |desk| Asking::Strategy(&desk.name))
    }

    /// Counts a reading of the venue for every stop that waits for its orders to be gone.
    pub(crate) fn watch_stops(&mut self, snapshot: &AccountSnapshot, turn: &mut Turn) {
        let now = turn.now.wall;
        let waiting: Vec<(u64, bool)> = self
            .stops
            .unclear()
            .map(|(seq, standing)| (seq, self.is_empty_at(standing, snapshot, turn.now)))
            .collect();
        for (seq, empty) in waiting {
            let standing = self.stops.standing.get_mut(&seq);
            if standing.is_some_and(|standing| standing.clearing.seen(empty, now)) {
                self.stop_clear(seq, "CONFIRMED_TWICE", turn);
            }
        }
    }

    fn is_empty_at(&self, standing: &Standing, snapshot: &AccountSnapshot, now: Now) -> bool {
        let scope = &standing.stop.scope;
        // A reading that does not say when it was asked for proves nothing.
        let deadline = standing.clearing.not_before;
        let past = snapshot.asked(now).is_some_and(|asked| is_past(deadline, asked));
        // An order of our form that nobody here knows may be anything: it counts.
        let counts = |id: ClOrdId| {
            let known = self.account.orders.get(id);
            known.is_none_or(|order| self.covers(scope, order))
        };
        let listed = snapshot.open_orders.iter().filter_map(|order| order.cl_ord_id).any(counts);
        past && self.open_in(scope).is_empty() && !listed
    }

    /// Where nothing ever left the house there is nobody to ask.
    pub(crate) fn clear_stops_of_phase_one(&mut self, turn: &mut Turn) {
        let over = |standing: &Standing| self.open_in(&standing.stop.scope).is_empty();
        let waiting = self.stops.unclear().filter(|(_, standing)| over(standing));
        let waiting: Vec<u64> = waiting.map(|(seq, _)| seq).collect();
        for seq in waiting {
            self.stop_clear(seq, "NOTHING_EVER_SENT", turn);
        }
    }

    fn stop_clear(&mut self, seq: u64, proof: &'static str, turn: &mut Turn) {
        let Some(standing) = self.stops.standing.get_mut(&seq) else { return };
        standing.clearing.clear = true;
        let waiting = std::mem::take(&mut standing.clearing.waiting);
        turn.record(&Outcome::StopClear { stop_seq: seq, proof });
        for request in waiting {
            turn.effect(Effect::Answer { request, answer: Answer::OrdersClear { kill_seq: seq } });
        }
    }

    /// Whether a statement names a kill or stop that stands.
    pub(crate) fn stands(&self, target: &Target) -> Result<(), (&'static str, &'static str)> {
        use portcullis_statement::Latch;
        match target.latch {
            Latch::Kill => match &self.kill {
                None => Err(("NOT_KILLED", "the kill latch is not down")),
                Some(kill) if kill.seq != target.seq || kill.entry != target.entry => {
                    Err(("KILL_ENTRY_MISMATCH", "the statement names another kill than this one"))
                }
                Some(_) => Ok(()),
            },
            Latch::Stop => match self.stops.standing.get(&target.seq) {
                None => Err(("NOT_STOPPED", "no stop of that number stands")),
                Some(stop) if stop.entry != target.entry => {
                    Err(("STOP_ENTRY_MISMATCH", "the statement names another stop than this one"))
                }
                Some(_) => Ok(()),
            },
        }
    }

    /// Why nothing new may be traded, as far as stops say it.
    pub(crate) fn stop_reasons(&self) -> impl Iterator<Item = String> + '_ {
        self.stops.standing.iter().map(|(seq, standing)| {
            let Standing { stop, entry, reason, .. } = standing;
            let (mode, scope) = (stop.mode.name(), stop.scope.text());
            format!("{STOP_ACTIVE}: stop {seq}, {mode} over {scope} ({reason}), entry {entry}")
        })
    }

    /// The stops that stand: number, what was asked for, and the entry that an unkill names.
    pub fn stops(&self) -> impl Iterator<Item = (u64, &Stop, Digest)> + '_ {
        let standing = self.stops.standing.iter();
        standing.map(|(seq, standing)| (*seq, &standing.stop, standing.entry))
    }
}
