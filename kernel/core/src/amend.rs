//! Changes of working orders: from a plugin's wish to the way out.

use portcullis_domain::frame::IntentRecord;
use portcullis_domain::{
    Amendment, ClOrdId, Money, Order, OrderIntent, Origin, PluginId, Px, Qty, Side,
};
use portcullis_gate::{AmendVerdict, Circumstances, Denial, DenyCode, Scope, Working};

use crate::effect::Effect;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};
use crate::submit::{Door, value};

impl Core {
    /// A plugin asks to change an order of its own. The numbers are each plugin's, so it cannot
    /// name anybody else's.
    pub(crate) fn on_amend(&mut self, plugin: PluginId, record: &IntentRecord, turn: &mut Turn) {
        let (qty, price) = match terms(record) {
            Ok(terms) => terms,
            Err(code) => return self.malformed(plugin, record, code, turn),
        };
        let Some(order) = self.own_order(plugin, record) else {
            return self.malformed(plugin, record, DenyCode::OrderUnknown, turn);
        };
        let change = Amendment { cl_ord_id: order.cl_ord_id, qty, price };
        let _told: Result<(), Denial> = self.amend(&order, change, turn);
    }

    /// Has a change of an order judged, whoever asks for it, and what was approved recorded and
    /// sent on its way.
    pub(crate) fn amend(
        &mut self,
        order: &Order,
        change: Amendment,
        turn: &mut Turn,
    ) -> Result<(), Denial> {
        let door = self.door_of(order.cl_ord_id);
        let at = self.circumstances_without(order, change, door, turn);
        let missing = Denial::plain(DenyCode::ApprovalMissing, Scope::Session);
        let Some(gate) = self.gate(door) else { return Err(missing) };
        match gate.assess_amend(order, change, &at) {
            AmendVerdict::Deny(denial) => {
                self.on_amend_denied(order, change, denial, turn);
                return Err(denial);
            }
            AmendVerdict::WouldBe(shadow) => {
                if self.request_amend(order, change, turn) {
                    turn.effect(Effect::ShadowAmend(shadow));
                }
            }
            AmendVerdict::Approve(approved) => {
                self.warn(approved.warnings(), &order.intent, turn);
                if self.request_amend(order, change, turn) {
                    let amend = self.leaving(approved, turn);
                    turn.effect(Effect::Amend(Box::new(amend)));
                }
            }
        }
        Ok(())
    }

    /// The door of an order's gate: that of the open session, if it is booked on its ledger.
    fn door_of(&self, id: ClOrdId) -> Door {
        let of_session = self.live.is_some() && self.ledger().orders.get(id).is_some();
        if of_session { Door::Session } else { Door::Closing }
    }

    /// The circumstances as if the order did not work: the one that would stand takes its place.
    fn circumstances_without(
        &mut self,
        order: &Order,
        change: Amendment,
        door: Door,
        turn: &Turn,
    ) -> Circumstances {
        let open = change.qty.minus(order.cum_qty).unwrap_or(Qty::ZERO);
        let intent = OrderIntent { qty: open, price: Some(change.price), ..order.intent.clone() };
        match door {
            Door::Session => {
                self.ledger_mut().set_aside(order);
                let at = self.circumstances(&intent, door, turn);
                self.ledger_mut().put_back(order);
                at
            }
            Door::Closing => {
                let mut at = self.circumstances(&intent, door, turn);
                at.working = at.working.and_then(|working| without(working, order));
                at
            }
        }
    }

    /// The order that the record means, as it stands.
    fn own_order(&self, plugin: PluginId, record: &IntentRecord) -> Option<Order> {
        let asked = (Origin::Plugin(plugin), record.reference);
        let id = *self.live.as_ref()?.references.get(&asked)?;
        let order = self.ledger_of(id).orders.get(id)?;
        (order.intent.instrument.0 == record.instrument).then(|| order.clone())
    }

    /// Puts an approved change on record and into every limit, before anything leaves.
    fn request_amend(&mut self, order: &Order, after: Amendment, turn: &mut Turn) -> bool {
        let id = order.cl_ord_id;
        let (shadow, epoch) = (self.is_shadow_order(id), self.epochs.stamp());
        if let Err(fault) = self.ledger_of_mut(id).amend(after) {
            turn.fault(fault);
            return false;
        }
        let growth = self.count_growth(order, after, turn);
        // Only a limit order passed the gate, and that has a price.
        let before = (order.intent.qty, order.intent.price.unwrap_or(order.reserve_px));
        turn.record(&Outcome::AmendRequested { before, after, shadow, epoch, growth });
        self.tell_order(id, turn);
        true
    }

    /// A change is a message, and counts for the day by what it adds.
    fn count_growth(&mut self, order: &Order, after: Amendment, turn: &Turn) -> Option<Money> {
        let id = order.cl_ord_id;
        let door = self.door_of(id);
        let gate = self.gate(door)?;
        let instrument = self.ledger_of(id).instrument_of(id).cloned()?;
        let open = after.qty.minus(order.cum_qty).unwrap_or(Qty::ZERO);
        let then = value(gate, (after.price, open), &instrument);
        let now = value(gate, (order.claim_px(), order.claim_qty()), &instrument);
        let growth = then.zip(now).and_then(|(then, now)| then.minus(now));
        let growth = growth.map(|growth| growth.max(Money::ZERO));
        self.ledger_of_mut(id).across.approved(turn.now.wall, growth);
        if let Some(live) = self.live.as_mut().filter(|_| door == Door::Session) {
            live.usage.amended(order.intent.origin, turn.now.boot);
            live.count("AMENDED");
        }
        growth
    }

    fn on_amend_denied(
        &mut self,
        order: &Order,
        after: Amendment,
        denial: Denial,
        turn: &mut Turn,
    ) {
        let reference = order.intent.reference;
        if let Origin::Plugin(plugin) = order.intent.origin {
            let about = (reference, order.intent.instrument.0);
            self.tell_denial(plugin, about, denial.code, turn.now.wall);
        }
        turn.record(&Outcome::AmendDenied { reference, after, denial });
    }
}

/// What works besides `order`; `None` where that cannot be told.
fn without(working: Working, order: &Order) -> Option<Working> {
    let claim = order.claim_qty();
    Some(match order.intent.side {
        Side::Buy => Working { buy_qty: working.buy_qty.minus(claim)?, ..working },
        Side::Sell => Working { sell_qty: working.sell_qty.minus(claim)?, ..working },
    })
}

/// Whole quantity and price that a record asks for; every other field of it must be empty.
fn terms(record: &IntentRecord) -> Result<(Qty, Px), DenyCode> {
    let codes = [record.side, record.ord_type, record.time_in_force];
    let numbers = [record.stop_price, record.target_price, record.time];
    let blank = codes == [0; 3] && numbers == [0; 3] && record.flags == 0;
    if !blank || record.reference == 0 {
        return Err(DenyCode::OrderTypeNotAllowed);
    }
    let qty = Qty::new(record.qty).ok_or(DenyCode::LotSize)?;
    Ok((qty, Px::new(record.price).ok_or(DenyCode::TickSize)?))
}
