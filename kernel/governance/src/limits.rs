//! `policies/limits.toml`.

use std::collections::BTreeMap;

use portcullis_domain::policy::{AccountLimits, InstrumentLimits, Limits};
use portcullis_domain::{Instrument, NumberError, Qty};
use serde::Deserialize;

use crate::instrument::money;
use crate::{Hashed, PolicyError, read};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    account: RawAccount,
    instruments: BTreeMap<String, RawInstrument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    open_orders_max: u32,
    messages_per_second_max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInstrument {
    order_qty_max: String,
    order_notional_max: String,
    position_qty_max: String,
    price_collar_bps: u32,
    market_data_age_ms_max: u32,
}

/// Reads the limits of the given instruments. Each must have its own; others in the file are
/// checked for form and left aside, so that one file serves several sessions.
pub fn parse_limits(
    bytes: &[u8],
    instruments: &[Instrument],
) -> Result<Hashed<Limits>, PolicyError> {
    let Hashed { value: raw, digest } = read::<Raw>(bytes)?;
    let mut limits = BTreeMap::new();
    for instrument in instruments {
        let symbol = &instrument.symbol;
        let raw = raw.instruments.get(symbol);
        let raw = raw.ok_or_else(|| PolicyError::MissingLimits(symbol.clone()))?;
        limits.insert(instrument.id, instrument_limits(instrument, raw)?);
    }
    positive("account.open_orders_max", raw.account.open_orders_max)?;
    positive("account.messages_per_second_max", raw.account.messages_per_second_max)?;
    let account = AccountLimits {
        open_orders_max: raw.account.open_orders_max,
        messages_per_second_max: raw.account.messages_per_second_max,
    };
    Ok(Hashed { value: Limits { account, instruments: limits }, digest })
}

fn instrument_limits(
    instrument: &Instrument,
    raw: &RawInstrument,
) -> Result<InstrumentLimits, PolicyError> {
    let key = |key: &str| format!("instruments.{}.{key}", instrument.symbol);
    let qty = |name: &str, text: &str| {
        let error = |cause: NumberError| {
            let (key, text) = (key(name), text.to_owned());
            PolicyError::Number { key, text, cause }
        };
        let qty = Qty::parse(text, instrument.qty_scale).map_err(error)?;
        if qty.is_zero() { Err(PolicyError::NotPositive { key: key(name) }) } else { Ok(qty) }
    };
    positive(&key("price_collar_bps"), raw.price_collar_bps)?;
    positive(&key("market_data_age_ms_max"), raw.market_data_age_ms_max)?;
    Ok(InstrumentLimits {
        order_qty_max: qty("order_qty_max", &raw.order_qty_max)?,
        order_notional_max: money(&key("order_notional_max"), &raw.order_notional_max)?,
        position_qty_max: qty("position_qty_max", &raw.position_qty_max)?,
        price_collar_bps: raw.price_collar_bps,
        market_data_age_ms_max: raw.market_data_age_ms_max,
    })
}

pub(crate) fn positive(key: &str, value: u32) -> Result<(), PolicyError> {
    if value == 0 { Err(PolicyError::NotPositive { key: key.to_owned() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{InstrumentId, InstrumentKind, Money, Px, Rate};

    const GOOD: &str = r#"
[account]
open_orders_max = 4
messages_per_second_max = 10
[instruments.X-USD]
order_qty_max = "0.5"
order_notional_max = "1000"
position_qty_max = "1"
price_collar_bps = 100
market_data_age_ms_max = 2000
"#;

    fn instrument(symbol: &str) -> Instrument {
        Instrument {
            id: InstrumentId(0),
            symbol: symbol.into(),
            venue_symbol: "XUSD".into(),
            base: "X".into(),
            quote: "USD".into(),
            kind: InstrumentKind::Spot,
            price_scale: 2,
            qty_scale: 2,
            tick: Px::new(1).unwrap(),
            lot: Qty::new(1).unwrap(),
            qty_min: Qty::new(1).unwrap(),
            notional_min: Money::ZERO,
            maker_fee: Rate(0),
            taker_fee: Rate(0),
        }
    }

    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let code = parse_limits(text.as_bytes(), &[instrument("X-USD")]).map_err(|e| e.code());
        assert_eq!(code.err(), Some(expect), "{to}");
    }

    #[test]
    fn a_limit_that_nobody_wrote_down_is_a_limit_that_nobody_chose() {
        let limits = parse_limits(GOOD.as_bytes(), &[instrument("X-USD")]).unwrap();
        let of = limits.value.instruments.get(&InstrumentId(0)).unwrap();
        assert_eq!(of.order_qty_max.units(), 50);
        check("open_orders_max = 4\n", "", "POLICY_SYNTAX");
        check("open_orders_max = 4", "open_orders_max = 0", "POLICY_NOT_POSITIVE");
        check("open_orders_max = 4", "open_orders_max = -4", "POLICY_SYNTAX");
        check("open_orders_max = 4", "open_orders_max = 4\nfoo = 1", "POLICY_SYNTAX");
        check("\"0.5\"", "\"0.555\"", "POLICY_NUMBER");
        check("\"0.5\"", "\"-0.5\"", "POLICY_NUMBER");
        check("\"0.5\"", "\"5e-1\"", "POLICY_NUMBER");
        check("\"0.5\"", "0.5", "POLICY_SYNTAX");
        check("\"1000\"", "\"-1\"", "POLICY_NUMBER");
        check("price_collar_bps = 100", "price_collar_bps = 0", "POLICY_NOT_POSITIVE");
        let other = parse_limits(GOOD.as_bytes(), &[instrument("Y-USD")]);
        assert_eq!(other.map_err(|e| e.code()).err(), Some("POLICY_MISSING_LIMITS"));
    }
}
