//! `cargo xtask setup`: what the machine must have, installed where that is possible.

use crate::guest::{self, Toolchain};
use crate::process::{self, Failure};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Tool {
    program: &'static str,
    /// Debian packages that bring it.
    packages: &'static [&'static str],
    what_for: &'static str,
}

const TOOLS: [Tool; 4] = [
    Tool { program: "git", packages: &["git"], what_for: "what is tracked and what is ignored" },
    Tool { program: "cc", packages: &["gcc", "libc6-dev"], what_for: "linking, and ring" },
    Tool { program: "gzip", packages: &["gzip"], what_for: "looking into compressed evidence" },
    Tool {
        program: "ssh-keygen",
        packages: &["openssh-client"],
        what_for: "signatures made and checked by a program that is not ours",
    },
];

/// What judges our evidence without any code of ours.
const STRANGERS: [Tool; 4] = [
    Tool { program: "go", packages: &["golang-go"], what_for: "checking logs" },
    Tool { program: "openssl", packages: &["openssl"], what_for: "checking time stamps" },
    Tool { program: "sha256sum", packages: &["coreutils"], what_for: "checking the sums of packs" },
    Tool {
        program: "ssh-keygen",
        packages: &["openssh-client"],
        what_for: "signatures made and checked by a program that is not ours",
    },
];
/// Go's packages for notes and logs, as Debian brings them.
const GO_PACKAGES: &str = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go";
const GO_PACKAGE: &str = "golang-golang-x-mod-dev";

/// Parts of the Rust toolchain that a minimal profile comes without: verb of cargo, name.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Programs that single tests run, each of a Debian package of its name: without it they are skipped.
const TESTED_WITH: [(&str, &str); 3] = [
    ("nats-server", "the mirror"),
    ("chromium", "foreign text on a page"),
    ("python3", "foreign text on a terminal"),
];

/// What reads our tables in tests, and the store to which copies go there.
const PYTHON_TOOLS: [&str; 4] =
    ["duckdb==2.0.1", "polars==2.1.0", "pyarrow==26.0.1", "moto[server]==5.2.5"];

/// The verb: the machine, and a compiler for strategies.
pub(crate) fn run() -> Result<(), Failure> {
    ensure()?;
    for (verb, name) in COMPONENTS {
        if !component_is_there(verb, name) {
            println!("setup: no {name}, so its check will be skipped: {}", component_line(name));
        }
    }
    ensure_tested_with();
    println!("setup: strategies are compiled by {}", guest_toolchain()?.describe());
    ensure_strangers()?;
    println!("setup: this machine has what it takes");
    Ok(())
}

/// What single tests run that is not ours, installed where that is possible; says which tests will
/// be skipped where it is not.
pub(crate) fn ensure_tested_with() {
    match python_tools() {
        Ok(()) => println!("setup: duckdb, polars, pyarrow read tables; moto takes copies"),
        Err(failure) => println!("setup: tests of tables, stores are skipped: {failure}"),
    }
    for (program, what) in TESTED_WITH {
        if !process::on_path(program) && install(&[program]).is_err() {
            println!("setup: tests of {what} will be skipped: apt-get install {program}");
        }
    }
}

/// The compiler for strategies, installed where that is possible.
pub(crate) fn guest_toolchain() -> Result<Toolchain, Failure> {
    guest::ensure_toolchain(&process::project()).map_err(|cause| {
        Failure::new("finding a compiler for strategies", cause, "cargo xtask setup")
    })
}

/// The tools with which tests read tables as their users do, in the versions that were tried, in a
/// Python of their own below `target`.
pub(crate) fn python_tools() -> Result<(), Failure> {
    let folder = process::target().join("tools/python");
    let python = folder.join("bin/python3");
    let has_tools = |program: &std::ffi::OsStr| {
        let mut asked = Command::new(program);
        asked.args(["-c", "import duckdb, polars, pyarrow, moto.server"]);
        asked.output().is_ok_and(|output| output.status.success())
    };
    if has_tools(python.as_os_str()) || has_tools("python3".as_ref()) {
        return Ok(());
    }
    println!("setup: {} are missing, fetching them from PyPI", PYTHON_TOOLS.join(", "));
    let line = format!(
        "python3 -m venv {0} && {0}/bin/pip install {1}",
        folder.display(),
        PYTHON_TOOLS.join(" ")
    );
    let subject = "a Python with duckdb, polars, pyarrow and moto";
    let mut made = Command::new("python3");
    made.args(["-m", "venv"]).arg(&folder);
    process::run(made, subject, "sudo apt-get install -y python3-venv")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]).args(PYTHON_TOOLS);
    process::run(pip, subject, &line)
}

/// Checks the machine and installs what is missing; says the one line to run where it may not.
pub(crate) fn ensure() -> Result<(), Failure> {
    if !process::on_path("cargo") || !process::on_path("rustc") {
        return Err(Failure::new(
            "setup",
            "no cargo and rustc along PATH",
            "install Rust 1.95 or newer from https://rustup.rs",
        ));
    }
    install_missing(&missing(&TOOLS))
}

/// The programs that judge evidence and are not ours, installed where that is possible.
pub(crate) fn ensure_strangers() -> Result<(), Failure> {
    let mut packages = missing(&STRANGERS);
    if !Path::new(GO_PACKAGES).is_file() {
        println!("setup: Go's packages for transparency logs are missing");
        packages.push(GO_PACKAGE);
    }
    install_missing(&packages)
}

/// The packages of the tools that are not along PATH.
fn missing(tools: &[Tool]) -> Vec<&'static str> {
    let missing = tools.iter().filter(|it| !process::on_path(it.program));
    missing
        .inspect(|tool| println!("setup: {} is missing ({})", tool.program, tool.what_for))
        .flat_map(|tool| tool.packages)
        .copied()
        .collect()
}

fn install_missing(packages: &[&str]) -> Result<(), Failure> {
    if packages.is_empty() { Ok(()) } else { install(packages) }
}

/// Whether cargo has this part, fetched where `rustup` can do that within a minute.
pub(crate) fn component_is_there(verb: &str, name: &str) -> bool {
    let answers =
        || process::read(process::cargo([verb, "--version"]), verb, &component_line(name)).is_ok();
    let fetched = || {
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", name]).current_dir(process::project());
        process::succeeds_within(rustup, guest::RUSTUP_WAIT_TENTHS)
    };
    answers() || (fetched() && answers())
}

/// What to type for a part of the toolchain.
pub(crate) fn component_line(name: &str) -> String {
    format!("rustup component add {name}")
}

/// A program from crates.io in the very version that this project was tried with, built where
/// nobody else's programs lie.
pub(crate) fn tool(name: &str, version: &str) -> Result<PathBuf, Failure> {
    let root = process::target().join("tools").join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if program.is_file() {
        return Ok(program);
    }
    println!("setup: {name} {version} is missing, building it from crates.io");
    let mut command = process::cargo(["install", "--quiet", "--locked", "--version", version]);
    command.arg("--root").arg(&root).arg(name);
    let line = format!("cargo install --locked --version {version} --root {}", root.display());
    process::run(command, &format!("installing {name}"), &format!("{line} {name}"))?;
    Ok(program)
}

/// Installs Debian packages as root or with `sudo` that asks nothing; else says the line to type.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let line = format!("sudo apt-get install -y {}", packages.join(" "));
    let subject = "installing Debian packages";
    let Some(prefix) = rights() else {
        return Err(Failure::new(subject, "no right to install packages", line));
    };
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends"][..]] {
        let words: Vec<&str> =
            prefix.iter().chain(&["apt-get"]).chain(arguments).copied().collect();
        let Some((program, rest)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(rest).env("DEBIAN_FRONTEND", "noninteractive");
        if arguments.first() == Some(&"install") {
            command.args(packages);
        }
        process::run(command, subject, &line)?;
    }
    Ok(())
}

/// The words before `apt-get` under which it may act: none for root, `sudo -n` where that works.
fn rights() -> Option<&'static [&'static str]> {
    if !process::on_path("apt-get") {
        return None;
    }
    if fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0) {
        return Some(&[]);
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).output();
    sudo.is_ok_and(|it| it.status.success()).then_some(&["sudo", "-n"])
}
