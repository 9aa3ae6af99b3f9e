//! What a venue says about an order.

use crate::ids::{ClOrdId, ExecId, OrderId};
use crate::money::{Money, Px, Qty};
use crate::time::WallNs;

/// FIX 150, the event. It is never merged with the state that follows it ([`crate::OrdStatus`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecType {
    /// The venue has it.
    New,
    /// A fill.
    Trade {
        /// FIX 17; fills are idempotent by it.
        exec_id: ExecId,
        /// FIX 31.
        last_px: Px,
        /// FIX 32.
        last_qty: Qty,
        /// What the venue charged, in the quote currency.
        fee: Money,
        /// Whether the order rested and was taken.
        maker: bool,
    },
    /// Taken back.
    Canceled,
    /// Refused by the venue.
    Rejected,
    /// Ended by its time in force or its deadline.
    Expired,
    /// The venue refused to take it back.
    CancelRejected,
    /// The venue changed it, as it was asked to.
    Replaced {
        /// FIX 38 now: the whole order quantity, what is filled already included.
        qty: Qty,
        /// FIX 44 now.
        price: Px,
    },
    /// The venue refused to change it (FIX 434 = 2).
    ReplaceRejected,
}

impl ExecType {
    /// The name in evidence.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Trade { .. } => "trade",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::CancelRejected => "cancel-rejected",
            Self::Replaced { .. } => "replaced",
            Self::ReplaceRejected => "replace-rejected",
        }
    }
}

/// One report about one order of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionReport {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// FIX 37, once the venue has given one.
    pub order_id: Option<OrderId>,
    /// FIX 150.
    pub exec_type: ExecType,
    /// FIX 60.
    pub transact_time: WallNs,
    /// FIX 58: the venue's own words. Kept as evidence, never parsed.
    pub text: String,
}
