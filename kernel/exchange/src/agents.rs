//! The synthetic market: makers around a wandering fair price, and takers who come and go.
//!
//! All decisions come from the seed and the book, in a fixed order; the clock only says when.

use portcullis_domain::{Instrument, OrdType, Px, Qty, Side, TimeInForce};
use portcullis_paper::{Matching, NewOrder};

use crate::random::Random;

/// Owner of the makers' orders.
pub(crate) const MAKERS: u32 = 0;
/// Owner of the takers' orders.
pub(crate) const TAKERS: u32 = 1;
/// Levels that the makers keep on each side.
const LEVELS: usize = 12;
/// Beyond so many steps from the fair price a maker goes home.
const STEPS_MAX: i64 = 16;
/// How often, of a hundred steps, someone takes.
const TAKER_PERCENT: i64 = 45;
/// The fair price loses a fiftieth of its distance from the anchor at each step.
const REVERSION: i64 = 50;

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Takes an order of the makers back.
    Cancel(u64),
    /// Places an order.
    Submit(NewOrder),
}

/// The agents of one market.
#[derive(Debug)]
pub(crate) struct Agents {
    random: Random,
    anchor: i64,
    fair: i64,
    tick: i64,
    /// Half the makers' spread.
    half_spread: i64,
    /// Distance between the makers' levels.
    step: i64,
    /// The farthest that the fair price moves at once, apart from its reversion.
    stride: i64,
    qty_unit: i64,
}

impl Agents {
    pub(crate) fn new(instrument: &Instrument, start: Px, seed: u64) -> Self {
        let tick = instrument.tick.units();
        let share = |parts: i64| start.units().checked_div(parts).unwrap_or(tick).max(tick);
        Self {
            random: Random::new(seed),
            anchor: start.units(),
            fair: start.units(),
            tick,
            half_spread: share(100_000),
            step: share(50_000),
            stride: share(20_000),
            qty_unit: unit_qty(instrument, start),
        }
    }

    /// One step: the fair price moves, makers follow, and someone may take.
    pub(crate) fn step(
        &mut self,
        book: &Matching,
        mut next_id: impl FnMut() -> u64,
    ) -> Vec<Action> {
        self.wander();
        let mut actions = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            self.follow(side, book, &mut next_id, &mut actions);
        }
        if self.random.chance(TAKER_PERCENT) {
            let side = if self.random.chance(50) { Side::Buy } else { Side::Sell };
            let qty = self.qty(1, 40);
            let order = NewOrder {
                owner: TAKERS,
                id: next_id(),
                side,
                ord_type: OrdType::Market,
                time_in_force: TimeInForce::Ioc,
                post_only: false,
                qty,
                price: None,
            };
            actions.push(Action::Submit(order));
        }
        actions
    }

    fn wander(&mut self) {
        let move_by = self.random.between(self.stride.saturating_neg(), self.stride);
        let pull = self.anchor.saturating_sub(self.fair) / REVERSION;
        let least = self.tick.saturating_mul(STEPS_MAX);
        self.fair = self.fair.saturating_add(move_by).saturating_add(pull).max(least);
    }

    /// Cancels what the fair price ran over or left behind, and fills the side up again.
    fn follow(
        &mut self,
        side: Side,
        book: &Matching,
        next_id: &mut impl FnMut() -> u64,
        actions: &mut Vec<Action>,
    ) {
        let far = self.step.saturating_mul(STEPS_MAX).saturating_add(self.half_spread);
        let mut kept = 0_usize;
        let mut nearest = i64::MAX;
        for resting in book.open(MAKERS).filter(|resting| resting.order.side == side) {
            let distance = resting.order.price.map_or(0, |px| self.distance(side, px));
            if distance < self.half_spread || distance > far {
                actions.push(Action::Cancel(resting.order.id));
            } else {
                kept = kept.saturating_add(1);
                nearest = nearest.min(distance);
            }
        }
        if nearest > self.half_spread.saturating_add(self.step) {
            let offer = self.maker(side, 0, next_id());
            actions.extend(offer.map(Action::Submit));
            kept = kept.saturating_add(1);
        }
        while kept < LEVELS {
            let offer = self.maker(side, i64::try_from(kept).unwrap_or(STEPS_MAX), next_id());
            actions.extend(offer.map(Action::Submit));
            kept = kept.saturating_add(1);
        }
    }

    /// How far `px` lies on its own side of the fair price; negative if beyond it.
    const fn distance(&self, side: Side, px: Px) -> i64 {
        match side {
            Side::Buy => self.fair.saturating_sub(px.units()),
            Side::Sell => px.units().saturating_sub(self.fair),
        }
    }

    fn maker(&mut self, side: Side, level: i64, id: u64) -> Option<NewOrder> {
        let jitter = self.random.between(0, self.step.saturating_sub(1));
        let offset = self.step.saturating_mul(level).saturating_add(jitter);
        let offset = offset.saturating_add(self.half_spread);
        let units = match side {
            Side::Buy => self.fair.saturating_sub(offset),
            Side::Sell => self.fair.saturating_add(offset).saturating_add(self.tick),
        };
        let off_tick = units.rem_euclid(self.tick);
        Some(NewOrder {
            owner: MAKERS,
            id,
            side,
            ord_type: OrdType::Limit,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            qty: self.qty(5, 200),
            price: Some(Px::new(units.saturating_sub(off_tick))?),
        })
    }

    fn qty(&mut self, low: i64, high: i64) -> Qty {
        let units = self.qty_unit.saturating_mul(self.random.between(low, high));
        Qty::new(units).unwrap_or_default()
    }
}

/// A whole number of lots that is enough for the smallest order at half the start price, ten
/// times over.
fn unit_qty(instrument: &Instrument, start: Px) -> i64 {
    let lot = instrument.lot.units().max(1);
    let mut units = instrument.qty_min.units().max(lot);
    let half = Px::new(start.units() / 2).unwrap_or(start);
    let worth = |units: i64| {
        let qty = Qty::new(units)?;
        portcullis_domain::Money::notional(half, qty, instrument)
    };
    while worth(units).is_some_and(|value| value < instrument.notional_min) {
        units = units.saturating_mul(2);
    }
    let lots = units.saturating_mul(10).checked_div(lot).unwrap_or(1).max(1);
    lots.saturating_mul(lot)
}
