//! The one escaper between foreign text and a terminal.

use std::fmt::Write as _;

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
}
