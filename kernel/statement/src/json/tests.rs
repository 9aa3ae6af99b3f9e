//! The corpus: what is read, what is refused, and that there is one spelling per value.

use super::*;

#[test]
fn an_object_is_written_the_same_without_being_made_first() {
    let entries = || [("b", Value::Int(-1)), ("a\"", "\u{1}é".into()), ("C", Value::List(vec![]))];
    assert_eq!(canonical_object(entries()), object(entries()).canonical());
    assert_eq!(canonical_object([]), object([]).canonical());
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    refused_bytes(text.as_bytes(), expect);
}

#[track_caller]
fn refused_bytes(bytes: &[u8], expect: &str) {
    let error = parse(bytes).expect_err(expect).to_string();
    assert!(error.contains(expect), "{bytes:?}: {error}");
}

#[track_caller]
fn canonical(text: &str, expect: &str) {
    let value = parse(text.as_bytes()).unwrap();
    assert_eq!(value.canonical_text(), expect);
    assert_eq!(parse_canonical(expect.as_bytes()), Ok(value));
    if text != expect {
        assert_eq!(parse_canonical(text.as_bytes()), Err(JsonError::NotCanonical), "{text}");
    }
}

#[test]
fn a_value_has_one_spelling() {
    canonical("null", "null");
    canonical("[ true , false ]", "[true,false]");
    canonical("[]", "[]");
    canonical("{\n}", "{}");
    canonical("-9223372036854775808", "-9223372036854775808");
    canonical("9223372036854775807", "9223372036854775807");
    canonical(r#"{"b":1,"a":[{},[]],"":null}"#, r#"{"":null,"a":[{},[]],"b":1}"#);
    canonical(r#""\u0041\/\u00e9\u20ac""#, "\"A/é€\"");
    canonical(r#""\ud83d\ude00""#, "\"😀\"");
    canonical(r#""\u0008\u0009\u000a\u000c\u000d\u0022\u005c""#, r#""\b\t\n\f\r\"\\""#);
    canonical(r#""\u0001\u001F\u007f""#, "\"\\u0001\\u001f\u{7f}\"");
}

#[test]
fn keys_are_sorted_by_utf_16_units() {
    // The example of RFC 8785, section 3.2.3, without its NUL-free control characters.
    let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
    canonical(text, sorted);
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    refused(r#"{"a":1,"a":1}"#, "a key that occurs twice");
    refused(r#"{"a":1,"\u0061":2}"#, "a key that occurs twice");
    for float in ["1.0", "0.5", "1e2", "1E2", "-1.5", "1e-2"] {
        refused(float, "fractions and exponents");
    }
    for zero in ["-0", "01", "-01", "00"] {
        refused(zero, "a zero in front");
    }
    refused("-0.0", "a zero in front");
    for large in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
        refused(large, "beyond 64 bits");
    }
    for other in ["+1", ".5", "NaN", "Infinity", "0x10", "'a'", "tru", "nul", "True", "undefined"] {
        assert!(parse(other.as_bytes()).is_err(), "{other}");
    }
    refused("-", "a sign without digits");
}

#[test]
fn nothing_stands_around_a_value() {
    refused_bytes(b"\xef\xbb\xbf{}", "not the beginning");
    for after in ["\n", "\r\n", " ", "\0", ",", "{}", "//"] {
        refused(&format!("{{}}{after}"), "bytes after the value");
    }
    for before in ["\n", " ", "\0"] {
        refused(&format!("{before}{{}}"), "not the beginning");
    }
    refused("", "ends before");
}

#[test]
fn strings_are_clean_or_refused() {
    refused("\"a\0b\"", "control character");
    refused("\"a\nb\"", "control character");
    refused(r#""\u0000""#, "NUL");
    refused(r#""\ud800""#, "half of a surrogate pair");
    refused(r#""\udc00""#, "half of a surrogate pair");
    refused(r#""\ud800\ud800""#, "half of a surrogate pair");
    refused(r#""\ud800A""#, "half of a surrogate pair");
    refused(r#""\ud800\n""#, "half of a surrogate pair");
    refused(r#""\u12""#, "broken escape");
    refused(r#""\u+123""#, "broken escape");
    refused(r#""\u00é""#, "broken escape");
    refused(r#""\x41""#, "unknown escape");
    refused(r#""abc"#, "without end");
    refused(r#""abc\"#, "without end");
    refused_bytes(b"\"\xff\"", "not UTF-8");
    refused_bytes(b"\"\xed\xa0\x80\"", "not UTF-8");
    refused_bytes(b"\"\xc0\x80\"", "not UTF-8");
}

#[test]
fn structure_is_exact() {
    for broken in ["[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "[", "{"]
    {
        assert!(parse(broken.as_bytes()).is_err(), "{broken}");
    }
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(32).as_bytes()).is_ok());
    refused(&nested(33), "nested too deeply");
    refused(&"[".repeat(100_000), "nested too deeply");
    // Depth is what is open, not what has been closed.
    let wide = format!("[{}]", vec!["[]"; 100].join(","));
    assert!(parse(wide.as_bytes()).is_ok());
}

/// A small generator: the same values on every machine.
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33).checked_rem(below).unwrap_or(0)
    }

    fn text(&mut self) -> String {
        let chars = ['a', 'Z', '"', '\\', '\n', '\u{1}', '\u{7f}', 'é', '€', '\u{fb33}', '😀', '/'];
        (0..self.next(6)).map(|_| chars[usize::try_from(self.next(12)).unwrap()]).collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.next(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => Value::Bool(self.next(2) == 1),
            2 => Value::Int(i64::try_from(self.next(1000)).unwrap().wrapping_sub(500)),
            3 => Value::Int(if self.next(2) == 0 { i64::MIN } else { i64::MAX }),
            4 => Value::Text(self.text()),
            5 => {
                Value::List((0..self.next(4)).map(|_| self.value(depth.wrapping_sub(1))).collect())
            }
            _ => Value::Object(
                (0..self.next(4))
                    .map(|_| (self.text(), self.value(depth.wrapping_sub(1))))
                    .collect(),
            ),
        }
    }
}

#[test]
fn reading_is_the_inverse_of_writing() {
    let mut draw = Draw(7);
    for _ in 0..5_000 {
        let value = draw.value(4);
        let bytes = value.canonical();
        assert_eq!(parse_canonical(&bytes), Ok(value));
    }
}

#[test]
fn no_damage_to_canonical_bytes_is_fatal_or_unseen() {
    let mut draw = Draw(11);
    for _ in 0..300 {
        let value = draw.value(3);
        let bytes = value.canonical();
        for (at, bit) in (0..bytes.len()).zip((0..8).cycle()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert_ne!(parse_canonical(&damaged), Ok(value.clone()), "{bytes:?} at {at}");
        }
        for cut in 0..bytes.len() {
            assert_ne!(parse_canonical(&bytes[..cut]), Ok(value.clone()), "{bytes:?} cut at {cut}");
        }
    }
}

#[test]
fn fields_are_typed_and_none_is_left_over() {
    let value = object([
        ("count", count(3)),
        ("less", Value::Int(-1)),
        ("name", "ema-cross".into()),
        ("truth", true.into()),
    ]);
    let mut fields = Fields::new(&value).unwrap();
    assert_eq!(fields.uint("count"), Ok(3));
    assert_eq!(fields.int("less"), Ok(-1));
    assert_eq!(fields.uint("less"), Err(JsonError::field("less", "is negative")));
    assert_eq!(fields.name("name").unwrap().as_str(), "ema-cross");
    assert_eq!(fields.text("count"), Err(JsonError::field("count", "is not a string")));
    assert_eq!(fields.text("none"), Err(JsonError::field("none", "is missing")));
    assert_eq!(fields.optional_text("none"), Ok(None));
    assert_eq!(fields.digest("name").unwrap_err().code(), "JSON_FIELD");
    assert_eq!(fields.finish(), Err(JsonError::field("truth", "is not a known key")));
    assert!(Fields::new(&Value::Null).is_err());
}

#[test]
fn each_error_has_a_listed_code() {
    for error in [JsonError::NotCanonical, JsonError::field("a", "b"), parse(b"").unwrap_err()] {
        assert!(JsonError::ALL_CODES.contains(&error.code()), "{error}");
    }
}

/// A scan may give up, never accept: what it takes is what the strict reader takes.
#[test]
fn a_scan_accepts_nothing_that_is_not_canonical() {
    let scanned = |bytes: &[u8]| {
        let mut scan = Scan::new(bytes)?;
        scan.value(0)?;
        scan.end()
    };
    let mut draw = Draw(13);
    let (mut whole, mut taken) = (0, 0);
    for _ in 0..600 {
        let bytes = draw.value(3).canonical();
        whole += usize::from(scanned(&bytes).is_some());
        for (at, bit) in (0..bytes.len()).zip((0..8).cycle()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            for damaged in [damaged.as_slice(), &bytes[..at], &bytes[at..]] {
                if scanned(damaged).is_some() {
                    assert!(parse_canonical(damaged).is_ok(), "{damaged:?}");
                    taken += 1;
                }
            }
        }
    }
    assert!(whole > 100 && taken > 1_000, "{whole} whole, {taken} damaged and canonical");
    for text in ["-0", "01", "-", "1.5", "1e3", "[1,]", "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}"] {
        assert_eq!(scanned(text.as_bytes()), None, "{text}");
    }
    let deep = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!((scanned(&deep(32)), scanned(&deep(33))), (Some(()), None));
}
