//! The approval of one session: what the daemon knows, what the policies say, what was asked for.

use std::collections::BTreeMap;

use portcullis_control::{DraftView, ReleaseView};
use portcullis_domain::policy::{Limits, PhaseRules};
use portcullis_domain::{Instrument, Money, Name, Phase, Position, Px, Rate, WallNs, parse_scaled};
use portcullis_governance::{Hashed, InstrumentFile};
use portcullis_statement::{
    ApprovedPlugin, Carried, Digest, EndpointKind, JournalBinding, Kind, SessionApproval,
};

use super::loss::worst_case;
use super::{Desk, DraftError, Seat, statement};

/// The native code of a plugin comes about in its worker, where nothing is there to steal.
const COMPILE_RECORD: &str = "in-worker";

/// One plugin as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChosenPlugin {
    /// Its name in the session.
    pub(crate) name: Name,
    /// SHA-256 of its component.
    pub(crate) component: Digest,
    /// Its parameters.
    pub(crate) params: BTreeMap<String, String>,
}

/// Everything that an approval is made of.
#[derive(Clone, Debug)]
pub(crate) struct SessionPlan<'a> {
    /// The account.
    pub(crate) account: Name,
    /// The host.
    pub(crate) host: Name,
    /// The session's name, as it was drafted.
    pub(crate) session: Name,
    /// What the daemon answered to the draft.
    pub(crate) draft: &'a DraftView,
    /// The phase.
    pub(crate) phase: Phase,
    /// The plugins.
    pub(crate) plugins: Vec<ChosenPlugin>,
    /// The instruments, numbered by their place here.
    pub(crate) instruments: &'a [InstrumentFile],
    /// Limits of these instruments.
    pub(crate) limits: &'a Hashed<Limits>,
    /// The phase rules.
    pub(crate) phases: &'a Hashed<PhaseRules>,
    /// Digest of the safety policy.
    pub(crate) safety: Digest,
    /// The endpoint set; where it is not named, the only one there is.
    pub(crate) endpoint: Option<Digest>,
    /// Phase 1: starting balances of the shadow account.
    pub(crate) balances: BTreeMap<String, Money>,
    /// The most that the account may be worth; where it is not named, a tenth more than it holds.
    pub(crate) equity_max: Option<Money>,
    /// The session window.
    pub(crate) window: (WallNs, WallNs),
    /// Latency of the paper model in nanoseconds.
    pub(crate) latency_ns: i64,
    /// Fuel of one batch.
    pub(crate) fuel_per_batch_max: u64,
}

/// The approval, signed by everybody whom the phase rules name.
pub(crate) fn session(desk: &Desk<'_>, plan: &SessionPlan<'_>) -> Result<Vec<u8>, DraftError> {
    let draft = plan.draft;
    check(plan)?;
    let rule = plan.phases.value.rules.get(&plan.phase).ok_or_else(|| {
        let cause = format!("the policies open no session in phase {}", plan.phase.number());
        DraftError::mismatch("PHASE_FORBIDS", cause)
    })?;
    let (endpoint, endpoint_kind) = endpoint(plan)?;
    let instruments: Vec<Instrument> =
        plan.instruments.iter().map(|file| file.instrument.clone()).collect();
    let carried = carried(plan, &instruments)?;
    let balances = balances(plan)?;
    let approval = SessionApproval {
        account: plan.account.clone(),
        host: plan.host.clone(),
        session: plan.session.clone(),
        phase: plan.phase,
        plugins: plan.plugins.iter().map(|p| approved(plan, p)).collect::<Result<_, _>>()?,
        sources: plan.instruments.iter().map(|file| file.source.clone()).collect(),
        limits: plan.limits.value.clone(),
        limits_digest: plan.limits.digest,
        phases_digest: plan.phases.digest,
        safety_digest: plan.safety,
        endpoint,
        endpoint_kind,
        equity_max: equity_max(plan, &balances)?,
        balances,
        worst_case_loss: worst_case(&instruments, &plan.limits.value, &carried)?,
        carried,
        instruments,
        kill_seq: draft.kill_seq,
        journal: JournalBinding {
            origin: draft.origin.clone(),
            key: draft.key.clone(),
            size: draft.size,
            root: digest("root", &draft.root)?,
        },
        window_opens: plan.window.0,
        window_closes: plan.window.1,
        latency_ns: plan.latency_ns,
        fuel_per_batch_max: plan.fuel_per_batch_max,
        compile_record: COMPILE_RECORD.to_owned(),
        witness: desk.roster.witnesses().words(),
        build: draft.build.clone(),
    };
    let seat = if plan.phase >= Phase::ManualLive { Seat::Touch } else { Seat::Any };
    let seats = rule.signers.iter().map(|role| seat(*role)).collect();
    statement(desk, Kind::SessionApproval, &[seats], &approval.to_value())
}

/// What would be refused at the opening is refused before anybody signs.
fn check(plan: &SessionPlan<'_>) -> Result<(), DraftError> {
    let draft = plan.draft;
    if draft.kill_entry.is_some() {
        return Err(DraftError::KillActive);
    }
    if draft.session != plan.session.as_str() {
        let cause = format!("the daemon drafted {:?}", draft.session);
        return Err(DraftError::mismatch("SESSION_MISMATCH", cause));
    }
    let runs_under = [
        ("phases.toml", &draft.phases_digest, plan.phases.digest),
        ("safety.toml", &draft.safety_digest, plan.safety),
    ];
    if let Some((file, ..)) = runs_under.iter().find(|(_, theirs, ours)| **theirs != ours.hex()) {
        let cause = format!("the daemon runs under another {file}; restart it after a change");
        return Err(DraftError::mismatch("POLICY_CHANGED", cause));
    }
    if plan.instruments.is_empty() || plan.plugins.is_empty() {
        let cause = "a session has an instrument and a plugin";
        return Err(DraftError::mismatch("NOTHING_TO_DO", cause));
    }
    let (opens, closes) = plan.window;
    let rule = plan.phases.value.rules.get(&plan.phase);
    if rule.is_some_and(|rule| closes.0.saturating_sub(opens.0) > rule.window_ns_max) {
        let cause = format!("phase {} allows no window as long as that", plan.phase.number());
        return Err(DraftError::mismatch("WINDOW_TOO_LONG", cause));
    }
    Ok(())
}

fn digest(what: &str, hex: &str) -> Result<Digest, DraftError> {
    Digest::from_hex(hex).ok_or_else(|| {
        DraftError::mismatch("DRAFT_MALFORMED", format!("the daemon's {what} is not a digest"))
    })
}

/// The named endpoint set, or the only one; its venue must be that of every instrument.
fn endpoint(plan: &SessionPlan<'_>) -> Result<(Digest, EndpointKind), DraftError> {
    let known = &plan.draft.endpoints;
    let view = match (plan.endpoint, known.as_slice()) {
        (Some(asked), _) => known.iter().find(|view| view.endpoint == asked.hex()),
        (None, [only]) => Some(only),
        (None, []) => None,
        (None, [_, ..]) => {
            let cause = "the daemon knows several endpoint sets: name one";
            return Err(DraftError::mismatch("ENDPOINT_AMBIGUOUS", cause));
        }
    };
    let view = view.ok_or_else(|| {
        let cause = "the daemon has not accepted such an endpoint set";
        DraftError::mismatch("ENDPOINT_NOT_SIGNED", cause)
    })?;
    if let Some(other) = plan.instruments.iter().find(|file| file.venue != view.venue) {
        let cause = format!("{} is not traded at {}", other.instrument.symbol, view.venue);
        return Err(DraftError::mismatch("INSTRUMENT_VENUE", cause));
    }
    let kind = EndpointKind::from_name(&view.kind).ok_or_else(|| {
        DraftError::mismatch("DRAFT_MALFORMED", "the daemon's endpoint is of no known kind")
    })?;
    Ok((digest("endpoint", &view.endpoint)?, kind))
}

/// The newest release of that component that goes up to the phase.
fn approved(plan: &SessionPlan<'_>, chosen: &ChosenPlugin) -> Result<ApprovedPlugin, DraftError> {
    let fits = |view: &&ReleaseView| {
        view.component == chosen.component.hex() && view.phase_max >= plan.phase.number()
    };
    let release = plan.draft.releases.iter().filter(fits).max_by_key(|view| view.release_seq);
    let release = release.ok_or_else(|| {
        let phase = plan.phase.number();
        let cause = format!("no accepted release of {} goes up to phase {phase}", chosen.name);
        DraftError::mismatch("HASH_NOT_SIGNED", cause)
    })?;
    Ok(ApprovedPlugin {
        name: chosen.name.clone(),
        component: chosen.component,
        release: digest("release", &release.release)?,
        params: chosen.params.clone(),
    })
}

/// What the account holds is taken over, all of it; shadow starts with nothing.
fn carried(plan: &SessionPlan<'_>, instruments: &[Instrument]) -> Result<Vec<Carried>, DraftError> {
    let mut carried = Vec::new();
    if plan.phase == Phase::Shadow {
        return Ok(carried);
    }
    for view in &plan.draft.positions {
        let malformed = |what: &str| {
            let cause = format!("the daemon's {what} of {} is no number", view.symbol);
            DraftError::mismatch("DRAFT_MALFORMED", cause)
        };
        let Some(instrument) = instruments.iter().find(|i| i.symbol == view.symbol) else {
            if view.qty.bytes().all(|b| b == b'0' || b == b'.' || b == b'-') {
                continue;
            }
            let cause = format!("the account holds {} {}: list it too", view.qty, view.symbol);
            return Err(DraftError::mismatch("CARRIED_NOT_LISTED", cause));
        };
        let units = parse_scaled(&view.qty, instrument.qty_scale);
        let position = Position(units.map_err(|_cause| malformed("position"))?);
        let avg_px = view.avg_px.as_ref().map(|text| Px::parse(text, instrument.price_scale));
        let avg_px = avg_px.transpose().map_err(|_cause| malformed("price"))?;
        if position != Position::FLAT {
            carried.push(Carried { instrument: instrument.id, position, avg_px });
        }
    }
    Ok(carried)
}

/// Shadow starts from what was asked for, every other phase from what the account holds.
fn balances(plan: &SessionPlan<'_>) -> Result<BTreeMap<String, Money>, DraftError> {
    if plan.phase == Phase::Shadow {
        return Ok(plan.balances.clone());
    }
    if !plan.balances.is_empty() {
        let cause = "balances can be chosen in phase 1 only; later the account states them";
        return Err(DraftError::mismatch("BALANCE_NOT_ALLOWED", cause));
    }
    let amount = |(currency, text): (&String, &String)| {
        let amount = Money::parse(text).map_err(|_cause| {
            let cause = format!("the daemon's balance of {currency} is no amount");
            DraftError::mismatch("DRAFT_MALFORMED", cause)
        })?;
        Ok((currency.clone(), amount))
    };
    plan.draft.balances.iter().map(amount).collect()
}

/// What the account holds now and a tenth more, for what fills may earn until the opening.
fn equity_max(
    plan: &SessionPlan<'_>,
    balances: &BTreeMap<String, Money>,
) -> Result<Money, DraftError> {
    if let Some(named) = plan.equity_max {
        return Ok(named);
    }
    let held = plan.limits.value.cash_worth(balances);
    let more = held.and_then(|held| held.plus(held.times(Rate::from_bps(1_000))?));
    more.ok_or_else(|| {
        let cause = "what the account holds is beyond every number: name --equity-max";
        DraftError::mismatch("EQUITY_UNKNOWN", cause)
    })
}

#[cfg(test)]
mod tests;
