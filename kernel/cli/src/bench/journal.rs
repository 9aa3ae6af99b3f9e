//! How fast decisions are recorded and read back, through the pieces that the daemon uses: the line
//! to the committer, the committer in a thread of its own, and the reader.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_domain::BootNs;
use portcullis_evidence::{
    Appender, FileDisk, Journal, JournalFault, JournalFolder, Reader, Waited,
};
use portcullis_path::order_path::{CommitLine, commit_channel, commit_loop};
use portcullis_statement::json::{Value, object};

use super::Times;
use crate::{CliError, Exit, out};

/// Bytes of one entry: about what an assessed intent comes to.
const ENTRY_BYTES: usize = 512;
/// Orders in flight one after the other, and bare syncs to compare with.
const ORDERS: u32 = 100;
/// Between two entries of the feed, and how many of them come between two orders.
const FEED_PAUSE: Duration = Duration::from_millis(1);
const FEED_ENTRIES: u32 = 7;
/// The bare sync writes so much, as an order alone does.
const BARE_BYTES: usize = 1_024;
const BARE_FILE_BYTES: usize = 1_024 * 1_024;
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
        "{ENTRY_BYTES} bytes an entry\n{}{}\
         durable before send: {percent} % of a bare sync (p50)\n\
         written  {entries} entries, {write_rate}/s, durable\n\
         verified {entries} entries, {verify_rate}/s, peak memory {peak}\n",
        bare.line("bare write and sync"),
        durable.line("one order, feed running"),
    ))
}

fn measured(path: &Path, mib: u32) -> Result<Figures, CliError> {
    let failed = |cause: String| failed(path, &cause);
    let bare = bare_syncs(&path.join("bare")).map_err(|error| failed(error.to_string()))?;
    let disk = FileDisk::open(&path.join("epochs")).map_err(|fault| failed(fault.to_string()))?;
    let journal = Journal::create(disk, "portcullis/bench/bench/1/simulated");
    let (mut appender, mut committer) = journal.map_err(|fault| failed(fault.to_string()))?.split();
    let (commits, commits_end) = commit_channel();
    let (durable, written) = thread::scope(|scope| {
        let committing = scope.spawn(|| commit_loop(&mut committer, &commits_end, &mut |_| {}));
        let mut line = CommitLine::new(&commits, &appender);
        let durable = one_order_at_a_time(&mut appender, &mut line);
        let written = at_full_speed(&mut appender, &mut line, u64::from(mib) * MIB);
        drop(commits);
        let ended = committing.join().unwrap_or(Err(JournalFault::OutOfOrder));
        ended.map(|()| (durable, written))
    })
    .map_err(|fault| failed(fault.to_string()))?;
    let entries = appender.head().size;
    // Only what the reading takes is to be seen; without it the peak includes the writing.
    drop((appender, committer));
    let reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let folder = JournalFolder::of_epoch(&path.join("epochs"), 1);
    let (read, verified) = timed(|| count(folder));
    let read = read.map_err(|fault| failed(fault.to_string()))?;
    if read != entries {
        return Err(failed(format!("{entries} entries were written and {read} read")));
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
fn bare_syncs(path: &Path) -> std::io::Result<Times> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all_at(&vec![0; BARE_FILE_BYTES], 0)?;
    file.sync_all()?;
    let (bytes, mut offset, mut fault) = ([b'x'; BARE_BYTES], 0_u64, Ok(()));
    let times = Times::of(ORDERS, || {
        let done = file.write_all_at(&bytes, offset).and_then(|()| file.sync_data());
        offset = offset.saturating_add(1_024);
        if done.is_err() {
            fault = done;
        }
    });
    fault.map(|()| times)
}

/// A feed of entries that nobody waits for, and now and then an order that waits for the disk.
fn one_order_at_a_time(appender: &mut Appender, line: &mut CommitLine<'_>) -> Times {
    let (entry, mark) = ([b'x'; ENTRY_BYTES], appender.mark());
    let mut boot = BootNs(0);
    let mut times = Vec::new();
    for _ in 0..ORDERS {
        for _ in 0..FEED_ENTRIES {
            appender.append(&entry);
            line.flush(appender, boot, false);
            thread::sleep(FEED_PAUSE);
            boot = boot.plus_ns(i64::try_from(FEED_PAUSE.as_nanos()).unwrap_or(i64::MAX));
        }
        let (_, time) = timed(|| {
            let seq = appender.append(&entry);
            line.is_waited_for = true;
            line.flush(appender, boot, false);
            // A journal that has ended is found when the committer is joined.
            mark.wait(seq, Duration::from_mins(1)) == Waited::Durable
        });
        times.push(time);
    }
    times.sort_unstable();
    Times(times)
}

/// As many entries as come to `bytes`, none waiting for the one before it, until all are durable.
fn at_full_speed(appender: &mut Appender, line: &mut CommitLine<'_>, bytes: u64) -> Duration {
    let (entry, mark) = ([b'x'; ENTRY_BYTES], appender.mark());
    let count = bytes / 512;
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

/// Every entry of a journal, verified and counted.
fn count(folder: JournalFolder) -> Result<u64, portcullis_evidence::ReadFault> {
    let mut reader = Reader::open(folder)?;
    while reader.next()?.is_some() {}
    Ok(reader.into_end().head.size)
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
