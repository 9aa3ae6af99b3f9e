//! `cargo xtask demo`: the product from nothing, and nothing left behind.

use crate::build::{self, PROGRAMS, Profile};
use crate::canary::{self, Scratch};
use crate::process::{self, Failure};
use crate::replay::Recording;
use crate::setup;
use crate::stranger;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Builds the product and runs its own demo.
pub(crate) fn run() -> Result<(), Failure> {
    show(|component| {
        let mut command = process::bound_to_us(&build::program("portcullis", Profile::Release));
        command.arg("demo").arg("--component").arg(component).current_dir(process::project());
        command
    })
}

/// Builds the product and replays a recording.
pub(crate) fn replay(recording: &Recording) -> Result<(), Failure> {
    show(|component| recording.command(Profile::Release, component))
}

fn show(command: impl FnOnce(&Path) -> Command) -> Result<(), Failure> {
    let start = Instant::now();
    setup::ensure()?;
    build::programs(&PROGRAMS, Profile::Release)?;
    let component = build::shown_component()?;
    println!("built in {} s", start.elapsed().as_secs());
    let outcome =
        process::run(command(&component), "the demo", "portcullis status, or read the lines above");
    let outcome = outcome.and(nothing_left(Profile::Release));
    println!("total {} s", start.elapsed().as_secs());
    outcome
}

/// Runs the demo of the debug build in a folder of its own and looks through what it left: the
/// canary check, and the judgement of programs that are not ours where they are built. Returns what
/// was looked at.
pub(crate) fn checked(component: &Path) -> Result<String, Failure> {
    let fault = |cause: String| Failure::new("the demo", cause, "cargo xtask demo");
    let scratch = Scratch::new().map_err(fault)?;
    let mut command = process::bound_to_us(&build::program("portcullis", Profile::Debug));
    command.arg("demo").arg("--component").arg(component).arg("--dir").arg(scratch.path());
    command.current_dir(process::project());
    let outcome = process::run(command, "the demo", "cargo xtask demo");
    outcome.and(nothing_left(Profile::Debug))?;
    let folder = scratch.only_folder().map_err(fault)?;
    let seen = canary::check(&folder).map_err(fault)?;
    let judged = if stranger::is_built() { stranger::judge(&folder)? } else { String::new() };
    Ok(format!("canary check: {seen}\n{judged}"))
}

/// A program of ours that outlives the demo is a fault of the demo: it is ended and named.
fn nothing_left(profile: Profile) -> Result<(), Failure> {
    let left = process::left_behind(&build::folder(profile));
    if left.is_empty() {
        return Ok(());
    }
    for (id, _) in &left {
        process::run(end(*id), "ending a process", "ps -ef")?;
    }
    let names: Vec<String> = left.iter().map(|(id, name)| format!("{name} ({id})")).collect();
    Err(Failure::new("the demo", format!("left behind: {}", names.join(", ")), "ps -ef"))
}

/// Asked through the shell's own `kill`, which every system has.
fn end(id: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("kill -TERM {id}")]);
    command
}
