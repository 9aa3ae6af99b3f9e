//! Instrument and credential files, read once and refused as a whole if anything is off.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, NumberError, Px, Qty, Rate,
};
use serde::Deserialize;

use crate::fault::Fault;

/// The one venue whose protocol is spoken here.
const VENUE: &str = "kraken";

/// Ticks from zero at which a market begins unless told otherwise.
const START_TICKS: i64 = 600_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInstrument {
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

/// Reads an instrument file. `id` is the position on the command line.
pub(crate) fn instrument(path: &Path, id: u32) -> Result<Instrument, Fault> {
    parse_instrument(&path.display().to_string(), &read(path)?, id)
}

fn parse_instrument(name: &str, text: &str, id: u32) -> Result<Instrument, Fault> {
    let raw: RawInstrument =
        toml::from_str(text).map_err(|error| Fault::config(name, error.to_string()))?;
    let number =
        |key: &str, error: NumberError| Fault::config(format!("{name}, key {key}"), error.cause());
    if raw.venue != VENUE {
        let cause = format!("{:?}; this exchange speaks {VENUE:?}", raw.venue);
        return Err(Fault::config(format!("{name}, key venue"), cause));
    }
    if raw.source.is_empty() {
        return Err(Fault::config(format!("{name}, key source"), "must not be empty"));
    }
    let instrument = Instrument {
        id: InstrumentId(id),
        symbol: raw.symbol,
        venue_symbol: raw.venue_symbol,
        base: raw.base,
        quote: raw.quote,
        kind: InstrumentKind::from_name(&raw.kind)
            .ok_or_else(|| Fault::config(format!("{name}, key kind"), "is not spot or linear"))?,
        price_scale: raw.price_scale,
        qty_scale: raw.qty_scale,
        tick: Px::parse(&raw.tick, raw.price_scale).map_err(|error| number("tick", error))?,
        lot: Qty::parse(&raw.lot, raw.qty_scale).map_err(|error| number("lot", error))?,
        qty_min: Qty::parse(&raw.qty_min, raw.qty_scale)
            .map_err(|error| number("qty_min", error))?,
        notional_min: Money::parse(&raw.notional_min)
            .map_err(|error| number("notional_min", error))?,
        maker_fee: Rate::parse(&raw.maker_fee).map_err(|error| number("maker_fee", error))?,
        taker_fee: Rate::parse(&raw.taker_fee).map_err(|error| number("taker_fee", error))?,
    };
    if !instrument.is_exact() || instrument.lot.is_zero() || instrument.qty_min.is_zero() {
        let cause = "scales together above 18, or a lot or qty_min of zero";
        return Err(Fault::config(name, cause));
    }
    Ok(instrument)
}

/// The price at which the market of `instrument` begins.
pub(crate) fn start_price(instrument: &Instrument, given: &[String]) -> Result<Px, Fault> {
    let named = |text: &String| {
        let (symbol, price) = text.split_once('=')?;
        (symbol == instrument.symbol).then(|| price.to_owned())
    };
    let fault = |cause: &str| Fault {
        next: "give it as SYMBOL=PRICE, on the tick".to_owned(),
        ..Fault::config(format!("--start-price of {}", instrument.symbol), cause)
    };
    let Some(text) = given.iter().find_map(named) else {
        let units = instrument.tick.units().checked_mul(START_TICKS);
        return units.and_then(Px::new).ok_or_else(|| fault("the default is out of range"));
    };
    let px = Px::parse(&text, instrument.price_scale).map_err(|error| fault(error.cause()))?;
    if instrument.on_tick(px) { Ok(px) } else { Err(fault("not on the tick")) }
}

/// One key and what it opens.
#[derive(Clone)]
pub(crate) struct Credential {
    /// The public half.
    pub(crate) key: String,
    /// The secret half, base64.
    pub(crate) secret: String,
    /// The account that it opens; several keys may open one.
    pub(crate) account: String,
    /// What the account holds at the start, by currency.
    pub(crate) balances: BTreeMap<String, Money>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCredential {
    key: String,
    secret: String,
    account: String,
    balances: BTreeMap<String, String>,
}

/// Reads the credential file. Its words are never shown in an error.
pub(crate) fn credentials(path: &Path) -> Result<Vec<Credential>, Fault> {
    parse_credentials(&path.display().to_string(), &read(path)?)
}

fn parse_credentials(name: &str, text: &str) -> Result<Vec<Credential>, Fault> {
    let raw: Vec<RawCredential> = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let cause = format!(
                "line {} is not a list of {{key, secret, account, balances}}",
                error.line()
            );
            return Err(Fault::config(name, cause));
        }
    };
    let mut credentials: Vec<Credential> = Vec::new();
    for entry in raw {
        let subject = format!("{name}, account {}", entry.account);
        if entry.key.is_empty() || credentials.iter().any(|other| other.key == entry.key) {
            return Err(Fault::config(subject, "a key is empty or stands twice"));
        }
        if STANDARD.decode(&entry.secret).is_err() {
            return Err(Fault::config(subject, "the secret is not standard base64"));
        }
        let mut balances = BTreeMap::new();
        for (currency, amount) in entry.balances {
            let money = Money::parse(&amount).ok().filter(|money| *money >= Money::ZERO);
            let Some(money) = money else {
                let cause = format!("balance of {currency} is not an amount of zero or more");
                return Err(Fault::config(subject, cause));
            };
            balances.insert(currency, money);
        }
        let twin = credentials.iter().find(|other| other.account == entry.account);
        if twin.is_some_and(|other| other.balances != balances) {
            return Err(Fault::config(subject, "two keys of it name different balances"));
        }
        let (key, secret, account) = (entry.key, entry.secret, entry.account);
        credentials.push(Credential { key, secret, account, balances });
    }
    Ok(credentials)
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path)
        .map_err(|error| Fault::config(path.display().to_string(), error.to_string()))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
