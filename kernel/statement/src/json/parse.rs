//! The strict reader. It refuses whatever two readers could understand in two ways.

use std::collections::BTreeMap;

use super::{JsonError, Value};

/// How deep lists and objects may nest.
pub const DEPTH_MAX: u32 = 32;

/// Reads one value that fills `bytes` exactly; blanks are accepted only inside of it.
///
/// Refused: duplicate keys, fractions and exponents, `-0`, leading zeros, numbers beyond 64 bits,
/// a byte-order mark, bad UTF-8, lone surrogates, NUL, depth beyond [`DEPTH_MAX`].
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::Syntax { offset: error.valid_up_to(), cause: "not UTF-8" })?;
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.value()?;
    if reader.at == bytes.len() { Ok(value) } else { reader.fail("bytes after the value") }
}

/// [`parse`], and `bytes` must be the canonical spelling of the value.
pub fn parse_canonical(bytes: &[u8]) -> Result<Value, JsonError> {
    let value = parse(bytes)?;
    if value.canonical() == bytes { Ok(value) } else { Err(JsonError::NotCanonical) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::object),
            Some(_) => self.fail("not the beginning of a value"),
            None => self.fail("ends before the value does"),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, JsonError>,
    ) -> Result<Value, JsonError> {
        if self.depth >= DEPTH_MAX {
            return self.fail("nested too deeply");
        }
        self.depth = self.depth.saturating_add(1);
        self.skip(1);
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Value::List(list));
        }
        loop {
            self.blanks();
            list.push(self.value()?);
            self.blanks();
            if self.take(b']') {
                return Ok(Value::List(list));
            }
            self.demand(b',', "expected `,` or `]`")?;
        }
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        let mut entries = BTreeMap::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(Value::Object(entries));
        }
        loop {
            self.blanks();
            let start = self.at;
            let key = self.string()?;
            self.blanks();
            self.demand(b':', "expected `:`")?;
            self.blanks();
            let value = self.value()?;
            if entries.insert(key, value).is_some() {
                self.at = start;
                return self.fail("a key that occurs twice");
            }
            self.blanks();
            if self.take(b'}') {
                return Ok(Value::Object(entries));
            }
            self.demand(b',', "expected `,` or `}`")?;
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let length = rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let end = length.saturating_add(sign);
        let Some(digits) = rest.get(..end) else { return self.fail("not a number") };
        let whole = digits.strip_prefix('-').unwrap_or(digits);
        if whole.is_empty() {
            return self.fail("a sign without digits");
        }
        if digits == "-0" || (whole.starts_with('0') && whole.len() > 1) {
            return self.fail("a zero in front of a number");
        }
        if matches!(rest.as_bytes().get(end), Some(b'.' | b'e' | b'E')) {
            return self.fail("fractions and exponents are not accepted");
        }
        let Ok(number) = digits.parse() else { return self.fail("beyond 64 bits") };
        self.skip(end);
        Ok(Value::Int(number))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.demand(b'"', "expected a string")?;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let stop = |b: u8| b == b'"' || b == b'\\' || b < 0x20;
            let Some(plain) = rest.bytes().position(stop) else {
                return self.fail("a string without end");
            };
            text.push_str(rest.get(..plain).unwrap_or_default());
            self.skip(plain);
            if self.take(b'"') {
                return Ok(text);
            }
            if !self.take(b'\\') {
                return self.fail("a control character in a string");
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let Some(byte) = self.peek() else { return self.fail("a string without end") };
        let escaped = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return self.fail("an unknown escape"),
        };
        self.skip(1);
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let unit = u32::from(first);
        let code = match first {
            0 => return self.fail("NUL in a string"),
            0xd800..=0xdbff => {
                if !self.take(b'\\') || self.peek() != Some(b'u') {
                    return self.fail("half of a surrogate pair");
                }
                let second = u32::from(self.code_unit()?);
                if !(0xdc00..=0xdfff).contains(&second) {
                    return self.fail("half of a surrogate pair");
                }
                let (high, low) = (unit.saturating_sub(0xd800), second.saturating_sub(0xdc00));
                high.saturating_mul(0x400).saturating_add(low).saturating_add(0x1_0000)
            }
            _ => unit,
        };
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => self.fail("half of a surrogate pair"),
        }
    }

    /// Reads `uXXXX`.
    fn code_unit(&mut self) -> Result<u16, JsonError> {
        self.skip(1);
        let Some(digits) = self.rest().get(..4) else { return self.fail("a broken escape") };
        // `from_str_radix` alone would accept a sign.
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.fail("a broken escape");
        }
        let Ok(unit) = u16::from_str_radix(digits, 16) else {
            return self.fail("a broken escape");
        };
        self.skip(4);
        Ok(unit)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.rest().starts_with(word) {
            return self.fail("not the beginning of a value");
        }
        self.skip(word.len());
        Ok(value)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.skip(1);
        }
    }

    fn demand(&mut self, byte: u8, cause: &'static str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { self.fail(cause) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn fail<T>(&self, cause: &'static str) -> Result<T, JsonError> {
        Err(JsonError::Syntax { offset: self.at, cause })
    }
}
