//! Form-encoded fields of a query or a body.

use std::collections::BTreeMap;

/// The fields by name; of a doubled one the first.
#[derive(Debug, Default)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn parse(text: &str) -> Self {
        let mut fields = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.entry(decoded(key)).or_insert_with(|| decoded(value));
        }
        Self(fields)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Entries to skip.
    pub(crate) fn offset(&self) -> usize {
        self.get("ofs").and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

/// Percent-decoded text; what is not a valid escape is kept as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let escape = (byte == b'%').then(|| Some((ahead.next()?, ahead.next()?))).flatten();
        match escape.and_then(|(high, low)| hex(high).zip(hex(low))) {
            Some((high, low)) => {
                bytes.push((high << 4) | low);
                rest = ahead;
            }
            None if byte == b'+' => bytes.push(b' '),
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let form = Form::parse("nonce=1&pair=BTC%2FUSD&note=a+b&odd=100%&nonce=2&flag&ofs=5");
        let check = |key: &str, expect: Option<&str>| assert_eq!(form.get(key), expect);
        check("nonce", Some("1"));
        check("pair", Some("BTC/USD"));
        check("note", Some("a b"));
        check("odd", Some("100%"));
        check("flag", Some(""));
        check("none", None);
        assert_eq!((form.offset(), Form::parse("").offset()), (5, 0));
    }
}
