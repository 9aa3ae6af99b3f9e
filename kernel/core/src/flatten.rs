//! The way out of positions after a cancel-all: slices of a signed plan, one at a time.
//!
//! A run lives in memory alone. After a restart people sign another plan, because what the market
//! and the position were when they signed this one is not what they are then.

use std::collections::BTreeMap;

use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{
    ClOrdId, Instrument, InstrumentId, OrdStatus, OrdType, OrderIntent, Origin, Position, Px, Qty,
    Side, StopMode, StopScope, TimeInForce, WallNs,
};
use portcullis_gate::{Circumstances, Gate, Quote};
use portcullis_statement::{Digest, FlattenPlan, Latch, Slices};

use crate::effect::Effect;
use crate::market::MarketDesk;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};
use crate::submit::{Door, Submitted};

/// Basis points of a whole.
const BPS: i128 = 10_000;

/// How the exit from one instrument ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LegEnd {
    /// Nothing is held.
    Flat,
    /// What is left is below what the venue trades (D15).
    WithinDust,
    /// The venue refused a slice (D15).
    VenueClosed,
}

impl LegEnd {
    const fn code(self) -> &'static str {
        match self {
            Self::Flat => "FLAT",
            Self::WithinDust => "FLAT_WITHIN_DUST",
            Self::VenueClosed => "VENUE_CLOSED",
        }
    }
}

/// One instrument of a plan.
#[derive(Clone, Debug)]
struct Leg {
    slices: Slices,
    /// The slice that is out. `Some` until its last report: at most one.
    working: Option<ClOrdId>,
    /// Not before this is the next one sent.
    due: WallNs,
    end: Option<LegEnd>,
}

/// A plan that is being carried out.
#[derive(Debug)]
pub(crate) struct Flattening {
    pub(crate) plan: FlattenPlan,
    digest: Digest,
    expires: WallNs,
    legs: BTreeMap<String, Leg>,
    /// The market, where no session is open whose market it could be.
    market: Option<MarketDesk>,
    /// Numbers the slices.
    slices: u64,
}

/// What comes next for one instrument.
enum Next {
    Wait,
    End(LegEnd),
    Send(OrderIntent),
}

impl Core {
    /// Whether a plan fits what stands: its stop took everything of its scope back and the venue
    /// has confirmed it, and there is a gate that knows its instruments.
    pub(crate) fn may_flatten(
        &self,
        plan: &FlattenPlan,
    ) -> Result<(), (&'static str, &'static str)> {
        self.stands(&plan.target)?;
        if self.flatten.is_some() {
            return Err(("FLATTEN_RUNNING", "another plan is being carried out"));
        }
        if self.is_shadow() {
            return Err((
                "PHASE_FORBIDS",
                "close the session of phase 1 first: its market is open",
            ));
        }
        let (stop, clear) = match plan.target.latch {
            Latch::Kill => (None, self.kill.as_ref().is_some_and(|kill| kill.clearing.clear)),
            Latch::Stop => {
                let standing = self.stops.standing.get(&plan.target.seq);
                let clear = standing.is_some_and(|standing| standing.clearing.clear);
                (standing.map(|standing| &standing.stop), clear)
            }
        };
        if stop.is_some_and(|stop| stop.mode != StopMode::CancelAll) {
            return Err(("NOT_CANCELED", "only after a cancel-all may a position be left"));
        }
        if !clear {
            return Err(("ORDERS_NOT_CLEAR", "the venue has not confirmed that no order is left"));
        }
        let covered = |symbol: &String| match stop.map(|stop| &stop.scope) {
            None | Some(StopScope::All | StopScope::Venue | StopScope::Account) => true,
            Some(StopScope::Instrument(stopped)) => stopped == symbol,
            // Positions belong to the account: nobody can say which part is one strategy's.
            Some(StopScope::Strategy(_)) => false,
        };
        if !plan.instruments.keys().all(covered) {
            return Err(("FLATTEN_SCOPE", "an instrument lies outside of what was stopped"));
        }
        let missing = "no session's approval is left that the slices could be judged by";
        let gate = self.exit_gate().ok_or(("APPROVAL_MISSING", missing))?;
        let fits = |(symbol, slices): (&String, &Slices)| {
            let instrument = of_symbol(gate, symbol)?;
            slice_qty(gate, instrument, slices).filter(|qty| *qty >= instrument.qty_min)
        };
        if plan.instruments.iter().any(|pair| fits(pair).is_none()) {
            let cause = "a slice cannot be sent: unknown instrument, or not a tradable quantity";
            return Err(("FLATTEN_SLICE", cause));
        }
        Ok(())
    }

    /// The door of the slices: the open session's, or the last one's closing rights.
    fn exit_door(&self) -> Door {
        if self.live.is_some() { Door::Session } else { Door::Closing }
    }

    fn exit_gate(&self) -> Option<&Gate> {
        self.gate(self.exit_door())
    }

    pub(crate) fn begin_flatten(
        &mut self,
        plan: FlattenPlan,
        (digest, expires): (Digest, WallNs),
        turn: &mut Turn,
    ) {
        let Some(gate) = self.exit_gate() else { return };
        let instruments: Vec<Instrument> = gate.instruments().to_vec();
        let own_market = self.live.is_none();
        let market = own_market.then(|| MarketDesk::new(instruments.iter().map(|i| i.id)));
        let due = turn.now.wall;
        let leg = |slices: &Slices| Leg { slices: slices.clone(), working: None, due, end: None };
        let legs = plan.instruments.iter().map(|(symbol, s)| (symbol.clone(), leg(s))).collect();
        if own_market {
            turn.effect(Effect::SessionOpened { instruments });
        }
        self.flatten = Some(Flattening { plan, digest, expires, legs, market, slices: 0 });
    }

    /// The next slice of every instrument that has one due. Called after every event.
    pub(crate) fn flatten_next(&mut self, turn: &mut Turn) {
        let Some(run) = self.flatten.as_ref() else { return };
        if turn.now.wall >= run.expires {
            return self.end_flatten("EXPIRED", turn);
        }
        let open = run.legs.iter().filter(|(_, leg)| leg.end.is_none());
        let open: Vec<String> = open.map(|(symbol, _)| symbol.clone()).collect();
        for symbol in open {
            self.leg_next(&symbol, turn);
        }
        let run = self.flatten.as_ref();
        let ends =
            run.and_then(|run| run.legs.values().map(|leg| leg.end).collect::<Option<Vec<_>>>());
        if let Some(worst) = ends.and_then(|ends| ends.into_iter().max()) {
            self.end_flatten(worst.code(), turn);
        }
    }

    fn leg_next(&mut self, symbol: &str, turn: &mut Turn) {
        let now = turn.now.wall;
        let Some(leg) = self.flatten.as_mut().and_then(|run| run.legs.get_mut(symbol)) else {
            return;
        };
        if let Some(id) = leg.working {
            let status = self.account.orders.get(id).map(|order| order.status);
            // What became of the slice decides about the next one: nothing overlaps.
            if status.is_some_and(OrdStatus::is_open) {
                return;
            }
            leg.working = None;
            leg.due = now.plus_ns(i64::from(leg.slices.slice_pause_ms).saturating_mul(NS_PER_MS));
            leg.end = (status == Some(OrdStatus::Rejected)).then_some(LegEnd::VenueClosed);
        }
        let next = self.next_slice(symbol, turn);
        let Some(leg) = self.flatten.as_mut().and_then(|run| run.legs.get_mut(symbol)) else {
            return;
        };
        match next {
            Next::Wait => {}
            Next::End(end) => leg.end = leg.end.or(Some(end)),
            Next::Send(_) if leg.end.is_some() || now < leg.due => {}
            Next::Send(intent) => {
                let pause = i64::from(leg.slices.slice_pause_ms).saturating_mul(NS_PER_MS);
                leg.due = now.plus_ns(pause);
                self.send_slice(symbol, intent, turn);
            }
        }
    }

    fn next_slice(&self, symbol: &str, turn: &Turn) -> Next {
        let held = self.account.holding(symbol).position;
        if held == Position::FLAT {
            return Next::End(LegEnd::Flat);
        }
        let known = self.exit_gate().and_then(|gate| Some((gate, of_symbol(gate, symbol)?)));
        let run = self.flatten.as_ref();
        let leg = run.and_then(|run| run.legs.get(symbol));
        let (Some((gate, instrument)), Some(run), Some(leg)) = (known, run, leg) else {
            return Next::Wait;
        };
        let whole = on_lots(held.magnitude(), instrument);
        if whole < instrument.qty_min {
            return Next::End(LegEnd::WithinDust);
        }
        // Without a link a slice would only become an order of unknown fate.
        if !self.venue_up {
            return Next::Wait;
        }
        let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
        let Some(quote) = self.fresh_touch(gate, instrument.id, turn) else { return Next::Wait };
        let price = worsened(side, quote, leg.slices.slippage_bps_max, instrument);
        let (Some(price), Some(most)) = (price, slice_qty(gate, instrument, &leg.slices)) else {
            return Next::Wait;
        };
        let value = portcullis_domain::Money::notional(price, whole, instrument);
        if value.is_some_and(|value| value < instrument.notional_min) {
            return Next::End(LegEnd::WithinDust);
        }
        Next::Send(OrderIntent {
            origin: Origin::House,
            reference: run.slices.saturating_add(1),
            instrument: instrument.id,
            side,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Ioc,
            qty: whole.min(most),
            price: Some(price),
            reduce_only: true,
            bracket: None,
        })
    }

    /// The touch that a slice is priced by; `None` while it is missing, crossed or too old.
    fn fresh_touch(&self, gate: &Gate, id: InstrumentId, turn: &Turn) -> Option<Quote> {
        let quote = self.exit_market()?.get(id)?.quote?;
        let max_ms = gate.limits().instruments.get(&id)?.market_data_age_ms_max;
        let age = turn.now.boot.since_ns(quote.received);
        let fresh = age >= 0 && age <= i64::from(max_ms).saturating_mul(NS_PER_MS);
        (fresh && quote.bid < quote.ask).then_some(quote)
    }

    fn exit_market(&self) -> Option<&MarketDesk> {
        let own = self.flatten.as_ref().and_then(|run| run.market.as_ref());
        own.or_else(|| self.live.as_ref().map(|live| &live.market))
    }

    /// A run under a smaller stop goes on when its session ends: with the session's market, whose
    /// streams then end with the run. `false` if there is no such run.
    pub(crate) fn adopt_market(&mut self, market: MarketDesk) -> bool {
        let Some(run) = self.flatten.as_mut().filter(|run| run.market.is_none()) else {
            return false;
        };
        run.market = Some(market);
        true
    }

    /// The market of a run that has none of a session.
    pub(crate) fn flatten_market(&mut self) -> Option<&mut MarketDesk> {
        self.flatten.as_mut()?.market.as_mut()
    }

    /// A slice passes the gate like any order. A denial is on record, and the next try comes after
    /// the pause.
    fn send_slice(&mut self, symbol: &str, intent: OrderIntent, turn: &mut Turn) {
        let Submitted::Issued(id) = self.submit(intent, self.exit_door(), turn) else { return };
        self.reopen_clearing(id);
        let Some(run) = self.flatten.as_mut() else { return };
        run.slices = run.slices.saturating_add(1);
        if let Some(leg) = run.legs.get_mut(symbol) {
            leg.working = Some(id);
        }
    }

    /// Whether the house asks for this to carry a plan out.
    fn is_slice(&self, intent: &OrderIntent) -> bool {
        self.flatten.is_some() && intent.origin == Origin::House && intent.reduce_only
    }

    /// A slice is judged as one, and by the market that it was priced by.
    pub(crate) fn mark_slice(&self, intent: &OrderIntent, at: &mut Circumstances) {
        if !self.is_slice(intent) {
            return;
        }
        let market = self.exit_market().and_then(|market| market.get(intent.instrument));
        at.flatten = true;
        at.quote = market.and_then(|market| market.quote);
        at.book_valid = market.is_some_and(|market| market.book.is_valid());
    }

    /// Ends the run, whatever it has reached, and takes back what of it is still out.
    pub(crate) fn end_flatten(&mut self, code: &'static str, turn: &mut Turn) {
        let Some(run) = self.flatten.take() else { return };
        let left = run.legs.keys().map(|symbol| {
            let position = self.account.holding(symbol).position;
            let scale = self.instruments.get(symbol).map_or(0, |instrument| instrument.qty_scale);
            (symbol.clone(), position.text(scale))
        });
        let left = left.collect();
        turn.record(&Outcome::FlattenEnded { plan: run.digest, code, left });
        if run.market.is_some() {
            turn.effect(Effect::SessionClosed);
        }
        for id in run.legs.values().filter_map(|leg| leg.working) {
            self.cancel(id, "FLATTEN_OVER", turn);
        }
    }

    /// When the run has something to do without any event.
    pub(crate) fn next_flatten(&self) -> Option<WallNs> {
        let run = self.flatten.as_ref()?;
        let now = self.place.at.wall;
        let waiting = |leg: &&Leg| leg.working.is_none() && leg.end.is_none() && leg.due > now;
        let due = run.legs.values().filter(waiting).map(|leg| leg.due);
        due.chain([run.expires]).min()
    }
}

fn of_symbol<'a>(gate: &'a Gate, symbol: &str) -> Option<&'a Instrument> {
    gate.instruments().iter().find(|instrument| instrument.symbol == symbol)
}

/// The largest slice: the plan's, within what one order may be, in whole lots.
fn slice_qty(gate: &Gate, instrument: &Instrument, slices: &Slices) -> Option<Qty> {
    let limit = gate.limits().instruments.get(&instrument.id)?.order_qty_max;
    let most = Qty::parse(&slices.slice_qty_max, instrument.qty_scale).ok()?;
    Some(on_lots(most.min(limit), instrument))
}

/// The largest whole number of lots that is not above `qty`.
fn on_lots(qty: Qty, instrument: &Instrument) -> Qty {
    let rest = qty.units().checked_rem(instrument.lot.units()).unwrap_or(0);
    Qty::new(qty.units().saturating_sub(rest)).unwrap_or(Qty::ZERO)
}

/// The touch, worse by at most `bps` for us, on a tick; rounded towards the touch.
fn worsened(side: Side, quote: Quote, bps: u32, instrument: &Instrument) -> Option<Px> {
    let tick = i128::from(instrument.tick.units());
    let bps = i128::from(bps);
    let (touch, share) = match side {
        Side::Sell => (quote.bid, BPS.checked_sub(bps)?),
        Side::Buy => (quote.ask, BPS.checked_add(bps)?),
    };
    let scaled = i128::from(touch.units()).checked_mul(share)?;
    let step = tick.checked_mul(BPS)?;
    let down = scaled.checked_div(step)?;
    let exact = scaled.checked_rem(step)? == 0;
    let ticks = match side {
        Side::Sell if !exact => down.checked_add(1)?,
        Side::Sell | Side::Buy => down,
    };
    Px::new(i64::try_from(ticks.checked_mul(tick)?).ok()?)
}

#[cfg(test)]
mod tests;
