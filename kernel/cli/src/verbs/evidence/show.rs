//! `portcullis evidence show`: entries for people. Nothing is judged here; every text is escaped.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use portcullis_core::entry::{self, Class, Decoded};
use portcullis_evidence::text::{escape_terminal, escape_terminal_bytes, escape_value};
use portcullis_statement::json::{Value, count, object};

use super::source::Source;
use crate::files::shown;
use crate::{CliError, Exit, out};

/// Shows entries of a journal.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis evidence show PACK                      # the timeline: one line an entry\n  \
    portcullis evidence show PACK 230                  # one entry, whole\n  \
    portcullis evidence show PACK 200..230\n  \
    portcullis evidence show PACK --of pc0a1b2c3d00000001  # an order's whole life\n\n\
    PATH is a pack or an epoch's folder. Nothing is verified.")]
pub(crate) struct Args {
    /// A pack or an epoch's folder.
    path: PathBuf,
    /// An entry's number, counted from 0, or a range FROM..TO, both included.
    #[arg(value_parser = range)]
    entries: Option<RangeInclusive<u64>>,
    /// Only what belongs to this: a ClOrdID, a correlation id, or any text that an entry names.
    #[arg(long, value_name = "ID")]
    of: Option<String>,
    /// With the entries about the host and the ticks of the clock.
    #[arg(long)]
    all: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(from)?..=number(to)?)
}

/// An entry with its number; `Err` holds the bytes of one that cannot be read.
type Read<'a> = (u64, Result<Decoded, &'a [u8]>);

/// Runs the verb.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let source = Source::open(&args.path)?;
    let chosen: Vec<Read<'_>> = (0_u64..)
        .zip(&source.entries)
        .filter_map(|(number, bytes)| args.choose(number, bytes))
        .collect();
    if chosen.is_empty() && (args.entries.is_some() || args.of.is_some()) {
        let cause = format!("none of its {} entries is asked for", source.entries.len());
        let next = "portcullis evidence show PATH shows all";
        let (code, subject) = ("ENTRY_NOT_FOUND", shown(&args.path));
        return Err(CliError::new(Exit::NotFound, code, &subject, &cause, next));
    }
    if args.json {
        let entries = Value::List(chosen.iter().map(document).collect());
        let torn = count(source.torn_bytes);
        return out::json("evidence.show", object([("entries", entries), ("torn_bytes", torn)]));
    }
    let whole = args.entries.as_ref().is_some_and(|range| range.start() == range.end());
    let mut text: String =
        chosen.iter().map(|read| if whole { page(read) } else { line(read) }).collect();
    if source.torn_bytes > 0 {
        text += &format!("{} bytes of a torn group at the end\n", source.torn_bytes);
    }
    out::result(&text)
}

impl Args {
    fn choose<'a>(&self, number: u64, bytes: &'a [u8]) -> Option<Read<'a>> {
        let asked = self.entries.as_ref();
        if asked.is_some_and(|range| !range.contains(&number)) {
            return None;
        }
        let Ok(entry) = entry::decode(bytes) else {
            return self.of.is_none().then_some((number, Err(bytes)));
        };
        let everything = self.all || asked.is_some();
        let chosen = match &self.of {
            Some(id) => entry.corr == *id || names(&entry.body, id),
            None => everything || (entry.class != Class::Host && entry.kind != "tick"),
        };
        chosen.then_some((number, Ok(entry)))
    }
}

/// Whether a text somewhere in `value` is `id`.
fn names(value: &Value, id: &str) -> bool {
    match value {
        Value::Text(text) => text == id,
        Value::List(items) => items.iter().any(|item| names(item, id)),
        Value::Object(fields) => fields.values().any(|value| names(value, id)),
        Value::Null | Value::Bool(_) | Value::Int(_) => false,
    }
}

const fn class(entry: &Decoded) -> &'static str {
    match entry.class {
        Class::Input => "input",
        Class::Outcome => "outcome",
        Class::Host => "host",
    }
}

/// One line: what happened, to what, and why.
fn line((number, read): &Read<'_>) -> String {
    let entry = match read {
        Ok(entry) => entry,
        Err(bytes) => return format!("{number:>8} UNREADABLE {}\n", escape_terminal_bytes(bytes)),
    };
    let at = entry.place.at.wall.rfc3339();
    let [kind, corr, reason] =
        [&entry.kind, &entry.corr, &entry.reason].map(|t| escape_terminal(t));
    format!("{number:>8} {at} {:<7} {kind:<20} {corr:<24} {reason}\n", class(entry))
}

/// One entry, whole.
fn page((number, read): &Read<'_>) -> String {
    let entry = match read {
        Ok(entry) => entry,
        Err(_) => return line(&(*number, read.clone())),
    };
    let mut text = out::field("entry", &number.to_string());
    let cursors = entry.place.cursors.iter().map(|(stream, last)| format!("{}:{last}", stream.0));
    let at = entry.place.at;
    for (name, value) in [
        ("at", format!("{} (boot {} ns)", at.wall.rfc3339(), at.boot.0)),
        ("class", class(entry).to_owned()),
        ("kind", entry.kind.clone()),
        ("belongs to", entry.corr.clone()),
        ("reason", entry.reason.clone()),
        ("input", entry.place.input.to_string()),
        ("cursors", cursors.collect::<Vec<_>>().join(" ")),
    ] {
        text += &out::field(name, &value);
    }
    tree(&mut text, "what", &escape_value(&entry.body));
    text
}

/// A value as one line for each leaf, named by its path. The value's texts are escaped already.
fn tree(text: &mut String, path: &str, value: &Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| tree(text, &format!("{path}.{key}"), value));
        }
        Value::List(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(number, value)| tree(text, &format!("{path}[{number}]"), value));
        }
        Value::Text(leaf) => *text += &format!("{path:<16} {leaf}\n"),
        leaf @ (Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::List(_)
        | Value::Object(_)) => {
            *text += &format!("{path:<16} {}\n", leaf.canonical_text());
        }
    }
}

fn document((number, read): &Read<'_>) -> Value {
    let entry = match read {
        Ok(entry) => entry,
        Err(bytes) => {
            let text = escape_terminal_bytes(bytes).into();
            return object([("entry", count(*number)), ("unreadable", text)]);
        }
    };
    object([
        ("at", entry.place.at.wall.rfc3339().into()),
        ("class", class(entry).into()),
        ("corr", entry.corr.as_str().into()),
        ("entry", count(*number)),
        ("input", count(entry.place.input)),
        ("kind", entry.kind.as_str().into()),
        ("reason", entry.reason.as_str().into()),
        ("what", entry.body.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use portcullis_core::entry::{Content, Entry, Place};

    use super::*;

    fn entry(kind: &'static str, corr: &str, body: Value) -> Vec<u8> {
        let content = Content { kind, corr: corr.to_owned(), reason: "R".to_owned(), body };
        let class = if kind == "chunk" { Class::Host } else { Class::Outcome };
        Entry::new(class, &Place::default(), content).bytes
    }

    fn args(entries: Option<&str>, of: Option<&str>) -> Args {
        Args {
            path: PathBuf::new(),
            entries: entries.map(|text| range(text).unwrap()),
            of: of.map(str::to_owned),
            all: false,
            json: false,
        }
    }

    #[test]
    fn a_range_is_one_number_or_two() {
        assert_eq!(range("7"), Ok(7..=7));
        assert_eq!(range("7..9"), Ok(7..=9));
        for bad in ["", "x", "1..", "-1", "1..2..3"] {
            range(bad).unwrap_err();
        }
    }

    #[test]
    fn an_orders_life_is_what_belongs_to_it_or_names_it() {
        let inner = object([("list", Value::List(vec!["pc1".into()]))]);
        let chosen = |corr: &str, body: &Value| {
            args(None, Some("pc1")).choose(0, &entry("ordered", corr, body.clone())).is_some()
        };
        assert!(chosen("pc1", &Value::Null));
        assert!(chosen("-", &inner));
        assert!(!chosen("pc11", &object([("id", "pc2".into())])));
    }

    #[test]
    fn the_timeline_leaves_the_host_out_unless_it_is_asked_for() {
        let chunk = entry("chunk", "-", Value::Null);
        assert!(args(None, None).choose(3, &chunk).is_none());
        assert!(args(Some("3"), None).choose(3, &chunk).is_some());
        assert!(args(Some("4"), None).choose(3, &chunk).is_none());
        assert!(args(None, None).choose(3, &entry("killed", "-", Value::Null)).is_some());
    }

    #[test]
    fn nothing_in_an_entry_moves_the_terminal() {
        let body = object([("\u{1b}k", "a\nb\u{202e}".into()), ("n", Value::Int(5))]);
        let bytes = entry("ordered", "x\u{7}", body);
        let decoded = || Ok(entry::decode(&bytes).unwrap());
        for text in [line(&(1, decoded())), page(&(1, decoded())), line(&(1, Err(b"\x1b\n")))] {
            assert!(!text.trim_end().chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            assert!(!text.contains('\u{202e}'));
        }
        assert_eq!(line(&(1, decoded())).lines().count(), 1);
        assert!(page(&(1, decoded())).contains("what.n           5\n"));
    }
}
