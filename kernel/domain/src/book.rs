//! A level-two order book.

use std::collections::BTreeMap;

use crate::intent::Side;
use crate::market::Level;
use crate::money::{Px, Qty};

/// Resting quantity by price, both sides. Empty until its first snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    bids: BTreeMap<Px, Qty>,
    asks: BTreeMap<Px, Qty>,
    valid: bool,
}

impl Book {
    /// An empty book that is not valid yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a snapshot has been applied and no gap since.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.valid
    }

    /// Replaces everything by `levels` and makes the book valid.
    pub fn reset(&mut self, levels: &[Level]) {
        self.bids.clear();
        self.asks.clear();
        self.apply(levels);
        self.valid = true;
    }

    /// Applies changed levels in order; quantity zero removes.
    pub fn apply(&mut self, levels: &[Level]) {
        for level in levels {
            let side = match level.side {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            };
            if level.qty.is_zero() {
                side.remove(&level.px);
            } else {
                side.insert(level.px, level.qty);
            }
        }
    }

    /// Forgets what lies deeper than `depth` levels, as venues do without saying so.
    pub fn truncate(&mut self, depth: usize) {
        while self.bids.len() > depth {
            self.bids.pop_first();
        }
        while self.asks.len() > depth {
            self.asks.pop_last();
        }
    }

    /// Marks the book as not to be believed until the next snapshot.
    pub fn invalidate(&mut self) {
        self.valid = false;
    }

    /// Best price and quantity of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Px, Qty)> {
        let entry = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        entry.map(|(px, qty)| (*px, *qty))
    }

    /// Levels of a side from the best outwards.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Px, Qty)> + '_ {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        let bids = bids.into_iter().flatten();
        let asks = asks.into_iter().flatten();
        bids.chain(asks).map(|(px, qty)| (*px, *qty))
    }

    /// Whether the best bid is at or above the best offer: such a book prices nothing.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some((bid, _)), Some((ask, _))) => bid >= ask,
            (None, _) | (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(side: Side, px: i64, qty: i64) -> Level {
        Level { side, px: Px::new(px).unwrap(), qty: Qty::new(qty).unwrap() }
    }

    #[test]
    fn levels_replace_remove_and_truncate() {
        let mut book = Book::new();
        assert!(!book.is_valid());
        book.reset(&[
            level(Side::Buy, 9, 1),
            level(Side::Buy, 8, 2),
            level(Side::Sell, 11, 3),
            level(Side::Sell, 12, 4),
        ]);
        book.apply(&[level(Side::Buy, 9, 0), level(Side::Sell, 11, 5)]);
        let best = |book: &Book, side| book.best(side).map(|(px, qty)| (px.units(), qty.units()));
        assert_eq!(best(&book, Side::Buy), Some((8, 2)));
        assert_eq!(best(&book, Side::Sell), Some((11, 5)));
        book.truncate(1);
        assert_eq!(book.levels(Side::Sell).count(), 1);
        assert!(!book.is_crossed());
        book.apply(&[level(Side::Buy, 11, 1)]);
        assert!(book.is_crossed());
        book.invalidate();
        assert!(!book.is_valid());
    }
}
