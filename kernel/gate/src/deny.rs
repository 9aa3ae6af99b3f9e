//! Denials: the gate's normal "no", with a stable code and the numbers behind it.

use portcullis_domain::number::format_scaled_short;
use portcullis_domain::{Instrument, Money, Px, Qty};

/// Why the gate said no. Codes and numbers are append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenyCode {
    /// The kill latch is down.
    KillActive,
    /// No session is open.
    ApprovalMissing,
    /// The session's approval has expired.
    ApprovalExpired,
    /// Before or after the session's window, or the session is closing.
    OutsideSessionWindow,
    /// The phase admits no order at all.
    PhaseForbids,
    /// The phase is live and locked.
    LiveLocked,
    /// The running component is not the one that was signed.
    HashNotSigned,
    /// The plugin failed or was stopped.
    PluginSuspended,
    /// The instrument is not in the approval.
    InstrumentNotAllowed,
    /// The kind of intent, order type or flag is not part of this version.
    OrderTypeNotAllowed,
    /// The plugin used this order number before.
    DuplicateIntent,
    /// The price is not a whole number of ticks.
    TickSize,
    /// The quantity is not a whole number of lots, or below the smallest.
    LotSize,
    /// The value is below the venue's smallest.
    MinNotional,
    /// The quantity is above the limit.
    MaxOrderQty,
    /// The value is above the limit.
    MaxOrderNotional,
    /// Position and working orders together would be above the limit.
    MaxPosition,
    /// The account does not hold what the order needs.
    InsufficientBalance,
    /// The account's balances are not known.
    StaleAccount,
    /// There is no quote to judge a price by.
    NoReferencePrice,
    /// The book broke its sequence and has not been rebuilt.
    BookInvalid,
    /// The newest quote is too old.
    StaleMarketData,
    /// The price is too far from the reference.
    PriceCollar,
    /// Too many orders are working.
    MaxOpenOrders,
    /// Too many submits within a second.
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
    /// The order waited longer than its deadline.
    ReleaseExpired,
}

use DenyCode as C;

/// One row of the table: number, code, meaning, and whether it also denies a provable reduction.
type Row = (DenyCode, &'static str, &'static str, bool);

/// The whole table. Rows are appended, never changed: numbers cross the plugin interface.
const ROWS: [Row; 31] = [
    (C::KillActive, "KILL_ACTIVE", "the kill latch is down", true),
    (C::ApprovalMissing, "APPROVAL_MISSING", "no session is open", true),
    (C::ApprovalExpired, "APPROVAL_EXPIRED", "the session's approval has expired", true),
    (C::OutsideSessionWindow, "OUTSIDE_SESSION_WINDOW", "outside the session's window", true),
    (C::PhaseForbids, "PHASE_FORBIDS", "the phase admits no order", true),
    (C::LiveLocked, "LIVE_LOCKED", "the phase is live and locked", true),
    (C::HashNotSigned, "HASH_NOT_SIGNED", "the running component was not signed", true),
    (C::PluginSuspended, "PLUGIN_SUSPENDED", "the plugin failed or was stopped", true),
    (C::InstrumentNotAllowed, "INSTRUMENT_NOT_ALLOWED", "not in the approval", true),
    (C::OrderTypeNotAllowed, "ORDER_TYPE_NOT_ALLOWED", "not part of this version", true),
    (C::DuplicateIntent, "DUPLICATE_INTENT", "the order number was used before", true),
    (C::TickSize, "TICK_SIZE", "the price is not a whole number of ticks", true),
    (C::LotSize, "LOT_SIZE", "the quantity is not a whole number of lots", true),
    (C::MinNotional, "MIN_NOTIONAL", "the value is below the venue's smallest", true),
    (C::MaxOrderQty, "MAX_ORDER_QTY", "the quantity is above the limit", true),
    (C::MaxOrderNotional, "MAX_ORDER_NOTIONAL", "the value is above the limit", true),
    (C::MaxPosition, "MAX_POSITION", "the worst-case position is above the limit", false),
    (C::InsufficientBalance, "INSUFFICIENT_BALANCE", "the account does not hold it", true),
    (C::StaleAccount, "STALE_ACCOUNT", "the account's balances are not known", false),
    (C::NoReferencePrice, "NO_REFERENCE_PRICE", "no quote to judge the price by", false),
    (C::BookInvalid, "BOOK_INVALID", "the book broke its sequence", false),
    (C::StaleMarketData, "STALE_MARKET_DATA", "the newest quote is too old", false),
    (C::PriceCollar, "PRICE_COLLAR", "the price is too far from the reference", true),
    (C::MaxOpenOrders, "MAX_OPEN_ORDERS", "too many orders are working", false),
    (C::MaxMsgRate, "MAX_MSG_RATE", "too many submits within a second", false),
    (C::ReconUnresolved, "RECON_UNRESOLVED", "account and house disagree", true),
    (C::OrderUnknown, "ORDER_UNKNOWN", "an order has an unknown fate", true),
    (C::ReduceOnly, "REDUCE_ONLY", "only reductions are allowed", false),
    (C::EvidenceUnwritable, "EVIDENCE_UNWRITABLE", "evidence or outbox is full", true),
    (C::ReleaseRevoked, "RELEASE_REVOKED", "authority was withdrawn before the wire", true),
    (C::ReleaseExpired, "RELEASE_EXPIRED", "the order waited beyond its deadline", true),
];

impl DenyCode {
    /// Every code, in the order of the numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.into_iter().map(|(code, ..)| code)
    }

    fn row(self) -> (u16, Row) {
        let found = (1_u16..).zip(ROWS).find(|(_, (code, ..))| *code == self);
        // Every variant has a row; a test holds that, and the fallback denies everything.
        found.unwrap_or((0, (self, "UNLISTED", "not in the table", true)))
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

    /// Whether it holds for orders that can only make the position smaller. Staleness, count and
    /// rate limits do not: failing closed must never lock the exit.
    #[must_use]
    pub fn denies_reduction(self) -> bool {
        self.row().1.3
    }

    /// The code of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|candidate| candidate.code() == code)
    }
}

/// A number with its scale, for the record. Text is made at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    units: i128,
    scale: u8,
}

impl Figure {
    /// A count or a duration.
    #[must_use]
    pub fn count(value: i64) -> Self {
        Self { units: i128::from(value), scale: 0 }
    }

    /// A quantity of `instrument`.
    #[must_use]
    pub fn qty(value: Qty, instrument: &Instrument) -> Self {
        Self { units: i128::from(value.units()), scale: instrument.qty_scale }
    }

    /// A price of `instrument`.
    #[must_use]
    pub fn px(value: Px, instrument: &Instrument) -> Self {
        Self { units: i128::from(value.units()), scale: instrument.price_scale }
    }

    /// An amount of money.
    #[must_use]
    pub fn money(value: Money) -> Self {
        Self { units: value.0, scale: Money::SCALE }
    }

    /// Decimal text.
    #[must_use]
    pub fn text(self) -> String {
        format_scaled_short(self.units, self.scale)
    }
}

/// A denial is a normal answer, not an error: the order never existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub code: DenyCode,
    /// What was seen, where a number was judged.
    pub observed: Option<Figure>,
    /// What is allowed.
    pub limit: Option<Figure>,
}

impl Denial {
    /// A denial in which no number was judged.
    #[must_use]
    pub const fn plain(code: DenyCode) -> Self {
        Self { code, observed: None, limit: None }
    }

    /// A denial of `observed` against `limit`.
    #[must_use]
    pub const fn over(code: DenyCode, observed: Figure, limit: Figure) -> Self {
        Self { code, observed: Some(observed), limit: Some(limit) }
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
        assert_eq!(DenyCode::ReleaseExpired.number(), 31);
    }
}
