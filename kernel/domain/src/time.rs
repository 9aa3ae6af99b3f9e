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
}
