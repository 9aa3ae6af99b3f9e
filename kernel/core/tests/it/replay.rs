//! What the journal is for: a core that reads it is the core that wrote it, and stepping its
//! inputs again gives the same entries, byte for byte.

use std::collections::BTreeMap;

use portcullis_core::entry::{Class, decode};
use portcullis_core::{Core, Event, Input};
use portcullis_domain::{Name, Now, Phase};

use crate::exchange::Play;
use crate::world::{World, folded};

const EVENTS: usize = 2_500;

fn played(seed: u64, phase: Phase) -> Play {
    let mut play = Play::new(seed, phase);
    for _ in 0..EVENTS {
        play.turn();
    }
    play
}

/// The inputs of a journal, merged with the market data that lies beside it, by input number.
fn merged(world: &World) -> Vec<Event> {
    let mut events: BTreeMap<u64, Event> = BTreeMap::new();
    for bytes in world.journal() {
        let entry = decode(&bytes).unwrap();
        if entry.class == Class::Input {
            let event = Event { now: entry.place.at, input: Input::decode(&entry).unwrap() };
            assert!(events.insert(entry.place.input, event).is_none(), "one entry per input");
        }
    }
    // A chunk keeps the raw receive time of each frame and its place in its stream; entries cite
    // how far each stream had been read, which is what the numbers say as well.
    for ((event, _), number) in world.past.iter().zip(1_u64..) {
        if matches!(event.input, Input::Market(_)) {
            assert!(events.insert(number, event.clone()).is_none(), "a frame is no entry");
        }
    }
    assert!(events.keys().copied().eq(1..=u64::try_from(world.past.len()).unwrap()));
    events.into_values().collect()
}

pub(crate) fn check_replay(world: &World) {
    let mut core = Core::new();
    let mut replayed = Vec::new();
    for event in merged(world) {
        replayed.extend(core.step(event).entries.into_iter().map(|entry| entry.bytes));
    }
    for (again, then) in replayed.iter().zip(world.journal()) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(again), text(&then));
    }
    assert_eq!(replayed.len(), world.journal().len());
    assert_eq!(core.view(), world.core.view());
    assert_eq!(format!("{core:?}"), format!("{:?}", world.core));
    crate::epochs::check_rolls(world);
}

#[test]
fn a_random_session_replays_byte_for_byte() {
    for (seed, phase) in [(0x5eed_0001, Phase::Paper), (0x5eed_0002, Phase::Shadow)] {
        let mut play = played(seed, phase);
        play.finish();
        let world = &play.world;
        assert!(world.past.len() > 2_000, "{}", world.past.len());
        let text = String::from_utf8(world.journal().concat()).unwrap();
        for kind in [
            "ordered",
            "denied",
            "booked",
            "amend-requested",
            "amend-denied",
            "amend-sent",
            "cancel-requested",
            "plugin-reply",
            "stop-fired",
            "leg-denied",
        ] {
            assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "no {kind} in {phase:?}");
        }
        check_replay(world);
    }
}

#[test]
fn a_session_with_kills_restarts_and_failures_replays() {
    let mut world = World::open(Phase::Paper);
    world.reply(crate::world::ALPHA, vec![crate::world::buy(1, 10_000, 10_000)]);
    world.kill();
    world.unkill();
    check_replay(&world);
}

/// The wall clock set back and forth is in the entries as the core took it, and replays.
#[test]
fn a15_a_clock_that_jumps_replays() {
    let mut world = World::open(Phase::Paper);
    for step in [-3_600, 7, 1_800, -5, 0, 86_400] {
        world.now.wall = world.now.wall.plus_ns(step * crate::world::SECOND_NS);
        world.quote(9_990, 10_010);
        world.feed(Input::Tick);
    }
    check_replay(&world);
}

/// Everything durable of a core, as text: what a restart has to bring back.
fn durable(core: &Core) -> String {
    let view = core.view();
    format!(
        "{:?}\n{:?}\n{:?}\n{} {:?}",
        core.account(),
        core.findings(),
        view.sessions,
        core.kill_seq(),
        core.kill_entry()
    )
}

#[test]
fn a_core_that_reads_the_journal_is_the_core_that_wrote_it() {
    for seed in [0x5eed_0003, 0x5eed_0004, 0x5eed_0005] {
        let mut play = played(seed, Phase::Paper);
        play.finish();
        // Account and house agree at the end, to the last unit.
        let balances = play.world.core.account().balances();
        assert_eq!(balances, Some(play.balances()));
        assert_eq!(play.world.core.view().differences, Some(vec![]));
        play.world.feed(Input::Stop { who: Name::new("olga").unwrap() });
        let read = folded(&play.world.journal());
        assert_eq!(durable(&read), durable(&play.world.core));
        let (account, kept) = (read.account(), read.account().durable());
        assert_eq!((&kept.orders, kept.balances()), (&account.orders, account.balances()));
        // After the same start both answer alike, to the byte.
        let before = std::mem::take(&mut play.world.core);
        let out = play.world.restart(true);
        assert_eq!(out.kinds(), ["started"]);
        let again = std::mem::replace(&mut play.world.core, before);
        play.world.start(false, true);
        assert_eq!(durable(&again), durable(&play.world.core));
    }
}

/// Every prefix of a journal is one that a crash can leave: each is read, and none opens again.
#[test]
fn a_crash_after_any_entry_leaves_a_journal_that_folds_and_is_killed() {
    let mut play = Play::new(0x5eed_0006, Phase::Paper);
    for _ in 0..400 {
        play.turn();
    }
    let journal = play.world.journal();
    let mut core = Core::new();
    for (length, entry) in (1..).zip(&journal) {
        core.fold(entry).unwrap();
        if length % 97 == 0 {
            let mut crashed = World::new();
            (crashed.core, crashed.now) = (folded(&journal[..length]), play.world.now);
            crashed.start(false, false);
            assert!(crashed.core.is_killed());
            assert_eq!(crashed.core.open_session(), None);
            let pending = |order: &&portcullis_domain::Order| order.status.name() == "pending-new";
            assert_eq!(crashed.core.account().orders.iter().filter(pending).count(), 0);
        }
    }
    // Reading on from a prefix is reading from the start.
    assert_eq!(durable(&core), durable(&folded(&journal)));
}

/// Every event in which authority, money or time moved is an entry; market data is not.
#[test]
fn every_input_but_market_data_is_an_entry() {
    let play = played(0x5eed_0007, Phase::Paper);
    let mut wall = Now::default().wall;
    for (event, entries) in &play.world.past {
        let inputs = entries.iter().filter(|entry| entry.class == Class::Input).count();
        assert_eq!(inputs, usize::from(!matches!(event.input, Input::Market(_))));
        for entry in entries {
            let at = decode(&entry.bytes).unwrap().place.at;
            assert!(at.wall >= wall, "time went back in the journal");
            wall = at.wall;
        }
    }
}
