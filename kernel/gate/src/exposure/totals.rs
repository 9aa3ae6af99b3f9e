//! Sums over an owner's instruments, kept by taking the old part off and adding the new one.

use portcullis_domain::Money;

use super::cell::Cell;

/// Everything of one owner, in the account's currency. A sum with an unknown part is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Exposures of all instruments, none set off against another.
    pub gross: Option<Money>,
    /// Realised and unrealised profit less fees.
    pub pnl: Option<Money>,
    /// Fees paid.
    pub fees: Option<Money>,
    /// Orders that can still trade.
    pub open_orders: u32,
    /// Those of them whose fate is not known.
    pub unknown_orders: u32,
    /// Instruments that are held or have an open order.
    pub instruments: u32,
    /// Instruments whose exposure is not known.
    pub exposure_unknown: u32,
    /// Instruments whose profit is not known.
    pub pnl_unknown: u32,
}

/// The running sums behind [`Totals`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    gross: Sum,
    pnl: Sum,
    fees: Sum,
    open_orders: u32,
    unknown_orders: u32,
    instruments: u32,
}

/// A sum of amounts of which some are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    known: Money,
    unknown: u32,
}

impl Sum {
    /// Takes `old` off and adds `new`. `None` on overflow.
    fn replace(self, old: Option<Money>, new: Option<Money>) -> Option<Self> {
        let known = self.known.minus(old.unwrap_or(Money::ZERO))?;
        let known = known.plus(new.unwrap_or(Money::ZERO))?;
        let unknown = swapped(self.unknown, u32::from(old.is_none()), u32::from(new.is_none()))?;
        Some(Self { known, unknown })
    }

    const fn value(self) -> Option<Money> {
        if self.unknown == 0 { Some(self.known) } else { None }
    }
}

impl Sums {
    /// The sums with `new` in the place of `old`. `None` on overflow.
    pub(super) fn replace(&self, old: &Cell, new: &Cell) -> Option<Self> {
        let touched = (u32::from(old.is_touched()), u32::from(new.is_touched()));
        Some(Self {
            gross: self.gross.replace(old.exposure, new.exposure)?,
            pnl: self.pnl.replace(old.pnl, new.pnl)?,
            fees: self.fees.replace(old.fees, new.fees)?,
            open_orders: swapped(self.open_orders, old.open_orders, new.open_orders)?,
            unknown_orders: swapped(self.unknown_orders, old.unknown_orders, new.unknown_orders)?,
            instruments: swapped(self.instruments, touched.0, touched.1)?,
        })
    }

    pub(super) const fn gross(&self) -> Option<Money> {
        self.gross.value()
    }

    pub(super) const fn totals(&self) -> Totals {
        Totals {
            gross: self.gross.value(),
            pnl: self.pnl.value(),
            fees: self.fees.value(),
            open_orders: self.open_orders,
            unknown_orders: self.unknown_orders,
            instruments: self.instruments,
            exposure_unknown: self.gross.unknown,
            pnl_unknown: self.pnl.unknown,
        }
    }
}

/// `count` with `old` taken off and `new` added.
fn swapped(count: u32, old: u32, new: u32) -> Option<u32> {
    count.checked_sub(old)?.checked_add(new)
}
