//! Reading the project's own files, for the tests that judge them.

use portcullis_tests::project;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the project.
pub(crate) struct Source {
    /// From the project's folder, with `/`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The text files below `folder` (empty for all of the project) whose names end with one of
/// `endings`. Hidden folders and build results are not looked into.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&project().join(folder), &mut |path| {
        let name = relative(path);
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let bytes = fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
            // Recorded journals are bytes, not text; what lies in them as text is still judged.
            found.push(Source { name, text: String::from_utf8_lossy(&bytes).into_owned() });
        }
    });
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Each package of the project: its folder and its manifest.
pub(crate) fn packages() -> BTreeMap<String, toml::Table> {
    files("", &["Cargo.toml"])
        .into_iter()
        .filter_map(|it| {
            let manifest: toml::Table =
                it.text.parse().unwrap_or_else(|error| panic!("{}: {error}", it.name));
            let folder = it.name.strip_suffix("/Cargo.toml")?.to_owned();
            manifest.contains_key("package").then_some((folder, manifest))
        })
        .collect()
}

/// The path from the project's folder.
pub(crate) fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(project()).unwrap_or(path);
    inside.to_string_lossy().replace('\\', "/")
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path: PathBuf = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // What the demo leaves is the program's own and not in git.
        let made = ["demo", "reports"].contains(&relative(&path).as_str());
        if made || path.is_symlink() || name.starts_with('.') || name.starts_with("target") {
            continue;
        }
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// Rust source with comments, strings and characters blanked: what is left are tokens. Lines and
/// columns stay where they were.
pub(crate) fn blank(text: &str) -> String {
    rewrite(text, |_, letter| Some(if letter == '\n' { '\n' } else { ' ' }))
}

/// Rust source without its raw strings, which hold frames as they come over the wire.
pub(crate) fn without_raw_strings(text: &str) -> String {
    rewrite(text, |part, letter| (part != Part::RawString || letter == '\n').then_some(letter))
}

/// What is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Comment,
    Text,
    RawString,
}

/// The source with each letter of each part replaced, or left out.
fn rewrite(text: &str, replace: impl Fn(Part, char) -> Option<char>) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        if let Some((part, length)) = part(&letters, at) {
            let end = letters.len().min(at + length);
            out.extend(letters[at..end].iter().filter_map(|letter| replace(part, *letter)));
            at = end;
        } else {
            out.push(letters[at]);
            at += 1;
        }
    }
    out
}

/// What begins at `at`, with its length, if it is not a token.
fn part(letters: &[char], at: usize) -> Option<(Part, usize)> {
    let rest = &letters[at..];
    let inside_word = at > 0 && (letters[at - 1].is_alphanumeric() || letters[at - 1] == '_');
    Some(match rest {
        ['/', '/', ..] => {
            (Part::Comment, rest.iter().position(|it| *it == '\n').unwrap_or(rest.len()))
        }
        ['/', '*', ..] => (Part::Comment, end_of(rest, &['*', '/'], 2)),
        ['"', ..] => (Part::Text, end_of_string(rest)),
        ['r', ..] if !inside_word => (Part::RawString, raw_string(rest, 1)?),
        ['b', 'r', ..] if !inside_word => (Part::RawString, raw_string(rest, 2)?),
        ['\'', '\\', ..] => (Part::Text, end_of(rest, &['\''], 3)),
        ['\'', _, '\'', ..] => (Part::Text, 3),
        _ => return None,
    })
}

fn raw_string(rest: &[char], prefix: usize) -> Option<usize> {
    let body = &rest[prefix..];
    let hashes = body.iter().take_while(|it| **it == '#').count();
    if body.get(hashes) != Some(&'"') {
        return None;
    }
    let mut mark = vec!['"'];
    mark.extend(std::iter::repeat_n('#', hashes));
    Some(prefix + end_of(body, &mark, hashes + 1))
}

fn end_of_string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn end_of(rest: &[char], mark: &[char], from: usize) -> usize {
    let found = rest.get(from..).unwrap_or_default().windows(mark.len()).position(|it| it == mark);
    found.map_or(rest.len(), |position| from + position + mark.len())
}

#[test]
fn only_tokens_are_left() {
    let check = |text: &str, expect: &str| assert_eq!(blank(text), expect, "{text}");
    check("a // {\nb", "a     \nb");
    check("a /* { */ b", "a         b");
    check("f(\"{ \\\" {\") {", "f(        ) {");
    check("r#\"{ \" {\"# {", "           {");
    check("'{' '\\'' '\\n' &'a str {", "              &'a str {");
    check("for r in b {", "for r in b {");
    assert_eq!(without_raw_strings("a r#\"b\nc\"# \"d\" // e"), "a \n \"d\" // e");
}
