//! `cargo xtask check` and `cargo xtask test`: the tiers.

use crate::build::{self, PROGRAMS, Profile, REPLAYERS};
use crate::coverage;
use crate::demo;
use crate::mutants;
use crate::process::{self, Failure};
use crate::replay::Recording;
use crate::setup;
use crate::stranger;
use crate::tally::{Outcome, Tally};
use std::process::Command;
use std::time::{Duration, Instant};

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

/// The package that brings the WebAssembly engine.
const SANDBOX: &str = "portcullis-sandbox";

/// The package of models that run once for each order of events.
const LOOM: &str = "portcullis-loom";

/// The package that plays whole histories under a seed.
const SIMULATOR: &str = "portcullis-sim";

/// What has been counted, and how long each step took.
struct Run {
    start: Instant,
    tally: Tally,
    times: Vec<(&'static str, Duration)>,
}

impl Run {
    fn new() -> Self {
        Self { start: Instant::now(), tally: Tally::default(), times: Vec::new() }
    }

    /// A step of our own.
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        self.times.push((name, start.elapsed()));
        self.tally.step(name, outcome);
    }

    /// A step that must succeed before others make sense; it is no test.
    fn prepare(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        self.times.push((name, start.elapsed()));
        outcome
    }

    /// Tests of cargo's own harness.
    fn tests(&mut self, name: &'static str, command: Command) -> Result<(), Failure> {
        println!("\n== {name}");
        let start = Instant::now();
        let tally = &mut self.tally;
        let success = process::watch(command, name, |line| tally.see(line))?;
        tally.finish(success);
        self.times.push((name, start.elapsed()));
        Ok(())
    }

    fn style(&mut self) {
        let format = process::cargo(["fmt", "--all", "--check"]);
        self.step("format", || component("fmt", "rustfmt", format, "cargo fmt --all"));
        let mut lints = process::cargo(["clippy", "--quiet", "--workspace", "--all-targets"]);
        lints.args(["--", "-D", "warnings"]);
        self.step("lints", || component("clippy", "clippy", lints, "cargo clippy --workspace"));
    }

    fn conclude(&self, all: bool, again: &str) -> Result<(), Failure> {
        println!();
        for (name, time) in &self.times {
            println!("{:>5} s  {name}", time.as_secs());
        }
        println!("{:>5} s  in all\n\n{}", self.start.elapsed().as_secs(), self.tally.report());
        if self.tally.good(all) {
            return Ok(());
        }
        Err(Failure::new("the tests", "see the lines FAILED and SKIPPED above", again))
    }
}

/// Format, lints and the unit tests of the pure crates.
pub(crate) fn check() -> Result<(), Failure> {
    setup::ensure()?;
    let mut run = Run::new();
    run.style();
    let mut command = process::cargo(["test", "--quiet", "--lib"]);
    for package in PURE {
        command.args(["--package", package]);
    }
    command.args(["--", "--nocapture"]);
    run.tests("unit tests of the pure crates", command)?;
    run.conclude(false, "cargo xtask check")
}

/// Everything that this machine can do; what it cannot do is named at the end.
///
/// The steps run one after the other: the demo and the comparison of builds watch real processes
/// and real time, and a busy machine is not what they are about.
pub(crate) fn everything(all: bool) -> Result<(), Failure> {
    setup::ensure()?;
    setup::ensure_tested_with();
    let mut run = Run::new();
    run.prepare("programs", || build::programs(&PROGRAMS, Profile::Debug))?;
    run.step("strategies", strategies);
    run.step("stranger", stranger_built);
    run.style();
    run.step("demo and canary check", demo_checked);
    // The engine's package is tested by itself: with the features that others ask for, cargo
    // would build the engine a second time.
    let mut tests = process::cargo(["test", "--workspace", "--no-fail-fast"]);
    tests.args(["--exclude", SANDBOX, "--exclude", LOOM, "--exclude", SIMULATOR]);
    tests.args(["--", "--nocapture"]);
    run.tests("tests", tests)?;
    let mut tests = process::cargo(["test", "--package", SANDBOX, "--no-fail-fast"]);
    tests.args(["--", "--nocapture"]);
    run.tests("tests of the sandbox", tests)?;
    let mut tests = process::cargo(["test", "--package", LOOM, "--no-fail-fast"]);
    tests.args(["--", "--nocapture"]);
    run.tests("loom", tests)?;
    run.step("mutants of the change", || mutants::of_the_change(all));
    if all {
        run.step("coverage of the gate", coverage::of_the_gate);
    }
    // Thousands of starts, signatures and steps: a build without optimisation would need minutes.
    let mut seeds = process::cargo(["test", "--release", "--package", SIMULATOR]);
    seeds.args(["--no-fail-fast", "--", "--nocapture"]);
    run.tests("sim", seeds)?;
    run.prepare("programs, release", || build::programs(&REPLAYERS, Profile::Release))?;
    run.step("one root: a synthetic recording", || same_root(&Recording::Synthetic));
    run.step("one root: recorded market data", || match Recording::beside_the_project() {
        Some(recording) => same_root(&recording),
        None => Outcome::Skipped("no shared/data beside the project".to_owned()),
    });
    run.conclude(all, if all { "cargo xtask test --all" } else { "cargo xtask test" })
}

/// Runs a component of the toolchain, which some toolchains come without.
fn component(verb: &str, name: &str, command: Command, next: &str) -> Outcome {
    if !setup::component_is_there(verb, name) {
        return Outcome::Skipped(format!("no {name}: {}", setup::component_line(name)));
    }
    match process::run(command, verb, next) {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(format!("{}; next: {next}", failure.cause)),
    }
}

/// The judge that shares no code with us. Without it, the tests that ask it skip themselves.
fn stranger_built() -> Outcome {
    match setup::ensure_strangers().and_then(|()| stranger::build()) {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Skipped(format!("{}; next: {}", failure.cause, failure.next)),
    }
}

/// The strategies that the tests load. Without a compiler for them, those tests skip themselves.
fn strategies() -> Outcome {
    if let Err(failure) = setup::guest_toolchain() {
        return Outcome::Skipped(failure.cause);
    }
    match build::guests() {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure.to_string()),
    }
}

/// The product's own demo, with the programs as a developer builds them.
fn demo_checked() -> Outcome {
    let component = build::built_component();
    if !component.is_file() {
        return Outcome::Skipped("no strategy is built for the demo".to_owned());
    }
    match demo::checked(&component) {
        Ok(seen) => {
            println!("{seen}");
            Outcome::Passed
        }
        Err(failure) => Outcome::Failed(failure.to_string()),
    }
}

/// Optimisation must not change a verdict: both builds give one recording the same session root.
fn same_root(recording: &Recording) -> Outcome {
    let component = build::built_component();
    if !component.is_file() {
        return Outcome::Skipped("no strategy is built for the replay".to_owned());
    }
    let replayed = |profile| {
        let start = Instant::now();
        let replayed = recording.run(profile, &component)?;
        println!("{profile:?}: {:.1} s, {}", start.elapsed().as_secs_f64(), replayed.session_root);
        Ok::<_, Failure>(replayed)
    };
    match (replayed(Profile::Debug), replayed(Profile::Release)) {
        (Ok(debug), Ok(release)) if debug == release => Outcome::Passed,
        (Ok(debug), Ok(release)) => Outcome::Failed(format!(
            "debug {} and release {} differ",
            debug.session_root, release.session_root
        )),
        (Err(failure), _) | (_, Err(failure)) => Outcome::Failed(failure.to_string()),
    }
}
