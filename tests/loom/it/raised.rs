//! A1, A2: a raise of the core that races another thread's never lets an order pass.

use crate::epoch::HeardEpochs;
use crate::explore::{finds, holds};
use crate::house::{CAUSE_NOT_CONSUMED, Cause, House, Order};
use loom::sync::Arc;
use loom::thread;
use std::collections::BTreeSet;

/// The core, as far as epochs concern it.
#[derive(Debug)]
struct Core {
    heard: HeardEpochs,
    consumed: BTreeSet<u64>,
    killed: bool,
    stamp: fn(&Core) -> u64,
}

impl Core {
    fn new(stamp: fn(&Core) -> u64) -> Self {
        Self { heard: HeardEpochs::default(), consumed: BTreeSet::new(), killed: false, stamp }
    }

    fn consume(&mut self, house: &House) {
        for (number, cause) in house.told() {
            self.heard.hear(number);
            self.consumed.insert(number);
            self.killed |= cause == Cause::Kill;
        }
    }

    /// The next order, unless the core knows of a kill.
    fn approve(&self) -> Option<Order> {
        let order = || Order { epoch: (self.stamp)(self), consumed: self.consumed.clone() };
        (!self.killed).then(order)
    }
}

/// What the kernel does.
fn without_a_gap(core: &Core) -> u64 {
    core.heard.stamp()
}

/// The fault: the highest number heard of, whatever is missing below it.
fn the_highest(core: &Core) -> u64 {
    core.consumed.last().copied().unwrap_or(0)
}

/// The core withdraws authority itself, then approves and has written what it may, while another
/// thread does what it does.
fn race(stamp: fn(&Core) -> u64, other: fn(&House)) {
    let house = Arc::new(House::new());
    let beside = {
        let house = Arc::clone(&house);
        thread::spawn(move || other(&house))
    };
    let mut core = Core::new(stamp);
    house.raise();
    core.consume(&house);
    if let Some(order) = core.approve() {
        house.release(&order);
    }
    beside.join().unwrap();
    // When all causes have been consumed, orders pass again, unless one of them was a kill.
    core.consume(&house);
    let passes = core.approve().is_some_and(|order| house.authority.admit(order.epoch).is_some());
    assert_eq!(passes, !core.killed, "authority that nobody withdrew is lost");
}

#[test]
fn a1_a_raise_of_the_core_that_races_a_kill_lets_nothing_pass() {
    holds("the core's raise races a kill", || race(without_a_gap, House::kill));
}

#[test]
fn a1_an_order_leaves_only_when_all_causes_up_to_its_number_are_consumed() {
    holds("the core's raise races another raise", || race(without_a_gap, House::raise));
}

#[test]
fn a1_a_core_that_stamps_the_highest_number_it_heard_of_is_found() {
    finds(CAUSE_NOT_CONSUMED, || race(the_highest, House::raise));
}

/// An earlier kill is being lifted by the core when the next one falls, and somebody else
/// withdraws authority as well.
fn race_with_a_lift(stamp: fn(&Core) -> u64) {
    let house = Arc::new(House::new());
    let mut core = Core::new(stamp);
    let earlier = house.authority.close_gate();
    core.heard.hear(earlier);
    core.consumed.insert(earlier);
    let beside = {
        let house = Arc::clone(&house);
        thread::spawn(move || house.kill())
    };
    house.authority.lift();
    house.raise();
    core.consume(&house);
    if let Some(order) = core.approve() {
        house.release(&order);
    }
    beside.join().unwrap();
}

#[test]
fn a2_a_kill_that_falls_while_an_earlier_one_is_lifted_lets_nothing_pass() {
    holds("a kill races the lift of an earlier one", || race_with_a_lift(without_a_gap));
}

#[test]
fn a2_the_highest_number_would_pass_a_kill_whose_latch_a_lift_took_away() {
    finds(CAUSE_NOT_CONSUMED, || race_with_a_lift(the_highest));
}
