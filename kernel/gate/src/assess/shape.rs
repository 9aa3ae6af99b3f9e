//! Is it an order?

use portcullis_domain::OrdType;

use super::case::{Case, ms_to_ns, plain};
use crate::code::{Act, DenyCode as C};
use crate::deny::{Denial, Figure, Scope};

pub(super) fn check_order_type(case: &mut Case<'_>) -> Result<(), Denial> {
    let priced = case.intent.price.is_some();
    let fits = match case.intent.ord_type {
        OrdType::Limit => priced,
        OrdType::Market => !priced,
    };
    plain(fits, C::OrderTypeNotAllowed, Scope::Order)
}

pub(super) fn check_tick(case: &mut Case<'_>) -> Result<(), Denial> {
    let bracket = case.intent.bracket;
    let legs = bracket.into_iter().flat_map(|legs| [legs.stop_px, legs.target_px]).flatten();
    let mut prices = case.intent.price.into_iter().chain(legs);
    match prices.find(|px| !case.instrument.on_tick(*px)) {
        Some(px) => {
            let figure = |px| Figure::px(px, case.instrument);
            let (px, tick) = (figure(px), figure(case.instrument.tick));
            Err(Denial::over(C::TickSize, Scope::Order, px, tick))
        }
        None => Ok(()),
    }
}

pub(super) fn check_lot(case: &mut Case<'_>) -> Result<(), Denial> {
    let (qty, instrument) = (case.intent.qty, case.instrument);
    let figure = |qty| Figure::qty(qty, instrument);
    let against = if qty.is_zero() || !instrument.on_lot(qty) {
        instrument.lot
    } else if qty < instrument.qty_min {
        instrument.qty_min
    } else {
        return Ok(());
    };
    Err(Denial::over(C::LotSize, Scope::Order, figure(qty), figure(against)))
}

pub(super) fn check_reference_number(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.reference_used, C::DuplicateIntent, Scope::Order)
}

/// The same order again within the window is taken for a slip. Leaving in equal slices is not one.
pub(super) fn check_duplicate(case: &mut Case<'_>) -> Result<(), Denial> {
    if case.act != Act::Increase {
        return Ok(());
    }
    let Some(before) = case.at.same_approved else { return Ok(()) };
    let age = case.at.now.boot.since_ns(before);
    // A clock that contradicts itself proves no distance.
    let apart = age >= ms_to_ns(case.limits.duplicate_window_ms);
    plain(apart, C::DuplicateIntent, Scope::Instrument)
}
