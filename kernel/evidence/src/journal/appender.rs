//! Writing, the half that never waits: entries are numbered, hashed into the tree and framed.

use super::format::{
    ENTRY_BYTES_MAX, ENTRY_FRAME_LEN, GROUP_BYTES_MAX, GROUP_END, GROUP_HEADER_LEN, GroupHeader,
    JOURNAL_VERSION, is_origin,
};
use super::{Head, JournalFault, Seq, Watermark};
use crate::Digest;
use crate::bytes::len_u64;
use crate::recorded::{DurableMark, Pending};
use crate::tree::{TreeHasher, log_leaf};

/// Most bytes that may wait for a commit. More means that the disk has fallen hopelessly behind.
const WAITING_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Finished groups on their way to the disk.
#[derive(Debug)]
pub struct Groups {
    pub(super) parts: Vec<Part>,
    pub(super) first: Watermark,
    pub(super) end: Watermark,
}

/// Groups of one epoch.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The epoch that begins with these groups.
    pub(super) begins: Option<Begins>,
    pub(super) bytes: Vec<u8>,
}

/// The beginning of an epoch.
#[derive(Debug)]
pub(super) struct Begins {
    pub(super) origin: String,
    /// Number, in this process, of its first entry.
    pub(super) base: u64,
}

impl Groups {
    /// Takes on the groups that were taken right after these, so that one sync makes both durable.
    pub fn join(&mut self, next: Self) {
        if next.first == self.end {
            self.parts.extend(next.parts);
            self.end = next.end;
        } else {
            // Out of order: the committer finds that these do not begin where it ends.
            self.first = Watermark(u64::MAX);
        }
    }

    /// How many entries the run has once these groups are durable.
    #[must_use]
    pub const fn end(&self) -> Watermark {
        self.end
    }
}

/// The half that numbers, chains and frames entries. It never waits.
#[derive(Debug)]
pub struct Appender {
    mark: DurableMark,
    tree: TreeHasher,
    /// Number, in this process, of the epoch's first entry.
    base: u64,
    /// Finished parts, of epochs that have ended.
    parts: Vec<Part>,
    parts_len: usize,
    /// Finished groups, then the open one, whose header is still blank.
    buffer: Part,
    buffer_first: Watermark,
    group_start: usize,
    group: GroupHeader,
    fault: Option<JournalFault>,
}

impl Appender {
    /// Goes on behind `tree`; `begins` is the origin if the journal has no entry yet.
    pub(super) fn new(
        mark: DurableMark,
        tree: TreeHasher,
        (groups, begins): (u64, Option<String>),
    ) -> Self {
        let begins = begins.map(|origin| Begins { origin, base: 0 });
        let (group, buffer_first) = (blank_group(groups), Watermark(tree.size()));
        let buffer = Part { begins, bytes: Vec::new() };
        Self {
            mark,
            tree,
            base: 0,
            parts: Vec::new(),
            parts_len: 0,
            buffer,
            buffer_first,
            group_start: 0,
            group,
            fault: None,
        }
    }

    /// Adds one entry. It is not on record before a watermark above the returned number.
    ///
    /// An entry that cannot be written ends the journal: its number is given and never becomes
    /// durable, and the next commit says why.
    pub fn append(&mut self, entry: &[u8]) -> Seq {
        let seq = Seq(self.end().0);
        // After a fault of the disk nothing more is kept: it could only fill the memory.
        if self.fault.is_some() || self.mark.is_poisoned() {
            self.base = self.base.saturating_add(1);
            return seq;
        }
        if let Err(fault) = self.frame(entry) {
            self.fail(fault);
            self.base = self.base.saturating_add(1);
            return seq;
        }
        self.tree.push(&log_leaf(entry));
        seq
    }

    /// Adds one entry that records `item`; the item becomes a proof once the entry is durable.
    pub fn append_with<T>(&mut self, entry: &[u8], item: T) -> Pending<T> {
        let seq = self.append(entry);
        Pending::new(item, seq, self.mark.clone())
    }

    /// Ends the epoch: what is appended from now on belongs to the next one, named `origin`. Does
    /// not wait for the disk; the committer makes the new file set when it comes to it.
    ///
    /// The numbers of entries in this process count on; [`Appender::head`] starts again at 0. An
    /// unusable origin ends the journal. An epoch without an entry is not left behind.
    pub fn begin_epoch(&mut self, origin: &str) {
        if !is_origin(origin) {
            return self.fail(JournalFault::Origin);
        }
        if self.tree.size() > 0 {
            self.close_group();
            self.base = self.end().0;
            self.tree = TreeHasher::new();
            self.group = blank_group(0);
            let ended = std::mem::take(&mut self.buffer);
            self.group_start = 0;
            if !ended.bytes.is_empty() {
                self.parts_len = self.parts_len.saturating_add(ended.bytes.len());
                self.parts.push(ended);
            }
        }
        self.buffer.begins = Some(Begins { origin: origin.to_owned(), base: self.base });
    }

    /// Everything appended since the last call, or `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever ended the journal.
    pub fn take(&mut self) -> Result<Option<Groups>, JournalFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        self.close_group();
        let mut parts = std::mem::take(&mut self.parts);
        if !self.buffer.bytes.is_empty() {
            let room = self.buffer.bytes.len().min(GROUP_BYTES_MAX);
            let fresh = Part { begins: None, bytes: Vec::with_capacity(room) };
            parts.push(std::mem::replace(&mut self.buffer, fresh));
        }
        self.group_start = 0;
        self.parts_len = 0;
        if parts.is_empty() {
            return Ok(None);
        }
        let end = self.end();
        let first = std::mem::replace(&mut self.buffer_first, end);
        Ok(Some(Groups { parts, first, end }))
    }

    /// Entries of the epoch and the root over them; not all of them need be durable.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.tree.size(), root: self.tree.root() }
    }

    /// How many entries this process has counted: the number of the next one.
    #[must_use]
    pub const fn end(&self) -> Watermark {
        Watermark(self.base.saturating_add(self.tree.size()))
    }

    /// The handle by which others learn what is durable.
    #[must_use]
    pub fn mark(&self) -> DurableMark {
        self.mark.clone()
    }

    fn fail(&mut self, fault: JournalFault) {
        self.mark.poison();
        self.fault.get_or_insert(fault);
    }

    fn frame(&mut self, entry: &[u8]) -> Result<(), JournalFault> {
        let too_large = JournalFault::EntryTooLarge { bytes: len_u64(entry.len()) };
        let length = u32::try_from(entry.len()).map_err(|_over_4_gib| too_large.clone())?;
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(too_large);
        }
        let framed = entry.len().saturating_add(ENTRY_FRAME_LEN);
        if self.payload_len().saturating_add(framed) > GROUP_BYTES_MAX {
            self.close_group();
        }
        let waiting = self.buffer.bytes.len().saturating_add(self.parts_len);
        if waiting.saturating_add(framed) > WAITING_BYTES_MAX {
            return Err(JournalFault::TooMuchWaiting);
        }
        if self.group.count == 0 {
            self.open_group();
        }
        self.buffer.bytes.extend_from_slice(&length.to_be_bytes());
        self.buffer.bytes.extend_from_slice(&crc32c::crc32c(entry).to_be_bytes());
        self.buffer.bytes.extend_from_slice(entry);
        self.group.count = self.group.count.saturating_add(1);
        Ok(())
    }

    fn payload_len(&self) -> usize {
        let payload_start = self.group_start.saturating_add(GROUP_HEADER_LEN);
        self.buffer.bytes.len().saturating_sub(payload_start)
    }

    fn open_group(&mut self) {
        self.group_start = self.buffer.bytes.len();
        self.buffer.bytes.extend_from_slice(&[0; GROUP_HEADER_LEN]);
        self.group.root_before = self.tree.root();
        self.group.first_seq = self.tree.size();
    }

    /// Fills in the header of the open group, if there is one, now that its payload is known.
    fn close_group(&mut self) {
        if self.group.count == 0 {
            return;
        }
        self.group.durable_before = self.mark.watermark().0.saturating_sub(self.base);
        self.group.payload_len = u32::try_from(self.payload_len()).unwrap_or(u32::MAX);
        let payload_start = self.group_start.saturating_add(GROUP_HEADER_LEN);
        let (header, payload) =
            self.buffer.bytes.split_at_mut_checked(payload_start).unwrap_or_default();
        let encoded = self.group.encode(payload);
        for (slot, byte) in header.iter_mut().skip(self.group_start).zip(encoded) {
            *slot = byte;
        }
        self.buffer.bytes.extend_from_slice(&GROUP_END);
        self.group_start = self.buffer.bytes.len();
        self.group = blank_group(self.group.number.saturating_add(1));
    }
}

const fn blank_group(number: u64) -> GroupHeader {
    GroupHeader {
        version: JOURNAL_VERSION,
        number,
        first_seq: 0,
        count: 0,
        payload_len: 0,
        durable_before: 0,
        root_before: Digest([0; 32]),
        checksum: 0,
    }
}
