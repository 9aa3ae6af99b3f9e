//! The numbers of limits as text and back: one spelling, wherever a limit stands.

use super::{LimitRow, Unit};
use crate::instrument::Instrument;
use crate::money::Money;
use crate::number::{NumberError, format_scaled, format_scaled_short, parse_scaled_wide};

impl Unit {
    /// The decimals of the unit; quantities and prices have those of their instrument.
    fn scale(self, of: Option<&Instrument>) -> u8 {
        match self {
            Self::Qty => of.map_or(0, |instrument| instrument.qty_scale),
            Self::Px => of.map_or(0, |instrument| instrument.price_scale),
            Self::QuoteMoney | Self::Money => Money::SCALE,
            Self::Count
            | Self::Milliseconds
            | Self::BasisPoints
            | Self::Percent
            | Self::Hundredths => 0,
        }
    }

    /// The number as text: money without trailing zeros, quantities and prices with all decimals
    /// of their instrument.
    #[must_use]
    pub fn text(self, number: i128, of: Option<&Instrument>) -> String {
        let scale = self.scale(of);
        match self {
            Self::QuoteMoney | Self::Money => format_scaled_short(number, scale),
            Self::Qty
            | Self::Px
            | Self::Count
            | Self::Milliseconds
            | Self::BasisPoints
            | Self::Percent
            | Self::Hundredths => format_scaled(number, scale),
        }
    }

    /// Reads decimal text exactly; below zero is [`NumberError::Malformed`].
    pub fn parse(self, text: &str, of: Option<&Instrument>) -> Result<i128, NumberError> {
        let number = parse_scaled_wide(text, self.scale(of))?;
        if number < 0 { Err(NumberError::Malformed) } else { Ok(number) }
    }
}

impl<T> LimitRow<T> {
    /// The number of this key in `table`, as text.
    #[must_use]
    pub fn text(&self, table: &T, of: Option<&Instrument>) -> String {
        self.unit.text((self.get)(table), of)
    }
}
