//! A curve over the session's time, kept in as many buckets as a chart can show.

/// Buckets of a curve.
const BUCKETS: i64 = 320;

/// What one bucket saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Middle of the bucket, nanoseconds since 1970.
    pub(super) at: i64,
    pub(super) min: i128,
    pub(super) max: i128,
    pub(super) last: i128,
}

/// Values over time: lowest, highest and last of each bucket, so that no spike is lost.
#[derive(Clone, Debug)]
pub(super) struct Series {
    span: (i64, i64),
    width_ns: i64,
    buckets: Vec<Bucket>,
}

impl Series {
    /// A curve over `from` to `until`, nanoseconds since 1970.
    pub(super) fn new((from, until): (i64, i64)) -> Self {
        let length = until.saturating_sub(from).max(0);
        let width_ns = length.checked_div(BUCKETS).unwrap_or(0).saturating_add(1);
        Self { span: (from, until.max(from)), width_ns, buckets: Vec::new() }
    }

    /// The next value. Times do not go back; what lies outside counts at the end.
    pub(super) fn push(&mut self, at: i64, value: i128) {
        let (from, until) = self.span;
        let offset = at.clamp(from, until).saturating_sub(from);
        let number = offset.checked_div(self.width_ns).unwrap_or(0);
        let begins = from.saturating_add(number.saturating_mul(self.width_ns));
        let middle = begins.saturating_add(self.width_ns / 2);
        match self.buckets.last_mut() {
            Some(bucket) if bucket.at >= middle => {
                bucket.min = bucket.min.min(value);
                bucket.max = bucket.max.max(value);
                bucket.last = value;
            }
            Some(_) | None => {
                self.buckets.push(Bucket { at: middle, min: value, max: value, last: value });
            }
        }
    }

    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The last value.
    pub(super) fn last(&self) -> Option<i128> {
        self.buckets.last().map(|bucket| bucket.last)
    }

    /// The lowest value.
    pub(super) fn min(&self) -> Option<i128> {
        self.buckets.iter().map(|bucket| bucket.min).min()
    }

    /// The highest value.
    pub(super) fn max(&self) -> Option<i128> {
        self.buckets.iter().map(|bucket| bucket.max).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_keeps_its_lowest_highest_and_last_value() {
        let mut series = Series::new((1_000, 1_000 + 3_200));
        for (at, value) in [(0, 5), (1_005, 9), (1_006, 1), (1_007, 4), (4_200, 7), (9_999, 8)] {
            series.push(at, value);
        }
        let seen: Vec<_> = series.buckets().iter().map(|b| (b.min, b.max, b.last)).collect();
        assert_eq!(seen, [(1, 9, 4), (7, 8, 8)]);
        assert_eq!((series.min(), series.max(), series.last()), (Some(1), Some(9), Some(8)));
    }

    #[test]
    fn a_session_of_no_length_has_one_bucket() {
        let mut series = Series::new((7, 7));
        series.push(7, 1);
        series.push(7, 2);
        assert_eq!(series.buckets().len(), 1);
        assert_eq!(Series::new((9, 1)).last(), None);
    }
}
