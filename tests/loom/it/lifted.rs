//! A lift after a kill never revives an order that was approved before.

use crate::explore::{finds, holds};
use crate::house::{House, Order, WRITE_AFTER_ACK};
use loom::sync::Arc;
use loom::thread;

/// A kill falls and is lifted while an order of the time before waits for the writer.
fn race(release: fn(&House, &Order)) {
    let house = Arc::new(House::new());
    let killer = {
        let house = Arc::clone(&house);
        thread::spawn(move || house.kill())
    };
    let core = {
        let house = Arc::clone(&house);
        thread::spawn(move || {
            // The core lifts only what it was told of.
            let told = house.told();
            if !told.is_empty() {
                house.authority.lift();
            }
            told.len()
        })
    };
    release(&house, &Order::first());
    killer.join().unwrap();
    let lifted = core.join().unwrap() > 0;
    // After the lift, what is approved under the new number passes, and nothing older.
    release(&house, &Order::first());
    assert_eq!(house.authority.admit(1).is_some(), lifted);
}

#[test]
fn a2_a_lift_never_revives_an_order_of_the_time_before_the_kill() {
    holds("a lift revives nothing", || race(House::release));
}

/// A writer that compares no number.
fn latch_only(house: &House, order: &Order) {
    // Whatever the number is by now, it is the order's.
    let Some(held) = (0..3).find_map(|number| house.authority.admit(number)) else { return };
    house.write(order);
    drop(held);
}

#[test]
fn a2_a_writer_that_compares_no_number_is_found() {
    finds(WRITE_AFTER_ACK, || race(latch_only));
}
