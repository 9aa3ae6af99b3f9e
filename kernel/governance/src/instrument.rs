//! `policies/instruments/*.toml`.

use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, NumberError, Px, Qty, Rate,
};
use serde::Deserialize;

use crate::{Hashed, PolicyError, read};

/// One instrument of one venue, and where its numbers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentFile {
    /// The instrument; its number is given by its place in the session.
    pub instrument: Instrument,
    /// The venue's name.
    pub venue: String,
    /// SHA-256 of the file, and where its numbers come from in its own words. Approvals carry it.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    symbol: String,
    venue: String,
    venue_symbol: String,
    base: String,
    quote: String,
    kind: String,
    price_scale: u8,
    qty_scale: u8,
    tick: String,
    lot: String,
    qty_min: String,
    notional_min: String,
    maker_fee: String,
    taker_fee: String,
    source: String,
}

/// Reads one instrument. `id` is its place in the session.
pub fn parse_instrument(
    bytes: &[u8],
    id: InstrumentId,
) -> Result<Hashed<InstrumentFile>, PolicyError> {
    let Hashed { value: raw, digest } = read::<Raw>(bytes)?;
    let number = |key: &str, text: &str, cause| {
        let (key, text) = (key.to_owned(), text.to_owned());
        PolicyError::Number { key, text, cause }
    };
    let qty = |key: &str, text: &str| {
        let qty = Qty::parse(text, raw.qty_scale).map_err(|cause| number(key, text, cause))?;
        if qty.is_zero() { Err(PolicyError::NotPositive { key: key.to_owned() }) } else { Ok(qty) }
    };
    let rate = |key: &str, text: &str| Rate::parse(text).map_err(|cause| number(key, text, cause));
    let tick = Px::parse(&raw.tick, raw.price_scale);
    let notional_min = money("notional_min", &raw.notional_min)?;
    let instrument = Instrument {
        id,
        tick: tick.map_err(|cause| number("tick", &raw.tick, cause))?,
        lot: qty("lot", &raw.lot)?,
        qty_min: qty("qty_min", &raw.qty_min)?,
        notional_min,
        maker_fee: rate("maker_fee", &raw.maker_fee)?,
        taker_fee: rate("taker_fee", &raw.taker_fee)?,
        kind: InstrumentKind::from_name(&raw.kind)
            .ok_or_else(|| PolicyError::UnknownName(raw.kind.clone()))?,
        price_scale: raw.price_scale,
        qty_scale: raw.qty_scale,
        symbol: raw.symbol,
        venue_symbol: raw.venue_symbol,
        base: raw.base,
        quote: raw.quote,
    };
    if !instrument.is_exact() {
        return Err(PolicyError::NotExact(instrument.symbol));
    }
    let source = format!("sha256:{} {}", digest.hex(), raw.source);
    let value = InstrumentFile { instrument, venue: raw.venue, source };
    Ok(Hashed { value, digest })
}

/// An amount of money that is not negative.
pub(crate) fn money(key: &str, text: &str) -> Result<Money, PolicyError> {
    let error = |cause| PolicyError::Number { key: key.to_owned(), text: text.to_owned(), cause };
    match Money::parse(text) {
        Ok(amount) if amount >= Money::ZERO => Ok(amount),
        Ok(_) => Err(error(NumberError::Malformed)),
        Err(cause) => Err(error(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
symbol = "BTC-USD"
venue = "kraken"
venue_symbol = "BTC/USD"
base = "BTC"
quote = "USD"
kind = "spot"
price_scale = 1
qty_scale = 8
tick = "0.1"
lot = "0.00000001"
qty_min = "0.0001"
notional_min = "0.5"
maker_fee = "0.0025"
taker_fee = "0.004"
source = "test"
"#;

    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let code = parse_instrument(text.as_bytes(), InstrumentId(0)).map_err(|error| error.code());
        assert_eq!(code.err(), Some(expect), "{to}");
    }

    #[test]
    fn an_instrument_is_read_exactly_or_refused() {
        let read = parse_instrument(GOOD.as_bytes(), InstrumentId(3)).unwrap();
        assert_eq!(read.value.instrument.tick.units(), 1);
        assert_eq!(read.value.instrument.id, InstrumentId(3));
        assert_eq!(read.value.source, format!("sha256:{} test", read.digest.hex()));
        check("tick = \"0.1\"", "tick = \"0.15\"", "POLICY_NUMBER");
        check("tick = \"0.1\"", "tick = \"-0.1\"", "POLICY_NUMBER");
        check("tick = \"0.1\"", "tick = 0.1", "POLICY_SYNTAX");
        check("lot = \"0.00000001\"", "lot = \"0\"", "POLICY_NOT_POSITIVE");
        check("notional_min = \"0.5\"", "notional_min = \"-1\"", "POLICY_NUMBER");
        check("source = \"test\"", "", "POLICY_SYNTAX");
        check("kind = \"spot\"", "kind = \"inverse\"", "POLICY_UNKNOWN_NAME");
        check("kind = \"spot\"", "", "POLICY_SYNTAX");
        check("source = \"test\"", "source = \"test\"\nextra = 1", "POLICY_SYNTAX");
        check("base = \"BTC\"", "base = \"BTC\"\nbase = \"ETH\"", "POLICY_SYNTAX");
        check("price_scale = 1", "price_scale = 12", "POLICY_NOT_EXACT");
        check("\nsymbol", "\r\nsymbol", "POLICY_NOT_TEXT");
    }
}
