//! The table of orders: what reports and requests do to each.

use std::collections::{BTreeMap, BTreeSet};

use super::{OrdStatus, Order, OrderChange, OrderEvent, OrderFault};
use crate::execution::Execution;
use crate::ids::{ClOrdId, ExecId};
use crate::intent::Amendment;
use crate::order::status::IllegalTransition;
use crate::report::{ExecType, ExecutionReport};

/// All orders of the account that this journal knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderTable {
    orders: BTreeMap<ClOrdId, Order>,
    /// Ids of the orders that can still trade: nobody who asks for these walks all the others.
    open: BTreeSet<ClOrdId>,
    executions: BTreeMap<ExecId, Execution>,
}

impl OrderTable {
    /// No orders.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table that holds exactly these. What each execution did is in its order already.
    pub fn restored(
        orders: impl IntoIterator<Item = Order>,
        executions: BTreeMap<ExecId, Execution>,
    ) -> Result<Self, OrderFault> {
        let mut table = Self { executions, ..Self::default() };
        orders.into_iter().try_for_each(|order| table.insert(order))?;
        match table.executions.values().find(|execution| table.get(execution.cl_ord_id).is_none()) {
            Some(execution) => Err(OrderFault::UnknownOrder(execution.cl_ord_id)),
            None => Ok(table),
        }
    }

    /// Adds an approved order.
    pub fn insert(&mut self, order: Order) -> Result<(), OrderFault> {
        let id = order.cl_ord_id;
        if self.orders.contains_key(&id) {
            return Err(OrderFault::DuplicateClOrdId(id));
        }
        self.orders.insert(id, order);
        self.index(id);
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

    /// Orders that can still trade, by id.
    pub fn open(&self) -> impl Iterator<Item = &Order> + '_ {
        self.open.iter().filter_map(|id| self.orders.get(id))
    }

    /// What was booked under that id.
    #[must_use]
    pub fn execution(&self, id: &ExecId) -> Option<&Execution> {
        self.executions.get(id)
    }

    /// All executions by id.
    pub fn executions(&self) -> impl Iterator<Item = (&ExecId, &Execution)> + '_ {
        self.executions.iter()
    }

    /// Whether that execution is booked.
    #[must_use]
    pub fn has_execution(&self, id: &ExecId) -> bool {
        self.executions.contains_key(id)
    }

    /// Moves an order by something other than a venue report.
    pub fn advance(&mut self, id: ClOrdId, event: OrderEvent) -> Result<OrdStatus, OrderFault> {
        self.change(id, |order| order.advance(event))
    }

    /// A change of an order is asked for. Until it is answered, the worst of both terms counts.
    pub fn amend(&mut self, change: Amendment) -> Result<OrdStatus, OrderFault> {
        self.change(change.cl_ord_id, |order| {
            let status = order.advance(OrderEvent::ReplaceRequested)?;
            order.pending = Some(change);
            Ok(status)
        })
    }

    /// The change that was asked for was not made, and will not be: the old terms hold.
    pub fn amend_failed(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        self.change(id, |order| {
            let filled = order.progress(order.intent.qty);
            let status = order.status.after(OrderEvent::ReplaceRejected { filled })?;
            (order.status, order.pending) = (status, None);
            Ok(status)
        })
    }

    /// The venue has the order with these terms. Those that were asked for take force; those in
    /// force already are an echo, since a fill or a reading of the account may have told of them
    /// before; any others are nobody's.
    pub fn amended(&mut self, change: Amendment) -> Result<OrdStatus, OrderFault> {
        let id = change.cl_ord_id;
        let order = self.get(id).ok_or(OrderFault::UnknownOrder(id))?;
        let asked = order.pending == Some(change);
        let in_force = (order.intent.qty, order.intent.price) == (change.qty, Some(change.price));
        if !asked && !in_force && order.status.is_open() {
            return Err(OrderFault::UnaskedTerms(id));
        }
        self.change(id, |order| {
            let filled = order.progress(if asked { change.qty } else { order.intent.qty });
            let status = order.status.after(OrderEvent::Replaced { filled })?;
            if asked {
                order.take_on(change);
                order.status = status;
            }
            Ok(order.status)
        })
    }

    /// Books a venue report. On a fault nothing has changed.
    pub fn book(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let id = report.cl_ord_id;
        let order = self.get(id).ok_or(OrderFault::UnknownOrder(id))?;
        // An end that tells of more than was booked has overtaken its own fills. Until they are
        // heard, what they took stays reserved: the order is not over yet.
        let unheard = order.status.is_open() && report.cum_qty > Some(order.cum_qty);
        let change = match &report.exec_type {
            ExecType::Canceled | ExecType::Rejected | ExecType::Expired if unheard => {
                OrderChange::Status(self.advance(id, OrderEvent::Lost)?)
            }
            ExecType::Trade { .. } => match Execution::of(report) {
                Some((exec_id, execution)) => self.book_trade(exec_id, execution)?,
                None => OrderChange::Duplicate,
            },
            ExecType::New => OrderChange::Status(self.advance(id, OrderEvent::New)?),
            ExecType::Canceled => OrderChange::Status(self.advance(id, OrderEvent::Canceled)?),
            ExecType::Expired => OrderChange::Status(self.advance(id, OrderEvent::Expired)?),
            // What is filled in part has been taken: no venue can have refused it.
            ExecType::Rejected if !order.cum_qty.is_zero() => {
                let (from, event) = (order.status, OrderEvent::Rejected);
                return Err(OrderFault::Illegal(IllegalTransition { from, event }));
            }
            ExecType::Rejected => OrderChange::Status(self.advance(id, OrderEvent::Rejected)?),
            ExecType::CancelRejected => {
                OrderChange::Status(self.advance(id, OrderEvent::CancelRejected)?)
            }
            ExecType::Replaced { qty, price } => {
                let change = Amendment { cl_ord_id: id, qty: *qty, price: *price };
                OrderChange::Status(self.amended(change)?)
            }
            ExecType::ReplaceRejected => OrderChange::Status(self.amend_failed(id)?),
        };
        if let (Some(order), Some(known)) = (self.orders.get_mut(&id), &report.order_id) {
            order.order_id = Some(known.clone());
        }
        Ok(change)
    }

    fn book_trade(
        &mut self,
        exec_id: &ExecId,
        execution: Execution,
    ) -> Result<OrderChange, OrderFault> {
        let Execution { cl_ord_id: id, last_px, last_qty, fee, .. } = execution;
        if let Some(known) = self.executions.get(exec_id) {
            return if known.agrees(&execution) {
                Ok(OrderChange::Duplicate)
            } else {
                Err(OrderFault::ConflictingExecution(id))
            };
        }
        let order = self.get(id).ok_or(OrderFault::UnknownOrder(id))?;
        let cum_qty = order.cum_qty.plus(last_qty).ok_or(OrderFault::Overfill(id))?;
        let most = order.qty_most();
        if cum_qty > most || last_qty.is_zero() {
            return Err(OrderFault::Overfill(id));
        }
        let status = self.change(id, |order| {
            let next = order.status.after(OrderEvent::Trade { complete: cum_qty == most })?;
            // Beyond the old quantity only the new terms can have filled: the change came first.
            let proven = order.pending.filter(|_| cum_qty > order.intent.qty);
            order.cum_qty = cum_qty;
            if let Some(change) = proven {
                order.take_on(change);
            }
            let settled = proven.is_some() && next == OrdStatus::PendingReplace;
            order.status = if settled { order.rests() } else { next };
            Ok(order.status)
        })?;
        self.executions.insert(exec_id.clone(), execution);
        Ok(OrderChange::Filled { status, last_px, last_qty, fee })
    }

    /// Changes one order, which keeps its place among the open ones or leaves it.
    fn change(
        &mut self,
        id: ClOrdId,
        step: impl FnOnce(&mut Order) -> Result<OrdStatus, IllegalTransition>,
    ) -> Result<OrdStatus, OrderFault> {
        let order = self.orders.get_mut(&id).ok_or(OrderFault::UnknownOrder(id))?;
        let status = step(order).map_err(OrderFault::Illegal)?;
        self.index(id);
        Ok(status)
    }

    fn index(&mut self, id: ClOrdId) {
        if self.orders.get(&id).is_some_and(|order| order.status.is_open()) {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
        }
    }
}
