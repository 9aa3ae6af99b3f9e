//! What the gate is told about the world. Each part may be missing, and missing means "no".

use portcullis_domain::{BootNs, Money, Now, Position, Px, Qty, WallNs};
use portcullis_statement::{Digest, EndpointKind};

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

/// Lowest and highest middle of the quote within the collar's window, doubled: bid plus offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceWindow {
    /// Twice the lowest middle, in price units.
    pub low_twice: i64,
    /// Twice the highest middle, in price units.
    pub high_twice: i64,
}

/// What the account holds and is free to use, without our own reservations taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Base currency of the instrument, in its quantity units.
    pub base: Qty,
    /// Quote currency of the instrument.
    pub quote: Money,
    /// When the account was last read.
    pub read: BootNs,
}

/// What approved and unfinished orders of one instrument claim, from the moment of approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Working {
    /// Unfilled buy quantity of the instrument.
    pub buy_qty: Qty,
    /// Unfilled sell quantity of the instrument.
    pub sell_qty: Qty,
    /// Quote currency that the unfilled buys of all instruments of that currency may cost.
    pub reserved_quote: Money,
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

/// Whether the venue takes orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueStatus {
    /// It trades.
    Online,
    /// It takes cancels only.
    CancelOnly,
    /// It takes nothing.
    Maintenance,
}

impl VenueStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Online, Self::CancelOnly, Self::Maintenance];

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::CancelOnly => "cancel-only",
            Self::Maintenance => "maintenance",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What is known of one watcher beside the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardState {
    /// The policy does not ask for it.
    NotRequired,
    /// It is asked for and has answered in time.
    Alive,
    /// It is asked for and has not.
    Missing,
}

/// The watchers beside the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// The process that can cancel without us.
    pub guardian: GuardState,
    /// Whoever cosigns the journal.
    pub witness: GuardState,
    /// The venue's own switch.
    pub dead_man: GuardState,
    /// The operator.
    pub presence: GuardState,
    /// Whoever copies the evidence.
    pub scribe: GuardState,
}

impl Guards {
    /// All of them are asked for and none answers.
    pub const MISSING: Self = Self {
        guardian: GuardState::Missing,
        witness: GuardState::Missing,
        dead_man: GuardState::Missing,
        presence: GuardState::Missing,
        scribe: GuardState::Missing,
    };
}

/// What one strategy, or all of them together, have used of their limits. Money is in the
/// account's currency; `None` is a figure that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Worst-case value at risk in all instruments if the order worked.
    pub gross: Option<Money>,
    /// Instruments with a position or a working order if the order worked.
    pub positions: u32,
    /// Orders that can still trade.
    pub open_orders: u32,
    /// Proposals that wait for a person.
    pub proposals: u32,
    /// Orders of the session so far.
    pub orders: u32,
    /// Submits and amends within the last second.
    pub messages: u32,
    /// Profit since the opening of the session.
    pub profit: Option<Money>,
    /// Distance of the profit from its highest point in the session, zero or more.
    pub drawdown: Option<Money>,
    /// What fills cost against the middle of the quote.
    pub adverse: Option<Money>,
    /// Fees of the session.
    pub fees: Option<Money>,
    /// Executions within the throttle's window.
    pub executions: u32,
}

/// What the account has used of the limits that live across sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StandingUsage {
    /// Value of the orders approved today.
    pub notional: Option<Money>,
    /// Profit since the beginning of the day.
    pub profit_day: Option<Money>,
    /// Profit since the beginning of the week.
    pub profit_week: Option<Money>,
    /// What the account is worth.
    pub equity: Option<Money>,
}

impl Circumstances {
    /// Nothing is known but the time: nothing but a reduction can pass, and that not without what
    /// is held.
    #[must_use]
    pub fn unknown(now: Now) -> Self {
        Self {
            now,
            killed: false,
            closing: true,
            reduce_only: true,
            flatten: false,
            size_percent: 100,
            evidence_writable: false,
            clock_offset_ns: None,
            guards: Guards::MISSING,
            standing: Standing::Suspended,
            component: None,
            warming_up: false,
            disabled: false,
            reference_used: false,
            same_approved: None,
            quote: None,
            window: None,
            book_valid: false,
            feed: None,
            venue_status: None,
            metadata_read: None,
            reduced: None,
            position: None,
            reducible: None,
            working: None,
            crosses_own: false,
            balance: None,
            reconciled: false,
            marks_fresh: false,
            exposure: None,
            whole: Usage::default(),
            strategy: None,
            across: StandingUsage::default(),
        }
    }
}

/// Everything an assessment depends on besides the intent and the approval.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact that one check asks for")]
pub struct Circumstances {
    /// The moment of the event that is being judged.
    pub now: Now,
    /// Whether the kill latch is down, or a stop that admits nothing covers the order.
    pub killed: bool,
    /// Whether the session takes no new orders any more.
    pub closing: bool,
    /// Whether a stop or an unapproved carried position admits reductions only.
    pub reduce_only: bool,
    /// Whether this is a slice of a flatten plan that people signed.
    pub flatten: bool,
    /// Share of the size limits that holds after a kill was lifted; 100 is all of them.
    pub size_percent: u32,
    /// Whether the outbox and the journal can take another order.
    pub evidence_writable: bool,
    /// Our clock minus the venue's.
    pub clock_offset_ns: Option<i64>,
    /// The watchers beside the kernel.
    pub guards: Guards,
    /// The asking plugin's standing.
    pub standing: Standing,
    /// Digest of the component that runs under the plugin's name.
    pub component: Option<Digest>,
    /// Whether the strategy is still being told the past.
    pub warming_up: bool,
    /// Whether the throttle has disabled the strategy.
    pub disabled: bool,
    /// Whether the number of the intent was used before.
    pub reference_used: bool,
    /// When an order of the same content was approved last.
    pub same_approved: Option<BootNs>,
    /// Newest quote of the instrument.
    pub quote: Option<Quote>,
    /// Where the market stood within the collar's window.
    pub window: Option<PriceWindow>,
    /// Whether the instrument's book is whole.
    pub book_valid: bool,
    /// What kind of endpoint the market data comes from.
    pub feed: Option<EndpointKind>,
    /// Whether the venue takes orders.
    pub venue_status: Option<VenueStatus>,
    /// When the instrument's metadata was confirmed.
    pub metadata_read: Option<WallNs>,
    /// When the position in the instrument was made smaller last.
    pub reduced: Option<BootNs>,
    /// Position in the instrument.
    pub position: Option<Position>,
    /// What account and venue agree on as held, while they disagree about the rest.
    pub reducible: Option<Qty>,
    /// What orders already claim.
    pub working: Option<Working>,
    /// Whether the order could trade with a working order of our own.
    pub crosses_own: bool,
    /// The account's balances, if known.
    pub balance: Option<Balance>,
    /// Whether the account and the house have been compared and agree.
    pub reconciled: bool,
    /// Whether every instrument that is held has a fresh price.
    pub marks_fresh: bool,
    /// Worst-case value at risk in the instrument if the order worked.
    pub exposure: Option<Money>,
    /// What all strategies together have used.
    pub whole: Usage,
    /// What the asking strategy has used; a person's order has no strategy.
    pub strategy: Option<Usage>,
    /// What the account has used across sessions.
    pub across: StandingUsage,
}
