//! Epochs: the house that goes on from its own snapshot is the house that never stopped.

use portcullis_core::entry::{Class, Content, decode};
use portcullis_core::{
    Core, Effect, Entry, EpochName, Event, Input, NotNow, NotRolled, PersonCommand, PersonOrder,
    RecoverError,
};
use portcullis_domain::{Now, Phase, Side, TimeInForce};
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, Value};

use crate::exchange::Play;
use crate::people::{CHECKPOINT_KEY, NOW};
use crate::world::{ALPHA, SECOND_NS, World, buy};

/// Longest entry that is a leaf of the log as it stands.
const LEAF_BYTES_MAX: usize = 32 * 1024;
const DAY_NS: i64 = 86_400 * SECOND_NS;

fn next(number: u64) -> EpochName {
    EpochName { origin: format!("host-1/acct/{number}"), key: format!("host-1+{number:08x}+key") }
}

fn previous() -> (u64, Digest) {
    (7, Digest::of(b"root"))
}

/// A core in its first epoch, before its start.
fn first() -> Core {
    let mut core = Core::new();
    let now = Now { wall: NOW, ..Now::default() };
    core.fold(&Core::first_epoch(now, next(1)).bytes).unwrap();
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

/// Whether two things are the same to the last field; tells the first line that is not.
#[track_caller]
fn same(one: &impl std::fmt::Debug, other: &impl std::fmt::Debug) {
    if format!("{one:?}") == format!("{other:?}") {
        return;
    }
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let lines: Vec<&str> = one.lines().collect();
    for (number, (one, other)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(one, other, "after {:#?}", &lines[number.saturating_sub(30)..number]);
    }
    panic!("one of them is longer");
}

/// Steps everything that happened in a world once more, twice: in one core that never rolls, and in
/// one that rolls. How often that was.
fn check_rolls(world: &World) -> u64 {
    check_rolls_at(world, &|_| true)
}

/// The same at the first, second, eighth, … of the moments that admit it, for the worlds of others.
pub(crate) fn check_few_rolls(world: &World) {
    check_rolls_at(world, &|moment| moment.is_power_of_two() && moment.ilog2() % 3 < 2);
}

fn check_rolls_at(world: &World, now: &dyn Fn(u64) -> bool) -> u64 {
    // What witnesses sign is bound to the epoch: what they said in a life of one says nothing in
    // another epoch, and their session would not open there.
    if !world.witnesses.is_empty() {
        return 0;
    }
    let (mut plain, mut rolled) = (first(), first());
    let (mut all, mut epoch) = (Vec::new(), Vec::new());
    let (mut rolls, mut moments) = (0, 0);
    let crashes = world.past.len() / 4 + 1;
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
        if number % crashes == crashes - 1 {
            check_crash((&all, &epoch), event);
        }
        moments += u64::from(rolled.open_session().is_none());
        if !now(moments) {
            continue;
        }
        if let Ok((_, roll)) = rolled.roll(&next(rolls + 2)) {
            rolls += 1;
            // What is left out of the snapshot would be missing here: every field is compared.
            same(&roll.core, &rolled);
            epoch = bytes(roll.begun(previous()));
            assert!(epoch.iter().all(|entry| entry.len() <= LEAF_BYTES_MAX));
            same(&read(&epoch), &roll.core);
            rolled = roll.core;
        }
    }
    rolls
}

/// A crash now: whoever reads the newest epoch starts as whoever reads all there ever was.
fn check_crash((all, epoch): (&[Vec<u8>], &[Vec<u8>]), event: &Event) {
    let mut started = all.iter().map(|entry| decode(entry).unwrap());
    let Some(started) = started.rfind(|entry| entry.kind == "started") else { return };
    let Input::Started(mut start) = Input::decode(&started).unwrap() else { panic!() };
    (start.draw, start.first) = (start.draw + 1, false);
    let (mut one, mut other) = (read(all), read(epoch));
    let event = Event { now: event.now, input: Input::Started(start) };
    let (whole, newest) = (one.step(event.clone()), other.step(event));
    assert_eq!(whole.entries, newest.entries);
    assert_eq!(told(&whole.effects), told(&newest.effects));
    same(&one.snapshot(), &other.snapshot());
}

/// Sessions, kills, stops, plans, findings and people, and a roll at every moment that admits one.
#[test]
fn a_house_that_rolls_is_the_house_that_does_not() {
    let worlds = vec![
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
    // The pack of the first session is not what this is about.
    world.safety.seal_hours_max = 1_000;
    world.restart(false);
    if phase == Phase::Paper {
        world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
        world.clear();
    } else {
        world.link_up();
    }
    world.clear();
    world.unkill();
    // A seal that is a day late lets nothing open.
    assert_eq!(crate::notes::seal(&mut world, 0).answers(), ["DONE"]);
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
    let mut again = Core::new();
    changed(core, change).iter().try_for_each(|entry| again.fold(entry)).map(|()| again)
}

/// The first entries of an epoch whose snapshot was changed.
fn changed(core: &Core, change: impl Fn(&str, &mut Vec<Value>) -> bool) -> Vec<Vec<u8>> {
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
        ("origin", "host-1/acct/2".into()),
        ("parts", Value::Int(parts)),
        ("previous", Value::Null),
    ]);
    let mut entries = Vec::new();
    for (kind, body) in [("epoch-began", began)]
        .into_iter()
        .chain(bodies.into_iter().map(|body| ("snapshot", body)))
    {
        let nothing = || "-".to_owned();
        let content = Content { kind, corr: nothing(), reason: nothing(), body };
        let entry = Entry::new(Class::Host, &place, content).bytes;
        entries.push(entry);
    }
    assert!(entries.iter().all(|entry| entry.len() <= LEAF_BYTES_MAX));
    entries
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
    assert_eq!(names.join(" "), SECTIONS);
    for name in &names {
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

const SECTIONS: &str = "\
    identity burned drafts sessions unsealed unreleased papers endpoint limits_in_force \
    instruments kill \
    kill_seq stops.seq stops.standing returned_at watch account.orders.all \
    account.orders.executions account.traded account.instrument_of_order account.holdings \
    account.balances account.day_and_week account.venue_ledger.known account.venue_ledger.sums \
    account.venue_ledger.carry account.venue_ledger.adopted recorded_profit person_orders \
    unprotected recon.findings recon.standing recon.foreign recon.ledger_read recon.link_changed \
    recon.fresh recon.impossible recon.venue differences suspects past_shadow withdrawn beats \
    epochs venue_up venue_status clock_offset_ns account_read evidence_full orders_issued \
    venue_deadline_last venue_deadline_start venue_deadlines unanswered read_due closing_rights";

/// A large house needs many entries, and a paper that is larger than a leaf comes in pieces: each
/// entry is a leaf of the log, and what is read back is the same.
#[test]
fn a_large_house_is_cut_into_leaves() {
    let large = crate::large::large().core;
    assert!(large.snapshot().unwrap().len() > 50);
    same(&reread(&large, |_, _| true).unwrap().snapshot(), &large.snapshot());

    let mut world = World::open(Phase::Paper);
    world.close();
    let mut approval = world.draft("s-2", Phase::Paper);
    let text = "a\"\\".repeat(8_000);
    approval.plugins[0].params = [("note".to_owned(), text)].into();
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    world.close();
    let pieces = format!("{:?}", world.core.snapshot().unwrap()).matches("\"piece\"").count();
    assert!(pieces > 2, "{pieces}");
    same(&reread(&world.core, |_, _| true).unwrap().snapshot(), &world.core.snapshot());
}

/// The house asks for the end of an epoch when its session is over, at midnight otherwise, and
/// never while a session is open.
#[test]
fn an_epoch_ends_with_its_session_and_at_midnight() {
    let mut world = World::new();
    world.core = first();
    world.start(true, false);
    world.admit_all();
    world.link_up();
    let asks = |out: &crate::world::Out| {
        out.has(|effect| matches!(effect, Effect::EndEpoch { number: 1 }))
    };
    world.open_session("s-1", Phase::Paper);
    assert_eq!(world.core.roll(&next(2)).err(), Some(NotRolled::NotNow(NotNow::SessionOpen)));
    world.pass(DAY_NS / 48);
    assert!(!asks(&world.feed(Input::Tick)));
    assert!(asks(&world.close()));
    // Asked once, and again after a minute if nobody could.
    assert!(!asks(&world.feed(Input::Tick)));
    let later = Now { wall: world.now.wall.plus_ns(61 * SECOND_NS), ..world.now };
    let later = Now { boot: world.now.boot.plus_ns(61 * SECOND_NS), ..later };
    assert!(world.core.is_due(later));
    world.pass(61 * SECOND_NS);
    assert!(asks(&world.feed(Input::Tick)));
    let (ended, roll) = world.core.roll(&next(2)).unwrap();
    assert_eq!(decode(&ended.bytes).unwrap().reason, "SESSION_OVER");
    world.core = roll.core;
    assert_eq!(world.core.epoch(), Some((2, &next(2))));
    world.pass(61 * SECOND_NS);
    assert!(!world.feed(Input::Tick).has(|effect| matches!(effect, Effect::EndEpoch { .. })));
    let to_midnight = DAY_NS - world.now.wall.0 % DAY_NS;
    world.pass(to_midnight - 2_000_000);
    assert!(!world.feed(Input::Tick).has(|effect| matches!(effect, Effect::EndEpoch { .. })));
    assert!(world.feed(Input::Tick).has(|effect| matches!(effect, Effect::EndEpoch { .. })));
    let (ended, _) = world.core.roll(&next(3)).unwrap();
    assert_eq!(decode(&ended.bytes).unwrap().reason, "DAY_OVER");
}

/// A journal whose order is not that of an epoch is not read.
#[test]
fn an_epoch_ends_once_and_begins_whole() {
    let mut core = first_of(&crate::golden::life());
    let (ended, mut roll) = core.roll(&next(2)).unwrap();
    // A name that comes late, for the epoch that has begun, rolls nothing.
    assert_eq!(roll.core.roll(&next(2)).err(), Some(NotRolled::Unfit));
    let begun = bytes(roll.begun(previous()));
    assert!(begun.len() > 2);
    let refused = |entries: &[&[u8]]| {
        let mut core = Core::new();
        let folded = entries.iter().try_for_each(|entry| core.fold(entry));
        assert!(matches!(folded, Err(RecoverError::Epoch(_) | RecoverError::Snapshot(_))));
    };
    let ended = ended.bytes.as_slice();
    let tick = crate::golden::golden_file("entries.jsonl");
    let tick = tick.lines().find(|line| line.contains(r#""kind":"tick""#)).unwrap().as_bytes();
    let first: Vec<&[u8]> = begun.iter().map(Vec::as_slice).collect();
    refused(&[ended, tick]);
    refused(&[ended, first[0]]);
    refused(&[&first[..2], &[tick]].concat());
    refused(&[&first[..], &first[..1]].concat());
    refused(&[&first[..], &first[1..2]].concat());
    refused(&[&first[..1], &first[2..], &first[1..2]].concat());
    // An epoch whose end is read rolls on; what it was told to be called comes from there.
    let mut read = read(&begun);
    read.fold(ended).unwrap();
    assert!(read.has_ended());
    assert_eq!(read.roll(&next(3)).err(), Some(NotRolled::NoEpoch));
    let again = read.roll_again().unwrap();
    same(&again.core.epoch(), &Some((3, &next(2))));
    same(&again.core.snapshot(), &roll.core.snapshot());
}
