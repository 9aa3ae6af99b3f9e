//! Sessions of a running daemon, and how it ends.

use crate::house::{House, await_until, children, is_suspended, signal, signed_bytes};
use crate::venue_side::{Mode, Wire};
use portcullis_control::{Reconciliation, Request, StatusView};
use portcullis_domain::Money;
use portcullis_tests::component;

fn has_traded(view: &StatusView) -> bool {
    view.positions.iter().any(|position| position.fees != "0")
}

fn has_resting(view: &StatusView) -> bool {
    view.orders.iter().any(|order| order.status == "new")
}

#[test]
fn an_end_in_order_closes_the_session_and_the_next_start_is_not_killed() {
    let mut house = House::ready();
    house.perform("rest", has_resting);
    // Stopping does not close: that is a decision of its own.
    assert_eq!(house.refusal(&Request::Stop), "SESSION_OPEN");
    assert!(house.status().unwrap().session.is_some());
    // Nor is the venue changed under what was approved for this one.
    let (public, private) = (house.ports.0.to_string(), house.ports.1.to_string());
    let what = ["endpoint-set", "--public-port", &public, "--private-port", &private];
    let endpoint = signed_bytes(&house.signed(&what));
    assert_eq!(house.refusal(&Request::Statement(endpoint)), "SESSION_OPEN");

    let process = house.daemon.as_ref().unwrap().id();
    let workers = children(process);
    assert_eq!(workers.len(), 1);
    signal("TERM", process);
    assert_eq!(house.daemon.take().unwrap().exit_code(), 0);
    assert_eq!(house.outsider().open_orders(), 0);
    await_until("the end of the worker", || {
        let gone = |worker: &u32| !std::path::Path::new(&format!("/proc/{worker}")).exists();
        workers.iter().all(gone).then_some(())
    });
    assert_eq!(house.count("session-closed"), 1);

    house.start_daemon();
    let view = house.await_agreed();
    assert!(!view.killed && view.kill_seq == 0, "{view:?}");
    assert_eq!(view.sessions.values().collect::<Vec<_>>(), ["closed"]);
    house.stop();
}

#[test]
fn phases_beyond_this_daemon_are_refused_each_with_its_code() {
    let mut house = House::empty(
        "\n[phases.4]\nsigners = [\"operator\", \"approver\"]\nwindow_hours_max = 12\n",
    );
    house.start_exchange();
    house.start_daemon();
    house.connect(house.ports.1);
    house.release_actor("4");
    let open = |phase: &str| {
        let approval = house.approval(phase, &format!("s-{phase}"), "rest");
        house.refusal(&Request::Open(signed_bytes(&approval)))
    };
    assert_eq!(["1", "3", "4"].map(open), ["PHASE_FORBIDS", "COMPILE_RECORD", "DEMO_ROSTER"]);
    // What is not signed starts no process.
    let approval = house.approval("2", "s-2", "rest");
    let mut unsigned = signed_bytes(&approval);
    unsigned.signatures.pop();
    house.sandbox = "/nowhere".into();
    assert_eq!(house.refusal(&Request::Open(unsigned)), "SIGNATURE_MISSING");
    assert!(house.orders_at_exchange().is_empty());
    assert_eq!(children(house.daemon.as_ref().unwrap().id()), Vec::<u32>::new());
}

/// D6: what the journal and the venue say after a crash is one and the same.
#[test]
fn d6_after_a_crash_in_mid_session_positions_are_those_of_the_exchange() {
    let mut house = House::ready();
    house.perform("both", |view| has_traded(view) && has_resting(view));
    let approval = house.approval("2", "next", "rest");
    house.crash();
    house.start_daemon();
    let view = house.await_status("the account compared and cleared", |view| {
        view.reconciliation == Reconciliation::Agreed && view.orders.is_empty()
    });
    assert!(view.killed && view.session.is_none(), "{view:?}");
    assert!(view.reasons[0].contains("NO_CLEAN_STOP_MARK"), "{view:?}");
    assert!(view.sessions.values().any(|state| state == "crashed"), "{view:?}");
    let outsider = house.outsider();
    assert_eq!(outsider.open_orders(), 0);
    let venue = outsider.balances();
    let held = view.positions.iter().find(|position| position.symbol == "BTC-USD").unwrap();
    assert_eq!(Money::parse(&held.qty), Ok(venue["BTC"]));
    let said = house.must(&["status", "--json", "--home", &house.text("home")]);
    assert!(said.stdout.contains(&format!("\"qty\":\"{}\"", held.qty)), "{}", said.stdout);
    // The approval of before the crash is worth nothing.
    let refused = house.refusal(&Request::Open(signed_bytes(&approval)));
    assert_eq!(refused, "KILL_ACTIVE");
}

/// A killed daemon that is started again and then unkilled trades as any other.
#[test]
fn after_a_restart_and_an_unkill_orders_leave_again() {
    let mut house = House::ready();
    signal("USR1", house.daemon.as_ref().unwrap().id());
    house.await_status("the kill", |view| view.killed);
    house.stop();
    house.start_daemon();
    let view = house.await_agreed();
    assert!(view.killed && view.kill_seq == 1, "a restart is not another kill: {view:?}");
    house.unkill();
    let view = house.perform("churn", has_traded);
    assert!(!view.killed && view.may_trade, "{view:?}");
    assert!(!house.orders_at_exchange().is_empty());
}

/// Runs a hostile strategy in the real sandbox: it is stopped with one of these codes, no order
/// of it leaves, and the session closes in order.
#[track_caller]
fn check_hostile(house: &House, name: &str, parameters: &[&str], expect: &[&str]) {
    let Some(path) = component(name) else { return };
    let sandbox = portcullis_tests::program("portcullis-sandbox").unwrap();
    house.release(&path, &sandbox, "2");
    let approval = house.approval_of(&path, ("2", name), parameters);
    let home = house.text("home");
    house.must(&["open", &approval, "--home", &home]);
    house.await_status(name, is_suspended);
    let stopped: Vec<_> =
        house.journal().into_iter().filter(|entry| entry.kind == "plugin-stopped").collect();
    let reason = &stopped.last().unwrap().reason;
    assert!(expect.contains(&reason.as_str()), "{name}: {reason}");
    assert!(house.orders_at_exchange().is_empty());
    house.must(&["close", "--home", &home, "--reason", "seen"]);
    let view = house.status().unwrap();
    assert!(!view.killed && view.sessions[name] == "closed", "{view:?}");
}

/// P3: a strategy that does its worst ends itself and nothing else. The wall clock may end it
/// before its fuel does.
#[test]
fn p3_hostile_strategies_are_stopped_and_the_session_closes_in_order() {
    let mut house = House::empty("");
    house.sandbox = portcullis_tests::program("portcullis-sandbox").unwrap();
    house.start_exchange();
    house.start_daemon();
    house.connect(house.ports.1);
    let check = |name, parameters: &[&str], code| {
        check_hostile(&house, name, parameters, &[code, "PLUGIN_DEADLINE"]);
    };
    check("hostile-spin", &["after=3"], "PLUGIN_FUEL");
    check("hostile-trap", &["after=0"], "PLUGIN_TRAP");
    check("hostile-memory-bomb", &[], "PLUGIN_MEMORY");
    check("hostile-intent-flood", &[], "PLUGIN_MEMORY");
    assert_eq!(house.count("killed"), 0);
}

/// The plugin's process ended or stood still from outside: its exposure-increasing order is taken
/// back, the kernel goes on.
#[track_caller]
fn check_lost_process(sent: &str, expect: &str) {
    let house = House::ready();
    house.perform("hold", |view| has_resting(view) && has_traded(view));
    let [worker] = children(house.daemon.as_ref().unwrap().id())[..] else { panic!("one worker") };
    let before = house.count("plugin-stopped");
    signal(sent, worker);
    let view = house
        .await_status("the order taken back", |view| is_suspended(view) && view.orders.is_empty());
    assert!(!view.killed && !view.may_trade, "{view:?}");
    let stopped: Vec<_> =
        house.journal().into_iter().filter(|entry| entry.kind == "plugin-stopped").collect();
    assert_eq!((stopped.len(), stopped[before].reason.as_str()), (before + 1, expect));
    assert_eq!(house.outsider().open_orders(), 0);
    house.must(&["close", "--home", &house.text("home"), "--reason", "seen"]);
    // A process that does not run any more is not left behind either.
    await_until("the end of the worker", || {
        children(house.daemon.as_ref().unwrap().id()).is_empty().then_some(())
    });
}

#[test]
fn a_plugin_whose_process_is_killed_is_gone() {
    check_lost_process("KILL", "PLUGIN_GONE");
}

#[test]
fn a_plugin_whose_process_stands_still_misses_its_deadline() {
    check_lost_process("STOP", "PLUGIN_DEADLINE");
}

/// A5, I2: an order whose fate is unknown is found again or buried by the venue's word, and never
/// sent a second time.
#[test]
fn a5_an_order_that_waits_while_the_line_breaks_is_found_or_buried_and_never_sent_again() {
    let mut house = House::empty("");
    house.start_exchange();
    house.start_daemon();
    let wire = Wire::to(house.ports.1);
    house.connect(wire.port);
    house.release_actor("2");
    let home = house.text("home");
    let close = || drop(house.must(&["close", "--home", &home, "--reason", "seen"]));

    // It arrives, and nobody says so.
    let approval = house.approval("2", "found", "rest");
    wire.set(Mode::Mute);
    house.must(&["open", &approval, "--home", &home]);
    let order = await_until("the order at the exchange", || house.orders_at_exchange().pop());
    let view = house.status().unwrap();
    assert!(!has_resting(&view), "{view:?}");
    wire.set(Mode::Open);
    wire.cut();
    house.await_status("the order found", |view| {
        has_resting(view) && view.orders.iter().any(|it| it.cl_ord_id == order)
    });
    assert!(house.journal().iter().any(|entry| {
        entry.kind == "reconciled" && entry.body.canonical_text().contains(&order)
    }));
    close();
    assert_eq!(house.orders_at_exchange(), [order]);

    // It never arrives, and nobody says so.
    let approval = house.approval("2", "buried", "rest");
    wire.set(Mode::Swallow);
    house.must(&["open", &approval, "--home", &home]);
    let view = house.await_status("the order on its way", |view| !view.orders.is_empty());
    let lost = view.orders[0].cl_ord_id.clone();
    // One that the writer has not come to when the line breaks never left, and needs no burial.
    let is_sent = || house.journal().iter().any(|it| it.kind == "sent" && it.corr == lost);
    await_until("the order written", || is_sent().then_some(()));
    wire.set(Mode::Open);
    wire.cut();
    let buried = || house.journal().into_iter().find(|it| it.kind == "order-dead");
    assert_eq!(await_until("the burial", buried).corr, lost);
    house.await_agreed();
    close();
    assert!(!house.orders_at_exchange().contains(&lost));
    assert_eq!(house.orders_at_exchange().len(), 1);
    assert!(!house.status().unwrap().killed);
}

#[test]
fn without_an_exchange_nothing_is_allowed_and_it_is_found_when_it_comes() {
    let mut house = House::empty("");
    house.start_exchange();
    let (public, wire) = (Wire::to(house.ports.0), Wire::to(house.ports.1));
    house.start_daemon();
    house.connect_by(public.port, wire.port);
    house.stop();
    house.exchange = None;
    wire.cut();
    house.start_daemon();
    let blocked = |view: &StatusView| {
        view.reasons.iter().any(|reason| reason == "RECON_UNRESOLVED: no link to the venue")
    };
    let view = house.status().unwrap();
    assert!(blocked(&view) && !view.killed, "{view:?}");
    house.start_exchange();
    public.lead_to(house.ports.0);
    wire.lead_to(house.ports.1);
    house.await_agreed();

    // And when it goes away in mid-session, what rested there is waited for, not forgotten.
    house.release_actor("2");
    let view = house.perform("rest", has_resting);
    let order = view.orders[0].cl_ord_id.clone();
    let sent = house.orders_at_exchange();
    house.exchange = None;
    wire.cut();
    let view = house.await_status("the link is down", blocked);
    assert!(!view.may_trade && view.orders.iter().any(|it| it.cl_ord_id == order), "{view:?}");
    house.start_exchange();
    wire.lead_to(house.ports.1);
    // This exchange knows nothing of the order: the house does not pretend to.
    house.await_status("the difference", |view| {
        matches!(&view.reconciliation, Reconciliation::Differs(list)
            if list.iter().any(|text| text.contains(&order)))
    });
    assert_eq!(house.orders_at_exchange(), sent);
}

/// A10: an order with our prefix that this journal never issued is a clone or a rollback.
#[test]
fn a10_an_order_with_our_prefix_that_is_not_ours_is_a_hard_stop() {
    let house = House::ready();
    let outsider = house.outsider();
    outsider.place(Some("pcdeadbeef00000001"));
    let view = house.await_status("the hard stop", |view| view.killed);
    assert!(!view.may_trade, "{view:?}");
    let killed = house.journal().into_iter().find(|entry| entry.kind == "killed").unwrap();
    let reasons = ["RECON_ORDER_NEVER_ISSUED", "FAULT_UNKNOWN_ORDER"];
    assert!(reasons.contains(&killed.reason.as_str()), "{}", killed.reason);
    await_until("the order of the clone taken back", || {
        (outsider.open_orders() == 0).then_some(())
    });
}

/// D16: an order of somebody else stops the account, and is nobody's here to take back.
#[test]
fn d16_a_foreign_order_is_a_hard_stop_and_is_left_alone() {
    let house = House::ready();
    let outsider = house.outsider();
    outsider.place(None);
    let view = house.await_status("the hard stop", |view| view.killed);
    assert!(!view.may_trade, "{view:?}");
    let killed = house.journal().into_iter().find(|entry| entry.kind == "killed").unwrap();
    assert_eq!(killed.reason, "RECON_ORDER_FOREIGN");
    assert_eq!(outsider.open_orders(), 1);
}
