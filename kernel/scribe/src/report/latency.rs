//! How long orders took.

use portcullis_domain::number::format_scaled_short;

use super::Report;
use super::axis::grouped;

/// The table.
pub(super) fn html(report: &Report<'_>) -> String {
    let story = &report.story;
    let rows = [("to the wire", &story.to_sent), ("to the venue\u{2019}s word", &story.to_report)]
        .map(|(name, samples)| row(name, samples))
        .concat();
    format!(
        "<section>\n<h2>Latencies</h2>\n<p class=\"note\">From an order\u{2019}s approval, on the \
         clock that never steps.</p>\n<table><thead><tr><th>Orders</th><th class=\"num\">50 %</th>\
         <th class=\"num\">90 %</th><th class=\"num\">99 %</th><th class=\"num\">Longest</th></tr>\
         </thead><tbody>\n{rows}</tbody></table>\n</section>\n"
    )
}

fn row(name: &str, samples: &[i64]) -> String {
    if samples.is_empty() {
        return String::new();
    }
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let cell = |percent| {
        let text = within(&sorted, percent).map_or_else(|| "—".to_owned(), duration);
        format!("<td class=\"num\">{text}</td>")
    };
    let number = grouped(&sorted.len().to_string());
    let cells: String = [50, 90, 99, 100].map(cell).concat();
    format!("<tr><td>{number} {name}</td>{cells}</tr>\n")
}

/// The least time within which that share of the samples was done.
fn within(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().checked_mul(percent)?.div_ceil(100).checked_sub(1)?;
    sorted.get(rank).copied()
}

/// Nanoseconds in the unit that fits, three digits of it, the rest cut.
fn duration(ns: i64) -> String {
    let (scale, unit) = match ns {
        ..1_000 => (0, "ns"),
        1_000..1_000_000 => (3, "µs"),
        1_000_000..1_000_000_000 => (6, "ms"),
        _ => (9, "s"),
    };
    let text = format_scaled_short(i128::from(ns), scale);
    let length = if text.chars().take(3).any(|it| it == '.') { 4 } else { 3 };
    let whole = text.find('.').unwrap_or(text.len());
    let cut: String = text.chars().take(length.max(whole)).collect();
    format!("{}\u{202f}{unit}", cut.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        let check = |ns, expect: &str| assert_eq!(duration(ns), expect);
        check(0, "0\u{202f}ns");
        check(999, "999\u{202f}ns");
        check(27_443, "27.4\u{202f}µs");
        check(2_000_000, "2\u{202f}ms");
        check(116_000_999, "116\u{202f}ms");
        check(12_345_000_000_000, "12345\u{202f}s");
    }

    #[test]
    fn a_share_of_the_samples_is_one_of_them() {
        let sorted: Vec<i64> = (1..=10).collect();
        let check = |percent, expect| assert_eq!(within(&sorted, percent), Some(expect));
        check(50, 5);
        check(90, 9);
        check(99, 10);
        check(100, 10);
        assert_eq!(within(&[], 50), None);
    }
}
