//! Proof that something is on record: minted by the journal's watermark and by nothing else.
//!
//! An item is handed in together with the entry that records it and comes back as [`Pending`].
//! It becomes [`Recorded`] only once the entry is durable. Each thing that must not compile
//! stands below a twin that compiles and differs in one token.
//!
//! Used once, used twice:
//! ```
//! # use portcullis_evidence::{Journal, MemoryDisk, Recorded};
//! # fn send(_order: Recorded<u8>) {}
//! # fn look(_order: &Recorded<u8>) {}
//! # let mut journal = Journal::create(MemoryDisk::new(), "doc").unwrap();
//! let pending = journal.append_with(b"{}", 7_u8);
//! journal.commit().unwrap();
//! let recorded = journal.release(pending).unwrap();
//! look(&recorded);
//! send(recorded);
//! ```
//! ```compile_fail,E0382
//! # use portcullis_evidence::{Journal, MemoryDisk, Recorded};
//! # fn send(_order: Recorded<u8>) {}
//! # fn look(_order: Recorded<u8>) {}
//! # let mut journal = Journal::create(MemoryDisk::new(), "doc").unwrap();
//! let pending = journal.append_with(b"{}", 7_u8);
//! journal.commit().unwrap();
//! let recorded = journal.release(pending).unwrap();
//! look(recorded);
//! send(recorded);
//! ```
//!
//! Pending is no proof:
//! ```
//! # use portcullis_evidence::{Pending, Recorded};
//! fn send(_order: Recorded<u8>) {}
//! fn place(order: Recorded<u8>) { send(order) }
//! ```
//! ```compile_fail,E0308
//! # use portcullis_evidence::{Pending, Recorded};
//! fn send(_order: Recorded<u8>) {}
//! fn place(order: Pending<u8>) { send(order) }
//! ```
//!
//! No copy (only the reference is cloned):
//! ```
//! # use portcullis_evidence::Recorded;
//! fn again(one: &Recorded<u8>) -> &Recorded<u8> { one.clone() }
//! ```
//! ```compile_fail,E0308
//! # use portcullis_evidence::Recorded;
//! fn again(one: &Recorded<u8>) -> Recorded<u8> { one.clone() }
//! ```
//!
//! No default, and none written by hand:
//! ```
//! # use portcullis_evidence::Recorded;
//! # struct Plain<T> { item: T }
//! let _: Option<Recorded<u8>> = Default::default();
//! let _ = Plain { item: 7_u8 };
//! ```
//! ```compile_fail,E0277
//! # use portcullis_evidence::Recorded;
//! let _: Recorded<u8> = Default::default();
//! ```
//! ```compile_fail,E0451
//! # use portcullis_evidence::Recorded;
//! # struct Plain<T> { item: T }
//! let _ = Recorded { item: 7_u8 };
//! ```
//!
//! Nobody but the journal moves the watermark:
//! ```
//! # use portcullis_evidence::{DurableMark, Watermark};
//! fn read(mark: &DurableMark) { mark.watermark(); }
//! ```
//! ```compile_fail,E0624
//! # use portcullis_evidence::{DurableMark, Watermark};
//! fn read(mark: &DurableMark) { mark.poison(); }
//! ```

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Digest;
use crate::journal::{Seq, Watermark};

mod either;
pub use either::Either;

/// Proof that `T` is durably on record. Moved, never copied; whoever acts on `T` consumes it.
#[must_use = "what was recorded must be carried out or recorded as abandoned"]
#[derive(Debug, PartialEq, Eq)]
pub struct Recorded<T> {
    item: T,
    seq: Seq,
    origin: Digest,
}

impl<T> Recorded<T> {
    /// What was recorded.
    pub const fn item(&self) -> &T {
        &self.item
    }

    /// Where it stands in the journal.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// SHA-256 of the origin of the journal that has it; an effect checks that it is its own.
    #[must_use]
    pub const fn origin(&self) -> Digest {
        self.origin
    }

    /// The item, and the proof is spent.
    pub fn into_item(self) -> T {
        self.item
    }
}

/// An item whose entry is appended and may not be durable yet.
#[must_use = "a pending item must be waited for or recorded as abandoned"]
#[derive(Debug)]
pub struct Pending<T> {
    item: T,
    seq: Seq,
    mark: DurableMark,
}

impl<T> Pending<T> {
    pub(crate) const fn new(item: T, seq: Seq, mark: DurableMark) -> Self {
        Self { item, seq, mark }
    }

    /// Where the entry stands in the journal.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// What waits. Looking at it proves nothing.
    pub const fn item(&self) -> &T {
        &self.item
    }

    /// The proof, if the journal that `mark` speaks for has made the entry durable.
    ///
    /// # Errors
    /// The pending item itself: the entry is not durable yet, the journal has ended, or `mark`
    /// belongs to another journal.
    pub fn into_recorded(self, mark: &DurableMark) -> Result<Recorded<T>, Self> {
        if self.refusal(mark).is_some() {
            return Err(self);
        }
        Ok(Recorded { item: self.item, seq: self.seq, origin: mark.origin() })
    }

    /// Why there is no proof; [`NotDurable::NotYet`] if nothing else speaks against it.
    pub(crate) fn not_durable(&self, mark: &DurableMark) -> NotDurable {
        let not_yet = NotDurable::NotYet { seq: self.seq, durable: mark.watermark() };
        self.refusal(mark).unwrap_or(not_yet)
    }

    fn refusal(&self, mark: &DurableMark) -> Option<NotDurable> {
        if !Arc::ptr_eq(&self.mark.shared, &mark.shared) {
            return Some(NotDurable::OtherJournal);
        }
        if mark.is_poisoned() {
            return Some(NotDurable::JournalEnded);
        }
        let durable = mark.watermark();
        (self.seq.0 >= durable.0).then_some(NotDurable::NotYet { seq: self.seq, durable })
    }
}

impl<T> Pending<Vec<T>> {
    /// One pending item for each of the list: all were recorded by the same entry.
    #[must_use]
    pub fn each(self) -> Vec<Pending<T>> {
        let (seq, mark) = (self.seq, self.mark);
        self.item.into_iter().map(|item| Pending::new(item, seq, mark.clone())).collect()
    }
}

/// Why something is not on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDurable {
    /// The disk has not got so far.
    NotYet {
        /// The entry.
        seq: Seq,
        /// What is durable.
        durable: Watermark,
    },
    /// A write or sync failed; nothing is believed any more.
    JournalEnded,
    /// The item was recorded elsewhere.
    OtherJournal,
}

impl NotDurable {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotYet { .. } => "NOT_DURABLE",
            Self::JournalEnded => "EVIDENCE_UNWRITABLE",
            Self::OtherJournal => "JOURNAL_ORIGIN",
        }
    }
}

impl fmt::Display for NotDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { seq, durable } => {
                write!(f, "{}: entry {} of {} durable", self.code(), seq.0, durable.0)
            }
            Self::JournalEnded => write!(f, "{}: the journal has ended", self.code()),
            Self::OtherJournal => write!(f, "{}: recorded in another journal", self.code()),
        }
    }
}

impl std::error::Error for NotDurable {}

/// What a wait for the disk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The entry is durable.
    Durable,
    /// The time is up and it is not.
    TimedOut,
    /// The journal has ended.
    Ended,
}

/// How much of one journal is durable. Clones speak for the same journal, in any thread.
#[derive(Clone)]
pub struct DurableMark {
    shared: Arc<Shared>,
}

/// How much of which epoch is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurableEpoch {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// Entries of it that are durable. Epochs before it are durable as a whole.
    pub size: u64,
}

struct Shared {
    origin: Digest,
    durable: AtomicU64,
    poisoned: AtomicBool,
    /// Also orders the change of the atomics against going to sleep.
    epoch: Mutex<DurableEpoch>,
    changed: Condvar,
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, DurableEpoch> {
        // The mutex guards nothing that a panic elsewhere could have left half done.
        self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DurableMark {
    pub(crate) fn new(origin: &str, (durable, epoch): (Watermark, u32)) -> Self {
        let shared = Shared {
            origin: Digest::of(origin.as_bytes()),
            durable: AtomicU64::new(durable.0),
            poisoned: AtomicBool::new(false),
            epoch: Mutex::new(DurableEpoch { epoch, size: durable.0 }),
            changed: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// SHA-256 of the journal's origin as it was when this process opened it: a mark speaks for
    /// one run, through all its epochs.
    #[must_use]
    pub fn origin(&self) -> Digest {
        self.shared.origin
    }

    /// The epoch that was written last, and how much of it is durable: what a reader beside the
    /// writer may read with [`crate::journal::Reader::next_below`].
    #[must_use]
    pub fn durable_epoch(&self) -> DurableEpoch {
        *self.shared.locked()
    }

    /// How many entries are durable, counted through the epochs of this process.
    #[must_use]
    pub fn watermark(&self) -> Watermark {
        Watermark(self.shared.durable.load(Ordering::Acquire))
    }

    /// Whether the journal has ended by a fault. It never recovers.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.shared.poisoned.load(Ordering::Acquire)
    }

    /// Sleeps until entry `seq` is durable, the journal ends, or `timeout` is over.
    #[must_use]
    pub fn wait(&self, seq: Seq, timeout: Duration) -> Waited {
        let state = || {
            if self.is_poisoned() {
                Waited::Ended
            } else if seq.0 < self.watermark().0 {
                Waited::Durable
            } else {
                Waited::TimedOut
            }
        };
        let guard = self.shared.locked();
        let pending = |_: &mut DurableEpoch| state() == Waited::TimedOut;
        let waited = self.shared.changed.wait_timeout_while(guard, timeout, pending);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        state()
    }

    pub(crate) fn advance(&self, durable: Watermark, (epoch, base): (u32, u64)) {
        let mut guard = self.shared.locked();
        *guard = DurableEpoch { epoch, size: durable.0.saturating_sub(base) };
        self.shared.durable.store(durable.0, Ordering::Release);
        drop(guard);
        self.shared.changed.notify_all();
    }

    pub(crate) fn poison(&self) {
        let guard = self.shared.locked();
        self.shared.poisoned.store(true, Ordering::Release);
        drop(guard);
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for DurableMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableMark")
            .field("watermark", &self.watermark())
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;
    use crate::journal::Journal;

    fn journal() -> Journal<MemoryDisk> {
        Journal::create(MemoryDisk::new(), "test").unwrap()
    }

    #[test]
    fn nothing_is_proved_before_it_is_durable() {
        let mut journal = journal();
        let mark = journal.mark();
        let pending = journal.append_with(b"one", "one");
        let pending = pending.into_recorded(&mark).unwrap_err();
        journal.commit().unwrap();
        let recorded = pending.into_recorded(&mark).unwrap();
        assert_eq!((recorded.seq(), *recorded.item()), (Seq(0), "one"));
        assert_eq!(recorded.origin(), Digest::of(b"test"));
        let later = journal.append_with(b"two", ());
        let refusal = journal.release(later).unwrap_err();
        assert_eq!(refusal, NotDurable::NotYet { seq: Seq(1), durable: Watermark(1) });
    }

    #[test]
    fn another_journal_of_the_same_name_proves_nothing() {
        let (mut ours, mut other) = (journal(), journal());
        let pending = ours.append_with(b"x", ());
        ours.commit().unwrap();
        other.append(b"y");
        other.commit().unwrap();
        let pending = pending.into_recorded(&other.mark()).unwrap_err();
        assert_eq!(other.release(pending).unwrap_err(), NotDurable::OtherJournal);
    }

    #[test]
    fn an_ended_journal_proves_nothing_even_about_the_past() {
        let mut journal = journal();
        let pending = journal.append_with(b"x", ());
        journal.commit().unwrap();
        let too_large = vec![0; crate::journal::ENTRY_BYTES_MAX + 1];
        journal.append(&too_large);
        assert_eq!(journal.release(pending).unwrap_err(), NotDurable::JournalEnded);
        assert_eq!(journal.mark().wait(Seq(0), Duration::ZERO), Waited::Ended);
    }

    #[test]
    fn a_list_recorded_by_one_entry_is_released_one_by_one() {
        let mut journal = journal();
        let pending = journal.append_with(b"batch", vec![1, 2, 3]);
        journal.commit().unwrap();
        let items = pending.each().into_iter().map(|one| journal.release(one).unwrap().into_item());
        assert_eq!(items.collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_sleeper_wakes_when_the_disk_has_it() {
        let (mut appender, mut committer) = journal().split();
        let mark = appender.mark();
        assert_eq!(mark.wait(Seq(0), Duration::from_millis(1)), Waited::TimedOut);
        let sleeper = std::thread::spawn({
            let mark = mark.clone();
            move || mark.wait(Seq(1), Duration::from_mins(1))
        });
        appender.append(b"a");
        appender.append(b"b");
        let groups = appender.take().unwrap().unwrap();
        assert_eq!(committer.commit(&groups).unwrap(), Watermark(2));
        assert_eq!(sleeper.join().unwrap(), Waited::Durable);
    }
}
