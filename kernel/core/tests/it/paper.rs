//! Phase 2: orders that leave, and everything that can become of one.

use portcullis_core::entry::decode;
use portcullis_core::{Effect, Input, PersonCommand};
use portcullis_domain::{ExecType, Phase};
use portcullis_gate::DenyCode;

use crate::people::money;
use crate::world::{ALPHA, BETA, SECOND_NS, World, buy, cancel, resting, sell, trade};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];

/// The balances of the first snapshot are taken for true, once and on record.
#[test]
fn the_first_snapshot_is_adopted_once_and_compared_ever_after() {
    let mut world = World::started();
    let out = world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert!(out.reads());
    let out = world.account(&[], WHOLE);
    assert_eq!(out.kinds(), ["account", "balances-adopted", "reconciled"]);
    assert_eq!(out.reasons("reconciled"), ["GREEN"]);
    assert_eq!(world.balance("BTC"), money("5"));
    // The same again says nothing new.
    assert_eq!(world.account(&[], WHOLE).kinds(), ["account"]);
    // Another truth is never adopted silently.
    world.account(&[], &[("USDT", "1"), ("BTC", "5")]);
    world.account(&[], &[("USDT", "1"), ("BTC", "5")]);
    assert_eq!(world.balance("USDT"), money("1000"));
}

/// A1, A3, A4: an order leaves with the epoch it was approved under and two deadlines.
#[test]
fn a1_a_submit_carries_its_epoch_and_its_deadlines() {
    let mut world = World::open(Phase::Paper);
    world.raise_epoch(1);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
    let submit = out.effects.iter().find_map(|effect| match effect {
        Effect::Submit(submit) => Some(submit),
        _ => None,
    });
    let submit = submit.unwrap();
    assert_eq!(submit.epoch, 1);
    assert_eq!(submit.deadline, world.now.boot.plus_ns(SECOND_NS / 2));
    assert_eq!(submit.venue_deadline, world.now.wall.plus_ns(5 * SECOND_NS));
    assert_eq!(submit.order.at(), world.now);
}

/// A1: causes may be told in another order than that of their numbers, and more than once.
#[test]
fn a1_a_submit_never_carries_a_number_with_a_gap_below_it() {
    let mut world = World::open(Phase::Paper);
    let mut carried = |order: u64, told: u64| {
        world.raise_epoch(told);
        let out = world.reply(ALPHA, vec![buy(order, 10_000, 10_000)]);
        out.effects.iter().find_map(|effect| match effect {
            Effect::Submit(submit) => Some(submit.epoch),
            _ => None,
        })
    };
    assert_eq!(carried(1, 2), Some(0));
    assert_eq!(carried(2, 4), Some(0));
    assert_eq!(carried(3, 1), Some(2));
    assert_eq!(carried(4, 2), Some(2));
    assert_eq!(carried(5, 3), Some(4));
}

/// Buys worth `value` of ten thousand units each until the gate says no.
fn fits(world: &mut World, first: u64) -> usize {
    let orders = (first..first + 12).map(|n| buy(n, 80_000, 10_000)).collect();
    world.reply(BETA, orders).submits().len()
}

#[test]
fn what_never_left_frees_what_it_reserved() {
    let mut world = World::open(Phase::Paper);
    let ids = world.reply(ALPHA, vec![buy(1, 80_000, 10_000), buy(2, 80_000, 10_000)]).submits();
    assert_eq!(fits(&mut world, 1), 0);
    for id in &ids {
        let code = DenyCode::ReleaseRevoked;
        world.feed(Input::NotSent { cl_ord_id: *id, code });
        assert_eq!(world.status(*id), "unsent");
    }
    world.reply(ALPHA, vec![]);
    assert_eq!(fits(&mut world, 101), 2);
}

/// D2, F12: an outbox or a journal without room denies new orders until something moves again.
#[test]
fn d2_a_full_outbox_denies_until_it_moves() {
    let mut world = World::open(Phase::Paper);
    let ids = world.reply(ALPHA, vec![buy(1, 10_000, 10_000), buy(2, 10_000, 10_000)]).submits();
    world.feed(Input::NotSent { cl_ord_id: ids[0], code: DenyCode::EvidenceUnwritable });
    world.assert_blocked(&["EVIDENCE_UNWRITABLE"]);
    let out = world.reply(BETA, vec![buy(1, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["EVIDENCE_UNWRITABLE"]);
    world.feed(Input::Sent { cl_ord_id: ids[1] });
    world.assert_blocked(&[]);
}

/// F9: what was earned before a session is not the session's.
#[test]
fn f9_a_sessions_profit_begins_with_the_session() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.quote(10_190, 10_210);
    let profit = |world: &World| world.core.view().positions[0].profit.clone();
    assert_eq!(profit(&world).as_deref(), Some("0.2"));
    world.close();
    world.account(&[], &[("USDT", "990"), ("BTC", "5.1")]);
    world.out.clear();
    let approval = world.draft("s-2", Phase::Paper);
    world.open_with(&approval);
    // Without a quote nobody can say; with the first one it is nothing; then it counts.
    assert_eq!(profit(&world), None);
    world.quote(10_190, 10_210);
    assert_eq!(profit(&world).as_deref(), Some("0"));
    world.quote(10_290, 10_310);
    assert_eq!(profit(&world).as_deref(), Some("0.1"));
}

/// F7, F15: a send of unknown fate is Unknown, is not sent again, and blocks its instrument.
#[test]
fn f7_an_order_of_unknown_fate_is_never_sent_again() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    let out = world.feed(Input::Lost { cl_ord_id: id });
    assert!(out.reads() && out.submits().is_empty());
    assert_eq!(world.status(id), "unknown");
    let any_unknown =
        |world: &World, symbol| world.core.account().working(symbol).unwrap().any_unknown;
    assert!(any_unknown(&world, "BTC-USDT") && !any_unknown(&world, "ETH-USDT"));
    let out = world.reply(BETA, vec![buy(1, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["ORDER_UNKNOWN"]);
    // D9: taking back the very order that is unknown is legal.
    assert_eq!(world.reply(ALPHA, vec![cancel(1)]).cancels(), [id]);
    // Not at the venue, but its deadline is not past: nobody knows.
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), Vec::<&str>::new());
    assert_eq!(world.status(id), "unknown");
    // The core asks again by itself.
    world.pass(2 * SECOND_NS);
    assert!(world.feed(Input::Tick).reads());
    world.pass(5 * SECOND_NS);
    let out = world.account(&[], WHOLE);
    assert_eq!((out.reasons("order-dead"), world.status(id)), (vec!["NOT_AT_VENUE"], "expired"));
    world.quote(9_990, 10_010);
    assert_eq!(world.reply(BETA, vec![buy(2, 10_000, 10_000)]).submits().len(), 1);
    // A fill that comes after all that is booked all the same.
    world.fill(id, "late", 10_000, 10_000);
    assert_eq!((world.status(id), world.balance("BTC")), ("filled", money("5.1")));
    assert!(!world.core.is_killed());
}

#[test]
fn an_unknown_order_that_the_venue_lists_is_alive() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.feed(Input::Lost { cl_ord_id: id });
    let out = world.account(&[resting(id, 10_000)], WHOLE);
    assert_eq!(world.status(id), "new");
    let found = &out.entry("reconciled").unwrap().body.canonical_text();
    assert!(found.contains(&format!("\"found\":[\"{id}\"]")), "{found}");
    assert_eq!(world.reply(BETA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
}

/// The link goes down: whatever was not confirmed is unknown, and a late "not sent" ends it.
#[test]
fn a_lost_link_makes_unconfirmed_orders_unknown() {
    let mut world = World::open(Phase::Paper);
    let orders = vec![buy(1, 10_000, 10_000), buy(2, 10_000, 10_000), buy(3, 10_000, 10_000)];
    let ids = world.reply(ALPHA, orders).submits();
    world.report(ids[0], ExecType::New);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    assert_eq!(world.status(ids[0]), "new");
    assert_eq!((world.status(ids[1]), world.status(ids[2])), ("unknown", "unknown"));
    world.assert_blocked(&["RECON_UNRESOLVED"]);
    let out = world.reply(BETA, vec![buy(1, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["RECON_UNRESOLVED"]);
    // The writer's word comes after the link's: it never left, so it ends and frees its share.
    world.feed(Input::NotSent { cl_ord_id: ids[1], code: DenyCode::ReleaseExpired });
    assert_eq!((world.status(ids[1]), world.core.is_killed()), ("expired", false));
    // And the venue's word comes before the writer's: it stands.
    world.report(ids[2], ExecType::New);
    world.feed(Input::Lost { cl_ord_id: ids[2] });
    assert_eq!((world.status(ids[2]), world.core.is_killed()), ("new", false));
}

/// F7: partial fills of any number add up, and a fill after the cancel is booked.
#[test]
fn f7_partial_fills_add_up_and_late_fills_are_booked() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    for (exec, units) in [("e1", 4_000), ("e2", 3_000)] {
        world.fill(id, exec, units, 10_000);
        assert_eq!(world.status(id), "partially-filled");
    }
    assert_eq!(world.reply(ALPHA, vec![cancel(1)]).cancels(), [id]);
    assert_eq!(world.status(id), "pending-cancel");
    world.report(id, ExecType::Canceled);
    world.fill(id, "e3", 3_000, 10_000);
    assert_eq!((world.status(id), world.balance("BTC")), ("filled", money("5.1")));
    assert_eq!(world.balance("USDT"), money("990"));
}

#[test]
fn a_partial_fill_and_a_cancel_free_the_rest() {
    let mut world = World::open(Phase::Paper);
    let out = world.reply(ALPHA, vec![buy(1, 80_000, 10_000), buy(2, 80_000, 10_000)]);
    let ids = out.submits();
    world.report(ids[0], ExecType::New);
    world.fill(ids[0], "e1", 20_000, 10_000);
    world.reply(ALPHA, vec![cancel(1)]);
    assert_eq!(fits(&mut world, 1), 0);
    world.report(ids[0], ExecType::Canceled);
    // 0.2 held and 0.8 working: one more of 0.8 fits below 2.0, a second does not.
    world.reply(ALPHA, vec![]);
    assert_eq!(fits(&mut world, 101), 1);
}

/// X11: the order names the intent it came from, and everything that is said of the order its id:
/// from the decision to the ledger nothing has to be guessed. What is told twice is heard twice and
/// booked once.
#[test]
fn x11_one_chain_of_ids_leads_from_the_intent_to_the_ledger() {
    let mut world = World::open(Phase::Paper);
    let out = world.reply(ALPHA, vec![buy(77, 20_000, 10_000)]);
    let id = out.submits()[0];
    assert!(format!("{:?}", out.entry("ordered").unwrap().body).contains("77"));
    world.report(id, ExecType::New);
    world.fill(id, "x-1", 10_000, 10_000);
    world.fill(id, "x-1", 10_000, 10_000);
    world.by_hand("olga", PersonCommand::Cancel { cl_ord_id: id });
    world.report(id, ExecType::Canceled);
    let journal = world.journal();
    let chain = journal.iter().map(|bytes| decode(bytes).unwrap());
    let chain = chain.filter(|entry| entry.corr == id.to_string());
    let kinds: Vec<String> = chain.map(|entry| entry.kind).collect();
    assert_eq!(
        kinds.join(" "),
        "ordered report booked report booked report cancel-requested intervened report booked"
    );
}

/// Fills are counted once, whether they come by report, by snapshot or by both.
#[test]
fn a_fill_is_booked_once_however_often_it_is_told() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    let at = world.now.wall;
    let fill = crate::world::report(id, trade("e1", 4_000, 10_000), at);
    let after = &[("USDT", "996"), ("BTC", "5.04")];
    let told = |world: &mut World| {
        let open = [resting(id, 6_000)];
        world.account_with_fills(&open, vec![fill.clone()], after)
    };
    assert_eq!(told(&mut world).reasons("booked"), ["partially-filled"]);
    assert_eq!(world.feed(Input::Report(fill.clone())).kinds(), ["report"]);
    assert_eq!(told(&mut world).kinds(), ["account"]);
    assert_eq!((world.balance("USDT"), world.balance("BTC")), (money("996"), money("5.04")));
    assert_eq!(world.core.view().differences, Some(vec![]));
}

/// The same execution with another content cannot be true, whoever tells it.
#[test]
fn an_execution_that_changes_is_a_fault() {
    for by_snapshot in [false, true] {
        let mut world = World::open(Phase::Paper);
        let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
        world.fill(id, "e1", 4_000, 10_000);
        let other = crate::world::report(id, trade("e1", 4_000, 9_990), world.now.wall);
        let out = if by_snapshot {
            world.account_with_fills(&[], vec![other], &[("USDT", "996"), ("BTC", "5.04")])
        } else {
            world.feed(Input::Report(other))
        };
        assert_eq!(out.reasons("faulted"), ["FAULT_CONFLICTING_EXECUTION"]);
        assert!(world.core.is_killed());
        assert_eq!(world.balance("BTC"), money("5.04"));
    }
}

/// A report about an order goes to the ledger that issued it, whatever session is open by then.
#[test]
fn a_late_fill_finds_its_ledger_while_a_shadow_session_is_open() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.close();
    world.report(id, ExecType::Canceled);
    world.out.clear();
    world.open_session("s-2", Phase::Shadow);
    let out = world.fill(id, "late", 4_000, 10_000);
    assert_eq!(out.kinds(), ["report", "booked"]);
    assert_eq!((world.balance("BTC"), world.core.is_killed()), (money("5.04"), false));
    // What is recovered says the same.
    let folded = crate::world::folded(&world.journal());
    assert_eq!(folded.account().balances(), world.core.account().balances());
}

#[test]
fn a_market_sell_of_what_is_held_reduces_even_when_the_limits_are_full() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    let orders = (1..=25).map(|n| buy(n, 6_000, 9_950)).collect();
    let out = world.reply(BETA, orders);
    assert_eq!((out.submits().len(), out.reasons("denied")[0]), (10, "MAX_OPEN_ORDERS"));
    world.reply(ALPHA, vec![]);
    let out = world.reply(ALPHA, vec![sell(2, 10_000, 10_010), sell(3, 10, 10_010)]);
    // The first takes the whole position; a second could only flip it.
    assert_eq!(out.submits().len(), 1);
}
