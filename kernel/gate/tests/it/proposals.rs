//! Phases 5 to 7 on a ladder that aims at a simulated venue: who is asked, and who is not.

use portcullis_domain::{Bracket, Origin, Phase, Position, Side};
use portcullis_gate::{Act, DenyCode, Scope, Verdict};
use portcullis_statement::{EndpointKind, Refusal};

use crate::fixture::{Case, House, denial};
use crate::people::{floors, px, qty};

const LIVE: [Phase; 3] = [Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous];

/// Alters one thing of a plugin's purchase in each of the phases 5 to 7.
#[track_caller]
fn check(change: impl Fn(&mut Case), expect: &str) {
    for phase in LIVE {
        let mut case = Case::new(phase);
        change(&mut case);
        assert_eq!(case.answer(), expect, "{phase:?}");
    }
}

/// Sells a part of what is held, and says that it only reduces.
fn exit(case: &mut Case) {
    case.intent.side = Side::Sell;
    case.intent.reduce_only = true;
    case.at.position = Some(Position(50_000));
}

#[test]
fn phases_decide_what_becomes_of_a_good_order() {
    for (phase, plugin, person, house) in [
        (Phase::Shadow, "WOULD_BE", "PHASE_FORBIDS", "WOULD_BE"),
        (Phase::Paper, "APPROVE", "APPROVE", "APPROVE"),
        (Phase::BoundedAuto, "APPROVE", "APPROVE", "APPROVE"),
        (Phase::PreLive, "LIVE_LOCKED", "PHASE_FORBIDS", "LIVE_LOCKED"),
        (Phase::ManualLive, "PROPOSE", "PROPOSE", "APPROVE"),
        (Phase::MonitoredAuto, "PROPOSE", "PROPOSE", "APPROVE"),
        (Phase::Continuous, "PROPOSE", "PROPOSE", "APPROVE"),
    ] {
        let mut case = Case::new(phase);
        assert_eq!(case.answer(), plugin, "a plugin in {phase:?}");
        case.intent.origin = Origin::Person;
        assert_eq!(case.answer(), person, "a person in {phase:?}");
        case.intent.origin = Origin::House;
        assert_eq!(case.answer(), house, "the house in {phase:?}");
    }
}

/// In phase 0 there is no gate to ask: no approval of it is verified, whatever the rules say.
#[test]
fn no_approval_of_phase_zero_is_one() {
    let mut house = House::new(Phase::Paper, EndpointKind::Simulated, "ada");
    house.approval.phase = Phase::Foundation;
    let mut rules = floors();
    let rule = rules.rules[&Phase::Paper].clone();
    for rules in [floors(), {
        rules.rules.insert(Phase::Foundation, rule);
        rules
    }] {
        let refused = house.open_under(&rules).map(|_gate| ());
        assert_eq!(refused, Err(Refusal::PhaseNotOpenable(Phase::Foundation)));
    }
}

/// Only so many may wait for a person, in each phase in which one is asked, and nowhere else.
#[test]
fn proposals_are_counted_where_a_person_is_asked() {
    let full = |c: &mut Case| c.at.whole.proposals = 1_000;
    check(full, "MAX_OPEN_PROPOSALS");
    let by_hand = |c: &mut Case| {
        full(c);
        c.intent.origin = Origin::Person;
    };
    check(by_hand, "MAX_OPEN_PROPOSALS");
    let smaller = |c: &mut Case| {
        by_hand(c);
        c.intent.side = Side::Sell;
        c.at.position = Some(Position(50_000));
    };
    check(smaller, "APPROVE");
    // What waits is counted whatever it would do, or a plugin could pile it up without end.
    let unsaid = |c: &mut Case| {
        full(c);
        c.intent.side = Side::Sell;
        c.at.position = Some(Position(50_000));
    };
    check(unsaid, "MAX_OPEN_PROPOSALS");
    for phase in [Phase::Paper, Phase::BoundedAuto] {
        let mut case = Case::new(phase);
        full(&mut case);
        assert_eq!(case.answer(), "APPROVE", "{phase:?}");
    }
}

/// A person sees what is asked for and where the market stood, and nothing is reserved.
#[test]
fn a_proposal_carries_the_order_and_the_market() {
    let mut case = Case::new(Phase::ManualLive);
    case.intent.bracket = Some(Bracket { stop_px: Some(px(9_900)), target_px: None });
    let Verdict::Propose(proposal) = case.verdict() else { panic!("{}", case.answer()) };
    let seen = (proposal.intent(), Some(proposal.reference()));
    assert_eq!(seen, (&case.intent, case.at.quote));
}

/// A proposal that could never be released is not shown: every check holds for it too.
#[test]
fn what_is_not_an_order_is_no_proposal() {
    check(|c| c.at.killed = true, "KILL_ACTIVE");
    check(|c| c.intent.qty = qty(9_999), "LOT_SIZE");
    check(|c| c.at.quote = None, "NO_REFERENCE_PRICE");
    check(|c| c.at.whole.proposals = 999, "PROPOSE");
    check(|c| c.at.whole.proposals = 1_000, "MAX_OPEN_PROPOSALS");
    check(|c| c.strategy().proposals = 1_000, "MAX_OPEN_PROPOSALS");
    // Whoever does not propose is not held up by what waits, and before phase 5 nothing does.
    check(|c| (c.intent.origin, c.at.whole.proposals) = (Origin::House, 1_000), "APPROVE");
    let mut case = Case::new(Phase::Paper);
    case.at.whole.proposals = 1_000;
    assert_eq!(case.answer(), "APPROVE");
}

/// D6: what protects never waits for a person; it says that it only reduces, and proves it.
#[test]
fn d6_a_plugins_provable_reduction_is_never_held() {
    check(exit, "APPROVE");
    let exit_and = |change: fn(&mut Case)| {
        move |c: &mut Case| {
            exit(c);
            change(c);
        }
    };
    check(exit_and(|c| c.at.whole.proposals = 1_000), "APPROVE");
    check(exit_and(|c| c.at.quote.as_mut().unwrap().received.0 = 0), "APPROVE");
    check(exit_and(|c| c.intent.qty = qty(50_000)), "APPROVE");
    check(exit_and(|c| c.intent.qty = qty(50_010)), "REDUCE_ONLY");
    check(exit_and(|c| c.working().sell_qty = qty(40_010)), "REDUCE_ONLY");
    check(exit_and(|c| c.at.position = None), "REDUCE_ONLY");
    // It reduces, but does not say so: had the position changed by the time it leaves, it could
    // have been an opening.
    check(exit_and(|c| c.intent.reduce_only = false), "PROPOSE");
    assert!(!DenyCode::MaxOpenProposals.denies(Act::Reduce));
}

/// A person cannot judge what the market says nothing about.
#[test]
fn an_exit_without_a_market_is_no_proposal() {
    let blind = |c: &mut Case| {
        exit(c);
        c.at_market();
        c.at.quote = None;
    };
    check(blind, "APPROVE");
    let mut case = Case::new(Phase::ManualLive);
    blind(&mut case);
    case.intent.reduce_only = false;
    let denial = denial(&case.verdict()).unwrap();
    let seen = (denial.code, denial.scope);
    assert_eq!(seen, (DenyCode::NoReferencePrice, Scope::Instrument));
}
