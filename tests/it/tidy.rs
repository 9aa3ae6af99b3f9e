//! The house style, as far as a machine can hold it.

use crate::source::{self, Source};
use portcullis_tests::project;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_PER_FILE_MAX: usize = 500;
const LINES_PER_FUNCTION_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
/// rustfmt forgets the last brackets and semicolon when it joins an expression on one line.
const COLUMNS_RUSTFMT_FORGETS: usize = 2;

/// Where code of ours lives.
const CODE: [&str; 3] = ["kernel", "plugins", "tests"];
const CODE_ENDINGS: [&str; 7] = [".rs", ".wit", ".py", ".js", ".c", ".h", "Cargo.toml"];

/// What no source says, and what to do instead.
const BANNED: [(&str, &str); 9] = [
    ("TODO", "do it, or write it in the issue"),
    ("FIXME", "mend it, or write it in the issue"),
    ("bypass", "there is one path and no way around it"),
    ("dry_run", "a session has another type, not a flag"),
    ("todo!(", "return an error with a code"),
    ("unimplemented!(", "return an error with a code"),
    ("#[ignore", "skip visibly: eprintln!(\"SKIPPED: ...\")"),
    ("#[allow(", "#[expect(lint, reason = \"...\")]"),
    ("#![allow(", "#![expect(lint, reason = \"...\")]"),
];

/// Paths that exist on one machine only.
const MACHINE_PATHS: [&str; 3] = ["/work/", "/root/", "/home/"];

/// Words that no page uses, because they read like instructions to go live.
const UNSAFE_WORDING: [&str; 3] = ["live_mode", "enable_live", "armed"];

/// This file holds the tables above, so it may say what it bans.
const THIS_FILE: &str = "tests/it/tidy.rs";

fn code(endings: &[&str]) -> Vec<Source> {
    let files = CODE.iter().flat_map(|folder| source::files(folder, endings));
    files.filter(|it| it.name != THIS_FILE).collect()
}

fn pages() -> Vec<Source> {
    source::files("", &[".md"])
}

/// Fails with every fault at once, one per line.
fn none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn each_line(file: &Source) -> impl Iterator<Item = (String, &str)> {
    let place = |number: usize| format!("{}:{}", file.name, number + 1);
    file.text.lines().enumerate().map(move |(number, line)| (place(number), line))
}

#[test]
fn files_and_lines_are_short() {
    let files = code(&[".rs"]);
    assert!(files.len() > 20, "the walk found only {} files", files.len());
    none(files.iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LINES_PER_FILE_MAX).then(|| format!("{}: {lines} lines", file.name))
    }));
    none(files.iter().flat_map(|file| {
        let text = source::without_raw_strings(&file.text);
        let columns = text.lines().map(|line| line.chars().count()).enumerate();
        columns
            .filter(|(_, columns)| *columns > COLUMNS_MAX + COLUMNS_RUSTFMT_FORGETS)
            .map(|(line, columns)| format!("{}:{}: {columns} columns", file.name, line + 1))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn functions_are_short() {
    none(code(&[".rs"]).iter().flat_map(|file| {
        let long = functions(&source::blank(&file.text)).into_iter();
        long.filter(|it| it.lines > LINES_PER_FUNCTION_MAX)
            .map(|it| format!("{}:{}: {} has {} lines", file.name, it.line, it.name, it.lines))
            .collect::<Vec<_>>()
    }));
}

/// One function with a body, counted from `fn` to the closing brace.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// All functions in blanked source. A brace scanner: it needs no types, only balance.
fn functions(blanked: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, _) in blanked.match_indices("fn ") {
        let before = blanked[..start].chars().next_back();
        if before.is_some_and(|it| it.is_alphanumeric() || it == '_') {
            continue;
        }
        let rest = &blanked[start + 3..];
        let name: String =
            rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
        let Some(length) = (!name.is_empty()).then(|| body_end(rest)).flatten() else { continue };
        let line = blanked[..start].matches('\n').count() + 1;
        let lines = rest[..length].matches('\n').count() + 1;
        found.push(Function { name, line, lines });
    }
    found
}

/// The end of the body that follows a function's name; none for a declaration without one.
fn body_end(rest: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for (at, letter) in rest.char_indices() {
        match letter {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            '{' if brackets == 0 || braces > 0 => braces += 1,
            '}' if braces == 1 => return Some(at),
            '}' => braces -= 1,
            _ => {}
        }
    }
    None
}

#[test]
fn the_scanner_counts_lines_of_functions() {
    let text = "fn a() -> [u8; 3] {\n  if b {\n  }\n}\ntrait T {\n  fn c(&self);\n}\nfn d() {}\n";
    let function = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
    assert_eq!(functions(text), [function("a", 1, 4), function("d", 8, 1)]);
}

#[test]
fn no_source_says_a_banned_word() {
    let files = code(&CODE_ENDINGS);
    none(files.iter().flat_map(each_line).filter_map(|(place, line)| {
        let (word, instead) = BANNED.iter().find(|(word, _)| line.contains(word))?;
        Some(format!("{place}: `{word}`: {instead}"))
    }));
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let mut files = code(&CODE_ENDINGS);
    files.extend(pages());
    files.extend(source::files("policies", &[".toml"]));
    none(files.iter().flat_map(each_line).filter_map(|(place, line)| {
        let path = MACHINE_PATHS.iter().find(|path| line.contains(*path))?;
        Some(format!("{place}: `{path}`"))
    }));
}

#[test]
fn no_file_holds_a_private_key() {
    let mut files = source::files("", &["", ".pem", ".key"]);
    files.retain(|it| it.name != THIS_FILE);
    assert!(files.len() > 100, "the walk found only {} files", files.len());
    none(files.iter().flat_map(each_line).filter_map(|(place, line)| {
        let key = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
        key.then(|| format!("{place}: a private key"))
    }));
}

#[test]
fn no_page_reads_like_an_instruction_to_go_live() {
    none(pages().iter().flat_map(each_line).filter_map(|(place, line)| {
        let line = line.to_lowercase();
        let word = UNSAFE_WORDING.iter().find(|word| line.contains(*word))?;
        Some(format!("{place}: `{word}`"))
    }));
}

#[test]
fn links_point_to_what_exists() {
    let mut seen = 0;
    none(pages().iter().flat_map(|page| {
        let folder = project().join(&page.name);
        let folder = folder.parent().expect("a page lies in a folder");
        let links = links(&page.text);
        seen += links.len();
        links
            .into_iter()
            .filter_map(|link| broken(folder, &link).map(|it| format!("{}: {it}", page.name)))
            .collect::<Vec<_>>()
    }));
    println!("{seen} links");
}

/// Targets of Markdown links outside fenced code.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let targets = line.split("](").skip(1).filter_map(|it| it.split_once(')'));
        found.extend(targets.filter(|_| !fenced).map(|(target, _)| target.to_owned()));
    }
    found
}

/// Why a link leads nowhere. Links to the world are not followed; anchors are not looked up.
fn broken(folder: &Path, link: &str) -> Option<String> {
    if ["https://", "http://", "mailto:", "#"].iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let target = link.split('#').next().unwrap_or(link);
    if target.starts_with('/') || target.starts_with("docs/") && folder.ends_with("docs") {
        return Some(format!("`{link}` starts at the project's folder: link from the page"));
    }
    (!folder.join(target).exists()).then(|| format!("`{link}` does not exist"))
}

#[test]
fn a_link_is_read_and_judged() {
    let text = "[a](b.md) and [c](d.md#e)\n```\n[no](f.md)\n```\n";
    assert_eq!(links(text), ["b.md", "d.md#e"]);
    let check = |link: &str, good: bool| {
        assert_eq!(broken(&project().join("docs"), link).is_none(), good, "{link}");
    };
    check("../Cargo.toml", true);
    check("../Cargo.toml#L1", true);
    check("https://example.org/", true);
    check("absent.md", false);
    check("docs/runbook-coverage.md", false);
    check("/Cargo.toml", false);
}

#[test]
fn every_source_file_is_reached_by_a_mod_line() {
    let mut reached = BTreeSet::new();
    for (folder, manifest) in source::packages() {
        for root in roots(&folder, &manifest) {
            follow(&project().join(root), true, &mut reached);
        }
    }
    none(code(&[".rs"]).iter().filter_map(|file| {
        let path = project().join(&file.name);
        (!reached.contains(&path)).then(|| format!("{}: no `mod` line reaches it", file.name))
    }));
}

/// The files with which cargo starts: named in the manifest, or where cargo looks by itself.
fn roots(folder: &str, manifest: &toml::Table) -> Vec<String> {
    let mut roots = Vec::new();
    for usual in ["src/lib.rs", "src/main.rs", "build.rs"] {
        roots.push(format!("{folder}/{usual}"));
    }
    let tables =
        ["lib", "bin", "test", "bench", "example"].iter().filter_map(|it| manifest.get(*it));
    for table in tables {
        let one = table.as_table().into_iter();
        let many = table.as_array().into_iter().flatten().filter_map(toml::Value::as_table);
        let paths = one.chain(many).filter_map(|it| it.get("path")?.as_str());
        roots.extend(paths.map(|path| format!("{folder}/{path}")));
    }
    let automatic = manifest["package"].get("autotests").and_then(toml::Value::as_bool);
    for found in ["src/bin", "benches", "examples", "tests"] {
        if found == "tests" && automatic == Some(false) {
            continue;
        }
        let files =
            fs::read_dir(project().join(folder).join(found)).into_iter().flatten().flatten();
        // A program or a test is a file, or a folder with a `main.rs`.
        roots.extend(
            files.map(|it| it.path()).flat_map(|path| {
                [source::relative(&path), source::relative(&path.join("main.rs"))]
            }),
        );
    }
    roots
}

/// Adds `file` and every file that its `mod` lines name, as rustc would look for them.
fn follow(file: &Path, root: bool, reached: &mut BTreeSet<PathBuf>) {
    let Ok(text) = fs::read_to_string(file) else { return };
    if !reached.insert(file.to_path_buf()) {
        return;
    }
    let folder = file.parent().expect("a file lies in a folder");
    let own = root || file.ends_with("mod.rs");
    let children = if own { folder.to_path_buf() } else { file.with_extension("") };
    let mut explicit: Option<&str> = None;
    for (line, blanked) in text.lines().zip(source::blank(&text).lines()) {
        if blanked.trim_start().starts_with("#[path") {
            explicit = line.split('"').nth(1);
        }
        let Some(name) = module(blanked) else { continue };
        if let Some(path) = explicit.take() {
            follow(&folder.join(path), true, reached);
        } else {
            follow(&children.join(format!("{name}.rs")), false, reached);
            follow(&children.join(name).join("mod.rs"), false, reached);
        }
    }
}

/// The name in a line `mod name;`, with or without a visibility.
fn module(line: &str) -> Option<&str> {
    let (before, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
    let visible = before.is_empty() || before.starts_with("pub") && before.ends_with([' ', ')']);
    visible.then_some(name.trim())
}

#[test]
fn what_the_program_makes_is_ignored_by_git() {
    if !project().join(".git").exists() {
        eprintln!("SKIPPED: not a git repository, so nothing is tracked or ignored");
        return;
    }
    let git = |arguments: &[&str]| {
        Command::new("git").args(arguments).current_dir(project()).output().expect("git runs")
    };
    let session = "reports/live_sessions/20260101_000000_s/runlog.md";
    for name in [session, "reports/paper_sessions/x", "demo/x", "target/x", "a.home/x"] {
        assert!(git(&["check-ignore", "-q", name]).status.success(), "{name} is not ignored");
    }
    let tracked = git(&["ls-files", "--", "reports", "demo", "target", "**/reports", "*.home"]);
    assert!(tracked.status.success(), "git ls-files failed");
    assert_eq!(String::from_utf8_lossy(&tracked.stdout), "", "these are tracked");
}
