//! Why the daemon does not start, or ends: subject, cause, next command, code and exit code.

use std::fmt;

use portcullis_evidence::text::escape_terminal;

/// A failure as people and scripts see it.
#[derive(Clone, Debug)]
pub(crate) struct DaemonFault {
    pub(crate) code: String,
    pub(crate) subject: String,
    pub(crate) cause: String,
    pub(crate) next: String,
    pub(crate) exit: u8,
}

/// 3: refused by policy or signatures.
pub(crate) const REFUSED: u8 = 3;
/// 4: not there.
pub(crate) const NOT_FOUND: u8 = 4;
/// 5: the journal is damaged.
pub(crate) const CHECK_FAILED: u8 = 5;
/// 75: another try may succeed.
pub(crate) const TEMPORARY: u8 = 75;
/// 78: a file or a setting is wrong.
pub(crate) const BAD_CONFIG: u8 = 78;

impl DaemonFault {
    pub(crate) fn new(exit: u8, code: &str, subject: &str, cause: &str, next: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            code: text(code),
            subject: text(subject),
            cause: text(cause),
            next: text(next),
            exit,
        }
    }
}

impl fmt::Display for DaemonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, subject, cause, next] =
            [&self.code, &self.subject, &self.cause, &self.next].map(|text| escape_terminal(text));
        write!(f, "error[{code}] {subject}: {cause}\nnext: {next}")
    }
}
