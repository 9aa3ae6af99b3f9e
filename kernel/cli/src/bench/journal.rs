//! How fast decisions are recorded and read back, through the pieces that the daemon uses: the line
//! to the committer, the committer in a thread of its own, and the verification of an epoch.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_core::entry::{Class, Content, Entry, Place};
use portcullis_domain::BootNs;
use portcullis_evidence::log::{
    FollowFault, Follower, JOURNAL_FOLDER, LOG_FOLDER, LogFiles, verify_epoch,
};
use portcullis_evidence::note::{KeyKind, NoteSigner};
use portcullis_evidence::{
    Appender, FileDisk, Journal, JournalFault, JournalFolder, Waited, epoch_folder,
};
use portcullis_path::order_path::{CommitLine, commit_channel, commit_loop};
use portcullis_statement::json::{Value, object};

use super::Times;
use crate::{CliError, Exit, out};

/// Bytes of one entry, about; a session's own come to as much on the average.
const ENTRY_BYTES: u64 = 600;
/// Orders in flight one after the other, each beside a bare sync to compare with.
const ORDERS: u32 = 400;
/// Between two entries of the feed, and how many of them come between two orders: the feed alone
/// has the disk sync every ten.
const FEED_PAUSE: Duration = Duration::from_millis(1);
const FEED_ENTRIES: RangeInclusive<u32> = 5..=23;
/// The bare sync writes what an order and the feed's entries since the last sync come to, about.
const BARE_BYTES: usize = 4_096;
const BARE_FILE_BYTES: usize = 2 * 1_024 * 1_024;
const ORIGIN: &str = "portcullis/bench/bench/1/simulated";
const MIB: u64 = 1_024 * 1_024;

/// Measures the journal on the disk below a folder.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder on the disk that is measured; the journal is removed again.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Size in MiB of the journal that is written at full speed and verified.
    #[arg(long, default_value_t = 256)]
    mib: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was measured.
struct Figures {
    bare: Times,
    durable: Times,
    entries: u64,
    written: Duration,
    verified: Duration,
    peak_kib: Option<u64>,
}

/// Runs the verb.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let path = args.dir.join(format!("portcullis-bench-{}", std::process::id()));
    fs::create_dir(&path).map_err(|error| failed(&path, &error.to_string()))?;
    let figures = measured(&path, args.mib);
    let removed = fs::remove_dir_all(&path);
    let figures = figures?;
    removed.map_err(|error| failed(&path, &error.to_string()))?;
    let Figures { bare, durable, entries, written, verified, peak_kib } = figures;
    let (write_rate, verify_rate) = (rate(entries, written), rate(entries, verified));
    let percent = durable.percentile_ns(50).saturating_mul(100);
    let percent = percent.checked_div(bare.percentile_ns(50)).unwrap_or(i64::MAX);
    if args.json {
        let peak = peak_kib.map_or(Value::Null, number);
        let document = object([
            ("bare_sync", bare.value("write and sync")),
            ("durable_before_send", durable.value("append to durable, feed running")),
            ("durable_percent_of_bare", percent.into()),
            ("entries", number(entries)),
            ("entries_per_second_verified", number(verify_rate)),
            ("entries_per_second_written", number(write_rate)),
            ("peak_kib_verifying", peak),
        ]);
        return out::json("bench-journal", document);
    }
    let peak = peak_kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{kib} KiB"));
    out::result(&format!(
        "about {ENTRY_BYTES} bytes an entry\n{}{}\
         durable before send: {percent} % of a bare sync (p50)\n\
         written  {entries} entries, {write_rate}/s, durable\n\
         verified {entries} entries with their log, {verify_rate}/s, peak memory {peak}\n",
        bare.line("bare write and sync"),
        durable.line("one order, feed running"),
    ))
}

fn measured(path: &Path, mib: u32) -> Result<Figures, CliError> {
    let failed = |cause: String| failed(path, &cause);
    let bare = Bare::create(&path.join("bare")).map_err(|error| failed(error.to_string()))?;
    let disk = FileDisk::open(&path.join("epochs")).map_err(|fault| failed(fault.to_string()))?;
    let journal = Journal::create(disk, ORIGIN);
    let (mut appender, mut committer) = journal.map_err(|fault| failed(fault.to_string()))?.split();
    let key = NoteSigner::from_seed(ORIGIN, KeyKind::Ed25519, [0; 32]);
    let key = key.map_err(|fault| failed(fault.to_string()))?;
    appender.append(&began(&key));
    let (commits, commits_end) = commit_channel();
    let (pairs, written) = thread::scope(|scope| {
        let on_disk = &mut committer;
        let committing = scope.spawn(move || commit_loop(on_disk, commits_end, &mut |_| {}));
        let mut line = CommitLine::new(&commits, &appender);
        let pairs = one_order_at_a_time(&mut appender, &mut line, bare);
        let written = at_full_speed(&mut appender, &mut line, u64::from(mib) * MIB);
        drop(commits);
        let ended = committing.join().unwrap_or(Err(JournalFault::OutOfOrder));
        ended.map(|()| (pairs, written))
    })
    .map_err(|fault| failed(fault.to_string()))?;
    let (durable, bare) = pairs.map_err(|error| failed(error.to_string()))?;
    let entries = appender.head().size;
    drop((appender, committer));
    let folder = epoch_folder(&path.join("epochs"), 1);
    make_log(&folder, &key).map_err(|fault| failed(fault.to_string()))?;
    // Only what the reading takes is to be seen; without it the peak includes the writing.
    let reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let (read, verified) = timed(|| verify_epoch(&folder));
    let read = read.map_err(|fault| failed(fault.to_string()))?.checkpoint.size;
    if read != entries {
        return Err(failed(format!("{entries} entries were written and {read} verified")));
    }
    let peak_kib = if reset { peak_kib() } else { None };
    Ok(Figures { bare, durable, entries, written, verified, peak_kib })
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads a clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// The least that durability can cost on this disk: a small write into a whole file, and a sync.
struct Bare {
    file: File,
    offset: u64,
}

impl Bare {
    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all_at(&vec![0; BARE_FILE_BYTES], 0)?;
        file.sync_all()?;
        Ok(Self { file, offset: 0 })
    }

    fn timed(&mut self) -> io::Result<Duration> {
        let (synced, time) = timed(|| self.sync());
        synced.map(|()| time)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[b'x'; BARE_BYTES], self.offset)?;
        self.offset = self.offset.saturating_add(4_096);
        self.file.sync_data()
    }
}

/// A feed of entries that nobody waits for, and now and then an order that waits for the disk. A
/// bare sync stands beside each, so that a disk that is busy with others is as slow for both.
fn one_order_at_a_time(
    appender: &mut Appender,
    line: &mut CommitLine<'_>,
    mut bare: Bare,
) -> io::Result<(Times, Times)> {
    let (entry, mark) = (entry(Class::Input, "tick"), appender.mark());
    let mut boot = BootNs(0);
    let (mut durable, mut syncs) = (Vec::new(), Vec::new());
    for (order, feed) in (0..ORDERS).zip(FEED_ENTRIES.cycle()) {
        for _ in 0..feed {
            appender.append(&entry);
            line.flush(appender, boot, false);
            thread::sleep(FEED_PAUSE);
            boot = boot.plus_ns(i64::try_from(FEED_PAUSE.as_nanos()).unwrap_or(i64::MAX));
        }
        // Which of the two comes first alternates: neither always finds the disk just synced.
        let bare_first = order % 2 == 0;
        if bare_first {
            syncs.push(bare.timed()?);
        }
        let (_, time) = timed(|| {
            let seq = appender.append(&entry);
            line.is_waited_for = true;
            line.flush(appender, boot, false);
            // A journal that has ended is found when the committer is joined.
            mark.wait(seq, Duration::from_mins(1)) == Waited::Durable
        });
        durable.push(time);
        if !bare_first {
            syncs.push(bare.timed()?);
        }
    }
    Ok((Times::sorted(durable), Times::sorted(syncs)))
}

/// As many entries as come to `bytes`, none waiting for the one before it, until all are durable.
fn at_full_speed(appender: &mut Appender, line: &mut CommitLine<'_>, bytes: u64) -> Duration {
    let (entry, mark) = (entry(Class::Outcome, "assessed"), appender.mark());
    let count = bytes / ENTRY_BYTES;
    let (_, time) = timed(|| {
        let mut last = None;
        for number in 0..count {
            last = Some(appender.append(&entry));
            if number % 256 == 0 {
                line.is_waited_for = true;
            }
            // The line is full while the disk is slower than this loop, which waits then as the
            // core loop would collect.
            line.flush(
                appender,
                BootNs(0),
                number % 4_096 == 0 || number.saturating_add(1) == count,
            );
        }
        last.map(|seq| mark.wait(seq, Duration::from_mins(10)))
    });
    time
}

/// An entry of the right shape and an honest length.
fn entry(class: Class, kind: &'static str) -> Vec<u8> {
    let amounts = (0..20).map(|number| Value::Text(format!("{number}.99939847694250")));
    let body = object([
        ("balances", Value::List(amounts.collect())),
        ("cl_ord_id", "pc065c98b200000002".into()),
        ("last_px", Value::Int(600_023)),
        ("text", "".into()),
    ]);
    let content = Content { kind, corr: "pc065c98b2".to_owned(), reason: "OK".to_owned(), body };
    Entry::new(class, &Place::default(), content).bytes
}

/// The epoch's first entry, which names the key of its log.
fn began(key: &NoteSigner) -> Vec<u8> {
    let (kind, reason) = ("epoch-began", "OK".to_owned());
    let body = object([("key", key.verifier().to_string().into())]);
    let content = Content { kind, corr: "-".to_owned(), reason, body };
    Entry::new(Class::Host, &Place::default(), content).bytes
}

/// Makes the log of an epoch, as the notary does.
fn make_log(folder: &Path, key: &NoteSigner) -> Result<(), FollowFault> {
    let journal = JournalFolder::new(folder.join(JOURNAL_FOLDER));
    let files = LogFiles::new(folder.join(LOG_FOLDER));
    let mut follower = Follower::open(journal, files, key.verifier())?;
    while follower.follow(None, |_| {})? {}
    follower.sign(key, false).map(drop)
}

/// The most memory that this process has held since the mark was reset, in KiB.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn rate(count: u64, time: Duration) -> u64 {
    let per_second = u128::from(count).saturating_mul(1_000_000_000).checked_div(time.as_nanos());
    per_second.and_then(|rate| u64::try_from(rate).ok()).unwrap_or(0)
}

fn number(value: u64) -> Value {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}

fn failed(path: &Path, cause: &str) -> CliError {
    let next = "name a folder on another disk with --dir";
    CliError::new(Exit::Temporary, "BENCH_FAILED", &path.display().to_string(), cause, next)
}
