//! A journal is followed while it grows, after restarts, and not at all where it contradicts what
//! was signed.

use std::fs;

use portcullis_core::Class;
use portcullis_evidence::Watermark;
use portcullis_evidence::log::{
    CHECKPOINT, Follower, JOURNAL_FOLDER, LOG_FOLDER, LogFiles, LogProof, TileReader, verify_epoch,
};
use portcullis_evidence::note::SignedCheckpoint;
use portcullis_statement::json::object;

use crate::epoch::{self, ORIGIN, Scratch, entries, entry, key, segments, write_journal};

#[test]
fn what_is_followed_is_signed_and_holds() {
    let scratch = Scratch::new();
    let signed = epoch::make(scratch.path(), &key(1), 700, 64);
    assert_eq!((signed.size, signed.origin.as_str()), (700, ORIGIN));
    let report = verify_epoch(scratch.path()).unwrap();
    assert_eq!(report.checkpoint, signed);
    assert_eq!((report.journal.size, report.journal.root), (signed.size, signed.root));
    assert_eq!((report.torn_bytes, report.ended), (0, false));
    assert_eq!(report.key, *key(1).verifier());
}

#[test]
fn only_what_is_durable_is_followed() {
    let scratch = Scratch::new();
    let segments = segments(&entries(&key(1), 30), 10);
    let files = LogFiles::new(scratch.path().join("log"));
    let mut follower = Follower::open(segments.as_slice(), files, key(1).verifier()).unwrap();
    let mut seen = 0;
    for durable in [10, 10, 20, 30] {
        while follower.follow(Some(Watermark(durable)), |_| seen += 1).unwrap() {}
        assert_eq!((follower.size(), seen), (durable, durable));
        follower.sign(&key(1), true).unwrap();
        assert!(!follower.has_news());
    }
}

#[test]
fn a_restart_goes_on_under_the_checkpoint_that_lies_there() {
    let scratch = Scratch::new();
    let first = epoch::make(scratch.path(), &key(1), 300, 100);
    write_journal(scratch.path(), &entries(&key(1), 500), 100);
    let mut follower = epoch::follower(scratch.path(), &key(1));
    follower.follow(None, |_| {}).unwrap();
    // Nothing is signed that is older than what was.
    assert_eq!(follower.sign(&key(1), false).unwrap_err().code(), "CHECKPOINT_AHEAD");
    while follower.follow(None, |_| {}).unwrap() {}
    let second = follower.sign(&key(1), false).unwrap();
    assert_eq!((first.size, second.size), (300, 500));
    assert_eq!(verify_epoch(scratch.path()).unwrap().checkpoint, second);
}

#[test]
fn a_journal_that_contradicts_its_checkpoint_is_refused() {
    let scratch = Scratch::new();
    epoch::make(scratch.path(), &key(1), 300, 100);
    let mut other = entries(&key(1), 500);
    other.swap(7, 8);
    write_journal(scratch.path(), &other, 100);
    let mut follower = epoch::follower(scratch.path(), &key(1));
    let fault = loop {
        match follower.follow(None, |_| {}) {
            Ok(true) => {}
            Ok(false) => panic!("the contradiction was not seen"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.code(), "CHECKPOINT_FORKED");
    assert_eq!(verify_epoch(scratch.path()).unwrap_err().code(), "LOG_DIFFERS");

    write_journal(scratch.path(), &entries(&key(1), 200), 100);
    assert_eq!(verify_epoch(scratch.path()).unwrap_err().code(), "CHECKPOINT_AHEAD");

    // Another key, the one on disk perhaps, opens nothing.
    let files = LogFiles::new(scratch.path().join(LOG_FOLDER));
    let segments = segments(&entries(&key(1), 10), 10);
    let fault = Follower::open(segments.as_slice(), files, key(2).verifier()).unwrap_err();
    assert_eq!(fault.code(), "NOTE_NOT_SIGNED");
}

#[test]
fn a_live_epoch_may_be_ahead_of_its_checkpoint_and_its_tiles() {
    let scratch = Scratch::new();
    let signed = epoch::make(scratch.path(), &key(1), 250, 50);
    write_journal(scratch.path(), &entries(&key(1), 600), 50);
    // The tiles were written, the checkpoint was not: that is what a crash leaves.
    let mut follower = epoch::follower(scratch.path(), &key(1));
    while follower.follow(None, |_| {}).unwrap() {}
    let report = verify_epoch(scratch.path()).unwrap();
    assert_eq!((report.checkpoint, report.journal.size), (signed, 600));
}

#[test]
fn one_entry_is_proved_from_the_folder() {
    let scratch = Scratch::new();
    let signed = epoch::make(scratch.path(), &key(1), 300, 100);
    let note = fs::read(scratch.path().join(LOG_FOLDER).join(CHECKPOINT)).unwrap();
    let checkpoint = SignedCheckpoint::open(&note, key(1).verifier()).unwrap();
    let files = LogFiles::new(scratch.path().join(LOG_FOLDER));
    let mut tiles = TileReader::new(files, signed.size);
    let entries = entries(&key(1), 300);
    for index in [0, 1, 50, 299] {
        let proof = LogProof::of(&mut tiles, index, &checkpoint).unwrap();
        let entry = &entries[usize::try_from(index).unwrap()];
        // Entry 50 is stored by its digest.
        assert_eq!(proof.leaf == *entry, index != 50);
        proof.verify(key(1).verifier()).unwrap();
    }
}

#[test]
fn an_epoch_has_a_beginning_an_end_and_no_gaps() {
    let tick = |second| entry(second, (Class::Input, "tick"), object([]));
    let ended = |second| entry(second, (Class::Host, "epoch-ended"), object([]));
    let check = |entries: &[Vec<u8>], signed: usize, expect: Result<bool, &str>| {
        let scratch = Scratch::new();
        write_journal(scratch.path(), &entries[..signed], 1);
        let mut follower = epoch::follower(scratch.path(), &key(1));
        while follower.follow(None, |_| {}).unwrap() {}
        follower.sign(&key(1), false).unwrap();
        write_journal(scratch.path(), entries, 1);
        let found = verify_epoch(scratch.path());
        let found = found.map(|it| it.ended).map_err(|fault| fault.code());
        assert_eq!(found, expect, "{}", entries.len());
    };
    let began = epoch::began(&key(1));
    check(&[began.clone(), tick(10), tick(40)], 3, Ok(false));
    check(&[began.clone(), tick(10), tick(41)], 3, Err("EPOCH_SILENT"));
    check(&[began.clone(), tick(10), ended(11)], 3, Ok(true));
    check(&[began.clone(), tick(10), ended(11)], 2, Err("EPOCH_END_UNSIGNED"));
    check(&[began.clone(), ended(11), tick(12)], 3, Err("EPOCH_AFTER_END"));
    check(&[tick(1), tick(2)], 2, Err("EPOCH_NOT_BEGUN"));
    check(&[epoch::began(&key(2)), tick(2)], 2, Err("NOTE_NOT_SIGNED"));
    check(&[began.clone(), b"no entry".to_vec()], 2, Err("ENTRY_MALFORMED"));
    // After a restart the boot clock may begin anew, and time may have passed.
    let started = entry(900, (Class::Input, "started"), object([]));
    check(&[began, tick(10), started, tick(901)], 4, Ok(false));
}

#[test]
fn a_folder_without_its_parts_is_refused() {
    let code = |folder: &Scratch| verify_epoch(folder.path()).unwrap_err().code();
    let scratch = Scratch::new();
    assert_eq!(code(&scratch), "JOURNAL_TRUNCATED");
    epoch::make(scratch.path(), &key(1), 20, 10);
    fs::remove_file(scratch.path().join(LOG_FOLDER).join(CHECKPOINT)).unwrap();
    assert_eq!(code(&scratch), "LOG_FILE_MISSING");
    fs::remove_dir_all(scratch.path().join(JOURNAL_FOLDER)).unwrap();
    assert_eq!(code(&scratch), "JOURNAL_TRUNCATED");
}
