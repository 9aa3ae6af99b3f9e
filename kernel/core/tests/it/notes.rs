//! What people add to a session's evidence: who, when, how much, and what a seal says about it.

use portcullis_core::{Input, Note, NoteKind, Noted};
use portcullis_domain::{Phase, Role};
use portcullis_statement::{Classification, Digest, JournalHead, Kind, Seal};

use crate::people::{CHECKPOINT_KEY, ORIGIN, name};
use crate::replay::check_replay;
use crate::world::{Out, SECOND_NS, World, folded};

const HOUR_NS: i64 = 3_600 * SECOND_NS;

fn note(who: &str, kind: NoteKind, about: Option<&str>, text: &str) -> Note {
    let (session, text) = (name("s-1"), text.to_owned());
    Note { session, who: name(who), kind, about: about.map(name), text }
}

fn say(world: &mut World, note: Note) -> Out {
    let request = world.next_request();
    world.feed(Input::Note { request, note: Box::new(note) })
}

fn lesson(world: &mut World) -> Out {
    say(world, note("olga", NoteKind::Lesson, None, "look twice"))
}

pub(crate) fn seal(world: &mut World, notes: u64) -> Out {
    let key = CHECKPOINT_KEY.to_owned();
    let journal =
        JournalHead { head: Digest::of(b"head"), origin: ORIGIN.to_owned(), size: 9, key };
    let seal = Seal {
        classification: Classification::Green,
        journal,
        manifest: Digest::of(b"manifest"),
        notes,
        session: name("s-1"),
    };
    let by = [("olga", Role::Operator), ("anna", Role::Approver)];
    world.hand_in(Kind::Seal, &by, &seal.to_value()).1
}

fn check_again(world: &World) {
    assert_eq!(folded(&world.journal()).unsealed(), world.core.unsealed());
    check_replay(world);
}

#[test]
fn a_note_is_numbered_and_says_whether_it_came_late() {
    let mut world = World::open(Phase::Paper);
    let told = say(&mut world, note("rita", NoteKind::Observation, None, "thin book\n# x"));
    assert_eq!(told.answers(), ["DONE"]);
    let read = |out: &Out| Noted::read(&out.entry("noted").unwrap().body).unwrap();
    let first = read(&told);
    assert_eq!((first.number, first.role, first.late), (1, Role::Risk, false));
    assert_eq!(first.note.text, "thin book\n# x");
    world.close();
    let late = say(&mut world, note("olga", NoteKind::Gap, Some("market-data"), "line cut"));
    assert_eq!(late.reasons("noted"), ["AFTER_THE_SESSION"]);
    assert_eq!((read(&late).number, read(&late).late), (2, true));
    check_again(&world);
}

#[test]
fn who_may_say_what_is_judged() {
    let mut world = World::open(Phase::Paper);
    let mut check = |note: Note, expect: &str| {
        assert_eq!(say(&mut world, note.clone()).answers(), [expect], "{note:?}");
    };
    let plain = note("olga", NoteKind::Observation, None, "x");
    check(Note { who: name("nobody"), ..plain.clone() }, "ROLE_FORBIDS");
    check(note("olga", NoteKind::Answer, Some("orders"), "all ended"), "ROLE_FORBIDS");
    check(note("anna", NoteKind::Answer, Some("orders"), "all ended"), "DONE");
    check(note("anna", NoteKind::Answer, None, "all ended"), "NOTE_SUBJECT");
    check(note("olga", NoteKind::Lesson, Some("orders"), "x"), "NOTE_SUBJECT");
    check(note("olga", NoteKind::Lesson, None, " \t"), "NOTE_LENGTH");
    check(note("olga", NoteKind::Lesson, None, &"x".repeat(1_001)), "NOTE_LENGTH");
    check(Note { session: name("s-9"), ..plain }, "SESSION_UNKNOWN");
    for expect in ["DONE", "DONE", "DONE", "LESSONS_FULL"] {
        check(note("olga", NoteKind::Lesson, None, "x"), expect);
    }
    check_again(&world);
}

#[test]
fn notes_of_a_session_end_somewhere() {
    let mut world = World::open(Phase::Paper);
    for _ in 0..1_000 {
        say(&mut world, note("olga", NoteKind::Anomaly, None, "x"));
    }
    let more = say(&mut world, note("olga", NoteKind::Anomaly, None, "x"));
    assert_eq!(more.answers(), ["NOTES_FULL"]);
}

/// C19: a pack that lacks a note cannot be sealed, and after the seal there are no more.
#[test]
fn c19_a_seal_counts_the_notes_and_ends_them() {
    let mut world = World::open(Phase::Paper);
    assert_eq!(seal(&mut world, 0).answers(), ["SESSION_NOT_CLOSED"]);
    world.close();
    lesson(&mut world);
    assert_eq!(seal(&mut world, 0).answers(), ["PACK_STALE"]);
    assert_eq!(seal(&mut world, 2).answers(), ["PACK_STALE"]);
    assert_eq!(seal(&mut world, 1).answers(), ["DONE"]);
    assert_eq!(lesson(&mut world).answers(), ["SESSION_SEALED"]);
    assert_eq!(seal(&mut world, 1).answers(), ["SESSION_SEALED"]);
    check_again(&world);
}

/// C19: whatever ended a session, its seal is due within the policy's time, restarts included.
#[test]
fn c19_an_overdue_seal_blocks_the_next_opening() {
    let try_open = |world: &mut World| {
        let approval = world.draft("s-2", Phase::Paper);
        world.open_with(&approval).answers().join(" ")
    };
    let mut world = World::open(Phase::Paper);
    world.close();
    world.pass(25 * HOUR_NS);
    world.snapshot();
    world.account(&[], &[("USDT", "1000"), ("BTC", "5")]);
    assert_eq!(try_open(&mut world), "SEAL_OVERDUE");
    let told = world.core.view().seals;
    assert!(matches!(&told[..], [line] if line.starts_with("s-1: overdue since ")), "{told:?}");
    lesson(&mut world);
    assert_eq!(seal(&mut world, 1).answers(), ["DONE"]);
    let approval = world.draft("s-3", Phase::Paper);
    assert_eq!(world.open_with(&approval).answers(), ["DONE"]);
    check_again(&world);
    let mut crashed = World::open(Phase::Paper);
    crashed.restart(false);
    let ended = crashed.core.unsealed()[&name("s-1")].ended;
    assert_eq!(ended, Some(crashed.core.place().at.wall));
}

/// C9: a review is signed by whoever answered it. Another's answer is not spoken for; who answers
/// the question anew has answered it.
#[test]
fn c9_the_reviewer_who_seals_is_the_one_who_answered() {
    let mut world = World::open(Phase::Paper);
    world.close();
    let told = world.core.view().seals;
    assert!(
        matches!(&told[..], [line] if line.starts_with("s-1: not sealed, due by ")),
        "{told:?}"
    );
    let answer = |world: &mut World, who: &str, about: &str| {
        let said = note(who, NoteKind::Answer, Some(about), "all ended");
        assert_eq!(say(world, said).answers(), ["DONE"]);
    };
    answer(&mut world, "anna", "orders");
    answer(&mut world, "otto", "limits");
    assert_eq!(seal(&mut world, 2).answers(), ["REVIEWER_DIFFERS"]);
    check_again(&world);
    answer(&mut world, "anna", "limits");
    assert_eq!(seal(&mut world, 3).answers(), ["DONE"]);
    assert!(world.core.view().seals.is_empty());
    check_again(&world);
}
