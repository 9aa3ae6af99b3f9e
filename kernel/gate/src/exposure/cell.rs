//! What one owner holds and asks for of one instrument, and what that is worth.

use portcullis_domain::policy::Converter;
use portcullis_domain::{Money, Position, Px, Qty, Side};

use super::claim::Claim;
use super::holding::Holding;
use super::line::Line;

/// The unfilled part of all working orders of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaves {
    /// FIX 151, added up.
    pub qty: Qty,
    /// At the reserved prices, in the quote currency.
    pub value: Money,
}

/// One owner and one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What is held, in the quote currency.
    pub holding: Holding,
    /// What working buys can still take.
    pub buys: Leaves,
    /// What working sells can still give.
    pub sells: Leaves,
    /// Orders that can still trade.
    pub open_orders: u32,
    /// Those of them whose fate is not known.
    pub unknown_orders: u32,
    /// The larger of the position with all buys filled and with all sells filled, without sign,
    /// in the account's currency. `None` if it is not known.
    pub exposure: Option<Money>,
    /// Realised and unrealised profit less fees, in the account's currency. `None` if it is not
    /// known.
    pub pnl: Option<Money>,
    /// Fees paid, in the account's currency. `None` if they are not known.
    pub fees: Option<Money>,
}

impl Leaves {
    fn plus(self, claim: &Claim) -> Option<Self> {
        Some(Self { qty: self.qty.plus(claim.qty)?, value: self.value.plus(claim.value)? })
    }

    /// `None` also where more is taken away than there is: that order was never counted.
    fn minus(self, claim: &Claim) -> Option<Self> {
        let qty = self.qty.minus(claim.qty)?;
        let value = self.value.minus(claim.value).filter(|rest| *rest >= Money::ZERO)?;
        Some(Self { qty, value })
    }
}

impl Cell {
    /// Nothing held, nothing asked for.
    pub(super) const EMPTY: Self = Self {
        holding: Holding {
            position: Position::FLAT,
            cost: Money::ZERO,
            realised: Money::ZERO,
            fees: Money::ZERO,
        },
        buys: Leaves { qty: Qty::ZERO, value: Money::ZERO },
        sells: Leaves { qty: Qty::ZERO, value: Money::ZERO },
        open_orders: 0,
        unknown_orders: 0,
        exposure: Some(Money::ZERO),
        pnl: Some(Money::ZERO),
        fees: Some(Money::ZERO),
    };

    /// Whether anything is held or asked for.
    #[must_use]
    pub const fn is_touched(&self) -> bool {
        self.holding.position.0 != 0 || self.open_orders > 0
    }

    /// With one claim more. `None` on overflow.
    pub(super) fn with(mut self, claim: &Claim) -> Option<Self> {
        let leaves = self.leaves(claim.side);
        *leaves = leaves.plus(claim)?;
        self.open_orders = self.open_orders.checked_add(claim.open)?;
        self.unknown_orders = self.unknown_orders.checked_add(claim.unknown)?;
        Some(self)
    }

    /// With one claim less. `None` if it was not there.
    pub(super) fn without(mut self, claim: &Claim) -> Option<Self> {
        let leaves = self.leaves(claim.side);
        *leaves = leaves.minus(claim)?;
        self.open_orders = self.open_orders.checked_sub(claim.open)?;
        self.unknown_orders = self.unknown_orders.checked_sub(claim.unknown)?;
        Some(self)
    }

    const fn leaves(&mut self, side: Side) -> &mut Leaves {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// The same with its values computed anew.
    pub(super) fn valued(mut self, line: &Line) -> Self {
        // A position that cannot be marked or converted has no value, also where it nets to zero.
        let flat = self.holding.position == Position::FLAT;
        let marked = flat || line.converter.is_some();
        let mark = line.mark.map(|(px, _)| px);
        let exposure = self.reach(mark, line);
        let pnl = self.holding.profit(mark, &line.instrument);
        let account = |amount: Option<Money>, way: fn(Converter, Money) -> Option<Money>| {
            amount.filter(|_| marked).and_then(|amount| converted(amount, line.converter, way))
        };
        self.exposure = account(exposure, Converter::cost);
        self.pnl = account(pnl, Converter::result);
        self.fees = converted(self.holding.fees, line.converter, Converter::cost);
        self
    }

    /// The exposure in the quote currency. `None` on overflow or without a mark.
    fn reach(&self, mark: Option<Px>, line: &Line) -> Option<Money> {
        let held = match self.holding.position {
            Position::FLAT => Money::ZERO,
            position => Money::value(mark?, position, &line.instrument)?,
        };
        let (up, down) = held.plus(self.buys.value).zip(held.minus(self.sells.value))?;
        let worse = up.0.checked_abs().zip(down.0.checked_abs());
        worse.map(|(up, down)| Money(up.max(down)))
    }
}

/// `amount` by `converter`. Nothing is nothing in every currency, even in an unknown one.
fn converted(
    amount: Money,
    converter: Option<Converter>,
    way: fn(Converter, Money) -> Option<Money>,
) -> Option<Money> {
    if amount == Money::ZERO { Some(amount) } else { way(converter?, amount) }
}
