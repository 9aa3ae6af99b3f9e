//! The prices at which our own orders of one side stand.

use portcullis_domain::Px;

/// Working orders of one side of one instrument, counted by price.
///
/// A sorted list and not a map: its memory is there from the beginning, so that an order costs no
/// allocation before more than [`PRICES`] stand on one side of one instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ladder {
    /// Ascending, none empty.
    levels: Vec<(Px, u32)>,
    /// Orders without a price. They cross whatever stands on the other side.
    unpriced: u32,
}

/// Different prices for which there is room without any allocation.
const PRICES: usize = 1_000;

impl Ladder {
    /// Where no order stands.
    pub(super) fn empty() -> Self {
        Self { levels: Vec::with_capacity(PRICES), unpriced: 0 }
    }

    /// Adds an order. `None` on overflow.
    pub(super) fn insert(&mut self, price: Option<Px>) -> Option<()> {
        let count = match price {
            None => &mut self.unpriced,
            Some(price) => {
                let at = self.place(price);
                match self.levels.get_mut(at) {
                    Some(level) if level.0 == price => &mut level.1,
                    Some(_) | None => {
                        self.levels.insert(at, (price, 1));
                        return Some(());
                    }
                }
            }
        };
        *count = count.checked_add(1)?;
        Some(())
    }

    /// Takes an order away. `None` if none stands there.
    pub(super) fn remove(&mut self, price: Option<Px>) -> Option<()> {
        let Some(price) = price else {
            self.unpriced = self.unpriced.checked_sub(1)?;
            return Some(());
        };
        let at = self.place(price);
        let level = self.levels.get_mut(at).filter(|level| level.0 == price)?;
        // None is empty, so there is one to take.
        level.1 = level.1.saturating_sub(1);
        if level.1 == 0 {
            self.levels.remove(at);
        }
        Some(())
    }

    /// Where the level of that price stands, or would.
    fn place(&self, price: Px) -> usize {
        self.levels.partition_point(|level| level.0 < price)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.unpriced == 0
    }

    pub(super) const fn any_unpriced(&self) -> bool {
        self.unpriced > 0
    }

    pub(super) fn lowest(&self) -> Option<Px> {
        self.levels.first().map(|level| level.0)
    }

    pub(super) fn highest(&self) -> Option<Px> {
        self.levels.last().map(|level| level.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_counted_by_price_and_none_is_taken_away_twice() {
        let [low, high] = [100, 101].map(|units| Px::new(units).unwrap());
        let mut ladder = Ladder::empty();
        for price in [Some(high), Some(low), Some(high), None] {
            ladder.insert(price).unwrap();
        }
        assert_eq!((ladder.levels.as_slice(), ladder.unpriced), (&[(low, 1), (high, 2)][..], 1));
        assert_eq!((ladder.lowest(), ladder.highest()), (Some(low), Some(high)));
        for price in [None, Some(low), Some(high), Some(high)] {
            assert!(!ladder.is_empty());
            ladder.remove(price).unwrap();
        }
        assert!(ladder.is_empty());
        assert_eq!(ladder.remove(None), None);
        assert_eq!(ladder.remove(Some(low)), None);
        ladder.insert(Some(high)).unwrap();
        assert_eq!(ladder.remove(Some(low)), None);
    }

    #[test]
    fn the_memory_of_a_thousand_prices_is_there_from_the_beginning() {
        let mut ladder = Ladder::empty();
        let room = ladder.levels.as_ptr();
        for units in 1..=1_000 {
            ladder.insert(Px::new(units)).unwrap();
        }
        assert_eq!((ladder.levels.len(), ladder.levels.as_ptr()), (1_000, room));
    }

    #[test]
    fn more_orders_than_can_be_counted_are_not_counted() {
        let price = Px::new(100);
        let mut full = Ladder { levels: vec![(price.unwrap(), u32::MAX)], unpriced: u32::MAX };
        assert_eq!((full.insert(price), full.insert(None)), (None, None));
    }
}
