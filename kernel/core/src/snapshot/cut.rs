//! Sections cut into the bodies of entries, and put together again.

use std::collections::BTreeMap;

use portcullis_statement::json::{self, Fields, Value};

use super::{Read, SNAPSHOT_VERSION, Sections};
use crate::entry::{EntryError, int};

/// What the frame of one section within an entry takes beside its name and its values.
const FRAME_BYTES: usize = 96;

/// Cuts sections into bodies of at most `bytes_max` bytes each, in order.
///
/// ```text
/// {"sections":[{"name":"burned","values":[2,"n-1","n-2"]},…],"v":1}
/// ```
/// A value that is too large by itself comes as its text, in pieces, one body each:
/// `{"name":…,"of":3,"piece":1,"text":…}`.
pub(crate) fn cut(sections: &Sections, bytes_max: usize) -> Vec<Value> {
    let mut cutter = Cutter { bytes_max, bytes: 0, open: Vec::new(), bodies: Vec::new() };
    for (name, values) in &sections.written {
        let frame = name.len().saturating_add(FRAME_BYTES);
        for (number, value) in values.iter().enumerate() {
            let text = value.canonical_text();
            let bytes = text.len().saturating_add(1);
            if bytes.saturating_add(frame) > bytes_max {
                cutter.pieces(name, &text, frame);
            } else {
                cutter.value((name, number == 0), value, (bytes, frame));
            }
        }
    }
    cutter.close();
    cutter.bodies
}

struct Cutter {
    bytes_max: usize,
    bytes: usize,
    open: Vec<(String, Vec<Value>)>,
    bodies: Vec<Value>,
}

impl Cutter {
    fn value(&mut self, (name, first): (&str, bool), value: &Value, cost: (usize, usize)) {
        let (bytes, frame) = cost;
        let new = first || self.open.last().is_none_or(|(open, _)| open != name);
        let needs = if new { bytes.saturating_add(frame) } else { bytes };
        if self.bytes.saturating_add(needs) > self.bytes_max {
            self.close();
        }
        if let Some((_, values)) = self.open.last_mut().filter(|(open, _)| open == name) {
            values.push(value.clone());
        } else {
            self.bytes = self.bytes.saturating_add(frame);
            self.open.push((name.to_owned(), vec![value.clone()]));
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Quotation marks and backslashes double once more, everything else stays as long as it is.
    fn pieces(&mut self, name: &str, text: &str, frame: usize) {
        self.close();
        let most = self.bytes_max.saturating_sub(frame).div_euclid(2).max(4);
        let (mut rest, mut pieces) = (text, Vec::new());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
            pieces.push(piece);
            rest = after;
        }
        let of = int(u64::try_from(pieces.len()).unwrap_or(u64::MAX));
        for (number, piece) in (1..).zip(pieces) {
            self.body(json::object([
                ("name", name.into()),
                ("of", of.clone()),
                ("piece", Value::Int(number)),
                ("text", piece.into()),
            ]));
        }
    }

    fn close(&mut self) {
        self.bytes = 0;
        let sections: Vec<Value> = std::mem::take(&mut self.open)
            .into_iter()
            .map(|(name, values)| json::object([("name", name.into()), ("values", values.into())]))
            .collect();
        if !sections.is_empty() {
            let value = Value::List(sections);
            self.bodies.push(json::object([("sections", value), version()]));
        }
    }

    fn body(&mut self, section: Value) {
        self.bodies.push(json::object([("sections", vec![section].into()), version()]));
    }
}

fn version() -> (&'static str, Value) {
    ("v", Value::Int(SNAPSHOT_VERSION))
}

/// Puts the bodies of one snapshot together.
pub(crate) fn join(bodies: &[Value]) -> Read<Sections> {
    let mut read: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut text = String::new();
    for body in bodies {
        let mut body = Fields::new(body)?;
        let version = body.int("v")?;
        if version != SNAPSHOT_VERSION {
            return Err(EntryError::Version(version));
        }
        for section in body.list("sections")? {
            let mut section = Fields::new(section)?;
            let values = read.entry(section.text("name")?.to_owned()).or_default();
            if section.optional("text").is_none() {
                values.extend_from_slice(section.list("values")?);
                continue;
            }
            text.push_str(section.text("text")?);
            if section.uint("piece")? == section.uint("of")? {
                values.push(json::parse_canonical(text.as_bytes())?);
                text.clear();
            }
        }
    }
    Ok(Sections { written: Vec::new(), read })
}
