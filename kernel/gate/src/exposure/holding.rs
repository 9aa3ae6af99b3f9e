//! What is held of an instrument, and what one fill makes of it.

#[cfg(test)]
mod tests;

use portcullis_domain::number::pow10;
use portcullis_domain::{Instrument, Money, Position, Px, Qty, Side};

use super::convert::share;

/// What is held of one instrument, and what it has earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Signed base quantity.
    pub position: Position,
    /// What the position cost, signed like it: positive for a long one.
    pub cost: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees paid.
    pub fees: Money,
}

/// One fill to book.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// FIX 31.
    pub px: Px,
    /// FIX 32.
    pub qty: Qty,
    /// In the quote currency.
    pub fee: Money,
    /// Of what.
    pub instrument: &'a Instrument,
}

impl Holding {
    /// Books one fill. `None` on overflow.
    #[must_use]
    pub fn after(self, side: Side, fill: Fill<'_>) -> Option<Self> {
        let signed = side.signed(fill.qty);
        let held = self.position.0;
        let closing = held.signum() != 0 && held.signum() != signed.signum();
        let mut next = self;
        next.fees = self.fees.plus(fill.fee)?;
        next.position = self.position.plus(signed)?;
        let value = |units: i64| Money::value(fill.px, Position(units), fill.instrument);
        if !closing {
            next.cost = self.cost.plus(value(signed)?)?;
            return Some(next);
        }
        // The closed part takes its share of the cost with it; whatever is beyond opens anew.
        let magnitude = held.checked_abs()?;
        let closed = magnitude.min(signed.checked_abs()?);
        let closed_signed = closed.checked_mul(held.signum())?;
        let (released, _rest) = share(self.cost.0, i128::from(closed), i128::from(magnitude))?;
        let released = Money(released);
        let earned = value(closed_signed)?.minus(released)?;
        next.realised = self.realised.plus(earned)?;
        let opened = signed.checked_add(closed_signed)?;
        next.cost = self.cost.minus(released)?.plus(value(opened)?)?;
        Some(next)
    }

    /// Average price of what is held; `None` when flat.
    #[must_use]
    pub fn avg_px(&self, instrument: &Instrument) -> Option<Px> {
        let places = instrument.price_scale.checked_add(instrument.qty_scale)?;
        let unit = pow10(Money::SCALE.checked_sub(places)?)?;
        let per_unit = self.cost.0.checked_div(unit)?.checked_div(i128::from(self.position.0))?;
        Px::new(i64::try_from(per_unit).ok()?)
    }

    /// Profit with the position marked at `mark`, fees taken off. `None` on overflow.
    #[must_use]
    pub fn profit(&self, mark: Option<Px>, instrument: &Instrument) -> Option<Money> {
        let closed = self.realised.minus(self.fees)?;
        if self.position == Position::FLAT {
            return Some(closed);
        }
        let value = Money::value(mark?, self.position, instrument)?;
        closed.plus(value.minus(self.cost)?)
    }
}
