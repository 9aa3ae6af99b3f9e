//! The order of the checks. This file is the audit: every check is one function, and they run in
//! the order in which they stand in [`CHECKS`].

use std::sync::Arc;

use portcullis_domain::{
    BootNs, ClOrdId, Instrument, InstrumentId, OrderIntent, Origin, Phase, Px,
};

use crate::circumstances::Circumstances;
use crate::closing::Rights;
use crate::code::{Act, DenyCode};
use crate::deny::{Denial, Pause, Until};
use crate::open::Gate;

mod account;
mod amend;
mod approved;
mod bracket;
mod cancel;
mod case;
mod guards;
mod losses;
mod market;
mod price;
mod rates;
mod release;
mod shape;
mod size;
mod state;

pub use amend::{AmendVerdict, ShadowAmend};
use approved::Terms;
pub use approved::{Approved, Authority};
pub use cancel::{CancelRequest, approve_cancel};
pub(crate) use case::Case;
pub use case::{Reserve, is_reduction};
pub use release::{Kept, Proposal};
pub use size::with_fee;

/// What the gate says to an intent.
#[derive(Debug)]
#[must_use = "a verdict is recorded, whatever it says"]
pub enum Verdict {
    /// It may become an order.
    Approve(Approved<OrderIntent>),
    /// Phase 1: it would have become an order. No venue code accepts this type.
    WouldBe(Shadow),
    /// From phase 5: a person has to release it. It reserves nothing and is assessed anew then.
    Propose(Box<Proposal>),
    /// No.
    Deny(Denial),
    /// No, and nothing of the same scope before `until`.
    Pause(Pause),
}

/// An intent that passed every check in a phase from which nothing can leave.
#[derive(Debug)]
pub struct Shadow {
    intent: OrderIntent,
    terms: Terms,
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
        self.terms.cl_ord_id
    }

    /// The worst price that the limits reserved for it.
    #[must_use]
    pub fn reserve_px(&self) -> Px {
        self.terms.reserve_px
    }

    /// Limits that are used beyond their warning level.
    #[must_use]
    pub fn warnings(&self) -> &[Denial] {
        &self.terms.warnings
    }
}

/// One check. `Err` counts only if its code holds for the act at hand.
type Check = fn(&mut Case<'_>) -> Result<(), Denial>;

/// Every check, in order.
const CHECKS: &[Check] = &[
    // May anything be asked for now, and by this one?
    state::check_rights,
    state::check_kill,
    state::check_expiry,
    state::check_window,
    state::check_phase,
    state::check_plugin,
    state::check_strategy,
    state::check_warm_up,
    state::check_evidence,
    guards::check_clock,
    guards::check_guardian,
    guards::check_dead_man,
    guards::check_witness,
    guards::check_presence,
    guards::check_scribe,
    // Is it an order?
    shape::check_order_type,
    bracket::check_bracket,
    shape::check_tick,
    shape::check_lot,
    shape::check_reference_number,
    shape::check_duplicate,
    // Does the house know what is real?
    account::check_reconciled,
    account::check_unknown_orders,
    state::check_reduce_only,
    market::check_feed,
    market::check_venue_status,
    market::check_metadata,
    market::check_book,
    market::check_quote,
    // At that price?
    price::check_bound,
    price::check_collar,
    price::check_collar_window,
    price::check_self_cross,
    // Of that size?
    size::check_order_qty,
    size::check_min_notional,
    size::check_order_notional,
    size::check_order_value,
    size::check_position,
    size::check_short,
    size::check_exposure,
    size::check_gross,
    size::check_leverage,
    size::check_open_orders,
    size::check_open_positions,
    account::check_balance,
    // So soon, and so often?
    rates::check_cooldown,
    rates::check_repeats,
    rates::check_orders_per_session,
    rates::check_daily_notional,
    rates::check_messages,
    // After what was lost?
    losses::check_marks,
    losses::check_session,
    losses::check_day,
    losses::check_week,
    losses::check_drawdown,
    losses::check_adverse_fills,
    losses::check_fees,
];

/// What the checks leave behind of an intent that passed them.
struct Passed {
    act: Act,
    instrument: Arc<Instrument>,
    /// The worst price it can trade at: what it reserves.
    reserve_px: Px,
    /// By which rights it passed.
    rights: Rights,
    /// Limits that are used beyond their warning level.
    warnings: Vec<Denial>,
}

impl Passed {
    fn of(case: Case<'_>) -> Self {
        // Without any price it only reduces, and claims nothing but what it takes off.
        let reserve_px = case.reserve_px().unwrap_or(case.instrument.tick);
        let (act, rights, instrument) = (case.act, case.rights(), Arc::clone(case.instrument));
        Self { act, instrument, reserve_px, rights, warnings: case.warnings }
    }
}

impl Gate {
    /// Judges one intent. The only place where an order is approved.
    pub fn assess(&self, intent: OrderIntent, id: ClOrdId, at: &Circumstances) -> Verdict {
        let mut case = match self.judge(&intent, at) {
            Ok(case) => case,
            Err(denial) => return self.refuse(denial, at, intent.instrument),
        };
        if self.asks_a_person(&intent, case.act) {
            return match rates::check_proposals(&mut case) {
                Ok(reference) => {
                    Verdict::Propose(Box::new(self.propose(intent, id, reference, at.now)))
                }
                Err(denial) => Verdict::Deny(denial),
            };
        }
        let Passed { act: _, instrument, reserve_px, rights, warnings } = Passed::of(case);
        let terms = Terms { cl_ord_id: id, reserve_px, instrument, warnings, rights };
        if self.phase() == Phase::Shadow {
            return Verdict::WouldBe(Shadow { intent, terms });
        }
        Verdict::Approve(Approved::mint(intent, terms, at.now, self.authority()))
    }

    /// From phase 5 an order waits for a person's signed word. What protects never does: of a
    /// plugin what says that it only reduces, of a person whatever does, and provably so.
    fn asks_a_person(&self, intent: &OrderIntent, act: Act) -> bool {
        let waits = match intent.origin {
            Origin::Plugin(_) => !intent.reduce_only || act != Act::Reduce,
            Origin::Person => act == Act::Increase,
            Origin::House => false,
        };
        self.phase() >= Phase::ManualLive && waits
    }

    /// Runs the checks.
    fn judge<'a>(
        &'a self,
        intent: &'a OrderIntent,
        at: &'a Circumstances,
    ) -> Result<Case<'a>, Denial> {
        let mut case = Case::new(self, intent, at)?;
        case.run(CHECKS)?;
        Ok(case)
    }

    /// A denial, or the pause that its code begins.
    fn refuse(&self, denial: Denial, at: &Circumstances, instrument: InstrumentId) -> Verdict {
        let until = match (denial.code, self.limits().instruments.get(&instrument)) {
            (DenyCode::RepeatExecThrottle, _) => Some(Until::Person),
            (DenyCode::Cooldown, Some(limits)) => {
                at.reduced.map(|begin| after(begin, limits.cooldown_ms))
            }
            (DenyCode::PriceCollarWindow, Some(limits)) => {
                Some(after(at.now.boot, limits.price_collar_window_ms))
            }
            (_, Some(_) | None) => None,
        };
        match until {
            Some(until) => Verdict::Pause(Pause { denial, until }),
            None => Verdict::Deny(denial),
        }
    }
}

fn after(begin: BootNs, ms: u32) -> Until {
    Until::Boot(begin.plus_ns(case::ms_to_ns(ms)))
}
