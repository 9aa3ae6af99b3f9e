//! Returns `count` intents for one event.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export};

/// The strategy.
pub struct IntentFlood {
    count: i64,
}

export!(IntentFlood);

impl Strategy for IntentFlood {
    fn describe() -> Declaration {
        let count = "intents for each event";
        Declaration::new("Returns far too much.").quotes().integer(
            "count",
            0..=10_000_000,
            1_000_000,
            count,
        )
    }

    fn init(session: &Session) -> Result<Self, String> {
        Ok(Self { count: session.integer("count")? })
    }

    fn on_event(&mut self, _event: Event, orders: &mut Orders) {
        for _ in 0..self.count {
            orders.buy_market(0, 1);
        }
    }
}
