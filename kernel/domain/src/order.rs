//! The life of an order, as a table, and the table of orders.

use std::collections::BTreeMap;

use crate::ids::{ClOrdId, ExecId, OrderId};
use crate::intent::OrderIntent;
use crate::money::{Money, Px, Qty};
use crate::report::{ExecType, ExecutionReport};

/// FIX 39, with two states that FIX does not have: `Unsent` and `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrdStatus {
    /// Approved and on record; the venue has not answered.
    PendingNew,
    /// The venue has it.
    New,
    /// Filled in part.
    PartiallyFilled,
    /// We asked to take it back; the venue has not answered.
    PendingCancel,
    /// Filled. Final.
    Filled,
    /// Taken back. Final, though a fill may still cross it on the wire.
    Canceled,
    /// Refused by the venue. Final.
    Rejected,
    /// Ended by time. Final, though a fill may still cross it.
    Expired,
    /// It never left the house. Final.
    Unsent,
    /// Its fate is not known. Never sent again; only the venue's own word ends this.
    Unknown,
}

use OrdStatus as S;

/// What can happen to an order, venue or house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// The venue has it.
    New,
    /// A fill; `complete` if nothing is left.
    Trade {
        /// Whether LeavesQty is now zero.
        complete: bool,
    },
    /// The venue took it back.
    Canceled,
    /// The venue refused it.
    Rejected,
    /// The venue ended it.
    Expired,
    /// We asked to take it back.
    CancelRequested,
    /// The venue refused that.
    CancelRejected,
    /// It was dropped before the wire.
    NotSent,
    /// The wire failed under it, or what is said of it does not tell all.
    Lost,
}

/// A transition that is not in the table. The house does not guess: this is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: OrdStatus,
    /// What was reported.
    pub event: OrderEvent,
}

impl OrdStatus {
    /// All states.
    pub const ALL: [Self; 10] = [
        S::PendingNew,
        S::New,
        S::PartiallyFilled,
        S::PendingCancel,
        S::Filled,
        S::Canceled,
        S::Rejected,
        S::Expired,
        S::Unsent,
        S::Unknown,
    ];

    /// Whether the order can still trade, as far as we know.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel | S::Unknown)
    }

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            S::PendingNew => "pending-new",
            S::New => "new",
            S::PartiallyFilled => "partially-filled",
            S::PendingCancel => "pending-cancel",
            S::Filled => "filled",
            S::Canceled => "canceled",
            S::Rejected => "rejected",
            S::Expired => "expired",
            S::Unsent => "unsent",
            S::Unknown => "unknown",
        }
    }

    /// The state after `event`. This table is the whole life of an order.
    pub const fn after(self, event: OrderEvent) -> Result<Self, IllegalTransition> {
        use OrderEvent as E;
        match (self, event) {
            // The venue has it. A fill or our cancel may have come first: then nothing changes.
            (S::PendingNew | S::New | S::Unknown, E::New) => Ok(S::New),
            (S::PartiallyFilled | S::PendingCancel | S::Filled, E::New) => Ok(self),
            // Money. A fill may cross anything that ends an order: it is booked, the end stays.
            (S::PendingNew | S::New | S::PartiallyFilled, E::Trade { complete: false }) => {
                Ok(S::PartiallyFilled)
            }
            (S::Unknown | S::PendingCancel, E::Trade { complete: false }) => Ok(self),
            (
                S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel | S::Unknown,
                E::Trade { complete: true },
            ) => Ok(S::Filled),
            (S::Canceled | S::Expired, E::Trade { complete: false }) => Ok(self),
            (S::Canceled | S::Expired, E::Trade { complete: true }) => Ok(S::Filled),
            // The ends.
            (
                S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel | S::Unknown,
                E::Canceled,
            ) => Ok(S::Canceled),
            (
                S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel | S::Unknown,
                E::Expired,
            ) => Ok(S::Expired),
            (S::PendingNew | S::PendingCancel | S::Unknown, E::Rejected) => Ok(S::Rejected),
            (S::PendingNew | S::PendingCancel, E::NotSent) => Ok(S::Unsent),
            // The same end reported twice changes nothing.
            (S::Canceled, E::Canceled) | (S::Expired, E::Expired) | (S::Rejected, E::Rejected) => {
                Ok(self)
            }
            // Our wish to take it back, which may come too late.
            (
                S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel,
                E::CancelRequested,
            ) => Ok(S::PendingCancel),
            (S::Unknown, E::CancelRequested) => Ok(S::Unknown),
            // A refusal does not say that the order lives: it may have ended before, and the
            // report of that be late or lost. Only the venue's list of open orders tells.
            (S::PendingCancel, E::CancelRejected) => Ok(S::Unknown),
            // The answer to a cancel that was asked for more than once.
            (
                S::New
                | S::PartiallyFilled
                | S::Filled
                | S::Canceled
                | S::Rejected
                | S::Expired
                | S::Unsent
                | S::Unknown,
                E::CancelRejected,
            ) => Ok(self),
            // The wire failed: what was open is unknown.
            (
                S::PendingNew | S::New | S::PartiallyFilled | S::PendingCancel | S::Unknown,
                E::Lost,
            ) => Ok(S::Unknown),
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }
}

/// One order of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// FIX 37, once known.
    pub order_id: Option<OrderId>,
    /// What was asked for.
    pub intent: OrderIntent,
    /// The price that limits reserve for it: its own, or the reference at approval for a market
    /// order.
    pub reserve_px: Px,
    /// FIX 39.
    pub status: OrdStatus,
    /// FIX 14.
    pub cum_qty: Qty,
}

impl Order {
    /// FIX 151: what can still fill. Zero once the order has ended.
    #[must_use]
    pub fn leaves_qty(&self) -> Qty {
        if self.status.is_open() {
            self.intent.qty.minus(self.cum_qty).unwrap_or(Qty::ZERO)
        } else {
            Qty::ZERO
        }
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
        }
    }
}

/// What one execution said; compared when its id comes again.
type Execution = (ClOrdId, Px, Qty, Money);

/// All orders of the account that this journal knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderTable {
    orders: BTreeMap<ClOrdId, Order>,
    executions: BTreeMap<ExecId, Execution>,
}

impl OrderTable {
    /// No orders.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an approved order.
    pub fn insert(&mut self, order: Order) -> Result<(), OrderFault> {
        if self.orders.contains_key(&order.cl_ord_id) {
            return Err(OrderFault::DuplicateClOrdId(order.cl_ord_id));
        }
        self.orders.insert(order.cl_ord_id, order);
        Ok(())
    }

    /// The order of that id.
    #[must_use]
    pub fn get(&self, id: ClOrdId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// All orders by id.
    pub fn iter(&self) -> impl Iterator<Item = &Order> + '_ {
        self.orders.values()
    }

    /// Orders that can still trade.
    pub fn open(&self) -> impl Iterator<Item = &Order> + '_ {
        self.iter().filter(|order| order.status.is_open())
    }

    /// Whether that execution is booked.
    #[must_use]
    pub fn has_execution(&self, id: &ExecId) -> bool {
        self.executions.contains_key(id)
    }

    /// Moves an order by something other than a venue report.
    pub fn advance(&mut self, id: ClOrdId, event: OrderEvent) -> Result<OrdStatus, OrderFault> {
        let order = self.orders.get_mut(&id).ok_or(OrderFault::UnknownOrder(id))?;
        order.status = order.status.after(event).map_err(OrderFault::Illegal)?;
        Ok(order.status)
    }

    /// Books a venue report. On a fault nothing has changed.
    pub fn book(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let id = report.cl_ord_id;
        let order = self.get(id).ok_or(OrderFault::UnknownOrder(id))?;
        // An end that tells of more than was booked has overtaken its own fills. Until they are
        // heard, what they took stays reserved: the order is not over yet.
        let unheard = order.status.is_open() && report.cum_qty > Some(order.cum_qty);
        let event = match &report.exec_type {
            ExecType::Trade { .. } => return self.book_trade(report),
            ExecType::Canceled | ExecType::Rejected | ExecType::Expired if unheard => {
                OrderEvent::Lost
            }
            ExecType::New => OrderEvent::New,
            ExecType::Canceled => OrderEvent::Canceled,
            ExecType::Rejected => OrderEvent::Rejected,
            ExecType::Expired => OrderEvent::Expired,
            ExecType::CancelRejected => OrderEvent::CancelRejected,
        };
        let status = self.advance(id, event)?;
        self.learn_order_id(report);
        Ok(OrderChange::Status(status))
    }

    fn book_trade(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let ExecType::Trade { exec_id, last_px, last_qty, fee, maker: _ } = &report.exec_type
        else {
            return Ok(OrderChange::Duplicate);
        };
        let id = report.cl_ord_id;
        let execution = (id, *last_px, *last_qty, *fee);
        if let Some(known) = self.executions.get(exec_id) {
            return if *known == execution {
                Ok(OrderChange::Duplicate)
            } else {
                Err(OrderFault::ConflictingExecution(id))
            };
        }
        let order = self.orders.get_mut(&id).ok_or(OrderFault::UnknownOrder(id))?;
        let cum_qty = order.cum_qty.plus(*last_qty).ok_or(OrderFault::Overfill(id))?;
        if cum_qty > order.intent.qty || last_qty.is_zero() {
            return Err(OrderFault::Overfill(id));
        }
        let event = OrderEvent::Trade { complete: cum_qty == order.intent.qty };
        order.status = order.status.after(event).map_err(OrderFault::Illegal)?;
        order.cum_qty = cum_qty;
        let status = order.status;
        self.executions.insert(exec_id.clone(), execution);
        self.learn_order_id(report);
        Ok(OrderChange::Filled { status, last_px: *last_px, last_qty: *last_qty, fee: *fee })
    }

    fn learn_order_id(&mut self, report: &ExecutionReport) {
        if let (Some(order), Some(id)) = (self.orders.get_mut(&report.cl_ord_id), &report.order_id)
        {
            order.order_id = Some(id.clone());
        }
    }
}

#[cfg(test)]
mod tests;
