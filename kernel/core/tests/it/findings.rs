//! The life of findings: explained by one person, confirmed by another.

use portcullis_core::{AccountSnapshot, DifferenceKind as K, FindingState, Input, ReconColour};
use portcullis_domain::{ExecType, InstrumentKind, LedgerKind, Money, Now, Phase, Position};

use crate::exchange::Play;
use crate::mismatch::entry;
use crate::people::{money, name};
use crate::recon::foreign;
use crate::replay::check_replay;
use crate::world::{ALPHA, BETA, Out, SECOND_NS, World, buy, folded, report, resting, trade};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];
const LESS: &[(&str, &str)] = &[("USDT", "990"), ("BTC", "5")];

pub(crate) fn explain(world: &mut World, finding: u64, who: &str, reason: &str) -> Out {
    let (request, who, reason) = (world.next_request(), name(who), reason.to_owned());
    world.feed(Input::ExplainFinding { request, finding, who, reason })
}

pub(crate) fn confirm(world: &mut World, finding: u64, who: &str) -> Out {
    let (request, who) = (world.next_request(), name(who));
    world.feed(Input::ConfirmFinding { request, finding, who })
}

/// A balance that ten are missing from.
pub(crate) fn differs() -> World {
    let mut world = World::open(Phase::Paper);
    for _ in 0..2 {
        world.account(&[], LESS);
    }
    assert!(world.core.recon_blocks("BTC-USDT"));
    world
}

fn check_fold(world: &World) {
    let core = folded(&world.journal());
    assert_eq!(core.findings(), world.core.findings());
    assert_eq!(core.account().durable(), world.core.account().durable());
}

fn check_again(world: &World) {
    check_fold(world);
    check_replay(world);
}

fn colour(world: &World) -> &'static str {
    world.core.recon_colour(Some(&name("s-1"))).name()
}

/// A balance that two people explained is adopted, on record, and trading goes on at once.
#[test]
fn a_balance_that_two_people_explain_is_adopted_on_record() {
    let mut world = differs();
    assert_eq!(colour(&world), "RED");
    assert_eq!(explain(&mut world, 1, "olga", "the venue's invoice 77").answers(), ["DONE"]);
    assert_eq!((colour(&world), world.balance("USDT")), ("RED", money("1000")));
    let out = confirm(&mut world, 1, "rita");
    assert_eq!(out.answers(), ["DONE"]);
    assert_eq!(
        out.kinds(),
        ["confirm-finding", "balance-adjusted", "reconciled", "finding-confirmed"]
    );
    assert_eq!(out.reasons("reconciled"), ["GREEN"]);
    assert_eq!((colour(&world), world.balance("USDT")), ("YELLOW", money("990")));
    assert_eq!(world.core.account().adopted().get("USDT"), Some(&money("-10")));
    assert!(!world.core.recon_blocks("BTC-USDT"));
    assert_eq!(world.reply(BETA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
    assert_eq!(world.core.view().findings[0].confirmed, Some("rita".to_owned()));
    check_again(&world);
    // The next session begins without it.
    assert_eq!(world.core.recon_colour(Some(&name("s-2"))), ReconColour::Green);
}

#[test]
fn nobody_confirms_himself_and_nothing_is_confirmed_unexplained() {
    let mut world = differs();
    assert_eq!(explain(&mut world, 7, "olga", "?").answers(), ["FINDING_UNKNOWN"]);
    assert_eq!(confirm(&mut world, 7, "olga").answers(), ["FINDING_UNKNOWN"]);
    assert_eq!(explain(&mut world, 1, "olga", "  ").answers(), ["REASON_MISSING"]);
    assert_eq!(explain(&mut world, 1, "olga", &"x".repeat(1_001)).answers(), ["REASON_TOO_LONG"]);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["FINDING_NOT_EXPLAINED"]);
    assert_eq!(explain(&mut world, 1, "olga", "invoice").answers(), ["DONE"]);
    assert_eq!(confirm(&mut world, 1, "olga").answers(), ["SAME_PERSON"]);
    // A second explanation is the one that counts: its author cannot confirm it.
    assert_eq!(explain(&mut world, 1, "rita", "another invoice").answers(), ["DONE"]);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["SAME_PERSON"]);
    assert!(world.core.recon_blocks("BTC-USDT"));
    assert_eq!(confirm(&mut world, 1, "olga").answers(), ["DONE"]);
    assert_eq!(confirm(&mut world, 1, "anna").answers(), ["FINDING_SETTLED"]);
    assert_eq!(explain(&mut world, 1, "anna", "more").answers(), ["FINDING_SETTLED"]);
    check_again(&world);
}

/// An explanation covers the amount that it was given for, and no other.
#[test]
fn an_amount_that_changes_takes_its_explanation_with_it() {
    let mut world = differs();
    explain(&mut world, 1, "olga", "invoice of ten");
    let out = world.account(&[], &[("USDT", "900"), ("BTC", "5")]);
    assert_eq!(out.reasons("finding-opened"), ["RECON_BALANCE_AMOUNT"]);
    assert_eq!(world.core.findings().get(1).unwrap().state, FindingState::Open);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["FINDING_NOT_EXPLAINED"]);
    explain(&mut world, 1, "olga", "invoice of a hundred");
    confirm(&mut world, 1, "rita");
    assert_eq!(world.balance("USDT"), money("900"));
    // The same amount again, later, is another finding.
    for _ in 0..2 {
        world.account(&[], &[("USDT", "800"), ("BTC", "5")]);
    }
    assert_eq!(world.core.findings().get(2).unwrap().difference.gap, Some(money("-100")));
    check_again(&world);
}

/// A fill between the reading and the confirmation moves the balance; the gap stays what it was.
#[test]
fn an_adoption_moves_the_gap_and_not_the_figure() {
    let mut world = differs();
    explain(&mut world, 1, "olga", "invoice");
    world.core.account().balances().unwrap();
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["DONE"]);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.account(&[], &[("USDT", "980"), ("BTC", "5.1")]);
    assert_eq!(world.core.view().differences, Some(vec![]));
}

/// No word makes an order or a fill go away that the venue still shows; once it is gone, the
/// finding is explained like any other.
#[test]
fn what_the_venue_still_shows_is_not_explained_away() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    for _ in 0..2 {
        world.account(&[], WHOLE);
    }
    assert_eq!(explain(&mut world, 1, "olga", "the venue lost it").answers(), ["DONE"]);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["STILL_SHOWN"]);
    assert!(world.core.recon_blocks("BTC-USDT"));
    world.report(id, ExecType::Canceled);
    world.account(&[], WHOLE);
    assert_eq!((world.core.recon_blocks("BTC-USDT"), colour(&world)), (false, "RED"));
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["DONE"]);
    assert_eq!(colour(&world), "YELLOW");
    check_again(&world);
}

/// After a restart nothing is compared yet: what was found before cannot be adopted before.
#[test]
fn f8_nothing_is_adopted_before_the_first_reading_of_a_run() {
    let mut world = differs();
    explain(&mut world, 1, "olga", "invoice");
    world.restart(false);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["NOT_COMPARED"]);
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    world.account(&[], LESS);
    assert_eq!(world.core.findings().iter().count(), 1);
    assert_eq!(confirm(&mut world, 1, "rita").answers(), ["DONE"]);
    assert_eq!(world.balance("USDT"), money("990"));
}

/// F8: no reading of the venue means not reconciled, and red; the house never agrees with itself.
#[test]
fn f8_without_a_reading_nothing_is_reconciled() {
    let mut world = World::started();
    assert_eq!(world.core.recon_colour(None), ReconColour::Red);
    assert!(world.core.recon_blocks("BTC-USDT"));
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    assert!(world.core.recon_blocks("BTC-USDT"));
    assert_eq!(
        (world.core.view().differences, world.core.reducible("BTC-USDT").units()),
        (None, 0)
    );
    let approval = world.draft("s-1", Phase::Paper);
    assert_eq!(world.open_with(&approval).answers(), ["RECON_UNRESOLVED"]);
    world.account(&[], WHOLE);
    assert!(!world.core.recon_blocks("BTC-USDT"));
    // Without a link the last reading is worth nothing.
    world.feed(Input::VenueLink { up: false, cause: String::new() });
    assert!(world.core.recon_blocks("BTC-USDT"));
}

/// F8: what was compared before a line broke proves nothing after it: the next reading does, if it
/// was asked for over the new line.
#[test]
fn f8_after_a_reconnect_nothing_is_reconciled_before_the_next_reading() {
    let mut world = World::open(Phase::Paper);
    let before = world.now;
    world.feed(Input::VenueLink { up: false, cause: String::new() });
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    let blocked = |world: &mut World, reference| {
        world.quote(9_990, 10_010);
        let out = world.reply(BETA, vec![buy(reference, 10_000, 10_000)]);
        let denied = out.reasons("denied") == ["RECON_UNRESOLVED"];
        assert_eq!(world.core.recon_blocks("BTC-USDT"), denied);
        denied
    };
    assert!(blocked(&mut world, 1));
    world.assert_blocked(&["RECON_UNRESOLVED"]);
    let balances = [("USDT".to_owned(), money("1000")), ("BTC".to_owned(), money("5"))];
    let (balances, asked_at) = (balances.into(), Some(before));
    world.read(AccountSnapshot { asked_at, balances, ..AccountSnapshot::default() });
    assert!(blocked(&mut world, 2));
    world.account(&[], WHOLE);
    assert!(!blocked(&mut world, 3));
}

/// F7: fills in any number of parts, and one after the cancel: all are booked, once, and what only
/// the reading told is on record as a finding.
#[test]
fn f7_partial_fills_and_late_ones_are_booked_and_missed_ones_are_named() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.fill(id, "e1", 4_000, 10_000);
    let missed = report(id, trade("e2", 3_000, 10_000), world.now.wall);
    let out = world.account_with_fills(
        &[resting(id, 3_000)],
        vec![missed.clone()],
        &[("USDT", "993"), ("BTC", "5.07")],
    );
    assert_eq!(out.reasons("finding-opened"), ["RECON_FILL_MISSING_HERE"]);
    assert_eq!(world.core.findings().get(1).unwrap().state, FindingState::Adopted);
    // Its report comes late, and the last part after the cancel.
    assert_eq!(world.feed(Input::Report(missed)).kinds(), ["report"]);
    world.report(id, ExecType::Canceled);
    world.fill(id, "e3", 2_000, 10_000);
    assert_eq!(world.core.account().orders.get(id).unwrap().cum_qty.units(), 9_000);
    world.account(&[], &[("USDT", "991"), ("BTC", "5.09")]);
    assert_eq!(world.core.view().differences, Some(vec![]));
    assert!(!world.core.is_killed());
    check_again(&world);
}

/// D8: a reduction goes as far as both sides agree that there is something, and no further.
#[test]
fn d8_what_both_sides_hold_can_be_reduced_and_nothing_where_the_signs_differ() {
    for (venue, reducible) in
        [(10_000, 10_000), (6_000, 6_000), (20_000, 10_000), (0, 0), (-6_000, 0)]
    {
        let mut world = World::started();
        world.link_up();
        let mut approval = world.draft("s-1", Phase::Paper);
        approval.instruments[0].kind = InstrumentKind::Linear;
        assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
        world.ready();
        let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
        world.fill(id, "e1", 10_000, 10_000);
        // A venue that says nothing about positions proves none.
        assert_eq!(world.core.reducible("BTC-USDT").units(), 0);
        let positions = Some([("BTC-USDT".to_owned(), Position(venue))].into());
        let balances = [("USDT", "1000"), ("BTC", "5")];
        let balances = balances.map(|(currency, amount)| (currency.to_owned(), money(amount)));
        let rest = AccountSnapshot::default();
        let reading = AccountSnapshot { positions, balances: balances.into(), ..rest };
        for _ in 0..2 {
            world.read(reading.clone());
        }
        assert_eq!(world.core.reducible("BTC-USDT").units(), reducible, "{venue}");
        assert_eq!(world.core.recon_blocks("BTC-USDT"), venue != 10_000);
        // Signs that differ are beyond what a reduction could repair.
        assert_eq!(world.core.is_killed(), venue < 0);
    }
}

/// A position in an instrument that the house does not know, or on credit, is somebody's trading on
/// the account.
#[test]
fn a_position_that_is_not_the_house_s_blocks_the_whole_account() {
    for name in ["ETH-PERP", "margin XBTUSDT buy"] {
        let mut world = World::open(Phase::Paper);
        let positions = Some([(name.to_owned(), Position(1))].into());
        let balances = [("USDT".to_owned(), money("1000")), ("BTC".to_owned(), money("5"))].into();
        let reading = AccountSnapshot { positions, balances, ..AccountSnapshot::default() };
        for _ in 0..2 {
            world.read(reading.clone());
        }
        let expect = format!("RECON_POSITION_SIZE {name}: house 0 units, venue 1 units");
        assert_eq!(world.core.view().differences, Some(vec![expect]));
        assert!(world.core.recon_blocks("BTC-USDT"));
    }
}

/// D8 for spot: the balance is the position.
#[test]
fn d8_spot_can_be_reduced_by_what_is_there() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.account(&[], &[("USDT", "990"), ("BTC", "5.1")]);
    assert_eq!(world.core.reducible("BTC-USDT").units(), 10_000);
    for _ in 0..2 {
        world.account(&[], &[("USDT", "990"), ("BTC", "0.04")]);
    }
    assert_eq!(world.core.reducible("BTC-USDT").units(), 4_000);
    assert_eq!(world.core.reducible("ETH-USDT").units(), 0);
}

fn later(now: Now, ns: i64) -> Now {
    Now { wall: now.wall.plus_ns(ns), boot: now.boot.plus_ns(ns) }
}

fn with_entries(usdt: &str, at: Now, entries: &[(&str, LedgerKind, &str)]) -> AccountSnapshot {
    let entries = entries.iter().map(|(id, kind, amount)| entry(id, *kind, amount, at.wall));
    AccountSnapshot {
        asked_at: Some(Now { wall: at.wall.plus_ns(1), boot: at.boot }),
        balances: [("USDT".to_owned(), money(usdt)), ("BTC".to_owned(), money("5"))].into(),
        ledger: entries.collect(),
        ledger_since: Some(at.wall),
        ..AccountSnapshot::default()
    }
}

/// D10: anybody can send dust to the account. The venue's ledger proves it: it blocks nothing, it
/// is no profit, and it hides no loss.
#[test]
fn d10_a_deposit_that_the_ledger_proves_is_no_difference_and_no_profit() {
    let mut world = World::open(Phase::Paper);
    let at = world.now;
    for _ in 0..2 {
        let deposit = [("d1", LedgerKind::Deposit, "0.000001")];
        world.read(with_entries("1000.000001", at, &deposit));
    }
    assert_eq!(world.core.view().differences, Some(vec![]));
    assert!(!world.core.recon_blocks("BTC-USDT"));
    assert_eq!(world.core.findings().iter().count(), 0);
    assert_eq!(world.core.view().carry.len(), 0);
    // Funding is profit or loss, and told apart from trading.
    world.pass(SECOND_NS);
    let at = world.now;
    let out = world.read(with_entries("999.500001", at, &[("f1", LedgerKind::Funding, "-0.5")]));
    assert_eq!(out.reasons("ledger-booked"), ["funding"]);
    assert_eq!(world.core.view().carry["USDT"], "-0.5");
    assert_eq!(world.core.view().positions.len(), 0);
    // Without its entry the same deposit is a difference of the whole account.
    for _ in 0..2 {
        world.read(with_entries("1000.500001", world.now, &[]));
    }
    let differences = world.core.view().differences.unwrap();
    assert_eq!(differences, ["RECON_BALANCE_AMOUNT USDT: house 999.500001, venue 1000.500001"]);
    check_again(&world);
}

/// The same entry with another amount cannot be true: the house stops.
#[test]
fn d10_an_entry_told_twice_with_another_amount_is_a_fault() {
    let mut world = World::open(Phase::Paper);
    let at = world.now;
    world.read(with_entries("1010", at, &[("d1", LedgerKind::Deposit, "10")]));
    let out = world.read(with_entries("1020", at, &[("d1", LedgerKind::Deposit, "20")]));
    assert_eq!(out.reasons("faulted"), ["FAULT_CONFLICTING_LEDGER_ENTRY"]);
    assert_eq!(out.reasons("killed"), ["FAULT_CONFLICTING_LEDGER_ENTRY"]);
    assert_eq!(world.balance("USDT"), money("1010"));
    let most = AccountSnapshot {
        ledger: vec![portcullis_domain::LedgerEntry {
            amount: Money(i128::MAX),
            ..entry("d2", LedgerKind::Deposit, "0", at.wall)
        }],
        ..with_entries("1010", at, &[])
    };
    let out = world.read(most);
    assert_eq!(out.reasons("faulted"), ["FAULT_LEDGER_OVERFLOW"]);
    assert_eq!(world.balance("USDT"), money("1010"));
    check_again(&world);
}

/// A3: a reading that was asked for before the last deadline proves the end of no order, however
/// late it arrives, and neither does one that does not say when.
#[test]
fn a3_a_reading_buries_only_what_was_due_when_it_was_asked_for() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.feed(Input::Lost { cl_ord_id: id });
    let early = later(world.now, 5 * SECOND_NS);
    let balances = [("USDT".to_owned(), money("1000")), ("BTC".to_owned(), money("5"))];
    let unstated = AccountSnapshot { balances: balances.into(), ..AccountSnapshot::default() };
    world.pass(60 * SECOND_NS);
    world.read(unstated.clone());
    world.read(AccountSnapshot { asked_at: Some(early), ..unstated.clone() });
    assert_eq!(world.status(id), "unknown");
    world.read(AccountSnapshot { asked_at: Some(later(early, 2 * SECOND_NS)), ..unstated });
    assert_eq!(world.status(id), "expired");
}

/// A3: each order has a deadline of its own: one that is lost is not kept alive by those after it.
#[test]
fn a3_an_order_is_buried_after_its_own_deadline_while_others_follow() {
    let mut world = World::open(Phase::Paper);
    let old = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.pass(4 * SECOND_NS);
    world.quote(9_990, 10_010);
    let young = world.reply(BETA, vec![crate::world::sell(1, 10_000, 10_020)]).submits()[0];
    for id in [old, young] {
        world.feed(Input::Lost { cl_ord_id: id });
    }
    world.pass(3 * SECOND_NS);
    world.account(&[], WHOLE);
    assert_eq!((world.status(old), world.status(young)), ("expired", "unknown"));
}

/// A10: a fill under an id that this journal never gave is somebody else's trading in our name.
#[test]
fn a10_a_fill_under_an_id_that_we_never_gave_is_a_hard_stop() {
    let mut world = World::open(Phase::Paper);
    let id = portcullis_domain::ClOrdId { epoch: 7, sequence: 1 };
    let fill = report(id, trade("e1", 10_000, 10_000), world.now.wall);
    let out = world.account_with_fills(&[], vec![fill], WHOLE);
    assert_eq!(out.reasons("finding-opened"), ["RECON_ORDER_NEVER_ISSUED"]);
    assert_eq!(out.reasons("faulted"), ["FAULT_UNKNOWN_ORDER"]);
    assert!(world.core.is_killed());
    // Told again, it is the same finding and no second fault.
    let fill = report(id, trade("e1", 10_000, 10_000), world.now.wall);
    let out = world.account_with_fills(&[], vec![fill], WHOLE);
    assert_eq!((out.reasons("faulted"), world.core.findings().iter().count()), (vec![], 1));
    check_again(&world);
}

/// A reading cannot have been asked for after it arrived: a clock that runs ahead buries nothing.
#[test]
fn a15_a_reading_from_the_future_buries_nothing() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.feed(Input::Lost { cl_ord_id: id });
    let asked_at = Some(later(world.now, 3_600 * SECOND_NS));
    world.read(AccountSnapshot { asked_at, ..AccountSnapshot::default() });
    assert_eq!(world.status(id), "unknown");
}

/// A15: readings are aged by the boot clock. A wall that was set back an hour neither makes them
/// worthless nor lets an order be buried too soon.
#[test]
fn a15_a_wall_that_is_set_back_changes_nothing_for_readings() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.now.wall = world.now.wall.plus_ns(-3_600 * SECOND_NS);
    world.feed(Input::VenueLink { up: false, cause: String::new() });
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    world.account(&[], WHOLE);
    assert_eq!((world.status(id), world.core.account_agrees()), ("unknown", true));
    world.pass(7 * SECOND_NS);
    world.account(&[], WHOLE);
    assert_eq!(world.status(id), "expired");
    check_again(&world);
}

/// D16, A10: what must not be there stops the house already at the first reading of a run.
#[test]
fn d16_a_foreign_order_is_a_hard_stop_at_the_first_reading() {
    let mut world = World::started();
    world.feed(Input::VenueLink { up: true, cause: String::new() });
    let out = world.account(&[foreign("V-other")], WHOLE);
    assert_eq!(out.reasons("killed"), [K::OrderForeign.code()]);
    let approval = world.draft("s-1", Phase::Paper);
    assert_eq!(world.open_with(&approval).answers(), ["KILL_ACTIVE"]);
    for _ in 0..2 {
        world.pass(7 * SECOND_NS);
        world.account(&[foreign("V-other")], WHOLE);
    }
    assert_eq!(world.unkill().1.answers(), ["DONE"]);
    let approval = world.draft("s-2", Phase::Paper);
    assert_eq!(world.open_with(&approval).answers(), ["RECON_UNRESOLVED"]);
}

/// No false alarm over long sessions of a venue that tells the truth, twice and over a bad line:
/// nothing ever stands, and all that was found are fills that a reading told before their report.
#[test]
fn f8_a_long_clean_session_raises_no_alarm() {
    for seed in [0x5eed_0011, 0x5eed_0012, 0x5eed_0013] {
        let mut play = Play::new(seed, Phase::Paper);
        for _ in 0..1_500 {
            play.turn();
            play.catch_up();
            assert_eq!(play.world.core.standing_differences(), []);
        }
        play.finish();
        let core = &play.world.core;
        for finding in core.findings().iter() {
            assert_eq!(finding.difference.kind, K::FillMissingHere, "{finding:?}");
            assert_eq!(finding.state, FindingState::Adopted);
        }
        assert_eq!(core.view().differences, Some(vec![]));
        check_fold(&play.world);
    }
}
