//! The authority epoch: how a kill reaches the writer without waiting for anyone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One number that only rises, and the kill latch beside it.
///
/// Whoever withdraws authority raises the number at once, in its own thread. The writer compares
/// it with the number an order was approved under while it holds the same lock as its write, so
/// that check and write are one step: after [`Authority::close_gate`] has returned, no byte of an
/// order approved earlier can leave.
#[derive(Debug, Default)]
pub struct Authority {
    epoch: AtomicU64,
    killed: AtomicBool,
    flatten: AtomicBool,
    writing: Mutex<()>,
}

impl Authority {
    /// Epoch zero, not killed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Withdraws authority from everything approved so far and returns the new number.
    pub fn raise(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// Withdraws authority and returns once every write that began before it is over: what a stop
    /// smaller than the kill does.
    pub fn withdraw(&self) -> u64 {
        let epoch = self.raise();
        drop(self.hold());
        epoch
    }

    /// Pulls the kill latch and returns once every write that began before it is over.
    pub fn close_gate(&self) -> u64 {
        self.flatten.store(false, Ordering::SeqCst);
        self.killed.store(true, Ordering::SeqCst);
        self.withdraw()
    }

    /// Lifts the latch. Only the core loop does this, after two people have signed for it and
    /// their statement is on record.
    pub fn lift(&self) {
        self.killed.store(false, Ordering::SeqCst);
    }

    /// Whether an order approved under `epoch` may still be written. Ask only while holding.
    #[must_use]
    pub fn admits(&self, epoch: u64) -> bool {
        !self.killed.load(Ordering::SeqCst) && self.epoch.load(Ordering::SeqCst) == epoch
    }

    /// Lets the slices of a signed flatten plan out while the latch is down. Only the core loop
    /// does this. A kill takes it away at once; a slice approved before that kill carries a number
    /// that has passed.
    pub fn open_flatten(&self) {
        self.flatten.store(true, Ordering::SeqCst);
    }

    /// The plan is over.
    pub fn close_flatten(&self) {
        self.flatten.store(false, Ordering::SeqCst);
    }

    /// Whether a slice approved under `epoch` may still be written. Ask only while holding.
    #[must_use]
    pub fn admits_slice(&self, epoch: u64) -> bool {
        let open = !self.killed.load(Ordering::SeqCst) || self.flatten.load(Ordering::SeqCst);
        open && self.epoch.load(Ordering::SeqCst) == epoch
    }

    /// Whether the latch is down.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Held by the writer from its check to the end of its write.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data, so a panicking holder leaves nothing half done.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn an_order_of_an_earlier_epoch_is_not_admitted() {
        let authority = Authority::new();
        assert!(authority.admits(0));
        assert_eq!(authority.raise(), 1);
        assert!(!authority.admits(0));
        assert!(authority.admits(1));
        authority.close_gate();
        assert!(!authority.admits(2));
        authority.lift();
        assert!(authority.admits(2));
    }

    /// While a plan is open the latch lets its slices out and nothing else, and the next kill
    /// shuts it for them too.
    #[test]
    fn a1_a_kill_withdraws_a_flatten_plan_at_once() {
        let authority = Authority::new();
        let epoch = authority.close_gate();
        assert!(!authority.admits_slice(epoch));
        authority.open_flatten();
        assert!(authority.admits_slice(epoch) && !authority.admits(epoch));
        assert!(!authority.admits_slice(epoch - 1));
        let later = authority.close_gate();
        assert!(!authority.admits_slice(epoch) && !authority.admits_slice(later));
        // A plan that the core opens without having heard of that kill lets nothing old out.
        authority.open_flatten();
        assert!(!authority.admits_slice(epoch));
        authority.close_flatten();
        assert!(!authority.admits_slice(later));
    }

    /// A2: the acknowledgement of a kill happens after the last write, whoever wins the race.
    #[test]
    fn a2_a_closed_gate_is_reported_only_after_the_write_that_was_under_way() {
        for _ in 0..200 {
            let authority = Arc::new(Authority::new());
            let written = Arc::new(AtomicU64::new(0));
            let writer = {
                let (authority, written) = (Arc::clone(&authority), Arc::clone(&written));
                std::thread::spawn(move || {
                    loop {
                        let held = authority.hold();
                        if !authority.admits(0) {
                            return;
                        }
                        std::thread::yield_now();
                        written.fetch_add(1, Ordering::SeqCst);
                        drop(held);
                    }
                })
            };
            authority.close_gate();
            let at_ack = written.load(Ordering::SeqCst);
            writer.join().unwrap();
            assert_eq!(written.load(Ordering::SeqCst), at_ack);
        }
    }
}
