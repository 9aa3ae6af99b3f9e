//! Changes of orders that rest in the shadow venue.

use portcullis_domain::{Amendment, ExecType, Qty};

use super::{ShadowOrder, ShadowVenue};
use crate::check_shape;

impl ShadowVenue {
    /// Changes a working order, as far as the instrument's rules go. Down to what is filled
    /// already, its rest is canceled.
    pub(super) fn change(&mut self, change: Amendment) {
        let Amendment { cl_ord_id: id, qty, price } = change;
        let number = self.number_of(id);
        let Some((number, working)) = number.and_then(|n| self.working.get(&n).map(|w| (n, w)))
        else {
            return self.report(id, None, ExecType::ReplaceRejected, "ORDER_NOT_WORKING");
        };
        let order = ShadowOrder { qty, price: Some(price), ..working.order };
        let order_id = working.order_id.clone();
        let filled = working.order.qty.minus(working.leaves).unwrap_or(Qty::ZERO);
        let Some(leaves) = qty.minus(filled).filter(|leaves| !leaves.is_zero()) else {
            self.working.remove(&number);
            return self.report(id, Some(&order_id), ExecType::Canceled, "AMENDED_TO_FILLED");
        };
        if let Err(fault) = check_shape(&self.instrument, order.ord_type, order.qty, order.price) {
            return self.report(id, Some(&order_id), ExecType::ReplaceRejected, fault.code());
        }
        let keeps_place = working.order.price == order.price && leaves <= working.leaves;
        self.report(id, Some(&order_id), ExecType::Replaced { qty, price }, "");
        let Some(mut working) = self.working.remove(&number) else { return };
        (working.order, working.leaves) = (order, leaves);
        if keeps_place {
            self.working.insert(number, working);
        } else {
            // A new arrival: behind our own older orders as well.
            self.orders = self.orders.saturating_add(1);
            working.ahead = None;
            self.enter(self.orders, working);
        }
    }
}
