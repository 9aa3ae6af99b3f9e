//! RFC 3339 and unix-seconds texts to nanoseconds, exactly or not at all.

use portcullis_domain::number::parse_scaled;
use portcullis_domain::{NumberError, WallNs};

/// Reads `2024-05-18T12:05:50.293682Z`: UTC only, up to nine decimals of a second.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<WallNs> {
    WallNs::parse_rfc3339(text)
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

#[cfg(test)]
mod tests {
    use portcullis_domain::time::NS_PER_S;

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
