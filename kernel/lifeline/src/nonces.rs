//! Numbers that only rise, one for each signed request of a key.

use std::sync::{Mutex, MutexGuard, PoisonError};

use portcullis_domain::WallNs;

/// The nonces of one key, shared by everything that signs with it.
///
/// The venue refuses a nonce that is not above the last one it saw. Two requests under way at once
/// could arrive in the other order, and a cancel would be refused for it. So a nonce is drawn
/// within a [`Turn`] that lasts until the answer is there; each turn is bounded by the time that
/// a call may take.
#[derive(Debug)]
pub struct Nonces {
    last: Mutex<u64>,
    clock: fn() -> WallNs,
}

/// The right to use the key, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    last: MutexGuard<'a, u64>,
    clock: fn() -> WallNs,
}

impl Nonces {
    /// Every nonce will be above `last`, and not below the clock's microseconds.
    #[must_use]
    pub const fn new(last: u64, clock: fn() -> WallNs) -> Self {
        Self { last: Mutex::new(last), clock }
    }

    /// Waits for the key.
    #[must_use]
    pub fn turn(&self) -> Turn<'_> {
        // A number that was drawn by a panicking thread is used up; nothing else is kept here.
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Turn { last, clock: self.clock }
    }
}

impl Turn<'_> {
    /// The next nonce.
    #[must_use]
    pub fn next_nonce(&mut self) -> u64 {
        let micros = u64::try_from((self.clock)().0.div_euclid(1_000)).unwrap_or(0);
        *self.last = self.last.saturating_add(1).max(micros);
        *self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nonces_rise_whatever_the_clock_does() {
        let check = |last: u64, clock: fn() -> WallNs, expect: [u64; 2]| {
            let nonces = Nonces::new(last, clock);
            assert_eq!(expect.map(|_| nonces.turn().next_nonce()), expect);
        };
        check(7, || WallNs(0), [8, 9]);
        check(7, || WallNs(-5), [8, 9]);
        check(
            7,
            || WallNs(1_800_000_000_000_000_000),
            [1_800_000_000_000_000, 1_800_000_000_000_001],
        );
    }

    #[test]
    fn no_two_threads_draw_the_same() {
        let nonces = Nonces::new(0, || WallNs(0));
        let drawn: Vec<Vec<u64>> = std::thread::scope(|scope| {
            let draw = || (0..500).map(|_| nonces.turn().next_nonce()).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(drawn.iter().all(|one| one.is_sorted()));
        let all: BTreeSet<u64> = drawn.into_iter().flatten().collect();
        assert_eq!(all.len(), 2_000);
    }
}
