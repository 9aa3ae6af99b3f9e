//! The venue's account against the house's, again and again.

use portcullis_core::{Effect, Input, VenueOrder};
use portcullis_domain::{ClOrdId, ExecType, OrderId, Phase};

use crate::world::{ALPHA, BETA, SECOND_NS, World, buy, resting};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];

/// An order of somebody else.
pub(crate) fn foreign(order_id: &str) -> VenueOrder {
    let nobody = ClOrdId { epoch: 0, sequence: 0 };
    VenueOrder { order_id: OrderId(order_id.to_owned()), cl_ord_id: None, ..resting(nobody, 1) }
}

fn missing_there(id: ClOrdId) -> String {
    format!("RECON_ORDER_MISSING_THERE {id}: house new, venue nothing")
}

fn is_kind(entry: &[u8], kind: &str) -> bool {
    portcullis_core::entry::decode(entry).unwrap().kind == kind
}

fn denied(world: &mut World, reference: u64) -> Vec<String> {
    world.quote(9_990, 10_010);
    let out = world.reply(BETA, vec![buy(reference, 10_000, 10_000)]);
    out.reasons("denied").into_iter().map(str::to_owned).collect()
}

/// An order that was taken back while the kernel was down is dead once two readings miss it: the
/// account agrees again, and nothing waits for it for ever.
#[test]
fn f8_an_order_that_vanished_while_the_kernel_was_down_is_buried() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.restart(false);
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    world.pass(20 * SECOND_NS);
    world.account(&[], WHOLE);
    world.pass(2 * SECOND_NS);
    let out = world.account(&[], WHOLE);
    assert!(out.kinds().contains(&"order-dead"), "{:?}", out.kinds());
    assert_eq!(world.core.view().differences, Some(vec![]));
}

/// F8, F20: one read may cross a report on its way; two in a row are a difference, and it blocks.
#[test]
fn f8_an_order_that_is_missing_twice_blocks() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    assert_eq!(world.account(&[], WHOLE).kinds(), ["account"]);
    // The core does not wait for the next round to be sure.
    world.pass(SECOND_NS);
    assert!(world.feed(Input::Tick).reads());
    let out = world.account(&[], WHOLE);
    assert_eq!(out.reasons("reconciled"), ["RECON_UNRESOLVED"]);
    assert_eq!(world.core.view().differences, Some(vec![missing_there(id)]));
    assert_eq!(denied(&mut world, 1), ["RECON_UNRESOLVED"]);
    // Its report explains it, and the next read is green.
    world.report(id, ExecType::Canceled);
    assert_eq!(world.account(&[], WHOLE).reasons("reconciled"), ["GREEN"]);
    assert_eq!(denied(&mut world, 2), Vec::<String>::new());
}

/// F8: no tolerance. A balance that differs is red even while the figures move.
#[test]
fn f8_a_balance_that_differs_by_the_smallest_unit_blocks() {
    let mut world = World::open(Phase::Paper);
    world.account(&[], &[("USDT", "1000.000000000000000001"), ("BTC", "5")]);
    assert_eq!(denied(&mut world, 1), Vec::<String>::new());
    let out = world.account(&[], &[("USDT", "1000.000000000000000002"), ("BTC", "5")]);
    assert_eq!(out.reasons("reconciled"), ["RECON_UNRESOLVED"]);
    assert_eq!(denied(&mut world, 2), ["RECON_UNRESOLVED"]);
    // A currency that the house never heard of is a difference too.
    for _ in 0..2 {
        world.account(&[], &[("USDT", "1000"), ("BTC", "5"), ("XYZ", "1")]);
    }
    let differences = world.core.view().differences.unwrap();
    assert_eq!(differences, ["RECON_BALANCE_AMOUNT XYZ: house 0, venue 1"]);
}

#[test]
fn a_quantity_left_that_differs_blocks() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    for _ in 0..2 {
        world.account(&[resting(id, 9_000)], WHOLE);
    }
    let about = format!("RECON_ORDER_FILLED_QUANTITY {id}");
    let expect = format!("{about}: house 0.10000 left, venue 0.09000 left");
    assert_eq!(world.core.view().differences, Some(vec![expect]));
}

/// D16: an order that is not ours stops the account hard. Ours are taken back, one by one, and
/// nobody else's.
#[test]
fn d16_a_foreign_order_is_a_hard_stop_and_is_left_alone() {
    let mut world = World::open(Phase::Paper);
    let mine = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(mine, ExecType::New);
    let listed = [resting(mine, 10_000), foreign("V-other")];
    let out = world.account(&listed, WHOLE);
    assert_eq!(out.reasons("killed"), ["RECON_ORDER_FOREIGN"]);
    assert_eq!(out.cancels(), [mine]);
    assert!(!out.has(|effect| matches!(effect, Effect::CancelAll)));
    let difference = "RECON_ORDER_FOREIGN V-other".to_owned();
    assert_eq!(world.core.view().differences, Some(vec![difference]));
    // Ours is gone: all is clear, although the other one rests for ever.
    world.report(mine, ExecType::Canceled);
    for _ in 0..3 {
        world.pass(10 * SECOND_NS);
        let out = world.account(&[foreign("V-other")], WHOLE);
        assert!(!out.has(|effect| matches!(effect, Effect::CancelAll)));
    }
    assert!(world.journal().iter().any(|entry| is_kind(entry, "orders-clear")));
    // Lifting the kill changes nothing while it is there.
    world.unkill();
    let out = world.account(&[foreign("V-other")], WHOLE);
    assert_eq!(out.reasons("killed"), ["RECON_ORDER_FOREIGN"]);
}

/// D16, A10: where a clone's order rests beside somebody else's, the clone's is taken back by its
/// id: by our prefix first, and never all.
#[test]
fn d16_a_clone_beside_a_foreign_order_is_taken_back_by_its_id() {
    let mut world = World::open(Phase::Paper);
    let clone = ClOrdId { epoch: 0xdead, sequence: 1 };
    for _ in 0..2 {
        let out = world.account(&[foreign("V-other"), resting(clone, 1)], WHOLE);
        assert_eq!(out.cancels(), [clone]);
        assert!(!out.has(|effect| matches!(effect, Effect::CancelAll)));
        assert!(world.core.is_killed());
    }
}

/// A10: an order with our prefix that this journal never issued is a clone or a rollback.
#[test]
fn a10_an_order_with_our_prefix_that_we_never_issued_is_a_hard_stop() {
    let mut world = World::open(Phase::Paper);
    let clone = resting(ClOrdId { epoch: 0xdead, sequence: 1 }, 1);
    let out = world.account(std::slice::from_ref(&clone), WHOLE);
    assert_eq!(out.reasons("killed"), ["RECON_ORDER_NEVER_ISSUED"]);
    assert!(world.core.is_killed());
    // Already at the first read of a run.
    let mut world = World::started();
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    world.account(&[clone], WHOLE);
    assert!(world.core.is_killed());
}

/// A10, F15: ids survive a restart: the epoch is drawn anew, and orders of earlier runs are known.
#[test]
fn f15_orders_of_an_earlier_run_are_known_and_ids_never_come_again() {
    let mut world = World::open(Phase::Paper);
    let first = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(first, ExecType::New);
    world.restart(false);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    let out = world.account(&[resting(first, 10_000)], WHOLE);
    // Killed, because the end was not clean: the order is ours and is taken back.
    assert_eq!((out.cancels(), world.core.view().differences), (vec![first], Some(vec![])));
    world.report(first, ExecType::Canceled);
    world.clear();
    world.unkill();
    world.open_session("s-2", Phase::Paper);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), Vec::<&str>::new());
    let second = out.submits()[0];
    assert_ne!(first.epoch, second.epoch);
}

/// A3: whatever the last run had on its way may still arrive for as long as its deadline says.
#[test]
fn a3_orders_of_the_last_run_are_not_dead_before_their_deadline() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    // Only what is in the journal survives, and the deadline is not: it counts from the start.
    world.restart(false);
    assert_eq!(world.status(id), "unknown");
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    world.account(&[], WHOLE);
    world.pass(4 * SECOND_NS);
    world.account(&[], WHOLE);
    assert_eq!(world.status(id), "unknown");
    world.pass(3 * SECOND_NS);
    world.account(&[], WHOLE);
    assert_eq!(world.status(id), "expired");
}

/// A plugin is told what became of its order when the venue is silent: unknown, then its end.
#[test]
fn a_plugin_is_told_that_its_order_is_unknown_and_how_it_ended() {
    let mut world = World::open(Phase::Paper);
    world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    world.pass(7 * SECOND_NS);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    // Nobody answers the first read: it is asked again.
    world.pass(10 * SECOND_NS);
    assert!(world.feed(Input::Tick).reads());
    world.account(&[], WHOLE);
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    let states: Vec<u16> = told
        .iter()
        .filter(|record| record.kind == portcullis_domain::frame::event_kind::ORDER)
        .map(|record| record.code)
        .collect();
    // The numbers are those of `wit/`: 10 is unknown, 8 is expired.
    assert_eq!(states, [10, 8]);
}

/// Reconciliation never ends while there is a link, and asks again when nobody answers.
#[test]
fn the_venue_is_read_again_and_again() {
    let mut world = World::open(Phase::Paper);
    for _ in 0..5 {
        assert!(!world.feed(Input::Tick).reads());
        world.pass(10 * SECOND_NS);
        assert!(world.feed(Input::Tick).reads());
    }
    assert!(world.core.next_deadline().unwrap() <= world.now.wall.plus_ns(10 * SECOND_NS));
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    world.pass(10 * SECOND_NS);
    assert!(!world.feed(Input::Tick).reads());
}

/// An order of unknown fate is asked after every second; one that rests has time.
#[test]
fn an_order_of_unknown_fate_is_read_for_sooner_than_one_that_rests() {
    for (fate, soon) in [("resting", false), ("unknown", true)] {
        let mut world = World::open(Phase::Paper);
        let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
        if soon {
            world.feed(Input::Lost { cl_ord_id: id });
            // The reading that was under way when the send was lost shows nothing yet.
            world.account(&[], WHOLE);
        } else {
            world.report(id, ExecType::New);
            world.account(&[resting(id, 10_000)], WHOLE);
        }
        world.pass(2 * SECOND_NS);
        assert_eq!(world.feed(Input::Tick).reads(), soon, "{fate}");
    }
}

/// A cancel that the venue has carried out and a report that is late do not contradict each other.
#[test]
fn a_cancel_report_after_the_burial_is_no_fault() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.pass(10 * SECOND_NS);
    world.reply(ALPHA, vec![crate::world::cancel(1)]);
    let out = world.account(&[], WHOLE);
    assert_eq!((out.reasons("order-dead"), world.status(id)), (vec!["NOT_AT_VENUE"], "canceled"));
    // Whatever end the venue names, and whatever it says late of the beginning.
    for late in [ExecType::Canceled, ExecType::Expired, ExecType::Rejected, ExecType::New] {
        let out = world.report(id, late);
        assert_eq!(out.reasons("faulted"), Vec::<&str>::new());
        assert_eq!(world.status(id), "canceled");
    }
    assert!(!world.core.is_killed());
}
