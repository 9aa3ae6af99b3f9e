//! What of a crate's sources is a test: nobody asks whether tests are tested.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// What announces a test.
const MARK: &str = "#[cfg(test)]";

/// Lines and files of tests. Files are named from the crate's `src`.
#[derive(Debug, Default)]
pub(super) struct TestCode {
    lines: BTreeMap<String, Vec<RangeInclusive<usize>>>,
    /// Modules in files or folders of their own, without the ending.
    modules: Vec<String>,
}

impl TestCode {
    /// Reads all of a crate's sources.
    pub(super) fn of(sources: &Path) -> Self {
        let mut found = Self::default();
        found.walk(sources, "");
        found
    }

    fn walk(&mut self, folder: &Path, name: &str) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = format!("{name}{}", entry.file_name().to_string_lossy());
            if path.is_dir() {
                self.walk(&path, &format!("{name}/"));
            } else if path.extension().is_some_and(|it| it == "rs") {
                self.add(&name, &fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }

    /// A test module ends with the first bracket that stands where its first word does: rustfmt
    /// sees to that. Or it has no body here, and is a file.
    fn add(&mut self, name: &str, text: &str) {
        let indent = |line: &str| line.len().saturating_sub(line.trim_start().len());
        let mut lines = (1..).zip(text.lines());
        while let Some((first, mark)) = lines.next() {
            if mark.trim() != MARK {
                continue;
            }
            let ends = |line: &str| {
                let ended = line.trim() == "}" || line.trim_end().ends_with(';');
                ended && indent(line) == indent(mark)
            };
            let last = lines.by_ref().find(|(_, line)| ends(line));
            let (last, line) = last.unwrap_or((usize::MAX, ""));
            self.lines.entry(name.to_owned()).or_default().push(first..=last);
            let module = line.trim().strip_suffix(';').and_then(|it| it.rsplit_once("mod "));
            self.modules.extend(module.map(|(_, module)| format!("{}{module}", children(name))));
        }
    }

    /// Whether this line of this file is one of a test.
    pub(super) fn holds(&self, file: &str, line: usize) -> bool {
        let below = |module: &String| {
            let rest = file.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        let lines = self.lines.get(file).into_iter().flatten();
        self.modules.iter().any(below) || lines.into_iter().any(|it| it.contains(&line))
    }
}

/// The folder of a file's modules, with the stroke at its end.
fn children(name: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, "mod.rs")) => format!("{folder}/"),
        None if matches!(name, "lib.rs" | "main.rs") => String::new(),
        Some(_) | None => format!("{}/", name.trim_end_matches(".rs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_files_of_tests_are_known() {
        let mut code = TestCode::default();
        let inline = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
        code.add("a.rs", inline);
        code.add("lib.rs", "#[cfg(test)]\nmod kit;\nfn c() {\n}\n");
        code.add("b/mod.rs", "mod own;\n#[cfg(test)]\nmod naive;\n");
        code.add("c.rs", "#[cfg(test)]\npub(crate) mod tests;\n");
        let check = |file: &str, line: usize, expect: bool| {
            assert_eq!(code.holds(file, line), expect, "{file}:{line}");
        };
        check("a.rs", 1, false);
        check("a.rs", 4, true);
        check("a.rs", 7, false);
        check("lib.rs", 3, false);
        check("kit.rs", 9, true);
        check("kit/more.rs", 9, true);
        check("kitchen.rs", 9, false);
        check("b/own.rs", 1, false);
        check("b/naive.rs", 1, true);
        check("c/tests.rs", 1, true);
    }
}
