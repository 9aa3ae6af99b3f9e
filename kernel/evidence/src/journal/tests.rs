//! The journal against torn writes, flipped bits, failing disks and false claims.

#![expect(clippy::arithmetic_side_effects, reason = "offsets of small test journals")]

use super::format::{GROUP_HEADER_LEN, GroupHeader, SegmentHeader};
use super::*;
use crate::bytes::len_u64;
use crate::disk::{Disk, DiskFault, DiskOperation, FileDisk, MemoryDisk, Place};
use crate::testing::{Generator, Scratch};

mod epochs;
mod golden;
mod losses;
mod room;
mod segments;

const ORIGIN: &str = "portcullis/test/0";
const FIRST: Place = Place { epoch: 1, segment: 1 };

fn memory() -> Journal<MemoryDisk> {
    Journal::create(MemoryDisk::new(), ORIGIN).unwrap()
}

/// The first segment of the first epoch.
fn bytes(journal: &Journal<MemoryDisk>) -> Vec<u8> {
    journal.disk().segment(FIRST).unwrap().to_vec()
}

/// Memory can always be read, so that a fault is damage.
fn damage(fault: ReadFault) -> Damage {
    match fault {
        ReadFault::Damage(damage) => damage,
        ReadFault::Disk(fault) => panic!("{fault}"),
    }
}

fn read_one(bytes: &[u8]) -> Result<Recovered, Damage> {
    super::read(&[bytes.to_vec()][..]).map_err(damage)
}

/// Three groups of 1, 3 and 2 entries.
fn small() -> Vec<u8> {
    let mut journal = memory();
    for group in [&["{\"a\":1}"][..], &["{}", "{\"b\":[]}", ""], &["{\"c\":2}", "{\"d\":3}"]] {
        for entry in group {
            journal.append(entry.as_bytes());
        }
        journal.commit().unwrap();
    }
    bytes(&journal)
}

/// Offsets at which the groups of `bytes` begin, and the end.
fn group_offsets(bytes: &[u8]) -> Vec<usize> {
    let (_, header_len) = SegmentHeader::decode(bytes).unwrap();
    let mut offsets = vec![header_len];
    while *offsets.last().unwrap() < bytes.len() {
        let at = *offsets.last().unwrap();
        offsets.push(at + GroupHeader::decode(&bytes[at..]).unwrap().group_len());
    }
    offsets
}

fn code(bytes: &[u8]) -> &'static str {
    read_one(bytes).unwrap_err().code()
}

/// Replaces the header of the group at `at` by an altered one with right checksums.
fn forge(bytes: &[u8], at: usize, change: impl Fn(&mut GroupHeader)) -> Vec<u8> {
    let mut header = GroupHeader::decode(&bytes[at..]).unwrap();
    let payload = at + GROUP_HEADER_LEN;
    let payload = payload..payload + usize::try_from(header.payload_len).unwrap();
    change(&mut header);
    let mut forged = bytes.to_vec();
    forged[at..at + GROUP_HEADER_LEN].copy_from_slice(&header.encode(&bytes[payload]));
    forged
}

#[test]
fn what_was_written_is_read_back() {
    let bytes = small();
    let recovered = read_one(&bytes).unwrap();
    let texts: Vec<_> = recovered.entries.iter().map(|e| std::str::from_utf8(e).unwrap()).collect();
    let end = &recovered.end;
    assert_eq!(texts, ["{\"a\":1}", "{}", "{\"b\":[]}", "", "{\"c\":2}", "{\"d\":3}"]);
    assert_eq!((end.origin.as_str(), end.groups, end.head.size), (ORIGIN, 3, 6));
    assert_eq!((end.kept_bytes, end.torn_bytes), (len_u64(bytes.len()), 0));
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = small();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let damage = read_one(&flipped).expect_err(&format!("bit {bit}"));
        // A wrong length of the origin is noticed where the header would then end.
        let noticed_later = damage.reason == DamageReason::HeaderCut;
        assert!(noticed_later || damage.offset <= len_u64(bit / 8), "bit {bit}: {damage}");
    }
}

#[test]
fn a_flipped_bit_in_an_entry_names_the_entry() {
    let bytes = small();
    let third = group_offsets(&bytes)[1] + GROUP_HEADER_LEN + (8 + 2) + 8 + 3;
    let mut flipped = bytes;
    flipped[third] ^= 1;
    let damage = read_one(&flipped).unwrap_err();
    assert_eq!((damage.group, damage.entry, damage.reason), (1, 2, DamageReason::Entry));
}

#[test]
fn a_cut_anywhere_leaves_whole_groups_and_is_counted() {
    let bytes = small();
    let offsets = group_offsets(&bytes);
    let sizes = [0, 1, 4, 6];
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        if length < offsets[1] {
            // A segment has no name before its first group is durable.
            let expect = if length < offsets[0] { "JOURNAL_TRUNCATED" } else { "JOURNAL_DAMAGED" };
            assert_eq!(code(cut), expect, "length {length}");
            continue;
        }
        let whole = offsets.iter().filter(|offset| **offset <= length).count() - 1;
        let end = read_one(cut).unwrap().end;
        assert_eq!(end.head.size, sizes[whole], "length {length}");
        assert_eq!(end.kept_bytes, len_u64(offsets[whole]));
        let last = cut.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        assert_eq!(end.torn_bytes, len_u64(last - offsets[whole]));
    }
}

/// What a checkpoint, an approval or a seal binds is found again by size and root; nothing inside
/// the files can say that a journal was cut at a group's end or written anew.
#[test]
fn a_cut_or_another_journal_has_not_the_root_that_somebody_knows() {
    let bytes = small();
    let whole = read_one(&bytes).unwrap();
    let Head { size, root } = whole.end.head;
    assert_eq!(whole.root_at(size), Some(root));
    for end in [group_offsets(&bytes)[1], group_offsets(&bytes)[2]] {
        assert_eq!(read_one(&bytes[..end]).unwrap().root_at(size), None);
    }
    let mut other = memory();
    for _ in 0..9 {
        other.append(b"{}");
    }
    other.commit().unwrap();
    let other = read_one(&super::tests::bytes(&other)).unwrap();
    assert!(other.root_at(size).is_some_and(|found| found != root));
}

/// A journal of these entries, each in a group of its own, and where the groups begin.
fn groups_of(entries: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
    let mut journal = memory();
    for entry in entries {
        journal.append(entry);
        journal.commit().unwrap();
    }
    let bytes = bytes(&journal);
    let offsets = group_offsets(&bytes);
    (bytes, offsets)
}

/// A last group of several sectors of which any one was lost is torn, not damaged.
#[test]
fn a_sector_that_never_reached_the_disk_is_a_torn_tail() {
    let (bytes, offsets) = groups_of(&[b"kept", &[b'x'; 3_000]]);
    let durable = offsets[1];
    for sector in (0..bytes.len()).step_by(512) {
        let (start, end) = (sector.max(durable), (sector + 512).min(bytes.len()));
        if start >= end {
            continue;
        }
        let mut lost = bytes.clone();
        lost[start..end].fill(0);
        let recovered = read_one(&lost).unwrap();
        assert_eq!(recovered.entries, [b"kept"], "sector at {sector}");
        let written = lost.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        assert_eq!(recovered.end.torn_bytes, len_u64(written - durable));
    }
    let mut extended = bytes[..durable].to_vec();
    extended.resize(durable + 5_000, 0);
    let recovered = read_one(&extended).unwrap();
    assert_eq!((recovered.entries, recovered.end.torn_bytes), (vec![b"kept".to_vec()], 0));
}

#[test]
fn a_lost_sector_below_the_watermark_is_damage() {
    let (bytes, offsets) = groups_of(&[b"first", &[b'x'; 3_000], b"later"]);
    for sector in [512, 1_024, 2_560] {
        let mut lost = bytes.clone();
        lost[sector..sector + 512].fill(0);
        let damage = read_one(&lost).unwrap_err();
        assert_eq!((damage.group, damage.reason), (1, DamageReason::DurableLost));
    }
    let mut lost = bytes;
    lost[offsets[1]..512].fill(0);
    assert_eq!(read_one(&lost).unwrap_err().reason, DamageReason::DurableLost);
}

/// Three groups written by one commit: losing the first is a torn tail, for none was durable.
#[test]
fn a_lost_sector_above_the_watermark_cuts_all_that_was_not_durable() {
    let mut journal = memory();
    journal.append(b"kept");
    journal.commit().unwrap();
    let durable = bytes(&journal).len();
    let entry = vec![b'x'; ENTRY_BYTES_MAX];
    for _ in 0..9 {
        journal.append(&entry);
    }
    journal.commit().unwrap();
    let mut bytes = bytes(&journal);
    assert_eq!(read_one(&bytes).unwrap().end.groups, 4);
    bytes[1_024..1_536].fill(0);
    let recovered = read_one(&bytes).unwrap();
    assert_eq!((recovered.entries.len(), recovered.end.kept_bytes), (1, len_u64(durable)));
}

#[test]
fn false_claims_with_right_checksums_are_refused() {
    let bytes = small();
    let at = group_offsets(&bytes)[2];
    let check = |change: fn(&mut GroupHeader), expect: DamageReason| {
        let damage = read_one(&forge(&bytes, at, change)).unwrap_err();
        assert_eq!((damage.group, damage.entry, damage.reason), (2, 4, expect));
    };
    check(|h| h.durable_before = 5, DamageReason::Watermark { claimed: 5 });
    check(|h| h.durable_before = 0, DamageReason::Watermark { claimed: 0 });
    check(|h| h.number = 3, DamageReason::Sequence);
    check(|h| h.first_seq = 3, DamageReason::Sequence);
    check(|h| h.count = 0, DamageReason::Sequence);
    check(|h| h.count = 1, DamageReason::Sequence);
    check(|h| h.count = 3, DamageReason::Sequence);
    check(|h| h.root_before.0[0] ^= 1, DamageReason::Root);
    check(|h| h.version = 2, DamageReason::Version { found: 2 });
    let doubled = [&bytes[..], &bytes[at..]].concat();
    assert_eq!(read_one(&doubled).unwrap_err().reason, DamageReason::Sequence);
    let without_second = [&bytes[..group_offsets(&bytes)[1]], &bytes[at..]].concat();
    assert_eq!(read_one(&without_second).unwrap_err().reason, DamageReason::Sequence);
    assert_eq!(code(&[&bytes[..], b"junk"].concat()), "JOURNAL_DAMAGED");
}

#[test]
fn foreign_headers_have_codes_of_their_own() {
    let check = |change: fn(&mut Vec<u8>), expect: &str| {
        let mut bytes = small();
        change(&mut bytes);
        assert_eq!(code(&bytes), expect);
    };
    check(|b| b[0] = b'X', "JOURNAL_DAMAGED");
    check(|b| b[9] = 2, "JOURNAL_VERSION");
    check(|b| b[12] = b' ', "JOURNAL_ORIGIN");
    check(|b| b[12] = b'q', "JOURNAL_DAMAGED");
    check(|b| b.truncate(3), "JOURNAL_TRUNCATED");
    for bad in ["", "a b", "a\n", "ä", &"x".repeat(256)] {
        let refusal = Journal::create(MemoryDisk::new(), bad).unwrap_err();
        assert_eq!(refusal.code(), "JOURNAL_ORIGIN");
    }
}

#[test]
fn an_empty_commit_writes_nothing() {
    let mut journal = memory();
    assert_eq!(journal.commit().unwrap(), Watermark(0));
    assert_eq!(journal.disk().segment(FIRST), None);
}

/// Fails its n-th operation and only that one.
#[derive(Debug)]
struct FailingDisk {
    inner: MemoryDisk,
    operations_left: u32,
}

impl FailingDisk {
    fn failing(operations_left: u32) -> Self {
        Self { inner: MemoryDisk::new(), operations_left }
    }

    fn count(&mut self, operation: DiskOperation) -> Result<(), DiskFault> {
        self.operations_left = self.operations_left.wrapping_sub(1);
        if self.operations_left == 0 {
            return Err(DiskFault::new(operation, &std::io::Error::other("planted")));
        }
        Ok(())
    }
}

impl Disk for FailingDisk {
    fn prepare(&mut self) {}
    fn is_prepared(&mut self, wait: bool) -> Result<bool, DiskFault> {
        self.inner.is_prepared(wait)
    }
    fn take_spare(&mut self) -> Result<(), DiskFault> {
        self.count(DiskOperation::Prepare)?;
        self.inner.take_spare()
    }
    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        self.inner.open(place)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        self.count(DiskOperation::Write)?;
        self.inner.write_at(offset, bytes)
    }
    fn sync(&mut self) -> Result<(), DiskFault> {
        self.count(DiskOperation::Sync)?;
        self.inner.sync()
    }
    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        self.count(DiskOperation::Name)?;
        self.inner.give_name(place)
    }
}

#[test]
fn a_failed_write_or_sync_ends_the_journal_although_the_disk_would_work_again() {
    use DiskOperation::{Name, Prepare, Sync, Write};
    // The first commit takes a spare, writes header and group, syncs, and gives the name.
    let all = [(1, Prepare), (2, Write), (3, Write), (4, Sync), (5, Name), (6, Write), (7, Sync)];
    for (failing, operation) in all {
        let mut journal = Journal::create(FailingDisk::failing(failing), ORIGIN).unwrap();
        let mut pending = journal.append_with(b"x", ());
        if failing > 5 {
            journal.commit().unwrap();
            pending = journal.append_with(b"y", ());
        }
        let fault = journal.commit().unwrap_err();
        let code = if operation == Prepare { "EVIDENCE_FULL" } else { "EVIDENCE_UNWRITABLE" };
        assert_eq!(fault.code(), code);
        assert!(matches!(&fault, JournalFault::Disk(disk) if disk.operation == operation));
        assert!(journal.release(pending).is_err());
        let left = journal.disk().operations_left;
        journal.append(b"z");
        assert_eq!(journal.commit().unwrap_err(), fault);
        assert_eq!(journal.disk().operations_left, left, "the disk is not asked again");
        assert!(journal.mark().is_poisoned());
    }
}

#[test]
fn an_entry_that_is_too_large_ends_the_journal() {
    let mut journal = memory();
    journal.append(&vec![b'x'; ENTRY_BYTES_MAX]);
    journal.commit().unwrap();
    assert_eq!(journal.append(&vec![b'x'; ENTRY_BYTES_MAX + 1]), Seq(1));
    assert_eq!(journal.append(b"later"), Seq(2));
    assert_eq!(journal.commit().unwrap_err().code(), "JOURNAL_ENTRY_TOO_LARGE");
    assert_eq!(read_one(&bytes(&journal)).unwrap().end.head.size, 1);
}

#[test]
fn groups_out_of_order_end_the_journal() {
    let (mut appender, mut committer) = memory().split();
    appender.append(b"1");
    let first = appender.take().unwrap().unwrap();
    appender.append(b"2");
    let second = appender.take().unwrap().unwrap();
    assert_eq!(committer.commit(&second).unwrap_err().code(), "JOURNAL_ORDER");
    assert_eq!(committer.commit(&first).unwrap_err().code(), "JOURNAL_ORDER");
}

/// Groups taken ahead of the disk claim less than what precedes them; the reader accepts that.
#[test]
fn the_appender_may_run_ahead_of_the_disk() {
    let (mut appender, mut committer) = memory().split();
    let ahead: Vec<_> = (0..3_u8)
        .map(|n| {
            appender.append(&[n]);
            appender.take().unwrap().unwrap()
        })
        .collect();
    for groups in &ahead {
        assert_eq!(committer.commit(groups).unwrap(), groups.end());
    }
    let bytes = committer.disk().segment(FIRST).unwrap();
    assert_eq!(read_one(bytes).unwrap().end.head, appender.head());
}

#[test]
fn random_journals_survive_random_damage_without_a_panic() {
    let mut random = Generator::new(7);
    for round in 0..2_000 {
        let mut bytes = small();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                2 => bytes.insert(at, 0),
                _ => drop(bytes.remove(at)),
            }
        }
        let original = small();
        if let Ok(recovered) = read_one(&bytes) {
            let kept = usize::try_from(recovered.end.kept_bytes).unwrap();
            assert_eq!(bytes[..kept], original[..kept], "round {round}");
        }
    }
}
