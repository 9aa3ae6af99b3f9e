//! Limits inside an approval: the values that people read are the values that the gate holds.

use std::collections::BTreeMap;

use portcullis_domain::Instrument;
use portcullis_domain::policy::{AccountLimits, InstrumentLimits, Limits};

use super::instrument::{money, qty};
use super::uint32;
use crate::json::{Fields, JsonError, Value, object};

/// The limits as signed: by symbol, in decimal text at the scale of each instrument.
pub(super) fn to_value(limits: &Limits, instruments: &[Instrument]) -> Value {
    let mut by_symbol = BTreeMap::new();
    for instrument in instruments {
        if let Some(held) = limits.instruments.get(&instrument.id) {
            by_symbol.insert(instrument.symbol.clone(), instrument_value(held, instrument));
        }
    }
    let account = object([
        ("messages_per_second_max", i64::from(limits.account.messages_per_second_max).into()),
        ("open_orders_max", i64::from(limits.account.open_orders_max).into()),
    ]);
    object([("account", account), ("instruments", Value::Object(by_symbol))])
}

fn instrument_value(limits: &InstrumentLimits, instrument: &Instrument) -> Value {
    object([
        ("market_data_age_ms_max", i64::from(limits.market_data_age_ms_max).into()),
        ("order_notional_max", limits.order_notional_max.text().into()),
        ("order_qty_max", limits.order_qty_max.text(instrument.qty_scale).into()),
        ("position_qty_max", limits.position_qty_max.text(instrument.qty_scale).into()),
        ("price_collar_bps", i64::from(limits.price_collar_bps).into()),
    ])
}

/// Reads the limits; a symbol that is not in the approval is refused.
pub(super) fn read(
    mut fields: Fields<'_>,
    instruments: &[Instrument],
) -> Result<Limits, JsonError> {
    let mut account = fields.fields("account")?;
    let account_limits = AccountLimits {
        open_orders_max: uint32(&mut account, "open_orders_max")?,
        messages_per_second_max: uint32(&mut account, "messages_per_second_max")?,
    };
    account.finish()?;
    let mut by_id = BTreeMap::new();
    for (symbol, value) in fields.object("instruments")? {
        let instrument = instruments.iter().find(|instrument| instrument.symbol == *symbol);
        let instrument =
            instrument.ok_or_else(|| JsonError::field(symbol, "is not an approved instrument"))?;
        let held = read_instrument(value, instrument).map_err(|error| error.within(symbol))?;
        by_id.insert(instrument.id, held);
    }
    fields.finish()?;
    Ok(Limits { account: account_limits, instruments: by_id })
}

fn read_instrument(value: &Value, instrument: &Instrument) -> Result<InstrumentLimits, JsonError> {
    let mut fields = Fields::new(value)?;
    let limits = InstrumentLimits {
        order_qty_max: qty(&mut fields, "order_qty_max", instrument.qty_scale)?,
        order_notional_max: money(&mut fields, "order_notional_max")?,
        position_qty_max: qty(&mut fields, "position_qty_max", instrument.qty_scale)?,
        price_collar_bps: uint32(&mut fields, "price_collar_bps")?,
        market_data_age_ms_max: uint32(&mut fields, "market_data_age_ms_max")?,
    };
    fields.finish()?;
    Ok(limits)
}
