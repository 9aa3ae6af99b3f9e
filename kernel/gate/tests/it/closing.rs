//! Closing rights: what stays of an approval after its session.

use portcullis_domain::{Bracket, OrdType, Origin, Phase, PluginId, Position, Side};
use portcullis_gate::{Rights, Verdict};

use crate::fixture::Case;
use crate::people::{HOUR_NS, NOW, qty};

type Change = fn(&mut Case);

/// A person sells a part of what is held, long after everything is over and without any market.
fn exit() -> Case {
    let mut case = Case::reduction(Phase::Paper);
    case.intent.origin = Origin::Person;
    case.at.now.wall = NOW.plus_ns(HOUR_NS * 1_000);
    (case.at.killed, case.at.closing, case.at.reduce_only) = (true, true, true);
    (case.at.component, case.at.quote, case.at.book_valid) = (None, None, false);
    (case.at.submits_last_second, case.at.working.open_orders) = (u32::MAX, u32::MAX);
    case
}

/// Judged by the gate of the session that is over, and by the closing gate of one that has ended.
#[track_caller]
fn check(change: Change, expect: &str) {
    let mut case = exit();
    change(&mut case);
    for gate in [case.house.open().unwrap(), case.house.open().unwrap().into_closing()] {
        let id = portcullis_domain::ClOrdId { epoch: 7, sequence: 1 };
        let seen = match gate.assess(case.intent.clone(), id, &case.at) {
            Verdict::Approve(order) => {
                assert_eq!(order.rights(), Rights::Closing);
                "APPROVE"
            }
            Verdict::WouldBe(_) => "WOULD_BE",
            Verdict::Deny(denial) => denial.code.code(),
        };
        assert_eq!(seen, expect);
    }
}

/// D4: window, expiry, kill, staleness, counts and rates do not lock the exit.
#[test]
fn d4_a_provable_reduction_by_hand_passes_whatever_is_over() {
    check(|_| {}, "APPROVE");
    check(|c| c.intent.origin = Origin::House, "APPROVE");
    check(|c| c.at.balance = None, "APPROVE");
    check(|c| c.limits().order_notional_max = crate::people::money("1"), "APPROVE");
}

/// D4: nothing but a provable reduction, whatever else the circumstances say.
#[test]
fn d4_closing_rights_let_nothing_grow() {
    check(|c| c.intent.side = Side::Buy, "REDUCE_ONLY");
    check(|c| c.intent.qty = qty(50_010), "REDUCE_ONLY");
    check(|c| c.at.working.sell_qty = qty(40_010), "REDUCE_ONLY");
    check(|c| c.at.position = Position::FLAT, "REDUCE_ONLY");
    check(|c| c.at.position = Position(-50_000), "REDUCE_ONLY");
    let open = |c: &mut Case| (c.at.killed, c.at.reduce_only) = (false, false);
    let mut case = exit();
    open(&mut case);
    case.intent.side = Side::Buy;
    let gate = case.house.open().unwrap().into_closing();
    case.at.now.wall = NOW;
    case.at.closing = false;
    let id = portcullis_domain::ClOrdId { epoch: 7, sequence: 1 };
    let verdict = gate.assess(case.intent.clone(), id, &case.at);
    assert!(matches!(verdict, Verdict::Deny(denial) if denial.code.code() == "REDUCE_ONLY"));
}

/// D4: what makes an order valid and an account known is checked as ever.
#[test]
fn d4_closing_orders_are_whole_and_reconciled() {
    check(|c| c.intent.origin = Origin::Plugin(PluginId(0)), "KILL_ACTIVE");
    check(
        |c| {
            (c.intent.origin, c.at.killed) = (Origin::Plugin(PluginId(0)), false);
            c.at.now.wall = NOW;
        },
        "OUTSIDE_SESSION_WINDOW",
    );
    check(|c| c.at.reference_used = true, "DUPLICATE_INTENT");
    check(|c| c.intent.instrument.0 = 9, "INSTRUMENT_NOT_ALLOWED");
    check(|c| c.intent.price = None, "ORDER_TYPE_NOT_ALLOWED");
    let legs = Bracket { stop_px: Some(crate::people::px(9_000)), target_px: None };
    let mut case = exit();
    case.intent.bracket = Some(legs);
    assert_eq!(case.answer(), "ORDER_TYPE_NOT_ALLOWED");
    check(|c| c.intent.price = Some(crate::people::px(10_001)), "TICK_SIZE");
    check(|c| c.intent.qty = qty(10_001), "LOT_SIZE");
    check(|c| c.limits().order_qty_max = qty(9_990), "MAX_ORDER_QTY");
    check(|c| c.at.evidence_writable = false, "EVIDENCE_UNWRITABLE");
    check(|c| c.at.reconciled = false, "RECON_UNRESOLVED");
    check(|c| c.at.working.any_unknown = true, "ORDER_UNKNOWN");
    check(|c| c.at.balance.as_mut().unwrap().base = qty(0), "INSUFFICIENT_BALANCE");
}

/// D4: without a market a person has to name the price; with one, the price is measured.
#[test]
fn d4_a_closing_order_without_a_quote_names_its_price() {
    let market = |c: &mut Case| (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
    let mut case = exit();
    market(&mut case);
    assert_eq!(case.answer(), "NO_REFERENCE_PRICE");
    let quoted = Case::reduction(Phase::Paper).at.quote;
    (case.at.quote, case.at.book_valid) = (quoted, true);
    assert_eq!(case.answer(), "APPROVE");
    case.intent.ord_type = OrdType::Limit;
    case.intent.price = Some(crate::people::px(9_000));
    assert_eq!(case.answer(), "PRICE_COLLAR");
}

/// From phase 5 on a person leaves a position by role alone, while the session is open; nothing
/// of a plugin, and nothing that grows.
#[test]
fn an_open_live_session_lets_a_person_reduce() {
    for phase in [Phase::ManualLive, Phase::MonitoredAuto, Phase::Continuous] {
        let mut case = Case::reduction(phase);
        assert_eq!(case.answer(), "LIVE_LOCKED");
        case.intent.origin = Origin::Person;
        assert_eq!(case.answer(), "APPROVE");
        case.intent.side = Side::Buy;
        assert_eq!(case.answer(), "LIVE_LOCKED");
        case.intent.reduce_only = true;
        assert_eq!(case.answer(), "REDUCE_ONLY");
    }
    let mut case = Case::reduction(Phase::PreLive);
    case.intent.origin = Origin::Person;
    assert_eq!(case.answer(), "LIVE_LOCKED");
}
