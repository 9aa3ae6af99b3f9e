//! Taking back: legal in every state of the house, for any order that we issued.

use portcullis_domain::{ClOrdId, OrdStatus, Order, Origin};

use crate::code::DenyCode;
use crate::deny::{Denial, Scope};

/// FIX 35=F. The order to take back, by both ids as far as they are known.
#[derive(Debug)]
pub struct CancelRequest {
    /// FIX 41.
    pub cl_ord_id: ClOrdId,
}

/// Approves taking back an order of ours that can still trade. It needs no session and no live
/// gate: a halt must never block a reduction of risk.
///
/// A plugin takes back its own orders only; a person and the house take back any. `asked_lately` is
/// whether the same was asked for within the last second: that cancel is on its way, and another
/// would only use up the venue's budget.
pub fn approve_cancel(
    order: &Order,
    by: Origin,
    asked_lately: bool,
) -> Result<CancelRequest, Denial> {
    let own = match by {
        Origin::Plugin(_) => order.intent.origin == by,
        Origin::Person | Origin::House => true,
    };
    if !own || !order.status.is_open() {
        return Err(Denial::plain(DenyCode::OrderTypeNotAllowed, Scope::Order));
    }
    if asked_lately && order.status == OrdStatus::PendingCancel {
        return Err(Denial::plain(DenyCode::MaxMsgRate, Scope::Order));
    }
    Ok(CancelRequest { cl_ord_id: order.cl_ord_id })
}
