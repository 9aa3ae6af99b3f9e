//! The size of the trusted core, as the README states it.
//!
//! What counts is what a reviewer has to read: every line of Rust below `src` of the six crates,
//! comments and blank lines included, without test modules and their files.

use crate::source;
use portcullis_tests::project;
use std::collections::BTreeSet;
use std::fs;

const TRUSTED_CORE: [&str; 6] = ["domain", "statement", "gate", "core", "path", "evidence"];

#[test]
fn the_readme_states_the_size_of_the_trusted_core() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- trusted-lines -->").expect("the mark in README.md");
    let (stated, _) = rest.split_once("<!-- /trusted-lines -->").expect("the mark's end");
    let counted: usize = TRUSTED_CORE.iter().map(|name| lines_of(name)).sum();
    assert!(
        stated == counted.to_string(),
        "README.md says {stated}; write <!-- trusted-lines -->{counted}<!-- /trusted-lines -->"
    );
}

fn lines_of(name: &str) -> usize {
    let files = source::files(&format!("kernel/{name}/src"), &[".rs"]);
    assert!(!files.is_empty(), "kernel/{name}/src holds no source");
    let counted: Vec<_> = files.iter().map(|file| (&file.name, shipped(&file.text))).collect();
    let tests: BTreeSet<String> = counted
        .iter()
        .flat_map(|(name, (_, modules))| {
            modules.iter().map(|module| format!("{}/{module}", children(name)))
        })
        .collect();
    let of_a_test = |name: &str| {
        tests.iter().any(|path| {
            name.strip_prefix(path).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    let shipped = counted.iter().filter(|(name, _)| !of_a_test(name));
    shipped.map(|(_, (lines, _))| lines).sum()
}

/// The folder in which a file's modules lie.
fn children(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => name.trim_end_matches(".rs"),
    }
}

/// The lines outside of test modules, and the names of test modules that are files of their own.
fn shipped(text: &str) -> (usize, Vec<String>) {
    let blanked = source::blank(text);
    let (mut lines, mut modules) = (0, Vec::new());
    let (mut in_test, mut depth) = (false, 0_usize);
    for line in blanked.lines() {
        if !in_test && line.trim() == "#[cfg(test)]" {
            (in_test, depth) = (true, 0);
            continue;
        }
        if !in_test {
            lines += 1;
            continue;
        }
        depth = depth + line.matches('{').count() - line.matches('}').count();
        let ends = line.trim_end().ends_with(['}', ';']);
        if depth == 0 && ends {
            in_test = false;
            let file = line.trim().strip_suffix(';').and_then(|it| it.rsplit_once("mod "));
            modules.extend(file.map(|(_, name)| name.to_owned()));
        }
    }
    (lines, modules)
}

#[test]
fn test_modules_do_not_count() {
    let text = "//! a\n\n#[cfg(test)]\nmod kit;\nfn b() {\n}\n#[cfg(test)]\n\
                mod tests {\n  fn c() { \"}\" }\n}\nmod d;\n";
    assert_eq!(shipped(text), (5, vec!["kit".to_owned()]));
    assert_eq!(children("kernel/a/src/lib.rs"), "kernel/a/src");
    assert_eq!(children("kernel/a/src/b/mod.rs"), "kernel/a/src/b");
    assert_eq!(children("kernel/a/src/b.rs"), "kernel/a/src/b");
}
