//! The safety policy inside the entry of a start.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::policy::guards::{Guard, GuardRules};
use portcullis_domain::policy::returning::{ReturnPlan, ReturnStep};
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::policy::triggers::{CountRow, LastingRow, LossRow, SkewRow, Triggers};
use portcullis_domain::{Phase, StopMode};
use portcullis_statement::json::{self, Fields, Value};

use super::records::money;
use super::{Read, narrow};
use crate::entry::{EntryError, as_list, as_text, int};

pub(super) fn safety_value(safety: &Safety) -> Value {
    let Safety { guards, triggers, returning, seal_hours_max } = safety;
    let more = guards.more.iter().map(|(phase, guards)| {
        let names = guards.iter().map(|guard| guard.name().into()).collect();
        (phase.number().to_string(), Value::List(names))
    });
    let steps = returning.steps().iter().map(|step| {
        json::object([("after_ms", number(step.after_ms)), ("percent", number(step.percent))])
    });
    let bounds = guards.unreplicated_bytes_max.iter();
    let bounds = bounds.map(|(phase, bytes)| (phase.number().to_string(), int(*bytes)));
    // Only where there are bounds: every other start reads as it ever did.
    let bounds = Some(Value::Object(bounds.collect()))
        .filter(|_| !guards.unreplicated_bytes_max.is_empty())
        .map(|bounds| ("unreplicated_bytes_max", bounds));
    let fields = [
        ("cooldown_ms", number(returning.cooldown_ms())),
        ("dead_man_renewal_ms", number(guards.dead_man_renewal_ms)),
        ("guards", Value::Object(more.collect())),
        ("seal_hours_max", number(*seal_hours_max)),
        ("steps", Value::List(steps.collect())),
        ("triggers", triggers_value(triggers)),
    ];
    json::object(fields.into_iter().chain(bounds))
}

fn triggers_value(triggers: &Triggers) -> Value {
    let loss = |row: &LossRow| {
        json::object([
            ("action", row.action.name().into()),
            ("loss", row.loss.text().into()),
            ("unknown_ms", number(row.unknown_ms)),
        ])
    };
    let lasting = |row: &LastingRow| {
        json::object([("action", row.action.name().into()), ("ms", number(row.ms))])
    };
    let Triggers { disconnects, clock_skew, unexplained_fill, .. } = triggers;
    json::object([
        (
            "clock_skew",
            json::object([
                ("action", clock_skew.action.name().into()),
                ("age_ms", number(clock_skew.age_ms)),
                ("offset_ms", number(clock_skew.offset_ms)),
            ]),
        ),
        ("daily_loss", loss(&triggers.daily_loss)),
        (
            "disconnects",
            json::object([
                ("action", disconnects.action.name().into()),
                ("count", number(disconnects.count)),
                ("window_ms", number(disconnects.window_ms)),
            ]),
        ),
        ("drawdown", loss(&triggers.drawdown)),
        ("evidence", lasting(&triggers.evidence)),
        ("heartbeat", lasting(&triggers.heartbeat)),
        ("stale_feed", lasting(&triggers.stale_feed)),
        ("unexplained_fill", unexplained_fill.name().into()),
    ])
}

pub(super) fn safety(value: &Value) -> Read<Safety> {
    let mut fields = Fields::new(value)?;
    let more = fields.object("guards")?.iter().map(phase_guards);
    let guards = GuardRules {
        more: more.collect::<Read<BTreeMap<_, _>>>()?,
        dead_man_renewal_ms: narrow(fields.uint("dead_man_renewal_ms")?)?,
        unreplicated_bytes_max: match fields.optional("unreplicated_bytes_max") {
            Some(bounds) => phase_bytes(bounds)?,
            None => BTreeMap::new(),
        },
    };
    let steps = fields.list("steps")?.iter().map(step).collect::<Read<Vec<_>>>()?;
    let returning = ReturnPlan::new(narrow(fields.uint("cooldown_ms")?)?, steps);
    let returning = returning.ok_or(EntryError::Value("steps"))?;
    let triggers = triggers(fields.value("triggers")?)?;
    let seal_hours_max = narrow(fields.uint("seal_hours_max")?)?;
    fields.finish()?;
    Ok(Safety { guards, triggers, returning, seal_hours_max })
}

fn phase_guards((phase, names): (&String, &Value)) -> Read<(Phase, BTreeSet<Guard>)> {
    let bad = || EntryError::Value("guards");
    let number = phase_of(phase)?;
    let guard = |value| as_text(value).and_then(Guard::from_name).ok_or_else(bad);
    let guards = as_list(names).iter().map(guard).collect::<Read<_>>()?;
    Ok((number, guards))
}

fn phase_bytes(value: &Value) -> Read<BTreeMap<Phase, u64>> {
    let Value::Object(entries) = value else {
        return Err(EntryError::Value("unreplicated_bytes_max"));
    };
    let mut fields = Fields::new(value)?;
    entries.keys().map(|phase| Ok((phase_of(phase)?, fields.uint(phase)?))).collect()
}

fn phase_of(text: &str) -> Read<Phase> {
    let number = text.parse::<u8>().ok().and_then(Phase::from_number);
    number.ok_or(EntryError::Value("guards"))
}

fn step(value: &Value) -> Read<ReturnStep> {
    let mut fields = Fields::new(value)?;
    let step = ReturnStep {
        after_ms: narrow(fields.uint("after_ms")?)?,
        percent: narrow(fields.uint("percent")?)?,
    };
    fields.finish()?;
    Ok(step)
}

fn triggers(value: &Value) -> Read<Triggers> {
    let mut fields = Fields::new(value)?;
    let triggers = Triggers {
        drawdown: loss(fields.value("drawdown")?)?,
        daily_loss: loss(fields.value("daily_loss")?)?,
        heartbeat: lasting(fields.value("heartbeat")?)?,
        disconnects: count(fields.value("disconnects")?)?,
        stale_feed: lasting(fields.value("stale_feed")?)?,
        clock_skew: skew(fields.value("clock_skew")?)?,
        unexplained_fill: mode(fields.text("unexplained_fill")?)?,
        evidence: lasting(fields.value("evidence")?)?,
    };
    fields.finish()?;
    Ok(triggers)
}

fn loss(value: &Value) -> Read<LossRow> {
    let mut fields = Fields::new(value)?;
    let row = LossRow {
        loss: money(fields.text("loss")?)?,
        unknown_ms: narrow(fields.uint("unknown_ms")?)?,
        action: mode(fields.text("action")?)?,
    };
    fields.finish()?;
    Ok(row)
}

fn lasting(value: &Value) -> Read<LastingRow> {
    let mut fields = Fields::new(value)?;
    let row = LastingRow { ms: narrow(fields.uint("ms")?)?, action: mode(fields.text("action")?)? };
    fields.finish()?;
    Ok(row)
}

fn count(value: &Value) -> Read<CountRow> {
    let mut fields = Fields::new(value)?;
    let row = CountRow {
        count: narrow(fields.uint("count")?)?,
        window_ms: narrow(fields.uint("window_ms")?)?,
        action: mode(fields.text("action")?)?,
    };
    fields.finish()?;
    Ok(row)
}

fn skew(value: &Value) -> Read<SkewRow> {
    let mut fields = Fields::new(value)?;
    let row = SkewRow {
        offset_ms: narrow(fields.uint("offset_ms")?)?,
        age_ms: narrow(fields.uint("age_ms")?)?,
        action: mode(fields.text("action")?)?,
    };
    fields.finish()?;
    Ok(row)
}

fn mode(name: &str) -> Read<StopMode> {
    StopMode::from_name(name).ok_or(EntryError::Value("action"))
}

fn number(value: u32) -> Value {
    int(u64::from(value))
}
