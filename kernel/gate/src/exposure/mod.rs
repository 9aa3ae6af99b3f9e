//! What the account and each strategy stand to lose, kept up to date change by change.
//!
//! The gate judges limits by this book, so the book has to know three things before an order may
//! be judged: what is held, what working orders can still make of it, and what both are worth.
//! There is one [`Cell`] for each owner and instrument. The owners are the whole account and each
//! plugin; an order of a plugin counts in both, an order of a person or of the house in the whole.
//!
//! - **An order counts from its approval.** Its claim is its open quantity at its reserved price.
//!   [`ExposureBook::order_changed`] takes the old claim off and adds the new one: approval, fill,
//!   amendment and end are one operation, and an order of unknown fate claims until it is buried.
//! - **The worst case, not the sum.** The exposure of a cell is the larger of the position with
//!   all its buys filled and with all its sells filled, so that orders of both sides hide nothing.
//! - **Nothing is walked.** A change touches the cells of its instrument, and the totals take the
//!   old part off and add the new one. Every question is one lookup, and asking what one more
//!   order would do is the same arithmetic on a copy.
//! - **Unknown stays unknown.** A position without a mark, or in a currency without a conversion,
//!   has no value, and no total that contains it has one. Money is exact until it is converted,
//!   and a conversion is rounded against us.
//! - **A book that does not add up is broken**, for good: an overflow, an order that leaves where
//!   it never stood, an instrument or plugin that is not of the session. Then it answers nothing.

mod cell;
mod claim;
mod holding;
mod ladder;
mod line;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod overflow;
#[cfg(test)]
mod properties;
mod read;
#[cfg(test)]
mod seeded;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod totals;

use portcullis_domain::policy::Converter;
use portcullis_domain::{
    BootNs, Instrument, InstrumentId, Money, Order, Origin, PluginId, Position, Px, Qty, Side,
};

pub use self::cell::{Cell, Leaves};
pub use self::claim::{Claim, base_amount};
pub use self::holding::{Fill, Holding};
pub use self::read::Worst;
pub use self::totals::Totals;

use self::line::Line;
use self::totals::Sums;

/// Whose limits something counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The account: everything counts here.
    Whole,
    /// A plugin: what it asked for itself.
    Strategy(PluginId),
}

/// One execution of an order of ours, as the book counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traded {
    /// Who asked for the order.
    pub origin: Origin,
    /// What was traded.
    pub instrument: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 31.
    pub px: Px,
    /// FIX 32.
    pub qty: Qty,
    /// In the quote currency; negative for a rebate.
    pub fee: Money,
}

/// Positions, claims and values of one session, by owner and instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposureBook {
    /// By instrument number.
    lines: Vec<Line>,
    /// By instrument and then by owner: a mark moves neighbours.
    cells: Vec<Cell>,
    /// By owner: the account, then the plugins.
    sums: Vec<Sums>,
    /// What working orders can take out of the account, by currency.
    reserved: Vec<Money>,
    broken: bool,
}

impl ExposureBook {
    /// An empty book. `instruments` stand at the places that their numbers say, `plugins` is how
    /// many there are, and `converters` lead from each instrument's quote currency to the
    /// account's. A converter that is `None` or missing is not known.
    #[must_use]
    pub fn new(instruments: &[Instrument], plugins: u16, converters: &[Option<Converter>]) -> Self {
        let owners = usize::from(plugins).saturating_add(1);
        let converters = converters.iter().copied().chain(std::iter::repeat(None));
        let mut currencies = Vec::new();
        let lines: Vec<Line> = (instruments.iter().zip(converters))
            .map(|(instrument, converter)| Line::new(instrument, converter, &mut currencies))
            .collect();
        let in_place = (0..).zip(instruments).all(|(at, one)| one.id == InstrumentId(at));
        Self {
            cells: vec![Cell::EMPTY; owners.saturating_mul(lines.len())],
            lines,
            sums: vec![Sums::default(); owners],
            reserved: vec![Money::ZERO; currencies.len()],
            broken: !in_place,
        }
    }

    /// Counts what became of an order; `before` is the order as the book last saw it, `None` for
    /// one that was just approved. `None` breaks the book.
    pub fn order_changed(&mut self, before: Option<&Order>, after: &Order) -> Option<()> {
        self.sound(|book| book.reclaim(before, after))
    }

    /// Books a fill. The order's smaller claim is a change of its own. `None` breaks the book.
    pub fn filled(&mut self, traded: &Traded) -> Option<()> {
        self.sound(|book| {
            let Traded { instrument, side, px, qty, fee, .. } = *traded;
            owners(traded.origin).try_for_each(|owner| {
                book.update(owner, instrument, |cell, line| {
                    let fill = Fill { px, qty, fee, instrument: &line.instrument };
                    Some(Cell { holding: cell.holding.after(side, fill)?, ..cell })
                })
            })
        })
    }

    /// States what the account holds, whatever it was before: positions that are carried into the
    /// session, or that were adopted from the venue. Strategies do not own them. `None` breaks
    /// the book.
    pub fn seed(&mut self, instrument: InstrumentId, holding: Holding) -> Option<()> {
        self.sound(|book| {
            book.update(Owner::Whole, instrument, |cell, _| Some(Cell { holding, ..cell }))
        })
    }

    /// Values positions at a new reference price. `None` if the instrument is not of the session,
    /// which changes nothing, or on overflow of a total, which breaks the book.
    pub fn marked(&mut self, instrument: InstrumentId, px: Px, at: BootNs) -> Option<()> {
        let line = self.lines.get_mut(index(instrument))?;
        let known = line.mark.replace((px, at)).map(|(known, _)| known);
        let first = index(instrument).saturating_mul(self.sums.len());
        let cells = self.cells.iter_mut().skip(first).zip(&mut self.sums);
        let sound = !self.broken && (known == Some(px) || revalue(line, cells).is_some());
        self.broken = !sound;
        sound.then_some(())
    }

    /// Whether the book failed to add up. It stays so, and the book answers nothing any more.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Makes one change. A broken book takes none, and a change that fails breaks it.
    fn sound(&mut self, change: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        if self.broken {
            return None;
        }
        let done = change(self);
        self.broken = done.is_none();
        done
    }

    fn reclaim(&mut self, before: Option<&Order>, after: &Order) -> Option<()> {
        if before.is_some_and(|before| !is_same(before, after)) {
            return None;
        }
        let intent = &after.intent;
        let line = self.lines.get_mut(index(intent.instrument))?;
        let old = match before {
            Some(before) => Some(Claim::of(before, &line.instrument)?),
            None => None,
        };
        let new = Claim::of(after, &line.instrument)?;
        line.stand(before, after)?;
        let freed = match &old {
            Some(old) => old.reserves(&line.instrument)?,
            None => Money::ZERO,
        };
        let claimed = new.reserves(&line.instrument);
        let (reserved, claimed) = self.reserved.get_mut(line.pays(intent.side)).zip(claimed)?;
        *reserved = reserved.minus(freed).and_then(|rest| rest.plus(claimed))?;
        owners(intent.origin).try_for_each(|owner| {
            self.update(owner, intent.instrument, |cell, _| {
                let rest = match &old {
                    Some(old) => cell.without(old)?,
                    None => cell,
                };
                rest.with(&new)
            })
        })
    }

    /// Changes one cell and its owner's totals.
    fn update(
        &mut self,
        owner: Owner,
        instrument: InstrumentId,
        change: impl Fn(Cell, &Line) -> Option<Cell>,
    ) -> Option<()> {
        let place = self.place(owner, instrument)?;
        let line = self.lines.get(index(instrument));
        let (Some(line), Some(cell), Some(sums)) =
            (line, self.cells.get_mut(place), self.sums.get_mut(slot(owner)))
        else {
            return None;
        };
        let next = change(*cell, line)?.valued(line);
        *sums = sums.replace(cell, &next)?;
        *cell = next;
        Some(())
    }

    /// The place of a cell among the cells; `None` if the session has no such owner.
    fn place(&self, owner: Owner, instrument: InstrumentId) -> Option<usize> {
        let (slot, owners) = (slot(owner), self.sums.len());
        let first = index(instrument).saturating_mul(owners);
        (slot < owners).then_some(first.saturating_add(slot))
    }
}

/// Values the held cells of an instrument anew.
fn revalue<'a>(
    line: &Line,
    cells: impl Iterator<Item = (&'a mut Cell, &'a mut Sums)>,
) -> Option<()> {
    for (cell, sums) in cells.filter(|(cell, _)| cell.holding.position != Position::FLAT) {
        let next = cell.valued(line);
        *sums = sums.replace(cell, &next)?;
        *cell = next;
    }
    Some(())
}

/// The place of an instrument among the lines. A number that is none is beyond all of them.
fn index(instrument: InstrumentId) -> usize {
    usize::try_from(instrument.0).unwrap_or(usize::MAX)
}

/// The place of an owner among the owners.
fn slot(owner: Owner) -> usize {
    match owner {
        Owner::Whole => 0,
        Owner::Strategy(plugin) => usize::from(plugin.0).saturating_add(1),
    }
}

/// In whose limits something of that origin counts.
fn owners(origin: Origin) -> impl Iterator<Item = Owner> {
    std::iter::once(Owner::Whole).chain(origin.plugin().map(Owner::Strategy))
}

/// Whether both are states of one order. Amending changes neither side, instrument nor origin.
fn is_same(before: &Order, after: &Order) -> bool {
    let (old, new) = (&before.intent, &after.intent);
    before.cl_ord_id == after.cl_ord_id
        && (old.origin, old.instrument, old.side) == (new.origin, new.instrument, new.side)
}
