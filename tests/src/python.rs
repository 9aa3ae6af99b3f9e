//! The Python in which tests run the tools that other people read our tables with.

use std::path::Path;
use std::process::Command;

/// Where `cargo xtask setup` puts it, from the project's folder.
const OURS: &str = "target/tools/python/bin/python3";

/// What a test says that finds no such Python.
pub const NO_PYTHON: &str = "SKIPPED: no Python with duckdb, polars and pyarrow: cargo xtask setup";

/// A Python that has the tools.
#[must_use]
pub fn python(project: &Path) -> Option<Command> {
    python_with("duckdb, polars, pyarrow", project)
}

/// A Python that has these modules.
#[must_use]
pub fn python_with(modules: &str, project: &Path) -> Option<Command> {
    let ours = project.join(OURS);
    let programs = [ours.as_os_str(), "python3".as_ref()];
    let has_tools = |program: &&std::ffi::OsStr| {
        let asked = Command::new(program).args(["-c", &format!("import {modules}")]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    programs.into_iter().find(has_tools).map(Command::new)
}
