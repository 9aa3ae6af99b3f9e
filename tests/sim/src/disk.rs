//! A disk in memory that does to bytes what disks do: it keeps them until the power goes, it
//! refuses to write, and it says so too late.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use portcullis_domain::ClOrdId;
use portcullis_evidence::disk::DiskOperation;
use portcullis_evidence::{Disk, DiskFault, Place};

use crate::draw::Draw;

/// Smallest piece that is written or lost as a whole.
const SECTOR_BYTES: usize = 512;

/// What happens to the next operation of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It fails with this error; a write may have been made in part.
    Fails(io::ErrorKind),
    /// The process ends under it, before anything has happened.
    CrashBefore,
    /// The process ends under it, when all has happened and nobody knows yet.
    CrashAfter,
}

/// What is on the disk, and what of it a power cut would leave.
///
/// Segments end with their last written byte; the zeros behind it are not kept.
#[derive(Debug, Default)]
pub(crate) struct Platter {
    named: BTreeMap<Place, Vec<u8>>,
    /// The segment that is written; without a place it has no name yet.
    present: Option<Place>,
    spare: Vec<u8>,
    /// Bytes of the present segment that are durable. All others are as a whole.
    durable_len: usize,
    /// Ids of orders whose `ordered` entry is durable. Found in the bytes, not in what anybody
    /// says about them.
    ordered: BTreeSet<ClOrdId>,
    /// Durable `amend-requested` entries, by order.
    amends: BTreeMap<ClOrdId, usize>,
    /// Writes, syncs and names given so far.
    pub(crate) operations: u64,
    /// Crash at the operation of that number: what a campaign counts through.
    pub(crate) crash_at: Option<(u64, Mishap)>,
    pub(crate) mishap: Option<(DiskOperation, Mishap)>,
    /// The process has ended under an operation.
    pub(crate) crashed: bool,
    /// Planted: a sync that returns without having synced.
    lies: bool,
}

impl Platter {
    /// An empty disk; with `lies` its syncs return without having synced.
    pub(crate) fn new(lies: bool) -> Self {
        Self { lies, ..Self::default() }
    }

    /// The last epoch that has begun.
    pub(crate) fn last_epoch(&self) -> Option<u32> {
        self.named.keys().next_back().map(|place| place.epoch)
    }

    /// What can be read of an epoch.
    pub(crate) fn segments(&self, epoch: u32) -> Vec<Vec<u8>> {
        let named = self.named.iter().filter(|(place, _)| place.epoch == epoch);
        named.map(|(_, bytes)| bytes.clone()).collect()
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        let named = self.present.and_then(|place| self.named.get_mut(&place));
        named.unwrap_or(&mut self.spare)
    }

    /// Whether the order is on record in bytes that no power cut can take.
    pub(crate) fn has_ordered(&self, id: ClOrdId) -> bool {
        self.ordered.contains(&id)
    }

    /// How many changes of the order are on record in such bytes.
    pub(crate) fn amends_of(&self, id: ClOrdId) -> usize {
        self.amends.get(&id).copied().unwrap_or(0)
    }

    /// Bytes that a power cut may take of a segment that has a name.
    pub(crate) fn unsynced_len(&self) -> usize {
        let named = self.present.and_then(|place| self.named.get(&place));
        named.map_or(0, |bytes| bytes.len() - self.durable_len)
    }

    /// The process ends: `lost` of the bytes that were not synced are gone, and with `torn` some
    /// sectors before them too. A segment without a name is gone as a whole.
    pub(crate) fn cut_power(&mut self, draw: &mut Draw, (lost, torn): (bool, bool)) {
        let durable_len = self.durable_len;
        if lost && self.unsynced_len() > 0 {
            let kept = draw.index(self.unsynced_len() + 1);
            self.bytes().truncate(durable_len + kept);
        }
        if torn && self.unsynced_len() > 0 {
            let bytes = self.bytes();
            let first = durable_len / SECTOR_BYTES;
            let end = (bytes.len() - 1) / SECTOR_BYTES;
            let hole = first + draw.index(end - first + 1);
            let from = (hole * SECTOR_BYTES).max(durable_len);
            let to = ((hole + 1) * SECTOR_BYTES).min(bytes.len());
            bytes[from..to].fill(0);
        }
        self.crashed = false;
        self.mishap = None;
        // What was read back after a crash may still be lost in the next one: it becomes durable
        // when the journal is opened.
    }

    /// Planted: bytes are lost that were synced.
    pub(crate) fn lose_synced(&mut self, count: usize) {
        let kept = self.durable_len.saturating_sub(count);
        self.bytes().truncate(kept);
        self.durable_len = kept;
    }

    fn harden(&mut self) {
        if self.present.is_none() {
            // Without its name nothing of it is found again.
            return;
        }
        let from = self.durable_len;
        let fresh = &self.bytes()[from..];
        let ordered = named_in(fresh, b"\"kind\":\"ordered\"");
        let amends = named_in(fresh, b"\"kind\":\"amend-requested\"");
        self.ordered.extend(ordered);
        for id in amends {
            *self.amends.entry(id).or_insert(0) += 1;
        }
        self.durable_len = self.bytes().len();
    }

    /// What is to happen to the operation that begins now.
    fn begin(&mut self, operation: DiskOperation) -> Option<Mishap> {
        self.operations += 1;
        let planned = self.crash_at.filter(|(at, _)| *at == self.operations);
        let drawn = self.mishap.take_if(|(when, _)| *when == operation);
        planned.or(drawn.map(|(_, how)| (0, how))).map(|(_, how)| how)
    }

    fn write_at(&mut self, offset: usize, new: &[u8]) {
        self.durable_len = self.durable_len.min(offset);
        let bytes = self.bytes();
        if new.iter().all(|byte| *byte == 0) && offset + new.len() >= bytes.len() {
            bytes.truncate(offset);
            return;
        }
        bytes.resize(bytes.len().max(offset + new.len()), 0);
        bytes[offset..offset + new.len()].copy_from_slice(new);
    }

    /// Does it, if nothing happens to it; or in part, or with nobody left to hear of it.
    fn operate(
        &mut self,
        operation: DiskOperation,
        all: impl FnOnce(&mut Self),
        part: impl FnOnce(&mut Self),
    ) -> Result<(), DiskFault> {
        match self.begin(operation) {
            None => {
                all(self);
                Ok(())
            }
            Some(Mishap::CrashBefore) => Err(self.crash(operation)),
            Some(Mishap::CrashAfter) => {
                all(self);
                Err(self.crash(operation))
            }
            Some(Mishap::Fails(kind)) => {
                part(self);
                Err(DiskFault::new(operation, &io::Error::from(kind)))
            }
        }
    }

    fn crash(&mut self, operation: DiskOperation) -> DiskFault {
        self.crashed = true;
        DiskFault::new(operation, &io::Error::from(io::ErrorKind::Interrupted))
    }
}

/// Ids of the orders whose entries of a kind lie in these bytes.
fn named_in(bytes: &[u8], kind: &[u8]) -> Vec<ClOrdId> {
    const CORR: &[u8] = b"\"corr\":\"";
    let starts = bytes.windows(kind.len()).enumerate().filter(|(_, window)| *window == kind);
    let id = |(at, _): (usize, &[u8])| {
        let before = &bytes[..at];
        let corr = before.windows(CORR.len()).rposition(|window| window == CORR)?;
        let text = before.get(corr + CORR.len()..)?.split(|byte| *byte == b'"').next()?;
        ClOrdId::parse(std::str::from_utf8(text).ok()?)
    };
    starts.filter_map(id).collect()
}

/// The house's handle of the disk. The platter stays when the house is gone.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk(pub(crate) Rc<RefCell<Platter>>);

impl Disk for SimDisk {
    fn prepare(&mut self) {}

    fn is_prepared(&mut self, _: bool) -> Result<bool, DiskFault> {
        Ok(true)
    }

    fn take_spare(&mut self) -> Result<(), DiskFault> {
        let mut platter = self.0.borrow_mut();
        platter.spare.clear();
        (platter.present, platter.durable_len) = (None, 0);
        Ok(())
    }

    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        let mut platter = self.0.borrow_mut();
        if platter.present != Some(place) {
            (platter.present, platter.durable_len) = (Some(place), 0);
        }
        platter.operate(DiskOperation::Open, Platter::harden, |_| {})
    }

    fn write_at(&mut self, offset: u64, new: &[u8]) -> Result<(), DiskFault> {
        let offset = usize::try_from(offset).expect("a disk in memory");
        self.0.borrow_mut().operate(
            DiskOperation::Write,
            |platter| platter.write_at(offset, new),
            |platter| platter.write_at(offset, &new[..new.len() / 2]),
        )
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        let sync = |platter: &mut Platter| {
            if !platter.lies {
                platter.harden();
            }
        };
        // After a failure it is anybody's guess whether the bytes are there.
        self.0.borrow_mut().operate(DiskOperation::Sync, sync, |_| {})
    }

    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        let name = |platter: &mut Platter| {
            let spare = std::mem::take(&mut platter.spare);
            assert!(platter.named.insert(place, spare).is_none(), "a name is given once");
            (platter.present, platter.durable_len) = (Some(place), 0);
            if !platter.lies {
                platter.harden();
            }
        };
        self.0.borrow_mut().operate(DiskOperation::Name, name, |_| {})
    }
}
