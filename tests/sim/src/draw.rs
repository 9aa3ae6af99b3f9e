//! Chance with a seed: the same numbers in every run, on every machine.

use crate::seeded::Seeded;

#[derive(Debug)]
/// What a simulator draws from the generator that the tests share.
pub(crate) struct Draw(Seeded);

impl Draw {
    /// The stream of one seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Seeded(seed))
    }

    /// A number below `bound`, which is above zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let last = i64::try_from(bound).expect("a small bound") - 1;
        u64::try_from(self.0.between(0, last)).expect("not below zero")
    }

    /// A place in a list of that length, which is above zero.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).expect("a length fits");
        usize::try_from(self.below(bound)).expect("a place below a length")
    }

    /// A whole number from `low` up to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.between(low, high)
    }

    /// Whether something that happens `per_mille` times in a thousand happens now.
    pub(crate) fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}
