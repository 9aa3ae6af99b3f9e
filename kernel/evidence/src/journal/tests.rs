//! The journal against torn writes, flipped bits, failing disks and false claims.

#![expect(clippy::arithmetic_side_effects, reason = "offsets of small test journals")]

use super::format::{GROUP_HEADER_LEN, GroupHeader, file_header};
use super::*;
use crate::bytes::len_u64;
use crate::disk::{Disk, DiskFault, DiskOperation, FileDisk, MemoryDisk};
use crate::testing::{Generator, Scratch};

const ORIGIN: &str = "portcullis/test/0";

/// Three groups of 1, 3 and 2 entries.
fn small() -> Vec<u8> {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    for group in [&["{\"a\":1}"][..], &["{}", "{\"b\":[]}", ""], &["{\"c\":2}", "{\"d\":3}"]] {
        for entry in group {
            journal.append(entry.as_bytes());
        }
        journal.commit().unwrap();
    }
    journal.disk().bytes().to_vec()
}

/// Offsets at which the groups of `bytes` begin, and the end.
fn group_offsets(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = vec![file_header(ORIGIN).len()];
    while *offsets.last().unwrap() < bytes.len() {
        let at = *offsets.last().unwrap();
        let header = GroupHeader::decode(&bytes[at..]).unwrap();
        let payload = usize::try_from(header.payload_len).unwrap();
        offsets.push(at + GROUP_HEADER_LEN + payload + 4);
    }
    offsets
}

fn code(bytes: &[u8]) -> &'static str {
    read(bytes).unwrap_err().code()
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
    let recovered = read(&bytes).unwrap();
    let texts: Vec<_> = recovered.entries.iter().map(|e| std::str::from_utf8(e).unwrap()).collect();
    assert_eq!(texts, ["{\"a\":1}", "{}", "{\"b\":[]}", "", "{\"c\":2}", "{\"d\":3}"]);
    assert_eq!((recovered.origin, recovered.groups, recovered.head.size), (ORIGIN, 3, 6));
    assert_eq!((recovered.kept_bytes, recovered.torn_bytes_cut), (len_u64(bytes.len()), 0));
}

#[test]
fn the_bytes_of_version_one_never_change() {
    let bytes = small();
    assert_eq!(bytes.len(), 358);
    assert_eq!(
        crate::Digest::of(&bytes).hex(),
        "2089a40346eab96aaf1aaf2678231d0ca5175096a95a6fc4205a274b65f62506"
    );
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = small();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let damage = read(&flipped).expect_err(&format!("bit {bit}"));
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
    let damage = read(&flipped).unwrap_err();
    assert_eq!((damage.group, damage.entry, damage.reason), (1, 2, DamageReason::Entry));
}

#[test]
fn a_cut_anywhere_leaves_whole_groups_and_is_counted() {
    let bytes = small();
    let offsets = group_offsets(&bytes);
    let sizes = [0, 1, 4, 6];
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        if length < offsets[0] {
            assert_eq!(code(cut), "JOURNAL_TRUNCATED", "length {length}");
            continue;
        }
        let whole = offsets.iter().filter(|offset| **offset <= length).count() - 1;
        let recovered = read(cut).unwrap();
        assert_eq!(recovered.head.size, sizes[whole], "length {length}");
        assert_eq!(recovered.kept_bytes, len_u64(offsets[whole]));
        assert_eq!(recovered.torn_bytes_cut, len_u64(length - offsets[whole]));
    }
}

#[test]
fn a_cut_that_somebody_outside_knows_of_is_refused() {
    let bytes = small();
    let head = read(&bytes).unwrap().head;
    let anchor = Anchor { origin: ORIGIN, size: head.size, chain: head.chain };
    read(&bytes).unwrap().require_anchor(&anchor).unwrap();
    for end in group_offsets(&bytes).into_iter().take(3) {
        let refusal = read(&bytes[..end]).unwrap().require_anchor(&anchor).unwrap_err();
        assert_eq!(refusal.code(), "JOURNAL_TRUNCATED");
    }
    let mut other = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    for _ in 0..9 {
        other.append(b"{}");
    }
    other.commit().unwrap();
    let other = read(other.disk().bytes()).unwrap();
    assert_eq!(other.require_anchor(&anchor).unwrap_err().reason, DamageReason::Forked);
    let elsewhere = Anchor { origin: "elsewhere", ..anchor };
    let refusal = read(&bytes).unwrap().require_anchor(&elsewhere).unwrap_err();
    assert_eq!(refusal.code(), "JOURNAL_ORIGIN");
    let prefix = read(&bytes).unwrap().chain_at(4).unwrap();
    let earlier = Anchor { origin: ORIGIN, size: 4, chain: prefix };
    read(&bytes).unwrap().require_anchor(&earlier).unwrap();
}

/// A last group of several sectors of which any one was lost is torn, not damaged.
#[test]
fn a_sector_that_never_reached_the_disk_is_a_torn_tail() {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    journal.append(b"kept");
    journal.commit().unwrap();
    let durable = journal.disk().bytes().len();
    journal.append(&[b'x'; 3_000]);
    journal.commit().unwrap();
    let bytes = journal.disk().bytes().to_vec();
    for sector in (0..bytes.len()).step_by(512) {
        let (start, end) = (sector.max(durable), (sector + 512).min(bytes.len()));
        if start >= end {
            continue;
        }
        let mut lost = bytes.clone();
        lost[start..end].fill(0);
        let recovered = read(&lost).unwrap();
        assert_eq!(recovered.entries, [b"kept"], "sector at {sector}");
        assert_eq!(recovered.torn_bytes_cut, len_u64(bytes.len() - durable));
    }
    let mut extended = bytes[..durable].to_vec();
    extended.resize(durable + 5_000, 0);
    assert_eq!(read(&extended).unwrap().entries, [b"kept"]);
}

#[test]
fn a_lost_sector_below_the_watermark_is_damage() {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    for entry in [&[b'x'; 3_000][..], b"later"] {
        journal.append(entry);
        journal.commit().unwrap();
    }
    let bytes = journal.disk().bytes().to_vec();
    for sector in [512, 1_024, 2_560] {
        let mut lost = bytes.clone();
        lost[sector..sector + 512].fill(0);
        let damage = read(&lost).unwrap_err();
        assert_eq!((damage.group, damage.reason), (0, DamageReason::DurableLost));
    }
    let header_at = file_header(ORIGIN).len();
    let mut lost = bytes;
    lost[header_at..512].fill(0);
    assert_eq!(read(&lost).unwrap_err().reason, DamageReason::DurableLost);
}

/// Two groups written by one commit: losing the first is a torn tail, for neither was durable.
#[test]
fn a_lost_sector_above_the_watermark_cuts_all_that_was_not_durable() {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    journal.append(b"kept");
    journal.commit().unwrap();
    let durable = journal.disk().bytes().len();
    let entry = vec![b'x'; ENTRY_BYTES_MAX];
    for _ in 0..17 {
        journal.append(&entry);
    }
    journal.commit().unwrap();
    let mut bytes = journal.disk().bytes().to_vec();
    assert_eq!(read(&bytes).unwrap().groups, 3);
    bytes[1_024..1_536].fill(0);
    let recovered = read(&bytes).unwrap();
    assert_eq!((recovered.entries.len(), recovered.kept_bytes), (1, len_u64(durable)));
}

#[test]
fn false_claims_with_right_checksums_are_refused() {
    let bytes = small();
    let at = group_offsets(&bytes)[2];
    let check = |change: fn(&mut GroupHeader), expect: DamageReason| {
        let damage = read(&forge(&bytes, at, change)).unwrap_err();
        assert_eq!((damage.group, damage.entry, damage.reason), (2, 4, expect));
    };
    check(|h| h.durable_before = 5, DamageReason::Watermark { claimed: 5 });
    check(|h| h.durable_before = 0, DamageReason::Watermark { claimed: 0 });
    check(|h| h.number = 3, DamageReason::Sequence);
    check(|h| h.first_seq = 3, DamageReason::Sequence);
    check(|h| h.count = 0, DamageReason::Sequence);
    check(|h| h.count = 1, DamageReason::Sequence);
    check(|h| h.count = 3, DamageReason::Sequence);
    check(|h| h.chain_before.0[0] ^= 1, DamageReason::Chain);
    check(|h| h.version = 2, DamageReason::Version { found: 2 });
    let doubled = [&bytes[..], &bytes[at..]].concat();
    assert_eq!(read(&doubled).unwrap_err().reason, DamageReason::Sequence);
    let without_second = [&bytes[..group_offsets(&bytes)[1]], &bytes[at..]].concat();
    assert_eq!(read(&without_second).unwrap_err().reason, DamageReason::Sequence);
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
fn an_opened_journal_continues_the_chain() {
    let scratch = Scratch::new("journal");
    let path = scratch.path().join("j");
    let mut journal = Journal::create(FileDisk::create(&path).unwrap(), ORIGIN).unwrap();
    journal.append(b"one");
    journal.commit().unwrap();
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"PCGR torn"].concat()).unwrap();

    let disk = FileDisk::open(&path).unwrap();
    let bytes = disk.contents().unwrap();
    let recovered = read(&bytes).unwrap();
    recovered.require_origin(ORIGIN).unwrap();
    assert_eq!(recovered.torn_bytes_cut, 9);
    let mut journal = Journal::open(disk, &recovered).unwrap();
    assert_eq!(journal.mark().watermark(), Watermark(1));
    assert_eq!(journal.append(b"two"), Seq(1));
    assert_eq!(journal.commit().unwrap(), Watermark(2));
    let head = journal.head();

    let bytes = std::fs::read(&path).unwrap();
    let again = read(&bytes).unwrap();
    assert_eq!((again.entries, again.head, again.groups), (vec![&b"one"[..], b"two"], head, 2));
}

#[test]
fn an_empty_commit_writes_nothing() {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    let before = journal.disk().bytes().len();
    assert_eq!(journal.commit().unwrap(), Watermark(0));
    assert_eq!(journal.disk().bytes().len(), before);
}

/// Fails its n-th operation and only that one.
#[derive(Debug)]
struct FailingDisk {
    inner: MemoryDisk,
    operations_left: u32,
}

impl FailingDisk {
    fn count(&mut self, operation: DiskOperation) -> Result<(), DiskFault> {
        self.operations_left = self.operations_left.wrapping_sub(1);
        if self.operations_left == 0 {
            return Err(DiskFault::new(operation, &std::io::Error::other("planted")));
        }
        Ok(())
    }
}

impl Disk for FailingDisk {
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskFault> {
        self.count(DiskOperation::Append)?;
        self.inner.append(bytes)
    }
    fn sync(&mut self) -> Result<(), DiskFault> {
        self.count(DiskOperation::Sync)?;
        self.inner.sync()
    }
    fn cut_to(&mut self, length: u64) -> Result<(), DiskFault> {
        self.inner.cut_to(length)
    }
}

#[test]
fn a_failed_write_or_sync_ends_the_journal_although_the_disk_would_work_again() {
    // Creating takes an append and a sync, each commit too.
    for (failing, operation) in [(3, DiskOperation::Append), (4, DiskOperation::Sync)] {
        let disk = FailingDisk { inner: MemoryDisk::new(), operations_left: failing };
        let mut journal = Journal::create(disk, ORIGIN).unwrap();
        let pending = journal.append_with(b"x", ());
        let fault = journal.commit().unwrap_err();
        assert_eq!(fault.code(), "EVIDENCE_UNWRITABLE");
        assert!(matches!(&fault, JournalFault::Disk(disk) if disk.operation == operation));
        assert!(journal.release(pending).is_err());
        let left = journal.disk().operations_left;
        assert_eq!(journal.append(b"y"), Seq(1));
        assert_eq!(journal.commit().unwrap_err(), fault);
        assert_eq!(journal.disk().operations_left, left, "the disk is not asked again");
        assert!(journal.mark().is_poisoned());
    }
    for failing in [1, 2] {
        let disk = FailingDisk { inner: MemoryDisk::new(), operations_left: failing };
        assert_eq!(Journal::create(disk, ORIGIN).unwrap_err().code(), "EVIDENCE_UNWRITABLE");
    }
}

#[test]
fn an_entry_that_is_too_large_ends_the_journal() {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    journal.append(&vec![b'x'; ENTRY_BYTES_MAX]);
    journal.commit().unwrap();
    journal.append(&vec![b'x'; ENTRY_BYTES_MAX + 1]);
    assert_eq!(journal.commit().unwrap_err().code(), "JOURNAL_ENTRY_TOO_LARGE");
    assert_eq!(read(journal.disk().bytes()).unwrap().head.size, 1);
}

#[test]
fn groups_out_of_order_end_the_journal() {
    let (mut appender, mut committer) = Journal::create(MemoryDisk::new(), ORIGIN).unwrap().split();
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
    let (mut appender, mut committer) = Journal::create(MemoryDisk::new(), ORIGIN).unwrap().split();
    let ahead: Vec<_> = (0..3_u8)
        .map(|n| {
            appender.append(&[n]);
            appender.take().unwrap().unwrap()
        })
        .collect();
    for groups in &ahead {
        assert_eq!(committer.commit(groups).unwrap(), groups.end());
    }
    assert_eq!(read(committer.disk().bytes()).unwrap().head, appender.head());
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
        if let Ok(recovered) = read(&bytes) {
            let kept = usize::try_from(recovered.kept_bytes).unwrap();
            assert_eq!(bytes[..kept], original[..kept], "round {round}");
        }
    }
}
