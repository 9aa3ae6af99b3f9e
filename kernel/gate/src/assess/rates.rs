//! So soon, and so often?

use super::case::{Case, count, ms_to_ns, plain};
use crate::circumstances::Quote;
use crate::code::DenyCode as C;
use crate::deny::{Denial, Figure, Scope};

pub(super) fn check_cooldown(case: &mut Case<'_>) -> Result<(), Denial> {
    let Some(reduced) = case.at.reduced else { return Ok(()) };
    // A clock that contradicts itself proves no distance.
    let age = case.at.now.boot.since_ns(reduced);
    let rested = age >= ms_to_ns(case.limits.cooldown_ms);
    plain(rested, C::Cooldown, Scope::Instrument)
}

/// A strategy that executes again and again is stopped until a person lets it go on.
pub(super) fn check_repeats(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.disabled, C::RepeatExecThrottle, Scope::Strategy)?;
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let max = limits.repeat_executions_max;
        case.reached(C::RepeatExecThrottle, scope, count(usage.executions), count(max))?;
    }
    Ok(())
}

pub(super) fn check_orders_per_session(case: &mut Case<'_>) -> Result<(), Denial> {
    case.hold(
        C::MaxOrdersPerSession,
        |usage| Ok(count(usage.orders.saturating_add(1))),
        |limits| count(limits.orders_per_session_max),
    )
}

pub(super) fn check_daily_notional(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::NoConversionPrice, Scope::Account);
    let so_far = case.at.across.notional.ok_or(unknown)?;
    let beyond = Denial::plain(C::MaxDailyNotional, Scope::Account);
    let after = so_far.plus(case.value()?).ok_or(beyond)?;
    let limit = Figure::money(case.standing().daily_notional_max);
    case.within(C::MaxDailyNotional, Scope::Account, Figure::money(after), limit)
}

/// New exposure leaves a share of every budget to cancels and reductions.
pub(super) fn check_messages(case: &mut Case<'_>) -> Result<(), Denial> {
    let kept = 100_u32.saturating_sub(case.gate.limits().rules.cancel_share_percent);
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let budget = limits.messages_per_second_max;
        let share = budget.saturating_mul(kept) / 100;
        let asked = usage.messages.saturating_add(1);
        case.within(C::MaxMsgRate, scope, count(asked), count(share))?;
    }
    Ok(())
}

/// The last check of what has to wait for a person's word: only so many may, whatever they would
/// do, since what waits reserves nothing and no other limit counts it. Each is shown with a market.
pub(super) fn check_proposals(case: &mut Case<'_>) -> Result<Quote, Denial> {
    case.hold(
        C::MaxOpenProposals,
        |usage| Ok(count(usage.proposals.saturating_add(1))),
        |limits| count(limits.open_proposals_max),
    )?;
    case.at.quote.ok_or(Denial::plain(C::NoReferencePrice, Scope::Instrument))
}
