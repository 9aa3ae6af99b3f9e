//! `policies/phases.toml`.

use std::collections::BTreeMap;

use portcullis_domain::policy::{PhaseRule, PhaseRules, phase_floor};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Phase, Role};
use serde::Deserialize;

use crate::ladder::Demands;
use crate::{Hashed, PolicyError, read};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    phases: BTreeMap<String, RawRule>,
    /// Numbers of the ladder that are stricter than the runbook's.
    #[serde(default)]
    criteria: BTreeMap<String, i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    signers: Vec<String>,
    window_hours_max: u32,
}

/// Reads what the ladder asks for: the runbook's numbers, and stricter ones of the file.
pub fn parse_demands(bytes: &[u8]) -> Result<Demands, PolicyError> {
    Demands::new(&read::<Raw>(bytes)?.value.criteria)
}

/// Reads the phase rules. A phase that is not named opens nothing.
pub fn parse_phases(bytes: &[u8]) -> Result<Hashed<PhaseRules>, PolicyError> {
    let Hashed { value: raw, digest } = read::<Raw>(bytes)?;
    Demands::new(&raw.criteria)?;
    let mut rules = BTreeMap::new();
    for (name, raw) in raw.phases {
        let unknown = || PolicyError::UnknownName(format!("phase {name}"));
        let phase = name.parse().ok().and_then(Phase::from_number).ok_or_else(unknown)?;
        let floor = phase_floor(phase).ok_or(PolicyError::BelowFloor(phase))?;
        let known = |name: String| Role::from_name(&name).ok_or(PolicyError::UnknownName(name));
        let rule = PhaseRule {
            signers: raw.signers.into_iter().map(known).collect::<Result<_, _>>()?,
            window_ns_max: i64::from(raw.window_hours_max)
                .saturating_mul(3_600)
                .saturating_mul(NS_PER_S),
        };
        if !rule.is_at_least(&floor) || rule.window_ns_max == 0 {
            return Err(PolicyError::BelowFloor(phase));
        }
        rules.insert(phase, rule);
    }
    Ok(Hashed { value: PhaseRules { rules }, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<usize, &str>) {
        let read = parse_phases(text.as_bytes());
        let seen = read.map(|rules| rules.value.rules.len()).map_err(|error| error.code());
        assert_eq!(seen, expect, "{text}");
    }

    #[test]
    fn rules_may_be_stricter_than_the_runbook_and_never_laxer() {
        let rule = |phase: &str, signers: &str, hours: &str| {
            format!("[phases.{phase}]\nsigners = [{signers}]\nwindow_hours_max = {hours}\n")
        };
        check(&rule("2", "\"operator\"", "168"), Ok(1));
        check(&rule("2", "\"operator\", \"approver\"", "1"), Ok(1));
        check(&rule("2", "", "1"), Err("POLICY_BELOW_FLOOR"));
        check(&rule("2", "\"operator\"", "169"), Err("POLICY_BELOW_FLOOR"));
        check(&rule("2", "\"operator\"", "0"), Err("POLICY_BELOW_FLOOR"));
        check(&rule("3", "\"operator\"", "1"), Err("POLICY_BELOW_FLOOR"));
        check(&rule("0", "\"operator\"", "1"), Err("POLICY_BELOW_FLOOR"));
        check(&rule("8", "\"operator\"", "1"), Err("POLICY_UNKNOWN_NAME"));
        check(&rule("2", "\"king\"", "1"), Err("POLICY_UNKNOWN_NAME"));
        check("[phases.2]\nsigners = [\"operator\"]\n", Err("POLICY_SYNTAX"));
    }
}
