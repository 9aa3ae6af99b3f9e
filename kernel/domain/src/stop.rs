//! Stops: how far the house is to be held, and what of it.

use crate::ids::Name;

/// How much a stop takes away. A ladder: each step takes what the one before takes, and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopMode {
    /// No new exposure from anybody. What works stays, and what reduces may still be sent.
    BlockNew,
    /// As above, and working orders that increase exposure are taken back.
    ReduceOnly,
    /// Every order is taken back, and nothing new leaves but the slices of a signed flatten plan.
    CancelAll,
}

impl StopMode {
    /// All modes, from the mildest.
    pub const ALL: [Self; 3] = [Self::BlockNew, Self::ReduceOnly, Self::CancelAll];

    /// The name in requests, entries and policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlockNew => "block-new",
            Self::ReduceOnly => "reduce-only",
            Self::CancelAll => "cancel-all",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Longest symbol that a scope can name, in bytes.
const SYMBOL_BYTES_MAX: usize = 64;

/// What a stop is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopScope {
    /// Everything that this house does.
    All,
    /// Its venue. One kernel has one.
    Venue,
    /// Its account. One kernel has one.
    Account,
    /// One strategy, by the name of its plugin.
    Strategy(Name),
    /// One instrument, by our symbol.
    Instrument(String),
}

impl StopScope {
    /// `all`, `venue`, `account`, `strategy:NAME` or `instrument:SYMBOL`.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Venue => "venue".to_owned(),
            Self::Account => "account".to_owned(),
            Self::Strategy(name) => format!("strategy:{name}"),
            Self::Instrument(symbol) => format!("instrument:{symbol}"),
        }
    }

    /// Reads what [`StopScope::text`] writes and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => [Self::All, Self::Venue, Self::Account].into_iter().find(|s| s.text() == text),
            Some(("strategy", name)) => Name::new(name).map(Self::Strategy),
            Some(("instrument", symbol)) if is_symbol(symbol) => {
                Some(Self::Instrument(symbol.to_owned()))
            }
            Some(_) => None,
        }
    }

    /// Whether it holds for orders of that strategy in that instrument.
    ///
    /// An order whose strategy is not known any more is an order of each of them: a stop that
    /// might be meant for it holds for it.
    #[must_use]
    pub fn covers(&self, strategy: Asking<'_>, symbol: &str) -> bool {
        match (self, strategy) {
            (Self::All | Self::Venue | Self::Account, _)
            | (Self::Strategy(_), Asking::UnknownStrategy) => true,
            (Self::Strategy(name), Asking::Strategy(asking)) => name == asking,
            (Self::Strategy(_), Asking::NoStrategy) => false,
            (Self::Instrument(stopped), _) => stopped == symbol,
        }
    }

    /// Whether it leaves nothing of the house out.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        match self {
            Self::All | Self::Venue | Self::Account => true,
            Self::Strategy(_) | Self::Instrument(_) => false,
        }
    }
}

/// Whose order a scope is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking<'a> {
    /// That strategy's.
    Strategy(&'a Name),
    /// Some strategy's of an earlier session: nobody can say which.
    UnknownStrategy,
    /// A person's, or the house's own.
    NoStrategy,
}

/// One stop as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How much it takes away.
    pub mode: StopMode,
    /// From what.
    pub scope: StopScope,
}

impl Stop {
    /// What a person gets who asks for a kill and says no more.
    #[must_use]
    pub const fn kill() -> Self {
        Self { mode: StopMode::CancelAll, scope: StopScope::All }
    }

    /// Whether this is the kill latch itself.
    #[must_use]
    pub fn is_kill(&self) -> bool {
        *self == Self::kill()
    }
}

fn is_symbol(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'/');
    (1..=SYMBOL_BYTES_MAX).contains(&text.len()) && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_a_ladder_and_read_back() {
        let [block, reduce, cancel] = StopMode::ALL;
        assert!(block < reduce && reduce < cancel);
        for mode in StopMode::ALL {
            assert_eq!(StopMode::from_name(mode.name()), Some(mode));
        }
        assert_eq!(StopMode::from_name("Block-New"), None);
    }

    #[test]
    fn a_scope_reads_back_and_nothing_else_is_one() {
        for text in ["all", "venue", "account", "strategy:alpha", "instrument:BTC-USDT"] {
            assert_eq!(StopScope::parse(text).unwrap().text(), text);
        }
        for text in ["", "ALL", "all:", "strategy", "strategy:", "strategy:A b", "instrument:"] {
            assert_eq!(StopScope::parse(text), None, "{text}");
        }
        assert_eq!(StopScope::parse(&format!("instrument:{}", "x".repeat(65))), None);
        assert_eq!(StopScope::parse("instrument:A\u{202e}B"), None);
    }

    #[test]
    fn a_scope_covers_what_it_names_and_what_nobody_can_name() {
        let (alpha, beta) = (Name::new("alpha").unwrap(), Name::new("beta").unwrap());
        let check = |scope: &str, asking: Asking<'_>, expect: bool| {
            let scope = StopScope::parse(scope).unwrap();
            assert_eq!(scope.covers(asking, "BTC-USDT"), expect, "{scope:?} {asking:?}");
        };
        for whole in ["all", "venue", "account", "instrument:BTC-USDT"] {
            check(whole, Asking::Strategy(&alpha), true);
            check(whole, Asking::NoStrategy, true);
        }
        check("strategy:alpha", Asking::Strategy(&alpha), true);
        check("strategy:alpha", Asking::Strategy(&beta), false);
        check("strategy:alpha", Asking::UnknownStrategy, true);
        check("strategy:alpha", Asking::NoStrategy, false);
        check("instrument:ETH-USDT", Asking::UnknownStrategy, false);
    }
}
