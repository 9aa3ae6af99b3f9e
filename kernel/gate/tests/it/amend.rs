//! A change of an order is judged as the new order that would stand: no way around a limit. The
//! circumstances are those without the order itself.

use portcullis_domain::{
    Amendment, Bracket, ClOrdId, OrdStatus, OrdType, Order, Origin, Phase, Position, Side,
};
use portcullis_gate::{AmendVerdict, DenyCode, Rights, Scope, Standing};

use crate::fixture::{BOOT, Case, PLUGIN};
use crate::people::{money, narrow_limits, px, qty};

const ID: ClOrdId = ClOrdId { epoch: 7, sequence: 1 };

/// A working order, a change of it, and the world without that order.
#[derive(Debug)]
struct Change {
    case: Case,
    order: Order,
    to: Amendment,
}

impl Change {
    /// From 0.1 at 100.00 to 0.2 at 100.00, nothing filled.
    fn new(phase: Phase, side: Side) -> Self {
        let mut case = Case::new(phase);
        case.intent.side = side;
        *case.all_limits() = narrow_limits(&[PLUGIN]);
        // The number was used and the content approved: by this very order.
        (case.at.reference_used, case.at.same_approved) = (true, Some(BOOT));
        case.limits().duplicate_window_ms = 500;
        (case.at.whole.orders, case.strategy().orders) = (1, 1);
        let mut order = Order::new(ID, case.intent.clone(), px(10_000));
        order.status = OrdStatus::New;
        let to = Amendment { cl_ord_id: ID, qty: qty(20_000), price: px(10_000) };
        Self { case, order, to }
    }

    fn verdict(&self) -> AmendVerdict {
        self.case.house.open().unwrap().assess_amend(&self.order, self.to, &self.case.at)
    }

    fn answer(&self) -> &'static str {
        match self.verdict() {
            AmendVerdict::Approve(approved) => {
                assert_eq!((approved.item(), approved.cl_ord_id()), (&self.to, ID));
                assert_eq!(approved.reserve_px(), self.to.price);
                "APPROVE"
            }
            AmendVerdict::WouldBe(shadow) => {
                assert_eq!(shadow.item(), &self.to);
                "WOULD_BE"
            }
            AmendVerdict::Deny(denial) => denial.code.code(),
        }
    }
}

#[track_caller]
fn check(alter: impl FnOnce(&mut Change), expect: &str) {
    check_side(Side::Buy, alter, expect);
}

#[track_caller]
fn check_side(side: Side, alter: impl FnOnce(&mut Change), expect: &str) {
    let mut change = Change::new(Phase::Paper, side);
    alter(&mut change);
    assert_eq!(change.answer(), expect);
}

/// Hole 4 of the best engine there is: an amend could exceed the notional limit.
#[test]
fn nt4_an_amend_is_held_to_the_limits_of_a_new_order() {
    check(|_| {}, "APPROVE");
    check(|c| c.to.qty = qty(80_000), "APPROVE");
    check(|c| c.to.qty = qty(80_010), "MAX_ORDER_NOTIONAL");
    check(|c| (c.to.qty, c.to.price) = (qty(80_000), px(10_010)), "MAX_ORDER_NOTIONAL");
    check(|c| c.to.qty = qty(20_001), "LOT_SIZE");
    check(|c| c.to.price = px(10_001), "TICK_SIZE");
    check(|c| c.to.qty = qty(4_990), "MIN_NOTIONAL");
    check(|c| (c.to.qty, c.to.price) = (qty(10_000), px(20_000)), "PRICE_COLLAR");
    let wide = |units: i64| {
        move |c: &mut Change| {
            c.case.limits().order_notional_max = money("1000");
            c.to.qty = qty(units);
        }
    };
    check(wide(100_000), "APPROVE");
    check(wide(100_010), "MAX_ORDER_QTY");
}

/// What works beside the order is in the way; the order itself stands in nobody's.
#[test]
fn nt4_an_amend_counts_with_all_that_works_beside_it() {
    // 1.8 held: 0.2 in the order's place is just within 2.0.
    check(|c| c.case.at.position = Some(Position(180_000)), "APPROVE");
    check(|c| c.case.at.position = Some(Position(180_010)), "MAX_POSITION");
    let other = |units: i64| {
        move |c: &mut Change| {
            c.case.at.position = Some(Position(150_000));
            c.case.working().buy_qty = qty(units);
        }
    };
    check(other(30_000), "APPROVE");
    check(other(30_010), "MAX_POSITION");
    check(|c| c.case.at.whole.open_orders = 9, "APPROVE");
    check(|c| c.case.at.whole.open_orders = 10, "MAX_OPEN_ORDERS");
    // 20.02 with the fee.
    check(|c| c.case.balance().quote = money("20.02"), "APPROVE");
    check(|c| c.case.balance().quote = money("20.01"), "INSUFFICIENT_BALANCE");
    let base = |units: i64| move |c: &mut Change| c.case.balance().base = qty(units);
    check_side(Side::Sell, base(20_000), "APPROVE");
    check_side(Side::Sell, base(19_990), "INSUFFICIENT_BALANCE");
}

/// It was counted among the orders of the session when it was approved, and is not again.
#[test]
fn nt4_an_amend_is_no_further_order_of_the_session() {
    check(|c| c.case.at.whole.orders = 1_000, "APPROVE");
    check(|c| c.case.at.whole.orders = 1_001, "MAX_ORDERS_PER_SESSION");
    check(|c| c.case.strategy().orders = 1_000, "APPROVE");
    check(|c| c.case.strategy().orders = 1_001, "MAX_ORDERS_PER_SESSION");
    // It is a message all the same, and adds to the value of the day.
    check(|c| c.case.at.whole.messages = 15, "APPROVE");
    check(|c| c.case.at.whole.messages = 16, "MAX_MSG_RATE");
    check(|c| c.case.at.across.notional = Some(money("999980")), "APPROVE");
    check(|c| c.case.at.across.notional = Some(money("999980.01")), "MAX_DAILY_NOTIONAL");
}

/// What is filled is in the position; the order as a whole still has a limit.
#[test]
fn nt4_an_order_does_not_grow_beyond_its_limit_in_steps() {
    let filled = |cum: i64, to: i64| {
        move |c: &mut Change| {
            (c.order.status, c.order.cum_qty) = (OrdStatus::PartiallyFilled, qty(cum));
            c.case.at.position = Some(Position(cum));
            c.to.qty = qty(to);
        }
    };
    check(filled(9_000, 80_000), "APPROVE");
    check(filled(9_000, 80_010), "MAX_ORDER_NOTIONAL");
    check(filled(5_000, 10_000), "APPROVE");
    // Down to what is filled there is nothing left to stand: that is a cancel.
    check(filled(9_000, 9_000), "LOT_SIZE");
    check(filled(9_000, 8_000), "LOT_SIZE");
    let wide = |to: i64| {
        move |c: &mut Change| {
            c.case.limits().order_notional_max = money("1000");
            filled(9_000, to)(c);
        }
    };
    check(wide(100_000), "APPROVE");
    check(wide(100_010), "MAX_ORDER_QTY");
    // The limit in the account's own currency holds for the whole as well.
    let value = |to: i64| {
        move |c: &mut Change| {
            c.case.all_limits().account.activity.order_value_max = money("20");
            filled(9_000, to)(c);
        }
    };
    check(value(20_000), "APPROVE");
    check(value(20_010), "MAX_ORDER_NOTIONAL");
}

#[test]
fn only_an_order_that_rests_and_is_not_being_changed_can_be_changed() {
    for status in OrdStatus::ALL {
        let amendable =
            matches!(status, OrdStatus::PendingNew | OrdStatus::New | OrdStatus::PartiallyFilled);
        let expect = if amendable { "APPROVE" } else { "ORDER_UNKNOWN" };
        check(|c| c.order.status = status, expect);
    }
    check(|c| c.order.pending = Some(c.to), "ORDER_UNKNOWN");
    check(|c| c.to.cl_ord_id.sequence = 2, "ORDER_UNKNOWN");
    check(|c| c.order.intent.ord_type = OrdType::Market, "ORDER_TYPE_NOT_ALLOWED");
    check(|c| c.order.intent.instrument.0 = 9, "INSTRUMENT_NOT_ALLOWED");
    let mut change = Change::new(Phase::Paper, Side::Buy);
    change.order.pending = Some(change.to);
    let AmendVerdict::Deny(denial) = change.verdict() else { panic!("approved") };
    assert_eq!((denial.code, denial.scope), (DenyCode::OrderUnknown, Scope::Order));
}

/// A reduction stays one, and does not become a way to flip through zero.
#[test]
fn nt7_a_change_of_a_reduction_cannot_flip_through_zero() {
    let exit = |held: i64| {
        move |c: &mut Change| {
            c.case.at.position = Some(Position(held));
            c.case.at.reduce_only = true;
        }
    };
    check_side(Side::Sell, exit(20_000), "APPROVE");
    check_side(Side::Sell, exit(19_990), "REDUCE_ONLY");
    // What spares a reduction spares the change of one, whole and open alike.
    let unpriced = |c: &mut Change| {
        c.case.account_in_usd("1");
        c.case.all_limits().rules.conversion_age_ms_max = 1;
    };
    check_side(Side::Sell, unpriced, "NO_CONVERSION_PRICE");
    check_side(
        Side::Sell,
        |c| {
            exit(20_000)(c);
            unpriced(c);
        },
        "APPROVE",
    );
    // Exits of an exit would open anew.
    check_side(
        Side::Sell,
        |c| {
            exit(20_000)(c);
            c.order.intent.bracket = Some(Bracket { stop_px: Some(px(9_000)), target_px: None });
        },
        "ORDER_TYPE_NOT_ALLOWED",
    );
    // A person keeps the exit when the session takes nothing new any more.
    let mut change = Change::new(Phase::Paper, Side::Sell);
    exit(20_000)(&mut change);
    (change.order.intent.origin, change.case.at.closing) = (Origin::Person, true);
    let AmendVerdict::Approve(approved) = change.verdict() else { panic!("{}", change.answer()) };
    assert_eq!(approved.rights(), Rights::Closing);
}

/// What shuts the gate for new orders shuts it for changes.
#[test]
fn a_change_passes_every_check_of_the_house() {
    check(|c| c.case.at.killed = true, "KILL_ACTIVE");
    check(|c| c.case.at.closing = true, "OUTSIDE_SESSION_WINDOW");
    check(|c| c.case.at.standing = Standing::Suspended, "PLUGIN_SUSPENDED");
    check(|c| c.case.at.component = None, "HASH_NOT_SIGNED");
    check(|c| c.case.at.evidence_writable = false, "EVIDENCE_UNWRITABLE");
    check(|c| c.case.at.reconciled = false, "RECON_UNRESOLVED");
    check(|c| c.case.at.reduce_only = true, "REDUCE_ONLY");
    check(|c| c.case.at.quote = None, "NO_REFERENCE_PRICE");
    check(|c| c.case.at.book_valid = false, "BOOK_INVALID");
    check(|c| c.case.at.working = None, "ORDER_UNKNOWN");
    check(|c| c.case.at.strategy = None, "APPROVAL_MISSING");
    check(|c| c.case.at.crosses_own = true, "SELF_CROSS");
}

/// Where a person has the last word, no plugin rewrites what was released. It may take off, and
/// protection may follow the position.
#[test]
fn nt4_a_change_does_not_go_round_the_person_who_releases() {
    for (phase, expect, takes_off) in [
        (Phase::Shadow, "WOULD_BE", "WOULD_BE"),
        (Phase::Paper, "APPROVE", "APPROVE"),
        (Phase::BoundedAuto, "APPROVE", "APPROVE"),
        (Phase::PreLive, "LIVE_LOCKED", "LIVE_LOCKED"),
        (Phase::ManualLive, "PHASE_FORBIDS", "APPROVE"),
        (Phase::MonitoredAuto, "PHASE_FORBIDS", "APPROVE"),
        (Phase::Continuous, "PHASE_FORBIDS", "APPROVE"),
    ] {
        let mut change = Change::new(phase, Side::Sell);
        assert_eq!(change.answer(), expect, "{phase:?}");
        change.case.at.position = Some(Position(20_000));
        assert_eq!(change.answer(), expect, "{phase:?}");
        change.order.intent.reduce_only = true;
        assert_eq!(change.answer(), takes_off, "{phase:?}");
        let mut change = Change::new(phase, Side::Buy);
        change.to.qty = qty(9_000);
        assert_eq!(change.answer(), takes_off, "{phase:?}");
        change.to.qty = qty(10_000);
        assert_eq!(change.answer(), takes_off, "{phase:?}");
        change.to.price = px(9_990);
        assert_eq!(change.answer(), expect, "{phase:?}");
    }
    let mut change = Change::new(Phase::ManualLive, Side::Buy);
    change.order.intent.origin = Origin::Person;
    assert_eq!(change.answer(), "PHASE_FORBIDS");
    change.order.intent.origin = Origin::House;
    assert_eq!(change.answer(), "APPROVE");
}
