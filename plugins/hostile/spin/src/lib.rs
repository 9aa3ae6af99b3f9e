//! Behaves for `after` events, then never returns: the fuel has to end it.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export};

/// The strategy.
pub struct Spin {
    left: i64,
}

export!(Spin);

impl Strategy for Spin {
    fn describe() -> Declaration {
        Declaration::new("Never returns.").quotes().integer("after", 0..=1_000_000, 0, "events")
    }

    fn init(session: &Session) -> Result<Self, String> {
        Ok(Self { left: session.integer("after")? })
    }

    fn on_event(&mut self, _event: Event, _orders: &mut Orders) {
        self.left -= 1;
        while self.left < 0 {
            self.left = std::hint::black_box(self.left);
        }
    }
}
