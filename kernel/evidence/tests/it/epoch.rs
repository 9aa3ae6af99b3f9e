//! Makes whole epochs: a journal of real entries, its log, and checkpoints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::entry::{Content, Place};
use portcullis_core::{Class, Entry};
use portcullis_domain::{BootNs, Now, WallNs};
use portcullis_evidence::disk::segment_name;
use portcullis_evidence::log::{Follower, JOURNAL_FOLDER, LOG_FOLDER, LogFiles};
use portcullis_evidence::note::{Checkpoint, KeyKind, NoteSigner};
use portcullis_evidence::{Journal, JournalFolder, MemoryDisk};
use portcullis_statement::json::{Value, object};

pub(crate) const ORIGIN: &str = "portcullis/host/account/1/simulated";
const SECOND_NS: i64 = 1_000_000_000;

/// A folder of its own for one test, removed at the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir();
        let path = path.join(format!("portcullis-epoch-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that cannot be removed is no reason to fail a test that passed.
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn key(seed: u8) -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Ed25519, [seed; 32]).unwrap()
}

/// An entry at that second of the run.
pub(crate) fn entry(second: i64, (class, kind): (Class, &'static str), body: Value) -> Vec<u8> {
    let ns = second.checked_mul(SECOND_NS).unwrap();
    let at = Now { boot: BootNs(ns), wall: WallNs(1_800_000_000_000_000_000).plus_ns(ns) };
    let place = Place { at, input: 1, cursors: BTreeMap::new() };
    let content = Content { kind, corr: "-".to_owned(), reason: "-".to_owned(), body };
    Entry::new(class, &place, content).bytes
}

/// The first entry of the epoch, which names its key.
pub(crate) fn began(key: &NoteSigner) -> Vec<u8> {
    let key = key.verifier().to_string();
    let previous = Value::Null;
    let body = [
        ("epoch", Value::Int(1)),
        ("key", key.into()),
        ("parts", Value::Int(0)),
        ("previous", previous),
    ];
    entry(0, (Class::Host, "epoch-began"), object(body))
}

/// The first entry and so many ticks, one a second. Every hundredth is long, one is very long.
pub(crate) fn entries(key: &NoteSigner, count: usize) -> Vec<Vec<u8>> {
    let mut entries = vec![began(key)];
    for number in 1..count {
        let length = match number {
            50 => 40_000,
            _ if number.is_multiple_of(100) => 3_000,
            _ => number % 7,
        };
        let body = object([("pad", "x".repeat(length).into())]);
        entries.push(entry(i64::try_from(number).unwrap(), (Class::Input, "tick"), body));
    }
    entries
}

/// The segments of a journal of these entries, a group for each `group` of them.
pub(crate) fn segments(entries: &[Vec<u8>], group: usize) -> Vec<Vec<u8>> {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    for piece in entries.chunks(group) {
        for entry in piece {
            journal.append(entry);
        }
        journal.commit().unwrap();
    }
    journal.disk().segments(1)
}

pub(crate) fn write_journal(folder: &Path, entries: &[Vec<u8>], group: usize) {
    let folder = folder.join(JOURNAL_FOLDER);
    fs::create_dir_all(&folder).unwrap();
    for (number, bytes) in (1..).zip(segments(entries, group)) {
        fs::write(folder.join(segment_name(number)), bytes).unwrap();
    }
}

pub(crate) fn follower(folder: &Path, key: &NoteSigner) -> Follower<JournalFolder> {
    let files = LogFiles::new(folder.join(LOG_FOLDER));
    let journal = JournalFolder::new(folder.join(JOURNAL_FOLDER));
    Follower::open(journal, files, key.verifier()).unwrap()
}

/// A whole epoch in `folder`; a checkpoint of each size that a group ends at is kept beside.
pub(crate) fn make(folder: &Path, key: &NoteSigner, count: usize, group: usize) -> Checkpoint {
    write_journal(folder, &entries(key, count), group);
    let mut follower = follower(folder, key);
    let mut last = None;
    while follower.follow(None, |_| {}).unwrap() {
        let signed = follower.sign(key, false).unwrap();
        let log = folder.join(LOG_FOLDER);
        let kept = folder.join(format!("checkpoint.{}", signed.size));
        fs::copy(log.join("checkpoint"), kept).unwrap();
        last = Some(signed);
    }
    last.unwrap()
}
