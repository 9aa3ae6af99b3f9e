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
    let distance_twice = twice(px).saturating_sub(middle_twice).saturating_abs();
    within(C::PriceCollar, distance_twice, middle_twice, max)
}

/// Not further above the lowest middle of the window for a buy, nor below the highest for a sell:
/// a book that was pushed a moment ago is no reference.
pub(super) fn check_collar_window(case: &mut Case<'_>) -> Result<(), Denial> {
    let missing = Denial::plain(C::NoReferencePrice, Scope::Instrument);
    let sound =
        |window: &PriceWindow| 0 < window.low_twice && window.low_twice <= window.high_twice;
    let window = case.at.window.filter(sound).ok_or(missing)?;
    let px = case.reserve_px().ok_or(missing)?;
    let (low, high) = (i128::from(window.low_twice), i128::from(window.high_twice));
    // Below zero on the better side.
    let (middle_twice, worse_twice) = match case.intent.side {
        Side::Buy => (low, twice(px).saturating_sub(low)),
        Side::Sell => (high, high.saturating_sub(twice(px))),
    };
    let max = case.limits.price_collar_window_bps;
    within(C::PriceCollarWindow, worse_twice, middle_twice, max)
}

/// An order of ours that could meet another of ours trades with nobody.
pub(super) fn check_self_cross(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.crosses_own, C::SelfCross, Scope::Account)
}

fn twice(px: Px) -> i128 {
    i128::from(px.units()).saturating_mul(2)
}

/// Holds a distance against so many basis points of the middle. Compared as a product, so that a
/// fraction of a basis point above the limit is above it; told in whole ones.
pub(super) fn within(
    code: C,
    distance_twice: i128,
    middle_twice: i128,
    max: u32,
) -> Result<(), Denial> {
    let distance = distance_twice.saturating_mul(10_000);
    let allowed = middle_twice.saturating_mul(i128::from(max));
    if distance <= allowed {
        return Ok(());
    }
    // A middle comes from prices, which are above zero.
    let bps = distance.checked_div(middle_twice).unwrap_or(i128::MAX);
    let bps = Figure::count(i64::try_from(bps).unwrap_or(i64::MAX));
    Err(Denial::over(code, Scope::Instrument, bps, count(max)))
}
