//! Bugs that a test plants into the harness, never into the product: a simulator that finds no
//! planted bug proves nothing.

/// What is wrong with the house of a run. Each stands for a mistake that a product could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The disk says that a group is durable before it is: orders leave without a record.
    DurableTooSoon,
    /// An order of unknown fate is sent once more.
    ResendsUnknown,
    /// The writer does not look at the latch and the epoch that whoever kills has raised.
    IgnoresEpoch,
    /// A fill is told once more under another ExecID.
    BooksTwice,
    /// One fill is never told, by report or reading.
    DropsFill,
    /// An order that is on the wire is reported as not sent: its reservation is forgotten.
    ForgetsReservation,
    /// A restart numbers its orders from the beginning again.
    ReusesIds,
    /// Cancels never reach the venue.
    DropsCancels,
    /// A crash takes bytes that were synced.
    LosesSynced,
    /// A plugin's failure stops its neighbour too.
    FaultSpreads,
    /// A start after a crash claims to follow an end in order.
    CrashCalledClean,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::DurableTooSoon,
        Self::ResendsUnknown,
        Self::IgnoresEpoch,
        Self::BooksTwice,
        Self::DropsFill,
        Self::ForgetsReservation,
        Self::ReusesIds,
        Self::DropsCancels,
        Self::LosesSynced,
        Self::FaultSpreads,
        Self::CrashCalledClean,
    ];
}
