//! One intent on its way through the checks, and the ways to hold a number against a limit.

use portcullis_domain::policy::{ActivityLimits, InstrumentLimits, StandingLimits};
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{Instrument, Money, OrderIntent, Origin, Px, Qty, Rate, Side};

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

/// One intent on its way through the checks.
pub(crate) struct Case<'a> {
    pub(super) gate: &'a Gate,
    pub(super) intent: &'a OrderIntent,
    pub(super) at: &'a Circumstances,
    pub(super) instrument: &'a Instrument,
    pub(super) limits: &'a InstrumentLimits,
    pub(super) act: Act,
    pub(super) warnings: Vec<Denial>,
    reserve: Option<Reserve>,
}

/// A table of limits with what is used of it, and whose it is.
pub(super) type Held<'a> = (Scope, &'a Usage, &'a ActivityLimits);

impl Gate {
    /// What an order would reserve; `None` without a price, or where the product does not fit.
    ///
    /// A market order can run up to the collar, so that is what it reserves.
    #[must_use]
    pub fn reserve(&self, intent: &OrderIntent, quote: Option<Quote>) -> Option<Reserve> {
        let instrument = self.instrument(intent.instrument)?;
        let px = match (intent.price, intent.side) {
            (Some(price), _) => price,
            (None, Side::Buy) => {
                let limits = self.limits().instruments.get(&intent.instrument)?;
                worsened(quote?.ask, limits.price_collar_bps)?
            }
            (None, Side::Sell) => quote?.bid,
        };
        Some(Reserve { px, notional: Money::notional(px, intent.qty, instrument)? })
    }

    /// An amount of the instrument's quote currency in the account's, with the haircut on top.
    /// `None` without a conversion, or where the product does not fit.
    #[must_use]
    pub fn in_account_currency(&self, amount: Money, instrument: &Instrument) -> Option<Money> {
        let limits = self.limits();
        if instrument.quote == limits.currency {
            return Some(amount);
        }
        let rate = limits.conversions.get(&instrument.quote)?.rate;
        let haircut = Rate::from_bps(limits.rules.conversion_haircut_bps);
        let converted = amount.times(rate)?;
        converted.plus(converted.times(haircut)?)
    }
}

/// A buying price, worse by `bps`, rounded up.
fn worsened(px: Px, bps: u32) -> Option<Px> {
    let more = i128::from(px.units()).checked_mul(i128::from(bps))?;
    let more = more.checked_add(9_999)?.checked_div(10_000)?;
    Px::new(i64::try_from(i128::from(px.units()).checked_add(more)?).ok()?)
}

impl<'a> Case<'a> {
    pub(super) fn new(
        gate: &'a Gate,
        intent: &'a OrderIntent,
        at: &'a Circumstances,
    ) -> Result<Self, Denial> {
        let missing = Denial::plain(DenyCode::InstrumentNotAllowed, Scope::Instrument);
        let instrument = gate.instrument(intent.instrument).ok_or(missing)?;
        let limits = gate.limits().instruments.get(&intent.instrument).ok_or(missing)?;
        let reserve = gate.reserve(intent, at.quote);
        let act = act(intent, at);
        Ok(Self { gate, intent, at, instrument, limits, act, warnings: Vec::new(), reserve })
    }

    /// By which rights the order leaves: whoever flattens keeps the exit when the session takes
    /// nothing new any more.
    pub(super) fn rights(&self) -> Rights {
        let over = self.at.killed || !self.gate.takes_new(self.at);
        if self.act == Act::Flatten && over { Rights::Closing } else { self.gate.rights() }
    }

    pub(super) fn reserve_px(&self) -> Option<Px> {
        self.reserve.map(|reserve| reserve.px)
    }

    pub(super) fn notional(&self) -> Result<Money, Denial> {
        let unpriced = Denial::plain(DenyCode::NoReferencePrice, Scope::Instrument);
        self.reserve.map(|reserve| reserve.notional).ok_or(unpriced)
    }

    /// The order's value in the account's currency.
    pub(super) fn value(&self) -> Result<Money, Denial> {
        let missing = Denial::plain(DenyCode::NoConversionPrice, Scope::Instrument);
        let value = self.gate.in_account_currency(self.notional()?, self.instrument);
        let value = value.ok_or(missing)?;
        let limits = self.gate.limits();
        if let Some(conversion) = limits.conversions.get(&self.instrument.quote) {
            let age = self.at.now.wall.0.checked_sub(conversion.as_of.0);
            let max = ms_to_ns(limits.rules.conversion_age_ms_max);
            if !age.is_some_and(|age| (0..=max).contains(&age)) {
                return Err(missing);
            }
        }
        Ok(value)
    }

    /// The strategy's own limits and the strictest of account, venue and host, with their usage.
    /// A person's order has no strategy; a strategy without limits or figures may do nothing.
    pub(super) fn held(&self) -> Result<[Option<Held<'a>>; 2], Denial> {
        let whole = (Scope::Account, &self.at.whole, &self.gate.whole().activity);
        let Origin::Plugin(plugin) = self.intent.origin else { return Ok([None, Some(whole)]) };
        let missing = Denial::plain(DenyCode::ApprovalMissing, Scope::Strategy);
        let limits = self.gate.strategy_limits(plugin).ok_or(missing)?;
        let usage = self.at.strategy.as_ref().ok_or(missing)?;
        Ok([Some((Scope::Strategy, usage, limits)), Some(whole)])
    }

    /// Holds one figure of every scope against its limit.
    pub(super) fn hold(
        &mut self,
        code: DenyCode,
        figure: impl Fn(&Usage) -> Result<Figure, Denial>,
        limit: impl Fn(&ActivityLimits) -> Figure,
    ) -> Result<(), Denial> {
        for (scope, usage, limits) in self.held()?.into_iter().flatten() {
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
        let denial =
            || Denial::over(code, self.gate.strictest(scope, code, limit), observed, limit);
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
        let loss = loss.max(Money::ZERO);
        let (observed, limit) = (Figure::money(loss), Figure::money(limit));
        if observed.units() >= limit.units() {
            let scope = self.gate.strictest(scope, code, limit);
            return Err(Denial::over(code, scope, observed, limit));
        }
        self.within(code, scope, observed, limit)
    }

    pub(super) fn standing(&self) -> &'a StandingLimits {
        &self.gate.whole().standing
    }

    /// A size limit as it holds now: after a kill was lifted it comes back in steps.
    pub(super) fn graded(&self, limit: i128) -> i128 {
        let percent = i128::from(self.at.size_percent.min(100));
        limit.saturating_mul(percent).checked_div(100).unwrap_or(0)
    }

    pub(super) fn qty_figure(&self, units: i128) -> Figure {
        Figure::scaled(units, self.instrument.qty_scale)
    }
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
    let whole_ms = age_ns.checked_div(NS_PER_MS).unwrap_or(i64::MAX);
    if (0..=ms_to_ns(max_ms)).contains(&age_ns) {
        Ok(())
    } else {
        Err(Denial::over(code, scope, Figure::count(whole_ms), count(max_ms)))
    }
}
