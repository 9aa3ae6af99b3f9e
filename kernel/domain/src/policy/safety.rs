//! What keeps the house safe beyond the limits: one file's worth, taken on at the start.

use super::guards::GuardRules;
use super::returning::ReturnPlan;
use super::triggers::Triggers;

/// Guards, triggers and the way back after a kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safety {
    /// Who must be alive beyond the floor.
    pub guards: GuardRules,
    /// When the house stops itself.
    pub triggers: Triggers,
    /// How size comes back after an unkill.
    pub returning: ReturnPlan,
}
