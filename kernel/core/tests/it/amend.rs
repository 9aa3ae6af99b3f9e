//! Changes of working orders: what the gate says, what counts meanwhile, and what becomes of them.

use portcullis_core::entry::{Decoded, decode};
use portcullis_core::{Effect, Input};
use portcullis_domain::frame::{IntentRecord, event_kind};
use portcullis_domain::{ClOrdId, ExecType, Phase};
use portcullis_gate::DenyCode;
use portcullis_statement::json::{Fields, Value};

use crate::people::{px, qty};
use crate::replay::check_replay;
use crate::world::{
    ALPHA, BETA, Out, SECOND_NS, World, amend, buy, cancel, folded, replaced, resting, sell,
};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];

/// A session with one order of 0.1 at 100.00 at the venue, and its plugin ready to ask again.
fn working(phase: Phase) -> (World, ClOrdId) {
    let mut world = World::open(phase);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    (world, id)
}

fn ask(world: &mut World, units: i64, price: i64) -> Out {
    world.reply(ALPHA, vec![amend(1, units, price)])
}

/// Whole quantity and price by the terms in force, and what limits count.
#[track_caller]
fn stands(world: &World, id: ClOrdId, status: &str, terms: (i64, i64), claim: (i64, i64)) {
    let order = world.core.account().orders.get(id).unwrap();
    assert_eq!(order.status.name(), status);
    let price = order.intent.price.unwrap().units();
    assert_eq!((order.intent.qty.units(), price), terms);
    assert_eq!((order.claim_qty().units(), order.claim_px().units()), claim);
    // What is read back says the same.
    let folded = folded(&world.journal());
    assert_eq!(folded.account().orders, world.core.account().orders);
}

/// Hole 4 of the best engine there is: an amend could exceed the limit of an order's value.
#[test]
fn nt4_an_amend_is_checked_like_a_new_order() {
    for phase in [Phase::Shadow, Phase::Paper] {
        let (mut world, id) = working(phase);
        // 0.8 at 100.00 is worth 80, and that is the limit.
        let out = ask(&mut world, 80_010, 10_000);
        assert_eq!(
            (out.amends(), out.reasons("amend-denied")),
            (vec![], vec!["MAX_ORDER_NOTIONAL"])
        );
        let Value::Object(body) = &out.entry("amend-denied").unwrap().body else { panic!() };
        assert_eq!((&body["observed"], &body["limit"]), (&"80.01".into(), &"80".into()));
        assert_eq!((&body["reference"], body.contains_key("intent")), (&Value::Int(1), false));
        let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
        let denial = out.delivered(ALPHA).into_iter().chain(told);
        let codes: Vec<_> = denial
            .filter(|e| e.kind == event_kind::DENIAL)
            .map(|e| (e.reference, e.code))
            .collect();
        assert_eq!(codes, [(1, DenyCode::MaxOrderNotional.number())]);
        let out = ask(&mut world, 80_000, 10_000);
        assert_eq!(
            (out.amends(), out.reasons("amend-requested")),
            (vec![id], vec!["WITHIN_LIMITS"])
        );
        assert!(world.core.view().verdicts["AMENDED"] == 1);
    }
}

#[test]
fn a1_a_change_leaves_with_its_epoch_and_its_deadlines() {
    let (mut world, id) = working(Phase::Paper);
    world.raise_epoch(1);
    let out = ask(&mut world, 20_000, 9_990);
    let leaving = out.effects.iter().find_map(|effect| match effect {
        Effect::Amend(amend) => Some(amend),
        _ => None,
    });
    let leaving = leaving.unwrap();
    assert_eq!(leaving.epoch, 1);
    assert_eq!(leaving.deadline, world.now.boot.plus_ns(SECOND_NS / 2));
    assert_eq!(leaving.venue_deadline, world.now.wall.plus_ns(5 * SECOND_NS));
    let change = leaving.order.item();
    assert_eq!((change.cl_ord_id, change.qty, change.price), (id, qty(20_000), px(9_990)));
    let body = out.entry("amend-requested").unwrap().body.canonical_text();
    let expect = r#"{"after":{"price":9990,"qty":20000},"before":{"price":10000,"qty":10000},"epoch":1,"growth":"9.98","shadow":false}"#;
    assert_eq!(body, expect);
    stands(&world, id, "pending-replace", (10_000, 10_000), (20_000, 10_000));
    assert_eq!(world.core.view().orders[0].what, "buy 0.10000 @ 100.00 -> 0.20000 @ 99.90");
    let out = world.report(id, replaced(20_000, 9_990));
    assert_eq!(world.core.view().orders[0].what, "buy 0.20000 @ 99.90");
    assert_eq!((out.kinds(), out.reasons("booked")), (vec!["report", "booked"], vec!["new"]));
    stands(&world, id, "new", (20_000, 9_990), (20_000, 9_990));
    // The plugin hears of both: 11 is pending-replace, then the new terms.
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    let told: Vec<_> = told.iter().filter(|e| e.kind == event_kind::ORDER).collect();
    let seen: Vec<_> = told.iter().map(|e| (e.code, e.price, e.qty2)).collect();
    assert!(seen.ends_with(&[(2, 9_990, 20_000)]), "{seen:?}");
}

#[test]
fn a_plugin_is_told_that_its_change_is_under_way() {
    let (mut world, _) = working(Phase::Shadow);
    let out = ask(&mut world, 20_000, 9_990);
    let told = out.delivered(ALPHA);
    let told = told.iter().rfind(|event| event.kind == event_kind::ORDER).unwrap();
    assert_eq!((told.reference, told.code, told.qty2), (1, 11, 10_000));
}

/// The worse of both terms counts until the venue has answered, up or down.
#[test]
fn reservations_hold_while_a_change_is_under_way() {
    let free = |world: &mut World, first: u64| {
        let orders = (first..first + 4).map(|n| buy(n, 60_000, 10_000)).collect();
        world.reply(BETA, orders).submits().len()
    };
    // Up to 0.8 of at most 2.0: two more of 0.6 fit, refused or not until it is.
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 80_000, 10_000);
    assert_eq!(free(&mut world, 1), 2);
    world.report(id, ExecType::ReplaceRejected);
    stands(&world, id, "new", (10_000, 10_000), (10_000, 10_000));
    world.reply(BETA, vec![]);
    assert_eq!(free(&mut world, 101), 1);
    // Down from 0.8 to 0.1: the old claim stays until the venue has let go of it.
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 80_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    ask(&mut world, 10_000, 10_000);
    assert_eq!(free(&mut world, 1), 2);
    world.report(id, replaced(10_000, 10_000));
    world.reply(BETA, vec![]);
    assert_eq!(free(&mut world, 101), 1);
}

#[test]
fn a_plugin_changes_its_own_orders_only_and_one_change_at_a_time() {
    let (mut world, id) = working(Phase::Paper);
    let out = world.reply(BETA, vec![amend(1, 20_000, 10_000)]);
    assert_eq!((out.amends(), out.reasons("denied")), (vec![], vec!["ORDER_UNKNOWN"]));
    let wrong = IntentRecord { instrument: 1, ..amend(1, 20_000, 10_000) };
    let flags = IntentRecord { flags: 1, ..amend(1, 20_000, 10_000) };
    let out = world.reply(
        ALPHA,
        vec![
            amend(9, 20_000, 10_000),
            wrong,
            flags,
            amend(0, 1, 1),
            amend(1, -1, 10_000),
            amend(1, 20_000, 0),
            amend(1, 20_000, 10_000),
            amend(1, 30_000, 10_000),
        ],
    );
    let expect = [
        "ORDER_UNKNOWN",
        "ORDER_UNKNOWN",
        "ORDER_TYPE_NOT_ALLOWED",
        "ORDER_TYPE_NOT_ALLOWED",
        "LOT_SIZE",
        "TICK_SIZE",
    ];
    assert_eq!(out.reasons("denied"), expect);
    assert_eq!((out.amends(), out.reasons("amend-denied")), (vec![id], vec!["ORDER_UNKNOWN"]));
    world.report(id, replaced(20_000, 10_000));
    world.reply(ALPHA, vec![]);
    // What is being taken back is not changed any more, and what has ended neither.
    let out = world.reply(ALPHA, vec![cancel(1), amend(1, 30_000, 10_000)]);
    assert_eq!((out.cancels(), out.reasons("amend-denied")), (vec![id], vec!["ORDER_UNKNOWN"]));
    world.report(id, ExecType::Canceled);
    assert_eq!(ask(&mut world, 30_000, 10_000).reasons("amend-denied"), ["ORDER_UNKNOWN"]);
}

/// An order that has not been answered can be changed: both leave by one queue, in order.
#[test]
fn an_order_on_its_way_can_be_changed_behind_itself() {
    let mut world = World::open(Phase::Paper);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000), amend(1, 20_000, 10_000)]);
    let id = out.submits()[0];
    assert_eq!(out.amends(), [id]);
    let kind = |effect: &Effect| match effect {
        Effect::Submit(_) => Some("submit"),
        Effect::Amend(_) => Some("amend"),
        _ => None,
    };
    assert_eq!(out.effects.iter().filter_map(kind).collect::<Vec<_>>(), ["submit", "amend"]);
    world.report(id, ExecType::New);
    stands(&world, id, "pending-replace", (10_000, 10_000), (20_000, 10_000));
    world.report(id, replaced(20_000, 10_000));
    stands(&world, id, "new", (20_000, 10_000), (20_000, 10_000));
    // Neither of the two leaves: the order ends, and the refusal of its change is an echo.
    let out = world.reply(ALPHA, vec![buy(2, 10_000, 10_000), amend(2, 20_000, 10_000)]);
    let id = out.submits()[0];
    let code = DenyCode::ReleaseRevoked;
    world.feed(Input::NotSent { cl_ord_id: id, code });
    world.feed(Input::AmendNotSent { cl_ord_id: id, code });
    stands(&world, id, "unsent", (10_000, 10_000), (0, 10_000));
    assert!(!world.core.is_killed());
}

#[test]
fn a_change_that_never_left_leaves_the_order_as_it_was() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 80_000, 9_990);
    let code = DenyCode::EvidenceUnwritable;
    let out = world.feed(Input::AmendNotSent { cl_ord_id: id, code });
    assert_eq!(out.kinds(), ["amend-not-sent"]);
    stands(&world, id, "new", (10_000, 10_000), (10_000, 10_000));
    world.assert_blocked(&["EVIDENCE_UNWRITABLE"]);
    world.feed(Input::AmendSent { cl_ord_id: id });
    world.assert_blocked(&[]);
}

#[test]
fn a_cancel_crosses_a_change_and_both_answers_are_believed() {
    let check = |answers: &[ExecType], status: &str| {
        let (mut world, id) = working(Phase::Paper);
        ask(&mut world, 20_000, 9_990);
        assert_eq!(world.reply(ALPHA, vec![cancel(1)]).cancels(), [id]);
        stands(&world, id, "pending-cancel", (10_000, 10_000), (20_000, 10_000));
        for answer in answers {
            world.report(id, answer.clone());
        }
        assert_eq!((world.status(id), world.core.is_killed()), (status, false));
    };
    check(&[replaced(20_000, 9_990), ExecType::Canceled], "canceled");
    check(&[ExecType::ReplaceRejected, ExecType::Canceled], "canceled");
    check(&[ExecType::Canceled, replaced(20_000, 9_990)], "canceled");
    check(&[ExecType::Canceled, ExecType::ReplaceRejected], "canceled");
    check(&[ExecType::CancelRejected], "unknown");
    check(&[ExecType::CancelRejected, replaced(20_000, 9_990)], "new");
    check(&[replaced(20_000, 9_990), ExecType::CancelRejected], "unknown");
}

#[test]
fn a_kill_takes_back_what_is_being_changed() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 9_990);
    assert_eq!(world.kill().cancels(), [id]);
    assert_eq!(ask(&mut world, 30_000, 9_990).reasons("amend-denied"), ["KILL_ACTIVE"]);
    let code = DenyCode::ReleaseRevoked;
    world.feed(Input::AmendNotSent { cl_ord_id: id, code });
    stands(&world, id, "pending-cancel", (10_000, 10_000), (10_000, 10_000));
}

/// A fill beyond the old quantity tells of the change before its report; more than both is a fault.
#[test]
fn fills_race_a_change() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    let out = world.fill(id, "e1", 15_000, 10_000);
    assert_eq!(out.reasons("booked"), ["partially-filled"]);
    stands(&world, id, "partially-filled", (20_000, 10_000), (5_000, 10_000));
    world.report(id, replaced(20_000, 10_000));
    world.fill(id, "e2", 5_000, 10_000);
    stands(&world, id, "filled", (20_000, 10_000), (0, 10_000));
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    let out = world.fill(id, "e1", 20_010, 10_000);
    assert_eq!(out.reasons("faulted"), ["FAULT_OVERFILL"]);
    assert!(world.core.is_killed());
}

#[test]
fn a_change_that_nobody_asked_for_stops_the_house() {
    let (mut world, id) = working(Phase::Paper);
    let out = world.report(id, replaced(20_000, 10_000));
    assert_eq!(out.reasons("faulted"), ["FAULT_UNASKED_TERMS"]);
    assert!(world.core.is_killed());
}

/// A venue that refuses a change and then makes it contradicts itself: what the refusal freed may
/// be in use, so the worst case is not known any more.
#[test]
fn a_change_that_the_venue_refused_and_made_stops_the_house() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    world.report(id, ExecType::ReplaceRejected);
    stands(&world, id, "new", (10_000, 10_000), (10_000, 10_000));
    let out = world.report(id, replaced(20_000, 10_000));
    assert_eq!(out.reasons("faulted"), ["FAULT_UNASKED_TERMS"]);
    assert_eq!((out.cancels(), world.core.is_killed()), (vec![id], true));
    // A venue that says the same refusal twice only repeats itself.
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    world.report(id, ExecType::ReplaceRejected);
    world.report(id, ExecType::ReplaceRejected);
    assert!(!world.core.is_killed());
}

/// The line goes down under a change: the order is unknown, then found, under terms that nobody
/// knows; both are believed of the venue and both are counted.
#[test]
fn f7_a_change_of_unknown_fate_counts_until_the_end() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    stands(&world, id, "unknown", (10_000, 10_000), (20_000, 10_000));
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    for leaves in [10_000, 20_000, 10_000] {
        let out = world.account(&[resting(id, leaves)], WHOLE);
        assert_eq!(out.reasons("reconciled").iter().filter(|r| **r != "GREEN").count(), 0);
        stands(&world, id, "pending-replace", (10_000, 10_000), (20_000, 10_000));
    }
    assert_eq!(world.core.view().differences, Some(vec![]));
    assert_eq!(ask(&mut world, 30_000, 10_000).reasons("amend-denied"), ["ORDER_UNKNOWN"]);
    world.account(&[resting(id, 15_000)], WHOLE);
    let out = world.account(&[resting(id, 15_000)], WHOLE);
    assert_eq!(out.reasons("reconciled"), ["RECON_UNRESOLVED"]);
    // It can be taken back, and then it is over.
    assert_eq!(world.reply(ALPHA, vec![cancel(1)]).cancels(), [id]);
    world.report(id, ExecType::Canceled);
    stands(&world, id, "canceled", (10_000, 10_000), (0, 10_000));
}

#[test]
fn a_restart_finds_a_change_under_way_and_counts_it() {
    let (mut world, id) = working(Phase::Paper);
    ask(&mut world, 20_000, 10_000);
    world.restart(true);
    stands(&world, id, "unknown", (10_000, 10_000), (20_000, 10_000));
}

/// Changes are messages to the venue like any other.
#[test]
fn changes_count_against_the_message_rate() {
    let mut world = World::open(Phase::Paper);
    let mut records = vec![buy(1, 10_000, 10_000), amend(1, 20_000, 10_000)];
    records.extend((2..40).map(|n| sell(n, 6_000, 10_050)));
    let out = world.reply(ALPHA, records);
    let rate = out.reasons("denied").iter().filter(|code| **code == "MAX_MSG_RATE").count();
    let max = 16_usize;
    assert!(out.submits().len() + out.amends().len() <= max, "{rate} denied of {max}");
}

/// A change comes as near to a limit as a new order does. The warning says whose limit it is.
#[test]
fn a_change_near_a_limit_is_warned_of_by_name() {
    let (mut world, _) = working(Phase::Paper);
    let out = ask(&mut world, 70_000, 10_000);
    assert_eq!(out.amends().len(), 1);
    assert!(out.reasons("warned").contains(&"MAX_ORDER_NOTIONAL"), "{:?}", out.reasons("warned"));
    let told = |of: &str| {
        let warned = world.journal().into_iter().map(|bytes| decode(&bytes).unwrap());
        let warned = warned.filter(|entry| entry.kind == "warned");
        let of = |entry: &Decoded| Fields::new(&entry.body).unwrap().text("of").unwrap() == of;
        warned.filter(of).map(|entry| entry.corr).collect::<Vec<_>>()
    };
    assert!(told("BTC-USDT").iter().all(|scope| scope == "instrument"), "{:?}", told("BTC-USDT"));
    assert!(!told("BTC-USDT").is_empty());
    check_replay(&world);
}
