//! Recovery: the newest epoch of the journal is read, verified and folded, and goes on where it ends.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use portcullis_core::{Core, NotRolled, RecoverError, Start, entry};
use portcullis_evidence::{Digest, End, FileDisk, Head, Journal, JournalFolder, ReadFault, Reader};

use crate::clock;
use crate::fault::DaemonFault;
use crate::home::{Home, disk_fault, journal_fault, refuse_journal, unread, unreadable};

/// What recovery found.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) core: Core,
    pub(crate) journal: Journal<FileDisk>,
    pub(crate) start: Start,
}

/// An epoch that was read to its end.
struct Read {
    core: Core,
    end: End,
    /// Whether its last entry is the mark of a run that ended in order.
    clean: bool,
    path: PathBuf,
}

/// What of an epoch is sound, from its first entry on.
pub(crate) struct Sound {
    pub(crate) core: Core,
    /// The entries that this is, and the root over them.
    pub(crate) head: Head,
    clean: bool,
    /// The end of the epoch, or what is wrong behind the sound part.
    pub(crate) end: Result<End, Unsound>,
}

/// What is wrong with an epoch.
#[derive(Debug)]
pub(crate) enum Unsound {
    /// Its files.
    Journal(ReadFault),
    /// They are those of this journal.
    Foreign(String),
    /// An entry that says what cannot follow.
    Entry(u64, RecoverError),
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => fault.fmt(f),
            Self::Foreign(origin) => write!(f, "this is the journal of {origin}"),
            Self::Entry(number, error) => write!(f, "entry {number} does not fold: {error:?}"),
        }
    }
}

impl From<ReadFault> for Unsound {
    fn from(fault: ReadFault) -> Self {
        Self::Journal(fault)
    }
}

impl Sound {
    /// Reads an epoch, verifies it, and folds every entry up to the first that is not sound.
    pub(crate) fn read(source: JournalFolder, origin: &str) -> Self {
        let head = Head { size: 0, root: Digest::of(b"") };
        let (mut core, mut head, mut clean) = (Core::new(), head, false);
        let read = || {
            let mut reader = Reader::open(source)?;
            if reader.origin() != origin {
                return Err(Unsound::Foreign(reader.origin().to_owned()));
            }
            while let Some(group) = reader.next()? {
                for (number, bytes) in (group.first_seq..).zip(group.entries()) {
                    core.fold(bytes).map_err(|error| Unsound::Entry(number, error))?;
                    clean = entry::is_clean_stop(bytes);
                }
                head = reader.head();
            }
            Ok(reader.into_end())
        };
        let end = read();
        Self { core, head, clean, end }
    }
}

impl Home {
    /// Reads the journal back: verify, fold, and go on where it ends. Everything stays blocked.
    pub(crate) fn recover(&self) -> Result<Opened, DaemonFault> {
        let epochs = self.epochs_path();
        let disk = FileDisk::open(&epochs).map_err(|fault| disk_fault(&epochs, &fault))?;
        let last = disk.last_epoch().map_err(|fault| disk_fault(&epochs, &fault))?;
        let Some(epoch) = last else {
            self.check_journal(None)?;
            return self.first_epoch(disk);
        };
        if let Some(first) = first_key(disk.journal(1)) {
            self.check_journal(Some(&first))?;
        }
        let read = self.read_epoch(&disk, epoch)?;
        // What did not begin whole has not begun: the end of the epoch before says so too, and the
        // notary signs nothing before the whole beginning is durable.
        let before = epoch.checked_sub(1).filter(|before| *before > 0);
        if let Some(before) = before.filter(|_| !has_begun(&read.core)) {
            // Out of the way, and never deleted: what it is worth may be seen otherwise later.
            let aside = read.path.with_extension(format!("unbegun-{}", clock::now().wall.0));
            fs::rename(&read.path, aside).map_err(|error| unreadable(&read.path, &error))?;
            let ended = self.read_epoch(&disk, before)?;
            return self.next_epoch(disk, epoch, ended);
        }
        if !has_begun(&read.core) {
            return Err(refuse_journal(&read.path, "JOURNAL_UNFOLDABLE", "it has no beginning"));
        }
        if read.core.has_ended() {
            return self.next_epoch(disk, epoch.saturating_add(1), read);
        }
        let Read { core, end, clean, path } = read;
        let journal = Journal::open(disk, epoch, &end);
        let journal = journal.map_err(|fault| journal_fault(&path, &fault))?;
        Ok(Opened { core, journal, start: self.start((false, clean), end.torn_bytes)? })
    }

    /// A home without any history.
    fn first_epoch(&self, disk: FileDisk) -> Result<Opened, DaemonFault> {
        let epochs = self.epochs_path();
        self.refuse_lost_history(&epochs)?;
        let name = self.name_epoch(1)?;
        let journal = Journal::create(disk, &name.origin);
        let mut journal = journal.map_err(|fault| journal_fault(&epochs, &fault))?;
        let mut core = Core::new();
        let began = Core::first_epoch(clock::now(), name).bytes;
        core.fold(&began).map_err(|error| {
            refuse_journal(&epochs, "JOURNAL_UNFOLDABLE", &format!("entry 0: {error:?}"))
        })?;
        journal.append(&began);
        Ok(Opened { core, journal, start: self.start((true, false), 0)? })
    }

    /// Begins the epoch that the last entry of the one before announced. The run that wrote it did
    /// not end in order.
    fn next_epoch(&self, disk: FileDisk, epoch: u32, ended: Read) -> Result<Opened, DaemonFault> {
        let Read { mut core, end, path, .. } = ended;
        let refuse = |fault: NotRolled| {
            refuse_journal(&path, "EPOCH_NOT_ENDED", &format!("the next one began: {fault:?}"))
        };
        let roll = core.roll_again().map_err(refuse)?;
        disk.settle(epoch.saturating_sub(1)).map_err(|fault| disk_fault(&path, &fault))?;
        let origin = roll.core.epoch().map_or_else(String::new, |(_, name)| name.origin.clone());
        let journal = Journal::begin(disk, epoch, &origin);
        let mut journal = journal.map_err(|fault| journal_fault(&path, &fault))?;
        for entry in roll.begun((end.head.size, end.head.root)) {
            journal.append(&entry.bytes);
        }
        Ok(Opened { core: roll.core, journal, start: self.start((false, false), 0)? })
    }

    fn read_epoch(&self, disk: &FileDisk, epoch: u32) -> Result<Read, DaemonFault> {
        let source = disk.journal(epoch);
        let path = source.path().to_owned();
        let Sound { core, clean, end, .. } = Sound::read(source, &self.origin(epoch));
        let end = end.map_err(|unsound| match &unsound {
            Unsound::Journal(fault) => unread(&path, fault),
            Unsound::Foreign(_) => refuse_journal(&path, "JOURNAL_ORIGIN", &unsound.to_string()),
            Unsound::Entry(..) => refuse_journal(&path, "JOURNAL_UNFOLDABLE", &unsound.to_string()),
        })?;
        Ok(Read { core, end, clean, path })
    }
}

/// The key that the first entry of the first epoch names; `None` where that epoch is damaged, which
/// is told elsewhere, or not here any more.
pub(crate) fn first_key(source: JournalFolder) -> Option<String> {
    let mut reader = Reader::open(source).ok()?;
    let group = reader.next().ok()??;
    let mut core = Core::new();
    core.fold(group.entries().next()?).ok()?;
    core.epoch().map(|(_, name)| name.key.clone())
}

/// Whether the first entries of an epoch are there, all of them.
fn has_begun(core: &Core) -> bool {
    core.epoch().is_some() && !core.is_restoring()
}
