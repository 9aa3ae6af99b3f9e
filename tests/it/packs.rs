//! Packs over the life of a house: what people add, before and after the end, in whatever epoch; the
//! next session; a crash.

use crate::house::House;
use std::fs;
use std::path::PathBuf;

const PHASE_FOLDER: &str = "home/reports/paper_sessions";

/// Opens a session that trades, and gives its name.
fn traded(house: &House) -> String {
    let traded = |view: &portcullis_control::StatusView| {
        view.positions.iter().any(|position| position.fees != "0")
    };
    house.perform("both", traded).session.expect("an open session")
}

fn close(house: &House) {
    house.must(&["close", "--home", &house.text("home"), "--reason", "enough"]);
    let ended = |view: &portcullis_control::StatusView| view.session.is_none();
    house.await_status("the end of the session", ended);
}

fn note(house: &House, session: &str, text: &str, what: &[&str]) -> crate::house::Said {
    let home = house.text("home");
    house.call(&[&["session", "note", session, text, "--home", &home], what].concat())
}

#[track_caller]
fn refused(said: &crate::house::Said, code: &str) {
    assert_ne!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains(code), "{code} in {said:?}");
}

/// Writes the pack of a session.
#[track_caller]
fn pack(house: &House, session: &str, more: &[&str]) -> PathBuf {
    let home = house.text("home");
    let said = house.must(&[&["pack", session, "--home", &home], more].concat());
    let line = said.stdout.lines().find_map(|line| line.strip_prefix("pack "));
    PathBuf::from(line.expect("a pack").trim())
}

fn seal_request(house: &House, pack: &std::path::Path, colour: &str) -> String {
    let folder = pack.display().to_string();
    house.signed(&["seal", "--pack", &folder, "--classification", colour])
}

#[track_caller]
fn sealed(house: &House, pack: &std::path::Path, colour: &str) {
    let request = seal_request(house, pack, colour);
    house.must(&["submit", &request, "--home", &house.text("home")]);
    let (folder, pin) = (pack.display().to_string(), house.text("pin"));
    house.must(&["evidence", "verify", &folder, "--trust", &pin]);
}

/// What people add comes in until the seal, in the next epoch too; the seal counts it; and the pack
/// of the next session knows what its epoch began with.
#[test]
fn c19_notes_before_and_after_the_end_are_in_the_pack_that_the_seal_binds() {
    let mut house = House::ready();
    let session = traded(&house);
    let form = house.path(PHASE_FOLDER).join(format!("drafts/{session}.runlog.md"));
    assert!(fs::read_to_string(form).unwrap().contains("\nMode: 2 paper, simulated\n"));
    assert_eq!(note(&house, &session, "the book is thin", &[]).code, 0);
    let home = house.text("home");
    refused(&house.call(&["pack", &session, "--home", &home]), "SESSION_UNKNOWN");
    close(&house);
    let due = house.status().unwrap();
    let line = format!("{session}: not sealed, due by ");
    assert!(due.seals[0].starts_with(&line) && due.next.contains(&session), "{due:?}");
    assert_eq!(note(&house, &session, "the feed was slow", &["--anomaly"]).code, 0);
    refused(&note(&house, &session, "x", &["--gap", "nothing"]), "NOTE_SUBJECT_UNKNOWN");
    refused(&house.call(&["pack", &session, "--home", &home]), "PACK_LESSON_MISSING");
    let first = pack(&house, &session, &["--lesson", "look twice"]);
    let stale = seal_request(&house, &first, "yellow");
    assert_eq!(note(&house, &session, "one thing more", &[]).code, 0);
    refused(&house.call(&["submit", &stale, "--home", &home]), "PACK_STALE");
    let first = pack(&house, &session, &[]);
    sealed(&house, &first, "yellow");
    assert_eq!(house.status().unwrap().seals, [""; 0]);
    refused(&note(&house, &session, "too late", &[]), "SESSION_SEALED");
    let runlog = fs::read_to_string(first.join("runlog.md")).unwrap();
    for expect in ["in the session, observation", "after the session, anomaly", "one thing more"] {
        assert!(runlog.contains(expect), "{expect} in {runlog}");
    }
    assert_eq!(fs::read_to_string(first.join("notes.jsonl")).unwrap().lines().count(), 4);
    // A sealed pack is not written again.
    refused(&house.call(&["pack", &session, "--home", &home]), "PACK_EXISTS");

    let second = traded(&house);
    close(&house);
    let second = pack(&house, &second, &["--lesson", "nothing new"]);
    let checklist = fs::read_to_string(second.join("checklist.md")).unwrap();
    assert!(!checklist.contains("- [ ]") && checklist.contains("plugin release"), "{checklist}");
    sealed(&house, &second, "yellow");
    house.stop();
}

/// A session that a crash ended has its pack, once people said why the evidence lacks what it does.
#[test]
fn a_session_that_ended_in_a_crash_gets_its_pack_with_reasons_for_its_gaps() {
    let mut house = House::ready();
    let session = traded(&house);
    house.crash();
    house.start_daemon();
    let home = house.text("home");
    let lesson = ["--lesson", "keep the power on"];
    let said = house.call(&[&["pack", &session, "--home", &home], &lesson[..]].concat());
    refused(&said, "PACK_GAP_UNEXPLAINED");
    for gap in ["account", "counts", "market-data"] {
        assert_eq!(note(&house, &session, "the power failed", &["--gap", gap]).code, 0, "{gap}");
    }
    let crashed = pack(&house, &session, &[]);
    let runlog = fs::read_to_string(crashed.join("runlog.md")).unwrap();
    assert!(runlog.contains("by a crash") && runlog.contains("the power failed"), "{runlog}");
    sealed(&house, &crashed, "red");
    house.stop();
}

/// A session may be approved while the one before it is open: its pack leads back to the epoch in
/// which the approval was drafted, and an altered way back is no way.
#[test]
fn an_approval_that_was_drafted_in_an_earlier_epoch_is_proved_by_the_pack() {
    let mut house = House::ready();
    let first = traded(&house);
    let home = house.text("home");
    let ahead = house.approval("2", "ahead", "both");
    close(&house);
    let first = pack(&house, &first, &["--lesson", "nothing new"]);
    sealed(&house, &first, "yellow");
    house.must(&["open", &ahead, "--home", &home]);
    house.await_status("the session ahead", |view| view.session.is_some());
    close(&house);
    let pack = pack(&house, "ahead", &["--lesson", "approved in time"]);
    assert!(pack.join("log/001-back.tlog-proof").is_file());
    sealed(&house, &pack, "green");
    house.stop();
}
