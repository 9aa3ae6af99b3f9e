//! `policies/limits.toml`, read row by row of the limits' own tables.

use std::collections::BTreeMap;

use portcullis_domain::number::parse_scaled_wide;
use portcullis_domain::policy::{
    Conversion, InstrumentLimits, LimitRow, LimitTable, Limits, Rules, ScopeLimits, Unfit,
};
use portcullis_domain::{Instrument, Money, Name, NumberError, Rate, WallNs};
use toml::Table;

use crate::keys::{Keys, wrong};
use crate::{Hashed, PolicyError, read};

/// When a day of limits begins. This build knows one.
const TRADING_DAY: &str = "UTC";

/// Reads the limits of a session: of exactly these instruments and strategies. Each must have its
/// own; others in the file are checked for form and left aside, so that one file serves several
/// sessions.
pub fn parse_limits(
    bytes: &[u8],
    instruments: &[Instrument],
    strategies: &[Name],
) -> Result<Hashed<Limits>, PolicyError> {
    let mut read = parse_limits_file(bytes, instruments)?;
    read.value.strategies.retain(|name, _| strategies.contains(name));
    let covers = read.value.check_covers(instruments, strategies);
    covers.map_err(|unfit| PolicyError::MissingLimits(unfit.path()))?;
    Ok(read)
}

/// Reads everything that a file says about any strategy and about those of the instruments that
/// stand in it.
pub fn parse_limits_file(
    bytes: &[u8],
    instruments: &[Instrument],
) -> Result<Hashed<Limits>, PolicyError> {
    let Hashed { value, digest } = read::<Table>(bytes)?;
    let mut keys = Keys::file(value);
    let (currency, rules) = rules(keys.table("rules")?)?;
    let limits = Limits {
        currency,
        rules,
        conversions: conversions(&mut keys)?,
        account: scope(keys.table("account")?)?,
        venue: scope(keys.table("venue")?)?,
        host: scope(keys.table("host")?)?,
        strategies: strategies(&mut keys)?,
        instruments: BTreeMap::new(),
    };
    let limits = with_instruments(limits, &mut keys, instruments)?;
    keys.finish()?;
    limits.check_form(instruments).map_err(unfit)?;
    Ok(Hashed { value: limits, digest })
}

fn unfit(unfit: Unfit) -> PolicyError {
    PolicyError::Unfit { key: unfit.path(), cause: unfit.cause }
}

fn strategies<T: LimitTable>(keys: &mut Keys) -> Result<BTreeMap<Name, T>, PolicyError> {
    let named = |(name, table): (String, Keys)| {
        let known = Name::new(&name).ok_or(PolicyError::UnknownName(name))?;
        Ok((known, alone(table, None)?))
    };
    keys.tables("strategies")?.into_iter().map(named).collect()
}

fn with_instruments(
    mut limits: Limits,
    keys: &mut Keys,
    instruments: &[Instrument],
) -> Result<Limits, PolicyError> {
    for (symbol, mut table) in keys.tables("instruments")? {
        let known = instruments.iter().find(|instrument| instrument.symbol == symbol);
        if let Some(instrument) = known {
            limits.instruments.insert(instrument.id, alone(table, Some(instrument))?);
        } else {
            check_form_only::<InstrumentLimits>(&mut table)?;
            table.finish()?;
        }
    }
    Ok(limits)
}

/// One number of a table, as many units as its text says.
fn row<T>(
    keys: &mut Keys,
    row: &LimitRow<T>,
    parse: impl FnOnce(&str) -> Result<i128, NumberError>,
) -> Result<i128, PolicyError> {
    if !row.unit.is_decimal() {
        return keys.whole(row.name).map(i128::from);
    }
    let text = keys.text(row.name)?;
    parse(&text).map_err(|cause| PolicyError::Number { key: keys.path(row.name), text, cause })
}

fn table<T: LimitTable>(keys: &mut Keys, of: Option<&Instrument>) -> Result<T, PolicyError> {
    let path = keys.path("");
    T::read(
        |held| row(keys, held, |text| held.unit.parse(text, of)),
        |held| wrong(&format!("{path}{}", held.name), "is out of its range"),
    )
}

fn alone<T: LimitTable>(mut keys: Keys, of: Option<&Instrument>) -> Result<T, PolicyError> {
    let limits = table(&mut keys, of)?;
    keys.finish()?;
    Ok(limits)
}

/// The keys of an instrument whose decimals are not known here.
fn check_form_only<T: LimitTable>(keys: &mut Keys) -> Result<(), PolicyError> {
    for held in T::ROWS {
        let number = row(keys, held, |text| {
            let number = parse_scaled_wide(text, Money::SCALE)?;
            if number < 0 { Err(NumberError::Malformed) } else { Ok(number) }
        })?;
        if number == 0 && !held.zero {
            return Err(PolicyError::NotPositive { key: keys.path(held.name) });
        }
    }
    Ok(())
}

fn scope(mut keys: Keys) -> Result<ScopeLimits, PolicyError> {
    let limits =
        ScopeLimits { activity: table(&mut keys, None)?, standing: table(&mut keys, None)? };
    keys.finish()?;
    Ok(limits)
}

fn rules(mut keys: Keys) -> Result<(String, Rules), PolicyError> {
    let day = keys.text("trading_day")?;
    if day != TRADING_DAY {
        let cause = format!("is not {TRADING_DAY:?}, the one day that limits know");
        return Err(PolicyError::Unfit { key: keys.path("trading_day"), cause });
    }
    let currency = keys.text("currency")?;
    let rules = table(&mut keys, None)?;
    keys.finish()?;
    Ok((currency, rules))
}

fn conversions(keys: &mut Keys) -> Result<BTreeMap<String, Conversion>, PolicyError> {
    let price = |(currency, mut keys): (String, Keys)| {
        let text = keys.text("rate")?;
        let rate = Rate::parse(&text).map_err(|cause| {
            let key = keys.path("rate");
            PolicyError::Number { key, text, cause }
        })?;
        let as_of = keys.moment("as_of")?;
        let as_of = WallNs::parse_rfc3339(&as_of)
            .ok_or_else(|| wrong(&keys.path("as_of"), "is not a moment in UTC that ends in Z"))?;
        keys.finish()?;
        Ok((currency, Conversion { rate, as_of }))
    };
    keys.tables("conversions")?.into_iter().map(price).collect()
}

#[cfg(test)]
mod tests;
