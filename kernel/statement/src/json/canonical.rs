//! The one spelling of a value: RFC 8785 without its floats.

use std::collections::BTreeMap;

use super::Value;

impl Value {
    /// The canonical bytes: sorted keys, no blanks, as few escapes as possible.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.canonical_text().into_bytes()
    }

    /// [`Value::canonical`] as text.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, self);
        out
    }
}

/// [`Value::canonical`] of the object with these entries, without making it first: for what is
/// written often. `keys` differ, and are ASCII.
#[must_use]
pub fn canonical_object<const N: usize>(mut entries: [(&str, Value); N]) -> Vec<u8> {
    entries.sort_unstable_by_key(|(key, _)| *key);
    let mut out = String::new();
    write_entries(&mut out, entries.iter().map(|(key, value)| (*key, value)));
    out.into_bytes()
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Text(text) => write_text(out, text),
        Value::List(list) => write_list(out, list),
        Value::Object(entries) => write_object(out, entries),
    }
}

fn write_list(out: &mut String, list: &[Value]) {
    let mut separator = '[';
    for item in list {
        out.push(separator);
        write_value(out, item);
        separator = ',';
    }
    out.push_str(if list.is_empty() { "[]" } else { "]" });
}

fn write_object(out: &mut String, entries: &BTreeMap<String, Value>) {
    let mut sorted: Vec<_> = entries.iter().collect();
    // RFC 8785 sorts by UTF-16 units. The map sorts by code point, which is the same in ASCII.
    if entries.keys().any(|key| !key.is_ascii()) {
        sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    write_entries(out, sorted.into_iter().map(|(key, value)| (key.as_str(), value)));
}

fn write_entries<'a>(out: &mut String, sorted: impl Iterator<Item = (&'a str, &'a Value)>) {
    out.push('{');
    let mut separator = "";
    for (key, value) in sorted {
        out.push_str(separator);
        write_text(out, key);
        out.push(':');
        write_value(out, value);
        separator = ",";
    }
    out.push('}');
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    // Nearly no text needs an escape: it is copied in one piece.
    if !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.push_str(text);
        return out.push('"');
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => write_control(out, u32::from(c)),
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// `\u00xx` for the control characters that have no short escape.
fn write_control(out: &mut String, code: u32) {
    out.push_str("\\u00");
    for digit in [code >> 4, code & 0xf] {
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}
