//! The count at the end of a test run: passed, failed, skipped, each named where it matters.

use std::collections::BTreeMap;

/// With this a test says that the machine lacks what the test needs: one such line per test.
const SKIPPED: &str = "SKIPPED: ";

/// How one step of our own ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// What has been seen so far, in the output of `cargo test` and in our own steps.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    steps_passed: usize,
    harness_passed: usize,
    tests_skipped: usize,
    failures: Vec<String>,
    skips: Vec<String>,
    programs_started: usize,
    programs_ended: usize,
    naming_failures: bool,
}

impl Tally {
    /// One step of our own: it counts as one test.
    pub(crate) fn step(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.steps_passed += 1,
            Outcome::Failed(cause) => self.failures.push(format!("{name}: {cause}")),
            Outcome::Skipped(cause) => self.skips.push(format!("{name}: {cause}")),
        }
    }

    /// One line of `cargo test`, from either of its streams.
    pub(crate) fn see(&mut self, line: &str) {
        let words = line.trim_start();
        if words.starts_with("Running ") || words.starts_with("Doc-tests ") {
            self.programs_started += 1;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.programs_ended += 1;
            self.naming_failures = false;
            self.harness_passed += number_before(result, " passed");
        } else if line == "failures:" {
            self.naming_failures = true;
        } else if let (true, Some(name)) = (self.naming_failures, line.strip_prefix("    ")) {
            self.failures.push(name.to_owned());
        } else if let Some(cause) = skip(line) {
            self.tests_skipped += 1;
            self.skips.push(cause.to_owned());
        }
    }

    /// The end of `cargo test`: what it could not report itself is a failure too.
    pub(crate) fn finish(&mut self, success: bool) {
        if success {
            return;
        }
        let silent = self.programs_started.saturating_sub(self.programs_ended);
        if silent > 0 {
            self.failures.push(format!("{silent} test programs ended without a result"));
        } else if self.failures.is_empty() {
            self.failures.push("cargo test ended before the tests: see its error above".to_owned());
        }
    }

    /// Whether nothing failed; with `all` a skip is a failure.
    pub(crate) fn good(&self, all: bool) -> bool {
        self.failures.is_empty() && (!all || self.skips.is_empty())
    }

    /// What failed and what was skipped, by name, and the line of counts alone at the end.
    pub(crate) fn report(&self) -> String {
        let mut lines: Vec<String> =
            self.failures.iter().map(|failure| format!("FAILED   {failure}")).collect();
        let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
        for cause in &self.skips {
            *causes.entry(cause).or_default() += 1;
        }
        lines.extend(causes.into_iter().map(|(cause, count)| match count {
            1 => format!("SKIPPED  {cause}"),
            _ => format!("SKIPPED  {cause} ({count} times)"),
        }));
        // The harness says `ok` of a test that skipped: it has not passed.
        let passed = self.steps_passed + self.harness_passed.saturating_sub(self.tests_skipped);
        let (failed, skipped) = (self.failures.len(), self.skips.len());
        lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        lines.join("\n")
    }
}

/// The cause in a line with which a test skipped itself. The harness may have written the test's
/// name before it.
fn skip(line: &str) -> Option<&str> {
    let (before, cause) = line.split_once(SKIPPED)?;
    (before.is_empty() || before.starts_with("test ")).then_some(cause)
}

fn number_before(text: &str, word: &str) -> usize {
    let number = text.split_once(word).and_then(|(before, _)| before.rsplit(' ').next());
    number.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &str, success: bool, expect: &str) {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.see(line));
        tally.finish(success);
        assert_eq!(tally.report(), expect);
    }

    #[test]
    fn results_are_summed_over_programs() {
        check(
            "     Running unittests src/lib.rs (target/debug/deps/a-1)\n\
             test a ... ok\n\
             test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
             \x20  Doc-tests a\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            true,
            "7 passed, 0 failed, 0 skipped",
        );
    }

    #[test]
    fn a_skip_is_named_and_has_not_passed() {
        check(
            "SKIPPED: shared/data is absent\n\
             test b ... SKIPPED: shared/data is absent\n\
             a log line that says SKIPPED: nothing\n\
             test result: ok. 3 passed; 0 failed; 0 ignored",
            true,
            "SKIPPED  shared/data is absent (2 times)\n1 passed, 0 failed, 2 skipped",
        );
    }

    #[test]
    fn failed_tests_are_named_once() {
        check(
            "failures:\n\nfailures:\n    kill::gate_shuts\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored",
            false,
            "FAILED   kill::gate_shuts\n1 passed, 1 failed, 0 skipped",
        );
    }

    #[test]
    fn a_crash_and_a_compile_error_count_as_failures() {
        check(
            "     Running unittests src/lib.rs",
            false,
            "FAILED   1 test programs ended without a result\n0 passed, 1 failed, 0 skipped",
        );
        check(
            "error[E0308]: mismatched types",
            false,
            "FAILED   cargo test ended before the tests: see its error above\n\
             0 passed, 1 failed, 0 skipped",
        );
    }

    #[test]
    fn a_skip_fails_only_the_whole_run() {
        let mut tally = Tally::default();
        tally.step("format", Outcome::Passed);
        tally.step("lints", Outcome::Skipped("no clippy".to_owned()));
        assert!(tally.good(false) && !tally.good(true));
        tally.step("roots", Outcome::Failed("differ".to_owned()));
        assert!(!tally.good(false));
        assert_eq!(
            tally.report(),
            "FAILED   roots: differ\nSKIPPED  lints: no clippy\n1 passed, 1 failed, 1 skipped"
        );
    }
}
