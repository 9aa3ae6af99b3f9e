//! After what was lost? Losses count fills and marks and fees; a profit trips none of them, and a
//! figure that nobody knows trips all.

use portcullis_domain::Money;

use super::case::{Case, plain};
use crate::code::DenyCode as C;
use crate::deny::{Denial, Scope};

const UNKNOWN: Denial = Denial::plain(C::NoReferencePrice, Scope::Account);

/// Whatever is held has a price that is not stale: without it no loss is known.
pub(super) fn check_marks(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.at.marks_fresh, C::StaleMarketData, Scope::Account)
}

pub(super) fn check_session(case: &mut Case<'_>) -> Result<(), Denial> {
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let loss = loss(usage.profit)?;
        let limit = limits.loss_session_max;
        case.lost((C::MaxLossSession, scope), loss, limit)?;
    }
    Ok(())
}

pub(super) fn check_day(case: &mut Case<'_>) -> Result<(), Denial> {
    let limit = case.standing().loss_day_max;
    case.lost((C::MaxLossDay, Scope::Account), loss(case.at.across.profit_day)?, limit)
}

pub(super) fn check_week(case: &mut Case<'_>) -> Result<(), Denial> {
    let limit = case.standing().loss_week_max;
    case.lost((C::MaxLossWeek, Scope::Account), loss(case.at.across.profit_week)?, limit)
}

pub(super) fn check_drawdown(case: &mut Case<'_>) -> Result<(), Denial> {
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let limit = limits.drawdown_max;
        case.lost((C::MaxDrawdown, scope), usage.drawdown.ok_or(UNKNOWN)?, limit)?;
    }
    Ok(())
}

pub(super) fn check_adverse_fills(case: &mut Case<'_>) -> Result<(), Denial> {
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let limit = limits.adverse_fill_max;
        case.lost((C::MaxAdverseFill, scope), usage.adverse.ok_or(UNKNOWN)?, limit)?;
    }
    Ok(())
}

pub(super) fn check_fees(case: &mut Case<'_>) -> Result<(), Denial> {
    for (scope, usage, limits) in case.held.into_iter().flatten() {
        let limit = limits.fees_max;
        case.lost((C::MaxFees, scope), usage.fees.ok_or(UNKNOWN)?, limit)?;
    }
    Ok(())
}

/// A profit as a loss: negative where something was earned.
fn loss(profit: Option<Money>) -> Result<Money, Denial> {
    Money::ZERO.minus(profit.ok_or(UNKNOWN)?).ok_or(UNKNOWN)
}
