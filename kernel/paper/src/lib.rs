//! Matching, fees and latency for shadow fills and the simulated exchange. Deterministic.
//!
//! [`ShadowVenue`] answers orders that never left: it fills them against the public market, and
//! never better than that market would have. [`matching`] is a market of its own: the
//! price-time engine behind the simulated exchange. Neither reads a clock or draws a number.

pub mod matching;
pub mod shadow;

pub use matching::{
    AmendRefusal, CancelReason, MatchEvent, Matching, NewOrder, RejectReason, RestingOrder,
};
pub use shadow::{ShadowOrder, ShadowVenue};

#[cfg(test)]
#[path = "../../gate/src/exposure/seeded.rs"]
mod seeded;
#[cfg(test)]
mod testing;

use portcullis_domain::{Instrument, Money, OrdType, Px, Qty, Side};

/// What is wrong with the shape of an order, by the instrument's own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShapeFault {
    /// A limit order without a price, or a market order with one.
    PricePresence,
    /// Not a whole number of ticks.
    TickSize,
    /// Zero, below the smallest order, or not a whole number of lots.
    LotSize,
    /// Worth less than the smallest order value.
    MinNotional,
}

impl ShapeFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PricePresence => "PRICE_PRESENCE",
            Self::TickSize => "TICK_SIZE",
            Self::LotSize => "LOT_SIZE",
            Self::MinNotional => "MIN_NOTIONAL",
        }
    }
}

/// Checks what any venue checks before it looks at its book.
fn check_shape(
    instrument: &Instrument,
    ord_type: OrdType,
    qty: Qty,
    price: Option<Px>,
) -> Result<(), ShapeFault> {
    if price.is_some() != (ord_type == OrdType::Limit) {
        return Err(ShapeFault::PricePresence);
    }
    if price.is_some_and(|px| !instrument.on_tick(px)) {
        return Err(ShapeFault::TickSize);
    }
    if qty.is_zero() || qty < instrument.qty_min || !instrument.on_lot(qty) {
        return Err(ShapeFault::LotSize);
    }
    // An order of no countable value is refused with the others: both are outside the rules.
    let enough = |px| {
        Money::notional(px, qty, instrument).is_some_and(|worth| worth >= instrument.notional_min)
    };
    if price.is_some_and(|px| !enough(px)) {
        return Err(ShapeFault::MinNotional);
    }
    Ok(())
}

/// Whether price `px` is strictly better than `other` for resting orders of that side.
fn is_better(side: Side, px: Px, other: Px) -> bool {
    match side {
        Side::Buy => px > other,
        Side::Sell => px < other,
    }
}

/// Whether an order of `side` may trade at `px` under its limit; a market order may anywhere.
fn within_limit(side: Side, limit: Option<Px>, px: Px) -> bool {
    limit.is_none_or(|limit| !is_better(side, px, limit))
}
