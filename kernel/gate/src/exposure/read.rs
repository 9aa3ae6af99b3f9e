//! What the gate asks the book.

use portcullis_domain::{BootNs, InstrumentId, Money, Position, Px, Side};

use super::cell::Cell;
use super::claim::Claim;
use super::line::Line;
use super::totals::Totals;
use super::{ExposureBook, Owner, index, slot};

/// What would stand if one more order worked, in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// Exposure of the owner in the instrument.
    pub instrument: Money,
    /// Exposure of the owner in everything.
    pub gross: Money,
}

impl ExposureBook {
    /// One owner and one instrument. `None` if the session has no such, or the book is broken.
    #[must_use]
    pub fn cell(&self, owner: Owner, instrument: InstrumentId) -> Option<&Cell> {
        let cell = self.cells.get(self.place(owner, instrument)?)?;
        (!self.broken).then_some(cell)
    }

    /// Everything of one owner. `None` if the session has no such, or the book is broken.
    #[must_use]
    pub fn totals(&self, owner: Owner) -> Option<Totals> {
        let sums = self.sums.get(slot(owner))?;
        (!self.broken).then(|| sums.totals())
    }

    /// What would stand if an order with that claim worked as well: exactly what
    /// [`ExposureBook::order_changed`] would make of it. `None` if that is not known.
    #[must_use]
    pub fn exposure_with(
        &self,
        owner: Owner,
        instrument: InstrumentId,
        claim: &Claim,
    ) -> Option<Worst> {
        let sums = self.sums.get(slot(owner));
        let (Some(cell), Some(line), Some(sums)) =
            (self.cell(owner, instrument), self.line(instrument), sums)
        else {
            return None;
        };
        let next = cell.with(claim)?.valued(line);
        let gross = sums.replace(cell, &next).and_then(|sums| sums.gross());
        next.exposure.zip(gross).map(|(instrument, gross)| Worst { instrument, gross })
    }

    /// The newest reference price and when it came in.
    #[must_use]
    pub fn mark(&self, instrument: InstrumentId) -> Option<(Px, BootNs)> {
        self.line(instrument)?.mark
    }

    /// Every instrument that the account holds, with the time of its mark. Of a broken book it is
    /// every instrument, none marked: nobody knows what is held.
    pub fn held(&self) -> impl Iterator<Item = (InstrumentId, Option<BootNs>)> + '_ {
        let whole = self.cells.iter().step_by(self.sums.len().max(1));
        let lines = (0..).map(InstrumentId).zip(self.lines.iter().zip(whole));
        lines.filter_map(|(id, (line, cell))| match self.broken {
            true => Some((id, None)),
            false if cell.holding.position == Position::FLAT => None,
            false => Some((id, line.mark.map(|(_, at)| at))),
        })
    }

    /// Whether an order at `price`, or at any price, could trade with a working order of ours.
    /// What is not known could.
    #[must_use]
    pub fn would_cross(&self, instrument: InstrumentId, side: Side, price: Option<Px>) -> bool {
        self.line(instrument).is_none_or(|line| line.would_cross(side, price))
    }

    /// What working spot orders can still take of the instrument's quote currency: buys that are
    /// paid in it with their fees, and sells of it. `None` if that is not known.
    #[must_use]
    pub fn reserved_quote(&self, instrument: InstrumentId) -> Option<Money> {
        self.reserved.get(self.line(instrument)?.quote).copied()
    }

    /// The same for the instrument's base currency.
    #[must_use]
    pub fn reserved_base(&self, instrument: InstrumentId) -> Option<Money> {
        self.reserved.get(self.line(instrument)?.base).copied()
    }

    fn line(&self, instrument: InstrumentId) -> Option<&Line> {
        let line = self.lines.get(index(instrument))?;
        (!self.broken).then_some(line)
    }
}
