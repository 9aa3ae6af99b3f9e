//! A change of a working order, judged as the new order that would stand afterwards.

use portcullis_domain::{Amendment, Instrument, Money, Order, OrderIntent, Phase, Px, Qty, Side};

use super::{Approved, Terms, check_order_notional, check_order_qty, with_fee};
use crate::circumstances::Circumstances;
use crate::deny::{Denial, DenyCode};
use crate::open::Gate;

/// What the gate says to a change of an order.
#[derive(Debug)]
#[must_use = "a verdict is recorded, whatever it says"]
pub enum AmendVerdict {
    /// The order may be changed so.
    Approve(Approved<Amendment>),
    /// Phase 1: it could have been changed so. No venue code accepts this type.
    WouldBe(ShadowAmend),
    /// No.
    Deny(Denial),
}

/// A change that passed every check in a phase from which nothing can leave.
///
/// It is no approval; an approval is:
/// ```compile_fail,E0308
/// use portcullis_domain::Amendment;
/// use portcullis_gate::{Approved, ShadowAmend};
/// fn send(_change: Approved<Amendment>) {}
/// fn shadow(change: ShadowAmend) {
///     send(change);
/// }
/// ```
/// ```
/// use portcullis_domain::Amendment;
/// use portcullis_gate::Approved;
/// fn send(_change: Approved<Amendment>) {}
/// fn approved(change: Approved<Amendment>) {
///     send(change);
/// }
/// ```
#[derive(Debug)]
pub struct ShadowAmend(Amendment);

impl ShadowAmend {
    /// What would have been asked for.
    #[must_use]
    pub const fn item(&self) -> &Amendment {
        &self.0
    }
}

impl Gate {
    /// Judges a change of a working order. `at` holds the order's own claim as it stands; it is
    /// taken out here, so that nobody else can take out more.
    pub fn assess_amend(
        &self,
        order: &Order,
        change: Amendment,
        at: &Circumstances,
    ) -> AmendVerdict {
        let missing = AmendVerdict::Deny(Denial::plain(DenyCode::InstrumentNotAllowed));
        let Some(instrument) = self.instrument(order.intent.instrument) else { return missing };
        match self.judge_amended((order, instrument), change, at) {
            Err(denial) => AmendVerdict::Deny(denial),
            Ok(_) if self.phase() == Phase::Shadow => AmendVerdict::WouldBe(ShadowAmend(change)),
            Ok(reserve_px) => {
                let (cl_ord_id, instrument) = (order.cl_ord_id, instrument.clone());
                let terms = Terms { cl_ord_id, reserve_px, instrument };
                AmendVerdict::Approve(Approved::mint(change, terms, at.now, self.authority()))
            }
        }
    }

    fn judge_amended(
        &self,
        (order, instrument): (&Order, &Instrument),
        change: Amendment,
        at: &Circumstances,
    ) -> Result<Px, Denial> {
        // A claim that is not among those that were added up is a fault of the house.
        let contradiction = Denial::plain(DenyCode::EvidenceUnwritable);
        let without = without_claim(order, instrument, at).ok_or(contradiction)?;
        let whole =
            OrderIntent { qty: change.qty, price: Some(change.price), ..order.intent.clone() };
        // What is filled stands in the position already; what would be open comes on top of it.
        let open = change.qty.minus(order.cum_qty).unwrap_or(Qty::ZERO);
        let reserve_px = self.judge(&OrderIntent { qty: open, ..whole.clone() }, &without)?;
        // The limits of one order hold for all of it: no order grows beyond them in steps.
        let case = self.check_instrument(&whole, &without)?;
        check_order_qty(&case)?;
        check_order_notional(&case)?;
        // Of an order that is ended, unknown, or being changed or taken back, nobody can say what
        // a change would lead to.
        if change.cl_ord_id != order.cl_ord_id || !order.is_amendable() {
            return Err(Denial::plain(DenyCode::OrderUnknown));
        }
        Ok(reserve_px)
    }
}

/// The circumstances as if the order had never been: its claim is free, its number unused.
fn without_claim(
    order: &Order,
    instrument: &Instrument,
    at: &Circumstances,
) -> Option<Circumstances> {
    let mut at = Circumstances { reference_used: false, ..at.clone() };
    if !order.status.is_open() {
        return Some(at);
    }
    let claim = order.claim_qty();
    let working = &mut at.working;
    working.open_orders = working.open_orders.checked_sub(1)?;
    match order.intent.side {
        Side::Sell => working.sell_qty = working.sell_qty.minus(claim)?,
        Side::Buy => {
            let value = Money::notional(order.claim_px(), claim, instrument)?;
            let cost = with_fee(value, instrument.taker_fee)?;
            working.buy_qty = working.buy_qty.minus(claim)?;
            let rest = working.reserved_quote.minus(cost)?;
            working.reserved_quote = (rest >= Money::ZERO).then_some(rest)?;
        }
    }
    Some(at)
}
