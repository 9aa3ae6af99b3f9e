//! What the journal keeps of brackets besides their orders.

use portcullis_domain::{ClOrdId, OrderIntent, Px, Qty};
use portcullis_gate::{Denial, Quote};
use portcullis_statement::json::{self, Value};

use super::leg::Exit;
use crate::outcome::{denial_body, intent_value};

/// One recorded act about a bracket. Each belongs to the entry that the bracket came with.
#[derive(Clone, Debug)]
pub enum BracketRecord {
    /// The market crossed the stop: from here on the position is left, whatever the market does.
    StopFired {
        /// The entry.
        entry: ClOrdId,
        /// The stop.
        stop_px: Px,
        /// What crossed it.
        quote: Quote,
        /// Filled of the entry and not yet exited.
        open: Qty,
    },
    /// An exit was denied. It is asked for again at the next quote; the same denial of the same
    /// entry is recorded once.
    LegDenied {
        /// The entry.
        entry: ClOrdId,
        /// The exit.
        intent: Box<OrderIntent>,
        /// Why, with the numbers.
        denial: Denial,
    },
    /// What is filled of the entry has no stop and no target any more.
    Ended {
        /// The entry.
        entry: ClOrdId,
        /// Why.
        end: ProtectionEnd,
        /// Our symbol of its instrument.
        symbol: String,
        /// Filled of the entry and not yet exited.
        open: Qty,
        /// Phase 1: nothing of it was real.
        shadow: bool,
    },
}

/// Why a bracket ends before its position does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectionEnd {
    /// The plugin took it back.
    Released,
    /// Somebody else left the position.
    PositionGone,
    /// The session is over, and what holds brackets with it.
    SessionOver,
    /// The kernel that held it went down.
    Restarted,
}

impl ProtectionEnd {
    const fn code(self) -> &'static str {
        match self {
            Self::Released => "PLUGIN_ASKED",
            Self::PositionGone => "POSITION_GONE",
            Self::SessionOver => "SESSION_OVER",
            Self::Restarted => "KERNEL_RESTARTED",
        }
    }

    /// Whether a position may be left without its stop. A target that rests at the venue stays.
    pub(super) const fn loses_stop(self) -> bool {
        matches!(self, Self::SessionOver | Self::Restarted)
    }
}

impl BracketRecord {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::StopFired { .. } => "stop-fired",
            Self::LegDenied { .. } => "leg-denied",
            Self::Ended { end: ProtectionEnd::Released, .. } => "protection-released",
            Self::Ended { .. } => "protection-lost",
        }
    }

    pub(crate) fn correlation(&self) -> String {
        match self {
            Self::StopFired { entry, .. }
            | Self::LegDenied { entry, .. }
            | Self::Ended { entry, .. } => entry.to_string(),
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::StopFired { .. } => "STOP_CROSSED",
            Self::LegDenied { denial, .. } => denial.code.code(),
            Self::Ended { end, .. } => end.code(),
        }
    }

    pub(crate) fn body(&self) -> Value {
        match self {
            Self::StopFired { stop_px, quote, open, .. } => json::object([
                ("ask", Value::Int(quote.ask.units())),
                ("bid", Value::Int(quote.bid.units())),
                ("open", Value::Int(open.units())),
                ("stop", Value::Int(stop_px.units())),
            ]),
            Self::LegDenied { intent, denial, .. } => {
                denial_body(intent.reference, denial, intent_value(intent))
            }
            Self::Ended { end, symbol, open, shadow, .. } => json::object([
                ("lost", Value::Bool(end.loses_stop() && !shadow)),
                ("open", Value::Int(open.units())),
                ("shadow", Value::Bool(*shadow)),
                ("symbol", symbol.as_str().into()),
            ]),
        }
    }
}

impl Exit {
    /// What an entry's order says of its protection: no connector of this version hands a bracket
    /// to its venue.
    pub(crate) const PROTECTION: &'static str = "HELD_BY_KERNEL";
}
