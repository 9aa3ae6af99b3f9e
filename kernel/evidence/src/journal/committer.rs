//! Writing, the half that owns the disk: groups are written and made durable whole.
//!
//! The two halves can live in two threads. [`Journal`] is both in one hand.

use super::appender::{Appender, Groups, Part};
use super::format::{GroupHeader, SEGMENT_BYTES, SegmentHeader, is_origin};
use super::reader::End;
use super::{Head, JournalFault, Seq, Watermark};
use crate::bytes::len_u64;
use crate::disk::{Disk, Place};
use crate::recorded::{DurableMark, NotDurable, Pending, Recorded};
use crate::tree::TreeHasher;

/// A spare is made ready once the present segment holds so many bytes.
const PREPARE_FROM: u64 = SEGMENT_BYTES / 2;

/// The half that owns the disk. Whoever holds it waits for the disk.
#[derive(Debug)]
pub struct Committer<D> {
    disk: D,
    mark: DurableMark,
    fault: Option<JournalFault>,
    origin: String,
    /// Number, in this process, of the epoch's first entry.
    base: u64,
    /// The segment that is written; number 0 before the epoch's first.
    place: Place,
    /// Where the next group goes in it.
    offset: u64,
    is_named: bool,
    /// Whether all that was written is durable.
    is_settled: bool,
}

impl<D: Disk> Committer<D> {
    fn new(disk: D, mark: DurableMark, origin: &str, place: Place) -> Self {
        let origin = origin.to_owned();
        Self {
            disk,
            mark,
            fault: None,
            origin,
            base: 0,
            place,
            offset: 0,
            is_named: false,
            is_settled: true,
        }
    }

    /// Writes the groups, makes them durable and says so to everyone who holds the mark.
    ///
    /// # Errors
    /// Any failure ends the journal: this and every later call returns it, nothing is tried
    /// again, and no proof is given any more.
    pub fn commit(&mut self, groups: &Groups) -> Result<Watermark, JournalFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let written = if groups.first == self.mark.watermark() {
            let mut parts = groups.parts.iter();
            let written = parts.try_for_each(|part| self.write(part));
            written.and_then(|()| self.settle()).map(|()| self.prepare_if_half_full())
        } else {
            Err(JournalFault::OutOfOrder)
        };
        match written {
            Ok(()) => {
                self.mark.advance(groups.end, (self.place.epoch, self.base));
                Ok(groups.end)
            }
            Err(fault) => {
                self.mark.poison();
                self.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// Whether room is left for what comes: false once the next segment could not be made ready.
    /// The present one then has about half of its bytes left, for what must still be said.
    pub fn has_room(&mut self) -> bool {
        self.disk.is_prepared(false).is_ok()
    }

    /// The disk, to look at.
    pub const fn disk(&self) -> &D {
        &self.disk
    }

    fn write(&mut self, part: &Part) -> Result<(), JournalFault> {
        if let Some(begins) = &part.begins {
            self.settle()?;
            self.origin.clone_from(&begins.origin);
            self.base = begins.base;
            if self.place.segment > 0 {
                let epoch = self.place.epoch.saturating_add(1);
                self.place = Place { epoch, segment: 0 };
            }
        }
        let mut rest = part.bytes.as_slice();
        while !rest.is_empty() {
            let room = SEGMENT_BYTES.saturating_sub(self.offset);
            let fitting = if self.place.segment == 0 { 0 } else { fitting_len(rest, room) };
            let Some((run, after)) = rest.split_at_checked(fitting) else { break };
            if run.is_empty() {
                self.settle()?;
                self.next_segment(rest)?;
                continue;
            }
            self.disk.write_at(self.offset, run).map_err(JournalFault::Disk)?;
            self.is_settled = false;
            self.offset = self.offset.saturating_add(len_u64(run.len()));
            rest = after;
        }
        Ok(())
    }

    /// Only behind a settled segment: one that has no name yet is still the spare by its path.
    fn prepare_if_half_full(&mut self) {
        if self.offset > PREPARE_FROM {
            self.disk.prepare();
        }
    }

    /// Goes on in a new segment, whose first group is the one at the front of `groups`. It gets
    /// its name once that group is durable in it.
    fn next_segment(&mut self, groups: &[u8]) -> Result<(), JournalFault> {
        let first = GroupHeader::decode(groups).map_err(|_no_group| JournalFault::OutOfOrder)?;
        let segment = self.place.segment.saturating_add(1);
        let header = SegmentHeader {
            origin: self.origin.clone(),
            segment,
            first_group: first.number,
            first_seq: first.first_seq,
            root_before: first.root_before,
        };
        let header = header.encode();
        self.disk.take_spare().map_err(JournalFault::Disk)?;
        self.disk.write_at(0, &header).map_err(JournalFault::Disk)?;
        self.place.segment = segment;
        self.offset = len_u64(header.len());
        self.is_named = false;
        if fitting_len(groups, SEGMENT_BYTES.saturating_sub(self.offset)) == 0 {
            // No group is so long; without this a longer one would take segment after segment.
            return Err(JournalFault::OutOfOrder);
        }
        Ok(())
    }

    /// Makes what was written durable, and then its segment's name.
    fn settle(&mut self) -> Result<(), JournalFault> {
        if self.is_settled {
            return Ok(());
        }
        self.disk.sync().map_err(JournalFault::Disk)?;
        if !self.is_named {
            self.disk.give_name(self.place).map_err(JournalFault::Disk)?;
            self.is_named = true;
        }
        self.is_settled = true;
        Ok(())
    }
}

/// Bytes of the whole groups at the front of `groups` that go into `room`.
fn fitting_len(groups: &[u8], room: u64) -> usize {
    let mut fitting = 0_usize;
    while let Some(Ok(header)) = groups.get(fitting..).map(GroupHeader::decode) {
        let end = fitting.saturating_add(header.group_len());
        if len_u64(end) > room {
            break;
        }
        fitting = end;
    }
    fitting
}

/// The journal, both halves in one hand.
#[derive(Debug)]
pub struct Journal<D> {
    appender: Appender,
    committer: Committer<D>,
}

impl<D: Disk> Journal<D> {
    /// A new journal, the first epoch of a disk. Nothing is on the disk before the first commit.
    ///
    /// # Errors
    /// `JOURNAL_ORIGIN` for an origin that cannot stand in a header.
    pub fn create(disk: D, origin: &str) -> Result<Self, JournalFault> {
        Self::begin(disk, 1, origin)
    }

    /// A new journal, the epoch of that number, which the disk must not hold yet.
    ///
    /// # Errors
    /// See [`Journal::create`].
    pub fn begin(mut disk: D, epoch: u32, origin: &str) -> Result<Self, JournalFault> {
        if !is_origin(origin) {
            return Err(JournalFault::Origin);
        }
        disk.prepare();
        let mark = DurableMark::new(origin, (Watermark(0), epoch));
        let begins = Some(origin.to_owned());
        let appender = Appender::new(mark.clone(), TreeHasher::new(), (0, begins));
        let place = Place { epoch, segment: 0 };
        let committer = Committer::new(disk, mark, origin, place);
        Ok(Self { appender, committer })
    }

    /// Goes on where `end` is: what was read of the epoch of that number on this disk.
    ///
    /// The torn tail, if any, is overwritten with zeros, and what is left is made durable before
    /// anything is believed.
    ///
    /// # Errors
    /// The disk's fault.
    pub fn open(mut disk: D, epoch: u32, end: &End) -> Result<Self, JournalFault> {
        let place = Place { epoch, segment: end.segment };
        disk.open(place).map_err(JournalFault::Disk)?;
        if end.torn_bytes > 0 {
            let zeros = vec![0; usize::try_from(end.torn_bytes).unwrap_or(0)];
            disk.write_at(end.kept_bytes, &zeros).map_err(JournalFault::Disk)?;
            disk.sync().map_err(JournalFault::Disk)?;
        }
        let mark = DurableMark::new(&end.origin, (Watermark(end.head.size), epoch));
        let appender = Appender::new(mark.clone(), end.tree.clone(), (end.groups, None));
        let mut committer = Committer::new(disk, mark, &end.origin, place);
        committer.offset = end.kept_bytes;
        committer.is_named = true;
        Ok(Self { appender, committer })
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
            None => Ok(self.committer.mark.watermark()),
        }
    }

    /// The proof that `pending` is on record.
    ///
    /// # Errors
    /// It is not, or not in this journal, or the journal has ended. The item is gone then: what
    /// is not on record must not happen.
    pub fn release<T>(&self, pending: Pending<T>) -> Result<Recorded<T>, NotDurable> {
        let reason = pending.not_durable(&self.committer.mark);
        pending.into_recorded(&self.committer.mark).map_err(|_not_on_record| reason)
    }

    /// See [`Appender::begin_epoch`].
    pub fn begin_epoch(&mut self, origin: &str) {
        self.appender.begin_epoch(origin);
    }

    /// See [`Appender::head`].
    #[must_use]
    pub fn head(&self) -> Head {
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
