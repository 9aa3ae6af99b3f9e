//! The codes of the gate: one row each, with what it means, what would make the order pass, and
//! for which acts it holds. The numbers cross the plugin interface; rows are appended, never
//! changed.

/// Why the gate said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenyCode {
    /// The kill latch is down, or a stop covers this order.
    KillActive,
    /// No session is open, or the approval says nothing of this strategy.
    ApprovalMissing,
    /// The session's approval has expired.
    ApprovalExpired,
    /// Before or after the session's window, or the session is closing.
    OutsideSessionWindow,
    /// The phase admits no such order.
    PhaseForbids,
    /// The phase is live and locked.
    LiveLocked,
    /// The running component is not the one that was signed.
    HashNotSigned,
    /// The plugin failed or was stopped.
    PluginSuspended,
    /// The instrument is not in the approval.
    InstrumentNotAllowed,
    /// The kind of intent, order type or flag is not admitted here.
    OrderTypeNotAllowed,
    /// The order number was used before, or the same order was asked for just now.
    DuplicateIntent,
    /// The price is not a whole number of ticks.
    TickSize,
    /// The quantity is not a whole number of lots, or below the smallest.
    LotSize,
    /// The value is below the venue's smallest.
    MinNotional,
    /// The quantity is above the limit of one order.
    MaxOrderQty,
    /// The value is above the limit of one order.
    MaxOrderNotional,
    /// Position and working orders together would be above the limit.
    MaxPosition,
    /// The account does not hold what the order needs.
    InsufficientBalance,
    /// The account's balances are not known, or were read too long ago.
    StaleAccount,
    /// There is no price to judge by.
    NoReferencePrice,
    /// The book broke its sequence and has not been rebuilt.
    BookInvalid,
    /// The newest quote is too old.
    StaleMarketData,
    /// The price is too far from the reference.
    PriceCollar,
    /// Too many orders are working.
    MaxOpenOrders,
    /// Too many messages within a second.
    MaxMsgRate,
    /// The account and the house disagree, or have not been compared.
    ReconUnresolved,
    /// An order of this instrument has an unknown fate.
    OrderUnknown,
    /// Only reductions are allowed.
    ReduceOnly,
    /// The evidence cannot be written, or the outbox is full.
    EvidenceUnwritable,
    /// Authority was withdrawn between approval and wire.
    ReleaseRevoked,
    /// The order or the proposal waited longer than its deadline.
    ReleaseExpired,
    /// The price is too far from where the market stood within the window.
    PriceCollarWindow,
    /// The price is outside of the band that people signed.
    PriceBound,
    /// The value at risk in the instrument would be above the limit.
    MaxSymbolExposure,
    /// The value at risk in all instruments would be above the limit.
    MaxGrossExposure,
    /// The value at risk would be too large for what the account is worth.
    MaxLeverage,
    /// Too many instruments have a position or a working order.
    MaxOpenPositions,
    /// Too many proposals wait for a person.
    MaxOpenProposals,
    /// The session has had its orders.
    MaxOrdersPerSession,
    /// The day has had its value of orders.
    MaxDailyNotional,
    /// The venue's message budget is used up.
    VenueRateBudget,
    /// The instrument rests after a position was made smaller.
    Cooldown,
    /// The strategy was executed too often within the window and is disabled.
    RepeatExecThrottle,
    /// The session has lost as much as it may.
    MaxLossSession,
    /// The day has lost as much as it may.
    MaxLossDay,
    /// The week has lost as much as it may.
    MaxLossWeek,
    /// The profit has fallen from its highest point as far as it may.
    MaxDrawdown,
    /// Fills have cost as much against the market as they may.
    MaxAdverseFill,
    /// The session has paid as much in fees as it may.
    MaxFees,
    /// The order could leave the account short beyond the limit.
    ShortNotAllowed,
    /// The order could trade with a working order of this account.
    SelfCross,
    /// The market data is less real than the session's endpoint.
    SyntheticData,
    /// There is no fresh price of the currency in the account's.
    NoConversionPrice,
    /// The instrument's metadata is too old or changed.
    InstrumentStale,
    /// The venue does not take new orders, or has not said that it does.
    VenueStatus,
    /// The market moved too far since the proposal was shown.
    PriceDrift,
    /// Our clock and the venue's disagree, or were not compared.
    ClockSkew,
    /// The venue's dead-man switch is not confirmed for long enough.
    DeadmanStale,
    /// The guardian does not answer.
    GuardianDown,
    /// The witness has not cosigned lately.
    WitnessBehind,
    /// The strategy is still being told the past.
    WarmingUp,
    /// The operator has not shown presence lately.
    PresenceLapsed,
    /// More evidence than the phase allows lies on one disk alone, or nobody says how much.
    ReplicationBehind,
}

/// Which acts a code lets pass although it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spares {
    /// None.
    Nothing,
    /// A provable reduction by a person's closing rights or by a signed flatten plan.
    Flatten,
    /// Every provable reduction: failing closed must never lock the exit.
    Reductions,
}

/// What an order does to the position, whatever else fills first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It may make it larger.
    Increase,
    /// It can only make it smaller.
    Reduce,
    /// It can only make it smaller, and a person or a signed plan wants out.
    Flatten,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Increase, Self::Reduce, Self::Flatten];
}

use DenyCode as C;
use Spares::{Flatten, Nothing, Reductions};

/// One row: code, name, meaning, what would make it pass, what it spares.
type Row = (DenyCode, &'static str, &'static str, &'static str, Spares);

/// The whole table.
#[rustfmt::skip]
const ROWS: [Row; 63] = [
    (C::KillActive, "KILL_ACTIVE",
        "the kill latch is down, or a stop covers this order",
        "two people lift the kill or the stop", Flatten),
    (C::ApprovalMissing, "APPROVAL_MISSING",
        "no session is open, or the approval says nothing of this strategy",
        "open a session whose approval names it", Nothing),
    (C::ApprovalExpired, "APPROVAL_EXPIRED",
        "the session's approval has expired",
        "a new approval", Flatten),
    (C::OutsideSessionWindow, "OUTSIDE_SESSION_WINDOW",
        "before or after the session's window, or the session is closing",
        "wait for the window, or approve a new session", Flatten),
    (C::PhaseForbids, "PHASE_FORBIDS",
        "the phase admits no such order",
        "a session of a phase that admits it", Nothing),
    (C::LiveLocked, "LIVE_LOCKED",
        "the phase is live and locked",
        "a later phase, decided by people", Nothing),
    (C::HashNotSigned, "HASH_NOT_SIGNED",
        "the running component is not the one that was signed",
        "load the signed component", Nothing),
    (C::PluginSuspended, "PLUGIN_SUSPENDED",
        "the plugin failed or was stopped",
        "a person lifts the suspension in a new session", Nothing),
    (C::InstrumentNotAllowed, "INSTRUMENT_NOT_ALLOWED",
        "the instrument is not in the approval",
        "an approval and limits that name it", Nothing),
    (C::OrderTypeNotAllowed, "ORDER_TYPE_NOT_ALLOWED",
        "the kind of intent, order type or flag is not admitted here",
        "one of the kinds that the interface lists", Nothing),
    (C::DuplicateIntent, "DUPLICATE_INTENT",
        "the order number was used before, or the same order was asked for just now",
        "a new number, and a pause of the duplicate window", Nothing),
    (C::TickSize, "TICK_SIZE",
        "the price is not a whole number of ticks",
        "a price on the tick", Nothing),
    (C::LotSize, "LOT_SIZE",
        "the quantity is not a whole number of lots, or below the smallest",
        "a quantity of whole lots, not below the smallest", Nothing),
    (C::MinNotional, "MIN_NOTIONAL",
        "the value is below the venue's smallest",
        "a larger order", Nothing),
    (C::MaxOrderQty, "MAX_ORDER_QTY",
        "the quantity is above the limit of one order",
        "a smaller quantity", Nothing),
    (C::MaxOrderNotional, "MAX_ORDER_NOTIONAL",
        "the value is above the limit of one order",
        "a smaller quantity", Nothing),
    (C::MaxPosition, "MAX_POSITION",
        "position and working orders together would be above the limit",
        "cancel working orders, or reduce first", Reductions),
    (C::InsufficientBalance, "INSUFFICIENT_BALANCE",
        "the account does not hold what the order needs",
        "a smaller order, or free what working orders reserve", Nothing),
    (C::StaleAccount, "STALE_ACCOUNT",
        "the account's balances are not known, or were read too long ago",
        "wait for the next reading of the account", Reductions),
    (C::NoReferencePrice, "NO_REFERENCE_PRICE",
        "there is no price to judge by",
        "wait for quotes of every instrument that is held", Reductions),
    (C::BookInvalid, "BOOK_INVALID",
        "the book broke its sequence and has not been rebuilt",
        "wait for the book's resynchronisation", Reductions),
    (C::StaleMarketData, "STALE_MARKET_DATA",
        "the newest quote is too old",
        "wait for a fresh quote", Reductions),
    (C::PriceCollar, "PRICE_COLLAR",
        "the price is too far from the reference",
        "a price inside of the collar", Nothing),
    (C::MaxOpenOrders, "MAX_OPEN_ORDERS",
        "too many orders are working",
        "wait for one to end, or cancel one", Reductions),
    (C::MaxMsgRate, "MAX_MSG_RATE",
        "too many messages within a second",
        "ask again after a second", Reductions),
    (C::ReconUnresolved, "RECON_UNRESOLVED",
        "the account and the house disagree, or have not been compared",
        "explain or resolve the findings of `portcullis recon list`", Reductions),
    (C::OrderUnknown, "ORDER_UNKNOWN",
        "an order of this instrument has an unknown fate",
        "wait for the venue's word, or cancel that order", Reductions),
    (C::ReduceOnly, "REDUCE_ONLY",
        "only reductions are allowed",
        "an order that can only make the position smaller", Reductions),
    (C::EvidenceUnwritable, "EVIDENCE_UNWRITABLE",
        "the evidence cannot be written, or the outbox is full",
        "room in the journal and the outbox", Nothing),
    (C::ReleaseRevoked, "RELEASE_REVOKED",
        "authority was withdrawn between approval and wire",
        "ask again under the present authority", Nothing),
    (C::ReleaseExpired, "RELEASE_EXPIRED",
        "the order or the proposal waited longer than its deadline",
        "ask again", Nothing),
    (C::PriceCollarWindow, "PRICE_COLLAR_WINDOW",
        "the price is too far from where the market stood within the window",
        "wait until the market has stood there for the window", Reductions),
    (C::PriceBound, "PRICE_BOUND",
        "the price is outside of the band that people signed",
        "a price inside of the band, or a new approval", Reductions),
    (C::MaxSymbolExposure, "MAX_SYMBOL_EXPOSURE",
        "the value at risk in the instrument would be above the limit",
        "cancel working orders, or reduce first", Reductions),
    (C::MaxGrossExposure, "MAX_GROSS_EXPOSURE",
        "the value at risk in all instruments would be above the limit",
        "cancel working orders, or reduce first", Reductions),
    (C::MaxLeverage, "MAX_LEVERAGE",
        "the value at risk would be too large for what the account is worth",
        "reduce, or hold more", Reductions),
    (C::MaxOpenPositions, "MAX_OPEN_POSITIONS",
        "too many instruments have a position or a working order",
        "close one first", Reductions),
    (C::MaxOpenProposals, "MAX_OPEN_PROPOSALS",
        "too many proposals wait for a person",
        "wait until one is released, refused or expired", Reductions),
    (C::MaxOrdersPerSession, "MAX_ORDERS_PER_SESSION",
        "the session has had its orders",
        "a new session", Reductions),
    (C::MaxDailyNotional, "MAX_DAILY_NOTIONAL",
        "the day has had its value of orders",
        "wait for the next day (UTC)", Reductions),
    (C::VenueRateBudget, "VENUE_RATE_BUDGET",
        "the venue's message budget is used up",
        "ask again after a second", Reductions),
    (C::Cooldown, "COOLDOWN",
        "the instrument rests after a position was made smaller",
        "wait for the end of the cooldown", Reductions),
    (C::RepeatExecThrottle, "REPEAT_EXEC_THROTTLE",
        "the strategy was executed too often within the window and is disabled",
        "a person enables it again in a new session", Reductions),
    (C::MaxLossSession, "MAX_LOSS_SESSION",
        "the session has lost as much as it may",
        "a new session", Reductions),
    (C::MaxLossDay, "MAX_LOSS_DAY",
        "the day has lost as much as it may",
        "wait for the next day (UTC)", Reductions),
    (C::MaxLossWeek, "MAX_LOSS_WEEK",
        "the week has lost as much as it may",
        "wait for the next week (Monday, UTC)", Reductions),
    (C::MaxDrawdown, "MAX_DRAWDOWN",
        "the profit has fallen from its highest point as far as it may",
        "a new session", Reductions),
    (C::MaxAdverseFill, "MAX_ADVERSE_FILL",
        "fills have cost as much against the market as they may",
        "a new session, and a look at who trades against it", Reductions),
    (C::MaxFees, "MAX_FEES",
        "the session has paid as much in fees as it may",
        "a new session", Reductions),
    (C::ShortNotAllowed, "SHORT_NOT_ALLOWED",
        "the order could leave the account short beyond the limit",
        "sell no more than is held", Reductions),
    (C::SelfCross, "SELF_CROSS",
        "the order could trade with a working order of this account",
        "cancel that order first, or a price that does not cross it", Nothing),
    (C::SyntheticData, "SYNTHETIC_DATA",
        "the market data is less real than the session's endpoint",
        "connect the endpoint that was approved", Reductions),
    (C::NoConversionPrice, "NO_CONVERSION_PRICE",
        "there is no fresh price of the currency in the account's",
        "limits with a conversion price that is young enough", Reductions),
    (C::InstrumentStale, "INSTRUMENT_STALE",
        "the instrument's metadata is too old or changed",
        "approve the metadata anew", Reductions),
    (C::VenueStatus, "VENUE_STATUS",
        "the venue does not take new orders, or has not said that it does",
        "wait until the venue trades again", Reductions),
    (C::PriceDrift, "PRICE_DRIFT",
        "the market moved too far since the proposal was shown",
        "look at the proposal again and release it anew", Nothing),
    (C::ClockSkew, "CLOCK_SKEW",
        "our clock and the venue's disagree, or were not compared",
        "correct the clock", Reductions),
    (C::DeadmanStale, "DEADMAN_STALE",
        "the venue's dead-man switch is not confirmed for long enough",
        "wait for its renewal", Reductions),
    (C::GuardianDown, "GUARDIAN_DOWN",
        "the guardian does not answer",
        "start the guardian", Reductions),
    (C::WitnessBehind, "WITNESS_BEHIND",
        "the witness has not cosigned lately",
        "bring the witness up, or carry its cosignature", Reductions),
    (C::WarmingUp, "WARMING_UP",
        "the strategy is still being told the past",
        "wait for the first event that is not history", Nothing),
    (C::PresenceLapsed, "PRESENCE_LAPSED",
        "the operator has not shown presence lately",
        "the operator renews the presence", Reductions),
    (C::ReplicationBehind, "REPLICATION_BEHIND",
        "too much evidence lies on one disk alone, or nobody says how much",
        "let portcullis scribe copy run, and catch up", Reductions),
];

impl DenyCode {
    /// Every code, in the order of the numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0)
    }

    fn row(self) -> (u16, &'static Row) {
        const UNLISTED: Row = (C::KillActive, "UNLISTED", "not in the table", "nothing", Nothing);
        // Every variant has a row; a test holds that, and the fallback denies everything.
        (1..).zip(&ROWS).find(|(_, row)| row.0 == self).unwrap_or((0, &UNLISTED))
    }

    /// The number that plugins see, from 1.
    #[must_use]
    pub fn number(self) -> u16 {
        self.row().0
    }

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1.1
    }

    /// What it says in one line.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().1.2
    }

    /// What would make the order pass.
    #[must_use]
    pub fn cure(self) -> &'static str {
        self.row().1.3
    }

    /// What it lets pass.
    #[must_use]
    pub fn spares(self) -> Spares {
        self.row().1.4
    }

    /// Whether it holds for that act.
    #[must_use]
    pub fn denies(self, act: Act) -> bool {
        match (act, self.spares()) {
            (Act::Increase, _) | (_, Nothing) | (Act::Reduce, Flatten) => true,
            (Act::Flatten, Flatten | Reductions) | (Act::Reduce, Reductions) => false,
        }
    }

    /// The code of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|candidate| candidate.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_numbers_are_unique_and_read_back() {
        for (number, code) in (1..).zip(DenyCode::all()) {
            assert_eq!(code.number(), number);
            assert_eq!(DenyCode::from_code(code.code()), Some(code));
        }
        // The last variant of the enum has a row, and rows are as many as variants.
        assert_eq!(usize::from(DenyCode::ReplicationBehind.number()), ROWS.len());
    }
}
