//! One order and what is said about it.

use super::*;
use crate::execution::Execution;
use crate::ids::{ExecId, InstrumentId, PluginId};
use crate::intent::{Origin, TimeInForce};
use crate::report::{ExecType, ExecutionReport};
use crate::time::WallNs;

use OrdStatus as S;

const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 1 };

fn order(id: ClOrdId, side: Side, qty: i64) -> Order {
    let intent = OrderIntent {
        origin: Origin::Plugin(PluginId(0)),
        reference: 1,
        instrument: InstrumentId(0),
        side,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: Qty::new(qty).unwrap(),
        price: Px::new(100),
        reduce_only: false,
        bracket: None,
    };
    Order::new(id, intent, Px::new(100).unwrap())
}

fn table(qty: i64) -> OrderTable {
    let mut table = OrderTable::new();
    table.insert(order(ID, Side::Buy, qty)).unwrap();
    let again = table.insert(order(ID, Side::Buy, qty));
    assert_eq!(again, Err(OrderFault::DuplicateClOrdId(ID)));
    table
}

/// An order that the venue has, with a change to `qty` at `price` on its way.
fn amending(from: i64, qty: i64, price: i64) -> OrderTable {
    let mut table = table(from);
    book(&mut table, ExecType::New);
    assert_eq!(table.amend(change(qty, price)), Ok(S::PendingReplace));
    table
}

fn change(qty: i64, price: i64) -> Amendment {
    Amendment { cl_ord_id: ID, qty: Qty::new(qty).unwrap(), price: Px::new(price).unwrap() }
}

fn report(exec_type: ExecType) -> ExecutionReport {
    let text = String::new();
    ExecutionReport {
        cl_ord_id: ID,
        order_id: Some(OrderId("V1".into())),
        exec_type,
        cum_qty: None,
        transact_time: WallNs(0),
        text,
    }
}

fn book(table: &mut OrderTable, exec_type: ExecType) {
    let (before, report) = (table.clone(), report(exec_type));
    let booked = table.book(&report);
    assert!(booked.is_ok(), "{report:?}: {booked:?} of {before:?}");
}

/// Books what cannot be true: nothing changes by it.
#[track_caller]
fn refuse(table: &mut OrderTable, exec_type: ExecType, code: &str) {
    let before = table.clone();
    assert_eq!(table.book(&report(exec_type)).unwrap_err().code(), code);
    assert_eq!(*table, before);
}

fn trade(id: &str, qty: i64) -> ExecType {
    ExecType::Trade {
        exec_id: ExecId(id.into()),
        last_px: Px::new(100).unwrap(),
        last_qty: Qty::new(qty).unwrap(),
        fee: Money::ZERO,
        maker: true,
    }
}

fn replaced(qty: i64, price: i64) -> ExecType {
    let Amendment { qty, price, .. } = change(qty, price);
    ExecType::Replaced { qty, price }
}

/// Status, filled, left by the terms in force, and what limits count: quantity and price.
#[track_caller]
fn stands(table: &OrderTable, status: OrdStatus, filled: (i64, i64), claim: (i64, i64)) {
    let order = table.get(ID).unwrap();
    let units = |qty: Qty| qty.units();
    assert_eq!(order.status, status);
    assert_eq!((units(order.cum_qty), units(order.leaves_qty())), filled);
    assert_eq!((units(order.claim_qty()), order.claim_px().units()), claim);
    assert_eq!(table.open().count(), usize::from(status.is_open()));
}

#[test]
fn f7_partial_fills_of_any_number_add_up() {
    let mut table = table(10);
    for (exec, qty, expect) in
        [("a", 4, S::PartiallyFilled), ("b", 3, S::PartiallyFilled), ("c", 3, S::Filled)]
    {
        let change = table.book(&report(trade(exec, qty))).unwrap();
        assert!(matches!(change, OrderChange::Filled { status, .. } if status == expect));
    }
    stands(&table, S::Filled, (10, 0), (0, 100));
}

/// The same execution again counts once; the same id with any other field is a fault.
#[test]
fn f7_an_execution_counts_once_and_another_content_is_a_fault() {
    let mut table = table(10);
    let other = ClOrdId { epoch: 1, sequence: 2 };
    table.insert(order(other, Side::Buy, 10)).unwrap();
    book(&mut table, trade("a", 4));
    assert_eq!(table.book(&report(trade("a", 4))), Ok(OrderChange::Duplicate));
    let ExecType::Trade { exec_id, last_px, last_qty, fee, maker } = trade("a", 4) else {
        panic!()
    };
    let conflicts = [
        ExecType::Trade { exec_id: exec_id.clone(), last_px, last_qty, fee: Money(1), maker },
        ExecType::Trade { exec_id: exec_id.clone(), last_px, last_qty, fee, maker: !maker },
        ExecType::Trade { exec_id, last_px: Px::new(99).unwrap(), last_qty, fee, maker },
        trade("a", 5),
    ];
    for conflict in conflicts {
        refuse(&mut table, conflict, "FAULT_CONFLICTING_EXECUTION");
    }
    let elsewhere = ExecutionReport { cl_ord_id: other, ..report(trade("a", 4)) };
    assert_eq!(table.book(&elsewhere), Err(OrderFault::ConflictingExecution(other)));
    refuse(&mut table, trade("b", 7), "FAULT_OVERFILL");
    refuse(&mut table, trade("b", 0), "FAULT_OVERFILL");
    assert_eq!(table.get(ID).unwrap().cum_qty.units(), 4);
    // What was said first is what is kept.
    let first = report(trade("a", 4));
    let (id, kept) = Execution::of(&first).unwrap();
    assert!(table.executions().eq([(id, &kept)]));
    assert_eq!(table.execution(id), Some(&kept));
    assert!(table.has_execution(id) && !table.has_execution(&ExecId("b".into())));
}

#[test]
fn f7_a_fill_that_crosses_an_end_is_booked_and_the_end_stays() {
    for (end, status) in [(ExecType::Canceled, S::Canceled), (ExecType::Expired, S::Expired)] {
        let mut table = table(10);
        book(&mut table, ExecType::New);
        table.advance(ID, OrderEvent::CancelRequested).unwrap();
        book(&mut table, end);
        book(&mut table, trade("late", 4));
        stands(&table, status, (4, 0), (0, 100));
        book(&mut table, trade("later", 6));
        stands(&table, S::Filled, (10, 0), (0, 100));
    }
    // What was refused or never left cannot fill.
    for event in [OrderEvent::Rejected, OrderEvent::NotSent] {
        let mut table = table(10);
        table.advance(ID, event).unwrap();
        refuse(&mut table, trade("x", 4), "FAULT_ORDER_TRANSITION");
    }
}

#[test]
fn f7_a_lost_order_is_unknown_until_the_venue_speaks() {
    let mut table = table(10);
    assert_eq!(table.advance(ID, OrderEvent::Lost), Ok(S::Unknown));
    stands(&table, S::Unknown, (0, 10), (10, 100));
    book(&mut table, trade("a", 4));
    stands(&table, S::Unknown, (4, 6), (6, 100));
    // Being found tells that it is there, and not that nothing of it is filled.
    book(&mut table, ExecType::New);
    stands(&table, S::PartiallyFilled, (4, 6), (6, 100));
}

/// A venue may revoke what it had taken. What is filled cannot have been refused.
#[test]
fn a_venue_may_revoke_an_order_that_is_not_filled() {
    let mut table = table(10);
    book(&mut table, ExecType::New);
    book(&mut table, ExecType::Rejected);
    stands(&table, S::Rejected, (0, 0), (0, 100));
    for ask in [OrderEvent::CancelRequested, OrderEvent::ReplaceRequested] {
        let mut table = self::table(10);
        book(&mut table, trade("a", 4));
        table.advance(ID, ask).unwrap();
        refuse(&mut table, ExecType::Rejected, "FAULT_ORDER_TRANSITION");
    }
}

/// Seed 2 of the simulator: two answers to one wish, and the first says nothing about life.
#[test]
fn f7_a_refused_cancel_leaves_the_order_unknown_however_often_it_is_told() {
    let check = |before: &[ExecType], amends: bool, listed: OrdStatus| {
        let mut table = table(10);
        book(&mut table, ExecType::New);
        for exec_type in before {
            book(&mut table, exec_type.clone());
        }
        if amends {
            table.amend(change(20, 101)).unwrap();
        }
        table.advance(ID, OrderEvent::CancelRequested).unwrap();
        for _ in 0..2 {
            book(&mut table, ExecType::CancelRejected);
            assert_eq!(table.get(ID).unwrap().status, S::Unknown);
        }
        // Listed by the venue, and then the second answer once more: it changes nothing.
        book(&mut table, ExecType::New);
        book(&mut table, ExecType::CancelRejected);
        assert_eq!(table.get(ID).unwrap().status, listed);
    };
    check(&[], false, S::New);
    check(&[trade("a", 4)], false, S::PartiallyFilled);
    check(&[], true, S::PendingReplace);
    check(&[trade("a", 4)], true, S::PendingReplace);
}

/// Seed 179 of the simulator: a cancel that is heard before its fills frees nothing.
#[test]
fn f7_an_end_that_overtakes_its_fills_does_not_free_what_they_took() {
    let mut table = table(10);
    let canceled = ExecutionReport { cum_qty: Qty::new(4), ..report(ExecType::Canceled) };
    table.book(&canceled).unwrap();
    stands(&table, S::Unknown, (0, 10), (10, 100));
    book(&mut table, trade("late", 4));
    table.book(&canceled).unwrap();
    stands(&table, S::Canceled, (4, 0), (0, 100));
}

/// Until the venue has answered, limits count the worse of both terms, each by itself.
#[test]
fn a_change_under_way_claims_the_worst_of_both_terms() {
    for (side, qty, price, claim) in [
        (Side::Buy, 20, 90, (20, 100)),
        (Side::Buy, 5, 110, (10, 110)),
        (Side::Sell, 20, 90, (20, 90)),
        (Side::Sell, 5, 110, (10, 100)),
    ] {
        let mut table = OrderTable::new();
        table.insert(order(ID, side, 10)).unwrap();
        table.amend(change(qty, price)).unwrap();
        stands(&table, S::PendingReplace, (0, 10), claim);
    }
    let mut table = amending(10, 20, 110);
    book(&mut table, replaced(20, 110));
    stands(&table, S::New, (0, 20), (20, 110));
    let mut table = amending(10, 20, 110);
    book(&mut table, ExecType::ReplaceRejected);
    stands(&table, S::New, (0, 10), (10, 100));
}

#[test]
fn a_change_keeps_its_claim_through_a_cancel_and_a_lost_line() {
    let mut table = amending(10, 20, 110);
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    stands(&table, S::PendingCancel, (0, 10), (20, 110));
    table.advance(ID, OrderEvent::Lost).unwrap();
    stands(&table, S::Unknown, (0, 10), (20, 110));
    // It is found, and nobody knows yet under which terms.
    book(&mut table, ExecType::New);
    stands(&table, S::PendingReplace, (0, 10), (20, 110));
    assert!(!table.get(ID).unwrap().is_amendable());
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    book(&mut table, replaced(20, 110));
    stands(&table, S::PendingCancel, (0, 20), (20, 110));
    book(&mut table, ExecType::Canceled);
    stands(&table, S::Canceled, (0, 0), (0, 110));
}

#[test]
fn fills_while_a_change_is_under_way_count_against_both_terms() {
    // Up: all of the old quantity is filled, and the new one may still fill.
    let mut table = amending(10, 20, 100);
    book(&mut table, trade("a", 10));
    stands(&table, S::PendingReplace, (10, 0), (10, 100));
    book(&mut table.clone(), replaced(20, 100));
    book(&mut table, ExecType::ReplaceRejected);
    stands(&table, S::Filled, (10, 0), (0, 100));
    // Down: the new quantity is filled, and what is left of the old one may still fill.
    let mut table = amending(20, 10, 100);
    book(&mut table, trade("a", 10));
    stands(&table, S::PendingReplace, (10, 10), (10, 100));
    let mut refused = table.clone();
    book(&mut refused, ExecType::ReplaceRejected);
    stands(&refused, S::PartiallyFilled, (10, 10), (10, 100));
    book(&mut table, replaced(10, 100));
    stands(&table, S::Filled, (10, 0), (0, 100));
    refuse(&mut table, trade("b", 1), "FAULT_OVERFILL");
}

/// A fill beyond the old quantity says that the change came first; its report is an echo.
#[test]
fn a_fill_beyond_the_old_terms_proves_the_new_ones() {
    let mut table = amending(10, 20, 110);
    book(&mut table, trade("a", 15));
    stands(&table, S::PartiallyFilled, (15, 5), (5, 110));
    book(&mut table, replaced(20, 110));
    stands(&table, S::PartiallyFilled, (15, 5), (5, 110));
    book(&mut table, trade("b", 5));
    stands(&table, S::Filled, (20, 0), (0, 110));
    book(&mut table, replaced(20, 110));
    // It says nothing against a cancel that is under way, nor against the end.
    let mut table = amending(10, 20, 110);
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    book(&mut table, trade("a", 15));
    stands(&table, S::PendingCancel, (15, 5), (5, 110));
    let mut table = amending(10, 20, 110);
    book(&mut table, trade("a", 20));
    stands(&table, S::Filled, (20, 0), (0, 110));
    // More than the larger of both is more than anybody asked for.
    let mut table = amending(10, 20, 110);
    refuse(&mut table, trade("a", 21), "FAULT_OVERFILL");
    let mut table = amending(20, 10, 110);
    refuse(&mut table, trade("a", 21), "FAULT_OVERFILL");
    book(&mut table, trade("a", 20));
    stands(&table, S::Filled, (20, 0), (0, 110));
    book(&mut table, ExecType::ReplaceRejected);
    stands(&table, S::Filled, (20, 0), (0, 100));
}

/// A change to less than what is filled meanwhile: the venue's answer decides.
#[test]
fn a_change_below_what_is_filled_is_the_venues_to_decide() {
    let decided = |answer: ExecType, status: OrdStatus, filled: (i64, i64)| {
        let mut table = amending(20, 10, 100);
        book(&mut table, trade("a", 15));
        book(&mut table, answer);
        let left = filled.1;
        stands(&table, status, filled, (left, 100));
    };
    decided(replaced(10, 100), S::Filled, (15, 0));
    decided(ExecType::Canceled, S::Canceled, (15, 0));
    decided(ExecType::ReplaceRejected, S::PartiallyFilled, (15, 5));
}

#[test]
fn terms_that_nobody_asked_for_are_a_fault() {
    let mut table = amending(10, 20, 110);
    for (qty, price) in [(20, 100), (19, 110), (10, 110)] {
        refuse(&mut table, replaced(qty, price), "FAULT_UNASKED_TERMS");
    }
    // The present terms are an echo of an earlier change; the present one goes on.
    book(&mut table, replaced(10, 100));
    stands(&table, S::PendingReplace, (0, 10), (20, 110));
    let mut fresh = self::table(10);
    refuse(&mut fresh, replaced(10, 100), "FAULT_ORDER_TRANSITION");
    refuse(&mut fresh, replaced(20, 100), "FAULT_UNASKED_TERMS");
    refuse(&mut fresh, ExecType::ReplaceRejected, "FAULT_ORDER_TRANSITION");
}

#[test]
fn one_change_at_a_time_of_an_order_that_rests() {
    let amendable = |table: &OrderTable| table.get(ID).unwrap().is_amendable();
    let mut table = self::table(10);
    assert!(amendable(&table));
    table.amend(change(20, 110)).unwrap();
    assert!(!amendable(&table));
    let again = table.amend(change(30, 110)).unwrap_err();
    assert_eq!(again.code(), "FAULT_ORDER_TRANSITION");
    // An answer to the order itself does not answer the change.
    book(&mut table, ExecType::New);
    assert!(!amendable(&table));
    book(&mut table, replaced(20, 110));
    assert!(amendable(&table));
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    assert!(!amendable(&table));
    let mut market = order(ID, Side::Buy, 10);
    (market.intent.ord_type, market.intent.price) = (OrdType::Market, None);
    assert!(!market.is_amendable());
}

/// The open ones are those whose state is open, whatever happened in between.
#[test]
fn the_index_of_open_orders_follows_every_change() {
    let mut table = OrderTable::new();
    for sequence in 1..=6 {
        let id = ClOrdId { epoch: 1, sequence };
        table.insert(order(id, Side::Buy, 10)).unwrap();
    }
    let id = |sequence| ClOrdId { epoch: 1, sequence };
    let about =
        |sequence, exec_type| ExecutionReport { cl_ord_id: id(sequence), ..report(exec_type) };
    table.book(&about(1, trade("a", 10))).unwrap();
    table.book(&about(2, ExecType::Canceled)).unwrap();
    table.advance(id(3), OrderEvent::NotSent).unwrap();
    table.advance(id(4), OrderEvent::Lost).unwrap();
    table.amend(Amendment { cl_ord_id: id(5), ..change(5, 100) }).unwrap();
    table.book(&about(5, trade("b", 5))).unwrap();
    table.book(&about(5, replaced(5, 100))).unwrap();
    let open: Vec<u32> = table.open().map(|order| order.cl_ord_id.sequence).collect();
    assert_eq!(open, [4, 6]);
    let walked: Vec<&Order> = table.iter().filter(|order| order.status.is_open()).collect();
    assert_eq!(table.open().collect::<Vec<_>>(), walked);
}
