//! A large account: a comparison reckons with maps, and never with every pair.

use crate::large::{large, listed, reading};
use crate::world::SECOND_NS;

/// Ten thousand open orders that agree, that differ, and that are gone.
#[test]
fn ten_thousand_open_orders_are_reconciled() {
    let mut world = large();
    for _ in 0..2 {
        world.pass(SECOND_NS);
        let snapshot = reading(&world, listed(10_000));
        world.read(snapshot);
        // An entry of the journal holds at most 1 MiB, whatever the venue's ids look like.
        let longest = world.past.last().unwrap().1.iter().map(|entry| entry.bytes.len()).max();
        assert!(longest.unwrap() < 1_000_000, "{longest:?}");
        assert_eq!(world.core.view().differences, Some(vec![]));
    }
    for _ in 0..2 {
        world.pass(10 * SECOND_NS);
        let snapshot = reading(&world, listed(10_010));
        world.read(snapshot);
    }
    assert_eq!(world.core.findings().iter().count(), 10_000);
    for _ in 0..2 {
        world.pass(10 * SECOND_NS);
        let snapshot = reading(&world, vec![]);
        world.read(snapshot);
    }
    // No session is open: what vanished is buried.
    assert_eq!(world.core.account().orders.open().count(), 0);
    assert_eq!(world.core.view().differences, Some(vec![]));
}
