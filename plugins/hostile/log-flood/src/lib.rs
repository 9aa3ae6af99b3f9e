//! Logs `lines` lines of `length` bytes for one event.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export, log};

/// The strategy.
pub struct LogFlood {
    lines: i64,
    line: String,
}

export!(LogFlood);

impl Strategy for LogFlood {
    fn describe() -> Declaration {
        Declaration::new("Logs without end.")
            .quotes()
            .integer("lines", 0..=10_000_000, 1_000_000, "lines for each event")
            .integer("length", 0..=1_000_000, 100, "bytes of a line")
    }

    fn init(session: &Session) -> Result<Self, String> {
        let length = usize::try_from(session.integer("length")?).unwrap_or(0);
        Ok(Self { lines: session.integer("lines")?, line: "x".repeat(length) })
    }

    fn on_event(&mut self, _event: Event, _orders: &mut Orders) {
        for _ in 0..self.lines {
            log(&self.line);
        }
    }
}
