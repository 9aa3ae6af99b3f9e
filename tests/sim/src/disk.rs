//! A disk in memory that does to bytes what disks do: it keeps them until the power goes, it
//! refuses to write, and it says so too late.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use portcullis_domain::ClOrdId;
use portcullis_evidence::disk::DiskOperation;
use portcullis_evidence::{Disk, DiskFault};

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
#[derive(Debug, Default)]
pub(crate) struct Platter {
    bytes: Vec<u8>,
    durable_len: usize,
    /// Ids of orders whose `ordered` entry is durable. Found in the bytes, not in what anybody
    /// says about them.
    ordered: BTreeSet<ClOrdId>,
    /// Durable `amend-requested` entries, by order.
    amends: BTreeMap<ClOrdId, usize>,
    /// Appends and syncs so far.
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

    /// What can be read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the order is on record in bytes that no power cut can take.
    pub(crate) fn has_ordered(&self, id: ClOrdId) -> bool {
        self.ordered.contains(&id)
    }

    /// How many changes of the order are on record in such bytes.
    pub(crate) fn amends_of(&self, id: ClOrdId) -> usize {
        self.amends.get(&id).copied().unwrap_or(0)
    }

    /// Bytes that a power cut may take.
    pub(crate) fn unsynced_len(&self) -> usize {
        self.bytes.len() - self.durable_len
    }

    /// The process ends: `lost` of the bytes that were not synced are gone, and with `torn` some
    /// sectors before them too.
    pub(crate) fn cut_power(&mut self, draw: &mut Draw, (lost, torn): (bool, bool)) {
        if lost && self.unsynced_len() > 0 {
            let kept = draw.index(self.unsynced_len() + 1);
            self.bytes.truncate(self.durable_len + kept);
        }
        if torn && self.unsynced_len() > 0 {
            let first = self.durable_len / SECTOR_BYTES;
            let end = (self.bytes.len() - 1) / SECTOR_BYTES;
            let hole = first + draw.index(end - first + 1);
            let from = (hole * SECTOR_BYTES).max(self.durable_len);
            let to = ((hole + 1) * SECTOR_BYTES).min(self.bytes.len());
            self.bytes[from..to].fill(0);
        }
        self.crashed = false;
        self.mishap = None;
        // What was read back after a crash may still be lost in the next one: it becomes durable
        // when the journal is opened and synced again.
    }

    /// Planted: bytes are lost that were synced.
    pub(crate) fn lose_synced(&mut self, count: usize) {
        let kept = self.durable_len.saturating_sub(count);
        self.bytes.truncate(kept);
        self.durable_len = kept;
    }

    /// Forgets everything: the file never had its name.
    pub(crate) fn discard(&mut self) {
        self.bytes.clear();
        self.durable_len = 0;
    }

    fn harden(&mut self) {
        let fresh = &self.bytes[self.durable_len..];
        self.ordered.extend(named_in(fresh, b"\"kind\":\"ordered\""));
        for id in named_in(fresh, b"\"kind\":\"amend-requested\"") {
            *self.amends.entry(id).or_insert(0) += 1;
        }
        self.durable_len = self.bytes.len();
    }

    /// What is to happen to the operation that begins now.
    fn begin(&mut self, operation: DiskOperation) -> Option<Mishap> {
        self.operations += 1;
        let planned = self.crash_at.filter(|(at, _)| *at == self.operations);
        let drawn = self.mishap.take_if(|(when, _)| *when == operation);
        planned.or(drawn.map(|(_, how)| (0, how))).map(|(_, how)| how)
    }

    fn append(&mut self, new: &[u8]) -> Result<(), DiskFault> {
        match self.begin(DiskOperation::Append) {
            None => {
                self.bytes.extend_from_slice(new);
                Ok(())
            }
            Some(Mishap::CrashBefore) => Err(self.crash(DiskOperation::Append)),
            Some(Mishap::CrashAfter) => {
                self.bytes.extend_from_slice(new);
                Err(self.crash(DiskOperation::Append))
            }
            Some(Mishap::Fails(kind)) => {
                self.bytes.extend_from_slice(&new[..new.len() / 2]);
                Err(DiskFault::new(DiskOperation::Append, &io::Error::from(kind)))
            }
        }
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        match self.begin(DiskOperation::Sync) {
            None if self.lies => Ok(()),
            None => {
                self.harden();
                Ok(())
            }
            Some(Mishap::CrashBefore) => Err(self.crash(DiskOperation::Sync)),
            Some(Mishap::CrashAfter) => {
                self.harden();
                Err(self.crash(DiskOperation::Sync))
            }
            // Whether the bytes are there is anybody's guess.
            Some(Mishap::Fails(kind)) => {
                Err(DiskFault::new(DiskOperation::Sync, &io::Error::from(kind)))
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
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskFault> {
        self.0.borrow_mut().append(bytes)
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        self.0.borrow_mut().sync()
    }

    fn cut_to(&mut self, length: u64) -> Result<(), DiskFault> {
        let mut platter = self.0.borrow_mut();
        let length = usize::try_from(length).expect("a disk in memory");
        platter.bytes.truncate(length);
        platter.durable_len = platter.durable_len.min(length);
        Ok(())
    }
}
