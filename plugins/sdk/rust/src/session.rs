//! What a strategy is given when a session begins.

use crate::glue::world;

/// One instrument. Prices are in units of 10^-price-scale of the quote currency, quantities in
/// units of 10^-qty-scale of the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Its number in events and orders.
    pub id: u32,
    /// Its name.
    pub symbol: String,
    /// Decimal places of its prices.
    pub price_scale: u8,
    /// Decimal places of its quantities.
    pub qty_scale: u8,
    /// Prices are multiples of this.
    pub tick: i64,
    /// Quantities are multiples of this.
    pub lot: i64,
    /// Least quantity of an order.
    pub qty_min: i64,
}

/// A session: its parameters and instruments.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The runbook phase.
    pub phase: u8,
    /// The instruments that may be traded.
    pub instruments: Vec<Instrument>,
    parameters: Vec<(String, String)>,
}

impl Session {
    pub(crate) fn new(
        start: world::SessionStart,
        parameters: Vec<world::ParameterValue>,
        instruments: Vec<world::Instrument>,
    ) -> Self {
        Self {
            id: start.id,
            phase: start.phase,
            instruments: instruments.into_iter().map(instrument).collect(),
            parameters: parameters.into_iter().map(|it| (it.name, it.value)).collect(),
        }
    }

    /// The only instrument, for a strategy that trades one.
    pub fn only_instrument(&self) -> Result<&Instrument, String> {
        match self.instruments.as_slice() {
            [only] => Ok(only),
            more => Err(format!("trades one instrument; the session has {}", more.len())),
        }
    }

    /// A parameter's text: as approved, or its default.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("{name} was not declared"))
    }

    /// A parameter that is a whole number.
    pub fn integer(&self, name: &str) -> Result<i64, String> {
        self.text(name)?.parse().map_err(|_| format!("{name} is not a whole number"))
    }

    /// A parameter that is `0` or `1`.
    pub fn flag(&self, name: &str) -> Result<bool, String> {
        Ok(self.text(name)? == "1")
    }
}

fn instrument(given: world::Instrument) -> Instrument {
    Instrument {
        id: given.id,
        symbol: given.symbol,
        price_scale: given.price_scale,
        qty_scale: given.qty_scale,
        tick: given.tick,
        lot: given.lot,
        qty_min: given.qty_min,
    }
}
