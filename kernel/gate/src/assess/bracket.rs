//! Do the exits that come with an entry make sense?

use portcullis_domain::{Bracket, Px, Side};

use super::case::{Case, plain};
use crate::code::{Act, DenyCode as C};
use crate::deny::{Denial, Scope};

/// A bracket is an entry with at least one exit. The stop stands on the losing side of the entry
/// and the target on the winning side: one on the wrong side would trade at once. Both stand within
/// the band that people signed. And exits of an exit would open anew.
pub(super) fn check_bracket(case: &mut Case<'_>) -> Result<(), Denial> {
    let Some(Bracket { stop_px, target_px }) = case.intent.bracket else { return Ok(()) };
    let missing = Denial::plain(C::NoReferencePrice, Scope::Instrument);
    let entry = entry_px(case).ok_or(missing)?;
    let (below, above) = match case.intent.side {
        Side::Buy => (stop_px, target_px),
        Side::Sell => (target_px, stop_px),
    };
    let around = below.is_none_or(|px| px < entry) && above.is_none_or(|px| entry < px);
    let (min, max) = (case.limits.price_min, case.limits.price_max);
    let mut legs = [stop_px, target_px].into_iter().flatten().peekable();
    let any = legs.peek().is_some();
    let inside = legs.all(|px| min <= px && px <= max);
    let fits = any && around && inside && case.act == Act::Increase;
    plain(fits, C::OrderTypeNotAllowed, Scope::Order)
}

/// Where the entry stands: at its limit, or at the market where the touch is that its exit would
/// meet. A stop beyond that would fire at once.
fn entry_px(case: &Case<'_>) -> Option<Px> {
    let quote = case.at.quote;
    match (case.intent.price, case.intent.side) {
        (Some(price), _) => Some(price),
        (None, Side::Buy) => quote.map(|quote| quote.bid),
        (None, Side::Sell) => quote.map(|quote| quote.ask),
    }
}
