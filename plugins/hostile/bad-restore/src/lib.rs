//! Declares a small snapshot and returns a large one; traps when it is given one back.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export};

/// The strategy.
pub struct BadRestore;

export!(BadRestore);

impl Strategy for BadRestore {
    fn describe() -> Declaration {
        Declaration::new("Lies about its state.").quotes().snapshot_bytes_max(16)
    }

    fn init(_session: &Session) -> Result<Self, String> {
        Ok(Self)
    }

    fn on_event(&mut self, _event: Event, _orders: &mut Orders) {}

    fn snapshot(&self) -> Vec<u8> {
        vec![7; 17]
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        assert!(state.len() > 16, "as intended");
        Ok(())
    }
}
