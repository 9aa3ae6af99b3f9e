//! A plugin that fails hurts nobody but itself.

use portcullis_core::{Effect, Input};
use portcullis_domain::frame::{IntentRecord, event_kind, intent_kind, tif_code};
use portcullis_domain::{ExecType, Phase, TimeInForce, WallNs};

use crate::world::{ALPHA, BETA, Out, SECOND_NS, World, buy, cancel, sell};

fn fail(world: &mut World) -> Out {
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    world.feed(Input::PluginFailed { plugin: ALPHA, code, cause })
}

/// D7: what makes the position larger is taken back, what makes it smaller stays.
#[test]
fn d7_a_trap_takes_back_what_increases_and_keeps_what_reduces() {
    let mut world = World::open(Phase::Paper);
    let first = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(first, "e1", 10_000, 10_000);
    world.reply(ALPHA, vec![]);
    let orders = world.reply(ALPHA, vec![sell(2, 10_000, 10_010), buy(3, 10_000, 9_990)]).submits();
    let other = world.reply(BETA, vec![buy(1, 10_000, 9_980)]).submits();
    for id in orders.iter().chain(&other) {
        world.report(*id, ExecType::New);
    }
    let out = fail(&mut world);
    assert_eq!(out.reasons("plugin-stopped"), ["PLUGIN_TRAP"]);
    assert_eq!(out.cancels(), [orders[1]]);
    assert_eq!(world.status(orders[0]), "new");
    assert!(out.has(|effect| matches!(effect, Effect::StopPlugin { plugin } if *plugin == ALPHA)));
    assert!(out.has(|effect| matches!(effect, Effect::RaiseEpoch(_))));
    world.assert_blocked(&["PLUGIN_SUSPENDED", "NAKED_POSITION"]);
    // A second failure of the same plugin is nothing new.
    assert_eq!(fail(&mut world).kinds(), ["plugin-failed"]);
    // The other plugin goes on, and hears of its own order only.
    assert_eq!(world.status(other[0]), "new");
    world.reply(BETA, vec![]);
    let out = world.reply(BETA, vec![buy(2, 10_000, 9_980)]);
    assert_eq!(out.submits().len(), 1);
    // A fill for the plugin that is gone is booked and told to nobody.
    let out = world.fill(orders[0], "e2", 10_000, 10_010);
    assert_eq!((out.reasons("booked"), out.delivered(ALPHA)), (vec!["filled"], vec![]));
}

/// D7: a sell beyond what is held is no protection, and goes with the plugin.
#[test]
fn d7_sells_beyond_the_position_are_taken_back() {
    let mut world = World::open(Phase::Paper);
    let ids = world.reply(ALPHA, vec![sell(1, 10_000, 10_010)]).submits();
    assert_eq!(fail(&mut world).cancels(), ids);
}

#[test]
fn a_reply_that_answers_nothing_ends_the_plugin() {
    let mut world = World::open(Phase::Paper);
    let batch = world.out[&ALPHA];
    let reply = |batch| Input::PluginReply {
        plugin: ALPHA,
        batch,
        fuel: 1,
        intents: vec![buy(1, 10_000, 10_000)],
        log: String::new(),
    };
    let out = world.feed(reply(batch + 1));
    assert_eq!((out.submits(), out.reasons("plugin-stopped")), (vec![], vec!["PLUGIN_PROTOCOL"]));
    // Even the right batch comes too late now.
    assert_eq!(world.feed(reply(batch)).submits(), []);
}

/// Commit on return: a reply that is too long has asked for nothing.
#[test]
fn a_flood_of_intents_ends_the_plugin() {
    let mut world = World::open(Phase::Paper);
    let intents: Vec<IntentRecord> = (1..=257).map(|n| buy(n, 10_000, 10_000)).collect();
    let out = world.reply(ALPHA, intents);
    assert_eq!((out.submits(), out.reasons("plugin-stopped")), (vec![], vec!["PLUGIN_OUTPUT"]));
    let intents: Vec<IntentRecord> = (1..=256).map(|n| buy(n, 10_000, 10_000)).collect();
    let out = world.reply(BETA, intents);
    assert_eq!((out.submits().len(), out.reasons("plugin-stopped")), (10, vec![]));
}

#[test]
fn timers_are_events_of_their_own_and_bounded() {
    let mut world = World::open(Phase::Paper);
    let timer = |reference, at: WallNs| IntentRecord {
        reference,
        kind: intent_kind::SET_TIMER,
        time: at.0,
        ..IntentRecord::default()
    };
    let due = world.now.wall.plus_ns(5 * SECOND_NS);
    world.reply(ALPHA, vec![timer(7, due)]);
    assert_eq!(world.core.next_deadline(), Some(due));
    world.reply(ALPHA, vec![]);
    world.pass(5 * SECOND_NS);
    let out = world.feed(Input::Tick);
    let told = out.delivered(ALPHA);
    assert_eq!(
        told.iter().map(|r| (r.kind, r.reference)).collect::<Vec<_>>(),
        [(event_kind::TIMER, 7)]
    );
    let many = (1..=65).map(|n| timer(n, due.plus_ns(SECOND_NS))).collect();
    assert_eq!(world.reply(ALPHA, many).reasons("denied"), ["MAX_MSG_RATE"]);
}

/// An instrument that the session does not have is nothing to a plugin.
#[test]
fn a_plugin_hears_of_its_sessions_instruments_only() {
    let mut world = World::open(Phase::Paper);
    world.reply(ALPHA, vec![]);
    let event = portcullis_domain::MarketEvent::Quote {
        bid: crate::people::px(1),
        bid_qty: crate::people::qty(1),
        ask: crate::people::px(2),
        ask_qty: crate::people::qty(1),
    };
    let frame = portcullis_domain::MarketFrame {
        stream: portcullis_domain::StreamId(9),
        sequence: 1,
        instrument: portcullis_domain::InstrumentId(9),
        venue_time: None,
        event,
    };
    assert_eq!(world.feed(Input::Market(frame)).delivered(ALPHA), []);
}

/// A gap in a stream that nobody named makes book and quote unfit at once.
#[test]
fn a_gap_shuts_the_gate_until_the_next_snapshot() {
    use portcullis_domain::{MarketEvent, StreamId};
    let gap = MarketEvent::Gap { expected: 5, found: 7 };
    for (stream, expect) in [
        (StreamId::BOOK, Some("BOOK_INVALID")),
        (StreamId::QUOTES, Some("NO_REFERENCE_PRICE")),
        (StreamId::TRADES, None),
        (StreamId(7), Some("BOOK_INVALID")),
    ] {
        let mut world = World::open(Phase::Paper);
        world.market(stream, gap.clone());
        let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
        assert_eq!(out.reasons("denied"), Vec::from_iter(expect), "{stream:?}");
        world.snapshot();
        world.quote(9_990, 10_010);
        assert_eq!(world.reply(BETA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
    }
}

/// D7 for a short position: a purchase of as much as was sold only makes it smaller.
#[test]
fn d7_a_trap_keeps_the_purchase_that_closes_a_short_position() {
    let mut world = World::open(Phase::Paper);
    let first = world.reply(ALPHA, vec![sell(1, 10_000, 10_000)]).submits()[0];
    world.fill(first, "e1", 10_000, 10_000);
    let back = world.reply(ALPHA, vec![buy(2, 10_000, 9_990)]).submits();
    assert_eq!(back.len(), 1);
    assert_eq!(fail(&mut world).cancels(), []);
}

/// Both terms that a plugin may name for how long an order works reach the order.
#[test]
fn an_order_works_as_long_as_its_plugin_asked() {
    let mut world = World::open(Phase::Paper);
    for (reference, code, expect) in
        [(1, tif_code::GTC, TimeInForce::Gtc), (2, tif_code::IOC, TimeInForce::Ioc)]
    {
        let record = IntentRecord { time_in_force: code, ..buy(reference, 10_000, 10_000) };
        let id = world.reply(ALPHA, vec![record]).submits()[0];
        let order = world.core.account().orders.get(id).unwrap();
        assert_eq!(order.intent.time_in_force, expect);
        world.report(id, ExecType::Canceled);
    }
}

/// A cancel is on its way for a second; asking again sooner only uses up the venue's budget.
#[test]
fn a_plugin_asks_for_the_same_cancel_once_a_second() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    let mut last = world.now.boot;
    for (pause_ns, canceled, denied) in [
        (SECOND_NS, vec![id], vec![]),
        (SECOND_NS - 1, vec![], vec!["MAX_MSG_RATE"]),
        (SECOND_NS, vec![id], vec![]),
    ] {
        world.quote(9_990, 10_010);
        last = last.plus_ns(pause_ns);
        world.pass(last.since_ns(world.now.boot) - 1_000_000);
        let out = world.reply(ALPHA, vec![cancel(1)]);
        assert_eq!(world.now.boot, last);
        assert_eq!((out.cancels(), out.reasons("cancel-denied")), (canceled, denied));
    }
    // Once it has ended there is nothing to take back, which is no mistake.
    world.report(id, ExecType::Canceled);
    let out = world.reply(ALPHA, vec![cancel(1)]);
    assert_eq!((out.cancels(), out.reasons("cancel-denied")), (vec![], vec![]));
}
