//! Phase 1 from the first frame to the close: judged and recorded, and nothing leaves.

use portcullis_core::{Effect, Input};
use portcullis_domain::frame::{event_kind, intent_kind};
use portcullis_domain::{ExecType, MarketEvent, Phase, Side, StreamId};
use portcullis_gate::DenyCode;
use portcullis_statement::json::Value;

use crate::people::{money, px, qty};
use crate::world::{ALPHA, BETA, World, buy, cancel, sell, trade};

fn kinds(records: &[portcullis_domain::frame::EventRecord]) -> Vec<u8> {
    records.iter().map(|record| record.kind).collect()
}

#[test]
fn one_batch_is_out_at_a_time_and_replies_cut_the_next() {
    let mut world = World::started();
    let approval = world.draft("s-1", Phase::Shadow);
    let out = world.open_with(&approval);
    let inits = out.effects.iter().filter(|e| matches!(e, Effect::InitPlugin { .. })).count();
    assert_eq!(inits, 2);
    // Nothing is delivered before `init` has returned.
    assert_eq!(world.quote(9_990, 10_010).delivered(ALPHA), []);
    let out = world.feed(Input::PluginReady { plugin: ALPHA });
    assert_eq!(kinds(&out.delivered(ALPHA)), [event_kind::SESSION, event_kind::QUOTE]);
    // While that batch is out, events wait, and the newest quote is the only one.
    for ask in [10_020, 10_030] {
        assert_eq!(world.quote(9_990, ask).delivered(ALPHA), []);
    }
    let print =
        MarketEvent::Trade { aggressor: Side::Buy, px: px(10_000), qty: qty(5), trade_id: 9 };
    world.market(StreamId::TRADES, print);
    let out = world.reply(ALPHA, vec![]);
    let next = out.delivered(ALPHA);
    assert_eq!(kinds(&next), [event_kind::QUOTE, event_kind::TRADE]);
    assert_eq!((next[0].price2, next[1].reference), (10_030, 9));
    // The other plugin has not said that it is ready, and hears nothing of all this.
    assert!(!world.out.contains_key(&BETA));
}

#[test]
fn an_intent_becomes_a_would_be_order_and_its_fills_earn_or_lose() {
    let mut world = World::open(Phase::Shadow);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_010)]);
    let [id] = out.submits()[..] else { panic!("{out:?}") };
    assert!(out.has(|effect| matches!(effect, Effect::ShadowSubmit(_))));
    assert!(!out.has(|effect| matches!(effect, Effect::Submit(_))));
    let Value::Object(body) = &out.entry("ordered").unwrap().body else { panic!() };
    assert_eq!(body["shadow"], Value::Bool(true));
    let out = world.report(id, ExecType::New);
    assert_eq!(out.kinds(), ["shadow-report", "booked"]);
    world.reply(ALPHA, vec![]);
    world.fill(id, "e1", 4_000, 10_010);
    let out = world.fill(id, "e2", 6_000, 10_010);
    assert_eq!(out.reasons("booked"), ["filled"]);
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    let fill = told.iter().find(|record| record.kind == event_kind::FILL).unwrap();
    let position = told.iter().rfind(|record| record.kind == event_kind::POSITION).unwrap();
    assert_eq!((fill.reference, fill.price), (1, 10_010));
    assert_eq!((position.qty, position.price), (10_000, 10_010));
    // Bought 0.1 at 100.10; the middle goes to 102.00: 0.19 earned.
    world.quote(10_190, 10_210);
    let view = world.core.view();
    assert_eq!(
        (view.positions[0].qty.as_str(), view.positions[0].profit.as_deref()),
        ("0.10000", Some("0.19"))
    );
    // The account knows nothing of it.
    assert_eq!(world.core.account().orders.iter().count(), 0);
    assert_eq!(world.core.account().balances(), None);
}

/// What the plugin is told carries the number of the code in the docs.
#[test]
fn a_denial_is_told_to_the_plugin_by_its_number() {
    let mut world = World::open(Phase::Shadow);
    let bracket =
        portcullis_domain::frame::IntentRecord { stop_price: 10_000, ..buy(3, 10_000, 10_000) };
    let amend = portcullis_domain::frame::IntentRecord {
        kind: intent_kind::AMEND,
        ..buy(4, 10_000, 10_000)
    };
    let out = world.reply(
        ALPHA,
        vec![
            buy(1, 10_000, 20_000),
            buy(2, 100_010, 10_000),
            bracket,
            amend,
            buy(0, 10_000, 10_000),
        ],
    );
    assert_eq!(out.submits(), []);
    let expect = [
        DenyCode::PriceCollar,
        DenyCode::MaxOrderQty,
        DenyCode::OrderTypeNotAllowed,
        DenyCode::OrderTypeNotAllowed,
        DenyCode::OrderTypeNotAllowed,
    ];
    assert_eq!(out.reasons("denied"), expect.map(DenyCode::code));
    let told: Vec<(u64, u16)> = out
        .delivered(ALPHA)
        .iter()
        .filter(|record| record.kind == event_kind::DENIAL)
        .map(|record| (record.reference, record.code))
        .collect();
    let numbers = [1, 2, 3, 4, 0].into_iter().zip(expect.map(DenyCode::number));
    assert!(told.iter().copied().eq(numbers), "{told:?}");
    // A number is used once, whatever became of it.
    world.reply(ALPHA, vec![]);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["DUPLICATE_INTENT"]);
    // Another plugin may use the same number.
    assert_eq!(world.reply(BETA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
}

/// A6 of the controls: two intents of one reply see each other's reservations.
#[test]
fn two_intents_of_one_reply_see_each_other() {
    let mut world = World::open(Phase::Shadow);
    let orders = |count: u64| (1..=count).map(|n| buy(n, 70_000, 10_000)).collect();
    // Each is worth 70; the worst-case position of 2.0 holds two of them.
    let out = world.reply(ALPHA, orders(3));
    assert_eq!((out.submits().len(), out.reasons("denied")), (2, vec!["MAX_POSITION"]));
    // Taking one back frees its share, once the venue has confirmed it.
    let first = out.submits()[0];
    world.reply(ALPHA, vec![]);
    let out = world.reply(ALPHA, vec![cancel(1), buy(9, 70_000, 10_000)]);
    assert_eq!((out.cancels(), out.reasons("denied")), (vec![first], vec!["MAX_POSITION"]));
    world.report(first, ExecType::Canceled);
    assert_eq!(world.reply(ALPHA, vec![buy(10, 70_000, 10_000)]).submits().len(), 1);
}

#[test]
fn the_close_takes_everything_back_and_sums_up() {
    let mut world = World::open(Phase::Shadow);
    let bought = world.reply(ALPHA, vec![buy(1, 10_000, 10_000), buy(2, 20_000, 9_990)]).submits();
    world.fill(bought[0], "e1", 10_000, 10_000);
    let out = world.close();
    assert_eq!((out.cancels(), out.answers()), (vec![bought[1]], vec![]));
    assert_eq!(world.close().answers(), ["SESSION_CLOSING"]);
    let out = world.reply(ALPHA, vec![buy(3, 10_000, 10_000)]);
    assert_eq!(out.reasons("denied"), ["OUTSIDE_SESSION_WINDOW"]);
    // A fill that crosses the cancel still counts; then the session is over.
    world.fill(bought[1], "e2", 5_000, 9_990);
    let out = world.report(bought[1], ExecType::Canceled);
    assert_eq!(out.answers(), ["DONE"]);
    assert!(out.has(|effect| matches!(effect, Effect::SessionClosed)));
    let stops = out.effects.iter().filter(|e| matches!(e, Effect::StopPlugin { .. })).count();
    assert_eq!(stops, 2);
    let closed = out.entry("session-closed").unwrap();
    let text = closed.body.canonical_text();
    for part in ["\"APPROVED\":2", "\"OUTSIDE_SESSION_WINDOW\":1", "\"qty\":\"0.15000\""] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// A report of the paper model that nothing explains is a fault like any other.
#[test]
fn a_report_about_an_order_that_never_was_stops_the_house() {
    let mut world = World::open(Phase::Shadow);
    let id = portcullis_domain::ClOrdId { epoch: 1, sequence: 1 };
    let out = world.report(id, trade("e1", 1, 10_000));
    assert_eq!(out.reasons("faulted"), ["FAULT_UNKNOWN_ORDER"]);
    assert!(world.core.is_killed());
}

#[test]
fn the_reservation_of_a_buy_counts_value_and_fee() {
    let mut world = World::started();
    let mut approval = world.draft("s-1", Phase::Shadow);
    // Enough for one order of 10 with its fee of 0.01, and not for two.
    approval.balances.insert("USDT".to_owned(), money("20.019999"));
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    world.ready();
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000), buy(2, 10_000, 10_000)]);
    assert_eq!((out.submits().len(), out.reasons("denied")), (1, vec!["INSUFFICIENT_BALANCE"]));
    // Nothing is held, so nothing can be sold.
    let out = world.reply(BETA, vec![sell(1, 10_000, 10_010)]);
    assert_eq!(out.reasons("denied"), ["INSUFFICIENT_BALANCE"]);
}
