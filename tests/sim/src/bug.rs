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
    /// A person's order is on the wire as it was asked for, whatever the gate says.
    HandPastGate,
    /// A stop that is smaller than the kill is answered and comes to nothing.
    ForgetsStop,
    /// A slice of a plan leaves with twice its quantity.
    SliceTooLarge,
    /// Once money came from outside, the venue's balances are read wrong by the smallest unit: what
    /// two people adopt is not what is there.
    MisreadsDeposit,
    /// What the account holds is not in a snapshot.
    SnapshotForgets,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 16] = [
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
        Self::HandPastGate,
        Self::ForgetsStop,
        Self::SliceTooLarge,
        Self::MisreadsDeposit,
        Self::SnapshotForgets,
    ];
}
