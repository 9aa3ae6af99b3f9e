//! `cargo xtask coverage`: what of the gate its own tests run, region by region.
//!
//! A region is the smallest piece of code that runs or does not: the right side of an `and`, the
//! way out of a `?`. All of the gate's must have been run. The compiler counts, and LLVM's own
//! tools of the compiler's version read the counts: another version may not know the format.

mod regions;
mod test_code;

use crate::process::{self, Failure};
use crate::setup;
use crate::tally::Outcome;
use regions::{Region, Report};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate of which nothing may stay untried.
const PACKAGE: &str = "portcullis-gate";
const SOURCES: &str = "kernel/gate/src/";
const SUBJECT: &str = "measuring what the tests run";
const AGAIN: &str = "cargo xtask coverage";

/// How the measurement ended.
#[derive(Debug)]
enum Measured {
    /// Every region was run: how many there are.
    All(usize),
    /// Some were not, which is on the screen by now.
    Missing(Failure),
    /// This machine has no tools that could tell.
    NoTools(String),
}

/// The verb.
pub(crate) fn run() -> Result<(), Failure> {
    setup::ensure()?;
    match measure()? {
        Measured::All(count) => println!("all {count} regions of {PACKAGE} were run by its tests"),
        Measured::Missing(failure) => return Err(failure),
        Measured::NoTools(cause) => println!("SKIPPED: {cause}"),
    }
    Ok(())
}

/// A step of the tests.
pub(crate) fn of_the_gate() -> Outcome {
    match measure() {
        Ok(Measured::All(_)) => Outcome::Passed,
        Ok(Measured::Missing(failure)) | Err(failure) => {
            Outcome::Failed(format!("{}; next: {AGAIN}", failure.cause))
        }
        Ok(Measured::NoTools(cause)) => Outcome::Skipped(cause),
    }
}

/// Builds the tests with counters, runs them, and judges.
fn measure() -> Result<Measured, Failure> {
    let tools = match tools() {
        Ok(tools) => tools,
        Err(cause) => return Ok(Measured::NoTools(cause)),
    };
    let folder = process::target().join("coverage");
    let programs = build(&folder)?;
    let profile = count(&folder, &programs, &tools)?;
    let report = read(&programs, &profile, &tools)?;
    let missing: Vec<&Region> = report.missing().collect();
    for region in &missing {
        println!("not run: {SOURCES}{}  {}", region.place(), source_of(region));
    }
    println!("{}", report.summary());
    if missing.is_empty() {
        return Ok(Measured::All(report.count()));
    }
    let cause = format!("{} of {} regions were not run", missing.len(), report.count());
    Ok(Measured::Missing(Failure::new(PACKAGE, cause, "write a test for each line above")))
}

/// LLVM's two tools, of one version.
#[derive(Debug, PartialEq, Eq)]
struct Tools {
    merge: PathBuf,
    show: PathBuf,
}

/// The tools of the compiler's version: beside the compiler, or Debian's, or installed now.
fn tools() -> Result<Tools, String> {
    let version = rustc(&["-vV"])?;
    let major = llvm_major(&version).ok_or("rustc does not say which LLVM it has")?;
    let sysroot = rustc(&["--print", "sysroot"])?;
    let host = field(&version, "host: ").ok_or("rustc does not say its host")?;
    let beside = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    let found = || {
        let own = Tools { merge: beside.join("llvm-profdata"), show: beside.join("llvm-cov") };
        if own.merge.is_file() && own.show.is_file() {
            return Some(own);
        }
        let [merge, show] = ["llvm-profdata", "llvm-cov"].map(|name| format!("{name}-{major}"));
        let there = process::on_path(&merge) && process::on_path(&show);
        there.then(|| Tools { merge: merge.into(), show: show.into() })
    };
    if let Some(tools) = found() {
        return Ok(tools);
    }
    let package = format!("llvm-{major}");
    println!("setup: {package} is missing (reads the counters that rustc builds in)");
    let failed =
        |failure: Failure| format!("no {package}: {}; to have it: {}", failure.cause, failure.next);
    setup::install(&[&package]).map_err(failed)?;
    found().ok_or_else(|| format!("{package} is installed and brings no llvm-cov-{major}"))
}

fn rustc(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("rustc");
    command.args(arguments).current_dir(process::project());
    process::read(command, "asking rustc", "rustc -vV").map_err(|failure| failure.cause)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

fn llvm_major(version: &str) -> Option<u32> {
    field(version, "LLVM version: ")?.split('.').next()?.parse().ok()
}

/// The crate's test programs, with counters in them. They lie apart from what everybody builds.
fn build(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut command = process::cargo(["test", "--package", PACKAGE, "--lib", "--tests"]);
    command.args(["--no-run", "--message-format=json"]);
    command.env("CARGO_TARGET_DIR", folder).env("RUSTFLAGS", "-C instrument-coverage");
    // What runs while building is counted too, and thrown away.
    command.env("LLVM_PROFILE_FILE", folder.join("build/%m.profraw"));
    let said = process::read(command, SUBJECT, &format!("cargo test -p {PACKAGE}"))?;
    let programs = regions::programs(&said);
    if programs.is_empty() {
        return Err(Failure::new(SUBJECT, "cargo built no test program", AGAIN));
    }
    Ok(programs)
}

/// Runs the programs and sums what they counted.
fn count(folder: &Path, programs: &[PathBuf], tools: &Tools) -> Result<PathBuf, Failure> {
    let raw = folder.join("raw");
    let unusable =
        |error: std::io::Error| Failure::new(SUBJECT, format!("{}: {error}", raw.display()), AGAIN);
    // Counts of an earlier run would speak for tests that are gone.
    if raw.exists() {
        fs::remove_dir_all(&raw).map_err(unusable)?;
    }
    fs::create_dir_all(&raw).map_err(unusable)?;
    for program in programs {
        let mut command = Command::new(program);
        command.arg("--quiet").current_dir(process::project().join("kernel/gate"));
        command.env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"));
        process::run(command, SUBJECT, &format!("cargo test -p {PACKAGE}"))?;
    }
    let files = fs::read_dir(&raw).map_err(unusable)?;
    let files: Vec<PathBuf> = files.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let profile = folder.join("gate.profdata");
    let mut merge = Command::new(&tools.merge);
    merge.args(["merge", "--sparse", "--output"]).arg(&profile).args(files);
    process::run(merge, SUBJECT, AGAIN)?;
    Ok(profile)
}

/// The counts, by region of the crate's sources.
fn read(programs: &[PathBuf], profile: &Path, tools: &Tools) -> Result<Report, Failure> {
    let mut show = Command::new(&tools.show);
    show.args(["export", "--format=text", "--instr-profile"]).arg(profile);
    let mut programs = programs.iter();
    show.args(programs.next());
    for program in programs {
        show.arg("--object").arg(program);
    }
    let said = process::read(show, SUBJECT, AGAIN)?;
    let sources = process::project().join(SOURCES);
    Report::read(&said, &sources).map_err(|cause| Failure::new(SUBJECT, cause, AGAIN))
}

/// A region, or its first line, as it stands in the source.
fn source_of(region: &Region) -> String {
    let path = process::project().join(SOURCES).join(&region.file);
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().nth(region.from.0.saturating_sub(1)).unwrap_or_default();
    let rest = line.chars().skip(region.from.1.saturating_sub(1));
    let columns = region.to.1.saturating_sub(region.from.1);
    if region.to.0 == region.from.0 { rest.take(columns).collect() } else { rest.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_those_of_the_compilers_own_llvm() {
        let version = "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
        assert_eq!(llvm_major(version), Some(22));
        assert_eq!(field(version, "host: "), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(llvm_major("rustc 1.95.0\n"), None);
    }
}
