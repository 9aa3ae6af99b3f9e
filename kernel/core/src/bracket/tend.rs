//! What is done about brackets at the end of each event: exits asked for, stops fired, and what
//! stands in their way taken back.

use portcullis_domain::order::Order;
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{
    ClOrdId, Instrument, InstrumentId, OrdStatus, OrdType, OrderIntent, Px, Qty, Side, StopMode,
    TimeInForce,
};
use portcullis_gate::exposure::Owner;
use portcullis_gate::{Denial, DenyCode, Quote};

use super::{BracketRecord, Exit, LegRef, Legs, Measure, ProtectionEnd};
use crate::outcome::Outcome;
use crate::state::{Core, Turn};
use crate::submit::{Door, Submitted};

/// How often an exit is halved to fit the limit of one order. The rest follows at the next event.
const HALVINGS_MAX: u32 = 6;

/// What an exit asks for.
#[derive(Clone, Copy, Debug)]
struct Wish {
    exit: Exit,
    price: Px,
    qty: Qty,
}

impl Core {
    /// Looks at every bracket that has something to protect. A session that ends holds none: what
    /// works of them is taken back with everything else.
    pub(crate) fn tend_brackets(&mut self, turn: &mut Turn) {
        let trades = self.live.as_ref().is_some_and(|live| live.closing.is_none());
        if !trades || self.kill.is_some() || self.brackets.is_empty() {
            return;
        }
        let awake = self.brackets.iter().filter(|(_, legs)| !legs.asleep);
        let awake: Vec<ClOrdId> = awake.map(|(entry, _)| *entry).collect();
        for entry in awake {
            self.tend(entry, turn);
        }
    }

    fn tend(&mut self, entry: ClOrdId, turn: &mut Turn) {
        let Some(now) = self.measure(entry) else { return };
        let Some(order) = self.ledger_of(entry).orders.get(entry).cloned() else { return };
        if now.open.is_zero() {
            if !now.exits_work
                && let Some(legs) = self.brackets.get_mut(&entry)
            {
                legs.asleep = true;
            }
            return self.withdraw_rest(entry, turn);
        }
        if self.held_for(&order) <= 0 {
            return self.end_bracket(entry, ProtectionEnd::PositionGone, turn);
        }
        // Without a venue nothing can leave, and what is asked for would only be lost.
        if !self.is_shadow() && !self.venue_up {
            return;
        }
        self.fire_when_crossed(&order, now, turn);
        // A cancel-all leaves positions to a signed plan alone. Once it is lifted, a stop that was
        // crossed meanwhile leaves at once.
        if self.is_held_back(&order) {
            return;
        }
        if self.brackets.get(&entry).is_some_and(|legs| legs.fired) {
            self.leave(&order, now, turn);
        } else {
            self.place_target(&order, now, turn);
        }
    }

    /// Whether a cancel-all stands over what the entry's exits would ask for.
    pub(super) fn is_held_back(&self, entry: &Order) -> bool {
        let stop = self.stop_for(entry.intent.origin, entry.intent.instrument);
        stop == Some(StopMode::CancelAll)
    }

    /// Nothing is left to exit: exits that still work are taken back, once for each of their moves.
    fn withdraw_rest(&mut self, entry: ClOrdId, turn: &mut Turn) {
        let Some(legs) = self.brackets.get_mut(&entry) else { return };
        if std::mem::take(&mut legs.stirred) {
            for id in self.working_exits(entry) {
                self.cancel(id, "BRACKET_OVER", turn);
            }
        }
    }

    /// Exits that can still trade and that nobody has asked to take back.
    fn working_exits(&self, entry: ClOrdId) -> Vec<ClOrdId> {
        let Some(legs) = self.brackets.get(&entry) else { return Vec::new() };
        let orders = &self.ledger_of(entry).orders;
        let works = |id: &ClOrdId| {
            let order = orders.get(*id);
            order.is_some_and(|o| o.status.is_open() && o.status != OrdStatus::PendingCancel)
        };
        legs.exits.iter().map(|(_, id)| *id).filter(works).collect()
    }

    /// What is held to the entry's side, by the account and by the strategy, in quantity units:
    /// the smaller of both. What nobody knows is nothing.
    fn held_for(&self, entry: &Order) -> i64 {
        let instrument = entry.intent.instrument;
        let held = |owner| {
            let book = self.ledger().session.as_ref()?.book();
            let held = book.cell(owner, instrument)?.holding.position.0;
            Some(match entry.intent.side {
                Side::Buy => held,
                Side::Sell => held.saturating_neg(),
            })
        };
        let Some(plugin) = self.owner(entry.cl_ord_id) else { return 0 };
        let both = held(Owner::Whole).zip(held(Owner::Strategy(plugin)));
        both.map_or(0, |(whole, strategy)| whole.min(strategy))
    }

    /// What of `qty` is still a reduction beside everything that works on the exit's side.
    fn reducible_part(&self, entry: &Order, qty: Qty) -> Qty {
        let book = self.ledger().session.as_ref();
        let cell = book.and_then(|b| b.book().cell(Owner::Whole, entry.intent.instrument));
        let Some(cell) = cell else { return Qty::ZERO };
        let claimed = match entry.intent.side {
            Side::Buy => cell.sells.qty,
            Side::Sell => cell.buys.qty,
        };
        let free = self.held_for(entry).saturating_sub(claimed.units()).max(0);
        qty.min(Qty::new(free).unwrap_or(Qty::ZERO))
    }

    /// A quote that may be traded on: neither stale nor crossed.
    fn fresh_quote(&self, instrument: InstrumentId) -> Option<Quote> {
        let live = self.live.as_ref()?;
        let quote = live.market.get(instrument)?.quote?;
        let limits = live.gate.limits().instruments.get(&instrument)?;
        let max = i64::from(limits.market_data_age_ms_max).saturating_mul(NS_PER_MS);
        let age = self.place.at.boot.since_ns(quote.received);
        ((0..=max).contains(&age) && quote.bid < quote.ask).then_some(quote)
    }

    /// Whether the kernel can do what it promised about that symbol.
    pub(super) fn sees(&self, symbol: &str) -> bool {
        let instruments = self.live.iter().flat_map(|live| live.gate.instruments());
        let instrument = instruments.into_iter().find(|i| i.symbol == symbol);
        let quoted = instrument.is_some_and(|i| self.fresh_quote(i.id).is_some());
        quoted && (self.is_shadow() || self.venue_up)
    }

    fn fire_when_crossed(&mut self, entry: &Order, now: Measure, turn: &mut Turn) {
        let id = entry.cl_ord_id;
        let quote = self.fresh_quote(entry.intent.instrument);
        let Some(legs) = self.brackets.get_mut(&id).filter(|legs| !legs.fired) else { return };
        let (Some(stop_px), Some(quote)) = (legs.bracket.stop_px, quote) else { return };
        let crossed = match entry.intent.side {
            Side::Buy => quote.bid <= stop_px,
            Side::Sell => quote.ask >= stop_px,
        };
        if !crossed {
            return;
        }
        (legs.fired, legs.asked, legs.denied) = (true, None, None);
        let open = now.open;
        let record = BracketRecord::StopFired { entry: id, stop_px, quote, open };
        turn.record(&Outcome::Bracket(record));
        // Whatever of the entry would still fill would only have to be left again.
        if now.entry_works {
            self.cancel(id, "STOP_FIRED", turn);
        }
    }

    /// Covers what is filled and has no target yet by a target of its own.
    fn place_target(&mut self, entry: &Order, now: Measure, turn: &mut Turn) {
        let id = entry.cl_ord_id;
        let at = self.fresh_quote(entry.intent.instrument).map(|quote| quote.received);
        let Some(legs) = self.brackets.get_mut(&id) else { return };
        let due = legs.stirred || at > legs.asked;
        let Some(price) = legs.bracket.target_px.filter(|_| due && !now.uncovered.is_zero()) else {
            return;
        };
        (legs.stirred, legs.asked) = (false, at);
        let qty = self.reducible_part(entry, now.uncovered);
        self.ask_fitting(entry, Wish { exit: Exit::Target, price, qty }, turn);
    }

    /// Leaves at the market, once nothing else can exit any more; again at each new quote.
    fn leave(&mut self, entry: &Order, now: Measure, turn: &mut Turn) {
        let id = entry.cl_ord_id;
        let Some(quote) = self.fresh_quote(entry.intent.instrument) else { return };
        let Some(legs) = self.brackets.get_mut(&id) else { return };
        if now.exits_work {
            let new = legs.cleared != Some(quote.received);
            legs.cleared = Some(quote.received);
            if new {
                self.clear_targets(id, turn);
            }
            return;
        }
        if legs.asked == Some(quote.received) {
            return;
        }
        legs.asked = Some(quote.received);
        let side = entry.intent.side.opposite();
        let Some((worst, touch)) = self.prices(entry.intent.instrument, side, quote) else {
            return;
        };
        let qty = self.reducible_part(entry, now.open);
        let wish = Wish { exit: Exit::Stop, price: worst, qty };
        let denied = self.ask_fitting(entry, wish, turn);
        // An order of our own between touch and collar must not lock the exit.
        if denied == Some(DenyCode::SelfCross) && touch != worst {
            self.ask_fitting(entry, Wish { price: touch, ..wish }, turn);
        }
    }

    fn clear_targets(&mut self, entry: ClOrdId, turn: &mut Turn) {
        let stops: Vec<ClOrdId> = self.brackets.get(&entry).map_or(Vec::new(), |legs: &Legs| {
            let stops = legs.exits.iter().filter(|(exit, _)| *exit == Exit::Stop);
            stops.map(|(_, id)| *id).collect()
        });
        for id in self.working_exits(entry).into_iter().filter(|id| !stops.contains(id)) {
            self.cancel(id, "STOP_FIRED", turn);
        }
    }

    /// The worst price that the gate admits for a side, and the touch: the collar's edge, on the
    /// tick. A collar narrower than the spread leaves the touch, and the gate says no to it.
    fn prices(&self, id: InstrumentId, side: Side, quote: Quote) -> Option<(Px, Px)> {
        let gate = &self.live.as_ref()?.gate;
        let collar = gate.limits().instruments.get(&id)?.price_collar_bps;
        let edge = collar_edge(gate.instrument(id)?, side, quote, collar);
        Some(match side {
            Side::Sell => (edge.map_or(quote.bid, |edge| edge.min(quote.bid)), quote.bid),
            Side::Buy => (edge.map_or(quote.ask, |edge| edge.max(quote.ask)), quote.ask),
        })
    }

    /// Asks the gate, with half of it where the whole is more than one order may be. Returns what
    /// it said no with.
    fn ask_fitting(&mut self, entry: &Order, wish: Wish, turn: &mut Turn) -> Option<DenyCode> {
        let mut qty = wish.qty;
        let mut last = None;
        for _ in 0..=HALVINGS_MAX {
            if qty.is_zero() {
                break;
            }
            match self.ask_exit(entry, Wish { qty, ..wish }, turn) {
                Submitted::Denied(Denial { code, .. }) => last = Some(code),
                Submitted::Issued(_) if qty < wish.qty => {
                    self.stir_bracket(entry.cl_ord_id);
                    return None;
                }
                Submitted::Issued(_) | Submitted::Proposed(_) | Submitted::Faulted => return None,
            }
            let large = [DenyCode::MaxOrderQty, DenyCode::MaxOrderNotional];
            if !last.is_some_and(|code| large.contains(&code)) {
                break;
            }
            qty = self.half(entry, qty);
        }
        last
    }

    /// Half a quantity, in whole lots, rounded down.
    fn half(&self, entry: &Order, qty: Qty) -> Qty {
        let id = entry.cl_ord_id;
        let lot = self.ledger_of(id).instrument_of(id).map_or(1, |i| i.lot.units());
        let half = qty.units() / 2;
        let rest = half.checked_rem(lot).unwrap_or(0);
        Qty::new(half.saturating_sub(rest)).unwrap_or(Qty::ZERO)
    }

    /// One exit, through the same door as any other order.
    fn ask_exit(&mut self, entry: &Order, wish: Wish, turn: &mut Turn) -> Submitted {
        let Wish { exit, price, qty } = wish;
        let id = entry.cl_ord_id;
        let count = self.brackets.get(&id).map_or(0, |legs| legs.exits.len());
        let intent = OrderIntent {
            origin: entry.intent.origin,
            reference: LegRef::new(exit, id, count).reference(),
            instrument: entry.intent.instrument,
            side: entry.intent.side.opposite(),
            ord_type: OrdType::Limit,
            time_in_force: match exit {
                Exit::Target => TimeInForce::Gtc,
                Exit::Stop => TimeInForce::Ioc,
            },
            qty,
            price: Some(price),
            reduce_only: true,
            bracket: None,
        };
        self.submit(intent, Door::Session, turn)
    }

    /// An exit was denied: told and recorded once for each reason, since it is asked for again.
    pub(crate) fn on_leg_denied(&mut self, intent: OrderIntent, denial: Denial, turn: &mut Turn) {
        let epoch = self.identity.as_ref().map_or(0, |identity| identity.start.draw);
        let Some(leg) = LegRef::of(&intent) else { return };
        let entry = leg.entry(epoch);
        let Some(legs) = self.brackets.get_mut(&entry) else { return };
        if legs.denied.replace(denial.code) == Some(denial.code) {
            return;
        }
        let order = self.ledger_of(entry).orders.get(entry);
        if let (Some(plugin), Some(order)) = (intent.origin.plugin(), order) {
            let about = (order.intent.reference, intent.instrument.0);
            self.tell_leg_denial(plugin, about, (denial.code, leg.exit.extra()), turn.now.wall);
        }
        let record = BracketRecord::LegDenied { entry, intent: Box::new(intent), denial };
        turn.record(&Outcome::Bracket(record));
    }
}

/// The edge of the collar around the middle of the quote, on the tick, inside of the collar.
fn collar_edge(instrument: &Instrument, side: Side, quote: Quote, collar_bps: u32) -> Option<Px> {
    let middle_twice = i128::from(quote.bid.units()).checked_add(quote.ask.units().into())?;
    let tick = i128::from(instrument.tick.units()).checked_mul(20_000)?;
    let share = match side {
        Side::Sell => 10_000_i128.checked_sub(collar_bps.into())?,
        Side::Buy => 10_000_i128.checked_add(collar_bps.into())?,
    };
    let edge = middle_twice.checked_mul(share)?;
    let down = edge.checked_div_euclid(tick)?;
    let ticks = match side {
        Side::Sell if edge.checked_rem_euclid(tick)? != 0 => down.checked_add(1)?,
        Side::Sell | Side::Buy => down,
    };
    let units = ticks.checked_mul(instrument.tick.units().into())?;
    i64::try_from(units).ok().filter(|units| *units > 0).and_then(Px::new)
}
