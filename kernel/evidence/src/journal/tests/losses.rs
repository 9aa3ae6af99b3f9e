//! Power cuts: of what was not synced, any sector may be there or not, and a name that is being
//! given too. Nothing acknowledged is ever lost, nothing comes twice, and nothing looks damaged.

use std::collections::BTreeMap;

use super::*;

const SECTOR: usize = 512;
const LOSSES: u32 = 240;

/// Bytes, and what the sectors that are not synced held when they last were.
#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    unsynced: BTreeMap<usize, Vec<u8>>,
}

impl Platter {
    fn write(&mut self, at: usize, new: &[u8]) {
        let end = at + new.len();
        self.bytes.resize(self.bytes.len().max(end.next_multiple_of(SECTOR)), 0);
        for sector in at / SECTOR..end.div_ceil(SECTOR) {
            let old = &self.bytes[sector * SECTOR..][..SECTOR];
            self.unsynced.entry(sector).or_insert_with(|| old.to_vec());
        }
        self.bytes[at..end].copy_from_slice(new);
    }

    /// Each sector that was not synced keeps its new bytes, or has its old ones again.
    fn lose(&mut self, keeps: &mut dyn FnMut() -> bool) {
        for (sector, old) in std::mem::take(&mut self.unsynced) {
            if !keeps() {
                self.bytes[sector * SECTOR..][..SECTOR].copy_from_slice(&old);
            }
        }
    }
}

/// A disk that is cut off from power at one of its operations.
#[derive(Debug)]
struct LossyDisk {
    named: BTreeMap<Place, Platter>,
    present: Option<Place>,
    spare: Platter,
    operations_left: usize,
    random: Generator,
}

impl LossyDisk {
    fn segments(&self) -> Vec<Vec<u8>> {
        self.named.values().map(|platter| platter.bytes.clone()).collect()
    }

    fn platter(&mut self) -> &mut Platter {
        let named = self.present.and_then(|place| self.named.get_mut(&place));
        named.unwrap_or(&mut self.spare)
    }

    /// `false` once the power is gone.
    fn has_power(&mut self) -> bool {
        self.operations_left = self.operations_left.saturating_sub(1);
        self.operations_left > 0
    }

    /// The power comes back after a cut, at the next of so many operations.
    fn cut_power(&mut self, operations: usize) {
        let chance = self.random.below(101);
        let random = &mut self.random;
        for platter in self.named.values_mut() {
            platter.lose(&mut || random.below(100) < chance);
        }
        self.spare = Platter::default();
        self.present = None;
        self.operations_left = operations;
    }
}

fn no_power(operation: DiskOperation) -> DiskFault {
    DiskFault::new(operation, &std::io::Error::other("no power"))
}

impl Disk for &mut LossyDisk {
    fn prepare(&mut self) {}
    fn is_prepared(&mut self, _: bool) -> Result<bool, DiskFault> {
        Ok(true)
    }
    fn take_spare(&mut self) -> Result<(), DiskFault> {
        (self.spare, self.present) = (Platter::default(), None);
        self.has_power().then_some(()).ok_or(no_power(DiskOperation::Prepare))
    }
    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        self.present = Some(place);
        self.sync()
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        let has_power = self.has_power();
        let at = usize::try_from(offset).unwrap();
        // What is written when the power goes may be on its way in part; the operating system
        // copies whole pages.
        let end = (at + self.random.below(bytes.len() + 1)) / SECTOR * SECTOR;
        let written = if has_power { bytes.len() } else { end.saturating_sub(at) };
        self.platter().write(at, &bytes[..written]);
        has_power.then_some(()).ok_or(no_power(DiskOperation::Write))
    }
    fn sync(&mut self) -> Result<(), DiskFault> {
        if !self.has_power() {
            return Err(no_power(DiskOperation::Sync));
        }
        self.platter().unsynced.clear();
        Ok(())
    }
    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        let has_power = self.has_power();
        if has_power || self.random.below(2) == 0 {
            let spare = std::mem::take(&mut self.spare);
            if !spare.unsynced.is_empty() {
                return Err(no_power(DiskOperation::Create));
            }
            self.named.insert(place, spare);
            self.present = Some(place);
        }
        has_power.then_some(()).ok_or(no_power(DiskOperation::Name))
    }
}

/// Entry `number`, which tells its own number and length.
fn entry(number: u64, random: &mut Generator) -> Vec<u8> {
    let length = match random.below(40) {
        0 => 200_000 + random.below(800_000),
        1..10 => random.below(5_000),
        _ => random.below(300),
    };
    let mut bytes = format!("{number}:{length}:").into_bytes();
    bytes.resize(bytes.len() + length, b'x');
    bytes
}

fn check(number: usize, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut parts = text.splitn(3, ':');
    assert_eq!(parts.next().unwrap(), number.to_string());
    let length: usize = parts.next().unwrap().parse().unwrap();
    assert_eq!(parts.next().unwrap(), "x".repeat(length));
}

#[test]
fn no_loss_of_unsynced_sectors_takes_what_was_acknowledged() {
    let (mut losses, mut torn, mut cut) = (0, 0, 0_u64);
    for seed in 1.. {
        let mut random = Generator::new(seed);
        let mut disk = LossyDisk {
            named: BTreeMap::new(),
            present: None,
            spare: Platter::default(),
            operations_left: 1 + random.below(60),
            random: Generator::new(seed + 1_000),
        };
        let mut acknowledged = 0;
        // The same disk, cut again and again, also while it is being opened.
        for _ in 0..8 {
            let journal = if disk.named.is_empty() {
                assert_eq!(acknowledged, 0, "seed {seed}");
                Journal::create(&mut disk, ORIGIN)
            } else {
                let read = read(disk.segments().as_slice());
                let read = read.unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
                let found = read.end.head.size;
                assert!(found >= acknowledged, "seed {seed}: {found} of {acknowledged}");
                read.entries.iter().enumerate().for_each(|(number, entry)| check(number, entry));
                torn += u32::from(read.end.torn_bytes > 0);
                cut += read.end.torn_bytes;
                Journal::open(&mut disk, 1, &read.end)
            };
            if let Ok(mut journal) = journal {
                acknowledged = acknowledged.max(journal.mark().watermark().0);
                loop {
                    for _ in 0..=random.below(6) {
                        let number = journal.head().size;
                        journal.append(&entry(number, &mut random));
                    }
                    match journal.commit() {
                        Ok(durable) => acknowledged = durable.0,
                        Err(fault) => {
                            let early = no_power(DiskOperation::Create);
                            assert_ne!(fault, JournalFault::Disk(early), "named too early");
                            break;
                        }
                    }
                }
            }
            losses += 1;
            disk.cut_power(1 + random.below(60));
        }
        if losses >= LOSSES {
            break;
        }
    }
    assert!(torn > 15 && cut > 10_000, "{losses} losses tore {torn} tails, {cut} bytes");
}
