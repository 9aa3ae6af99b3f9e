//! Behaves for `after` events, then orders something and traps: the order must not get out.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export};

/// The strategy.
pub struct Trap {
    left: i64,
}

export!(Trap);

impl Strategy for Trap {
    fn describe() -> Declaration {
        Declaration::new("Traps.").quotes().integer("after", 0..=1_000_000, 0, "events")
    }

    fn init(session: &Session) -> Result<Self, String> {
        Ok(Self { left: session.integer("after")? })
    }

    fn on_event(&mut self, _event: Event, orders: &mut Orders) {
        orders.buy_market(0, 1);
        self.left -= 1;
        assert!(self.left >= 0, "as intended");
    }
}
