//! A full disk is noticed while there is still room for the last words.

use super::*;

/// A disk that can make so many segments and no more.
#[derive(Debug)]
struct SmallDisk {
    inner: MemoryDisk,
    segments_left: u32,
    prepared: Option<Result<bool, DiskFault>>,
}

impl SmallDisk {
    fn made(&self) -> Result<bool, DiskFault> {
        self.prepared.clone().unwrap_or(Ok(false))
    }
}

impl Disk for SmallDisk {
    fn prepare(&mut self) {
        if self.prepared.is_none() {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            let left = self.segments_left.checked_sub(1);
            self.segments_left = left.unwrap_or(0);
            let made = left.map(|_| true);
            self.prepared = Some(made.ok_or(DiskFault::new(DiskOperation::Prepare, &full)));
        }
    }
    fn is_prepared(&mut self, _: bool) -> Result<bool, DiskFault> {
        self.made()
    }
    fn take_spare(&mut self) -> Result<(), DiskFault> {
        self.prepare();
        self.made()?;
        self.prepared = None;
        self.inner.take_spare()
    }
    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        self.inner.open(place)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        self.inner.write_at(offset, bytes)
    }
    fn sync(&mut self) -> Result<(), DiskFault> {
        self.inner.sync()
    }
    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        self.inner.give_name(place)
    }
}

#[test]
fn a_full_disk_is_known_while_half_a_segment_is_left() {
    let disk = SmallDisk { inner: MemoryDisk::new(), segments_left: 1, prepared: None };
    let (mut appender, mut committer) = Journal::create(disk, ORIGIN).unwrap().split();
    let mut room_left = None;
    let fault = loop {
        appender.append(&[b'x'; 512 * 1024]);
        let groups = appender.take().unwrap().unwrap();
        if let Err(fault) = committer.commit(&groups) {
            break fault;
        }
        if !committer.has_room() && room_left.is_none() {
            room_left =
                Some(SEGMENT_BYTES - len_u64(committer.disk().inner.segment(FIRST).unwrap().len()));
        }
    };
    assert_eq!(fault.code(), "EVIDENCE_FULL");
    assert!(room_left.unwrap() > 7 * 1024 * 1024, "{room_left:?}");
}
