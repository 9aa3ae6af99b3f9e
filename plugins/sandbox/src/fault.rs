//! How a plugin fails: one code, one cause, and the plugin is gone.

use std::fmt;

/// Longest cause that is told, in bytes. Part of it may be the plugin's own words.
pub(crate) const CAUSE_LEN_MAX: usize = 512;

/// Whose fault it was, and of what kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// The component is not of the world, or asks for more than it may.
    Admission,
    /// It trapped, or overran the wall-clock backstop.
    Trap,
    /// It used up the fuel that was granted.
    Fuel,
    /// It asked for more memory than it declared.
    Memory,
    /// `init` or `restore` said no, or a parameter does not fit its declaration.
    Init,
    /// What it returned is longer than allowed.
    Output,
    /// The kernel's side sent a frame that makes no sense here.
    Protocol,
}

impl FaultCode {
    /// The code as told to the kernel and to people.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Admission => "PLUGIN_ADMISSION",
            Self::Trap => "PLUGIN_TRAP",
            Self::Fuel => "PLUGIN_FUEL",
            Self::Memory => "PLUGIN_MEMORY",
            Self::Init => "PLUGIN_INIT",
            Self::Output => "PLUGIN_OUTPUT",
            Self::Protocol => "PLUGIN_PROTOCOL",
        }
    }
}

/// A failure. Whoever holds one drops the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFault {
    code: FaultCode,
    cause: String,
}

impl PluginFault {
    /// A fault with its cause, cut to [`CAUSE_LEN_MAX`] bytes and one line.
    pub fn new(code: FaultCode, cause: impl AsRef<str>) -> Self {
        let mut line = String::new();
        push_line(&mut line, cause.as_ref(), CAUSE_LEN_MAX);
        Self { code, cause: line }
    }

    /// Of what kind.
    #[must_use]
    pub const fn code(&self) -> FaultCode {
        self.code
    }

    /// What happened, and where it helps what to do.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

impl fmt::Display for PluginFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.code.code(), self.cause)
    }
}

impl std::error::Error for PluginFault {}

/// Appends `text` as part of one line: control characters become spaces, and at most `len_max`
/// bytes are taken.
pub(crate) fn push_line(line: &mut String, text: &str, len_max: usize) {
    let mut left = len_max;
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.len_utf8()) else { return };
        left = rest;
        line.push(if character.is_control() { ' ' } else { character });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_one_bounded_line() {
        let fault = PluginFault::new(FaultCode::Trap, "a\nb\u{1b}c");
        assert_eq!(fault.to_string(), "PLUGIN_TRAP a b c");
        let long = "é".repeat(1000);
        assert_eq!(PluginFault::new(FaultCode::Init, long).cause().len(), CAUSE_LEN_MAX);
    }
}
