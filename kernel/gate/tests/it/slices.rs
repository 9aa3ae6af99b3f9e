//! Slices of a signed flatten plan: the only orders that pass a kill, and what they must be.

use portcullis_domain::{Origin, Phase, PluginId, Position};

use crate::fixture::Case;
use crate::people::{HOUR_NS, NOW};

/// A slice as the core asks for it: after a kill, with the session gone.
fn slice() -> Case {
    let mut case = Case::reduction(Phase::Paper);
    case.intent.origin = Origin::House;
    case.intent.reduce_only = true;
    case.at.component = None;
    (case.at.killed, case.at.closing) = (true, true);
    (case.at.flatten, case.at.reduce_only) = (true, true);
    case
}

#[track_caller]
fn check(change: impl FnOnce(&mut Case), expect: &str) {
    let mut case = slice();
    change(&mut case);
    assert_eq!(case.answer(), expect);
}

/// D4, D5: after the kill, after the window, a reduction by the plan passes, and nothing else.
#[test]
fn d4_only_a_slice_of_a_plan_passes_a_kill() {
    check(|_| (), "APPROVE");
    check(|c| c.at.now.wall = NOW.plus_ns(HOUR_NS * 47), "APPROVE");
    check(|c| c.at.flatten = false, "KILL_ACTIVE");
    check(|c| c.at.reduce_only = false, "KILL_ACTIVE");
    check(|c| c.intent.reduce_only = false, "KILL_ACTIVE");
    check(|c| c.intent.origin = Origin::Person, "KILL_ACTIVE");
    check(|c| c.intent.origin = Origin::Plugin(PluginId(0)), "KILL_ACTIVE");
}

/// A slice can only reduce, and never beyond what is held with all that works on its side.
#[test]
fn a_slice_that_does_not_reduce_is_denied() {
    check(|c| c.at.position = Position(10_000), "APPROVE");
    check(|c| c.at.position = Position(9_999), "REDUCE_ONLY");
    check(|c| c.at.position = Position::FLAT, "REDUCE_ONLY");
    check(|c| c.at.position = Position(-50_000), "REDUCE_ONLY");
    check(|c| c.at.working.sell_qty = crate::people::qty(40_001), "REDUCE_ONLY");
}

/// Every other check holds for a slice too.
#[test]
fn a_slice_passes_every_other_check() {
    check(|c| c.at.evidence_writable = false, "EVIDENCE_UNWRITABLE");
    check(|c| c.at.reconciled = false, "RECON_UNRESOLVED");
    check(|c| c.at.working.any_unknown = true, "ORDER_UNKNOWN");
    check(|c| c.intent.price = Some(crate::people::px(9_940)), "PRICE_COLLAR");
    check(|c| c.intent.price = Some(crate::people::px(9_951)), "TICK_SIZE");
}
