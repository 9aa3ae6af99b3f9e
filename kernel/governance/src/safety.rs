//! The safety policy: guards beyond the floor, triggers, and the way back after a kill.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::policy::guards::{Guard, GuardRules};
use portcullis_domain::policy::returning::{ReturnPlan, ReturnStep};
use portcullis_domain::policy::safety::{SEAL_HOURS_FLOOR, Safety};
use portcullis_domain::policy::triggers::{CountRow, LastingRow, LossRow, SkewRow, Triggers};
use portcullis_domain::{Money, Phase, StopMode};
use serde::Deserialize;

use crate::instrument::money;
use crate::{Hashed, PolicyError, read};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    guards: RawGuards,
    returning: RawReturning,
    sealing: RawSealing,
    triggers: RawTriggers,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSealing {
    hours_max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGuards {
    dead_man_renewal_ms: u32,
    more: BTreeMap<String, Vec<String>>,
    /// The one key that may be missing: without it nobody asks what is copied.
    #[serde(default)]
    unreplicated_bytes_max: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReturning {
    cooldown_ms: u32,
    steps: Vec<RawStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    after_ms: u32,
    percent: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTriggers {
    drawdown: RawLoss,
    daily_loss: RawLoss,
    heartbeat: RawLasting,
    disconnects: RawCount,
    stale_feed: RawLasting,
    clock_skew: RawSkew,
    unexplained_fill: RawAction,
    evidence: RawLasting,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLoss {
    loss: String,
    unknown_ms: u32,
    action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLasting {
    ms: u32,
    action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    count: u32,
    window_ms: u32,
    action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSkew {
    offset_ms: u32,
    age_ms: u32,
    action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    action: String,
}

/// Reads the safety policy. Every row is there, or the file is refused.
pub fn parse_safety(bytes: &[u8]) -> Result<Hashed<Safety>, PolicyError> {
    let Hashed { value: raw, digest } = read::<Raw>(bytes)?;
    let more = raw.guards.more.into_iter().map(phase_guards).collect::<Result<_, _>>()?;
    let guards = GuardRules {
        more,
        dead_man_renewal_ms: above_zero(
            "guards.dead_man_renewal_ms",
            raw.guards.dead_man_renewal_ms,
        )?,
        unreplicated_bytes_max: raw
            .guards
            .unreplicated_bytes_max
            .into_iter()
            .map(phase_bytes)
            .collect::<Result<_, _>>()?,
    };
    let step = |raw: RawStep| ReturnStep { after_ms: raw.after_ms, percent: raw.percent };
    let steps = raw.returning.steps.into_iter().map(step).collect();
    let returning =
        ReturnPlan::new(raw.returning.cooldown_ms, steps).ok_or(PolicyError::SizeSteps)?;
    let triggers = triggers(&raw.triggers)?;
    let seal_hours_max = above_zero("sealing.hours_max", raw.sealing.hours_max)?;
    if seal_hours_max > SEAL_HOURS_FLOOR {
        let cause = format!("is above {SEAL_HOURS_FLOOR}, the longest that a seal may take");
        return Err(PolicyError::Unfit { key: "sealing.hours_max".to_owned(), cause });
    }
    Ok(Hashed { value: Safety { guards, triggers, returning, seal_hours_max }, digest })
}

fn phase_guards(
    (phase, guards): (String, Vec<String>),
) -> Result<(Phase, BTreeSet<Guard>), PolicyError> {
    // Without a bound there is nothing to ask the scribe.
    let asked = |name: &str| Guard::from_name(name).filter(|guard| *guard != Guard::Scribe);
    let known = |name: String| asked(&name).ok_or(PolicyError::UnknownName(name));
    Ok((phase_of(&phase)?, guards.into_iter().map(known).collect::<Result<_, _>>()?))
}

fn phase_bytes((phase, bytes): (String, u64)) -> Result<(Phase, u64), PolicyError> {
    let key = || format!("guards.unreplicated_bytes_max.{phase}");
    // The journal never stands still, so what nobody can meet is no bound.
    if bytes == 0 {
        return Err(PolicyError::NotPositive { key: key() });
    }
    Ok((phase_of(&phase)?, bytes))
}

fn phase_of(phase: &str) -> Result<Phase, PolicyError> {
    let unknown = || PolicyError::UnknownName(format!("phase {phase}"));
    phase.parse().ok().and_then(Phase::from_number).ok_or_else(unknown)
}

fn triggers(raw: &RawTriggers) -> Result<Triggers, PolicyError> {
    Ok(Triggers {
        drawdown: loss("drawdown", &raw.drawdown)?,
        daily_loss: loss("daily_loss", &raw.daily_loss)?,
        heartbeat: lasting("heartbeat", &raw.heartbeat)?,
        disconnects: CountRow {
            count: above_zero("triggers.disconnects.count", raw.disconnects.count)?,
            window_ms: above_zero("triggers.disconnects.window_ms", raw.disconnects.window_ms)?,
            action: action(&raw.disconnects.action)?,
        },
        stale_feed: lasting("stale_feed", &raw.stale_feed)?,
        clock_skew: SkewRow {
            offset_ms: above_zero("triggers.clock_skew.offset_ms", raw.clock_skew.offset_ms)?,
            age_ms: above_zero("triggers.clock_skew.age_ms", raw.clock_skew.age_ms)?,
            action: action(&raw.clock_skew.action)?,
        },
        unexplained_fill: action(&raw.unexplained_fill.action)?,
        evidence: lasting("evidence", &raw.evidence)?,
    })
}

fn loss(row: &str, raw: &RawLoss) -> Result<LossRow, PolicyError> {
    let key = format!("triggers.{row}.loss");
    let loss = money(&key, &raw.loss)?;
    // A loss of nothing would fire at the opening.
    if loss == Money::ZERO {
        return Err(PolicyError::NotPositive { key });
    }
    let unknown_ms = above_zero(&format!("triggers.{row}.unknown_ms"), raw.unknown_ms)?;
    Ok(LossRow { loss, unknown_ms, action: action(&raw.action)? })
}

fn lasting(row: &str, raw: &RawLasting) -> Result<LastingRow, PolicyError> {
    let ms = above_zero(&format!("triggers.{row}.ms"), raw.ms)?;
    Ok(LastingRow { ms, action: action(&raw.action)? })
}

fn action(name: &str) -> Result<StopMode, PolicyError> {
    StopMode::from_name(name).ok_or_else(|| PolicyError::UnknownName(name.to_owned()))
}

fn above_zero(key: &str, value: u32) -> Result<u32, PolicyError> {
    if value > 0 { Ok(value) } else { Err(PolicyError::NotPositive { key: key.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[guards]
dead_man_renewal_ms = 20000
more = { 2 = ["witness"], 3 = ["witness", "guardian"] }

[returning]
cooldown_ms = 300000
steps = [
    { after_ms = 0, percent = 50 },
    { after_ms = 3600000, percent = 75 },
    { after_ms = 7200000, percent = 100 },
]

[sealing]
hours_max = 24

[triggers]
drawdown = { loss = "150", unknown_ms = 30000, action = "cancel-all" }
daily_loss = { loss = "50.25", unknown_ms = 30000, action = "reduce-only" }
heartbeat = { ms = 180000, action = "block-new" }
disconnects = { count = 3, window_ms = 90000, action = "block-new" }
stale_feed = { ms = 300000, action = "block-new" }
clock_skew = { offset_ms = 500, age_ms = 60000, action = "block-new" }
unexplained_fill = { action = "cancel-all" }
evidence = { ms = 30000, action = "block-new" }
"#;

    /// F4: every key is needed, known and of a value that means something.
    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        assert!(GOOD.contains(from), "{from}");
        let read = parse_safety(GOOD.replacen(from, to, 1).as_bytes());
        assert_eq!(read.map_err(|error| error.code()).err(), Some(expect), "{to}");
    }

    #[test]
    fn the_runbooks_own_figures_are_read() {
        let safety = parse_safety(GOOD.as_bytes()).unwrap().value;
        assert_eq!(safety.guards.more[&Phase::Paper], BTreeSet::from([Guard::Witness]));
        assert_eq!(safety.returning.steps().len(), 3);
        assert!(safety.guards.unreplicated_bytes_max.is_empty());
        let asked =
            GOOD.replace("[returning]", "unreplicated_bytes_max = { 5 = 4096 }\n[returning]");
        let safety = parse_safety(asked.as_bytes()).unwrap().value;
        assert_eq!(safety.guards.unreplicated_bytes_max, [(Phase::ManualLive, 4096)].into());
        assert_eq!(safety.triggers.daily_loss.loss.text(), "50.25");
        assert_eq!(safety.triggers.unexplained_fill, StopMode::CancelAll);
    }

    #[test]
    fn f4_every_key_is_enforced_or_the_file_is_refused() {
        for line in GOOD.lines().filter(|line| line.contains(" = ") && !line.starts_with(' ')) {
            if !line.starts_with("steps") {
                check(line, "", "POLICY_SYNTAX");
            }
        }
        check("count = 3", "count = 3, factor = 2", "POLICY_SYNTAX");
        check("\"50.25\"", "50.25", "POLICY_SYNTAX");
        check("\"50.25\"", "\"5e1\"", "POLICY_NUMBER");
        check("\"50.25\"", "\"0\"", "POLICY_NOT_POSITIVE");
        check("\"50.25\"", "\"-50\"", "POLICY_NUMBER");
        check("count = 3", "count = 0", "POLICY_NOT_POSITIVE");
        check("offset_ms = 500", "offset_ms = 0", "POLICY_NOT_POSITIVE");
        check("dead_man_renewal_ms = 20000", "dead_man_renewal_ms = 0", "POLICY_NOT_POSITIVE");
        check("\"reduce-only\"", "\"alert\"", "POLICY_UNKNOWN_NAME");
        check("\"guardian\"", "\"friend\"", "POLICY_UNKNOWN_NAME");
        check("2 = [", "9 = [", "POLICY_UNKNOWN_NAME");
        check("\"guardian\"", "\"scribe\"", "POLICY_UNKNOWN_NAME");
        for (bound, code) in [
            ("5 = 0", "POLICY_NOT_POSITIVE"),
            ("9 = 1", "POLICY_UNKNOWN_NAME"),
            ("5 = -1", "POLICY_SYNTAX"),
        ] {
            let line = format!("[guards]\nunreplicated_bytes_max = {{ {bound} }}");
            check("[guards]", &line, code);
        }
        check("hours_max = 24", "hours_max = 25", "POLICY_UNFIT");
        check("hours_max = 24", "hours_max = 0", "POLICY_NOT_POSITIVE");
        check("percent = 75", "percent = 40", "POLICY_SIZE_STEPS");
        check("percent = 100", "percent = 99", "POLICY_SIZE_STEPS");
        check("after_ms = 0", "after_ms = 1", "POLICY_SIZE_STEPS");
    }
}
