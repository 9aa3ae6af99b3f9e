//! Guards that must be alive, and the way back after a kill.

use portcullis_core::Input;
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{Phase, WallNs};
use portcullis_gate::GuardState;

use crate::safety::{policy, wide};
use crate::witness;
use crate::world::{ALPHA, Out, SECOND_NS, World, buy, cancel, folded, sell};

fn beat(world: &mut World, guard: Guard, seconds: i64) -> Out {
    let valid_until = world.now.wall.plus_ns(seconds * SECOND_NS);
    world.feed(Input::Beat { guard, valid_until })
}

fn denied(world: &mut World, reference: u64) -> Vec<String> {
    world.reply(ALPHA, vec![]);
    let out = world.reply(ALPHA, vec![buy(reference, 10_000, 9_990)]);
    out.reasons("denied").into_iter().map(str::to_owned).collect()
}

/// What is not required says so, in every phase of a rehearsal below pre-live.
#[test]
fn what_is_not_required_says_so() {
    for phase in [Phase::Shadow, Phase::Paper, Phase::BoundedAuto] {
        let world = World::open(phase);
        let guards = world.core.view().guards;
        assert_eq!(guards.len(), 5);
        assert!(guards.values().all(|state| *state == "not required"), "{guards:?}");
        assert_eq!(world.core.view().size_percent, 100);
    }
    let world = World::open(Phase::PreLive);
    assert_eq!(world.core.guard_state(Guard::Guardian), GuardState::Missing);
    assert_eq!(world.core.guard_state(Guard::DeadMan), GuardState::Missing);
    assert_eq!(world.core.guard_state(Guard::Witness), GuardState::NotRequired);
    world.assert_blocked(&["LIVE_LOCKED", "GUARDIAN_DOWN", "DEADMAN_STALE"]);
}

/// F5, F12: a watchdog that never barked is not healthy, and one that fell silent is not either.
#[test]
fn f5_a_guard_that_was_never_heard_of_is_missing() {
    let mut world = World::open_under(policy(&[Guard::Guardian], wide()));
    assert_eq!(world.core.guard_state(Guard::Guardian), GuardState::Missing);
    world.assert_blocked(&["GUARDIAN_DOWN"]);
    assert_eq!(denied(&mut world, 1), ["GUARDIAN_DOWN"]);
    assert_eq!(beat(&mut world, Guard::Guardian, 5).kinds(), ["beat"]);
    assert_eq!(denied(&mut world, 2), Vec::<String>::new());
    world.pass(5 * SECOND_NS);
    assert_eq!(denied(&mut world, 3), ["GUARDIAN_DOWN"]);
    assert_eq!(world.core.guard_state(Guard::Guardian), GuardState::Missing);
    // A beat of another guard is none of this one.
    beat(&mut world, Guard::Witness, 60);
    assert_eq!(world.core.guard_state(Guard::Guardian), GuardState::Missing);
}

/// D11: a witness that is behind blocks what increases, never what reduces, cancels or kills.
#[test]
fn d11_a_missing_guard_blocks_neither_exits_nor_the_kill() {
    let mut world = World::open_witnessed();
    witness::cosigned_for(&mut world, 3);
    world.hold(10_000);
    let id = world.reply(ALPHA, vec![buy(2, 10_000, 9_990)]).submits()[0];
    world.pass(10 * SECOND_NS);
    world.quote(9_990, 10_010);
    world.reply(ALPHA, vec![]);
    let out = world.reply(ALPHA, vec![buy(3, 10_000, 9_990), sell(4, 10_000, 10_010), cancel(2)]);
    assert_eq!((out.reasons("denied"), out.submits().len()), (vec!["WITNESS_BEHIND"], 1));
    assert_eq!(out.cancels(), [id]);
    assert_eq!(world.kill().answers(), ["LATCHED"]);
}

/// P5-K3: where a phase bounds what may lie on one disk alone, a claim that is missing, too large
/// or old denies what increases and nothing else, and the claim is an entry.
#[test]
fn p5_k3_uncopied_evidence_holds_back_what_increases_and_nothing_else() {
    let mut safety = policy(&[], wide());
    safety.guards.unreplicated_bytes_max = [(Phase::Paper, 4_096)].into();
    let mut world = World::open_under(safety);
    let claim = |world: &mut World, unreplicated_bytes: u64| {
        let out = world.feed(Input::Copied { request: 7, unreplicated_bytes });
        assert_eq!(out.kinds(), ["copied"]);
    };
    world.assert_blocked(&["REPLICATION_BEHIND"]);
    assert_eq!(denied(&mut world, 1), ["REPLICATION_BEHIND"]);
    // A beat is no claim.
    beat(&mut world, Guard::Scribe, 60);
    assert_eq!(denied(&mut world, 2), ["REPLICATION_BEHIND"]);
    claim(&mut world, 4_096);
    assert_eq!(denied(&mut world, 3), Vec::<String>::new());
    claim(&mut world, 4_097);
    assert_eq!(denied(&mut world, 4), ["REPLICATION_BEHIND"]);
    let line = world.core.view().copies.unwrap();
    assert!(line.starts_with("4097 bytes") && line.ends_with("(the scribe's claim)"), "{line}");
    claim(&mut world, 0);
    assert_eq!(denied(&mut world, 5), Vec::<String>::new());
    world.pass(60 * SECOND_NS);
    assert_eq!(denied(&mut world, 6), ["REPLICATION_BEHIND"]);
    let out = world.reply(ALPHA, vec![cancel(5)]);
    assert_eq!((out.reasons("denied"), out.cancels().len()), (Vec::<&str>::new(), 1));
    assert_eq!(world.kill().answers(), ["LATCHED"]);
}

/// A house whose policy has no bound asks the scribe nothing, whatever it says.
#[test]
fn without_a_bound_a_claim_holds_nothing_back() {
    let mut world = World::open_under(policy(&[], wide()));
    world.feed(Input::Copied { request: 7, unreplicated_bytes: u64::from(u32::MAX) });
    assert_eq!(world.core.guard_state(Guard::Scribe), GuardState::NotRequired);
    assert_eq!(denied(&mut world, 1), Vec::<String>::new());
}

/// D13: the dead-man switch has to be fresh by one renewal, and its latest word counts, also a
/// shorter one; nothing that it says makes it alive for ever.
#[test]
fn d13_the_dead_man_switch_is_stale_one_renewal_early() {
    let mut world = World::open_under(policy(&[Guard::DeadMan], wide()));
    let state = |world: &World| world.core.guard_state(Guard::DeadMan);
    beat(&mut world, Guard::DeadMan, 60);
    assert_eq!(state(&world), GuardState::Alive);
    world.pass(39 * SECOND_NS);
    world.feed(Input::Tick);
    assert_eq!(state(&world), GuardState::Alive);
    world.pass(SECOND_NS);
    world.feed(Input::Tick);
    assert_eq!(state(&world), GuardState::Missing);
    beat(&mut world, Guard::DeadMan, 60);
    // Somebody turned it off.
    world.feed(Input::Beat { guard: Guard::DeadMan, valid_until: WallNs(0) });
    assert_eq!(state(&world), GuardState::Missing);
    world.feed(Input::Beat { guard: Guard::DeadMan, valid_until: WallNs(i64::MAX) });
    world.pass(300 * SECOND_NS);
    world.feed(Input::Tick);
    assert_eq!(state(&world), GuardState::Missing);
}

/// A beat of the last run says nothing about this one.
#[test]
fn a_restart_has_heard_of_nobody() {
    let mut world = World::open_under(policy(&[Guard::Presence], wide()));
    beat(&mut world, Guard::Presence, 900);
    world.close();
    world.restart(true);
    world.link_up();
    world.out.clear();
    world.open_session("s-2", Phase::Paper);
    assert_eq!(world.core.guard_state(Guard::Presence), GuardState::Missing);
}

/// F4: the way back is enforced: nothing in the cooldown, then by steps, through a restart.
#[test]
fn f4_size_comes_back_by_the_policy() {
    let mut world = World::open_under(policy(&[], wide()));
    let percent = |world: &World| world.core.size_percent(world.now);
    assert_eq!(percent(&world), 100);
    world.kill();
    assert_eq!(percent(&world), 0);
    world.clear();
    world.unkill();
    world.assert_blocked(&["APPROVAL_MISSING", "COOLDOWN"]);
    let lifted = world.now;
    world.out.clear();
    world.open_session("s-2", Phase::Paper);
    assert_eq!(denied(&mut world, 1), ["REDUCE_ONLY"]);
    world.pass(300 * SECOND_NS);
    assert_eq!(percent(&world), 50);
    world.quote(9_990, 10_010);
    assert_eq!(denied(&mut world, 2), Vec::<String>::new());
    let at = |seconds: i64| portcullis_domain::Now {
        wall: lifted.wall.plus_ns(seconds * SECOND_NS),
        boot: lifted.boot,
    };
    let steps = |world: &World| {
        [0, 299, 300, 3_899, 3_900, 7_499, 7_500].map(|s| world.core.size_percent(at(s)))
    };
    assert_eq!(steps(&world), [0, 0, 50, 50, 75, 75, 100]);
    // Folded, it stands where it stood; the next start states the policy.
    world.core = folded(&world.journal());
    assert_eq!(steps(&world), [0, 0, 50, 50, 75, 75, 100]);
    world.start(false, true);
    assert_eq!(steps(&world), [0, 0, 50, 50, 75, 75, 100]);
}
