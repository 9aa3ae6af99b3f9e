//! Which withdrawals of authority the core has heard of.
//!
//! `tests/loom` includes this file as it is.

use std::collections::BTreeSet;

/// The numbers of the authority epoch whose causes have been consumed.
///
/// A thread takes its number first and tells the cause after that, so of two threads the later
/// number may be heard of first. An order that carried it would pass the writer although the
/// earlier cause, a limit that was tightened perhaps, was not looked at. Only a number with no gap
/// below it may be stamped; while there is a gap, the writer refuses everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeardEpochs {
    /// The causes of all numbers up to this one have been consumed.
    pub(crate) up_to: u64,
    /// Consumed too, behind a gap.
    pub(crate) beyond: BTreeSet<u64>,
}

impl HeardEpochs {
    /// The cause of this number has been consumed. Hearing of it again changes nothing.
    pub(crate) fn hear(&mut self, number: u64) {
        self.beyond.insert(number);
        while let Some(first) = self.beyond.first().copied()
            && first <= self.up_to.saturating_add(1)
        {
            self.up_to = self.up_to.max(first);
            self.beyond.pop_first();
        }
    }

    /// The number that an order may carry.
    pub(crate) fn stamp(&self) -> u64 {
        self.up_to
    }
}
