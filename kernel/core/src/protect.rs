//! Protective orders: those that can only make a position smaller, and are kept for that.

use portcullis_domain::{ClOrdId, Order, Position, Side};
use portcullis_gate::Standing;

use crate::effect::Effect;
use crate::ledger::Ledger;
use crate::state::{Core, Turn};

impl Core {
    /// Whether an order protects a position: it asked to reduce only, it provably does, and nobody
    /// is taking it back. Traps, suspensions, session ends and stops below cancel-all keep it (D7).
    pub(crate) fn is_protective(&self, order: &Order) -> bool {
        order.intent.reduce_only
            && order.status.is_open()
            && !self.withdrawn.contains(&order.cl_ord_id)
            && !self.increases(order)
    }

    /// Takes back what the end of a session takes back: everything but the account's protection.
    /// The orders of phase 1 end with their session, whatever they are.
    pub(crate) fn wind_down(&mut self, cause: &'static str, turn: &mut Turn) {
        let kept = |order: &&Order| !self.is_shadow() && self.is_protective(order);
        if !self.ledger().orders.open().any(|order| kept(&order)) {
            return self.cancel_open(cause, turn);
        }
        // One by one: the venue's own cancel-all would strip the protection too.
        let open = self.ledger().orders.open();
        let going: Vec<ClOrdId> =
            open.filter(|order| !kept(order)).map(|order| order.cl_ord_id).collect();
        turn.effect(Effect::ReadAccount);
        for id in going {
            self.cancel(id, cause, turn);
        }
    }

    /// Whether an order is still open that a closing session has to wait for.
    pub(crate) fn is_winding_down(&self) -> bool {
        let waits = |order: &Order| self.is_shadow() || !self.is_protective(order);
        self.ledger().orders.open().any(waits)
    }

    /// Positions that something has left without protection, as reasons for people.
    pub(crate) fn naked(&self) -> Vec<String> {
        let suspended = self.live.iter().flat_map(|live| &live.desks);
        let suspended = suspended.filter(|desk| desk.standing == Standing::Suspended).count() > 0;
        let closing = self.live.as_ref().is_none_or(|live| live.closing.is_some());
        let stripped =
            suspended || closing || self.kill.is_some() || !self.stops.standing.is_empty();
        if !stripped {
            return Vec::new();
        }
        // What a phase-1 session holds is held by nobody.
        let ledger = &self.account;
        let held = ledger.holdings().filter(|(_, holding)| holding.position != Position::FLAT);
        held.filter(|(symbol, holding)| !self.is_protected(ledger, symbol, holding.position))
            .map(|(symbol, _)| format!("NAKED_POSITION: {symbol} has no protective order"))
            .collect()
    }

    fn is_protected(&self, ledger: &Ledger, symbol: &str, position: Position) -> bool {
        let exit = if position.0 > 0 { Side::Sell } else { Side::Buy };
        ledger.orders.open().any(|order| {
            let own = ledger.instrument_of(order.cl_ord_id).is_some_and(|i| i.symbol == symbol);
            own && order.intent.side == exit && self.is_protective(order)
        })
    }
}
