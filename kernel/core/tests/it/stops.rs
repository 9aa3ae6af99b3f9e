//! Stops: what each mode takes from each scope, how they stand, and who lifts them.

use portcullis_core::{Effect, EpochCause, Input};
use portcullis_domain::{ClOrdId, ExecType, Origin, Phase, Stop, StopMode};
use portcullis_statement::{Digest, Kind, Unkill};

use crate::safety::TWO;
use crate::world::{ALPHA, BETA, SECOND_NS, World, buy, cancel, folded, resting, sell};
use StopMode::{BlockNew, CancelAll, ReduceOnly};

/// Alpha holds 0.2 and has a buy and a reducing sell at the venue.
fn working() -> (World, Vec<ClOrdId>) {
    let mut world = World::open(Phase::Paper);
    world.hold(20_000);
    let ids = world.reply(ALPHA, vec![buy(2, 10_000, 9_990), sell(3, 10_000, 10_010)]).submits();
    for id in &ids {
        world.report(*id, ExecType::New);
    }
    (world, ids)
}

/// A9 of the controls, D1, D5: one table, mode by scope. `covered` says whether alpha is meant.
#[test]
fn each_mode_takes_its_own_from_each_scope() {
    let scopes = [
        ("all", true),
        ("venue", true),
        ("account", true),
        ("strategy:alpha", true),
        ("instrument:BTC-USDT", true),
        ("strategy:beta", false),
    ];
    for mode in StopMode::ALL {
        for (scope, covered) in scopes {
            let (mut world, ids) = working();
            let out = world.stop(mode, scope);
            let taken = match mode {
                _ if !covered => &[][..],
                BlockNew => &[],
                ReduceOnly => &ids[..1],
                CancelAll => &ids[..],
            };
            assert_eq!(out.cancels(), taken, "{mode:?} {scope}");
            assert_eq!(out.answers(), ["LATCHED"], "{mode:?} {scope}");
            let whole = mode == CancelAll && ["all", "venue", "account"].contains(&scope);
            assert_eq!(out.has(|effect| matches!(effect, Effect::CancelAll)), whole);
            // Only the kill ends the session.
            let kill = mode == CancelAll && scope == "all";
            assert_eq!(world.core.is_killed(), kill);
            let stopped = world.core.stop_for(Origin::Plugin(ALPHA), instrument());
            assert_eq!(stopped, covered.then_some(mode), "{mode:?} {scope}");
            check_new_orders(&mut world, (mode, covered), &ids);
        }
    }
}

fn instrument() -> portcullis_domain::InstrumentId {
    portcullis_domain::InstrumentId(0)
}

/// New exposure is denied, a reduction below cancel-all is not, and a cancel is always legal.
fn check_new_orders(world: &mut World, (mode, covered): (StopMode, bool), ids: &[ClOrdId]) {
    let out = world.reply(ALPHA, vec![buy(4, 10_000, 9_990), sell(5, 10_000, 10_010), cancel(3)]);
    let denied = match mode {
        _ if !covered => &[][..],
        BlockNew | ReduceOnly => &["REDUCE_ONLY"],
        CancelAll => &["KILL_ACTIVE", "KILL_ACTIVE"],
    };
    assert_eq!(out.reasons("denied"), denied, "{mode:?} {covered}");
    assert_eq!(out.cancels(), [ids[1]], "{mode:?} {covered}");
}

/// A1: what was approved before a stop carries a number that has passed, whatever its scope.
#[test]
fn a1_an_order_approved_before_a_stop_carries_an_older_epoch() {
    let mut world = World::open(Phase::Paper);
    let out = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]);
    let epoch = |out: &crate::world::Out| {
        let submit = out.effects.iter().find_map(|effect| match effect {
            Effect::Submit(submit) => Some(submit.epoch),
            _ => None,
        });
        submit.unwrap()
    };
    let before = epoch(&out);
    world.stop(BlockNew, "strategy:beta");
    world.reply(ALPHA, vec![]);
    assert!(epoch(&world.reply(ALPHA, vec![buy(2, 10_000, 10_000)])) > before);
}

/// F19: a stop that names nobody is refused, so that nobody believes that something has stopped.
#[test]
fn f19_a_stop_of_an_unknown_name_is_refused() {
    let mut world = World::open(Phase::Paper);
    for scope in ["strategy:alhpa", "instrument:BTC-USD"] {
        let out = world.stop(CancelAll, scope);
        assert_eq!(out.answers(), ["SCOPE_UNKNOWN"]);
        assert_eq!(out.reasons("refused"), ["SCOPE_UNKNOWN"]);
    }
    assert_eq!(world.core.stops().count(), 0);
}

/// The strictest of all that stand holds; the same stop twice is one; a stricter one needs nobody.
#[test]
fn stops_stand_side_by_side_and_the_strictest_holds() {
    let (mut world, ids) = working();
    world.stop(BlockNew, "all");
    assert_eq!(world.stop(BlockNew, "all").kinds(), ["epoch-raised"]);
    assert_eq!(world.core.stops().count(), 1);
    assert_eq!(world.stop(CancelAll, "strategy:alpha").cancels(), ids);
    let mode = |world: &World, plugin| world.core.stop_for(Origin::Plugin(plugin), instrument());
    assert_eq!((mode(&world, ALPHA), mode(&world, BETA)), (Some(CancelAll), Some(BlockNew)));
    assert_eq!(world.core.stop_for(Origin::Person, instrument()), Some(BlockNew));
    // A milder one on top takes nothing away from the stricter.
    world.stop(ReduceOnly, "strategy:alpha");
    assert_eq!(mode(&world, ALPHA), Some(CancelAll));
    for id in ids {
        world.report(id, ExecType::Canceled);
    }
    world.clear();
    world.lift(world.target(2));
    assert_eq!(mode(&world, ALPHA), Some(ReduceOnly));
}

/// A3: the orders of the scope are clear, and those of the others need not be.
#[test]
fn a3_orders_clear_is_about_the_scope_alone() {
    let mut world = World::open(Phase::Paper);
    let alpha = world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    let beta = world.reply(BETA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    world.report(alpha, ExecType::New);
    world.report(beta, ExecType::New);
    let whole = &[("USDT", "1000"), ("BTC", "5")];
    assert_eq!(world.stop(CancelAll, "strategy:alpha").cancels(), [alpha]);
    world.pass(7 * SECOND_NS);
    // Still listed: taken back again, and nothing is clear.
    let listed = [resting(alpha, 10_000), resting(beta, 10_000)];
    assert_eq!(world.account(&listed, whole).cancels(), [alpha]);
    world.report(alpha, ExecType::Canceled);
    // Beta trades on: its deadlines are not waited for.
    world.quote(9_990, 10_010);
    world.reply(BETA, vec![]);
    let more = world.reply(BETA, vec![buy(2, 10_000, 9_980)]).submits()[0];
    world.report(more, ExecType::New);
    let listed = [resting(beta, 10_000), resting(more, 10_000)];
    assert_eq!(world.account(&listed, whole).answers(), Vec::<&str>::new());
    world.pass(SECOND_NS);
    let out = world.account(&listed, whole);
    assert_eq!(out.answers(), ["CLEAR"]);
    assert_eq!(out.reasons("stop-clear"), ["CONFIRMED_TWICE"]);
    // Whoever asks now is told both at once.
    assert_eq!(world.stop(CancelAll, "strategy:alpha").answers(), ["LATCHED", "CLEAR"]);
}

/// In phase 1 there is nobody to ask: the scope is clear once its paper orders have ended.
#[test]
fn in_phase_one_a_scope_is_clear_when_its_paper_orders_have_ended() {
    let mut world = World::open(Phase::Shadow);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    let out = world.stop(CancelAll, "instrument:BTC-USDT");
    assert_eq!((out.answers(), out.cancels()), (vec!["LATCHED"], vec![id]));
    assert_eq!(world.report(id, ExecType::Canceled).answers(), ["CLEAR"]);
    assert!(world.core.open_session().is_some());
}

/// F1, F3: every stop survives a restart, clean or not, with its number, entry and scope.
#[test]
fn f1_a_restart_lifts_no_stop() {
    for clean in [true, false] {
        let (mut world, ids) = working();
        world.stop(BlockNew, "strategy:alpha");
        world.stop(CancelAll, "instrument:BTC-USDT");
        let stands = |world: &World| format!("{:?}", world.core.stops().collect::<Vec<_>>());
        let before = stands(&world);
        assert_eq!(format!("{:?}", folded(&world.journal()).stops().collect::<Vec<_>>()), before);
        world.restart(clean);
        assert_eq!(stands(&world), before);
        // The venue still lists the orders: they are taken back in this run too, and nothing is
        // clear before the deadline of what the last run may have sent.
        world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
        let whole = &[("USDT", "980"), ("BTC", "5.2")];
        let out = world.account(&[resting(ids[0], 10_000), resting(ids[1], 10_000)], whole);
        assert!(out.reasons("stop-clear").is_empty());
        // Numbers go on where they were.
        world.stop(ReduceOnly, "all");
        assert_eq!(world.core.stops().map(|(seq, ..)| seq).collect::<Vec<_>>(), [1, 2, 3]);
    }
}

/// F2, B1: a stop is lifted by two people who name it, once; the same words later lift nothing.
#[test]
fn b1_an_unkill_lifts_the_stop_it_names_and_no_later_one() {
    let mut world = World::open(Phase::Paper);
    world.stop(BlockNew, "all");
    let target = world.target(1);
    let mut wrong = target;
    wrong.entry = Digest::of(b"another");
    assert_eq!(world.lift(wrong).1.answers(), ["STOP_ENTRY_MISMATCH"]);
    wrong = target;
    wrong.seq = 2;
    assert_eq!(world.lift(wrong).1.answers(), ["NOT_STOPPED"]);
    let body = Unkill { target, reason: "over".to_owned() }.to_value();
    let alone = world.hand_in(Kind::Unkill, &TWO[..1], &body).1;
    assert_eq!(alone.answers(), ["SIGNER_MISSING"]);
    // It is no kill: a statement about the kill of that number lifts nothing either.
    let kill = portcullis_statement::Target::kill(1, target.entry);
    assert_eq!(world.lift(kill).1.answers(), ["NOT_KILLED"]);
    let (signed, out) = world.lift(target);
    assert_eq!(out.kinds(), ["statement", "statement-accepted", "stop-lifted"]);
    assert!(!out.has(|effect| matches!(effect, Effect::LiftKill)));
    // A -> B -> A: the same stop again, the same statement again.
    world.stop(BlockNew, "all");
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    assert_eq!(world.lift(target).1.answers(), ["NOT_STOPPED"]);
    world.restart(true);
    assert_eq!(world.statement(&signed).answers(), ["NONCE_BURNED"]);
    assert_eq!(world.core.stops().count(), 1);
}

/// F2: what took orders back is lifted only after `ORDERS_CLEAR`; a milder stop took none.
#[test]
fn f2_a_stop_is_not_lifted_before_its_orders_are_clear() {
    let (mut world, ids) = working();
    world.stop(CancelAll, "account");
    world.stop(BlockNew, "all");
    assert_eq!(world.lift(world.target(2)).1.answers(), ["DONE"]);
    assert_eq!(world.lift(world.target(1)).1.answers(), ["ORDERS_NOT_CLEAR"]);
    assert_eq!(world.core.stops().count(), 1);
    for id in ids {
        world.report(id, ExecType::Canceled);
    }
    assert_eq!(world.clear().answers(), ["CLEAR"]);
    assert_eq!(world.lift(world.target(1)).1.answers(), ["DONE"]);
}

/// D1: the kill from the same door is the kill, with its own number and its latch.
#[test]
fn d1_cancel_all_over_everything_is_the_kill() {
    assert!(matches!(
        EpochCause::stop(Stop::kill(), ("rita", "DRILL"), None),
        EpochCause::Kill { .. }
    ));
    let mut world = World::open(Phase::Paper);
    world.stop(BlockNew, "all");
    let out = world.stop(CancelAll, "all");
    assert_eq!(out.reasons("killed"), ["DRILL"]);
    assert_eq!((world.core.kill_seq(), world.core.stops().count()), (1, 1));
    // Lifting the kill leaves the milder stop standing.
    world.clear();
    world.unkill();
    assert_eq!(world.core.stops().count(), 1);
    world.assert_blocked(&["STOP_ACTIVE", "APPROVAL_MISSING"]);
}

#[test]
fn stops_replay_byte_for_byte() {
    let (mut world, ids) = working();
    world.stop(ReduceOnly, "strategy:alpha");
    world.stop(CancelAll, "account");
    world.report(ids[0], ExecType::Canceled);
    world.report(ids[1], ExecType::Canceled);
    world.pass(7 * SECOND_NS);
    world.account(&[], &[("USDT", "980"), ("BTC", "5.2")]);
    world.pass(SECOND_NS);
    world.account(&[], &[("USDT", "980"), ("BTC", "5.2")]);
    world.lift(world.target(2));
    crate::replay::check_replay(&world);
}

/// Reduce-only holds on: a fill that makes the resting exit one too many takes it back.
#[test]
fn reduce_only_takes_back_what_begins_to_increase() {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    let ids = world.reply(ALPHA, vec![sell(2, 10_000, 10_010)]).submits();
    world.report(ids[0], ExecType::New);
    assert_eq!(world.stop(ReduceOnly, "all").cancels(), []);
    world.reply(BETA, vec![]);
    world.reply(ALPHA, vec![]);
    // The exit is halved by its own fill, and still only reduces.
    assert_eq!(world.fill(ids[0], "e1", 4_000, 10_010).cancels(), []);
    // Beyond what is held it would open a short position.
    let mut world = World::open(Phase::Paper);
    let alpha = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.fill(alpha, "held", 10_000, 10_000);
    let one = world.reply(BETA, vec![sell(1, 10_000, 10_010)]).submits()[0];
    world.report(one, ExecType::New);
    assert_eq!(world.stop(ReduceOnly, "strategy:beta").cancels(), []);
    world.reply(ALPHA, vec![]);
    let exit = world.reply(ALPHA, vec![sell(3, 10_000, 10_000)]).submits()[0];
    assert_eq!(world.fill(exit, "exit", 10_000, 10_000).cancels(), [one]);
}

/// A9, D2: a kill and its cancels need nothing that could be full, away or silent: no room for
/// orders, no link, a plugin that does not answer, and a market that never ends.
#[test]
fn a9_a_stop_waits_for_nobody() {
    for scope in ["all", "account", "strategy:alpha"] {
        let (mut world, ids) = working();
        let full = world.reply(ALPHA, vec![buy(4, 10_000, 9_990)]).submits()[0];
        let code = portcullis_gate::DenyCode::EvidenceUnwritable;
        world.feed(Input::NotSent { cl_ord_id: full, code });
        world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
        for _ in 0..200 {
            world.quote(9_990, 10_010);
        }
        assert!(world.out.contains_key(&ALPHA), "a batch is out and unanswered");
        let out = world.stop(CancelAll, scope);
        assert_eq!(out.answers(), ["LATCHED"]);
        assert_eq!(out.cancels(), ids, "{scope}");
    }
}
