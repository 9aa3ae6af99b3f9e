//! What fills do to balances, and what balances and positions are worth.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::number::pow10;
use portcullis_domain::{Instrument, InstrumentKind, Money, Position, Px, Qty, Side};

use super::{Fill, Ledger};

/// Balances by currency.
pub(super) type Balances = BTreeMap<String, Money>;

/// Moves one balance; `None` on overflow, and nothing has changed then.
pub(super) fn shift(balances: &mut Balances, currency: &str, change: Money) -> Option<()> {
    let held = balances.get(currency).copied().unwrap_or(Money::ZERO);
    balances.insert(currency.to_owned(), held.plus(change)?);
    Some(())
}

/// Balances after a fill that realised `earned`; `None` on overflow.
pub(super) fn balances_after(
    mut balances: Balances,
    side: Side,
    fill: Fill<'_>,
    earned: Money,
) -> Option<Balances> {
    let Instrument { base, quote, .. } = fill.instrument;
    let quote_change = match fill.instrument.kind {
        // Both currencies are delivered.
        InstrumentKind::Spot => {
            let value = Money::notional(fill.px, fill.qty, fill.instrument)?;
            let amount = base_amount(fill.qty, fill.instrument)?;
            let (base_change, quote_change) = match side {
                Side::Buy => (amount, Money(value.0.checked_neg()?)),
                Side::Sell => (Money(amount.0.checked_neg()?), value),
            };
            shift(&mut balances, base, base_change)?;
            quote_change
        }
        // Nothing is delivered: only what was realised is settled.
        InstrumentKind::Linear => earned,
    };
    shift(&mut balances, quote, quote_change.minus(fill.fee)?)?;
    Some(balances)
}

/// A base quantity as an amount of money.
fn base_amount(qty: Qty, instrument: &Instrument) -> Option<Money> {
    let unit = pow10(Money::SCALE.checked_sub(instrument.qty_scale)?)?;
    i128::from(qty.units()).checked_mul(unit).map(Money)
}

/// An amount of base currency at a price, rounded down to the smallest unit of money.
fn worth(amount: Money, px: Px, instrument: &Instrument) -> Option<Money> {
    let product = amount.0.checked_mul(i128::from(px.units()))?;
    product.checked_div_euclid(pow10(instrument.price_scale)?).map(Money)
}

impl Ledger {
    /// What the account is worth in `currency`: its balance, the base balances of its spot
    /// instruments at their marks, and what its linear derivatives would realise at theirs.
    ///
    /// `None` if anything that is held has no mark here, if balances are unknown, or on overflow:
    /// an equity that leaves something out is worse than none.
    #[must_use]
    pub fn equity(&self, currency: &str, marks: &[(&Instrument, Option<Px>)]) -> Option<Money> {
        let balances = self.balances()?;
        let amount = |of: &str| balances.get(of).copied().unwrap_or(Money::ZERO);
        let known = |symbol: &str| marks.iter().any(|(i, _)| i.symbol == symbol);
        let mut held = self.holdings().filter(|(_, holding)| holding.position != Position::FLAT);
        if !held.all(|(symbol, _)| known(symbol)) {
            return None;
        }
        let mut equity = amount(currency);
        let mut counted = BTreeSet::new();
        for (instrument, mark) in marks.iter().filter(|(i, _)| i.quote == currency) {
            let value = match instrument.kind {
                // A base currency of several instruments is held once.
                InstrumentKind::Spot if !counted.insert(&instrument.base) => Money::ZERO,
                InstrumentKind::Spot => match amount(&instrument.base) {
                    Money::ZERO => Money::ZERO,
                    base => worth(base, (*mark)?, instrument)?,
                },
                InstrumentKind::Linear => {
                    let holding = self.holding(&instrument.symbol);
                    let closed = holding.realised.minus(holding.fees)?;
                    holding.profit(*mark, instrument)?.minus(closed)?
                }
            };
            equity = equity.plus(value)?;
        }
        Some(equity)
    }
}
