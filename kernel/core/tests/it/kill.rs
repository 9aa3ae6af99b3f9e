//! The kill latch: how it falls, what it takes back, when all is clear, and who lifts it.

use portcullis_core::{Effect, EpochCause, Input};
use portcullis_domain::{ExecType, Phase, Role};
use portcullis_statement::{Digest, EndpointKind, Kind, Target, Unkill};

use crate::people;
use crate::replay::check_replay;
use crate::world::{ALPHA, SECOND_NS, World, buy, resting, sell};

const WHOLE: &[(&str, &str)] = &[("USDT", "1000"), ("BTC", "5")];

/// F6: what rests is taken back, one by one and by cancel-all, before anything is said to be clear.
#[test]
fn f6_a_kill_takes_every_order_back_and_stops_the_session() {
    let mut world = World::open(Phase::Paper);
    let ids = world.reply(ALPHA, vec![buy(1, 10_000, 10_000), sell(2, 10_000, 10_010)]).submits();
    world.report(ids[0], ExecType::New);
    let out = world.kill();
    assert_eq!((out.answers(), out.cancels()), (vec!["LATCHED"], ids));
    assert!(out.has(|effect| matches!(effect, Effect::CancelAll)) && out.reads());
    assert_eq!(out.reasons("session-closing"), ["KILL_ACTIVE"]);
    world.assert_blocked(&["KILL_ACTIVE", "OUTSIDE_SESSION_WINDOW"]);
    let out = world.reply(ALPHA, vec![buy(3, 10_000, 10_000)]);
    assert_eq!((out.submits(), out.reasons("denied")), (vec![], vec!["KILL_ACTIVE"]));
}

/// X7: in every phase that has a session the kill latches at once, ends the session, lets nothing
/// pass afterwards, and is on record as what an incident is made of.
#[test]
fn x7_a_kill_works_in_every_phase() {
    for phase in Phase::ALL.into_iter().filter(|phase| *phase != Phase::Foundation) {
        let mut world = World::open(phase);
        let out = world.kill();
        assert_eq!(out.answers()[0], "LATCHED", "{phase:?}");
        assert_eq!((out.reasons("killed"), world.core.kill_seq()), (vec!["DRILL"], 1), "{phase:?}");
        assert_eq!(out.reasons("session-closing"), ["KILL_ACTIVE"], "{phase:?}");
        let wishes = vec![buy(3, 10_000, 10_000), sell(4, 10_000, 10_000)];
        assert_eq!(world.reply(ALPHA, wishes).submits(), [], "{phase:?}");
        assert!(world.core.view().blocked[0].starts_with("KILL_ACTIVE"), "{phase:?}");
        let again = world.draft("s-2", phase);
        assert_eq!(world.open_with(&again).answers(), ["KILL_ACTIVE"], "{phase:?}");
    }
}

#[test]
fn a_second_pull_is_answered_with_the_first_number() {
    let mut world = World::open(Phase::Paper);
    world.kill();
    let out = world.kill();
    assert_eq!((out.kinds(), out.answers()), (vec!["epoch-raised"], vec!["LATCHED"]));
    assert_eq!(world.core.kill_seq(), 1);
}

/// A3: all is clear after two empty reads a second apart, and after the last deadline.
#[test]
fn a3_orders_are_clear_after_two_empty_reads_and_the_last_deadline() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.kill();
    world.report(id, ExecType::Canceled);
    // Empty, but the order's twin on the wire could still arrive.
    for _ in 0..4 {
        world.pass(SECOND_NS);
        assert_eq!(world.account(&[], WHOLE).answers(), Vec::<&str>::new());
    }
    world.pass(2 * SECOND_NS);
    // It did arrive: taken back again, and the count begins anew.
    let out = world.account(&[resting(id, 10_000)], WHOLE);
    assert!(out.has(|effect| matches!(effect, Effect::CancelAll)));
    assert_eq!(world.account(&[], WHOLE).answers(), Vec::<&str>::new());
    // A second read at the same moment is no second look.
    assert_eq!(world.account(&[], WHOLE).answers(), Vec::<&str>::new());
    world.pass(SECOND_NS);
    assert!(world.feed(Input::Tick).reads());
    let out = world.account(&[], WHOLE);
    assert_eq!(
        (out.answers(), out.reasons("orders-clear")),
        (vec!["CLEAR"], vec!["CONFIRMED_TWICE"])
    );
    // Whoever asks now is told both at once.
    assert_eq!(world.kill().answers(), ["LATCHED", "CLEAR"]);
}

#[test]
fn orders_are_not_clear_while_one_is_unknown() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.kill();
    world.feed(Input::Lost { cl_ord_id: id });
    world.pass(SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).answers(), Vec::<&str>::new());
    assert_eq!(world.status(id), "unknown");
    world.pass(6 * SECOND_NS);
    // The first read buries it and is the first empty one.
    assert_eq!(world.account(&[], WHOLE).reasons("order-dead"), ["NOT_AT_VENUE"]);
    world.pass(SECOND_NS);
    assert_eq!(world.account(&[], WHOLE).answers(), ["CLEAR"]);
}

/// Where nothing ever left there is nobody to ask: phase 1 is clear once the model has answered.
#[test]
fn in_phase_one_all_is_clear_when_the_paper_orders_have_ended() {
    let mut world = World::open(Phase::Shadow);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    let out = world.kill();
    assert_eq!((out.answers(), out.cancels()), (vec!["LATCHED"], vec![id]));
    let out = world.report(id, ExecType::Canceled);
    assert_eq!(
        (out.answers(), out.reasons("orders-clear")),
        (vec!["CLEAR"], vec!["NOTHING_EVER_SENT"])
    );
    assert_eq!(world.core.view().sessions["s-1"], "closed");
}

/// A kill during a phase-1 session also takes back what an earlier session left at the venue.
#[test]
fn a_kill_in_phase_one_reaches_orders_that_really_rest() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.restart(true);
    world.open_session("s-2", Phase::Shadow);
    let out = world.kill();
    assert_eq!(out.cancels(), [id]);
    assert!(out.has(|effect| matches!(effect, Effect::CancelAll)));
    assert_eq!(out.reasons("orders-clear"), Vec::<&str>::new());
}

/// F2, F13, A14: two people lift one kill, the one they name, once.
#[test]
fn f2_an_unkill_names_its_kill_and_needs_two_people() {
    let mut world = World::open(Phase::Shadow);
    let two = [("olga", Role::Operator), ("rita", Role::Risk)];
    let mut body =
        Unkill { target: Target::kill(1, Digest::of(b"none")), reason: "drill over".to_owned() };
    let lift = |world: &mut World, body: &Unkill, by: &[(&'static str, Role)]| {
        let (_, out) = world.hand_in(Kind::Unkill, by, &body.to_value());
        out.answers()[0].to_owned()
    };
    assert_eq!(lift(&mut world, &body, &two), "NOT_KILLED");
    world.kill();
    assert_eq!(lift(&mut world, &body, &two), "KILL_ENTRY_MISMATCH");
    body.target.entry = world.core.kill_entry().unwrap();
    body.target.seq = 2;
    assert_eq!(lift(&mut world, &body, &two), "KILL_ENTRY_MISMATCH");
    body.target.seq = 1;
    assert_eq!(lift(&mut world, &body, &two[..1]), "SIGNER_MISSING");
    let twice = [("olga", Role::Operator), ("olga", Role::Operator)];
    assert_eq!(lift(&mut world, &body, &twice), "SIGNER_TWICE");
    assert_eq!(lift(&mut world, &body, &[("ada", Role::Author), two[0]]), "SIGNER_ROLE");
    assert!(world.core.is_killed());
    let (signed, out) = world.hand_in(Kind::Unkill, &two, &body.to_value());
    assert_eq!(out.kinds(), ["statement", "statement-accepted", "unkilled"]);
    assert!(out.has(|effect| matches!(effect, Effect::LiftKill)) && !world.core.is_killed());
    // B1: the same statement lifts no second kill, in this run or in another.
    world.kill();
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    world.restart(true);
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    assert_eq!((world.core.is_killed(), world.core.kill_seq()), (true, 2));
}

/// F2: two people cannot lift a kill before the venue has confirmed that no order is left, over a
/// restart neither; the words that were refused are good later.
#[test]
fn f2_an_unkill_before_orders_clear_is_refused() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.kill();
    let (signed, out) = world.unkill();
    assert_eq!(out.answers(), ["ORDERS_NOT_CLEAR"]);
    assert_eq!((out.kinds(), world.core.is_killed()), (vec!["statement", "refused"], true));
    world.report(id, ExecType::Canceled);
    assert_eq!(world.statement(&signed).answers(), ["ORDERS_NOT_CLEAR"]);
    world.restart(true);
    assert_eq!(world.statement(&signed).answers(), ["ORDERS_NOT_CLEAR"]);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    assert_eq!(world.clear().reasons("orders-clear"), ["CONFIRMED_TWICE"]);
    assert_eq!(world.statement(&signed).answers(), ["DONE"]);
    assert!(!world.core.is_killed());
}

/// F3: wherever a run is cut off after its beginning became durable, the next one is killed: what
/// was pulled in it cannot be lost. Only a run of which nothing is on disk leaves no trace, and so
/// nobody is let in before its first entries are durable (`order_path::first_turn`).
#[test]
fn f3_a_kill_is_not_lost_with_the_end_of_its_run() {
    let mut world = World::started();
    world.feed(Input::Stop { who: crate::people::name("olga") });
    let before = world.journal().len();
    world.restart(true);
    world.kill();
    let journal = world.journal();
    for length in before + 1..=journal.len() {
        world.core = crate::world::folded(&journal[..length]);
        let clean = portcullis_core::entry::is_clean_stop(&journal[length - 1]);
        world.start(false, clean);
        assert_eq!((world.core.is_killed(), world.core.kill_seq()), (true, 1), "{length}");
    }
}

/// F4, A14: after an unkill nothing trades until a new session is approved.
#[test]
fn a14_the_session_of_before_the_kill_does_not_come_back() {
    let mut world = World::open(Phase::Paper);
    world.kill();
    assert_eq!(world.core.open_session(), None);
    world.clear();
    assert_eq!(world.unkill().1.answers(), ["DONE"]);
    world.assert_blocked(&["APPROVAL_MISSING"]);
    world.out.clear();
    world.open_session("s-2", Phase::Paper);
    assert_eq!(world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
}

/// F1, F3: a restart after a kill stays killed, clean or not, and the number does not move.
#[test]
fn f1_a_restart_after_a_kill_stays_killed() {
    for clean in [true, false] {
        let mut world = World::open(Phase::Paper);
        let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
        world.report(id, ExecType::Canceled);
        world.kill();
        let entry = world.core.kill_entry();
        world.restart(clean);
        assert!(world.core.is_killed());
        assert_eq!((world.core.kill_seq(), world.core.kill_entry()), (1, entry));
        // Clear is not remembered as such before the venue has said so in this run.
        world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
        world.pass(7 * SECOND_NS);
        world.account(&[], WHOLE);
        world.pass(SECOND_NS);
        let out = world.account(&[], WHOLE);
        assert_eq!(out.reasons("orders-clear"), ["CONFIRMED_TWICE"]);
    }
}

/// F9: a profit never blocks. Nothing in the house looks at the size of a result without its sign.
#[test]
fn f9_a_profit_never_blocks() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(id, "e1", 10_000, 10_000);
    world.quote(49_990, 50_010);
    let profit = world.core.view().positions[0].profit.clone();
    assert_eq!(profit.as_deref(), Some("40"));
    // The collar of the window has to see the new price stand.
    world.pass(SECOND_NS);
    let out = world.reply(ALPHA, vec![buy(2, 10_000, 50_000)]);
    assert_eq!(out.submits().len(), 1, "{:?}", out.reasons("denied"));
}

/// A kill that comes from the house itself, twice in one step, is one kill.
#[test]
fn house_and_person_pull_the_same_latch() {
    let mut world = World::open(Phase::Paper);
    let (who, reason) = ("signal".to_owned(), "SIGUSR1".to_owned());
    let cause = EpochCause::Kill { who, reason, request: None };
    let out = world.feed(Input::EpochRaised { epoch: 90, cause });
    assert_eq!((out.answers(), out.reasons("killed")), (vec![], vec!["SIGUSR1"]));
    assert_eq!(world.kill().kinds(), ["epoch-raised"]);
}

/// A12: a journal without a history begins killed where real money is: two people look at the
/// account before anything is opened on it. A later start in order is no new beginning.
#[test]
fn a12_a_new_journal_outside_of_simulations_begins_killed() {
    for ladder in EndpointKind::ALL {
        let mut world = World::new();
        world.genesis = people::genesis_for(Phase::Paper, ladder);
        let out = world.start(true, false);
        let expect: &[&str] = if ladder.is_outside() { &["NEW_ORIGIN"] } else { &[] };
        assert_eq!(out.reasons("killed"), expect, "{ladder:?}");
        check_replay(&world);
        if !ladder.is_outside() {
            continue;
        }
        world.admit_all();
        world.link_up();
        world.clear();
        assert_eq!(world.unkill().1.answers(), ["DONE"]);
        assert!(world.restart(true).reasons("killed").is_empty() && !world.core.is_killed());
    }
}
