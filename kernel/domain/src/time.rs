//! Moments. The pure crates receive them with each event and never ask a clock.

/// Wall-clock time in nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallNs(pub i64);

/// Time since the host's boot in nanoseconds, suspend included; it never steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootNs(pub i64);

/// The moment of an event on both clocks. Windows are judged by the wall, ages by the boot clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub wall: WallNs,
    /// Boot clock.
    pub boot: BootNs,
}

/// Nanoseconds in a millisecond.
pub const NS_PER_MS: i64 = 1_000_000;
/// Nanoseconds in a second.
pub const NS_PER_S: i64 = 1_000_000_000;

impl WallNs {
    /// This moment moved by `ns`, held at the ends of the range.
    #[must_use]
    pub const fn plus_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// RFC 3339 text in UTC with nanoseconds, for reports: `2026-11-23T01:02:03.000000004Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let day = self.0.div_euclid(NS_PER_S.saturating_mul(86_400));
        let in_day = self.0.rem_euclid(NS_PER_S.saturating_mul(86_400));
        let (seconds, nanos) = (in_day.div_euclid(NS_PER_S), in_day.rem_euclid(NS_PER_S));
        let (year, month, date) = civil_from_day(day);
        let (hour, minute) = (seconds.div_euclid(3_600), seconds.rem_euclid(3_600).div_euclid(60));
        let second = seconds.rem_euclid(60);
        format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }

    /// Reads RFC 3339 text in UTC, with or without a fraction: `2026-11-23T01:02:03Z`. `None` for
    /// any other zone, for a date that does not exist and for years before 1970.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        if hour > 23 || minute > 59 || second > 59 || fraction.is_empty() || fraction.len() > 9 {
            return None;
        }
        let [nanos] = numbers(&format!("{fraction:0<9}"), '.', [9])?;
        let date = (year, month, day);
        let days = day_of_civil(date).filter(|days| *days >= 0 && civil_from_day(*days) == date)?;
        let seconds = days
            .checked_mul(86_400)?
            .checked_add(hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60)))?;
        let ns = seconds.checked_add(second)?.checked_mul(NS_PER_S)?.checked_add(nanos)?;
        Some(Self(ns))
    }

    /// `YYYYMMDD_HHMMSS` in UTC, for folder names.
    #[must_use]
    pub fn folder_stamp(self) -> String {
        let text = self.rfc3339();
        text.chars()
            .take(19)
            .filter(|c| c.is_ascii_digit() || *c == 'T')
            .map(|c| if c == 'T' { '_' } else { c })
            .collect()
    }
}

impl BootNs {
    /// This moment moved by `ns`, held at the ends of the range.
    #[must_use]
    pub const fn plus_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// Nanoseconds since `earlier`; negative if `earlier` is later.
    #[must_use]
    pub const fn since_ns(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Numbers of exactly those many digits, separated by `by`.
fn numbers<const N: usize>(text: &str, by: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(by);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The inverse of [`civil_from_day`] for the dates that exist; others give some other day.
fn day_of_civil((year, month, date): (i64, i64, i64)) -> Option<i64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_index = month.checked_add(if month > 2 { -3 } else { 9 })?;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year =
        (month_index.checked_mul(153)?.checked_add(2)? / 5).checked_add(date)?.checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era / 4)?
        .checked_sub(year_of_era / 100)?
        .checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

/// Days since 1970-01-01 to a Gregorian date (Hinnant's algorithm, years 0 to 9999).
fn civil_from_day(day: i64) -> (i64, i64, i64) {
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let leap_days = day_of_era
        .saturating_sub(day_of_era / 1_460)
        .saturating_add(day_of_era / 36_524)
        .saturating_sub(day_of_era / 146_096);
    let year_of_era = leap_days / 365;
    let past_years = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(past_years);
    let month_index = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let month_start = month_index.saturating_mul(153).saturating_add(2) / 5;
    let date = day_of_year.saturating_sub(month_start).saturating_add(1);
    let month = if month_index < 10 {
        month_index.saturating_add(3)
    } else {
        month_index.saturating_sub(9)
    };
    let year = year_of_era.saturating_add(era.saturating_mul(400));
    (if month <= 2 { year.saturating_add(1) } else { year }, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_prints_as_utc() {
        let check = |ns: i64, expect: &str| assert_eq!(WallNs(ns).rfc3339(), expect);
        check(0, "1970-01-01T00:00:00.000000000Z");
        check(1_723_161_253_937_085_768, "2024-08-08T23:54:13.937085768Z");
        check(951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
        assert_eq!(WallNs(1_723_161_253_937_085_768).folder_stamp(), "20240808_235413");
    }

    #[test]
    fn utc_text_reads_back_and_nothing_else_is_read() {
        let check = |text: &str, ns: Option<i64>| {
            assert_eq!(WallNs::parse_rfc3339(text), ns.map(WallNs), "{text}");
        };
        for ns in [0, 1_723_161_253_937_085_768, 951_782_400_000_000_000, 1_709_164_800_000_000_000]
        {
            check(&WallNs(ns).rfc3339(), Some(ns));
        }
        check("1970-01-01T00:00:01Z", Some(1_000_000_000));
        check("1970-01-01T00:00:00.5Z", Some(500_000_000));
        for text in [
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00+00:00",
            "1970-01-01 00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:60Z",
            "2023-1-01T00:00:00Z",
            "2023-01-01T00:00:00.Z",
            "1969-12-31T23:59:59Z",
        ] {
            check(text, None);
        }
    }
}
