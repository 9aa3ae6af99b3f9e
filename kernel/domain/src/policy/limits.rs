//! Everything that a session may not exceed.
//!
//! Limits exist per strategy, instrument, account, venue and host; where several speak of the same
//! thing, the stricter holds. Losses, exposures and fees of all instruments are counted in the
//! currency of the account.

use std::collections::BTreeMap;

use super::keys::limit_table;
use super::{Direction, LimitTable};
use crate::ids::{InstrumentId, Name};
use crate::money::{Money, Px, Qty, Rate};
use crate::time::WallNs;

limit_table! {
    /// Limits of one instrument.
    pub struct InstrumentLimits {
        /// Base quantity of one order.
        order_qty_max: Qty, Qty, SmallerIsStricter, "MAX_ORDER_QTY";
        /// Value of one order.
        order_notional_max: Money, QuoteMoney, SmallerIsStricter, "MAX_ORDER_NOTIONAL";
        /// Base quantity held, worst case of position and working orders, either way.
        position_qty_max: Qty, Qty, SmallerIsStricter, "MAX_POSITION";
        /// Base quantity short, worst case of position and working orders; zero admits no short.
        short_qty_max: Qty, Qty, SmallerIsStricter, "SHORT_NOT_ALLOWED", zero;
        /// Value at risk in the instrument, worst case of position and working orders.
        exposure_max: Money, Money, SmallerIsStricter, "MAX_SYMBOL_EXPOSURE";
        /// Lowest price that any order may have, whatever the market says.
        price_min: Px, Px, LargerIsStricter, "PRICE_BOUND";
        /// Highest price that any order may have, whatever the market says.
        price_max: Px, Px, SmallerIsStricter, "PRICE_BOUND";
        /// Distance of an order's price from the middle of the quote.
        price_collar_bps: u32, BasisPoints, SmallerIsStricter, "PRICE_COLLAR";
        /// Distance of an order's price from the middles seen within the window.
        price_collar_window_bps: u32, BasisPoints, SmallerIsStricter, "PRICE_COLLAR_WINDOW";
        /// Length of that window.
        price_collar_window_ms: u32, Milliseconds, LargerIsStricter, "PRICE_COLLAR_WINDOW";
        /// Age of the newest quote.
        market_data_age_ms_max: u32, Milliseconds, SmallerIsStricter, "STALE_MARKET_DATA";
        /// Age of the instrument's metadata.
        metadata_age_ms_max: u32, Milliseconds, SmallerIsStricter, "INSTRUMENT_STALE";
        /// Time within which the same order again is taken for a slip.
        duplicate_window_ms: u32, Milliseconds, LargerIsStricter, "DUPLICATE_INTENT", zero;
        /// Pause for new exposure after a position was made smaller.
        cooldown_ms: u32, Milliseconds, LargerIsStricter, "COOLDOWN", zero;
    }
}

limit_table! {
    /// What one strategy may do, or all of them together on one account, venue or host.
    pub struct ActivityLimits {
        /// Value of one order.
        order_value_max: Money, Money, SmallerIsStricter, "MAX_ORDER_NOTIONAL";
        /// Worst-case value at risk in all instruments.
        gross_exposure_max: Money, Money, SmallerIsStricter, "MAX_GROSS_EXPOSURE";
        /// Orders that can still trade.
        open_orders_max: u32, Count, SmallerIsStricter, "MAX_OPEN_ORDERS";
        /// Instruments with a position or a working order.
        open_positions_max: u32, Count, SmallerIsStricter, "MAX_OPEN_POSITIONS";
        /// Proposals that wait for a person.
        open_proposals_max: u32, Count, SmallerIsStricter, "MAX_OPEN_PROPOSALS";
        /// Orders of the session.
        orders_per_session_max: u32, Count, SmallerIsStricter, "MAX_ORDERS_PER_SESSION";
        /// Submits and amends within any second; a share of it is kept for cancels.
        messages_per_second_max: u32, Count, SmallerIsStricter, "MAX_MSG_RATE";
        /// Loss since the opening of the session, fills and marks and fees.
        loss_session_max: Money, Money, SmallerIsStricter, "MAX_LOSS_SESSION";
        /// Fall of the profit from its highest point in the session.
        drawdown_max: Money, Money, SmallerIsStricter, "MAX_DRAWDOWN";
        /// Sum of what fills of the session cost against the middle of the quote.
        adverse_fill_max: Money, Money, SmallerIsStricter, "MAX_ADVERSE_FILL";
        /// Fees of the session.
        fees_max: Money, Money, SmallerIsStricter, "MAX_FEES";
        /// Executions within the window after which a person has to let it go on.
        repeat_executions_max: u32, Count, SmallerIsStricter, "REPEAT_EXEC_THROTTLE";
        /// Length of that window.
        repeat_window_ms: u32, Milliseconds, LargerIsStricter, "REPEAT_EXEC_THROTTLE";
    }
}

limit_table! {
    /// What an account may do across sessions. The day begins at midnight UTC, the week on Monday.
    pub struct StandingLimits {
        /// Value of all orders approved on one day.
        daily_notional_max: Money, Money, SmallerIsStricter, "MAX_DAILY_NOTIONAL";
        /// Loss since the beginning of the day.
        loss_day_max: Money, Money, SmallerIsStricter, "MAX_LOSS_DAY";
        /// Loss since the beginning of the week.
        loss_week_max: Money, Money, SmallerIsStricter, "MAX_LOSS_WEEK";
        /// Worst-case value at risk as a multiple of what the account is worth.
        leverage_hundredths_max: u32, Hundredths, SmallerIsStricter, "MAX_LEVERAGE";
    }
}

limit_table! {
    /// Rules of the whole session.
    pub struct Rules {
        /// Age of the newest reading of the account.
        account_age_ms_max: u32, Milliseconds, SmallerIsStricter, "STALE_ACCOUNT";
        /// Distance of our clock from the venue's.
        clock_skew_ms_max: u32, Milliseconds, SmallerIsStricter, "CLOCK_SKEW";
        /// Age of a conversion price.
        conversion_age_ms_max: u32, Milliseconds, SmallerIsStricter, "NO_CONVERSION_PRICE";
        /// Added to every converted exposure and loss, taken off every converted profit.
        conversion_haircut_bps: u32, BasisPoints, LargerIsStricter, "NO_CONVERSION_PRICE", zero;
        /// Share of a limit from which on people are warned.
        warning_percent: u32, Percent, SmallerIsStricter, "WARNING";
        /// Share of every message budget that only cancels and reductions may use.
        cancel_share_percent: u32, Percent, LargerIsStricter, "MAX_MSG_RATE";
        /// Time for which a proposal can be released.
        proposal_ttl_ms: u32, Milliseconds, SmallerIsStricter, "RELEASE_EXPIRED";
        /// Distance of the market from where it stood when a proposal was shown.
        price_drift_bps: u32, BasisPoints, SmallerIsStricter, "PRICE_DRIFT";
    }
}

/// Limits of an account, a venue or a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeLimits {
    /// Within a session.
    pub activity: ActivityLimits,
    /// Across sessions.
    pub standing: StandingLimits,
}

/// A price of one currency in the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// Account currency for one of it.
    pub rate: Rate,
    /// When that was so.
    pub as_of: WallNs,
}

/// Everything that a session may not exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Currency in which losses, exposures and fees are counted.
    pub currency: String,
    /// Prices of other currencies in it.
    pub conversions: BTreeMap<String, Conversion>,
    /// Rules of the whole session.
    pub rules: Rules,
    /// The account.
    pub account: ScopeLimits,
    /// The venue.
    pub venue: ScopeLimits,
    /// The host.
    pub host: ScopeLimits,
    /// Each strategy, by its name in the session. One without an entry may not trade.
    pub strategies: BTreeMap<Name, ActivityLimits>,
    /// Each instrument that may be traded. One without an entry may not.
    pub instruments: BTreeMap<InstrumentId, InstrumentLimits>,
}

/// Key by key the stricter of two tables.
#[must_use]
pub fn stricter<T: LimitTable + Clone>(one: &T, other: &T) -> T {
    let mut strictest = one.clone();
    for row in T::ROWS {
        let (a, b) = ((row.get)(one), (row.get)(other));
        let number = match row.stricter {
            Direction::SmallerIsStricter => a.min(b),
            Direction::LargerIsStricter => a.max(b),
        };
        // Both numbers fit this key already, so the stricter of them does.
        if (row.put)(&mut strictest, number).is_none() {
            return one.clone();
        }
    }
    strictest
}

impl ScopeLimits {
    /// Key by key the stricter of two scopes.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        Self {
            activity: stricter(&self.activity, &other.activity),
            standing: stricter(&self.standing, &other.standing),
        }
    }
}
