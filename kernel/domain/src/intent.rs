//! What a strategy or a person asks for.

use crate::ids::{ClOrdId, InstrumentId, PluginId};
use crate::money::{Px, Qty};

/// FIX 54.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Takes base currency.
    Buy,
    /// Gives base currency.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `qty` with the sign of this side.
    #[must_use]
    pub const fn signed(self, qty: Qty) -> i64 {
        match self {
            Self::Buy => qty.units(),
            Self::Sell => qty.units().saturating_neg(),
        }
    }

    /// `buy` or `sell`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// FIX 40, as far as this version of the interface goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrdType {
    /// Takes whatever the book offers.
    Market,
    /// Not worse than its price.
    Limit,
}

impl OrdType {
    /// `market` or `limit`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
        }
    }
}

/// FIX 59, as far as this version of the interface goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeInForce {
    /// Rests until canceled.
    Gtc,
    /// Takes what is there and cancels the rest.
    Ioc,
}

impl TimeInForce {
    /// `gtc` or `ioc`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Ioc => "ioc",
        }
    }
}

/// Who asks for an order. Both pass the same gate; limits of a strategy are those of its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A plugin of the session.
    Plugin(PluginId),
    /// A person, by hand. Who it was stands in the request, which is an entry of its own.
    Person,
    /// The house itself: a slice of a signed flatten plan. The exits of a bracket are asked for in
    /// the name of their entry's origin, so that what they leave is the strategy's.
    House,
}

impl Origin {
    /// The plugin, if it is one.
    #[must_use]
    pub const fn plugin(self) -> Option<PluginId> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            Self::Person | Self::House => None,
        }
    }

    /// `plugin`, `person` or `house`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plugin(_) => "plugin",
            Self::Person => "person",
            Self::House => "house",
        }
    }
}

/// The exits that are asked for together with an entry: one cancels the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// A loss beyond this price is not wanted: the position is left at the market.
    pub stop_px: Option<Px>,
    /// A profit at this price is taken.
    pub target_px: Option<Px>,
}

/// A wish to trade. It has a valid shape and no authority: only the gate gives that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// Who asks.
    pub origin: Origin,
    /// The origin's own number of this order; unique within the session, from 1.
    pub reference: u64,
    /// What is traded.
    pub instrument: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// FIX 38, above zero.
    pub qty: Qty,
    /// FIX 44; present exactly for limit orders.
    pub price: Option<Px>,
    /// FIX 18 = E: it may only make the position smaller, and is denied where that is not provable.
    pub reduce_only: bool,
    /// Exits that come with it, if any.
    pub bracket: Option<Bracket>,
}

/// FIX 35=G: a wish to change a working order. The order keeps its ids; the gate judges what would
/// stand afterwards like a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// FIX 41.
    pub cl_ord_id: ClOrdId,
    /// FIX 38 afterwards: the whole order quantity, what is filled already included.
    pub qty: Qty,
    /// FIX 44 afterwards; amending makes no order a market order.
    pub price: Px,
}

/// A wish to take an order back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelIntent {
    /// Who asks.
    pub plugin: PluginId,
    /// The plugin's own number of the order.
    pub reference: u64,
}
