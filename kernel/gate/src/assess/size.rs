//! Of that size?

use portcullis_domain::{Money, Rate, Side};

use super::case::{Case, count, graded};
use crate::code::DenyCode as C;
use crate::deny::{Denial, Figure, Scope};

pub(super) fn check_order_qty(case: &mut Case<'_>) -> Result<(), Denial> {
    let max = case.graded(i128::from(case.limits.order_qty_max.units()));
    let (qty, max) = (case.qty_figure(case.intent.qty.units().into()), case.qty_figure(max));
    case.within(C::MaxOrderQty, Scope::Instrument, qty, max)
}

pub(super) fn check_min_notional(case: &mut Case<'_>) -> Result<(), Denial> {
    let (notional, min) = (case.notional()?, case.instrument.notional_min);
    if notional >= min {
        return Ok(());
    }
    let (notional, min) = (Figure::money(notional), Figure::money(min));
    Err(Denial::over(C::MinNotional, Scope::Instrument, notional, min))
}

pub(super) fn check_order_notional(case: &mut Case<'_>) -> Result<(), Denial> {
    let max = Money(case.graded(case.limits.order_notional_max.0));
    let notional = Figure::money(case.notional()?);
    case.within(C::MaxOrderNotional, Scope::Instrument, notional, Figure::money(max))
}

/// The value of one order, in the account's currency, against strategy, account, venue and host.
pub(super) fn check_order_value(case: &mut Case<'_>) -> Result<(), Denial> {
    let value = Figure::money(case.value()?);
    let percent = case.at.size_percent;
    case.hold(
        C::MaxOrderNotional,
        |_| Ok(value),
        |limits| Figure::money(graded_money(limits.order_value_max, percent)),
    )
}

/// The worst case: everything that works on this side fills, and nothing on the other.
pub(super) fn check_position(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::StaleAccount, Scope::Account);
    let worst = worst_position(case).ok_or(unknown)?;
    let max = case.graded(i128::from(case.limits.position_qty_max.units()));
    let (worst, max) = (case.qty_figure(worst), case.qty_figure(max));
    case.within(C::MaxPosition, Scope::Instrument, worst, max)
}

pub(super) fn check_short(case: &mut Case<'_>) -> Result<(), Denial> {
    if case.intent.side == Side::Buy {
        return Ok(());
    }
    let short = worst_position(case).unwrap_or(i128::MAX);
    let max = i128::from(case.limits.short_qty_max.units());
    let (short, max) = (case.qty_figure(short), case.qty_figure(max));
    case.within(C::ShortNotAllowed, Scope::Instrument, short, max)
}

/// How far the position can go to the order's side. `None` where it, or what works, is not known.
fn worst_position(case: &Case<'_>) -> Option<i128> {
    let (position, working) = case.at.position.zip(case.at.working)?;
    let position = i128::from(position.0);
    let (held, working) = match case.intent.side {
        Side::Buy => (position, working.buy_qty),
        Side::Sell => (position.saturating_neg(), working.sell_qty),
    };
    let claimed = i128::from(working.units()).saturating_add(i128::from(case.intent.qty.units()));
    Some(held.saturating_add(claimed))
}

pub(super) fn check_exposure(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::NoReferencePrice, Scope::Instrument);
    let exposure = Figure::money(case.at.exposure.ok_or(unknown)?);
    let max = Figure::money(graded_money(case.limits.exposure_max, case.at.size_percent));
    case.within(C::MaxSymbolExposure, Scope::Instrument, exposure, max)
}

pub(super) fn check_gross(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::NoReferencePrice, Scope::Account);
    let percent = case.at.size_percent;
    case.hold(
        C::MaxGrossExposure,
        |usage| usage.gross.map(Figure::money).ok_or(unknown),
        |limits| Figure::money(graded_money(limits.gross_exposure_max, percent)),
    )
}

/// Value at risk against what the account is worth. An account that is worth nothing carries none.
pub(super) fn check_leverage(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::StaleAccount, Scope::Account);
    let gross = case.at.whole.gross.ok_or(unknown)?;
    let equity = case.at.across.equity.ok_or(unknown)?;
    let max = case.standing().leverage_hundredths_max;
    // Compared as money, rounded down: what cannot be multiplied out allows less, never more.
    let allowed = equity.0.max(0).saturating_mul(i128::from(max)) / 100;
    let (gross, allowed) = (Figure::money(gross), Figure::money(Money(allowed)));
    case.within(C::MaxLeverage, Scope::Account, gross, allowed)
}

pub(super) fn check_open_orders(case: &mut Case<'_>) -> Result<(), Denial> {
    case.hold(
        C::MaxOpenOrders,
        |usage| Ok(count(usage.open_orders.saturating_add(1))),
        |limits| count(limits.open_orders_max),
    )
}

pub(super) fn check_open_positions(case: &mut Case<'_>) -> Result<(), Denial> {
    case.hold(
        C::MaxOpenPositions,
        |usage| Ok(count(usage.positions)),
        |limits| count(limits.open_positions_max),
    )
}

fn graded_money(limit: Money, percent: u32) -> Money {
    Money(graded(limit.0, percent))
}

/// What a purchase of `notional` can cost at most: the order's reservation in money.
#[must_use]
pub fn with_fee(notional: Money, fee: Rate) -> Option<Money> {
    notional.times(fee).and_then(|fee| notional.plus(fee))
}
