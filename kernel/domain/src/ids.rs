//! Identifiers. Each kind is its own type, none has a default, none is made from another by `From`.

use std::fmt;

/// A name as the house accepts it: 1 to 64 of `[a-z0-9._-]`, not starting with a dot.
///
/// People, plugins, sessions and accounts carry such names, so a name can stand in a path, a log
/// line or a terminal without any escaping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// `None` unless `text` has the accepted form.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len()) && !text.starts_with('.');
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        (fits && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a session, given by the kernel when it is drafted.
pub type SessionId = Name;

/// Our own number of an instrument within a session; position in the approval's list, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstrumentId(pub u32);

/// Our own number of a plugin within a session; position in the approval's list, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginId(pub u16);

/// A market-data or account stream of one connection; numbered by the wiring, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u16);

impl StreamId {
    /// The order book.
    pub const BOOK: Self = Self(0);
    /// Best bid and offer.
    pub const QUOTES: Self = Self(1);
    /// Trades.
    pub const TRADES: Self = Self(2);
}

/// FIX 11. Our id of an order: the epoch drawn at each start, and a number counted within it.
///
/// The text is 18 characters (`pc`, 8 hex digits of epoch, 8 of sequence), the longest free text
/// that every venue of `docs` accepts. Equal ids never occur twice: a restart draws a new epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClOrdId {
    /// Drawn at each start of the kernel.
    pub epoch: u32,
    /// Counted from 1 within the epoch.
    pub sequence: u32,
}

impl ClOrdId {
    /// What every id of ours begins with.
    pub const PREFIX: &'static str = "pc";

    /// Reads the 18-character text; `None` if it is not one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(Self::PREFIX)?;
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != 16 || !hex.bytes().all(lower) {
            return None;
        }
        let (epoch, sequence) = hex.split_at_checked(8)?;
        Some(Self {
            epoch: u32::from_str_radix(epoch, 16).ok()?,
            sequence: u32::from_str_radix(sequence, 16).ok()?,
        })
    }
}

impl fmt::Display for ClOrdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An account has thousands of ids in each reading: the digits are written in one piece.
        let number = (u64::from(self.epoch) << 32) | u64::from(self.sequence);
        write!(f, "{}{number:016x}", Self::PREFIX)
    }
}

/// FIX 37. The venue's id of an order. Never converted to or from [`ClOrdId`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub String);

/// FIX 17. The venue's id of one execution; fills are idempotent by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecId(pub String);

/// What a person may do. One person may hold several; one signature counts for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Wrote the plugin.
    Author,
    /// Admits plugins, changes limits and policy.
    Governance,
    /// Runs sessions.
    Operator,
    /// Approves sessions; never the operator of the same one.
    Approver,
    /// May tighten, stop and kill; signs flatten plans.
    Risk,
}

impl Role {
    /// All roles, in the order of their names in documents.
    pub const ALL: [Self; 5] =
        [Self::Author, Self::Governance, Self::Operator, Self::Approver, Self::Risk];

    /// The name in statements and policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Governance => "governance",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Risk => "risk",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A phase of the runbook; what the kernel does with an intent depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// 0: nothing runs.
    Foundation,
    /// 1: intents are judged and recorded as *would be*; no order can leave.
    Shadow,
    /// 2: orders go to a simulated or sandbox endpoint.
    Paper,
    /// 3: as 2 inside hard bounds.
    BoundedAuto,
    /// 4: connectivity only; every order is refused.
    PreLive,
    /// 5: each intent is a proposal that a person releases.
    ManualLive,
    /// 6: automatic while every gate holds.
    MonitoredAuto,
    /// 7: as 6, continuously.
    Continuous,
}

impl Phase {
    /// All phases in order; the position is the number.
    pub const ALL: [Self; 8] = [
        Self::Foundation,
        Self::Shadow,
        Self::Paper,
        Self::BoundedAuto,
        Self::PreLive,
        Self::ManualLive,
        Self::MonitoredAuto,
        Self::Continuous,
    ];

    /// The phase of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The number, 0 to 7.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Foundation => 0,
            Self::Shadow => 1,
            Self::Paper => 2,
            Self::BoundedAuto => 3,
            Self::PreLive => 4,
            Self::ManualLive => 5,
            Self::MonitoredAuto => 6,
            Self::Continuous => 7,
        }
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Foundation => "foundation",
            Self::Shadow => "shadow",
            Self::Paper => "paper",
            Self::BoundedAuto => "bounded-auto",
            Self::PreLive => "pre-live",
            Self::ManualLive => "manual-only-live",
            Self::MonitoredAuto => "monitored-auto",
            Self::Continuous => "continuous",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_anywhere() {
        for good in ["a", "ema-cross", "s1.2_3"] {
            assert!(Name::new(good).is_some(), "{good}");
        }
        for bad in ["", ".hidden", "../x", "A", "a b", "é", &"x".repeat(65)] {
            assert_eq!(Name::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_order_id_reads_back_and_foreign_ids_do_not() {
        let id = ClOrdId { epoch: 0xdead_beef, sequence: 7 };
        assert_eq!(id.to_string(), "pcdeadbeef00000007");
        assert_eq!(ClOrdId::parse(&id.to_string()), Some(id));
        for foreign in ["", "pc", "pcDEADBEEF00000007", "xxdeadbeef00000007", "pc+eadbeef00000007"]
        {
            assert_eq!(ClOrdId::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn phases_and_roles_read_back() {
        for (number, phase) in (0..).zip(Phase::ALL) {
            assert_eq!((phase.number(), Phase::from_number(number)), (number, Some(phase)));
        }
        assert_eq!(Phase::from_number(8), None);
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }
}
