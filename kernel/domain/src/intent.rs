//! What a strategy or a person asks for.

use crate::ids::{InstrumentId, PluginId};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A wish to trade. It has a valid shape and no authority: only the gate gives that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// Who asks.
    pub plugin: PluginId,
    /// The plugin's own number of this order; unique within the session, from 1.
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
}

/// A wish to take an order back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelIntent {
    /// Who asks.
    pub plugin: PluginId,
    /// The plugin's own number of the order.
    pub reference: u64,
}
