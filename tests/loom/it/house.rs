//! The house around the authority, as small as a model has to be: a lane to the core, a wire, and
//! what an onlooker notes to judge them.

use crate::authority::Authority;
use crate::sync::{AtomicU64, Mutex, Ordering};
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic as real;

/// Found when an order is written although a closed gate has been acknowledged.
pub(crate) const WRITE_AFTER_ACK: &str = "a write after GATE_CLOSED was acknowledged";
/// Found when an order leaves under a number whose causes the core has not all consumed.
pub(crate) const CAUSE_NOT_CONSUMED: &str = "a write under a cause that was not consumed";

/// No kill has been acknowledged.
const NONE: u64 = u64::MAX;

/// Why authority was withdrawn, as far as it matters to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Kill,
    Other,
}

/// An order, with the number that it was approved under.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) epoch: u64,
    /// What the core had consumed when it approved.
    pub(crate) consumed: BTreeSet<u64>,
}

impl Order {
    /// An order of the time before anything happened.
    pub(crate) fn first() -> Self {
        Self { epoch: 0, consumed: BTreeSet::new() }
    }
}

/// What the threads of a model share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) authority: Authority,
    /// The control lane: numbers and causes, in the order in which they were told.
    lane: Mutex<Vec<(u64, Cause)>>,
    /// The wire: rises by one when a write begins, and by one when it ends.
    wire: AtomicU64,
    /// The number that a kill was acknowledged with. The onlooker's own note, which no thread of
    /// the model can see or be delayed by.
    acknowledged: real::AtomicU64,
}

impl House {
    pub(crate) fn new() -> Self {
        Self {
            authority: Authority::new(),
            lane: Mutex::new(Vec::new()),
            wire: AtomicU64::new(0),
            acknowledged: real::AtomicU64::new(NONE),
        }
    }

    /// What the thread of `kill.sock` does: shut the gate, acknowledge, tell the core.
    pub(crate) fn kill(&self) {
        let epoch = self.authority.close_gate();
        self.acknowledged.store(epoch, real::Ordering::SeqCst);
        let at_ack = self.writes();
        demand(at_ack.is_multiple_of(2), WRITE_AFTER_ACK);
        self.tell(epoch, Cause::Kill);
    }

    /// Withdraws authority for another reason and tells the core why.
    pub(crate) fn raise(&self) {
        let epoch = self.authority.raise();
        self.tell(epoch, Cause::Other);
    }

    fn tell(&self, epoch: u64, cause: Cause) {
        self.lane.lock().unwrap().push((epoch, cause));
    }

    /// What has been told since the core last looked.
    pub(crate) fn told(&self) -> Vec<(u64, Cause)> {
        std::mem::take(&mut *self.lane.lock().unwrap())
    }

    /// How far the wire has come.
    pub(crate) fn writes(&self) -> u64 {
        self.wire.load(Ordering::Relaxed)
    }

    /// The bytes of an order go out. Other threads may run between the two ends of a write.
    pub(crate) fn write(&self, order: &Order) {
        self.judge(order);
        self.wire.fetch_add(1, Ordering::Relaxed);
        self.judge(order);
        self.wire.fetch_add(1, Ordering::Relaxed);
        self.judge(order);
    }

    /// What the outbox does with an order.
    pub(crate) fn release(&self, order: &Order) {
        let Some(held) = self.authority.admit(order.epoch) else { return };
        self.write(order);
        drop(held);
    }

    /// The onlooker: whether these bytes may be on the wire now.
    fn judge(&self, order: &Order) {
        let acknowledged = self.acknowledged.load(real::Ordering::SeqCst);
        demand(acknowledged == NONE || order.epoch >= acknowledged, WRITE_AFTER_ACK);
        let all = (1..=order.epoch).all(|number| order.consumed.contains(&number));
        demand(all, CAUSE_NOT_CONSUMED);
    }
}

/// Ends the model with `fault` unless `fine`. Without a word of its own: most faults are built in,
/// and a report of each would drown the one that is not.
pub(crate) fn demand(fine: bool, fault: &str) {
    if !fine {
        resume_unwind(Box::new(fault.to_owned()));
    }
}
