//! What is held of an instrument, and what one fill makes of it.

#[cfg(test)]
mod tests;

use portcullis_domain::number::{pow10, share};
use portcullis_domain::{Instrument, Money, Position, Px, Qty, Side};

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
        let closed = magnitude.min(fill.qty.units());
        let closed_signed = closed.saturating_mul(held.signum());
        let released = share(self.cost.0, i128::from(closed), i128::from(magnitude));
        let released = released.map(|(whole, _rest)| Money(whole));
        let (released, worth) = released.zip(value(closed_signed))?;
        let earned = worth.minus(released);
        next.realised = earned.and_then(|earned| self.realised.plus(earned))?;
        let opened = value(signed.saturating_add(closed_signed));
        let kept = self.cost.minus(released);
        next.cost = kept.zip(opened).and_then(|(kept, opened)| kept.plus(opened))?;
        Some(next)
    }

    /// Average price of what is held; `None` when flat.
    #[must_use]
    pub fn avg_px(&self, instrument: &Instrument) -> Option<Px> {
        let places = instrument.price_scale.saturating_add(instrument.qty_scale);
        let unit = Money::SCALE.checked_sub(places).and_then(pow10);
        let cost = unit.and_then(|unit| self.cost.0.checked_div(unit))?;
        let per_unit = cost.checked_div(i128::from(self.position.0))?;
        i64::try_from(per_unit).ok().and_then(Px::new)
    }

    /// Profit with the position marked at `mark`, fees taken off. `None` on overflow.
    #[must_use]
    pub fn profit(&self, mark: Option<Px>, instrument: &Instrument) -> Option<Money> {
        let closed = self.realised.minus(self.fees)?;
        if self.position == Position::FLAT {
            return Some(closed);
        }
        let value = Money::value(mark?, self.position, instrument)?;
        value.minus(self.cost).and_then(|open| closed.plus(open))
    }
}
