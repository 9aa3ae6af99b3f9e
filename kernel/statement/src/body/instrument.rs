//! Instruments inside an approval: decimal texts on paper, exact integers once they are read.

use std::collections::BTreeSet;

use portcullis_domain::policy::is_currency;
use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, NumberError, Px, Qty, Rate,
};

use super::{filled_text, parsed};
use crate::json::{Fields, JsonError, Value, object};

/// Most instruments of one session.
const INSTRUMENTS_MAX: usize = 256;

/// One instrument with the origin of its metadata, as signed.
fn to_value(instrument: &Instrument, source: &str) -> Value {
    let (price, qty) = (instrument.price_scale, instrument.qty_scale);
    object([
        ("base", instrument.base.as_str().into()),
        ("kind", instrument.kind.name().into()),
        ("lot", instrument.lot.text(qty).into()),
        ("maker_fee", instrument.maker_fee.text().into()),
        ("notional_min", instrument.notional_min.text().into()),
        ("price_scale", i64::from(price).into()),
        ("qty_min", instrument.qty_min.text(qty).into()),
        ("qty_scale", i64::from(qty).into()),
        ("quote", instrument.quote.as_str().into()),
        ("source", source.into()),
        ("symbol", instrument.symbol.as_str().into()),
        ("taker_fee", instrument.taker_fee.text().into()),
        ("tick", instrument.tick.text(price).into()),
        ("venue_symbol", instrument.venue_symbol.as_str().into()),
    ])
}

/// The list of a statement. A source that is missing is written as an empty text, which nobody
/// can approve.
pub(super) fn list_value(instruments: &[Instrument], sources: &[String]) -> Value {
    let sources = sources.iter().map(String::as_str).chain(std::iter::repeat(""));
    let pairs = instruments.iter().zip(sources);
    Value::List(pairs.map(|(item, source)| to_value(item, source)).collect())
}

/// Reads the list of an approval: instruments numbered by position, and the source of each.
pub(super) fn read_all(list: &[Value]) -> Result<(Vec<Instrument>, Vec<String>), JsonError> {
    if list.len() > INSTRUMENTS_MAX {
        return Err(JsonError::field("instruments", "are more than 256"));
    }
    let mut symbols = BTreeSet::new();
    let (mut instruments, mut sources) = (Vec::new(), Vec::new());
    for (id, value) in (0..).map(InstrumentId).zip(list) {
        let (instrument, source) = read(id, value).map_err(|error| error.within("instruments"))?;
        let ours_is_new = symbols.insert((false, instrument.symbol.clone()));
        let theirs_is_new = symbols.insert((true, instrument.venue_symbol.clone()));
        if !ours_is_new || !theirs_is_new {
            let cause = format!("hold {} twice", instrument.symbol);
            return Err(JsonError::field("instruments", cause));
        }
        instruments.push(instrument);
        sources.push(source);
    }
    Ok((instruments, sources))
}

fn read(id: InstrumentId, value: &Value) -> Result<(Instrument, String), JsonError> {
    let mut fields = Fields::new(value)?;
    let price_scale = scale(&mut fields, "price_scale")?;
    let qty_scale = scale(&mut fields, "qty_scale")?;
    let instrument = Instrument {
        id,
        symbol: parsed(&mut fields, "symbol", symbol)?,
        venue_symbol: parsed(&mut fields, "venue_symbol", symbol)?,
        base: parsed(&mut fields, "base", currency)?,
        quote: parsed(&mut fields, "quote", currency)?,
        kind: parsed(&mut fields, "kind", InstrumentKind::from_name)?,
        price_scale,
        qty_scale,
        tick: px(&mut fields, "tick", price_scale)?,
        lot: qty(&mut fields, "lot", qty_scale)?,
        qty_min: qty(&mut fields, "qty_min", qty_scale)?,
        notional_min: money(&mut fields, "notional_min")?,
        maker_fee: rate(&mut fields, "maker_fee")?,
        taker_fee: rate(&mut fields, "taker_fee")?,
    };
    let source = filled_text(&mut fields, "source")?;
    fields.finish()?;
    if !instrument.is_exact() {
        return Err(JsonError::field("price_scale", "and qty_scale are too fine to stay exact"));
    }
    if instrument.lot.is_zero() {
        return Err(JsonError::field("lot", "is zero"));
    }
    if instrument.base == instrument.quote {
        return Err(JsonError::field("quote", "is the base currency too"));
    }
    Ok((instrument, source))
}

fn scale(fields: &mut Fields<'_>, key: &str) -> Result<u8, JsonError> {
    u8::try_from(fields.uint(key)?).map_err(|_large| JsonError::field(key, "is beyond 255"))
}

/// A price at that scale; zero is none.
pub(super) fn px(fields: &mut Fields<'_>, key: &str, scale: u8) -> Result<Px, JsonError> {
    number(fields, key, |text| Px::parse(text, scale))
}

/// A quantity at that scale, zero or more.
pub(super) fn qty(fields: &mut Fields<'_>, key: &str, scale: u8) -> Result<Qty, JsonError> {
    number(fields, key, |text| Qty::parse(text, scale))
}

/// An amount of money, zero or more.
pub(super) fn money(fields: &mut Fields<'_>, key: &str) -> Result<Money, JsonError> {
    let amount = number(fields, key, Money::parse)?;
    if amount < Money::ZERO { Err(JsonError::field(key, "is negative")) } else { Ok(amount) }
}

fn rate(fields: &mut Fields<'_>, key: &str) -> Result<Rate, JsonError> {
    number(fields, key, Rate::parse)
}

/// Reads the text at `key` as a number of some kind.
pub(super) fn number<T>(
    fields: &mut Fields<'_>,
    key: &str,
    parse: impl FnOnce(&str) -> Result<T, NumberError>,
) -> Result<T, JsonError> {
    parse(fields.text(key)?).map_err(|error| JsonError::field(key, error.cause()))
}

/// A symbol such as `BTC-USDT` or `BTC/USD`.
pub(super) fn symbol(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-/._:".contains(&b);
    ((1..=32).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

/// A currency such as `USDT`.
pub(super) fn currency(text: &str) -> Option<String> {
    is_currency(text).then(|| text.to_owned())
}
