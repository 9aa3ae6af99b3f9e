//! Why a policy file is refused.

use portcullis_domain::{NumberError, Phase};

/// A refusal of a whole file. Nothing of it takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Not plain UTF-8 text with line feeds.
    NotText,
    /// Not TOML, a key missing, a key too many, a value of another type.
    Syntax(String),
    /// A number that does not fit.
    Number {
        /// Which key.
        key: String,
        /// What was written.
        text: String,
        /// Why.
        cause: NumberError,
    },
    /// Zero where only a positive number makes sense.
    NotPositive {
        /// Which key.
        key: String,
    },
    /// A value that has no meaning or contradicts another.
    Unfit {
        /// Which key.
        key: String,
        /// What is wrong, as the end of a sentence that begins with the key.
        cause: String,
    },
    /// Limits for an instrument that is not in the session.
    UnknownSymbol(String),
    /// An instrument or a strategy without limits, or a quote currency without a price: nobody
    /// chose them, so nothing may be traded there.
    MissingLimits(String),
    /// Prices times quantities of this instrument would not stay exact.
    NotExact(String),
    /// A phase or role that does not exist.
    UnknownName(String),
    /// Steps of the way back after a kill that do not begin, rise and end with all of the size.
    SizeSteps,
    /// A phase rule that asks for less than the runbook does.
    BelowFloor(Phase),
}

impl PolicyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotText => "POLICY_NOT_TEXT",
            Self::Syntax(_) => "POLICY_SYNTAX",
            Self::Number { .. } => "POLICY_NUMBER",
            Self::NotPositive { .. } => "POLICY_NOT_POSITIVE",
            Self::Unfit { .. } => "POLICY_UNFIT",
            Self::UnknownSymbol(_) => "POLICY_UNKNOWN_SYMBOL",
            Self::MissingLimits(_) => "POLICY_MISSING_LIMITS",
            Self::NotExact(_) => "POLICY_NOT_EXACT",
            Self::UnknownName(_) => "POLICY_UNKNOWN_NAME",
            Self::SizeSteps => "POLICY_SIZE_STEPS",
            Self::BelowFloor(_) => "POLICY_BELOW_FLOOR",
        }
    }

    /// Why, in one line.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::NotText => "not plain UTF-8 text with line feeds".to_owned(),
            // The parser draws the line and a caret; the first line says what is wrong.
            Self::Syntax(text) => text.lines().map(str::trim).collect::<Vec<_>>().join(" "),
            Self::Number { key, text, cause } => format!("{key} = {text:?}: {}", cause.cause()),
            Self::NotPositive { key } => format!("{key} must be above zero"),
            Self::Unfit { key, cause } => format!("{key} {cause}"),
            Self::UnknownSymbol(symbol) => format!("{symbol} is not an instrument here"),
            Self::MissingLimits(table) => format!("there is no table [{table}]"),
            Self::NotExact(symbol) => format!("{symbol} has more decimals than money keeps"),
            Self::UnknownName(name) => format!("there is no {name:?}"),
            Self::SizeSteps => "the steps of size begin at once, rise, and end with 100".to_owned(),
            Self::BelowFloor(phase) => {
                format!("phase {} asks for less than the runbook does", phase.number())
            }
        }
    }
}
