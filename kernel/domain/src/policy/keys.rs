//! What one limit is: a named number with a unit, a direction and a code.

use crate::money::{Money, Px, Qty};

/// Which way a key is stricter, so that "tighter" can be decided key by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A smaller number admits less.
    SmallerIsStricter,
    /// A larger number admits less.
    LargerIsStricter,
}

impl Direction {
    /// Whether `new` admits nothing that `old` does not.
    #[must_use]
    pub const fn is_at_least_as_strict(self, new: i128, old: i128) -> bool {
        match self {
            Self::SmallerIsStricter => new <= old,
            Self::LargerIsStricter => new >= old,
        }
    }

    /// `smaller` or `larger`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallerIsStricter => "smaller",
            Self::LargerIsStricter => "larger",
        }
    }
}

/// What a number counts. Quantities and prices are in the units of their instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Hundredths of a percent.
    BasisPoints,
    /// Percent.
    Percent,
    /// Hundredths of one.
    Hundredths,
    /// Base quantity, written as decimal text.
    Qty,
    /// Price, written as decimal text.
    Px,
    /// Quote currency of the instrument, written as decimal text.
    QuoteMoney,
    /// Currency of the account, written as decimal text.
    Money,
}

impl Unit {
    /// Whether policy files write it as decimal text; the others are whole numbers.
    #[must_use]
    pub const fn is_decimal(self) -> bool {
        match self {
            Self::Qty | Self::Px | Self::QuoteMoney | Self::Money => true,
            Self::Count
            | Self::Milliseconds
            | Self::BasisPoints
            | Self::Percent
            | Self::Hundredths => false,
        }
    }

    /// In words, for documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Milliseconds => "milliseconds",
            Self::BasisPoints => "basis points",
            Self::Percent => "percent",
            Self::Hundredths => "hundredths",
            Self::Qty => "base currency",
            Self::Px => "price",
            Self::QuoteMoney => "quote currency",
            Self::Money => "account currency",
        }
    }
}

/// A type that a limit can have.
pub trait LimitNumber: Copy {
    /// The number of units.
    fn number(self) -> i128;
    /// `None` if the number is out of the type's range.
    fn from_number(number: i128) -> Option<Self>;
}

impl LimitNumber for u32 {
    fn number(self) -> i128 {
        i128::from(self)
    }
    fn from_number(number: i128) -> Option<Self> {
        Self::try_from(number).ok()
    }
}

impl LimitNumber for Qty {
    fn number(self) -> i128 {
        i128::from(self.units())
    }
    fn from_number(number: i128) -> Option<Self> {
        Self::new(i64::try_from(number).ok()?)
    }
}

impl LimitNumber for Px {
    fn number(self) -> i128 {
        i128::from(self.units())
    }
    fn from_number(number: i128) -> Option<Self> {
        Self::new(i64::try_from(number).ok()?)
    }
}

impl LimitNumber for Money {
    fn number(self) -> i128 {
        self.0
    }
    fn from_number(number: i128) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }
}

/// One key of a table of limits.
#[derive(Debug)]
pub struct LimitRow<T> {
    /// The key in files and statements.
    pub name: &'static str,
    /// What its number counts.
    pub unit: Unit,
    /// Which way it is stricter.
    pub stricter: Direction,
    /// Whether zero has a meaning; of most limits it would only be a slip of the pen.
    pub zero: bool,
    /// The code of the denial.
    pub denies: &'static str,
    /// Its first documented line.
    pub meaning: &'static str,
    /// Reads it.
    pub get: fn(&T) -> i128,
    /// Writes it; `None` if the number does not fit.
    pub put: fn(&mut T, i128) -> Option<()>,
}

/// A struct of limits that knows its own rows.
pub trait LimitTable: Sized + 'static {
    /// Every key, in the order of the struct.
    const ROWS: &'static [LimitRow<Self>];

    /// Builds the struct from one number a key. There is no default: every key is asked for.
    /// `Err` comes from `number`, or from `unfit` for a number that is out of range.
    fn read<E>(
        number: impl FnMut(&'static LimitRow<Self>) -> Result<i128, E>,
        unfit: impl FnMut(&'static LimitRow<Self>) -> E,
    ) -> Result<Self, E>;
}

/// Declares a struct of limits together with its rows.
macro_rules! limit_table {
    (
        $(#[$meta:meta])*
        pub struct $table:ident {
            $(
                #[doc = $meaning:literal]
                $field:ident: $ty:ty, $unit:ident, $stricter:ident, $denies:literal $(, $zero:ident)?;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $table {
            $( #[doc = $meaning] pub $field: $ty, )*
        }

        impl $crate::policy::LimitTable for $table {
            const ROWS: &'static [$crate::policy::LimitRow<Self>] = &[
                $( limit_table!(@row $meaning, $field, $unit, $stricter, $denies, $($zero)?), )*
            ];

            fn read<E>(
                mut number: impl FnMut(&'static $crate::policy::LimitRow<Self>) -> Result<i128, E>,
                mut unfit: impl FnMut(&'static $crate::policy::LimitRow<Self>) -> E,
            ) -> Result<Self, E> {
                $(
                    let $field = {
                        static ROW: $crate::policy::LimitRow<$table> =
                            limit_table!(@row $meaning, $field, $unit, $stricter, $denies, $($zero)?);
                        $crate::policy::LimitNumber::from_number(number(&ROW)?)
                            .ok_or_else(|| unfit(&ROW))?
                    };
                )*
                Ok(Self { $( $field, )* })
            }
        }
    };
    (@row $meaning:literal, $field:ident, $unit:ident, $stricter:ident, $denies:literal,
     $($zero:ident)?) => {
        $crate::policy::LimitRow {
            name: stringify!($field),
            unit: $crate::policy::Unit::$unit,
            stricter: $crate::policy::Direction::$stricter,
            zero: limit_table!(@zero $($zero)?),
            denies: $denies,
            meaning: $meaning,
            get: |table| $crate::policy::LimitNumber::number(table.$field),
            put: |table, number| {
                table.$field = $crate::policy::LimitNumber::from_number(number)?;
                Some(())
            },
        }
    };
    (@zero) => { false };
    (@zero zero) => { true };
}
pub(super) use limit_table;
