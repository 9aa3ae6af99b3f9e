//! Amounts of other currencies in the account's. Nothing here looks at the age of a price: what
//! needs a fresh one asks for it itself.

use std::collections::BTreeMap;

use super::Limits;
use crate::money::{Money, Rate};

impl Limits {
    /// Account currency for one of `currency`; `None` where the limits hold no price.
    #[must_use]
    pub fn rate_of(&self, currency: &str) -> Option<Rate> {
        if currency == self.currency {
            return Some(Rate::from_bps(10_000));
        }
        self.conversions.get(currency).map(|price| price.rate)
    }

    /// A cost or a risk in the account's currency, with the haircut on top where it was converted;
    /// `None` without a price and on overflow.
    #[must_use]
    pub fn cost_in_account(&self, amount: Money, currency: &str) -> Option<Money> {
        if currency == self.currency {
            return Some(amount);
        }
        let converted = amount.times(self.rate_of(currency)?)?;
        converted.plus(converted.times(Rate::from_bps(self.rules.conversion_haircut_bps))?)
    }

    /// What the balances that need no market to be valued are worth: those in the account's
    /// currency and in currencies with a price. A lower bound; `None` on overflow.
    #[must_use]
    pub fn cash_worth(&self, balances: &BTreeMap<String, Money>) -> Option<Money> {
        let mut worth = Money::ZERO;
        for (currency, amount) in balances {
            if let Some(rate) = self.rate_of(currency) {
                worth = worth.plus(amount.times(rate)?)?;
            }
        }
        Some(worth)
    }
}
