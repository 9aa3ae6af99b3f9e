//! Writing: entries are collected into groups, groups are written and made durable whole.
//!
//! The two halves can live in two threads: the [`Appender`] numbers and chains entries without
//! waiting for the disk, the [`Committer`] owns the disk. [`Journal`] is both in one hand.

use std::fmt;

use super::format::{
    ENTRY_BYTES_MAX, ENTRY_FRAME_LEN, GROUP_BYTES_MAX, GROUP_END, GROUP_HEADER_LEN, GroupHeader,
    JOURNAL_VERSION, chain_next, chain_start, file_header, is_origin,
};
use super::reader::Recovered;
use super::{Head, Seq, Watermark};
use crate::bytes::len_u64;
use crate::disk::{Disk, DiskFault};
use crate::recorded::{DurableMark, NotDurable, Pending, Recorded};

/// Most bytes that may wait for a commit. More means that the disk has fallen hopelessly behind.
const WAITING_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The journal cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalFault {
    /// A write or sync failed.
    Disk(DiskFault),
    /// An entry was longer than [`ENTRY_BYTES_MAX`].
    EntryTooLarge {
        /// Its bytes.
        bytes: u64,
    },
    /// More was appended between two commits than the journal holds in memory.
    TooMuchWaiting,
    /// The origin is empty, too long or not printable.
    Origin,
    /// Groups reached the disk's side out of order, or from another journal.
    OutOfOrder,
}

impl JournalFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disk(fault) => fault.code(),
            Self::EntryTooLarge { .. } => "JOURNAL_ENTRY_TOO_LARGE",
            Self::TooMuchWaiting => "JOURNAL_BEHIND",
            Self::Origin => "JOURNAL_ORIGIN",
            Self::OutOfOrder => "JOURNAL_ORDER",
        }
    }
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(fault) => fault.fmt(f),
            Self::EntryTooLarge { bytes } => {
                write!(f, "{}: an entry of {bytes} bytes, {ENTRY_BYTES_MAX} at most", self.code())
            }
            Self::TooMuchWaiting => {
                write!(f, "{}: over {WAITING_BYTES_MAX} bytes wait for the disk", self.code())
            }
            Self::Origin => write!(f, "{}: not a usable origin", self.code()),
            Self::OutOfOrder => write!(f, "{}: groups out of order", self.code()),
        }
    }
}

impl std::error::Error for JournalFault {}

/// Finished groups on their way to the disk.
#[derive(Debug)]
pub struct Groups {
    bytes: Vec<u8>,
    first_seq: u64,
    end: Watermark,
}

impl Groups {
    /// How many entries the journal has once these groups are durable.
    #[must_use]
    pub const fn end(&self) -> Watermark {
        self.end
    }
}

/// The half that numbers, chains and frames entries. It never waits.
#[derive(Debug)]
pub struct Appender {
    mark: DurableMark,
    head: Head,
    /// Finished groups, then the open one, whose header is still blank.
    buffer: Vec<u8>,
    buffer_first_seq: u64,
    group_start: usize,
    group: GroupHeader,
    fault: Option<JournalFault>,
}

impl Appender {
    fn new(mark: DurableMark, head: Head, group_number: u64) -> Self {
        let group = blank_group(group_number, head);
        let (buffer, buffer_first_seq) = (Vec::new(), head.size);
        Self { mark, head, buffer, buffer_first_seq, group_start: 0, group, fault: None }
    }

    /// Adds one entry. It is not on record before a watermark above the returned number.
    ///
    /// An entry that cannot be written ends the journal: its number is given and never becomes
    /// durable, and the next commit says why.
    pub fn append(&mut self, entry: &[u8]) -> Seq {
        let seq = Seq(self.head.size);
        self.head.size = self.head.size.saturating_add(1);
        // After a fault of the disk nothing more is kept: it could only fill the memory.
        if self.fault.is_some() || self.mark.is_poisoned() {
            return seq;
        }
        if let Err(fault) = self.frame(entry) {
            self.mark.poison();
            self.fault = Some(fault);
            return seq;
        }
        self.head.chain = chain_next(self.head.chain, seq.0, entry);
        seq
    }

    /// Adds one entry that records `item`; the item becomes a proof once the entry is durable.
    pub fn append_with<T>(&mut self, entry: &[u8], item: T) -> Pending<T> {
        let seq = self.append(entry);
        Pending::new(item, seq, self.mark.clone())
    }

    /// Everything appended since the last call, or `None` if there is nothing.
    ///
    /// # Errors
    /// Whatever ended the journal.
    pub fn take(&mut self) -> Result<Option<Groups>, JournalFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if self.group.count > 0 {
            self.close_group();
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let room = self.buffer.len().min(GROUP_BYTES_MAX);
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(room));
        self.group_start = 0;
        let first_seq = std::mem::replace(&mut self.buffer_first_seq, self.head.size);
        Ok(Some(Groups { bytes, first_seq, end: Watermark(self.head.size) }))
    }

    /// Entries appended and the chain over them; not all of them need be durable.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The handle by which others learn what is durable.
    #[must_use]
    pub fn mark(&self) -> DurableMark {
        self.mark.clone()
    }

    fn frame(&mut self, entry: &[u8]) -> Result<(), JournalFault> {
        let too_large = JournalFault::EntryTooLarge { bytes: len_u64(entry.len()) };
        let length = u32::try_from(entry.len()).map_err(|_over_4_gib| too_large.clone())?;
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(too_large);
        }
        let framed = entry.len().saturating_add(ENTRY_FRAME_LEN);
        if self.group.count > 0 && self.payload_len().saturating_add(framed) > GROUP_BYTES_MAX {
            self.close_group();
        }
        if self.buffer.len().saturating_add(framed) > WAITING_BYTES_MAX {
            return Err(JournalFault::TooMuchWaiting);
        }
        if self.group.count == 0 {
            self.open_group();
        }
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(&crc32c::crc32c(entry).to_be_bytes());
        self.buffer.extend_from_slice(entry);
        self.group.count = self.group.count.saturating_add(1);
        Ok(())
    }

    fn payload_len(&self) -> usize {
        self.buffer.len().saturating_sub(self.group_start.saturating_add(GROUP_HEADER_LEN))
    }

    fn open_group(&mut self) {
        self.group_start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; GROUP_HEADER_LEN]);
        self.group.chain_before = self.head.chain;
        // The entry that opens the group is already counted.
        self.group.first_seq = self.head.size.saturating_sub(1);
    }

    /// Fills in the header of the open group, now that its payload is known.
    fn close_group(&mut self) {
        self.group.durable_before = self.mark.watermark().0;
        self.group.payload_len = u32::try_from(self.payload_len()).unwrap_or(u32::MAX);
        let (header, payload) = self
            .buffer
            .split_at_mut_checked(self.group_start.saturating_add(GROUP_HEADER_LEN))
            .unwrap_or_default();
        let encoded = self.group.encode(payload);
        for (slot, byte) in header.iter_mut().skip(self.group_start).zip(encoded) {
            *slot = byte;
        }
        self.buffer.extend_from_slice(&GROUP_END);
        self.group_start = self.buffer.len();
        self.group = blank_group(self.group.number.saturating_add(1), self.head);
    }
}

const fn blank_group(number: u64, head: Head) -> GroupHeader {
    GroupHeader {
        version: JOURNAL_VERSION,
        number,
        first_seq: head.size,
        count: 0,
        payload_len: 0,
        durable_before: 0,
        chain_before: head.chain,
        checksum: 0,
    }
}

/// The half that owns the disk. Whoever holds it waits for the disk.
#[derive(Debug)]
pub struct Committer<D> {
    disk: D,
    mark: DurableMark,
    fault: Option<JournalFault>,
}

impl<D: Disk> Committer<D> {
    /// Writes the groups, makes them durable and says so to everyone who holds the mark.
    ///
    /// # Errors
    /// Any failure ends the journal: this and every later call returns it, nothing is tried
    /// again, and no proof is given any more.
    pub fn commit(&mut self, groups: &Groups) -> Result<Watermark, JournalFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let written = if groups.first_seq == self.mark.watermark().0 {
            let appended = self.disk.append(&groups.bytes);
            appended.and_then(|()| self.disk.sync()).map_err(JournalFault::Disk)
        } else {
            Err(JournalFault::OutOfOrder)
        };
        match written {
            Ok(()) => {
                self.mark.advance(groups.end);
                Ok(groups.end)
            }
            Err(fault) => {
                self.mark.poison();
                self.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// The disk, to look at.
    pub const fn disk(&self) -> &D {
        &self.disk
    }
}

/// The journal, both halves in one hand.
#[derive(Debug)]
pub struct Journal<D> {
    appender: Appender,
    committer: Committer<D>,
}

impl<D: Disk> Journal<D> {
    /// A new journal on an empty disk. Its header is durable when this returns.
    ///
    /// # Errors
    /// `JOURNAL_ORIGIN` for an origin that cannot stand in a header; else the disk's fault.
    pub fn create(mut disk: D, origin: &str) -> Result<Self, JournalFault> {
        if !is_origin(origin) {
            return Err(JournalFault::Origin);
        }
        let header = file_header(origin);
        disk.append(&header).map_err(JournalFault::Disk)?;
        disk.sync().map_err(JournalFault::Disk)?;
        Ok(Self::assemble(disk, origin, Head { size: 0, chain: chain_start(&header) }, 0))
    }

    /// Goes on where `recovered` ends. `disk` must be the one that `recovered` was read from.
    ///
    /// The torn tail, if any, is cut, and what is left is made durable before anything is
    /// believed: bytes that were only in the operating system's memory when the last process died
    /// can be read back and still be lost.
    ///
    /// # Errors
    /// The disk's fault.
    pub fn open(mut disk: D, recovered: &Recovered<'_>) -> Result<Self, JournalFault> {
        disk.cut_to(recovered.kept_bytes).map_err(JournalFault::Disk)?;
        disk.sync().map_err(JournalFault::Disk)?;
        Ok(Self::assemble(disk, recovered.origin, recovered.head, recovered.groups))
    }

    fn assemble(disk: D, origin: &str, head: Head, groups: u64) -> Self {
        let mark = DurableMark::new(origin, Watermark(head.size));
        let committer = Committer { disk, mark: mark.clone(), fault: None };
        Self { appender: Appender::new(mark, head, groups), committer }
    }

    /// See [`Appender::append`].
    pub fn append(&mut self, entry: &[u8]) -> Seq {
        self.appender.append(entry)
    }

    /// See [`Appender::append_with`].
    pub fn append_with<T>(&mut self, entry: &[u8], item: T) -> Pending<T> {
        self.appender.append_with(entry, item)
    }

    /// Makes everything appended durable: one write, one sync. Without anything new it does
    /// nothing.
    ///
    /// # Errors
    /// See [`Committer::commit`].
    pub fn commit(&mut self) -> Result<Watermark, JournalFault> {
        // A fault of the disk is the older news; the appender does not know of it.
        if let Some(fault) = &self.committer.fault {
            return Err(fault.clone());
        }
        match self.appender.take()? {
            Some(groups) => self.committer.commit(&groups),
            None => Ok(self.appender.mark.watermark()),
        }
    }

    /// The proof that `pending` is on record.
    ///
    /// # Errors
    /// It is not, or not in this journal, or the journal has ended. The item is gone then: what
    /// is not on record must not happen.
    pub fn release<T>(&self, pending: Pending<T>) -> Result<Recorded<T>, NotDurable> {
        let reason = pending.not_durable(&self.appender.mark);
        pending.into_recorded(&self.appender.mark).map_err(|_not_on_record| reason)
    }

    /// See [`Appender::head`].
    #[must_use]
    pub const fn head(&self) -> Head {
        self.appender.head()
    }

    /// See [`Appender::mark`].
    #[must_use]
    pub fn mark(&self) -> DurableMark {
        self.appender.mark()
    }

    /// See [`Committer::disk`].
    pub const fn disk(&self) -> &D {
        self.committer.disk()
    }

    /// The two halves, so that appending need not wait for the disk.
    pub fn split(self) -> (Appender, Committer<D>) {
        (self.appender, self.committer)
    }
}
