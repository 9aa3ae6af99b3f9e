//! RFC 3339 and unix-seconds texts to nanoseconds, exactly or not at all.

use portcullis_domain::number::parse_scaled;
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{NumberError, WallNs};

/// Reads `2024-05-18T12:05:50.293682Z`: UTC only, up to nine decimals of a second.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<WallNs> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let days = day_of_civil(year, month, day)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second)?;
    let nanos = digits(fraction)?.checked_mul(10_i64.checked_pow(nine_minus(fraction.len())?)?)?;
    seconds.checked_mul(NS_PER_S)?.checked_add(nanos).map(WallNs)
}

/// Reads unix seconds with decimals, such as `1688667796.8802`.
pub fn parse_unix_seconds(text: &str) -> Result<WallNs, NumberError> {
    parse_scaled(text, 9).map(WallNs)
}

/// The RFC 3339 text with microseconds, as the venue writes and reads it.
///
/// What is finer than a microsecond is cut off: a deadline written so is never later than meant.
#[must_use]
pub fn rfc3339_micros(moment: WallNs) -> String {
    let nanos = moment.rfc3339();
    format!("{}Z", nanos.get(..26).unwrap_or(&nanos))
}

/// The RFC 3339 text with whole seconds.
#[must_use]
pub fn rfc3339_seconds(moment: WallNs) -> String {
    let nanos = moment.rfc3339();
    format!("{}Z", nanos.get(..19).unwrap_or(&nanos))
}

fn nine_minus(length: usize) -> Option<u32> {
    u32::try_from(9_usize.checked_sub(length)?).ok()
}

fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut values = [0_i64; 3];
    for (value, width) in values.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width {
            return None;
        }
        *value = digits(part)?;
    }
    parts.next().is_none().then_some(values)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 (Hinnant's algorithm).
fn day_of_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_index = if month > 2 { month.checked_sub(3)? } else { month.checked_add(9)? };
    let in_year = month_index.checked_mul(153)?.checked_add(2)? / 5;
    let day_of_year = in_year.checked_add(day)?.checked_sub(1)?;
    let leap_days = (year_of_era / 4).checked_sub(year_of_era / 100)?;
    let day_of_era =
        year_of_era.checked_mul(365)?.checked_add(leap_days)?.checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_venue_writes_is_read() {
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(parse_rfc3339(text).map(|moment| moment.0), expect, "{text}");
        };
        check("1970-01-01T00:00:00Z", Some(0));
        check("2024-08-08T23:54:13.937085768Z", Some(1_723_161_253_937_085_768));
        check("2024-08-08T23:54:13.937085Z", Some(1_723_161_253_937_085_000));
        check("2000-02-29T00:00:00.5Z", Some(951_782_400_500_000_000));
        for bad in [
            "",
            "2024-08-08",
            "2024-08-08T23:54:13",
            "2024-08-08T23:54:13+00:00",
            "2024-13-08T23:54:13Z",
            "2023-02-29T23:54:13Z",
            "2024-08-08T24:00:00Z",
            "2024-08-08T23:54:13.0000000001Z",
            "2024-08-08T23:54:13.Z",
            "24-08-08T23:54:13Z",
            "2024-08-08T23:54:+1Z",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn printing_and_reading_agree() {
        for second in (0..4_000_000_000_i64).step_by(86_399_171) {
            let moment = WallNs(second.checked_mul(NS_PER_S).unwrap());
            assert_eq!(parse_rfc3339(&moment.rfc3339()), Some(moment));
        }
        let moment = WallNs(1_723_161_253_937_085_768);
        assert_eq!(rfc3339_micros(moment), "2024-08-08T23:54:13.937085Z");
        assert_eq!(rfc3339_seconds(moment), "2024-08-08T23:54:13Z");
        assert_eq!(parse_unix_seconds("1688667796.8802"), Ok(WallNs(1_688_667_796_880_200_000)));
    }
}
