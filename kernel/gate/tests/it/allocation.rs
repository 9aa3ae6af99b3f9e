//! The way of an order through the gate and into every limit allocates no memory: what it costs does
//! not depend on the allocator's mood. Measured with a large house.

use portcullis_domain::{Amendment, OrdStatus, Order, OrderIntent};
use portcullis_gate::{AmendVerdict, Circumstances, Verdict};

use crate::crowd::Crowd;
use crate::fixture::word;
use crate::people::{px, qty};

/// Allocations of this thread while `work` runs.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn an_accepted_order_allocates_nothing() {
    let mut crowd = Crowd::new();
    for number in 1_000..1_100 {
        let count = allocations(|| {
            let Verdict::Approve(approved) = crowd.ask(crowd.wish(number)) else { panic!() };
            crowd.count(&approved);
        });
        assert_eq!(count, 0, "order {number}");
    }
}

#[test]
fn a_denied_order_allocates_nothing() {
    let check = |alter: fn(&mut OrderIntent, &mut Circumstances), expect: &str| {
        let crowd = Crowd::new();
        let mut intent = crowd.wish(7);
        let mut at = crowd.circumstances(&intent);
        alter(&mut intent, &mut at);
        let count = allocations(|| {
            let id = portcullis_domain::ClOrdId { epoch: 7, sequence: 2_000 };
            assert_eq!(word(&crowd.gate.assess(intent, id, &at)), expect);
        });
        assert_eq!(count, 0, "{expect}");
    };
    // The first check, some in the middle and the last but one.
    check(|_, at| at.killed = true, "KILL_ACTIVE");
    check(|intent, _| intent.price = Some(px(9_000)), "PRICE_COLLAR");
    check(|_, at| at.whole.open_orders = 2_000, "MAX_OPEN_ORDERS");
    check(|_, at| at.whole.messages = u32::MAX, "MAX_MSG_RATE");
}

#[test]
fn an_accepted_change_allocates_nothing() {
    let mut crowd = Crowd::new();
    let Verdict::Approve(approved) = crowd.ask(crowd.wish(1_000)) else { panic!() };
    let mut order = crowd.count(&approved);
    order.status = OrdStatus::New;
    let mut at = crowd.circumstances(&order.intent);
    (at.whole.orders, at.strategy.as_mut().unwrap().orders) = (1, 1);
    let change = Amendment { cl_ord_id: order.cl_ord_id, qty: qty(6_500), price: px(9_900) };
    let after = Order { pending: Some(change), status: OrdStatus::PendingReplace, ..order.clone() };
    let count = allocations(|| {
        let verdict = crowd.gate.assess_amend(&order, change, &at);
        assert!(matches!(verdict, AmendVerdict::Approve(_)));
        crowd.book.order_changed(Some(&order), &after).unwrap();
    });
    assert_eq!(count, 0);
}

/// The one exception: the list of the limits that an order uses beyond their warning level.
#[test]
fn an_order_that_is_warned_about_allocates_its_warnings_alone() {
    let crowd = Crowd::under(|limits| limits.account.activity.open_orders_max = 1_200);
    let count = allocations(|| {
        let Verdict::Approve(approved) = crowd.ask(crowd.wish(1_000)) else { panic!() };
        assert_eq!(approved.warnings().len(), 1);
    });
    assert_eq!(count, 1);
}
