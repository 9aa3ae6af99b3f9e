//! What the simulator found. Each test names the seed that did.

use portcullis_core::Input;
use portcullis_domain::{ExecType, ExecutionReport, Phase};
use portcullis_gate::DenyCode;

use crate::people::qty;
use crate::world::{ALPHA, SECOND_NS, World, buy, report, resting};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];

/// Seed 41: a wall clock that is set forward brings no deadline nearer. The order may still arrive.
#[test]
fn a15_an_order_is_not_buried_by_a_clock_that_jumps() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.feed(Input::Lost { cl_ord_id: id });
    world.now.wall = world.now.wall.plus_ns(3_600 * SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), Vec::<&str>::new());
    assert_eq!(world.status(id), "unknown");
    world.pass(7 * SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), ["NOT_AT_VENUE"]);
}

/// F7: the venue's answer was lost while the link stayed up. After the deadline the order's fate is
/// unknown, which stops new exposure, and the next reading of the account settles it.
#[test]
fn f7_an_order_without_any_answer_is_unknown_after_its_deadline_and_then_settled() {
    for listed in [false, true] {
        let mut world = World::open(Phase::Paper);
        let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
        world.pass(5 * SECOND_NS);
        world.account(&[], WHOLE);
        assert_eq!(world.status(id), "pending-new");
        // A wall that is set forward makes nothing overdue and no tick due again and again.
        world.now.wall = world.now.wall.plus_ns(600 * SECOND_NS);
        world.feed(Input::Tick);
        assert_eq!((world.status(id), world.core.is_due(world.now)), ("pending-new", false));
        world.pass(SECOND_NS);
        assert!(world.core.is_due(world.now));
        let out = world.feed(Input::Tick);
        assert_eq!((out.reasons("order-overdue"), out.reads()), (vec!["NO_ANSWER"], true));
        assert_eq!(world.status(id), "unknown");
        world.quote(9_990, 10_010);
        let out = world.reply(ALPHA, vec![buy(2, 10_000, 10_000)]);
        assert_eq!(out.reasons("denied"), ["ORDER_UNKNOWN"]);
        let open = if listed { vec![resting(id, 10_000)] } else { vec![] };
        let dead = world.account(&open, WHOLE).reasons("order-dead").len();
        assert_eq!((dead, world.status(id)), if listed { (0, "new") } else { (1, "expired") });
        assert_eq!(world.core.standing_differences(), []);
        let folded = crate::world::folded(&world.journal());
        assert_eq!(folded.account().orders, world.core.account().orders);
        crate::replay::check_replay(&world);
    }
}

/// Seed 415: the disk was slow, the order was taken for dead, and then the writer says that it
/// never left. Both are true.
#[test]
fn an_order_that_was_buried_before_the_writer_spoke_is_no_fault() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.close();
    world.pass(7 * SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), ["NOT_AT_VENUE"]);
    let out = world.feed(Input::NotSent { cl_ord_id: id, code: DenyCode::ReleaseExpired });
    assert_eq!(out.reasons("faulted"), Vec::<&str>::new());
    assert!(!world.core.is_killed());
}

/// Seed 1: the report of a cancel was lost and the next cancel refused, so the session waited for
/// an order that was gone.
#[test]
fn a_session_that_is_closing_does_not_wait_for_an_order_that_is_gone() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.close();
    let out = world.report(id, ExecType::CancelRejected);
    assert!(out.reads(), "the venue's list tells what a refusal does not");
    assert_eq!(world.status(id), "unknown");
    world.account(&[resting(id, 10_000)], WHOLE);
    assert_eq!(world.status(id), "pending-cancel");
    world.report(id, ExecType::CancelRejected);
    world.pass(7 * SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), ["NOT_AT_VENUE"]);
    assert_eq!(world.core.open_session(), None);
}

/// Seed 179: a cancel that is heard before its fills frees nothing, and is looked after at once.
#[test]
fn an_end_that_overtakes_its_fills_keeps_its_reservation() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    let canceled = report(id, ExecType::Canceled, world.now.wall);
    let canceled = ExecutionReport { cum_qty: Some(qty(4_000)), ..canceled };
    let out = world.feed(Input::Report(canceled.clone()));
    assert!(out.reads());
    assert_eq!(world.status(id), "unknown");
    // Its fills are what the account was read for.
    assert!(!world.fill(id, "e1", 4_000, 10_000).reads());
    world.feed(Input::Report(canceled));
    assert_eq!(world.status(id), "canceled");
}
