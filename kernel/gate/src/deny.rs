//! Denials: the gate's normal "no", with a stable code, the numbers behind it and their scope.

use std::num::NonZeroU8;

use portcullis_domain::number::format_scaled_short;
use portcullis_domain::{BootNs, Instrument, Money, Px, Qty};

use crate::code::DenyCode;

/// A number with its scale, for the record. Text is made at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    units: i128,
    /// The scale and one more. A byte that is never zero has room for "no figure" in itself; beside
    /// a plain one the compiler puts 16 bytes to tell that, and reading these after every check
    /// was a third of what the gate cost.
    scale_plus_one: NonZeroU8,
}

impl Figure {
    /// A count or a duration.
    #[must_use]
    pub fn count(value: i64) -> Self {
        Self::scaled(i128::from(value), 0)
    }

    /// A quantity of `instrument`.
    #[must_use]
    pub fn qty(value: Qty, instrument: &Instrument) -> Self {
        Self::scaled(i128::from(value.units()), instrument.qty_scale)
    }

    /// A price of `instrument`.
    #[must_use]
    pub fn px(value: Px, instrument: &Instrument) -> Self {
        Self::scaled(i128::from(value.units()), instrument.price_scale)
    }

    /// An amount of money.
    #[must_use]
    pub fn money(value: Money) -> Self {
        Self::scaled(value.0, Money::SCALE)
    }

    /// The number of units of its scale.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// Units of 10^-`scale`. No number of ours has more than 38 decimals.
    #[must_use]
    pub const fn scaled(units: i128, scale: u8) -> Self {
        Self { units, scale_plus_one: NonZeroU8::MIN.saturating_add(scale) }
    }

    /// Decimal text.
    #[must_use]
    pub fn text(self) -> String {
        format_scaled_short(self.units, self.scale_plus_one.get().saturating_sub(1))
    }
}

/// Whose limit or state it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The order itself.
    Order,
    /// The strategy that asked.
    Strategy,
    /// The instrument.
    Instrument,
    /// The session.
    Session,
    /// The account.
    Account,
    /// The venue.
    Venue,
    /// The host.
    Host,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Order,
        Self::Strategy,
        Self::Instrument,
        Self::Session,
        Self::Account,
        Self::Venue,
        Self::Host,
    ];

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Strategy => "strategy",
            Self::Instrument => "instrument",
            Self::Session => "session",
            Self::Account => "account",
            Self::Venue => "venue",
            Self::Host => "host",
        }
    }
}

/// A denial is a normal answer, not an error: the order never existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub code: DenyCode,
    /// Whose limit or state it was.
    pub scope: Scope,
    /// What was seen, where a number was judged.
    pub observed: Option<Figure>,
    /// What is allowed.
    pub limit: Option<Figure>,
}

impl Denial {
    /// A denial in which no number was judged.
    #[must_use]
    pub const fn plain(code: DenyCode, scope: Scope) -> Self {
        Self { code, scope, observed: None, limit: None }
    }

    /// A denial of `observed` against `limit`.
    #[must_use]
    pub const fn over(code: DenyCode, scope: Scope, observed: Figure, limit: Figure) -> Self {
        Self { code, scope, observed: Some(observed), limit: Some(limit) }
    }

    /// What would make the order pass, with the limit where there is one.
    #[must_use]
    pub fn cure(&self) -> String {
        match self.limit {
            Some(limit) => format!("{} (the limit is {})", self.code.cure(), limit.text()),
            None => self.code.cure().to_owned(),
        }
    }
}

/// Until when a pause lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It ends by itself.
    Boot(BootNs),
    /// A person has to end it.
    Person,
}

/// A denial after which a whole scope rests: asking again before `until` is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why, and which scope.
    pub denial: Denial,
    /// Until when.
    pub until: Until,
}
