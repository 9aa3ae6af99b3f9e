//! The venue's own words of refusal as a closed list, and its system status.

/// Why the venue refused. Its text is kept beside it as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VenueRefusal {
    /// `EAPI:Invalid key`.
    InvalidKey,
    /// `EAPI:Invalid signature`.
    InvalidSignature,
    /// `EAPI:Invalid nonce`.
    InvalidNonce,
    /// Any of the rate limits, REST or engine.
    RateLimited,
    /// `EGeneral:Permission denied`.
    PermissionDenied,
    /// `EGeneral:Temporary lockout` and locked accounts.
    Lockout,
    /// The request was ill-formed in the venue's eyes.
    InvalidArguments,
    /// `EQuery:Unknown asset pair` and the like.
    UnknownInstrument,
    /// The session or its token is not valid (any more).
    InvalidSession,
    /// `EOrder:Insufficient funds` and margin.
    InsufficientFunds,
    /// `EOrder:Order minimum not met`.
    OrderMinimum,
    /// `EOrder:Cost minimum not met`.
    CostMinimum,
    /// `EOrder:Tick size check failed`.
    TickSize,
    /// `EOrder:Invalid price`.
    InvalidPrice,
    /// `EOrder:Orders limit exceeded` and the like.
    OrdersLimit,
    /// `EOrder:Unknown order`.
    UnknownOrder,
    /// `EOrder:Post only order`.
    PostOnly,
    /// `EOrder:Reduce only` and positions.
    Position,
    /// The market is in a mode that does not take this order.
    MarketMode,
    /// `EService:Deadline elapsed`: the venue gave up, and does not say how far it came.
    DeadlineElapsed,
    /// `EService:Unavailable`, `Busy`, `Throttled`, `EGeneral:Internal error`.
    Unavailable,
    /// Words that are not on the list.
    Unrecognised,
}

use VenueRefusal as R;

/// What the venue's texts begin with. The first that fits counts, so the longer come first.
const TABLE: [(&str, VenueRefusal); 36] = [
    ("EAPI:Invalid key", R::InvalidKey),
    ("EAPI:Invalid signature", R::InvalidSignature),
    ("EAPI:Invalid nonce", R::InvalidNonce),
    ("EAPI:Rate limit exceeded", R::RateLimited),
    ("EOrder:Rate limit exceeded", R::RateLimited),
    ("EOrder:Domain rate limit exceeded", R::RateLimited),
    ("EGeneral:Too many requests", R::RateLimited),
    ("EGeneral:Permission denied", R::PermissionDenied),
    ("EGeneral:Temporary lockout", R::Lockout),
    ("EAuth:", R::Lockout),
    ("ETrade:User Locked", R::Lockout),
    ("EGeneral:Invalid arguments", R::InvalidArguments),
    ("EGeneral:Unknown method", R::InvalidArguments),
    ("ETrade:Invalid request", R::InvalidArguments),
    ("Unsupported field", R::InvalidArguments),
    ("Unsupported event", R::InvalidArguments),
    ("Subscription depth not supported", R::InvalidArguments),
    ("Currency pair not supported", R::UnknownInstrument),
    ("EQuery:", R::UnknownInstrument),
    ("ESession:Invalid session", R::InvalidSession),
    ("Token(s) not found", R::InvalidSession),
    ("EOrder:Insufficient funds", R::InsufficientFunds),
    ("EOrder:Insufficient margin", R::InsufficientFunds),
    ("EOrder:Order minimum not met", R::OrderMinimum),
    ("EOrder:Cost minimum not met", R::CostMinimum),
    ("EOrder:Tick size check failed", R::TickSize),
    ("EOrder:Invalid price", R::InvalidPrice),
    ("EOrder:Orders limit exceeded", R::OrdersLimit),
    ("EOrder:Unknown order", R::UnknownOrder),
    ("EOrder:Post only order", R::PostOnly),
    ("EOrder:Reduce only", R::Position),
    ("EOrder:Positions limit exceeded", R::Position),
    ("EService:Market in", R::MarketMode),
    ("EService:Deadline elapsed", R::DeadlineElapsed),
    ("EService:", R::Unavailable),
    ("EGeneral:Internal error", R::Unavailable),
];

impl VenueRefusal {
    /// What the venue's error text means. Never fails: unknown words are `Unrecognised`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let known = TABLE.iter().find(|(start, _)| text.starts_with(start));
        known.map_or(R::Unrecognised, |(_, refusal)| *refusal)
    }

    /// Whether the request may have had its effect all the same.
    ///
    /// An order refused so is Unknown: only a query that finds it, or does not, ends that.
    #[must_use]
    pub const fn is_outcome_unknown(self) -> bool {
        matches!(self, R::DeadlineElapsed | R::Unavailable | R::Unrecognised)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            R::InvalidKey => "VENUE_INVALID_KEY",
            R::InvalidSignature => "VENUE_INVALID_SIGNATURE",
            R::InvalidNonce => "VENUE_INVALID_NONCE",
            R::RateLimited => "VENUE_RATE_LIMITED",
            R::PermissionDenied => "VENUE_PERMISSION_DENIED",
            R::Lockout => "VENUE_LOCKOUT",
            R::InvalidArguments => "VENUE_INVALID_ARGUMENTS",
            R::UnknownInstrument => "VENUE_UNKNOWN_INSTRUMENT",
            R::InvalidSession => "VENUE_INVALID_SESSION",
            R::InsufficientFunds => "VENUE_INSUFFICIENT_FUNDS",
            R::OrderMinimum => "VENUE_ORDER_MINIMUM",
            R::CostMinimum => "VENUE_COST_MINIMUM",
            R::TickSize => "VENUE_TICK_SIZE",
            R::InvalidPrice => "VENUE_INVALID_PRICE",
            R::OrdersLimit => "VENUE_ORDERS_LIMIT",
            R::UnknownOrder => "VENUE_UNKNOWN_ORDER",
            R::PostOnly => "VENUE_POST_ONLY",
            R::Position => "VENUE_POSITION",
            R::MarketMode => "VENUE_MARKET_MODE",
            R::DeadlineElapsed => "VENUE_DEADLINE_ELAPSED",
            R::Unavailable => "VENUE_UNAVAILABLE",
            R::Unrecognised => "VENUE_UNRECOGNISED",
        }
    }
}

/// What the venue says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemStatus {
    /// Everything works.
    Online,
    /// Nothing works.
    Maintenance,
    /// Orders can only be taken back.
    CancelOnly,
    /// Orders that would take are refused.
    PostOnly,
}

impl SystemStatus {
    /// The venue's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Maintenance => "maintenance",
            Self::CancelOnly => "cancel_only",
            Self::PostOnly => "post_only",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Online, Self::Maintenance, Self::CancelOnly, Self::PostOnly]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_recognised_and_doubt_is_kept() {
        let check = |text: &str, refusal: VenueRefusal, unknown: bool| {
            assert_eq!(VenueRefusal::from_text(text), refusal, "{text}");
            assert_eq!(refusal.is_outcome_unknown(), unknown, "{text}");
        };
        check("EAPI:Invalid nonce", R::InvalidNonce, false);
        check("EOrder:Insufficient funds", R::InsufficientFunds, false);
        check("EGeneral:Invalid arguments:volume", R::InvalidArguments, false);
        check("EService:Market in cancel_only mode", R::MarketMode, false);
        check("EService:Deadline elapsed", R::DeadlineElapsed, true);
        check("EService:Busy", R::Unavailable, true);
        check("EService: Throttled: 1688667796", R::Unavailable, true);
        check("EGeneral:Internal error", R::Unavailable, true);
        check("EOrder:Something new", R::Unrecognised, true);
        check("", R::Unrecognised, true);
    }

    #[test]
    fn every_text_of_the_table_is_reachable() {
        for (text, refusal) in TABLE {
            assert_eq!(VenueRefusal::from_text(text), refusal, "{text}");
        }
    }
}
