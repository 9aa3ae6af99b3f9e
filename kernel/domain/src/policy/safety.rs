//! What keeps the house safe beyond the limits: one file's worth, taken on at the start.

use super::guards::GuardRules;
use super::returning::ReturnPlan;
use super::triggers::Triggers;

/// The longest that the seal of a pack may take, whatever a policy says.
pub const SEAL_HOURS_FLOOR: u32 = 24;

/// Guards, triggers and the way back after a kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safety {
    /// Who must be alive beyond the floor.
    pub guards: GuardRules,
    /// When the house stops itself.
    pub triggers: Triggers,
    /// How size comes back after an unkill.
    pub returning: ReturnPlan,
    /// How long the pack of an ended session may wait for its seal before nothing more is opened.
    pub seal_hours_max: u32,
}
