//! Blocked by default: before the start, between sessions, after an end that was not in order.

use portcullis_core::Input;
use portcullis_domain::{ExecType, Name, Phase};

use crate::world::{ALPHA, World, buy, folded};

#[test]
fn before_its_start_a_core_does_nothing() {
    let mut world = World::new();
    world.assert_blocked(&["APPROVAL_MISSING", "RECON_UNRESOLVED", "RECON_UNRESOLVED"]);
    let shut = |out: crate::world::Out| {
        assert_eq!(out.submits(), []);
        assert_eq!(out.answers(), ["NOT_STARTED"]);
    };
    let signed = world.genesis.clone();
    shut(world.statement(&signed));
    shut(world.open_signed(signed, &["alpha"]));
    let intents = vec![buy(1, 10_000, 10_000)];
    let (batch, fuel, log) = (1, 1, String::new());
    let out = world.feed(Input::PluginReply { plugin: ALPHA, batch, fuel, intents, log });
    assert_eq!((out.kinds(), out.effects.len()), (vec!["plugin-reply"], 0));
}

/// F14: a genesis that is not the pinned one ends the run.
#[test]
fn f14_another_genesis_halts() {
    let mut world = World::new();
    world.start(true, false);
    let mut again = world.past[0].0.input.clone();
    let Input::Started(start) = &mut again else { panic!("{again:?}") };
    start.pinned = portcullis_statement::Digest::of(b"another");
    let out = world.feed(again);
    assert!(out.has(|effect| matches!(effect, portcullis_core::Effect::Halt)), "{out:?}");
    assert_eq!(out.reasons("refused"), ["GENESIS_MISMATCH"]);
}

#[test]
fn after_the_start_and_after_a_close_nothing_may_trade() {
    let mut world = World::started();
    world.assert_blocked(&["APPROVAL_MISSING", "RECON_UNRESOLVED", "RECON_UNRESOLVED"]);
    world.open_session("s-1", Phase::Shadow);
    world.assert_blocked(&[]);
    let out = world.close();
    assert_eq!(out.answers(), ["DONE"]);
    world.assert_blocked(&["APPROVAL_MISSING", "RECON_UNRESOLVED", "RECON_UNRESOLVED"]);
    assert_eq!(world.core.view().sessions["s-1"], "closed");
}

/// F1, F3, D1: a run that did not end in order may have lost a kill, so it counts as one.
#[test]
fn f3_a_start_without_a_clean_mark_is_killed() {
    let mut world = World::open(Phase::Shadow);
    let stale = world.draft("s-2", Phase::Shadow);
    let out = world.restart(false);
    assert_eq!(out.reasons("killed"), ["NO_CLEAN_STOP_MARK"]);
    assert_eq!((world.core.is_killed(), world.core.kill_seq()), (true, 1));
    assert_eq!(world.core.view().sessions["s-1"], "crashed");
    // The approval was signed when there had been no kill; neither now nor after an unkill.
    assert_eq!(world.open_with(&stale).answers(), ["KILL_ACTIVE"]);
    assert_eq!(world.unkill().1.answers(), ["DONE"]);
    assert_eq!(world.open_with(&stale).answers(), ["KILL_SEQ_CHANGED"]);
    let mut fresh = stale;
    fresh.kill_seq = 1;
    assert_eq!(world.open_with(&fresh).answers(), ["DONE"]);
}

#[test]
fn a_clean_stop_is_one_without_an_open_session() {
    let mut world = World::open(Phase::Shadow);
    let who = Name::new("olga").unwrap();
    assert_eq!(world.feed(Input::Stop { who: who.clone() }).kinds(), ["stop"]);
    world.close();
    assert_eq!(world.feed(Input::Stop { who }).kinds(), ["stop", "clean-stop"]);
    let out = world.restart(true);
    assert_eq!((out.kinds(), world.core.is_killed()), (vec!["started"], false));
}

/// F3: a start that calls a journal with entries new contradicts itself.
#[test]
fn f3_a_first_start_in_an_old_journal_is_killed() {
    let mut world = World::open(Phase::Shadow);
    world.core = folded(&world.journal());
    assert_eq!(world.start(true, true).reasons("killed"), ["NO_CLEAN_STOP_MARK"]);
}

/// A15: the wall clock set back revives nothing; the boot clock ends the window all the same.
#[test]
fn a15_a_clock_set_back_never_revives_or_lengthens_a_window() {
    for phase in [Phase::Shadow, Phase::Paper] {
        let mut world = World::open(phase);
        let hour = crate::people::HOUR_NS;
        // Half the window is over, then the wall goes back by half an hour.
        world.pass(hour / 2);
        world.feed(Input::Tick);
        world.now.wall = world.now.wall.plus_ns(-hour / 2);
        world.quote(9_990, 10_010);
        assert_eq!(world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits().len(), 1);
        let before = world.core.next_deadline();
        // By the boot clock the hour is over.
        world.pass(hour / 2);
        world.quote(9_990, 10_010);
        assert!(before.is_some());
        assert_ne!(world.core.view().sessions["s-1"], "open", "{phase:?}");
        // And a step back after the end revives nothing.
        world.now.wall = world.now.wall.plus_ns(-hour);
        let out = world.feed(Input::Tick);
        assert_ne!(world.core.view().sessions["s-1"], "open");
        assert_eq!(out.submits(), []);
    }
}

/// A15: a deadline is a moment of the core's clock, not of the wall: a step back starves nothing
/// and a step forward makes no tick due again and again.
#[test]
fn a15_a_step_of_the_wall_neither_starves_a_deadline_nor_ticks_for_ever() {
    let second = 1_000_000_000;
    for step in [-crate::people::HOUR_NS, 0, 600 * second] {
        let mut world = World::open(Phase::Paper);
        world.now.wall = world.now.wall.plus_ns(step);
        let mut reads = 0;
        for _ in 0..400 {
            world.pass(second / 10);
            if world.core.is_due(world.now) {
                reads += usize::from(world.feed(Input::Tick).reads());
                assert!(!world.core.is_due(world.now), "{step}");
            }
        }
        // The account is read every ten seconds.
        assert!((3..=5).contains(&reads), "{step}: {reads}");
    }
}

/// A15: an approval that has expired stays so, whatever the wall clock says later.
#[test]
fn a15_an_expired_approval_stays_expired_after_a_restart() {
    let mut world = World::started();
    let approval = world.draft("s-1", Phase::Shadow);
    world.pass(crate::people::HOUR_NS * 2);
    assert_eq!(world.open_with(&approval).answers(), ["OUTSIDE_SESSION_WINDOW"]);
    world.now.wall = world.now.wall.plus_ns(-crate::people::HOUR_NS * 2);
    assert_eq!(world.open_with(&approval).answers(), ["OUTSIDE_SESSION_WINDOW"]);
    // A host that was booted anew: its boot clock begins at zero and its wall is wrong.
    world.now.boot.0 = 0;
    world.restart(true);
    assert_eq!(world.open_with(&approval).answers(), ["OUTSIDE_SESSION_WINDOW"]);
}

/// The window's end is a deadline of the core's own: a tick at it closes the session.
#[test]
fn the_end_of_the_window_closes_the_session_and_cancels() {
    let mut world = World::open(Phase::Paper);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.report(id, ExecType::New);
    world.pass(crate::people::HOUR_NS);
    let out = world.feed(Input::Tick);
    assert_eq!(out.reasons("session-closing"), ["WINDOW_OVER"]);
    assert_eq!(out.cancels(), [id]);
    let out = world.report(id, ExecType::Canceled);
    assert!(out.kinds().contains(&"session-closed"), "{:?}", out.kinds());
}
