//! `cargo xtask bench`: one recording, several times, and the figures of the parts by themselves.
//!
//! It prints medians and ratios of one run on one machine. It never judges a time: a figure from a
//! busy machine is not a fault of the program. Two runs with different results are one.

use crate::build::{self, Profile, REPLAYERS};
use crate::canary::Scratch;
use crate::process::{self, Failure};
use crate::replay::{Recording, Replayed};
use crate::setup;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const RUNS: usize = 5;

/// What the design allows, beside which the figures stand. Nothing here is compared by a program.
const BUDGET: &str = "\
budget, for a quiet machine with 2 cores:
  gate, 10 strategies, 50 instruments, 1 000 open orders:
    accepted, looked up to counted  p50 <= 1 us, p99 <= 5 us, no allocation (a test)
  market data in the core       >= 2 000 000 events/s in one thread
  reconciling 10 000 open orders  <= 100 ms
  durable before send, feed running  <= 1.5 x one fdatasync of the same run
  recorded decisions            >= 100 000 entries/s by group commit
  verify and replay an epoch    <= 10 s for 1 000 000 entries
  verifying an epoch            >= 1 000 000 entries/s, <= 64 MiB however long it is
  event delivery to a guest     <= 250 ns for one event, <= 8 ns per event in batches of 64
  replay                        no figure of its own; equal roots are a test, not a figure
";

/// Replays `folder`, else the recordings beside the project, else a synthetic recording; then the
/// gate, the journal and the sandbox by themselves.
pub(crate) fn run(folder: Option<String>) -> Result<(), Failure> {
    setup::ensure()?;
    build::programs(&REPLAYERS, Profile::Release)?;
    let recording = match folder {
        Some(folder) => Recording::Folder(PathBuf::from(folder)),
        None => Recording::beside_the_project().unwrap_or(Recording::Synthetic),
    };
    let component = build::shown_component()?;
    let mut times = Vec::new();
    let mut first: Option<Replayed> = None;
    for run in 1..=RUNS {
        let start = Instant::now();
        let replayed = recording.run(Profile::Release, &component)?;
        let time = start.elapsed();
        println!("run {run}: {:.3} s, session root {}", time.as_secs_f64(), replayed.session_root);
        times.push(time);
        let known = first.get_or_insert_with(|| replayed.clone());
        if *known != replayed {
            return Err(Failure::new(
                "replaying a recording",
                format!("run {run} differs from run 1: {known:?}, {replayed:?}"),
                "portcullis replay FOLDER, twice",
            ));
        }
    }
    let replay = figures(&mut times, first.and_then(|it| it.events));
    let evidence = evidence(&recording, &component)?;
    let gate = benched("portcullis-gate", "figures")?;
    let core = benched("portcullis-core", "figures")?;
    let journal = measured("journal", &["--dir".into(), build::folder(Profile::Release)])?;
    let sandbox = benched("portcullis-sandbox", "round_trip")?;
    let parts = format!("gate:\n{gate}\ncore:\n{core}\njournal: {journal}\nsandbox:\n{sandbox}");
    println!("\n{replay}{evidence}\n{parts}\n{BUDGET}");
    Ok(())
}

/// The evidence of the recording, verified and replayed: core and gate once more, entry by entry. The
/// strategy does not run again, since nobody signed for what was compiled here.
fn evidence(recording: &Recording, component: &Path) -> Result<String, Failure> {
    let (subject, next) = ("replaying evidence", "portcullis evidence replay FOLDER");
    let fault = |cause: String| Failure::new(subject, cause, next);
    let scratch = Scratch::new().map_err(fault)?;
    let kept = scratch.path().join("kept");
    let mut keep = recording.command(Profile::Release, component);
    keep.arg("--out").arg(&kept);
    process::read(keep, "keeping a replay", "portcullis replay FOLDER --out NEW")?;
    let (mut times, mut entries) = (Vec::new(), 0_u32);
    for _ in 0..RUNS {
        let mut again = Command::new(build::program("portcullis", Profile::Release));
        again.args(["evidence", "replay"]).arg(&kept);
        let start = Instant::now();
        let output = again.output().map_err(|error| fault(error.to_string()))?;
        times.push(start.elapsed());
        let text = String::from_utf8_lossy(&output.stdout);
        // Exit 3: equal, and nothing says where it comes from.
        let equal =
            text.lines().find_map(|line| line.strip_prefix("entries")?.trim().split_once(' '));
        let equal = equal.filter(|_| output.status.code() == Some(3) && text.contains("EQUAL"));
        let count = equal.and_then(|(count, _)| count.parse().ok());
        entries = count.ok_or_else(|| fault(text.into_owned()))?;
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64();
    let million = median * 1e6 / f64::from(entries.max(1));
    Ok(format!(
        "evidence: {entries} entries verified and replayed in {median:.3} s at the median, \
         {million:.2} s a million\n"
    ))
}

/// What the bench of a package says.
fn benched(package: &str, bench: &str) -> Result<String, Failure> {
    process::read(
        process::cargo(["bench", "--quiet", "--package", package, "--bench", bench]),
        &format!("the figures of {package}"),
        &format!("cargo bench -p {package}"),
    )
}

/// What `portcullis bench` says about one part.
fn measured(part: &str, arguments: &[PathBuf]) -> Result<String, Failure> {
    let mut command = Command::new(build::program("portcullis", Profile::Release));
    command.args(["bench", part]).args(arguments);
    process::read(
        command,
        &format!("the figures of the {part}"),
        &format!("portcullis bench {part}"),
    )
}

fn figures(times: &mut [Duration], events: Option<u64>) -> String {
    times.sort();
    let (Some(least), Some(most)) = (times.first(), times.last()) else { return String::new() };
    let median = times.get(times.len() / 2).unwrap_or(most);
    let seconds = median.as_secs_f64();
    let rate = match events.and_then(|count| u32::try_from(count).ok()) {
        Some(count) => {
            let rate = f64::from(count) / seconds.max(1e-9);
            format!("{count} events, {rate:.0} events/s at the median")
        }
        None => "the program named no number of events".to_owned(),
    };
    format!(
        "replay: median {seconds:.3} s, min {:.3} s, max {:.3} s, max/min {:.2}\nreplay: {rate}\n",
        least.as_secs_f64(),
        most.as_secs_f64(),
        most.as_secs_f64() / least.as_secs_f64().max(1e-9),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_rate_are_of_the_same_run() {
        let mut times = [3, 1, 2].map(Duration::from_secs);
        assert_eq!(
            figures(&mut times, Some(2000)),
            "replay: median 2.000 s, min 1.000 s, max 3.000 s, max/min 3.00\n\
             replay: 2000 events, 1000 events/s at the median\n"
        );
    }
}
