//! A person's own orders: the same gate, another origin, a role; and what of it outlives a session.

use portcullis_core::{Effect, Input, PersonCommand, PersonOrder};
use portcullis_domain::{ClOrdId, ExecType, Phase, Side, TimeInForce};
use portcullis_gate::Rights;
use portcullis_statement::json::{Fields, Value};

use crate::world::{ALPHA, Out, SECOND_NS, World, buy, cancel, folded, resting};

/// After 0.1 bought at 100.
const BOUGHT: &[(&str, &str)] = &[("USDT", "990"), ("BTC", "5.1")];

fn order(side: Side, qty: &str, price: Option<&str>) -> PersonOrder {
    PersonOrder {
        symbol: "BTC-USDT".to_owned(),
        side,
        qty: qty.to_owned(),
        price: price.map(str::to_owned),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
    }
}

fn submit(side: Side, qty: &str, price: &str) -> PersonCommand {
    PersonCommand::Submit(order(side, qty, Some(price)))
}

fn close(qty: Option<&str>, price: Option<&str>) -> PersonCommand {
    PersonCommand::Close {
        symbol: "BTC-USDT".to_owned(),
        qty: qty.map(str::to_owned),
        price: price.map(str::to_owned),
    }
}

/// A session with 0.1 bought in it.
fn holding(phase: Phase) -> World {
    held(World::open(phase))
}

pub(crate) fn held(mut world: World) -> World {
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.account(&[], BOUGHT);
    world
}

/// The account after a start, read twice so that a kill is over.
fn settle(world: &mut World, balances: &[(&str, &str)]) {
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    for _ in 0..3 {
        world.pass(7 * SECOND_NS);
        world.account(&[], balances);
    }
}

fn rights(out: &Out) -> Vec<Rights> {
    let rights = |effect: &Effect| match effect {
        Effect::Submit(submit) => Some(submit.order.rights()),
        _ => None,
    };
    out.effects.iter().filter_map(rights).collect()
}

fn intervened(out: &Out) -> [String; 3] {
    let entry = out.entry("intervened").unwrap();
    let mut body = Fields::new(&entry.body).unwrap();
    ["who", "role", "verb"].map(|key| body.text(key).unwrap().to_owned())
}

#[test]
fn a_person_passes_the_gate_that_a_plugin_passes() {
    let mut world = World::open(Phase::Paper);
    let out = world.by_hand("olga", submit(Side::Buy, "0.1", "100"));
    let [id] = out.submits()[..] else { panic!("{out:?}") };
    assert_eq!((out.answers(), rights(&out)), (vec!["ORDERED"], vec![Rights::Session]));
    assert_eq!(out.kinds(), ["person-submit", "ordered", "intervened"]);
    assert_eq!(intervened(&out), ["olga", "operator", "order-submit"]);
    assert_eq!(out.entry("intervened").unwrap().corr, id.to_string());
    let mut body = Fields::new(&out.entry("ordered").unwrap().body).unwrap();
    let mut intent = body.fields("intent").unwrap();
    assert_eq!(intent.text("plugin"), Ok("person"));
    // Nothing of it reaches a plugin, before or after its fill.
    world.fill(id, "e1", 10_000, 10_000);
    let told = world.reply(ALPHA, vec![]).delivered(ALPHA);
    assert!(told.iter().all(|record| record.reference == 0), "{told:?}");
    // Its fill counts in the limits of whoever comes next.
    let too_much = world.reply(ALPHA, vec![buy(1, 100_000, 10_000)]);
    assert_eq!(too_much.reasons("denied"), ["MAX_ORDER_NOTIONAL"]);
}

/// The same wish of a plugin and of a person is denied by the same code with the same numbers.
#[test]
fn what_is_denied_to_a_plugin_is_denied_to_a_person() {
    for (qty, units, price, px, code) in [
        ("1.001", 100_100, "100", 10_000, "MAX_ORDER_QTY"),
        ("0.1", 10_000, "100.01", 10_001, "TICK_SIZE"),
        ("0.10001", 10_001, "100", 10_000, "LOT_SIZE"),
        ("0.1", 10_000, "110", 11_000, "PRICE_COLLAR"),
        ("0.9", 90_000, "100", 10_000, "MAX_ORDER_NOTIONAL"),
    ] {
        let mut world = World::open(Phase::Paper);
        let plugin = world.reply(ALPHA, vec![buy(1, units, px)]);
        let out = world.by_hand("olga", submit(Side::Buy, qty, price));
        assert_eq!((plugin.reasons("denied"), out.reasons("denied")), (vec![code], vec![code]));
        let figures = |out: &Out| {
            let mut body = Fields::new(&out.entry("denied").unwrap().body).unwrap();
            ["observed", "limit"].map(|key| body.value(key).unwrap().clone())
        };
        assert_eq!(figures(&plugin), figures(&out));
        assert_eq!((out.answers(), out.submits()), (vec![code], vec![]));
        assert_eq!(out.reasons("intervened"), [code]);
        assert_eq!(world.core.view().verdicts[code], 2);
    }
}

/// B5: the role decides, not the name; and nobody outside of the roster asks for anything.
#[test]
fn b5_only_an_operator_submits_and_risk_may_take_back() {
    let mut world = holding(Phase::Paper);
    for who in ["ada", "gerd", "anna", "rita", "nobody"] {
        let out = world.by_hand(who, submit(Side::Buy, "0.1", "100"));
        assert_eq!(
            (out.kinds(), out.answers()),
            (vec!["person-submit", "refused"], vec!["ROLE_FORBIDS"])
        );
    }
    for who in ["ada", "gerd", "anna", "nobody"] {
        assert_eq!(world.by_hand(who, PersonCommand::CancelAll).answers(), ["ROLE_FORBIDS"]);
        assert_eq!(world.by_hand(who, close(None, None)).answers(), ["ROLE_FORBIDS"]);
    }
    let id = world.by_hand("olga", submit(Side::Buy, "0.1", "99.9")).submits()[0];
    let out = world.by_hand("rita", PersonCommand::Cancel { cl_ord_id: id });
    assert_eq!((out.cancels(), out.answers()), (vec![id], vec!["DONE"]));
    assert_eq!(intervened(&out), ["rita", "risk", "order-cancel"]);
    let out = world.by_hand("rita", PersonCommand::CancelAll);
    assert!(out.has(|effect| matches!(effect, Effect::CancelAll)));
    assert_eq!(out.entry("intervened").unwrap().corr, "-");
    world.report(id, ExecType::Canceled);
    assert_eq!(world.by_hand("rita", close(None, None)).answers(), ["ORDERED"]);
}

/// A26: no plugin takes a person's order back, whatever number it says.
#[test]
fn a26_a_plugin_cannot_take_a_persons_order_back() {
    let mut world = World::open(Phase::Paper);
    let id = world.by_hand("olga", submit(Side::Buy, "0.1", "99.9")).submits()[0];
    world.report(id, ExecType::New);
    let out = world.reply(ALPHA, (0..5).map(cancel).collect());
    assert_eq!(out.cancels(), []);
    // Nor does its end: what is not its own stays.
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    let out = world.feed(Input::PluginFailed { plugin: ALPHA, code, cause });
    assert_eq!((out.cancels(), world.status(id)), (vec![], "new"));
    // A person takes back what a plugin ordered.
    let beta = world.reply(crate::world::BETA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    assert_eq!(world.by_hand("olga", PersonCommand::Cancel { cl_ord_id: beta }).cancels(), [beta]);
}

/// What the phase says, for new exposure, for a reduction and for a cancel.
#[test]
fn the_phase_decides_what_people_may_do_by_hand() {
    const ALL: [(Phase, [&str; 3]); 7] = [
        (Phase::Shadow, ["PHASE_FORBIDS", "PHASE_FORBIDS", "DONE"]),
        (Phase::Paper, ["ORDERED", "ORDERED", "DONE"]),
        (Phase::BoundedAuto, ["ORDERED", "ORDERED", "DONE"]),
        (Phase::PreLive, ["PHASE_FORBIDS", "PHASE_FORBIDS", "DONE"]),
        (Phase::ManualLive, ["DONE", "ORDERED", "DONE"]),
        (Phase::MonitoredAuto, ["DONE", "ORDERED", "DONE"]),
        (Phase::Continuous, ["DONE", "ORDERED", "DONE"]),
    ];
    for (phase, expect) in ALL {
        // The position is carried in, since not every phase could have made it.
        let mut world = World::started_for(phase);
        world.link_up();
        world.open_session("s-1", Phase::Paper);
        let mut world = held(world);
        world.close();
        world.out.clear();
        let mut approval = world.draft("s-2", phase);
        if phase != Phase::Shadow {
            approval.carried = vec![portcullis_statement::Carried {
                instrument: portcullis_domain::InstrumentId(0),
                position: portcullis_domain::Position(10_000),
                avg_px: Some(crate::people::px(10_000)),
            }];
        }
        assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
        // In the live phases the guards have to be heard of.
        for guard in portcullis_domain::policy::guards::Guard::ALL {
            let valid_until = world.now.wall.plus_ns(60 * crate::world::SECOND_NS);
            world.feed(portcullis_core::Input::Beat { guard, valid_until });
        }
        if !world.witnesses.is_empty() {
            crate::witness::cosigned(&mut world);
        }
        world.ready();
        let increase = world.by_hand("olga", submit(Side::Buy, "0.1", "100"));
        let reduce = world.by_hand("olga", submit(Side::Sell, "0.05", "100.2"));
        let cancel = world.by_hand("olga", PersonCommand::CancelAll);
        let seen = [&increase, &reduce, &cancel].map(|out| out.answers()[0].to_owned());
        assert_eq!(seen, expect, "{phase:?}");
        let flip = PersonOrder { reduce_only: true, ..order(Side::Sell, "0.2", Some("100")) };
        let flip = world.by_hand("olga", PersonCommand::Submit(flip)).answers()[0].to_owned();
        assert_eq!(flip == "REDUCE_ONLY", expect[1] == "ORDERED", "{phase:?}: {flip}");
    }
}

/// A position is made smaller and never turned round; what works on its side counts as filled.
#[test]
fn closing_a_position_never_flips_it() {
    let mut world = holding(Phase::Paper);
    for qty in ["0.1001", "0.2", "1"] {
        let out = world.by_hand("olga", close(Some(qty), Some("100")));
        assert_eq!((out.answers(), out.submits()), (vec!["REDUCE_ONLY"], vec![]));
    }
    let first = world.by_hand("olga", close(Some("0.05"), Some("100")));
    assert_eq!(first.answers(), ["ORDERED"]);
    let mut body = Fields::new(&first.entry("ordered").unwrap().body).unwrap();
    let mut intent = body.fields("intent").unwrap();
    assert_eq!((intent.text("side"), intent.text("time_in_force")), (Ok("sell"), Ok("ioc")));
    assert_eq!(intent.bool("reduce_only"), Ok(true));
    assert_eq!(world.by_hand("olga", close(Some("0.0501"), None)).answers(), ["REDUCE_ONLY"]);
    // Without a quantity: all that no working order closes already.
    let rest = world.by_hand("olga", close(None, Some("100")));
    assert_eq!(rest.answers(), ["ORDERED"]);
    let mut body = Fields::new(&rest.entry("ordered").unwrap().body).unwrap();
    assert_eq!(body.fields("intent").unwrap().int("qty"), Ok(5_000));
    assert_eq!(world.by_hand("olga", close(None, None)).answers(), ["POSITION_FLAT"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_code() {
    let mut world = World::open(Phase::Paper);
    let symbol = PersonOrder { symbol: "ETH-USDT".to_owned(), ..order(Side::Buy, "1", None) };
    let foreign = ClOrdId { epoch: 1, sequence: 1 };
    let ended = world.by_hand("olga", submit(Side::Buy, "0.1", "99.9")).submits()[0];
    world.report(ended, ExecType::Rejected);
    let amend = |cl_ord_id, qty: Option<&str>, price: Option<&str>| PersonCommand::Amend {
        cl_ord_id,
        qty: qty.map(str::to_owned),
        price: price.map(str::to_owned),
    };
    for (command, code) in [
        (PersonCommand::Submit(symbol), "SYMBOL_UNKNOWN"),
        (submit(Side::Buy, "0.100001", "100"), "QTY_INVALID"),
        (submit(Side::Buy, "-1", "100"), "QTY_INVALID"),
        (submit(Side::Buy, "1e3", "100"), "QTY_INVALID"),
        (submit(Side::Buy, &"9".repeat(40), "100"), "QTY_INVALID"),
        (submit(Side::Buy, "0.1", "NaN"), "PRICE_INVALID"),
        (submit(Side::Buy, "0.1", "0"), "PRICE_INVALID"),
        (submit(Side::Buy, "0.1", "100.001"), "PRICE_INVALID"),
        (submit(Side::Buy, "0", "100"), "LOT_SIZE"),
        (PersonCommand::Cancel { cl_ord_id: foreign }, "ORDER_NOT_FOUND"),
        (PersonCommand::Cancel { cl_ord_id: ended }, "ORDER_ENDED"),
        (amend(foreign, Some("0.1"), None), "ORDER_NOT_FOUND"),
        (close(None, None), "POSITION_FLAT"),
    ] {
        let out = world.by_hand("olga", command.clone());
        assert_eq!((out.answers(), out.submits()), (vec![code], vec![]), "{command:?}");
    }
    assert!(World::started().by_hand("olga", close(None, None)).answers() == ["APPROVAL_MISSING"]);
    assert!(World::new().by_hand("olga", close(None, None)).answers() == ["ROLE_FORBIDS"]);
}

/// D4: the session is closed, and its operator still gets out, and no further in.
#[test]
fn d4_after_the_close_the_operator_alone_reduces_until_flat() {
    let mut world = holding(Phase::Paper);
    world.close();
    assert_eq!(world.core.open_session(), None);
    let more = world.by_hand("olga", submit(Side::Buy, "0.1", "100"));
    assert_eq!(more.answers(), ["REDUCE_ONLY"]);
    let flip = world.by_hand("olga", close(Some("0.1001"), Some("100")));
    assert_eq!(flip.answers(), ["REDUCE_ONLY"]);
    // The streams are down: there is nothing to measure a market order by.
    assert_eq!(world.by_hand("olga", close(None, None)).answers(), ["PRICE_COLLAR"]);
    let out = world.by_hand("olga", close(Some("0.06"), Some("99")));
    assert_eq!((out.answers(), rights(&out)), (vec!["ORDERED"], vec![Rights::Closing]));
    let id = out.submits()[0];
    world.report(id, ExecType::New);
    // What rests is taken back, by the operator or by risk.
    let out = world.by_hand("rita", PersonCommand::Cancel { cl_ord_id: id });
    assert_eq!(out.cancels(), [id]);
    world.report(id, ExecType::Canceled);
    let id = world.by_hand("olga", close(None, Some("99"))).submits()[0];
    world.fill(id, "e2", 10_000, 9_900);
    assert_eq!(world.by_hand("olga", close(None, Some("99"))).answers(), ["POSITION_FLAT"]);
    let sell = world.by_hand("olga", submit(Side::Sell, "0.01", "99"));
    assert_eq!(sell.answers(), ["REDUCE_ONLY"]);
}

/// D4: past its window and past the approval itself.
#[test]
fn d4_window_and_expiry_do_not_lock_the_exit() {
    let mut world = holding(Phase::Paper);
    world.pass(3_600 * SECOND_NS);
    // In the very event at which the window is over, and after it.
    let at_the_end = world.by_hand("olga", close(Some("0.05"), Some("100")));
    assert_eq!(rights(&at_the_end), [Rights::Closing]);
    let id = at_the_end.submits()[0];
    world.fill(id, "e2", 5_000, 10_000);
    assert_eq!(world.core.open_session(), None);
    world.pass(72 * 3_600 * SECOND_NS);
    let out = world.by_hand("olga", close(None, Some("100")));
    assert_eq!((out.answers(), rights(&out)), (vec!["ORDERED"], vec![Rights::Closing]));
}

/// D4, A2: while a kill is being cleared nobody trades; once all is clear the exit is open, and
/// the next pull takes back what rests of it.
#[test]
fn d4_a_kill_leaves_the_exit_once_all_is_clear() {
    let mut world = holding(Phase::Paper);
    world.kill();
    assert_eq!(world.by_hand("olga", close(None, Some("100"))).answers(), ["KILL_ACTIVE"]);
    for _ in 0..3 {
        world.pass(7 * SECOND_NS);
        world.account(&[], BOUGHT);
    }
    let out = world.by_hand("olga", close(None, Some("100")));
    assert_eq!((out.answers(), rights(&out)), (vec!["ORDERED"], vec![Rights::Closing]));
    assert!(world.core.is_killed());
    let id = out.submits()[0];
    world.report(id, ExecType::New);
    // A read that lists it does not take it back: it is no leftover.
    assert_eq!(world.account(&[resting(id, 10_000)], BOUGHT).cancels(), []);
    let out = world.kill();
    assert_eq!((out.cancels(), out.answers()), (vec![id], vec!["LATCHED"]));
    assert_eq!(world.by_hand("olga", close(Some("0.1"), Some("100"))).answers(), ["KILL_ACTIVE"]);
}

/// D4: a crash and a restart keep the rights, and the account has to be reconciled first.
#[test]
fn d4_a_restart_keeps_closing_rights() {
    let mut world = holding(Phase::Paper);
    world.restart(false);
    assert_eq!(world.by_hand("olga", close(None, Some("100"))).answers(), ["KILL_ACTIVE"]);
    settle(&mut world, BOUGHT);
    let more = world.by_hand("olga", submit(Side::Buy, "0.1", "100"));
    assert_eq!(more.answers(), ["REDUCE_ONLY"]);
    let out = world.by_hand("olga", close(None, Some("100")));
    assert_eq!((out.answers(), rights(&out)), (vec!["ORDERED"], vec![Rights::Closing]));
    // Numbers of people go on where they were.
    let reference = |out: &Out| {
        let mut body = Fields::new(&out.entry("ordered").unwrap().body).unwrap();
        body.fields("intent").unwrap().uint("reference").unwrap()
    };
    assert_eq!(reference(&out), 3);
    // A restart in order as well; the working order is known and stays.
    let id = out.submits()[0];
    world.report(id, ExecType::New);
    world.restart(true);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert_eq!(world.account(&[resting(id, 10_000)], BOUGHT).cancels(), []);
    assert_eq!(world.by_hand("olga", close(None, Some("100"))).answers(), ["POSITION_FLAT"]);
}

/// D4, D8: of an account that differs, what both sides agree on can be left and no more.
#[test]
fn d8_on_an_account_that_differs_only_what_both_sides_hold_is_closed() {
    let mut world = holding(Phase::Paper);
    world.close();
    for _ in 0..2 {
        world.account(&[], &[("USDT", "990"), ("BTC", "0.06")]);
    }
    assert_eq!(world.by_hand("olga", close(None, Some("100"))).answers(), ["RECON_UNRESOLVED"]);
    let out = world.by_hand("olga", close(Some("0.06"), Some("100")));
    assert_eq!(out.answers(), ["ORDERED"]);
}

/// D4: phase 1 leaves no position, and takes the rights of the session before it from nobody.
#[test]
fn d4_a_shadow_session_does_not_take_closing_rights_away() {
    let mut world = holding(Phase::Paper);
    world.close();
    world.out.clear();
    world.open_session("s-2", Phase::Shadow);
    world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]);
    world.by_hand("olga", PersonCommand::CancelAll);
    let id = world.core.view().orders.first().map(|order| order.cl_ord_id.clone());
    let id = id.and_then(|text| ClOrdId::parse(&text)).unwrap();
    world.report(id, ExecType::Canceled);
    world.close();
    for core in [None, Some(Box::new(folded(&world.journal())))] {
        if let Some(core) = core {
            world.core = *core;
            world.start(false, true);
            settle(&mut world, BOUGHT);
        }
        assert_eq!(world.by_hand("olga", close(Some("0.06"), Some("100"))).answers(), ["ORDERED"]);
        let id = *world.core.account().orders.open().next().map(|o| &o.cl_ord_id).unwrap();
        world.report(id, ExecType::Expired);
    }
}

/// A change of an order has its door; what would be more of it is judged like new exposure.
#[test]
fn an_amend_is_judged_like_new_exposure_and_on_record() {
    let mut world = World::open(Phase::Paper);
    let id = world.by_hand("olga", submit(Side::Buy, "0.1", "99.9")).submits()[0];
    world.report(id, ExecType::New);
    let amend =
        |qty: &str| PersonCommand::Amend { cl_ord_id: id, qty: Some(qty.to_owned()), price: None };
    let out = world.by_hand("olga", amend("0.9"));
    assert_eq!(out.kinds(), ["person-amend", "amend-denied", "intervened"]);
    assert_eq!(out.answers(), ["MAX_ORDER_NOTIONAL"]);
    let Value::Object(body) = &out.entry("intervened").unwrap().body else { panic!() };
    assert_eq!(body["denial"], "MAX_ORDER_NOTIONAL".into());
    let out = world.by_hand("olga", amend("0.2"));
    assert_eq!(out.kinds(), ["person-amend", "amend-requested", "intervened"]);
    assert_eq!((out.answers(), out.amends()), (vec!["ORDERED"], vec![id]));
}
