//! Epochs: one after the other in one run, and a reader that follows the writer.

use super::*;
use crate::recorded::DurableEpoch;

#[test]
fn numbers_count_on_and_heads_begin_anew() {
    let mut journal = memory();
    journal.append(b"one");
    journal.commit().unwrap();
    assert_eq!(journal.append(b"two"), Seq(1));
    let ended = journal.head();
    journal.begin_epoch("portcullis/test/1");
    assert_eq!(journal.head().size, 0);
    let pending = journal.append_with(b"three", ());
    assert_eq!(pending.seq(), Seq(2));
    assert_eq!(journal.mark().durable_epoch(), DurableEpoch { epoch: 1, size: 1 });
    assert_eq!(journal.commit().unwrap(), Watermark(3));
    assert_eq!(journal.mark().durable_epoch(), DurableEpoch { epoch: 2, size: 1 });
    assert_eq!(journal.release(pending).unwrap().seq(), Seq(2));
    journal.append(b"four");
    journal.commit().unwrap();

    let first = read(journal.disk().segments(1).as_slice()).unwrap();
    assert_eq!((first.end.head, first.entries.len()), (ended, 2));
    let second = read(journal.disk().segments(2).as_slice()).unwrap();
    assert_eq!(second.end.origin, "portcullis/test/1");
    assert_eq!((second.end.head, second.end.groups), (journal.head(), 2));
    assert_eq!(journal.disk().last_epoch(), Some(2));
}

#[test]
fn an_epoch_without_an_entry_is_not_left_behind() {
    let mut journal = memory();
    for origin in ["a", "b"] {
        journal.begin_epoch(origin);
    }
    journal.append(b"one");
    journal.begin_epoch("c");
    journal.begin_epoch("d");
    journal.append(b"two");
    journal.commit().unwrap();
    let origin = |epoch| read(journal.disk().segments(epoch).as_slice()).unwrap().end.origin;
    assert_eq!((origin(1), origin(2)), ("b".to_owned(), "d".to_owned()));
    assert_eq!(journal.disk().last_epoch(), Some(2));
    journal.begin_epoch("not an origin");
    assert_eq!(journal.commit().unwrap_err().code(), "JOURNAL_ORIGIN");
}

#[test]
fn files_of_a_new_epoch_are_made_by_the_committer() {
    let scratch = Scratch::new("epochs");
    let root = scratch.path().join("epochs");
    let mut journal = Journal::create(FileDisk::open(&root).unwrap(), ORIGIN).unwrap();
    journal.append(b"one");
    journal.begin_epoch("portcullis/test/1");
    journal.append(b"two");
    assert!(!root.join("000001").exists());
    journal.commit().unwrap();
    let disk = journal.disk();
    assert_eq!(disk.last_epoch().unwrap(), Some(2));
    let second = read(disk.journal(2)).unwrap();
    assert_eq!((second.end.head, second.entries), (journal.head(), vec![b"two".to_vec()]));
    drop(journal);
    // What a crash leaves of a beginning is not an epoch.
    std::fs::create_dir_all(root.join("000003/journal")).unwrap();
    let disk = FileDisk::open(&root).unwrap();
    assert_eq!(disk.last_epoch().unwrap(), Some(2));
    let mut journal = Journal::open(disk, 2, &second.end).unwrap();
    journal.begin_epoch("portcullis/test/2");
    journal.append(b"three");
    journal.commit().unwrap();
    assert_eq!(journal.disk().last_epoch().unwrap(), Some(3));
}

#[test]
fn a_reader_follows_the_writer_up_to_what_is_durable() {
    let scratch = Scratch::new("follow");
    let root = scratch.path().join("epochs");
    let mut journal = Journal::create(FileDisk::open(&root).unwrap(), ORIGIN).unwrap();
    journal.append(b"0");
    journal.commit().unwrap();
    let mut reader = Reader::open(JournalFolder::of_epoch(&root, 1)).unwrap();
    let mut seen = Vec::new();
    for number in 1..40_u8 {
        let durable = Watermark(journal.mark().durable_epoch().size);
        while let Some(group) = reader.next_below(durable).unwrap() {
            assert_eq!(group.first_seq, len_u64(seen.len()));
            seen.extend(group.entries().map(|entry| entry[0]));
        }
        assert_eq!(len_u64(seen.len()), durable.0);
        // Long enough for the writer to go through segments, and a torn group that is none yet.
        let length = if number % 2 == 0 { 1 } else { ENTRY_BYTES_MAX };
        journal.append(&vec![number; length]);
        journal.commit().unwrap();
    }
    assert_eq!(seen[1..], (1..39).collect::<Vec<u8>>());
    assert!(reader.head().size < journal.head().size);
}
