//! What every set of limits has to be before anyone may sign it or trade under it.

use super::{InstrumentLimits, LimitTable, Limits, Rules};
use crate::ids::Name;
use crate::instrument::Instrument;

/// A key that cannot stand as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Where it stands, such as `account` or `instruments.BTC-USD`.
    pub table: String,
    /// Which key; empty for the whole table.
    pub key: &'static str,
    /// What is wrong with it, as the end of a sentence that begins with the key.
    pub cause: String,
}

impl Unfit {
    fn new(table: &str, key: &'static str, cause: &str) -> Self {
        Self { table: table.to_owned(), key, cause: cause.to_owned() }
    }

    /// Table and key as people write them.
    #[must_use]
    pub fn path(&self) -> String {
        if self.key.is_empty() {
            self.table.clone()
        } else {
            format!("{}.{}", self.table, self.key)
        }
    }
}

impl Limits {
    /// Every number has a meaning, and none contradicts another.
    pub fn check_form(&self, instruments: &[Instrument]) -> Result<(), Unfit> {
        self.check_currencies()?;
        check_rules(&self.rules)?;
        for (name, scope) in
            [("account", &self.account), ("venue", &self.venue), ("host", &self.host)]
        {
            check_zeros(name, &scope.activity)?;
            check_zeros(name, &scope.standing)?;
        }
        for (name, limits) in &self.strategies {
            check_zeros(&format!("strategies.{name}"), limits)?;
        }
        for (id, limits) in &self.instruments {
            let instrument = instruments.iter().find(|instrument| instrument.id == *id);
            let Some(instrument) = instrument else {
                let table = format!("instruments.{}", id.0);
                return Err(Unfit::new(&table, "", "is not an instrument here"));
            };
            check_instrument(&format!("instruments.{}", instrument.symbol), limits)?;
        }
        Ok(())
    }

    fn check_currencies(&self) -> Result<(), Unfit> {
        if !is_currency(&self.currency) {
            return Err(Unfit::new("rules", "currency", "is not a currency such as USD"));
        }
        for (currency, conversion) in &self.conversions {
            let table = format!("conversions.{currency}");
            if !is_currency(currency) {
                return Err(Unfit::new(&table, "", "is not a currency such as USD"));
            }
            if *currency == self.currency {
                return Err(Unfit::new(&table, "", "is the currency of the account"));
            }
            if conversion.rate.0 <= 0 {
                return Err(Unfit::new(&table, "rate", "is not above zero"));
            }
        }
        Ok(())
    }

    /// Exactly these instruments and strategies have limits, and every quote currency a price in
    /// the currency of the account. A limit that nobody wrote down is one that nobody chose.
    pub fn check_covers(&self, instruments: &[Instrument], names: &[Name]) -> Result<(), Unfit> {
        for instrument in instruments {
            if !self.instruments.contains_key(&instrument.id) {
                let table = format!("instruments.{}", instrument.symbol);
                return Err(Unfit::new(&table, "", "is missing"));
            }
            let quote = &instrument.quote;
            if *quote != self.currency && !self.conversions.contains_key(quote) {
                return Err(Unfit::new(&format!("conversions.{quote}"), "", "is missing"));
            }
        }
        let unknown = |id| !instruments.iter().any(|instrument| instrument.id == id);
        if let Some(id) = self.instruments.keys().find(|id| unknown(**id)) {
            let table = format!("instruments.{}", id.0);
            return Err(Unfit::new(&table, "", "is not an approved instrument"));
        }
        if let Some(name) = names.iter().find(|name| !self.strategies.contains_key(*name)) {
            return Err(Unfit::new(&format!("strategies.{name}"), "", "is missing"));
        }
        if let Some(name) = self.strategies.keys().find(|name| !names.contains(name)) {
            return Err(Unfit::new(
                &format!("strategies.{name}"),
                "",
                "is not an approved strategy",
            ));
        }
        Ok(())
    }
}

/// Whether this is a currency such as `USDT`: 1 to 16 capitals and digits.
#[must_use]
pub fn is_currency(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (1..=16).contains(&text.len()) && text.bytes().all(plain)
}

fn check_zeros<T: LimitTable>(table: &str, limits: &T) -> Result<(), Unfit> {
    match T::ROWS.iter().find(|row| !row.zero && (row.get)(limits) == 0) {
        Some(row) => Err(Unfit::new(table, row.name, "is zero, which would only be a slip")),
        None => Ok(()),
    }
}

fn check_rules(rules: &Rules) -> Result<(), Unfit> {
    check_zeros("rules", rules)?;
    if !(1..=100).contains(&rules.warning_percent) {
        return Err(Unfit::new("rules", "warning_percent", "is not between 1 and 100"));
    }
    // Below a fifth, cancels could starve behind the orders they are to take back.
    if !(20..=100).contains(&rules.cancel_share_percent) {
        return Err(Unfit::new("rules", "cancel_share_percent", "is not between 20 and 100"));
    }
    if rules.conversion_haircut_bps > 10_000 {
        return Err(Unfit::new("rules", "conversion_haircut_bps", "is beyond 10000"));
    }
    Ok(())
}

fn check_instrument(table: &str, limits: &InstrumentLimits) -> Result<(), Unfit> {
    check_zeros(table, limits)?;
    if limits.price_max <= limits.price_min {
        return Err(Unfit::new(table, "price_max", "is not above price_min"));
    }
    Ok(())
}
