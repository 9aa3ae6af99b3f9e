//! The folder of all epochs.

use super::*;
use crate::testing::Scratch;

#[test]
fn a_spare_that_cannot_be_made_is_a_full_disk_and_stays_one() {
    let scratch = Scratch::new("spare");
    let root = scratch.path().join("epochs");
    let mut disk = FileDisk::open(&root).unwrap();
    std::fs::create_dir(root.join("spare.partial")).unwrap();
    disk.prepare();
    assert_eq!(disk.is_prepared(true).unwrap_err().code(), "EVIDENCE_FULL");
    std::fs::remove_dir(root.join("spare.partial")).unwrap();
    disk.prepare();
    assert_eq!(disk.take_spare().unwrap_err().code(), "EVIDENCE_FULL");
}

#[test]
fn a_name_that_is_taken_is_not_replaced() {
    let scratch = Scratch::new("taken");
    let root = scratch.path().join("epochs");
    let mut disk = FileDisk::open(&root).unwrap();
    let place = Place { epoch: 3, segment: 2 };
    for taken in [false, true] {
        disk.take_spare().unwrap();
        disk.write_at(0, b"x").unwrap();
        disk.sync().unwrap();
        assert_eq!(disk.give_name(place).is_err(), taken);
    }
    assert_eq!(place.path(), "000003/journal/000002.journal");
    assert_eq!(disk.last_epoch().unwrap(), Some(3));
}

#[test]
fn writing_without_a_segment_is_a_fault() {
    let scratch = Scratch::new("none");
    let mut disk = FileDisk::open(&scratch.path().join("epochs")).unwrap();
    assert_eq!(disk.write_at(0, b"x").unwrap_err().code(), "EVIDENCE_UNWRITABLE");
    assert_eq!(disk.open(Place { epoch: 1, segment: 1 }).unwrap_err().code(), "JOURNAL_UNREADABLE");
}
