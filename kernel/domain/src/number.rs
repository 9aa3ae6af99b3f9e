//! Decimal text to scaled integers and back, exactly or not at all.

/// Why a text is not a number that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not of the form `-?digits[.digits]`: no exponent, sign plus, blank or separator is accepted.
    Malformed,
    /// More non-zero decimals than the scale holds. Rounding would invent a price.
    TooPrecise,
    /// Beyond the bits at hand.
    TooLarge,
}

impl NumberError {
    /// A short English cause, for error messages.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Malformed => "not a plain decimal number",
            Self::TooPrecise => "more decimals than the scale allows",
            Self::TooLarge => "too large",
        }
    }
}

/// Reads decimal `text` as an integer in units of 10^-`scale`.
///
/// Trailing zeros beyond the scale are exact and accepted (`"1.500"` at scale 1 is 15).
pub fn parse_scaled(text: &str, scale: u8) -> Result<i64, NumberError> {
    let wide = parse_scaled_wide(text, scale)?;
    i64::try_from(wide).map_err(|_out_of_range| NumberError::TooLarge)
}

/// [`parse_scaled`] with 128 bits, for amounts of money.
pub fn parse_scaled_wide(text: &str, scale: u8) -> Result<i128, NumberError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(NumberError::Malformed),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty() {
        return Err(NumberError::Malformed);
    }
    let mut value = 0_i128;
    for byte in whole.bytes() {
        value = push_digit(value, byte)?;
    }
    let mut places = 0_u8;
    for byte in fraction.bytes() {
        if places < scale {
            value = push_digit(value, byte)?;
            places = places.saturating_add(1);
        } else if !byte.is_ascii_digit() {
            return Err(NumberError::Malformed);
        } else if byte != b'0' {
            return Err(NumberError::TooPrecise);
        }
    }
    while places < scale {
        value = value.checked_mul(10).ok_or(NumberError::TooLarge)?;
        places = places.saturating_add(1);
    }
    Ok(if negative { value.saturating_neg() } else { value })
}

fn push_digit(value: i128, byte: u8) -> Result<i128, NumberError> {
    let digit = match byte {
        b'0'..=b'9' => i128::from(byte.saturating_sub(b'0')),
        _ => return Err(NumberError::Malformed),
    };
    value.checked_mul(10).and_then(|tens| tens.checked_add(digit)).ok_or(NumberError::TooLarge)
}

/// Writes `value`, in units of 10^-`scale`, as decimal text with exactly `scale` decimals.
#[must_use]
pub fn format_scaled(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    let places = usize::from(scale);
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
    let split = padded.len().saturating_sub(places);
    let (whole, fraction) = padded.split_at(split);
    format!("{sign}{whole}.{fraction}")
}

/// [`format_scaled`] without trailing zeros: for people and for wire text that has no fixed width.
#[must_use]
pub fn format_scaled_short(value: i128, scale: u8) -> String {
    let full = format_scaled(value, scale);
    if full.contains('.') {
        full.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        full
    }
}

/// 10^`exponent`, or `None` beyond 128 bits.
#[must_use]
pub fn pow10(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(exponent))
}

/// `amount` × `times` / `of` toward zero, and what the division leaves over. Divides first, so that
/// a large amount does not overflow on the way to a result that fits. `None` where it does not, or
/// where `of` is zero.
#[must_use]
pub fn share(amount: i128, times: i128, of: i128) -> Option<(i128, i128)> {
    let divided = |number: i128| number.checked_div(of).zip(number.checked_rem(of));
    let (whole, rest) = divided(amount)?;
    let (part, rest) = rest.checked_mul(times).and_then(divided)?;
    let whole = whole.checked_mul(times).and_then(|whole| whole.checked_add(part));
    whole.map(|whole| (whole, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, scale: u8, expect: &str) {
        assert_eq!(format!("{:?}", parse_scaled(text, scale)), expect);
    }

    #[test]
    fn text_is_exact_or_refused() {
        check("61837.63000000", 2, "Ok(6183763)");
        check("0.00001000", 5, "Ok(1)");
        check("-1.5", 1, "Ok(-15)");
        check("7", 3, "Ok(7000)");
        check("0.001", 2, "Err(TooPrecise)");
        check("1e-8", 8, "Err(Malformed)");
        check("", 0, "Err(Malformed)");
        check(".5", 1, "Err(Malformed)");
        check("1.", 1, "Err(Malformed)");
        check("+1", 0, "Err(Malformed)");
        check("1,0", 1, "Err(Malformed)");
        check("9223372036854775807", 0, "Ok(9223372036854775807)");
        check("9223372036854775808", 0, "Err(TooLarge)");
        check("1.0x", 1, "Err(Malformed)");
    }

    #[test]
    fn printing_is_the_inverse_of_reading() {
        for (value, scale) in [(0, 0), (5, 3), (-5, 3), (123_456, 2), (i64::MAX, 8), (-1, 0)] {
            let text = format_scaled(i128::from(value), scale);
            assert_eq!(parse_scaled(&text, scale), Ok(value), "{text}");
        }
        assert_eq!(format_scaled_short(1_500, 3), "1.5");
        assert_eq!(format_scaled_short(2_000, 3), "2");
        assert_eq!(format_scaled_short(20, 0), "20");
    }

    #[test]
    fn a_share_is_exact_where_the_product_would_overflow() {
        assert_eq!(share(7, 2, 3), Some((4, 2)));
        assert_eq!(share(-7, 2, 3), Some((-4, -2)));
        assert_eq!(share(i128::MAX, 3, 3), Some((i128::MAX, 0)));
        assert_eq!(share(1, 1, 0), None);
        // The whole fits, and the part does; their sum does not.
        assert_eq!(share(4, i128::MAX, 3), None);
        assert_eq!(share(3, i128::MAX, 3), Some((i128::MAX, 0)));
        assert_eq!(share(9, i128::MAX, 3), None);
    }
}
