//! Limits and phase rules as plain data. There is no `Default`, no "unlimited" and no negative.

pub mod guards;
pub mod returning;
pub mod safety;
pub mod triggers;

use std::collections::BTreeMap;

use crate::ids::{InstrumentId, Phase, Role};
use crate::money::{Money, Qty};
use crate::time::NS_PER_S;

/// Which way a key is stricter, so that "tighter" can be decided key by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A smaller number admits less.
    SmallerIsStricter,
    /// A larger number admits less.
    LargerIsStricter,
}

/// Limits of one instrument. The quantity unit is 10^-`qty_scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentLimits {
    /// `MAX_ORDER_QTY`: base quantity of one order.
    pub order_qty_max: Qty,
    /// `MAX_ORDER_NOTIONAL`: value of one order in the quote currency.
    pub order_notional_max: Money,
    /// `MAX_POSITION`: base quantity held, worst case of position and working orders, either way.
    pub position_qty_max: Qty,
    /// `PRICE_COLLAR`: distance of an order's price from the reference, in basis points.
    pub price_collar_bps: u32,
    /// `STALE_MARKET_DATA`: age of the newest quote, in milliseconds.
    pub market_data_age_ms_max: u32,
}

/// Limits of the account as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// `MAX_OPEN_ORDERS`: orders that can still trade.
    pub open_orders_max: u32,
    /// `MAX_MSG_RATE`: submits within any second. Cancels have a budget of their own.
    pub messages_per_second_max: u32,
}

/// Everything that a session may not exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The account.
    pub account: AccountLimits,
    /// Each instrument that may be traded. One without an entry may not.
    pub instruments: BTreeMap<InstrumentId, InstrumentLimits>,
}

/// Who signs a session of one phase, and for how long it may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseRule {
    /// One distinct person with a distinct key for each entry.
    pub signers: Vec<Role>,
    /// Longest window of an approval, in nanoseconds.
    pub window_ns_max: i64,
}

/// The rule of each phase in which a session can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseRules {
    /// By phase; a phase without a rule opens nothing.
    pub rules: BTreeMap<Phase, PhaseRule>,
}

const HOUR_NS: i64 = 3_600 * NS_PER_S;

/// The runbook's own rule of a phase. Policy files may only be stricter.
#[must_use]
pub fn phase_floor(phase: Phase) -> Option<PhaseRule> {
    let two = vec![Role::Operator, Role::Approver];
    let (signers, hours) = match phase {
        Phase::Foundation => return None,
        Phase::Shadow | Phase::Paper => (vec![Role::Operator], 7 * 24),
        Phase::BoundedAuto => (two, 24),
        Phase::PreLive | Phase::ManualLive | Phase::MonitoredAuto | Phase::Continuous => (two, 12),
    };
    Some(PhaseRule { signers, window_ns_max: HOUR_NS.saturating_mul(hours) })
}

impl PhaseRule {
    /// Whether this rule asks for at least what `floor` asks for.
    #[must_use]
    pub fn is_at_least(&self, floor: &Self) -> bool {
        self.window_ns_max <= floor.window_ns_max
            && floor.signers.iter().all(|role| self.signers.contains(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_people_from_phase_three_and_nobody_in_phase_zero() {
        assert_eq!(phase_floor(Phase::Foundation), None);
        for phase in Phase::ALL.into_iter().filter(|phase| *phase >= Phase::BoundedAuto) {
            assert_eq!(phase_floor(phase).unwrap().signers.len(), 2);
        }
    }

    #[test]
    fn a_rule_is_not_below_its_floor() {
        let floor = phase_floor(Phase::Paper).unwrap();
        let stricter = PhaseRule {
            signers: vec![Role::Operator, Role::Approver],
            window_ns_max: floor.window_ns_max / 2,
        };
        let longer = PhaseRule { window_ns_max: floor.window_ns_max + 1, ..floor.clone() };
        let unsigned = PhaseRule { signers: vec![], ..floor.clone() };
        assert!(stricter.is_at_least(&floor));
        assert!(!longer.is_at_least(&floor));
        assert!(!unsigned.is_at_least(&floor));
    }
}
