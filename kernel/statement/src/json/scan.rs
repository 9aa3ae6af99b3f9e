//! Walking over canonical bytes without making values of them: a million entries a second.
//!
//! A scan accepts nothing that [`super::parse_canonical`] refuses. It may give up on what that one
//! accepts: whoever scans falls back on it.

use super::DEPTH_MAX;

/// A place in canonical bytes. Each step moves behind what it names, or gives `None`.
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// At the front of `bytes`; `None` unless they are UTF-8.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        str::from_utf8(bytes).ok().map(|rest| Self { rest })
    }

    /// Exactly this text.
    pub fn literal(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Nothing more.
    #[must_use]
    pub const fn end(&self) -> Option<()> {
        if self.rest.is_empty() { Some(()) } else { None }
    }

    /// A string, as it is spelled: the escapes of quotation mark and backslash stay, and others
    /// are given up on.
    pub fn text(&mut self) -> Option<&'a str> {
        self.literal("\"")?;
        let bytes = self.rest.as_bytes();
        let mut at = 0_usize;
        loop {
            let plain = bytes.get(at..)?.iter();
            let plain = plain.take_while(|byte| !matches!(**byte, b'"' | b'\\' | 0..0x20)).count();
            at = at.checked_add(plain)?;
            match bytes.get(at..)? {
                [b'"', ..] => {
                    let (text, rest) = self.rest.split_at_checked(at)?;
                    self.rest = rest.get(1..)?;
                    return Some(text);
                }
                [b'\\', b'"' | b'\\', ..] => at = at.checked_add(2)?,
                _ => return None,
            }
        }
    }

    /// A whole number of 64 bits.
    pub fn int(&mut self) -> Option<i64> {
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = self.rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(sign.checked_add(digits)?)?;
        let whole = number.get(sign..)?;
        if whole.starts_with('0') && number != "0" {
            return None;
        }
        self.rest = rest;
        number.parse().ok()
    }

    /// Any value, inside of so many lists and objects.
    pub fn value(&mut self, depth: u32) -> Option<()> {
        match self.rest.as_bytes().first()? {
            b'"' => self.text().map(drop),
            b'-' | b'0'..=b'9' => self.int().map(drop),
            b'[' => self.list(depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?),
            b'{' => self.object(depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?),
            b'n' => self.literal("null"),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            _ => None,
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        self.literal("[")?;
        if self.literal("]").is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.literal("]").is_some() {
                return Some(());
            }
            self.literal(",")?;
        }
    }

    /// Keys ascend. Those beyond ASCII, or with escapes, sort by other rules and are given up on.
    fn object(&mut self, depth: u32) -> Option<()> {
        self.literal("{")?;
        if self.literal("}").is_some() {
            return Some(());
        }
        let mut before = None;
        loop {
            let key = self.text()?;
            let plain = key.is_ascii() && !key.contains('\\');
            if !plain || before.is_some_and(|before| before >= key) {
                return None;
            }
            before = Some(key);
            self.literal(":")?;
            self.value(depth)?;
            if self.literal("}").is_some() {
                return Some(());
            }
            self.literal(",")?;
        }
    }
}
