//! A small seeded generator (splitmix64): the same seed gives the same market.

/// The generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// A number of `low..=high`; `low` if the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = i128::from(high).saturating_sub(i128::from(low)).saturating_add(1).max(1);
        let step = i128::from(self.next()).checked_rem(span).unwrap_or_default();
        i64::try_from(i128::from(low).saturating_add(step)).unwrap_or(low)
    }

    /// True in `percent` of all cases.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// `count` characters of the alphabet that the venue's ids use.
    pub(crate) fn id_text(&mut self, count: usize) -> String {
        const ALPHABET: [char; 32] = [
            'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q',
            'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
        ];
        let pick = |value: u64| usize::try_from(value % 32).unwrap_or_default();
        (0..count).filter_map(|_| ALPHABET.get(pick(self.next())).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence_within_its_bounds() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(|_| random.between(-3, 3)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|value| (-3..=3).contains(value)));
        assert!((-3..=3).all(|value| draw(1).contains(&value)));
        assert_eq!(Random::new(1).between(5, 4), 5);
        assert_eq!(Random::new(1).id_text(6).len(), 6);
    }
}
