//! Which guards have to be alive, by phase and kind of endpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Phase;

/// Something outside of the kernel that has to be seen alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// The process beside the kernel that can stop and clear it.
    Guardian,
    /// The signer of checkpoints.
    Witness,
    /// The venue's own switch, which cancels when it is not renewed.
    DeadMan,
    /// The operator in charge.
    Presence,
    /// Whoever copies the evidence, where a phase bounds what may lie on one disk alone.
    Scribe,
}

impl Guard {
    /// All guards.
    pub const ALL: [Self; 5] =
        [Self::Guardian, Self::Witness, Self::DeadMan, Self::Presence, Self::Scribe];

    /// The name in entries, policy and status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guardian => "guardian",
            Self::Witness => "witness",
            Self::DeadMan => "dead-man",
            Self::Presence => "presence",
            Self::Scribe => "scribe",
        }
    }

    /// The guard of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.name() == name)
    }

    /// The code under which its absence denies new exposure.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Guardian => "GUARDIAN_DOWN",
            Self::Witness => "WITNESS_BEHIND",
            Self::DeadMan => "DEADMAN_STALE",
            Self::Presence => "PRESENCE_LAPSED",
            Self::Scribe => "REPLICATION_BEHIND",
        }
    }

    /// Longest time for which one beat counts, in milliseconds, whatever it says of itself.
    /// A beat that is valid for ever would be a switch that is off.
    #[must_use]
    pub const fn beat_ms_max(self) -> u32 {
        match self {
            Self::Guardian | Self::Scribe => 60_000,
            Self::DeadMan => 300_000,
            Self::Presence => 900_000,
            Self::Witness => 3_600_000,
        }
    }
}

/// Endpoints as the guards see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Recorded or simulated: nothing reaches anybody outside.
    Inside,
    /// Somebody else's venue, its sandbox included.
    Outside,
}

/// What must be alive at least. Policy can add to it and take nothing away.
#[must_use]
pub fn guard_floor(phase: Phase, reach: Reach) -> BTreeSet<Guard> {
    let mut floor = BTreeSet::new();
    // Orders that rest at somebody else's venue outlive a kernel that dies.
    if phase >= Phase::PreLive || (reach == Reach::Outside && phase >= Phase::Paper) {
        floor.insert(Guard::DeadMan);
    }
    if phase >= Phase::PreLive {
        floor.insert(Guard::Guardian);
    }
    if phase >= Phase::ManualLive {
        floor.insert(Guard::Witness);
    }
    if matches!(phase, Phase::ManualLive | Phase::MonitoredAuto) {
        floor.insert(Guard::Presence);
    }
    floor
}

/// What must be alive beyond the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardRules {
    /// By phase, on every kind of endpoint. A phase that is not listed adds nothing.
    pub more: BTreeMap<Phase, BTreeSet<Guard>>,
    /// How long before its confirmed trigger time the venue's dead-man switch counts as stale, in
    /// milliseconds: one renewal.
    pub dead_man_renewal_ms: u32,
    /// By phase, how many bytes of evidence may lie on this disk alone, as far as the scribe says.
    /// A phase that is not listed does not ask it.
    pub unreplicated_bytes_max: BTreeMap<Phase, u64>,
}

/// Everything that must be alive in that phase on that endpoint.
#[must_use]
pub fn guards_required(rules: Option<&GuardRules>, phase: Phase, reach: Reach) -> BTreeSet<Guard> {
    let mut required = guard_floor(phase, reach);
    required.extend(rules.and_then(|rules| rules.more.get(&phase)).into_iter().flatten());
    let bound = rules.and_then(|rules| rules.unreplicated_bytes_max.get(&phase));
    required.extend(bound.map(|_| Guard::Scribe));
    required
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(phase: Phase, reach: Reach, expect: &[Guard]) {
        let floor: Vec<Guard> = guard_floor(phase, reach).into_iter().collect();
        assert_eq!(floor, expect, "{phase:?} {reach:?}");
    }

    #[test]
    fn the_floor_is_that_of_the_design() {
        use Guard::{DeadMan, Guardian, Presence, Witness};
        for phase in [Phase::Foundation, Phase::Shadow, Phase::Paper, Phase::BoundedAuto] {
            check(phase, Reach::Inside, &[]);
        }
        check(Phase::Shadow, Reach::Outside, &[]);
        check(Phase::Paper, Reach::Outside, &[DeadMan]);
        for reach in [Reach::Inside, Reach::Outside] {
            check(Phase::PreLive, reach, &[Guardian, DeadMan]);
            check(Phase::ManualLive, reach, &[Guardian, Witness, DeadMan, Presence]);
            check(Phase::MonitoredAuto, reach, &[Guardian, Witness, DeadMan, Presence]);
            check(Phase::Continuous, reach, &[Guardian, Witness, DeadMan]);
        }
    }

    /// F12: a policy can demand more and never less.
    #[test]
    fn f12_policy_adds_to_the_floor_and_takes_nothing_away() {
        let more = BTreeMap::from([(Phase::Paper, BTreeSet::from([Guard::Witness]))]);
        let unreplicated_bytes_max = BTreeMap::from([(Phase::Shadow, 1)]);
        let rules = GuardRules { more, dead_man_renewal_ms: 1, unreplicated_bytes_max };
        for phase in Phase::ALL {
            for reach in [Reach::Inside, Reach::Outside] {
                let required = guards_required(Some(&rules), phase, reach);
                assert!(required.is_superset(&guard_floor(phase, reach)));
                assert_eq!(required.contains(&Guard::Witness), {
                    phase == Phase::Paper || phase >= Phase::ManualLive
                });
                assert_eq!(required.contains(&Guard::Scribe), phase == Phase::Shadow);
            }
        }
    }
}
