//! Changes of working orders: from a plugin's wish to the way out.

use portcullis_domain::frame::IntentRecord;
use portcullis_domain::{Amendment, Order, Origin, PluginId, Px, Qty};
use portcullis_gate::{AmendVerdict, Denial, DenyCode};

use crate::effect::Effect;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};

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
        let at = self.circumstances(&order.intent, turn);
        let Some(live) = self.live.as_ref() else { return };
        match live.gate.assess_amend(&order, change, &at) {
            AmendVerdict::Deny(denial) => self.on_amend_denied(&order, change, denial, turn),
            AmendVerdict::WouldBe(shadow) => {
                if self.request_amend(&order, change, turn) {
                    turn.effect(Effect::ShadowAmend(shadow));
                }
            }
            AmendVerdict::Approve(approved) => {
                if self.request_amend(&order, change, turn) {
                    let amend = self.leaving(approved, turn);
                    turn.effect(Effect::Amend(Box::new(amend)));
                }
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
        let (shadow, epoch) = (self.is_shadow_order(id), self.epoch);
        if let Err(fault) = self.ledger_of_mut(id).orders.amend(after) {
            turn.fault(fault);
            return false;
        }
        if let Some(live) = self.live.as_mut() {
            live.count_message(turn.now.boot);
            live.count("AMENDED");
        }
        // Only a limit order passed the gate, and that has a price.
        let before = (order.intent.qty, order.intent.price.unwrap_or(order.reserve_px));
        turn.record(&Outcome::AmendRequested { before, after, shadow, epoch });
        self.tell_order(id, turn);
        true
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
