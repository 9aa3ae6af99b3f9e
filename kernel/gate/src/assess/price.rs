//! At that price?

use portcullis_domain::{Px, Side};

use super::case::{Case, count, plain};
use crate::circumstances::{PriceWindow, Quote};
use crate::code::{Act, DenyCode as C};
use crate::deny::{Denial, Figure, Scope};

/// The band that people signed, whatever the market says (the book may be the attacker's own).
pub(super) fn check_bound(case: &mut Case<'_>) -> Result<(), Denial> {
    let Some(px) = case.reserve_px() else { return Ok(()) };
    let figure = |px| Figure::px(px, case.instrument);
    let (min, max) = (case.limits.price_min, case.limits.price_max);
    let against = if px < min {
        min
    } else if px > max {
        max
    } else {
        return Ok(());
    };
    Err(Denial::over(C::PriceBound, Scope::Instrument, figure(px), figure(against)))
}

/// Distance from the middle of the quote, in basis points of it.
pub(super) fn check_collar(case: &mut Case<'_>) -> Result<(), Denial> {
    let (bid, ask) = match (case.at.quote, case.intent.price, case.act) {
        (Some(Quote { bid, ask, .. }), _, _) => (bid, ask),
        // Who leaves without a market has the signed band instead of the collar.
        (None, Some(px), Act::Flatten) => {
            let inside = px >= case.limits.price_min && px <= case.limits.price_max;
            return plain(inside, C::PriceCollar, Scope::Instrument);
        }
        // A price that nothing can be measured by is outside of every collar, for a reduction too:
        // a limit at one tick would give the position away. And who leaves names a price.
        (None, Some(_), Act::Increase | Act::Reduce) | (None, None, Act::Flatten) => {
            return Err(Denial::plain(C::PriceCollar, Scope::Instrument));
        }
        (None, None, Act::Increase | Act::Reduce) => {
            return Err(Denial::plain(C::NoReferencePrice, Scope::Instrument));
        }
    };
    let px = match (case.intent.price, case.intent.side) {
        (Some(px), _) => px,
        (None, Side::Buy) => ask,
        (None, Side::Sell) => bid,
    };
    let middle_twice = i128::from(bid.units()).saturating_add(i128::from(ask.units()));
    let max = case.limits.price_collar_bps;
    beyond(px, middle_twice, max).map_or(Ok(()), |bps| {
        Err(Denial::over(C::PriceCollar, Scope::Instrument, Figure::count(bps), count(max)))
    })
}

/// Not further above the lowest middle of the window for a buy, nor below the highest for a sell:
/// a book that was pushed a moment ago is no reference.
pub(super) fn check_collar_window(case: &mut Case<'_>) -> Result<(), Denial> {
    let missing = Denial::plain(C::NoReferencePrice, Scope::Instrument);
    let sound =
        |window: &PriceWindow| 0 < window.low_twice && window.low_twice <= window.high_twice;
    let window = case.at.window.filter(sound).ok_or(missing)?;
    let px = case.reserve_px().ok_or(missing)?;
    let (middle_twice, worse) = match case.intent.side {
        Side::Buy => (window.low_twice, twice(px) > i128::from(window.low_twice)),
        Side::Sell => (window.high_twice, twice(px) < i128::from(window.high_twice)),
    };
    let max = case.limits.price_collar_window_bps;
    match beyond(px, i128::from(middle_twice), max).filter(|_| worse) {
        Some(bps) => {
            let (observed, max) = (Figure::count(bps), count(max));
            Err(Denial::over(C::PriceCollarWindow, Scope::Instrument, observed, max))
        }
        None => Ok(()),
    }
}

/// An order of ours that could meet another of ours trades with nobody.
pub(super) fn check_self_cross(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.crosses_own, C::SelfCross, Scope::Account)
}

fn twice(px: Px) -> i128 {
    i128::from(px.units()).saturating_mul(2)
}

/// The distance in whole basis points if it is above `max`. Compared as a product, so that a
/// fraction of a basis point above the limit is above it.
fn beyond(px: Px, middle_twice: i128, max: u32) -> Option<i64> {
    let distance = twice(px).saturating_sub(middle_twice).saturating_abs().saturating_mul(10_000);
    let allowed = middle_twice.saturating_mul(i128::from(max));
    // Both middles are above zero. Divisions are slow, and only a denial needs this one.
    let bps = || distance.checked_div(middle_twice).unwrap_or(i128::MAX);
    (distance > allowed).then(|| i64::try_from(bps()).unwrap_or(i64::MAX))
}
