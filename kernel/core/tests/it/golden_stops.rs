//! The bytes of entries about stops, guards, triggers and plans. The other kinds are in `golden.rs`.

use portcullis_core::entry::{Class, decode};
use portcullis_core::{Core, Entry, Input};
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::policy::triggers::LossRow;
use portcullis_domain::{Phase, StopMode, WallNs};
use portcullis_statement::Kind;

use crate::golden::{check_kinds, golden_file};
use crate::people::money;
use crate::safety::{TWO, policy, wide};
use crate::world::{SECOND_NS, World, folded};

/// What has bytes here: kinds of their own, and old kinds that say something new.
const HELD: [&str; 10] = [
    "started",
    "epoch-raised",
    "beat",
    "venue-clock",
    "triggered",
    "stopped",
    "stop-clear",
    "stop-lifted",
    "unkilled",
    "flatten-ended",
];

/// A life in which each of them occurs.
pub(crate) fn life() -> World {
    let mut rows = wide();
    let action = StopMode::ReduceOnly;
    rows.daily_loss = LossRow { loss: money("1"), unknown_ms: 5_000, action };
    let mut world = World::started_with(policy(&[Guard::Guardian, Guard::Presence], rows));
    // The first of its kind is a person's stop of one strategy.
    world.stop(StopMode::CancelAll, "strategy:alpha");
    world.clear();
    world.lift(world.target(1));
    world.open_session("s-1", Phase::Paper);
    let valid_until = world.now.wall.plus_ns(60 * SECOND_NS);
    world.feed(Input::Beat { guard: Guard::Guardian, valid_until });
    world.feed(Input::Beat { guard: Guard::Presence, valid_until });
    world.feed(Input::VenueClock { offset_ns: -1_500_000 });
    world.hold(10_000);
    world.quote(8_999, 9_001);
    world.stop(StopMode::CancelAll, "instrument:BTC-USDT");
    world.pass(7 * SECOND_NS);
    for _ in 0..2 {
        world.account(&[], &[("USDT", "990"), ("BTC", "5.1")]);
        world.pass(SECOND_NS);
    }
    let plan = crate::flatten::plan_for(world.target(3));
    world.hand_in(Kind::FlattenPlan, &TWO, &plan.to_value());
    world.kill();
    world.clear();
    world.unkill();
    world
}

fn golden() -> String {
    golden_file("stops.jsonl")
}

#[test]
fn entries_about_stops_are_written_as_they_ever_were() {
    check_kinds(&life().journal(), &HELD, "stops.jsonl");
}

#[test]
fn inputs_about_stops_read_back_to_the_same_bytes() {
    for line in golden().lines() {
        let entry = decode(line.as_bytes()).unwrap();
        if entry.class == Class::Input {
            let content = Input::decode(&entry).unwrap().content(false).unwrap();
            let again = Entry::new(Class::Input, &entry.place, content);
            assert_eq!(String::from_utf8(again.bytes).unwrap(), line);
        }
    }
}

/// F3: a stop that cannot be read is no stop less: the journal is refused, never skipped.
#[test]
fn f3_a_damaged_stop_stops_the_recovery() {
    for (kind, from, to) in [
        ("stopped", "\"mode\":\"cancel-all\"", "\"mode\":\"cancel-some\""),
        ("stopped", "\"scope\":\"strategy:alpha\"", "\"scope\":\"strategy\""),
        ("stopped", "\"stop_seq\":1", "\"stop_seq\":-1"),
        ("epoch-raised", "\"mode\":\"cancel-all\"", "\"mode\":\"\""),
        ("triggered", "TRIGGER_DAILY_LOSS", "TRIGGER_NOTHING"),
        ("beat", "\"guard\":\"guardian\"", "\"guard\":\"nobody\""),
        ("started", "\"percent\":100", "\"percent\":101"),
        ("started", "\"action\":\"block-new\"", "\"action\":\"nothing\""),
    ] {
        let has = |line: &&str| line.contains(&format!("\"kind\":\"{kind}\""));
        let line = golden().lines().find(has).unwrap().to_owned();
        assert!(line.contains(from), "{from} in {line}");
        let damaged = line.replacen(from, to, 1);
        assert!(Core::new().fold(damaged.as_bytes()).is_err(), "{to}");
        assert!(Core::new().fold(line.as_bytes()).is_ok(), "{kind}");
    }
}

/// F1: what was stopped, fired and lifted is read back as it was, after every prefix of this life.
#[test]
fn f1_a_core_that_reads_the_journal_knows_the_stops() {
    let world = life();
    let stops = |core: &Core| {
        let stops: Vec<_> =
            core.stops().map(|(seq, stop, entry)| (seq, stop.clone(), entry)).collect();
        let at = portcullis_domain::Now { wall: WallNs(i64::MAX), ..world.now };
        (stops, core.kill_seq(), core.is_killed(), core.size_percent(at))
    };
    assert_eq!(stops(&folded(&world.journal())), stops(&world.core));
    assert_eq!(world.core.stops().map(|(seq, ..)| seq).collect::<Vec<_>>(), [2, 3]);
    let journal = world.journal();
    for length in 0..journal.len() {
        let _core: Core = folded(&journal[..length]);
    }
    crate::replay::check_replay(&world);
}
