//! Witnesses: whose word counts, for how long, and that what was burned opens nothing twice.

use portcullis_core::entry::{Class, Entry, decode};
use portcullis_core::{Core, EpochName, Input, Standing};
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{Phase, WallNs};
use portcullis_gate::GuardState;
use portcullis_statement::note::{Burn, Checkpoint, Note};
use portcullis_statement::{Digest, SignedStatement};

use crate::burned::{burn_of, burns, journal, seconds};
use crate::golden::check_kinds;
use crate::people::{self, ORIGIN, cosigner, name};
use crate::replay::check_replay;
use crate::safety::{policy, wide};
use crate::world::{Out, PLUGINS, SECOND_NS, World, folded};

/// What is done to a burn before it is signed.
type Change<'a> = &'a dyn Fn(&mut Burn);

/// How long one signature counts.
const LAPSE_S: i64 = 3_600;

/// A checkpoint of this house, cosigned at `at` by these witnesses.
fn note(checkpoint: &Checkpoint, by: &[&str], at: WallNs) -> String {
    let mut lines = by.iter().map(|witness| cosigner(witness).cosign(checkpoint, seconds(at)));
    let first = lines.next().unwrap().unwrap();
    let text = format!("{}\n{first}\n", checkpoint.text());
    let mut note = Note::parse(text.as_bytes()).unwrap();
    lines.for_each(|line| note.add(line.unwrap()).unwrap());
    note.to_string()
}

fn bring(world: &mut World, note: String, standing: Standing) -> Out {
    let request = world.next_request();
    world.feed(Input::Cosigned { request, note, standing })
}

/// All witnesses have cosigned the journal as it stands.
pub(crate) fn cosigned(world: &mut World) -> Out {
    cosigned_for(world, LAPSE_S)
}

/// They did so as long ago as leaves `seconds` of it.
pub(crate) fn cosigned_for(world: &mut World, seconds: i64) -> Out {
    let at = world.now.wall.plus_ns((seconds - LAPSE_S) * SECOND_NS);
    let checkpoint = journal(u64::try_from(world.past.len()).unwrap());
    let note = note(&checkpoint, &world.witnesses, at);
    bring(world, note, Standing::Ours(at))
}

impl World {
    /// With both witnesses in the roster, before the start.
    fn witnessed(mut self) -> Self {
        self.genesis =
            people::genesis_for(Phase::ManualLive, portcullis_statement::EndpointKind::Simulated);
        self.witnesses = vec!["near", "far"];
        self
    }

    /// An open session of phase 2 that asks for the witnesses.
    pub(crate) fn open_witnessed() -> Self {
        let mut world = Self::new().witnessed();
        world.safety = policy(&[Guard::Witness], wide());
        world.start(true, false);
        world.admit_all();
        world.link_up();
        world.open_session("s-1", Phase::Paper);
        world
    }

    fn open_burned(&mut self, approval: SignedStatement, burns: Vec<String>) -> Out {
        let request = self.next_request();
        let worker = |plugin: &str| portcullis_core::Worker {
            component: Digest::of(plugin.as_bytes()),
            engine: "wasmtime 48.0.8".to_owned(),
        };
        let workers = PLUGINS.map(worker).to_vec();
        self.feed(Input::OpenSession { request, approval, workers, burns })
    }
}

/// A house with a signed approval that waits for its burns.
fn drafted() -> (World, SignedStatement) {
    let mut world = World::new().witnessed();
    world.start(true, false);
    world.admit_all();
    world.link_up();
    let approval = world.draft("s-1", Phase::Paper);
    let paper =
        world.paper(portcullis_statement::Kind::SessionApproval, &people::signers(Phase::Paper));
    let signed = paper.sign(Some(world.fingerprint()), &approval.to_value());
    (world, signed)
}

/// A11: every restore point from before the opening, with everything that a thief can have kept:
/// the approval, the burns, and a daemon that starts in order. 0 open.
#[test]
fn a11_no_snapshot_from_before_a_burn_opens_anything() {
    let (mut world, approval) = drafted();
    let kept = burns(&world, &approval);
    world.feed(Input::Tick);
    let points = world.journal().len();
    assert_eq!(world.open_burned(approval.clone(), kept.clone()).answers(), ["DONE"]);
    world.close();
    for end in (1..=points).chain([world.journal().len()]) {
        let mut restored = World::new();
        restored.core = folded(&world.journal()[..end]);
        (restored.now, restored.draw) = (world.now, world.draw);
        restored.genesis = world.genesis.clone();
        restored.start(false, true);
        restored.link_up();
        let code = restored.open_burned(approval.clone(), kept.clone()).answers()[0].to_owned();
        assert_ne!(code, "DONE", "a snapshot of {end} entries opened");
        if restored.core.view().sessions.get("s-1") == Some(&"drafted") {
            assert_eq!(code, "BURN_FOREIGN", "{end}");
            let bare = restored.open_burned(approval.clone(), vec![]);
            assert_eq!(bare.answers(), ["BURN_MISSING"]);
        }
    }
}

/// A10, A11: a burn counts for what it was asked for, from the witnesses of the roster, just now.
#[test]
fn a11_a_burn_is_for_one_approval_one_run_and_one_moment() {
    let (mut world, approval) = drafted();
    let good = burn_of(&world, &approval).unwrap();
    let at = seconds(world.now.wall);
    let mut check = |change: Change<'_>, (by, at): (&[&str], u64), expect: &str| {
        let mut burn = good.clone();
        change(&mut burn);
        let sign = |witness: &&str| cosigner(witness).burn(&burn, at).unwrap().to_string();
        let burns = by.iter().map(sign).collect();
        let out = world.open_burned(approval.clone(), burns);
        assert_eq!(out.answers(), [expect], "{burn:?} {by:?} {at}");
    };
    let all: &[&str] = &["near", "far"];
    let foreign: [Change<'_>; 8] = [
        &|burn| burn.installation = "portcullis/host-2/acct".to_owned(),
        &|burn| burn.session = name("s-2"),
        &|burn| burn.nonce = "00".repeat(16),
        &|burn| burn.approval = Digest::of(b"another"),
        &|burn| burn.run += 1,
        &|burn| burn.journal.origin = "portcullis/host-1/acct/9".to_owned(),
        &|burn| burn.journal.size -= 1,
        &|burn| burn.journal.size = 0,
    ];
    for change in foreign {
        check(change, (all, at), "BURN_FOREIGN");
    }
    check(&|_| (), (&["stranger"], at), "BURN_FOREIGN");
    check(&|_| (), (&[], at), "BURN_MISSING");
    check(&|_| (), (&["far"], at), "BURN_MISSING");
    check(&|_| (), (&["far", "far"], at), "BURN_MISSING");
    check(&|_| (), (all, at - 122), "BURN_STALE");
    check(&|_| (), (all, at + 122), "BURN_STALE");
    check(&|_| (), (all, at - 60), "DONE");
    let out = world.open_burned(approval.clone(), vec!["portcullis burn v1\n".to_owned()]);
    assert_eq!(out.answers(), ["NONCE_BURNED"]);
    check_replay(&world);
}

/// F12: only a quorum's fresh signatures are a witness that is alive; a beat is nobody's word.
#[test]
fn a_witness_is_alive_by_its_signatures_alone() {
    let mut world = World::open_witnessed();
    let state = |world: &World| world.core.guard_state(Guard::Witness);
    let valid_until = world.now.wall.plus_ns(60 * SECOND_NS);
    world.feed(Input::Beat { guard: Guard::Witness, valid_until });
    assert_eq!(state(&world), GuardState::Missing);
    // All of it is fifty minutes old.
    let at = world.now.wall.plus_ns((600 - LAPSE_S) * SECOND_NS);
    let one = note(&journal(50), &["near"], at);
    assert_eq!(bring(&mut world, one.clone(), Standing::Ours(at)).answers(), ["DONE"]);
    assert_eq!(bring(&mut world, one, Standing::Ours(at)).answers(), ["DONE"]);
    assert_eq!(state(&world), GuardState::Missing);
    // The second one signs an old checkpoint just now: what it covers ended an hour ago.
    let old = world.now.wall.plus_ns(-LAPSE_S * SECOND_NS);
    let second = note(&journal(9), &["far"], world.now.wall);
    bring(&mut world, second, Standing::Ours(old));
    assert_eq!(state(&world), GuardState::Missing);
    let fresh = note(&journal(51), &["far"], at);
    bring(&mut world, fresh, Standing::Ours(at));
    assert_eq!(state(&world), GuardState::Alive);
    let lines = world.core.view().witnesses;
    assert!(lines[0].starts_with("2 of: near (same-host"), "{lines:?}");
    assert!(lines[2].contains("far: cosigned 51 entries at 20"), "{lines:?}");
    // What was carried late takes nothing back.
    let late = note(&journal(40), &["near", "far"], old);
    bring(&mut world, late, Standing::Ours(old));
    assert_eq!(state(&world), GuardState::Alive);
    world.pass(600 * SECOND_NS);
    world.feed(Input::Tick);
    assert_eq!(state(&world), GuardState::Missing);
    check_replay(&world);
}

/// A carrier that alters anything is refused, and what it brings of others too.
#[test]
fn a_carrier_can_delay_and_not_forge() {
    let mut world = World::open_witnessed();
    let at = world.now.wall;
    let ours = Standing::Ours(at);
    let good = note(&journal(50), &["near", "far"], at);
    let mut check = |text: String, expect: &str| {
        assert_eq!(bring(&mut world, text.clone(), ours).answers(), [expect], "{text}");
        assert_eq!(world.core.guard_state(Guard::Witness), GuardState::Missing);
    };
    check(good.replace("\n50\n", "\n51\n"), "COSIGNATURE_FOREIGN");
    check(good.replace("\n50\n", "\n050\n"), "COSIGNATURE_MALFORMED");
    check(good.replace(ORIGIN, "portcullis/other"), "CHECKPOINT_FOREIGN");
    check(good.replace(" near ", " mear ").replace(" far ", " fir "), "COSIGNATURE_FOREIGN");
    check(note(&journal(50), &["stranger"], at), "COSIGNATURE_FOREIGN");
    check(good.trim_end().to_owned(), "COSIGNATURE_MALFORMED");
    check(String::new(), "COSIGNATURE_MALFORMED");
    let request = world.next_request();
    let burn = Burn { journal: journal(50), ..burn_of(&world, &drafted().1).unwrap() };
    let burned = cosigner("near").burn(&burn, seconds(at)).unwrap().to_string();
    let out = world.feed(Input::Cosigned { request, note: burned, standing: ours });
    assert_eq!(out.answers(), ["COSIGNATURE_MALFORMED"]);
}

/// A11: somebody else has seen more of this journal, or another one: the disk was set back, and
/// the house stops. Nobody but a witness of the roster can say so.
#[test]
fn a11_a_disk_that_was_set_back_is_a_kill() {
    for (standing, code) in
        [(Standing::Ahead, "WITNESS_AHEAD"), (Standing::Forked, "WITNESS_FORKED")]
    {
        let mut world = World::open_witnessed();
        let at = world.now.wall;
        let by_stranger = note(&journal(500), &["stranger"], at);
        bring(&mut world, by_stranger, standing);
        assert!(!world.core.is_killed());
        let by_one = note(&journal(500), &["far"], at);
        assert_eq!(bring(&mut world, by_one, standing).answers(), [code]);
        assert!(world.core.is_killed());
        let blocked = world.core.view().blocked;
        assert!(blocked[0].contains(code), "{blocked:?}");
        check_replay(&world);
    }
}

/// A11: a witness that has seen a later epoch has seen more of this journal than the disk has, and
/// one that has seen an earlier epoch otherwise has seen another one.
#[test]
fn a11_another_epoch_that_was_seen_is_a_kill() {
    let check = |origin: &str, standing: Standing, expect: &str| {
        let mut world = World::new().witnessed();
        let (origin, present) = (origin.to_owned(), "portcullis/host-1/acct/3".to_owned());
        let name = EpochName { origin: present, key: people::CHECKPOINT_KEY.to_owned() };
        world.core.fold(&Core::first_epoch(world.now, name).bytes).unwrap();
        world.start(true, false);
        let at = world.now.wall;
        let seen = note(&Checkpoint { origin: origin.clone(), ..journal(5) }, &["far"], at);
        assert_eq!(bring(&mut world, seen, standing).answers(), [expect], "{origin}");
        assert_eq!(world.core.is_killed(), expect.starts_with("WITNESS_"), "{origin}");
    };
    let at = World::new().now.wall;
    check("portcullis/host-1/acct/4", Standing::Ahead, "WITNESS_AHEAD");
    check("portcullis/host-1/acct/10", Standing::Ahead, "WITNESS_AHEAD");
    check("portcullis/host-1/acct/4", Standing::Ours(at), "CHECKPOINT_FOREIGN");
    // An epoch that is over says nothing new but that it was another one.
    check("portcullis/host-1/acct/2", Standing::Forked, "WITNESS_FORKED");
    check("portcullis/host-1/acct/2", Standing::Ahead, "WITNESS_AHEAD");
    check("portcullis/host-1/acct/2", Standing::Ours(at), "CHECKPOINT_FOREIGN");
    for other in ["/4/simulated", "/04", "/x", "", "/4/5"] {
        check(&format!("portcullis/host-1/acct{other}"), Standing::Ahead, "CHECKPOINT_FOREIGN");
    }
    check("portcullis/host-2/acct/4", Standing::Ahead, "CHECKPOINT_FOREIGN");
    check("portcullis/host-1/acct-4/3", Standing::Ahead, "CHECKPOINT_FOREIGN");
}

#[test]
fn entries_about_witnesses_are_written_as_they_ever_were() {
    let mut world = World::open_witnessed();
    cosigned(&mut world);
    check_kinds(&world.journal(), &["open-session", "cosigned"], "witness.jsonl");
}

#[test]
fn what_witnesses_say_reads_back_to_the_same_bytes() {
    let mut world = World::open_witnessed();
    cosigned(&mut world);
    let at = world.now.wall;
    let ahead = note(&journal(500), &["far"], at);
    bring(&mut world, ahead, Standing::Ahead);
    let mut seen = 0;
    for bytes in world.journal() {
        let entry = decode(&bytes).unwrap();
        if entry.class != Class::Input || !["cosigned", "open-session"].contains(&&*entry.kind) {
            continue;
        }
        let content = Input::decode(&entry).unwrap().content(false).unwrap();
        assert_eq!(Entry::new(Class::Input, &entry.place, content).bytes, bytes);
        let text = String::from_utf8(bytes).unwrap();
        for (find, put) in
            [("\"standing\":\"", "\"standing\":\"x"), ("\"burns\":[", "\"burns\":[1,")]
        {
            if text.contains(find) {
                let damaged = decode(text.replacen(find, put, 1).as_bytes()).unwrap();
                assert!(Input::decode(&damaged).is_err());
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 3);
}
