//! One intent on its way through the checks, and the ways to hold a number against a limit.

use std::sync::Arc;

use portcullis_domain::policy::{ActivityLimits, Converter, InstrumentLimits, StandingLimits};
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{Instrument, Money, OrderIntent, Origin, Px, Qty, Side, WallNs};

use super::Check;
use crate::circumstances::{Circumstances, Quote, Usage};
use crate::closing::Rights;
use crate::code::{Act, DenyCode};
use crate::deny::{Denial, Figure, Scope};
use crate::open::Gate;

/// What an order reserves from its approval on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The worst price it can trade at.
    pub px: Px,
    /// Its value at that price, in the instrument's quote currency.
    pub notional: Money,
}

/// The value of an order that no number can hold.
const BEYOND: Denial = Denial::plain(DenyCode::MaxOrderNotional, Scope::Instrument);

/// One intent on its way through the checks.
pub(crate) struct Case<'a> {
    pub(super) gate: &'a Gate,
    pub(super) intent: &'a OrderIntent,
    pub(super) at: &'a Circumstances,
    pub(super) instrument: &'a Arc<Instrument>,
    pub(super) limits: &'a InstrumentLimits,
    pub(super) act: Act,
    /// The strategy's own limits and the strictest of account, venue and host, with their usage.
    pub(super) held: [Option<Held<'a>>; 2],
    pub(super) warnings: Vec<Denial>,
    px: Option<Px>,
    notional: Option<Money>,
}

/// A table of limits with what is used of it, and whose it is.
pub(super) type Held<'a> = (Scope, &'a Usage, &'a ActivityLimits);

impl Gate {
    /// What an order would reserve; `None` without a price, or where the product does not fit.
    ///
    /// A market order can run up to the collar, so that is what it reserves: the collar that people
    /// signed, so that a narrower one makes no order cheaper.
    #[must_use]
    pub fn reserve(&self, intent: &OrderIntent, quote: Option<Quote>) -> Option<Reserve> {
        let id = intent.instrument;
        let (instrument, collar_bps) = self.instrument(id).zip(self.signed_collar_bps(id))?;
        let px = worst_px(intent, quote, collar_bps)?;
        let notional = Money::notional(px, intent.qty, instrument);
        notional.map(|notional| Reserve { px, notional })
    }

    /// How the instrument's quote currency leads to the account's; `None` without a price.
    #[must_use]
    pub fn converter(&self, instrument: &Instrument) -> Option<Converter> {
        self.limits().converter(&instrument.quote)
    }
}

/// The worst price that an order can trade at. `None` without any price.
fn worst_px(intent: &OrderIntent, quote: Option<Quote>, collar_bps: u32) -> Option<Px> {
    match (intent.price, intent.side) {
        (Some(price), _) => Some(price),
        (None, Side::Buy) => worsened(quote?.ask, collar_bps),
        (None, Side::Sell) => Some(quote?.bid),
    }
}

/// A buying price, worse by `bps`, rounded up. `None` if no price is that high.
fn worsened(px: Px, bps: u32) -> Option<Px> {
    let px = i128::from(px.units());
    let more = px.saturating_mul(i128::from(bps)).saturating_add(9_999) / 10_000;
    i64::try_from(px.saturating_add(more)).ok().and_then(Px::new)
}

impl<'a> Case<'a> {
    pub(super) fn new(
        gate: &'a Gate,
        intent: &'a OrderIntent,
        at: &'a Circumstances,
    ) -> Result<Self, Denial> {
        let missing = Denial::plain(DenyCode::InstrumentNotAllowed, Scope::Instrument);
        let instrument = gate.shared(intent.instrument).ok_or(missing)?;
        let limits = gate.limits().instruments.get(&intent.instrument).ok_or(missing)?;
        let collar_bps = gate.signed_collar_bps(intent.instrument);
        let px = worst_px(intent, at.quote, collar_bps.unwrap_or(limits.price_collar_bps));
        let act = act(intent, at);
        let held = [of_strategy(gate, intent, at), Some(of_all(gate, at))];
        // Five checks ask for it.
        let notional = value_at(px, intent.qty, instrument);
        let warnings = Vec::new();
        Ok(Self { gate, intent, at, instrument, limits, act, held, warnings, px, notional })
    }

    /// The same case of another quantity.
    pub(super) fn with(&self, intent: &'a OrderIntent) -> Self {
        let notional = value_at(self.px, intent.qty, self.instrument);
        Self { intent, notional, warnings: Vec::new(), ..*self }
    }

    /// Runs checks in their order. A denial counts only if its code holds for the act.
    pub(super) fn run(&mut self, checks: &[Check]) -> Result<(), Denial> {
        for check in checks {
            if let Err(denial) = check(self)
                && denial.code.denies(self.act)
            {
                return Err(denial);
            }
        }
        Ok(())
    }

    /// By which rights the order leaves: whoever flattens keeps the exit when the session takes
    /// nothing new any more.
    pub(super) fn rights(&self) -> Rights {
        let over = self.at.killed || !self.gate.takes_new(self.at);
        if self.act == Act::Flatten && over { Rights::Closing } else { self.gate.rights() }
    }

    pub(super) fn reserve_px(&self) -> Option<Px> {
        self.px
    }

    /// The order's value in the instrument's quote currency. One that does not fit is above every
    /// limit, for a reduction too.
    pub(super) fn notional(&self) -> Result<Money, Denial> {
        let unpriced = Denial::plain(DenyCode::NoReferencePrice, Scope::Instrument);
        let absent = if self.px.is_some() { BEYOND } else { unpriced };
        self.notional.ok_or(absent)
    }

    /// The order's value in the account's currency.
    pub(super) fn value(&self) -> Result<Money, Denial> {
        let notional = self.notional()?;
        let limits = self.gate.limits();
        if self.instrument.quote != limits.currency {
            let conversion = limits.conversions.get(&self.instrument.quote);
            // What was never written down is as old as time.
            let as_of = conversion.map_or(WallNs(i64::MIN), |conversion| conversion.as_of);
            let age = self.at.now.wall.0.saturating_sub(as_of.0);
            let missing = Denial::plain(DenyCode::NoConversionPrice, Scope::Instrument);
            let young = (0..=ms_to_ns(limits.rules.conversion_age_ms_max)).contains(&age);
            young.then_some(()).ok_or(missing)?;
        }
        self.gate.converter(self.instrument).and_then(|to| to.cost(notional)).ok_or(BEYOND)
    }

    /// Holds one figure of every scope against its limit.
    pub(super) fn hold(
        &mut self,
        code: DenyCode,
        figure: impl Fn(&Usage) -> Result<Figure, Denial>,
        limit: impl Fn(&ActivityLimits) -> Figure,
    ) -> Result<(), Denial> {
        for (scope, usage, limits) in self.held.into_iter().flatten() {
            self.within(code, scope, figure(usage)?, limit(limits))?;
        }
        Ok(())
    }

    /// Denies above the limit, and warns from the warning level on. Both figures have one scale.
    pub(super) fn within(
        &mut self,
        code: DenyCode,
        scope: Scope,
        observed: Figure,
        limit: Figure,
    ) -> Result<(), Denial> {
        // Whose limit it is matters only where it is told.
        let denial = || {
            let scope = self.gate.strictest(scope, code);
            // The venue's own budget of messages has a code of its own.
            let venue = scope == Scope::Venue && code == DenyCode::MaxMsgRate;
            let code = if venue { DenyCode::VenueRateBudget } else { code };
            Denial::over(code, scope, observed, limit)
        };
        if observed.units() > limit.units() {
            return Err(denial());
        }
        let percent = i128::from(self.gate.limits().rules.warning_percent);
        let level = limit.units().saturating_mul(percent);
        if observed.units() > 0 && observed.units().saturating_mul(100) >= level {
            self.warnings.push(denial());
        }
        Ok(())
    }

    /// Denies a loss that has reached its limit, and warns from the warning level on. A profit is
    /// no loss at all.
    pub(super) fn lost(
        &mut self,
        (code, scope): (DenyCode, Scope),
        loss: Money,
        limit: Money,
    ) -> Result<(), Denial> {
        self.reached(code, scope, Figure::money(loss.max(Money::ZERO)), Figure::money(limit))
    }

    /// Denies at the limit already, and warns from the warning level on.
    pub(super) fn reached(
        &mut self,
        code: DenyCode,
        scope: Scope,
        observed: Figure,
        limit: Figure,
    ) -> Result<(), Denial> {
        if observed.units() >= limit.units() {
            let scope = self.gate.strictest(scope, code);
            return Err(Denial::over(code, scope, observed, limit));
        }
        self.within(code, scope, observed, limit)
    }

    pub(super) fn standing(&self) -> &'a StandingLimits {
        &self.gate.whole().standing
    }

    /// A size limit as it holds now: after a kill was lifted it comes back in steps.
    pub(super) fn graded(&self, limit: i128) -> i128 {
        graded(limit, self.at.size_percent)
    }

    pub(super) fn qty_figure(&self, units: i128) -> Figure {
        Figure::scaled(units, self.instrument.qty_scale)
    }
}

/// A person's order has no strategy. A strategy without limits or figures has none of this, and
/// `state::check_strategy` denies whatever it asks for.
fn of_strategy<'a>(
    gate: &'a Gate,
    intent: &OrderIntent,
    at: &'a Circumstances,
) -> Option<Held<'a>> {
    let limits = gate.strategy_limits(intent.origin.plugin()?);
    at.strategy.as_ref().zip(limits).map(|(usage, limits)| (Scope::Strategy, usage, limits))
}

fn of_all<'a>(gate: &'a Gate, at: &'a Circumstances) -> Held<'a> {
    (Scope::Account, &at.whole, &gate.whole().activity)
}

/// A value in the quote currency; `None` without a price, or where the product does not fit.
fn value_at(px: Option<Px>, qty: Qty, instrument: &Instrument) -> Option<Money> {
    px.and_then(|px| Money::notional(px, qty, instrument))
}

/// What the order can do to the position, whatever else fills first.
fn act(intent: &OrderIntent, at: &Circumstances) -> Act {
    if !is_reduction(intent, at) {
        return Act::Increase;
    }
    match intent.origin {
        Origin::Person => Act::Flatten,
        Origin::House if at.flatten => Act::Flatten,
        Origin::House | Origin::Plugin(_) => Act::Reduce,
    }
}

/// Whether the order can only make the position smaller: with everything that works on its side it
/// does not reach through zero. While account and house disagree, what both agree on is held.
#[must_use]
pub fn is_reduction(intent: &OrderIntent, at: &Circumstances) -> bool {
    let (Some(position), Some(working)) = (at.position, at.working) else { return false };
    let (held, claimed) = match intent.side {
        Side::Sell => (position.0, working.sell_qty),
        Side::Buy => (position.0.saturating_neg(), working.buy_qty),
    };
    let held = if at.reconciled { held } else { held.min(at.reducible.map_or(0, Qty::units)) };
    let after = claimed.plus(intent.qty).map(Qty::units);
    held > 0 && after.is_some_and(|claimed| claimed <= held)
}

/// Some percent of a limit, rounded down. There is no more than all of it.
pub(super) fn graded(limit: i128, percent: u32) -> i128 {
    if percent >= 100 { limit } else { limit.saturating_mul(i128::from(percent)) / 100 }
}

pub(super) fn ms_to_ns(ms: u32) -> i64 {
    i64::from(ms).saturating_mul(NS_PER_MS)
}

pub(super) fn plain(holds: bool, code: DenyCode, scope: Scope) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(Denial::plain(code, scope)) }
}

pub(super) fn count(value: u32) -> Figure {
    Figure::count(i64::from(value))
}

/// An age in nanoseconds against a limit in milliseconds. An age below zero is a clock that
/// contradicts itself: as bad as nothing at all.
pub(super) fn young(
    (code, scope): (DenyCode, Scope),
    age_ns: i64,
    max_ms: u32,
) -> Result<(), Denial> {
    let whole_ms = age_ns / NS_PER_MS;
    if (0..=ms_to_ns(max_ms)).contains(&age_ns) {
        Ok(())
    } else {
        Err(Denial::over(code, scope, Figure::count(whole_ms), count(max_ms)))
    }
}
