//! The one shape of a failure: code, subject, cause and what to do next; and the exit codes.

use std::fmt;

use portcullis_evidence::text::escape_terminal;

/// How a command ends when it does not succeed. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: a fault of ours.
    Internal,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: refused by policy, people or evidence.
    Refused,
    /// 4: not there.
    NotFound,
    /// 5: a check was carried out and found problems.
    CheckFailed,
    /// 6: the kill latch is down.
    KillEngaged,
    /// 69: the daemon cannot be reached.
    Unreachable,
    /// 75: another try may succeed.
    Temporary,
    /// 77: this user may not.
    NotPermitted,
    /// 78: a configuration or policy file is refused.
    BadConfig,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::NotFound => 4,
            Self::CheckFailed => 5,
            Self::KillEngaged => 6,
            Self::Unreachable => 69,
            Self::Temporary => 75,
            Self::NotPermitted => 77,
            Self::BadConfig => 78,
        }
    }
}

/// A failure as people and scripts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// Stable, `SCREAMING_SNAKE`.
    pub code: String,
    /// What it is about: a file, a person, a daemon.
    pub subject: String,
    /// Why.
    pub cause: String,
    /// The next command or act.
    pub next: String,
    /// The exit code.
    pub exit: Exit,
}

impl CliError {
    /// A failure with everything that a reader needs.
    #[must_use]
    pub fn new(exit: Exit, code: &str, subject: &str, cause: &str, next: &str) -> Self {
        let [code, subject, cause, next] = [code, subject, cause, next].map(str::to_owned);
        Self { code, subject, cause, next, exit }
    }
}

impl fmt::Display for CliError {
    /// Two lines. Every part may come from outside, so every part is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, subject, cause, next] =
            [&self.code, &self.subject, &self.cause, &self.next].map(|text| escape_terminal(text));
        write!(f, "error[{code}] {subject}: {cause}\nnext: {next}")
    }
}

impl std::error::Error for CliError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_lines_whatever_is_put_into_it() {
        let error = CliError::new(Exit::Refused, "X", "a\nb", "\u{1b}[2Jgone", "try\u{202e}");
        let expect = "error[X] a\\u{a}b: \\u{1b}[2Jgone\nnext: try\\u{202e}";
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn the_exit_codes_are_those_of_the_manual() {
        use Exit as E;
        let all = [
            (E::Internal, 1),
            (E::Usage, 2),
            (E::Refused, 3),
            (E::NotFound, 4),
            (E::CheckFailed, 5),
            (E::KillEngaged, 6),
            (E::Unreachable, 69),
            (E::Temporary, 75),
            (E::NotPermitted, 77),
            (E::BadConfig, 78),
        ];
        for (exit, number) in all {
            assert_eq!(exit.code(), number);
        }
    }
}
