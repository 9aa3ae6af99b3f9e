//! Orders: the life of one as a table of states, and the table of all of them.

mod status;
mod table;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod tests;

use crate::ids::{ClOrdId, OrderId};
use crate::intent::{Amendment, OrdType, OrderIntent, Side};
use crate::money::{Money, Px, Qty};

pub use status::{IllegalTransition, OrdStatus, OrderEvent, Progress, Resting};
pub use table::OrderTable;

/// One order of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// FIX 37, once known.
    pub order_id: Option<OrderId>,
    /// What was asked for, with the terms of the last change that the venue made.
    pub intent: OrderIntent,
    /// The price that limits reserve for it: its own, or the reference at approval for a market
    /// order.
    pub reserve_px: Px,
    /// FIX 39.
    pub status: OrdStatus,
    /// FIX 14.
    pub cum_qty: Qty,
    /// A change that was asked for and that the venue has neither made nor refused. It outlives a
    /// request to take the order back, since both may be on their way.
    pub pending: Option<Amendment>,
}

impl Order {
    /// An approved order that nobody has answered.
    #[must_use]
    pub const fn new(cl_ord_id: ClOrdId, intent: OrderIntent, reserve_px: Px) -> Self {
        Self {
            cl_ord_id,
            order_id: None,
            intent,
            reserve_px,
            status: OrdStatus::PendingNew,
            cum_qty: Qty::ZERO,
            pending: None,
        }
    }

    /// FIX 151: what can still fill by the terms in force. Zero once the order has ended.
    #[must_use]
    pub fn leaves_qty(&self) -> Qty {
        self.left_of(self.intent.qty)
    }

    /// What limits count: the most that can still fill, whichever terms turn out to hold. Zero
    /// once the order has ended.
    #[must_use]
    pub fn claim_qty(&self) -> Qty {
        self.left_of(self.qty_most())
    }

    /// What limits count: the worst price it can fill at, whichever terms turn out to hold.
    #[must_use]
    pub fn claim_px(&self) -> Px {
        let Some(change) = self.pending else { return self.reserve_px };
        match self.intent.side {
            Side::Buy => self.reserve_px.max(change.price),
            Side::Sell => self.reserve_px.min(change.price),
        }
    }

    /// Whether a change of it can be asked for: one at a time, of an order that rests.
    #[must_use]
    pub fn is_amendable(&self) -> bool {
        let asks = self.status.after(OrderEvent::ReplaceRequested).is_ok();
        asks && self.pending.is_none() && self.intent.ord_type == OrdType::Limit
    }

    /// FIX 38, the larger one while a change is on its way. More can never fill.
    pub(crate) fn qty_most(&self) -> Qty {
        self.pending.map_or(self.intent.qty, |change| change.qty.max(self.intent.qty))
    }

    /// What it is while it is open and nobody asked to take it back.
    pub(crate) fn rests(&self) -> Resting {
        match (self.pending, self.cum_qty.is_zero()) {
            (Some(_), _) => Resting::PendingReplace,
            (None, true) => Resting::New,
            (None, false) => Resting::PartiallyFilled,
        }
    }

    /// How far it is filled if `qty` is its whole quantity.
    pub(crate) fn progress(&self, qty: Qty) -> Progress {
        if self.cum_qty >= qty {
            Progress::Whole
        } else if self.cum_qty.is_zero() {
            Progress::Nothing
        } else {
            Progress::Part
        }
    }

    /// Moves it by the table. `New` says no more than that the venue has it: what else is known
    /// of it stays.
    pub(crate) fn advance(&mut self, event: OrderEvent) -> Result<OrdStatus, IllegalTransition> {
        let next = self.status.after(event)?;
        self.status = if next == OrdStatus::New { self.rests().status() } else { next };
        Ok(self.status)
    }

    /// Takes on the terms of a change that the venue made. What is filled stays filled.
    pub(crate) fn take_on(&mut self, change: Amendment) {
        self.intent.qty = change.qty.max(self.cum_qty);
        self.intent.price = Some(change.price);
        self.reserve_px = change.price;
        self.pending = None;
    }

    fn left_of(&self, qty: Qty) -> Qty {
        if self.status.is_open() { qty.minus(self.cum_qty).unwrap_or(Qty::ZERO) } else { Qty::ZERO }
    }
}

/// What a report changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// The state may have moved; no money did.
    Status(OrdStatus),
    /// A fill to book, once.
    Filled {
        /// The state after it.
        status: OrdStatus,
        /// FIX 31.
        last_px: Px,
        /// FIX 32.
        last_qty: Qty,
        /// Fee in the quote currency.
        fee: Money,
    },
    /// The same execution again, word for word: nothing to book.
    Duplicate,
}

/// A report that cannot be true. It shuts the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderFault {
    /// No such order was ever issued by us.
    UnknownOrder(ClOrdId),
    /// Not in the table.
    Illegal(IllegalTransition),
    /// More filled than ordered.
    Overfill(ClOrdId),
    /// An execution id seen before with other content.
    ConflictingExecution(ClOrdId),
    /// The id is already in the table.
    DuplicateClOrdId(ClOrdId),
    /// The venue changed an order to terms that nobody asked for.
    UnaskedTerms(ClOrdId),
}

impl OrderFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownOrder(_) => "FAULT_UNKNOWN_ORDER",
            Self::Illegal(_) => "FAULT_ORDER_TRANSITION",
            Self::Overfill(_) => "FAULT_OVERFILL",
            Self::ConflictingExecution(_) => "FAULT_CONFLICTING_EXECUTION",
            Self::DuplicateClOrdId(_) => "FAULT_DUPLICATE_CL_ORD_ID",
            Self::UnaskedTerms(_) => "FAULT_UNASKED_TERMS",
        }
    }
}
