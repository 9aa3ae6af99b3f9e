//! The life of an order, as a table of states and events.

/// FIX 39, with two states that FIX does not have: `Unsent` and `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrdStatus {
    /// Approved and on record; the venue has not answered.
    PendingNew,
    /// The venue has it.
    New,
    /// Filled in part.
    PartiallyFilled,
    /// We asked to take it back; the venue has not answered.
    PendingCancel,
    /// We asked to change it; the venue has not answered. Either terms may hold.
    PendingReplace,
    /// Filled. Final.
    Filled,
    /// Taken back. Final, though a fill may still cross it on the wire.
    Canceled,
    /// Refused by the venue, at once or after it had taken it. Final.
    Rejected,
    /// Ended by time. Final, though a fill may still cross it.
    Expired,
    /// It never left the house. Final.
    Unsent,
    /// Its fate is not known. Never sent again; only the venue's own word ends this.
    Unknown,
}

use OrdStatus as S;

/// What an order is again when a request about it has come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resting {
    /// The venue has it, and nothing of it is filled.
    New,
    /// It is filled in part.
    PartiallyFilled,
    /// A change of it is still on its way.
    PendingReplace,
}

impl Resting {
    /// The state of that name.
    #[must_use]
    pub const fn status(self) -> OrdStatus {
        match self {
            Self::New => S::New,
            Self::PartiallyFilled => S::PartiallyFilled,
            Self::PendingReplace => S::PendingReplace,
        }
    }
}

/// How far an order is filled, measured by the terms that hold after the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// CumQty is zero.
    Nothing,
    /// Something is filled and something is left.
    Part,
    /// Nothing is left.
    Whole,
}

impl Progress {
    /// The state of an order that is filled so far and about which nothing is asked.
    #[must_use]
    pub const fn status(self) -> OrdStatus {
        match self {
            Self::Nothing => S::New,
            Self::Part => S::PartiallyFilled,
            Self::Whole => S::Filled,
        }
    }
}

/// What can happen to an order, venue or house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// The venue has it.
    New,
    /// A fill; `complete` if nothing is left.
    Trade {
        /// Whether LeavesQty is now zero, whichever terms hold.
        complete: bool,
    },
    /// The venue took it back.
    Canceled,
    /// The venue refused it.
    Rejected,
    /// The venue ended it.
    Expired,
    /// We asked to take it back.
    CancelRequested,
    /// The venue refused that.
    CancelRejected {
        /// What the order is again.
        rests: Resting,
    },
    /// We asked to change it.
    ReplaceRequested,
    /// The venue changed it.
    Replaced {
        /// By the new terms.
        filled: Progress,
    },
    /// The venue refused to change it, or the wish to never left the house.
    ReplaceRejected {
        /// By the old terms.
        filled: Progress,
    },
    /// It was dropped before the wire.
    NotSent,
    /// The wire failed under it.
    Lost,
}

/// A transition that is not in the table. The house does not guess: this is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: OrdStatus,
    /// What was reported.
    pub event: OrderEvent,
}

impl OrdStatus {
    /// All states.
    pub const ALL: [Self; 11] = [
        S::PendingNew,
        S::New,
        S::PartiallyFilled,
        S::PendingCancel,
        S::PendingReplace,
        S::Filled,
        S::Canceled,
        S::Rejected,
        S::Expired,
        S::Unsent,
        S::Unknown,
    ];

    /// Whether the order can still trade, as far as we know.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            S::PendingNew
            | S::New
            | S::PartiallyFilled
            | S::PendingCancel
            | S::PendingReplace
            | S::Unknown => true,
            S::Filled | S::Canceled | S::Rejected | S::Expired | S::Unsent => false,
        }
    }

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            S::PendingNew => "pending-new",
            S::New => "new",
            S::PartiallyFilled => "partially-filled",
            S::PendingCancel => "pending-cancel",
            S::PendingReplace => "pending-replace",
            S::Filled => "filled",
            S::Canceled => "canceled",
            S::Rejected => "rejected",
            S::Expired => "expired",
            S::Unsent => "unsent",
            S::Unknown => "unknown",
        }
    }

    /// The state after `event`. This table is the whole life of an order.
    pub const fn after(self, event: OrderEvent) -> Result<Self, IllegalTransition> {
        use OrderEvent as E;
        match (self, event) {
            // The venue has it. A fill or a request of ours may have come first: nothing changes.
            (S::PendingNew | S::New | S::Unknown, E::New) => Ok(S::New),
            (S::PartiallyFilled | S::PendingCancel | S::PendingReplace | S::Filled, E::New) => {
                Ok(self)
            }
            // Money. A fill may cross anything that ends an order: it is booked, the end stays.
            (S::PendingNew | S::New | S::PartiallyFilled, E::Trade { complete: false }) => {
                Ok(S::PartiallyFilled)
            }
            (
                S::PendingCancel | S::PendingReplace | S::Unknown | S::Canceled | S::Expired,
                E::Trade { complete: false },
            ) => Ok(self),
            (S::Canceled | S::Expired, E::Trade { complete: true }) => Ok(S::Filled),
            (open, E::Trade { complete: true }) if open.is_open() => Ok(S::Filled),
            // The ends. A venue may revoke what it had taken, as long as nothing of it is filled.
            (open, E::Canceled) if open.is_open() => Ok(S::Canceled),
            (open, E::Expired) if open.is_open() => Ok(S::Expired),
            (
                S::PendingNew | S::New | S::PendingCancel | S::PendingReplace | S::Unknown,
                E::Rejected,
            ) => Ok(S::Rejected),
            (S::PendingNew | S::PendingCancel | S::PendingReplace, E::NotSent) => Ok(S::Unsent),
            // The same end reported twice changes nothing.
            (S::Canceled, E::Canceled) | (S::Expired, E::Expired) | (S::Rejected, E::Rejected) => {
                Ok(self)
            }
            // Our wish to take it back, which may come too late or be refused.
            (S::Unknown, E::CancelRequested) => Ok(S::Unknown),
            (open, E::CancelRequested) if open.is_open() => Ok(S::PendingCancel),
            (S::PendingCancel, E::CancelRejected { rests }) => Ok(rests.status()),
            // Our wish to change it. One at a time, and none where the order may be gone already.
            (S::PendingNew | S::New | S::PartiallyFilled, E::ReplaceRequested) => {
                Ok(S::PendingReplace)
            }
            // After `New` and `PartiallyFilled` it is an echo: a fill told of the change before.
            (
                S::New | S::PartiallyFilled | S::PendingReplace | S::Unknown,
                E::Replaced { filled },
            )
            | (S::PendingReplace, E::ReplaceRejected { filled }) => Ok(filled.status()),
            (
                S::PendingCancel,
                E::Replaced { filled: Progress::Whole }
                | E::ReplaceRejected { filled: Progress::Whole },
            )
            | (S::Unknown, E::ReplaceRejected { filled: Progress::Whole }) => Ok(S::Filled),
            (S::PendingCancel | S::Filled | S::Canceled | S::Expired, E::Replaced { .. }) => {
                Ok(self)
            }
            // A refusal that nobody waits for any more changes nothing.
            (S::PendingNew, E::CancelRejected { .. } | E::ReplaceRejected { .. }) => {
                Err(IllegalTransition { from: self, event })
            }
            (_, E::CancelRejected { .. } | E::ReplaceRejected { .. }) => Ok(self),
            // The wire failed: what waited for an answer is unknown, what was ended stays so.
            (S::PendingNew | S::PendingCancel | S::PendingReplace | S::Unknown, E::Lost) => {
                Ok(S::Unknown)
            }
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }
}
