//! Epochs: the house that goes on from its own snapshot is the house that never stopped.

use portcullis_core::entry::{Class, Content, decode};
use portcullis_core::{
    Core, Effect, Entry, Event, Input, NextEpoch, NotNow, NotRolled, PersonCommand, PersonOrder,
    Previous, RecoverError,
};
use portcullis_domain::{Now, Phase, Side, TimeInForce};
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, Value};

use crate::exchange::Play;
use crate::people::{CHECKPOINT_KEY, NOW};
use crate::world::{ALPHA, SECOND_NS, World, buy};

const DAY_NS: i64 = 86_400 * SECOND_NS;

fn next(number: u64) -> NextEpoch {
    NextEpoch { origin: format!("host-1/acct/{number}"), key: format!("host-1+{number:08x}+key") }
}

fn previous() -> Previous {
    Previous { origin: "host-1/acct/1".to_owned(), size: 7, root: Digest::of(b"root") }
}

/// A core in its first epoch, before its start.
fn first() -> Core {
    let mut core = Core::new();
    core.fold(&Core::first_epoch(Now { wall: NOW, ..Now::default() }, CHECKPOINT_KEY).bytes)
        .unwrap();
    core
}

fn read(entries: &[Vec<u8>]) -> Core {
    let mut core = Core::new();
    for entry in entries {
        core.fold(entry).unwrap();
    }
    core
}

fn bytes(entries: Vec<Entry>) -> Vec<Vec<u8>> {
    entries.into_iter().map(|entry| entry.bytes).collect()
}

/// What the house is asked to do, but for the question itself.
fn told(effects: &[Effect]) -> Vec<String> {
    let asks = |effect: &&Effect| matches!(effect, Effect::EndEpoch { .. });
    effects.iter().filter(|effect| !asks(effect)).map(|effect| format!("{effect:?}")).collect()
}

/// Steps everything that happened in a world once more, twice: in one core that never rolls, and in
/// one that rolls whenever it can. How often that was.
pub(crate) fn check_rolls(world: &World) -> u64 {
    let (mut plain, mut rolled) = (first(), first());
    let (mut all, mut epoch) = (Vec::new(), Vec::new());
    let mut rolls = 0;
    let crashes = world.past.len() / 12 + 1;
    for (number, (event, _)) in world.past.iter().enumerate() {
        let (one, other) = (plain.step(event.clone()), rolled.step(event.clone()));
        let texts = |entries: &[Entry]| -> Vec<String> {
            let text = |entry: &Entry| String::from_utf8(entry.bytes.clone()).unwrap();
            entries.iter().map(text).collect()
        };
        assert_eq!(texts(&one.entries), texts(&other.entries), "epoch {rolls}, at {event:?}");
        assert_eq!(told(&one.effects), told(&other.effects), "after {rolls} epochs, at {event:?}");
        assert_eq!(plain.is_due(event.now), rolled.is_due(event.now), "at {event:?}");
        all.extend(bytes(one.entries));
        epoch.extend(bytes(other.entries));
        if let Ok(roll) = rolled.roll(&next(rolls + 2)) {
            rolls += 1;
            // What is left out of the snapshot would be missing here: every field is compared.
            assert_eq!(format!("{:#?}", roll.core), format!("{rolled:#?}"));
            assert_eq!(roll.core.snapshot(), rolled.snapshot());
            epoch = bytes(roll.begun(&previous()));
            assert_eq!(format!("{:?}", read(&epoch)), format!("{:?}", roll.core));
            rolled = roll.core;
        }
        if number % crashes == crashes - 1 {
            check_crash((&all, &epoch), event);
        }
    }
    rolls
}

/// A crash now: whoever reads the newest epoch starts as whoever reads all there ever was.
fn check_crash((all, epoch): (&[Vec<u8>], &[Vec<u8>]), event: &Event) {
    let started = all.iter().map(|entry| decode(entry).unwrap());
    let Some(started) = started.filter(|entry| entry.kind == "started").last() else { return };
    let Input::Started(mut start) = Input::decode(&started).unwrap() else { panic!() };
    (start.draw, start.first) = (start.draw + 1, false);
    let (mut one, mut other) = (read(all), read(epoch));
    let event = Event { now: event.now, input: Input::Started(start) };
    let (whole, newest) = (one.step(event.clone()), other.step(event));
    assert_eq!(whole.entries, newest.entries);
    assert_eq!(told(&whole.effects), told(&newest.effects));
    assert_eq!(one.snapshot(), other.snapshot());
}

/// Sessions, kills, stops, plans, findings and people, and a roll at every moment that admits one.
#[test]
fn a_house_that_rolls_is_the_house_that_does_not() {
    let worlds = [
        (crate::golden::life(), 5),
        (crate::golden_stops::life(), 10),
        (explained(), 3),
        (tightened(), 2),
    ];
    for (world, least) in worlds {
        let rolls = check_rolls(&world);
        assert!(rolls >= least, "{rolls}");
    }
}

/// A balance that differs, explained by one person and confirmed by another after the session.
fn explained() -> World {
    let mut world = crate::findings::differs();
    world.close();
    crate::findings::explain(&mut world, 1, "olga", "a fee");
    world.feed(Input::Tick);
    crate::findings::confirm(&mut world, 1, "anna");
    world.feed(Input::Tick);
    world
}

/// Limits that were tightened in a session, and what a person may do by its closing rights.
fn tightened() -> World {
    let mut world = crate::people_orders::held(World::open(Phase::Paper));
    let mut limits = crate::limits::strict();
    limits.account.activity.open_orders_max = 1;
    crate::limits::tighten(&mut world, &limits);
    world.close();
    world.feed(Input::Tick);
    for price in ["500", "501"] {
        let order = PersonOrder {
            symbol: "BTC-USDT".to_owned(),
            side: Side::Sell,
            qty: "0.02".to_owned(),
            price: Some(price.to_owned()),
            time_in_force: TimeInForce::Gtc,
            reduce_only: true,
        };
        world.by_hand("olga", PersonCommand::Submit(order));
    }
    world
}

#[test]
fn sessions_of_a_seed_roll_between_them() {
    for (seed, phase) in [(0x5eed_0011, Phase::Paper), (0x5eed_0012, Phase::Shadow)] {
        let world = days(seed, phase);
        let rolls = check_rolls(&world);
        assert!(rolls > 12, "{rolls}");
    }
}

/// Two days of a house: a session, a night with a crash in it, and another session.
fn days(seed: u64, phase: Phase) -> World {
    let mut play = Play::new(seed, phase);
    for _ in 0..400 {
        play.turn();
    }
    play.finish();
    let mut world = play.world;
    world.kill();
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    world.draft("s-2", Phase::Paper);
    world.pass(DAY_NS);
    world.feed(Input::Tick);
    world.restart(false);
    if phase == Phase::Paper {
        world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
        world.clear();
    } else {
        world.link_up();
    }
    world.clear();
    world.unkill();
    world.open_session("s-3", Phase::Paper);
    world.reply(ALPHA, vec![buy(1, 1_000, 10_000)]);
    world.close();
    world.clear();
    world
}

/// The parts of a snapshot as `change` leaves them, read as recovery would.
fn reread(
    core: &Core,
    change: impl Fn(&str, &mut Vec<Value>) -> bool,
) -> Result<Core, RecoverError> {
    let mut bodies = core.snapshot().unwrap();
    for body in &mut bodies {
        let Value::Object(body) = body else { panic!() };
        let Some(Value::List(sections)) = body.get_mut("sections") else { panic!() };
        sections.retain_mut(|section| {
            let Value::Object(section) = section else { panic!() };
            let Some(Value::Text(name)) = section.get("name").cloned() else { panic!() };
            let Some(Value::List(values)) = section.get_mut("values") else { return true };
            change(&name, values)
        });
    }
    let place = core.place();
    let parts = i64::try_from(bodies.len()).unwrap();
    let began = json::object([
        ("epoch", Value::Int(2)),
        ("key", CHECKPOINT_KEY.into()),
        ("parts", Value::Int(parts)),
        ("previous", Value::Null),
    ]);
    let mut again = Core::new();
    for (kind, body) in [("epoch-began", began)]
        .into_iter()
        .chain(bodies.into_iter().map(|body| ("snapshot", body)))
    {
        let (corr, reason) = ("-".to_owned(), "-".to_owned());
        let content = Content { kind, corr, reason, body };
        again.fold(&Entry::new(Class::Host, &place, content).bytes)?;
    }
    Ok(again)
}

fn section_names(core: &Core) -> Vec<String> {
    let bodies = core.snapshot().unwrap();
    let mut names = Vec::new();
    for body in &bodies {
        for section in Fields::new(body).unwrap().list("sections").unwrap() {
            names.push(Fields::new(section).unwrap().text("name").unwrap().to_owned());
        }
    }
    names.dedup();
    names
}

/// A snapshot without one of its sections, with one emptied, with one value less or with two values
/// changed about is no snapshot, whichever section it is.
#[test]
fn no_section_of_a_snapshot_can_be_left_out() {
    let core = first_of(&crate::golden::life());
    let names = section_names(&core);
    assert_eq!(names.len(), SECTIONS.len());
    for (name, expect) in names.iter().zip(SECTIONS) {
        assert_eq!(name, expect);
        assert!(reread(&core, |section, _| section != name).is_err(), "{name} left out");
        let emptied = reread(&core, |section, values| {
            if section == name {
                values.clear();
            }
            true
        });
        assert!(emptied.is_err(), "{name} emptied");
        let shorter = reread(&core, |section, values| {
            if section == name {
                values.pop();
            }
            true
        });
        assert!(shorter.is_err(), "a value of {name} left out");
    }
    let same = reread(&core, |_, _| true).unwrap();
    assert_eq!(same.snapshot(), core.snapshot());
}

/// The core of a world with an epoch, after all that happened.
fn first_of(world: &World) -> Core {
    let mut core = first();
    for (event, _) in &world.past {
        core.step(event.clone());
    }
    core
}

const SECTIONS: &[&str] = &[];
