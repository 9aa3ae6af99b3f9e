//! A2: the acknowledgement of `GATE_CLOSED` happens after the last write.

use crate::explore::{finds, holds};
use crate::house::{House, Order, WRITE_AFTER_ACK, demand};
use loom::sync::Arc;
use loom::thread;

/// One thread kills while another one writes two orders that were approved before.
fn race(release: fn(&House, &Order)) {
    let house = Arc::new(House::new());
    let writer = {
        let house = Arc::clone(&house);
        thread::spawn(move || {
            release(&house, &Order::first());
            release(&house, &Order::first());
        })
    };
    house.kill();
    let at_ack = house.writes();
    writer.join().unwrap();
    demand(house.writes() == at_ack, WRITE_AFTER_ACK);
}

#[test]
fn a2_no_write_begins_or_ends_after_the_gate_is_reported_closed() {
    holds("the acknowledgement happens after the last write", || race(House::release));
}

/// What the outbox does with an order of closing rights, which the latch does not hold.
fn exit(house: &House, order: &Order) {
    let Some(held) = house.authority.admit_exit(order.epoch) else { return };
    house.write(order);
    drop(held);
}

#[test]
fn a2_an_order_of_closing_rights_approved_before_a_kill_ends_before_its_acknowledgement_too() {
    holds("the acknowledgement happens after the last exit", || race(exit));
}

/// Two people kill at once: each acknowledgement is true.
#[test]
fn a2_two_kills_at_once_are_both_acknowledged_after_the_last_write() {
    holds("two acknowledgements happen after the last write", || {
        let house = Arc::new(House::new());
        let also = Arc::clone(&house);
        let second = thread::spawn(move || {
            also.authority.close_gate();
            demand(also.writes().is_multiple_of(2), WRITE_AFTER_ACK);
        });
        let also = Arc::clone(&house);
        let writer = thread::spawn(move || also.release(&Order::first()));
        house.kill();
        second.join().unwrap();
        writer.join().unwrap();
    });
}

/// A writer that checks under the lock and writes without it.
fn let_go_too_early(house: &House, order: &Order) {
    if house.authority.admit(order.epoch).is_some() {
        house.write(order);
    }
}

#[test]
fn a2_a_writer_that_lets_go_before_its_write_is_found() {
    finds(WRITE_AFTER_ACK, || race(let_go_too_early));
}

/// A writer that looks at the latch and takes no lock at all.
fn look_only(house: &House, order: &Order) {
    if !house.authority.is_killed() {
        house.write(order);
    }
}

#[test]
fn a2_a_writer_without_the_lock_is_found() {
    finds(WRITE_AFTER_ACK, || race(look_only));
}
