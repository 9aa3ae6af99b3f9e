//! Axes: ticks at numbers that people like, and places in tenths of a pixel.

use portcullis_domain::WallNs;
use portcullis_domain::number::{format_scaled, share};
use portcullis_domain::time::NS_PER_S;

/// A value axis from one tick to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) low: i128,
    pub(super) high: i128,
    step: i128,
    /// Decimals of the values, and of what is printed of them.
    scale: u8,
    places: u8,
}

impl Axis {
    /// An axis that holds all of `low..=high`, in units of 10^-`scale`, with about `steps` steps.
    pub(super) fn over(low: i128, high: i128, scale: u8, steps: i128) -> Self {
        let range = high.saturating_sub(low).max(1);
        let least = range.saturating_add(steps.saturating_sub(1));
        let least = least.checked_div(steps).unwrap_or(range).max(1);
        let (step, power) = nice(least);
        let low = low.div_euclid(step).saturating_mul(step);
        let mut top = high.div_euclid(step).saturating_mul(step);
        if top < high || top == low {
            top = top.saturating_add(step);
        }
        Self { low, high: top, step, scale, places: scale.saturating_sub(power) }
    }

    /// Every tick with its label, from below.
    pub(super) fn ticks(&self) -> Vec<(i128, String)> {
        let mut ticks = Vec::new();
        let mut at = self.low;
        while at <= self.high && ticks.len() < 12 {
            ticks.push((at, self.label(at)));
            at = at.saturating_add(self.step);
        }
        ticks
    }

    /// Whether a value lies on it.
    pub(super) fn holds(&self, value: i128) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn label(&self, value: i128) -> String {
        let text = format_scaled(value, self.scale);
        let cut = usize::from(self.scale.saturating_sub(self.places));
        let kept = text.len().saturating_sub(cut);
        grouped(text.get(..kept).unwrap_or(&text).trim_end_matches('.'))
    }

    /// Where `value` lies on `length` tenths of a pixel, from above.
    pub(super) fn place(&self, value: i128, length: i64) -> i64 {
        let below = self.high.saturating_sub(value.clamp(self.low, self.high));
        scaled(below, self.high.saturating_sub(self.low), length)
    }
}

/// `part` of `whole` on `length`, rounded down.
pub(super) fn scaled(part: i128, whole: i128, length: i64) -> i64 {
    let place = share(part, i128::from(length), whole.max(1)).map_or(0, |(place, _)| place);
    i64::try_from(place).unwrap_or(0)
}

/// The least of 1, 2 and 5 times a power of ten that is not below `least`, and that power.
fn nice(least: i128) -> (i128, u8) {
    let (mut base, mut power) = (1_i128, 0_u8);
    loop {
        for factor in [1, 2, 5] {
            let step = base.saturating_mul(factor);
            if step >= least || step == i128::MAX {
                return (step, power);
            }
        }
        base = base.saturating_mul(10);
        power = power.saturating_add(1);
    }
}

/// Decimal text with a comma after each three digits before the point, and a true minus.
pub(super) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("\u{2212}", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = sign.to_owned();
    for (number, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(number);
        if number > 0 && left.checked_rem(3) == Some(0) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Seconds between two ticks of a time axis.
const TIME_STEPS_S: [i64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 86_400];

/// Moments with their labels in UTC: at most `most` of them within the span.
pub(super) fn time_ticks((from, until): (i64, i64), most: i64) -> Vec<(i64, String)> {
    let seconds = until.saturating_sub(from) / NS_PER_S;
    let fits = |step: &&i64| seconds.checked_div(**step).unwrap_or(0) < most;
    let step = TIME_STEPS_S.iter().find(fits).copied().unwrap_or(86_400);
    let length = if step < 60 { 8 } else { 5 };
    let step = step.saturating_mul(NS_PER_S);
    let mut ticks = Vec::new();
    let mut at = from.div_euclid(step).saturating_add(1).saturating_mul(step);
    while at < until && ticks.len() < 32 {
        ticks.push((at, WallNs(at).rfc3339().chars().skip(11).take(length).collect()));
        at = at.saturating_add(step);
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_numbers_that_people_like() {
        let check = |low, high, scale, expect: &[&str]| {
            let labels: Vec<String> =
                Axis::over(low, high, scale, 4).ticks().into_iter().map(|tick| tick.1).collect();
            assert_eq!(labels, expect);
        };
        check(6_180_000, 6_210_012, 2, &["61,800", "61,900", "62,000", "62,100", "62,200"]);
        check(-35, 12, 1, &["\u{2212}4", "\u{2212}2", "0", "2"]);
        check(0, 0, 2, &["0.00", "0.01"]);
        check(-3, 3, 2, &["\u{2212}0.04", "\u{2212}0.02", "0.00", "0.02", "0.04"]);
    }

    #[test]
    fn an_axis_holds_every_value_and_places_it() {
        let axis = Axis::over(-7, 1_001, 0, 4);
        assert!(axis.low <= -7 && axis.high >= 1_001);
        assert_eq!((axis.place(axis.high, 1_000), axis.place(axis.low, 1_000)), (0, 1_000));
        assert_eq!(axis.place(i128::MAX, 1_000), 0);
        let wide = Axis::over(i128::MIN, i128::MAX, 18, 4);
        assert!(wide.ticks().len() < 13);
    }

    #[test]
    fn time_has_ticks_at_round_seconds() {
        let from = 1_723_161_253_937_085_768;
        let labels = |span_s: i64, most| -> Vec<String> {
            let ticks = time_ticks((from, from + span_s * NS_PER_S), most);
            ticks.into_iter().map(|tick| tick.1).collect()
        };
        assert_eq!(labels(650, 6), ["23:56", "23:58", "00:00", "00:02", "00:04"]);
        assert_eq!(labels(3, 6), ["23:54:14", "23:54:15", "23:54:16"]);
        assert!(labels(0, 6).is_empty());
    }
}
