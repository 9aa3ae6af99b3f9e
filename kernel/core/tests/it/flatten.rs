//! The way out of a position: a signed plan, slice by slice, and every way in which it ends.

use std::collections::BTreeMap;

use portcullis_core::{Effect, Input};
use portcullis_domain::{
    ClOrdId, ExecType, OrderIntent, Origin, Phase, Role, Side, StopMode, TimeInForce,
};
use portcullis_statement::{Digest, FlattenPlan, Kind, Slices, Target};

use crate::safety::TWO;
use crate::world::{ALPHA, BETA, Out, SECOND_NS, World, buy, resting, sell};

const SYMBOL: &str = "BTC-USDT";

/// A session that bought `units` at 100, was killed, and whose orders are gone for certain.
fn killed(units: i64) -> World {
    let mut world = World::open(Phase::Paper);
    world.hold(units);
    world.kill();
    world.clear();
    assert!(world.core.is_killed() && world.core.open_session().is_none());
    world
}

fn plan(world: &World) -> FlattenPlan {
    let entry = world.core.kill_entry().unwrap_or(Digest::of(b"none"));
    plan_for(Target::kill(world.core.kill_seq(), entry))
}

/// A plan of slices of 0.1, a second apart.
pub(crate) fn plan_for(target: Target) -> FlattenPlan {
    let slices =
        Slices { slice_qty_max: "0.1".to_owned(), slippage_bps_max: 40, slice_pause_ms: 1_000 };
    FlattenPlan {
        account: crate::people::name("acct"),
        target,
        instruments: BTreeMap::from([(SYMBOL.to_owned(), slices)]),
        reason: "out of here".to_owned(),
    }
}

fn hand_in(world: &mut World, plan: &FlattenPlan) -> Out {
    world.hand_in(Kind::FlattenPlan, &TWO, &plan.to_value()).1
}

/// Hands the plan in that fits the present kill.
fn offer(world: &mut World) -> Out {
    let plan = plan(world);
    hand_in(world, &plan)
}

/// With a plan that runs, and a market.
fn running(units: i64) -> World {
    let mut world = killed(units);
    let out = offer(&mut world);
    assert_eq!((out.answers(), out.submits()), (vec!["DONE"], vec![]));
    assert!(out.has(|effect| matches!(effect, Effect::SessionOpened { .. })));
    world.snapshot();
    world
}

/// The one slice that goes out with this event.
#[track_caller]
fn slice(out: &Out) -> (ClOrdId, OrderIntent) {
    let mut slices = out.effects.iter().filter_map(|effect| match effect {
        Effect::Submit(submit) => Some((submit.order.cl_ord_id(), submit.order.item().clone())),
        _ => None,
    });
    let first = slices.next().expect("no slice");
    assert!(slices.next().is_none());
    first
}

fn expired(world: &mut World, id: ClOrdId) -> Out {
    world.report(id, ExecType::Expired)
}

/// The pause is over, and the market is fresh.
fn pause(world: &mut World, bid: i64) -> Out {
    world.pass(SECOND_NS);
    world.quote(bid, bid + 20)
}

fn held(world: &World) -> i64 {
    world.core.account().holding(SYMBOL).position.0
}

/// Section 9 of the design: one reducing IOC slice at a time, never more than is held, at the
/// touch worsened by at most the cap, until nothing is left.
#[test]
fn a_plan_sells_slice_by_slice_until_it_is_flat() {
    let mut world = running(20_000);
    let (first, intent) = slice(&world.quote(9_990, 10_010));
    let seen = (intent.origin, intent.side, intent.time_in_force, intent.reduce_only);
    assert_eq!(seen, (Origin::House, Side::Sell, TimeInForce::Ioc, true));
    // 99.90 less 0.4 % is 99.5004: the next tick towards the touch is 99.60.
    assert_eq!((intent.qty.units(), intent.price.unwrap().units()), (10_000, 9_960));
    // One at a time: neither market nor time brings another while it is out.
    assert_eq!(pause(&mut world, 9_990).submits(), []);
    // Part of it fills and the rest expires: the next one comes after the pause.
    world.fill(first, "f1", 4_000, 9_990);
    assert_eq!(expired(&mut world, first).submits(), []);
    assert_eq!(world.quote(9_990, 10_010).submits(), []);
    assert_eq!(world.core.next_deadline().map(|at| at.0 - world.now.wall.0), Some(999_000_000));
    let (second, intent) = slice(&pause(&mut world, 9_980));
    assert_eq!((intent.qty.units(), intent.price.unwrap().units()), (10_000, 9_950));
    world.fill(second, "f2", 10_000, 9_980);
    let (third, intent) = slice(&pause(&mut world, 9_990));
    // Never more than is held.
    assert_eq!(intent.qty.units(), 6_000);
    let out = world.fill(third, "f3", 6_000, 9_990);
    assert_eq!(out.reasons("flatten-ended"), ["FLAT"]);
    assert!(out.has(|effect| matches!(effect, Effect::SessionClosed)));
    assert_eq!(held(&world), 0);
    // It is over: the kill stands, and nothing more leaves.
    assert_eq!(pause(&mut world, 9_990).submits(), []);
    assert!(world.core.is_killed());
    crate::replay::check_replay(&world);
}

/// D15: what is below the venue's smallest order ends the plan and is shown.
#[test]
fn d15_dust_is_an_end_of_its_own() {
    let mut world = running(11_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    // 0.01 at 99.60 is worth 0.996, and 5 is the least that the venue takes.
    let out = world.fill(first, "f1", 10_000, 9_990);
    assert_eq!((out.submits(), out.reasons("flatten-ended")), (vec![], vec!["FLAT_WITHIN_DUST"]));
    let left = format!("{:?}", out.entry("flatten-ended").unwrap().body);
    assert!(left.contains("0.01000"), "{left}");
}

/// D15: a venue that takes nothing ends the plan, and people sign another when it opens again.
#[test]
fn d15_a_venue_that_refuses_ends_the_plan() {
    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    let out = world.report(first, ExecType::Rejected);
    assert_eq!(out.reasons("flatten-ended"), ["VENUE_CLOSED"]);
    // Not before it is certain again that nothing of ours is left there.
    assert_eq!(offer(&mut world).answers(), ["ORDERS_NOT_CLEAR"]);
    world.clear();
    assert_eq!(offer(&mut world).answers(), ["DONE"]);
}

/// Bought back as it was sold: a short position, at the offer.
#[test]
fn a_short_position_is_bought_back() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![sell(1, 10_000, 10_010)]).submits()[0];
    world.fill(id, "s1", 10_000, 10_010);
    world.kill();
    world.clear();
    offer(&mut world);
    world.snapshot();
    let (_, intent) = slice(&world.quote(9_990, 10_010));
    // 100.10 and 0.4 % is 100.5004: the next tick towards the touch is 100.50.
    let seen = (intent.side, intent.qty.units(), intent.price.unwrap().units());
    assert_eq!(seen, (Side::Buy, 10_000, 10_050));
}

/// Legal only after: another stop, orders that may still be there, or another gate refuse it.
#[test]
fn a_plan_waits_for_its_stop_and_for_orders_clear() {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    assert_eq!(offer(&mut world).answers(), ["NOT_KILLED"]);
    world.kill();
    assert_eq!(offer(&mut world).answers(), ["ORDERS_NOT_CLEAR"]);
    let mut other = plan(&world);
    other.target.entry = Digest::of(b"another");
    assert_eq!(hand_in(&mut world, &other).answers(), ["KILL_ENTRY_MISMATCH"]);
    world.clear();
    let refuse = |world: &mut World, change: &dyn Fn(&mut FlattenPlan)| {
        let mut changed = plan(world);
        change(&mut changed);
        hand_in(world, &changed).answers()[0].to_owned()
    };
    let foreign = |plan: &mut FlattenPlan| plan.account = crate::people::name("other");
    assert_eq!(refuse(&mut world, &foreign), "ACCOUNT_MISMATCH");
    let unknown = |plan: &mut FlattenPlan| {
        let slices = plan.instruments[SYMBOL].clone();
        plan.instruments.insert("ETH-USDT".to_owned(), slices);
    };
    assert_eq!(refuse(&mut world, &unknown), "FLATTEN_SLICE");
    for bad in ["0.0001", "0.000001"] {
        let small = |plan: &mut FlattenPlan| {
            plan.instruments.get_mut(SYMBOL).unwrap().slice_qty_max = bad.to_owned();
        };
        assert_eq!(refuse(&mut world, &small), "FLATTEN_SLICE", "{bad}");
    }
    // One person is not enough, and another pair is not this pair.
    let body = plan(&world).to_value();
    let (_, out) = world.hand_in(Kind::FlattenPlan, &TWO[..1], &body);
    assert_eq!(out.answers(), ["SIGNER_MISSING"]);
    let pair = [("olga", Role::Operator), ("anna", Role::Approver)];
    assert_eq!(world.hand_in(Kind::FlattenPlan, &pair, &body).1.answers(), ["SIGNER_ROLE"]);
    let (signed, out) = world.hand_in(Kind::FlattenPlan, &TWO, &body);
    assert_eq!(out.answers(), ["DONE"]);
    assert_eq!(offer(&mut world).answers(), ["FLATTEN_RUNNING"]);
    // B1: used once.
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
}

/// A second pull of the kill, and its end, end the plan at once and take the slice back.
#[test]
fn a1_a_new_kill_or_an_unkill_ends_the_plan() {
    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    let out = world.kill();
    assert_eq!((out.reasons("flatten-ended"), out.cancels()), (vec!["KILL_ACTIVE"], vec![first]));
    assert_eq!(pause(&mut world, 9_990).submits(), []);

    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    // What of it may still be there has to be gone first.
    assert_eq!(world.unkill().1.answers(), ["ORDERS_NOT_CLEAR"]);
    expired(&mut world, first);
    assert_eq!(world.unkill().1.answers(), ["ORDERS_NOT_CLEAR"]);

    let mut world = running(20_000);
    let (_, out) = world.unkill();
    assert_eq!((out.answers(), out.reasons("flatten-ended")), (vec!["DONE"], vec!["UNKILLED"]));
    assert_eq!(pause(&mut world, 9_990).submits(), []);

    let mut world = running(20_000);
    let out = world.stop(StopMode::CancelAll, "account");
    assert_eq!(out.reasons("flatten-ended"), ["STOP_ACTIVE"]);
    // A milder stop does not stand in the way of an exit.
    let mut world = running(20_000);
    world.stop(StopMode::ReduceOnly, "all");
    assert_eq!(world.quote(9_990, 10_010).submits().len(), 1);
}

/// A3: while a slice may still be there, nobody is told that nothing is; not by the second pull,
/// and not by a core that has read the journal.
#[test]
fn a3_orders_are_not_clear_any_more_once_a_slice_was_sent() {
    let mut world = running(20_000);
    assert_eq!(world.quote(9_990, 10_010).submits().len(), 1);
    let journal = world.journal();
    assert_eq!(world.kill().answers(), ["LATCHED"]);
    world.core = crate::world::folded(&journal);
    world.start(false, true);
    assert_eq!(world.kill().answers(), ["LATCHED"]);
}

/// D4: a run under a smaller stop outlives the session whose market it uses.
#[test]
fn d4_a_plan_goes_on_when_its_session_ends() {
    let mut world = World::open(Phase::Paper);
    world.hold(20_000);
    world.stop(StopMode::CancelAll, "instrument:BTC-USDT");
    world.clear();
    let plan = plan_for(world.target(1));
    hand_in(&mut world, &plan);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    world.close();
    let out = world.fill(first, "f1", 10_000, 9_990);
    assert!(world.core.open_session().is_none());
    assert!(!out.has(|effect| matches!(effect, Effect::SessionClosed)));
    let (second, _) = slice(&pause(&mut world, 9_990));
    let out = world.fill(second, "f2", 10_000, 9_990);
    assert_eq!(out.reasons("flatten-ended"), ["FLAT"]);
    assert!(out.has(|effect| matches!(effect, Effect::SessionClosed)));
    crate::replay::check_replay(&world);
}

/// Time ends it: when the statement has expired, nothing of it leaves any more.
#[test]
fn an_expired_plan_ends() {
    let mut world = running(20_000);
    // The people of these tests sign for two days.
    world.pass(3 * 24 * crate::people::HOUR_NS);
    let out = world.feed(Input::Tick);
    assert_eq!(out.reasons("flatten-ended"), ["EXPIRED"]);
    assert_eq!(world.quote(9_990, 10_010).submits(), []);
}

/// A fault kills, and so ends it; an order of unknown fate holds the next slice back.
#[test]
fn a_fault_ends_the_plan_and_an_unknown_slice_holds_it() {
    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    world.feed(Input::Lost { cl_ord_id: first });
    for _ in 0..3 {
        assert_eq!(pause(&mut world, 9_990).submits(), []);
    }
    // An overfill cannot be true.
    let out = world.fill(first, "f1", 10_001, 9_990);
    assert_eq!(out.reasons("flatten-ended"), ["KILL_ACTIVE"]);
}

/// D5: a slice is never priced by a stale, crossed or missing touch: it waits.
#[test]
fn d5_a_slice_waits_for_a_fresh_touch() {
    let mut world = running(20_000);
    assert_eq!(world.feed(Input::Tick).submits(), []);
    assert_eq!(world.quote(10_010, 9_990).submits(), []);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    expired(&mut world, first);
    world.pass(60 * SECOND_NS);
    assert_eq!(world.feed(Input::Tick).submits(), []);
    assert_eq!(world.quote(9_990, 10_010).submits().len(), 1);
}

/// Without a link there is nobody to sell to: a slice waits for it.
#[test]
fn a_slice_waits_for_the_link() {
    let mut world = killed(20_000);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    assert_eq!(offer(&mut world).answers(), ["DONE"]);
    world.snapshot();
    let out = world.quote(9_990, 10_010);
    assert_eq!((out.submits(), out.reasons("denied")), (vec![], vec![]));
    let out = world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert_eq!(out.submits().len(), 1);
}

/// A slice passes the gate: one that is denied is on record, and tried again after the pause.
#[test]
fn a_denied_slice_is_on_record_and_tried_again() {
    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    let code = portcullis_gate::DenyCode::EvidenceUnwritable;
    world.feed(Input::NotSent { cl_ord_id: first, code });
    let out = pause(&mut world, 9_990);
    assert_eq!((out.submits(), out.reasons("denied")), (vec![], vec!["EVIDENCE_UNWRITABLE"]));
    assert_eq!(world.quote(9_990, 10_010).reasons("denied"), Vec::<&str>::new());
    world.feed(Input::Tick);
    assert_eq!(pause(&mut world, 9_990).submits().len(), 1);
}

/// Under a stop of one instrument the session goes on, and its own market and gate serve.
#[test]
fn a_plan_after_a_smaller_stop_uses_the_open_session() {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    let id = world.reply(BETA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    world.report(id, ExecType::New);
    world.stop(StopMode::CancelAll, "instrument:BTC-USDT");
    world.report(id, ExecType::Canceled);
    world.clear();
    let mut plan = plan(&world);
    plan.target = world.target(1);
    let out = hand_in(&mut world, &plan);
    assert!(!out.has(|effect| matches!(effect, Effect::SessionOpened { .. })));
    let (first, intent) = slice(&world.quote(9_990, 10_010));
    assert_eq!(intent.qty.units(), 10_000);
    let out = world.fill(first, "f1", 10_000, 9_990);
    assert_eq!(out.reasons("flatten-ended"), ["FLAT"]);
    assert!(!out.has(|effect| matches!(effect, Effect::SessionClosed)));
    assert!(world.core.open_session().is_some());
}

/// Positions belong to the account: nobody can say which part of one is one strategy's. And what
/// was not taken back may not be left.
#[test]
fn a_plan_needs_a_cancel_all_that_covers_its_instruments() {
    for (mode, scope, expect) in [
        (StopMode::CancelAll, "strategy:alpha", "FLATTEN_SCOPE"),
        (StopMode::ReduceOnly, "all", "NOT_CANCELED"),
        (StopMode::CancelAll, "account", "DONE"),
    ] {
        let mut world = World::open(Phase::Paper);
        world.hold(10_000);
        world.stop(mode, scope);
        world.clear();
        let mut plan = plan(&world);
        plan.target = world.target(1);
        assert_eq!(hand_in(&mut world, &plan).answers(), [expect]);
    }
}

/// A restart ends a run: its nonce is burned, the position is there, and people sign anew.
#[test]
fn a_restart_ends_the_plan() {
    let mut world = running(20_000);
    let (first, _) = slice(&world.quote(9_990, 10_010));
    world.restart(false);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert_eq!(world.status(first), "unknown");
    assert_eq!(world.quote(9_990, 10_010).submits(), []);
    assert_eq!(held(&world), 20_000);
    let whole = &[("USDT", "980"), ("BTC", "5.2")];
    assert_eq!(world.account(&[resting(first, 10_000)], whole).cancels(), [first]);
}
