//! Foreign text, and the only ways in which it reaches whoever reads it: one escaper per reader.
//!
//! Foreign is whatever comes out of a pack, a plugin, a venue, a person's note or a file name.
//! Every escaper first shows what could move, hide or reorder other text as `\u{..}` (a backslash
//! is doubled, so that an escape which *we* wrote cannot be confused with one that was written for
//! us), and then encodes what its own reader would take for a command. So the same text is spelt
//! the same for everybody, and no reader needs the escaper of another one behind it.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;

use portcullis_statement::json::Value;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

/// Longest alert payload in characters; what is cut off ends in `…`.
const ALERT_CHARS_MAX: usize = 500;

/// Text that is not ours. It has no `Display`: whoever shows it names the reader.
#[derive(Clone, PartialEq, Eq)]
pub struct Untrusted<'a>(Cow<'a, str>);

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({})", self.terminal())
    }
}

impl<'a> Untrusted<'a> {
    /// Takes over text.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// Takes over bytes that may not be text at all; what is none becomes `U+FFFD`.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(String::from_utf8_lossy(bytes))
    }

    /// For a terminal, a log line or a text file: nothing in it moves the cursor or the eye, and
    /// it stays on its line.
    #[must_use]
    pub fn terminal(&self) -> String {
        escape_terminal(&self.0)
    }

    /// For Markdown: one quoted line of JSON, see [`quote_markdown`].
    #[must_use]
    pub fn markdown(&self) -> String {
        quote_markdown(&Value::from(&*self.0))
    }

    /// For JSON inside of an HTML script element: a string literal, see [`script_json`].
    #[must_use]
    pub fn script_json(&self) -> String {
        script_json(&Value::from(&*self.0))
    }

    /// For text between HTML tags. Not for the inside of `script`, `style` or a comment.
    #[must_use]
    pub fn html(&self) -> String {
        encode(&self.0, |character| matches!(character, '&' | '<' | '>' | '"' | '\'' | '`'))
    }

    /// For the value of an HTML attribute; holds even where somebody forgot the quotes. Not for
    /// attributes that are themselves code or addresses: `on…`, `style`, `href`, `src`.
    #[must_use]
    pub fn html_attribute(&self) -> String {
        encode(&self.0, |character| character.is_ascii() && !character.is_ascii_alphanumeric())
    }

    /// For text inside of an SVG `text` or `title`, which an HTML reader and an XML reader read
    /// alike: the numeric references are known to both.
    #[must_use]
    pub fn svg(&self) -> String {
        self.html()
    }

    /// For one cell of a comma- or tab-separated file: always quoted, never a formula, on one
    /// line. A quote that is not ours before a formula's first character makes it text.
    #[must_use]
    pub fn csv_cell(&self) -> String {
        let formula = self.0.starts_with([
            '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        ]);
        let mark = if formula { "'" } else { "" };
        format!("\"{mark}{}\"", self.terminal().replace('"', "\"\""))
    }

    /// For the payload of an alert, whoever carries it: one short line without anything that a
    /// mail header, a chat or a page takes for a command or for the name of a person to call.
    #[must_use]
    pub fn alert(&self) -> String {
        let mut line = String::new();
        for (number, character) in self.0.chars().enumerate() {
            if number == ALERT_CHARS_MAX {
                line.push('…');
                break;
            }
            if matches!(character, '<' | '>' | '&' | '@' | '`') {
                push_code(&mut line, character);
            } else {
                push_visible(&mut line, character);
            }
        }
        line
    }
}

/// Visible text with some characters as numeric references, which HTML and XML share.
fn encode(text: &str, must: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in escape_terminal(text).chars() {
        if must(character) {
            out.push_str("&#");
            out.push_str(&u32::from(character).to_string());
            out.push(';');
        } else {
            out.push(character);
        }
    }
    out
}

/// As [`Untrusted::terminal`].
#[must_use]
pub fn escape_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut out, character);
    }
    out
}

fn push_visible(out: &mut String, character: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        plain if !is_deceptive(plain) => out.push(plain),
        other => push_code(out, other),
    }
}

fn push_code(out: &mut String, character: char) {
    // Writing to a String cannot fail; a lost escape would still leave nothing behind.
    if write!(out, "\\u{{{:x}}}", u32::from(character)).is_err() {
        out.push('?');
    }
}

/// As [`escape_terminal`] for bytes that may not be text at all.
#[must_use]
pub fn escape_terminal_bytes(bytes: &[u8]) -> String {
    Untrusted::from_bytes(bytes).terminal()
}

/// A value with every text in it, keys included, as [`escape_terminal`] shows it: its canonical
/// JSON is then one line that moves nothing in a terminal.
#[must_use]
pub fn escape_value(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(truth) => Value::Bool(*truth),
        Value::Int(number) => Value::Int(*number),
        Value::Text(text) => Value::Text(escape_terminal(text)),
        Value::List(list) => Value::List(list.iter().map(escape_value).collect()),
        Value::Object(entries) => {
            let escaped = entries.iter().map(|(key, value)| {
                let key = escape_terminal(key);
                (key, escape_value(value))
            });
            Value::Object(escaped.collect())
        }
    }
}

/// A value as one line of JSON that can stand in Markdown: no heading, no fence, no tag and no
/// blank to fill in can begin in it.
#[must_use]
pub fn quote_markdown(value: &Value) -> String {
    let line = escape_value(value).canonical_text();
    let mut quoted = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            // These occur inside JSON strings only, where every reader takes the escape for them.
            '<' => quoted.push_str("\\u003c"),
            '>' => quoted.push_str("\\u003e"),
            '&' => quoted.push_str("\\u0026"),
            '`' => quoted.push_str("\\u0060"),
            plain => quoted.push(plain),
        }
    }
    quoted
}

/// A value as JSON that can stand in an HTML script element: no tag and no comment can begin or
/// end in it, and it is the same value for every reader of JSON.
#[must_use]
pub fn script_json(value: &Value) -> String {
    // What may not begin in Markdown includes what may not begin in a script.
    quote_markdown(value)
}

/// Noncharacters (which XML forbids), controls, line and paragraph separators, bidirectional
/// controls, zero-width and other characters that take no room of their own.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || (u32::from(character) & 0xfffe) == 0xfffe
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}
