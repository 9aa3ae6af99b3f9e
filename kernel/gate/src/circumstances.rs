//! What the gate is told about the world. Each part may be missing, and missing means "no".

use portcullis_domain::{BootNs, Money, Now, Position, Px, Qty};
use portcullis_statement::Digest;

/// Best bid and offer with the moment they were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Best bid.
    pub bid: Px,
    /// Best offer.
    pub ask: Px,
    /// When it came in.
    pub received: BootNs,
}

/// What the account holds and is free to use, without our own reservations taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Base currency of the instrument, in its quantity units.
    pub base: Qty,
    /// Quote currency of the instrument.
    pub quote: Money,
}

/// What approved and unfinished orders already claim, counted from the moment of approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Working {
    /// Unfilled buy quantity of the instrument.
    pub buy_qty: Qty,
    /// Unfilled sell quantity of the instrument.
    pub sell_qty: Qty,
    /// Quote currency that the unfilled buys of all instruments of that currency may cost.
    pub reserved_quote: Money,
    /// Orders of the account that can still trade.
    pub open_orders: u32,
    /// Whether an order of the instrument has an unknown fate.
    pub any_unknown: bool,
}

/// Whether the plugin may ask for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Loaded and answering.
    Running,
    /// Failed, late or stopped by a person.
    Suspended,
}

/// Everything an assessment depends on besides the intent and the approval.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact that one check asks for")]
pub struct Circumstances {
    /// The moment of the event that is being judged.
    pub now: Now,
    /// Whether the kill latch is down, or a cancel-all covers what is asked for.
    pub killed: bool,
    /// Whether a signed flatten plan is being carried out that this intent is a slice of.
    pub flatten: bool,
    /// Whether the session takes no new orders any more.
    pub closing: bool,
    /// Whether nothing may increase exposure: positions were carried in without being approved, a
    /// stop stands, a guard is missing, or the cooldown after a kill is not over.
    pub reduce_only: bool,
    /// The asking plugin's standing.
    pub standing: Standing,
    /// Digest of the component that runs under the plugin's name.
    pub component: Option<Digest>,
    /// Newest quote of the instrument.
    pub quote: Option<Quote>,
    /// Whether the instrument's book is whole.
    pub book_valid: bool,
    /// Position in the instrument.
    pub position: Position,
    /// The account's balances, if known.
    pub balance: Option<Balance>,
    /// What orders already claim.
    pub working: Working,
    /// Submits approved within the last second.
    pub submits_last_second: u32,
    /// Whether the account and the house have been compared and agree.
    pub reconciled: bool,
    /// Whether the outbox and the journal can take another order.
    pub evidence_writable: bool,
    /// Whether the plugin used the intent's number before.
    pub reference_used: bool,
}
