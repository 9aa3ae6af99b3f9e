//! Does the account hold what the order needs, and do both sides agree on it?

use portcullis_domain::{InstrumentKind, Side};

use super::case::{Case, plain, young};
use super::size::with_fee;
use crate::code::DenyCode as C;
use crate::deny::{Denial, Figure, Scope};

pub(super) fn check_reconciled(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.at.reconciled, C::ReconUnresolved, Scope::Account)
}

pub(super) fn check_unknown_orders(case: &mut Case<'_>) -> Result<(), Denial> {
    let known = case.at.working.is_some_and(|working| !working.any_unknown);
    plain(known, C::OrderUnknown, Scope::Instrument)
}

/// A spot buy needs its value and its fee in the quote currency, a spot sell its quantity in the
/// base. A derivative needs neither: leverage and exposure bound it.
pub(super) fn check_balance(case: &mut Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(C::StaleAccount, Scope::Account);
    let (balance, working) = case.at.balance.zip(case.at.working).ok_or(unknown)?;
    let age = case.at.now.boot.since_ns(balance.read);
    let stale =
        young((C::StaleAccount, Scope::Account), age, case.gate.limits().rules.account_age_ms_max);
    // What cannot be priced or added up may need more than there is, reduction or not.
    let beyond = Denial::plain(C::InsufficientBalance, Scope::Account);
    let (needed, held) = match (case.instrument.kind, case.intent.side) {
        (InstrumentKind::Linear, _) => return stale,
        (InstrumentKind::Spot, Side::Buy) => {
            let notional = case.notional().map_err(|_no_price| beyond)?;
            let cost = with_fee(notional, case.instrument.taker_fee);
            let needed = cost.and_then(|cost| working.reserved_quote.plus(cost)).ok_or(beyond)?;
            (Figure::money(needed), Figure::money(balance.quote))
        }
        (InstrumentKind::Spot, Side::Sell) => {
            let needed = working.sell_qty.plus(case.intent.qty).ok_or(beyond)?;
            let figure = |qty| Figure::qty(qty, case.instrument);
            (figure(needed), figure(balance.base))
        }
    };
    if needed.units() > held.units() {
        return Err(Denial::over(C::InsufficientBalance, Scope::Account, needed, held));
    }
    stale
}
