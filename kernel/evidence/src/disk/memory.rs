//! A disk in memory, for the lab and for tests.

use std::collections::BTreeMap;

use super::{Disk, DiskFault, Place};

/// A disk in memory. It never fails, and forgets when it is dropped.
///
/// A segment holds no more bytes than were written: the zeros behind them are not stored.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    named: BTreeMap<Place, Vec<u8>>,
    /// The present segment, or the one that has no name yet.
    present: Option<Place>,
    unnamed: Vec<u8>,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub const fn new() -> Self {
        Self { named: BTreeMap::new(), present: None, unnamed: Vec::new() }
    }

    /// The segments of an epoch, in order.
    #[must_use]
    pub fn segments(&self, epoch: u32) -> Vec<Vec<u8>> {
        let named = self.named.iter().filter(|(place, _)| place.epoch == epoch);
        named.map(|(_, bytes)| bytes.clone()).collect()
    }

    /// A segment that has a name.
    #[must_use]
    pub fn segment(&self, place: Place) -> Option<&[u8]> {
        self.named.get(&place).map(Vec::as_slice)
    }

    /// The last epoch that has begun; `None` if none has.
    #[must_use]
    pub fn last_epoch(&self) -> Option<u32> {
        self.named.keys().next_back().map(|place| place.epoch)
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        let named = self.present.and_then(|place| self.named.get_mut(&place));
        named.unwrap_or(&mut self.unnamed)
    }
}

impl Disk for MemoryDisk {
    fn prepare(&mut self) {}

    fn is_prepared(&mut self, _: bool) -> Result<bool, DiskFault> {
        Ok(true)
    }

    fn take_spare(&mut self) -> Result<(), DiskFault> {
        self.present = None;
        self.unnamed.clear();
        Ok(())
    }

    fn open(&mut self, place: Place) -> Result<(), DiskFault> {
        self.present = Some(place);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskFault> {
        let segment = self.bytes();
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = from.saturating_add(bytes.len());
        if segment.len() < end {
            segment.resize(end, 0);
        }
        if let Some(target) = segment.get_mut(from..end) {
            target.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskFault> {
        Ok(())
    }

    fn give_name(&mut self, place: Place) -> Result<(), DiskFault> {
        self.named.insert(place, std::mem::take(&mut self.unnamed));
        self.present = Some(place);
        Ok(())
    }
}
