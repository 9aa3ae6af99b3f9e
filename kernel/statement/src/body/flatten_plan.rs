//! The way out of a position after everything was taken back: in slices, at bounded prices.

use std::collections::BTreeMap;

use portcullis_domain::Name;
use portcullis_domain::number::parse_scaled_wide;

use super::filled_text;
use super::target::Target;
use crate::json::{Fields, JsonError, Value, object};

/// Most instruments of one plan.
const INSTRUMENTS_MAX: usize = 256;
/// A slice may not be further from the touch than this: beyond, it is no exit but a gift.
const SLIPPAGE_BPS_MAX: u32 = 1_000;
/// Shortest pause between two slices, so that the market and its reports can follow.
const SLICE_PAUSE_MS_MIN: u32 = 100;
/// Decimals with which a quantity may be written. The instrument's own scale is checked later.
const QTY_SCALE: u8 = 18;

/// How one instrument is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slices {
    /// Most base quantity of one slice, as decimal text above zero.
    pub slice_qty_max: String,
    /// How much worse than the touch a slice may be, in basis points.
    pub slippage_bps_max: u32,
    /// Between the end of one slice and the next, in milliseconds.
    pub slice_pause_ms: u32,
}

/// One plan. It runs until it is flat, until the statement expires, or until it is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlattenPlan {
    /// The account whose positions are left.
    pub account: Name,
    /// The kill or stop after which this is done.
    pub target: Target,
    /// The instruments, by our symbol.
    pub instruments: BTreeMap<String, Slices>,
    /// Why, in the words of those who sign.
    pub reason: String,
}

impl FlattenPlan {
    /// As the body of a statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let slices = |(symbol, slices): (&String, &Slices)| {
            let value = object([
                ("slice_pause_ms", i64::from(slices.slice_pause_ms).into()),
                ("slice_qty_max", slices.slice_qty_max.as_str().into()),
                ("slippage_bps_max", i64::from(slices.slippage_bps_max).into()),
            ]);
            (symbol.clone(), value)
        };
        let instruments = self.instruments.iter().map(slices).collect();
        let mut value = object([
            ("account", self.account.as_str().into()),
            ("instruments", Value::Object(instruments)),
            ("reason", self.reason.as_str().into()),
        ]);
        self.target.write(&mut value);
        value
    }

    /// Reads the body of a statement.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let plan = Self {
            account: fields.name("account")?,
            target: Target::read(&mut fields)?,
            instruments: instruments(fields.object("instruments")?)?,
            reason: filled_text(&mut fields, "reason")?,
        };
        fields.finish()?;
        Ok(plan)
    }
}

fn instruments(pairs: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Slices>, JsonError> {
    if pairs.is_empty() || pairs.len() > INSTRUMENTS_MAX {
        return Err(JsonError::field("instruments", "are not 1 to 256"));
    }
    let read = |(symbol, value): (&String, &Value)| {
        let slices = slices(value).map_err(|error| error.within(symbol))?;
        Ok((symbol.clone(), slices))
    };
    let read: Result<_, JsonError> = pairs.iter().map(read).collect();
    read.map_err(|error| error.within("instruments"))
}

fn slices(value: &Value) -> Result<Slices, JsonError> {
    let mut fields = Fields::new(value)?;
    let slices = Slices {
        slice_qty_max: fields.text("slice_qty_max")?.to_owned(),
        slippage_bps_max: uint32(&mut fields, "slippage_bps_max")?,
        slice_pause_ms: uint32(&mut fields, "slice_pause_ms")?,
    };
    fields.finish()?;
    if !parse_scaled_wide(&slices.slice_qty_max, QTY_SCALE).is_ok_and(|units| units > 0) {
        return Err(JsonError::field("slice_qty_max", "is not a plain decimal above zero"));
    }
    if slices.slippage_bps_max > SLIPPAGE_BPS_MAX {
        return Err(JsonError::field("slippage_bps_max", "is above 1000"));
    }
    if slices.slice_pause_ms < SLICE_PAUSE_MS_MIN {
        return Err(JsonError::field("slice_pause_ms", "is below 100"));
    }
    Ok(slices)
}

/// A whole number of 32 bits.
fn uint32(fields: &mut Fields<'_>, key: &str) -> Result<u32, JsonError> {
    let number = fields.uint(key)?;
    u32::try_from(number).map_err(|_too_large| JsonError::field(key, "is beyond 32 bits"))
}
