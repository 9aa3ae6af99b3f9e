//! Limits inside statements: the values that people read are the values that the gate holds.
//!
//! One function writes every table and one reads it, row by row: no key can be forgotten in one
//! of them. Decimals are text at the scale of their instrument, everything else whole numbers.

use std::collections::BTreeMap;

use portcullis_domain::policy::{Conversion, LimitTable, Limits, Rules, ScopeLimits, Unfit};
use portcullis_domain::{Instrument, Name, Rate};

use super::instrument::number;
use super::literal;
use crate::header::wall_ns;
use crate::json::{Fields, JsonError, Value, object};

/// When a day of limits begins. This build knows one.
const TRADING_DAY: &str = "UTC";

/// The limits as signed, instruments by symbol and strategies by name.
#[must_use]
pub fn limits_value(limits: &Limits, instruments: &[Instrument]) -> Value {
    let mut by_symbol = BTreeMap::new();
    for instrument in instruments {
        if let Some(held) = limits.instruments.get(&instrument.id) {
            let table = table_value(held, Some(instrument));
            by_symbol.insert(instrument.symbol.clone(), Value::Object(table));
        }
    }
    let strategies = limits.strategies.iter();
    let strategies = strategies
        .map(|(name, held)| (name.to_string(), Value::Object(table_value(held, None))))
        .collect();
    object([
        ("account", scope_value(&limits.account)),
        ("conversions", conversions_value(&limits.conversions)),
        ("host", scope_value(&limits.host)),
        ("instruments", Value::Object(by_symbol)),
        ("rules", rules_value(limits)),
        ("strategies", Value::Object(strategies)),
        ("venue", scope_value(&limits.venue)),
    ])
}

fn table_value<T: LimitTable>(table: &T, of: Option<&Instrument>) -> BTreeMap<String, Value> {
    let value = |row: &portcullis_domain::policy::LimitRow<T>| {
        let number = (row.get)(table);
        if row.unit.is_decimal() {
            row.unit.text(number, of).into()
        } else {
            // Whole numbers are of 32 bits, so this always fits; what did not could not be read.
            i64::try_from(number).map_or(Value::Null, Value::Int)
        }
    };
    T::ROWS.iter().map(|row| (row.name.to_owned(), value(row))).collect()
}

fn scope_value(scope: &ScopeLimits) -> Value {
    let mut entries = table_value(&scope.activity, None);
    entries.append(&mut table_value(&scope.standing, None));
    Value::Object(entries)
}

fn rules_value(limits: &Limits) -> Value {
    let mut entries = table_value(&limits.rules, None);
    entries.insert("currency".to_owned(), limits.currency.as_str().into());
    entries.insert("trading_day".to_owned(), TRADING_DAY.into());
    Value::Object(entries)
}

fn conversions_value(conversions: &BTreeMap<String, Conversion>) -> Value {
    let value = |(currency, held): (&String, &Conversion)| {
        let as_of = held.as_of.0.to_string().into();
        (currency.clone(), object([("as_of", as_of), ("rate", held.rate.text().into())]))
    };
    Value::Object(conversions.iter().map(value).collect())
}

/// Reads limits of these instruments, and refuses what has no meaning or contradicts itself.
pub fn read_limits(value: &Value, instruments: &[Instrument]) -> Result<Limits, JsonError> {
    let mut fields = Fields::new(value)?;
    let (currency, rules) =
        read_rules(fields.fields("rules")?).map_err(|error| error.within("rules"))?;
    let limits = Limits {
        currency,
        conversions: entries(&mut fields, "conversions", |currency, value| {
            Ok((currency.to_owned(), read_conversion(value)?))
        })?,
        rules,
        account: read_scope(&mut fields, "account")?,
        venue: read_scope(&mut fields, "venue")?,
        host: read_scope(&mut fields, "host")?,
        strategies: entries(&mut fields, "strategies", |name, value| {
            let bad = || JsonError::field("", "is not the name of a strategy");
            Ok((Name::new(name).ok_or_else(bad)?, read_alone(value, None)?))
        })?,
        instruments: entries(&mut fields, "instruments", |symbol, value| {
            let instrument = instruments.iter().find(|instrument| instrument.symbol == symbol);
            let unknown = || JsonError::field("", "is not an approved instrument");
            let instrument = instrument.ok_or_else(unknown)?;
            Ok((instrument.id, read_alone(value, Some(instrument))?))
        })?,
    };
    fields.finish()?;
    limits.check_form(instruments).map_err(|unfit| unfit_field(&unfit))?;
    Ok(limits)
}

/// The same refusal in the words of whoever reads JSON.
pub(super) fn unfit_field(unfit: &Unfit) -> JsonError {
    JsonError::field(&unfit.path(), unfit.cause.as_str())
}

/// Reads an object whose keys are data, each error named from it.
fn entries<K: Ord, V>(
    fields: &mut Fields<'_>,
    key: &str,
    read: impl Fn(&str, &Value) -> Result<(K, V), JsonError>,
) -> Result<BTreeMap<K, V>, JsonError> {
    let entry = |(name, value): (&String, &Value)| {
        read(name, value).map_err(|error| error.within(name).within(key))
    };
    fields.object(key)?.iter().map(entry).collect()
}

fn read_table<T: LimitTable>(
    fields: &mut Fields<'_>,
    of: Option<&Instrument>,
) -> Result<T, JsonError> {
    T::read(
        |row| {
            if row.unit.is_decimal() {
                number(fields, row.name, |text| row.unit.parse(text, of))
            } else {
                fields.uint(row.name).map(i128::from)
            }
        },
        |row| JsonError::field(row.name, "is out of its range"),
    )
}

fn read_alone<T: LimitTable>(value: &Value, of: Option<&Instrument>) -> Result<T, JsonError> {
    let mut fields = Fields::new(value)?;
    let table = read_table(&mut fields, of)?;
    fields.finish()?;
    Ok(table)
}

fn read_scope(fields: &mut Fields<'_>, key: &str) -> Result<ScopeLimits, JsonError> {
    let mut scope = fields.fields(key)?;
    let mut read = || {
        let activity = read_table(&mut scope, None)?;
        Ok(ScopeLimits { activity, standing: read_table(&mut scope, None)? })
    };
    let limits = read().map_err(|error: JsonError| error.within(key))?;
    scope.finish().map_err(|error| error.within(key))?;
    Ok(limits)
}

fn read_rules(mut fields: Fields<'_>) -> Result<(String, Rules), JsonError> {
    literal(&mut fields, "trading_day", TRADING_DAY)?;
    let currency = fields.text("currency")?.to_owned();
    let rules = read_table(&mut fields, None)?;
    fields.finish()?;
    Ok((currency, rules))
}

fn read_conversion(value: &Value) -> Result<Conversion, JsonError> {
    let mut fields = Fields::new(value)?;
    let conversion = Conversion {
        rate: number(&mut fields, "rate", Rate::parse)?,
        as_of: wall_ns("as_of", fields.text("as_of")?)?,
    };
    fields.finish()?;
    Ok(conversion)
}
