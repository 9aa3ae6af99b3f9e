//! The Python in which tests run the tools that other people read our tables with.

use std::path::Path;
use std::process::Command;

/// Where `cargo xtask setup` puts it, from the project's folder.
const OURS: &str = "target/tools/python/bin/python3";

/// A Python that has the tools, or a line that says what is missing.
#[must_use]
pub fn python(project: &Path) -> Option<Command> {
    let ours = project.join(OURS);
    let programs = [ours.as_os_str(), "python3".as_ref()];
    let has_tools = |program: &&std::ffi::OsStr| {
        let asked = Command::new(program).args(["-c", "import duckdb, polars, pyarrow"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let found = programs.into_iter().find(has_tools).map(Command::new);
    if found.is_none() {
        eprintln!("SKIPPED: no Python with duckdb, polars and pyarrow: cargo xtask setup");
    }
    found
}
