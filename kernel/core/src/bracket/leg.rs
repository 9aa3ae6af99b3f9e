//! Which exit of which entry an order is: written into its number, so that nothing else has to
//! be kept beside the order.

use portcullis_domain::{ClOrdId, OrderIntent};
use portcullis_statement::json::{self, Value};

/// Numbers from here on are the kernel's own. No plugin can ask for one of them, and they still
/// fit the signed integers of the journal.
const LEG_FIRST: u64 = 1 << 62;
/// Set in the number of a stop's exit.
const STOP_BIT: u64 = 1 << 61;
/// Where the entry's sequence begins; below it the exits of one entry are counted.
const ENTRY_SHIFT: u32 = 24;
const COUNT_MASK: u64 = (1 << ENTRY_SHIFT) - 1;

/// Which of the two exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It rests where the profit is taken.
    Target,
    /// It leaves at the market because the stop was crossed.
    Stop,
}

impl Exit {
    /// `target` or `stop`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Stop => "stop",
        }
    }

    /// `event.extra` of what a plugin is told about it.
    pub(crate) const fn extra(self) -> i64 {
        match self {
            Self::Target => 1,
            Self::Stop => 2,
        }
    }
}

/// An exit of an entry of the same run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LegRef {
    pub(crate) exit: Exit,
    /// Sequence of the entry's id.
    entry: u32,
    /// Which exit of that entry, from 0.
    count: u64,
}

impl LegRef {
    pub(crate) fn new(exit: Exit, entry: ClOrdId, count: usize) -> Self {
        let count = u64::try_from(count).unwrap_or(u64::MAX) & COUNT_MASK;
        Self { exit, entry: entry.sequence, count }
    }

    /// Whether a number is one that only the kernel gives.
    pub(crate) const fn is_reserved(reference: u64) -> bool {
        reference >= LEG_FIRST
    }

    /// The number under which the exit is an order of its plugin.
    pub(crate) fn reference(self) -> u64 {
        let stop = match self.exit {
            Exit::Target => 0,
            Exit::Stop => STOP_BIT,
        };
        LEG_FIRST | stop | (u64::from(self.entry) << ENTRY_SHIFT) | self.count
    }

    /// What an order is an exit of; `None` for every other order.
    pub(crate) fn of(intent: &OrderIntent) -> Option<Self> {
        let reference = intent.reference;
        if intent.origin.plugin().is_none() || !Self::is_reserved(reference) {
            return None;
        }
        let exit = if reference & STOP_BIT == 0 { Exit::Target } else { Exit::Stop };
        let entry = (reference & (STOP_BIT - 1)) >> ENTRY_SHIFT;
        Some(Self { exit, entry: u32::try_from(entry).ok()?, count: reference & COUNT_MASK })
    }

    /// The entry's id: it was issued in the same run.
    pub(crate) const fn entry(self, epoch: u32) -> ClOrdId {
        ClOrdId { epoch, sequence: self.entry }
    }

    pub(crate) fn value(self, epoch: u32) -> Value {
        json::object([
            ("entry", self.entry(epoch).to_string().into()),
            ("exit", self.exit.name().into()),
        ])
    }
}
