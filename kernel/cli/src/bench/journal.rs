//! How fast decisions are recorded: entries of an ordinary size into a journal file, each group
//! written and synced before the next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_evidence::{FileDisk, Journal};
use portcullis_statement::json::{Value, object};

use super::Times;
use crate::{CliError, Exit, out};

/// Bytes of one entry: about what an assessed intent comes to.
const ENTRY_BYTES: usize = 512;
/// Groups of each size. Few, because a sync takes milliseconds on an ordinary disk.
const GROUPS: u32 = 50;
/// Entries of a group: one order in flight, and what piles up behind a sync.
const GROUP_SIZES: [u32; 3] = [1, 64, 1_024];

/// Measures the journal on the disk below a folder.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder on the disk that is measured; the journal is removed again.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// One size of group.
struct Row {
    size: u32,
    times: Times,
}

impl Row {
    fn entries_per_second(&self) -> u128 {
        let total: Duration = self.times.0.iter().sum();
        let entries = u128::from(self.size).saturating_mul(u128::from(GROUPS));
        entries.saturating_mul(1_000_000_000).checked_div(total.as_nanos()).unwrap_or(0)
    }
}

/// Runs the verb.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let path = args.dir.join(format!("portcullis-bench-{}", std::process::id()));
    let rows = measured(&path);
    let removed = std::fs::remove_dir_all(&path);
    let rows = rows?;
    removed.map_err(|error| failed(&path, &error.to_string()))?;
    if args.json {
        let value = |row: &Row| {
            let rate = i64::try_from(row.entries_per_second()).unwrap_or(i64::MAX);
            let times = row.times.value("append and sync");
            object([
                ("entries_per_group", i64::from(row.size).into()),
                ("entries_per_second", rate.into()),
                ("times", times),
            ])
        };
        let rows = rows.iter().map(value).collect();
        return out::json("bench-journal", object([("rows", Value::List(rows))]));
    }
    let lines = rows.iter().map(|row| {
        let name = format!("group of {}", row.size);
        format!("{}{:<28} {} entries/s\n", row.times.line(&name), "", row.entries_per_second())
    });
    out::result(&format!(
        "{GROUPS} groups of each size, {ENTRY_BYTES} bytes an entry, written and synced\n{}",
        lines.collect::<String>()
    ))
}

fn measured(path: &Path) -> Result<Vec<Row>, CliError> {
    let disk = FileDisk::open(path).map_err(|fault| failed(path, &fault.to_string()))?;
    let journal = Journal::create(disk, "portcullis/bench/bench/1/simulated");
    let mut journal = journal.map_err(|fault| failed(path, &fault.to_string()))?;
    let entry = vec![b'x'; ENTRY_BYTES];
    let mut fault = None;
    let rows = GROUP_SIZES.map(|size| {
        let times = Times::of(GROUPS, || {
            for _ in 0..size {
                journal.append(&entry);
            }
            if let Err(cause) = journal.commit() {
                fault = Some(cause);
            }
        });
        Row { size, times }
    });
    match fault {
        Some(fault) => Err(failed(path, &fault.to_string())),
        None => Ok(rows.into()),
    }
}

fn failed(path: &Path, cause: &str) -> CliError {
    let next = "name a folder on another disk with --dir";
    CliError::new(Exit::Temporary, "BENCH_FAILED", &path.display().to_string(), cause, next)
}
