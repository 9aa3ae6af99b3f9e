//! `cargo xtask check` and `cargo xtask test`: the tiers.

use crate::build::{self, PROGRAMS, Profile};
use crate::process::{self, Failure};
use crate::replay::{self, Recording};
use crate::setup;
use crate::tally::{Outcome, Tally};
use std::process::Command;
use std::time::Instant;

/// The crates whose tests touch neither clock, network nor process: a minute, warm.
const PURE: [&str; 7] = [
    "portcullis-domain",
    "portcullis-statement",
    "portcullis-gate",
    "portcullis-core",
    "portcullis-paper",
    "portcullis-wire",
    "portcullis-governance",
];

/// Format, lints and the unit tests of the pure crates.
pub(crate) fn check() -> Result<(), Failure> {
    let start = Instant::now();
    setup::ensure()?;
    let mut tally = Tally::default();
    style(&mut tally);
    let mut command = process::cargo(["test", "--quiet", "--lib"]);
    for package in PURE {
        command.args(["--package", package]);
    }
    command.args(["--", "--nocapture"]);
    run_tests(command, &mut tally)?;
    conclude(&tally, false, start, "cargo xtask check")
}

/// Everything that this machine can do; what it cannot do is named at the end.
pub(crate) fn everything(all: bool) -> Result<(), Failure> {
    let start = Instant::now();
    setup::ensure()?;
    let mut tally = Tally::default();
    style(&mut tally);
    build::programs(&PROGRAMS, Profile::Debug)?;
    tally.step("components", components());
    let tests = process::cargo(["test", "--workspace", "--no-fail-fast", "--", "--nocapture"]);
    run_tests(tests, &mut tally)?;
    let outcome = same_roots();
    tally.step("session roots of debug and release builds", outcome);
    conclude(&tally, all, start, if all { "cargo xtask test --all" } else { "cargo xtask test" })
}

fn style(tally: &mut Tally) {
    let format = process::cargo(["fmt", "--all", "--check"]);
    tally.step("format", component("fmt", "rustfmt", format, "cargo fmt --all"));
    let mut lints = process::cargo(["clippy", "--quiet", "--workspace", "--all-targets"]);
    lints.args(["--", "-D", "warnings"]);
    tally.step("lints", component("clippy", "clippy", lints, "cargo clippy --workspace"));
}

/// Runs a component of the toolchain, which some toolchains come without.
fn component(verb: &str, name: &str, command: Command, next: &str) -> Outcome {
    println!("{verb}");
    if process::read(process::cargo([verb, "--version"]), verb, next).is_err() {
        return Outcome::Skipped(format!("no {name}: rustup component add {name}"));
    }
    match process::run(command, verb, next) {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(format!("{}; next: {next}", failure.cause)),
    }
}

/// The strategies that the tests load. Without a compiler for them, those tests skip themselves.
fn components() -> Outcome {
    if let Err(failure) = setup::guest_toolchain() {
        return Outcome::Skipped(failure.cause);
    }
    match build::guests() {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure.to_string()),
    }
}

fn run_tests(command: Command, tally: &mut Tally) -> Result<(), Failure> {
    let success = process::watch(command, "the tests", |line| tally.see(line))?;
    tally.finish(success);
    Ok(())
}

/// Optimisation must not change a verdict: both builds give one recording the same session root.
fn same_roots() -> Outcome {
    let Some(recording) = Recording::beside_the_project() else {
        return Outcome::Skipped("no shared/data beside the project".to_owned());
    };
    if !replay::offered(Profile::Debug) {
        return Outcome::Skipped("this build of portcullis has no verb `replay`".to_owned());
    }
    let replayed = |profile: Profile| {
        build::programs(&["portcullis-cli", "portcullis-sandbox"], profile)?;
        recording.run(profile, &build::shown_component()?)
    };
    let both = replayed(Profile::Debug)
        .and_then(|debug| replayed(Profile::Release).map(|release| (debug, release)));
    match both {
        Ok((debug, release)) if debug.session_root == release.session_root => Outcome::Passed,
        Ok((debug, release)) => Outcome::Failed(format!(
            "debug {} and release {} differ",
            debug.session_root, release.session_root
        )),
        Err(failure) => Outcome::Failed(failure.to_string()),
    }
}

fn conclude(tally: &Tally, all: bool, start: Instant, again: &str) -> Result<(), Failure> {
    println!("\ntook {} s\n{}", start.elapsed().as_secs(), tally.report());
    if tally.good(all) {
        return Ok(());
    }
    Err(Failure::new("the tests", "see the lines FAILED and SKIPPED above", again))
}
