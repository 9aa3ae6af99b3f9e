//! Segments: a group never spans two, a name comes last, and what is missing is noticed.

use super::*;

/// Nine segments' worth would be slow; entries of the greatest length fill two quickly.
fn two_segments() -> Journal<MemoryDisk> {
    let mut journal = memory();
    for letter in b'a'..=b'y' {
        journal.append(&vec![letter; ENTRY_BYTES_MAX]);
        journal.commit().unwrap();
    }
    journal
}

#[test]
fn a_journal_goes_on_in_the_next_segment() {
    let journal = two_segments();
    let segments = journal.disk().segments(1);
    assert_eq!(segments.len(), 2);
    assert!(segments.iter().all(|segment| len_u64(segment.len()) <= SEGMENT_BYTES));
    let (header, _) = SegmentHeader::decode(&segments[1]).unwrap();
    assert_eq!((header.segment, header.first_group, header.first_seq), (2, 15, 15));
    let recovered = read(segments.as_slice()).unwrap();
    assert_eq!(recovered.end.head, journal.head());
    assert_eq!((recovered.end.segment, recovered.end.groups), (2, 25));
}

#[test]
fn one_commit_may_fill_more_than_a_segment() {
    let mut journal = memory();
    for _ in 0..40 {
        journal.append(&vec![b'x'; ENTRY_BYTES_MAX]);
    }
    journal.commit().unwrap();
    let recovered = read(journal.disk().segments(1).as_slice()).unwrap();
    assert_eq!((recovered.end.head, recovered.end.segment), (journal.head(), 3));
}

/// The next spare is made behind the writer's back. Made before the present segment has its name,
/// it would be that same file, and wipe it.
#[test]
fn a_spare_is_never_made_in_place_of_a_segment_without_a_name() {
    let scratch = Scratch::new("spare");
    let root = scratch.path().join("epochs");
    let mut journal = Journal::create(FileDisk::open(&root).unwrap(), ORIGIN).unwrap();
    for _ in 0..3 {
        for _ in 0..12 {
            journal.append(&vec![b'x'; ENTRY_BYTES_MAX]);
        }
        journal.commit().unwrap();
    }
    let head = journal.head();
    drop(journal);
    let again = read(JournalFolder::of_epoch(&root, 1)).unwrap();
    assert_eq!((again.end.head, again.end.segment, again.end.torn_bytes), (head, 3, 0));
}

#[test]
fn a_missing_cut_or_exchanged_segment_is_damage() {
    let segments = two_segments().disk().segments(1);
    let reason = |segments: &[Vec<u8>]| {
        let damage = damage(read(segments).unwrap_err());
        (damage.segment, damage.reason)
    };
    assert_eq!(reason(&[]), (1, DamageReason::SegmentMissing));
    assert_eq!(reason(&segments[1..]), (1, DamageReason::Header));
    let twice = [segments[0].clone(), segments[0].clone()];
    assert_eq!(reason(&twice), (2, DamageReason::Header));
    let mut cut = segments.clone();
    let last = *group_offsets(&cut[0]).iter().rev().nth(1).unwrap();
    cut[0].truncate(last);
    assert_eq!(reason(&cut), (2, DamageReason::Header));
    // What looks torn is damage if a later segment is there.
    let mut torn = segments;
    torn[0][last + 512..last + 2_048].fill(0);
    assert_eq!(reason(&torn), (1, DamageReason::Entry));
}

#[test]
fn files_are_read_back_continued_and_kept_from_a_second_writer() {
    let scratch = Scratch::new("journal");
    let root = scratch.path().join("epochs");
    let mut journal = Journal::create(FileDisk::open(&root).unwrap(), ORIGIN).unwrap();
    assert_eq!(FileDisk::open(&root).unwrap_err().code(), "JOURNAL_LOCKED");
    journal.append(b"one");
    journal.commit().unwrap();
    drop(journal);
    let path = root.join(FIRST.path());
    let mut torn = std::fs::read(&path).unwrap();
    assert_eq!(len_u64(torn.len()), SEGMENT_BYTES, "made whole ahead");
    let at = group_offsets(torn.trim_ascii_end_zeros())[1];
    torn[600..608].copy_from_slice(b"behind a");
    std::fs::write(&path, &torn).unwrap();

    let disk = FileDisk::open(&root).unwrap();
    assert_eq!(disk.last_epoch().unwrap(), Some(1));
    let recovered = read(disk.journal(1)).unwrap();
    assert_eq!(recovered.end.origin, ORIGIN);
    assert_eq!(recovered.end.torn_bytes, len_u64(608 - at));
    let mut journal = Journal::open(disk, 1, &recovered.end).unwrap();
    assert_eq!(journal.mark().watermark(), Watermark(1));
    assert_eq!(journal.append(b"two"), Seq(1));
    assert_eq!(journal.commit().unwrap(), Watermark(2));
    let head = journal.head();
    let again = read(JournalFolder::of_epoch(&root, 1)).unwrap();
    assert_eq!((again.entries, again.end.head), (vec![b"one".to_vec(), b"two".to_vec()], head));
    assert_eq!(again.end.torn_bytes, 0);
}

trait TrimZeros {
    fn trim_ascii_end_zeros(&self) -> &[u8];
}

impl TrimZeros for Vec<u8> {
    fn trim_ascii_end_zeros(&self) -> &[u8] {
        &self[..=self.iter().rposition(|byte| *byte != 0).unwrap()]
    }
}

#[test]
fn a_link_is_no_segment() {
    let scratch = Scratch::new("link");
    let root = scratch.path().join("epochs");
    let mut journal = Journal::create(FileDisk::open(&root).unwrap(), ORIGIN).unwrap();
    journal.append(b"one");
    journal.commit().unwrap();
    drop(journal);
    let path = root.join(FIRST.path());
    std::fs::rename(&path, scratch.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(scratch.path().join("elsewhere"), &path).unwrap();
    let fault = read(JournalFolder::of_epoch(&root, 1)).unwrap_err();
    assert_eq!(fault.code(), "JOURNAL_UNREADABLE");
}
