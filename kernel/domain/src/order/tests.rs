//! The table, event by event.

use super::*;
use crate::ids::{InstrumentId, PluginId};
use crate::intent::{OrdType, Origin, Side, TimeInForce};
use crate::time::WallNs;

const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 1 };

fn table(qty: i64) -> OrderTable {
    let intent = OrderIntent {
        origin: Origin::Plugin(PluginId(0)),
        reference: 1,
        instrument: InstrumentId(0),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: Qty::new(qty).unwrap(),
        price: Px::new(100),
        reduce_only: false,
        bracket: None,
    };
    let mut table = OrderTable::new();
    let order = Order {
        cl_ord_id: ID,
        order_id: None,
        intent,
        reserve_px: Px::new(100).unwrap(),
        status: OrdStatus::PendingNew,
        cum_qty: Qty::ZERO,
    };
    table.insert(order.clone()).unwrap();
    assert_eq!(table.insert(order), Err(OrderFault::DuplicateClOrdId(ID)));
    table
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

fn trade(id: &str, qty: i64) -> ExecutionReport {
    report(ExecType::Trade {
        exec_id: ExecId(id.into()),
        last_px: Px::new(100).unwrap(),
        last_qty: Qty::new(qty).unwrap(),
        fee: Money::ZERO,
        maker: true,
    })
}

#[test]
fn partial_fills_of_any_number_add_up() {
    let mut table = table(10);
    for (exec, qty, expect) in [
        ("a", 4, OrdStatus::PartiallyFilled),
        ("b", 3, OrdStatus::PartiallyFilled),
        ("c", 3, OrdStatus::Filled),
    ] {
        let change = table.book(&trade(exec, qty)).unwrap();
        assert!(matches!(change, OrderChange::Filled { status, .. } if status == expect));
    }
    assert_eq!(table.get(ID).unwrap().leaves_qty(), Qty::ZERO);
}

#[test]
fn the_same_execution_counts_once_and_another_content_is_a_fault() {
    let mut table = table(10);
    table.book(&trade("a", 4)).unwrap();
    assert_eq!(table.book(&trade("a", 4)), Ok(OrderChange::Duplicate));
    assert_eq!(table.book(&trade("a", 5)), Err(OrderFault::ConflictingExecution(ID)));
    assert_eq!(table.book(&trade("b", 7)), Err(OrderFault::Overfill(ID)));
    assert_eq!(table.get(ID).unwrap().cum_qty, Qty::new(4).unwrap());
}

#[test]
fn a_fill_that_crosses_our_cancel_is_booked() {
    let mut table = table(10);
    table.book(&report(ExecType::New)).unwrap();
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    table.book(&report(ExecType::Canceled)).unwrap();
    table.book(&trade("late", 4)).unwrap();
    let order = table.get(ID).unwrap();
    assert_eq!((order.status, order.cum_qty.units()), (OrdStatus::Canceled, 4));
}

#[test]
fn a_lost_order_is_unknown_until_the_venue_speaks() {
    let mut table = table(10);
    assert_eq!(table.advance(ID, OrderEvent::Lost), Ok(OrdStatus::Unknown));
    assert!(table.get(ID).unwrap().status.is_open());
    assert_eq!(table.book(&report(ExecType::New)), Ok(OrderChange::Status(OrdStatus::New)));
}

/// Seed 2 of the simulator: two answers to one wish, and the first says nothing about life.
#[test]
fn a_refused_cancel_leaves_the_order_unknown_however_often_it_is_told() {
    let mut table = table(10);
    table.book(&report(ExecType::New)).unwrap();
    table.advance(ID, OrderEvent::CancelRequested).unwrap();
    for _ in 0..2 {
        let change = table.book(&report(ExecType::CancelRejected)).unwrap();
        assert_eq!(change, OrderChange::Status(OrdStatus::Unknown));
    }
    // Listed by the venue, and then the second answer once more: it changes nothing.
    table.advance(ID, OrderEvent::New).unwrap();
    let change = table.book(&report(ExecType::CancelRejected)).unwrap();
    assert_eq!(change, OrderChange::Status(OrdStatus::New));
}

/// Seed 179 of the simulator: a cancel that is heard before its fills frees nothing.
#[test]
fn an_end_that_overtakes_its_fills_does_not_free_what_they_took() {
    let mut table = table(10);
    let canceled = ExecutionReport { cum_qty: Qty::new(4), ..report(ExecType::Canceled) };
    let change = table.book(&canceled).unwrap();
    assert_eq!(change, OrderChange::Status(OrdStatus::Unknown));
    assert_eq!(table.get(ID).unwrap().leaves_qty(), Qty::new(10).unwrap());
    table.book(&trade("late", 4)).unwrap();
    assert_eq!(table.book(&canceled), Ok(OrderChange::Status(OrdStatus::Canceled)));
    assert_eq!(table.get(ID).unwrap().leaves_qty(), Qty::ZERO);
}

#[test]
fn a_final_state_is_left_by_nothing_but_a_late_fill() {
    let events = [
        OrderEvent::New,
        OrderEvent::Canceled,
        OrderEvent::Rejected,
        OrderEvent::Expired,
        OrderEvent::CancelRequested,
        OrderEvent::CancelRejected,
        OrderEvent::NotSent,
        OrderEvent::Lost,
    ];
    for from in OrdStatus::ALL.into_iter().filter(|status| !status.is_open()) {
        for event in events {
            assert!(from.after(event).is_ok_and(|to| to == from) || from.after(event).is_err());
        }
    }
}
