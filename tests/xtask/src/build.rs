//! What is built, in which order, and where the results lie.

use crate::guest;
use crate::process::{self, Failure};
use crate::setup;
use std::fs;
use std::path::PathBuf;

/// How cargo builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// The programs of the product. Each package is built by itself: built together, cargo would give
/// each the features that any of them asks for, and the runner would not be what is shipped.
pub(crate) const PROGRAMS: [&str; 5] = [
    "portcullis-cli",
    "portcullis-scribe",
    "portcullis-sandbox",
    "portcullis-daemon",
    "portcullis-exchange",
];

/// The programs that a replay needs.
pub(crate) const REPLAYERS: [&str; 2] = ["portcullis-cli", "portcullis-sandbox"];

/// Folders whose packages become components. Like every package they are also linted and tested on
/// the host.
const GUEST_FOLDERS: [&str; 2] = ["plugins/strategies/", "plugins/hostile/"];

/// The strategy that the demo and the replays run.
const SHOWN: &str = "portcullis-ema-cross";

/// Builds the named packages, one after the other.
pub(crate) fn programs(packages: &[&str], profile: Profile) -> Result<(), Failure> {
    for package in packages {
        println!("building {package} ({})", profile.folder());
        let mut command = process::cargo(["build", "--package", package]);
        if profile == Profile::Release {
            command.arg("--release");
        }
        let next = format!("cargo build --package {package}");
        process::run(command, &format!("building {package}"), &next)?;
    }
    Ok(())
}

/// The folder of built programs.
pub(crate) fn folder(profile: Profile) -> PathBuf {
    process::target().join(profile.folder())
}

/// A built program.
pub(crate) fn program(name: &str, profile: Profile) -> PathBuf {
    folder(profile).join(name)
}

/// The verb: one strategy as a component, or all of them.
pub(crate) fn guest(package: Option<String>) -> Result<(), Failure> {
    setup::ensure()?;
    match package {
        None => guests(),
        Some(package) => {
            let built = guest::build_guest(&process::project(), &package);
            built
                .map(|path| println!("{}", path.display()))
                .map_err(|cause| not_built(&package, cause))
        }
    }
}

/// All strategies, ours and the hostile ones, as components.
pub(crate) fn guests() -> Result<(), Failure> {
    let toolchain = setup::guest_toolchain()?;
    for package in guest_packages()? {
        println!("building {package} (component)");
        guest::build_guest_with(&process::project(), &package, &toolchain)
            .map_err(|cause| not_built(&package, cause))?;
    }
    Ok(())
}

/// The component that the demo and the replays run.
pub(crate) fn shown_component() -> Result<PathBuf, Failure> {
    let toolchain = setup::guest_toolchain()?;
    println!("building {SHOWN} (component)");
    guest::build_guest_with(&process::project(), SHOWN, &toolchain)
        .map_err(|cause| not_built(SHOWN, cause))
}

/// Where that component lies once it is built.
pub(crate) fn built_component() -> PathBuf {
    guest::component_path(&process::project(), SHOWN)
}

fn not_built(package: &str, cause: String) -> Failure {
    Failure::new(
        format!("building the component of {package}"),
        cause,
        format!("cargo xtask guest {package}"),
    )
}

/// The package name of each guest.
fn guest_packages() -> Result<Vec<String>, Failure> {
    let read = |name: &str| {
        fs::read_to_string(process::project().join(name)).map_err(|error| {
            Failure::new(format!("reading {name}"), error.to_string(), format!("git status {name}"))
        })
    };
    let mut packages = Vec::new();
    for folder in guest_members(&read("Cargo.toml")?) {
        let manifest = read(&format!("{folder}/Cargo.toml"))?;
        let name = manifest.lines().find_map(|line| quoted(line.strip_prefix("name = ")?));
        packages.push(name.unwrap_or(folder.as_str()).to_owned());
    }
    Ok(packages)
}

/// The members of the workspace that are guests, in the one-per-line form in which they stand.
fn guest_members(manifest: &str) -> Vec<String> {
    manifest
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| quoted(line.trim()))
        .filter(|member| GUEST_FOLDERS.iter().any(|folder| member.starts_with(folder)))
        .map(str::to_owned)
        .collect()
}

fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_the_members_under_the_guest_folders() {
        let manifest = "[workspace]\nmembers = [\n    \"kernel/domain\",\n    \
                        \"plugins/sandbox\",\n    \"plugins/hostile/spin\",\n]\n\
                        exclude = [\n    \"plugins/hostile/x\",\n]\n";
        assert_eq!(guest_members(manifest), ["plugins/hostile/spin"]);
    }
}
