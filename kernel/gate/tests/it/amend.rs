//! A change of an order is judged as the new order that would stand: no way around a limit.

use portcullis_domain::{Amendment, ClOrdId, OrdStatus, Order, Phase, Position, Side};
use portcullis_gate::{AmendVerdict, Standing, with_fee};

use crate::fixture::Case;
use crate::people::{money, px, qty};

const ID: ClOrdId = ClOrdId { epoch: 7, sequence: 1 };

/// A working order and a change of it; its claim is among those that are counted.
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
        case.at.reference_used = true;
        let mut order = Order::new(ID, case.intent.clone(), px(10_000));
        order.status = OrdStatus::New;
        let to = Amendment { cl_ord_id: ID, qty: qty(20_000), price: px(10_000) };
        let mut change = Self { case, order, to };
        change.count();
        change
    }

    /// Counts what the order claims by its present state, and nothing else.
    fn count(&mut self) {
        let working = &mut self.case.at.working;
        let claim = self.order.claim_qty();
        working.open_orders = 1;
        match self.order.intent.side {
            Side::Sell => working.sell_qty = claim,
            Side::Buy => {
                let instrument = &self.case.house.approval.instruments[0];
                let value =
                    portcullis_domain::Money::notional(self.order.claim_px(), claim, instrument);
                working.buy_qty = claim;
                working.reserved_quote = with_fee(value.unwrap(), instrument.taker_fee).unwrap();
            }
        }
    }

    fn answer(&self) -> &'static str {
        let gate = self.case.house.open().unwrap();
        match gate.assess_amend(&self.order, self.to, &self.case.at) {
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
    check(|c| c.to.price = px(20_000), "PRICE_COLLAR");
    let wide = |units: i64| {
        move |c: &mut Change| {
            c.case.limits().order_notional_max = money("1000");
            c.to.qty = qty(units);
        }
    };
    check(wide(100_000), "APPROVE");
    check(wide(100_010), "MAX_ORDER_QTY");
}

#[test]
fn the_orders_own_claim_makes_room_and_no_other_does() {
    // 1.8 held and 0.1 of its own working: 0.2 in its place is just within 2.0.
    check(|c| c.case.at.position = Position(180_000), "APPROVE");
    check(|c| c.case.at.position = Position(180_010), "MAX_POSITION");
    let other = |units: i64| {
        move |c: &mut Change| {
            c.case.at.position = Position(150_000);
            c.case.at.working.buy_qty = qty(10_000 + units);
        }
    };
    check(other(30_000), "APPROVE");
    check(other(30_010), "MAX_POSITION");
    // It needs no second place among the open orders.
    let max = |c: &mut Change| c.case.account_limits().open_orders_max;
    check(|c| c.case.at.working.open_orders = max(c), "APPROVE");
    check(|c| c.case.at.working.open_orders = max(c) + 1, "MAX_OPEN_ORDERS");
    // 20.02 with the fee, of which 10.01 is its own already.
    check(|c| c.case.at.balance.as_mut().unwrap().quote = money("20.02"), "APPROVE");
    check(|c| c.case.at.balance.as_mut().unwrap().quote = money("20.01"), "INSUFFICIENT_BALANCE");
    let base =
        |units: i64| move |c: &mut Change| c.case.at.balance.as_mut().unwrap().base = qty(units);
    check_side(Side::Sell, base(20_000), "APPROVE");
    check_side(Side::Sell, base(19_990), "INSUFFICIENT_BALANCE");
}

/// What is filled is in the position; the order as a whole still has a limit.
#[test]
fn an_order_does_not_grow_beyond_its_limit_in_steps() {
    let filled = |cum: i64, to: i64| {
        move |c: &mut Change| {
            (c.order.status, c.order.cum_qty) = (OrdStatus::PartiallyFilled, qty(cum));
            c.case.at.position = Position(cum);
            c.to.qty = qty(to);
            c.count();
        }
    };
    check(filled(9_000, 80_000), "APPROVE");
    check(filled(9_000, 80_010), "MAX_ORDER_NOTIONAL");
    check(filled(5_000, 10_000), "APPROVE");
    // Down to what is filled there is nothing left to stand: that is a cancel.
    check(filled(9_000, 9_000), "LOT_SIZE");
    check(filled(9_000, 8_000), "LOT_SIZE");
}

#[test]
fn only_an_order_that_rests_and_is_not_being_changed_can_be_changed() {
    for status in OrdStatus::ALL {
        let amendable =
            matches!(status, OrdStatus::PendingNew | OrdStatus::New | OrdStatus::PartiallyFilled);
        let expect = if amendable { "APPROVE" } else { "ORDER_UNKNOWN" };
        check(
            |c| {
                c.order.status = status;
                c.count();
            },
            expect,
        );
    }
    check(
        |c| {
            c.order.pending = Some(c.to);
            c.count();
        },
        "ORDER_UNKNOWN",
    );
    check(|c| c.to.cl_ord_id.sequence = 2, "ORDER_UNKNOWN");
    check(
        |c| c.order.intent.ord_type = portcullis_domain::OrdType::Market,
        "ORDER_TYPE_NOT_ALLOWED",
    );
}

#[test]
fn a_claim_that_was_not_counted_is_a_fault_of_the_house() {
    check(|c| c.case.at.working.open_orders = 0, "EVIDENCE_UNWRITABLE");
    check(|c| c.case.at.working.buy_qty = qty(9_990), "EVIDENCE_UNWRITABLE");
    check(|c| c.case.at.working.reserved_quote = money("10"), "EVIDENCE_UNWRITABLE");
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
    check(|c| c.case.at.submits_last_second = u32::MAX, "MAX_MSG_RATE");
    for (phase, expect) in [
        (Phase::Shadow, "WOULD_BE"),
        (Phase::Paper, "APPROVE"),
        (Phase::BoundedAuto, "APPROVE"),
        (Phase::ManualLive, "LIVE_LOCKED"),
    ] {
        assert_eq!(Change::new(phase, Side::Buy).answer(), expect, "{phase:?}");
    }
}
