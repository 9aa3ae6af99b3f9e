//! Automatic triggers: each fires at its figure, once, on record, and by silence too.

use portcullis_core::{Effect, Input};
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::policy::triggers::{CountRow, LastingRow, LossRow, SkewRow, Triggers};
use portcullis_domain::{
    ClOrdId, InstrumentId, MarketEvent, MarketFrame, Phase, StopMode, StreamId,
};
use portcullis_gate::DenyCode;

use crate::people::money;
use crate::safety::{policy, wide};
use crate::world::{ALPHA, Out, SECOND_NS, World, buy, folded, sell, trade};

const ACTION: StopMode = StopMode::ReduceOnly;

fn under(change: impl FnOnce(&mut Triggers)) -> World {
    let mut rows = wide();
    change(&mut rows);
    World::open_under(policy(&[], rows))
}

fn lasting(ms: u32) -> LastingRow {
    LastingRow { ms, action: ACTION }
}

fn loss(amount: &str, unknown_ms: u32) -> LossRow {
    LossRow { loss: money(amount), unknown_ms, action: ACTION }
}

/// The trigger fired, on record with its figures, and its stop stands.
#[track_caller]
fn fired(world: &World, out: &Out, code: &str) {
    assert_eq!(out.reasons("triggered"), [code]);
    assert_eq!(out.reasons("stopped"), [code]);
    let text = format!("{:?}", out.entry("triggered").unwrap().body);
    for part in ["observed", "threshold", "reduce-only"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(world.core.stops().count(), 1);
}

/// Nothing has fired; the next moment at which something would, if nothing else happens, comes
/// by itself: time passes until then and a tick is due.
#[track_caller]
fn silence(world: &mut World) -> Out {
    assert_eq!(world.core.stops().count(), 0);
    let due = world.core.next_deadline().unwrap();
    world.pass((due.0 - world.now.wall.0).max(0));
    world.feed(Input::Tick)
}

/// The market of other instruments goes on: that is no sign of life of the one that is held.
#[test]
fn silence_of_an_instrument_is_noticed_at_an_event_of_another() {
    let mut world = under(|rows| rows.stale_feed = lasting(5_000));
    world.hold(10_000);
    world.quote(9_990, 10_010);
    let other = |world: &mut World, sequence| {
        let (stream, instrument) = (StreamId(7), InstrumentId(9));
        let event = MarketEvent::Gap { expected: 1, found: 2 };
        let frame = MarketFrame { stream, sequence, instrument, venue_time: None, event };
        world.feed(Input::Market(frame))
    };
    for sequence in 1..=4_999 {
        assert_eq!(other(&mut world, sequence).kinds(), Vec::<&str>::new());
    }
    let out = other(&mut world, 5_000);
    fired(&world, &out, "TRIGGER_STALE_FEED");
}

/// F9: a loss counts with its sign, unrealised and with fees; a profit never fires.
#[test]
fn a_daily_loss_fires_at_its_figure() {
    let mut world = under(|rows| rows.daily_loss = loss("1", 60_000));
    world.hold(10_000);
    assert_eq!(world.quote(20_000, 20_020).reasons("triggered"), Vec::<&str>::new());
    // 0.1 held at 100: at 90.01 it is 0.999 down, at 90.00 it is 1.
    assert_eq!(world.quote(9_000, 9_002).reasons("triggered"), Vec::<&str>::new());
    let out = world.quote(8_999, 9_001);
    fired(&world, &out, "TRIGGER_DAILY_LOSS");
    // Once per cause: it stays down and fires no second time.
    assert_eq!(world.quote(8_000, 8_002).kinds(), Vec::<&str>::new());
    assert_eq!(world.core.stops().count(), 1);
}

#[test]
fn a_drawdown_is_measured_from_the_highest_profit() {
    let mut world = under(|rows| rows.drawdown = loss("2", 60_000));
    world.hold(10_000);
    world.quote(11_999, 12_001);
    assert_eq!(world.quote(10_000, 10_002).reasons("triggered"), Vec::<&str>::new());
    let out = world.quote(9_999, 10_001);
    fired(&world, &out, "TRIGGER_DRAWDOWN");
}

/// F5, F9: a loss that is not known while something is held is a loss.
#[test]
fn f5_an_unknown_loss_fires_by_silence() {
    let mut world = World::started_with(policy(&[], {
        let mut rows = wide();
        rows.daily_loss = loss("1000", 5_000);
        rows
    }));
    world.open_session("s-1", Phase::Paper);
    world.hold(10_000);
    world.close();
    world.account(&[], &[("USDT", "990"), ("BTC", "5.1")]);
    // Carried into a session that has no quote yet: nobody can say what it is worth.
    let mut approval = world.draft("s-2", Phase::Paper);
    approval.carried = vec![portcullis_statement::Carried {
        instrument: portcullis_domain::InstrumentId(0),
        position: portcullis_domain::Position(10_000),
        avg_px: None,
    }];
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    let opened = world.now.wall;
    world.pass(4 * SECOND_NS);
    assert_eq!(world.feed(Input::Tick).reasons("triggered"), Vec::<&str>::new());
    assert_eq!(world.core.next_deadline(), Some(opened.plus_ns(5 * SECOND_NS)));
    let out = silence(&mut world);
    fired(&world, &out, "TRIGGER_DAILY_LOSS");
}

#[test]
fn f5_a_required_guard_that_is_silent_fires() {
    let mut rows = wide();
    rows.heartbeat = lasting(3_000);
    let mut world = World::open_under(policy(&[Guard::Guardian], rows));
    let valid_until = world.now.wall.plus_ns(2 * SECOND_NS);
    world.feed(Input::Beat { guard: Guard::Guardian, valid_until });
    // 2 s of the beat and 3 s of patience.
    assert_eq!(world.core.next_deadline(), Some(valid_until.plus_ns(3 * SECOND_NS)));
    let out = silence(&mut world);
    fired(&world, &out, "TRIGGER_HEARTBEAT");
}

/// A guard that nobody asks for may be silent for ever.
#[test]
fn a_guard_that_is_not_required_does_not_fire() {
    let mut world = under(|rows| rows.heartbeat = lasting(1));
    world.pass(60 * SECOND_NS);
    assert_eq!(world.feed(Input::Tick).reasons("triggered"), Vec::<&str>::new());
}

#[test]
fn links_that_break_too_often_fire() {
    let row = CountRow { count: 3, window_ms: 10_000, action: ACTION };
    let mut world = under(|rows| rows.disconnects = row);
    let link =
        |world: &mut World, up| world.feed(Input::VenueLink { up, cause: "reset".to_owned() });
    let broken = |world: &mut World| {
        let out = link(world, false);
        // Told twice of the same break, it counts once.
        assert_eq!(link(world, false).reasons("triggered"), Vec::<&str>::new());
        link(world, true);
        out
    };
    for _ in 0..2 {
        assert_eq!(broken(&mut world).reasons("triggered"), Vec::<&str>::new());
        world.pass(6 * SECOND_NS);
    }
    // The first of three lies outside of the window by now.
    assert_eq!(broken(&mut world).reasons("triggered"), Vec::<&str>::new());
    let out = broken(&mut world);
    fired(&world, &out, "TRIGGER_DISCONNECTS");
}

/// F5: stale prices alone fire, while there is something that they could hurt.
#[test]
fn f5_a_silent_market_fires_while_something_is_held_or_works() {
    let mut world = under(|rows| rows.stale_feed = lasting(3_000));
    world.pass(60 * SECOND_NS);
    assert_eq!(world.feed(Input::Tick).reasons("triggered"), Vec::<&str>::new());
    world.quote(9_990, 10_010);
    world.reply(ALPHA, vec![]);
    world.quote(9_990, 10_010);
    let heard = world.now.wall;
    assert_eq!(world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]).submits().len(), 1);
    assert_eq!(world.core.next_deadline(), Some(heard.plus_ns(3 * SECOND_NS)));
    let out = silence(&mut world);
    fired(&world, &out, "TRIGGER_STALE_FEED");
    // What increases was taken back: reduce-only.
    assert_eq!(out.cancels().len(), 1);
}

#[test]
fn clocks_that_differ_or_are_not_read_fire() {
    let row = SkewRow { offset_ms: 250, age_ms: 5_000, action: ACTION };
    let skewed = |offset_ns| {
        let mut world = under(|rows| rows.clock_skew = row);
        let out = world.feed(Input::VenueClock { offset_ns });
        (world, out)
    };
    for offset_ns in [250_000_001, -250_000_001, i64::MIN] {
        let (world, out) = skewed(offset_ns);
        fired(&world, &out, "TRIGGER_CLOCK_SKEW");
    }
    let (mut world, out) = skewed(-250_000_000);
    assert_eq!(out.kinds(), ["venue-clock"]);
    let out = silence(&mut world);
    fired(&world, &out, "TRIGGER_CLOCK_SKEW");
    // A simulated venue has no clock but this host's: it need not be read.
    let mut world = under(|rows| rows.clock_skew = row);
    let out = silence(&mut world);
    assert!(!out.kinds().contains(&"triggered"), "{:?}", out.kinds());
}

/// A fill of an order that nobody issued: the fault kills, and the trigger stands beside it.
#[test]
fn a_fill_that_no_order_explains_fires() {
    let mut world = under(|rows| rows.unexplained_fill = ACTION);
    let out = world.report(ClOrdId { epoch: 9, sequence: 9 }, trade("x", 1, 10_000));
    fired(&world, &out, "TRIGGER_UNEXPLAINED_FILL");
    assert!(world.core.is_killed());
    // A report without money is a fault as well, and no unexplained fill.
    let mut world = under(|rows| rows.unexplained_fill = ACTION);
    let lost = ClOrdId { epoch: 9, sequence: 9 };
    let out = world.report(lost, portcullis_domain::ExecType::New);
    assert_eq!(out.reasons("triggered"), Vec::<&str>::new());
}

/// Full evidence fires by silence; only an order that left proves that it moves again.
#[test]
fn evidence_that_stays_full_fires() {
    let full = |world: &mut World, reference| {
        world.reply(ALPHA, vec![]);
        let id = world.reply(ALPHA, vec![buy(reference, 10_000, 9_990)]).submits()[0];
        world.feed(Input::NotSent { cl_ord_id: id, code: DenyCode::EvidenceUnwritable });
    };
    let mut world = under(|rows| rows.evidence = lasting(3_000));
    full(&mut world, 1);
    let out = silence(&mut world);
    fired(&world, &out, "TRIGGER_EVIDENCE");
    let mut world = under(|rows| rows.evidence = lasting(3_000));
    full(&mut world, 1);
    world.feed(Input::Tick);
    world.reply(ALPHA, vec![]);
    let id = world.reply(ALPHA, vec![buy(2, 10_000, 9_990)]).submits()[0];
    world.feed(Input::Sent { cl_ord_id: id });
    world.pass(60 * SECOND_NS);
    assert_eq!(world.feed(Input::Tick).reasons("triggered"), Vec::<&str>::new());
}

/// A trigger whose row says cancel-all pulls the kill itself.
#[test]
fn a_trigger_can_pull_the_kill() {
    let mut world = under(|rows| {
        rows.daily_loss = LossRow { action: StopMode::CancelAll, ..loss("1", 60_000) };
    });
    world.hold(10_000);
    let out = world.quote(8_999, 9_001);
    assert_eq!(out.reasons("triggered"), ["TRIGGER_DAILY_LOSS"]);
    assert_eq!(out.reasons("killed"), ["TRIGGER_DAILY_LOSS"]);
    assert!(out.has(|effect| matches!(effect, Effect::CancelAll)));
}

/// No flapping: what fired stays down over restarts until people lift it, and fires again then if
/// its cause still holds.
#[test]
fn a_trigger_fires_once_until_it_is_lifted() {
    let mut world = under(|rows| rows.daily_loss = loss("1", 60_000));
    world.hold(10_000);
    world.quote(8_999, 9_001);
    // Back above the limit and below it again: nothing new.
    world.quote(9_990, 10_010);
    assert_eq!(world.quote(8_999, 9_001).reasons("triggered"), Vec::<&str>::new());
    assert_eq!(folded(&world.journal()).stops().count(), 1);
    world.quote(9_990, 10_010);
    world.lift(world.target(1));
    world.feed(Input::Tick);
    assert_eq!(world.core.stops().count(), 0);
    let out = world.quote(8_999, 9_001);
    fired(&world, &out, "TRIGGER_DAILY_LOSS");
    // Lifted while it still holds, it comes back in the same breath.
    let (_, out) = world.lift(world.target(2));
    assert_eq!(out.reasons("stopped"), ["TRIGGER_DAILY_LOSS"]);
    let out = world.reply(ALPHA, vec![]);
    assert_eq!(out.reasons("triggered"), Vec::<&str>::new());
    let out = world.reply(ALPHA, vec![sell(9, 10_000, 9_000)]);
    assert_eq!(out.submits().len(), 1, "{:?}", out.reasons("denied"));
    crate::replay::check_replay(&world);
}

/// Without a policy nothing is watched, and no deadline is set for it.
#[test]
fn without_a_policy_there_are_no_triggers() {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    assert_eq!(world.quote(100, 200).reasons("triggered"), Vec::<&str>::new());
}
