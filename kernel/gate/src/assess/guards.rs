//! The watchers beside the kernel, and the clock that all of them share.

use super::case::{Case, count, ms_to_ns, plain};
use crate::circumstances::GuardState;
use crate::code::DenyCode as C;
use crate::deny::{Denial, Figure, Scope};

pub(super) fn check_clock(case: &mut Case<'_>) -> Result<(), Denial> {
    let max_ms = case.gate.limits().rules.clock_skew_ms_max;
    let Some(offset_ns) = case.at.clock_offset_ns else {
        // A recording has no venue to ask, a simulated one shares our clock.
        let outside = case.gate.approval().endpoint_kind.is_outside();
        return plain(!outside, C::ClockSkew, Scope::Host);
    };
    if offset_ns.saturating_abs() <= ms_to_ns(max_ms) {
        return Ok(());
    }
    let observed = Figure::count(offset_ns.saturating_abs() / portcullis_domain::time::NS_PER_MS);
    Err(Denial::over(C::ClockSkew, Scope::Host, observed, count(max_ms)))
}

pub(super) fn check_guardian(case: &mut Case<'_>) -> Result<(), Denial> {
    alive(case.at.guards.guardian, C::GuardianDown)
}

pub(super) fn check_dead_man(case: &mut Case<'_>) -> Result<(), Denial> {
    alive(case.at.guards.dead_man, C::DeadmanStale)
}

pub(super) fn check_witness(case: &mut Case<'_>) -> Result<(), Denial> {
    alive(case.at.guards.witness, C::WitnessBehind)
}

pub(super) fn check_presence(case: &mut Case<'_>) -> Result<(), Denial> {
    alive(case.at.guards.presence, C::PresenceLapsed)
}

pub(super) fn check_scribe(case: &mut Case<'_>) -> Result<(), Denial> {
    alive(case.at.guards.scribe, C::ReplicationBehind)
}

fn alive(state: GuardState, code: C) -> Result<(), Denial> {
    match state {
        GuardState::NotRequired | GuardState::Alive => Ok(()),
        GuardState::Missing => Err(Denial::plain(code, Scope::Host)),
    }
}
