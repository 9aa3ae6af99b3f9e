//! What the book knows of one instrument, whoever trades it.

use portcullis_domain::policy::Converter;
use portcullis_domain::{BootNs, Instrument, Order, Px, Side};

use super::ladder::Ladder;

/// One instrument: its terms, its newest mark and where our own orders stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) instrument: Instrument,
    /// To the account's currency, if known.
    pub(super) converter: Option<Converter>,
    /// Number of the base currency.
    pub(super) base: usize,
    /// Number of the quote currency.
    pub(super) quote: usize,
    pub(super) mark: Option<(Px, BootNs)>,
    buys: Ladder,
    sells: Ladder,
}

impl Line {
    /// An instrument without marks and orders. `currencies` numbers what it has not seen before.
    pub(super) fn new(
        instrument: &Instrument,
        converter: Option<Converter>,
        currencies: &mut Vec<String>,
    ) -> Self {
        let mut number = |currency: &String| {
            currencies.iter().position(|known| known == currency).unwrap_or_else(|| {
                currencies.push(currency.clone());
                currencies.len().saturating_sub(1)
            })
        };
        Self {
            base: number(&instrument.base),
            quote: number(&instrument.quote),
            instrument: instrument.clone(),
            converter,
            mark: None,
            buys: Ladder::empty(),
            sells: Ladder::empty(),
        }
    }

    /// The currency that an order of `side` pays with.
    pub(super) const fn pays(&self, side: Side) -> usize {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    /// Moves one order from where it stood to where it stands. `None` if it did not stand there.
    pub(super) fn stand(&mut self, before: Option<&Order>, after: &Order) -> Option<()> {
        let ladder = match after.intent.side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        };
        let place = |order: &Order| order.status.is_open().then_some(order.intent.price);
        let (old, new) = (before.and_then(place), place(after));
        if old == new {
            return Some(());
        }
        if let Some(price) = old {
            ladder.remove(price)?;
        }
        new.map_or(Some(()), |price| ladder.insert(price))
    }

    /// Whether an order of `side` at `price` (`None` = any) could trade with one of ours.
    pub(super) fn would_cross(&self, side: Side, price: Option<Px>) -> bool {
        let other = match side {
            Side::Buy => &self.sells,
            Side::Sell => &self.buys,
        };
        let Some(price) = price else { return !other.is_empty() };
        let meets = match side {
            Side::Buy => other.lowest().is_some_and(|offer| offer <= price),
            Side::Sell => other.highest().is_some_and(|bid| bid >= price),
        };
        meets || other.any_unpriced()
    }
}
