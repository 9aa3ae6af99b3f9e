//! Closing rights (D4): what stays possible after a session has ended, by a person alone, until
//! the account is flat: a provable reduction, and nothing else.
//!
//! Every approval grants them. They outlive the session's window, the approval's expiry, a kill, a
//! crash and a restart, because a position that nobody may leave is worse than any of these.

use portcullis_domain::{OrderIntent, Origin, Px, Qty, Side};
use portcullis_statement::{SessionApproval, Verified};

use crate::assess::{
    Case, check_balance, check_evidence, check_lot, check_order_qty, check_price_collar,
    check_reconciled, check_reference_is_new, check_shape, check_tick,
};
use crate::circumstances::Circumstances;
use crate::deny::{Denial, DenyCode};
use crate::open::Gate;

/// What an order was approved by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The open session.
    Session,
    /// The closing rights of a session that ends or has ended. Such an order may leave while the
    /// kill latch is down: it can only make a position smaller.
    Closing,
}

impl Gate {
    /// The gate of a session that has ended: approves what a person or the house needs to get
    /// flat, whatever the circumstances say about window, expiry and kill.
    #[must_use]
    pub fn closing(approval: Verified<SessionApproval>) -> Self {
        Self { approval, rights: Rights::Closing }
    }

    /// Ends the session behind this gate. What is left of it are its closing rights.
    #[must_use]
    pub fn into_closing(self) -> Self {
        Self { rights: Rights::Closing, ..self }
    }

    /// By which rights an intent is judged. A plugin has none beyond its session; a person keeps
    /// the exit from the moment on at which the session takes nothing new.
    pub(crate) fn rights_for(&self, intent: &OrderIntent, at: &Circumstances) -> Rights {
        let over = at.killed || self.check_session_window(at).is_err();
        match intent.origin {
            Origin::Person | Origin::House if over => Rights::Closing,
            Origin::Plugin(_) | Origin::Person | Origin::House => self.rights,
        }
    }

    /// Every check of a closing order, in order. Returns the worst price, which it reserves.
    pub(crate) fn judge_closing(
        &self,
        intent: &OrderIntent,
        at: &Circumstances,
    ) -> Result<Px, Denial> {
        check_origin(intent, at)?;
        check_reference_is_new(at)?;
        let case = self.check_instrument(intent, at)?;
        check_shape(&case)?;
        check_no_bracket(intent)?;
        check_tick(&case)?;
        check_lot(&case)?;
        check_evidence(at)?;
        check_reconciled(at)?;
        check_order_qty(&case)?;
        check_reduces(&case)?;
        // The streams end with the session, so there may be nothing to measure by: then a person
        // has to name the price.
        let px = case.worst_px.ok_or(Denial::plain(DenyCode::NoReferencePrice))?;
        if at.quote.is_some() {
            check_price_collar(&case)?;
        }
        match check_balance(&case) {
            Err(denial) if denial.code.denies_reduction() => Err(denial),
            Err(_) | Ok(()) => Ok(px),
        }
    }
}

/// Whether `intent` can only make the position smaller, whatever else of ours fills first.
#[must_use]
pub fn reduces(intent: &OrderIntent, at: &Circumstances) -> bool {
    let (held, working) = match intent.side {
        Side::Sell => (at.position.0, at.working.sell_qty),
        Side::Buy => (at.position.0.saturating_neg(), at.working.buy_qty),
    };
    let claimed = working.plus(intent.qty).map(Qty::units);
    held > 0 && claimed.is_some_and(|claimed| claimed <= held)
}

fn check_origin(intent: &OrderIntent, at: &Circumstances) -> Result<(), Denial> {
    match intent.origin {
        Origin::Person | Origin::House => Ok(()),
        Origin::Plugin(_) if at.killed => Err(Denial::plain(DenyCode::KillActive)),
        Origin::Plugin(_) => Err(Denial::plain(DenyCode::OutsideSessionWindow)),
    }
}

fn check_no_bracket(intent: &OrderIntent) -> Result<(), Denial> {
    match intent.bracket {
        None => Ok(()),
        Some(_) => Err(Denial::plain(DenyCode::OrderTypeNotAllowed)),
    }
}

fn check_reduces(case: &Case<'_>) -> Result<(), Denial> {
    if reduces(case.intent, case.at) { Ok(()) } else { Err(Denial::plain(DenyCode::ReduceOnly)) }
}
