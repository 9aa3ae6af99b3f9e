//! A large account: a comparison reckons with maps, and never with every pair.

use portcullis_core::entry::Place;
use portcullis_core::{AccountSnapshot, Class, Entry, Outcome, VenueOrder};
use portcullis_domain::{
    ClOrdId, InstrumentId, OrdType, Order, OrderId, OrderIntent, Origin, Phase, PluginId, Side,
    TimeInForce,
};

use crate::people::{money, px, qty};
use crate::world::{SECOND_NS, World, resting};

const ORDERS: u32 = 10_000;

fn order(sequence: u32) -> Order {
    let intent = OrderIntent {
        origin: Origin::Plugin(PluginId(0)),
        reference: u64::from(sequence),
        instrument: InstrumentId(0),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: qty(100),
        price: Some(px(10_000)),
        reduce_only: false,
        bracket: None,
    };
    Order::new(ClOrdId { epoch: 9, sequence }, intent, px(10_000))
}

/// A house whose journal holds that many orders of earlier sessions.
fn crowded() -> World {
    let mut world = World::open(Phase::Paper);
    world.close();
    for sequence in 1..=ORDERS {
        let (order, symbol) = (Box::new(order(sequence)), "BTC-USDT".to_owned());
        let outcome = Outcome::Ordered { order, symbol, shadow: false, epoch: 0, value: None };
        let place: Place = world.core.place();
        let entry = Entry::new(Class::Outcome, &place, outcome.content());
        world.core.fold(&entry.bytes).unwrap();
    }
    world
}

fn reading(world: &World, orders: Vec<VenueOrder>) -> AccountSnapshot {
    let amount = |currency: &str, amount| (currency.to_owned(), money(amount));
    AccountSnapshot {
        asked_at: Some(world.now),
        open_orders: orders,
        balances: [amount("USDT", "1000"), amount("BTC", "5")].into(),
        ..AccountSnapshot::default()
    }
}

fn listed(price: i64) -> Vec<VenueOrder> {
    let line = |sequence| VenueOrder {
        side: Some(Side::Buy),
        price: Some(px(price)),
        qty: Some(qty(100)),
        cum_qty: Some(qty(0)),
        order_id: OrderId(format!("OABCDE-FGHIJ-{sequence:06}")),
        ..resting(ClOrdId { epoch: 9, sequence }, 100)
    };
    (1..=ORDERS).map(line).collect()
}

/// Ten thousand open orders that agree, that differ, and that are gone.
#[test]
fn ten_thousand_open_orders_are_reconciled() {
    let mut world = crowded();
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
