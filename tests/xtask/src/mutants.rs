//! `cargo xtask mutants`: whether the tests notice when the gate, an order or a kill is broken.
//!
//! One small fault after the other, a mutant, is put into a copy of the sources, and the tests of
//! the faulty crate run. A mutant that no test notices is a missed one, and a failure here. What is
//! broken and what is not stands in `.cargo/mutants.toml`.

mod summary;

use crate::process::{self, Failure};
use crate::setup;
use crate::tally::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use summary::Summary;

/// The tool, from crates.io, with the dependencies that it was released with.
const TOOL: &str = "cargo-mutants";
const TOOL_VERSION: &str = "27.1.0";

/// Where mutants are made; what a change elsewhere does is not their business.
const SOURCES: [&str; 3] = ["kernel/gate/src", "kernel/core/src", "kernel/domain/src"];

/// How much of a change `cargo xtask test` tries: so many mutants at most, in so many seconds.
/// Beyond that it says so; `--all` tries everything.
const STEP_MUTANTS_MAX: usize = 12;
const STEP_S_MAX: u32 = 180;

const SUBJECT: &str = "breaking the kernel on purpose";
const AGAIN: &str = "cargo xtask mutants";
/// How the tool ends when a mutant was missed, when one hung, when the tests fail anyway; and how
/// `timeout` ends when it had to end the tool.
const MISSED: i32 = 2;
const HUNG: i32 = 3;
const BASELINE_FAILED: i32 = 4;
const OUT_OF_TIME: i32 = 124;

/// What was typed behind the verb.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Only what changed since this commit.
    since: Option<String>,
    /// Only one part of so many; parts count from zero.
    shard: Option<String>,
    /// Whether to keep a dated report.
    report: bool,
}

impl Request {
    /// Reads the words behind the verb; `None` if one of them means nothing.
    pub(crate) fn parse(words: &[&str]) -> Option<Self> {
        match words {
            [] => Some(Self::default()),
            ["--report", rest @ ..] => Some(Self { report: true, ..Self::parse(rest)? }),
            ["--in-diff", base, rest @ ..] if !base.starts_with('-') => {
                Some(Self { since: Some((*base).to_owned()), ..Self::parse(rest)? })
            }
            ["--shard", shard, rest @ ..] if is_shard(shard) => {
                Some(Self { shard: Some((*shard).to_owned()), ..Self::parse(rest)? })
            }
            _ => None,
        }
    }

    /// What is tried, in words.
    fn scope(&self) -> String {
        let since = self.since.as_ref().map(|base| format!("what changed since {base}"));
        let shard = self.shard.as_ref().map(|shard| format!("shard {shard}"));
        let parts: Vec<String> = since.into_iter().chain(shard).collect();
        if parts.is_empty() { "everything".to_owned() } else { parts.join(", ") }
    }

    /// The same as a name: runs of other scopes at the same time keep their results apart.
    fn name(&self) -> String {
        let plain = |letter: char| if letter.is_alphanumeric() { letter } else { '-' };
        self.scope().replace("what changed ", "").replace(", ", "-").chars().map(plain).collect()
    }
}

fn is_shard(text: &str) -> bool {
    let numbers = text.split_once('/').map(|(part, of)| (part.parse::<u16>(), of.parse::<u16>()));
    matches!(numbers, Some((Ok(part), Ok(of))) if part < of)
}

/// How the hunt ended.
enum Hunt {
    Over(Summary),
    OutOfTime,
}

/// The verb.
pub(crate) fn run(request: &Request) -> Result<(), Failure> {
    setup::ensure()?;
    let Some(arguments) = arguments(request)? else { return Ok(()) };
    let Hunt::Over(summary) = hunt(&request.name(), &arguments, None)? else {
        return Err(Failure::new(SUBJECT, "it was ended from outside", AGAIN));
    };
    println!("\n{}", summary.text());
    if request.report {
        println!("report: {}", keep(&summary, request)?.display());
    }
    let [first, ..] = summary.missed.as_slice() else { return Ok(()) };
    let cause = format!("{} missed, the first is {first}", summary.missed.len());
    Err(Failure::new(SUBJECT, cause, "write a test that fails for each mutant MISSED above"))
}

/// What the tool is told of a request; `None` if there is nothing to break.
fn arguments(request: &Request) -> Result<Option<Vec<String>>, Failure> {
    let mut arguments = Vec::new();
    if let Some(base) = &request.since {
        let diff = change_since(base)?;
        if diff.trim().is_empty() {
            println!("nothing that is broken on purpose changed since {base}");
            return Ok(None);
        }
        let path = folder()?.join(format!("{}.diff", request.name()));
        fs::write(&path, &diff).map_err(|error| unwritable(&path, &error))?;
        arguments.extend(["--in-diff".to_owned(), path.display().to_string()]);
    }
    if let Some(shard) = &request.shard {
        arguments.extend(["--shard".to_owned(), shard.clone()]);
    }
    Ok(Some(arguments))
}

/// A step of the tests: what changed since the last release, or else since the last commit.
pub(crate) fn of_the_change(all: bool) -> Outcome {
    let outcome = || {
        let Some(base) = base() else {
            return Ok(Outcome::Skipped("no earlier commit to compare with".to_owned()));
        };
        let request = Request { since: Some(base.clone()), ..Request::default() };
        let Some(arguments) = arguments(&request)? else { return Ok(Outcome::Passed) };
        let count = list(&arguments)?;
        println!("{count} mutants since {base}");
        let line = format!("cargo xtask mutants --in-diff {base}");
        if !all && count > STEP_MUTANTS_MAX {
            let cause = format!("{count} of the change, this step tries {STEP_MUTANTS_MAX}");
            return Ok(Outcome::Skipped(format!("{cause}: {line}")));
        }
        Ok(match hunt(&request.name(), &arguments, (!all).then_some(STEP_S_MAX))? {
            Hunt::OutOfTime => Outcome::Skipped(format!("not done in {STEP_S_MAX} s: {line}")),
            Hunt::Over(summary) if summary.missed.is_empty() => {
                println!("{}", summary.text());
                Outcome::Passed
            }
            Hunt::Over(summary) => {
                Outcome::Failed(format!("missed: {}; next: {line}", summary.missed.join("; ")))
            }
        })
    };
    outcome().unwrap_or_else(|failure: Failure| Outcome::Failed(failure.to_string()))
}

/// The last release that this work began from, or the commit before; `None` for a lone commit.
fn base() -> Option<String> {
    let git = |arguments: &[&str]| Some(git(arguments).ok()?.trim().to_owned());
    let release = git(&["describe", "--tags", "--abbrev=0"]);
    let from = release.and_then(|tag| git(&["merge-base", &tag, "HEAD"]));
    from.or_else(|| git(&["rev-parse", "--verify", "--quiet", "HEAD~1"]))
        .map(|commit| commit.chars().take(12).collect())
}

fn git(arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(process::project());
    process::read(command, "asking git", &format!("git {}", arguments.join(" ")))
}

/// The sources' change since a commit, up to what lies in the folder now.
fn change_since(base: &str) -> Result<String, Failure> {
    let mut arguments = vec!["diff", "--no-color", "--no-ext-diff", base, "--"];
    arguments.extend(SOURCES);
    git(&arguments)
}

/// Where everything of this verb lies.
fn folder() -> Result<PathBuf, Failure> {
    let folder = process::target().join("mutants");
    // The copies of the sources lie here too, with all that is built in them.
    let copies = folder.join("tmp");
    fs::create_dir_all(&copies).map_err(|error| unwritable(&copies, &error))?;
    Ok(folder)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(SUBJECT, format!("{}: {error}", path.display()), AGAIN)
}

/// The words with which the tool is called, behind the words in front of it.
fn tool(front: &[String]) -> Result<Command, Failure> {
    let program = setup::tool(TOOL, TOOL_VERSION)?.display().to_string();
    let mut words = front.iter().cloned().chain([program]);
    let mut command = process::command(words.next().unwrap_or_default());
    command.args(words).args(["mutants", "--colors=never"]).current_dir(process::project());
    command.env("TMPDIR", folder()?.join("tmp")).env_remove("CARGO_TARGET_DIR");
    Ok(command)
}

/// How many mutants there are.
fn list(arguments: &[String]) -> Result<usize, Failure> {
    let mut command = tool(&[])?;
    command.arg("--list").args(arguments);
    Ok(process::read(command, SUBJECT, AGAIN)?.lines().count())
}

/// Tries each mutant, one after the other: each build has all processors to itself.
fn hunt(name: &str, arguments: &[String], seconds_max: Option<u32>) -> Result<Hunt, Failure> {
    let folder = folder()?.join(name);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let results = folder.join("mutants.out");
    // Results of an earlier run would be read as this one's if there is nothing to do.
    if results.exists() {
        fs::remove_dir_all(&results).map_err(|error| unwritable(&results, &error))?;
    }
    // An interrupt to the whole group: the tool then clears away its copy and ends its builds.
    let limit = |seconds: u32| format!("timeout --signal=INT --kill-after=20 {seconds}");
    let front = seconds_max.map(limit).unwrap_or_default();
    let front: Vec<String> = front.split_whitespace().map(str::to_owned).collect();
    let mut command = tool(&front)?;
    command.args(["--jobs=1", "--no-shuffle", "--output"]).arg(&folder).args(arguments);
    let status = command.status().map_err(|error| {
        Failure::new(SUBJECT, format!("{TOOL} could not be run: {error}"), "cargo xtask setup")
    })?;
    match status.code() {
        Some(0 | MISSED | HUNG) => Ok(Hunt::Over(Summary::read(&results))),
        Some(OUT_OF_TIME) => Ok(Hunt::OutOfTime),
        Some(BASELINE_FAILED) => {
            let cause = "the tests fail without any mutant";
            Err(Failure::new(SUBJECT, cause, "cargo test -p the package named above"))
        }
        _ => Err(Failure::new(SUBJECT, format!("{TOOL} ended with {status}"), AGAIN)),
    }
}

/// Writes the dated report.
fn keep(summary: &Summary, request: &Request) -> Result<PathBuf, Failure> {
    let mut date = Command::new("date");
    date.args(["-u", "+%Y-%m-%d"]);
    let date = process::read(date, "asking for the date", "date -u")?;
    let commit = git(&["describe", "--always", "--dirty"])?;
    let path = folder()?.join(format!("report-{}-{}.md", date.trim(), request.name()));
    let head = format!(
        "# Mutants of {}\n\n{}, commit {}, {TOOL} {TOOL_VERSION}\n",
        date.trim(),
        request.scope(),
        commit.trim()
    );
    fs::write(&path, format!("{head}\n{}", summary.page()))
        .map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_verb_is_understood_or_refused() {
        let check = |line: &str, expect: Option<&str>| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let scope = Request::parse(&words).map(|it| it.scope());
            assert_eq!(scope.as_deref(), expect, "{line}");
        };
        check("", Some("everything"));
        check("--report", Some("everything"));
        check("--in-diff HEAD~1", Some("what changed since HEAD~1"));
        check("--shard 0/8 --in-diff main", Some("what changed since main, shard 0/8"));
        check("--shard 8/8", None);
        check("--shard 1", None);
        check("--in-diff --report", None);
        check("--fast", None);
        let request = Request::parse(&["--shard", "0/8", "--in-diff", "a/b"]).unwrap();
        assert_eq!(request.name(), "since-a-b-shard-0-8");
        assert!(Request::parse(&["--report"]).unwrap().report);
    }
}
