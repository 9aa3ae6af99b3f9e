//! Automatic triggers: at which figure the house stops itself, and how far.

use crate::money::Money;
use crate::stop::StopMode;

/// What a trigger watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// The fall from the highest profit.
    Drawdown,
    /// The day's loss.
    DailyLoss,
    /// A required guard that is not heard of.
    Heartbeat,
    /// Links to the venue that broke.
    Disconnects,
    /// A market that says nothing.
    StaleFeed,
    /// Our clock against the venue's.
    ClockSkew,
    /// A fill of an order that nobody issued.
    UnexplainedFill,
    /// Journal or outbox without room.
    Evidence,
}

impl Trigger {
    /// All triggers, in the order in which they are looked at.
    pub const ALL: [Self; 8] = [
        Self::Drawdown,
        Self::DailyLoss,
        Self::Heartbeat,
        Self::Disconnects,
        Self::StaleFeed,
        Self::ClockSkew,
        Self::UnexplainedFill,
        Self::Evidence,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Drawdown => "TRIGGER_DRAWDOWN",
            Self::DailyLoss => "TRIGGER_DAILY_LOSS",
            Self::Heartbeat => "TRIGGER_HEARTBEAT",
            Self::Disconnects => "TRIGGER_DISCONNECTS",
            Self::StaleFeed => "TRIGGER_STALE_FEED",
            Self::ClockSkew => "TRIGGER_CLOCK_SKEW",
            Self::UnexplainedFill => "TRIGGER_UNEXPLAINED_FILL",
            Self::Evidence => "TRIGGER_EVIDENCE",
        }
    }

    /// The trigger of that code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.code() == code)
    }
}

/// A figure of money that may not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossRow {
    /// The loss that fires, in the quote currency; above zero.
    pub loss: Money,
    /// How long the figure may be unknown while a position is held, in milliseconds.
    pub unknown_ms: u32,
    /// What it does.
    pub action: StopMode,
}

/// Something that may not last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastingRow {
    /// How long is too long, in milliseconds.
    pub ms: u32,
    /// What it does.
    pub action: StopMode,
}

/// Something that may not happen too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRow {
    /// How often fires, at least 1.
    pub count: u32,
    /// Within how long, in milliseconds.
    pub window_ms: u32,
    /// What it does.
    pub action: StopMode,
}

/// A reading that may be neither too far off nor too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkewRow {
    /// Largest difference between the clocks, in milliseconds, either way.
    pub offset_ms: u32,
    /// Oldest reading that counts, in milliseconds.
    pub age_ms: u32,
    /// What it does.
    pub action: StopMode,
}

/// The rows of the policy. Each is there: a trigger that nobody has set does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triggers {
    /// `TRIGGER_DRAWDOWN`.
    pub drawdown: LossRow,
    /// `TRIGGER_DAILY_LOSS`.
    pub daily_loss: LossRow,
    /// `TRIGGER_HEARTBEAT`: how long a required guard may be missing.
    pub heartbeat: LastingRow,
    /// `TRIGGER_DISCONNECTS`.
    pub disconnects: CountRow,
    /// `TRIGGER_STALE_FEED`: how long an instrument with a position or an order may be silent.
    pub stale_feed: LastingRow,
    /// `TRIGGER_CLOCK_SKEW`.
    pub clock_skew: SkewRow,
    /// `TRIGGER_UNEXPLAINED_FILL`: what the first one does.
    pub unexplained_fill: StopMode,
    /// `TRIGGER_EVIDENCE`: how long journal or outbox may be full.
    pub evidence: LastingRow,
}

impl Triggers {
    /// What firing does.
    #[must_use]
    pub const fn action(&self, trigger: Trigger) -> StopMode {
        match trigger {
            Trigger::Drawdown => self.drawdown.action,
            Trigger::DailyLoss => self.daily_loss.action,
            Trigger::Heartbeat => self.heartbeat.action,
            Trigger::Disconnects => self.disconnects.action,
            Trigger::StaleFeed => self.stale_feed.action,
            Trigger::ClockSkew => self.clock_skew.action,
            Trigger::UnexplainedFill => self.unexplained_fill,
            Trigger::Evidence => self.evidence.action,
        }
    }
}
