//! The checks, in the order in which they run. This file is the audit.

use portcullis_domain::policy::InstrumentLimits;
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{
    ClOrdId, Instrument, Money, Now, OrdType, Order, OrderIntent, Origin, Phase, Px, Qty, Rate,
    Side,
};

use crate::circumstances::{Circumstances, Quote, Standing};
use crate::deny::{Denial, DenyCode, Figure};
use crate::open::Gate;

mod approved;
use approved::Terms;
pub use approved::{Approved, Authority};

/// What the gate says to an intent.
#[derive(Debug)]
#[must_use = "a verdict is recorded, whatever it says"]
pub enum Verdict {
    /// It may become an order.
    Approve(Approved<OrderIntent>),
    /// Phase 1: it would have become an order. No venue code accepts this type.
    WouldBe(Shadow),
    /// No.
    Deny(Denial),
}

/// An intent that passed every check in a phase from which nothing can leave.
#[derive(Debug)]
pub struct Shadow {
    intent: OrderIntent,
    cl_ord_id: ClOrdId,
    reserve_px: Px,
}

impl Shadow {
    /// What would have been sent.
    #[must_use]
    pub fn item(&self) -> &OrderIntent {
        &self.intent
    }

    /// The id it would have had.
    #[must_use]
    pub fn cl_ord_id(&self) -> ClOrdId {
        self.cl_ord_id
    }

    /// The worst price that the limits reserved for it.
    #[must_use]
    pub fn reserve_px(&self) -> Px {
        self.reserve_px
    }
}

/// FIX 35=F. The order to take back, by both ids as far as they are known.
#[derive(Debug)]
pub struct CancelRequest {
    /// FIX 41.
    pub cl_ord_id: ClOrdId,
}

/// Approves taking back an order of ours that can still trade; `None` if there is nothing to
/// take back. It needs no session and no live gate: a halt must never block a reduction of risk.
#[must_use]
pub fn approve_cancel(order: &Order) -> Option<CancelRequest> {
    order.status.is_open().then_some(CancelRequest { cl_ord_id: order.cl_ord_id })
}

/// One intent on its way through the checks.
struct Case<'a> {
    intent: &'a OrderIntent,
    at: &'a Circumstances,
    instrument: &'a Instrument,
    limits: &'a InstrumentLimits,
    /// The worst price it can trade at, once a quote is there.
    worst_px: Option<Px>,
}

impl Gate {
    /// Judges one intent. The only place where an order is approved.
    pub fn assess(&self, intent: OrderIntent, id: ClOrdId, at: &Circumstances) -> Verdict {
        let instrument = self.instrument(intent.instrument).cloned();
        match self.judge(&intent, at) {
            Err(denial) => Verdict::Deny(denial),
            Ok(reserve_px) if self.phase() == Phase::Shadow => {
                Verdict::WouldBe(Shadow { intent, cl_ord_id: id, reserve_px })
            }
            Ok(reserve_px) => {
                let Some(instrument) = instrument else {
                    return Verdict::Deny(Denial::plain(DenyCode::InstrumentNotAllowed));
                };
                let terms = Terms { cl_ord_id: id, reserve_px, instrument };
                Verdict::Approve(Approved::mint(intent, terms, at.now, self.authority()))
            }
        }
    }

    /// Every check, in order. Returns the worst price, which the order reserves.
    fn judge(&self, intent: &OrderIntent, at: &Circumstances) -> Result<Px, Denial> {
        let slice = is_slice(intent, at);
        if !slice {
            check_not_killed(at)?;
            self.check_session_window(at)?;
        }
        self.check_phase()?;
        self.check_plugin(intent, at)?;
        check_reference_is_new(at)?;
        let case = self.check_instrument(intent, at)?;
        check_shape(&case)?;
        check_tick(&case)?;
        check_lot(&case)?;
        check_evidence(at)?;
        check_reconciled(at)?;
        check_order_qty(&case)?;

        // From here on, limits that could lock the exit spare an order that can only make the
        // position smaller; the table in `deny.rs` says which.
        let reduces = case.is_reduction();
        let spare = |checked: Result<(), Denial>| match checked {
            Err(denial) if reduces && !denial.code.denies_reduction() => Ok(()),
            other => other,
        };
        spare(check_reduce_only(at))?;
        spare(check_market_data(&case))?;
        spare(check_price_collar(&case))?;
        spare(check_min_notional(&case))?;
        spare(check_order_notional(&case))?;
        spare(check_position(&case))?;
        spare(check_balance(&case))?;
        spare(self.check_open_orders(at))?;
        spare(self.check_message_rate(at))?;
        // Without any price this is a sell that reduces, and a sell reserves its quantity.
        Ok(case.worst_px.unwrap_or(case.instrument.tick))
    }

    fn check_session_window(&self, at: &Circumstances) -> Result<(), Denial> {
        let Now { wall, .. } = at.now;
        if wall >= self.expires() {
            return Err(Denial::plain(DenyCode::ApprovalExpired));
        }
        let (opens, closes) = self.window();
        if at.closing || wall < opens || wall >= closes {
            return Err(Denial::plain(DenyCode::OutsideSessionWindow));
        }
        Ok(())
    }

    fn check_phase(&self) -> Result<(), Denial> {
        match self.phase() {
            Phase::Shadow | Phase::Paper | Phase::BoundedAuto => Ok(()),
            Phase::Foundation => Err(Denial::plain(DenyCode::PhaseForbids)),
            // Proposals and releases do not exist yet, so every live phase is locked.
            Phase::PreLive | Phase::ManualLive | Phase::MonitoredAuto | Phase::Continuous => {
                Err(Denial::plain(DenyCode::LiveLocked))
            }
        }
    }

    fn check_plugin(&self, intent: &OrderIntent, at: &Circumstances) -> Result<(), Denial> {
        if at.standing == Standing::Suspended {
            return Err(Denial::plain(DenyCode::PluginSuspended));
        }
        // A person's order has no component to be signed; who may ask is checked at the door.
        let Origin::Plugin(plugin) = intent.origin else { return Ok(()) };
        let signed = self.component(plugin);
        if signed.is_none() || signed != at.component {
            return Err(Denial::plain(DenyCode::HashNotSigned));
        }
        Ok(())
    }

    fn check_instrument<'a>(
        &'a self,
        intent: &'a OrderIntent,
        at: &'a Circumstances,
    ) -> Result<Case<'a>, Denial> {
        let missing = Denial::plain(DenyCode::InstrumentNotAllowed);
        let instrument = self.instrument(intent.instrument).ok_or(missing)?;
        let limits = self.limits().instruments.get(&intent.instrument).ok_or(missing)?;
        let worst_px = match (intent.price, at.quote, intent.side) {
            (Some(price), _, _) => Some(price),
            (None, Some(quote), Side::Buy) => Some(quote.ask),
            (None, Some(quote), Side::Sell) => Some(quote.bid),
            (None, None, _) => None,
        };
        Ok(Case { intent, at, instrument, limits, worst_px })
    }

    fn check_open_orders(&self, at: &Circumstances) -> Result<(), Denial> {
        let max = self.limits().account.open_orders_max;
        let open = at.working.open_orders;
        deny_unless(open < max, DenyCode::MaxOpenOrders, count(open), count(max))
    }

    fn check_message_rate(&self, at: &Circumstances) -> Result<(), Denial> {
        let max = self.limits().account.messages_per_second_max;
        let sent = at.submits_last_second;
        deny_unless(sent < max, DenyCode::MaxMsgRate, count(sent), count(max))
    }
}

impl Case<'_> {
    /// Whether the order can only make the position smaller, whatever else fills first.
    fn is_reduction(&self) -> bool {
        let (held, working) = match self.intent.side {
            Side::Sell => (self.at.position.0, self.at.working.sell_qty),
            Side::Buy => (self.at.position.0.saturating_neg(), self.at.working.buy_qty),
        };
        let after = working.plus(self.intent.qty).map(Qty::units);
        held > 0 && after.is_some_and(|claimed| claimed <= held)
    }

    fn notional(&self) -> Result<Money, Denial> {
        let unpriced = Denial::plain(DenyCode::NoReferencePrice);
        let px = self.worst_px.ok_or(unpriced)?;
        Money::notional(px, self.intent.qty, self.instrument).ok_or(unpriced)
    }
}

fn count(value: u32) -> Figure {
    Figure::count(i64::from(value))
}

fn deny_unless(holds: bool, code: DenyCode, observed: Figure, limit: Figure) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(Denial::over(code, observed, limit)) }
}

/// Whether this is a slice of a signed flatten plan, which comes after the kill and after the
/// session. That it can only reduce is checked like everything else.
fn is_slice(intent: &OrderIntent, at: &Circumstances) -> bool {
    at.flatten && at.reduce_only && intent.reduce_only && intent.origin == Origin::House
}

fn check_not_killed(at: &Circumstances) -> Result<(), Denial> {
    if at.killed { Err(Denial::plain(DenyCode::KillActive)) } else { Ok(()) }
}

fn check_reference_is_new(at: &Circumstances) -> Result<(), Denial> {
    if at.reference_used { Err(Denial::plain(DenyCode::DuplicateIntent)) } else { Ok(()) }
}

fn check_shape(case: &Case<'_>) -> Result<(), Denial> {
    let priced = case.intent.price.is_some();
    let fits = match case.intent.ord_type {
        OrdType::Limit => priced,
        OrdType::Market => !priced,
    };
    if fits { Ok(()) } else { Err(Denial::plain(DenyCode::OrderTypeNotAllowed)) }
}

fn check_tick(case: &Case<'_>) -> Result<(), Denial> {
    match case.intent.price {
        Some(px) if !case.instrument.on_tick(px) => {
            let tick = case.instrument.tick;
            let figure = |px| Figure::px(px, case.instrument);
            Err(Denial::over(DenyCode::TickSize, figure(px), figure(tick)))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_lot(case: &Case<'_>) -> Result<(), Denial> {
    let (qty, instrument) = (case.intent.qty, case.instrument);
    let figure = |qty| Figure::qty(qty, instrument);
    if qty.is_zero() || !instrument.on_lot(qty) {
        return Err(Denial::over(DenyCode::LotSize, figure(qty), figure(instrument.lot)));
    }
    deny_unless(
        qty >= instrument.qty_min,
        DenyCode::LotSize,
        figure(qty),
        figure(instrument.qty_min),
    )
}

fn check_evidence(at: &Circumstances) -> Result<(), Denial> {
    if at.evidence_writable { Ok(()) } else { Err(Denial::plain(DenyCode::EvidenceUnwritable)) }
}

fn check_reconciled(at: &Circumstances) -> Result<(), Denial> {
    if !at.reconciled {
        return Err(Denial::plain(DenyCode::ReconUnresolved));
    }
    if at.working.any_unknown {
        return Err(Denial::plain(DenyCode::OrderUnknown));
    }
    Ok(())
}

fn check_order_qty(case: &Case<'_>) -> Result<(), Denial> {
    let (qty, max) = (case.intent.qty, case.limits.order_qty_max);
    let figure = |qty| Figure::qty(qty, case.instrument);
    deny_unless(qty <= max, DenyCode::MaxOrderQty, figure(qty), figure(max))
}

fn check_reduce_only(at: &Circumstances) -> Result<(), Denial> {
    if at.reduce_only { Err(Denial::plain(DenyCode::ReduceOnly)) } else { Ok(()) }
}

fn check_market_data(case: &Case<'_>) -> Result<(), Denial> {
    let quote = case.at.quote.ok_or(Denial::plain(DenyCode::NoReferencePrice))?;
    if !case.at.book_valid {
        return Err(Denial::plain(DenyCode::BookInvalid));
    }
    if quote.bid >= quote.ask {
        return Err(Denial::plain(DenyCode::NoReferencePrice));
    }
    let age = case.at.now.boot.since_ns(quote.received);
    let age_ms = age.checked_div(NS_PER_MS).unwrap_or(i64::MAX);
    let max_ms = i64::from(case.limits.market_data_age_ms_max);
    // An age below zero is a clock that contradicts itself: as bad as no quote at all.
    deny_unless(
        age >= 0 && age <= max_ms.saturating_mul(NS_PER_MS),
        DenyCode::StaleMarketData,
        Figure::count(age_ms),
        Figure::count(max_ms),
    )
}

/// Distance from the middle of the quote, in basis points of it.
fn check_price_collar(case: &Case<'_>) -> Result<(), Denial> {
    let missing = Denial::plain(DenyCode::NoReferencePrice);
    // A price that nothing can be measured by is outside of every collar, for a reduction too: a
    // limit at one tick would give the position away. At the market it may still go.
    let unmeasured = match case.intent.price {
        Some(_) => Denial::plain(DenyCode::PriceCollar),
        None => missing,
    };
    let Quote { bid, ask, .. } = case.at.quote.ok_or(unmeasured)?;
    let px = case.worst_px.ok_or(missing)?;
    let middle_twice = i128::from(bid.units()).saturating_add(i128::from(ask.units()));
    let px_twice = i128::from(px.units()).saturating_mul(2);
    let distance = px_twice.saturating_sub(middle_twice).saturating_abs();
    let bps = distance.saturating_mul(10_000).checked_div(middle_twice).ok_or(missing)?;
    let max = case.limits.price_collar_bps;
    let observed = i64::try_from(bps).unwrap_or(i64::MAX);
    // Compared as a product, so that a fraction of a basis point above the limit is above it.
    let allowed = middle_twice.saturating_mul(i128::from(max));
    deny_unless(
        distance.saturating_mul(10_000) <= allowed,
        DenyCode::PriceCollar,
        Figure::count(observed),
        count(max),
    )
}

fn check_min_notional(case: &Case<'_>) -> Result<(), Denial> {
    let (notional, min) = (case.notional()?, case.instrument.notional_min);
    deny_unless(notional >= min, DenyCode::MinNotional, Figure::money(notional), Figure::money(min))
}

fn check_order_notional(case: &Case<'_>) -> Result<(), Denial> {
    let (notional, max) = (case.notional()?, case.limits.order_notional_max);
    deny_unless(
        notional <= max,
        DenyCode::MaxOrderNotional,
        Figure::money(notional),
        Figure::money(max),
    )
}

/// The worst case: everything that works on this side fills, and nothing on the other.
fn check_position(case: &Case<'_>) -> Result<(), Denial> {
    let max = case.limits.position_qty_max;
    let (held, working) = match case.intent.side {
        Side::Buy => (case.at.position.0, case.at.working.buy_qty),
        Side::Sell => (case.at.position.0.saturating_neg(), case.at.working.sell_qty),
    };
    let worst = held.saturating_add(working.units()).saturating_add(case.intent.qty.units());
    let figure = |units: i64| Figure::qty(Qty::new(units).unwrap_or(Qty::ZERO), case.instrument);
    deny_unless(worst <= max.units(), DenyCode::MaxPosition, figure(worst), figure(max.units()))
}

/// A buy needs its value and its fee in the quote currency, a sell its quantity in the base.
fn check_balance(case: &Case<'_>) -> Result<(), Denial> {
    let unknown = Denial::plain(DenyCode::StaleAccount);
    let balance = case.at.balance.ok_or(unknown)?;
    match case.intent.side {
        Side::Buy => {
            // What cannot be priced or added up may cost more than there is, reduction or not.
            let beyond = Denial::plain(DenyCode::InsufficientBalance);
            let notional = case.notional().map_err(|_no_price| beyond)?;
            let cost = with_fee(notional, case.instrument.taker_fee).ok_or(beyond)?;
            let needed = case.at.working.reserved_quote.plus(cost).ok_or(beyond)?;
            deny_unless(
                needed <= balance.quote,
                DenyCode::InsufficientBalance,
                Figure::money(needed),
                Figure::money(balance.quote),
            )
        }
        Side::Sell => {
            let needed = case.at.working.sell_qty.plus(case.intent.qty).ok_or(unknown)?;
            deny_unless(
                needed <= balance.base,
                DenyCode::InsufficientBalance,
                Figure::qty(needed, case.instrument),
                Figure::qty(balance.base, case.instrument),
            )
        }
    }
}

/// What a purchase of `notional` can cost at most: the order's reservation in money.
#[must_use]
pub fn with_fee(notional: Money, fee: Rate) -> Option<Money> {
    notional.plus(notional.times(fee)?)
}
