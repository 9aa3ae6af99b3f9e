//! A house whose account holds ten thousand open orders, and what a venue lists of them. The bench
//! uses it too.

use portcullis_core::entry::Place;
use portcullis_core::{AccountSnapshot, Class, Entry, Outcome, VenueOrder};
use portcullis_domain::{
    ClOrdId, InstrumentId, OrdType, Order, OrderId, OrderIntent, Origin, Phase, PluginId, Side,
    TimeInForce,
};

use crate::people::{money, px, qty};
use crate::world::{World, resting};

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
pub(crate) fn large() -> World {
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

/// What the venue states, with these orders open.
pub(crate) fn reading(world: &World, orders: Vec<VenueOrder>) -> AccountSnapshot {
    let amount = |currency: &str, amount| (currency.to_owned(), money(amount));
    AccountSnapshot {
        asked_at: Some(world.now),
        open_orders: orders,
        balances: [amount("USDT", "1000"), amount("BTC", "5")].into(),
        ..AccountSnapshot::default()
    }
}

/// All of the orders as the venue lists them, at that price; in the house they stand at 10 000.
pub(crate) fn listed(price: i64) -> Vec<VenueOrder> {
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
