//! A change of a working order, judged as the new order that would stand afterwards.

use portcullis_domain::{Amendment, Order, OrderIntent, Phase, Qty};

use super::approved::Terms;
use super::{Approved, CHECKS, Case, Check, Passed, size};
use crate::circumstances::{Circumstances, Usage};
use crate::code::DenyCode;
use crate::deny::{Denial, Scope};
use crate::open::Gate;

/// The limits of one order hold for all of it: no order grows beyond them in steps.
const WHOLE_ORDER: &[Check] =
    &[size::check_order_qty, size::check_order_notional, size::check_order_value];

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
    /// Judges a change of a working order. `at` is the world without that order: its claim is
    /// free, because the order that would stand takes its place.
    pub fn assess_amend(
        &self,
        order: &Order,
        change: Amendment,
        at: &Circumstances,
    ) -> AmendVerdict {
        let passed = match self.judge_amended(order, change, at) {
            Ok(passed) => passed,
            Err(denial) => return AmendVerdict::Deny(denial),
        };
        // A person released the terms that stand, and nobody has seen the new ones.
        if self.asks_a_person(&order.intent, passed.act) && !shrinks(order, change) {
            return AmendVerdict::Deny(Denial::plain(DenyCode::PhaseForbids, Scope::Session));
        }
        if self.phase() == Phase::Shadow {
            return AmendVerdict::WouldBe(ShadowAmend(change));
        }
        let Passed { act: _, instrument, reserve_px, rights, warnings } = passed;
        let cl_ord_id = order.cl_ord_id;
        let terms = Terms { cl_ord_id, reserve_px, instrument, warnings, rights };
        AmendVerdict::Approve(Approved::mint(change, terms, at.now, self.authority()))
    }

    fn judge_amended(
        &self,
        order: &Order,
        change: Amendment,
        at: &Circumstances,
    ) -> Result<Passed, Denial> {
        let at = as_the_same_order(at);
        let whole =
            OrderIntent { qty: change.qty, price: Some(change.price), ..order.intent.clone() };
        // What is filled stands in the position already; what would be open comes on top of it.
        let open = change.qty.minus(order.cum_qty).unwrap_or(Qty::ZERO);
        let open = OrderIntent { qty: open, ..whole.clone() };
        let mut case = Case::new(self, &open, &at)?;
        case.run(CHECKS)?;
        case.with(&whole).run(WHOLE_ORDER)?;
        // Of an order that is ended, unknown, or being changed or taken back, nobody can say what
        // a change would lead to.
        if change.cl_ord_id != order.cl_ord_id || !order.is_amendable() {
            return Err(Denial::plain(DenyCode::OrderUnknown, Scope::Order));
        }
        Ok(Passed::of(case))
    }
}

/// Whether it only takes off: no more of it, at the same price.
fn shrinks(order: &Order, change: Amendment) -> bool {
    change.qty <= order.intent.qty && order.intent.price == Some(change.price)
}

/// The circumstances of an order that keeps its number and was counted when it was approved.
fn as_the_same_order(at: &Circumstances) -> Circumstances {
    let counted = |usage: Usage| Usage { orders: usage.orders.saturating_sub(1), ..usage };
    Circumstances {
        reference_used: false,
        same_approved: None,
        whole: counted(at.whole),
        strategy: at.strategy.map(counted),
        ..at.clone()
    }
}
