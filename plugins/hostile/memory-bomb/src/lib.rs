//! Takes a megabyte with each event and gives none back.

use portcullis_strategy_sdk::{Declaration, Event, Orders, Session, Strategy, export};

/// The strategy.
pub struct MemoryBomb {
    taken: Vec<Vec<u8>>,
}

export!(MemoryBomb);

impl Strategy for MemoryBomb {
    fn describe() -> Declaration {
        Declaration::new("Wants all memory.").quotes()
    }

    fn init(_session: &Session) -> Result<Self, String> {
        Ok(Self { taken: Vec::new() })
    }

    fn on_event(&mut self, _event: Event, _orders: &mut Orders) {
        self.taken.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}
