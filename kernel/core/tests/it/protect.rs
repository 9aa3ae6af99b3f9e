//! Protection stays where everything else is taken back.

use portcullis_core::{Effect, Input};
use portcullis_domain::frame::{IntentRecord, cancel_flag, intent_kind};
use portcullis_domain::{ClOrdId, ExecType, Phase, StopMode};

use crate::bracket::{check, entered, held, left, protection};
use crate::golden::check_kinds;
use crate::world::{ALPHA, World, buy, cancel, folded, resting, sell};

const WHOLE: &[(&str, &str)] = &[("USDT", "990"), ("BTC", "5.1")];

/// A session that carries 0.1 and has a protective sell of it at the venue.
fn protected() -> (World, ClOrdId) {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    let id = world.reply(ALPHA, vec![sell(2, 10_000, 10_010)]).submits()[0];
    world.report(id, ExecType::New);
    // Plugins cannot mark an order themselves yet: the journal of one that could reads like this.
    let mark = |entry: Vec<u8>| {
        let text = String::from_utf8(entry).unwrap();
        let ours = text.contains("\"kind\":\"ordered\"") && text.contains(&id.to_string());
        let marked = text.replace("\"reference\":2,", "\"reduce_only\":true,\"reference\":2,");
        if ours { marked.into_bytes() } else { text.into_bytes() }
    };
    world.core = folded(&world.journal().into_iter().map(mark).collect::<Vec<_>>());
    world.start(false, true);
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    world.account(&[resting(id, 10_000)], WHOLE);
    let mut approval = world.draft("s-2", Phase::Paper);
    approval.carried = vec![portcullis_statement::Carried {
        instrument: portcullis_domain::InstrumentId(0),
        position: portcullis_domain::Position(10_000),
        avg_px: None,
    }];
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    world.ready();
    (world, id)
}

/// D7: the end of a session takes back what is not protective, and does not wait for what is.
#[test]
fn d7_the_end_of_a_session_keeps_protection() {
    let (mut world, id) = protected();
    let other = world.reply(ALPHA, vec![buy(1, 10_000, 9_990)]).submits()[0];
    world.report(other, ExecType::New);
    let out = world.close();
    assert_eq!((out.cancels(), out.answers()), (vec![other], vec![]));
    // One by one: the venue's own cancel-all would take the protection too.
    assert!(!out.has(|effect| matches!(effect, Effect::CancelAll)));
    assert_eq!(world.report(other, ExecType::Canceled).answers(), ["DONE"]);
    assert_eq!(world.status(id), "new");
    world.assert_blocked(&["APPROVAL_MISSING"]);
    // Its fill is booked after the session, and leaves nothing naked.
    world.fill(id, "exit", 10_000, 10_010);
    world.assert_blocked(&["APPROVAL_MISSING"]);
}

/// D7: a trap and a stop below cancel-all keep it; a cancel-all says everything and means it.
#[test]
fn d7_stops_below_cancel_all_keep_protection() {
    for mode in [StopMode::BlockNew, StopMode::ReduceOnly] {
        let (mut world, id) = protected();
        assert_eq!(world.stop(mode, "all").cancels(), []);
        assert_eq!(world.status(id), "new");
        world.assert_blocked(&["STOP_ACTIVE"]);
    }
    let (mut world, id) = protected();
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    let out = world.feed(Input::PluginFailed { plugin: ALPHA, code, cause });
    assert_eq!((out.cancels(), world.status(id)), (vec![], "new"));
    world.assert_blocked(&["PLUGIN_SUSPENDED"]);
    for scope in ["all", "account", "instrument:BTC-USDT", "strategy:alpha"] {
        let (mut world, id) = protected();
        let out = world.stop(StopMode::CancelAll, scope);
        assert_eq!(out.cancels(), [id], "{scope}");
        let blocked = world.core.view().blocked;
        assert!(blocked.iter().any(|text| text.starts_with("NAKED_POSITION: BTC-USDT")));
    }
}

/// D7: what reduces and was never meant as protection leaves a position naked, and people see it.
#[test]
fn d7_a_position_without_protection_is_shown() {
    let mut world = World::open(Phase::Paper);
    world.hold(10_000);
    world.assert_blocked(&[]);
    world.stop(StopMode::BlockNew, "strategy:beta");
    world.assert_blocked(&["STOP_ACTIVE", "NAKED_POSITION"]);
    world.close();
    world.assert_blocked(&["STOP_ACTIVE", "APPROVAL_MISSING", "NAKED_POSITION"]);
}

/// A protective order is one only while it provably reduces.
#[test]
fn an_order_that_no_longer_reduces_is_no_protection() {
    let (mut world, id) = protected();
    let exit = world.reply(ALPHA, vec![sell(1, 10_000, 9_990)]);
    // The account holds more than the position, so this may be sold beside the protection.
    assert_eq!(exit.reasons("denied"), Vec::<&str>::new());
    world.fill(exit.submits()[0], "exit", 10_000, 9_990);
    assert_eq!(world.close().cancels(), [id]);
}

/// Under a cancel-all an exit is no exception: it is neither asked for nor denied, people see that
/// nothing protects, and once the stop is lifted what was crossed meanwhile leaves at once.
#[test]
fn d7_a_cancel_all_holds_the_exits_of_its_scope_back() {
    for scope in ["instrument:BTC-USDT", "strategy:alpha"] {
        let (mut world, entry, target) = held(Phase::Paper);
        assert_eq!(world.stop(StopMode::CancelAll, scope).cancels(), [target]);
        world.report(target, ExecType::Canceled);
        protection(&world, &["PROTECTION_HELD_BY_KERNEL", "PROTECTION_STOPPED"]);
        let out = world.quote(9_950, 9_970);
        assert_eq!(out.entry("stop-fired").map(|e| e.corr.clone()), Some(entry.to_string()));
        for _ in 0..3 {
            let out = world.quote(9_950, 9_970);
            assert_eq!((out.submits(), out.reasons("denied")), (vec![], vec![]));
        }
        world.clear();
        world.lift(world.target(1));
        protection(&world, &["PROTECTION_HELD_BY_KERNEL", "PROTECTION_BLIND"]);
        assert_eq!(left(&world.quote(9_950, 9_970)).1, 20_000);
        check(&world);
    }
}

/// The bytes of what is recorded about brackets; the other kinds are in `golden.rs`.
#[test]
fn entries_about_brackets_are_written_as_they_ever_were() {
    let (mut left, entry) = entered(Phase::Paper);
    // Too little for an order of its own, then enough; then the stop is crossed.
    left.fill(entry, "e1", 3_000, 10_010);
    left.fill(entry, "e2", 6_000, 10_010);
    left.quote(9_950, 9_970);
    let (mut lost, ..) = held(Phase::Paper);
    lost.restart(true);
    let (mut released, ..) = held(Phase::Paper);
    let flags = cancel_flag::EXITS;
    released.reply(ALPHA, vec![IntentRecord { flags, kind: intent_kind::CANCEL, ..cancel(1) }]);
    let journal = [left.journal(), lost.journal(), released.journal()].concat();
    let kinds = ["leg-denied", "stop-fired", "protection-lost", "protection-released"];
    check_kinds(&journal, &kinds, "brackets.jsonl");
}
