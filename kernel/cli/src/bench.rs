//! `portcullis bench`: figures of this machine, measured on the shipped code. Never a verdict.

mod journal;

use std::time::Duration;

use portcullis_statement::json::{Value, object};

use crate::CliError;

/// Measures one part of the kernel by itself.
#[derive(Clone, Debug, clap::Subcommand)]
#[command(before_help = "Examples:\n  \
    portcullis bench journal --json")]
pub(crate) enum BenchVerb {
    /// Recorded entries: durable before send, per second, verified, and in how much memory.
    Journal(journal::Args),
}

/// Runs the verb.
pub(crate) fn run(verb: &BenchVerb) -> Result<(), CliError> {
    match verb {
        BenchVerb::Journal(args) => journal::run(args),
    }
}

/// How long one call took, many times over.
#[derive(Debug)]
struct Times(Vec<Duration>);

impl Times {
    fn sorted(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many of a hundred calls did not exceed, in nanoseconds.
    fn percentile_ns(&self, percent: usize) -> i64 {
        let last = self.0.len().saturating_sub(1);
        let at = last.saturating_mul(percent).checked_div(100).unwrap_or(last);
        let time = self.0.get(at).copied().unwrap_or_default();
        i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
    }

    fn value(&self, name: &str) -> Value {
        object([
            ("count", i64::try_from(self.0.len()).unwrap_or(i64::MAX).into()),
            ("max_ns", self.percentile_ns(100).into()),
            ("name", name.into()),
            ("p50_ns", self.percentile_ns(50).into()),
            ("p99_ns", self.percentile_ns(99).into()),
        ])
    }

    fn line(&self, name: &str) -> String {
        let [p50, p99, max] = [50, 99, 100].map(|percent| self.percentile_ns(percent));
        format!("{name:<28} p50 {p50:>6} ns   p99 {p99:>6} ns   max {max:>8} ns\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let check = |times: &[u64], expect: [i64; 3]| {
            let times = times.iter().map(|ns| Duration::from_nanos(*ns)).collect();
            let times = Times::sorted(times);
            assert_eq!([50, 99, 100].map(|percent| times.percentile_ns(percent)), expect);
        };
        check(&[], [0, 0, 0]);
        check(&[7], [7, 7, 7]);
        check(&(1..=101).rev().collect::<Vec<u64>>(), [51, 100, 101]);
    }
}
