//! Brackets: the target rests, the stop is held by the kernel, and one cancels the other.

use portcullis_core::{Effect, Input};
use portcullis_domain::frame::{IntentRecord, cancel_flag, event_kind, intent_kind, ord_type_code};
use portcullis_domain::{ClOrdId, ExecType, Order, OrderIntent, Phase, Side, TimeInForce};
use portcullis_gate::DenyCode;
use portcullis_statement::json::Value;

use crate::exchange::Play;
use crate::people::px;
use crate::replay::check_replay;
use crate::world::{
    ALPHA, BETA, Out, SECOND_NS, World, amend, bracketed, buy, cancel, folded, sell,
};

const STOP: i64 = 9_960;
const TARGET: i64 = 10_040;

/// A session in which 0.2 at 100.10 was asked for, with both exits.
pub(crate) fn entered(phase: Phase) -> (World, ClOrdId) {
    let mut world = World::open(phase);
    let out = world.reply(ALPHA, vec![bracketed(buy(1, 20_000, 10_010), STOP, TARGET)]);
    let [entry] = out.submits()[..] else { panic!("{out:?}") };
    world.report(entry, ExecType::New);
    (world, entry)
}

/// The same, filled; with the target that rests for it.
pub(crate) fn held(phase: Phase) -> (World, ClOrdId, ClOrdId) {
    let (mut world, entry) = entered(phase);
    let out = world.fill(entry, "e1", 20_000, 10_010);
    let [target] = out.submits()[..] else { panic!("{out:?}") };
    world.report(target, ExecType::New);
    (world, entry, target)
}

fn intents(out: &Out) -> Vec<OrderIntent> {
    let intent = |effect: &Effect| match effect {
        Effect::Submit(submit) => Some(submit.order.item().clone()),
        Effect::ShadowSubmit(shadow) => Some(shadow.item().clone()),
        _ => None,
    };
    out.effects.iter().filter_map(intent).collect()
}

/// Side, quantity, price and time in force of the one order that left.
#[track_caller]
pub(crate) fn left(out: &Out) -> (Side, i64, i64, TimeInForce) {
    let intents = intents(out);
    let [intent] = &intents[..] else { panic!("{:?}", out.kinds()) };
    assert!(intent.reduce_only && intent.bracket.is_none());
    let price = intent.price.unwrap().units();
    (intent.side, intent.qty.units(), price, intent.time_in_force)
}

#[track_caller]
pub(crate) fn protection(world: &World, codes: &[&str]) {
    let lines = world.core.view().protection;
    let seen: Vec<&str> = lines.iter().map(|text| text.split(':').next().unwrap()).collect();
    assert_eq!(seen, codes, "{lines:?}");
}

/// What is read back holds the same orders, and the same inputs give the same entries.
pub(crate) fn check(world: &World) {
    assert_eq!(folded(&world.journal()).account().durable(), world.core.account().durable());
    check_replay(world);
}

fn position(world: &World) -> i64 {
    world.core.account().holding("BTC-USDT").position.0
}

#[test]
fn a_fill_is_covered_by_a_target_and_its_fill_ends_the_stop() {
    let (mut world, entry, target) = held(Phase::Paper);
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    let order = world.core.account().orders.get(target).unwrap();
    assert_eq!((order.intent.side, order.intent.price), (Side::Sell, Some(px(TARGET))));
    assert!(order.intent.reduce_only && order.intent.time_in_force == TimeInForce::Gtc);
    let journal = String::from_utf8(world.journal().concat()).unwrap();
    let of = format!("\"exit_of\":{{\"entry\":\"{entry}\",\"exit\":\"target\"}}");
    assert!(journal.contains(&of) && journal.contains("\"protection\":\"HELD_BY_KERNEL\""));
    // Half of it is taken at the target: the stop leaves the other half.
    world.fill(target, "t1", 10_000, TARGET);
    world.fill(target, "t2", 10_000, TARGET);
    assert_eq!(position(&world), 0);
    protection(&world, &[]);
    let out = world.quote(9_900, 9_920);
    assert_eq!((out.submits(), out.cancels()), (vec![], vec![]));
    assert_eq!(out.entry("stop-fired").map(|e| &e.kind), None);
    check(&world);
}

#[test]
fn the_stop_takes_the_target_back_and_leaves_at_the_market() {
    let (mut world, entry, target) = held(Phase::Paper);
    world.fill(target, "t1", 6_000, TARGET);
    assert_eq!(world.quote(9_970, 9_990).submits(), []);
    let out = world.quote(9_960, 9_980);
    assert_eq!((out.submits(), out.cancels()), (vec![], vec![target]));
    let fired = out.entry("stop-fired").unwrap();
    assert_eq!((&*fired.corr, &*fired.reason), (&*entry.to_string(), "STOP_CROSSED"));
    let expect = r#"{"ask":9980,"bid":9960,"open":14000,"stop":9960}"#;
    assert_eq!(fired.body.canonical_text(), expect);
    // The market comes back: there is no way back for the stop.
    assert_eq!(world.quote(9_990, 10_010).cancels(), []);
    let out = world.report(target, ExecType::Canceled);
    // The collar's edge: half a percent below the middle.
    assert_eq!(left(&out), (Side::Sell, 14_000, 9_950, TimeInForce::Ioc));
    let exit = out.submits()[0];
    world.fill(exit, "x1", 8_000, 9_990);
    // While it works nothing else leaves, and what it did not get is asked for at the next quote.
    assert_eq!(world.quote(9_940, 9_950).submits(), []);
    assert_eq!(world.report(exit, ExecType::Canceled).submits().len(), 1);
    let open = world.core.account().orders.open().next().unwrap();
    let (exit, qty) = (open.cl_ord_id, open.intent.qty.units());
    assert_eq!(qty, 6_000);
    world.fill(exit, "x2", 6_000, 9_940);
    assert_eq!(position(&world), 0);
    protection(&world, &[]);
    assert_eq!(world.quote(9_900, 9_910).submits(), []);
    check(&world);
}

/// A leg that both sides of the race fill: the exits together are what was held, never more.
#[test]
fn the_target_that_fills_under_its_cancel_shrinks_the_stop() {
    for (filled, rest) in [(8_000, Some(12_000)), (20_000, None)] {
        let (mut world, _, target) = held(Phase::Paper);
        assert_eq!(world.quote(9_950, 9_960).cancels(), [target]);
        world.fill(target, "t1", filled, TARGET);
        let out = match rest {
            Some(_) => world.report(target, ExecType::Canceled),
            None => world.quote(9_940, 9_950),
        };
        let asked = intents(&out).first().map(|intent| intent.qty.units());
        assert_eq!(asked, rest);
        if let Some(exit) = out.submits().first() {
            world.fill(*exit, "x1", 12_000, 9_940);
        }
        assert_eq!(position(&world), 0);
        assert_eq!(world.quote(9_930, 9_940).submits(), []);
        check(&world);
    }
}

#[test]
fn each_fill_of_the_entry_is_covered_and_a_cancel_of_the_rest_leaves_the_legs() {
    let (mut world, entry) = entered(Phase::Paper);
    protection(&world, &[]);
    // Too little for an order of its own: told once, and covered with the next fill.
    let out = world.fill(entry, "e1", 3_000, 10_010);
    assert_eq!(out.reasons("leg-denied"), ["MIN_NOTIONAL"]);
    assert_eq!(out.entry("leg-denied").unwrap().corr, entry.to_string());
    assert_eq!(world.quote(9_990, 10_010).kinds(), Vec::<&str>::new());
    let out = world.fill(entry, "e2", 6_000, 10_010);
    assert_eq!(left(&out), (Side::Sell, 9_000, TARGET, TimeInForce::Gtc));
    let target = out.submits()[0];
    world.report(target, ExecType::New);
    assert_eq!(world.reply(ALPHA, vec![cancel(1)]).cancels(), [entry]);
    world.report(entry, ExecType::Canceled);
    // A fill that crosses the cancel is covered as well.
    let out = world.fill(entry, "e3", 6_000, 10_010);
    assert_eq!(left(&out), (Side::Sell, 6_000, TARGET, TimeInForce::Gtc));
    let second = out.submits()[0];
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    assert_eq!(world.quote(9_950, 9_970).cancels(), [target, second]);
    world.report(target, ExecType::Canceled);
    let out = world.report(second, ExecType::Canceled);
    assert_eq!(left(&out).1, 15_000);
    check(&world);
}

/// What the gate does not admit yet is told once, and asked for until it does.
#[test]
fn a_target_outside_of_the_collar_waits_for_the_market() {
    let mut world = World::open(Phase::Paper);
    let entry =
        world.reply(ALPHA, vec![bracketed(buy(1, 20_000, 10_010), STOP, 10_100)]).submits()[0];
    let out = world.fill(entry, "e1", 20_000, 10_010);
    assert_eq!((out.submits(), out.reasons("leg-denied")), (vec![], vec!["PRICE_COLLAR"]));
    let mut told = world.quote(9_990, 10_010).delivered(ALPHA);
    told.extend(world.reply(ALPHA, vec![]).delivered(ALPHA));
    told.extend(world.reply(ALPHA, vec![]).delivered(ALPHA));
    let denials = told.iter().filter(|event| event.kind == event_kind::DENIAL);
    let denials: Vec<_> = denials.map(|event| (event.reference, event.code, event.extra)).collect();
    assert_eq!(denials, [(1, DenyCode::PriceCollar.number(), 1)]);
    assert_eq!(world.quote(9_990, 10_010).kinds(), Vec::<&str>::new());
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    let out = world.quote(10_060, 10_080);
    assert_eq!(left(&out), (Side::Sell, 20_000, 10_100, TimeInForce::Gtc));
    check(&world);
}

/// An exit is worth more than its entry was: beyond the limit of one order it goes in parts.
#[test]
fn an_exit_beyond_the_limit_of_one_order_goes_in_parts() {
    let mut world = World::open(Phase::Paper);
    let entry =
        world.reply(ALPHA, vec![bracketed(buy(1, 79_900, 10_010), STOP, TARGET)]).submits()[0];
    let out = world.fill(entry, "e1", 79_900, 10_010);
    assert_eq!(out.reasons("leg-denied"), ["MAX_ORDER_NOTIONAL"]);
    assert_eq!(left(&out).1, 39_950);
    assert_eq!(left(&world.feed(Input::Tick)).1, 39_950);
    assert_eq!(world.feed(Input::Tick).submits(), []);
    check(&world);
}

/// A sale that opens a short position has its exits the other way round.
#[test]
fn a_short_position_is_bought_back_when_the_offer_crosses_its_stop() {
    let mut world = World::open(Phase::Paper);
    let record = bracketed(sell(1, 20_000, 9_990), 10_040, STOP);
    let entry = world.reply(ALPHA, vec![record]).submits()[0];
    let out = world.fill(entry, "e1", 20_000, 9_990);
    assert_eq!(left(&out), (Side::Buy, 20_000, STOP, TimeInForce::Gtc));
    let target = out.submits()[0];
    world.report(target, ExecType::New);
    assert_eq!(world.quote(10_010, 10_030).cancels(), []);
    assert_eq!(world.quote(10_020, 10_040).cancels(), [target]);
    let out = world.report(target, ExecType::Canceled);
    // Half a percent above the middle is 100.8015, and the tick is 0.10.
    assert_eq!(left(&out), (Side::Buy, 20_000, 10_080, TimeInForce::Ioc));
    check(&world);
}

/// A stop that fires takes the rest of its entry back too: it would only have to be left again.
#[test]
fn a_stop_that_fires_takes_the_rest_of_the_entry_back() {
    let (mut world, entry) = entered(Phase::Paper);
    let out = world.fill(entry, "e1", 6_000, 10_010);
    let target = out.submits()[0];
    assert_eq!(world.quote(9_950, 9_970).cancels(), [entry, target]);
    // Our own order still stands in the way: said once, and asked for again.
    let out = world.report(target, ExecType::Canceled);
    assert_eq!((out.submits(), out.reasons("leg-denied")), (vec![], vec!["SELF_CROSS"]));
    world.report(entry, ExecType::Canceled);
    assert_eq!(left(&world.quote(9_950, 9_960)).1, 6_000);
    check(&world);
}

#[test]
fn an_amended_entry_keeps_its_legs_around_it() {
    let (mut world, entry) = entered(Phase::Paper);
    let out = world.reply(ALPHA, vec![amend(1, 20_000, STOP)]);
    assert_eq!(out.reasons("amend-denied"), ["ORDER_TYPE_NOT_ALLOWED"]);
    assert_eq!(world.reply(ALPHA, vec![amend(1, 30_000, 10_000)]).amends(), [entry]);
    world.report(entry, crate::world::replaced(30_000, 10_000));
    let out = world.fill(entry, "e1", 30_000, 10_000);
    assert_eq!(left(&out), (Side::Sell, 30_000, TARGET, TimeInForce::Gtc));
}

/// The exits are one wish with the entry: the plugin hears of them by the entry's number.
#[test]
fn a_plugin_hears_of_the_exits_by_the_number_of_their_entry() {
    let (mut world, _, target) = held(Phase::Paper);
    world.reply(ALPHA, vec![]);
    world.fill(target, "t1", 20_000, TARGET);
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    let about: Vec<_> = told
        .iter()
        .filter(|event| matches!(event.kind, event_kind::ORDER | event_kind::FILL))
        .map(|event| (event.kind, event.reference, event.extra))
        .collect();
    assert!(about.ends_with(&[(event_kind::ORDER, 1, 1), (event_kind::FILL, 1, 1)]), "{about:?}");
}

/// D7: what protects outlives the plugin that asked for it.
#[test]
fn a_plugin_that_is_gone_leaves_its_legs() {
    let (mut world, entry, target) = held(Phase::Paper);
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    let out = world.feed(Input::PluginFailed { plugin: ALPHA, code, cause });
    assert_eq!((out.cancels(), world.status(target)), (vec![], "new"));
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    assert_eq!(world.quote(9_950, 9_970).cancels(), [target]);
    let out = world.report(target, ExecType::Canceled);
    assert_eq!((left(&out).1, world.status(entry)), (20_000, "filled"));
    // One that fell on its way out is placed anew.
    let (mut world, entry) = entered(Phase::Paper);
    let target = world.fill(entry, "e1", 20_000, 10_010).submits()[0];
    let code = DenyCode::ReleaseRevoked;
    let out = world.feed(Input::NotSent { cl_ord_id: target, code });
    assert_eq!(left(&out), (Side::Sell, 20_000, TARGET, TimeInForce::Gtc));
    check(&world);
}

#[test]
fn f6_a_kill_takes_the_target_and_no_stop_fires_after_it() {
    let (mut world, entry, target) = held(Phase::Paper);
    let out = world.kill();
    assert_eq!(out.cancels(), [target]);
    protection(&world, &["PROTECTION_LOST"]);
    let out = world.quote(9_900, 9_920);
    assert_eq!((out.submits(), out.entry("stop-fired").is_none()), (vec![], true));
    let out = world.report(target, ExecType::Canceled);
    assert_eq!(out.reasons("protection-lost"), ["SESSION_OVER"]);
    assert_eq!(out.entry("protection-lost").unwrap().corr, entry.to_string());
    assert_eq!(world.core.view().sessions["s-1"], "closed");
    protection(&world, &["PROTECTION_LOST"]);
    let again = folded(&world.journal());
    assert_eq!(again.view().protection, world.core.view().protection);
    check_replay(&world);
}

#[test]
fn the_end_of_a_session_ends_its_brackets_and_says_what_is_naked() {
    // The target rests at the venue and only reduces: it stays (D7). The stop was the kernel's.
    let (mut world, entry, target) = held(Phase::Paper);
    let out = world.close();
    assert_eq!((out.cancels(), world.status(target)), (vec![], "new"));
    assert_eq!(out.reasons("protection-lost"), ["SESSION_OVER"]);
    assert_eq!(out.entry("protection-lost").unwrap().corr, entry.to_string());
    protection(&world, &["PROTECTION_LOST"]);
    world.fill(target, "t1", 20_000, TARGET);
    protection(&world, &[]);
    // A stop that was crossed ends with the session like any other.
    let (mut world, _, target) = held(Phase::Paper);
    world.quote(9_950, 9_970);
    world.close();
    world.report(target, ExecType::Canceled);
    assert_eq!(world.core.view().sessions["s-1"], "closed");
    protection(&world, &["PROTECTION_LOST"]);
}

/// A crash loses the stop, and that is said at the next start.
#[test]
fn a_restart_records_what_it_lost() {
    let (mut world, entry, _) = held(Phase::Paper);
    world.restart(true);
    let (_, entries) = world.past.last().unwrap();
    let lost = entries.iter().find(|e| e.kind == "protection-lost").unwrap();
    let lost = portcullis_core::entry::decode(&lost.bytes).unwrap();
    assert_eq!((&*lost.corr, &*lost.reason), (&*entry.to_string(), "KERNEL_RESTARTED"));
    let Value::Object(body) = &lost.body else { panic!() };
    assert_eq!((&body["open"], &body["lost"]), (&Value::Int(20_000), &Value::Bool(true)));
    protection(&world, &["PROTECTION_LOST"]);
    // It is lost once.
    world.restart(true);
    let (_, entries) = world.past.last().unwrap();
    assert!(entries.iter().all(|entry| entry.kind != "protection-lost"));
    protection(&world, &["PROTECTION_LOST"]);
    // What was exited before has lost nothing.
    let (mut world, _, target) = held(Phase::Paper);
    world.fill(target, "t1", 20_000, TARGET);
    world.restart(true);
    protection(&world, &[]);
}

/// A quote that is old or missing fires nothing, and the status says that nobody looks.
#[test]
fn f5_a_stop_does_not_fire_on_what_nobody_sees() {
    let (mut world, _, target) = held(Phase::Paper);
    world.pass(3_600 * SECOND_NS / 2);
    world.feed(Input::Tick);
    protection(&world, &["PROTECTION_HELD_BY_KERNEL", "PROTECTION_BLIND"]);
    world.quote(9_990, 10_010);
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    protection(&world, &["PROTECTION_HELD_BY_KERNEL", "PROTECTION_BLIND"]);
    // A crossed quote is none either.
    assert_eq!(world.quote(9_920, 9_900).cancels(), []);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert_eq!(world.quote(9_900, 9_920).cancels(), [target]);
}

#[test]
fn phase_one_holds_brackets_the_same_way() {
    let (mut world, entry, target) = held(Phase::Shadow);
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    world.fill(target, "t1", 10_000, TARGET);
    let out = world.quote(9_950, 9_970);
    assert!(out.has(|effect| matches!(effect, Effect::ShadowCancel(id) if *id == target)));
    let out = world.report(target, ExecType::Canceled);
    assert_eq!(left(&out), (Side::Sell, 10_000, 9_920, TimeInForce::Ioc));
    assert!(world.core.account().orders.get(entry).is_none());
    check_replay(&world);
    // What phase 1 loses at its end is on record, and nobody is naked.
    world.close();
    let exit = out.submits()[0];
    let out = world.report(exit, ExecType::Canceled);
    assert_eq!(out.reasons("protection-lost"), ["SESSION_OVER"]);
    protection(&world, &[]);
    check_replay(&world);
}

#[test]
fn a_bracket_stands_around_its_entry_or_is_denied() {
    let mut world = World::open(Phase::Paper);
    let market = |reference, stop, target| {
        let record = bracketed(buy(reference, 10_000, 0), stop, target);
        IntentRecord { ord_type: ord_type_code::MARKET, ..record }
    };
    let out = world.reply(
        ALPHA,
        vec![
            bracketed(buy(1, 10_000, 10_000), 10_000, 0),
            bracketed(buy(2, 10_000, 10_000), 0, 10_000),
            bracketed(sell(3, 10_000, 10_020), 10_010, 0),
            market(4, 9_990, 0),
            bracketed(buy(5, 10_000, 10_000), 9_955, 0),
            bracketed(buy(6, 10_000, 10_000), -10, 0),
            market(7, 9_980, 10_000),
        ],
    );
    let shape = "ORDER_TYPE_NOT_ALLOWED";
    assert_eq!(out.reasons("denied"), [shape, shape, shape, shape, "TICK_SIZE", "TICK_SIZE"]);
    assert_eq!(out.submits().len(), 1);
}

/// The kernel's own numbers are nobody else's: a plugin can neither use nor guess them.
#[test]
fn a26_a_plugin_cannot_name_an_exit_by_its_number() {
    let (mut world, _, target) = held(Phase::Paper);
    let number = world.core.account().orders.get(target).unwrap().intent.reference;
    assert!(number >= 1 << 62);
    let records =
        vec![cancel(number), amend(number, 10_000, 10_020), sell(number + 1, 10_000, 10_020)];
    let out = world.reply(ALPHA, records);
    assert_eq!(out.reasons("denied"), ["ORDER_TYPE_NOT_ALLOWED"; 3]);
    assert_eq!((out.cancels(), out.submits(), out.amends()), (vec![], vec![], vec![]));
}

#[test]
fn a_plugin_takes_its_exits_back_and_leaves_by_itself() {
    let (mut world, entry, target) = held(Phase::Paper);
    let flags = cancel_flag::EXITS;
    let release = IntentRecord { flags, kind: intent_kind::CANCEL, ..cancel(1) };
    // Another plugin's number 1 is another order, or none.
    assert_eq!(world.reply(BETA, vec![release]).cancels(), []);
    let out = world.reply(ALPHA, vec![release]);
    assert_eq!(
        (out.cancels(), out.reasons("protection-released")),
        (vec![target], vec!["PLUGIN_ASKED"])
    );
    assert_eq!(out.entry("protection-released").unwrap().corr, entry.to_string());
    world.report(target, ExecType::Canceled);
    assert_eq!(world.quote(9_950, 9_970).submits(), []);
    assert_eq!(world.reply(ALPHA, vec![sell(2, 20_000, 9_960)]).submits().len(), 1);
    check(&world);
}

/// A person cancels the target and sells: nothing is left for the stop, and it sells nothing.
#[test]
fn a_position_that_somebody_else_left_has_no_stop_any_more() {
    let (mut world, entry, target) = held(Phase::Paper);
    let command = portcullis_core::PersonCommand::Cancel { cl_ord_id: target };
    world.by_hand("olga", command);
    // Taken back by a person, it is not placed again; the stop stays.
    assert_eq!(world.report(target, ExecType::Canceled).submits(), []);
    assert_eq!(world.quote(9_990, 10_010).submits(), []);
    protection(&world, &["PROTECTION_HELD_BY_KERNEL"]);
    let (symbol, qty, price) = ("BTC-USDT".to_owned(), None, None);
    let command = portcullis_core::PersonCommand::Close { symbol, qty, price };
    let sold = world.by_hand("olga", command).submits()[0];
    let out = world.fill(sold, "c1", 20_000, 9_990);
    assert_eq!(out.reasons("protection-lost"), ["POSITION_GONE"]);
    assert_eq!(out.entry("protection-lost").unwrap().corr, entry.to_string());
    protection(&world, &[]);
    assert_eq!(world.quote(9_900, 9_920).submits(), []);
    check(&world);
}

/// Whatever the venue does, and however late it says so: what leaves is never more than what came.
#[test]
fn a_random_session_never_exits_more_than_it_entered() {
    for (seed, phase) in [(0x5eed_0011, Phase::Paper), (0x5eed_0012, Phase::Paper)] {
        let mut play = Play::new(seed, phase);
        for _ in 0..2_500 {
            play.turn();
        }
        play.finish();
        let orders = &play.world.core.account().orders;
        let exits_of = |entry: ClOrdId| {
            let number = |id: ClOrdId| ((1 << 62) >> 24) | u64::from(id.sequence);
            let of = move |order: &&Order| {
                (order.intent.reference & !(1 << 61)) >> 24 == number(entry)
                    && order.intent.reference >= 1 << 62
            };
            orders.iter().filter(of).map(|order| order.cum_qty.units()).sum::<i64>()
        };
        let entries: Vec<_> = orders.iter().filter(|o| o.intent.bracket.is_some()).collect();
        assert!(entries.iter().any(|entry| exits_of(entry.cl_ord_id) > 0));
        for entry in entries {
            assert!(exits_of(entry.cl_ord_id) <= entry.cum_qty.units(), "{entry:?}");
        }
    }
}
