//! May anything be asked for now, and by this one?

use portcullis_domain::{Origin, Phase};

use super::case::{Case, plain};
use crate::circumstances::Standing;
use crate::closing::Rights;
use crate::code::{Act, DenyCode as C};
use crate::deny::{Denial, Scope};

/// After a session only its closing rights are left.
pub(super) fn check_rights(case: &mut Case<'_>) -> Result<(), Denial> {
    if case.gate.rights() == Rights::Session || case.act == Act::Flatten {
        return Ok(());
    }
    // What would be a reduction cannot be proved to be one while account and house disagree.
    plain(case.at.reconciled, C::ReconUnresolved, Scope::Account)?;
    plain(case.act != Act::Increase, C::ReduceOnly, Scope::Session)?;
    plain(false, C::OutsideSessionWindow, Scope::Session)
}

pub(super) fn check_kill(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.killed, C::KillActive, Scope::Session)
}

pub(super) fn check_expiry(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.at.now.wall < case.gate.expires(), C::ApprovalExpired, Scope::Session)
}

pub(super) fn check_window(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.gate.takes_new(case.at), C::OutsideSessionWindow, Scope::Session)
}

/// Nothing trades in foundation, nobody by hand in shadow and pre-live, and pre-live is locked.
pub(super) fn check_phase(case: &mut Case<'_>) -> Result<(), Denial> {
    let (phase, by_hand) = (case.gate.phase(), case.intent.origin == Origin::Person);
    let by_itself = matches!(phase, Phase::Shadow | Phase::PreLive);
    let forbidden = phase == Phase::Foundation || (by_hand && by_itself);
    plain(!forbidden, C::PhaseForbids, Scope::Session)?;
    plain(phase != Phase::PreLive, C::LiveLocked, Scope::Session)
}

pub(super) fn check_plugin(case: &mut Case<'_>) -> Result<(), Denial> {
    // A person's order has no component to be signed; who may ask is checked at the door.
    let Origin::Plugin(plugin) = case.intent.origin else { return Ok(()) };
    plain(case.at.standing == Standing::Running, C::PluginSuspended, Scope::Strategy)?;
    let signed = case.gate.component(plugin);
    let same = signed.is_some() && signed == case.at.component;
    plain(same, C::HashNotSigned, Scope::Strategy)
}

/// A strategy that the limits say nothing of, or of which no figures are known, may do nothing.
pub(super) fn check_strategy(case: &mut Case<'_>) -> Result<(), Denial> {
    let [of_strategy, _of_all] = case.held;
    let known = of_strategy.is_some() || case.intent.origin.plugin().is_none();
    plain(known, C::ApprovalMissing, Scope::Strategy)
}

/// Only a strategy is told the past: what a person or the house asks for is never held up by it.
pub(super) fn check_warm_up(case: &mut Case<'_>) -> Result<(), Denial> {
    let asks = case.intent.origin.plugin().is_some();
    plain(!(asks && case.at.warming_up), C::WarmingUp, Scope::Strategy)
}

pub(super) fn check_evidence(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(case.at.evidence_writable, C::EvidenceUnwritable, Scope::Host)
}

pub(super) fn check_reduce_only(case: &mut Case<'_>) -> Result<(), Denial> {
    // An order that asks to be a reduction and cannot be proved to be one is none.
    let contradicts = case.intent.reduce_only && case.act == Act::Increase;
    plain(!contradicts, C::ReduceOnly, Scope::Order)?;
    plain(!case.at.reduce_only, C::ReduceOnly, Scope::Session)
}
