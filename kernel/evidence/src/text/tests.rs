//! Each escaper over what hostile authors write.

use portcullis_statement::json;

use super::corpus::HOSTILE;
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

/// What every reader gets: one line that moves nothing, and all texts still told apart.
fn for_all(escaped: fn(&Untrusted<'static>) -> String, check: impl Fn(&str, &str)) {
    let mut seen = std::collections::BTreeSet::new();
    for text in HOSTILE {
        let out = escaped(&Untrusted::new(text));
        assert!(!out.chars().any(is_deceptive), "{out}");
        check(text, &out);
        assert!(seen.insert(out.clone()), "two texts are {out}");
    }
}

#[test]
fn a_line_of_a_terminal_reads_back_and_moves_nothing() {
    for_all(Untrusted::terminal, |text, out| {
        let mut read = String::new();
        let mut rest = out;
        while let Some(character) = rest.chars().next() {
            rest = rest.strip_prefix(character).unwrap();
            if character != '\\' {
                read.push(character);
            } else if let Some(after) = rest.strip_prefix('\\') {
                read.push('\\');
                rest = after;
            } else {
                let (code, after) = rest.strip_prefix("u{").unwrap().split_once('}').unwrap();
                read.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                rest = after;
            }
        }
        assert_eq!(read, text);
    });
    assert_eq!(format!("{:?}", Untrusted::new("a\u{1b}")), "Untrusted(a\\u{1b})");
}

#[test]
fn json_in_a_script_or_in_markdown_is_the_same_json() {
    for escaped in [Untrusted::script_json, Untrusted::markdown] {
        for_all(escaped, |text, out| {
            assert!(!out.contains(['<', '>', '&', '`']), "{out}");
            let read = json::parse(out.as_bytes()).unwrap();
            assert_eq!(read, Value::Text(escape_terminal(text)));
        });
    }
    let key = json::object([("</script>", "x".into())]);
    assert_eq!(script_json(&key), "{\"\\u003c/script\\u003e\":\"x\"}");
}

/// Numeric references read back.
fn decode_references(encoded: &str) -> String {
    let mut parts = encoded.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.strip_prefix('#').unwrap().split_once(';').unwrap();
        text.push(char::from_u32(code.parse().unwrap()).unwrap());
        text.push_str(rest);
    }
    text
}

#[test]
fn html_and_svg_hold_references_and_no_markup() {
    for escaped in [Untrusted::html, Untrusted::svg, Untrusted::html_attribute] {
        for_all(escaped, |text, out| {
            assert!(!out.contains(['<', '>', '"', '\'', '`']), "{out}");
            assert_eq!(decode_references(out), escape_terminal(text));
        });
    }
    for_all(Untrusted::html_attribute, |_, out| {
        let safe = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "&#;".contains(c);
        assert!(out.chars().all(safe), "{out}");
    });
}

#[test]
fn a_cell_is_quoted_and_never_a_formula() {
    for_all(Untrusted::csv_cell, |_, out| {
        let inner = out.strip_prefix('"').and_then(|out| out.strip_suffix('"')).unwrap();
        assert!(!inner.replace("\"\"", "").contains('"'), "{out}");
        assert!(!inner.starts_with(['=', '+', '-', '@', '\t', '\r']), "{out}");
    });
    let check = |text: &str, expect: &str| {
        assert_eq!(Untrusted::new(text).csv_cell(), expect);
    };
    check("say \"hi\", 1", "\"say \"\"hi\"\", 1\"");
    check("=1+1", "\"'=1+1\"");
    check("\t=1", "\"'\\u{9}=1\"");
    check("\u{ff1d}1", "\"'\u{ff1d}1\"");
    check("1-2", "\"1-2\"");
}

#[test]
fn an_alert_is_one_short_line_that_calls_nobody() {
    for_all(Untrusted::alert, |_, out| {
        assert!(!out.contains(['<', '>', '&', '@', '`', '\r', '\n']), "{out}");
    });
    let long = Untrusted::new("x".repeat(501)).alert();
    assert_eq!((long.chars().count(), long.ends_with("x…")), (501, true));
    assert_eq!(Untrusted::new("x".repeat(500)).alert(), "x".repeat(500));
}
