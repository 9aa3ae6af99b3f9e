//! `portcullis evidence diff`: two packs or two journals, and the first thing that differs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcullis_evidence::pack::Folder;
use portcullis_evidence::text::{escape_terminal, escape_terminal_bytes, escape_value};
use portcullis_statement::json::{Value, count, object, parse};

use super::source::{Source, damaged};
use crate::files::shown;
use crate::{CliError, Exit, out};

/// Longest part of a pack in bytes.
const PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Most places of an entry, and most parts, that are named; more are counted.
const NAMED_MAX: usize = 20;

/// Compares two packs or two epochs.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence diff PACK COPY\n  \
    portcullis evidence diff HOME/epochs/000002 PACK --json\n\n\
    Exit 0: equal. Exit 5: different; the first entry and the parts that differ are named.\n\
    Nothing is verified.")]
pub(crate) struct Args {
    /// A pack or an epoch's folder.
    one: PathBuf,
    /// Another one.
    other: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// The first entry that differs. All text is safe for a terminal.
struct First {
    entry: usize,
    one: Option<String>,
    other: Option<String>,
    /// Where in the entry, and what each side holds there.
    places: Vec<String>,
}

/// What differs.
struct Differences {
    sizes: (usize, usize),
    first: Option<First>,
    /// One line for each part.
    parts: Vec<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let (one, other) = (Source::open(&args.one)?, Source::open(&args.other)?);
    let found = Differences {
        sizes: (one.entries.len(), other.entries.len()),
        first: first(&one.entries, &other.entries),
        parts: parts((&args.one, &one.folder), (&args.other, &other.folder))?,
    };
    if args.json {
        out::json("evidence.diff", found.document())?;
    } else {
        out::result(&found.text())?;
    }
    if found.first.is_none() && found.parts.is_empty() {
        return Ok(());
    }
    let cause = match &found.first {
        Some(first) => format!("the first entry that differs is {}", first.entry),
        None => format!("the journals are equal, {} parts are not", found.parts.len()),
    };
    let next = "portcullis evidence show PATH ENTRY, and verify each with --trust";
    let subject = format!("{} {}", shown(&args.one), shown(&args.other));
    Err(CliError::new(Exit::CheckFailed, "EVIDENCE_DIFFERS", &subject, &cause, next))
}

fn first(one: &[Vec<u8>], other: &[Vec<u8>]) -> Option<First> {
    let longest = one.len().max(other.len());
    let entry = (0..longest).find(|at| one.get(*at) != other.get(*at))?;
    let (one, other) = (one.get(entry), other.get(entry));
    let text = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| escape_terminal_bytes(bytes));
    let mut places = Vec::new();
    if let (Some(one), Some(other)) = (one, other)
        && let (Ok(one), Ok(other)) = (parse(one), parse(other))
    {
        compare("", &escape_value(&one), &escape_value(&other), &mut places);
    }
    Some(First { entry, one: text(one), other: text(other), places })
}

/// Names every place where two values differ. Their texts are escaped already.
fn compare(path: &str, one: &Value, other: &Value, places: &mut Vec<String>) {
    if one == other {
        return;
    }
    if let (Value::Object(ones), Value::Object(others)) = (one, other) {
        let keys: BTreeSet<&String> = ones.keys().chain(others.keys()).collect();
        for key in keys {
            let [one, other] = [ones, others].map(|side| side.get(key).unwrap_or(&Value::Null));
            let dot = if path.is_empty() { "" } else { "." };
            compare(&format!("{path}{dot}{key}"), one, other, places);
        }
    } else if let (Value::List(ones), Value::List(others)) = (one, other) {
        for at in 0..ones.len().max(others.len()) {
            let [one, other] = [ones, others].map(|side| side.get(at).unwrap_or(&Value::Null));
            compare(&format!("{path}[{at}]"), one, other, places);
        }
    } else {
        let [one, other] = [one, other].map(Value::canonical_text);
        places.push(format!("{path}: {one}, the other {other}"));
    }
}

/// One line for each part that is not the same in both.
fn parts(one: (&Path, &Folder), other: (&Path, &Folder)) -> Result<Vec<String>, CliError> {
    let names: BTreeSet<&str> = one.1.names().chain(other.1.names()).collect();
    let read = |(path, folder): (&Path, &Folder), name: &str| {
        folder.read(name, PART_BYTES_MAX).map_err(|finding| damaged(path, &finding))
    };
    let mut lines = Vec::new();
    for name in names {
        let shown = escape_terminal(name);
        match (one.1.has(name), other.1.has(name)) {
            (true, false) => lines.push(format!("{shown}: only the one has it")),
            (false, true) => lines.push(format!("{shown}: only the other has it")),
            _ if read(one, name)? != read(other, name)? => lines.push(format!("{shown}: differs")),
            _ => {}
        }
    }
    Ok(lines)
}

impl Differences {
    fn text(&self) -> String {
        let mut text = format!("{:<16} {} and {}\n", "entries", self.sizes.0, self.sizes.1);
        if let Some(First { entry, one, other, places }) = &self.first {
            text += &format!("{:<16} {entry}\n", "first difference");
            let none = "no such entry";
            text += &format!("{:<16} {}\n", "one", one.as_deref().unwrap_or(none));
            text += &format!("{:<16} {}\n", "other", other.as_deref().unwrap_or(none));
            text += &listed("differs in", places);
        }
        text += &listed("part", &self.parts);
        let equal = self.first.is_none() && self.parts.is_empty();
        text + &out::field("verdict", if equal { "EQUAL" } else { "DIFFERENT" })
    }

    fn document(&self) -> Value {
        let list =
            |lines: &[String]| Value::List(lines.iter().map(|line| line.as_str().into()).collect());
        let side = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let size = |len: usize| count(u64::try_from(len).unwrap_or(u64::MAX));
        let first = self.first.as_ref().map_or(Value::Null, |first| {
            object([
                ("entry", size(first.entry)),
                ("one", side(&first.one)),
                ("other", side(&first.other)),
                ("places", list(&first.places)),
            ])
        });
        let entries = Value::List(vec![size(self.sizes.0), size(self.sizes.1)]);
        object([("entries", entries), ("first", first), ("parts", list(&self.parts))])
    }
}

fn listed(name: &str, lines: &[String]) -> String {
    let mut text: String =
        lines.iter().take(NAMED_MAX).map(|line| format!("{name:<16} {line}\n")).collect();
    if let Some(more @ 1..) = lines.len().checked_sub(NAMED_MAX) {
        text += &format!("{name:<16} and {more} more\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_with_its_places() {
        let one = vec![b"{\"a\":1}".to_vec(), b"{\"b\":{\"c\":[1,2]},\"d\":\"x\"}".to_vec()];
        let mut other = one.clone();
        assert!(first(&one, &other).is_none());
        other[1] = b"{\"b\":{\"c\":[1,3]},\"d\":\"\\u001b\"}".to_vec();
        let found = first(&one, &other).unwrap();
        assert_eq!(found.entry, 1);
        let expect = ["b.c[1]: 2, the other 3", "d: \"x\", the other \"\\\\u{1b}\""];
        assert_eq!(found.places, expect);
        other.truncate(1);
        let found = first(&one, &other).unwrap();
        assert_eq!((found.entry, found.other), (1, None));
    }

    #[test]
    fn what_differs_is_counted_beyond_twenty() {
        let lines: Vec<String> = (0..25).map(|number| number.to_string()).collect();
        assert_eq!(listed("part", &lines).lines().count(), 21);
        assert!(listed("part", &lines).ends_with("and 5 more\n"));
        assert_eq!(listed("part", &lines[..20]).lines().count(), 20);
    }

    /// Entries are compared as bytes, whatever they are.
    #[test]
    fn unreadable_entries_are_shown_escaped() {
        let found = first(&[b"\x1b".to_vec()], &[b"\xff".to_vec()]).unwrap();
        assert_eq!(found.one.as_deref(), Some("\\u{1b}"));
        assert!(found.places.is_empty());
    }
}
