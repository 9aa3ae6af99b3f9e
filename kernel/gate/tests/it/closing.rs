//! Closing rights: what stays of an approval after its session.

use portcullis_domain::{Bracket, OrdType, Origin, Phase, PluginId, Position, Side};
use portcullis_gate::{Gate, Rights, Verdict};

use crate::fixture::{Case, word};
use crate::people::{HOUR_NS, NOW, floors, px, qty};

type Change = fn(&mut Case);

/// A person sells a part of what is held, long after everything is over and without any market.
fn exit() -> Case {
    let mut case = Case::reduction(Phase::Paper);
    case.intent.origin = Origin::Person;
    case.at.now.wall = NOW.plus_ns(HOUR_NS * 1_000);
    (case.at.killed, case.at.closing, case.at.reduce_only) = (true, true, true);
    (case.at.component, case.at.quote, case.at.book_valid) = (None, None, false);
    case.at.whole = portcullis_gate::Usage { open_orders: u32::MAX, ..Default::default() };
    case
}

/// Judged by the gate of the session that is over, and by the closing gate of one that has ended.
#[track_caller]
fn check(change: Change, of_the_session: &str, of_closing_rights: &str) {
    let mut case = exit();
    change(&mut case);
    let gate = case.house.open().unwrap();
    let mut seen = Vec::new();
    for gate in [gate, case.house.open().unwrap().into_closing()] {
        let verdict = case.ask(&gate);
        if let Verdict::Approve(order) = &verdict {
            assert_eq!(order.rights(), Rights::Closing);
        }
        seen.push(word(&verdict));
    }
    assert_eq!(seen, [of_the_session, of_closing_rights]);
}

#[track_caller]
fn both(change: Change, expect: &str) {
    check(change, expect, expect);
}

/// D4: window, expiry, kill, staleness, counts and rates do not lock the exit.
#[test]
fn d4_a_provable_reduction_by_hand_passes_whatever_is_over() {
    both(|_| {}, "APPROVE");
    both(|c| (c.intent.origin, c.at.flatten) = (Origin::House, true), "APPROVE");
    both(|c| c.at.venue_status = None, "APPROVE");
    both(|c| c.working().any_unknown = true, "APPROVE");
}

/// D4: after a restart there is no session to come from: the approval itself grants the rights.
#[test]
fn d4_closing_rights_outlive_the_session_and_a_restart() {
    let mut case = exit();
    let gate = case.house.closing();
    let Verdict::Approve(order) = case.ask(&gate) else { panic!("{}", word(&case.ask(&gate))) };
    assert_eq!(order.rights(), Rights::Closing);
    case.intent.side = Side::Buy;
    assert_eq!(word(&case.ask(&gate)), "REDUCE_ONLY");
}

/// An order leaves by closing rights only where the session takes nothing new.
#[test]
fn a_session_that_goes_on_gives_its_own_rights() {
    let by = |change: Change| {
        let mut case = Case::reduction(Phase::Paper);
        case.intent.origin = Origin::Person;
        change(&mut case);
        let Verdict::Approve(order) = case.verdict() else { panic!("{}", case.answer()) };
        order.rights()
    };
    assert_eq!(by(|_| {}), Rights::Session);
    assert_eq!(by(|c| c.intent.origin = Origin::Plugin(PluginId(0))), Rights::Session);
    assert_eq!(by(|c| c.at.killed = true), Rights::Closing);
    assert_eq!(by(|c| c.at.closing = true), Rights::Closing);
    assert_eq!(by(|c| c.at.now.wall = NOW.plus_ns(HOUR_NS)), Rights::Closing);
}

/// D4: nothing but a provable reduction, whatever else the circumstances say.
#[test]
fn d4_closing_rights_let_nothing_grow() {
    let grows = |change| check(change, "KILL_ACTIVE", "REDUCE_ONLY");
    grows(|c| c.intent.side = Side::Buy);
    grows(|c| c.intent.qty = qty(50_010));
    grows(|c| c.working().sell_qty = qty(40_010));
    grows(|c| c.at.position = Some(Position::FLAT));
    grows(|c| c.at.position = Some(Position(-50_000)));
    check(|c| c.intent.origin = Origin::House, "KILL_ACTIVE", "OUTSIDE_SESSION_WINDOW");
    let mut case = Case::new(Phase::Paper);
    case.intent.origin = Origin::Person;
    let gate = Gate::closing(case.house.approved_under(&floors()).unwrap());
    assert_eq!(word(&case.ask(&gate)), "REDUCE_ONLY");
}

/// D4: what makes an order valid and an account known is checked as ever.
#[test]
fn d4_closing_orders_are_whole_and_reconciled() {
    let plugin = Origin::Plugin(PluginId(0));
    let mut case = exit();
    case.intent.origin = plugin;
    let gate = case.house.open().unwrap().into_closing();
    assert_eq!(word(&case.ask(&gate)), "OUTSIDE_SESSION_WINDOW");
    both(|c| c.at.reference_used = true, "DUPLICATE_INTENT");
    both(|c| c.intent.instrument.0 = 9, "INSTRUMENT_NOT_ALLOWED");
    both(|c| c.intent.price = None, "ORDER_TYPE_NOT_ALLOWED");
    let legs = |c: &mut Case| {
        c.intent.bracket = Some(Bracket { stop_px: Some(px(9_000)), target_px: None });
    };
    both(legs, "ORDER_TYPE_NOT_ALLOWED");
    both(|c| c.intent.price = Some(px(10_001)), "TICK_SIZE");
    both(|c| c.intent.qty = qty(10_001), "LOT_SIZE");
    both(|c| c.limits().order_qty_max = qty(9_990), "MAX_ORDER_QTY");
    both(|c| c.at.evidence_writable = false, "EVIDENCE_UNWRITABLE");
    check(|c| c.at.reconciled = false, "KILL_ACTIVE", "RECON_UNRESOLVED");
    both(|c| c.balance().base = qty(0), "INSUFFICIENT_BALANCE");
}

/// D8: while account and house disagree, what both agree on can be left.
#[test]
fn d8_what_both_sides_agree_on_can_be_left() {
    both(|c| (c.at.reconciled, c.at.reducible) = (false, Some(qty(10_000))), "APPROVE");
    let beyond = |c: &mut Case| (c.at.reconciled, c.at.reducible) = (false, Some(qty(9_990)));
    check(beyond, "KILL_ACTIVE", "RECON_UNRESOLVED");
}

/// D4: without a market a person has to name the price, inside of the band that people signed;
/// with one, the price is measured.
#[test]
fn d4_a_closing_order_without_a_quote_names_its_price() {
    let market = |c: &mut Case| (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
    let mut case = exit();
    market(&mut case);
    assert_eq!(case.answer(), "PRICE_COLLAR");
    let quoted = Case::reduction(Phase::Paper).at.quote;
    (case.at.quote, case.at.book_valid) = (quoted, true);
    assert_eq!(case.answer(), "APPROVE");
    case.intent.ord_type = OrdType::Limit;
    case.intent.price = Some(px(9_000));
    assert_eq!(case.answer(), "PRICE_COLLAR");
    both(|c| c.limits().price_min = px(10_001), "PRICE_COLLAR");
    both(|c| c.limits().price_max = px(9_999), "PRICE_COLLAR");
}
