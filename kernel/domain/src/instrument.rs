//! What can be traded, with the numbers that make an order valid.

use crate::ids::InstrumentId;
use crate::money::{Px, Qty, Rate};
use crate::{Money, number::pow10};

/// What a fill of an instrument moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstrumentKind {
    /// Base currency against quote currency, both delivered.
    Spot,
    /// A linear derivative: only profit, loss and fees move, in the quote currency.
    Linear,
}

impl InstrumentKind {
    /// `spot` or `linear`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Linear => "linear",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Spot, Self::Linear].into_iter().find(|kind| kind.name() == name)
    }
}

/// One instrument of one venue, as the session's approval fixed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Our number within the session.
    pub id: InstrumentId,
    /// Our symbol, such as `BTC-USDT`.
    pub symbol: String,
    /// The venue's symbol on its market-data streams, such as `BTCUSDT` or `BTC/USD`.
    pub venue_symbol: String,
    /// Currency that is bought and sold.
    pub base: String,
    /// Currency that prices are in.
    pub quote: String,
    /// What its fills move.
    pub kind: InstrumentKind,
    /// Decimals of prices.
    pub price_scale: u8,
    /// Decimals of quantities.
    pub qty_scale: u8,
    /// Smallest price step.
    pub tick: Px,
    /// Smallest quantity step.
    pub lot: Qty,
    /// Smallest order quantity.
    pub qty_min: Qty,
    /// Smallest order value in the quote currency.
    pub notional_min: Money,
    /// Fee for resting orders, as a fraction of the notional.
    pub maker_fee: Rate,
    /// Fee for orders that take, as a fraction of the notional.
    pub taker_fee: Rate,
}

impl Instrument {
    /// Whether prices times quantities stay exact in [`Money`]. Others are refused at load.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let places = self.price_scale.checked_add(self.qty_scale);
        places.is_some_and(|p| p <= Money::SCALE) && pow10(self.qty_scale).is_some()
    }

    /// Whether `px` lies on the tick.
    #[must_use]
    pub fn on_tick(&self, px: Px) -> bool {
        px.units().checked_rem(self.tick.units()) == Some(0)
    }

    /// Whether `qty` is a whole number of lots.
    #[must_use]
    pub fn on_lot(&self, qty: Qty) -> bool {
        qty.units().checked_rem(self.lot.units()) == Some(0)
    }
}
