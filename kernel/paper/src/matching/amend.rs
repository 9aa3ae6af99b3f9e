//! Changes of resting orders.

use portcullis_domain::{Px, Qty, WallNs};

use super::{MatchEvent, Matching, NewOrder, RejectReason};

/// Why an order was not changed. It stands as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AmendRefusal {
    /// No open order has that id.
    NotOpen,
    /// The new terms are against the rules.
    Terms(RejectReason),
}

impl Matching {
    /// Changes an open order to a whole quantity of `qty`, what is filled included, at `px`.
    ///
    /// It keeps its place only if its price stays and it asks for no more than before; otherwise
    /// it leaves the book and comes anew, behind all others, and may trade at once. Down to what
    /// is filled already, its rest is canceled.
    pub fn amend(
        &mut self,
        id: u64,
        (qty, px): (Qty, Px),
        now: WallNs,
    ) -> Result<Vec<MatchEvent>, AmendRefusal> {
        let resting = *self.order(id).ok_or(AmendRefusal::NotOpen)?;
        let filled = resting.order.qty.minus(resting.leaves).unwrap_or(Qty::ZERO);
        let Some(leaves) = qty.minus(filled).filter(|leaves| !leaves.is_zero()) else {
            return Ok(self.cancel(id).into_iter().collect());
        };
        let order = NewOrder { qty, price: Some(px), ..resting.order };
        self.check_terms(&order).map_err(AmendRefusal::Terms)?;
        let mut events = vec![MatchEvent::Amended { id, qty, px }];
        if resting.order.price == Some(px) && leaves <= resting.leaves {
            if let Some(kept) = self.order_mut(id) {
                (kept.order, kept.leaves) = (order, leaves);
            }
        } else if self.cancel(id).is_some() {
            self.enter(order, leaves, now, &mut events);
        }
        Ok(events)
    }

    fn order_mut(&mut self, id: u64) -> Option<&mut super::RestingOrder> {
        let (side, px) = self.places.get(&id).copied()?;
        self.side_mut(side).get_mut(&px)?.iter_mut().find(|resting| resting.order.id == id)
    }
}
