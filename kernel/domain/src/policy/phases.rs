//! Who signs a session of which phase, and for how long it may run.

use std::collections::BTreeMap;

use crate::ids::{Phase, Role};
use crate::time::NS_PER_S;

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
