//! What the real daemon reads of the account beside its orders: the venue's ledger and its clock.

use crate::house::{House, await_until};
use crate::venue_side::Wire;
use portcullis_control::{Reconciliation, StatusView};
use portcullis_statement::json::Fields;

fn has_traded(view: &StatusView) -> bool {
    view.positions.iter().any(|position| position.fees != "0")
}

fn has_resting(view: &StatusView) -> bool {
    view.orders.iter().any(|order| order.status == "new")
}

/// What was booked of the venue's ledger so far: kind, currency, amount; sorted.
fn booked(house: &House) -> Vec<[String; 3]> {
    let entries = house.journal().into_iter().filter(|entry| entry.kind == "ledger-booked");
    let amounts = entries.map(|entry| {
        let mut body = Fields::new(&entry.body).unwrap();
        let text = |body: &mut Fields<'_>, key| body.text(key).unwrap().to_owned();
        [entry.reason.clone(), text(&mut body, "currency"), text(&mut body, "amount")]
    });
    let mut amounts: Vec<_> = amounts.collect();
    amounts.sort();
    amounts
}

/// How many readings of the account are on record.
fn readings(house: &House) -> usize {
    house.count("account")
}

/// Waits until so many entries are booked and two more readings have shown nothing else.
#[track_caller]
fn await_booked(house: &House, expect: &[[&str; 3]]) {
    await_until("the ledger booked", || (booked(house).len() >= expect.len()).then_some(()));
    let before = readings(house);
    await_until("two more readings", || (readings(house) >= before + 2).then_some(()));
    assert_eq!(booked(house), expect);
    let view = house.status().unwrap();
    assert_eq!(view.reconciliation, Reconciliation::Agreed, "{view:?}");
    // Whether a reading or the report of a fill comes first is the weather's to say.
    let findings = house.journal().into_iter().filter(|entry| entry.kind == "finding-opened");
    let reasons: Vec<_> = findings.map(|entry| entry.reason.clone()).collect();
    let others: Vec<_> = reasons.iter().filter(|it| *it != "RECON_FILL_MISSING_HERE").collect();
    assert_eq!(others, Vec::<&String>::new());
}

/// D10: what somebody sends to the account while a session trades is an entry of the ledger and no
/// difference; what is sent while the house is away is booked when it is back. More orders have
/// ended by then than the venue lists: their fills are known all the same.
#[test]
fn d10_a_deposit_in_an_open_session_is_booked_and_nothing_differs() {
    let mut house = House::ready();
    house.perform("both", |view| has_traded(view) && has_resting(view));
    house.transfer("BTC", "0.00000001");
    house.transfer("USD", "250");
    let mut expect = vec![["deposit", "BTC", "0.00000001"], ["deposit", "USD", "250"]];
    await_booked(&house, &expect);
    let view = house.status().unwrap();
    assert!(view.may_trade && !view.killed && view.session.is_some(), "{view:?}");
    house.must(&["close", "--home", &house.text("home"), "--reason", "seen"]);
    house.stop();

    house.transfer("USD", "-100.5");
    house.start_daemon();
    house.await_agreed();
    expect.push(["withdrawal", "USD", "-100.5"]);
    await_booked(&house, &expect);
    house.stop();
}

/// A15: the venue's clock is read while a session trades. One that is five seconds off forbids new
/// exposure and raises the stop that policy names.
#[test]
fn a15_a_venue_whose_clock_is_off_gets_no_new_exposure() {
    let mut house = House::empty("");
    house.start_exchange();
    house.start_daemon();
    let public = Wire::to(house.ports.0);
    house.connect_by(public.port, house.ports.1);
    house.release_actor("2");
    house.perform("churn", has_traded);
    let denied = |house: &House| {
        let entries = house.journal().into_iter().filter(|entry| entry.kind == "denied");
        entries.map(|entry| entry.reason.clone()).collect::<Vec<_>>()
    };
    await_until("the clock read", || (house.count("venue-clock") > 0).then_some(()));
    // One host, one clock.
    assert_eq!(
        (denied(&house).contains(&"CLOCK_SKEW".to_owned()), house.count("triggered")),
        (false, 0)
    );
    public.set_ahead(5);
    await_until("new exposure denied", || {
        denied(&house).contains(&"CLOCK_SKEW".to_owned()).then_some(())
    });
    let triggered: Vec<_> =
        house.journal().into_iter().filter(|entry| entry.kind == "triggered").collect();
    let reasons: Vec<_> = triggered.iter().map(|entry| entry.reason.as_str()).collect();
    assert_eq!(reasons, ["TRIGGER_CLOCK_SKEW"]);
    let view = house.await_status("the stop", |view| !view.may_trade);
    let named = |code: &str| view.reasons.iter().any(|reason| reason.contains(code));
    assert!(named("TRIGGER_CLOCK_SKEW") && !view.killed, "{view:?}");
}
