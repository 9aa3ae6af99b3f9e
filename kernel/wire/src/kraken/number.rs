//! Number tokens of JSON as exact text: the venue's zeros and digits are kept as they came.

use portcullis_domain::number::pow10;
use portcullis_domain::{Money, NumberError, Px, Qty, parse_scaled};
use serde_json::value::RawValue;

use crate::WireError;

/// A plain decimal exactly as the venue wrote it. It has no scale until an instrument gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberText(String);

impl NumberText {
    /// Reads a JSON number, or a number in quotes as the venue's REST answers have it.
    pub(crate) fn from_raw(field: &str, raw: &RawValue) -> Result<Self, WireError> {
        let token = raw.get();
        let quoted = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self::from_text(field, quoted.unwrap_or(token))
    }

    /// Reads a JSON number that is not in quotes.
    pub(crate) fn from_number(field: &str, raw: &RawValue) -> Result<Self, WireError> {
        Self::from_text(field, raw.get())
    }

    fn from_text(field: &str, text: &str) -> Result<Self, WireError> {
        let number = Self(text.to_owned());
        match number.exact() {
            Ok(_) => Ok(number),
            Err(error) => Err(WireError::number(field, text, error)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In units of 10^-`scale`, exactly or not at all.
    pub fn scaled(&self, scale: u8) -> Result<i64, NumberError> {
        parse_scaled(&self.0, scale)
    }

    /// As an amount of money, exactly or not at all.
    pub fn money(&self) -> Result<Money, NumberError> {
        self.exact()
    }

    /// In units of 10^-18 without the bound of 64 bits: fees come with more than eight decimals.
    fn exact(&self) -> Result<Money, NumberError> {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0.as_str()),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(NumberError::Malformed),
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, "0"),
        };
        let unit = pow10(Money::SCALE).ok_or(NumberError::TooLarge)?;
        let whole = i128::from(parse_unsigned(whole, 0)?);
        let fraction = i128::from(parse_unsigned(&format!("0.{fraction}"), Money::SCALE)?);
        let units = whole.checked_mul(unit).and_then(|units| units.checked_add(fraction));
        let units = units.ok_or(NumberError::TooLarge)?;
        Ok(Money(if negative { units.saturating_neg() } else { units }))
    }
}

fn parse_unsigned(text: &str, scale: u8) -> Result<i64, NumberError> {
    if text.starts_with('-') { Err(NumberError::Malformed) } else { parse_scaled(text, scale) }
}

/// A price at `scale` from a JSON number.
pub(crate) fn px(field: &str, raw: &RawValue, scale: u8) -> Result<Px, WireError> {
    Px::parse(raw.get(), scale).map_err(|error| WireError::number(field, raw.get(), error))
}

/// A quantity at `scale` from a JSON number.
pub(crate) fn qty(field: &str, raw: &RawValue, scale: u8) -> Result<Qty, WireError> {
    Qty::parse(raw.get(), scale).map_err(|error| WireError::number(field, raw.get(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: &str, expect: Result<i128, NumberError>) {
        let raw = RawValue::from_string(token.to_owned()).unwrap();
        let number = NumberText::from_raw("price", &raw);
        match expect {
            Ok(units) => assert_eq!(number.unwrap().money(), Ok(Money(units))),
            Err(error) => assert!(number.unwrap_err().cause.ends_with(error.cause())),
        }
    }

    #[test]
    fn text_is_kept_and_read_exactly() {
        check("0.014460799", Ok(14_460_799_000_000_000));
        check("\"-12.50\"", Ok(-12_500_000_000_000_000_000));
        check("7", Ok(7_000_000_000_000_000_000));
        check("1e-8", Err(NumberError::Malformed));
        check("\"1.\"", Err(NumberError::Malformed));
        check("\"0.0000000000000000001\"", Err(NumberError::TooPrecise));
        check("99999999999999999999", Err(NumberError::TooLarge));
        check("null", Err(NumberError::Malformed));
        check("\"--1\"", Err(NumberError::Malformed));
        let raw = RawValue::from_string("0.00100000".to_owned()).unwrap();
        let kept = NumberText::from_raw("qty", &raw).unwrap();
        assert_eq!((kept.as_str(), kept.scaled(8)), ("0.00100000", Ok(100_000)));
        assert_eq!(kept.scaled(2), Err(NumberError::TooPrecise));
    }
}
