//! The prices at which our own orders of one side stand.

use portcullis_domain::Px;

/// Working orders of one side of one instrument, counted by price.
///
/// A sorted list and not a map: it keeps its memory, so that an order costs no allocation once the
/// list has been as long before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ladder {
    /// Ascending, none empty.
    levels: Vec<(Px, u32)>,
    /// Orders without a price. They cross whatever stands on the other side.
    unpriced: u32,
}

impl Ladder {
    /// Adds an order. `None` on overflow.
    pub(super) fn insert(&mut self, price: Option<Px>) -> Option<()> {
        let Some(price) = price else {
            self.unpriced = self.unpriced.checked_add(1)?;
            return Some(());
        };
        match self.levels.binary_search_by_key(&price, |level| level.0) {
            Ok(at) => {
                let level = self.levels.get_mut(at)?;
                level.1 = level.1.checked_add(1)?;
            }
            Err(at) => self.levels.insert(at, (price, 1)),
        }
        Some(())
    }

    /// Takes an order away. `None` if none stands there.
    pub(super) fn remove(&mut self, price: Option<Px>) -> Option<()> {
        let Some(price) = price else {
            self.unpriced = self.unpriced.checked_sub(1)?;
            return Some(());
        };
        let at = self.levels.binary_search_by_key(&price, |level| level.0).ok()?;
        let level = self.levels.get_mut(at)?;
        level.1 = level.1.checked_sub(1)?;
        if level.1 == 0 {
            self.levels.remove(at);
        }
        Some(())
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
