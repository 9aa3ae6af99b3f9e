//! The bytes of entries: what was written once stays readable and is written the same way.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_core::entry::{Class, decode, glance};
use portcullis_core::{Core, EpochCause, Input, Note, NoteKind, PersonCommand, PersonOrder};
use portcullis_domain::{ClOrdId, ExecType, Name, Phase, Role};
use portcullis_gate::DenyCode;
use portcullis_statement::{Classification, Digest, JournalHead, Kind, Seal};

use crate::world::{ALPHA, BETA, SECOND_NS, World, buy, cancel, resting};

const WHOLE: &[(&str, &str)] = &[("USDT", "996"), ("BTC", "5.04")];

/// A life in which every kind of entry occurs.
pub(crate) fn life() -> World {
    let mut world = World::open(Phase::Paper);
    let out =
        world.reply(ALPHA, vec![buy(1, 10_000, 10_000), buy(2, 10_000, 10_000), buy(2, 1, 1)]);
    let ids = out.submits();
    world.feed(Input::Sent { cl_ord_id: ids[0] });
    world.report(ids[0], ExecType::New);
    world.fill(ids[0], "e1", 4_000, 10_000);
    world.feed(Input::NotSent { cl_ord_id: ids[1], code: DenyCode::ReleaseRevoked });
    world.reply(ALPHA, vec![cancel(1), buy(0, 1, 1)]);
    world.feed(Input::Lost { cl_ord_id: ids[0] });
    world.account(&[resting(ids[0], 6_000)], WHOLE);
    world.feed(Input::VenueLink { up: false, cause: "reset".to_owned() });
    for _ in 0..100 {
        let print = portcullis_domain::MarketEvent::Trade {
            aggressor: portcullis_domain::Side::Buy,
            px: crate::people::px(10_000),
            qty: crate::people::qty(1),
            trade_id: 1,
        };
        world.market(portcullis_domain::StreamId::TRADES, print);
    }
    world.reply(ALPHA, vec![]);
    let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
    world.feed(Input::PluginFailed { plugin: BETA, code, cause });
    world.kill();
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    world.report(ClOrdId { epoch: 1, sequence: 1 }, ExecType::New);
    world.pass(10 * SECOND_NS);
    world.account(&[], WHOLE);
    world.pass(10 * SECOND_NS);
    world.account(&[], WHOLE);
    world.unkill();
    world.close();
    shadow_and_seal(&mut world);
    by_hand(&mut world);
    world
}

fn shadow_and_seal(world: &mut World) {
    world.out.clear();
    world.open_session("s-2", Phase::Shadow);
    let id = world.reply(ALPHA, vec![buy(1, 10_000, 10_000)]).submits()[0];
    world.feed(Input::Tick);
    world.fill(id, "p1", 10_000, 10_000);
    world.close();
    let (request, about) = (world.next_request(), None);
    let (session, who) = (crate::people::name("s-2"), crate::people::name("olga"));
    let text = "look twice".to_owned();
    let note = Box::new(Note { session, who, kind: NoteKind::Lesson, about, text });
    world.feed(Input::Note { request, note });
    let seal = Seal {
        classification: Classification::Green,
        journal: JournalHead {
            head: Digest::of(b"head"),
            key: crate::people::CHECKPOINT_KEY.to_owned(),
            origin: crate::people::ORIGIN.to_owned(),
            size: 99,
        },
        manifest: Digest::of(b"manifest"),
        notes: 1,
        session: crate::people::name("s-2"),
    };
    let by = [("olga", Role::Operator), ("anna", Role::Approver)];
    let (_, out) = world.hand_in(Kind::Seal, &by, &seal.to_value());
    assert_eq!(out.answers(), ["DONE"]);
    let (_, again) = world.hand_in(Kind::Seal, &by, &seal.to_value());
    assert_eq!(again.answers(), ["SESSION_SEALED"]);
    world.feed(Input::EpochRaised { epoch: 99, cause: EpochCause::SessionEnd });
    world.feed(Input::Stop { who: Name::new("olga").unwrap() });
}

/// What people do after the session, by its closing rights. Behind everything else, so that the
/// entries of before stay where they are.
fn by_hand(world: &mut World) {
    let text = |text: &str| Some(text.to_owned());
    let order = PersonOrder {
        symbol: "BTC-USDT".to_owned(),
        side: portcullis_domain::Side::Sell,
        qty: "0.02".to_owned(),
        price: text("500"),
        time_in_force: portcullis_domain::TimeInForce::Gtc,
        reduce_only: true,
    };
    let out = world.by_hand("olga", PersonCommand::Submit(order));
    let [cl_ord_id] = out.submits()[..] else { panic!("{out:?}") };
    world.by_hand("olga", PersonCommand::Amend { cl_ord_id, qty: text("0.01"), price: None });
    world.by_hand("olga", PersonCommand::Cancel { cl_ord_id });
    world.by_hand("rita", PersonCommand::CancelAll);
    let (symbol, qty) = ("BTC-USDT".to_owned(), None);
    world.by_hand("olga", PersonCommand::Close { symbol, qty, price: text("500") });
    world.pass(7 * SECOND_NS);
    world.feed(Input::Tick);
}

/// The first entry of each kind and class.
fn firsts(world: &World) -> Vec<String> {
    let mut firsts: BTreeMap<(bool, String), String> = BTreeMap::new();
    for bytes in world.journal() {
        let entry = decode(&bytes).unwrap();
        let key = (entry.class == Class::Outcome, entry.kind);
        firsts.entry(key).or_insert_with(|| String::from_utf8(bytes).unwrap());
    }
    firsts.into_values().collect()
}

/// A file of entries as they were once written.
pub(crate) fn golden_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Whether entries are, byte for byte, the lines of the file.
#[track_caller]
fn check_lines(written: &[String], file: &str) {
    let golden = golden_file(file);
    for (now, then) in written.iter().zip(golden.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(written.len(), golden.lines().count());
}

/// Whether the first entry of each of these kinds is the line of the file in its place.
#[track_caller]
pub(crate) fn check_kinds(journal: &[Vec<u8>], kinds: &[&str], file: &str) {
    let first = |kind: &&str| {
        let mut entries = journal.iter().filter(|bytes| decode(bytes).unwrap().kind == **kind);
        let entry = entries.next().unwrap_or_else(|| panic!("no {kind}"));
        String::from_utf8(entry.clone()).unwrap()
    };
    check_lines(&kinds.iter().map(first).collect::<Vec<_>>(), file);
}

fn golden() -> String {
    golden_file("entries.jsonl")
}

#[test]
fn entries_are_written_as_they_ever_were() {
    check_lines(&firsts(&life()), "entries.jsonl");
}

/// Every kind that the core can write is in the golden file: none is without its bytes.
#[test]
fn the_golden_file_holds_every_kind() {
    let entries: Vec<_> = golden().lines().map(|line| decode(line.as_bytes()).unwrap()).collect();
    let of = |class| entries.iter().filter(move |entry| entry.class == class);
    let kinds = |class| of(class).map(|entry| entry.kind.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        kinds(Class::Input),
        "account close-session draft epoch-raised lost not-sent note open-session person-amend \
         person-cancel person-cancel-all person-close person-submit plugin-failed plugin-ready \
         plugin-reply report sent shadow-report started statement stop tick venue-link \
         venue-status"
    );
    assert_eq!(
        kinds(Class::Outcome),
        "amend-requested balances-adopted booked cancel-requested clean-stop denied drafted \
         events-dropped faulted intervened killed noted order-dead order-overdue ordered \
         orders-clear plugin-stopped reckoned reconciled refused session-closed \
         session-closing session-opened statement-accepted unkilled"
    );
}

#[test]
fn inputs_in_the_golden_file_read_back_to_the_same_bytes() {
    for line in golden().lines() {
        let entry = decode(line.as_bytes()).unwrap();
        if entry.class == Class::Input {
            let input = Input::decode(&entry).unwrap();
            let content = input.content(entry.kind == "shadow-report").unwrap();
            let again = portcullis_core::Entry::new(Class::Input, &entry.place, content);
            assert_eq!(String::from_utf8(again.bytes).unwrap(), line);
        }
    }
}

/// A glance says what the strict reader says, and of damaged bytes nothing that it would not.
#[test]
fn a_glance_agrees_with_the_strict_reader() {
    let (mut glanced, mut damaged) = (0, 0);
    for line in golden().lines() {
        glanced += usize::from(glance(line.as_bytes()).is_some());
        for (at, bit) in (0..line.len()).zip((0..8).cycle()) {
            let mut bytes = line.as_bytes().to_vec();
            for flip in [0, 1 << bit] {
                bytes[at] ^= flip;
                if let Some(glance) = glance(&bytes) {
                    let entry = decode(&bytes).unwrap();
                    assert_eq!((glance.kind, glance.boot), (&*entry.kind, entry.place.at.boot));
                    damaged += 1;
                }
            }
        }
    }
    assert!(glanced > 40 && damaged > 1_000, "{glanced} of whole ones, {damaged} of damaged ones");
}

/// A damaged or unknown entry is refused, never skipped.
#[test]
fn an_entry_that_is_not_one_stops_the_recovery() {
    let line = golden().lines().find(|line| line.contains("\"started\"")).unwrap().to_owned();
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"class\":\"input\"", "\"class\":\"imput\""),
        ("\"kind\":\"started\"", "\"kind\":\"startled\""),
        ("\"first\":true", "\"first\":true,\"first\":true"),
        ("\"draw\":", "\"extra\":0,\"draw\":"),
        ("\"pinned\":\"", "\"pinned\":\"00"),
    ] {
        assert!(line.contains(from), "{from}");
        let damaged = line.replacen(from, to, 1);
        assert!(Core::new().fold(damaged.as_bytes()).is_err(), "{to}");
    }
    assert!(Core::new().fold(line.as_bytes()).is_ok());
}
