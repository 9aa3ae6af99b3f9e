//! Taking back. A cancel takes no circumstances: no code of the gate can stand in its way, and
//! only its own two exceptions do.

use portcullis_domain::{ClOrdId, OrdStatus, Order, Origin, Phase, PluginId};
use portcullis_gate::{CancelRequest, Denial, Scope, approve_cancel};

use crate::fixture::Case;
use crate::people::px;

const OURS: Origin = Origin::Plugin(PluginId(0));
const OTHERS: Origin = Origin::Plugin(PluginId(1));
const EVERYONE: [Origin; 4] = [OURS, OTHERS, Origin::Person, Origin::House];

/// The whole of what a cancel is judged by: the order, who asks, and whether it was just asked
/// for. No session, no kill, no market and no limit is among it.
const CANCEL: fn(&Order, Origin, bool) -> Result<CancelRequest, Denial> = approve_cancel;

fn order(of: Origin, status: OrdStatus) -> Order {
    let mut intent = Case::new(Phase::Paper).intent;
    intent.origin = of;
    let cl_ord_id = ClOrdId { epoch: 7, sequence: 1 };
    Order { status, ..Order::new(cl_ord_id, intent, px(10_000)) }
}

/// Whether `by` may take back an order of `of` in that state; `CANCEL` or the code.
#[track_caller]
fn check(of: Origin, status: OrdStatus, by: Origin, asked_lately: bool, expect: &str) {
    let order = order(of, status);
    match CANCEL(&order, by, asked_lately) {
        Ok(request) => assert_eq!(("CANCEL", request.cl_ord_id), (expect, order.cl_ord_id)),
        Err(denial) => {
            assert_eq!((denial.code.code(), denial.scope), (expect, Scope::Order));
            assert!(!denial.cure().is_empty());
        }
    }
}

/// D9: an order whose fate is unknown can be taken back like any other that may still trade.
#[test]
fn d9_every_order_that_can_still_trade_can_be_taken_back() {
    for status in OrdStatus::ALL {
        let expect = if status.is_open() { "CANCEL" } else { "ORDER_TYPE_NOT_ALLOWED" };
        for by in [OURS, Origin::Person, Origin::House] {
            check(OURS, status, by, false, expect);
        }
    }
    assert!(OrdStatus::Unknown.is_open());
}

/// A26: a plugin takes back what it asked for, and nothing that a person or the house holds
/// against it.
#[test]
fn a26_a_plugin_takes_back_nothing_but_its_own() {
    for of in EVERYONE {
        for by in EVERYONE {
            let own = by == of || matches!(by, Origin::Person | Origin::House);
            let expect = if own { "CANCEL" } else { "ORDER_TYPE_NOT_ALLOWED" };
            check(of, OrdStatus::New, by, false, expect);
        }
    }
}

/// NT 6: a flood of cancels of one order is one cancel.
#[test]
fn nt6_the_same_cancel_again_within_a_second_is_held_back() {
    for by in [OURS, Origin::Person, Origin::House] {
        check(OURS, OrdStatus::PendingCancel, by, true, "MAX_MSG_RATE");
        // It was refused, or a second went by: it may be asked for again.
        check(OURS, OrdStatus::PendingCancel, by, false, "CANCEL");
        check(OURS, OrdStatus::New, by, true, "CANCEL");
    }
    // Who may not ask at all is told so first.
    check(OURS, OrdStatus::PendingCancel, OTHERS, true, "ORDER_TYPE_NOT_ALLOWED");
}

/// All of them: cancel-all is one cancel an order, by the house or by a person, and none of the
/// codes is among what it can be answered with.
#[test]
fn cancel_all_reaches_every_open_order_whoever_asked_for_it() {
    for of in EVERYONE {
        for status in OrdStatus::ALL.into_iter().filter(|status| status.is_open()) {
            check(of, status, Origin::House, false, "CANCEL");
            check(of, status, Origin::Person, false, "CANCEL");
        }
    }
}
