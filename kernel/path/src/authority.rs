//! The authority epoch: how a kill reaches the writer without waiting for anyone.
//!
//! `tests/loom` includes this file as it is and tries every order in which threads can meet in it.

use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};

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
        self.killed.store(true, Ordering::SeqCst);
        self.withdraw()
    }

    /// Lifts the latch. Only the core loop does this, after two people have signed for it and
    /// their statement is on record.
    pub fn lift(&self) {
        self.killed.store(false, Ordering::SeqCst);
    }

    /// Whether the latch is down.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// The right to write an order approved under `epoch`, if there is one. The writer keeps it
    /// to the end of its write: a gate that closes waits for that.
    #[must_use]
    pub fn admit(&self, epoch: u64) -> Option<MutexGuard<'_, ()>> {
        let held = self.admit_exit(epoch)?;
        (!self.killed.load(Ordering::SeqCst)).then_some(held)
    }

    /// The same for an order of closing rights. The latch does not hold it: it can only make a
    /// position smaller, and the core approves none before the venue has confirmed a kill.
    /// Whatever was approved before the kill is of a lower epoch.
    #[must_use]
    pub fn admit_exit(&self, epoch: u64) -> Option<MutexGuard<'_, ()>> {
        let held = self.hold();
        (self.epoch.load(Ordering::SeqCst) == epoch).then_some(held)
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data, so a panicking holder leaves nothing half done.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
