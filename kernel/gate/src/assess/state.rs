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

pub(super) fn check_phase(case: &mut Case<'_>) -> Result<(), Denial> {
    let by_hand = case.intent.origin == Origin::Person;
    match case.gate.phase() {
        Phase::Foundation => plain(false, C::PhaseForbids, Scope::Session),
        Phase::Shadow => plain(!by_hand, C::PhaseForbids, Scope::Session),
        Phase::PreLive if by_hand => plain(false, C::PhaseForbids, Scope::Session),
        Phase::PreLive => plain(false, C::LiveLocked, Scope::Session),
        Phase::Paper
        | Phase::BoundedAuto
        | Phase::ManualLive
        | Phase::MonitoredAuto
        | Phase::Continuous => Ok(()),
    }
}

pub(super) fn check_plugin(case: &mut Case<'_>) -> Result<(), Denial> {
    // A person's order has no component to be signed; who may ask is checked at the door.
    let Origin::Plugin(plugin) = case.intent.origin else { return Ok(()) };
    plain(case.at.standing == Standing::Running, C::PluginSuspended, Scope::Strategy)?;
    let signed = case.gate.component(plugin);
    let same = signed.is_some() && signed == case.at.component;
    plain(same, C::HashNotSigned, Scope::Strategy)
}

pub(super) fn check_warm_up(case: &mut Case<'_>) -> Result<(), Denial> {
    plain(!case.at.warming_up, C::WarmingUp, Scope::Strategy)
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
