//! The escapers between foreign text and whoever reads it: one per kind of reader.

use std::fmt::Write as _;

use portcullis_statement::json::Value;

/// `text` with everything that could move, hide or reorder other text shown as `\u{..}`.
///
/// Foreign text is whatever comes out of a pack, a plugin, a venue or a file name. A backslash is
/// doubled, so that an escape which *we* wrote cannot be confused with one that was written for us.
#[must_use]
pub fn escape_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            plain if !is_deceptive(plain) => out.push(plain),
            other => {
                // Writing to a String cannot fail; a lost escape would still leave nothing behind.
                if write!(out, "\\u{{{:x}}}", u32::from(other)).is_err() {
                    out.push('?');
                }
            }
        }
    }
    out
}

/// As [`escape_terminal`] for bytes that may not be text at all.
#[must_use]
pub fn escape_terminal_bytes(bytes: &[u8]) -> String {
    escape_terminal(&String::from_utf8_lossy(bytes))
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

/// Controls, line and paragraph separators, bidirectional controls, zero-width and other
/// characters that take no room of their own.
fn is_deceptive(character: char) -> bool {
    character.is_control()
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
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_or_the_eye_gets_through() {
        let check = |text: &str, expect: &str| assert_eq!(escape_terminal(text), expect);
        check("plain text, 100 € é 价", "plain text, 100 € é 价");
        check("\u{1b}[2Jgone\u{7}", "\\u{1b}[2Jgone\\u{7}");
        check("a\nb\rc\td", "a\\u{a}b\\u{d}c\\u{9}d");
        check("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}");
        check("\u{202e}txt.exe\u{2066}", "\\u{202e}txt.exe\\u{2066}");
        check("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}");
        check("tag\u{e0041}", "tag\\u{e0041}");
        check("\\u{1b}", "\\\\u{1b}");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_not_trusted() {
        assert_eq!(escape_terminal_bytes(b"ok\xff\x1b"), "ok\u{fffd}\\u{1b}");
    }

    #[test]
    fn a_quotation_is_one_line_of_json_and_no_markdown() {
        let check = |text: &str, expect: &str| {
            let quoted = quote_markdown(&text.into());
            assert_eq!(quoted, expect);
            let read = portcullis_statement::json::parse(quoted.as_bytes()).unwrap();
            assert_eq!(read, Value::Text(escape_terminal(text)));
        };
        check("plain", "\"plain\"");
        check("a\n## Signed by", "\"a\\\\u{a}## Signed by\"");
        check("```\u{2028}", "\"\\u0060\\u0060\\u0060\\\\u{2028}\"");
        check(
            "<<blank>> & <b>",
            concat!("\"\\u003c\\u003cblank\\u003e\\u003e \\u0026 ", "\\u003cb\\u003e\""),
        );
    }
}
